//! A direction of a convolution at points.

use super::grid::TileWalk;
use super::products::Products;
use super::tiles::{InputTransform, OutputTransform};
use super::{Winograd, pitch, strip_len, tile_step};
use crate::ops::blocking::{self, even_pieces};
use crate::ops::convolution::Finish;
use crate::ops::packed::Block;
use crate::ops::real::Real;
use crate::ops::reduce::part_of;
use crate::ops::shared_output::SharedOutput;
use crate::ops::simd::Level;
use crate::ops::sliding::Margin;
use std::ops::Range;

/// One of several equal pieces.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Piece {
    pub index: usize,
    pub of: usize,
}

impl Piece {
    /// Everything.
    pub const WHOLE: Piece = Piece { index: 0, of: 1 };

    pub fn range(self, count: usize) -> Range<usize> {
        part_of(count, self.of, self.index)
    }
}

/// Some images, or a part of each, on their way through points.
pub(in crate::ops) struct TilePass<'a, T> {
    pub level: Level,
    /// The images, without any margin.
    pub source: &'a [T],
    pub images: usize,
    /// The weight at points.
    pub weight: &'a [T],
    pub finish: Finish<'a, T>,
    /// Which rows of tiles.
    pub band: Piece,
    /// Which blocks of lanes.
    pub lanes: Piece,
    /// The first element of the first target image.
    pub start: usize,
}

impl Winograd {
    /// Elements that [`Winograd::pass`] works in.
    pub fn pass_len(&self) -> usize {
        strip_len(self.points(), self.from, self.widest())
    }

    /// Images are read without a margin: tiles know where it is.
    pub fn no_margin(&self) -> Margin {
        let [height, width] = self.grid.source;
        let image = [1, height, width];
        Margin {
            image,
            before: [0; 3],
            padded: image,
        }
    }

    /// The source rows that a band of tiles reads.
    pub fn source_rows(&self, band: Piece) -> Range<usize> {
        let groups = self.grid.groups(band);
        let place = |group: usize| {
            let at = (group * self.grid.row_group()).saturating_add_signed(-self.grid.before[0]);
            at.min(self.grid.source[0])
        };
        let overlap = (self.grid.window - 1) * self.grid.dilation[0];
        let end = place(groups.end) + overlap;
        place(groups.start)..end.min(self.grid.source[0])
    }

    /// Computes target positions strip by strip: some tiles to points, their products for a block of lanes, and those to
    /// outputs.
    pub fn pass<T: Real>(
        &self,
        pass: &TilePass<'_, T>,
        mut target: SharedOutput<'_, T>,
        scratch: &mut [T],
    ) {
        let walk = TileWalk {
            grid: self.grid,
            rows: self.grid.rows(pass.band),
            images: pass.images,
        };
        let count = walk.count();
        let strip = even_pieces(count, blocking::strip_tiles(self.points(), self.from));
        let (zeros, scratch) = scratch.split_at_mut(self.from);
        let step = tile_step(self.from);
        let (points, products) = scratch.split_at_mut(self.points() * pitch(strip, step));
        zeros.fill(T::zero());
        for first in (0..count).step_by(strip.max(1)) {
            let tiles = first..(first + strip).min(count);
            let transform = InputTransform {
                source: pass.source,
                channels: self.from,
                range: 0..self.from,
                zeros,
                walk: &walk,
                tiles: tiles.clone(),
                points,
                step,
                pitch: pitch(strip, step),
            };
            T::run_kernel(pass.level, transform);
            for block in pass.lanes.range(self.blocks.len()) {
                self.products(pass, block, strip, tiles.len(), points, products);
                self.outputs(
                    pass,
                    block,
                    strip,
                    tiles.clone(),
                    &walk,
                    products,
                    &mut target,
                );
            }
        }
    }

    /// The products of so many tiles with a block of lanes, at every point.
    fn products<T: Real>(
        &self,
        pass: &TilePass<'_, T>,
        block: usize,
        strip: usize,
        tiles: usize,
        points: &[T],
        products: &mut [T],
    ) {
        let kernel = Products {
            count: self.points(),
            points,
            pitch: pitch(strip, tile_step(self.from)),
            tiles,
            rows: self.from,
            step: tile_step(self.from),
            weight: &pass.weight[self.span(block, 0, &(0..self.from)).start..],
            vectors: self.blocks[block].vectors,
            products,
            product_pitch: pitch(strip, self.wide(block)),
        };
        T::run_kernel(pass.level, kernel);
    }

    #[allow(clippy::too_many_arguments)]
    fn outputs<T: Real>(
        &self,
        pass: &TilePass<'_, T>,
        block: usize,
        strip: usize,
        tiles: Range<usize>,
        walk: &TileWalk,
        products: &[T],
        target: &mut SharedOutput<'_, T>,
    ) {
        let Block { first, lanes, .. } = self.blocks[block];
        let transform = OutputTransform {
            points: products,
            pitch: pitch(strip, self.wide(block)),
            wide: self.wide(block),
            walk,
            tiles,
            bias: pass.finish.bias.map(|bias| &bias[first..first + lanes]),
            relu: pass.finish.relu,
            target: target.reborrow(),
            start: pass.start + first,
            channels: self.to,
            lanes,
        };
        T::run_kernel(pass.level, transform);
    }
}
