//! Which settings may change when a run is resumed: at the end of an epoch nearly all of them, within an epoch none that
//! decides which images are still to come.

use crate::error::RunError;
use crate::event::{Event, Sink};
use crate::storage::checkpoint::{Checkpoint, Position};
use crate::storage::record::RunRecord;
use std::path::Path;
use strata_core::project::Project;
use strata_core::project::data::DataSpec;
use strata_core::project::stage::{Optimizer, Stage};
use strata_data::Dataset;

/// The run that is resumed.
pub(crate) struct PreviousRun {
    /// The project as it was trained.
    pub project: Project,
    /// Where it got to.
    pub checkpoint: Checkpoint,
}

/// Whether the optimizer keeps its memory. Fails when the checkpoint is within an epoch whose images would not be those
/// it began with.
pub(crate) fn check(
    former: &PreviousRun,
    project: &Project,
    position: &Position,
    dataset: &Dataset,
    run: &Path,
    sink: &mut dyn Sink,
) -> Result<bool, RunError> {
    let stages = (
        former.project.stages.get(position.stage),
        project.stages.get(position.stage),
    );
    let (Some(old), Some(new)) = stages else {
        return Ok(false);
    };
    if !position.is_in_stage() {
        return Ok(false);
    }
    let changed =
        changed(&former.project, old, project, new).or_else(|| changed_images(dataset, run));
    if let Some(changed) = changed.filter(|_| position.step_in_epoch > 0) {
        let (steps, epoch, stage, run) = (
            position.step_in_epoch,
            position.epoch + 1,
            &new.name,
            run.display(),
        );
        return Err(RunError::Input(format!(
            "{changed}, and {run} ended within an epoch (stage `{stage}`, epoch {epoch}, after {steps} of its steps), where images would be repeated or left out: resume with it as in {run}/project.toml, or train in a new run folder (-o FOLDER)"
        )));
    }
    let keeps_memory = keeps_state(&old.optimizer, &new.optimizer);
    if !keeps_memory {
        let stage = &new.name;
        let old = old.optimizer;
        let new = new.optimizer;
        sink.event(Event::warning(format!(
            "stage `{stage}` was trained with {old} so far and continues with {new}, which starts without a memory of the earlier steps"
        )));
    }
    Ok(keeps_memory)
}

/// Gives the stage that the run ended in so many epochs from there on; early stopping begins to wait anew.
pub(crate) fn extend(project: &mut Project, position: &mut Position, more: u32) {
    if let Some(stage) = project.stages.get_mut(position.stage) {
        stage.epochs = position.epoch.saturating_add(more);
        position.watch.waited = 0;
    }
}

/// The first setting that decides which images come when and is not what it was.
fn changed(former: &Project, old: &Stage, project: &Project, new: &Stage) -> Option<String> {
    // Every setting by its name: one that is new has to be decided on here.
    let Stage {
        batch,
        split,
        accumulate,
        // What is done with an image does not decide which image comes next.
        name: _,
        task: _,
        loss: _,
        class_weights: _,
        optimizer: _,
        rate_factors: _,
        decay: _,
        clip: _,
        schedule: _,
        epochs: _,
        freeze: _,
        unfreeze: _,
        early_stop: _,
        sparsity: _,
        checkpoints: _,
    } = new;
    let differs = |what: &str, old: String, new: String| {
        (old != new).then(|| format!("{what} was {old} and is {new}"))
    };
    // The folder may have moved; their hash says whether the images are the same.
    let data = |data: &DataSpec| DataSpec {
        path: None,
        ..data.clone()
    };
    differs("seed", former.seed.to_string(), project.seed.to_string())
        .or_else(|| differs("batch", old.batch.to_string(), batch.to_string()))
        .or_else(|| {
            let (old, new) = (old.accumulate.to_string(), accumulate.to_string());
            differs("accumulate", old, new)
        })
        .or_else(|| differs("split", old.split.to_string(), split.to_string()))
        .or_else(|| {
            (data(&former.data) != data(&project.data))
                .then(|| "[data] is not what it was".to_owned())
        })
}

fn changed_images(dataset: &Dataset, run: &Path) -> Option<String> {
    let unread = |error: &std::io::Error| {
        let run = run.display();
        log::warn!("run.json of {run} cannot be read, so its images are not compared: {error}");
    };
    let record = RunRecord::read(run).inspect_err(unread).ok()?;
    dataset
        .is_other_than(&record.data_hash)
        .then(|| "the images ([data] path) are not those it was trained on".to_owned())
}

/// Whether what one optimizer keeps for each parameter is all that the other needs.
fn keeps_state(old: &Optimizer, new: &Optimizer) -> bool {
    let kept = old.state_names();
    old.word() == new.word() && new.state_names().iter().all(|name| kept.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optimizer_continues_with_the_state_that_it_needs() {
        for (old, new, keeps) in [
            ("adam lr=1e-3", "adam lr=1e-4 beta1=0.5", true),
            ("adam lr=1e-3", "adamw lr=1e-3", false),
            ("sgd lr=0.1", "sgd lr=0.1 momentum=0.9", false),
            ("sgd lr=0.1 momentum=0.9", "sgd lr=0.1", true),
            ("rmsprop centered", "rmsprop", true),
            ("rmsprop", "rmsprop momentum=0.9", false),
            ("adagrad", "rmsprop", false),
        ] {
            let [before, after] = [old, new].map(|text| text.parse::<Optimizer>().unwrap());
            assert_eq!(keeps_state(&before, &after), keeps, "{old} → {new}");
        }
    }
}
