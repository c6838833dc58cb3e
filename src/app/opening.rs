//! What a path is that a person opens or drops: a project, a run, or images.

use std::path::Path;
use strata_core::project::data::Source;
use strata_data::archive::Archive;
use strata_data::{holds_data, recognise};
use strata_export::incoming::holds_layers;
use strata_sweep::folder::is_sweep;

/// Whether images lie there, in a folder or in a file, and no project.
pub(crate) fn is_data(path: &Path) -> bool {
    if path.is_dir() {
        // The tables of runs are none of images.
        let is_of_projects = path.join("project.toml").exists() || holds_runs(path);
        !is_of_projects && !is_sweep(path) && holds_data(path)
    } else {
        path.is_file() && is_data_file(path)
    }
}

/// Whether folders of runs or of projects lie in a folder.
fn holds_runs(folder: &Path) -> bool {
    let mut inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    inside.any(|entry| entry.path().join("project.toml").is_file())
}

/// Why a folder without a project cannot be opened, and what can; `None` where it holds one, or is no folder.
pub(crate) fn why_no_project(path: &Path) -> Option<String> {
    if !path.is_dir() || path.join("project.toml").exists() {
        return None;
    }
    let shown = path.display();
    Some(match holds_runs(path) {
        true => format!(
            "{shown} holds several runs: open one of them, or add them all by this path in the Runs view"
        ),
        false => format!(
            "{shown} holds no project and no run: open a project, the folder of a run or a folder of images"
        ),
    })
}

/// The run that a file belongs to, where it is one of those that a run consists of: the run is meant.
pub fn run_of_file(path: &Path) -> Option<&Path> {
    const FILES: [&str; 4] = ["run.json", "metrics.csv", "steps.csv", "dynamics.csv"];
    let name = path.file_name()?;
    let folder = path.parent()?;
    let is_one = FILES.iter().any(|file| name == *file) && path.is_file();
    (is_one && folder.join("project.toml").is_file()).then_some(folder)
}

/// Whether a file is a table, an array or an archive, with the images in it or named by it.
pub fn is_data_file(path: &Path) -> bool {
    // Of the others a file is a part: their folder is opened.
    let is_part = |source: Source| {
        matches!(
            source,
            Source::Shapes
                | Source::Cifar10
                | Source::Cifar100
                | Source::Stl10
                | Source::Eurosat
                | Source::Flowers17
                | Source::Folder
                | Source::Wav
        )
    };
    if holds_layers(path) || run_of_file(path).is_some() {
        return false;
    }
    Archive::is_named_like_one(path) || !is_part(recognise(path, Source::default()).source)
}
