//! A trained run, opened for a command.

use super::{WrongInput, output};
use std::path::Path;
use strata_core::project::builtin;
use strata_engine::storage::saved_run::SavedRun;

/// Refuses what is no folder of a run: a project, above all, which has to be trained first.
pub fn check_is_run(run: &Path) -> Result<(), WrongInput> {
    if run.join("project.toml").is_file() {
        return Ok(());
    }
    let shown = run.display();
    let is_project = run.extension().is_some_and(|ending| ending == "toml");
    let is_builtin = run.to_str().and_then(builtin::find).is_some();
    let what = match (run.is_file(), run.is_dir()) {
        (true, _) if is_project => format!("{shown} is a project file, not the folder of a run"),
        (true, _) => format!("{shown} is a file, not the folder of a run"),
        (_, true) => format!("{shown} is no folder of a run, it has no project.toml"),
        _ if is_builtin => format!("{shown} is a built-in project, not the folder of a run"),
        _ => format!("there is no folder {shown}"),
    };
    Err(WrongInput(format!(
        "{what}: give the folder that `strata train` printed, such as runs/NAME-1"
    )))
}

/// Opens a run with one of its checkpoints; what will make its figures differ from those of its training is told.
pub fn open(run: &Path, checkpoint: &str, device: Option<&str>) -> anyhow::Result<SavedRun> {
    check_is_run(run)?;
    let run = SavedRun::open(run, checkpoint, device, &mut |_| true)?;
    output::warn(&run.warnings);
    Ok(run)
}
