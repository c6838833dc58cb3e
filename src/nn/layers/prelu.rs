//! `prelu`: x above zero, a learned slope below (PyTorch `PReLU`).

use super::batch_norm::to_f64;
use super::{Buffer, Layer, Result, kept};
use crate::network::{Builder, Context};
use crate::ops::device::{above, sum_rows};
use crate::ops::elementwise::{map, zip};
use crate::ops::norm_rows::{GatedProducts, Products, add_sums, repeat, row_width, sums_scratch};
use crate::ops::real::Real;
use crate::ops::reduce::in_parts;
use crate::ops::simd::{Level, vectorized};
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use candle_core::Tensor;
use rayon::prelude::*;
use strata_core::shape::layers::PRELU_SLOPE;

/// Rows of channels that are worth a task together.
const NUMBERS_PER_TASK: usize = 1 << 14;

/// One slope, or one for each channel.
pub(crate) struct PRelu {
    weight: usize,
    x: Option<Tensor>,
    y: Buffer,
    dx: Buffer,
}

impl PRelu {
    pub(crate) fn new(
        key: &str,
        channels: Option<usize>,
        builder: &mut Builder<'_>,
    ) -> Result<PRelu> {
        let slopes = [channels.unwrap_or(1)];
        let weight = builder.constant(&format!("{key}.weight"), &slopes, f64::from(PRELU_SLOPE))?;
        Ok(PRelu {
            weight,
            x: None,
            y: Buffer::default(),
            dx: Buffer::default(),
        })
    }

    fn slopes<T: Real>(&self, cx: &Context<'_>) -> Result<Vec<T>> {
        let slopes = to_f64(&cx.parameters[self.weight].value)?;
        Ok(slopes.into_iter().map(T::narrow).collect())
    }
}

fn forward<T: Real>(x: &[T], slopes: &[T], y: &mut [T]) {
    if let [slope] = *slopes {
        return map(x, y, |x| bent(x, x, slope));
    }
    let (task, slopes) = rows_of(slopes);
    y.par_chunks_mut(task)
        .zip(x.par_chunks(task))
        .for_each(|(y, x)| bend_rows(x, x, &slopes, y));
}

/// The gradient for the input.
fn backward<T: Real>(x: &[T], gradient: &[T], slopes: &[T], dx: &mut [T]) {
    if let [slope] = *slopes {
        return zip(x, gradient, dx, |x, gradient| bent(x, gradient, slope));
    }
    let (task, slopes) = rows_of(slopes);
    dx.par_chunks_mut(task)
        .zip(x.par_chunks(task).zip(gradient.par_chunks(task)))
        .for_each(|(dx, (x, gradient))| bend_rows(x, gradient, &slopes, dx));
}

/// Numbers of a task, and the slopes of a row of the kernels.
fn rows_of<T: Real>(slopes: &[T]) -> (usize, Vec<T>) {
    let mut row = vec![T::zero(); row_width(slopes.len())];
    repeat(slopes, &mut row);
    (NUMBERS_PER_TASK.next_multiple_of(row.len()), row)
}

/// The value above zero, its slope's part of it below.
#[inline(always)]
fn bent<T: Real>(x: T, value: T, slope: T) -> T {
    if x > T::zero() { value } else { slope * value }
}

vectorized! {
    fn bend_rows<T: Real>(x: &[T], values: &[T], slopes: &[T], out: &mut [T]) {
        let width = slopes.len();
        let rows = x.chunks(width).zip(values.chunks(width));
        for (out, (x, values)) in out.chunks_mut(width).zip(rows) {
            for (((out, &x), &value), &slope) in out.iter_mut().zip(x).zip(values).zip(slopes) {
                *out = bent(x, value, slope);
            }
        }
    }
}

/// The gradient of each slope: Σ gradient·x where x is not above zero.
fn slope_gradients<T: Real>(x: &[T], gradient: &[T], count: usize) -> Vec<f64> {
    let mut sums = vec![0.0; count];
    let width = row_width(count);
    in_parts(x.len() / count, &mut sums, |rows, sums| {
        let numbers = rows.start * count..rows.end * count;
        let (x, gradient) = (&x[numbers.clone()], &gradient[numbers]);
        let mut both = vec![0.0; 2 * count];
        T::with_scratch(2 * width + sums_scratch(count), |scratch| {
            let (lines, some) = scratch.split_at_mut(2 * width);
            let (zeros, minus) = lines.split_at_mut(width);
            zeros.fill(T::zero());
            minus.fill(-T::one());
            let products = Products {
                x,
                gradient,
                centre: zeros,
            };
            // Below zero is where −x is positive.
            let below = GatedProducts {
                products,
                scale: minus,
                shift: zeros,
            };
            add_sums(Level::chosen(), below, x.len(), some, &mut both);
        });
        sums.copy_from_slice(&both[count..]);
    });
    sums
}

impl PRelu {
    /// 1 above zero, the slope elsewhere.
    fn factors_on_device(&self, x: &Tensor, cx: &Context<'_>) -> Result<Tensor> {
        let positive = above(x, 0.0)?;
        let below = (1.0 - &positive)?.broadcast_mul(&cx.parameters[self.weight].value)?;
        Ok((positive + below)?)
    }

    fn slope_gradients_on_device(&self, x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
        let below = (1.0 - above(x, 0.0)?)?;
        let terms = ((gradient * x)? * below)?;
        let channels = x.dims()[x.rank() - 1];
        sum_rows(&terms.reshape(((), channels))?)
    }

    fn backward_device(
        &self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let x = kept(&self.x)?;
        if cx.trains(self.weight) {
            let by_channel = self.slope_gradients_on_device(x, gradient)?;
            let parameter = &mut cx.parameters[self.weight];
            parameter.gradient = match parameter.value.elem_count() {
                1 => by_channel.sum_keepdim(0)?,
                _ => by_channel,
            };
        }
        if !need_input {
            return Ok(None);
        }
        Ok(Some((gradient * self.factors_on_device(x, cx)?)?))
    }
}

impl Layer for PRelu {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.x = Some(x.clone());
        if cx.uses_candle(x) {
            return Ok((x * self.factors_on_device(x, cx)?)?);
        }
        let y = self.y.get(x.dims(), x)?;
        with_real!(x, T => {
            let slopes = self.slopes::<T>(cx)?;
            let x = view::<T>(x)?;
            fill::<T>(&y, |y| forward(&x, &slopes, y))
        })?;
        Ok(y)
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if cx.uses_candle(gradient) {
            return self.backward_device(gradient, need_input, cx);
        }
        let x = kept(&self.x)?.clone();
        if cx.trains(self.weight) {
            let count = cx.parameters[self.weight].value.elem_count();
            let sums = with_real!(x, T => {
                let (x, gradient) = (view::<T>(&x)?, view::<T>(gradient)?);
                Ok::<_, crate::NnError>(slope_gradients(&x, &gradient, count))
            })?;
            cx.set_gradient(self.weight, &sums)?;
        }
        if !need_input {
            return Ok(None);
        }
        let dx = self.dx.get(x.dims(), &x)?;
        with_real!(x, T => {
            let slopes = self.slopes::<T>(cx)?;
            let (x, gradient) = (view::<T>(&x)?, view::<T>(gradient)?);
            fill::<T>(&dx, |dx| backward(&x, &gradient, &slopes, dx))
        })?;
        Ok(Some(dx))
    }

    fn parameters(&self) -> Vec<usize> {
        vec![self.weight]
    }
}
