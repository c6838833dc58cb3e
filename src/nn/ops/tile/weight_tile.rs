//! The inner loop of weight gradients.

// Counted loops over tiles unroll into registers; iterators over arrays of vectors read worse.
#![allow(unsafe_code, clippy::needless_range_loop)]

use super::{Strides, vectors_per_tile};
use crate::ops::real::Real;
use crate::ops::simd::{Kernel, Lanes};

/// `sums[row, lane] += Σ over positions of source[row]·small[lane]` for the lanes of one block.
pub(crate) struct WeightGradTile<'a, T> {
    /// Padded images of the large side.
    pub source: &'a [T],
    /// Where positions read.
    pub from: Strides,
    /// Source offset of each row, from a position's first element.
    pub rows: &'a [usize],
    /// The small side; whole vectors are read.
    pub small: &'a [T],
    /// Where positions have their gradient.
    pub at: Strides,
    /// Positions along each axis.
    pub counts: [usize; 3],
    /// Images.
    pub images: usize,
    /// Vectors of the block.
    pub vectors: usize,
    /// Whether each lane has its own source element.
    pub lanewise: bool,
    /// Rows of `vectors·WIDTH` elements.
    pub sums: &'a mut [T],
    /// Whether what the rows hold is added to; otherwise it is written over.
    pub adds: bool,
}

impl<T: Real> WeightGradTile<'_, T> {
    /// As [`ConvTile::fits`].
    fn fits<L: Lanes<T>>(&self) -> bool {
        if !vectors_per_tile(L::MANY_REGISTERS, self.lanewise).contains(&self.vectors) {
            return false;
        }
        let wide = self.vectors * L::WIDTH;
        let last_row = self.rows.iter().max().copied().unwrap_or(0);
        let reach = last_row.saturating_add(if self.lanewise { wide } else { 1 });
        self.from.end(self.images, self.counts, reach) <= self.source.len()
            && self.at.end(self.images, self.counts, wide) <= self.small.len()
            && self.rows.len().saturating_mul(wide) <= self.sums.len()
    }

    /// P rows at a time, or A where so many are adjacent.
    #[inline(always)]
    fn all<L: Lanes<T>, const P: usize, const A: usize, const V: usize, const LANEWISE: bool>(
        &mut self,
        lanes: L,
    ) {
        let (mut first, count) = (0, self.rows.len());
        while first < count {
            // Rows rise.
            let are_adjacent = !LANEWISE
                && first + A <= count
                && self.rows[first + A - 1] - self.rows[first] == A - 1;
            if are_adjacent {
                self.tile::<L, A, V, LANEWISE, true>(lanes, std::array::from_fn(|a| first + a));
                first += A;
                continue;
            }
            let mut rows = [0; P];
            for (p, row) in rows.iter_mut().enumerate() {
                // After the end the last row again: it is computed and stored twice.
                *row = (first + p).min(count - 1);
            }
            self.tile::<L, P, V, LANEWISE, false>(lanes, rows);
            first += P;
        }
    }

    #[inline(always)]
    fn tile<
        L: Lanes<T>,
        const P: usize,
        const V: usize,
        const LANEWISE: bool,
        const ADJACENT: bool,
    >(
        &mut self,
        lanes: L,
        rows: [usize; P],
    ) {
        let mut sums = [[lanes.splat(T::zero()); V]; P];
        let mut from = [self.source.as_ptr().wrapping_add(self.rows[rows[0]]); P];
        for p in 1..P {
            // Adjacent rows need one register for all of them.
            from[p] = if ADJACENT {
                from[0].wrapping_add(p)
            } else {
                self.source.as_ptr().wrapping_add(self.rows[rows[p]])
            };
        }
        for image in 0..self.images {
            for d in 0..self.counts[0] {
                for h in 0..self.counts[1] {
                    let place = |path: &Strides| {
                        path.start + image * path.image + d * path.step[0] + h * path.step[1]
                    };
                    let mut i = place(&self.from);
                    let mut small = self.small.as_ptr().wrapping_add(place(&self.at));
                    for _ in 0..self.counts[2] {
                        // SAFETY: `run` asserted `fits`: every row of every position is in the source,
                        // with V·WIDTH elements from there on if lanewise, and the small side has V·WIDTH
                        // elements from every position on. V is `vectors`.
                        unsafe {
                            let mut g = [sums[0][0]; V];
                            for v in 0..V {
                                g[v] = lanes.load(small.add(v * L::WIDTH));
                            }
                            for p in 0..P {
                                if LANEWISE {
                                    for v in 0..V {
                                        let x = lanes.load(from[p].add(i + v * L::WIDTH));
                                        sums[p][v] = lanes.multiply_add(x, g[v], sums[p][v]);
                                    }
                                } else {
                                    let x = lanes.splat(*from[p].add(i));
                                    for v in 0..V {
                                        sums[p][v] = lanes.multiply_add(x, g[v], sums[p][v]);
                                    }
                                }
                            }
                        }
                        i += self.from.step[2];
                        small = small.wrapping_add(self.at.step[2]);
                    }
                }
            }
        }
        self.add::<L, P, V>(lanes, rows, sums);
    }

    #[inline(always)]
    fn add<L: Lanes<T>, const P: usize, const V: usize>(
        &mut self,
        lanes: L,
        rows: [usize; P],
        mut sums: [[L::Vector; V]; P],
    ) {
        let one = lanes.splat(T::one());
        let wide = V * L::WIDTH;
        // SAFETY: `run` asserted `fits`: `sums` has V·WIDTH elements for each of `self.rows`, which `rows`
        // are indices of.
        // All are read before any is written, so that a row that the tile holds twice is added once.
        unsafe {
            if self.adds {
                for p in 0..P {
                    for v in 0..V {
                        let old = lanes.load(self.sums.as_ptr().add(rows[p] * wide + v * L::WIDTH));
                        sums[p][v] = lanes.multiply_add(one, old, sums[p][v]);
                    }
                }
            }
            for p in 0..P {
                for v in 0..V {
                    lanes.store(
                        self.sums.as_mut_ptr().add(rows[p] * wide + v * L::WIDTH),
                        sums[p][v],
                    );
                }
            }
        }
    }
}

impl<T: Real> Kernel<T> for WeightGradTile<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(mut self, lanes: L) {
        assert!(self.fits::<L>(), "a weight gradient outside its arrays");
        // As in `ConvTile::run`.
        match (L::MANY_REGISTERS, self.lanewise, self.vectors) {
            (true, false, 4) => self.all::<L, 6, 6, 4, false>(lanes),
            (true, false, 3) => self.all::<L, 8, 8, 3, false>(lanes),
            (true, false, 2) => self.all::<L, 12, 8, 2, false>(lanes),
            (false, false, 2) => self.all::<L, 6, 6, 2, false>(lanes),
            (true, false, _) => self.all::<L, 12, 16, 1, false>(lanes),
            (false, false, _) => self.all::<L, 12, 12, 1, false>(lanes),
            (true, true, 4) => self.all::<L, 3, 3, 4, true>(lanes),
            (_, true, 2) => self.all::<L, 3, 3, 2, true>(lanes),
            (_, true, _) => self.all::<L, 9, 9, 1, true>(lanes),
        }
    }
}
