//! Convolution on the CPU: window cells gathered into columns, one matrix product an image.
//!
//! Three directions serve convolution and transposed convolution alike. "Large" is the side the window
//! slides over, "small" the side of window positions: a convolution maps large to small, its transpose
//! small to large. Weights come packed as `small × cells × large/groups` ([`pack`]).

use super::matmul::{Mat, product};
use super::real::Real;
use super::reduce::in_parts;
use super::taps::{OUTSIDE, Taps};
use rayon::prelude::*;
use std::ops::Range;

/// The sizes of one convolution.
#[derive(Clone, Debug)]
pub struct Convolution {
    /// The window.
    pub taps: Taps,
    /// Channels on the large side.
    pub large: usize,
    /// Channels on the small side.
    pub small: usize,
    /// Groups of channels.
    pub groups: usize,
}

impl Convolution {
    fn large_group(&self) -> usize {
        self.large / self.groups
    }

    fn small_group(&self) -> usize {
        self.small / self.groups
    }

    /// Numbers of one row of columns: cells × channels of a group.
    fn columns(&self) -> usize {
        self.taps.cells * self.large_group()
    }

    /// Numbers of the packed weight.
    pub fn weights(&self) -> usize {
        self.small * self.columns()
    }

    /// One channel a group: no matrix to multiply, the window is applied directly.
    fn is_depthwise(&self) -> bool {
        self.large_group() == 1 && self.groups > 1
    }

    /// The image itself serves as columns: a 1×1 window without stride, padding or groups.
    fn is_pointwise(&self) -> bool {
        self.groups == 1 && self.taps.is_identity()
    }
}

/// PyTorch's weight `small × large/groups × cells` to `small × cells × large/groups`; [`unpack`] undoes it.
pub fn pack<T: Real>(c: &Convolution, weight: &[T], packed: &mut [T]) {
    transpose_inner(weight, packed, c.large_group(), c.taps.cells);
}

/// The inverse of [`pack`], for gradients.
pub fn unpack<T: Real>(c: &Convolution, packed: &[T], weight: &mut [T]) {
    transpose_inner(packed, weight, c.taps.cells, c.large_group());
}

fn transpose_inner<T: Real>(from: &[T], to: &mut [T], rows: usize, cols: usize) {
    for (from, to) in from.chunks_exact(rows * cols).zip(to.chunks_exact_mut(rows * cols)) {
        for row in 0..rows {
            for col in 0..cols {
                to[col * rows + row] = from[row * cols + col];
            }
        }
    }
}

/// Large to small: `small[p, o] = bias[o] + Σ large[tap(p, k), c]·w[o, k, c]`.
pub fn forward_cpu<T: Real>(c: &Convolution, large: &[T], weight: &[T], bias: Option<&[T]>, small: &mut [T]) {
    let (large_image, small_image) = (c.taps.inputs * c.large, c.taps.positions * c.small);
    small.par_chunks_mut(small_image).zip(large.par_chunks(large_image)).for_each_init(Vec::new, |columns, (y, x)| {
        if c.is_depthwise() {
            depthwise_forward(c, x, weight, y);
        } else {
            for group in 0..c.groups {
                let columns = gather(c, x, group, columns);
                let (rows, depth, out) = (c.taps.positions, c.columns(), c.small_group());
                let w = &weight[group * out * depth..(group + 1) * out * depth];
                let y = &mut y[group * out..];
                product(y, c.small, Mat::new(columns, rows, depth, depth), Mat::new(w, out, depth, depth).t(), false);
            }
        }
        add_bias(y, bias);
    });
}

/// Adds a bias to every row.
pub fn add_bias<T: Real>(rows: &mut [T], bias: Option<&[T]>) {
    let Some(bias) = bias else { return };
    for row in rows.chunks_exact_mut(bias.len()) {
        for (value, &b) in row.iter_mut().zip(bias) {
            *value += b;
        }
    }
}

/// Small to large, the transpose of [`forward_cpu`]: the gradient for a convolution's input, or the
/// forward pass of a transposed convolution (which then has a bias).
pub fn transposed_cpu<T: Real>(c: &Convolution, small: &[T], weight: &[T], bias: Option<&[T]>, large: &mut [T]) {
    let (large_image, small_image) = (c.taps.inputs * c.large, c.taps.positions * c.small);
    large.par_chunks_mut(large_image).zip(small.par_chunks(small_image)).for_each_init(Vec::new, |columns, (x, y)| {
        if !c.is_pointwise() {
            x.fill(T::zero());
        }
        if c.is_depthwise() {
            depthwise_transposed(c, y, weight, x);
        } else {
            for group in 0..c.groups {
                scatter_group(c, y, weight, group, columns, x);
            }
        }
        add_bias(x, bias);
    });
}

fn scatter_group<T: Real>(c: &Convolution, y: &[T], weight: &[T], group: usize, columns: &mut Vec<T>, x: &mut [T]) {
    let (rows, depth, out) = (c.taps.positions, c.columns(), c.small_group());
    let w = Mat::new(&weight[group * out * depth..(group + 1) * out * depth], out, depth, depth);
    let y = Mat::new(&y[group * out..], rows, out, c.small);
    if c.is_pointwise() {
        return product(x, depth, y, w, false);
    }
    columns.resize(rows * depth, T::zero());
    product(columns, depth, y, w, false);
    each_run(c, group, |run, cells| {
        if let Some(at) = run {
            for (x, &v) in x[at..at + cells.len()].iter_mut().zip(&columns[cells]) {
                *x += v;
            }
        }
    });
}

/// The gradient for the packed weight: Σ over the batch of small·large.
pub fn weight_gradient_cpu<T: Real>(c: &Convolution, large: &[T], small: &[T], gradient: &mut [T]) {
    let (large_image, small_image) = (c.taps.inputs * c.large, c.taps.positions * c.small);
    let batch = small.len() / small_image;
    in_parts(batch, gradient, |images, sums| {
        let mut columns = Vec::new();
        for image in images {
            let x = &large[image * large_image..(image + 1) * large_image];
            let y = &small[image * small_image..(image + 1) * small_image];
            if c.is_depthwise() {
                depthwise_weight(c, x, y, sums);
                continue;
            }
            for group in 0..c.groups {
                let columns = gather(c, x, group, &mut columns);
                let (rows, depth, out) = (c.taps.positions, c.columns(), c.small_group());
                let y = Mat::new(&y[group * out..], rows, out, c.small).t();
                let sums = &mut sums[group * out * depth..(group + 1) * out * depth];
                product(sums, depth, y, Mat::new(columns, rows, depth, depth), true);
            }
        }
    });
}

/// The columns of one image and group: `positions × (cells × channels)`, zeros in the padding.
fn gather<'a, T: Real>(c: &Convolution, x: &'a [T], group: usize, columns: &'a mut Vec<T>) -> &'a [T] {
    if c.is_pointwise() {
        return x;
    }
    columns.resize(c.taps.positions * c.columns(), T::zero());
    each_run(c, group, |run, cells| match run {
        Some(at) => columns[cells.clone()].copy_from_slice(&x[at..at + cells.len()]),
        None => columns[cells].fill(T::zero()),
    });
    columns
}

/// Calls `f(place in the image, place in the columns)` for stretches that lie together in both; `None` for
/// padding. Without groups a row of the window is one stretch: copying it whole is what makes gathering cheap.
fn each_run(c: &Convolution, group: usize, mut f: impl FnMut(Option<usize>, Range<usize>)) {
    let (channels, first, joins) = (c.large_group(), group * c.large_group(), c.groups == 1);
    let table = &c.taps.table;
    let mut start = 0;
    while start < table.len() {
        let tap = table[start];
        let mut end = start + 1;
        while joins && end < table.len() && table[end] == continued(tap, end - start) {
            end += 1;
        }
        let place = (tap != OUTSIDE).then(|| tap as usize * c.large + first);
        f(place, start * channels..end * channels);
        start = end;
    }
}

/// The table's entry that goes on a stretch `steps` after `tap`.
fn continued(tap: u32, steps: usize) -> u32 {
    if tap == OUTSIDE { OUTSIDE } else { tap.wrapping_add(steps as u32) }
}

/// Calls `f(position, cell, input cell)` for every window cell inside the image.
fn each_tap(taps: &Taps, mut f: impl FnMut(usize, usize, usize)) {
    for position in 0..taps.positions {
        for (cell, &tap) in taps.at(position).iter().enumerate() {
            if tap != OUTSIDE {
                f(position, cell, tap as usize);
            }
        }
    }
}

fn depthwise_forward<T: Real>(c: &Convolution, x: &[T], weight: &[T], y: &mut [T]) {
    y.fill(T::zero());
    let (multiplier, cells) = (c.small_group(), c.taps.cells);
    each_tap(&c.taps, |position, cell, tap| {
        let y = &mut y[position * c.small..(position + 1) * c.small];
        for (out, y) in y.iter_mut().enumerate() {
            *y += x[tap * c.large + out / multiplier] * weight[out * cells + cell];
        }
    });
}

fn depthwise_transposed<T: Real>(c: &Convolution, y: &[T], weight: &[T], x: &mut [T]) {
    let (multiplier, cells) = (c.small_group(), c.taps.cells);
    each_tap(&c.taps, |position, cell, tap| {
        for (out, &y) in y[position * c.small..(position + 1) * c.small].iter().enumerate() {
            x[tap * c.large + out / multiplier] += y * weight[out * cells + cell];
        }
    });
}

fn depthwise_weight<T: Real>(c: &Convolution, x: &[T], y: &[T], sums: &mut [T]) {
    let (multiplier, cells) = (c.small_group(), c.taps.cells);
    each_tap(&c.taps, |position, cell, tap| {
        for (out, &y) in y[position * c.small..(position + 1) * c.small].iter().enumerate() {
            sums[out * cells + cell] += x[tap * c.large + out / multiplier] * y;
        }
    });
}
