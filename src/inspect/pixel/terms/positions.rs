//! The positions of the input that a value is computed from.

use strata_core::project::size::Shape;
use strata_core::shape::op::Geometry;

/// A position of the input along one axis, and its weight.
pub(super) type Reads = Vec<(i64, f32)>;

/// The positions that the window covers at an output position, each with the index of its kernel weight.
pub(super) fn window(geometry: &Geometry, [_, at @ ..]: [usize; 4]) -> Vec<(usize, [i64; 3])> {
    let cell = |tap: [usize; 3]| {
        [0, 1, 2].map(|a| {
            (at[a] * geometry.stride[a] + tap[a] * geometry.dilation[a]) as i64
                - geometry.pad[a] as i64
        })
    };
    taps(geometry.kernel)
        .map(|(index, tap)| (index, cell(tap)))
        .collect()
}

/// The positions of the smaller side whose window reaches a position of the larger one.
pub(super) fn stamps(geometry: &Geometry, [_, at @ ..]: [usize; 4]) -> Vec<(usize, [i64; 3])> {
    let along = |axis: usize, tap: usize| {
        let far = (at[axis] + geometry.pad[axis]).checked_sub(tap * geometry.dilation[axis])?;
        let position = far / geometry.stride[axis];
        (far % geometry.stride[axis] == 0 && position < geometry.output[axis])
            .then_some(position as i64)
    };
    let cell = |tap: [usize; 3]| Some([along(0, tap[0])?, along(1, tap[1])?, along(2, tap[2])?]);
    taps(geometry.kernel)
        .filter_map(|(index, tap)| Some((index, cell(tap)?)))
        .collect()
}

/// All positions of a kernel in order.
fn taps([depth, height, width]: [usize; 3]) -> impl Iterator<Item = (usize, [usize; 3])> {
    (0..depth * height * width).map(move |index| {
        (
            index,
            [
                index / width / height,
                index / width % height,
                index % width,
            ],
        )
    })
}

/// Every position of an input.
pub(super) fn whole(input: &Shape) -> Vec<(usize, [i64; 3])> {
    taps(input.volume())
        .map(|(index, at)| (index, at.map(|at| at as i64)))
        .collect()
}

/// The window of an adaptive pooling at a place.
pub(super) fn adaptive(
    input: [usize; 3],
    output: [usize; 3],
    [_, at @ ..]: [usize; 4],
) -> Vec<(usize, [i64; 3])> {
    let from = [0, 1, 2].map(|axis| at[axis] * input[axis] / output[axis]);
    let to = [0, 1, 2].map(|axis| ((at[axis] + 1) * input[axis]).div_ceil(output[axis]));
    let sizes = [0, 1, 2].map(|axis| to[axis] - from[axis]);
    taps(sizes)
        .map(|(index, tap)| (index, [0, 1, 2].map(|axis| (from[axis] + tap[axis]) as i64)))
        .collect()
}

/// The positions of an axis that an upsampled position reads.
pub(super) fn enlarged(cells: usize, factor: usize, bilinear: bool, at: usize) -> Reads {
    if !bilinear {
        return vec![((at / factor) as i64, 1.0)];
    }
    let source = ((at as f64 + 0.5) / factor as f64 - 0.5).max(0.0);
    let (low, share) = (source.floor() as usize, source.fract());
    let high = (low + 1).min(cells - 1);
    if share == 0.0 || high == low {
        vec![(low as i64, 1.0)]
    } else {
        vec![
            (low as i64, (1.0 - share) as f32),
            (high as i64, share as f32),
        ]
    }
}
