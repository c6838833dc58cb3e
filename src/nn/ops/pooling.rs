//! Max pooling with indices, and moving values along those indices, on the CPU.

use super::real::Real;
use super::taps::{OUTSIDE, Taps};
use rayon::prelude::*;

/// The maximum of each window and channel with the input cell it came from. The first of equal values
/// wins; NaN wins over everything, as in PyTorch.
pub fn max_cpu<T: Real>(taps: &Taps, channels: usize, x: &[T], y: &mut [T], indices: &mut [u32]) {
    let (input, output) = (taps.inputs * channels, taps.positions * channels);
    y.par_chunks_mut(output).zip(indices.par_chunks_mut(output)).zip(x.par_chunks(input)).for_each(
        |((y, indices), x)| {
            let rows = y.chunks_exact_mut(channels).zip(indices.chunks_exact_mut(channels));
            for (position, (y, indices)) in rows.enumerate() {
                max_of_window(taps.at(position), x, y, indices);
            }
        },
    );
}

fn max_of_window<T: Real>(taps: &[u32], x: &[T], y: &mut [T], indices: &mut [u32]) {
    let channels = y.len();
    y.fill(T::neg_infinity());
    indices.fill(OUTSIDE);
    for &tap in taps.iter().filter(|&&tap| tap != OUTSIDE) {
        let x = &x[tap as usize * channels..(tap as usize + 1) * channels];
        for ((y, index), &x) in y.iter_mut().zip(indices.iter_mut()).zip(x) {
            if x > *y || *index == OUTSIDE || (x.is_nan() && !y.is_nan()) {
                *y = x;
                *index = tap;
            }
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
