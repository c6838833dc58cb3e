//! A trained run, opened for a command.

use super::output;
use std::path::Path;
use strata_engine::storage::saved_run::SavedRun;

/// Opens a run with one of its checkpoints; what will make its figures differ from those of its training is told.
pub fn open(run: &Path, checkpoint: &str, device: Option<&str>) -> anyhow::Result<SavedRun> {
    let run = SavedRun::open(run, checkpoint, device, &mut |_| true)?;
    output::warn(&run.warnings);
    Ok(run)
}
