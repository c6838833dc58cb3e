//! Softmax over channels (the last axis in memory, axis 1 in PyTorch).

use super::{Buffer, Layer, Result, kept};
use crate::network::Context;
use crate::ops::real::Real;
use crate::ops::reduce::LANES;
use crate::ops::simd::vectorized;
use crate::ops::storage::{fill, view};
use crate::ops::{device, with_real};
use candle_core::Tensor;
use rayon::prelude::*;

#[derive(Default)]
pub(crate) struct Softmax {
    y: Option<Tensor>,
    out: Buffer,
    dx: Buffer,
}

/// Numbers of a task.
const TASK: usize = 1 << 12;

/// Softmax of each row, shifted by its maximum so that nothing overflows.
fn rows<T: Real>(x: &[T], channels: usize, y: &mut [T]) {
    let task = TASK.next_multiple_of(channels);
    y.par_chunks_mut(task)
        .zip(x.par_chunks(task))
        .for_each(|(y, x)| {
            shift_rows(x, channels, y);
            exponentials(y);
            share_rows(channels, y);
        });
}

fn rows_backward<T: Real>(y: &[T], gradient: &[T], channels: usize, dx: &mut [T]) {
    let task = TASK.next_multiple_of(channels);
    let both = y.par_chunks(task).zip(gradient.par_chunks(task));
    dx.par_chunks_mut(task)
        .zip(both)
        .for_each(|(dx, (y, g))| back_rows(y, g, channels, dx));
}

vectorized! {
    fn shift_rows<T: Real>(x: &[T], channels: usize, y: &mut [T]) {
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            let highest = fold_lanes(x, T::neg_infinity(), |a, b| if b > a { b } else { a });
            for (y, &x) in y.iter_mut().zip(x) {
                *y = x - highest;
            }
        }
    }

    fn exponentials<T: Real>(y: &mut [T]) {
        for y in y {
            *y = y.exponential();
        }
    }

    fn share_rows<T: Real>(channels: usize, y: &mut [T]) {
        for y in y.chunks_exact_mut(channels) {
            let share = T::one() / fold_lanes(y, T::zero(), |a, b| a + b);
            for y in y {
                *y *= share;
            }
        }
    }

    fn back_rows<T: Real>(y: &[T], gradient: &[T], channels: usize, dx: &mut [T]) {
        let rows = y.chunks_exact(channels).zip(gradient.chunks_exact(channels));
        for (dx, (y, g)) in dx.chunks_exact_mut(channels).zip(rows) {
            for ((dx, &y), &g) in dx.iter_mut().zip(y).zip(g) {
                *dx = y * g;
            }
            let mean = fold_lanes(dx, T::zero(), |a, b| a + b);
            for (dx, &y) in dx.iter_mut().zip(y) {
                *dx -= y * mean;
            }
        }
    }
}

/// Folds a row, several numbers side by side so that they are a vector.
#[inline(always)]
fn fold_lanes<T: Real>(row: &[T], start: T, fold: impl Fn(T, T) -> T) -> T {
    let mut lanes = [start; LANES];
    let blocks = row.chunks_exact(LANES);
    let rest = blocks.remainder();
    for block in blocks {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane = fold(*lane, value);
        }
    }
    if row.len() >= LANES {
        for width in [8, 4, 2, 1] {
            for lane in 0..width {
                lanes[lane] = fold(lanes[lane], lanes[lane + width]);
            }
        }
    }
    rest.iter().fold(lanes[0], |all, &value| fold(all, value))
}

impl Layer for Softmax {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.out, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let y = if cx.uses_candle(x) {
            device::softmax(x)?
        } else {
            let (y, channels) = (self.out.get(x.dims(), x)?, x.dims()[x.rank() - 1]);
            with_real!(x, T => {
                let x = view::<T>(x)?;
                fill::<T>(&y, |y| rows(&x, channels, y))
            })?;
            y
        };
        self.y = Some(y.clone());
        Ok(y)
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
        let y = kept(&self.y)?;
        if cx.uses_candle(y) {
            return device::softmax_backward(y, gradient).map(Some);
        }
        let (dx, channels) = (self.dx.get(y.dims(), y)?, y.dims()[y.rank() - 1]);
        with_real!(y, T => {
            let (y, gradient) = (view::<T>(y)?, view::<T>(gradient)?);
            fill::<T>(&dx, |dx| rows_backward(&y, &gradient, channels, dx))
        })?;
        Ok(Some(dx))
    }
}
