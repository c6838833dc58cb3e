//! Convolution on the CPU, in three directions that serve convolution and transposed convolution alike.
//!
//! "Large" is the side the window slides over, "small" the side of window positions: a convolution maps
//! large to small, its transpose small to large, and the weight gradient pairs both. Work is cut into blocks
//! of images only by sizes, so that results do not depend on the number of threads.

mod pass;

use super::blocking;
use super::packed::{ConvPlan, WeightSizes};
use super::real::Real;
use super::simd::{Level, Vectors};
use super::sliding::{Phase, Sliding, Walk, volume};
use super::tile::{Positions, Strides, TapRun};
use super::winograd::{self, Piece, Winograd};
pub(crate) use pass::ConvPass;
pub(super) use pass::WHOLE;
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
