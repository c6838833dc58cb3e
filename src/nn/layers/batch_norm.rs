//! Batch normalisation (PyTorch `BatchNorm1d/2d/3d`; Ioffe and Szegedy 2015): eps 1e-5, momentum 0.1.
//!
//! Training uses the batch's own mean and variance and moves the running ones; evaluation uses the running
//! ones. A frozen layer evaluates even while the rest trains, so its statistics stay as they are (as in
//! Keras; PyTorch keeps moving them).

use super::conv::bias_gradient;
use super::{Buffer, Layer, Result, as_rows, kept};
use crate::nn::network::{Builder, Context};
use crate::nn::ops::real::Real;
use crate::nn::ops::reduce::in_parts;
use crate::nn::ops::storage::{fill, view};
use crate::nn::ops::with_real;
use candle_core::Tensor;
use rayon::prelude::*;

pub(super) const EPS: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;
const ROWS: usize = 1 << 10;

/// Batch normalisation.
pub(crate) struct BatchNorm {
    channels: usize,
    weight: usize,
    bias: usize,
    running_mean: usize,
    running_var: usize,
    x: Option<Tensor>,
    used: Used,
    y: Buffer,
    dx: Buffer,
}

/// The statistics that the latest forward pass normalised with.
#[derive(Default)]
struct Used {
    mean: Vec<f64>,
    inverse_std: Vec<f64>,
    of_batch: bool,
}

impl BatchNorm {
    pub(crate) fn new(key: &str, channels: usize, builder: &mut Builder<'_>) -> Result<BatchNorm> {
        Ok(BatchNorm {
            channels,
            weight: builder.constant(&format!("{key}.weight"), &[channels], 1.0)?,
            bias: builder.constant(&format!("{key}.bias"), &[channels], 0.0)?,
            running_mean: builder.statistic(&format!("{key}.running_mean"), channels, 0.0)?,
            running_var: builder.statistic(&format!("{key}.running_var"), channels, 1.0)?,
            x: None,
            used: Used::default(),
            y: Buffer::default(),
            dx: Buffer::default(),
        })
    }

    fn choose_statistics(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<()> {
        // One value has no deviation: such a batch is normalised as in evaluation (PyTorch refuses it).
        let several = x.elem_count() > self.channels;
        let of_batch = cx.training() && cx.trains(self.weight) && several;
        let (mean, var) = if of_batch {
            let (mean, var, count) = self.moments(x, cx)?;
            // A batch gone wrong must not spoil the statistics that outlive it.
            if mean.iter().chain(&var).all(|v| v.is_finite()) {
                let unbiased = count / (count - 1.0);
                cx.move_statistic(self.running_mean, MOMENTUM, mean.iter().copied())?;
                cx.move_statistic(self.running_var, MOMENTUM, var.iter().map(|v| v * unbiased))?;
            }
            (mean, var)
        } else {
            (cx.statistic(self.running_mean)?, cx.statistic(self.running_var)?)
        };
        let inverse_std = var.iter().map(|v| 1.0 / (v + EPS).sqrt()).collect();
        self.used = Used { mean, inverse_std, of_batch };
        Ok(())
    }

    /// Mean and variance by channel over batch and space, and the number of values of each.
    fn moments(&self, x: &Tensor, cx: &Context<'_>) -> Result<(Vec<f64>, Vec<f64>, f64)> {
        let count = (x.elem_count() / self.channels) as f64;
        if cx.uses_candle(x) {
            let rows = x.reshape(((), self.channels))?;
            let mean = rows.mean_keepdim(0)?;
            let var = rows.broadcast_sub(&mean)?.sqr()?.mean(0)?;
            return Ok((to_f64(&mean.squeeze(0)?)?, to_f64(&var)?, count));
        }
        let (mean, var) = with_real!(x, T => {
            let x = view::<T>(x)?;
            let mean: Vec<f64> = sums(&x, self.channels).into_iter().map(|sum| sum / count).collect();
            let var = squares(&x, &mean).into_iter().map(|sum| sum / count).collect();
            Ok::<_, crate::nn::NnError>((mean, var))
        })?;
        Ok((mean, var, count))
    }

    /// Factor and addend by channel: y = x·scale + shift.
    fn affine(&self, cx: &Context<'_>) -> Result<(Vec<f64>, Vec<f64>)> {
        let (weight, bias) = (to_f64(&cx.parameters[self.weight].value)?, to_f64(&cx.parameters[self.bias].value)?);
        let scale: Vec<f64> = weight.iter().zip(&self.used.inverse_std).map(|(w, s)| w * s).collect();
        let shift = bias.iter().zip(&scale).zip(&self.used.mean).map(|((b, s), m)| b - m * s).collect();
        Ok((scale, shift))
    }

    /// y = x·scale + gradient·factor + shift, by channel; the gradient may be absent.
    fn by_channel(&mut self, x: &Tensor, gradient: Option<&Tensor>, line: &Line, cx: &Context<'_>) -> Result<Tensor> {
        let (channels, forward) = (self.channels, gradient.is_none());
        if cx.uses_candle(x) {
            return line.on_device(x, gradient);
        }
        let out = if forward { &mut self.y } else { &mut self.dx }.get(x.dims(), x)?;
        with_real!(x, T => {
            let (x, g) = (view::<T>(x)?, gradient.map(view::<T>).transpose()?);
            let [scale, factor, shift] = line.values::<T>();
            fill::<T>(&out, |out| {
                let chunk = ROWS * channels;
                out.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).enumerate().for_each(|(part, (out, x))| {
                    for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                        for (((out, &x), &scale), &shift) in out.iter_mut().zip(x).zip(&scale).zip(&shift) {
                            *out = x * scale + shift;
                        }
                    }
                    let Some(g) = g.as_ref() else { return };
                    let g = g[part * chunk..].chunks_exact(channels);
                    for (out, g) in out.chunks_exact_mut(channels).zip(g) {
                        for ((out, &g), &factor) in out.iter_mut().zip(g).zip(&factor) {
                            *out += g * factor;
                        }
                    }
                });
            })
        })?;
        Ok(out)
    }

    /// Σ g and Σ g·x̂ by channel: the gradients of bias and weight.
    fn gradient_sums(&self, x: &Tensor, gradient: &Tensor, cx: &Context<'_>) -> Result<(Vec<f64>, Vec<f64>)> {
        let Used { mean, inverse_std, .. } = &self.used;
        if cx.uses_candle(x) {
            let tensor = |values: &[f64]| Tensor::new(values, x.device())?.to_dtype(x.dtype());
            let (rows, g) = (x.reshape(((), self.channels))?, gradient.reshape(((), self.channels))?);
            let hat = rows.broadcast_sub(&tensor(mean)?)?.broadcast_mul(&tensor(inverse_std)?)?;
            return Ok((to_f64(&g.sum(0)?)?, to_f64(&(g * hat)?.sum(0)?)?));
        }
        with_real!(x, T => {
            let (x, g) = (view::<T>(x)?, view::<T>(gradient)?);
            let plain = sums(&g, self.channels);
            // Σ g·x̂ = (Σ g·x − x̄·Σ g)/σ; in f64 the difference loses nothing that f32 had.
            let products = products(&x, &g, self.channels);
            let hat = products.iter().zip(&plain).zip(mean).zip(inverse_std);
            let weighted = hat.map(|(((gx, g), mean), inverse)| (gx - mean * g) * inverse).collect();
            Ok((plain, weighted))
        })
    }
}

/// Coefficients by channel of a line through the input and the gradient.
struct Line {
    scale: Vec<f64>,
    factor: Vec<f64>,
    shift: Vec<f64>,
}

impl Line {
    fn values<T: Real>(&self) -> [Vec<T>; 3] {
        [&self.scale, &self.factor, &self.shift].map(|v| v.iter().map(|&v| T::of(v)).collect())
    }

    fn on_device(&self, x: &Tensor, gradient: Option<&Tensor>) -> Result<Tensor> {
        let tensor = |values: &[f64]| Tensor::new(values, x.device())?.to_dtype(x.dtype());
        let y = x.broadcast_mul(&tensor(&self.scale)?)?.broadcast_add(&tensor(&self.shift)?)?;
        Ok(match gradient {
            Some(gradient) => (y + gradient.broadcast_mul(&tensor(&self.factor)?)?)?,
            None => y,
        })
    }
}

/// Adds up `add(row, sums)` over all rows, in f64 and a fixed order.
fn by_row(rows: usize, channels: usize, add: impl Fn(usize, &mut [f64]) + Sync) -> Vec<f64> {
    let mut total = vec![0.0; channels];
    in_parts(rows, &mut total, |rows, sums| rows.for_each(|row| add(row * channels, sums)));
    total
}

/// Σ x by channel.
fn sums<T: Real>(x: &[T], channels: usize) -> Vec<f64> {
    by_row(x.len() / channels, channels, |at, sums| {
        for (sum, x) in sums.iter_mut().zip(&x[at..at + channels]) {
            *sum += x.wide();
        }
    })
}

/// Σ (x − mean)² by channel.
fn squares<T: Real>(x: &[T], mean: &[f64]) -> Vec<f64> {
    let channels = mean.len();
    by_row(x.len() / channels, channels, |at, sums| {
        for ((sum, x), mean) in sums.iter_mut().zip(&x[at..at + channels]).zip(mean) {
            let d = x.wide() - mean;
            *sum += d * d;
        }
    })
}

/// Σ x·g by channel.
fn products<T: Real>(x: &[T], g: &[T], channels: usize) -> Vec<f64> {
    by_row(x.len() / channels, channels, |at, sums| {
        for ((sum, x), g) in sums.iter_mut().zip(&x[at..at + channels]).zip(&g[at..at + channels]) {
            *sum += x.wide() * g.wide();
        }
    })
}

pub(super) fn to_f64(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(candle_core::DType::F64)?.flatten_all()?.to_vec1()?)
}

impl Layer for BatchNorm {
    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.x = Some(x.clone());
        self.choose_statistics(x, cx)?;
        let (scale, shift) = self.affine(cx)?;
        self.by_channel(x, None, &Line { scale, factor: Vec::new(), shift }, cx)
    }

    fn backward(&mut self, gradient: &Tensor, need_input: bool, cx: &mut Context<'_>) -> Result<Option<Tensor>> {
        let x = kept(&self.x)?.clone();
        let (sum, weighted) = self.gradient_sums(&x, gradient, cx)?;
        if cx.trains(self.weight) {
            cx.set_gradient(self.weight, &weighted)?;
        }
        bias_gradient(Some(self.bias), &as_rows(gradient)?, cx)?;
        if !need_input {
            return Ok(None);
        }
        // dx = γ/σ·(g − mean(g) − x̂·mean(g·x̂)); without the means when the statistics were constants.
        let count = (x.elem_count() / self.channels) as f64;
        let weight = to_f64(&cx.parameters[self.weight].value)?;
        let Used { mean, inverse_std, of_batch } = &self.used;
        let factor: Vec<f64> = weight.iter().zip(inverse_std).map(|(w, s)| w * s).collect();
        let share = if *of_batch { 1.0 / count } else { 0.0 };
        let channels = 0..self.channels;
        let scale: Vec<f64> = channels.clone().map(|c| -factor[c] * weighted[c] * share * inverse_std[c]).collect();
        let shift = channels.map(|c| -factor[c] * sum[c] * share - scale[c] * mean[c]).collect();
        self.by_channel(&x, Some(gradient), &Line { scale, factor, shift }, cx).map(Some)
    }

    fn parameters(&self) -> Vec<usize> {
        vec![self.weight, self.bias]
    }
}
