//! Weight gradient of a convolution: source times output gradient, summed over all positions.
//!
//! A batch is summed in fixed parts, added in order; blocks of lanes, and pieces of rows where a weight is
//! large, are tasks too. So results do not depend on the number of threads.

#![allow(unsafe_code)]

use super::blocking::{MIN_TASKS, gradient_parts};
use super::conv_input::ConvInput;
use super::convolution::{Convolution, images_per_block, strides};
use super::real::Real;
use super::reduce::{add_columns, add_parts, part_of};
use super::shared_output::SharedOutput;
use super::sliding::Margin;
use super::tile::{Positions, WeightGradTile};
use rayon::prelude::*;
use std::ops::Range;

/// Both sides of a weight's gradient.
pub(crate) struct WeightGradient<'a, T> {
    /// Sizes and plans.
    pub convolution: &'a Convolution,
    /// The large side.
    pub large: ConvInput<'a, T>,
    /// The small side.
    pub small: ConvInput<'a, T>,
    /// Which side's sums over all positions are the gradient of the bias: true for the large one.
    pub bias_of_large: bool,
    /// Images.
    pub batch: usize,
}

/// How the work is cut: into parts of the batch, and where those are too few, into blocks of lanes and pieces
/// of rows.
#[derive(Clone, Copy)]
struct Cut {
    parts: usize,
    /// Tasks that share the blocks of lanes.
    lane_pieces: usize,
    row_pieces: usize,
    /// Elements of a part: the packed weight, then the bias.
    stride: usize,
}

/// A task: a part of the batch, some blocks of lanes (counted over all groups), some rows.
struct Task {
    part: usize,
    blocks: Range<usize>,
    rows: Range<usize>,
    /// Whether it also sums the bias of its part.
    sums_bias: bool,
}

impl<T: Real> WeightGradient<'_, T> {
    fn cut(&self) -> Cut {
        let plan = &self.convolution.down;
        let stride = plan.packed_len() + self.bias_channels();
        let parts = gradient_parts(stride, self.batch);
        // Every task pads its images again: as few tasks as are needed.
        let lane_pieces = MIN_TASKS
            .div_ceil(parts)
            .min(plan.groups * plan.blocks.len());
        Cut {
            parts,
            lane_pieces,
            row_pieces: MIN_TASKS.div_ceil(parts * lane_pieces),
            stride,
        }
    }

    fn bias_channels(&self) -> usize {
        let plan = &self.convolution.down;
        if self.bias_of_large {
            plan.from
        } else {
            plan.to
        }
    }

    /// Elements that [`WeightGradient::sum`] works in.
    pub(crate) fn scratch_len(&self) -> usize {
        let cut = self.cut();
        cut.parts * cut.stride
    }

    /// Leaves the packed weight gradient, followed by the bias gradient, at the start of `sums`, which has
    /// [`WeightGradient::scratch_len`] elements.
    pub fn sum(&self, sums: &mut [T]) {
        let cut = self.cut();
        let target = SharedOutput::new(sums);
        (0..cut.parts * cut.lane_pieces * cut.row_pieces)
            .into_par_iter()
            .for_each(|index| {
                // SAFETY: tasks use different elements. Each uses some rows of some blocks of its part
                // (`rows_of`): pieces of lanes have different blocks, and pieces of rows different rows
                // (`part_of`). The bias of a part is used by the one task with `sums_bias`.
                let target = unsafe { target.share() };
                self.run(target, cut, &self.task(cut, index));
            });
        add_parts(sums, cut.stride);
    }

    fn task(&self, cut: Cut, index: usize) -> Task {
        let plan = &self.convolution.down;
        let row_piece = index % cut.row_pieces;
        let lane_piece = index / cut.row_pieces % cut.lane_pieces;
        Task {
            part: index / cut.row_pieces / cut.lane_pieces,
            blocks: part_of(plan.groups * plan.blocks.len(), cut.lane_pieces, lane_piece),
            rows: part_of(self.convolution.rows.len(), cut.row_pieces, row_piece),
            sums_bias: lane_piece == 0 && row_piece == 0,
        }
    }

    fn run(&self, mut target: SharedOutput<'_, T>, cut: Cut, task: &Task) {
        let start = task.part * cut.stride;
        let bias = start + self.convolution.down.packed_len()..start + cut.stride;
        if task.sums_bias {
            target.slice_mut(bias.clone()).fill(T::zero());
        }
        for block in task.blocks.clone() {
            target
                .slice_mut(self.rows_of(task, start, block))
                .fill(T::zero());
        }
        self.each_block(cut, task.part, |large, small, images| {
            if task.sums_bias {
                let (side, image) = if self.bias_of_large {
                    (large, self.large_image())
                } else {
                    (small, self.small_image())
                };
                add_columns(&side[..images * image], target.slice_mut(bias.clone()));
            }
            for block in task.blocks.clone() {
                let sums = target.slice_mut(self.rows_of(task, start, block));
                self.tile(large, small, images, block, task.rows.clone(), sums);
            }
        });
    }

    /// The elements that a task sums its rows of one block in; its part starts at `start`.
    fn rows_of(&self, task: &Task, start: usize, block: usize) -> Range<usize> {
        let plan = &self.convolution.down;
        let part = plan.part(block);
        let wide = plan.blocks[part.block].vectors * plan.width;
        let first = start + plan.span(part).start;
        first + task.rows.start * wide..first + task.rows.end * wide
    }

    fn large_image(&self) -> usize {
        self.convolution.down.sliding.margin.padded_cells() * self.convolution.down.from
    }

    fn small_image(&self) -> usize {
        self.convolution.down.sliding.targets * self.convolution.down.to
    }

    /// Calls `f(large side, small side, images)` for every block of a part's images, both as kernels read them.
    fn each_block(&self, cut: Cut, part: usize, mut f: impl FnMut(&[T], &[T], usize)) {
        let plan = &self.convolution.down;
        let images = part_of(self.batch, cut.parts, part);
        let size = images_per_block(plan, self.batch);
        let output = plan.sliding.phases[0].counts;
        let no_margin = Margin {
            image: output,
            before: [0; 3],
            padded: output,
        };
        let spare = 4 * plan.width;
        // Whole vectors are read: in a tensor the last one could end after the last element.
        let large = self.large.plain().filter(|_| {
            plan.sliding.margin.is_empty()
                && (!plan.lanewise || plan.from.is_multiple_of(plan.width))
        });
        let small = self
            .small
            .plain()
            .filter(|_| (plan.to / plan.groups).is_multiple_of(plan.width));
        let room = |image: usize, in_place: bool| if in_place { 0 } else { size * image + spare };
        let for_large = room(self.large_image(), large.is_some());
        T::with_scratch(
            for_large + room(self.small_image(), small.is_some()),
            |scratch| {
                let (for_large, for_small) = scratch.split_at_mut(for_large);
                for first in images.clone().step_by(size) {
                    let block = first..(first + size).min(images.end);
                    let large = read(
                        large,
                        self.large,
                        block.clone(),
                        &plan.sliding.margin,
                        plan.from,
                        for_large,
                    );
                    let small = read(
                        small,
                        self.small,
                        block.clone(),
                        &no_margin,
                        plan.to,
                        for_small,
                    );
                    f(large, small, block.len());
                }
            },
        );
    }

    fn tile(
        &self,
        source: &[T],
        small: &[T],
        images: usize,
        block: usize,
        rows: Range<usize>,
        sums: &mut [T],
    ) {
        if rows.is_empty() {
            return;
        }
        let plan = &self.convolution.down;
        let part = plan.part(block);
        let phase = &plan.sliding.phases[0];
        let channel = plan.first_channel(part);
        let lane = plan.first_lane(part);
        let mut positions = Positions {
            counts: phase.counts,
            images,
            from: strides(&phase.source, plan.from, self.large_image(), channel),
            to: strides(&phase.target, plan.to, self.small_image(), lane),
        };
        positions.collapse();
        let tile = WeightGradTile {
            source,
            from: positions.from,
            rows: &self.convolution.rows[rows],
            small,
            at: positions.to,
            counts: positions.counts,
            images: positions.images,
            vectors: plan.blocks[part.block].vectors,
            lanewise: plan.lanewise,
            sums,
        };
        T::run_kernel(self.convolution.level, tile);
    }
}

/// Images in place, or written into scratch with their margin.
fn read<'a, T: Real>(
    in_place: Option<&'a [T]>,
    input: ConvInput<'a, T>,
    images: Range<usize>,
    margin: &Margin,
    channels: usize,
    scratch: &'a mut [T],
) -> &'a [T] {
    let image = margin.padded_cells() * channels;
    match in_place {
        Some(numbers) => &numbers[images.start * image..images.end * image],
        None => {
            input.write_padded(images, margin, channels, scratch);
            scratch
        }
    }
}
