//! The products at points: tiles by source channels times source channels by lanes, point after point.

// Counted loops over tiles unroll into registers, as in `ops::tile`.
#![allow(unsafe_code, clippy::needless_range_loop)]

use crate::ops::real::Real;
use crate::ops::simd::{Kernel, Lanes};

/// `products[tile, lane] = Σ points[tile, row]·weight[row, lane]` at every point, for the lanes of one block.
pub(super) struct Products<'a, T> {
    /// How many points there are.
    pub count: usize,
    /// At each point `tiles` times `rows` elements, `step` apart.
    pub points: &'a [T],
    /// From a tile to the next one.
    pub step: usize,
    /// Elements from a point to the next.
    pub pitch: usize,
    pub tiles: usize,
    /// Source channels.
    pub rows: usize,
    /// At each point `rows` rows of `vectors·WIDTH` elements, without gaps.
    pub weight: &'a [T],
    pub vectors: usize,
    /// At each point a row of `vectors·WIDTH` elements for each tile.
    pub products: &'a mut [T],
    /// Elements from a point of the products to the next.
    pub product_pitch: usize,
}

impl<T: Real> Products<'_, T> {
    fn fits<L: Lanes<T>>(&self) -> bool {
        let wide = self.vectors * L::WIDTH;
        let last = self.count.saturating_sub(1);
        self.tiles > 0
            && self.rows <= self.step
            && last * self.pitch + self.tiles * self.step <= self.points.len()
            && self.count * self.rows * wide <= self.weight.len()
            && last * self.product_pitch + self.tiles * wide <= self.products.len()
    }

    #[inline(always)]
    fn all<L: Lanes<T>, const P: usize, const V: usize>(&mut self, lanes: L) {
        for point in 0..self.count {
            let mut first = 0;
            while first < self.tiles {
                // The last tiles again where fewer are left: they are computed and stored twice.
                let from = first.min(self.tiles.saturating_sub(P));
                self.group::<L, P, V>(lanes, point, from);
                first += P;
            }
        }
    }

    /// P tiles from one on, or fewer with the last one repeated.
    #[inline(always)]
    fn group<L: Lanes<T>, const P: usize, const V: usize>(
        &mut self,
        lanes: L,
        point: usize,
        first: usize,
    ) {
        let wide = V * L::WIDTH;
        let start = self.points.as_ptr().wrapping_add(point * self.pitch);
        let (mut tiles, mut from) = ([0; P], [start; P]);
        for p in 0..P {
            tiles[p] = (first + p).min(self.tiles - 1);
            from[p] = start.wrapping_add(tiles[p] * self.step);
        }
        let mut weight = self.weight.as_ptr().wrapping_add(point * self.rows * wide);
        let mut sums = [[lanes.splat(T::zero()); V]; P];
        for row in 0..self.rows {
            // SAFETY: `run` asserted `fits`: every tile has `rows` elements at this point, and the weight has
            // as many rows of V·WIDTH elements. V is `vectors`.
            unsafe {
                let mut values = [sums[0][0]; V];
                for v in 0..V {
                    values[v] = lanes.load(weight.add(v * L::WIDTH));
                }
                weight = weight.add(wide);
                for p in 0..P {
                    let x = lanes.splat(*from[p].add(row));
                    for v in 0..V {
                        sums[p][v] = lanes.multiply_add(x, values[v], sums[p][v]);
                    }
                }
            }
        }
        let to = self.products.as_mut_ptr();
        let to = to.wrapping_add(point * self.product_pitch);
        for p in 0..P {
            for v in 0..V {
                // SAFETY: `run` asserted `fits`: every tile has a row of V·WIDTH elements at this point.
                unsafe { lanes.store(to.add(tiles[p] * wide + v * L::WIDTH), sums[p][v]) };
            }
        }
    }
}

impl<T: Real> Kernel<T> for Products<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(mut self, lanes: L) {
        assert!(self.fits::<L>(), "products outside their arrays");
        // As in `ConvTile::run`: plans have no other numbers of vectors.
        match (L::MANY_REGISTERS, self.vectors) {
            (true, 4) => self.all::<L, 6, 4>(lanes),
            (true, 3) => self.all::<L, 8, 3>(lanes),
            (true, 2) => self.all::<L, 12, 2>(lanes),
            (false, 2) => self.all::<L, 6, 2>(lanes),
            (_, 1) => self.all::<L, 12, 1>(lanes),
            (_, other) => assert!(other == 1, "products of a width that is not compiled"),
        }
    }
}
