//! Checkpoints that a death of the program, or a full disk, kept from being written.
//!
//! A run continues from `last`. Programs of earlier versions wrote it before `stage-N` and `best`; where `last` is the end
//! of its stage, or its best epoch, the others are copies of it and are made again.

use super::checkpoint::{Position, position};
use super::run_folder::{RunFolder, checkpoints};
use crate::run::early_stop::watched;
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
    if watched(stage).is_some() && at.watch.best.is_some() && at.watch.waited == 0 {
        bring(folder, "best", at)?;
    }
    Ok(())
}

/// Removes checkpoints that are ahead of `last`: a death kept the run from taking note of their epoch, which it now
/// trains again, with other settings perhaps. Returns whether the best one was among them: it is looked for anew then.
pub(crate) fn drop_ahead(folder: &RunFolder, at: &Position) -> io::Result<bool> {
    let mut was_best = false;
    for name in checkpoints(folder.path()) {
        let file = folder.checkpoint(&name);
        let is_ahead = position(&file)
            .is_some_and(|other| (other.step, other.epochs_done) > (at.step, at.epochs_done));
        if is_ahead {
            std::fs::remove_file(&file)?;
            was_best |= name == "best";
        }
    }
    Ok(was_best)
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
