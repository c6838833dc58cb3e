//! The weights of a stage's best epoch, with which it ends where its checkpoints are `best restored`.
//!
//! Keras' `EarlyStopping(restore_best_weights=True)` does the same. The optimizer keeps the memory of the last step: the
//! next stage begins without it.

use super::early_stop::Verdict;
use super::session::Session;
use crate::error::RunError;
use crate::event::Metrics;
use crate::storage::checkpoint;
use crate::storage::metrics_read::of_epoch;
use candle_core::Tensor;
use std::collections::HashMap;
use strata_core::project::data::Split;
use strata_core::project::stage::Stage;

/// The best epoch of a stage that has ended with another one.
pub(crate) struct Best {
    weights: HashMap<String, Tensor>,
    /// Counted from 1.
    epoch: u32,
    /// What was measured with its weights, on the training images while they were trained on.
    pub metrics: Vec<(Split, Metrics)>,
}

/// The best epoch, where the stage restores it and its last one is another.
pub(crate) fn best(
    session: &Session<'_>,
    stage: &Stage,
    verdict: Option<Verdict>,
) -> Result<Option<Best>, RunError> {
    let restores = stage.checkpoints.is_some_and(|kept| kept.restored);
    let is_earlier =
        verdict.is_some_and(|verdict| !verdict.is_best && verdict.watch.best.is_some());
    if !restores || !is_earlier {
        return Ok(None);
    }
    let kept = checkpoint::load(&session.folder.checkpoint("best"))?;
    // The position is that after the epoch.
    let epoch = kept.position.epoch;
    Ok(Some(Best {
        weights: kept.weights,
        epoch,
        metrics: of_epoch(session.folder.path(), &stage.name, epoch, stage.split)
            .into_iter()
            .map(|metrics| (stage.split, metrics))
            .collect(),
    }))
}

impl Best {
    /// Gives the network these weights; what it had is returned.
    pub(crate) fn put(
        &self,
        session: &mut Session<'_>,
    ) -> Result<HashMap<String, Tensor>, RunError> {
        let before = session.network.state()?.into_iter().collect();
        let loaded = session.network.load_state(&self.weights);
        loaded.map_err(RunError::input)?;
        Ok(before)
    }

    /// What is said of it.
    pub(crate) fn told(&self, stage: &Stage) -> String {
        format!(
            "stage `{}` ends with the weights of its best epoch, {}",
            stage.name, self.epoch
        )
    }
}
