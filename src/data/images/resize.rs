//! Antialiased resizing: the filter widens with the factor that the image shrinks by, so that fine detail is averaged
//! and not aliased (Pillow's BOX, BILINEAR and LANCZOS; PyTorch's `antialias=True`).
//!
//! Weights are fixed-point integers, so a picture scales to the same bytes on every machine. The
//! weights of a pair of sizes are made once; applying them cannot fail.

use super::luma;
use strata_core::project::data::Filter;

const FRACTION_BITS: u32 = 22;

/// What a picture is made of: pixels, or numbers.
pub(crate) trait Sample: Copy + Default + Send + Sync + 'static {
    /// A sum of weighted values.
    type Sum: Copy + Default;
    /// Adds a value times a weight, which is fixed-point.
    fn add(sum: Self::Sum, value: Self, weight: i32) -> Self::Sum;
    /// The value of a sum.
    fn round(sum: Self::Sum) -> Self;
    /// The brightness of red, green and blue.
    fn luma(rgb: [Self; 3]) -> Self;
}

impl Sample for u8 {
    // Lanczos weights add up to about 1.4 with all signs positive: 255·1.4·2²² stays below 2³¹.
    type Sum = i32;

    fn add(sum: i32, value: u8, weight: i32) -> i32 {
        sum + i32::from(value) * weight
    }

    fn round(sum: i32) -> u8 {
        ((sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS).clamp(0, 255) as u8
    }

    fn luma(rgb: [u8; 3]) -> u8 {
        luma::luma_of_pixel(rgb)
    }
}

impl Sample for u16 {
    type Sum = i64;

    fn add(sum: i64, value: u16, weight: i32) -> i64 {
        sum + i64::from(value) * i64::from(weight)
    }

    fn round(sum: i64) -> u16 {
        ((sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS).clamp(0, 65_535) as u16
    }

    fn luma(rgb: [u16; 3]) -> u16 {
        luma::luma_of_words(rgb)
    }
}

impl Sample for f32 {
    type Sum = f32;

    fn add(sum: f32, value: f32, weight: i32) -> f32 {
        sum + value * weight as f32
    }

    fn round(sum: f32) -> f32 {
        sum / (1u32 << FRACTION_BITS) as f32
    }

    fn luma(rgb: [f32; 3]) -> f32 {
        luma::luma(rgb)
    }
}

/// Scales pictures of one size to another.
pub(crate) struct Resizer {
    rows: Axis,
    columns: Axis,
}

/// For each output position, the run of input positions it is made from and their weights.
struct Axis {
    from: usize,
    taps: Vec<Taps>,
}

struct Taps {
    first: usize,
    weights: Vec<i32>,
}

impl Resizer {
    /// From and to are `[height, width]`, none of them zero.
    pub fn new(from: [usize; 2], to: [usize; 2], filter: Filter) -> Resizer {
        Resizer {
            rows: Axis::new(from[0], to[0], filter),
            columns: Axis::new(from[1], to[1], filter),
        }
    }

    /// Scales `pixels` (H×W×C) and returns the new picture in the same layout.
    pub fn apply<T: Sample>(&self, pixels: &[T], channels: usize) -> Vec<T> {
        let width = self.columns.taps.len();
        let mut wide = Vec::with_capacity(self.rows.from * width * channels);
        for row in pixels.chunks_exact((self.columns.from * channels).max(1)) {
            self.columns.apply_to_row(row, channels, &mut wide);
        }
        let mut out = Vec::with_capacity(self.rows.taps.len() * width * channels);
        self.rows
            .apply_to_columns(&wide, width * channels, &mut out);
        out
    }
}

impl Axis {
    fn new(from: usize, to: usize, filter: Filter) -> Axis {
        let scale = from as f64 / to as f64;
        let taps =
            (0..to).map(|at| Taps::new(from, (at as f64 + 0.5) * scale, scale.max(1.0), filter));
        Axis {
            from,
            taps: taps.collect(),
        }
    }

    fn apply_to_row<T: Sample>(&self, row: &[T], channels: usize, out: &mut Vec<T>) {
        for taps in &self.taps {
            match channels {
                1 => out.extend(taps.weigh::<T, 1>(&row[taps.first..])),
                3 => out.extend(taps.weigh::<T, 3>(&row[taps.first * 3..])),
                _ => {
                    out.extend((0..channels).map(|channel| taps.weigh_one(row, channel, channels)))
                }
            }
        }
    }

    fn apply_to_columns<T: Sample>(&self, pixels: &[T], stride: usize, out: &mut Vec<T>) {
        let mut sums = vec![T::Sum::default(); stride];
        for taps in &self.taps {
            sums.fill(T::Sum::default());
            let rows = pixels.chunks_exact(stride.max(1)).skip(taps.first);
            for (row, &weight) in rows.zip(&taps.weights) {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum = T::add(*sum, value, weight);
                }
            }
            out.extend(sums.iter().map(|&sum| T::round(sum)));
        }
    }
}

/// How far a filter reaches, and its weight at a distance; both in output pixels where the picture shrinks.
fn reach(filter: Filter) -> f64 {
    match filter {
        Filter::Area => 0.5,
        Filter::Bilinear => 1.0,
        Filter::Lanczos => 3.0,
    }
}

fn weight(filter: Filter, at: f64) -> f64 {
    match filter {
        // Half open, as Pillow's: a pixel on the border counts once.
        Filter::Area => f64::from(at > -0.5 && at <= 0.5),
        Filter::Bilinear => (1.0 - at.abs()).max(0.0),
        Filter::Lanczos if at.abs() < 3.0 => sinc(at) * sinc(at / 3.0),
        Filter::Lanczos => 0.0,
    }
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

impl Taps {
    fn new(from: usize, centre: f64, scale: f64, filter: Filter) -> Taps {
        let support = reach(filter) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from).max(first + 1);
        let weight_at = |at: usize| weight(filter, (at as f64 + 0.5 - centre) / scale);
        let total: f64 = (first..end).map(weight_at).sum();
        let one = f64::from(1u32 << FRACTION_BITS);
        let weights = (first..end).map(|at| (weight_at(at) / total * one).round() as i32);
        Taps {
            first,
            weights: weights.collect(),
        }
    }

    /// The weighted mean of the first pixels, channel by channel.
    fn weigh<T: Sample, const CHANNELS: usize>(&self, pixels: &[T]) -> [T; CHANNELS] {
        let mut sums = [T::Sum::default(); CHANNELS];
        for (pixel, &weight) in pixels.chunks_exact(CHANNELS).zip(&self.weights) {
            for (sum, &value) in sums.iter_mut().zip(pixel) {
                *sum = T::add(*sum, value, weight);
            }
        }
        sums.map(T::round)
    }

    /// The same for one channel of many.
    fn weigh_one<T: Sample>(&self, row: &[T], channel: usize, channels: usize) -> T {
        let pixels = row.chunks_exact(channels).skip(self.first);
        let sum = pixels
            .zip(&self.weights)
            .fold(T::Sum::default(), |sum, (pixel, &weight)| {
                pixel
                    .get(channel)
                    .map_or(sum, |&value| T::add(sum, value, weight))
            });
        T::round(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(height: usize, width: usize, channels: usize) -> Vec<u8> {
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                pixels.extend(
                    (0..channels)
                        .map(|k| ((y * 37 + x * 91 + k * 53 + (x * y * 7) % 97) % 256) as u8),
                );
            }
        }
        pixels
    }

    /// PyTorch 2.15: `F.interpolate(uint8, size, mode="bilinear", antialias=True)`, whose own
    /// weights have fewer bits: one grey level of difference is allowed.
    #[test]
    fn agrees_with_pytorch() {
        let shrunk = [
            103, 129, 143, 114, 150, 121, 130, 108, 137, 126, 139, 133, 131, 133, 131, 128, 162,
            114, 126, 129, 147, 130, 110, 134, 127, 115, 150, 144, 114, 113, 141, 115, 126, 151,
            99, 135,
        ];
        let far = [
            128, 127, 127, 125, 124, 127, 129, 130, 128, 126, 124, 129, 127, 128, 131, 129, 127,
            129, 129, 127, 131, 130, 129, 127, 126,
        ];
        let grown = [
            0, 53, 106, 46, 99, 152, 106, 159, 169, 167, 220, 60, 100, 153, 78, 17, 70, 123, 15,
            68, 121, 62, 115, 168, 124, 160, 187, 187, 154, 80, 122, 123, 100, 40, 93, 146, 37, 90,
            143, 86, 139, 192, 151, 162, 215, 217, 56, 109, 154, 79, 132, 75, 128, 181, 59, 112,
            165, 111, 164, 140, 153, 189, 114, 119, 86, 113, 110, 112, 165, 110, 163, 216, 74, 127,
            180, 127, 180, 105, 154, 207, 47, 53, 106, 116, 81, 134, 187, 133, 186, 239,
        ];
        let narrow = [
            65, 100, 134, 107, 154, 91, 112, 113, 158, 154, 135, 74, 87, 145, 99, 129, 164, 153,
            171, 122, 141, 89, 128, 167,
        ];
        check([7, 9, 3], [4, 3], &shrunk);
        check([96, 96, 1], [5, 5], &far);
        check([3, 4, 3], [5, 6], &grown);
        check([8, 6, 1], [8, 3], &narrow);
    }

    fn check(from: [usize; 3], to: [usize; 2], expected: &[u8]) {
        let [height, width, channels] = from;
        let pixels = picture(height, width, channels);
        let scaled = Resizer::new([height, width], to, Filter::Bilinear).apply(&pixels, channels);
        assert_eq!(scaled.len(), expected.len());
        for (ours, theirs) in scaled.iter().zip(expected) {
            assert!(
                ours.abs_diff(*theirs) <= 1,
                "{from:?} to {to:?}: {ours} for {theirs}"
            );
        }
    }

    #[test]
    fn words_scale_as_bytes_do_only_finer() {
        let bytes = picture(7, 9, 3);
        let words: Vec<u16> = bytes.iter().map(|&value| u16::from(value) * 257).collect();
        let resizer = Resizer::new([7, 9], [4, 3], Filter::Lanczos);
        let fine = resizer.apply(&words, 3);
        for (byte, word) in resizer.apply(&bytes, 3).iter().zip(fine) {
            let off = f64::from(word) / 257.0 - f64::from(*byte);
            assert!(off.abs() < 1.01, "{byte} {word}");
        }
        let faint = vec![284u16, 285, 290, 371];
        assert_eq!(
            Resizer::new([2, 2], [1, 1], Filter::Area).apply(&faint, 1),
            [308],
            "the mean of values that 8 bits cannot tell apart"
        );
    }

    #[test]
    fn same_size_is_the_same_picture_and_grey_stays_grey() {
        let pixels = picture(5, 7, 3);
        assert_eq!(
            Resizer::new([5, 7], [5, 7], Filter::Lanczos).apply(&pixels, 3),
            pixels
        );
        let grey = vec![77u8; 96 * 96];
        for size in [[1, 1], [32, 32], [95, 97], [200, 3]] {
            for filter in Filter::ALL {
                assert!(
                    Resizer::new([96, 96], size, filter)
                        .apply(&grey, 1)
                        .iter()
                        .all(|&v| v == 77),
                    "{filter}"
                );
            }
        }
    }
}
