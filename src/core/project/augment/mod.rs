//! Augmentations of the training images as text: `hflip p0.5`, `rotate 18`, `contrast 0.8..1.2`,
//! and tables that hold others: `{ apply = ["rotate 18"], p = 0.9 }`, `{ choice = ["hflip", "vflip"] }`.
//!
//! The meaning of every number and every default is torchvision's. [`Augment`] reads from text or a table
//! and writes the same again; what cannot be read is an [`AugmentTextError`] that names the word and says
//! what to write instead.

mod reader;
mod table;
mod text;
mod write;

pub(super) use table::list;
pub use text::AugmentTextError;

/// Every transform's word, an example with sensible values, and one sentence for people, in menu order.
pub const KINDS: &[(&str, &str, &str)] = &[
    (
        "hflip",
        "hflip p0.5",
        "Mirrors left and right; of a signal, reverses time.",
    ),
    ("vflip", "vflip p0.5", "Mirrors top and bottom."),
    (
        "shift",
        "shift 0.1 reflect",
        "Moves by up to this share of the width and height.",
    ),
    (
        "rotate",
        "rotate 18",
        "Turns about the centre by up to so many degrees.",
    ),
    (
        "scale",
        "scale 0.9..1.1",
        "Enlarges or shrinks about the centre.",
    ),
    (
        "perspective",
        "perspective 0.5",
        "Moves the four corners, as if seen from the side.",
    ),
    (
        "crop",
        "crop 32 pad4",
        "Cuts out a window of this size, after padding.",
    ),
    (
        "brightness",
        "brightness 0.2",
        "Multiplies all values by a factor about 1.",
    ),
    (
        "contrast",
        "contrast 0.8..1.2",
        "Moves values towards the mean grey, or away from it.",
    ),
    (
        "saturation",
        "saturation 0.5..2",
        "Moves colours towards grey, or away from it.",
    ),
    (
        "hue",
        "hue 0.05",
        "Turns the colour wheel by up to this share of a full turn.",
    ),
    ("grayscale", "grayscale p0.5", "Takes the colours away."),
    (
        "blur",
        "blur 5 sigma0.1..2",
        "Gaussian blur with a kernel of this size.",
    ),
    (
        "noise",
        "noise 0.05",
        "Adds Gaussian noise of this standard deviation (white is 1).",
    ),
    (
        "saltpepper",
        "saltpepper 0.03",
        "Turns this share of the pixels black or white.",
    ),
    (
        "erase",
        "erase p0.5 area0.02..0.1",
        "Blackens a rectangle of this share of the area.",
    ),
    (
        "mixup",
        "mixup 0.2",
        "Blends each image and its label with another of the batch.",
    ),
    (
        "apply",
        "{ apply = [\"rotate 18\", \"scale 0.9..1.1\"], p = 0.9 }",
        "All of these, or none: with this probability.",
    ),
    (
        "choice",
        "{ choice = [\"hflip p1\", \"vflip p1\"] }",
        "One of these, each as likely.",
    ),
];

/// How positions outside an image are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Border {
    /// Black.
    #[default]
    Zero,
    /// The image mirrored, without repeating the outermost pixel: `c b | a b c | b a`.
    Reflect,
    /// The outermost pixel again and again.
    Edge,
    /// The opposite side.
    Wrap,
}

/// How a value between pixels is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The nearest pixel's.
    Nearest,
    /// Weighted by distance between the four neighbours.
    Bilinear,
}

/// A range to draw from, the way it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// `0.2`: this much to both sides of the neutral value.
    Around(f32),
    /// `0.8..1.2`: from here to there.
    Between(f32, f32),
}

impl Spread {
    /// Lowest and highest value about 0.
    pub fn about_zero(self) -> [f32; 2] {
        match self {
            Spread::Around(by) => [-by, by],
            Spread::Between(low, high) => [low, high],
        }
    }

    /// Lowest and highest factor about 1; never below 0.
    pub fn about_one(self) -> [f32; 2] {
        match self {
            Spread::Around(by) => [(1.0 - by).max(0.0), 1.0 + by],
            Spread::Between(low, high) => [low, high],
        }
    }
}

/// One augmentation, or several in a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Augment {
    /// Mirrors left and right.
    HFlip {
        /// With this probability.
        p: f32,
    },
    /// Mirrors top and bottom.
    VFlip {
        /// With this probability.
        p: f32,
    },
    /// Moves by whole pixels.
    Shift {
        /// At most this fraction of the width and of the height.
        by: f32,
        /// What comes in from outside.
        border: Border,
    },
    /// Turns about the centre.
    Rotate {
        /// Degrees, counter-clockwise.
        degrees: Spread,
        /// How values between pixels are found.
        interpolation: Interpolation,
        /// What comes in from outside.
        border: Border,
    },
    /// Enlarges or shrinks about the centre.
    Scale {
        /// The factor.
        factor: Spread,
        /// How values between pixels are found.
        interpolation: Interpolation,
        /// What comes in from outside.
        border: Border,
    },
    /// Moves the four corners inwards.
    Perspective {
        /// How far at most, as a fraction of half the side.
        distortion: f32,
        /// With this probability.
        p: f32,
        /// How values between pixels are found.
        interpolation: Interpolation,
        /// What comes in from outside.
        border: Border,
    },
    /// Cuts out a window at a random place.
    Crop {
        /// Its height; without one, as high as wide (of a signal: one row).
        height: Option<u32>,
        /// Its width.
        width: u32,
        /// Pixels added on every side beforehand.
        pad: u32,
        /// What is added.
        border: Border,
    },
    /// Multiplies all values.
    Brightness(Spread),
    /// Away from the mean grey, or towards it.
    Contrast(Spread),
    /// Away from grey, or towards it.
    Saturation(Spread),
    /// Along the colour wheel, in turns.
    Hue(Spread),
    /// Takes the colours away.
    Grayscale {
        /// With this probability.
        p: f32,
    },
    /// Gaussian blur.
    Blur {
        /// The kernel's size, an odd number.
        kernel: u32,
        /// The standard deviation is drawn between these two.
        sigma: [f32; 2],
    },
    /// Adds Gaussian noise.
    Noise {
        /// Its standard deviation, where black is 0 and white is 1.
        std: f32,
    },
    /// Turns single pixels black or white.
    SaltPepper {
        /// The fraction of the pixels.
        share: f32,
    },
    /// Blackens a rectangle.
    Erase {
        /// With this probability.
        p: f32,
        /// Its fraction of the image's area.
        area: [f32; 2],
    },
    /// Blends images of a batch, and their labels.
    Mixup {
        /// The blend is drawn from Beta(α, α).
        alpha: f32,
    },
    /// All of these in turn, or none.
    Apply {
        /// What is applied.
        steps: Vec<Augment>,
        /// With this probability.
        p: f32,
    },
    /// One of these.
    Choice(Vec<Augment>),
}

impl Augment {
    /// Whether its numbers make it give back every image as it is: `rotate 0`, `hflip p0`, `contrast 1..1`.
    pub fn changes_nothing(&self) -> bool {
        match self {
            Augment::HFlip { p } | Augment::VFlip { p } | Augment::Grayscale { p } => *p == 0.0,
            Augment::Shift { by, .. } => *by == 0.0,
            Augment::Rotate { degrees, .. } => degrees.about_zero() == [0.0; 2],
            Augment::Scale { factor, .. } => factor.about_one() == [1.0; 2],
            Augment::Perspective { distortion, p, .. } => *distortion == 0.0 || *p == 0.0,
            // It decides the size, at a place that is drawn.
            Augment::Crop { .. } => false,
            Augment::Brightness(by) | Augment::Contrast(by) | Augment::Saturation(by) => {
                by.about_one() == [1.0; 2]
            }
            Augment::Hue(turns) => turns.about_zero() == [0.0; 2],
            Augment::Blur { kernel, .. } => *kernel == 1,
            Augment::Noise { std } => *std == 0.0,
            Augment::SaltPepper { share } => *share == 0.0,
            Augment::Erase { p, area } => *p == 0.0 || *area == [0.0; 2],
            Augment::Mixup { .. } => false,
            Augment::Apply { steps, p } => *p == 0.0 || steps.iter().all(Augment::changes_nothing),
            Augment::Choice(steps) => steps.iter().all(Augment::changes_nothing),
        }
    }
}

#[cfg(test)]
mod tests;
