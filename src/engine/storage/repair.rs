//! Checkpoints that a death of the program, or a full disk, kept from being written.
//!
//! A run continues from `last`. Programs of earlier versions wrote it before `stage-N` and `best`; where `last` is the end
//! of its stage, or its best epoch, the others are copies of it and are made again.

use super::checkpoint::{Position, position};
use super::run_folder::RunFolder;
use std::io;
use strata_core::atomic_write::write_with;
use strata_core::files;
use strata_core::project::Project;

/// Brings the other checkpoints up to where `last` is: `project` as it was trained, `at` the position of `last`.
pub(crate) fn repair(folder: &RunFolder, project: &Project, at: &Position) -> io::Result<()> {
    let Some(stage) = project.stages.get(at.stage) else {
        return Ok(());
    };
    if at.step_in_epoch > 0 || !at.is_in_stage() {
        return Ok(());
    }
    let rule = stage.early_stop.as_ref();
    let stopped = rule.is_some_and(|rule| at.watch.waited > 0 && at.watch.waited >= rule.patience);
    if at.epoch >= stage.epochs || stopped {
        bring(folder, &format!("stage-{}", at.stage + 1), at)?;
    }
    if rule.is_some() && at.watch.best.is_some() && at.watch.waited == 0 {
        bring(folder, "best", at)?;
    }
    Ok(())
}

fn bring(folder: &RunFolder, name: &str, at: &Position) -> io::Result<()> {
    let (from, to) = (folder.checkpoint("last"), folder.checkpoint(name));
    if position(&to).as_ref() == Some(at) {
        return Ok(());
    }
    log::warn!(
        "{} is not of the epoch that it should be and is made again",
        to.display()
    );
    let mut last = files::open_regular(&from)?;
    write_with(&to, |file| io::copy(&mut last, file).map(drop))
}
