//! Fully connected layer (PyTorch `Linear`): y = x·Wᵀ + b.

use super::conv::bias_gradient;
use super::{Buffer, Layer, Result, kept};
use crate::nn::network::{Builder, Context};
use crate::nn::ops::convolution::add_bias;
use crate::nn::ops::matmul::{Mat, product};
use crate::nn::ops::storage::{fill, view};
use crate::nn::ops::with_real;
use candle_core::Tensor;
use rayon::prelude::*;

/// Rows of a product are cut into this many parts, whatever the machine.
const PARTS: usize = 4;

/// A dense layer.
pub(crate) struct Dense {
    inputs: usize,
    outputs: usize,
    weight: usize,
    bias: Option<usize>,
    x: Option<Tensor>,
    y: Buffer,
    dx: Buffer,
}

impl Dense {
    pub(crate) fn new(
        key: &str,
        inputs: usize,
        outputs: usize,
        bias: bool,
        builder: &mut Builder<'_>,
    ) -> Result<Dense> {
        let weight = builder.uniform(&format!("{key}.weight"), &[outputs, inputs], inputs)?;
        let bias = bias.then(|| builder.uniform(&format!("{key}.bias"), &[outputs], inputs)).transpose()?;
        Ok(Dense { inputs, outputs, weight, bias, x: None, y: Buffer::default(), dx: Buffer::default() })
    }

    fn weight_gradient(&self, x: &Tensor, gradient: &Tensor, cx: &mut Context<'_>) -> Result<()> {
        if cx.uses_candle(x) {
            cx.parameters[self.weight].gradient = gradient.t()?.contiguous()?.matmul(x)?;
            return Ok(());
        }
        let (inputs, outputs, target) = (self.inputs, self.outputs, cx.parameters[self.weight].gradient.clone());
        with_real!(x, T => {
            let (x, gradient) = (view::<T>(x)?, view::<T>(gradient)?);
            let rows = outputs.div_ceil(PARTS);
            let batch = x.len() / inputs;
            fill::<T>(&target, |dw| {
                dw.par_chunks_mut(rows * inputs).enumerate().for_each(|(part, dw)| {
                    let first = part * rows;
                    let g = Mat::new(&gradient[first..], batch, dw.len() / inputs, outputs).t();
                    product(dw, inputs, g, Mat::new(&x, batch, inputs, inputs), false);
                });
            })
        })
    }
}

impl Layer for Dense {
    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.x = Some(x.clone());
        let weight = cx.parameters[self.weight].value.clone();
        let bias = self.bias.map(|bias| cx.parameters[bias].value.clone());
        if cx.uses_candle(x) {
            let y = x.matmul(&weight.t()?)?;
            return Ok(match bias {
                Some(bias) => y.broadcast_add(&bias)?,
                None => y,
            });
        }
        let (batch, inputs, outputs) = (x.dims()[0], self.inputs, self.outputs);
        let y = self.y.get(&[batch, outputs], x)?;
        with_real!(x, T => {
            let (x, w, bias) = (view::<T>(x)?, view::<T>(&weight)?, bias.as_ref().map(view::<T>).transpose()?);
            let rows = batch.div_ceil(PARTS);
            fill::<T>(&y, |y| {
                y.par_chunks_mut(rows * outputs).zip(x.par_chunks(rows * inputs)).for_each(|(y, x)| {
                    let x = Mat::new(x, x.len() / inputs, inputs, inputs);
                    product(y, outputs, x, Mat::new(&w, outputs, inputs, inputs).t(), false);
                    add_bias(y, bias.as_deref());
                });
            })
        })?;
        Ok(y)
    }

    fn backward(&mut self, gradient: &Tensor, need_input: bool, cx: &mut Context<'_>) -> Result<Option<Tensor>> {
        let x = kept(&self.x)?.clone();
        if cx.trains(self.weight) {
            self.weight_gradient(&x, gradient, cx)?;
        }
        bias_gradient(self.bias, gradient, cx)?;
        if !need_input {
            return Ok(None);
        }
        let weight = cx.parameters[self.weight].value.clone();
        if cx.uses_candle(&x) {
            return Ok(Some(gradient.matmul(&weight)?));
        }
        let (batch, inputs, outputs) = (x.dims()[0], self.inputs, self.outputs);
        let dx = self.dx.get(&[batch, inputs], &x)?;
        with_real!(x, T => {
            let (gradient, w) = (view::<T>(gradient)?, view::<T>(&weight)?);
            let rows = batch.div_ceil(PARTS);
            fill::<T>(&dx, |dx| {
                dx.par_chunks_mut(rows * inputs).zip(gradient.par_chunks(rows * outputs)).for_each(|(dx, g)| {
                    let g = Mat::new(g, g.len() / outputs, outputs, outputs);
                    product(dx, inputs, g, Mat::new(&w, outputs, inputs, inputs), false);
                });
            })
        })?;
        Ok(Some(dx))
    }

    fn parameters(&self) -> Vec<usize> {
        std::iter::once(self.weight).chain(self.bias).collect()
    }
}
