//! Weights to points in the order in which products read them, and the gradients at points back.

// The elements of a window are as far apart here as its lanes are there: indices say which.
#![allow(unsafe_code, clippy::needless_range_loop)]

use super::grid::compiled_for;
use super::lines::{Weight, WeightGradient, both_axes};
use crate::ops::packed::Block;
use crate::ops::real::Real;
use crate::ops::simd::{Kernel, Lanes};

/// Lanes of the widest vector.
const MOST_LANES: usize = 16;

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

/// The windows of a block to points: point by point, row by row, whole vectors of lanes.
pub(super) struct PackWindows<'a, T> {
    pub windows: Windows,
    /// From the window of the block's first lane on.
    pub weight: &'a [T],
    /// Whether the window is read from its end to its beginning.
    pub flipped: bool,
    pub packed: &'a mut [T],
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
            N * N * rows * wide <= self.packed.len() && L::WIDTH <= MOST_LANES,
            "windows outside their array"
        );
        for row in 0..rows {
            for first in (0..wide).step_by(L::WIDTH) {
                let mut cells = [[[T::zero(); MOST_LANES]; R]; R];
                let count = L::WIDTH.min(block.lanes.saturating_sub(first));
                for lane in 0..count {
                    let at = row * row_step + (first + lane) * lane_step;
                    for (cell, &value) in self.weight[at..at + R * R].iter().enumerate() {
                        let cell = if self.flipped { R * R - 1 - cell } else { cell };
                        cells[cell / R][cell % R][lane] = value;
                    }
                }
                both_axes::<T, L, Weight<R>, N>(
                    lanes,
                    [R, N],
                    // SAFETY: a cell has MOST_LANES elements, of which there are WIDTH (asserted).
                    |i, j| unsafe { lanes.load(cells[i][j].as_ptr()) },
                    |i, j, value| {
                        let to = ((i * N + j) * rows + row) * wide + first;
                        // SAFETY: asserted above: every point has `wide` elements for every row, whole
                        // vectors.
                        unsafe { lanes.store(self.packed.as_mut_ptr().add(to), value) };
                    },
                );
            }
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

/// The gradients of a block's windows from points to PyTorch's layout.
pub(super) struct UnpackWindows<'a, T> {
    pub windows: Windows,
    pub packed: &'a [T],
    /// From the window of the block's first lane on.
    pub weight: &'a mut [T],
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
            N * N * rows * wide <= self.packed.len() && L::WIDTH <= MOST_LANES,
            "windows outside their array"
        );
        for row in 0..rows {
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
                    let at = row * row_step + (first + lane) * lane_step;
                    for (cell, value) in self.weight[at..at + R * R].iter_mut().enumerate() {
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
