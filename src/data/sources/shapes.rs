//! The built-in source: 32×32 colour pictures of ten kinds of figure, drawn from the seed.
//!
//! A figure has a random place, size, turn and stretch, a colour and a texture of its own, and
//! stands before a background of other colours and texture, under a little noise. A classifier
//! therefore has to learn outlines and not colours, and first-layer filters become the edges and
//! colour blobs they become on photographs.
//!
//! Picture `i` of a split depends on the seed, the split and `i` alone. Only + − × ÷ and square
//! roots are used, which every machine rounds alike. Nothing here fails.

mod figure;
mod paint;

use super::SourceReader;
use crate::error::DataError;
use crate::source::{BYTES, ImageStore, OpenRequest, OpenedSource, RawImage, SourceSplit};
use crate::splits::shuffle::{below, between, unit};
use figure::{Figure, Pose};
use paint::{Paint, Rgb, mix};
use rand::RngCore;
use std::sync::Arc;
use strata_core::project::data::Split;
use strata_core::rng::{Purpose, stream};

/// Height and width of every picture.
pub(crate) const SIDE: usize = 32;
/// Pictures of each split.
pub(crate) const SIZES: [(Split, u32); 4] = [
    (Split::Train, 8000),
    (Split::Valid, 1000),
    (Split::Test, 1000),
    (Split::Unlabeled, 8000),
];
/// Points a side within a pixel that the outline crosses.
const SAMPLES: usize = 4;

/// The pictures of one split, drawn when they are asked for.
struct Drawn {
    seed: u64,
    split: Split,
    count: u32,
}

impl ImageStore for Drawn {
    fn len(&self) -> usize {
        self.count as usize
    }

    fn shape(&self) -> [usize; 3] {
        [SIDE, SIDE, 3]
    }

    fn raw(&self, index: usize) -> Result<RawImage, DataError> {
        Ok(RawImage::Bytes(self.draw(index)))
    }

    fn is_costly(&self) -> bool {
        true
    }
}

impl Drawn {
    fn draw(&self, index: usize) -> Vec<u8> {
        // The split in the upper bits: no picture is in two splits.
        let counter = (self.split as u64) << 32 | index as u64;
        let mut rng = stream(self.seed, Purpose::Shapes, counter);
        draw(class_of(index), SIDE, &mut rng)
    }
}

/// Picture `index` of a series for measurements and its class, 0 to 9: `side`×`side`×3 bytes that follow from
/// the three numbers. It is in no split.
pub fn picture(seed: u64, side: usize, index: u32) -> (Vec<u8>, usize) {
    let class = class_of(index as usize);
    let mut rng = stream(seed, Purpose::Bench, (side as u64) << 32 | u64::from(index));
    (draw(class, side, &mut rng), class)
}

/// Pictures that are drawn.
pub(crate) static SHAPES: SourceReader = SourceReader {
    load: |ask| Ok(load(ask)),
    published: None,
};

fn load(ask: &OpenRequest) -> OpenedSource {
    let part = |(split, count): (Split, u32)| SourceSplit {
        split,
        pictures: Arc::new(Drawn {
            seed: ask.seed,
            split,
            count,
        }),
        labels: (split != Split::Unlabeled)
            .then(|| (0..count as usize).map(|i| class_of(i) as u32).collect()),
    };
    OpenedSource {
        classes: Figure::ALL.map(|figure| figure.name().to_string()).to_vec(),
        parts: SIZES.into_iter().map(part).collect(),
        skipped: Vec::new(),
        span: BYTES,
        holds_out: true,
    }
}

/// The classes take turns, so that any first part of a split has them all.
fn class_of(index: usize) -> usize {
    index % Figure::ALL.len()
}

/// The picture of a class that `rng` leads to, `side`×`side`×3.
fn draw(class: usize, side: usize, rng: &mut impl RngCore) -> Vec<u8> {
    let figure = Figure::ALL[class % Figure::ALL.len()];
    let pose = Pose::random(side as f32, rng);
    let ground = Paint::background(side as f32, rng);
    let paint = Paint::figure(&ground, &pose, rng);
    let rim = Rim::random(&ground, &paint, rng);
    let grain = between(rng, 0.008, 0.03);
    let mut dust = Dust(rng.next_u64());
    let mut pixels = vec![0; side * side * 3];
    let mut places = pixels.chunks_exact_mut(3);
    for y in 0..side {
        for x in 0..side {
            let at = [x as f32 + 0.5, y as f32 + 0.5];
            let distance = pose.distance(figure, at);
            let covered = coverage(figure, &pose, at, distance);
            let inside = |colour: Rgb| rim.apply(colour, distance);
            let colour = match covered {
                0.0 => ground.colour(at),
                1.0 => inside(paint.colour(at)),
                share => mix(ground.colour(at), inside(paint.colour(at)), share),
            };
            let noise = dust.colour();
            if let Some([red, green, blue]) = places.next() {
                *red = to_byte(colour[0] + grain * noise[0]);
                *green = to_byte(colour[1] + grain * noise[1]);
                *blue = to_byte(colour[2] + grain * noise[2]);
            }
        }
    }
    pixels
}

/// The fraction of the pixel at `at` that the figure covers; `distance` is that of its middle.
fn coverage(figure: Figure, pose: &Pose, at: [f32; 2], distance: f32) -> f32 {
    // Half a pixel's diagonal: beyond it the outline cannot cross the pixel.
    const REACH: f32 = 0.708;
    if distance.abs() > REACH {
        return if distance < 0.0 { 1.0 } else { 0.0 };
    }
    let offset = |sample: usize| (sample as f32 + 0.5) / SAMPLES as f32 - 0.5;
    let mut inside = 0;
    for row in 0..SAMPLES {
        for column in 0..SAMPLES {
            let point = [at[0] + offset(column), at[1] + offset(row)];
            inside += usize::from(pose.distance(figure, point) < 0.0);
        }
    }
    inside as f32 / (SAMPLES * SAMPLES) as f32
}

/// An outline that some figures have.
struct Rim {
    colour: Rgb,
    width: f32,
}

impl Rim {
    fn random(ground: &Paint, paint: &Paint, rng: &mut impl RngCore) -> Rim {
        let width = if below(rng, 4) == 0 {
            between(rng, 0.9, 1.5)
        } else {
            0.0
        };
        let dark = unit(rng) < 0.6;
        let colour = if dark {
            [0.05, 0.05, 0.08]
        } else {
            [0.97, 0.96, 0.93]
        };
        // An outline in the background's tone would only make the figure smaller.
        let visible = paint::difference(colour, ground.mean()) > 0.25
            && paint::difference(colour, paint.mean()) > 0.2;
        Rim {
            colour,
            width: if visible { width } else { 0.0 },
        }
    }

    fn apply(&self, colour: Rgb, distance: f32) -> Rgb {
        if self.width == 0.0 {
            return colour;
        }
        mix(
            colour,
            self.colour,
            (distance + self.width + 0.5).clamp(0.0, 1.0),
        )
    }
}

/// A quick generator (SplitMix64) for the noise alone, which needs thousands of draws a picture.
struct Dust(u64);

impl Dust {
    /// Three numbers of mean 0 and standard deviation about 1, a little alike.
    fn colour(&mut self) -> [f32; 3] {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let byte = |at: u32| ((bits >> (8 * at)) & 255) as i32;
        let shared = byte(6) + byte(7);
        // Four even bytes have mean 510 and standard deviation 147.8 together.
        let number = |at: u32| (byte(at) + byte(at + 1) + shared - 510) as f32 / 147.8;
        [number(0), number(2), number(4)]
    }
}

fn to_byte(value: f32) -> u8 {
    (value * 255.0 + 0.5).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64, split: Split) -> Drawn {
        Drawn {
            seed,
            split,
            count: 1000,
        }
    }

    #[test]
    fn a_picture_depends_on_seed_split_and_number_alone() {
        let one = drawn(1, Split::Train).raw(17).unwrap();
        assert_eq!(one, drawn(1, Split::Train).raw(17).unwrap());
        for other in [
            drawn(2, Split::Train).raw(17),
            drawn(1, Split::Test).raw(17),
            drawn(1, Split::Train).raw(27),
        ] {
            assert_ne!(one, other.unwrap());
        }
    }

    /// These bytes are part of what a run can repeat: they change only on purpose.
    #[test]
    fn pictures_stay_the_same_from_version_to_version() {
        let mut digest = crate::hash::Digest::new();
        for index in 0..20 {
            digest.add(&drawn(42, Split::Train).draw(index));
        }
        assert_eq!(digest.finish(), "2-299701dc81207585");
    }

    #[test]
    fn a_figure_stands_out() {
        for index in 0..500 {
            let picture = drawn(3, Split::Train).draw(index);
            let mean = picture.iter().map(|&v| f64::from(v)).sum::<f64>() / picture.len() as f64;
            let square = |&v: &u8| (f64::from(v) - mean).powi(2);
            let variance = picture.iter().map(square).sum::<f64>() / picture.len() as f64;
            assert!(
                variance > 100.0,
                "picture {index} is nearly one colour: {variance}"
            );
        }
    }

    #[test]
    #[ignore = "a measurement"]
    fn time_an_image() {
        let start = std::time::Instant::now();
        let source = drawn(3, Split::Train);
        (0..1000).for_each(|index| drop(source.raw(index).unwrap()));
        println!("{} µs an image", start.elapsed().as_micros() / 1000);
    }
}
