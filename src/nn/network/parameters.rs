//! What is learned and what is kept with it: parameters and running statistics, frozen, read and replaced.

use super::{Network, Result};
use crate::NnError;
use candle_core::{Device, Tensor};
use std::collections::HashMap;
use strata_core::project::Place;
use strata_core::project::target::Target;

/// A learned tensor.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// PyTorch-style key, `encoder.0.weight`.
    pub key: String,
    /// The numbers, in PyTorch's layout.
    pub value: Tensor,
    /// The latest gradient, in the same layout.
    pub gradient: Tensor,
    /// The layer it belongs to, the same in every pass of a repeat.
    pub place: Place,
    /// Frozen parameters get no gradient and no update.
    pub frozen: bool,
}

impl Network {
    /// All parameters, in the order of the layers.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The same, to update.
    pub fn parameters_mut(&mut self) -> &mut [Parameter] {
        self.version += 1;
        &mut self.parameters
    }

    /// Freezes the parameters under these stacks and layers (`encoder`, `encoder.0`; inside a repeat those
    /// of every pass) and frees all others.
    pub fn set_frozen(&mut self, names: &[String]) {
        let targets: Vec<Target> = names.iter().filter_map(|name| name.parse().ok()).collect();
        for parameter in &mut self.parameters {
            parameter.frozen = targets
                .iter()
                .any(|target| target.contains(&parameter.place));
        }
    }

    /// Weights and running statistics under PyTorch's keys and in its layout, copied to the CPU.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let copied =
            |(key, value): (String, Tensor)| Ok((key, value.to_device(&Device::Cpu)?.copy()?));
        self.shared_state().into_iter().map(copied).collect()
    }

    /// The same without a copy: the tensors are those that the network computes with, and change with the next step.
    pub fn shared_state(&self) -> Vec<(String, Tensor)> {
        let parameters = self.parameters.iter().map(|p| (&p.key, &p.value));
        let all = parameters.chain(self.statistics.iter().map(|(key, value)| (key, value)));
        all.map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// Takes over weights and statistics; on an error nothing has changed.
    pub fn load_state(&mut self, state: &HashMap<String, Tensor>) -> Result<()> {
        let (device, parameters, statistics) = (&self.device, &self.parameters, &self.statistics);
        let fit = |key: &str, value: &Tensor| fitting(state, key, value, device);
        let values = parameters
            .iter()
            .map(|p| fit(&p.key, &p.value))
            .collect::<Result<Vec<_>>>()?;
        let moved = statistics
            .iter()
            .map(|(key, value)| fit(key, value))
            .collect::<Result<Vec<_>>>()?;
        self.version += 1;
        for (parameter, value) in self.parameters.iter_mut().zip(values) {
            parameter.value = value;
        }
        for ((_, statistic), value) in self.statistics.iter_mut().zip(moved) {
            *statistic = value;
        }
        Ok(())
    }
}

fn fitting(
    state: &HashMap<String, Tensor>,
    key: &str,
    like: &Tensor,
    device: &Device,
) -> Result<Tensor> {
    let value = state
        .get(key)
        .ok_or_else(|| NnError::Weights(format!("`{key}` is missing")))?;
    if value.dims() != like.dims() {
        let (found, wanted) = (value.dims(), like.dims());
        return Err(NnError::Weights(format!(
            "`{key}` has the shape {found:?}, the network needs {wanted:?}"
        )));
    }
    Ok(value
        .to_dtype(like.dtype())?
        .to_device(device)?
        .contiguous()?
        .copy()?)
}
