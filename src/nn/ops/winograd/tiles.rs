//! The transforms of tiles: images into points, and products at points into outputs.
//!
//! What is transformed is stored point by point, `pitch` elements apart; in a point, tile by tile.

#![allow(unsafe_code)]

use super::grid::{Cells, TileWalk, compiled_for};
use super::lines::{Gradient, Input, Output, both_axes};
use crate::ops::real::Real;
use crate::ops::shared_output::SharedOutput;
use crate::ops::simd::{Kernel, Lanes};
use std::ops::Range;

/// Reads a vector, or its first `some` lanes.
///
/// # Safety
/// WIDTH elements, or as many as `some`, are readable at `from`.
#[inline(always)]
unsafe fn load<T: Real, L: Lanes<T>>(lanes: L, from: *const T, some: usize) -> L::Vector {
    // SAFETY: the caller's promise.
    unsafe {
        if some >= L::WIDTH {
            lanes.load(from)
        } else {
            lanes.load_some(from, some)
        }
    }
}

/// Writes a vector, or its first `some` lanes.
///
/// # Safety
/// WIDTH elements, or as many as `some`, are writable at `to`.
#[inline(always)]
unsafe fn store<T: Real, L: Lanes<T>>(lanes: L, to: *mut T, value: L::Vector, some: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        if some >= L::WIDTH {
            lanes.store(to, value);
        } else {
            lanes.store_some(to, value, some);
        }
    }
}

/// Images to points, for a range of channels.
pub(super) struct InputTransform<'a, T> {
    /// Images without any margin.
    pub source: &'a [T],
    /// Their channels.
    pub channels: usize,
    /// Those that are transformed.
    pub range: Range<usize>,
    /// At least as many zeros.
    pub zeros: &'a [T],
    pub walk: &'a TileWalk,
    pub tiles: Range<usize>,
    pub points: &'a mut [T],
    /// From a tile to the next one at the same point: at least as many as the range has.
    pub step: usize,
    pub pitch: usize,
}

impl<T: Real> InputTransform<'_, T> {
    #[inline(always)]
    fn all<L: Lanes<T>, const N: usize>(&mut self, lanes: L) {
        let (count, pitch, step) = (self.range.len(), self.pitch, self.step);
        let end = (N * N - 1) * pitch + self.tiles.len() * step;
        let images = self.walk.images * self.walk.grid.source_cells();
        assert!(
            end <= self.points.len()
                && images * self.channels <= self.source.len()
                && self.tiles.end <= self.walk.count()
                && self.range.end <= self.channels
                && count <= step
                && count <= self.zeros.len(),
            "tiles outside their array"
        );
        let source = self.source.as_ptr().wrapping_add(self.range.start);
        let mut steps = self.walk.from(self.tiles.start);
        for index in 0..self.tiles.len() {
            let cells = steps.sources::<N>(self.channels);
            let to = self.points.as_mut_ptr().wrapping_add(index * step);
            match cells.whole() {
                Some(at) => self.inside::<L, N>(lanes, source.wrapping_add(at), to),
                None => self.at_edge::<L, N>(lanes, &cells, source, to),
            }
            steps.advance();
        }
    }

    /// A tile inside of its image. `from`: its first element; `to`: its first point.
    #[inline(always)]
    fn inside<L: Lanes<T>, const N: usize>(&self, lanes: L, from: *const T, to: *mut T) {
        let (count, pitch, grid) = (self.range.len(), self.pitch, &self.walk.grid);
        let step = grid.dilation[1] * self.channels;
        let row = grid.dilation[0] * grid.source[1] * self.channels;
        for first in (0..count).step_by(L::WIDTH) {
            let some = L::WIDTH.min(count - first);
            both_axes::<T, L, Input, N>(
                lanes,
                [N, N],
                // SAFETY: `all` asserted that all images are in the source, which every cell of the tile is in,
                // with the channels of the range.
                |i, j| unsafe { load(lanes, from.wrapping_add(i * row + j * step + first), some) },
                // SAFETY: `all` asserted that the last point of the last tile, of `count` elements, is in the
                // slice.
                |i, j, value| unsafe {
                    let point = (i * N + j) * pitch;
                    store(lanes, to.wrapping_add(point + first), value, some);
                },
            );
        }
    }

    /// A tile of which a part may be padding. `source`: the first element of the range in all images.
    #[inline(always)]
    fn at_edge<L: Lanes<T>, const N: usize>(
        &self,
        lanes: L,
        cells: &Cells<N>,
        source: *const T,
        to: *mut T,
    ) {
        let (count, pitch) = (self.range.len(), self.pitch);
        let mut from = [[self.zeros.as_ptr(); N]; N];
        for (i, from) in from.iter_mut().enumerate() {
            for (j, from) in from.iter_mut().enumerate() {
                if let Some(at) = cells.at(i, j) {
                    *from = source.wrapping_add(at);
                }
            }
        }
        for first in (0..count).step_by(L::WIDTH) {
            let some = L::WIDTH.min(count - first);
            both_axes::<T, L, Input, N>(
                lanes,
                [N, N],
                // SAFETY: `all` asserted that all images are in the source, which every cell is in, with the
                // channels of the range; and that there are as many zeros.
                |i, j| unsafe { load(lanes, from[i][j].wrapping_add(first), some) },
                // SAFETY: as for a tile inside.
                |i, j, value| unsafe {
                    let point = (i * N + j) * pitch;
                    store(lanes, to.wrapping_add(point + first), value, some);
                },
            );
        }
    }
}

impl<T: Real> Kernel<T> for InputTransform<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(mut self, lanes: L) {
        match self.walk.grid.points {
            4 => self.all::<L, 4>(lanes),
            6 => self.all::<L, 6>(lanes),
            _ => self.all::<L, 8>(lanes),
        }
    }
}

/// Gradients of outputs to points, for the lanes of one block.
pub(super) struct GradientTransform<'a, T> {
    /// Images without any margin.
    pub source: &'a [T],
    /// Their channels.
    pub channels: usize,
    /// Those of the block.
    pub range: Range<usize>,
    pub walk: &'a TileWalk,
    pub tiles: Range<usize>,
    pub points: &'a mut [T],
    pub pitch: usize,
    /// Elements of a tile in a point: whole vectors.
    pub wide: usize,
}

impl<T: Real> GradientTransform<'_, T> {
    #[inline(always)]
    fn all<L: Lanes<T>, const N: usize, const R: usize>(&mut self, lanes: L) {
        let (count, wide, pitch) = (self.range.len(), self.wide, self.pitch);
        let end = (N * N - 1) * pitch + self.tiles.len() * wide;
        let images = self.walk.images * self.walk.grid.target_cells();
        assert!(
            end <= self.points.len()
                && wide == count.next_multiple_of(L::WIDTH)
                && images * self.channels <= self.source.len()
                && self.tiles.end <= self.walk.count()
                && self.range.end <= self.channels,
            "tiles outside their array"
        );
        let source = self.source.as_ptr().wrapping_add(self.range.start);
        let zero = lanes.splat(T::zero());
        let mut steps = self.walk.from(self.tiles.start);
        for index in 0..self.tiles.len() {
            let cells = steps.targets::<N>(self.channels);
            let to = self.points.as_mut_ptr().wrapping_add(index * wide);
            for first in (0..count).step_by(L::WIDTH) {
                let some = L::WIDTH.min(count - first);
                both_axes::<T, L, Gradient<R>, N>(
                    lanes,
                    [N + 1 - R, N],
                    |i, j| match cells.at(i, j) {
                        // SAFETY: asserted above: all images are in the source, every cell is in one of them,
                        // and has the channels of the range.
                        Some(at) => unsafe { load(lanes, source.wrapping_add(at + first), some) },
                        None => zero,
                    },
                    // SAFETY: asserted above: the last point of the last tile, of `wide` elements, is in the
                    // slice, and `wide` is all vectors of `count`.
                    |i, j, value| unsafe {
                        lanes.store(to.wrapping_add((i * N + j) * pitch + first), value);
                    },
                );
            }
            steps.advance();
        }
    }
}

impl<T: Real> Kernel<T> for GradientTransform<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(mut self, lanes: L) {
        let (points, window) = (self.walk.grid.points, self.walk.grid.window);
        compiled_for!(self, lanes, points, window)
    }
}

/// Products at points to outputs with bias and activation, for the lanes of one block.
pub(super) struct OutputTransform<'a, T> {
    pub points: &'a [T],
    pub pitch: usize,
    /// Elements of a tile in a point: whole vectors.
    pub wide: usize,
    pub walk: &'a TileWalk,
    pub tiles: Range<usize>,
    /// One value for each lane that is stored.
    pub bias: Option<&'a [T]>,
    pub relu: bool,
    pub target: SharedOutput<'a, T>,
    /// The first element of the first image's first position.
    pub start: usize,
    /// Channels of the target.
    pub channels: usize,
    /// Lanes that are stored.
    pub lanes: usize,
}

impl<T: Real> OutputTransform<'_, T> {
    #[inline(always)]
    fn all<L: Lanes<T>, const N: usize, const R: usize>(&self, lanes: L) {
        let end = (N * N - 1) * self.pitch + self.tiles.len() * self.wide;
        let images = self.walk.images * self.walk.grid.target_cells();
        assert!(
            end <= self.points.len()
                && self.wide == self.lanes.next_multiple_of(L::WIDTH)
                && self.tiles.end <= self.walk.count()
                && self.lanes <= self.channels
                && self.start + images * self.channels
                    <= self.target.len() + self.channels - self.lanes
                && self.bias.is_none_or(|bias| bias.len() >= self.lanes),
            "tiles outside their array"
        );
        let mut steps = self.walk.from(self.tiles.start);
        for index in 0..self.tiles.len() {
            let cells = steps.targets::<N>(self.channels);
            for first in (0..self.lanes).step_by(L::WIDTH) {
                let some = L::WIDTH.min(self.lanes - first);
                let from = index * self.wide + first;
                self.vector::<L, N, R>(lanes, from, [first, some], &cells);
            }
            steps.advance();
        }
    }

    /// One vector of lanes of a tile: `some` lanes from `first` on. `from`: its element in the first point.
    #[inline(always)]
    fn vector<L: Lanes<T>, const N: usize, const R: usize>(
        &self,
        lanes: L,
        from: usize,
        [first, some]: [usize; 2],
        cells: &Cells<N>,
    ) {
        let zero = lanes.splat(T::zero());
        let from = self.points.as_ptr().wrapping_add(from);
        let target = self.target.as_mut_ptr().wrapping_add(self.start + first);
        let bias = match self.bias {
            // SAFETY: `all` asserted that there are `lanes` values; `some` of them follow `first`.
            Some(bias) => unsafe { load(lanes, bias.as_ptr().wrapping_add(first), some) },
            None => zero,
        };
        both_axes::<T, L, Output<R>, N>(
            lanes,
            [N, N + 1 - R],
            // SAFETY: `all` asserted that every point has `wide` elements, all vectors of `lanes`, for each
            // tile.
            |i, j| unsafe { lanes.load(from.wrapping_add((i * N + j) * self.pitch)) },
            |i, j, value| {
                let Some(to) = cells.at(i, j) else { return };
                let mut value = lanes.add(value, bias);
                if self.relu {
                    value = lanes.not_below(value, zero);
                }
                // SAFETY: `all` asserted that `lanes` elements from the last position on are in the target;
                // `some` of them follow `first`. Who shares a handle promises that no other writes them.
                unsafe { store(lanes, target.wrapping_add(to), value, some) };
            },
        );
    }
}

impl<T: Real> Kernel<T> for OutputTransform<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(self, lanes: L) {
        let (points, window) = (self.walk.grid.points, self.walk.grid.window);
        compiled_for!(self, lanes, points, window)
    }
}
