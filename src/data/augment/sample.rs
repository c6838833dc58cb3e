//! Values of an image at places between its pixels and beyond its edge.
//!
//! A row of places is computed first, then looked up: both loops are free of branches that depend on the
//! pixel, which is what lets the compiler use vector instructions.

use super::{Size, Work};
use strata_core::project::augment::{Border, Interpolation};

/// How values are found where no pixel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Between pixels.
    pub interpolation: Interpolation,
    /// Beyond the edge.
    pub border: Border,
}

/// The index inside 0..n that `index` is mapped to; `None` for black.
pub(super) fn fold(index: i32, n: usize, border: Border) -> Option<usize> {
    let n = i32::try_from(n).unwrap_or(i32::MAX);
    let inside = match border {
        _ if (0..n).contains(&index) => index,
        Border::Zero => return None,
        Border::Edge => index.clamp(0, n - 1),
        Border::Wrap => index.rem_euclid(n),
        Border::Reflect if n == 1 => 0,
        Border::Reflect => {
            let period = 2 * (n - 1);
            let there = index.rem_euclid(period);
            there.min(period - there)
        }
    };
    usize::try_from(inside).ok()
}

/// Makes the image whose pixel (column, row) is `from` at the place that `place(row, x, y)` writes for every
/// column, counted from the centre of the first pixel.
pub(super) fn resample(
    from: &[f32],
    to: &mut Vec<f32>,
    size: Size,
    sampling: Sampling,
    work: &mut Work,
    place: impl Fn(usize, &mut [f32], &mut [f32]),
) {
    to.resize(size.len(), 0.0);
    let Work { x, y, index, .. } = work;
    x.resize(size.width, 0.0);
    y.resize(size.width, 0.0);
    index.resize(size.width, 0);
    for (row, to) in to.chunks_exact_mut(size.row().max(1)).enumerate() {
        place(row, x, y);
        match (sampling.interpolation, size.channels) {
            (Interpolation::Bilinear, _) => bilinear(from, to, size, sampling.border, x, y),
            (Interpolation::Nearest, channels) => {
                nearest(index, size, sampling.border, x, y);
                match channels {
                    1 => gather::<1>(from, to, index),
                    3 => gather::<3>(from, to, index),
                    channels => gather_any(from, to, index, channels),
                }
            }
        }
    }
}

/// Adding it to a number leaves the number, rounded half to even, in the lowest bits.
const ROUND: f32 = 12_582_912.0;
/// No pixel.
const OUTSIDE: u32 = u32::MAX;

fn rounded(value: f32) -> u32 {
    (value + ROUND).to_bits().wrapping_sub(ROUND.to_bits())
}

/// Which pixel is nearest to each place.
fn nearest(index: &mut [u32], size: Size, border: Border, x: &[f32], y: &[f32]) {
    let (width, height) = (size.width as u32, size.height as u32);
    for ((index, &x), &y) in index.iter_mut().zip(x).zip(y) {
        let (column, row) = (rounded(x), rounded(y));
        let inside = column < width && row < height;
        let there = row.wrapping_mul(width).wrapping_add(column);
        *index = if inside { there } else { OUTSIDE };
    }
    if border == Border::Zero {
        return;
    }
    for ((index, &x), &y) in index
        .iter_mut()
        .zip(x)
        .zip(y)
        .filter(|((index, _), _)| **index == OUTSIDE)
    {
        let at = |value: f32| limited(value).round_ties_even() as i32;
        if let (Some(column), Some(row)) = (
            fold(at(x), size.width, border),
            fold(at(y), size.height, border),
        ) {
            *index = (row * size.width + column) as u32;
        }
    }
}

/// Far enough away for every image, near enough for whole numbers; not-a-number becomes a place too.
fn limited(value: f32) -> f32 {
    const FAR: f32 = 1_048_576.0;
    if value.is_finite() {
        value.clamp(-FAR, FAR)
    } else {
        FAR
    }
}

fn gather<const C: usize>(from: &[f32], to: &mut [f32], index: &[u32]) {
    let pixels = from.as_chunks::<C>().0;
    for (to, &index) in to.as_chunks_mut::<C>().0.iter_mut().zip(index) {
        *to = pixels.get(index as usize).copied().unwrap_or([0.0; C]);
    }
}

fn gather_any(from: &[f32], to: &mut [f32], index: &[u32], channels: usize) {
    for (to, &index) in to.chunks_exact_mut(channels).zip(index) {
        let start = (index as usize).saturating_mul(channels);
        match from.get(start..start.saturating_add(channels)) {
            Some(pixel) => to.copy_from_slice(pixel),
            None => to.fill(0.0),
        }
    }
}

fn bilinear(from: &[f32], to: &mut [f32], size: Size, border: Border, x: &[f32], y: &[f32]) {
    for ((to, &x), &y) in to.chunks_exact_mut(size.channels).zip(x).zip(y) {
        let (column, row) = (Between::new(x), Between::new(y));
        if size.channels == 3 && column.is_within(size.width) && row.is_within(size.height) {
            inside(from, to, size, column, row);
        } else {
            at_the_edge(from, to, size, border, column, row);
        }
    }
}

/// A place between two neighbours.
#[derive(Clone, Copy)]
struct Between {
    first: i32,
    part: f32,
}

impl Between {
    fn new(place: f32) -> Between {
        let place = limited(place);
        let whole = place as i32;
        let first = whole - i32::from(whole as f32 > place);
        Between {
            first,
            part: place - first as f32,
        }
    }

    fn is_within(self, n: usize) -> bool {
        self.first >= 0 && (self.first as usize) + 1 < n
    }

    /// The two neighbours' indices and weights.
    fn neighbours(self, n: usize, border: Border) -> [(Option<usize>, f32); 2] {
        [
            (fold(self.first, n, border), 1.0 - self.part),
            (fold(self.first + 1, n, border), self.part),
        ]
    }
}

/// Colour pixels whose four neighbours are all there: nearly all of them.
fn inside(from: &[f32], to: &mut [f32], size: Size, column: Between, row: Between) {
    let pixels = from.as_chunks::<3>().0;
    let start = row.first as usize * size.width + column.first as usize;
    let (Some([a, b]), Some([c, d])) = (two(pixels, start), two(pixels, start + size.width)) else {
        return;
    };
    let (left, up) = (1.0 - column.part, 1.0 - row.part);
    let weights = [
        left * up,
        column.part * up,
        left * row.part,
        column.part * row.part,
    ];
    for ((((to, a), b), c), d) in to.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *to = weights[0] * a + weights[1] * b + weights[2] * c + weights[3] * d;
    }
}

fn two(pixels: &[[f32; 3]], start: usize) -> Option<&[[f32; 3]; 2]> {
    pixels.get(start..)?.first_chunk()
}

fn at_the_edge(
    from: &[f32],
    to: &mut [f32],
    size: Size,
    border: Border,
    column: Between,
    row: Between,
) {
    to.fill(0.0);
    let mut covered = 0.0;
    for (row, share) in row.neighbours(size.height, border) {
        for (column, part) in column.neighbours(size.width, border) {
            let (Some(row), Some(column)) = (row, column) else {
                continue;
            };
            let weight = share * part;
            covered += weight;
            let pixel = from
                .get((row * size.width + column) * size.channels..)
                .unwrap_or_default();
            to.iter_mut()
                .zip(pixel)
                .for_each(|(to, value)| *to += weight * value);
        }
    }
    // As torchvision does with its default fill: what is partly outside is weighted once more.
    if border == Border::Zero && covered < 1.0 {
        to.iter_mut().for_each(|value| *value *= covered);
    }
}
