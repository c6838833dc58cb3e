//! Convolution on the CPU, in three directions that serve convolution and transposed convolution alike.
//!
//! "Large" is the side the window slides over, "small" the side of window positions: a convolution maps
//! large to small, its transpose small to large, and the weight gradient pairs both. Work is cut into blocks
//! of images only by sizes, so that results do not depend on the number of threads.

#![allow(unsafe_code)]

use super::blocking::{self, TileCut};
use super::conv_input::ConvInput;
use super::packed::{ConvPlan, Part, WeightSizes};
use super::pooling::{max_of_images, max_of_piece};
use super::real::Real;
use super::shared_output::SharedOutput;
use super::simd::{Level, Vectors};
use super::sliding::{Phase, Sliding, Walk, volume};
use super::taps::Taps;
use super::tile::{ConvTile, Positions, Strides, TapRun};
use super::winograd::{self, Piece, TilePass, Winograd};
use rayon::prelude::*;
use std::ops::Range;
use strata_core::shape::op::Geometry;

/// A convolution of known sizes.
#[derive(Clone, Debug)]
pub struct Convolution {
    // Not public: that tasks write different positions follows from these.
    pub(super) down: ConvPlan,
    pub(super) up: ConvPlan,
    /// Both directions at points, where they are computed so.
    winograd: Option<[Winograd; 2]>,
    /// Sizes of the weight.
    pub sizes: WeightSizes,
    /// By phase, source offset of each row of the packed weight (down), from a position's first element.
    pub(super) rows: Vec<Vec<usize>>,
    /// Sizes of the small side.
    pub(super) output: [usize; 3],
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
        let points = winograd::points(geometry, large, small, groups);
        let points = points.filter(|_| T::USES_POINTS);
        Convolution::with_points::<T>(level, geometry, [large, small, groups], points)
    }

    /// A convolution with so many points an axis, or computed directly.
    pub(super) fn with_points<T: Vectors>(
        level: Level,
        geometry: &Geometry,
        [large, small, groups]: [usize; 3],
        points: Option<usize>,
    ) -> Convolution {
        let sizes = WeightSizes {
            large,
            small,
            groups,
            cells: volume(geometry.kernel),
        };
        let down = ConvPlan::new::<T>(Sliding::down(geometry), sizes, true, level);
        let up = ConvPlan::new::<T>(Sliding::up(geometry), sizes, false, level);
        let offsets = |runs: &Vec<TapRun>| {
            let each = runs.iter().map(|run| run.offset..run.offset + run.len);
            each.flatten().collect()
        };
        let rows = down.runs.iter().map(offsets).collect();
        let winograd = points.map(|points| {
            [true, false].map(|down| Winograd::new::<T>(geometry, sizes, points, down, level))
        });
        Convolution {
            down,
            up,
            winograd,
            sizes,
            rows,
            output: geometry.output,
            level,
        }
    }

    /// The plan of a direction: large to small, or back.
    pub fn plan(&self, down: bool) -> &ConvPlan {
        if down { &self.down } else { &self.up }
    }

    /// A direction at points, where it is computed so.
    pub(super) fn winograd(&self, down: bool) -> Option<&Winograd> {
        let [to_small, to_large] = self.winograd.as_ref()?;
        Some(if down { to_small } else { to_large })
    }

    /// Elements of the weight packed for a direction; those of its gradient as for large to small.
    pub fn packed_len(&self, down: bool) -> usize {
        match self.winograd(down) {
            Some(winograd) => winograd.packed_len(),
            None => self.plan(down).packed_len(),
        }
    }

    /// PyTorch's layout of the weight to that of the kernels of a direction.
    pub fn pack<T: Real>(&self, down: bool, weight: &[T], packed: &mut [T]) {
        match self.winograd(down) {
            Some(winograd) => winograd.pack(self.level, weight, packed),
            None => self.plan(down).pack(weight, packed),
        }
    }

    /// The gradient of the weight, packed as for large to small, to PyTorch's layout.
    pub fn unpack<T: Real>(&self, packed: &[T], weight: &mut [T]) {
        match self.winograd(true) {
            Some(winograd) => winograd.unpack(self.level, packed, weight),
            None => self.down.unpack(packed, weight),
        }
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

/// What a task computes of its images.
#[derive(Clone, Copy)]
pub(super) struct Share {
    band: Piece,
    lanes: Piece,
}

pub(super) const WHOLE: Share = Share {
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
        if tasks == 1 {
            task(0)
        } else {
            (0..tasks).into_par_iter().for_each(task)
        }
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
                (0..cut.bands * cut.pieces)
                    .into_par_iter()
                    .for_each(|task| {
                        let (_, share) = task_of(cut, task);
                        // SAFETY: as in `compute`: tasks of the same images write different positions or lanes.
                        let target = unsafe { target.share() };
                        self.run(images.clone(), target, 0, share);
                    });
                max_of_images(taps, channels, unpooled, pooled, indices, relu_after);
            }
            return;
        }
        let blocks = pooled
            .par_chunks_mut(size)
            .zip(indices.par_chunks_mut(size));
        blocks.enumerate().for_each(|(block, (pooled, indices))| {
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
                    max_of_piece(taps, 0, channels, target, pooled, indices, relu_after);
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
    pub(super) fn work_len(&self, images: usize) -> usize {
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

    pub(super) fn reads_in_place(&self) -> bool {
        let plan = self.plan();
        let spare_lanes = plan.lanewise && !plan.from.is_multiple_of(plan.width);
        self.input.plain().is_some() && plan.sliding.margin.is_empty() && !spare_lanes
    }

    /// Computes a share of some images, which begin at `start` in the target; `scratch`: [`ConvPass::work_len`].
    pub(super) fn share(
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
    pub(super) fn tiles(
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
    blocking::images_per_task(plan.fewest, batch)
}

/// The padded rows of so many positions that positions of a phase read.
pub(super) fn rows_read(
    phase: &Phase,
    positions: &Positions,
    channels: usize,
    width: usize,
) -> Range<usize> {
    let Positions { counts, from, .. } = positions;
    let (Some(first), Some(last)) = (phase.taps.first(), phase.taps.last()) else {
        return 0..0;
    };
    if volume(*counts) == 0 {
        return 0..0;
    }
    let along = |axis: usize| (counts[axis] - 1) * from.step[axis];
    let (start, end) = (from.start, from.start + along(0) + along(1) + along(2));
    (start / channels + first.offset) / width..(end / channels + last.offset) / width + 1
}

/// The positions of a band: a piece of the first axis that has several.
pub(super) fn banded(mut positions: Positions, band: Piece) -> Positions {
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
mod speed;
#[cfg(test)]
mod tests;
