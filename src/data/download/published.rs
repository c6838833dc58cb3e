//! What is published of a dataset: its files, where they are, their checksums. The checksums are those that the
//! datasets' authors or the common loaders publish; sizes serve the progress bar and the check of the disk.

use super::sum::Sum;
pub use crate::archive::Archive;
use std::path::{Path, PathBuf};
use strata_core::project::data::Source;

/// A dataset that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The source's name, `mnist` for example.
    pub name: String,
    /// The files, in the order they are fetched.
    pub files: Vec<RemoteFile>,
    /// The folder below the one fetched into that a project's `path` names; empty for that itself.
    pub path: String,
}

/// A file somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its name here.
    pub name: String,
    /// Where it is: the official address first, then mirrors.
    pub addresses: Vec<String>,
    /// Its size, as published; the checksum decides.
    pub bytes: u64,
    /// Its checksum.
    pub sum: Sum,
    /// What becomes of it.
    pub then: Then,
}

/// What becomes of a file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// It stays as it is. Unpacked by somebody it has this size, which is as good.
    Keep(u64),
    /// It is unpacked and deleted.
    Unpack {
        /// Its format.
        archive: Archive,
        /// What must be in it.
        holds: Vec<Held>,
        /// More bytes than this are not unpacked.
        most_bytes: u64,
    },
}

/// Something that must be in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its path in the archive, with `/`.
    pub path: String,
    /// What it is.
    pub what: Holds,
}

/// What must be at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A file of this size.
    Bytes(u64),
    /// A folder with so many JPEG files in it and in its folders.
    Images(u64),
}

impl Entry {
    /// Bytes to fetch in all.
    pub fn bytes(&self) -> u64 {
        self.files
            .iter()
            .fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// The folder to fetch into for a project's `path`, which may be the inner one.
    pub fn folder_of(&self, path: &Path) -> PathBuf {
        let outer = if !self.path.is_empty() && path.ends_with(&self.path) {
            path.parent()
        } else {
            None
        };
        outer.unwrap_or(path).to_path_buf()
    }

    /// What a project's `path` is when the files are in `folder`.
    pub fn project_path(&self, folder: &Path) -> PathBuf {
        if self.path.is_empty() {
            folder.to_path_buf()
        } else {
            folder.join(&self.path)
        }
    }
}

/// What is published of a source.
pub(crate) enum Published {
    /// Files that are kept as they are.
    Loose(Loose),
    /// One archive.
    Packed(Packed),
}

impl Published {
    /// All that is to be fetched.
    pub(super) fn entry(&self, source: Source) -> Entry {
        match self {
            Published::Loose(files) => files.entry(source),
            Published::Packed(archive) => archive.entry(source),
        }
    }
}

/// Files that are kept as they are.
pub(crate) struct Loose {
    /// What comes before a file's name: the official address, then mirrors.
    pub at: &'static [&'static str],
    pub files: &'static [LooseFile],
}

pub(crate) struct LooseFile {
    pub name: &'static str,
    pub bytes: u64,
    pub sum: Sum,
    /// Its size unpacked.
    pub plain: u64,
}

/// One archive.
pub(crate) struct Packed {
    pub at: &'static [&'static str],
    pub bytes: u64,
    pub sum: Sum,
    pub archive: Archive,
    /// More bytes than this are not unpacked.
    pub most_bytes: u64,
    /// The folder in it that a project's `path` names.
    pub folder: &'static str,
    /// What must be in that folder; without a name, of the folder itself.
    pub holds: &'static [(&'static str, Holds)],
}

impl Loose {
    fn entry(&self, source: Source) -> Entry {
        let file = |file: &LooseFile| RemoteFile {
            name: file.name.to_owned(),
            addresses: self
                .at
                .iter()
                .map(|at| format!("{at}{}", file.name))
                .collect(),
            bytes: file.bytes,
            sum: file.sum.clone(),
            then: Then::Keep(file.plain),
        };
        Entry {
            name: source.name().to_owned(),
            files: self.files.iter().map(file).collect(),
            path: String::new(),
        }
    }
}

impl Packed {
    fn entry(&self, source: Source) -> Entry {
        let name = self
            .at
            .first()
            .and_then(|address| address.rsplit('/').next())
            .unwrap_or_default()
            .to_owned();
        let held = |&(name, what): &(&str, Holds)| {
            let path = if name.is_empty() {
                self.folder.to_owned()
            } else {
                format!("{}/{name}", self.folder)
            };
            Held { path, what }
        };
        let holds = self.holds.iter().map(held).collect();
        let file = RemoteFile {
            name,
            addresses: self.at.iter().map(|&address| address.to_owned()).collect(),
            bytes: self.bytes,
            sum: self.sum.clone(),
            then: Then::Unpack {
                archive: self.archive,
                holds,
                most_bytes: self.most_bytes,
            },
        };
        Entry {
            name: source.name().to_owned(),
            files: vec![file],
            path: self.folder.to_owned(),
        }
    }
}
