//! Random transformations of an image whose gradient is known: rotation, scale, brightness and noise.

use crate::warp::{Edge, Warp};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use strata_core::rng::{Purpose, stream};

/// The largest angle in degrees, the most a side is longer or shorter, the most that is added, and the deviation of the
/// noise (both in shares of the way from black to white).
pub const DEGREES: f32 = 15.0;
/// See [`DEGREES`].
pub const SCALE: f32 = 0.1;
/// See [`DEGREES`].
pub const BRIGHTNESS: f32 = 0.1;
/// See [`DEGREES`].
pub const NOISE: f32 = 0.02;

/// One transformation.
#[derive(Clone, Debug)]
pub struct Transformation {
    warp: Warp,
    brightness: f32,
    seed: [u64; 2],
}

impl Transformation {
    /// The transformation of this number.
    pub fn draw(seed: u64, number: u64) -> Transformation {
        let mut rng = stream(seed, Purpose::Inspection, number);
        let angle = rng.random_range(-DEGREES..=DEGREES).to_radians();
        let scale = rng.random_range(1.0 - SCALE..=1.0 + SCALE);
        Transformation {
            warp: Warp {
                turn: [angle.cos() / scale, angle.sin() / scale],
                shift: [0.0, 0.0],
                edge: Edge::Black,
            },
            brightness: rng.random_range(-BRIGHTNESS..=BRIGHTNESS),
            seed: [seed, !number],
        }
    }

    /// The transformed images (shares of the way from black to white, one after the other); beyond the image is black.
    pub fn apply(&self, images: &[f32], size: [usize; 3]) -> Vec<f32> {
        let mut rng = stream(self.seed[0], Purpose::Inspection, self.seed[1]);
        let mut made = self.warp.apply(images, size);
        for value in &mut made {
            let noise: f32 = StandardNormal.sample(&mut rng);
            *value += self.brightness + NOISE * noise;
        }
        made
    }

    /// The gradient by the images, from the one by the transformed images.
    pub fn pull_back(&self, gradient: &[f32], size: [usize; 3]) -> Vec<f32> {
        self.warp.pull_back(gradient, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ⟨T x − T 0, g⟩ = ⟨x, Tᵀ g⟩
    #[test]
    fn pulling_back_is_the_transpose() {
        let size = [7, 9, 2];
        let len = size.iter().product::<usize>();
        let values = |seed: u64| -> Vec<f32> {
            let mut rng = stream(seed, Purpose::Bench, 0);
            (0..2 * len).map(|_| rng.random_range(-1.0..1.0)).collect()
        };
        let (x, g) = (values(1), values(2));
        let transformation = Transformation::draw(4, 9);
        let made = transformation.apply(&x, size);
        let nothing = transformation.apply(&vec![0.0; x.len()], size);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let one = dot(&made, &g) - dot(&nothing, &g);
        let other = dot(&x, &transformation.pull_back(&g, size));
        assert!((one - other).abs() < 1e-3, "{one} {other}");
    }
}
