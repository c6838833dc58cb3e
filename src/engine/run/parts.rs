//! The parts of a run: what is noted when it begins and whenever it is resumed, so that it can be trained again.

use super::session::Session;
use super::stage::take_back;
use crate::error::RunError;
use crate::event::{Event, Sink};
use crate::storage::record::{Part, RunRecord};
use crate::storage::run_folder::RunFolder;
use crate::thread::RunOptions;
use candle_core::Device;
use std::collections::HashMap;
use std::path::Path;
use strata_core::atomic_write::write_with;
use strata_core::files;
use strata_core::project::live_setting::LiveSetting;
use strata_core::project::stage::Stage;
use strata_core::project::{Project, file};
use strata_data::Dataset;

/// The new `run.json`, or the one of the run that is resumed.
pub(super) fn record(
    folder: &RunFolder,
    project: &Project,
    dataset: &Dataset,
    device: &Device,
    is_resumed: bool,
    sink: &mut dyn Sink,
) -> RunRecord {
    let new = RunRecord::start(
        strata_nn::device::describe(device),
        project.seed,
        dataset.hash(),
    );
    if !is_resumed {
        return new;
    }
    let old = match RunRecord::read(folder.path()) {
        Ok(old) => old,
        Err(error) => {
            let run = folder.path().display();
            log::warn!("run.json of {run} cannot be read, so its times begin again: {error}");
            return new;
        }
    };
    if dataset.is_other_than(&old.data_hash) {
        let message = "the images are not the ones this run was trained on so far; its metrics before and after differ in that";
        sink.event(Event::warning(message.to_owned()));
    }
    let RunRecord {
        started,
        seconds,
        images_per_second,
        metrics,
        weights,
        parent,
        parts,
        ..
    } = old;
    RunRecord {
        started,
        seconds,
        images_per_second,
        metrics,
        weights,
        parent,
        parts,
        ..new
    }
}

/// Notes that a part begins. The project of the part before stays in the folder where this one has another.
pub(super) fn begin(
    session: &mut Session<'_>,
    former: Option<&Project>,
    options: &RunOptions,
) -> Result<(), RunError> {
    let run = session.folder.path().to_owned();
    let number = session.record.parts.len();
    let is_other = former.is_some_and(|former| differs(former, &session.project));
    if is_other && let Some(part) = session.record.parts.last_mut() {
        let kept = format!("project-of-part-{number}.toml");
        copy(&run, &kept).map_err(|reason| RunError::write(&run, reason.to_string()))?;
        part.project = Some(kept);
    }
    let position = &session.position;
    // A run of an earlier version that is resumed noted nothing of its start: it is not known how it was trained.
    if former.is_some() && number == 0 {
        return Ok(());
    }
    session.record.parts.push(Part {
        step: position.step,
        epochs_done: position.epochs_done,
        stage: options.stage.clone(),
        more_epochs: options.more_epochs.filter(|_| former.is_some()),
        project: None,
        is_without_memory: session.position.is_in_stage()
            && session.optimizer.as_ref().is_some_and(HashMap::is_empty),
        is_import: false,
        device: session.record.device.clone(),
        version: session.record.version.clone(),
    });
    Ok(())
}

/// Whether two projects are not trained alike; where the images are does not count.
fn differs(former: &Project, project: &Project) -> bool {
    let bare = |project: &Project| {
        let mut bare = project.clone();
        bare.data.path = None;
        bare.init = None;
        bare
    };
    bare(former) != bare(project)
}

fn copy(run: &Path, name: &str) -> std::io::Result<()> {
    let mut project = files::open_regular(&run.join("project.toml"))?;
    write_with(&run.join(name), |copy| {
        std::io::copy(&mut project, copy).map(drop)
    })
}

/// Settings that were edited in the project of a run that is resumed hold from here on, over what was changed while it
/// trained; all others stay as they were changed.
pub(super) fn take_over_settings(
    session: &mut Session<'_>,
    former: Option<&Project>,
) -> Result<(), RunError> {
    if session.is_repeated || session.changes.all().is_empty() {
        return session.write_changes();
    }
    let index = session.position.stage;
    let stages = former.and_then(|former| former.stages.get(index));
    let stages = stages.zip(session.project.stages.get(index).cloned());
    let Some((old, new)) = stages.filter(|_| session.position.is_in_stage()) else {
        return session.write_changes();
    };
    let step = session.position.step;
    let mut before = old.clone();
    session.changes.apply_until(&mut before, step);
    let wanted = edited(old, &new, &before);
    let mut held = new;
    session.changes.apply_until(&mut held, step);
    take_back(session, &wanted, &held)
}

/// The new stage with what was changed of the old one, where the project's own value was not edited.
fn edited(old: &Stage, new: &Stage, before: &Stage) -> Stage {
    let mut wanted = new.clone();
    for setting in LiveSetting::all() {
        let is_edited = setting.value(old) != setting.value(new)
            || (!setting.is_of_sparsity() && old.optimizer.word() != new.optimizer.word());
        if let Some(value) = setting.value(before).filter(|_| !is_edited)
            && let Err(error) = setting.set(&mut wanted, value)
        {
            log::warn!("a changed setting is not taken over: {error}");
        }
    }
    wanted
}

/// The project of a part of a run, by its place among them.
pub(crate) fn project_of(
    run: &Path,
    part: &Part,
) -> Result<Project, strata_core::project::ProjectError> {
    file::load(&run.join(part.project.as_deref().unwrap_or("project.toml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(optimizer: &str) -> Stage {
        Stage {
            optimizer: optimizer.parse().unwrap(),
            ..Stage::default()
        }
    }

    #[test]
    fn an_edit_wins_over_a_change_and_a_change_over_nothing() {
        for (old, before, new, wanted) in [
            (
                "sgd lr=0.1 momentum=0.5",
                "sgd lr=0.2 momentum=0.9",
                "sgd lr=0.1 momentum=0.5",
                "sgd lr=0.2 momentum=0.9",
            ),
            (
                "sgd lr=0.1 momentum=0.5",
                "sgd lr=0.2 momentum=0.9",
                "sgd lr=0.3 momentum=0.5",
                "sgd lr=0.3 momentum=0.9",
            ),
            ("sgd lr=0.1", "sgd lr=0.2", "adam lr=0.1", "adam lr=0.1"),
        ] {
            let found = edited(&stage(old), &stage(new), &stage(before));
            assert_eq!(found.optimizer.to_string(), wanted);
        }
    }
}
