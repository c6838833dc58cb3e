//! What a stage does with the gradients of its batches.

use super::accumulate::Sums;
use super::{Group, Updater, clip};
use crate::{Network, NnError, Parameter};
use candle_core::Tensor;
use std::collections::HashMap;
use strata_core::project::gradient::Clip;
use strata_core::project::optimizer::Optimizer;
use strata_core::project::schedule::Rates;
use strata_core::project::stage::Stage;

/// Adds up the gradients of as many batches as the stage says, keeps them within its bound, and moves the weights.
#[derive(Debug)]
pub struct Learner {
    updater: Updater,
    clip: Option<Clip>,
    sums: Option<Sums>,
}

impl Learner {
    /// That of a stage, with the group of each parameter. `state` is what [`Learner::state`] gave, to go on with.
    pub fn new(
        stage: &Stage,
        network: &Network,
        group_of: &dyn Fn(&Parameter) -> Group,
        state: Option<HashMap<String, Tensor>>,
    ) -> Result<Learner, NnError> {
        let mut state = state.unwrap_or_default();
        let sums = (stage.accumulate > 1)
            .then(|| Sums::new(network, &mut state))
            .transpose()?;
        // A checkpoint at a stage's start, or one made of weights alone, has no state.
        let mut updater = if state.is_empty() {
            Updater::new(&stage.optimizer, network)?
        } else {
            Updater::resumed(&stage.optimizer, network, state)?
        };
        updater.set_groups(network, group_of);
        Ok(Learner {
            updater,
            clip: stage.clip,
            sums,
        })
    }

    /// Goes on with other settings of the stage's optimizer, as [`Updater::change`] does.
    pub fn change(&mut self, optimizer: &Optimizer, network: &Network) -> Result<(), NnError> {
        self.updater.change(optimizer, network)
    }

    /// Adds the gradients of a batch to those that the next update learns from. With the last batch of an update the
    /// network's gradients are the mean over all its images.
    pub fn gather(
        &mut self,
        network: &mut Network,
        images: usize,
        is_last: bool,
    ) -> Result<(), NnError> {
        let Some(sums) = &mut self.sums else {
            return Ok(());
        };
        sums.add(network, images as u64)?;
        if is_last {
            sums.finish(network)?;
        }
        Ok(())
    }

    /// Moves the weights along the network's gradients.
    pub fn update(&mut self, network: &mut Network, rates: Rates) -> Result<(), NnError> {
        if let Some(bound) = self.clip {
            clip(network, bound)?;
        }
        self.updater.step_with(network, rates)
    }

    /// Everything needed to continue exactly. The tensors are those that it works with: they change with the next step.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>, NnError> {
        let mut state = self.updater.state()?;
        if let Some(sums) = &self.sums {
            state.extend(sums.state()?);
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests;
