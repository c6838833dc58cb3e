//! The two inner loops of every convolution, as register tiles of P rows × V vectors.
//!
//! [`ConvTile`] computes targets: each of P positions broadcasts its source elements against rows of packed
//! weights. [`WeightGradTile`] computes weight gradients: each of P weight rows sums source·gradient over all
//! positions. With one source element per lane instead of a broadcast, the same loops are depthwise convolution.

// Counted loops over tiles unroll into registers; iterators over arrays of vectors read worse.
#![allow(unsafe_code, clippy::needless_range_loop)]

mod weight_tile;

pub(crate) use weight_tile::WeightGradTile;

use super::real::Real;
use super::shared_output::SharedOutput;
use super::simd::{Kernel, Lanes};

/// Adjacent source elements that every position reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapRun {
    /// From a position's first element.
    pub offset: usize,
    /// Elements.
    pub len: usize,
}

/// Positions of several images, as steps in a flat array.
#[derive(Clone, Copy, Debug)]
pub struct Strides {
    /// First element of the first position.
    pub start: usize,
    /// To the next position along each axis.
    pub step: [usize; 3],
    /// To the same position of the next image.
    pub image: usize,
}

impl Strides {
    /// The index after the last element that positions of `lanes` elements reach; 0 without positions.
    /// Where it does not fit into a `usize` it is `usize::MAX`, which is longer than any slice.
    fn end(&self, images: usize, counts: [usize; 3], lanes: usize) -> usize {
        if images == 0 || counts.contains(&0) {
            return 0;
        }
        let along = |axis: usize| (counts[axis] - 1).saturating_mul(self.step[axis]);
        let images = (images - 1).saturating_mul(self.image);
        [self.start, images, along(0), along(1), along(2), lanes]
            .into_iter()
            .fold(0, usize::saturating_add)
    }
}

/// Positions of several images on both sides of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct Positions {
    /// Positions along each axis.
    pub counts: [usize; 3],
    /// Images.
    pub images: usize,
    /// Where they are read.
    pub from: Strides,
    /// Where they are written, or have their gradient.
    pub to: Strides,
}

impl Positions {
    /// Merges axes, and images, that follow each other at an even step on both sides: tiles then continue
    /// from row to row and from image to image.
    pub fn collapse(&mut self) {
        for axis in [1, 0] {
            let inner = self.counts[2];
            let even = |path: &Strides| path.step[axis] == inner * path.step[2];
            if self.counts[axis] != 1 && !(even(&self.from) && even(&self.to)) {
                return;
            }
            self.counts[2] *= self.counts[axis];
            self.counts[axis] = 1;
        }
        let even = |path: &Strides| path.image == self.counts[2] * path.step[2];
        if even(&self.from) && even(&self.to) {
            self.counts[2] *= self.images;
            self.images = 1;
        }
    }
}

/// `target[position, lane] = bias[lane] + Σ source·weight` for the lanes of one block.
pub(crate) struct ConvTile<'a, T> {
    /// Padded images. With `lanewise`, whole vectors are read: `vectors·WIDTH` elements from every tap.
    pub source: &'a [T],
    /// Where positions read.
    pub from: Strides,
    /// Target positions along each axis.
    pub counts: [usize; 3],
    /// Images.
    pub images: usize,
    /// What every position reads; with `lanewise`, one run of length 1 a tap.
    pub runs: &'a [TapRun],
    /// Rows of `vectors·WIDTH` elements, as many as the runs have.
    pub weight: &'a [T],
    /// Vectors of the block.
    pub vectors: usize,
    /// Lanes of the block that are stored.
    pub lanes: usize,
    /// One value per lane.
    pub bias: Option<&'a [T]>,
    /// Whether negative results become 0.
    pub relu: bool,
    /// Whether each lane has its own source element.
    pub lanewise: bool,
    /// Where results are written.
    pub target: SharedOutput<'a, T>,
    /// Where positions write.
    pub to: Strides,
}

/// Counts through the positions of several images, in order.
struct Odometer {
    counts: [usize; 3],
    from: Strides,
    to: Strides,
    at: [usize; 4],
    left: usize,
    source: usize,
    target: usize,
}

impl Odometer {
    fn new(images: usize, counts: [usize; 3], from: Strides, to: Strides) -> Odometer {
        let left = images * counts.iter().product::<usize>();
        Odometer {
            counts,
            from,
            to,
            at: [0; 4],
            left,
            source: from.start,
            target: to.start,
        }
    }

    /// The next position, or the last one again.
    #[inline(always)]
    fn next(&mut self) -> (usize, usize) {
        let here = (self.source, self.target);
        if self.left <= 1 {
            self.left = 0;
            return here;
        }
        self.left -= 1;
        self.at[3] += 1;
        if self.at[3] < self.counts[2] {
            self.source += self.from.step[2];
            self.target += self.to.step[2];
        } else {
            self.carry();
        }
        here
    }

    fn carry(&mut self) {
        self.at[3] = 0;
        self.at[2] += 1;
        if self.at[2] == self.counts[1] {
            self.at[2] = 0;
            self.at[1] += 1;
            if self.at[1] == self.counts[0] {
                self.at[1] = 0;
                self.at[0] += 1;
            }
        }
        let place = |path: &Strides| {
            path.start
                + self.at[0] * path.image
                + self.at[1] * path.step[0]
                + self.at[2] * path.step[1]
        };
        (self.source, self.target) = (place(&self.from), place(&self.to));
    }
}

/// The first `count` elements of a bias as vectors, zeros after them; all zeros where there is none.
#[inline(always)]
pub(super) fn bias_vectors<T: Real, L: Lanes<T>, const V: usize>(
    lanes: L,
    bias: Option<&[T]>,
    count: usize,
) -> [L::Vector; V] {
    let mut vectors = [lanes.splat(T::zero()); V];
    if let Some(numbers) = bias {
        for (vector, some) in vectors.iter_mut().zip(numbers[..count].chunks(L::WIDTH)) {
            // SAFETY: as many elements are read as the piece has.
            *vector = unsafe { lanes.load_some(some.as_ptr(), some.len()) };
        }
    }
    vectors
}

impl<T: Real> ConvTile<'_, T> {
    /// Whether a tile of this width is compiled, and everything that its loops address is inside the
    /// slices. Sizes too large for a `usize` saturate, and so fit into no slice.
    fn fits<L: Lanes<T>>(&self) -> bool {
        if !vectors_per_tile(L::MANY_REGISTERS, self.lanewise).contains(&self.vectors) {
            return false;
        }
        let wide = self.vectors * L::WIDTH;
        let rows = self
            .runs
            .iter()
            .fold(0usize, |rows, run| rows.saturating_add(run.len));
        let reach = self
            .runs
            .iter()
            .map(|run| run.offset.saturating_add(run.len))
            .max()
            .unwrap_or(0)
            .saturating_sub(1)
            .saturating_add(if self.lanewise { wide } else { 1 });
        let source = self.from.end(self.images, self.counts, reach);
        let target = self.to.end(self.images, self.counts, self.lanes);
        wide - L::WIDTH < self.lanes
            && self.lanes <= wide
            && (self.runs.is_empty() || source <= self.source.len())
            && target <= self.target.len()
            && rows.saturating_mul(wide) <= self.weight.len()
            && self.bias.is_none_or(|bias| bias.len() >= self.lanes)
    }

    #[inline(always)]
    fn all<L: Lanes<T>, const P: usize, const V: usize, const LANEWISE: bool>(&self, lanes: L) {
        let bias = bias_vectors::<T, L, V>(lanes, self.bias, self.lanes);
        let mut odometer = Odometer::new(self.images, self.counts, self.from, self.to);
        while odometer.left > 0 {
            let mut source = [0; P];
            let mut target = [0; P];
            for p in 0..P {
                (source[p], target[p]) = odometer.next();
            }
            self.tile::<L, P, V, LANEWISE>(lanes, source, target, bias);
        }
    }

    #[inline(always)]
    fn tile<L: Lanes<T>, const P: usize, const V: usize, const LANEWISE: bool>(
        &self,
        lanes: L,
        source: [usize; P],
        target: [usize; P],
        bias: [L::Vector; V],
    ) {
        let mut sums = [bias; P];
        let from = source.map(|source| self.source.as_ptr().wrapping_add(source));
        let mut weight = self.weight.as_ptr();
        for run in self.runs {
            for i in run.offset..run.offset + run.len {
                // SAFETY: `run` asserted `fits`: every run of every position is in the source, with
                // V·WIDTH elements from each of its elements on if lanewise, and the weight has V·WIDTH
                // elements a row. V is `vectors`.
                unsafe {
                    let mut row = [bias[0]; V];
                    for v in 0..V {
                        row[v] = lanes.load(weight.add(v * L::WIDTH));
                    }
                    weight = weight.add(V * L::WIDTH);
                    for p in 0..P {
                        if LANEWISE {
                            for v in 0..V {
                                let x = lanes.load(from[p].add(i + v * L::WIDTH));
                                sums[p][v] = lanes.multiply_add(x, row[v], sums[p][v]);
                            }
                        } else {
                            let x = lanes.splat(*from[p].add(i));
                            for v in 0..V {
                                sums[p][v] = lanes.multiply_add(x, row[v], sums[p][v]);
                            }
                        }
                    }
                }
            }
        }
        self.put::<L, P, V>(lanes, target, sums);
    }

    #[inline(always)]
    fn put<L: Lanes<T>, const P: usize, const V: usize>(
        &self,
        lanes: L,
        target: [usize; P],
        mut sums: [[L::Vector; V]; P],
    ) {
        if self.relu {
            let zero = lanes.splat(T::zero());
            for p in 0..P {
                for v in 0..V {
                    sums[p][v] = lanes.not_below(sums[p][v], zero);
                }
            }
        }
        let last = self.lanes - (V - 1) * L::WIDTH;
        for p in 0..P {
            let to = self.target.as_mut_ptr().wrapping_add(target[p]);
            // SAFETY: `run` asserted `fits`: `lanes` elements from every target position on lie in the
            // slice, and (V − 1)·WIDTH < `lanes` ≤ V·WIDTH. The handle is this tile's, and who shares
            // one promises that no other writes these positions.
            unsafe {
                for v in 0..V - 1 {
                    lanes.store(to.add(v * L::WIDTH), sums[p][v]);
                }
                if last == L::WIDTH {
                    lanes.store(to.add((V - 1) * L::WIDTH), sums[p][V - 1]);
                } else {
                    lanes.store_some(to.add((V - 1) * L::WIDTH), sums[p][V - 1], last);
                }
            }
        }
    }
}

/// Widths of a tile, in vectors, that [`ConvTile`] and [`WeightGradTile`] are compiled for: the arms of their
/// `run` below.
pub(super) fn vectors_per_tile(many_registers: bool, lanewise: bool) -> &'static [usize] {
    match (many_registers, lanewise) {
        (true, false) => &[1, 2, 3, 4],
        (true, true) => &[1, 2, 4],
        (false, _) => &[1, 2],
    }
}

impl<T: Real> Kernel<T> for ConvTile<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(self, lanes: L) {
        assert!(self.fits::<L>(), "a convolution outside its arrays");
        // As many vectors as `vectors_per_tile` lists: 1 in the arms that name no number.
        match (L::MANY_REGISTERS, self.lanewise, self.vectors) {
            (true, false, 4) => self.all::<L, 6, 4, false>(lanes),
            (true, false, 3) => self.all::<L, 8, 3, false>(lanes),
            (true, false, 2) => self.all::<L, 12, 2, false>(lanes),
            (false, false, 2) => self.all::<L, 6, 2, false>(lanes),
            (_, false, _) => self.all::<L, 12, 1, false>(lanes),
            (true, true, 4) => self.all::<L, 4, 4, true>(lanes),
            (_, true, 2) => self.all::<L, 4, 2, true>(lanes),
            (_, true, _) => self.all::<L, 4, 1, true>(lanes),
        }
    }
}

#[cfg(test)]
mod tests;
