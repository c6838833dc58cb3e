//! Random transformations of an image whose gradient is known: rotation, scale, brightness and noise.

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
    /// Cosine and sine of the angle, divided by the scale.
    turn: [f32; 2],
    brightness: f32,
    seed: [u64; 2],
}

/// The pixels that a pixel is made of, with their shares.
type Sources = [(Option<usize>, f32); 4];

impl Transformation {
    /// The transformation of this number.
    pub fn draw(seed: u64, number: u64) -> Transformation {
        let mut rng = stream(seed, Purpose::Inspection, number);
        let angle = rng.random_range(-DEGREES..=DEGREES).to_radians();
        let scale = rng.random_range(1.0 - SCALE..=1.0 + SCALE);
        Transformation {
            turn: [angle.cos() / scale, angle.sin() / scale],
            brightness: rng.random_range(-BRIGHTNESS..=BRIGHTNESS),
            seed: [seed, !number],
        }
    }

    /// The transformed images (shares of the way from black to white, one after the other); beyond the image is black.
    pub fn apply(&self, images: &[f32], size: [usize; 3]) -> Vec<f32> {
        let [height, width, channels] = size;
        let sources = self.sources([height, width]);
        let mut rng = stream(self.seed[0], Purpose::Inspection, self.seed[1]);
        let mut made = Vec::with_capacity(images.len());
        for image in images.chunks_exact((height * width * channels).max(1)) {
            for sources in &sources {
                for channel in 0..channels {
                    let part = |&(pixel, share): &(Option<usize>, f32)| {
                        pixel.map_or(0.0, |pixel| share * image[pixel * channels + channel])
                    };
                    let noise: f32 = StandardNormal.sample(&mut rng);
                    let value: f32 = sources.iter().map(part).sum();
                    made.push(value + self.brightness + NOISE * noise);
                }
            }
        }
        made
    }

    /// The gradient by the images, from the one by the transformed images.
    pub fn pull_back(&self, gradient: &[f32], size: [usize; 3]) -> Vec<f32> {
        let [height, width, channels] = size;
        let sources = self.sources([height, width]);
        let each = (height * width * channels).max(1);
        let mut back = vec![0.0; gradient.len()];
        for (gradient, back) in gradient.chunks_exact(each).zip(back.chunks_exact_mut(each)) {
            for (sources, slopes) in sources.iter().zip(gradient.chunks_exact(channels)) {
                for &(pixel, share) in sources {
                    let Some(pixel) = pixel else { continue };
                    let to = &mut back[pixel * channels..(pixel + 1) * channels];
                    to.iter_mut()
                        .zip(slopes)
                        .for_each(|(to, slope)| *to += share * slope);
                }
            }
        }
        back
    }

    /// Of each pixel of the result the four pixels that it lies between.
    fn sources(&self, [height, width]: [usize; 2]) -> Vec<Sources> {
        let middle = [height, width].map(|side| (side as f32 - 1.0) / 2.0);
        let [cos, sin] = self.turn;
        let index = |row: f32, column: f32| {
            let is_inside =
                (0.0..height as f32).contains(&row) && (0.0..width as f32).contains(&column);
            is_inside.then_some(row as usize * width + column as usize)
        };
        let of = |pixel: usize| {
            let (y, x) = (
                (pixel / width) as f32 - middle[0],
                (pixel % width) as f32 - middle[1],
            );
            let (row, column) = (cos * y - sin * x + middle[0], sin * y + cos * x + middle[1]);
            let (top, left) = (row.floor(), column.floor());
            let (down, right) = (row - top, column - left);
            [
                (index(top, left), (1.0 - down) * (1.0 - right)),
                (index(top, left + 1.0), (1.0 - down) * right),
                (index(top + 1.0, left), down * (1.0 - right)),
                (index(top + 1.0, left + 1.0), down * right),
            ]
        };
        (0..height * width).map(of).collect()
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
