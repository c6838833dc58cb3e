//! Sums that do not depend on the number of threads: fixed parts, added in order.

use super::real::Real;
use super::simd::vectorized;
use rayon::prelude::*;
use std::ops::Range;

/// How many parts a reduction over a batch is split into, whatever the machine.
pub const PARTS: usize = 8;

/// Lets `add` accumulate each of [`PARTS`] ranges of `0..count` into an array of `len` zeros, in parallel,
/// and adds the parts up in order into `out`.
pub fn in_parts<T: Real>(count: usize, out: &mut [T], add: impl Fn(std::ops::Range<usize>, &mut [T]) + Sync) {
    let size = count.div_ceil(PARTS).max(1);
    let parts: Vec<Vec<T>> = (0..count.div_ceil(size))
        .into_par_iter()
        .map(|part| {
            let mut sums = vec![T::zero(); out.len()];
            add(part * size..((part + 1) * size).min(count), &mut sums);
            sums
        })
        .collect();
    out.fill(T::zero());
    for part in parts {
        for (total, value) in out.iter_mut().zip(part) {
            *total += value;
        }
    }
}

/// The sum of every column of a `rows × cols` matrix.
pub fn column_sums<T: Real>(matrix: &[T], cols: usize, out: &mut [T]) {
    let rows = matrix.len() / cols.max(1);
    in_parts(rows, out, |range, sums| {
        for row in matrix[range.start * cols..range.end * cols].chunks_exact(cols) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    });
}

/// Σ f(i) over `0..count` in f64, in fixed parts.
pub fn sum_f64(count: usize, f: impl Fn(usize) -> f64 + Sync) -> f64 {
    let mut total = [0.0];
    in_parts(count, &mut total, |range, sums| sums[0] = range.map(&f).sum());
    total[0]
}

/// The items of one of `parts` parts.
pub fn part_of(count: usize, parts: usize, part: usize) -> Range<usize> {
    let size = count.div_ceil(parts.max(1));
    (part * size).min(count)..((part + 1) * size).min(count)
}

/// Adds up arrays of `stride` numbers that stand one after the other, in order, into the first.
pub fn add_parts<T: Real>(numbers: &mut [T], stride: usize) {
    const CHUNK: usize = 1 << 14;
    let (first, rest) = numbers.split_at_mut(stride);
    let rest = &*rest;
    first.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, first)| {
        vectorized(|| {
            for part in rest.chunks_exact(stride) {
                for (sum, &value) in first.iter_mut().zip(&part[chunk * CHUNK..]) {
                    *sum += value;
                }
            }
        });
    });
}

/// Adds every row of a `rows × sums.len()` matrix to `sums`.
pub fn add_columns<T: Real>(matrix: &[T], sums: &mut [T]) {
    vectorized(|| {
        for row in matrix.chunks_exact(sums.len().max(1)) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    });
}
