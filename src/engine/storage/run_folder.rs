//! A run's folder: its name, its files, and that only one run writes to it at a time.
//!
//! ```text
//! project.toml    the project as it is trained, `data.path` made absolute
//! metrics.csv     a row per epoch, stage and split       steps.csv   a row per step
//! checkpoints/    last, stage-1, …, best (.safetensors)  probe/      probe images by epoch
//! snapshots/      weights of earlier steps, to look back at
//! changes.csv     settings that were changed while it trained, with their steps
//! commands.txt    what is asked of the run while it trains
//! init.csv        what its first weights were taken from, where it took some
//! dynamics.csv    gradients, weights and outputs of every layer at some steps
//! run.json        status, device, version, times, data hash
//! whitening.safetensors   what center and whiten were fitted to, where the project has them
//! ```
//!
//! Fails with a [`FolderError`] before anything is trained when the folder cannot be written to,
//! holds a run already, or is in use.

use super::changes::CHANGES_FILE;
use super::metrics_csv::{METRICS_FILE, STEPS_FILE};
use super::record::RunRecord;
use super::snapshots::{self, Snapshots};
use crate::run::command_file::{COMMANDS_FILE, forget_earlier};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strata_core::atomic_write::{is_temporary, remove_abandoned};
use strata_core::files::{self, path_in, path_text};
use strata_core::format::slug;
use strata_core::project::help::Surface;
use strata_core::project::{Project, file};

/// Why a run has no folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder cannot be made or written to.
    #[error(
        "cannot write to the run folder {folder}: {reason}; choose another one (-o FOLDER) or change its permissions"
    )]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// There is a run in it already.
    #[error("{0} holds a run already; resume it (--resume) or choose another folder (-o FOLDER)")]
    Taken(PathBuf),
    /// A file of someone else's would be written over.
    #[error(
        "{folder} holds a {file} already, which a new run would replace; choose another folder (-o FOLDER), or leave -o out for the next free one below runs"
    )]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// The file's name in it.
        file: String,
    },
    /// Nothing to resume.
    #[error(
        "{0} is not a run with a checkpoint, so there is nothing to resume; train without --resume"
    )]
    NotARun(PathBuf),
    /// The run has no checkpoint of this name.
    #[error("{run} has no checkpoint `{name}`; {there}")]
    NoCheckpoint {
        /// The run's folder.
        run: PathBuf,
        /// The name asked for.
        name: String,
        /// Which there are, as a clause.
        there: String,
    },
    /// Another process trains in it.
    #[error("{0} is being trained by another Strata; stop that run first")]
    InUse(PathBuf),
}

impl FolderError {
    /// The message for the terminal, which is its own text, or for the window.
    pub fn text(&self, surface: Surface) -> String {
        match (self, surface) {
            (FolderError::NotWritable { folder, reason }, Surface::Window) => format!(
                "cannot write to the run folder {}: {reason}; change its permissions, or save the project to another folder",
                folder.display()
            ),
            (FolderError::NotARun(folder), Surface::Window) => format!(
                "{} is not a run with a checkpoint, so there is nothing to resume; press Train",
                folder.display()
            ),
            // Only the terminal chooses the folder of a new run.
            _ => self.to_string(),
        }
    }
}

/// The folder of one run, held against other runs while this value lives. What was
/// made for a run that was never [kept](RunFolder::keep) is removed again: a run that cannot begin
/// leaves nothing behind, and takes nothing away from a folder that was there before.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// What was not there before, while the run has not begun.
    provisional: Vec<PathBuf>,
    _lock: File,
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        for made in &self.provisional {
            // A folder only goes when it is empty: what somebody else put there meanwhile is theirs.
            let removed = if made.is_dir() {
                std::fs::remove_dir(made)
            } else {
                std::fs::remove_file(made)
            };
            // What stays behind without a run harms nothing. Of what was listed some may never have been made.
            if let Err(error) = removed
                && error.kind() != io::ErrorKind::NotFound
                && error.kind() != io::ErrorKind::DirectoryNotEmpty
            {
                let path = made.display();
                log::warn!("{path} of a run that did not begin could not be removed: {error}");
            }
        }
    }
}

impl RunFolder {
    /// Makes the folder `path`, or the next free `runs/TITLE-N` below `base`.
    pub fn create(path: Option<&Path>, base: &Path, title: &str) -> Result<RunFolder, FolderError> {
        match path {
            Some(path) if died_at_start(path) => RunFolder::restart(path),
            Some(path) if files(path).iter().any(|file| file.exists()) => {
                Err(FolderError::Taken(path.to_owned()))
            }
            Some(path) => match occupied(path) {
                Some(file) => Err(FolderError::Occupied {
                    folder: path.to_owned(),
                    file,
                }),
                None => RunFolder::open(path, missing(path, !path.exists())),
            },
            None => {
                let path = next_free(&base.join("runs"), title)?;
                RunFolder::open(&path, missing(&path, true))
            }
        }
    }

    /// The folder of a run that died before its first checkpoint: nothing was trained in it, so it starts over there.
    pub fn restart(path: &Path) -> Result<RunFolder, FolderError> {
        let folder = RunFolder::open(path, missing(path, false))?;
        clean(path);
        forget_earlier(path);
        Ok(folder)
    }

    /// The folder of a run that has a checkpoint, without the temporary files that the run left if it was killed.
    pub(crate) fn reopen(path: &Path) -> Result<RunFolder, FolderError> {
        if !checkpoint(path, "last").is_file() {
            return Err(FolderError::NotARun(path.to_owned()));
        }
        let folder = RunFolder::open(path, Vec::new())?;
        // Only now that no other process trains in it; a window may still write an image there, which is locked.
        clean(path);
        forget_earlier(path);
        Ok(folder)
    }

    fn open(path: &Path, provisional: Vec<PathBuf>) -> Result<RunFolder, FolderError> {
        let failed = |reason| FolderError::NotWritable {
            folder: path.to_owned(),
            reason,
        };
        for folder in folders(path) {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        // Never emptied: a file of this name may be somebody's.
        let mut lock = File::options();
        let lock = lock.create(true).write(true).truncate(false);
        let lock = lock.open(path.join(".lock")).map_err(failed)?;
        match lock_soon(&lock) {
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse(path.to_owned())),
            // Some network drives have no locks; the run continues without one.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        Ok(RunFolder {
            path: path.to_owned(),
            provisional,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A checkpoint's file: `last`, `stage-1`, `best`.
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        checkpoint(&self.path, name)
    }

    /// Writes the project as it is trained. Relative paths become absolute: the copy is in another folder than the
    /// original.
    pub(crate) fn write_project(
        &self,
        project: &Project,
        base: &Path,
    ) -> Result<(), strata_core::project::ProjectError> {
        file::save(&as_kept(project, base), &self.path.join("project.toml"))
    }

    /// The run has begun: its folder stays.
    pub fn keep(&mut self) {
        self.provisional.clear();
    }
}

/// The project as it is kept in the folder of its run or baseline: the one that is shown where its file has several, with
/// absolute paths in place of those that start at `base`.
pub fn as_kept(project: &Project, base: &Path) -> Project {
    let mut project = project.alone();
    let absolute = |path: &mut String| {
        if !path.starts_with('~') {
            let joined = base.join(path_in(path));
            *path = path_text(&std::path::absolute(&joined).unwrap_or(joined));
        }
    };
    project.data.path.as_mut().map(absolute);
    if let Some(init) = &mut project.init {
        absolute(&mut init.from);
    }
    project
}

/// Locks a run's folder. A program that this one was just starting for something else holds a lock of the run before along
/// with it, until it has become that program: for a moment it is waited for.
fn lock_soon(lock: &File) -> Result<(), TryLockError> {
    const TRIES: u32 = 25;
    const BETWEEN: Duration = Duration::from_millis(10);
    for _ in 1..TRIES {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN),
            other => return other,
        }
    }
    lock.try_lock()
}

/// Whether another run is trained in this folder.
pub fn is_in_training(run: &Path) -> bool {
    let lock = File::options().write(true).open(run.join(".lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// The folders inside a run's folder.
fn folders(run: &Path) -> [PathBuf; 2] {
    [run.join("checkpoints"), run.join("probe")]
}

/// A checkpoint's file in a run folder.
pub fn checkpoint(run: &Path, name: &str) -> PathBuf {
    run.join("checkpoints").join(format!("{name}.safetensors"))
}

/// What a run that begins in this folder adds to it and is not there yet, files before their folders.
fn missing(run: &Path, is_new: bool) -> Vec<PathBuf> {
    let names = [
        "checkpoints/last.safetensors",
        "checkpoints",
        "probe",
        ".lock",
        "project.toml",
        "metrics.csv",
        "steps.csv",
        "dynamics.csv",
        "run.json",
    ];
    let inside = names.into_iter().map(|name| run.join(name));
    let mut missing: Vec<PathBuf> = inside.filter(|path| !path.exists()).collect();
    missing.extend(is_new.then(|| run.to_owned()));
    missing
}

/// Takes the temporary files away that a killed process left in a run's folder.
fn clean(run: &Path) {
    let [checkpoints, probe] = folders(run);
    for folder in [run, &checkpoints, &probe, &snapshots::folder(run)] {
        remove_abandoned(folder);
    }
}

/// Whether a run died in this folder before its first checkpoint: what it begins with is there, and no step in it. It may
/// have died before it made anything but the folder, so an empty folder counts.
pub fn died_at_start(run: &Path) -> bool {
    let record = run.join("run.json");
    let tables = [METRICS_FILE, STEPS_FILE].map(|name| run.join(name));
    let was_begun = record.exists() || tables.iter().any(|table| table.exists());
    (was_begun && run.join(".lock").is_file() || holds_nothing_else(run))
        && files_in(run).is_empty()
        && tables.iter().all(|table| has_no_row(table))
        && (!record.exists() || RunRecord::read(run).is_ok_and(|record| record.steps == 0))
}

/// Whether a folder is there and holds a run's lock and folders at most, and a first file that was being written: what is
/// made before the first file is whole.
fn holds_nothing_else(run: &Path) -> bool {
    const MADE_FIRST: [&str; 3] = [".lock", "checkpoints", "probe"];
    let is_made_first = |entry: std::fs::DirEntry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| MADE_FIRST.contains(&name) || is_temporary(name))
    };
    std::fs::read_dir(run).is_ok_and(|entries| entries.flatten().all(is_made_first))
}

/// Whether a table has its heading at most.
fn has_no_row(table: &Path) -> bool {
    const HEADING: u64 = 1 << 10;
    !table.exists() || files::read_text(table, HEADING).is_ok_and(|text| text.lines().count() <= 1)
}

/// A file that a run would write over and that is of no run: the user's own project, or a file in the folders of
/// checkpoints and probe images.
fn occupied(run: &Path) -> Option<String> {
    let own = OWN
        .into_iter()
        .find(|file| run.join(file).exists())
        .map(str::to_owned);
    own.or_else(|| files_in(run).into_iter().next())
}

/// The files in the folders inside a run's folder, without hidden ones.
fn files_in(run: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for (folder, name) in folders(run).iter().zip(["checkpoints", "probe"]) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let entries = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.extend(
            entries
                .filter(|entry| !entry.starts_with('.'))
                .map(|entry| format!("{name}/{entry}")),
        );
    }
    names.sort();
    names
}

/// The file of a checkpoint that is there; a name is one word, never a path.
pub(crate) fn find_checkpoint(run: &Path, name: &str) -> Result<PathBuf, FolderError> {
    let file = checkpoint(run, name);
    if !name.is_empty() && !name.contains(['/', '\\']) && file.is_file() {
        return Ok(file);
    }
    if let Some(snapshot) = snapshots::find(run, name) {
        return Ok(snapshot);
    }
    let names = checkpoints(run);
    let there = if names.is_empty() {
        "there is none in its folder checkpoints: is it a run?".to_owned()
    } else {
        format!("this run has: {}{}", names.join(", "), snapshots_of(run))
    };
    Err(FolderError::NoCheckpoint {
        run: run.to_owned(),
        name: name.to_owned(),
        there,
    })
}

/// The snapshots of a run as the end of a sentence; empty where there are none.
fn snapshots_of(run: &Path) -> String {
    let kept = Snapshots::read(run).steps;
    let names: Vec<String> = kept.into_iter().map(snapshots::name).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("; earlier weights: {}", names.join(", ")),
    }
}

/// The names of a run's checkpoints, in alphabetical order.
pub fn checkpoints(run: &Path) -> Vec<String> {
    let files = std::fs::read_dir(run.join("checkpoints"))
        .into_iter()
        .flatten()
        .flatten();
    let name = |file: std::fs::DirEntry| {
        Some(
            file.file_name()
                .to_str()?
                .strip_suffix(".safetensors")?
                .to_owned(),
        )
    };
    let mut names: Vec<String> = files
        .filter_map(name)
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Files that a run writes and that may be there without one: above all the user's own project.
const OWN: [&str; 5] = [
    "project.toml",
    "steps.csv",
    "dynamics.csv",
    CHANGES_FILE,
    COMMANDS_FILE,
];

fn files(run: &Path) -> [PathBuf; 3] {
    [
        run.join("run.json"),
        run.join("metrics.csv"),
        checkpoint(run, "last"),
    ]
}

/// Making a folder either succeeds for us or fails because it exists: no two runs have the same number.
fn next_free(runs: &Path, title: &str) -> Result<PathBuf, FolderError> {
    let failed = |folder: &Path, reason| FolderError::NotWritable {
        folder: folder.to_owned(),
        reason,
    };
    std::fs::create_dir_all(runs).map_err(|reason| failed(runs, reason))?;
    // Runs that were killed and never resumed keep no temporary file for ever.
    for entry in std::fs::read_dir(runs).into_iter().flatten().flatten() {
        clean(&entry.path());
    }
    let slug = slug(title, "run");
    for number in 1u64.. {
        let path = runs.join(format!("{slug}-{number}"));
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&path, error)),
        }
    }
    Err(failed(runs, io::Error::other("no number is free")))
}

#[cfg(test)]
mod tests;
