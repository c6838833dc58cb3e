//! Batch normalisation of candle's operators, all on the device.

use super::super::{Result, kept};
use super::{BatchNorm, MOMENTUM};
use crate::network::Context;
use crate::ops::device::{constant, sum_rows};
use candle_core::Tensor;
use strata_core::shape::layers::NORM_EPS;

/// What the latest forward pass normalised with, `1 × channels` each.
pub(super) struct Normalised {
    mean: Tensor,
    inverse_std: Tensor,
    of_batch: bool,
}

impl BatchNorm {
    pub(super) fn forward_device(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let line = (1, self.channels);
        let rows = x.reshape(((), self.channels))?;
        let of_batch = self.uses_batch(x, cx);
        let (mean, var) = if of_batch {
            let fraction = 1.0 / rows.dim(0)? as f64;
            let mean = (sum_rows(&rows)?.reshape(line)? * fraction)?;
            let squares = rows.broadcast_sub(&mean)?.sqr()?;
            let var = (sum_rows(&squares)?.reshape(line)? * fraction)?;
            self.move_device_statistics(&mean, &var, rows.dim(0)? as f64, cx)?;
            (mean, var)
        } else {
            let statistic = |index| cx.statistic(index).reshape(line);
            (statistic(self.running_mean)?, statistic(self.running_var)?)
        };
        let inverse_std = (var + NORM_EPS)?.sqrt()?.recip()?;
        let scale = (cx.parameters[self.weight].value.reshape(line)? * &inverse_std)?;
        let y = rows
            .broadcast_sub(&mean)?
            .broadcast_mul(&scale)?
            .broadcast_add(&cx.parameters[self.bias].value)?;
        self.on_device = Some(Normalised {
            mean,
            inverse_std,
            of_batch,
        });
        Ok(y.reshape(x.dims())?)
    }

    /// Moves the running mean and variance towards the batch's, but for channels that have gone wrong: what outlives the
    /// batch is not spoilt.
    fn move_device_statistics(
        &self,
        mean: &Tensor,
        var: &Tensor,
        count: f64,
        cx: &mut Context<'_>,
    ) -> Result<()> {
        let is_finite = is_finite(&(mean + var)?)?.reshape(self.channels)?;
        let unbiased = (var * (count / (count - 1.0)))?;
        for (index, new) in [(self.running_mean, mean), (self.running_var, &unbiased)] {
            let old = cx.statistic(index);
            let moved = ((old * (1.0 - MOMENTUM))? + (new.reshape(self.channels)? * MOMENTUM)?)?;
            let moved = is_finite.where_cond(&moved, old)?;
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
        let (x, used) = (kept(&self.x)?, kept(&self.on_device)?);
        let rows = x.reshape(((), self.channels))?;
        let g = gradient.reshape(((), self.channels))?;
        let hat = rows
            .broadcast_sub(&used.mean)?
            .broadcast_mul(&used.inverse_std)?;
        let (sum, product) = (sum_rows(&g)?, sum_rows(&(&g * &hat)?)?);
        for (parameter, gradient) in [(self.bias, &sum), (self.weight, &product)] {
            if cx.trains(parameter) {
                cx.parameters[parameter].gradient = gradient.clone();
            }
        }
        if !need_input {
            return Ok(None);
        }
        let inverse_std = used.inverse_std.reshape(self.channels)?;
        let factor = (&cx.parameters[self.weight].value * inverse_std)?;
        let g = if used.of_batch {
            let share = 1.0 / rows.dim(0)? as f64;
            let means = (hat.broadcast_mul(&product)?.broadcast_add(&sum)? * share)?;
            (g - means)?
        } else {
            g
        };
        Ok(Some(g.broadcast_mul(&factor)?.reshape(x.dims())?))
    }
}

/// 1 where a number is finite: 0·x is 0 for those and NaN for others.
fn is_finite(x: &Tensor) -> Result<Tensor> {
    let none = (x * 0.0)?;
    Ok(none.eq(&constant(0.0, &none)?)?)
}
