//! Max pooling with indices, and moving values along those indices, on the CPU.

use super::real::Real;
use super::simd::vectorized;
use super::taps::{OUTSIDE, Taps};
use rayon::prelude::*;

/// The maximum of each window and channel with the index of the input position it came from. The first of equal values
/// wins; NaN wins over everything, as in PyTorch.
pub(crate) fn max_cpu<T: Real>(
    taps: &Taps,
    channels: usize,
    x: &[T],
    y: &mut [T],
    indices: &mut [u32],
) {
    let input = taps.inputs * channels;
    let output = taps.positions * channels;
    y.par_chunks_mut(output)
        .zip(indices.par_chunks_mut(output))
        .zip(x.par_chunks(input))
        .for_each(|((y, indices), x)| {
            max_of_image(taps, channels, x, y, indices, false);
        });
}

vectorized! {
    /// The same for one image; with `relu`, negative maxima become 0.
    pub(crate) fn max_of_image<T: Real>(taps: &Taps, channels: usize, x: &[T], y: &mut [T], indices: &mut [u32], relu: bool) {
        let rows = y.chunks_exact_mut(channels).zip(indices.chunks_exact_mut(channels));
        for (position, (y, indices)) in rows.enumerate() {
            max_of_window(taps.at(position), x, y, indices);
            if relu {
                for y in y {
                    *y = if *y < T::zero() { T::zero() } else { *y };
                }
            }
        }
    }
}

/// Channels whose maxima are kept in registers.
const LANES: usize = 16;

#[inline(always)]
fn max_of_window<T: Real>(taps: &[u32], x: &[T], y: &mut [T], indices: &mut [u32]) {
    let channels = y.len();
    let whole = channels / LANES * LANES;
    for first in (0..whole).step_by(LANES) {
        let lanes = first..first + LANES;
        max_of_lanes::<T, LANES>(
            taps,
            &x[first..],
            channels,
            &mut y[lanes.clone()],
            &mut indices[lanes],
        );
    }
    for channel in whole..channels {
        let lane = channel..channel + 1;
        max_of_lanes::<T, 1>(
            taps,
            &x[channel..],
            channels,
            &mut y[lane.clone()],
            &mut indices[lane],
        );
    }
}

#[inline(always)]
fn max_of_lanes<T: Real, const N: usize>(
    taps: &[u32],
    x: &[T],
    channels: usize,
    y: &mut [T],
    indices: &mut [u32],
) {
    let mut best = [T::neg_infinity(); N];
    let mut index = [OUTSIDE; N];
    for &tap in taps.iter().filter(|&&tap| tap != OUTSIDE) {
        let row = &x[tap as usize * channels..][..N];
        for lane in 0..N {
            let (x, y) = (row[lane], best[lane]);
            // NaN is unequal to itself. No branches: this becomes vectors.
            #[allow(clippy::eq_op)]
            let wins = (x > y) | ((x != x) & (y == y)) | (index[lane] == OUTSIDE);
            best[lane] = if wins { x } else { y };
            index[lane] = if wins { tap } else { index[lane] };
        }
    }
    y.copy_from_slice(&best);
    indices.copy_from_slice(&index);
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
            for (i, (&value, &index)) in small.iter().zip(indices).enumerate() {
                large[index as usize * channels + i % channels] += value;
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
            for (i, (value, &index)) in small.iter_mut().zip(indices).enumerate() {
                *value = large[index as usize * channels + i % channels];
            }
        });
}
