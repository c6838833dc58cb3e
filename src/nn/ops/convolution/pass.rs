//! A direction of a convolution on a batch, cut into tasks.

#![allow(unsafe_code)]

use super::{Convolution, Finish, banded, images_per_block, rows_read, strides};
use crate::ops::blocking::{self, TileCut};
use crate::ops::conv_input::ConvInput;
use crate::ops::packed::{ConvPlan, Part};
use crate::ops::pooling::{max_of_images, max_of_piece};
use crate::ops::real::Real;
use crate::ops::shared_output::SharedOutput;
use crate::ops::sliding::volume;
use crate::ops::taps::Taps;
use crate::ops::team::{each_chunk_of_both, each_task};
use crate::ops::tile::{ConvTile, Positions};
use crate::ops::winograd::{Piece, TilePass, Winograd};
use std::ops::Range;

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

/// What a task computes of its images.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Share {
    band: Piece,
    lanes: Piece,
}

pub(in crate::ops) const WHOLE: Share = Share {
    band: Piece::WHOLE,
    lanes: Piece::WHOLE,
};

/// The block of images of a task, and what it computes of them.
fn task_of(cut: TileCut, task: usize) -> (usize, Share) {
    let (rest, piece) = (task / cut.pieces, task % cut.pieces);
    let share = Share {
        band: Piece {
            index: rest % cut.bands,
            of: cut.bands,
        },
        lanes: Piece {
            index: piece,
            of: cut.pieces,
        },
    };
    (rest / cut.bands, share)
}

impl<T: Real> ConvPass<'_, T> {
    fn plan(&self) -> &ConvPlan {
        self.convolution.plan(self.down)
    }

    /// Elements of a target image.
    fn target_image(&self) -> usize {
        self.plan().sliding.targets * self.plan().to
    }

    /// The plan at points, if that is how this direction is computed.
    fn winograd(&self) -> Option<&Winograd> {
        self.convolution.winograd(self.down)
    }

    /// Computes every target position.
    pub fn compute(&self, target: &mut [T]) {
        let image = self.target_image();
        let batch = target.len() / image.max(1);
        let cut = self.cut(batch);
        let tasks = batch.div_ceil(cut.images) * cut.bands * cut.pieces;
        let target = SharedOutput::new(target);
        let task = |task: usize| {
            let (block, share) = task_of(cut, task);
            let first = block * cut.images;
            let images = first..(first + cut.images).min(batch);
            // SAFETY: tasks write different positions or lanes. Blocks have different images; the bands of an
            // image have different pieces of one axis in every phase (`banded`), and no position is in two
            // phases; at points they have different rows of tiles, and pieces have different blocks of lanes.
            let target = unsafe { target.share() };
            self.run(images, target, first * image, share);
        };
        each_task(tasks, task);
    }

    /// Elements that [`ConvPass::compute_pooled`] works in with so many images, besides what each task does: none
    /// where a task computes whole images.
    pub(crate) fn unpooled_len(&self, batch: usize) -> usize {
        let cut = self.cut(batch);
        if cut.bands * cut.pieces > 1 {
            cut.images * self.target_image()
        } else {
            0
        }
    }

    /// Computes every target position and keeps the maximum of each window, with its index. `unpooled`:
    /// [`ConvPass::unpooled_len`] elements.
    pub(crate) fn compute_pooled(
        &self,
        taps: &Taps,
        relu_after: bool,
        (pooled, indices): (&mut [T], &mut [u32]),
        unpooled: &mut [T],
    ) {
        let image = self.target_image();
        let channels = self.plan().to;
        let pooled_image = taps.positions * channels;
        let batch = pooled.len() / pooled_image.max(1);
        let cut = self.cut(batch);
        let size = cut.images * pooled_image;
        if cut.bands * cut.pieces > 1 {
            let blocks = pooled.chunks_mut(size).zip(indices.chunks_mut(size));
            for (block, (pooled, indices)) in blocks.enumerate() {
                let first = block * cut.images;
                let images = first..first + pooled.len() / pooled_image;
                let unpooled = &mut unpooled[..images.len() * image];
                let target = SharedOutput::new(&mut *unpooled);
                each_task(cut.bands * cut.pieces, |task| {
                    let (_, share) = task_of(cut, task);
                    // SAFETY: as in `compute`: tasks of the same images write different positions or lanes.
                    let target = unsafe { target.share() };
                    self.run(images.clone(), target, 0, share);
                });
                max_of_images(taps, channels, unpooled, pooled, indices, relu_after);
            }
            return;
        }
        each_chunk_of_both((pooled, indices), size, |block, pooled, indices| {
            let first = block * cut.images;
            let images = first..first + pooled.len() / pooled_image;
            // One scratch for both: the unpooled target, then what the kernels work in.
            let len = images.len() * image + self.work_len(images.len());
            T::with_scratch(len, |scratch| {
                let (target, scratch) = scratch.split_at_mut(images.len() * image);
                self.share(images, SharedOutput::new(target), 0, WHOLE, scratch);
                let each = pooled
                    .chunks_exact_mut(pooled_image)
                    .zip(indices.chunks_exact_mut(pooled_image));
                for ((pooled, indices), target) in each.zip(target.chunks_exact(image)) {
                    max_of_piece(taps, 0, channels, (target, 0), pooled, indices, relu_after);
                }
            });
        });
    }

    /// Computes a share of some images, which begin at `start` in the target, in scratch of this thread.
    fn run(&self, images: Range<usize>, target: SharedOutput<'_, T>, start: usize, share: Share) {
        T::with_scratch(self.work_len(images.len()), |scratch| {
            self.share(images, target, start, share, scratch)
        });
    }

    fn cut(&self, batch: usize) -> TileCut {
        if let Some(winograd) = self.winograd() {
            let (tiles, blocks) = (winograd.tiles(), winograd.block_count());
            return blocking::tile_cut(tiles, blocks, winograd.work(), batch);
        }
        let images = images_per_block(self.plan(), batch);
        let macs = self.plan().len_apart * self.plan().sliding.targets;
        TileCut {
            images,
            bands: blocking::bands(batch.div_ceil(images), macs),
            pieces: 1,
        }
    }

    /// Scratch elements for so many images.
    pub(in crate::ops) fn work_len(&self, images: usize) -> usize {
        let plan = self.plan();
        match self.winograd() {
            Some(winograd) => {
                let in_place = self.input.plain().is_some();
                let image = if in_place {
                    0
                } else {
                    winograd.cells()[0] * plan.from
                };
                images * image + winograd.pass_len()
            }
            None => {
                let in_place = self.reads_in_place();
                let image = if in_place { 0 } else { self.source_image() };
                images * image + 4 * plan.width
            }
        }
    }

    /// Elements of a padded source image.
    fn source_image(&self) -> usize {
        self.plan().sliding.margin.padded_cells() * self.plan().from
    }

    pub(in crate::ops) fn reads_in_place(&self) -> bool {
        let plan = self.plan();
        let spare_lanes = plan.lanewise && !plan.from.is_multiple_of(plan.width);
        self.input.plain().is_some() && plan.sliding.margin.is_empty() && !spare_lanes
    }

    /// Computes a share of some images, which begin at `start` in the target; `scratch`: [`ConvPass::work_len`].
    pub(in crate::ops) fn share(
        &self,
        images: Range<usize>,
        target: SharedOutput<'_, T>,
        start: usize,
        share: Share,
        scratch: &mut [T],
    ) {
        let count = images.len();
        if let Some(winograd) = self.winograd() {
            let image = winograd.cells()[0] * self.plan().from;
            let in_place = self.input.plain();
            let room = if in_place.is_some() { 0 } else { count * image };
            let (written, scratch) = scratch.split_at_mut(room);
            let source = match in_place {
                Some(input) => &input[images.start * image..images.end * image],
                None => {
                    let (margin, rows) = (winograd.no_margin(), winograd.source_rows(share.band));
                    self.input
                        .write_rows(images, &margin, self.plan().from, rows, written);
                    written
                }
            };
            let pass = TilePass {
                level: self.convolution.level,
                source,
                images: count,
                weight: self.weight,
                finish: self.finish,
                band: share.band,
                lanes: share.lanes,
                start,
            };
            return winograd.pass(&pass, target, scratch);
        }
        match self.input.plain().filter(|_| self.reads_in_place()) {
            Some(input) => {
                let image = self.source_image();
                let source = &input[images.start * image..images.end * image];
                self.tiles(source, count, target, start, share.band);
            }
            None => {
                let (margin, rows) = (&self.plan().sliding.margin, self.source_rows(share.band));
                self.input
                    .write_rows(images, margin, self.plan().from, rows, scratch);
                self.tiles(scratch, count, target, start, share.band);
            }
        }
    }

    /// The padded rows that the positions of a band read, counted over an image's depth.
    fn source_rows(&self, band: Piece) -> Range<usize> {
        let plan = self.plan();
        let width = plan.sliding.margin.padded[2];
        let mut rows: Option<Range<usize>> = None;
        for (index, phase) in plan.sliding.phases.iter().enumerate() {
            let part = Part {
                phase: index,
                group: 0,
                block: 0,
            };
            let positions = banded(self.positions(part, 1, 0), band);
            let read = rows_read(phase, &positions, plan.from, width);
            if !read.is_empty() {
                rows = Some(match rows {
                    Some(rows) => rows.start.min(read.start)..rows.end.max(read.end),
                    None => read,
                });
            }
        }
        rows.unwrap_or_default()
    }

    /// Computes a band of some images from sources as kernels read them.
    pub(in crate::ops) fn tiles(
        &self,
        source: &[T],
        images: usize,
        mut target: SharedOutput<'_, T>,
        start: usize,
        band: Piece,
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
            let slots = plan.sliding.phases[part.phase].slots;
            let bias = self.finish.bias.map(|bias| &bias[lane..lane + block.lanes]);
            let mut of_all = [T::zero(); MOST_LANES];
            let bias = match bias {
                Some(bias) if slots > 1 => {
                    let of_all = &mut of_all[..slots * block.lanes];
                    of_all
                        .chunks_exact_mut(block.lanes)
                        .for_each(|of_one| of_one.copy_from_slice(bias));
                    Some(&*of_all)
                }
                other => other,
            };
            let tile = ConvTile {
                source,
                from: positions.from,
                counts: positions.counts,
                images: positions.images,
                runs: &plan.runs[part.phase],
                weight: &self.weight[plan.span(part)],
                vectors: block.vectors,
                lanes: slots * block.lanes,
                bias,
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

/// Lanes of the widest vector.
const MOST_LANES: usize = 16;
