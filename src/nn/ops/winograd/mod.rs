//! Convolution with a square window by Winograd's minimal filtering: fewer multiplications, more additions.
//!
//! With a window of R×R an image is cut into overlapping tiles of N×N positions that give (N + 1 − R)×(N + 1 − R)
//! outputs each; with a dilation, tiles lie between each other. Tiles and windows are transformed to N·N points
//! ([`lines`]); at every point all channels are multiplied as one product of matrices, `tiles × source channels` by
//! `source channels × lanes`, with the same register tiles as any convolution; and the products are transformed back
//! to outputs. With 4 points an axis that takes 16 multiplications for 4 outputs of a window of 3×3 instead of 36,
//! with 8 points 64 for 16 outputs of one of 5×5 instead of 400. The gradient of the input is the same with flipped
//! windows, the gradient of the weight its transpose.
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

#![allow(unsafe_code)]

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
use super::shared_output::SharedOutput;
use super::simd::{Level, Vectors};
use super::sliding::volume;
use super::team::each_task;
use super::tile::vectors_per_tile;
pub(super) use gradient::TileGradient;
use grid::TileGrid;
pub(super) use pass::{Piece, TilePass};
use std::ops::Range;
use strata_core::shape::op::Geometry;
use weights::{PackWindows, UnpackWindows, Windows};

/// Windows that are computed at points, by elements of an axis, and the numbers of points to choose from. More than 8
/// points round too coarsely.
const WINDOWS: [(usize, &[usize]); 3] = [(3, &[4, 6]), (5, &[6, 8]), (7, &[8])];
/// Channels from which on, on both sides, a window is computed at points.
const MIN_CHANNELS: usize = 12;
/// Lanes of a vector that the choice is made for: it may not depend on the machine.
const LANES: usize = 16;
/// Products that the transforms of a tile take as long as, for each of its points and each channel of either side.
const TRANSFORM: f64 = 20.0;
/// Images that the choice is made for: it may not depend on the batch.
const IMAGES: f64 = 16.0;
/// Tiles whose products take as long as a weight to be packed for a direction: measured with 128 to 512 channels.
const TILES_OF_WEIGHT: f64 = 60.0;
/// Rows of a block that a task brings to points or back.
const ROWS: usize = 16;
/// Elements between the points of tiles, besides the tiles: otherwise all points of a tile would be in the same
/// places of the cache.
const SKEW: usize = 16;
/// Channels whose multiples lie so far apart that all tiles of a strip would be in few places of the cache.
const FAR: usize = 64;

/// The numbers of points that a window can be computed with: none where it is only computed directly.
pub(super) fn choices(geometry: &Geometry) -> &'static [usize] {
    let is_plane = geometry.input[0] == 1 && geometry.pad[0] == 0 && geometry.stride == [1; 3];
    let window = WINDOWS
        .into_iter()
        .find(|&(size, _)| is_plane && geometry.kernel == [1, size, size]);
    window.map_or(&[], |(_, choices)| choices)
}

/// Points of an axis that a convolution is computed with; `None` where it is computed directly. Only sizes that
/// a network is built with decide, so that a batch gives what its images give one by one.
pub fn points(geometry: &Geometry, large: usize, small: usize, groups: usize) -> Option<usize> {
    if groups != 1 || large.min(small) < MIN_CHANNELS {
        return None;
    }
    let channels = |down: bool| if down { [large, small] } else { [small, large] };
    let both = |cost: &dyn Fn(bool) -> f64| cost(true) + cost(false);
    let direct = both(&|down| {
        let positions = if down {
            geometry.output
        } else {
            geometry.input
        };
        direct_cost(geometry, volume(positions), channels(down))
    });
    let at_points = choices(geometry).iter().map(|&points| {
        let cost = both(&|down| cost_at_points(geometry, points, down, channels(down)));
        (points, cost)
    });
    let (points, cost) = at_points.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (cost < direct).then_some(points)
}

/// Whether a convolution of blocks at points takes less time than the convolution whose blocks they are, directly.
/// `large`: channels of an image, and of a block.
pub(super) fn are_blocks_faster(
    geometry: &Geometry,
    blocks: &Geometry,
    [channels, of_block]: [usize; 2],
    small: usize,
) -> bool {
    let direct = direct_cost(geometry, volume(geometry.output), [channels, small]);
    points(blocks, of_block, small, 1)
        .is_some_and(|points| cost_at_points(blocks, points, true, [of_block, small]) < direct)
}

/// Lanes of the whole vectors that hold so many channels.
fn lanes(channels: usize) -> f64 {
    channels.next_multiple_of(LANES) as f64
}

/// Multiply-adds of a direction that is computed directly, with what it takes to pack the weight.
fn direct_cost(geometry: &Geometry, positions: usize, [from, to]: [usize; 2]) -> f64 {
    let times = IMAGES * positions as f64 + TILES_OF_WEIGHT;
    volume(geometry.kernel) as f64 * times * from as f64 * lanes(to)
}

/// The same at points, with what the transforms take.
fn cost_at_points(geometry: &Geometry, points: usize, down: bool, [from, to]: [usize; 2]) -> f64 {
    let tiles = IMAGES * tiles(geometry, points, down) as f64;
    let products = (tiles + TILES_OF_WEIGHT) * from as f64 * lanes(to);
    let transforms = TRANSFORM * (lanes(from) + lanes(to)) * tiles;
    (points * points) as f64 * (products + transforms)
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
        let cells = self.grid.window * self.grid.window;
        let (row_step, lane_step) = if self.down {
            (cells, self.from * cells)
        } else {
            (self.to * cells, cells)
        };
        Windows {
            block: self.blocks[block],
            rows: self.from,
            row_step,
            lane_step,
            points: self.grid.points,
            window: self.grid.window,
        }
    }

    /// Calls `f` with every block and some of its rows at a time, on all threads: with wide vectors a single block often
    /// has all lanes.
    fn each_rows(&self, f: impl Fn(usize, Range<usize>) + Sync) {
        let parts = self.from.div_ceil(ROWS);
        each_task(self.blocks.len() * parts, |task| {
            let (block, first) = (task / parts, task % parts * ROWS);
            f(block, first..(first + ROWS).min(self.from));
        });
    }

    /// PyTorch's layout to points.
    pub fn pack<T: Real>(&self, level: Level, weight: &[T], packed: &mut [T]) {
        let packed = SharedOutput::new(packed);
        let all = 0..self.from;
        self.each_rows(|block, some| {
            let windows = self.windows(block);
            let first = self.span(block, 0, &all).start;
            // SAFETY: the handle writes some rows of a block, which no other task does.
            let packed = unsafe { packed.share_part(first..first + self.block_len(block)) };
            let kernel = PackWindows {
                windows,
                some,
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
        let weight = SharedOutput::new(weight);
        let all = 0..self.from;
        self.each_rows(|block, some| {
            let kernel = UnpackWindows {
                windows: self.windows(block),
                some,
                packed: &packed[self.span(block, 0, &all).start..],
                // SAFETY: each lane of a block and each row has a window of its own, which one task writes.
                weight: unsafe { weight.share() },
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

/// Elements from a tile to the next one at the same point, for so many source channels.
fn tile_step(channels: usize) -> usize {
    if channels.is_multiple_of(FAR) {
        channels + SKEW
    } else {
        channels
    }
}

/// Elements from one point to the next, with so many elements for each tile.
fn pitch(tiles: usize, step: usize) -> usize {
    tiles * step + SKEW
}

/// Elements that a task works in besides its images: tiles at points, and products of a block of lanes or gradients
/// for it. `points`: of a tile.
pub fn strip_len(points: usize, source: usize, wide: usize) -> usize {
    let tiles = blocking::strip_tiles(points, source);
    let [of_source, of_block] = [tile_step(source), wide].map(|step| points * pitch(tiles, step));
    source + of_source + of_block
}

#[cfg(test)]
mod tests;
