//! A new run that begins where another was at one of its checkpoints: the other stays as it is.
//!
//! The new folder has what was written up to there, so that its curves and its history begin with those of the other.

use super::changes::Changes;
use super::checkpoint::{self, Position};
use super::record::{Parent, RunRecord, Status};
use super::run_folder::{self, RunFolder};
use super::snapshots::{self, Snapshots};
use super::transform_file;
use crate::error::RunError;
use std::io;
use std::path::{Path, PathBuf};
use strata_core::atomic_write::write_with;
use strata_core::files;
use strata_core::project::file;

/// Tables and fitted numbers that go along; a table is cut back when the new run goes on.
const FILES: [&str; 4] = [
    "metrics.csv",
    "steps.csv",
    "dynamics.csv",
    transform_file::FILE,
];

/// Begins a run with the checkpoint of this name, in this folder or the next free one beside the other run. It is gone on
/// with as a run that was stopped there. Fails as reading and writing do, and then leaves nothing behind.
pub fn branch(run: &Path, name: &str, folder: Option<&Path>) -> Result<PathBuf, RunError> {
    let from = run_folder::find_checkpoint(run, name)?;
    let at = checkpoint::position(&from).ok_or_else(|| {
        RunError::Input(format!(
            "{} cannot be read: is it a checkpoint?",
            from.display()
        ))
    })?;
    let project = file::load(&run.join("project.toml"))?;
    let mut changes = Changes::read(run).map_err(RunError::Input)?;
    let beside = run.parent().unwrap_or(Path::new(""));
    let is_among_runs = beside.file_name().is_some_and(|name| name == "runs");
    let base = match beside.parent() {
        Some(above) if is_among_runs => above,
        _ => beside,
    };
    let mut made = RunFolder::create(folder, base, &project.title)?;
    let to = made.path().to_owned();
    let record = record(run, name, &at);
    changes.forget_after(at.step);
    let written = made
        .write_project(&project, run)
        .map_err(io::Error::other)
        .and_then(|()| changes.write(&to))
        .and_then(|()| fill(&made, run, &from, &at))
        .and_then(|()| record.write(&to));
    if let Err(reason) = written {
        drop(made);
        remove(&to, folder.is_some());
        return Err(RunError::write(&to, reason.to_string()));
    }
    made.keep();
    Ok(to)
}

/// Copies what goes along.
fn fill(made: &RunFolder, run: &Path, from: &Path, at: &Position) -> io::Result<()> {
    let to = made.path();
    for name in FILES {
        copy_if_there(&run.join(name), &to.join(name))?;
    }
    copy_projects(run, to)?;
    copy_checkpoints(run, to, at)?;
    copy(from, &made.checkpoint("last"))
}

/// What the new run says of itself until it goes on.
fn record(run: &Path, name: &str, at: &Position) -> RunRecord {
    let unread = |error| {
        log::warn!("run.json of {} cannot be read: {error}", run.display());
        RunRecord::default()
    };
    let former = RunRecord::read(run).unwrap_or_else(unread);
    let is_before = |step: u64, epochs_done: u64| (step, epochs_done) < (at.step, at.epochs_done);
    let parts = former.parts.iter();
    let parts = parts.filter(|part| part.is_import || is_before(part.step, part.epochs_done));
    RunRecord {
        status: Status::Stopped,
        message: None,
        // What it had measured in the end is not what this one has.
        metrics: Default::default(),
        steps: at.step,
        parent: Some(Parent {
            run: std::path::absolute(run).unwrap_or_else(|_| run.to_owned()),
            checkpoint: name.to_owned(),
            step: at.step,
        }),
        parts: parts.cloned().collect(),
        ..former
    }
}

/// The projects of earlier parts.
fn copy_projects(run: &Path, to: &Path) -> io::Result<()> {
    let Ok(record) = RunRecord::read(run) else {
        return Ok(());
    };
    for name in record.parts.iter().filter_map(|part| part.project.as_ref()) {
        copy_if_there(&run.join(name), &to.join(name))?;
    }
    Ok(())
}

/// The checkpoints and the snapshots that were taken up to there.
fn copy_checkpoints(run: &Path, to: &Path, at: &Position) -> io::Result<()> {
    for name in run_folder::checkpoints(run) {
        let file = run_folder::checkpoint(run, &name);
        let is_earlier = checkpoint::position(&file).is_some_and(|position| {
            (position.step, position.epochs_done) <= (at.step, at.epochs_done)
        });
        if name != "last" && is_earlier {
            copy(&file, &run_folder::checkpoint(to, &name))?;
        }
    }
    let kept = Snapshots::read(run).steps;
    for step in kept.into_iter().filter(|step| *step <= at.step) {
        std::fs::create_dir_all(snapshots::folder(to))?;
        let name = format!("{}.safetensors", snapshots::name(step));
        copy(
            &snapshots::folder(run).join(&name),
            &snapshots::folder(to).join(name),
        )?;
    }
    Ok(())
}

fn copy_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match from.exists() {
        true => copy(from, to),
        false => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut file = files::open_regular(from)?;
    write_with(to, |copy| io::copy(&mut file, copy).map(drop))
}

/// Takes away what was copied before the disk was full; of a folder that was named only what is ours.
fn remove(to: &Path, was_named: bool) {
    let removed = match was_named {
        false => std::fs::remove_dir_all(to),
        true => ["checkpoints", "snapshots"]
            .map(|folder| to.join(folder))
            .into_iter()
            .filter(|folder| folder.exists())
            .try_for_each(std::fs::remove_dir_all),
    };
    if let Err(error) = removed {
        log::warn!("{} could not be removed: {error}", to.display());
    }
}
