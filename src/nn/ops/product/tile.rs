//! The loops of a product: some rows and vectors of the result in registers.

#![allow(unsafe_code, clippy::needless_range_loop)]

use crate::ops::real::Real;
use crate::ops::shared_output::SharedOutput;
use crate::ops::simd::{Kernel, Lanes};
use crate::ops::tile::bias_vectors;

/// Vectors and rows of the tiles that are compiled, with many registers and with few: the arms of `run` below. Three
/// vectors and four rows would fit into sixteen registers, but the compiler keeps one sum in memory, which takes longer
/// than all else.
const TILES: [&[(usize, usize)]; 2] = [&[(4, 6), (3, 8), (2, 12), (1, 12)], &[(2, 6), (1, 12)]];

pub(super) fn tiles(many_registers: bool) -> &'static [(usize, usize)] {
    TILES[if many_registers { 0 } else { 1 }]
}

/// `result[row, lane] = Σ left[row, depth]·panel[depth, lane]` for the lanes of one block; or that is added.
pub(super) struct ProductTile<'a, T> {
    pub left: &'a [T],
    /// The first element that is read.
    pub left_first: usize,
    /// To the next row.
    pub left_row: usize,
    /// To the next element of a row, of which `depth` are read.
    pub left_step: usize,
    pub rows: usize,
    pub depth: usize,
    /// `depth` rows of `vectors·WIDTH` elements.
    pub panel: &'a [T],
    pub vectors: usize,
    /// Lanes of the block that are stored.
    pub lanes: usize,
    /// One value per lane.
    pub bias: Option<&'a [T]>,
    /// Whether negative results become 0.
    pub relu: bool,
    pub result: SharedOutput<'a, T>,
    /// The first lane of the first row in the result.
    pub start: usize,
    pub result_row: usize,
    /// Whether the sums begin with what is in the result.
    pub adds: bool,
}

impl<T: Real> ProductTile<'_, T> {
    /// Whether a tile of this width is compiled, and everything that its loops address is inside the slices.
    fn fits<L: Lanes<T>>(&self) -> bool {
        let wide = self.vectors * L::WIDTH;
        let last = |count: usize, step: usize| count.saturating_sub(1).saturating_mul(step);
        let end = |start: usize, row: usize, len: usize| {
            last(self.rows, row)
                .saturating_add(start)
                .saturating_add(len)
        };
        let read = last(self.depth, self.left_step).saturating_add(1);
        let mut widths = tiles(L::MANY_REGISTERS).iter().map(|(width, _)| *width);
        widths.any(|width| width == self.vectors)
            && wide - L::WIDTH < self.lanes
            && self.lanes <= wide
            && self.rows > 0
            && (self.depth == 0 || end(self.left_first, self.left_row, read) <= self.left.len())
            && self.depth.saturating_mul(wide) <= self.panel.len()
            && self.bias.is_none_or(|bias| bias.len() >= self.lanes)
            && end(self.start, self.result_row, self.lanes) <= self.result.len()
    }

    #[inline(always)]
    fn all<L: Lanes<T>, const P: usize, const V: usize>(&self, lanes: L) {
        let bias = bias_vectors::<T, L, V>(lanes, self.bias, self.lanes);
        let mut first = 0;
        while first < self.rows {
            let mut rows = [0; P];
            for p in 0..P {
                // After the end the last row again: it is computed and stored twice.
                rows[p] = (first + p).min(self.rows - 1);
            }
            self.tile::<L, P, V>(lanes, rows, bias);
            first += P;
        }
    }

    #[inline(always)]
    fn tile<L: Lanes<T>, const P: usize, const V: usize>(
        &self,
        lanes: L,
        rows: [usize; P],
        bias: [L::Vector; V],
    ) {
        let mut sums = [[lanes.splat(T::zero()); V]; P];
        if self.adds {
            // All rows are read before any is written, so that one that is there twice is added to once.
            for p in 0..P {
                self.each_vector::<L, V>(rows[p], |v, at, count| {
                    // SAFETY: `each_vector` says that `count` elements follow.
                    sums[p][v] = unsafe {
                        match count == L::WIDTH {
                            true => lanes.load(at),
                            false => lanes.load_some(at, count),
                        }
                    };
                });
            }
        }
        let left = self.left.as_ptr().wrapping_add(self.left_first);
        let left = rows.map(|row| left.wrapping_add(row * self.left_row));
        let (mut panel, mut at) = (self.panel.as_ptr(), 0);
        for _ in 0..self.depth {
            // SAFETY: `run` asserted `fits`: every row of the left matrix has `depth` elements `left_step` apart, the
            // panel `depth` rows of V·WIDTH. V is `vectors`.
            unsafe {
                let mut right = [sums[0][0]; V];
                for v in 0..V {
                    right[v] = lanes.load(panel.add(v * L::WIDTH));
                }
                panel = panel.add(V * L::WIDTH);
                for p in 0..P {
                    let x = lanes.splat(*left[p].add(at));
                    for v in 0..V {
                        sums[p][v] = lanes.multiply_add(x, right[v], sums[p][v]);
                    }
                }
            }
            at += self.left_step;
        }
        if self.bias.is_some() {
            for p in 0..P {
                for v in 0..V {
                    sums[p][v] = lanes.add(sums[p][v], bias[v]);
                }
            }
        }
        if self.relu {
            let zero = lanes.splat(T::zero());
            for p in 0..P {
                for v in 0..V {
                    sums[p][v] = lanes.not_below(sums[p][v], zero);
                }
            }
        }
        for p in 0..P {
            self.each_vector::<L, V>(rows[p], |v, at, count| {
                // SAFETY: `each_vector` says that `count` elements follow. The handle is this tile's, and who shares
                // one promises that no other writes these elements.
                unsafe {
                    match count == L::WIDTH {
                        true => lanes.store(at, sums[p][v]),
                        false => lanes.store_some(at, sums[p][v], count),
                    }
                };
            });
        }
    }

    /// Calls `f(vector, its place in a row of the result, its lanes)`.
    #[inline(always)]
    fn each_vector<L: Lanes<T>, const V: usize>(
        &self,
        row: usize,
        mut f: impl FnMut(usize, *mut T, usize),
    ) {
        let at = self
            .result
            .as_mut_ptr()
            .wrapping_add(self.start + row * self.result_row);
        // `run` asserted `fits`: `lanes` elements of every row lie in the slice, and more than (V − 1)·WIDTH.
        for v in 0..V - 1 {
            f(v, at.wrapping_add(v * L::WIDTH), L::WIDTH);
        }
        let last = (V - 1) * L::WIDTH;
        f(V - 1, at.wrapping_add(last), self.lanes - last);
    }
}

impl<T: Real> Kernel<T> for ProductTile<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(self, lanes: L) {
        assert!(self.fits::<L>(), "a product outside its arrays");
        // As many vectors as `TILES` lists: 1 in the arm that names no number.
        match (L::MANY_REGISTERS, self.vectors) {
            (true, 4) => self.all::<L, 6, 4>(lanes),
            (true, 3) => self.all::<L, 8, 3>(lanes),
            (true, 2) => self.all::<L, 12, 2>(lanes),
            (false, 2) => self.all::<L, 6, 2>(lanes),
            _ => self.all::<L, 12, 1>(lanes),
        }
    }
}
