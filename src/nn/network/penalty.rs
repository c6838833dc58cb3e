//! The sparsity penalty: what it adds to the loss, and to the gradient of the activation that it is put on.

use super::{Context, Network, Result};
use crate::NnError;
use crate::ops::elementwise::add_row;
use crate::ops::reduce::wide_column_sums;
use crate::ops::storage::{Buffer, fill, view};
use crate::ops::with_real;
use candle_core::{Device, Tensor, WithDType};
use strata_core::project::Stack;
use strata_core::project::stage::Sparsity;
use strata_core::project::target::Target;

/// A KL penalty on the mean activation of every unit: β·Σ KL(ρ‖ρ̂).
#[derive(Clone, Debug)]
pub(crate) struct Penalty {
    rho: f64,
    beta: f64,
    /// Its value at the latest forward pass.
    pub value: f64,
    /// ∂/∂ρ̂ of each unit, divided by the number of values it is the mean of.
    slopes: Vec<f64>,
}

/// Mean activations are kept this far from 0 and 1, where the penalty is infinite.
const RHO_MARGIN: f64 = 1e-6;

impl Penalty {
    /// Computes the penalty for an activation; a unit is a feature or a channel.
    pub(crate) fn observe(&mut self, activation: &Tensor) -> Result<()> {
        let units = activation.dims()[activation.rank() - 1];
        let count = (activation.elem_count() / units) as f64;
        let host = activation.to_device(&Device::Cpu)?;
        self.slopes.resize(units, 0.0);
        with_real!(host, T => {
            wide_column_sums(&view::<T>(&host)?, &mut self.slopes);
            Ok::<_, NnError>(())
        })?;
        let (rho, beta) = (self.rho, self.beta);
        self.value = 0.0;
        for slope in &mut self.slopes {
            let m = (*slope / count).clamp(RHO_MARGIN, 1.0 - RHO_MARGIN);
            self.value +=
                beta * (rho * (rho / m).ln() + (1.0 - rho) * ((1.0 - rho) / (1.0 - m)).ln());
            *slope = beta * ((1.0 - rho) / (1.0 - m) - rho / m) / count;
        }
        Ok(())
    }

    /// The gradient of the loss plus that of the penalty.
    pub(crate) fn add_gradient(
        &self,
        gradient: &Tensor,
        out: &mut Penalised,
        cx: &Context<'_>,
    ) -> Result<Tensor> {
        if cx.uses_candle(gradient) {
            let slopes = Tensor::new(self.slopes.as_slice(), gradient.device())?
                .to_dtype(gradient.dtype())?;
            return Ok(gradient.broadcast_add(&slopes)?);
        }
        let slopes = out.slopes.get(&[self.slopes.len()], gradient)?;
        let sum = out.sum.get(gradient.dims(), gradient)?;
        with_real!(gradient, T => {
            fill::<T>(&slopes, |slopes| slopes.iter_mut().zip(&self.slopes).for_each(|(to, &from)| *to = T::from_f64(from)))?;
            let (gradient, slopes) = (view::<T>(gradient)?, view::<T>(&slopes)?);
            fill::<T>(&sum, |sum| add_row(&gradient, &slopes, sum))
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
        let (rho, beta) = sparsity.map_or((0.5, 0.0), |s| (s.rho, s.beta));
        let penalty = Penalty {
            rho,
            beta,
            value: 0.0,
            slopes: Vec::new(),
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

    /// The penalty of the latest forward pass.
    pub fn penalty(&self) -> f64 {
        self.penalty
    }
}
