//! Max pooling with indices, and moving values along those indices, on the CPU.

use super::real::Real;
use super::simd::vectorized;
use super::taps::{OUTSIDE, Taps};
use rayon::prelude::*;

/// The maximum of each window and channel with the input cell it came from. The first of equal values
/// wins; NaN wins over everything, as in PyTorch.
pub fn max_cpu<T: Real>(taps: &Taps, channels: usize, x: &[T], y: &mut [T], indices: &mut [u32]) {
    let (input, output) = (taps.inputs * channels, taps.positions * channels);
    y.par_chunks_mut(output).zip(indices.par_chunks_mut(output)).zip(x.par_chunks(input)).for_each(
        |((y, indices), x)| {
            max_of_image(taps, channels, x, y, indices, false);
        },
    );
}

vectorized! {
    /// The same for one image; with `relu`, negative maxima become 0.
    pub fn max_of_image<T: Real>(taps: &Taps, channels: usize, x: &[T], y: &mut [T], indices: &mut [u32], relu: bool) {
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

#[inline(always)]
fn max_of_window<T: Real>(taps: &[u32], x: &[T], y: &mut [T], indices: &mut [u32]) {
    let channels = y.len();
    let mut inside = taps.iter().filter(|&&tap| tap != OUTSIDE);
    let row = |tap: u32| &x[tap as usize * channels..(tap as usize + 1) * channels];
    match inside.next() {
        Some(&tap) => {
            y.copy_from_slice(row(tap));
            indices.fill(tap);
        }
        None => {
            y.fill(T::neg_infinity());
            indices.fill(OUTSIDE);
        }
    }
    for &tap in inside {
        for ((y, index), &x) in y.iter_mut().zip(indices.iter_mut()).zip(row(tap)) {
            // NaN is unequal to itself. No branches: this becomes vectors.
            #[allow(clippy::eq_op)]
            let wins = (x > *y) | ((x != x) & (*y == *y));
            *y = if wins { x } else { *y };
            *index = if wins { tap } else { *index };
        }
    }
}

/// `large[index] += small`: the gradient of max pooling, and unpooling. Values that share an index add up.
pub fn scatter_cpu<T: Real>(taps: &Taps, channels: usize, small: &[T], indices: &[u32], large: &mut [T]) {
    let (input, output) = (taps.inputs * channels, taps.positions * channels);
    large.par_chunks_mut(input).zip(small.par_chunks(output).zip(indices.par_chunks(output))).for_each(
        |(large, (small, indices))| {
            large.fill(T::zero());
            for (i, (&value, &index)) in small.iter().zip(indices).enumerate() {
                large[index as usize * channels + i % channels] += value;
            }
        },
    );
}

/// `small = large[index]`: the gradient of unpooling.
pub fn gather_cpu<T: Real>(taps: &Taps, channels: usize, large: &[T], indices: &[u32], small: &mut [T]) {
    let (input, output) = (taps.inputs * channels, taps.positions * channels);
    small.par_chunks_mut(output).zip(indices.par_chunks(output)).zip(large.par_chunks(input)).for_each(
        |((small, indices), large)| {
            for (i, (value, &index)) in small.iter_mut().zip(indices).enumerate() {
                *value = large[index as usize * channels + i % channels];
            }
        },
    );
}
