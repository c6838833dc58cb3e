//! Which files make a dataset, and where they are. The checksums are those that the datasets'
//! authors or the common loaders publish; sizes serve the progress bar and the check of the disk.

mod table;

use super::sum::Sum;
use std::path::{Path, PathBuf};
use strata_core::project::data::Source;
use table::{Loose, LooseFile, Packed};

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

/// A format of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    /// `.tar.gz`, `.tgz`.
    TarGz,
    /// `.zip`.
    Zip,
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

/// The files of a source; `None` for one that has nothing to download.
pub fn entry(source: Source) -> Option<Entry> {
    match source {
        Source::Mnist => Some(table::MNIST.entry(source)),
        Source::FashionMnist => Some(table::FASHION_MNIST.entry(source)),
        Source::Cifar10 => Some(table::CIFAR10.entry(source)),
        Source::Cifar100 => Some(table::CIFAR100.entry(source)),
        Source::Stl10 => Some(table::STL10.entry(source)),
        Source::Eurosat => Some(table::EUROSAT.entry(source)),
        Source::Flowers17 => Some(table::FLOWERS17.entry(source)),
        Source::Shapes | Source::Folder | Source::Csv | Source::Wav | Source::Npy => None,
    }
}

/// Where a dataset goes when nobody says: `strata/NAME` in the user's folder for data. `None` where
/// no such folder is known.
pub fn default_folder(name: &str) -> Option<PathBuf> {
    let set = |variable| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let data = match cfg!(windows) {
        true => set("LOCALAPPDATA"),
        false => set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share"))),
    };
    data.map(|data| data.join("strata").join(name))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_addresses_a_checksum_and_room() {
        let entries: Vec<Entry> = Source::ALL.into_iter().filter_map(entry).collect();
        assert_eq!(entries.len(), 7);
        for file in entries.iter().flat_map(|entry| &entry.files) {
            assert!(
                file.addresses
                    .iter()
                    .all(|address| address.ends_with(&format!("/{}", file.name))),
                "{file:?}"
            );
            assert!(file.sum.is_well_formed(), "{file:?}");
            if let Then::Unpack {
                holds, most_bytes, ..
            } = &file.then
            {
                let sum: u64 = holds
                    .iter()
                    .map(|held| {
                        if let Holds::Bytes(bytes) = held.what {
                            bytes
                        } else {
                            0
                        }
                    })
                    .sum();
                assert!(
                    !holds.is_empty() && sum < *most_bytes && file.bytes < *most_bytes,
                    "{file:?}"
                );
            }
        }
    }
}
