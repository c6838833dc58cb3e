//! Antialiased resizing: the filter widens with the factor that the image shrinks by, so that fine detail is averaged
//! and not aliased (Pillow's BOX, BILINEAR and LANCZOS; PyTorch's `antialias=True`).
//!
//! Weights are fixed-point integers, so a picture scales to the same bytes on every machine. The
//! weights of a pair of sizes are made once; applying them cannot fail. Rows are weighed sixteen at a time, by the
//! vectors of this machine.

use super::lanes::{self, LANES, Lane};
use super::luma;
use strata_core::project::data::Filter;

const FRACTION_BITS: u32 = 22;

/// What a picture is made of: pixels, or numbers.
pub(crate) trait Sample: Copy + Default + Send + Sync + 'static {
    /// A sum of weighted values.
    type Sum: Copy + Default;
    /// Adds a value times a weight, which is fixed-point. This and the next one are `#[inline(always)]`, so that they
    /// are compiled for each instruction set.
    fn add(sum: Self::Sum, value: Self, weight: i32) -> Self::Sum;
    /// The value of a sum.
    fn round(sum: Self::Sum) -> Self;
    /// The brightness of red, green and blue.
    fn luma(rgb: [Self; 3]) -> Self;
}

impl Sample for u8 {
    // Lanczos weights add up to about 1.4 with all signs positive: 255·1.4·2²² stays below 2³¹.
    type Sum = i32;

    #[inline(always)]
    fn add(sum: i32, value: u8, weight: i32) -> i32 {
        sum + i32::from(value) * weight
    }

    #[inline(always)]
    fn round(sum: i32) -> u8 {
        ((sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS).clamp(0, 255) as u8
    }

    fn luma(rgb: [u8; 3]) -> u8 {
        luma::luma_of_pixel(rgb)
    }
}

impl Sample for u16 {
    type Sum = i64;

    #[inline(always)]
    fn add(sum: i64, value: u16, weight: i32) -> i64 {
        sum + i64::from(value) * i64::from(weight)
    }

    #[inline(always)]
    fn round(sum: i64) -> u16 {
        ((sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS).clamp(0, 65_535) as u16
    }

    fn luma(rgb: [u16; 3]) -> u16 {
        luma::luma_of_words(rgb)
    }
}

impl Sample for f32 {
    type Sum = f32;

    #[inline(always)]
    fn add(sum: f32, value: f32, weight: i32) -> f32 {
        sum + value * weight as f32
    }

    #[inline(always)]
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
        pulp::Arch::new().dispatch(Scaling {
            resizer: self,
            pixels,
            channels,
        })
    }
}

/// The work of [`Resizer::apply`], which is compiled for each instruction set.
struct Scaling<'a, T> {
    resizer: &'a Resizer,
    pixels: &'a [T],
    channels: usize,
}

impl<T: Sample> pulp::NullaryFnOnce for Scaling<'_, T> {
    type Output = Vec<T>;

    #[inline(always)]
    fn call(self) -> Vec<T> {
        let Resizer { rows, columns } = self.resizer;
        let wide = columns.apply_to_rows(self.pixels, self.channels);
        rows.apply_to_columns(&wide, columns.taps.len() * self.channels)
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

    /// Along each row of H×W×C.
    #[inline(always)]
    fn apply_to_rows<T: Sample>(&self, pixels: &[T], channels: usize) -> Vec<T> {
        // A block of fewer rows takes as long as one of sixteen.
        const FEWEST: usize = 4;
        let (from, to) = (self.from * channels, self.taps.len() * channels);
        let rows = pixels.len() / from.max(1);
        let mut out = vec![T::default(); rows * to];
        let left = rows % LANES;
        let in_blocks = if left < FEWEST { rows - left } else { rows };
        let (blocks, singly) = pixels.split_at(in_blocks * from);
        let (out_blocks, out_singly) = out.split_at_mut(in_blocks * to);
        self.apply_to_blocks::<T, LANES>(blocks, channels, out_blocks);
        self.apply_to_blocks::<T, 1>(singly, channels, out_singly);
        out
    }

    /// The same, `N` rows at a time: turned into lanes, the rows of a block are weighed alike.
    #[inline(always)]
    fn apply_to_blocks<T: Sample, const N: usize>(
        &self,
        pixels: &[T],
        channels: usize,
        out: &mut [T],
    ) {
        let (from, to) = (self.from * channels, self.taps.len() * channels);
        let mut columns = vec![[T::default(); N]; from.next_multiple_of(N)];
        let mut weighed = vec![[T::default(); N]; to.next_multiple_of(N)];
        let blocks = pixels.chunks((N * from).max(1));
        for (block, out) in blocks.zip(out.chunks_mut((N * to).max(1))) {
            lanes::from_rows(block, from, &mut columns);
            for (taps, weighed) in self
                .taps
                .iter()
                .zip(weighed.chunks_exact_mut(channels.max(1)))
            {
                let columns = &columns[taps.first * channels..];
                for (channel, weighed) in weighed.iter_mut().enumerate() {
                    *weighed = taps.weigh(|tap| columns[tap * channels + channel]);
                }
            }
            lanes::to_rows(&weighed, to, out);
        }
    }

    /// Along each column of rows of `length` values.
    #[inline(always)]
    fn apply_to_columns<T: Sample>(&self, pixels: &[T], length: usize) -> Vec<T> {
        let mut out = vec![T::default(); self.taps.len() * length];
        for (taps, out) in self.taps.iter().zip(out.chunks_exact_mut(length.max(1))) {
            let rows = &pixels[taps.first * length..];
            let (whole, left) = out.as_chunks_mut::<LANES>();
            let start_of_left = whole.len() * LANES;
            for (number, out) in whole.iter_mut().enumerate() {
                *out = taps.weigh(|tap| lanes::at(rows, tap * length + number * LANES));
            }
            for (at, out) in left.iter_mut().enumerate() {
                [*out] = taps.weigh(|tap| [rows[tap * length + start_of_left + at]]);
            }
        }
        out
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

    /// The weighted mean of lanes of values, each given by the number of its weight.
    #[inline(always)]
    fn weigh<T: Sample, const N: usize>(&self, lane: impl Fn(usize) -> Lane<T, N>) -> Lane<T, N> {
        let mut sums = [T::Sum::default(); N];
        for (tap, &weight) in self.weights.iter().enumerate() {
            for (sum, value) in sums.iter_mut().zip(lane(tap)) {
                *sum = T::add(*sum, value, weight);
            }
        }
        sums.map(T::round)
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

    /// The definition, value by value: along the rows first, each mean rounded, then along the columns.
    fn by_definition<T: Sample>(resizer: &Resizer, pixels: &[T], channels: usize) -> Vec<T> {
        let mean = |taps: &Taps, value: &dyn Fn(usize) -> T| {
            let weights = taps.weights.iter().enumerate();
            T::round(weights.fold(T::Sum::default(), |sum, (tap, &weight)| {
                T::add(sum, value(taps.first + tap), weight)
            }))
        };
        let (from, to) = (resizer.columns.from, resizer.columns.taps.len());
        let mut wide = Vec::new();
        for y in 0..resizer.rows.from {
            for taps in &resizer.columns.taps {
                wide.extend(
                    (0..channels).map(|channel| {
                        mean(taps, &|x| pixels[(y * from + x) * channels + channel])
                    }),
                );
            }
        }
        let length = to * channels;
        let rows = resizer.rows.taps.iter();
        rows.flat_map(|taps| (0..length).map(move |at| (taps, at)))
            .map(|(taps, at)| mean(taps, &|y| wide[y * length + at]))
            .collect()
    }

    #[test]
    fn blocks_of_rows_and_rows_left_over_keep_every_bit() {
        let sizes = [
            ([1, 40], [1, 9]),
            ([3, 5], [7, 6]),
            ([16, 16], [5, 5]),
            ([19, 33], [32, 17]),
            ([20, 31], [3, 64]),
            ([96, 96], [32, 32]),
        ];
        for ((from, to), channels) in sizes
            .into_iter()
            .flat_map(|size| (1..=4).map(move |c| (size, c)))
        {
            for filter in Filter::ALL {
                let resizer = Resizer::new(from, to, filter);
                let bytes = picture(from[0], from[1], channels);
                let words: Vec<u16> = bytes.iter().map(|&v| u16::from(v) * 251).collect();
                let floats: Vec<f32> = bytes.iter().map(|&v| f32::from(v) * 0.37 - 20.0).collect();
                let about = format!("{from:?} to {to:?}, {channels} channels, {filter}");
                assert_eq!(
                    resizer.apply(&bytes, channels),
                    by_definition(&resizer, &bytes, channels),
                    "{about}"
                );
                assert_eq!(
                    resizer.apply(&words, channels),
                    by_definition(&resizer, &words, channels),
                    "{about}"
                );
                let bits =
                    |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
                assert_eq!(
                    bits(resizer.apply(&floats, channels)),
                    bits(by_definition(&resizer, &floats, channels)),
                    "{about}"
                );
            }
        }
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
