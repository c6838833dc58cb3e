//! Packs weights in the order in which the kernels read them, and unpacks weight gradients.
//!
//! The lanes (target channels) of a group are cut into blocks of whole vectors. The rows of each phase, group
//! and block are contiguous: one row for every source element that a position reads.

use super::real::Real;
use super::simd::{Level, Vectors};
use super::sliding::{Phase, Sliding};
use super::tile::{TapRun, vectors_per_tile};
use std::ops::Range;

/// Lanes that one tile computes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The first lane, counted in its group.
    pub first: usize,
    /// Lanes.
    pub lanes: usize,
    /// Vectors; the last may have lanes to spare.
    pub vectors: usize,
}

/// Cuts lanes into blocks of equal size, as far as the tile sizes allow.
pub(super) fn blocks(lanes: usize, width: usize, sizes: &[usize]) -> Vec<Block> {
    let vectors = lanes.div_ceil(width);
    let most = sizes.iter().copied().max().unwrap_or(1);
    let count = vectors.div_ceil(most);
    let mut blocks = Vec::new();
    let mut first = 0;
    let mut left = vectors;
    while left > 0 {
        let even = left.div_ceil(count.saturating_sub(blocks.len()).max(1));
        let size = sizes
            .iter()
            .copied()
            .filter(|&size| size <= even)
            .max()
            .unwrap_or(1);
        let count = (size * width).min(lanes - first);
        blocks.push(Block {
            first,
            lanes: count,
            vectors: size,
        });
        first += count;
        left -= size;
    }
    blocks
}

/// Sizes of a weight in PyTorch's layout: `small × large/groups × cells`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightSizes {
    /// Channels on the large side (where the window slides).
    pub large: usize,
    /// Channels on the small side.
    pub small: usize,
    /// Channel groups.
    pub groups: usize,
    /// Elements of the window.
    pub cells: usize,
}

impl WeightSizes {
    /// Depthwise with one output per input channel: every lane has its own source element.
    pub(crate) fn is_lanewise(&self) -> bool {
        self.groups > 1 && self.groups == self.large && self.groups == self.small
    }

    /// Elements of the weight.
    pub fn count(&self) -> usize {
        self.small * (self.large / self.groups) * self.cells
    }
}

/// One direction of a convolution: what positions read, for which lanes, in which order.
#[derive(Clone, Debug)]
pub struct ConvPlan {
    /// Positions and taps.
    pub sliding: Sliding,
    /// Groups that the kernels loop over (one when lanewise).
    pub groups: usize,
    /// Source channels, of all groups.
    pub from: usize,
    /// Target channels, of all groups.
    pub to: usize,
    /// Blocks of the lanes of a group.
    pub blocks: Vec<Block>,
    /// By phase, what a position reads of one group's source channels.
    pub runs: Vec<Vec<TapRun>>,
    /// Whether each lane has its own source element.
    pub lanewise: bool,
    /// Elements of a vector.
    pub width: usize,
    sizes: WeightSizes,
    /// True when lanes are channels of the small side.
    down: bool,
    /// By phase, where its weights start.
    starts: Vec<usize>,
    len: usize,
    /// Positions of the phase with the fewest, if none are computed together.
    pub fewest: usize,
    /// Elements of the packed weight in that case.
    pub len_apart: usize,
}

impl ConvPlan {
    /// The plan of a direction at an instruction level.
    pub fn new<T: Vectors>(
        sliding: Sliding,
        sizes: WeightSizes,
        down: bool,
        level: Level,
    ) -> ConvPlan {
        let (from, to) = if down {
            (sizes.large, sizes.small)
        } else {
            (sizes.small, sizes.large)
        };
        let lanewise = sizes.is_lanewise();
        let width = T::width(level);
        let groups = if lanewise { 1 } else { sizes.groups };
        let per_tile = vectors_per_tile(T::many_registers(level), lanewise);
        let blocks = blocks(to / groups, width, per_tile);
        let vectors: usize = blocks.iter().map(|block| block.vectors).sum();
        let channels = if lanewise { 1 } else { from / groups };
        let row = groups * vectors * width * channels;
        let apart = sliding.phases.iter().map(Phase::positions);
        let (fewest, len_apart) = (apart.min().unwrap_or(1), row * sliding.rows());
        let sliding = if sizes.groups == 1 {
            sliding.in_slots(to, width)
        } else {
            sliding
        };
        let runs: Vec<Vec<TapRun>> = sliding
            .phases
            .iter()
            .map(|phase| runs(phase, from, from / groups, groups, lanewise))
            .collect();
        let mut starts = Vec::new();
        let mut len = 0;
        for runs in &runs {
            starts.push(len);
            len += groups * vectors * width * runs.iter().map(|run| run.len).sum::<usize>();
        }
        ConvPlan {
            sliding,
            groups,
            from,
            to,
            blocks,
            runs,
            lanewise,
            width,
            sizes,
            down,
            starts,
            len,
            fewest,
            len_apart,
        }
    }

    /// Elements of the packed weight.
    pub(crate) fn packed_len(&self) -> usize {
        self.len
    }

    /// Rows of a phase, for each of its groups and blocks.
    pub fn rows(&self, phase: usize) -> usize {
        self.runs[phase].iter().map(|run| run.len).sum()
    }

    /// The range of a part in the packed weight.
    pub(super) fn span(&self, part: Part) -> Range<usize> {
        let row =
            |blocks: &[Block]| blocks.iter().map(|block| block.vectors).sum::<usize>() * self.width;
        let rows = self.rows(part.phase);
        let before = part.group * row(&self.blocks) + row(&self.blocks[..part.block]);
        let start = self.starts[part.phase] + rows * before;
        start..start + rows * row(&self.blocks[part.block..=part.block])
    }

    /// The first target channel of a part.
    pub(super) fn first_lane(&self, part: Part) -> usize {
        part.group * (self.to / self.groups) + self.blocks[part.block].first
    }

    /// The first source channel that a part reads.
    pub(super) fn first_channel(&self, part: Part) -> usize {
        if self.lanewise {
            self.blocks[part.block].first
        } else {
            part.group * (self.from / self.groups)
        }
    }

    /// Number of parts: every block of every group in every phase.
    fn part_count(&self) -> usize {
        self.sliding.phases.len() * self.groups * self.blocks.len()
    }

    /// Every part, in the order of the packed weight.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part> {
        (0..self.part_count()).map(|index| self.part(index))
    }

    /// A part by its index, in the order of the packed weight.
    pub(super) fn part(&self, index: usize) -> Part {
        let blocks = self.blocks.len();
        Part {
            phase: index / (self.groups * blocks),
            group: index / blocks % self.groups,
            block: index % blocks,
        }
    }

    /// Cuts `elements` where `start` says that each part begins, and calls `work(part, its elements)` for
    /// a range of parts, in parallel where the weight is large. The elements are those of the range.
    fn each_part<T: Send>(
        &self,
        parts: Range<usize>,
        elements: &mut [T],
        start: &(impl Fn(Part) -> usize + Sync),
        work: &(impl Fn(Part, &mut [T]) + Sync),
    ) {
        if parts.len() <= 1 {
            parts.for_each(|part| work(self.part(part), elements));
            return;
        }
        let middle = parts.start + parts.len() / 2;
        let cut = start(self.part(middle)) - start(self.part(parts.start));
        let (before, after) = elements.split_at_mut(cut);
        if self.len < SERIAL {
            self.each_part(parts.start..middle, before, start, work);
            self.each_part(middle..parts.end, after, start, work);
        } else {
            rayon::join(
                || self.each_part(parts.start..middle, before, start, work),
                || self.each_part(middle..parts.end, after, start, work),
            );
        }
    }

    /// Calls `f(index of the first lane in the packed weight, its index in PyTorch's, lanes)` for every row of
    /// a part. Lanes are adjacent in the packed weight, [`ConvPlan::lane_step`] apart in PyTorch's.
    fn each_row(&self, part: Part, mut f: impl FnMut(usize, usize, usize)) {
        let WeightSizes {
            large,
            groups,
            cells,
            ..
        } = self.sizes;
        let small_step = large / groups * cells;
        let channels = if self.lanewise {
            1
        } else {
            self.from / self.groups
        };
        let first_small = part.group * (self.sizes.small / self.groups);
        let block = self.blocks[part.block];
        let lane = block.first;
        let wide = block.vectors * self.width;
        let mut next = self.span(part).start;
        let (mut packed, mut before) = (next, None);
        for tap in &self.sliding.phases[part.phase].taps {
            if before.replace(tap.offset) != Some(tap.offset) {
                packed = next;
                next += channels * wide;
            }
            for channel in 0..channels {
                let place = if self.lanewise {
                    lane * cells
                } else if self.down {
                    (first_small + lane) * small_step + channel * cells
                } else {
                    (first_small + channel) * small_step + lane * cells
                };
                let lanes = packed + channel * wide + tap.slot as usize * block.lanes;
                f(lanes, place + tap.cell as usize, block.lanes);
            }
        }
    }

    fn lane_step(&self) -> usize {
        let WeightSizes {
            large,
            groups,
            cells,
            ..
        } = self.sizes;
        if self.down && !self.lanewise {
            large / groups * cells
        } else {
            cells
        }
    }

    /// PyTorch's layout to the kernels'. Lanes to spare become 0.
    pub(crate) fn pack<T: Real>(&self, weight: &[T], packed: &mut [T]) {
        let step = self.lane_step();
        let start = |part: Part| self.span(part).start;
        let pack_part = |part: Part, packed: &mut [T]| {
            let start = start(part);
            packed.fill(T::zero());
            self.each_row(part, |to, from, lanes| {
                let row = &mut packed[to - start..][..lanes];
                for (lane, packed) in row.iter_mut().enumerate() {
                    *packed = weight[from + lane * step];
                }
            });
        };
        let packed = &mut packed[..self.len];
        self.each_part(0..self.part_count(), packed, &start, &pack_part);
    }

    /// The kernels' layout to PyTorch's. Elements that no position reads get 0.
    ///
    /// # Panics
    /// Where the plan goes up: its lanes are not rows of the weight, which parts are cut into here.
    pub fn unpack<T: Real>(&self, packed: &[T], weight: &mut [T]) {
        assert!(
            self.down,
            "only weights packed for large to small are unpacked"
        );
        let step = self.lane_step();
        let start = |part: Part| self.first_lane(part) * step;
        let unpack_part = |part: Part, rows: &mut [T]| {
            let start = start(part);
            rows.fill(T::zero());
            // Where neighbours are computed together, they and those that are left over have gradients of their own.
            for phase in 0..self.sliding.phases.len() {
                self.each_row(Part { phase, ..part }, |from, to, lanes| {
                    for (lane, packed) in packed[from..from + lanes].iter().enumerate() {
                        rows[to - start + lane * step] += *packed;
                    }
                });
            }
        };
        let weight = &mut weight[..self.sizes.count()];
        let of_a_phase = self.groups * self.blocks.len();
        self.each_part(0..of_a_phase, weight, &start, &unpack_part);
    }
}

/// Weights of fewer elements are packed by one thread.
const SERIAL: usize = 1 << 14;

/// A phase, a group and a block of its lanes.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub phase: usize,
    pub group: usize,
    pub block: usize,
}

/// What a position reads: adjacent taps become one run where all channels are read.
fn runs(
    phase: &Phase,
    channels: usize,
    per_group: usize,
    groups: usize,
    lanewise: bool,
) -> Vec<TapRun> {
    let mut runs: Vec<TapRun> = Vec::with_capacity(phase.taps.len());
    for offset in phase.offsets() {
        let next = TapRun {
            offset: offset * channels,
            len: if lanewise { 1 } else { per_group },
        };
        match runs.last_mut() {
            Some(run) if groups == 1 && !lanewise && run.offset + run.len == next.offset => {
                run.len += next.len
            }
            _ => runs.push(next),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::op::Geometry;

    #[test]
    fn blocks_cover_every_lane() {
        for lanes in 1..200 {
            for (width, sizes) in [(16, &[1, 2, 3, 4][..]), (8, &[1, 2]), (4, &[1, 2, 4])] {
                let blocks = blocks(lanes, width, sizes);
                let mut next = 0;
                for block in &blocks {
                    assert_eq!(block.first, next);
                    assert!(sizes.contains(&block.vectors) && block.lanes <= block.vectors * width);
                    assert!(block.lanes > (block.vectors - 1) * width);
                    next += block.lanes;
                }
                assert_eq!(next, lanes);
            }
        }
    }

    /// Four weights of a pixel's neighbours, which a stride of 2 spreads over four phases.
    fn plan(down: bool) -> ConvPlan {
        let geometry = Geometry {
            input: [1, 4, 4],
            output: [1, 2, 2],
            kernel: [1, 2, 2],
            stride: [1, 2, 2],
            dilation: [1, 1, 1],
            pad: [0, 0, 0],
        };
        let sizes = WeightSizes {
            large: 3,
            small: 5,
            groups: 1,
            cells: 4,
        };
        let sliding = if down {
            Sliding::down(&geometry)
        } else {
            Sliding::up(&geometry)
        };
        ConvPlan::new::<f32>(sliding, sizes, down, Level::Plain)
    }

    #[test]
    fn a_weight_packed_for_large_to_small_is_unpacked() {
        let plan = plan(true);
        let weight: Vec<f32> = (0..60).map(|i| i as f32).collect();
        let mut packed = vec![f32::NAN; plan.packed_len()];
        plan.pack(&weight, &mut packed);
        let mut unpacked = vec![f32::NAN; weight.len()];
        plan.unpack(&packed, &mut unpacked);
        assert_eq!(unpacked, weight);
    }

    #[test]
    #[should_panic(expected = "only weights packed for large to small")]
    fn a_weight_packed_for_small_to_large_is_not_unpacked() {
        let plan = plan(false);
        assert_eq!(plan.sliding.phases.len(), 4);
        let packed = vec![0.0f32; plan.packed_len()];
        plan.unpack(&packed, &mut [0.0; 60]);
    }
}
