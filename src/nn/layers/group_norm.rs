//! Group and layer normalisation (PyTorch `GroupNorm`, `LayerNorm`): eps 1e-5, one image at a time.
//!
//! Layer normalisation is one group with a weight for every value instead of every channel.

use super::batch_norm::to_f64;
use super::{Buffer, Layer, Result, kept};
use crate::network::{Builder, Context};
use crate::ops::real::Real;
use crate::ops::reduce::in_parts;
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use candle_core::Tensor;
use rayon::prelude::*;
use strata_core::project::size::Shape;
use strata_core::shape::layers::NORM_EPS;

/// Normalisation within each image.
pub(crate) struct GroupNorm {
    channels: usize,
    groups: usize,
    /// For layer norm: each value's weight, by its place in memory. For group norm: none, the channel's.
    by_value: Option<Vec<usize>>,
    weight: usize,
    bias: usize,
    x: Option<Tensor>,
    y: Buffer,
    dx: Buffer,
}

impl GroupNorm {
    pub(crate) fn grouped(
        key: &str,
        channels: usize,
        groups: usize,
        builder: &mut Builder<'_>,
    ) -> Result<GroupNorm> {
        GroupNorm::new(key, channels, groups, None, &[channels], builder)
    }

    pub(crate) fn layer(key: &str, shape: &Shape, builder: &mut Builder<'_>) -> Result<GroupNorm> {
        let (channels, cells) = (shape.channels(), shape.spatial().iter().product::<usize>());
        // PyTorch stores these weights in C, H, W order.
        let places = (0..channels * cells)
            .map(|i| (i % channels) * cells + i / channels)
            .collect();
        GroupNorm::new(key, channels, 1, Some(places), shape.dims(), builder)
    }

    fn new(
        key: &str,
        channels: usize,
        groups: usize,
        by_value: Option<Vec<usize>>,
        dims: &[usize],
        builder: &mut Builder<'_>,
    ) -> Result<GroupNorm> {
        let weight = builder.constant(&format!("{key}.weight"), dims, 1.0)?;
        let bias = builder.constant(&format!("{key}.bias"), dims, 0.0)?;
        Ok(GroupNorm {
            channels,
            groups,
            by_value,
            weight,
            bias,
            x: None,
            y: Buffer::default(),
            dx: Buffer::default(),
        })
    }

    /// Which weight belongs to the `i`-th number of an image.
    fn place(&self, i: usize) -> usize {
        self.by_value
            .as_ref()
            .map_or(i % self.channels, |places| places[i])
    }

    fn group(&self, i: usize) -> usize {
        (i % self.channels) / (self.channels / self.groups)
    }

    /// Mean and 1/σ of each group of one image.
    fn statistics<T: Real>(&self, x: &[T]) -> Vec<(f64, f64)> {
        let count = (x.len() / self.groups) as f64;
        let mut means = vec![0.0; self.groups];
        for (i, &v) in x.iter().enumerate() {
            means[self.group(i)] += v.to_f64() / count;
        }
        let mut variances = vec![0.0; self.groups];
        for (i, &v) in x.iter().enumerate() {
            let d = v.to_f64() - means[self.group(i)];
            variances[self.group(i)] += d * d / count;
        }
        means
            .into_iter()
            .zip(variances)
            .map(|(m, v)| (m, 1.0 / (v + NORM_EPS).sqrt()))
            .collect()
    }

    fn forward_image<T: Real>(&self, x: &[T], weight: &[f64], bias: &[f64], y: &mut [T]) {
        let statistics = self.statistics(x);
        for (i, (y, &v)) in y.iter_mut().zip(x).enumerate() {
            let ((mean, inverse), place) = (statistics[self.group(i)], self.place(i));
            *y = T::from_f64((v.to_f64() - mean) * inverse * weight[place] + bias[place]);
        }
    }

    fn backward_image<T: Real>(&self, x: &[T], gradient: &[T], weight: &[f64], dx: &mut [T]) {
        let (statistics, count) = (self.statistics(x), (x.len() / self.groups) as f64);
        let mut means = vec![(0.0, 0.0); self.groups];
        let scaled = |i: usize| gradient[i].to_f64() * weight[self.place(i)];
        let hat =
            |i: usize| (x[i].to_f64() - statistics[self.group(i)].0) * statistics[self.group(i)].1;
        for i in 0..x.len() {
            let mean = &mut means[self.group(i)];
            mean.0 += scaled(i) / count;
            mean.1 += scaled(i) * hat(i) / count;
        }
        for (i, dx) in dx.iter_mut().enumerate() {
            let (plain, weighted) = means[self.group(i)];
            *dx =
                T::from_f64(statistics[self.group(i)].1 * (scaled(i) - plain - hat(i) * weighted));
        }
    }

    /// Gradients of weight and bias.
    fn parameter_gradients<T: Real>(
        &self,
        x: &[T],
        gradient: &[T],
        image: usize,
        count: usize,
    ) -> Vec<f64> {
        let mut sums = vec![0.0; 2 * count];
        in_parts(x.len() / image, &mut sums, |images, sums| {
            for n in images {
                let (x, g) = (
                    &x[n * image..(n + 1) * image],
                    &gradient[n * image..(n + 1) * image],
                );
                let statistics = self.statistics(x);
                for i in 0..image {
                    let ((mean, inverse), place) = (statistics[self.group(i)], self.place(i));
                    sums[place] += g[i].to_f64() * (x[i].to_f64() - mean) * inverse;
                    sums[count + place] += g[i].to_f64();
                }
            }
        });
        sums
    }
}

// These layers are rare and small: on a GPU they are computed on the CPU and copied.
impl Layer for GroupNorm {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let host = x.to_device(&candle_core::Device::Cpu)?;
        let (weight, bias) = (
            to_f64(&cx.parameters[self.weight].value)?,
            to_f64(&cx.parameters[self.bias].value)?,
        );
        let (y, image) = (
            self.y.get(host.dims(), &host)?,
            host.elem_count() / host.dims()[0],
        );
        with_real!(host, T => {
            let x = view::<T>(&host)?;
            fill::<T>(&y, |y| {
                let images = y.par_chunks_mut(image).zip(x.par_chunks(image));
                images.for_each(|(y, x)| self.forward_image(x, &weight, &bias, y));
            })
        })?;
        self.x = Some(host);
        Ok(y.to_device(x.device())?)
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let (x, host) = (
            kept(&self.x)?.clone(),
            gradient.to_device(&candle_core::Device::Cpu)?,
        );
        let weight = to_f64(&cx.parameters[self.weight].value)?;
        let image = x.elem_count() / x.dims()[0];
        if cx.trains(self.weight) {
            let sums = with_real!(x, T => {
                Ok::<_, crate::NnError>(self.parameter_gradients(&view::<T>(&x)?, &view::<T>(&host)?, image, weight.len()))
            })?;
            cx.set_gradient(self.weight, &sums[..weight.len()])?;
            cx.set_gradient(self.bias, &sums[weight.len()..])?;
        }
        if !need_input {
            return Ok(None);
        }
        let dx = self.dx.get(x.dims(), &x)?;
        with_real!(x, T => {
            let (x, g) = (view::<T>(&x)?, view::<T>(&host)?);
            fill::<T>(&dx, |dx| {
                let images = dx.par_chunks_mut(image).zip(x.par_chunks(image).zip(g.par_chunks(image)));
                images.for_each(|(dx, (x, g))| self.backward_image(x, g, &weight, dx));
            })
        })?;
        Ok(Some(dx.to_device(gradient.device())?))
    }

    fn parameters(&self) -> Vec<usize> {
        vec![self.weight, self.bias]
    }
}
