//! A script that trains a run's project in PyTorch, on one device or on several, and leaves a run of the same form.
//!
//! What every project shares are the files of `training/`; what this one says becomes `settings.py`, and its images are
//! written as they are before augmentation, so that the script reads every source. What PyTorch has no word for is
//! refused by its name, before anything is written.

mod augmentation;
mod images;
mod settings;

use crate::error::ExportError;
use std::fs;
use std::path::{Path, PathBuf};
use strata_core::atomic_write::write_atomic;
use strata_core::project::Project;
use strata_engine::storage::checkpoint::write_tensors;
use strata_engine::storage::record::RunRecord;
use strata_engine::storage::saved_run::{SavedRun, weights};

/// The files that are the same for every project.
const SCRIPTS: [(&str, &str); 7] = [
    ("train.py", include_str!("training/train.py")),
    ("team.py", include_str!("training/team.py")),
    ("stages.py", include_str!("training/stages.py")),
    ("images.py", include_str!("training/images.py")),
    ("labels.py", include_str!("training/labels.py")),
    ("borders.py", include_str!("training/borders.py")),
    ("run_folder.py", include_str!("training/run_folder.py")),
];
const SETTINGS_FILE: &str = "settings.py";
const PROJECT_FILE: &str = "project.toml";
/// The weights that the project's `init` names, where it has one.
const FIRST_WEIGHTS_FILE: &str = "first_weights.safetensors";
/// The folder of the prepared images.
const IMAGES_FOLDER: &str = "images";
const TRANSFORM_FILE: &str = "whitening.safetensors";

/// The names of the files that may not be replaced unasked.
pub(crate) fn files() -> impl Iterator<Item = &'static str> {
    let scripts = SCRIPTS.iter().map(|(name, _)| *name);
    scripts.chain([SETTINGS_FILE, PROJECT_FILE])
}

/// Writes the script of a run with its settings and images into a folder; gives the files. `checkpoint` is any of the
/// run's. Fails before it writes where the images are not there or a setting cannot be expressed.
pub(crate) fn write(
    run: &Path,
    checkpoint: &str,
    folder: &Path,
) -> Result<Vec<PathBuf>, ExportError> {
    let saved = SavedRun::open(run, checkpoint, Some("cpu"), &mut |_| true)?;
    let (project, dataset) = (&saved.project, &saved.dataset);
    let hash = RunRecord::read(run).map_or_else(|_| dataset.hash(), |record| record.data_hash);
    let first = first_weights(run, project)?;
    let settings = settings::code(project, dataset, &hash, first.is_some())?;
    let mut written = Vec::new();
    let mut put = |name: &str, content: &[u8]| -> Result<(), ExportError> {
        let file = folder.join(name);
        write_atomic(&file, content).map_err(|reason| unwritten(&file, &reason))?;
        written.push(file);
        Ok(())
    };
    for (name, code) in SCRIPTS {
        put(name, code.as_bytes())?;
    }
    put(SETTINGS_FILE, settings.as_bytes())?;
    put(PROJECT_FILE, &copied(&run.join(PROJECT_FILE))?)?;
    if let Some(first) = first {
        let file = folder.join(FIRST_WEIGHTS_FILE);
        write_tensors(&file, &first).map_err(|reason| unwritten(&file, &reason))?;
        written.push(file);
    }
    let at = folder.join(IMAGES_FOLDER);
    fs::create_dir_all(&at).map_err(|reason| unwritten(&at, &reason))?;
    written.extend(images::write(dataset, &at)?);
    let transform = run.join(TRANSFORM_FILE);
    if dataset.transform().is_some() {
        let file = at.join(TRANSFORM_FILE);
        write_atomic(&file, &copied(&transform)?).map_err(|reason| unwritten(&file, &reason))?;
        written.push(file);
    }
    Ok(written)
}

/// The weights that the run began with, where its project takes them from elsewhere.
fn first_weights(
    run: &Path,
    project: &Project,
) -> Result<Option<std::collections::HashMap<String, candle_core::Tensor>>, ExportError> {
    let Some(init) = &project.init else {
        return Ok(None);
    };
    match weights(run, "step-0") {
        Ok(weights) => Ok(Some(weights)),
        Err(_) => Err(ExportError::Training {
            what: format!("init = \"{init}\""),
            reason: "the run kept no weights of its first step (snapshots)".to_owned(),
        }),
    }
}

fn copied(file: &Path) -> Result<Vec<u8>, ExportError> {
    fs::read(file).map_err(|reason| ExportError::Training {
        what: file.display().to_string(),
        reason: reason.to_string(),
    })
}

fn unwritten(file: &Path, reason: &dyn ToString) -> ExportError {
    ExportError::Write {
        file: file.to_owned(),
        reason: reason.to_string(),
    }
}
