//! The small files that Strata keeps for itself in the platform's configuration folder.
//!
//! They are written in one step, on a thread of their own so that no frame waits for a disk. A file
//! that is missing counts as empty; one that cannot be written is told once, and the work goes on.
//! Temporary files that a killed window left are removed at the start; those of living windows are locked.

use crate::project::file::{remove_abandoned, write_atomic};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

enum Job {
    Write(PathBuf, String),
    Remove(PathBuf),
}

/// A folder of small files; without a folder nothing is read and nothing is kept.
#[derive(Default)]
pub struct Store {
    folder: Option<PathBuf>,
    jobs: Option<Sender<Job>>,
    failures: Option<Receiver<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// A store in this folder, which is made when something is first written.
    pub fn new(folder: Option<PathBuf>) -> Store {
        let Some(folder) = folder else {
            return Store::default();
        };
        let (jobs, work) = unbounded();
        let (told, failures) = unbounded();
        let to_clean = folder.clone();
        let thread = std::thread::Builder::new()
            .name("small files".into())
            .spawn(move || {
                remove_abandoned(&to_clean);
                carry_out(&work, &told);
            });
        Store {
            folder: Some(folder),
            jobs: Some(jobs),
            failures: Some(failures),
            thread: thread.ok(),
        }
    }

    /// The path of a file, if files are kept at all.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(name))
    }

    /// A file's text.
    pub fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)?).ok()
    }

    /// Replaces a file, soon.
    pub fn write(&self, name: &str, text: String) {
        self.send(name, |path| Job::Write(path, text));
    }

    /// Removes a file, soon.
    pub fn remove(&self, name: &str) {
        self.send(name, Job::Remove);
    }

    fn send(&self, name: &str, job: impl FnOnce(PathBuf) -> Job) {
        if let (Some(path), Some(jobs)) = (self.path(name), &self.jobs) {
            // The thread outlives every sender; should it be gone, the small files are not kept.
            let _ = jobs.send(job(path));
        }
    }

    /// What could not be written since the last call, in words.
    pub fn failure(&self) -> Option<String> {
        self.failures.as_ref()?.try_recv().ok()
    }
}

/// What was asked for last must reach the disk before the program ends.
impl Drop for Store {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn carry_out(work: &Receiver<Job>, told: &Sender<String>) {
    let mut complained = false;
    for job in work {
        let (path, done) = match job {
            Job::Write(path, text) => (path.clone(), write(&path, &text)),
            Job::Remove(path) => (
                path.clone(),
                std::fs::remove_file(&path).or_else(missing_is_fine),
            ),
        };
        if let Err(error) = done
            && !std::mem::replace(&mut complained, true)
        {
            let text = format!(
                "cannot write {}: {error}; recent projects and unsaved edits are not kept",
                path.display()
            );
            let _ = told.send(text);
        }
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    write_atomic(path, text.as_bytes())
}

fn missing_is_fine(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

/// Where the platform keeps the configuration of programs, and in it the folder of Strata.
pub fn folder() -> Option<PathBuf> {
    let of = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = if cfg!(target_os = "windows") {
        of("APPDATA")
    } else if cfg!(target_os = "macos") {
        of("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        of("XDG_CONFIG_HOME").or_else(|| of("HOME").map(|home| home.join(".config")))
    };
    base.map(|base| base.join("strata"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(Some(folder.path().join("deep/inside")));
        assert_eq!(store.read("a"), None);
        store.write("a", "one".into());
        store.write("a", "two".into());
        store.remove("never there");
        drop(store);
        let store = Store::new(Some(folder.path().join("deep/inside")));
        assert_eq!(store.read("a").as_deref(), Some("two"));
        store.remove("a");
        drop(store);
        assert!(!folder.path().join("deep/inside/a").exists());
    }

    #[test]
    fn what_a_killed_window_left_is_removed_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path(".strata-AbC123"), "half a fi").unwrap();
        std::fs::write(path("recent.json"), "[]").unwrap();
        drop(Store::new(Some(folder.path().to_path_buf())));
        assert!(!path(".strata-AbC123").exists() && path("recent.json").exists());
    }

    #[test]
    fn what_cannot_be_written_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let store = Store::new(Some(folder.path().join("file/inside")));
        store.write("a", "one".into());
        store.write("a", "two".into());
        let mut told = None;
        for _ in 0..500 {
            told = told.or_else(|| store.failure());
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert!(told.is_some_and(|text| text.starts_with("cannot write")));
        assert_eq!(store.failure(), None);
        Store::default().write("a", "nowhere".into());
    }
}
