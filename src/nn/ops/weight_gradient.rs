//! Weight gradient of a convolution: source times output gradient, summed over all positions.
//!
//! A batch is summed in fixed parts, added in order; blocks of lanes, and pieces of rows where a weight is
//! large, are tasks too. So results do not depend on the number of threads.

#![allow(unsafe_code)]

mod chunks;
mod side;

use super::blocking::{gradient_bands, gradient_parts, tasks_of_work, tile_images};
use super::conv_input::ConvInput;
use super::convolution::{Convolution, banded, images_per_block, rows_read, strides};
use super::packed::Part;
use super::real::Real;
use super::reduce::{add_columns, add_parts, part_of};
use super::shared_output::SharedOutput;
use super::sliding::{Margin, volume};
use super::team::each_task;
use super::tile::{Positions, WeightGradTile};
use super::winograd::{Piece, TileGradient, Winograd};
use chunks::each_chunk;
use side::Side;
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
    /// Bands that each image is cut into.
    bands: usize,
    /// Parts of the batch, or of its bands.
    parts: usize,
    /// Tasks that share the blocks of lanes.
    lane_pieces: usize,
    row_pieces: usize,
    /// Elements of a part: the packed weight, then the bias.
    stride: usize,
}

/// A task: a part of the batch, some blocks of lanes (counted over all groups), a piece of the rows.
struct Task {
    part: usize,
    blocks: Range<usize>,
    rows: Piece,
    /// Whether it also sums the bias of its part.
    sums_bias: bool,
}

impl<'a, T: Real> WeightGradient<'a, T> {
    fn cut(&self) -> Cut {
        let stride = self.packed_len() + self.bias_channels();
        let [depth, height, width] = self.convolution.output;
        let macs = self.convolution.sizes.count() * depth * height * width;
        let bands = gradient_bands(self.batch, macs, depth, height);
        let parts = gradient_parts(stride, self.batch * bands, self.batch * self.terms());
        // Every task pads or transforms its images again: as few tasks as are needed.
        let tasks = tasks_of_work(self.batch * self.macs());
        let lane_pieces = tasks.div_ceil(parts).min(self.block_count());
        Cut {
            bands,
            parts,
            lane_pieces,
            row_pieces: tasks.div_ceil(parts * lane_pieces),
            stride,
        }
    }

    /// Multiply-adds of an image, as they are computed.
    fn macs(&self) -> usize {
        match self.winograd() {
            Some(winograd) => winograd.work(),
            None => self.convolution.sizes.count() * volume(self.convolution.output),
        }
    }

    /// Tiles or positions of an image.
    fn terms(&self) -> usize {
        match self.winograd() {
            Some(winograd) => winograd.tiles(),
            None => volume(self.convolution.output),
        }
    }

    /// The plan at points, if the gradient is summed there.
    fn winograd(&self) -> Option<&Winograd> {
        self.convolution.winograd(true)
    }

    /// Elements of the packed weight.
    fn packed_len(&self) -> usize {
        self.convolution.packed_len(true)
    }

    /// Blocks of lanes of all groups.
    fn block_count(&self) -> usize {
        let plan = &self.convolution.down;
        plan.groups * plan.blocks.len()
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
        each_task(cut.parts * cut.lane_pieces * cut.row_pieces, |index| {
            // SAFETY: tasks use different elements. Each uses some rows of some blocks of its part (`rows_of`):
            // pieces of lanes have different blocks, and pieces of rows different rows (`part_of`). The bias of a
            // part is used by the one task with `sums_bias`.
            let target = unsafe { target.share() };
            self.run(target, cut, &self.task(cut, index));
        });
        add_parts(sums, cut.stride);
    }

    fn task(&self, cut: Cut, index: usize) -> Task {
        let row_piece = index % cut.row_pieces;
        let lane_piece = index / cut.row_pieces % cut.lane_pieces;
        Task {
            part: index / cut.row_pieces / cut.lane_pieces,
            blocks: part_of(self.block_count(), cut.lane_pieces, lane_piece),
            rows: Piece {
                index: row_piece,
                of: cut.row_pieces,
            },
            sums_bias: lane_piece == 0 && row_piece == 0,
        }
    }

    fn run(&self, mut target: SharedOutput<'_, T>, cut: Cut, task: &Task) {
        let start = task.part * cut.stride;
        let bias = start + self.packed_len()..start + cut.stride;
        if task.sums_bias {
            target.slice_mut(bias.clone()).fill(T::zero());
        }
        if let Some(winograd) = self.winograd() {
            return self.run_at_points(winograd, target, cut, task, bias);
        }
        for part in self.parts(task) {
            target
                .slice_mut(self.rows_of(task, start, part))
                .fill(T::zero());
        }
        self.each_block(cut, task.part, 0, |large, small, (images, band), _| {
            if task.sums_bias {
                self.add_bias(large, small, images, band, target.slice_mut(bias.clone()));
            }
            for part in self.parts(task) {
                let sums = target.slice_mut(self.rows_of(task, start, part));
                self.tile(large, small, (images, band), part, task.rows, sums);
            }
        });
    }

    /// Adds a band of some images to the sums of the bias.
    fn add_bias(&self, large: &[T], small: &[T], images: usize, band: Piece, sums: &mut [T]) {
        let (side, margin) = if self.bias_of_large {
            (large, self.large_margin())
        } else {
            (small, self.small_margin())
        };
        let channels = sums.len();
        let row = margin.padded[2] * channels;
        let image = margin.padded_cells() * channels;
        let rows = self.bias_rows(&margin, band);
        for image in side[..images * image].chunks_exact(image.max(1)) {
            add_columns(&image[rows.start * row..rows.end * row], sums);
        }
    }

    /// The rows of a side that a band adds to the bias: each row is in one of them.
    fn bias_rows(&self, margin: &Margin, band: Piece) -> Range<usize> {
        match self.winograd() {
            Some(winograd) if !self.bias_of_large => winograd.target_rows(band),
            _ => band.range(margin.padded[0] * margin.padded[1]),
        }
    }

    /// The large side as kernels read it.
    fn large_margin(&self) -> Margin {
        match self.winograd() {
            Some(winograd) => winograd.no_margin(),
            None => self.convolution.down.sliding.margin,
        }
    }

    /// The small side, which is read without zeros around it.
    fn small_margin(&self) -> Margin {
        let output = self.convolution.output;
        Margin {
            image: output,
            before: [0; 3],
            padded: output,
        }
    }

    /// The rows of both sides that a band needs.
    fn rows_needed(&self, band: Piece) -> [Range<usize>; 2] {
        let (large, small) = match self.winograd() {
            Some(winograd) => (winograd.source_rows(band), winograd.target_rows(band)),
            None => {
                let plan = &self.convolution.down;
                let width = self.large_margin().padded[2];
                let phases = plan.sliding.phases.iter().enumerate();
                let read = phases.map(|(index, phase)| {
                    let part = Part {
                        phase: index,
                        group: 0,
                        block: 0,
                    };
                    let positions = banded(self.positions(part, 1), band);
                    rows_read(phase, &positions, plan.from, width)
                });
                // Phases lie beside each other: they have the same rows.
                let large = read.max_by_key(Range::len).unwrap_or_default();
                let [depth, height, _] = self.convolution.output;
                (large, band.range(depth * height))
            }
        };
        if !self.bias_of_large {
            return [large, small];
        }
        let bias = self.bias_rows(&self.large_margin(), band);
        [large.start.min(bias.start)..large.end.max(bias.end), small]
    }

    /// The blocks of a task, in each phase.
    fn parts(&self, task: &Task) -> impl Iterator<Item = Part> {
        let plan = &self.convolution.down;
        let (phases, blocks) = (plan.sliding.phases.len(), task.blocks.clone());
        (0..phases).flat_map(move |phase| {
            let parts = blocks.clone().map(|block| plan.part(block));
            parts.map(move |part| Part { phase, ..part })
        })
    }

    /// Where a block of lanes has its positions, in so many images.
    fn positions(&self, part: Part, images: usize) -> Positions {
        let plan = &self.convolution.down;
        let phase = &plan.sliding.phases[part.phase];
        let channel = plan.first_channel(part);
        let lane = plan.first_lane(part);
        Positions {
            counts: phase.counts,
            images,
            from: strides(&phase.source, plan.from, self.large_image(), channel),
            to: strides(&phase.target, plan.to, self.small_image(), lane),
        }
    }

    fn run_at_points(
        &self,
        winograd: &Winograd,
        mut target: SharedOutput<'_, T>,
        cut: Cut,
        task: &Task,
        bias: Range<usize>,
    ) {
        let of_points = TileGradient {
            level: self.convolution.level,
            blocks: task.blocks.clone(),
            rows: task.rows.range(winograd.rows()),
            offsets: &self.convolution.rows[0],
            start: task.part * cut.stride,
        };
        let len = winograd.gradient_len();
        // The first tiles are written over what was there, instead of added to zeros.
        let mut adds = false;
        self.each_block(
            cut,
            task.part,
            len,
            |large, small, (images, band), scratch| {
                if task.sums_bias {
                    self.add_bias(large, small, images, band, target.slice_mut(bias.clone()));
                }
                let (sides, part) = ((large, small), (images, band));
                adds |=
                    winograd.add_gradient(&of_points, sides, (part, adds), &mut target, scratch);
            },
        );
        if !adds {
            winograd.clear(&of_points, &mut target);
        }
    }

    /// The elements that a task sums its rows of one block in; its part of the batch starts at `start`.
    fn rows_of(&self, task: &Task, start: usize, part: Part) -> Range<usize> {
        let plan = &self.convolution.down;
        let rows = task.rows.range(plan.rows(part.phase));
        let wide = plan.blocks[part.block].vectors * plan.width;
        let first = start + plan.span(part).start;
        first + rows.start * wide..first + rows.end * wide
    }

    fn large_image(&self) -> usize {
        self.convolution.down.sliding.margin.padded_cells() * self.convolution.down.from
    }

    fn small_image(&self) -> usize {
        self.convolution.down.sliding.targets * self.convolution.down.to
    }

    /// The sides that kernels read in place.
    fn in_place(&self) -> [Option<&'a [T]>; 2] {
        let plan = &self.convolution.down;
        if self.winograd().is_some() {
            return [self.large.plain(), self.small.plain()];
        }
        // Whole vectors are read: in a tensor the last one could end after the last element.
        let large = self.large.plain().filter(|_| {
            plan.sliding.margin.is_empty()
                && (!plan.lanewise || plan.from.is_multiple_of(plan.width))
        });
        let small = self
            .small
            .plain()
            .filter(|_| (plan.to / plan.groups).is_multiple_of(plan.width));
        [large, small]
    }

    /// Images that are read at a time.
    fn images_at_once(&self) -> usize {
        match self.winograd() {
            Some(winograd) => tile_images(winograd.tiles(), self.batch),
            None => images_per_block(&self.convolution.down, self.batch),
        }
    }

    /// Calls `f(large side, small side, (images, band), scratch)` for every block of a part's images or for its
    /// bands, both sides as kernels read them, with `len` elements to work in.
    fn each_block(
        &self,
        cut: Cut,
        part: usize,
        len: usize,
        mut f: impl FnMut(&[T], &[T], (usize, Piece), &mut [T]),
    ) {
        let plan = &self.convolution.down;
        let size = if cut.bands == 1 {
            self.images_at_once()
        } else {
            1
        };
        let [large, small] = self.in_place();
        let margins = [self.large_margin(), self.small_margin()];
        let channels = [plan.from, plan.to];
        let image = |side: usize| margins[side].padded_cells() * channels[side];
        let room = |side: usize, in_place: bool| {
            if in_place {
                0
            } else {
                size * image(side) + 4 * plan.width
            }
        };
        let rooms = [room(0, large.is_some()), room(1, small.is_some())];
        T::with_scratch(len + rooms[0] + rooms[1], |scratch| {
            let (own, scratch) = scratch.split_at_mut(len);
            let (for_large, for_small) = scratch.split_at_mut(rooms[0]);
            self.each_unit(cut, part, size, |images, band| {
                let rows = self.rows_needed(band);
                let [large_rows, small_rows] = rows;
                let side = Side {
                    in_place: large,
                    input: self.large,
                    margin: margins[0],
                    channels: plan.from,
                };
                let large = side.read(images.clone(), large_rows, for_large);
                let side = Side {
                    in_place: small,
                    input: self.small,
                    margin: margins[1],
                    channels: plan.to,
                };
                let small = side.read(images.clone(), small_rows, for_small);
                f(large, small, (images.len(), band), own);
            });
        });
    }

    /// Calls `f(images, band)` for so many images of a part at a time, or for each of its bands.
    fn each_unit(
        &self,
        cut: Cut,
        part: usize,
        size: usize,
        mut f: impl FnMut(Range<usize>, Piece),
    ) {
        let units = part_of(self.batch * cut.bands, cut.parts, part);
        if cut.bands == 1 {
            for first in units.clone().step_by(size) {
                f(first..(first + size).min(units.end), Piece::WHOLE);
            }
            return;
        }
        for unit in units {
            let image = unit / cut.bands;
            let band = Piece {
                index: unit % cut.bands,
                of: cut.bands,
            };
            f(image..image + 1, band);
        }
    }

    /// Adds the gradient of one image, both sides as kernels read them, to packed sums: of a weight that is not at points.
    pub(super) fn add_image(&self, large: &[T], small: &[T], sums: &mut [T]) {
        let plan = &self.convolution.down;
        for part in plan.parts() {
            let sums = &mut sums[plan.span(part)];
            self.tile(large, small, (1, Piece::WHOLE), part, Piece::WHOLE, sums);
        }
    }

    fn tile(
        &self,
        source: &[T],
        small: &[T],
        (images, band): (usize, Piece),
        part: Part,
        rows: Piece,
        sums: &mut [T],
    ) {
        let plan = &self.convolution.down;
        let rows = rows.range(plan.rows(part.phase));
        if rows.is_empty() {
            return;
        }
        let mut positions = banded(self.positions(part, images), band);
        if volume(positions.counts) == 0 {
            return;
        }
        positions.collapse();
        each_chunk(&positions, |positions| {
            let tile = WeightGradTile {
                source,
                from: positions.from,
                rows: &self.convolution.rows[part.phase][rows.clone()],
                small,
                at: positions.to,
                counts: positions.counts,
                images: positions.images,
                vectors: plan.blocks[part.block].vectors,
                lanewise: plan.lanewise,
                sums: &mut *sums,
                adds: true,
            };
            T::run_kernel(self.convolution.level, tile);
        });
    }
}
