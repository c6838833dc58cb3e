//! The gradient of a weight at points: tiles of the large side times tiles of gradients.

use super::grid::TileWalk;
use super::tiles::{GradientTransform, InputTransform};
use super::{Piece, Winograd, pitch, strip_len, tile_step};
use crate::ops::blocking::{self, even_pieces};
use crate::ops::packed::Block;
use crate::ops::real::Real;
use crate::ops::shared_output::SharedOutput;
use crate::ops::simd::Level;
use crate::ops::tile::{Strides, WeightGradTile};
use std::ops::Range;

/// A task of the gradient: some blocks of lanes, some rows.
pub(in crate::ops) struct TileGradient<'a> {
    pub level: Level,
    pub blocks: Range<usize>,
    /// Channels of the large side.
    pub rows: Range<usize>,
    /// The offset of each row's channel: `0..`.
    pub offsets: &'a [usize],
    /// Where the weight begins in the sums.
    pub start: usize,
}

/// What a strip is summed from.
struct Strip<'a, T> {
    walk: &'a TileWalk,
    tiles: Range<usize>,
    /// Tiles that there is room for.
    room: usize,
    /// The large side at points.
    points: &'a [T],
    /// The small side.
    small: &'a [T],
    /// Whether the sums are added to.
    adds: bool,
}

impl Winograd {
    /// Elements that [`Winograd::add_gradient`] works in.
    pub fn gradient_len(&self) -> usize {
        strip_len(self.points(), self.from, self.widest())
    }

    /// Sets a task's sums to 0.
    pub fn clear<T: Real>(&self, task: &TileGradient<'_>, sums: &mut SharedOutput<'_, T>) {
        for block in task.blocks.clone() {
            for point in 0..self.points() {
                sums.slice_mut(self.rows_of(task, block, point))
                    .fill(T::zero());
            }
        }
    }

    /// The sums of a task's rows of a block at a point.
    fn rows_of(&self, task: &TileGradient<'_>, block: usize, point: usize) -> Range<usize> {
        let span = self.span(block, point, &task.rows);
        task.start + span.start..task.start + span.end
    }

    /// The rows of the small side in a band of tiles.
    pub fn target_rows(&self, band: Piece) -> Range<usize> {
        let groups = self.grid.groups(band);
        let place = |group: usize| (group * self.grid.row_group()).min(self.grid.target[0]);
        place(groups.start)..place(groups.end)
    }

    /// Adds what a band of some images gives to the sums of a task, or writes it over them unless `adds`. Both sides are
    /// without any margin. False where there was nothing to add.
    pub fn add_gradient<T: Real>(
        &self,
        task: &TileGradient<'_>,
        (large, small): (&[T], &[T]),
        ((images, band), adds): ((usize, Piece), bool),
        sums: &mut SharedOutput<'_, T>,
        scratch: &mut [T],
    ) -> bool {
        let walk = TileWalk {
            grid: self.grid,
            rows: self.grid.rows(band),
            images,
        };
        let (count, rows) = (walk.count(), task.rows.len());
        if rows == 0 || count == 0 {
            return false;
        }
        let room = even_pieces(count, blocking::strip_tiles(self.points(), self.from));
        let (zeros, scratch) = scratch.split_at_mut(rows);
        let step = tile_step(rows);
        let (points, gradients) = scratch.split_at_mut(self.points() * pitch(room, step));
        zeros.fill(T::zero());
        for first in (0..count).step_by(room.max(1)) {
            let tiles = first..(first + room).min(count);
            let transform = InputTransform {
                source: large,
                channels: self.from,
                range: task.rows.clone(),
                zeros,
                walk: &walk,
                tiles: tiles.clone(),
                points,
                step,
                pitch: pitch(room, step),
            };
            T::run_kernel(task.level, transform);
            let strip = Strip {
                walk: &walk,
                tiles,
                room,
                points,
                small,
                adds: adds || first > 0,
            };
            for block in task.blocks.clone() {
                self.add_block(task, block, &strip, gradients, sums);
            }
        }
        true
    }

    fn add_block<T: Real>(
        &self,
        task: &TileGradient<'_>,
        block: usize,
        strip: &Strip<'_, T>,
        gradients: &mut [T],
        sums: &mut SharedOutput<'_, T>,
    ) {
        let (wide, rows) = (self.wide(block), task.rows.len());
        let Block { first, lanes, .. } = self.blocks[block];
        let transform = GradientTransform {
            source: strip.small,
            channels: self.to,
            range: first..first + lanes,
            walk: strip.walk,
            tiles: strip.tiles.clone(),
            points: gradients,
            pitch: pitch(strip.room, wide),
            wide,
        };
        T::run_kernel(task.level, transform);
        let step = tile_step(rows);
        let in_order = |step: usize| Strides {
            start: 0,
            step: [0, 0, step],
            image: 0,
        };
        for point in 0..self.points() {
            let tile = WeightGradTile {
                source: &strip.points[point * pitch(strip.room, step)..],
                from: in_order(step),
                rows: &task.offsets[..rows],
                small: &gradients[point * pitch(strip.room, wide)..],
                at: in_order(wide),
                counts: [1, 1, strip.tiles.len()],
                images: 1,
                vectors: self.blocks[block].vectors,
                lanewise: false,
                sums: sums.slice_mut(self.rows_of(task, block, point)),
                adds: strip.adds,
            };
            T::run_kernel(task.level, tile);
        }
    }
}
