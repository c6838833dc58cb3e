//! Max pooling with indices, and moving values along those indices, on the CPU.

use super::real::Real;
use super::simd::vectorized;
use super::taps::{OUTSIDE, Taps};
use rayon::prelude::*;

/// Output numbers of an image from which on it is divided between tasks.
const TASK: usize = 1 << 14;

/// The maximum of each window and channel with the index of the input position it came from. The first of equal values
/// wins; NaN wins over everything, as in PyTorch.
pub(crate) fn max_cpu<T: Real>(
    taps: &Taps,
    channels: usize,
    x: &[T],
    y: &mut [T],
    indices: &mut [u32],
) {
    max_of_images(taps, channels, x, y, indices, false);
}

/// The same; with `relu`, negative maxima become 0.
pub(crate) fn max_of_images<T: Real>(
    taps: &Taps,
    channels: usize,
    x: &[T],
    y: &mut [T],
    indices: &mut [u32],
    relu: bool,
) {
    let input = taps.inputs * channels;
    let output = taps.positions * channels;
    y.par_chunks_mut(output)
        .zip(indices.par_chunks_mut(output))
        .zip(x.par_chunks(input))
        .for_each(|((y, indices), x)| {
            let positions = TASK.div_ceil(channels);
            let piece = positions * channels;
            let pieces = y.par_chunks_mut(piece).zip(indices.par_chunks_mut(piece));
            pieces.enumerate().for_each(|(index, (y, indices))| {
                max_of_piece(taps, index * positions, channels, (x, 0), y, indices, relu);
            });
        });
}

vectorized! {
    /// The maxima of some positions of an image, from `first` on; with `relu`, negative ones become 0. `x`: the image
    /// from some position on, and that position.
    pub(crate) fn max_of_piece<T: Real>(
        taps: &Taps,
        first: usize,
        channels: usize,
        x: (&[T], usize),
        y: &mut [T],
        indices: &mut [u32],
        relu: bool,
    ) {
        let rows = y.chunks_exact_mut(channels).zip(indices.chunks_exact_mut(channels));
        for (position, (y, indices)) in rows.enumerate() {
            max_of_window(taps.at(first + position), x, y, indices, relu);
        }
    }
}

#[inline(always)]
fn max_of_window<T: Real>(
    taps: &[u32],
    x: (&[T], usize),
    y: &mut [T],
    indices: &mut [u32],
    relu: bool,
) {
    let mut first = 0;
    // As many channels at once as registers hold, with their places.
    while first + 32 <= y.len() {
        max_of_lanes::<T, 32>(taps, first, x, y, indices, relu);
        first += 32;
    }
    while first + 8 <= y.len() {
        max_of_lanes::<T, 8>(taps, first, x, y, indices, relu);
        first += 8;
    }
    while first < y.len() {
        max_of_lanes::<T, 1>(taps, first, x, y, indices, relu);
        first += 1;
    }
}

#[inline(always)]
fn max_of_lanes<T: Real, const N: usize>(
    taps: &[u32],
    first: usize,
    (x, from): (&[T], usize),
    y: &mut [T],
    indices: &mut [u32],
    relu: bool,
) {
    let (channels, lanes) = (y.len(), first..first + N);
    let x = &x[first..];
    let row = |tap: u32| &x[(tap as usize - from) * channels..][..N];
    let mut inside = taps.iter().copied().filter(|&tap| tap != OUTSIDE);
    let mut best = [T::neg_infinity(); N];
    let mut index = [OUTSIDE; N];
    if let Some(tap) = inside.next() {
        best.copy_from_slice(row(tap));
        index = [tap; N];
    }
    for tap in inside {
        let row = row(tap);
        for lane in 0..N {
            let (x, y) = (row[lane], best[lane]);
            // The first of equal ones stays, and NaN, which is unequal to itself. No branches: this becomes vectors.
            #[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord)]
            let wins = !(y >= x) & (y == y);
            best[lane] = if wins { x } else { y };
            index[lane] = if wins { tap } else { index[lane] };
        }
    }
    if relu {
        for best in &mut best {
            *best = if *best < T::zero() { T::zero() } else { *best };
        }
    }
    y[lanes.clone()].copy_from_slice(&best);
    indices[lanes].copy_from_slice(&index);
}

/// `large[index] += small`: the gradient of max pooling, and unpooling. Values that share an index add up.
pub(crate) fn scatter_cpu<T: Real>(
    taps: &Taps,
    channels: usize,
    small: &[T],
    indices: &[u32],
    large: &mut [T],
) {
    let input = taps.inputs * channels;
    let output = taps.positions * channels;
    large
        .par_chunks_mut(input)
        .zip(small.par_chunks(output).zip(indices.par_chunks(output)))
        .for_each(|(large, (small, indices))| {
            large.fill(T::zero());
            let rows = small
                .chunks_exact(channels)
                .zip(indices.chunks_exact(channels));
            for (small, indices) in rows {
                for (channel, (&value, &index)) in small.iter().zip(indices).enumerate() {
                    large[index as usize * channels + channel] += value;
                }
            }
        });
}

/// `small = large[index]`: the gradient of unpooling.
pub(crate) fn gather_cpu<T: Real>(
    taps: &Taps,
    channels: usize,
    large: &[T],
    indices: &[u32],
    small: &mut [T],
) {
    let input = taps.inputs * channels;
    let output = taps.positions * channels;
    small
        .par_chunks_mut(output)
        .zip(indices.par_chunks(output))
        .zip(large.par_chunks(input))
        .for_each(|((small, indices), large)| {
            let rows = small
                .chunks_exact_mut(channels)
                .zip(indices.chunks_exact(channels));
            for (small, indices) in rows {
                for (channel, (value, &index)) in small.iter_mut().zip(indices).enumerate() {
                    *value = large[index as usize * channels + channel];
                }
            }
        });
}
