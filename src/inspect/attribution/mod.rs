//! Attribution: how much each number of an image counts for one number that the network gives.
//!
//! | method | what it is | source |
//! |---|---|---|
//! | gradient | the derivative | Simonyan, Vedaldi, Zisserman 2013 |
//! | gradient × input | the derivative times the value | Shrikumar et al. 2016 |
//! | SmoothGrad | the mean derivative over copies with noise | Smilkov et al. 2017 |
//! | integrated gradients | the derivative along the way from a black (zero) image, times the way | Sundararajan, Taly, Yan 2017 |
//! | guided backpropagation | the derivative with relu letting back only what is positive | Springenberg et al. 2015 |
//! | Grad-CAM | a layer's maps, weighted by their mean derivative | Selvaraju et al. 2017 |
//! | occlusion | what the number loses when a patch is covered with zeros | Zeiler, Fergus 2014 |
//!
//! Running statistics are used, dropout and noise are off. Fails as the network does.

pub mod gradients;
mod legendre;
pub mod maps;
pub mod score;

use super::inspection::InspectError;
use rand_distr::{Distribution, Normal};
use score::Scored;
use serde::{Deserialize, Serialize};
use strata_core::project::Place;
use strata_core::rng::{Purpose, stream};
use strata_data::{DataError, Progress};

/// How the numbers of an image are attributed to the score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The gradient of the score by the image.
    #[default]
    Gradient,
    /// The gradient times the image.
    GradientXInput,
    /// The mean gradient over copies of the image with noise.
    Smoothgrad,
    /// The mean gradient on the way from zeros to the image, times the image.
    Integrated,
    /// The gradient with relu letting back only what is positive.
    Guided,
    /// The maps of a layer, weighted by their mean gradients.
    GradCam,
    /// What the score loses when a patch is covered.
    Occlusion,
}

impl Method {
    /// All of them, in the order of menus.
    pub const ALL: [Method; 7] = [
        Method::Gradient,
        Method::GradientXInput,
        Method::Smoothgrad,
        Method::Integrated,
        Method::Guided,
        Method::GradCam,
        Method::Occlusion,
    ];

    /// Its word in the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Method::Gradient => "gradient",
            Method::GradientXInput => "gradient-x-input",
            Method::Smoothgrad => "smoothgrad",
            Method::Integrated => "integrated",
            Method::Guided => "guided",
            Method::GradCam => "grad-cam",
            Method::Occlusion => "occlusion",
        }
    }

    /// What it is called in the window.
    pub fn name(self) -> &'static str {
        match self {
            Method::Gradient => "gradient",
            Method::GradientXInput => "gradient × input",
            Method::Smoothgrad => "SmoothGrad",
            Method::Integrated => "integrated gradients",
            Method::Guided => "guided backpropagation",
            Method::GradCam => "Grad-CAM",
            Method::Occlusion => "occlusion",
        }
    }

    /// One sentence on what its values are.
    pub fn about(self) -> &'static str {
        match self {
            Method::Gradient => "The derivative of the score by each pixel.",
            Method::GradientXInput => "The derivative times the pixel as the network sees it.",
            Method::Smoothgrad => {
                "The mean derivative over 25 copies of the image with noise of 10 % of its range."
            }
            Method::Integrated => {
                "The mean derivative on the way from an image of zeros, times the pixel; all values together are what the score differs by."
            }
            Method::Guided => {
                "The derivative, with every relu letting back only what is positive; it changes little when the weights do, which the sanity check shows."
            }
            Method::GradCam => {
                "The maps of a layer weighted by their mean derivative, of the sum what is positive, enlarged to the image."
            }
            Method::Occlusion => {
                "What the score loses when a patch is covered with zeros, the mean over the patches that cover a pixel."
            }
        }
    }

    /// The method of this word.
    pub fn of_word(word: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.word() == word)
    }

    /// Whether one pass back gives it, so that it can follow a training step by step.
    pub fn is_quick(self) -> bool {
        !matches!(
            self,
            Method::Smoothgrad | Method::Integrated | Method::Occlusion
        )
    }
}

/// Copies with noise for SmoothGrad, and the noise's deviation as a share of the image's range.
pub const COPIES: usize = 25;
/// See [`COPIES`].
pub const NOISE: f32 = 0.1;
/// Points on the way of integrated gradients (Gauss-Legendre).
pub const POINTS: usize = 50;

/// Takes how far it has come; false when it is not wanted any more.
pub type Watch<'a> = dyn FnMut(Progress) -> bool + 'a;

/// How an image is attributed.
#[derive(Clone, Debug)]
pub struct How {
    /// The method.
    pub method: Method,
    /// Depth, height and width of an image.
    pub volume: [usize; 3],
    /// The layer of Grad-CAM.
    pub layer: Option<Place>,
    /// Starts the noise of SmoothGrad.
    pub seed: u64,
}

/// The attributions of images (`N × H × W × C` values one after the other), in their layout. Of Grad-CAM and occlusion
/// all channels of a pixel have its value divided by their number, so that a pixel's sum is its value.
pub fn attribute(
    scored: &mut Scored<'_>,
    images: &[f32],
    how: &How,
    watch: &mut Watch<'_>,
) -> Result<Vec<f32>, InspectError> {
    Ok(match how.method {
        Method::Gradient => scored.gradients(images)?.1,
        Method::GradientXInput => gradients::times(scored.gradients(images)?.1, images),
        Method::Smoothgrad => {
            let noise = noise(images, scored.size(), how.seed);
            gradients::smooth(scored, images, &noise, watch)?
        }
        Method::Integrated => gradients::integrated(scored, images, POINTS, watch)?,
        Method::Guided => gradients::guided(scored, images)?,
        Method::GradCam => maps::grad_cam(scored, images, how)?,
        Method::Occlusion => {
            let windows = maps::Windows::usual(how.volume);
            maps::occlusion(scored, images, &windows, watch)?
        }
    })
}

/// The noise of each copy, as long as the images: normal, its deviation [`NOISE`] of each image's range.
fn noise(images: &[f32], size: usize, seed: u64) -> Vec<Vec<f32>> {
    let copy = |copy: usize| {
        let mut rng = stream(seed, Purpose::Inspection, copy as u64);
        let noise = |image: &[f32]| {
            let low = image.iter().copied().fold(f32::INFINITY, f32::min);
            let high = image.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let deviation = (NOISE * (high - low)).max(0.0);
            // A deviation that is not finite comes from an image that isn't: it has no noise.
            let normal = Normal::new(0.0, deviation).ok();
            let draw = |_: &f32| normal.map_or(0.0, |normal| normal.sample(&mut rng));
            image.iter().map(draw).collect::<Vec<f32>>()
        };
        images.chunks_exact(size.max(1)).flat_map(noise).collect()
    };
    (0..COPIES).map(copy).collect()
}

/// Goes on while the output is wanted.
fn go_on(watch: &mut Watch<'_>, done: usize, total: usize) -> Result<(), InspectError> {
    let progress = Progress {
        what: "looking into the network",
        done,
        total,
    };
    match watch(progress) {
        true => Ok(()),
        false => Err(DataError::Cancelled.into()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
