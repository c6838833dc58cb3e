//! Sizes of sliding windows as other frameworks count them.

use strata_core::shape::op::Geometry;

/// How many zeros behind each axis the windows read; below zero where they leave the end of the input out.
pub(crate) fn margins_after(geometry: &Geometry) -> [i64; 3] {
    [0, 1, 2].map(|axis| {
        let read = (geometry.output[axis] - 1) * geometry.stride[axis] + geometry.reach(axis);
        read as i64 - geometry.pad[axis] as i64 - geometry.input[axis] as i64
    })
}

/// What a transposed convolution gives before anything is cut off, along an axis. `geometry` is that of the convolution
/// that it is the transpose of.
pub(crate) fn spread(geometry: &Geometry, axis: usize) -> i64 {
    ((geometry.output[axis] - 1) * geometry.stride[axis] + geometry.reach(axis)) as i64
}

/// `[from, to]`: the share that each value has in the mean over ⌊i·from/to⌋ .. ⌈(i+1)·from/to⌉.
pub(crate) fn means(from: usize, to: usize) -> Vec<f32> {
    let mut shares = vec![0.0; from * to];
    for mean in 0..to {
        let window = mean * from / to..((mean + 1) * from).div_ceil(to);
        let share = 1.0 / window.len() as f32;
        window.for_each(|value| shares[value * to + mean] = share);
    }
    shares
}
