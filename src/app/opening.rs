//! What a path is that a person opens or drops: a project, a run, or images.

use std::path::Path;
use strata_core::project::data::Source;
use strata_data::archive::Archive;
use strata_data::{holds_data, recognise};
use strata_sweep::folder::is_sweep;

/// Whether images lie there, in a folder or in a file, and no project.
pub(crate) fn is_data(path: &Path) -> bool {
    if path.is_dir() {
        !path.join("project.toml").exists() && !is_sweep(path) && holds_data(path)
    } else {
        path.is_file() && is_data_file(path)
    }
}

/// Why a folder without a project cannot be opened, and what can; `None` where it holds one, or is no folder.
pub(crate) fn why_no_project(path: &Path) -> Option<String> {
    if !path.is_dir() || path.join("project.toml").exists() {
        return None;
    }
    let mut inside = std::fs::read_dir(path).into_iter().flatten().flatten();
    let shown = path.display();
    Some(
        match inside.any(|entry| entry.path().join("project.toml").is_file()) {
            true => format!(
                "{shown} holds several runs: open one of them, or add them all by this path in the Runs view"
            ),
            false => format!(
                "{shown} holds no project and no run: open a project, the folder of a run or a folder of images"
            ),
        },
    )
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
    Archive::is_named_like_one(path) || !is_part(recognise(path, Source::default()).source)
}
