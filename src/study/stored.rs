//! What lies in the folders of a run: `runs/TITLE-RUN-1`, `-2` and so on.

use crate::plan::Standing;
use std::path::{Path, PathBuf};
use strata_baselines::record::BaselineRecord;
use strata_baselines::work::Request;
use strata_core::project::{Project, file};
use strata_engine::storage::record::{RunRecord, Status};
use strata_engine::storage::run_folder::{as_kept, died_at_start, is_in_training};

/// Where a run stands, and the folder that it has or gets.
pub(crate) struct Found {
    pub standing: Standing,
    pub folder: PathBuf,
}

/// The folder of a network's run that was trained, or is being trained, as `project` says; else the next free one.
pub(crate) fn network(project: &Project, base: &Path, runs: &Path, stem: &str) -> Found {
    let kept = as_kept(project, base);
    let folders = numbered(runs, stem);
    let mut next = next_free(runs, stem, &folders);
    for (_, folder) in folders.into_iter().rev() {
        if died_at_start(&folder) && !is_in_training(&folder) {
            // Nothing was trained in it: the run starts over there.
            next = folder;
            continue;
        }
        let Ok(trained) = file::load(&folder.join("project.toml")) else {
            continue;
        };
        if !trained.trains_like(&kept) {
            continue;
        }
        if let Some(standing) = standing(&folder) {
            return Found { standing, folder };
        }
    }
    Found {
        standing: Standing::New,
        folder: next,
    }
}

/// How far the run in a folder is; none where it failed, for it would fail there again.
fn standing(folder: &Path) -> Option<Standing> {
    let record = RunRecord::read(folder).ok()?;
    match record.status {
        Status::Completed => Some(Standing::Done),
        _ if is_in_training(folder) => Some(Standing::InTraining),
        Status::Running | Status::Stopped => Some(Standing::Interrupted),
        Status::Failed => None,
    }
}

/// The folder of a baseline that was fitted as it is asked for; else none that exists.
pub(crate) fn baseline(
    project: &Project,
    base: &Path,
    runs: &Path,
    stem: &str,
    request: &Request,
) -> Found {
    let kept = as_kept(project, base);
    let folders = numbered(runs, stem);
    let next = next_free(runs, stem, &folders);
    let is_it = |folder: &PathBuf| {
        let fitted = file::load(&folder.join("project.toml"));
        let is_of_images =
            fitted.is_ok_and(|fitted| fitted.data == kept.data && fitted.seed == kept.seed);
        is_of_images && BaselineRecord::read(folder).is_ok_and(|record| is_of(&record, request))
    };
    let done = folders.into_iter().rev().map(|(_, folder)| folder);
    match done.into_iter().find(is_it) {
        Some(folder) => Found {
            standing: Standing::Done,
            folder,
        },
        None => Found {
            standing: Standing::New,
            folder: next,
        },
    }
}

/// Whether a baseline is what is asked for.
fn is_of(record: &BaselineRecord, request: &Request) -> bool {
    let features = match (&record.features, &request.features) {
        (None, None) => true,
        (Some(of), Some(wanted)) => {
            let is_layer = |layer: &String| {
                let rest = of.layer.strip_prefix(layer.as_str());
                rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
            };
            of.run == wanted.run.display().to_string() && wanted.layer.as_ref().is_none_or(is_layer)
        }
        _ => false,
    };
    let limit = request.limit.unwrap_or(strata_baselines::samples::FITTED);
    features
        && request.models.contains(&record.model)
        && record.fitted == limit.max(1).min(record.of)
}

/// The folders `STEM-N` with their numbers, the lowest first.
fn numbered(runs: &Path, stem: &str) -> Vec<(u64, PathBuf)> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let number = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        let number = name.to_str()?.strip_prefix(stem)?.strip_prefix('-')?;
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().ok().filter(|_| is_plain)?;
        entry.path().is_dir().then(|| (number, entry.path()))
    };
    let mut found: Vec<(u64, PathBuf)> = entries.filter_map(number).collect();
    found.sort();
    found
}

fn next_free(runs: &Path, stem: &str, folders: &[(u64, PathBuf)]) -> PathBuf {
    let last = folders.last().map_or(0, |(number, _)| *number);
    runs.join(format!("{stem}-{}", last.saturating_add(1)))
}
