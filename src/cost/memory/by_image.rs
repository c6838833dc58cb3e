//! What a separable convolution needs that is computed image by image: nothing is kept between its parts.

use super::Machine;
use super::kernels::{Ends, Kernel, Scratch, volume};
use strata_nn::ops::blocking::PARTS;
use strata_nn::ops::product::{DensePass, is_by_image};

/// The two kernels of a separable convolution on a batch.
pub(crate) struct ByImage<'a> {
    depthwise: &'a Kernel,
    outputs: u64,
    batch: u64,
    machine: Machine,
}

impl ByImage<'_> {
    /// Of a layer's kernels, if they are computed so. `ends`: of the last one.
    pub fn of(kernels: &[Kernel], ends: Ends, batch: u64, machine: Machine) -> Option<ByImage<'_>> {
        let [depthwise, pointwise] = kernels else {
            return None;
        };
        let (channels, outputs) = (depthwise.large as usize, pointwise.small as usize);
        let by_image =
            !ends.pooled && is_by_image(&depthwise.geometry, channels, outputs, batch as usize);
        by_image.then_some(ByImage {
            depthwise,
            outputs: pointwise.small,
            batch,
            machine,
        })
    }

    fn product(&self) -> DensePass {
        DensePass {
            batch: self.batch.saturating_mul(self.positions()) as usize,
            inputs: self.depthwise.large as usize,
            outputs: self.outputs as usize,
        }
    }

    fn positions(&self) -> u64 {
        volume(self.depthwise.geometry.output)
    }

    fn between(&self) -> u64 {
        self.positions().saturating_mul(self.depthwise.large)
    }

    /// Numbers of the depthwise weight packed for a direction.
    pub fn packed(&self, down: bool) -> u64 {
        self.depthwise.packed(down, self.machine)
    }

    /// Numbers that all tasks share.
    pub fn shared(&self) -> u64 {
        let product = self.product().scratch() as u64;
        product.saturating_add(PARTS as u64 * self.packed(true))
    }

    /// Numbers of an image laid out for a direction.
    fn laid(&self, down: bool) -> u64 {
        let (cells, padded) = self.depthwise.source_cells(down);
        let (channels, lanes) = (self.depthwise.large, self.machine.lanes.max(1));
        let in_place = cells == padded && channels.is_multiple_of(lanes);
        let image = if in_place {
            0
        } else {
            padded.saturating_mul(channels)
        };
        image.saturating_add(4 * lanes)
    }

    pub fn forward(&self) -> Scratch {
        Scratch {
            tasks: self.batch,
            numbers: self.between().saturating_add(self.laid(true)),
        }
    }

    pub fn backward(&self) -> Scratch {
        let product = self.product().task_scratch::<f32>() as u64;
        let between = self.between().saturating_mul(2);
        let room = self.machine.lanes.saturating_add(self.laid(true));
        Scratch {
            tasks: PARTS as u64,
            numbers: between
                .saturating_add(room)
                .saturating_add(product.max(self.laid(false))),
        }
    }
}
