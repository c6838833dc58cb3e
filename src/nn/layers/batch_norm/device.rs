//! Batch normalisation of candle's operators, all on the device.

use super::super::{Result, kept};
use super::{BatchNorm, MOMENTUM, Used, to_f64};
use crate::network::Context;
use candle_core::Tensor;

impl BatchNorm {
    pub(super) fn forward_device(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.used.of_batch = self.uses_batch(x, cx);
        if self.used.of_batch {
            let rows = x.reshape(((), self.channels))?;
            let mean = rows.mean_keepdim(0)?;
            let var = rows.broadcast_sub(&mean)?.sqr()?.mean(0)?;
            (self.used.mean, self.used.inverse_std) = (to_f64(&mean.squeeze(0)?)?, to_f64(&var)?);
            self.move_device_statistics((x.elem_count() / self.channels) as f64, cx)?;
        } else {
            self.used.mean = to_f64(cx.statistic(self.running_mean))?;
            self.used.inverse_std = to_f64(cx.statistic(self.running_var))?;
        }
        self.used.invert();
        let Used {
            mean, inverse_std, ..
        } = &self.used;
        let (weight, bias) = (
            to_f64(&cx.parameters[self.weight].value)?,
            to_f64(&cx.parameters[self.bias].value)?,
        );
        let scale: Vec<f64> = weight.iter().zip(inverse_std).map(|(w, s)| w * s).collect();
        let shift: Vec<f64> = bias
            .iter()
            .zip(&scale)
            .zip(mean)
            .map(|((b, s), m)| b - m * s)
            .collect();
        Ok(x.broadcast_mul(&like(x, &scale)?)?
            .broadcast_add(&like(x, &shift)?)?)
    }

    fn move_device_statistics(&self, count: f64, cx: &mut Context<'_>) -> Result<()> {
        let Used {
            mean,
            inverse_std: var,
            ..
        } = &self.used;
        if !mean.iter().chain(var).all(|v| v.is_finite()) {
            return Ok(());
        }
        let unbiased: Vec<f64> = var.iter().map(|v| v * count / (count - 1.0)).collect();
        for (index, batch) in [(self.running_mean, mean), (self.running_var, &unbiased)] {
            let old = cx.statistic(index);
            let moved = ((old * (1.0 - MOMENTUM))? + (like(old, batch)? * MOMENTUM)?)?;
            cx.set_statistic(index, moved);
        }
        Ok(())
    }

    pub(super) fn backward_device(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let x = kept(&self.x)?;
        let Used {
            mean,
            inverse_std,
            of_batch,
        } = &self.used;
        let (rows, g) = (
            x.reshape(((), self.channels))?,
            gradient.reshape(((), self.channels))?,
        );
        let hat = rows
            .broadcast_sub(&like(x, mean)?)?
            .broadcast_mul(&like(x, inverse_std)?)?;
        let (sum, product) = (g.sum(0)?, (&g * &hat)?.sum(0)?);
        for (parameter, gradient) in [(self.bias, &sum), (self.weight, &product)] {
            if cx.trains(parameter) {
                cx.parameters[parameter].gradient = gradient.clone();
            }
        }
        if !need_input {
            return Ok(None);
        }
        let factor = (&cx.parameters[self.weight].value * &like(x, inverse_std)?)?;
        let share = if *of_batch {
            self.channels as f64 / x.elem_count() as f64
        } else {
            0.0
        };
        let means = (hat.broadcast_mul(&product)?.broadcast_add(&sum)? * share)?;
        Ok(Some(
            (g - means)?.broadcast_mul(&factor)?.reshape(x.dims())?,
        ))
    }
}

fn like(x: &Tensor, values: &[f64]) -> Result<Tensor> {
    Ok(Tensor::new(values, x.device())?.to_dtype(x.dtype())?)
}
