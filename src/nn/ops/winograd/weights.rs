//! Weights to points in the order in which products read them, and the gradients at points back.

// The elements of a window are as far apart here as its lanes are there: indices say which.
#![allow(unsafe_code, clippy::needless_range_loop)]

use super::grid::compiled_for;
use super::lines::{Weight, WeightGradient, both_axes};
use crate::ops::packed::Block;
use crate::ops::real::Real;
use crate::ops::shared_output::SharedOutput;
use crate::ops::simd::{Kernel, Lanes};
use crate::ops::turn::SQUARE;
use std::ops::Range;

/// Lanes of the widest vector.
const MOST_LANES: usize = 16;
/// Elements of the largest window.
const MOST_CELLS: usize = 49;
/// Vectors of each point that are written at a time. A row of points lies a multiple of 4 KiB from the next one where
/// channels are a power of two: written one by one, they would push each other out of the nearest cache.
const SLOTS: usize = 8;

/// Where the windows of a block's lanes and rows are in PyTorch's layout.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    pub block: Block,
    /// Rows: channels of the source.
    pub rows: usize,
    /// From a row's window to the next one's.
    pub row_step: usize,
    /// From a lane's window to the next one's.
    pub lane_step: usize,
    /// Points of an axis.
    pub points: usize,
    /// Elements of a window along an axis.
    pub window: usize,
}

/// Some windows of a block to points: point by point, row by row, whole vectors of lanes.
pub(super) struct PackWindows<'a, T> {
    pub windows: Windows,
    /// The rows that are written: the others are another task's.
    pub some: Range<usize>,
    /// From the window of the block's first lane on.
    pub weight: &'a [T],
    /// Whether the window is read from its end to its beginning.
    pub flipped: bool,
    /// The whole block.
    pub packed: SharedOutput<'a, T>,
}

impl<T: Real> PackWindows<'_, T> {
    #[inline(always)]
    fn all<L: Lanes<T>, const N: usize, const R: usize>(&mut self, lanes: L) {
        let Windows {
            block,
            rows,
            row_step,
            lane_step,
            ..
        } = self.windows;
        let wide = block.vectors * L::WIDTH;
        assert!(
            N * N * rows * wide <= self.packed.len()
                && self.some.end <= rows
                && L::WIDTH <= MOST_LANES
                && R * R <= MOST_CELLS
                && block.vectors <= SLOTS,
            "windows outside their array"
        );
        let mut cells = [[T::zero(); MOST_LANES]; MOST_CELLS];
        let mut points = [[[lanes.splat(T::zero()); SLOTS]; N]; N];
        let at_once = (SLOTS / block.vectors.max(1)).max(1);
        for first_row in self.some.clone().step_by(at_once) {
            let some = first_row..(first_row + at_once).min(self.some.end);
            let slots = some.len() * block.vectors;
            for slot in 0..slots {
                let row = first_row + slot / block.vectors;
                let first = slot % block.vectors * L::WIDTH;
                let count = L::WIDTH.min(block.lanes.saturating_sub(first));
                let at = row * row_step + first * lane_step;
                gather::<T, L, R>(lanes, &self.weight[at..], lane_step, count, &mut cells);
                both_axes::<T, L, Weight<R>, N>(
                    lanes,
                    [R, N],
                    |i, j| {
                        let cell = i * R + j;
                        let cell = if self.flipped { R * R - 1 - cell } else { cell };
                        // SAFETY: a cell has MOST_LANES elements, of which there are WIDTH (asserted).
                        unsafe { lanes.load(cells[cell].as_ptr()) }
                    },
                    |i, j, value| points[i][j][slot] = value,
                );
            }
            for (point, vectors) in points.as_flattened().iter().enumerate() {
                let to = (point * rows + first_row) * wide;
                for (slot, &vector) in vectors[..slots].iter().enumerate() {
                    let to = to + slot * L::WIDTH;
                    // SAFETY: asserted above: every point has `wide` elements for every row, whole vectors. No other
                    // task writes this row.
                    unsafe { lanes.store(self.packed.as_mut_ptr().add(to), vector) };
                }
            }
        }
    }
}

/// The windows of `count` lanes, `lane_step` apart, cell by cell; the other lanes are 0.
#[inline(always)]
fn gather<T: Real, L: Lanes<T>, const R: usize>(
    lanes: L,
    weight: &[T],
    lane_step: usize,
    count: usize,
    cells: &mut [[T; MOST_LANES]; MOST_CELLS],
) {
    let mut done = 0;
    if count == L::WIDTH && L::WIDTH.is_multiple_of(SQUARE) {
        let squares = R * R / SQUARE;
        assert!(
            (count - 1) * lane_step + squares * SQUARE <= weight.len(),
            "windows outside their weight"
        );
        for square in 0..squares {
            for lane in (0..count).step_by(SQUARE) {
                let from = weight
                    .as_ptr()
                    .wrapping_add(lane * lane_step + square * SQUARE);
                let to = cells[square * SQUARE..]
                    .as_mut_ptr()
                    .cast::<T>()
                    .wrapping_add(lane);
                // SAFETY: asserted above: so many elements of every lane's window are in the weight. A cell has
                // MOST_LANES elements, the next one follows it, and R·R of them are in the array.
                unsafe { lanes.turn_square(from, lane_step, to, MOST_LANES) };
            }
        }
        done = squares * SQUARE;
    } else {
        cells[..R * R].fill([T::zero(); MOST_LANES]);
    }
    for lane in 0..count {
        let window = &weight[lane * lane_step..][..R * R];
        for cell in done..R * R {
            cells[cell][lane] = window[cell];
        }
    }
}

impl<T: Real> Kernel<T> for PackWindows<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(mut self, lanes: L) {
        let (points, window) = (self.windows.points, self.windows.window);
        compiled_for!(self, lanes, points, window)
    }
}

/// The gradients of some windows of a block from points to PyTorch's layout.
pub(super) struct UnpackWindows<'a, T> {
    pub windows: Windows,
    /// The rows that are read: the others are another task's.
    pub some: Range<usize>,
    pub packed: &'a [T],
    /// The whole weight; each window is borrowed by itself.
    pub weight: SharedOutput<'a, T>,
}

impl<T: Real> UnpackWindows<'_, T> {
    #[inline(always)]
    fn all<L: Lanes<T>, const N: usize, const R: usize>(&mut self, lanes: L) {
        let Windows {
            block,
            rows,
            row_step,
            lane_step,
            ..
        } = self.windows;
        let wide = block.vectors * L::WIDTH;
        assert!(
            N * N * rows * wide <= self.packed.len()
                && self.some.end <= rows
                && L::WIDTH <= MOST_LANES,
            "windows outside their array"
        );
        for row in self.some.clone() {
            for first in (0..block.lanes).step_by(L::WIDTH) {
                let mut cells = [[[T::zero(); MOST_LANES]; R]; R];
                both_axes::<T, L, WeightGradient<R>, N>(
                    lanes,
                    [N, R],
                    |i, j| {
                        let from = ((i * N + j) * rows + row) * wide + first;
                        // SAFETY: asserted above: every point has `wide` elements for every row, whole
                        // vectors.
                        unsafe { lanes.load(self.packed.as_ptr().add(from)) }
                    },
                    // SAFETY: a cell has MOST_LANES elements, of which there are WIDTH (asserted).
                    |i, j, value| unsafe {
                        lanes.store(cells[i][j].as_mut_ptr(), value);
                    },
                );
                let count = L::WIDTH.min(block.lanes - first);
                for lane in 0..count {
                    let at = row * row_step + (block.first + first + lane) * lane_step;
                    let window = self.weight.slice_mut(at..at + R * R);
                    for (cell, value) in window.iter_mut().enumerate() {
                        *value = cells[cell / R][cell % R][lane];
                    }
                }
            }
        }
    }
}

impl<T: Real> Kernel<T> for UnpackWindows<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(mut self, lanes: L) {
        let (points, window) = (self.windows.points, self.windows.window);
        compiled_for!(self, lanes, points, window)
    }
}
