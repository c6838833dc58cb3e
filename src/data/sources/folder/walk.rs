//! Going through folders without being led astray: names in order, links followed but no folder
//! twice, what cannot be read noted and passed over. Fails only on more files than a dataset has.

use crate::Skipped;
use crate::error::DataError;
use crate::source::Ask;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A link to the root of the disk must not end in a list of all of it.
const MOST_FILES: usize = 5_000_000;

pub(crate) struct Walk {
    /// Whether a file's name is one of those looked for.
    wanted: fn(&Path) -> bool,
    /// Folders seen, by their real place.
    seen: BTreeSet<PathBuf>,
    files: usize,
    pub skipped: Vec<Skipped>,
}

impl Walk {
    pub fn new(wanted: fn(&Path) -> bool) -> Walk {
        Walk {
            wanted,
            seen: BTreeSet::new(),
            files: 0,
            skipped: Vec::new(),
        }
    }

    /// What is in a folder, by name: the system's own order differs from machine to machine.
    pub fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        match read_folder(folder) {
            Ok(paths) => paths,
            Err(cause) => {
                self.skip(folder, format!("this folder cannot be read ({cause})"));
                Vec::new()
            }
        }
    }

    /// The folders in a folder, but for hidden ones.
    pub fn folders(&mut self, folder: &Path) -> Vec<PathBuf> {
        let mut paths = self.entries(folder);
        paths.retain(|path| !is_hidden(path) && path.is_dir());
        paths
    }

    /// The files wanted directly in a folder.
    pub fn files(&mut self, folder: &Path) -> Vec<PathBuf> {
        let mut paths = self.entries(folder);
        paths.retain(|path| self.is_wanted(path));
        paths
    }

    /// The files wanted in a folder and in all folders below it that were not seen before.
    pub fn files_below(&mut self, ask: &mut Ask, folder: &Path) -> Result<Vec<PathBuf>, DataError> {
        let mut files = Vec::new();
        let mut ahead = vec![folder.to_path_buf()];
        while let Some(folder) = ahead.pop() {
            ask.still()?;
            if !self.enter(&folder) {
                continue;
            }
            let (folders, others): (Vec<_>, Vec<_>) = self
                .entries(&folder)
                .into_iter()
                .partition(|path| path.is_dir());
            files.extend(others.into_iter().filter(|path| self.is_wanted(path)));
            ahead.extend(folders.into_iter().rev().filter(|path| !is_hidden(path)));
            self.check(&folder, files.len())?;
        }
        self.files += files.len();
        Ok(files)
    }

    fn check(&self, folder: &Path, more: usize) -> Result<(), DataError> {
        if self.files + more <= MOST_FILES {
            return Ok(());
        }
        let problem = format!("there are more than {MOST_FILES} files below this folder");
        Err(DataError::malformed(
            folder,
            problem,
            "point path at the dataset's own folder",
        ))
    }

    /// Whether a folder is a new one; links make one folder appear in many places, in itself too.
    fn enter(&mut self, folder: &Path) -> bool {
        match folder.canonicalize().map(|place| self.seen.insert(place)) {
            Ok(true) => return true,
            Ok(false) => self.skip(
                folder,
                "this folder was read already, under another name".to_string(),
            ),
            Err(cause) => self.skip(folder, format!("this folder cannot be read ({cause})")),
        }
        false
    }

    /// A pipe or a device is not opened: reading it might never end.
    fn is_wanted(&mut self, path: &Path) -> bool {
        if !(self.wanted)(path) {
            return false;
        }
        match path.metadata() {
            Ok(about) if about.is_file() => return true,
            Ok(about) if about.is_dir() => {}
            Ok(_) => self.skip(path, "this is no file but a pipe or a device".to_string()),
            Err(cause) => self.skip(path, format!("cannot be read ({cause})")),
        }
        false
    }

    pub fn skip(&mut self, path: &Path, reason: String) {
        self.skipped.push(Skipped {
            file: path.to_path_buf(),
            reason,
        });
    }
}

/// Names that begin with a dot, and what macOS leaves in archives.
pub(crate) fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name == "__MACOSX"
}

pub(crate) fn read_folder(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}
