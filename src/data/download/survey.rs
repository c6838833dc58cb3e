//! What of an entry is in a folder: whole, a part, wrong, or missing. Never fails; what cannot be read
//! is not there.

use super::published::{Entry, Held, Holds, RemoteFile, Then};
use super::sum::Sum;
use std::fs::File;
use std::path::{Path, PathBuf};

/// What was found of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// All of it, right.
    Complete,
    /// The file, with a wrong checksum (this one).
    Wrong(Sum),
    /// The archive, right but not unpacked.
    Packed,
    /// So many bytes of an interrupted download.
    Part(u64),
    /// Unpacked, but this is missing or has another size.
    Lacks(String),
    /// Nothing.
    Missing,
}

impl Found {
    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Found::Complete => "complete".to_owned(),
            Found::Wrong(sum) => format!("wrong bytes: {sum}"),
            Found::Packed => "there, not unpacked yet".to_owned(),
            Found::Part(bytes) => format!(
                "{} bytes of it, from an interrupted download",
                strata_core::format::count(*bytes)
            ),
            Found::Lacks(what) => format!("incomplete: {what}"),
            Found::Missing => "missing".to_owned(),
        }
    }
}

/// One file and what was found of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// The file.
    pub file: RemoteFile,
    /// What was found.
    pub found: Found,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Where was looked.
    pub folder: PathBuf,
    /// The files, in the entry's order.
    pub files: Vec<FileState>,
}

impl Survey {
    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.files
            .iter()
            .all(|state| state.found == Found::Complete)
    }
}

/// Looks what of `entry` is in `folder`.
pub fn survey(entry: &Entry, folder: &Path) -> Survey {
    let files = entry
        .files
        .iter()
        .map(|file| FileState {
            file: file.clone(),
            found: state(file, folder),
        })
        .collect();
    Survey {
        folder: folder.to_path_buf(),
        files,
    }
}

/// Whether all of `entry` seems to be in `folder`: by names and sizes, without a look into the files.
pub fn seems_complete(entry: &Entry, folder: &Path) -> bool {
    entry.files.iter().all(|file| match &file.then {
        Then::Keep(plain) => {
            let place = folder.join(&file.name);
            size(&place) == Some(file.bytes) || size(&place.with_extension("")) == Some(*plain)
        }
        Then::Unpack { holds, .. } => lacking(holds, folder).is_none(),
    })
}

pub(super) fn state(file: &RemoteFile, folder: &Path) -> Found {
    let place = folder.join(&file.name);
    let lacks = match &file.then {
        Then::Keep(plain) => {
            let unpacked = place.with_extension("");
            if place.extension().is_some_and(|ending| ending == "gz")
                && size(&unpacked) == Some(*plain)
            {
                return Found::Complete;
            }
            None
        }
        Then::Unpack { holds, .. } => match lacking(holds, folder) {
            None => return Found::Complete,
            lacks => lacks.filter(|_| holds.iter().any(|held| folder.join(&held.path).exists())),
        },
    };
    match measured(file, &place) {
        Some(sum) if sum != file.sum => Found::Wrong(sum),
        Some(_) if matches!(file.then, Then::Keep(_)) => Found::Complete,
        Some(_) => Found::Packed,
        None => match (size(&place.with_added_extension("part")), lacks) {
            (Some(bytes), _) if bytes > 0 => Found::Part(bytes),
            (_, Some(lacks)) => Found::Lacks(lacks),
            _ => Found::Missing,
        },
    }
}

fn size(path: &Path) -> Option<u64> {
    std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)
        .map(|file| file.len())
}

fn measured(file: &RemoteFile, place: &Path) -> Option<Sum> {
    if !place.is_file() {
        return None;
    }
    let measured =
        File::open(place).and_then(|mut input| file.sum.measure(&mut input, &mut |_| true));
    measured.unwrap_or_else(|error| {
        log::warn!(
            "{} cannot be read to take its checksum: {error}",
            place.display()
        );
        None
    })
}

/// The first thing that is not as it should be, in words.
pub(super) fn lacking(holds: &[Held], folder: &Path) -> Option<String> {
    holds.iter().find_map(|held| {
        let path = folder.join(&held.path);
        match held.what {
            Holds::Bytes(bytes) => match size(&path) {
                Some(found) if found == bytes => None,
                Some(found) => Some(format!(
                    "{} has {found} bytes and should have {bytes}",
                    held.path
                )),
                None => Some(format!("{} is missing", held.path)),
            },
            Holds::Images(images) => {
                let found = jpegs(&path, 3);
                (found != images)
                    .then(|| format!("{} has {found} images and should have {images}", held.path))
            }
        }
    })
}

/// JPEG files in a folder and, so many levels deep, in its folders.
fn jpegs(folder: &Path, depth: u32) -> u64 {
    let Ok(files) = std::fs::read_dir(folder) else {
        return 0;
    };
    files
        .flatten()
        .map(|file| match file.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => jpegs(&file.path(), depth - 1),
            Ok(kind) if kind.is_file() => {
                u64::from(file.path().extension().is_some_and(|end| end == "jpg"))
            }
            _ => 0,
        })
        .sum()
}
