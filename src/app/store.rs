//! The small files that Strata keeps for itself in the platform's configuration folder.
//!
//! They are written in one step, on their own thread so that no frame waits for a disk. A file
//! that is missing counts as empty. One that cannot be used is renamed, its content untouched; where
//! that fails too it is never written over. One that cannot be written is reported once. Temporary
//! files that a killed window left are removed at the start; those of living windows are locked.

use crossbeam_channel::{Receiver, Sender, unbounded};
use serde_json::error::Category;
use std::collections::BTreeSet;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use strata_core::atomic_write::{remove_abandoned, write_atomic};

/// A larger file is none of Strata's: reading it could take all of the memory.
const MOST_BYTES: u64 = 16 << 20;
/// So many damaged files of one name are kept; none of them is ever deleted.
const MOST_SET_ASIDE: u32 = 99;

enum Job {
    Write(PathBuf, String),
    Remove(PathBuf),
}

/// A file that could not be used, and where it is now.
#[derive(Debug)]
pub struct Damaged {
    /// The file.
    pub file: PathBuf,
    /// Why it could not be used.
    pub reason: String,
    /// Where it was moved; or why it could not be, and then it is not written over.
    pub set_aside: Result<PathBuf, Error>,
}

/// A folder of small files; without a folder nothing is read and nothing is kept.
#[derive(Default)]
pub struct Store {
    folder: Option<PathBuf>,
    /// Damaged files that could not be set aside.
    untouchable: BTreeSet<PathBuf>,
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
            untouchable: BTreeSet::new(),
            jobs: Some(jobs),
            failures: Some(failures),
            thread: thread.inspect_err(not_started).ok(),
        }
    }

    /// Whether anything is kept.
    pub fn keeps(&self) -> bool {
        self.folder.is_some()
    }

    /// The path of a file, if files are kept at all.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(name))
    }

    /// Reads a file and sets it aside where it cannot be read or `parse` refuses its text.
    pub fn load<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Damaged> {
        let Some(file) = self.path(name) else {
            return Ok(None);
        };
        let parsed = read_text(&file).and_then(|text| text.as_deref().map(parse).transpose());
        let reason = match parsed {
            Ok(read) => return Ok(read),
            Err(reason) => reason,
        };
        let set_aside = set_aside(&file);
        match &set_aside {
            // Another window was quicker.
            Err(error) if is_missing(error) => return Ok(None),
            Err(_) => {
                self.untouchable.insert(file.clone());
            }
            Ok(_) => {}
        }
        Err(Damaged {
            file,
            reason,
            set_aside,
        })
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
        let path = self
            .path(name)
            .filter(|path| !self.untouchable.contains(path));
        if let (Some(path), Some(jobs)) = (path, &self.jobs) {
            let job = job(path);
            // The thread outlives every sender, unless it panicked or was never started.
            if jobs.send(job).is_err() {
                log::warn!("{name} is not kept: the thread that writes it is gone");
            }
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
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::warn!(
                "the thread that writes small files panicked; the last of them may be missing"
            );
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
        let Err(error) = done else { continue };
        log::debug!("cannot write {}: {error}", path.display());
        if !std::mem::replace(&mut complained, true) {
            let text = format!(
                "cannot write {}: {error}; the window's settings, recent projects and unsaved edits are not kept",
                path.display()
            );
            if let Err(unread) = told.send(text) {
                // The window is gone and cannot show it.
                log::warn!("{}", unread.0);
            }
        }
    }
}

fn not_started(error: &std::io::Error) {
    log::warn!("no thread could be started to write small files: {error}");
}

/// A file's text, `None` where there is no file; or why it has none.
pub(super) fn read_text(file: &Path) -> Result<Option<String>, String> {
    let metadata = match std::fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if metadata.is_dir() {
        return Err("it is a folder".to_owned());
    }
    // Reading a pipe would wait for its other end.
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if metadata.len() > MOST_BYTES {
        return Err(format!("it is larger than {} MiB", MOST_BYTES >> 20));
    }
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| "it is not text".to_owned())
}

/// Renames a file to the first free of `name.broken-1`, `name.broken-2`, …
fn set_aside(file: &Path) -> Result<PathBuf, Error> {
    let numbered = |number: u32| {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".broken-{number}"));
        PathBuf::from(name)
    };
    let is_free = |path: &PathBuf| {
        std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    };
    let free = (1..=MOST_SET_ASIDE).map(numbered).find(is_free);
    let free = free.ok_or_else(|| {
        Error::other(format!(
            "no name is free up to {}",
            numbered(MOST_SET_ASIDE).display()
        ))
    })?;
    std::fs::rename(file, &free)?;
    Ok(free)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    write_atomic(path, text.as_bytes())
}

fn missing_is_fine(error: Error) -> std::io::Result<()> {
    if is_missing(&error) {
        Ok(())
    } else {
        Err(error)
    }
}

fn is_missing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Why a file of JSON is not what was kept in it: where, in words that name no type of the program.
pub(crate) fn unread(error: serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Io | Category::Syntax => {
            format!("line {line}, column {column} is no JSON")
        }
        Category::Eof => format!("it ends too early, in line {line}"),
        Category::Data => {
            format!("line {line}, column {column} holds what this version does not know")
        }
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

    fn any_text(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    fn number(text: &str) -> Result<u32, String> {
        text.parse().map_err(|_| "no number".to_owned())
    }

    fn in_folder(folder: &Path) -> Store {
        Store::new(Some(folder.to_path_buf()))
    }

    #[test]
    fn files_are_written_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("deep/inside");
        let mut store = in_folder(&deep);
        assert_eq!(store.load("a", any_text).unwrap(), None);
        store.write("a", "one".into());
        store.write("a", "two".into());
        store.remove("never there");
        drop(store);
        let mut store = in_folder(&deep);
        assert_eq!(store.load("a", any_text).unwrap().as_deref(), Some("two"));
        store.remove("a");
        drop(store);
        assert!(!deep.join("a").exists());
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
        let mut store = in_folder(&folder.path().join("file/inside"));
        assert_eq!(store.load("a", any_text).unwrap(), None);
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

    #[test]
    fn damaged_files_are_set_aside_one_after_the_other_and_nothing_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = in_folder(folder.path());
        for (times, text) in ["", "no", "\u{0}\u{1}"].into_iter().enumerate() {
            std::fs::write(folder.path().join("a"), text).unwrap();
            let damaged = store.load("a", number).unwrap_err();
            let aside = folder.path().join(format!("a.broken-{}", times + 1));
            assert_eq!(damaged.set_aside.unwrap(), aside);
            assert_eq!(std::fs::read_to_string(aside).unwrap(), text);
        }
        store.write("a", "7".into());
        drop(store);
        let mut store = in_folder(folder.path());
        assert_eq!(store.load("a", number).unwrap(), Some(7));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[test]
    fn a_damaged_file_that_cannot_be_set_aside_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "precious").unwrap();
        (1..=MOST_SET_ASIDE).for_each(|number| {
            std::fs::write(folder.path().join(format!("a.broken-{number}")), "").unwrap();
        });
        let mut store = in_folder(folder.path());
        let damaged = store.load("a", number).unwrap_err();
        assert!(damaged.set_aside.is_err());
        store.write("a", "7".into());
        store.write("b", "8".into());
        drop(store);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
        assert!(folder.path().join("b").exists());
    }

    #[test]
    fn what_is_no_file_is_set_aside_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/inside"), "kept").unwrap();
        let large = std::fs::File::create(folder.path().join("b")).unwrap();
        large.set_len(MOST_BYTES + 1).unwrap();
        let mut store = in_folder(folder.path());
        assert_eq!(
            store.load("a", number).unwrap_err().reason,
            "it is a folder"
        );
        assert!(
            store
                .load("b", number)
                .unwrap_err()
                .reason
                .contains("16 MiB")
        );
        let inside = folder.path().join("a.broken-1/inside");
        assert_eq!(std::fs::read_to_string(inside).unwrap(), "kept");
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_place() {
        let told = |text: &str| serde_json::from_str::<Vec<u8>>(text).map_err(unread);
        let err = |text: &str| told(text).unwrap_err();
        assert_eq!(err("[1,\n x]"), "line 2, column 2 is no JSON");
        assert_eq!(err("[1,\n"), "it ends too early, in line 2");
        let unknown = "line 2, column 6 holds what this version does not know";
        assert_eq!(err("[1,\n \"one\"]"), unknown);
    }
}
