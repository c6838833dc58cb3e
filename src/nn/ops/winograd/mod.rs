//! Convolution with a 3×3 window by Winograd's minimal filtering: fewer multiplications, more additions.
//!
//! An image is cut into overlapping tiles of N×N positions that give (N − 2)×(N − 2) outputs each. Tiles and
//! windows are transformed to N·N points ([`lines`]); at every point all channels are multiplied as one product of
//! matrices, `tiles × source channels` by `source channels × lanes`, with the same register tiles as any
//! convolution; and the products are transformed back to outputs. With 4 points an axis that takes 16 multiplications for
//! 4 outputs instead of 36. The gradient of the input is the same with flipped windows, the gradient of the
//! weight its transpose.
//!
//! | file | what it does |
//! |---|---|
//! | `lines` | the transforms of an axis |
//! | `grid` | where tiles lie |
//! | `tiles` | tiles to points and back |
//! | `weights` | windows to points and back |
//! | `products` | the multiplications at points |
//! | `pass` | a direction of a convolution |
//! | `gradient` | the gradient of the weight |

mod gradient;
mod grid;
mod lines;
mod pass;
mod products;
mod tiles;
mod weights;

use super::blocking;
use super::packed::{Block, WeightSizes, blocks};
use super::real::Real;
use super::simd::{Level, Vectors};
use super::tile::vectors_per_tile;
pub(super) use gradient::TileGradient;
use grid::TileGrid;
use lines::WINDOW;
pub(super) use pass::{Piece, TilePass};
use rayon::prelude::*;
use std::ops::Range;
use strata_core::shape::op::Geometry;
use weights::{CELLS, PackWindows, UnpackWindows, Windows};

/// Channels from which on, on both sides, the transforms cost less than they save: with 16 they cost as much, with 32
/// half.
const MIN_CHANNELS: usize = 24;
/// Images that the choice is made for: it may not depend on the batch.
const IMAGES: usize = 16;
/// Tiles whose products take as long as a weight to be packed for both directions: measured with 128 to 512
/// channels.
const TILES_OF_WEIGHT: usize = 120;
/// Elements between the points of tiles, besides the tiles: otherwise all points of a tile would be in the same
/// places of the cache.
const SKEW: usize = 16;

/// Points of an axis that a convolution is computed with; `None` where it is computed directly. Only sizes that
/// a network is built with decide, so that a batch gives what its images give one by one.
pub fn points(geometry: &Geometry, large: usize, small: usize, groups: usize) -> Option<usize> {
    let Geometry {
        input,
        output,
        kernel,
        stride,
        dilation,
        pad,
    } = *geometry;
    let is_plane = input[0] == 1 && pad[0] == 0;
    let is_window = kernel == [1, WINDOW, WINDOW] && stride == [1; 3] && dilation == [1; 3];
    if !(is_plane && is_window && groups == 1 && large.min(small) >= MIN_CHANNELS) {
        return None;
    }
    // Multiplications for a pair of channels in both directions; the direct ones where nothing is less.
    let positions = output[1] * output[2] + input[1] * input[2];
    let direct = CELLS * (IMAGES * positions + TILES_OF_WEIGHT);
    let at_points = [4, 6].map(|points| {
        let tiles = tiles(geometry, points, true) + tiles(geometry, points, false);
        (points * points * (IMAGES * tiles + TILES_OF_WEIGHT), points)
    });
    let (cost, points) = at_points.into_iter().min()?;
    (cost < direct).then_some(points)
}

/// Tiles of an image in a direction, with so many points an axis.
pub fn tiles(geometry: &Geometry, points: usize, down: bool) -> usize {
    TileGrid::new(geometry, points, down).tiles.iter().product()
}

/// One direction of a convolution at points.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    grid: TileGrid,
    /// Source and target channels.
    from: usize,
    to: usize,
    blocks: Vec<Block>,
    /// Elements of a vector.
    width: usize,
    down: bool,
}

impl Winograd {
    pub fn new<T: Vectors>(
        geometry: &Geometry,
        sizes: WeightSizes,
        points: usize,
        down: bool,
        level: Level,
    ) -> Winograd {
        let (from, to) = if down {
            (sizes.large, sizes.small)
        } else {
            (sizes.small, sizes.large)
        };
        let width = T::width(level);
        let per_tile = vectors_per_tile(T::many_registers(level), false);
        Winograd {
            grid: TileGrid::new(geometry, points, down),
            from,
            to,
            blocks: blocks(to, width, per_tile),
            width,
            down,
        }
    }

    /// Points of a tile.
    fn points(&self) -> usize {
        self.grid.points * self.grid.points
    }

    /// Rows of the packed weight at a point: source channels.
    pub fn rows(&self) -> usize {
        self.from
    }

    /// Number of blocks of lanes.
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// Elements of a row of a block.
    fn wide(&self, block: usize) -> usize {
        self.blocks[block].vectors * self.width
    }

    /// Elements of a row of the widest block.
    fn widest(&self) -> usize {
        (0..self.blocks.len())
            .map(|block| self.wide(block))
            .max()
            .unwrap_or(0)
    }

    /// Elements of a block at all points.
    fn block_len(&self, block: usize) -> usize {
        self.points() * self.from * self.wide(block)
    }

    /// Elements of the packed weight.
    pub fn packed_len(&self) -> usize {
        (0..self.blocks.len())
            .map(|block| self.block_len(block))
            .sum()
    }

    /// Some rows of a block at a point, in the packed weight.
    fn span(&self, block: usize, point: usize, rows: &Range<usize>) -> Range<usize> {
        let before: usize = (0..block).map(|block| self.block_len(block)).sum();
        let first = before + point * self.from * self.wide(block);
        first + rows.start * self.wide(block)..first + rows.end * self.wide(block)
    }

    fn windows(&self, block: usize) -> Windows {
        let (row_step, lane_step) = if self.down {
            (CELLS, self.from * CELLS)
        } else {
            (self.to * CELLS, CELLS)
        };
        Windows {
            block: self.blocks[block],
            rows: self.from,
            row_step,
            lane_step,
            points: self.grid.points,
        }
    }

    /// PyTorch's layout to points.
    pub fn pack<T: Real>(&self, level: Level, weight: &[T], packed: &mut [T]) {
        let mut rest = packed;
        let blocks: Vec<(usize, &mut [T])> = (0..self.blocks.len())
            .filter_map(|block| Some((block, rest.split_off_mut(..self.block_len(block))?)))
            .collect();
        blocks.into_par_iter().for_each(|(block, packed)| {
            let windows = self.windows(block);
            let kernel = PackWindows {
                windows,
                weight: &weight[windows.block.first * windows.lane_step..],
                flipped: !self.down,
                packed,
            };
            T::run_kernel(level, kernel);
        });
    }

    /// The gradient at points to PyTorch's layout.
    ///
    /// # Panics
    /// Where the plan goes up: its lanes are not rows of the weight, which blocks are cut into here.
    pub fn unpack<T: Real>(&self, level: Level, packed: &[T], weight: &mut [T]) {
        assert!(
            self.down,
            "only weights packed for large to small are unpacked"
        );
        let mut rest = weight;
        let blocks: Vec<(usize, &mut [T])> = (0..self.blocks.len())
            .filter_map(|block| {
                let windows = self.windows(block);
                let len = windows.block.lanes * windows.lane_step;
                Some((block, rest.split_off_mut(..len)?))
            })
            .collect();
        let all = 0..self.from;
        blocks.into_par_iter().for_each(|(block, weight)| {
            let kernel = UnpackWindows {
                windows: self.windows(block),
                packed: &packed[self.span(block, 0, &all).start..],
                weight,
            };
            T::run_kernel(level, kernel);
        });
    }

    /// Tiles of an image.
    pub fn tiles(&self) -> usize {
        self.grid.tiles.iter().product()
    }

    /// Positions of a source image, and of a target image.
    pub fn cells(&self) -> [usize; 2] {
        [self.grid.source_cells(), self.grid.target_cells()]
    }

    /// Multiply-adds for an image.
    pub fn work(&self) -> usize {
        self.tiles() * self.packed_len()
    }
}

/// Elements that so many tiles take at all points.
fn points_len(points: usize, tiles: usize, channels: usize) -> usize {
    points * pitch(tiles, channels)
}

/// Elements from one point to the next.
fn pitch(tiles: usize, channels: usize) -> usize {
    tiles * channels + SKEW
}

/// Elements that a task works in besides its images: tiles at points, and products of a block of lanes or gradients
/// for it. `points`: of a tile.
pub fn strip_len(points: usize, source: usize, wide: usize) -> usize {
    let tiles = blocking::strip_tiles(points, source);
    source + points_len(points, tiles, source) + points_len(points, tiles, wide)
}

#[cfg(test)]
mod tests;
