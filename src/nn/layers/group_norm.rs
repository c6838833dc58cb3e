//! Group and layer normalisation (PyTorch `GroupNorm`, `LayerNorm`): eps 1e-5, one image at a time.
//!
//! Layer normalisation is one group with a weight for every value instead of every channel.

mod device;

use super::{Buffer, Layer, Result, kept};
use crate::fusion_rules::Follower;
use crate::network::{Builder, Context};
use crate::ops::group_norm::{Behind, Images, Statistics};
use crate::ops::layer_norm::{self, transpose};
use crate::ops::real::Real;
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use candle_core::Tensor;
use strata_core::project::layer::Activation;
use strata_core::project::size::Shape;

/// Normalisation within each image.
pub(crate) struct GroupNorm {
    channels: usize,
    groups: usize,
    /// Whether every value has its own weight (layer norm), not every channel.
    by_value: bool,
    weight: usize,
    bias: usize,
    /// The activation behind.
    activation: Option<Activation>,
    /// Whether the next passes do it.
    fused: bool,
    x: Option<Tensor>,
    /// Of every group of every image, from the latest forward pass.
    statistics: Vec<Statistics>,
    /// The same of a pass on a device.
    on_device: Option<device::Normalised>,
    /// The gradients of weights and biases.
    sums: Vec<f64>,
    /// Weights and biases by value, in the order of the images.
    ordered: Buffer,
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
        let norm = GroupNorm::new(key, channels, false, &[channels], builder)?;
        Ok(GroupNorm { groups, ..norm })
    }

    pub(crate) fn layer(key: &str, shape: &Shape, builder: &mut Builder<'_>) -> Result<GroupNorm> {
        GroupNorm::new(key, shape.channels(), true, shape.dims(), builder)
    }

    fn new(
        key: &str,
        channels: usize,
        by_value: bool,
        dims: &[usize],
        builder: &mut Builder<'_>,
    ) -> Result<GroupNorm> {
        let weight = builder.constant(&format!("{key}.weight"), dims, 1.0)?;
        let bias = builder.constant(&format!("{key}.bias"), dims, 0.0)?;
        let parameters = 2 * dims.iter().product::<usize>();
        Ok(GroupNorm {
            channels,
            groups: 1,
            by_value,
            weight,
            bias,
            activation: None,
            fused: false,
            x: None,
            statistics: Vec::new(),
            on_device: None,
            sums: vec![0.0; parameters],
            ordered: Buffer::default(),
            y: Buffer::default(),
            dx: Buffer::default(),
        })
    }

    /// The batch as its statistics see it: layer norm makes no difference between channels.
    fn images<'a, T>(&self, numbers: &'a [T], x: &Tensor) -> Images<'a, T> {
        Images {
            numbers,
            image: numbers.len() / x.dims()[0].max(1),
            channels: if self.by_value { 1 } else { self.channels },
            groups: self.groups,
        }
    }

    fn forward_host<T: Real>(&mut self, x: &Tensor, cx: &Context<'_>) -> Result<Tensor> {
        let numbers = view::<T>(x)?;
        let images = self.images(&numbers, x);
        let y = self.y.get(x.dims(), x)?;
        let count = x.dims()[0] * self.groups;
        self.statistics.resize(count, Statistics::default());
        let [weight, bias] = [self.weight, self.bias].map(|at| &cx.parameters[at].value);
        let (weight, bias) = (view::<T>(weight)?, view::<T>(bias)?);
        if !self.by_value {
            let activation = self.activation.filter(|_| self.fused);
            let statistics = &mut self.statistics;
            fill::<T>(&y, |y| {
                images.normalise([&weight, &bias], activation, statistics, y);
            })?;
            return Ok(y);
        }
        let ordered = self.ordered.get(&[2 * images.image], x)?;
        fill::<T>(&ordered, |ordered| {
            // PyTorch stores these weights in C, H, W order.
            let (ordered_weight, ordered_bias) = ordered.split_at_mut(images.image);
            transpose(&weight, self.channels, ordered_weight, |weight| weight);
            transpose(&bias, self.channels, ordered_bias, |bias| bias);
        })?;
        let ordered = view::<T>(&ordered)?;
        let (weight, bias) = ordered.split_at(images.image);
        let statistics = &mut self.statistics;
        fill::<T>(&y, |y| {
            layer_norm::normalise(&images, weight, bias, statistics, y);
        })?;
        Ok(y)
    }

    fn backward_host<T: Real>(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let x = kept(&self.x)?.clone();
        let (numbers, gradient) = (view::<T>(&x)?, view::<T>(gradient)?);
        let images = self.images(&numbers, &x);
        let dx = match need_input {
            true => Some(self.dx.get(x.dims(), &x)?),
            false => None,
        };
        if self.by_value {
            self.backward_by_value(&images, &gradient, dx.as_ref(), cx)?;
        } else {
            self.backward_by_channel(&images, &gradient, dx.as_ref(), cx)?;
        }
        if cx.trains(self.weight) {
            let (weights, biases) = self.sums.split_at(self.sums.len() / 2);
            self.write_gradient::<T>(self.weight, weights, cx)?;
            self.write_gradient::<T>(self.bias, biases, cx)?;
        }
        Ok(dx)
    }

    fn backward_by_channel<T: Real>(
        &mut self,
        images: &Images<'_, T>,
        gradient: &[T],
        dx: Option<&Tensor>,
        cx: &Context<'_>,
    ) -> Result<()> {
        let [weight, bias] = [self.weight, self.bias].map(|at| &cx.parameters[at].value);
        let (weight, bias) = (view::<T>(weight)?, view::<T>(bias)?);
        let y = self.y.latest()?;
        let y = view::<T>(&y)?;
        let behind = |activation| Behind {
            activation,
            y: &y,
            bias: &bias,
        };
        let behind = self.activation.filter(|_| self.fused).map(behind);
        let (statistics, sums) = (&self.statistics, &mut self.sums);
        match dx {
            Some(dx) => fill::<T>(dx, |dx| {
                images.go_back(gradient, &weight, behind, statistics, sums, Some(dx));
            }),
            None => {
                images.go_back(gradient, &weight, behind, statistics, sums, None);
                Ok(())
            }
        }
    }

    fn backward_by_value<T: Real>(
        &mut self,
        images: &Images<'_, T>,
        gradient: &[T],
        dx: Option<&Tensor>,
        cx: &Context<'_>,
    ) -> Result<()> {
        if let Some(dx) = dx {
            let ordered = self.ordered.latest()?;
            let ordered = view::<T>(&ordered)?;
            let weight = &ordered[..images.image];
            let statistics = &mut self.statistics;
            fill::<T>(dx, |dx| {
                layer_norm::input_gradient(images, gradient, weight, statistics, dx);
            })?;
        }
        if cx.trains(self.weight) {
            layer_norm::parameter_gradients(images, gradient, &self.statistics, &mut self.sums);
        }
        Ok(())
    }

    fn write_gradient<T: Real>(
        &self,
        parameter: usize,
        sums: &[f64],
        cx: &Context<'_>,
    ) -> Result<()> {
        let cells = if self.by_value {
            sums.len() / self.channels
        } else {
            1
        };
        let gradient = &cx.parameters[parameter].gradient;
        fill::<T>(gradient, |to| transpose(sums, cells, to, T::narrow))
    }
}

impl Layer for GroupNorm {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        if cx.uses_candle(x) {
            return self.forward_device(x, cx);
        }
        let y = with_real!(x, T => self.forward_host::<T>(x, cx))?;
        self.x = Some(x.clone());
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
        with_real!(gradient, T => self.backward_host::<T>(gradient, need_input, cx))
    }

    fn parameters(&self) -> Vec<usize> {
        vec![self.weight, self.bias]
    }

    fn absorb(&mut self, next: Follower<'_>) {
        if let Follower::Activation(activation) = next {
            self.activation = Some(activation);
        }
    }

    fn set_fused(&mut self, fused: bool) {
        self.fused = fused;
    }
}
