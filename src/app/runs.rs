//! The runs of a project, read from their folders on a thread of their own.
//!
//! What is no run, or not of this project, is left out; what is torn shows as far as it goes.

use super::curves::Curves;
use super::wake::Wake;
use crossbeam_channel::{Receiver, bounded};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::project::file;
use strata_engine::storage::record::RunRecord;

/// Runs whose curves are read; older ones are left out.
const MOST: usize = 64;

/// One run of the list.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// Its folder.
    pub path: PathBuf,
    /// The folder's name.
    pub name: String,
    /// What its `run.json` says.
    pub record: RunRecord,
    /// Its curves.
    pub curves: Arc<Curves>,
}

/// Which runs a list holds: those with this title in this folder, after this run started or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The folder of runs.
    pub folder: PathBuf,
    /// The project's title.
    pub title: String,
    /// The run of the window and whether it is in training.
    pub run: (Option<PathBuf>, bool),
}

/// The list as the window knows it.
#[derive(Debug, Default)]
pub struct Runs {
    /// By the time they were started: a new run never changes the colour of another.
    pub list: Vec<StoredRun>,
    /// Runs taken out of the plot.
    pub hidden: BTreeSet<PathBuf>,
    listed: Option<Listed>,
    reading: Option<Receiver<Vec<StoredRun>>>,
}

impl Runs {
    /// Whether the list is of these runs, or being made.
    pub fn is_of(&self, listed: &Listed) -> bool {
        self.listed.as_ref() == Some(listed)
    }

    /// Whether a list is being made.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Starts reading.
    pub(super) fn read(&mut self, listed: Listed, wake: &Wake) {
        let (sender, receiver) = bounded(1);
        let (wake, of) = (wake.clone(), listed.clone());
        let thread = std::thread::Builder::new()
            .name("strata-runs".to_owned())
            .spawn(move || {
                // Receiver dropped: the window has closed.
                sender.send(runs(&of.folder, &of.title)).ok();
                wake();
            });
        if self
            .listed
            .as_ref()
            .is_some_and(|of| of.folder != listed.folder || of.title != listed.title)
        {
            self.list.clear();
        }
        if let Err(error) = &thread {
            log::warn!("no thread could be started to list the runs: {error}");
        }
        self.reading = thread.ok().map(|_| receiver);
        self.listed = Some(listed);
    }

    /// Takes a list that is ready.
    pub(super) fn drain(&mut self) {
        if let Some(list) = self
            .reading
            .as_ref()
            .and_then(|reading| reading.try_recv().ok())
        {
            (self.list, self.reading) = (list, None);
        }
    }

    /// Shows or hides a run in the plot.
    pub(super) fn show(&mut self, run: PathBuf, shown: bool) {
        if shown {
            self.hidden.remove(&run);
        } else {
            self.hidden.insert(run);
        }
    }
}

fn runs(folder: &Path, title: &str) -> Vec<StoredRun> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(PathBuf, RunRecord)> = entries
        .filter_map(|entry| record(entry.path(), title))
        .collect();
    found.sort_by(|(a, one), (b, other)| (&one.started, a).cmp(&(&other.started, b)));
    let old = found.len().saturating_sub(MOST);
    let read = |(path, record): (PathBuf, RunRecord)| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let curves = Arc::new(Curves::read(&path));
        StoredRun {
            path,
            name,
            record,
            curves,
        }
    };
    found.into_iter().skip(old).map(read).collect()
}

fn record(run: PathBuf, title: &str) -> Option<(PathBuf, RunRecord)> {
    if !run.join("run.json").exists() {
        // A folder of something else.
        return None;
    }
    let unread = |error: &dyn std::error::Error| {
        log::warn!("the run {} is not listed: {error}", run.display());
    };
    let record = RunRecord::read(&run);
    let record = record.inspect_err(|error| unread(error)).ok()?;
    let project = file::load(&run.join("project.toml"));
    let project = project.inspect_err(|error| unread(error)).ok()?;
    (project.title == title).then_some((run, record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    #[test]
    fn runs_of_the_title_come_in_the_order_they_were_started() {
        let folder = tempfile::tempdir().unwrap();
        for (name, started, project) in [
            ("b", "2026-01-01", "lenet-mnist"),
            ("a", "2026-02-01", "lenet-mnist"),
            ("c", "2026-01-15", "unet"),
        ] {
            let run = folder.path().join(name);
            std::fs::create_dir(&run).unwrap();
            file::save(
                &builtin::find(project).unwrap().project().unwrap(),
                &run.join("project.toml"),
            )
            .unwrap();
            RunRecord {
                started: started.into(),
                ..RunRecord::default()
            }
            .write(&run)
            .unwrap();
        }
        std::fs::create_dir(folder.path().join("no run")).unwrap();
        let list = runs(folder.path(), "LeNet for MNIST");
        assert_eq!(
            list.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(),
            ["b", "a"]
        );
        assert!(runs(&folder.path().join("none"), "x").is_empty());
    }
}
