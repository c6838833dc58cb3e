//! The runs of a project file that has several: which of them are done, which were interrupted, and what is next.
//!
//! Nothing is written of it anywhere: the folder of a run is `runs/TITLE-RUN-N`, and it is done where a finished run
//! lies there whose project trains like the one in the file does now. So an edited run is trained again, in a new folder,
//! and one that takes weights from it too, while all others are skipped.

mod plan;
mod stored;

pub use plan::{Item, Plan, Standing, Work};

use std::path::{Path, PathBuf};
use strata_core::format::slug;
use strata_core::project::Project;

/// The folder of the runs of a project whose relative paths start at `base`.
pub fn folder_of_runs(base: &Path) -> PathBuf {
    base.join("runs")
}

/// The report of the runs of a project file.
pub fn report(project: &Project, base: &Path) -> PathBuf {
    let name = format!("{}-report.html", slug(&project.title, "study"));
    folder_of_runs(base).join(name)
}

/// The page that compares the runs of a project file.
pub fn page(project: &Project, base: &Path) -> PathBuf {
    let name = format!("{}-comparison.html", slug(&project.title, "study"));
    folder_of_runs(base).join(name)
}
