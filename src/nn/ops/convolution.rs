//! Convolution on the CPU, in three directions that serve convolution and transposed convolution alike.
//!
//! "Large" is the side the window slides over, "small" the side of window positions: a convolution maps
//! large to small, its transpose small to large, and the gradient of the weight pairs both. Work is cut
//! into blocks of images by sizes alone, so that results do not depend on the number of threads.

#![allow(unsafe_code)]

use super::blocking;
use super::conv_input::ConvInput;
use super::packed::{ConvPlan, WeightSizes};
use super::pooling::max_of_image;
use super::real::Real;
use super::simd::{Level, Vectors};
use super::sliding::{Sliding, volume};
use super::taps::Taps;
use super::tile::{ConvTile, Positions, SharedOutput, Strides};
use crate::shape::op::Geometry;
use rayon::prelude::*;
use std::ops::Range;

/// A convolution of known sizes.
#[derive(Clone, Debug)]
pub struct Convolution {
    // Not to be changed from outside: that tasks write different positions follows from these.
    pub(super) down: ConvPlan,
    pub(super) up: ConvPlan,
    /// The weight.
    pub sizes: WeightSizes,
    /// How far each row of the packed weight (down) lies from a position's place.
    pub(super) rows: Vec<usize>,
    pub(super) level: Level,
}

impl Convolution {
    /// The plans for a window and channels.
    pub fn new<T: Vectors>(
        geometry: &Geometry,
        large: usize,
        small: usize,
        groups: usize,
    ) -> Convolution {
        Convolution::at::<T>(Level::chosen(), geometry, large, small, groups)
    }

    /// The same at an instruction level.
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

    /// The plan of a direction.
    pub fn plan(&self, down: bool) -> &ConvPlan {
        if down { &self.down } else { &self.up }
    }
}

/// What happens to every output of a convolution before it is written.
#[derive(Clone, Copy)]
pub struct Finish<'a, T> {
    /// A number a channel, added.
    pub bias: Option<&'a [T]>,
    /// Whether negative outputs become 0.
    pub relu: bool,
}

impl<T> Finish<'_, T> {
    /// Nothing.
    pub const NONE: Self = Finish {
        bias: None,
        relu: false,
    };
}

/// A convolution of one direction with its packed weight.
#[derive(Clone, Copy)]
pub struct ConvPass<'a, T> {
    /// The sizes.
    pub convolution: &'a Convolution,
    /// Large to small, or back.
    pub down: bool,
    /// The weight, by [`ConvPlan::pack`] of that direction.
    pub weight: &'a [T],
    /// The source.
    pub input: ConvInput<'a, T>,
    /// Bias and activation.
    pub finish: Finish<'a, T>,
}

/// A part of the positions: along one axis, from where and how many.
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

    /// Numbers of a target image.
    fn target_image(&self) -> usize {
        self.plan().sliding.targets * self.plan().to
    }

    /// Computes every target cell.
    pub fn compute(&self, target: &mut [T]) {
        let image = self.target_image();
        let batch = target.len() / image.max(1);
        let size = images_per_block(self.plan(), batch);
        let (blocks, bands) = (batch.div_ceil(size), self.bands(batch, size));
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

    /// Computes every target cell and keeps the maximum of each window, with its cell.
    pub fn compute_pooled(
        &self,
        taps: &Taps,
        relu_after: bool,
        pooled: &mut [T],
        indices: &mut [u32],
    ) {
        let (image, channels) = (self.target_image(), self.plan().to);
        let pooled_image = taps.positions * channels;
        let batch = pooled.len() / pooled_image.max(1);
        let size = images_per_block(self.plan(), batch);
        let blocks = pooled
            .par_chunks_mut(size * pooled_image)
            .zip(indices.par_chunks_mut(size * pooled_image));
        blocks.enumerate().for_each(|(block, (pooled, indices))| {
            let images = block * size..(block * size + pooled.len() / pooled_image);
            // The source is laid into scratch of its own inside.
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

    /// Bands that single large images are cut into.
    fn bands(&self, batch: usize, size: usize) -> usize {
        let macs = self.weight.len() * self.plan().sliding.targets;
        blocking::bands(batch.div_ceil(size), macs)
    }

    /// Scratch numbers for the source of so many images; 0 where it is read in place.
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
            Some(numbers) => {
                self.products(
                    &numbers[images.start * image..images.end * image],
                    count,
                    target,
                    start,
                    band,
                );
            }
            None => {
                self.input
                    .write_padded(images, &plan.sliding.margin, plan.from, scratch);
                self.products(scratch, count, target, start, band);
            }
        }
    }

    fn products(
        &self,
        source: &[T],
        images: usize,
        mut target: SharedOutput<'_, T>,
        start: usize,
        band: Band,
    ) {
        let plan = self.plan();
        for (index, phase) in plan.sliding.phases.iter().enumerate() {
            let scaled = |step: [usize; 3], channels: usize| step.map(|step| step * channels);
            let path = |walk: &super::sliding::Walk,
                        channels: usize,
                        image: usize,
                        first: usize| Strides {
                start: walk.start * channels + first,
                step: scaled(walk.step, channels),
                image,
            };
            let source_image = plan.sliding.margin.padded_cells() * plan.from;
            for group in 0..plan.groups {
                let from = path(
                    &phase.source,
                    plan.from,
                    source_image,
                    group * (plan.from / plan.groups),
                );
                for (b, block) in plan.blocks.iter().enumerate() {
                    let lane = group * (plan.to / plan.groups) + block.first;
                    let first = if plan.lanewise {
                        Strides {
                            start: from.start + block.first,
                            ..from
                        }
                    } else {
                        from
                    };
                    let to = path(&phase.target, plan.to, self.target_image(), start + lane);
                    let mut cells = banded(
                        Positions {
                            counts: phase.counts,
                            images,
                            from: first,
                            to,
                        },
                        band,
                    );
                    if volume(cells.counts) == 0 {
                        continue;
                    }
                    cells.collapse();
                    let Positions {
                        counts,
                        images,
                        from,
                        to,
                    } = cells;
                    let product = ConvTile {
                        source,
                        from,
                        counts,
                        images,
                        runs: &plan.runs[index],
                        weight: &self.weight[plan.span(index, group, b)],
                        vectors: block.vectors,
                        lanes: block.lanes,
                        bias: self.finish.bias.map(|bias| &bias[lane..lane + block.lanes]),
                        relu: self.finish.relu,
                        lanewise: plan.lanewise,
                        target: target.reborrow(),
                        to,
                    };
                    T::run_kernel(self.convolution.level, product);
                }
            }
        }
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

/// The part of the positions that a band has: a piece of the first axis that has several.
fn banded(mut cells: Positions, band: Band) -> Positions {
    let axis = cells
        .counts
        .iter()
        .position(|&count| count > 1)
        .unwrap_or(2);
    let size = cells.counts[axis].div_ceil(band.of);
    let first = (band.index * size).min(cells.counts[axis]);
    cells.counts[axis] = size.min(cells.counts[axis] - first);
    cells.from.start += first * cells.from.step[axis];
    cells.to.start += first * cells.to.step[axis];
    cells
}

#[cfg(test)]
mod tests;
