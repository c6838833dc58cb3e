//! Linear maps over space that treat every channel alike: average pooling, upsampling, padding, cropping.
//!
//! Each output position is a weighted sum of a few input positions; the gradient is the transposed map.

use super::real::Real;
use super::simd::vectorized;
use super::taps::{OUTSIDE, Taps};
use rayon::prelude::*;
use strata_core::shape::op::Geometry;

/// A sparse matrix `outputs × inputs` over flattened spatial positions, by rows.
#[derive(Clone, Debug, PartialEq)]
pub struct SpatialMap {
    /// Row `o` is `entries[starts[o]..starts[o + 1]]`.
    pub starts: Vec<u32>,
    /// Input position and weight.
    pub entries: Vec<(u32, f64)>,
    /// Input positions.
    pub inputs: usize,
}

impl SpatialMap {
    /// From the rows of the matrix.
    pub(crate) fn from_rows(
        inputs: usize,
        rows: impl IntoIterator<Item = Vec<(u32, f64)>>,
    ) -> SpatialMap {
        let mut map = SpatialMap {
            starts: vec![0],
            entries: Vec::new(),
            inputs,
        };
        for row in rows {
            map.entries.extend(row);
            map.starts.push(map.entries.len() as u32);
        }
        map
    }

    /// Output positions.
    pub fn outputs(&self) -> usize {
        self.starts.len() - 1
    }

    /// The entries of one output position.
    pub fn row(&self, output: usize) -> &[(u32, f64)] {
        &self.entries[self.starts[output] as usize..self.starts[output + 1] as usize]
    }

    /// The transposed map, entries in order of the output position.
    pub fn transposed(&self) -> SpatialMap {
        let mut rows = vec![Vec::new(); self.inputs];
        for output in 0..self.outputs() {
            for &(input, weight) in self.row(output) {
                rows[input as usize].push((output as u32, weight));
            }
        }
        SpatialMap::from_rows(self.outputs(), rows)
    }

    /// Means over windows; the divisor is the size of the window, or of its part inside the image.
    pub fn average(geometry: &Geometry, count_padding: bool) -> SpatialMap {
        let taps = Taps::new(geometry);
        let row = |position: usize| {
            let inside = || taps.at(position).iter().filter(|&&tap| tap != OUTSIDE);
            let divisor = if count_padding {
                taps.cells
            } else {
                inside().count().max(1)
            };
            inside().map(|&tap| (tap, 1.0 / divisor as f64)).collect()
        };
        SpatialMap::from_rows(taps.inputs, (0..taps.positions).map(row))
    }

    /// Means over ⌊i·in/out⌋ .. ⌈(i + 1)·in/out⌉ along each axis (PyTorch `AdaptiveAvgPool`).
    pub(crate) fn adaptive_average(input: [usize; 3], output: [usize; 3]) -> SpatialMap {
        SpatialMap::by_axis(input, output, |axis, at| {
            let from = at * input[axis] / output[axis];
            let to = ((at + 1) * input[axis]).div_ceil(output[axis]);
            (from..to).map(|i| (i, 1.0 / (to - from) as f64)).collect()
        })
    }

    /// Repeats each position `factor` times along each axis.
    pub fn nearest(input: [usize; 3], factor: [usize; 3]) -> SpatialMap {
        let output = std::array::from_fn(|axis| input[axis] * factor[axis]);
        SpatialMap::by_axis(input, output, |axis, at| vec![(at / factor[axis], 1.0)])
    }

    /// Linear interpolation with align_corners = false.
    pub fn linear(input: [usize; 3], factor: [usize; 3]) -> SpatialMap {
        let output = std::array::from_fn(|axis| input[axis] * factor[axis]);
        SpatialMap::by_axis(input, output, |axis, at| {
            let source = ((at as f64 + 0.5) / factor[axis] as f64 - 0.5).max(0.0);
            let low = source.floor() as usize;
            let share = source.fract();
            let high = (low + 1).min(input[axis] - 1);
            vec![(low, 1.0 - share), (high, share)]
        })
    }

    /// Moves the image by `before` positions inside an output of another size: padding where the output is
    /// larger, cropping where `before` is negative.
    pub fn shifted(input: [usize; 3], output: [usize; 3], before: [i64; 3]) -> SpatialMap {
        SpatialMap::by_axis(input, output, |axis, at| {
            let from = at as i64 - before[axis];
            let inside = from >= 0 && (from as usize) < input[axis];
            if inside {
                vec![(from as usize, 1.0)]
            } else {
                Vec::new()
            }
        })
    }

    /// The product of one small map for each axis.
    fn by_axis(
        input: [usize; 3],
        output: [usize; 3],
        row: impl Fn(usize, usize) -> Vec<(usize, f64)>,
    ) -> SpatialMap {
        let axes: [Vec<Vec<(usize, f64)>>; 3] =
            std::array::from_fn(|axis| (0..output[axis]).map(|at| row(axis, at)).collect());
        let mut rows = Vec::with_capacity(output.iter().product());
        for depth in &axes[0] {
            for height in &axes[1] {
                for width in &axes[2] {
                    rows.push(outer(input, depth, height, width));
                }
            }
        }
        SpatialMap::from_rows(input.iter().product(), rows)
    }
}

type Row = [(usize, f64)];

fn outer(input: [usize; 3], depth: &Row, height: &Row, width: &Row) -> Vec<(u32, f64)> {
    let mut row = Vec::with_capacity(depth.len() * height.len() * width.len());
    for &(d, a) in depth {
        for &(h, b) in height {
            row.extend(
                width
                    .iter()
                    .map(|&(w, c)| (((d * input[1] + h) * input[2] + w) as u32, a * b * c)),
            );
        }
    }
    row.retain(|&(_, weight)| weight != 0.0);
    row
}

/// Output numbers of a task.
const TASK: usize = 1 << 14;

/// Applies a map to every image of a batch and every channel.
pub(crate) fn apply_cpu<T: Real>(map: &SpatialMap, channels: usize, x: &[T], y: &mut [T]) {
    let input = map.inputs * channels;
    let output = map.outputs() * channels;
    let cells = TASK.div_ceil(channels);
    let images = y.par_chunks_mut(output).zip(x.par_chunks(input));
    images.for_each(|(y, x)| {
        // Few images are divided, so that every thread has some of each.
        let pieces = y.par_chunks_mut(cells * channels).enumerate();
        pieces.for_each(|(piece, y)| apply_rows(map, piece * cells, channels, x, y));
    });
}

vectorized! {
    /// Some output positions of an image, from the position `first` on.
    fn apply_rows<T: Real>(map: &SpatialMap, first: usize, channels: usize, x: &[T], y: &mut [T]) {
        for (cell, y) in y.chunks_exact_mut(channels).enumerate() {
            let at = |from: u32| &x[from as usize * channels..(from as usize + 1) * channels];
            let Some((&(from, weight), rest)) = map.row(first + cell).split_first() else {
                y.fill(T::zero());
                continue;
            };
            let weight = T::narrow(weight);
            for (y, &x) in y.iter_mut().zip(at(from)) {
                *y = x * weight;
            }
            for &(from, weight) in rest {
                let weight = T::narrow(weight);
                for (y, &x) in y.iter_mut().zip(at(from)) {
                    *y += x * weight;
                }
            }
        }
    }
}
