//! Augmentation of training images: H×W×C floats, channels last, as fractions from 0 (black) to 1 (white).
//!
//! [`Augmenter::new`] checks a list of transforms against the images' shape once; [`Augmenter::apply`] then
//! cannot fail and allocates nothing once its [`Scratch`] is warm. Parameters are drawn as torchvision draws
//! them, from the generator that the caller gives; what is then done to the image is a plain function:
//!
//! | file | what it does |
//! |---|---|
//! | `plan` | what is possible with images of a shape |
//! | `draw` | the random parameters of each transform |
//! | `sample` | values between pixels and beyond the edge |
//! | `geometry` | rotate, scale, perspective |
//! | `place` | flips, shift, crop |
//! | `colour`, `blur`, `noise` | brightness to hue; Gaussian blur; noise and erasing |
//! | `mixup` | blending two images |

pub mod blur;
pub mod colour;
mod draw;
pub mod geometry;
pub mod mixup;
pub mod noise;
pub mod place;
mod plan;
pub mod sample;
#[cfg(test)]
mod tests;

use super::DataError;
use plan::Step;
use rand_chacha::ChaCha8Rng;
use strata_core::project::augment::Augment;

/// The size of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows; 1 for a signal.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Values a pixel.
    pub channels: usize,
}

impl Size {
    /// How many numbers such an image has.
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether it has no pixel.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many numbers a row has.
    pub fn row(self) -> usize {
        self.width * self.channels
    }

    pub(super) fn is_signal(self) -> bool {
        self.height == 1
    }
}

/// Buffers that [`Augmenter::apply`] uses again for every image.
#[derive(Debug, Default)]
pub struct Scratch {
    other: Vec<f32>,
    work: Work,
}

/// Rows of intermediate numbers.
#[derive(Debug, Default)]
pub struct Work {
    x: Vec<f32>,
    y: Vec<f32>,
    index: Vec<u32>,
    kernel: Vec<f32>,
    row: Vec<f32>,
    image: Vec<f32>,
}

/// A list of transforms for images of one shape.
#[derive(Clone, Debug)]
pub struct Augmenter {
    steps: Vec<Step>,
    out: Size,
    mixup: Option<f64>,
    zero: f32,
}

impl Augmenter {
    /// Checks that every transform means something for images of `shape` (height, width, channels).
    /// The error names the entry.
    pub fn new(augment: &[Augment], shape: [usize; 3]) -> Result<Augmenter, DataError> {
        let [height, width, channels] = shape;
        let from = Size {
            height,
            width,
            channels,
        };
        let (steps, out) = plan::steps(augment, from)?;
        Ok(Augmenter {
            steps,
            out,
            mixup: plan::mixup(augment),
            zero: 0.0,
        })
    }

    /// The value of the background, and of everything beyond the edge: of a picture 0, black (the default); of a signal
    /// that swings about its middle 0.5, silence.
    pub fn with_zero(self, zero: f32) -> Augmenter {
        Augmenter { zero, ..self }
    }

    /// Height, width and channels of the images that come out.
    pub fn out_shape(&self) -> [usize; 3] {
        [self.out.height, self.out.width, self.out.channels]
    }

    /// The α of mixup, if it is in the list: the batch is to be blended with [`mixup::blend`] by
    /// [`mixup::draw_share`].
    pub fn mixup(&self) -> Option<f64> {
        self.mixup
    }

    /// Augments one image of the shape given to [`Augmenter::new`]; afterwards it has
    /// [`Augmenter::out_shape`]. An image of another length is left as it is.
    pub fn apply(&self, image: &mut Vec<f32>, scratch: &mut Scratch, rng: &mut ChaCha8Rng) {
        if self
            .steps
            .first()
            .is_some_and(|step| step.from.len() == image.len())
        {
            self.steps
                .iter()
                .for_each(|step| draw::apply(step, image, self.zero, scratch, rng));
        }
    }
}
