//! Sums that do not depend on the number of threads: a fixed number of parts, added in order.

use super::blocking::PARTS;
use super::real::Real;
use super::simd::vectorized;
use super::team::{each_chunk, each_task};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// Lets `add` accumulate each of `PARTS` ranges of `0..count` into an array of `len` zeros, in parallel,
/// and adds the parts up in order into `out`.
pub(crate) fn in_parts<T: Real>(
    count: usize,
    out: &mut [T],
    add: impl Fn(Range<usize>, &mut [T]) + Sync,
) {
    let len = out.len();
    let parts = PARTS.min(count.max(1));
    T::with_scratch(parts * len, |sums| {
        each_chunk([&mut sums[..]], len, |place, [sums]| {
            sums.fill(T::zero());
            add(part_of(count, parts, place.start / len), sums);
        });
        add_parts(sums, len);
        out.copy_from_slice(&sums[..len]);
    });
}

/// The sum of every column of a `rows × cols` matrix.
pub(crate) fn column_sums<T: Real>(matrix: &[T], cols: usize, out: &mut [T]) {
    let rows = matrix.len() / cols.max(1);
    in_parts(rows, out, |range, sums| {
        add_columns(&matrix[range.start * cols..range.end * cols], sums)
    });
}

/// The sum of every column, in f64 from a few rows on.
pub(crate) fn wide_column_sums<T: Real>(matrix: &[T], sums: &mut [f64]) {
    const ROWS: usize = 64;
    let cols = sums.len().max(1);
    in_parts(matrix.len() / cols, sums, |range, sums| {
        T::with_scratch(cols, |some| {
            for rows in matrix[range.start * cols..range.end * cols].chunks(ROWS * cols) {
                some.fill(T::zero());
                add_columns(rows, some);
                sums.iter_mut()
                    .zip(some.iter())
                    .for_each(|(sum, &some)| *sum += some.wide());
            }
        });
    });
}

/// The items of one of `parts` parts.
pub fn part_of(count: usize, parts: usize, part: usize) -> Range<usize> {
    let size = count.div_ceil(parts.max(1));
    (part * size).min(count)..((part + 1) * size).min(count)
}

/// Adds consecutive arrays of `stride` elements, in order, into the first.
pub(crate) fn add_parts<T: Real>(numbers: &mut [T], stride: usize) {
    const CHUNK: usize = 1 << 12;
    let (first, rest) = numbers.split_at_mut(stride);
    let rest = &*rest;
    if rest.is_empty() {
        return;
    }
    each_chunk([first], CHUNK, |place, [first]| {
        for part in rest.chunks_exact(stride) {
            add_columns(&part[place.clone()], first);
        }
    });
}

vectorized! {
    /// Whether NaN or infinity is among some numbers. No early end, so that the loop becomes vectors.
    fn find_not_finite<T: Real>(numbers: &[T], found: &mut bool) {
        let is_finite = |number: &T| number.abs() < T::infinity();
        *found = numbers.iter().fold(false, |found, number| found | !is_finite(number));
    }

    /// Adds every row of a `rows × sums.len()` matrix to `sums`.
    pub(crate) fn add_columns<T: Real>(matrix: &[T], sums: &mut [T]) {
        for row in matrix.chunks_exact(sums.len().max(1)) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}

/// Whether all numbers are finite, on all threads.
pub fn are_finite(numbers: &[f32]) -> bool {
    const CHUNK: usize = 1 << 13;
    let any = AtomicBool::new(false);
    each_task(numbers.len().div_ceil(CHUNK), |task| {
        let chunk = task * CHUNK..(task * CHUNK + CHUNK).min(numbers.len());
        let mut found = false;
        find_not_finite(&numbers[chunk], &mut found);
        any.fetch_or(found, Ordering::Relaxed);
    });
    !any.into_inner()
}

/// Numbers that a sum keeps side by side, so that adding them up can be vectors.
pub const LANES: usize = 16;

/// Σ f(a, b) over two slices, in f64, in a fixed order.
#[inline(always)]
pub(crate) fn sum_pairs<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let blocks_a = a.chunks_exact(LANES);
    let blocks_b = b.chunks_exact(LANES);
    let rest: f64 = blocks_a
        .remainder()
        .iter()
        .zip(blocks_b.remainder())
        .map(|(&a, &b)| f(a, b))
        .sum();
    for (a, b) in blocks_a.zip(blocks_b) {
        for lane in 0..LANES {
            sums[lane] += f(a[lane], b[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest
}
