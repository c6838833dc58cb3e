//! The sparsity penalty: what it adds to the loss, and to the gradient of the activation that it is put on.

use super::{Context, Network, Result};
use crate::NnError;
use crate::ops::device::{at_least, at_most, sum_rows};
use crate::ops::elementwise::add_row;
use crate::ops::real::Real;
use crate::ops::reduce::wide_column_sums;
use crate::ops::storage::{Buffer, fill, view};
use crate::ops::with_real;
use candle_core::{DType, Tensor, WithDType};
use rayon::prelude::*;
use strata_core::project::Stack;
use strata_core::project::stage::Sparsity;
use strata_core::project::target::Target;

/// Penalties on an activation: on the mean of every unit β·Σ KL(ρ‖ρ̂), on every value λ·Σ|a|, the mean over images.
#[derive(Clone, Debug)]
pub(crate) struct Penalty {
    rho: f64,
    beta: f64,
    l1: f64,
    /// λ over the number of images: what a value's sign adds to its gradient.
    share: f64,
    /// Its value at the latest forward pass.
    pub value: f64,
    /// ∂/∂ρ̂ of each unit, divided by the number of values it is the mean of.
    slopes: Vec<f64>,
    /// The same on a device.
    device_slopes: Option<Tensor>,
}

/// Values that are worth a task.
const CHUNK: usize = 1 << 14;

/// Mean activations are kept this far from 0 and 1, where the penalty is infinite.
const RHO_MARGIN: f64 = 1e-6;

impl Penalty {
    /// Computes the penalty for an activation; a unit is a feature or a channel.
    pub(crate) fn observe(&mut self, activation: &Tensor, cx: &mut Context<'_>) -> Result<()> {
        if cx.uses_candle(activation) {
            let value = self.observe_on_device(activation)?;
            let sum = cx.device_penalty.take();
            cx.device_penalty = match (sum, value) {
                (Some(sum), Some(value)) => Some((sum + value)?),
                (sum, value) => sum.or(value),
            };
            return Ok(());
        }
        self.value = self.observe_sizes(activation)?;
        if self.beta > 0.0 {
            self.value += self.observe_means(activation)?;
        }
        cx.penalty += self.value;
        Ok(())
    }

    /// Both of candle's operators, where the activation is.
    fn observe_on_device(&mut self, activation: &Tensor) -> Result<Option<Tensor>> {
        let units = activation.dims()[activation.rank() - 1];
        let rows = activation.reshape(((), units))?;
        let mut value = None;
        self.share = self.l1 / activation.dims()[0].max(1) as f64;
        if self.l1 != 0.0 {
            value = Some((sum_rows(&rows.abs()?)?.sum_all()? * self.share)?);
        }
        if self.beta > 0.0 {
            let (rho, beta, count) = (self.rho, self.beta, rows.dim(0)? as f64);
            let mean = at_least(&(sum_rows(&rows)? / count)?, RHO_MARGIN)?;
            let mean = at_most(&mean, 1.0 - RHO_MARGIN)?;
            let rest = (1.0 - &mean)?;
            let on = ((mean.log()? * -1.0)? + rho.ln())?;
            let off = ((rest.log()? * -1.0)? + (1.0 - rho).ln())?;
            let kl = ((on * rho)? + (off * (1.0 - rho))?)?;
            let kl = (kl.sum_all()? * beta)?;
            let slopes = ((rest.recip()? * (1.0 - rho))? - (mean.recip()? * rho)?)?;
            self.device_slopes = Some((slopes * (beta / count))?);
            value = Some(match value {
                Some(value) => (value + kl)?,
                None => kl,
            });
        }
        Ok(value)
    }

    /// The L1 penalty.
    fn observe_sizes(&mut self, activation: &Tensor) -> Result<f64> {
        if self.l1 == 0.0 {
            return Ok(0.0);
        }
        self.share = self.l1 / activation.dims()[0].max(1) as f64;
        let sum = with_real!(activation, T => {
            let values = view::<T>(activation)?;
            let part = |some: &[T]| some.iter().map(|value| value.wide().abs()).sum();
            let parts: Vec<f64> = values.par_chunks(CHUNK).map(part).collect();
            Ok::<_, NnError>(parts.iter().sum::<f64>())
        })?;
        Ok(self.share * sum)
    }

    /// The KL penalty, and its slopes.
    fn observe_means(&mut self, activation: &Tensor) -> Result<f64> {
        let units = activation.dims()[activation.rank() - 1];
        let count = (activation.elem_count() / units) as f64;
        self.slopes.resize(units, 0.0);
        with_real!(activation, T => {
            wide_column_sums(&view::<T>(activation)?, &mut self.slopes);
            Ok::<_, NnError>(())
        })?;
        let (rho, beta) = (self.rho, self.beta);
        let mut value = 0.0;
        for slope in &mut self.slopes {
            let m = (*slope / count).clamp(RHO_MARGIN, 1.0 - RHO_MARGIN);
            value += beta * (rho * (rho / m).ln() + (1.0 - rho) * ((1.0 - rho) / (1.0 - m)).ln());
            *slope = beta * ((1.0 - rho) / (1.0 - m) - rho / m) / count;
        }
        Ok(value)
    }

    /// The gradient of the loss plus that of the penalty; `activation` is what was observed.
    pub(crate) fn add_gradient(
        &self,
        gradient: &Tensor,
        activation: Option<&Tensor>,
        out: &mut Penalised,
        cx: &Context<'_>,
    ) -> Result<Tensor> {
        let activation = activation.filter(|_| self.l1 > 0.0);
        if cx.uses_candle(gradient) {
            let mut gradient = gradient.clone();
            if let Some(activation) = activation {
                gradient = (gradient + (activation.sign()? * self.share)?)?;
            }
            return match &self.device_slopes {
                Some(slopes) => Ok(gradient.broadcast_add(slopes)?),
                None => Ok(gradient),
            };
        }
        if self.beta == 0.0 {
            let sum = out.sum.get(gradient.dims(), gradient)?;
            with_real!(gradient, T => {
                let gradient = view::<T>(gradient)?;
                fill::<T>(&sum, |sum| sum.copy_from_slice(&gradient))
            })?;
            return self.with_signs(sum, activation);
        }
        let slopes = out.slopes.get(&[self.slopes.len()], gradient)?;
        let sum = out.sum.get(gradient.dims(), gradient)?;
        with_real!(gradient, T => {
            fill::<T>(&slopes, |slopes| slopes.iter_mut().zip(&self.slopes).for_each(|(to, &from)| *to = T::from_f64(from)))?;
            let (gradient, slopes) = (view::<T>(gradient)?, view::<T>(&slopes)?);
            fill::<T>(&sum, |sum| add_row(&gradient, &slopes, sum))
        })?;
        self.with_signs(sum, activation)
    }

    /// Adds the slope of every value's size: a 0 has none, as in PyTorch.
    fn with_signs(&self, sum: Tensor, activation: Option<&Tensor>) -> Result<Tensor> {
        let Some(activation) = activation else {
            return Ok(sum);
        };
        with_real!(sum, T => {
            let (share, zero) = (T::narrow(self.share), T::narrow(0.0));
            let values = view::<T>(activation)?;
            fill::<T>(&sum, |sum| {
                let pairs = sum.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK));
                pairs.for_each(|(sum, values)| {
                    for (sum, &value) in sum.iter_mut().zip(values) {
                        if value > zero {
                            *sum += share;
                        } else if value < zero {
                            *sum -= share;
                        }
                    }
                });
            })
        })?;
        Ok(sum)
    }
}

/// Memory of a penalty's gradient.
#[derive(Default)]
pub(crate) struct Penalised {
    slopes: Buffer,
    sum: Buffer,
}

impl Network {
    /// Puts a sparsity penalty on an activation, or takes it away. Of a stack or a repeat the last output
    /// counts; without a name, the encoder's.
    pub fn set_sparsity(&mut self, sparsity: Option<&Sparsity>) -> Result<()> {
        let name = sparsity.map(|s| s.at.as_deref().unwrap_or(Stack::Encoder.name()));
        let target: Option<Target> = name.and_then(|name| name.parse().ok());
        let (rho, beta, l1) = sparsity.map_or((0.5, 0.0, 0.0), |s| (s.rho, s.beta, s.l1));
        let penalty = Penalty {
            rho,
            beta,
            l1,
            share: 0.0,
            value: 0.0,
            slopes: Vec::new(),
            device_slopes: None,
        };
        let mut found = false;
        for sequence in self.stacks.iter_mut().flatten() {
            found |= sequence.set_penalty(target.as_ref(), &penalty);
        }
        match name {
            Some(name) if !found => Err(NnError::NoSuchLayer(format!(
                "sparsity names `{name}`, which is no layer of this network: write at=encoder.N with N from 0"
            ))),
            _ => Ok(()),
        }
    }

    /// The penalty of the latest forward pass; waits for the device that it is on. NaN where that fails.
    pub fn penalty(&self) -> f64 {
        let Some(penalty) = &self.device_penalty else {
            return self.penalty;
        };
        let read = penalty
            .to_dtype(DType::F64)
            .and_then(|value| value.to_scalar());
        read.unwrap_or_else(|error| {
            log::warn!("the sparsity penalty could not be read: {error}");
            f64::NAN
        })
    }

    /// The same where it is, of no axis; `None` where there is none or where it is computed by our own kernels.
    pub fn penalty_on_device(&self) -> Option<&Tensor> {
        self.device_penalty.as_ref()
    }
}
