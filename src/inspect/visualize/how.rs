//! How images are optimised: the regularisers, with what suits images of a size unless asked for otherwise.

use super::basis::Basis;
use super::penalty::Penalty;

/// How an image is optimised.
#[derive(Clone, Debug, PartialEq)]
pub struct How {
    /// What the image is made of.
    pub basis: Basis,
    /// Whether colours are decorrelated as those of the training images are.
    pub decorrelated: bool,
    /// The penalty on large values, as the network gets them.
    pub penalty: Penalty,
    /// Its weight.
    pub strength: f32,
    /// The weight of total variation.
    pub variation: f32,
    /// The image is smoothed after so many steps each; 0 for never.
    pub blur: usize,
    /// The network sees it shifted by up to so many pixels, another way in every step.
    pub jitter: usize,
    /// Turned by up to so many degrees.
    pub rotation: f32,
    /// Scaled by up to this share.
    pub scale: f32,
    /// Scales of the Laplacian pyramid on the gradient; 0 for none.
    pub laplacian: usize,
    /// Steps.
    pub steps: usize,
    /// The length of a step: the score's gradient has a root mean square of 1.
    pub rate: f32,
}

/// Steps unless asked for otherwise.
pub const STEPS: usize = 256;
/// Scales of the Laplacian pyramid where it is shown beside others.
pub const LEVELS: usize = 4;

impl Default for How {
    /// Nothing but the gradient.
    fn default() -> How {
        How {
            basis: Basis::Pixel,
            decorrelated: false,
            penalty: Penalty::None,
            strength: 1.0,
            variation: 0.0,
            blur: 0,
            jitter: 0,
            rotation: 0.0,
            scale: 0.0,
            laplacian: 0,
            steps: STEPS,
            rate: 0.2,
        }
    }
}

impl How {
    /// What suits images of this height, width and channels: of grey digits pixels with a penalty on ink, of colours
    /// waves with decorrelated colours; both move and turn a little. Signals are only shifted.
    pub fn usual([height, width, channels]: [usize; 3]) -> How {
        let plain = How::default();
        let jitter = (height.max(width) / 14).clamp(1, 8);
        if height == 1 {
            return How {
                penalty: Penalty::L2,
                strength: 0.5,
                variation: 0.3,
                jitter,
                ..plain
            };
        }
        let moving = How {
            jitter,
            rotation: 8.0,
            scale: 0.1,
            ..plain
        };
        match channels {
            1 => How {
                penalty: Penalty::L2,
                strength: 0.5,
                variation: 0.3,
                ..moving
            },
            _ => How {
                basis: Basis::Fourier,
                decorrelated: true,
                variation: 0.1,
                ..moving
            },
        }
    }

    /// Each regulariser alone, and this one, with what it is called: the same unit under each side by side.
    pub fn side_by_side(&self) -> Vec<(String, How)> {
        let plain = How {
            steps: self.steps,
            rate: self.rate,
            ..How::default()
        };
        let strength = self.strength;
        let variation = if self.variation > 0.0 {
            self.variation
        } else {
            0.3
        };
        let jitter = self.jitter.max(2);
        let penalties = [Penalty::L2, Penalty::L4, Penalty::Linf].map(|penalty| {
            let how = How {
                penalty,
                strength,
                ..plain.clone()
            };
            (penalty.name(), how)
        });
        let others = [
            (
                "total variation",
                How {
                    variation,
                    ..plain.clone()
                },
            ),
            (
                "blur",
                How {
                    blur: self.blur.max(4),
                    ..plain.clone()
                },
            ),
            (
                "jitter",
                How {
                    jitter,
                    ..plain.clone()
                },
            ),
            (
                "Laplacian",
                How {
                    laplacian: self.laplacian.max(LEVELS),
                    ..plain.clone()
                },
            ),
            (
                "Fourier",
                How {
                    basis: Basis::Fourier,
                    ..plain.clone()
                },
            ),
        ];
        std::iter::once(("none", plain.clone()))
            .chain(penalties)
            .chain(others)
            .chain([("as set", self.clone())])
            .map(|(name, how)| (name.to_owned(), how))
            .collect()
    }

    /// Refuses what images of this kind do not have; fails with what to change.
    pub fn check(&self, [height, _, channels]: [usize; 3]) -> Result<(), String> {
        if height == 1 && (self.rotation > 0.0 || self.scale > 0.0) {
            return Err(
                "signals are not turned or scaled: leave rotation and scale at 0".to_owned(),
            );
        }
        if self.decorrelated && channels < 2 {
            return Err(
                "grey images have no colours to decorrelate: leave decorrelation out".to_owned(),
            );
        }
        if self.steps == 0 {
            return Err("at least one step is needed".to_owned());
        }
        Ok(())
    }
}
