//! Softmax over channels (the last axis in memory, axis 1 in PyTorch).

use super::{Buffer, Layer, Result, kept};
use crate::network::Context;
use crate::ops::real::Real;
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

/// Softmax of each row, shifted by its maximum so that nothing overflows.
fn rows<T: Real>(x: &[T], channels: usize, y: &mut [T]) {
    y.par_chunks_mut(channels)
        .zip(x.par_chunks(channels))
        .for_each(|(y, x)| {
            let highest = x
                .iter()
                .copied()
                .fold(T::neg_infinity(), num_traits::Float::max);
            for (y, &x) in y.iter_mut().zip(x) {
                *y = (x - highest).exp();
            }
            let total: T = y.iter().copied().sum();
            y.iter_mut().for_each(|y| *y /= total);
        });
}

fn rows_backward<T: Real>(y: &[T], gradient: &[T], channels: usize, dx: &mut [T]) {
    let both = y.par_chunks(channels).zip(gradient.par_chunks(channels));
    dx.par_chunks_mut(channels)
        .zip(both)
        .for_each(|(dx, (y, g))| {
            let mean: T = y.iter().zip(g).map(|(&y, &g)| y * g).sum();
            for ((dx, &y), &g) in dx.iter_mut().zip(y).zip(g) {
                *dx = y * (g - mean);
            }
        });
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
