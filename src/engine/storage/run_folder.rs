//! A run's folder: its name, its files, and that only one run writes to it at a time.
//!
//! ```text
//! project.toml    the project as it is trained, `data.path` made absolute
//! metrics.csv     a row per epoch, stage and split       steps.csv   a row per step
//! checkpoints/    last, stage-1, …, best (.safetensors)  probe/      probe images by epoch
//! run.json        status, device, version, times, data hash
//! ```
//!
//! Fails with a [`FolderError`] before anything is trained when the folder cannot be written to,
//! holds a run already, or is in use.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use strata_core::format::slug;
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
        /// The file's name.
        file: &'static str,
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
            let removed = if made.is_dir() {
                std::fs::remove_dir_all(made)
            } else {
                std::fs::remove_file(made)
            };
            // What stays behind without a run harms nothing. Of what was listed some may never have been made.
            if let Err(error) = removed
                && error.kind() != io::ErrorKind::NotFound
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
            Some(path) if files(path).iter().any(|file| file.exists()) => {
                Err(FolderError::Taken(path.to_owned()))
            }
            Some(path) => match OWN.into_iter().find(|file| path.join(file).exists()) {
                Some(file) => Err(FolderError::Occupied {
                    folder: path.to_owned(),
                    file,
                }),
                None => RunFolder::open(path, missing(path)),
            },
            None => {
                let path = next_free(&base.join("runs"), title)?;
                RunFolder::open(&path, vec![path.clone()])
            }
        }
    }

    /// The folder of a run that has a checkpoint, without the temporary files that the run left if it was killed.
    pub fn reopen(path: &Path) -> Result<RunFolder, FolderError> {
        if !checkpoint(path, "last").is_file() {
            return Err(FolderError::NotARun(path.to_owned()));
        }
        let folder = RunFolder::open(path, Vec::new())?;
        // Only now that no other process trains in it; a window may still write an image there, which is locked.
        let [checkpoints, probe] = folders(path);
        for folder in [path, &checkpoints, &probe] {
            strata_core::atomic_write::remove_abandoned(folder);
        }
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
        let lock = File::create(path.join(".lock")).map_err(failed)?;
        match lock.try_lock() {
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

    /// Writes the project as it is trained. A relative `data.path` becomes absolute: the copy lies
    /// in another folder than the original.
    pub fn write_project(
        &self,
        project: &Project,
        base: &Path,
    ) -> Result<(), strata_core::project::ProjectError> {
        let mut project = project.clone();
        if let Some(path) = project
            .data
            .path
            .as_mut()
            .filter(|path| !path.starts_with('~'))
        {
            let absolute =
                std::path::absolute(base.join(&*path)).unwrap_or_else(|_| base.join(&*path));
            *path = absolute.display().to_string();
        }
        file::save(&project, &self.path.join("project.toml"))
    }

    /// The run has begun: its folder stays.
    pub fn keep(&mut self) {
        self.provisional.clear();
    }
}

/// The folders inside a run's folder.
fn folders(run: &Path) -> [PathBuf; 2] {
    [run.join("checkpoints"), run.join("probe")]
}

/// A checkpoint's file in a run folder.
pub fn checkpoint(run: &Path, name: &str) -> PathBuf {
    run.join("checkpoints").join(format!("{name}.safetensors"))
}

/// What a run that begins in this folder adds to it: the folder itself, or what of its content is not there yet.
fn missing(run: &Path) -> Vec<PathBuf> {
    if !run.exists() {
        return vec![run.to_owned()];
    }
    let names = [
        "checkpoints",
        "probe",
        ".lock",
        "project.toml",
        "metrics.csv",
        "steps.csv",
        "run.json",
    ];
    names
        .into_iter()
        .map(|name| run.join(name))
        .filter(|path| !path.exists())
        .collect()
}

/// The file of a checkpoint that is there; a name is one word, never a path.
pub fn find_checkpoint(run: &Path, name: &str) -> Result<PathBuf, FolderError> {
    let file = checkpoint(run, name);
    if !name.is_empty() && !name.contains(['/', '\\']) && file.is_file() {
        return Ok(file);
    }
    let names = checkpoints(run);
    let there = if names.is_empty() {
        "there is none in its folder checkpoints: is it a run?".to_owned()
    } else {
        format!("this run has: {}", names.join(", "))
    };
    Err(FolderError::NoCheckpoint {
        run: run.to_owned(),
        name: name.to_owned(),
        there,
    })
}

/// The names of a run's checkpoints, in alphabetical order.
fn checkpoints(run: &Path) -> Vec<String> {
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
const OWN: [&str; 2] = ["project.toml", "steps.csv"];

fn files(run: &Path) -> [PathBuf; 3] {
    [
        run.join("run.json"),
        run.join("metrics.csv"),
        checkpoint(run, "last"),
    ]
}

/// Making a folder either succeeds for us or fails because it exists: two runs never share a number.
fn next_free(runs: &Path, title: &str) -> Result<PathBuf, FolderError> {
    let failed = |folder: &Path, reason| FolderError::NotWritable {
        folder: folder.to_owned(),
        reason,
    };
    std::fs::create_dir_all(runs).map_err(|reason| failed(runs, reason))?;
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
mod tests {
    use super::*;

    #[test]
    fn numbers_count_up_and_locks_hold() {
        let base = tempfile::tempdir().unwrap();
        let mut first = RunFolder::create(None, base.path(), "A b").unwrap();
        first.keep();
        let second = RunFolder::create(None, base.path(), "A b").unwrap();
        assert_eq!(first.path(), base.path().join("runs/a-b-1"));
        assert_eq!(second.path(), base.path().join("runs/a-b-2"));
        std::fs::write(first.checkpoint("last"), "x").unwrap();
        assert!(matches!(
            RunFolder::reopen(first.path()),
            Err(FolderError::InUse(_))
        ));
        let path = first.path().to_owned();
        drop(first);
        assert!(RunFolder::reopen(&path).is_ok());
        assert!(find_checkpoint(&path, "last").is_ok());
        std::fs::write(checkpoint(&path, "stage-1"), "x").unwrap();
        for name in ["best", "../checkpoints/last", ""] {
            let error = find_checkpoint(&path, name).unwrap_err();
            assert!(
                error.to_string().ends_with("this run has: last, stage-1"),
                "{error}"
            );
        }
        assert!(matches!(
            RunFolder::create(Some(&path), base.path(), ""),
            Err(FolderError::Taken(_))
        ));
        assert!(matches!(
            RunFolder::reopen(second.path()),
            Err(FolderError::NotARun(_))
        ));
        let removed = second.path().to_owned();
        drop(second);
        assert!(!removed.exists());
    }

    #[test]
    fn a_resumed_run_clears_what_it_left_when_it_was_killed() {
        let base = tempfile::tempdir().unwrap();
        let mut folder = RunFolder::create(None, base.path(), "a").unwrap();
        folder.keep();
        let run = folder.path().to_owned();
        std::fs::write(folder.checkpoint("last"), "x").unwrap();
        let abandoned = [
            ".strata-AbC123",
            "checkpoints/.strata-0000zz",
            "probe/.strata-xyzXYZ",
        ];
        let foreign = [
            "notes.txt",
            ".strata-of-mine",
            "checkpoints/.tmp123456",
            "probe/epoch-1.png",
        ];
        for name in abandoned.iter().chain(&foreign) {
            std::fs::write(run.join(name), "x").unwrap();
        }
        assert!(matches!(
            RunFolder::reopen(&run),
            Err(FolderError::InUse(_))
        ));
        assert!(
            run.join(abandoned[0]).exists(),
            "another process trains in it"
        );
        drop(folder);
        RunFolder::reopen(&run).unwrap();
        assert!(abandoned.iter().all(|name| !run.join(name).exists()));
        assert!(foreign.iter().all(|name| run.join(name).exists()));
    }

    #[test]
    fn a_folder_that_was_there_is_left_as_it_was() {
        let base = tempfile::tempdir().unwrap();
        let names = || {
            let entries = std::fs::read_dir(base.path()).unwrap();
            entries
                .map(|entry| entry.unwrap().file_name())
                .collect::<Vec<_>>()
        };
        let folder = RunFolder::create(Some(base.path()), base.path(), "").unwrap();
        std::fs::write(base.path().join("metrics.csv"), "").unwrap();
        std::fs::write(folder.checkpoint("last"), "").unwrap();
        std::fs::write(base.path().join("mine"), "").unwrap();
        drop(folder);
        assert_eq!(names(), ["mine"]);
    }

    #[test]
    fn files_of_the_user_are_not_written_over() {
        let base = tempfile::tempdir().unwrap();
        for file in OWN {
            let folder = base.path().join(file.replace('.', "-"));
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join(file), "mine").unwrap();
            let error = RunFolder::create(Some(&folder), base.path(), "a").unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains(&format!("holds a {file} already")),
                "{error}"
            );
            assert_eq!(
                std::fs::read_dir(&folder).unwrap().count(),
                1,
                "nothing was added"
            );
        }
    }

    #[test]
    fn a_file_in_the_way_is_told() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("runs");
        std::fs::write(&file, "").unwrap();
        let error = RunFolder::create(None, base.path(), "a").unwrap_err();
        assert!(
            error.to_string().contains("cannot write to the run folder"),
            "{error}"
        );
        let error = RunFolder::create(Some(&file.join("x")), base.path(), "a").unwrap_err();
        assert!(matches!(error, FolderError::NotWritable { .. }), "{error}");
    }
}
