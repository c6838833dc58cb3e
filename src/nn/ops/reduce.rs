//! Sums that do not depend on the number of threads: fixed parts, added in order.

use super::real::Real;
use rayon::prelude::*;

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
