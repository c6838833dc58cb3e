//! `flatten` and `reshape`: the same numbers in C, H, W order under another shape.
//!
//! Activations lie channels last in memory, so changing shape in PyTorch's order moves numbers.

use super::{Buffer, Layer, Result, as_rows, channels_last};
use crate::network::Context;
use crate::ops::real::Real;
use crate::ops::simd::Level;
use crate::ops::storage::{fill, view};
use crate::ops::turn::turn;
use crate::ops::with_real;
use candle_core::Tensor;
use rayon::prelude::*;
use strata_core::project::size::Shape;

/// Flatten, and its inverse.
pub(crate) struct Reshape {
    input: Shape,
    output: Shape,
    y: Buffer,
    dx: Buffer,
}

impl Reshape {
    pub(crate) fn new(input: &Shape, output: &Shape) -> Reshape {
        Reshape {
            input: input.clone(),
            output: output.clone(),
            y: Buffer::default(),
            dx: Buffer::default(),
        }
    }
}

/// Index in channels-last order of the `i`-th number in C, H, W order.
fn channels_last_index(shape: &Shape, i: usize) -> usize {
    let cells = shape.spatial().iter().product::<usize>();
    (i % cells) * shape.channels() + i / cells
}

fn reorder<T: Real>(from: &Shape, to: &Shape, x: &[T], y: &mut [T]) {
    let count = from.elements() as usize;
    let images = y.par_chunks_mut(count).zip(x.par_chunks(count));
    if to.is_vector() {
        images.for_each(|(y, x)| exchange(x, y, [count / from.channels(), from.channels()]));
    } else if from.is_vector() {
        images.for_each(|(y, x)| exchange(x, y, [to.channels(), count / to.channels()]));
    } else {
        images.for_each(|(y, x)| {
            for i in 0..count {
                y[channels_last_index(to, i)] = x[channels_last_index(from, i)];
            }
        });
    }
}

/// Rows to columns.
fn exchange<T: Real>(x: &[T], y: &mut [T], [rows, columns]: [usize; 2]) {
    turn(Level::chosen(), [rows, columns], (x, columns), (y, rows));
}

fn apply(
    from: &Shape,
    to: &Shape,
    x: &Tensor,
    out: &mut Buffer,
    cx: &Context<'_>,
) -> Result<Tensor> {
    let dims = channels_last(x.dims()[0], to);
    if from.is_vector() && to.is_vector() {
        return if x.dims() == &*dims {
            Ok(x.clone())
        } else {
            Ok(x.reshape(&*dims)?)
        };
    }
    if cx.uses_candle(x) {
        let planes = as_rows(x)?.transpose(1, 2)?.contiguous()?;
        let cells = to.spatial().iter().product::<usize>();
        let rows = planes
            .reshape((x.dims()[0], to.channels(), cells))?
            .transpose(1, 2)?;
        return Ok(rows.contiguous()?.reshape(&*dims)?);
    }
    let y = out.get(&dims, x)?;
    with_real!(x, T => {
        let x = view::<T>(x)?;
        fill::<T>(&y, |y| reorder(from, to, &x, y))
    })?;
    Ok(y)
}

impl Layer for Reshape {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        apply(&self.input, &self.output, x, &mut self.y, cx)
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if !need_input {
            return Ok(None);
        }
        apply(&self.output, &self.input, gradient, &mut self.dx, cx).map(Some)
    }
}
