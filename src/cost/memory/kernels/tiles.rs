//! What the kernels at points work in.

use super::{Ends, Kernel, Scratch, volume};
use crate::memory::Machine;
use strata_nn::ops::blocking::{self, TileCut};
use strata_nn::ops::winograd;

/// A direction that is computed at points.
pub(super) struct Tiles {
    down: bool,
    /// Points of a tile.
    points: usize,
    /// Tiles of an image.
    count: usize,
    /// Blocks of lanes, and lanes of the widest.
    blocks: u64,
    widest: u64,
    /// Multiply-adds for an image.
    pub work: u64,
}

impl Tiles {
    pub fn new(kernel: &Kernel, points: usize, down: bool, machine: Machine) -> Tiles {
        let count = winograd::tiles(&kernel.geometry, points, down);
        let lanes = machine.lanes.max(1);
        let vectors = kernel.channels(down).1.div_ceil(lanes);
        let most = if lanes == 16 { 4 } else { 2 };
        let blocks = vectors.div_ceil(most).max(1);
        Tiles {
            down,
            points: points * points,
            count,
            blocks,
            widest: vectors.div_ceil(blocks).saturating_mul(lanes),
            work: kernel.packed(down, machine).saturating_mul(count as u64),
        }
    }

    pub fn cut(&self, batch: u64) -> TileCut {
        let (blocks, work) = (self.blocks as usize, self.work as usize);
        blocking::tile_cut(self.count, blocks, work, batch as usize)
    }

    fn strip(&self, kernel: &Kernel) -> u64 {
        let source = kernel.channels(self.down).0;
        winograd::strip_len(self.points, source as usize, self.widest as usize) as u64
    }

    pub fn pass(&self, kernel: &Kernel, batch: u64, ends: Ends, is_forward: bool) -> Scratch {
        let (cut, (from, to)) = (self.cut(batch), kernel.channels(self.down));
        let shares = cut.bands * cut.pieces;
        let pooled = is_forward && ends.pooled && shares == 1;
        let written = if !is_forward && ends.laid {
            kernel.source_cells(self.down).0.saturating_mul(from)
        } else {
            0
        };
        let image = if pooled {
            kernel.targets(self.down).saturating_mul(to)
        } else {
            0
        };
        let images = cut.images as u64;
        Scratch {
            tasks: batch.div_ceil(images) * shares as u64,
            numbers: images
                .saturating_mul(written.saturating_add(image))
                .saturating_add(self.strip(kernel)),
        }
    }

    pub fn weight_gradient(&self, kernel: &Kernel, batch: u64, ends: Ends) -> Scratch {
        // The side of the output is written out where something behind it is computed along.
        let written = match (ends.laid, kernel.transposed) {
            (false, _) => 0,
            (true, true) => volume(kernel.geometry.input).saturating_mul(kernel.large),
            (true, false) => volume(kernel.geometry.output).saturating_mul(kernel.small),
        };
        let images = match kernel.gradient_bands(batch) {
            1 => blocking::tile_images(self.count, batch as usize) as u64,
            _ => 1,
        };
        Scratch {
            tasks: blocking::MIN_TASKS as u64,
            numbers: images
                .saturating_mul(written)
                .saturating_add(self.strip(kernel)),
        }
    }
}
