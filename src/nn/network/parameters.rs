//! What is learned and what is kept with it: parameters and running statistics, frozen, read and replaced.

use super::{Network, Result};
use crate::NnError;
use candle_core::{Device, Tensor};
use std::collections::HashMap;
use strata_core::project::Place;
use strata_core::project::init::covers;

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

    /// Freezes the parameters under these stacks, layers and patterns of them (`encoder`, `encoder.0`, `encoder.*.1`;
    /// inside a repeat those of every pass) and frees all others.
    pub fn set_frozen(&mut self, names: &[String]) {
        for parameter in &mut self.parameters {
            let place = parameter.place.to_string();
            parameter.frozen = names.iter().any(|name| covers(name, &place));
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

    /// Takes over weights and statistics; where one is missing or has another shape nothing has changed. One at a time is
    /// held twice.
    pub fn load_state(&mut self, state: &HashMap<String, Tensor>) -> Result<()> {
        let parameters = self.parameters.iter_mut().map(|p| (&p.key, &mut p.value));
        let statistics = self
            .statistics
            .iter_mut()
            .map(|(key, value)| (&*key, value));
        let all: Vec<(&String, &mut Tensor)> = parameters.chain(statistics).collect();
        for (key, value) in &all {
            fitting(state, key, value)?;
        }
        self.version += 1;
        for (key, value) in all {
            let fitting = fitting(state, key, value)?.to_dtype(value.dtype())?;
            *value = fitting.to_device(&self.device)?.contiguous()?.copy()?;
        }
        Ok(())
    }
}

/// The tensor of this name, if it has the shape of `like`.
fn fitting<'a>(state: &'a HashMap<String, Tensor>, key: &str, like: &Tensor) -> Result<&'a Tensor> {
    let value = state
        .get(key)
        .ok_or_else(|| NnError::Weights(format!("`{key}` is missing")))?;
    if value.dims() != like.dims() {
        let (found, wanted) = (value.dims(), like.dims());
        return Err(NnError::Weights(format!(
            "`{key}` has the shape {found:?}, the network needs {wanted:?}"
        )));
    }
    Ok(value)
}
