//! Convolution on the CPU, in three directions that serve convolution and transposed convolution alike.
//!
//! "Large" is the side the window slides over, "small" the side of window positions: a convolution maps
//! large to small, its transpose small to large, and the weight gradient pairs both. Work is cut into blocks
//! of images only by sizes, so that results do not depend on the number of threads.

#![allow(unsafe_code)]

use super::blocking;
use super::conv_input::ConvInput;
use super::packed::{ConvPlan, Part, WeightSizes};
use super::pooling::max_of_image;
use super::real::Real;
use super::shared_output::SharedOutput;
use super::simd::{Level, Vectors};
use super::sliding::{Sliding, Walk, volume};
use super::taps::Taps;
use super::tile::{ConvTile, Positions, Strides};
use rayon::prelude::*;
use std::ops::Range;
use strata_core::shape::op::Geometry;

/// A convolution of known sizes.
#[derive(Clone, Debug)]
pub struct Convolution {
    // Not public: that tasks write different positions follows from these.
    pub(super) down: ConvPlan,
    pub(super) up: ConvPlan,
    /// Sizes of the weight.
    pub sizes: WeightSizes,
    /// Source offset of each row of the packed weight (down), from a position's first element.
    pub(super) rows: Vec<usize>,
    pub(super) level: Level,
}

impl Convolution {
    /// A convolution at the best instruction level of this machine.
    pub fn new<T: Vectors>(
        geometry: &Geometry,
        large: usize,
        small: usize,
        groups: usize,
    ) -> Convolution {
        Convolution::at::<T>(Level::chosen(), geometry, large, small, groups)
    }

    /// A convolution at an instruction level.
    pub fn at<T: Vectors>(
        level: Level,
        geometry: &Geometry,
        large: usize,
        small: usize,
        groups: usize,
    ) -> Convolution {
        let sizes = WeightSizes {
            large,
            small,
            groups,
            cells: volume(geometry.kernel),
        };
        let down = ConvPlan::new::<T>(Sliding::down(geometry), sizes, true, level);
        let up = ConvPlan::new::<T>(Sliding::up(geometry), sizes, false, level);
        let rows = down.runs[0]
            .iter()
            .flat_map(|run| run.offset..run.offset + run.len)
            .collect();
        Convolution {
            down,
            up,
            sizes,
            rows,
            level,
        }
    }

    /// The plan of a direction: large to small, or back.
    pub fn plan(&self, down: bool) -> &ConvPlan {
        if down { &self.down } else { &self.up }
    }
}

/// Bias and activation, applied to every output before it is written.
#[derive(Clone, Copy)]
pub struct Finish<'a, T> {
    /// One value per channel.
    pub bias: Option<&'a [T]>,
    /// Whether negative outputs become 0.
    pub relu: bool,
}

impl<T> Finish<'_, T> {
    /// Neither bias nor activation.
    pub const NONE: Self = Finish {
        bias: None,
        relu: false,
    };
}

/// A convolution of one direction with its packed weight.
#[derive(Clone, Copy)]
pub(crate) struct ConvPass<'a, T> {
    /// Sizes and plans.
    pub convolution: &'a Convolution,
    /// Whether it maps large to small.
    pub down: bool,
    /// The weight, by [`ConvPlan::pack`] of that direction.
    pub weight: &'a [T],
    /// The source.
    pub input: ConvInput<'a, T>,
    /// Bias and activation.
    pub finish: Finish<'a, T>,
}

/// One of several equal pieces of the positions, along one axis.
#[derive(Clone, Copy)]
struct Band {
    index: usize,
    of: usize,
}

const WHOLE: Band = Band { index: 0, of: 1 };

impl<T: Real> ConvPass<'_, T> {
    fn plan(&self) -> &ConvPlan {
        self.convolution.plan(self.down)
    }

    /// Elements of a target image.
    fn target_image(&self) -> usize {
        self.plan().sliding.targets * self.plan().to
    }

    /// Computes every target position.
    pub fn compute(&self, target: &mut [T]) {
        let image = self.target_image();
        let batch = target.len() / image.max(1);
        let size = images_per_block(self.plan(), batch);
        let blocks = batch.div_ceil(size);
        let bands = self.bands(batch, size);
        let target = SharedOutput::new(target);
        let task = |task: usize| {
            let first = task / bands * size;
            let images = first..(first + size).min(batch);
            let band = Band {
                index: task % bands,
                of: bands,
            };
            // SAFETY: tasks write different positions. Blocks have different images; the bands of an image
            // have different pieces of one axis in every phase (`banded`), and no position is in two
            // phases.
            let target = unsafe { target.share() };
            self.block(images, target, first * image, band);
        };
        if blocks * bands == 1 {
            task(0)
        } else {
            (0..blocks * bands).into_par_iter().for_each(task)
        }
    }

    /// Computes every target position and keeps the maximum of each window, with its index.
    pub(crate) fn compute_pooled(
        &self,
        taps: &Taps,
        relu_after: bool,
        pooled: &mut [T],
        indices: &mut [u32],
    ) {
        let image = self.target_image();
        let channels = self.plan().to;
        let pooled_image = taps.positions * channels;
        let batch = pooled.len() / pooled_image.max(1);
        let size = images_per_block(self.plan(), batch);
        let blocks = pooled
            .par_chunks_mut(size * pooled_image)
            .zip(indices.par_chunks_mut(size * pooled_image));
        blocks.enumerate().for_each(|(block, (pooled, indices))| {
            let images = block * size..(block * size + pooled.len() / pooled_image);
            // One scratch for both: the unpooled target, then the padded source.
            T::with_scratch(
                images.len() * (image + self.source_len(1)) + self.plan().width * 4,
                |scratch| {
                    let (target, source) = scratch.split_at_mut(images.len() * image);
                    self.block_with(images, SharedOutput::new(target), 0, WHOLE, source);
                    let each = pooled
                        .chunks_exact_mut(pooled_image)
                        .zip(indices.chunks_exact_mut(pooled_image));
                    for ((pooled, indices), target) in each.zip(target.chunks_exact(image)) {
                        max_of_image(taps, channels, target, pooled, indices, relu_after);
                    }
                },
            );
        });
    }

    /// Bands that each image is cut into.
    fn bands(&self, batch: usize, size: usize) -> usize {
        let macs = self.weight.len() * self.plan().sliding.targets;
        blocking::bands(batch.div_ceil(size), macs)
    }

    /// Scratch elements for the padded source of so many images; 0 where it is read in place.
    fn source_len(&self, images: usize) -> usize {
        let plan = self.plan();
        if self.reads_in_place() {
            0
        } else {
            images * plan.sliding.margin.padded_cells() * plan.from
        }
    }

    fn reads_in_place(&self) -> bool {
        let plan = self.plan();
        let spare_lanes = plan.lanewise && !plan.from.is_multiple_of(plan.width);
        self.input.plain().is_some() && plan.sliding.margin.is_empty() && !spare_lanes
    }

    fn block(&self, images: Range<usize>, target: SharedOutput<'_, T>, start: usize, band: Band) {
        let len = self.source_len(images.len()) + 4 * self.plan().width;
        T::with_scratch(len, |scratch| {
            self.block_with(images, target, start, band, scratch)
        });
    }

    fn block_with(
        &self,
        images: Range<usize>,
        target: SharedOutput<'_, T>,
        start: usize,
        band: Band,
        scratch: &mut [T],
    ) {
        let plan = self.plan();
        let image = plan.sliding.margin.padded_cells() * plan.from;
        let count = images.len();
        match self.input.plain().filter(|_| self.reads_in_place()) {
            Some(input) => {
                let source = &input[images.start * image..images.end * image];
                self.tiles(source, count, target, start, band);
            }
            None => {
                self.input
                    .write_padded(images, &plan.sliding.margin, plan.from, scratch);
                self.tiles(scratch, count, target, start, band);
            }
        }
    }

    fn tiles(
        &self,
        source: &[T],
        images: usize,
        mut target: SharedOutput<'_, T>,
        start: usize,
        band: Band,
    ) {
        let plan = self.plan();
        for part in plan.parts() {
            let mut positions = banded(self.positions(part, images, start), band);
            if volume(positions.counts) == 0 {
                continue;
            }
            positions.collapse();
            let block = plan.blocks[part.block];
            let lane = plan.first_lane(part);
            let tile = ConvTile {
                source,
                from: positions.from,
                counts: positions.counts,
                images: positions.images,
                runs: &plan.runs[part.phase],
                weight: &self.weight[plan.span(part)],
                vectors: block.vectors,
                lanes: block.lanes,
                bias: self.finish.bias.map(|bias| &bias[lane..lane + block.lanes]),
                relu: self.finish.relu,
                lanewise: plan.lanewise,
                target: target.reborrow(),
                to: positions.to,
            };
            T::run_kernel(self.convolution.level, tile);
        }
    }

    /// Every position of a part's phase: where it reads its group's channels and writes its block's lanes.
    fn positions(&self, part: Part, images: usize, start: usize) -> Positions {
        let plan = self.plan();
        let phase = &plan.sliding.phases[part.phase];
        let source_image = plan.sliding.margin.padded_cells() * plan.from;
        let channel = plan.first_channel(part);
        let lane = plan.first_lane(part);
        Positions {
            counts: phase.counts,
            images,
            from: strides(&phase.source, plan.from, source_image, channel),
            to: strides(&phase.target, plan.to, self.target_image(), start + lane),
        }
    }
}

/// A walk over positions as steps over elements, beginning with element `first` of a position.
pub(super) fn strides(walk: &Walk, channels: usize, image: usize, first: usize) -> Strides {
    Strides {
        start: walk.start * channels + first,
        step: walk.step.map(|step| step * channels),
        image,
    }
}

/// Images that one task takes at a time, by the phase with the fewest positions.
pub(super) fn images_per_block(plan: &ConvPlan, batch: usize) -> usize {
    let positions = plan
        .sliding
        .phases
        .iter()
        .map(|phase| phase.positions())
        .min()
        .unwrap_or(1);
    blocking::images_per_task(positions, batch)
}

/// The positions of a band: a piece of the first axis that has several.
fn banded(mut positions: Positions, band: Band) -> Positions {
    let axis = positions
        .counts
        .iter()
        .position(|&count| count > 1)
        .unwrap_or(2);
    let size = positions.counts[axis].div_ceil(band.of);
    let first = (band.index * size).min(positions.counts[axis]);
    positions.counts[axis] = size.min(positions.counts[axis] - first);
    positions.from.start += first * positions.from.step[axis];
    positions.to.start += first * positions.to.step[axis];
    positions
}

#[cfg(test)]
mod tests;
