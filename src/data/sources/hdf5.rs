//! HDF5 files (`.h5`, `.hdf5`), alone or several in a folder, and MATLAB's `.mat` files of version 7.3.
//!
//! Names of arrays, groups and files say what is for training and testing, and what is a label; where none does, the
//! largest array holds the images. Arrays that lie open are read in place, packed ones in memory while there is
//! enough of it, else row by row when wanted. Fails as arrays of NumPy do.

mod roles;

use super::SourceReader;
use super::npy::find::{Found, Member, Place, Role};
use super::npy::{self, matlab};
use crate::Skipped;
use crate::error::DataError;
use crate::formats::hdf5::{self, Array};
use crate::source::{OpenRequest, OpenedSource};
use crate::sources::folder::names;
use roles::{Candidate, Purpose};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::project::data::Split;

const MOST_NAMES_BYTES: u64 = 1 << 20;
const HELP: &str = "name the arrays x_train, y_train, x_test, y_test (or x, y) in one file, or point path at another file";

/// HDF5 files.
pub(crate) static HDF5: SourceReader = SourceReader {
    load,
    published: None,
};

/// Whether a name is that of an HDF5 file.
pub(crate) fn is_named_like_one(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    !names::is_hidden(path) && ["h5", "hdf5", "hdf"].iter().any(|one| ending == *one)
}

fn load(ask: &mut OpenRequest) -> Result<OpenedSource, DataError> {
    let matlab_files = matlab::files(&ask.folder);
    if !matlab_files.is_empty() {
        return matlab::load(ask, &matlab_files, matlab::read);
    }
    let files = files(&ask.folder)?;
    let (mut candidates, mut skipped, mut unread) = (Vec::new(), Vec::new(), None);
    let about = |file: &Path, name: String, reason: String| Skipped {
        file: file.join(name),
        reason,
    };
    for (done, file) in files.iter().enumerate() {
        ask.report("reading files", done, files.len())?;
        let contents = hdf5::open(file)?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let arrays = contents.arrays.into_iter();
        candidates.extend(arrays.map(|array| Candidate::new(&stem, array)));
        unread = unread.or(contents.unread);
        let others = contents.others.into_iter();
        skipped.extend(others.map(|(name, reason)| about(file, name, reason)));
    }
    let (mut found, mut class_names) = (Vec::new(), Vec::new());
    for (candidate, purpose) in roles::choose(candidates) {
        let (array, split) = (candidate.array, candidate.split);
        match purpose {
            Ok(Purpose::Images) => found.push(found_of(array, split, Role::Images)),
            Ok(Purpose::Labels) => found.push(found_of(array, split, Role::Labels)),
            Ok(Purpose::Names) => class_names.push(array),
            Err(reason) => skipped.push(about(&array.file.clone(), array.name, reason)),
        }
    }
    check(&ask.folder, &files, &found, unread)?;
    let class_names = match class_names.first() {
        Some(array) => texts(ask, array)?,
        None => Vec::new(),
    };
    npy::assemble(ask, &found, skipped, class_names)
}

fn found_of(array: Array, split: Split, role: Role) -> Found {
    Found {
        place: Place {
            file: array.file.clone(),
            name: array.name.clone(),
            member: Member::Hdf5(Arc::new(array)),
        },
        split,
        role,
        class: None,
    }
}

/// The files that a path names: itself with that of its labels, or those in the folder.
fn files(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    if !path.is_dir() {
        let labels = labels_beside(path);
        return Ok(std::iter::once(path.to_path_buf()).chain(labels).collect());
    }
    let entries = std::fs::read_dir(path).map_err(|cause| DataError::unreadable(path, cause))?;
    let files = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files
        .filter(|file| file.is_file() && is_named_like_one(file))
        .collect();
    files.sort();
    if files.is_empty() {
        let problem = "there is no .h5 or .hdf5 file in this folder";
        return Err(DataError::malformed(path, problem, HELP));
    }
    Ok(files)
}

/// `camelyon_train_y.h5` beside `camelyon_train_x.h5`.
fn labels_beside(path: &Path) -> Option<PathBuf> {
    const PAIRS: [[&str; 2]; 4] = [["x", "y"], ["X", "y"], ["X", "Y"], ["images", "labels"]];
    let name = path.file_name()?.to_str()?;
    let is_edge = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    PAIRS.iter().find_map(|[images, labels]| {
        let (at, _) = name.rmatch_indices(images).find(|(at, _)| {
            let before = name.get(..*at).and_then(|text| text.chars().last());
            let after = name.get(at + images.len()..);
            is_edge(before) && is_edge(after.and_then(|text| text.chars().next()))
        })?;
        let (before, after) = (name.get(..at)?, name.get(at + images.len()..)?);
        let beside = path.with_file_name(format!("{before}{labels}{after}"));
        beside.is_file().then_some(beside)
    })
}

/// Refuses a path without images (`unread` is an array that may have been it), and one with several arrays for one purpose.
fn check(
    path: &Path,
    files: &[PathBuf],
    found: &[Found],
    unread: Option<DataError>,
) -> Result<(), DataError> {
    for (at, one) in found.iter().enumerate() {
        let mut rest = found.iter().skip(at + 1);
        if let Some(other) = rest.find(|other| other.split == one.split && other.role == one.role) {
            let name = |found: &Found| {
                let file = found.place.file.file_name().unwrap_or_default();
                file.to_string_lossy().into_owned()
            };
            let problem = format!("{} and {} both hold {}", name(one), name(other), one.split);
            return Err(DataError::malformed(
                path,
                problem,
                "point path at one of them",
            ));
        }
    }
    if found.iter().any(|found| found.role == Role::Images) {
        return Ok(());
    }
    let file = files.first().map_or(path, PathBuf::as_path);
    let problem = "it holds no array of images or signals";
    Err(unread.unwrap_or_else(|| DataError::malformed(file, problem, HELP)))
}

/// The names of classes, which an array has as texts.
fn texts(ask: &mut OpenRequest, array: &Array) -> Result<Vec<String>, DataError> {
    let (element, bytes) = array.read(ask, MOST_NAMES_BYTES)?;
    let names = bytes.chunks_exact(element.size());
    Ok(names.filter_map(|bytes| element.label(bytes)).collect())
}
