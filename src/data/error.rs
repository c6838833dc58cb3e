//! What can go wrong with images. Every message says what, in which file or setting, and what to
//! do about it; none of them is ever a panic.

use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a dataset, or one image of it, cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// A value in the project's `[data]` table that cannot be used.
    #[error("[data] {key}: {problem}: {help}")]
    Setting {
        /// The key in the table, `resize` for example.
        key: &'static str,
        /// What is wrong with its value.
        problem: String,
        /// What to write instead.
        help: String,
    },
    /// None of the files that a source needs is there.
    #[error("{what} not found: looked for {names} in {folders}: {help}")]
    Missing {
        /// What was wanted, "MNIST's images" for example.
        what: String,
        /// The file names that would have served.
        names: String,
        /// The folders that were searched.
        folders: String,
        /// What to do.
        help: String,
    },
    /// The system would not give the bytes.
    #[error(
        "{file}: cannot be read ({cause}): check that the file is there and that you may read it"
    )]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// The system's own words.
        cause: io::Error,
    },
    /// A file that is not what its name or its header says.
    #[error("{file}: {problem}: {help}")]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// What was found, with numbers.
        problem: String,
        /// What to do.
        help: String,
    },
    /// A folder in which no usable image was found.
    #[error("{folder}: {problem}: {help}")]
    NoImages {
        /// Which folder.
        folder: PathBuf,
        /// "no images in it", or how many were broken and why.
        problem: String,
        /// How the folder should look.
        help: String,
    },
    /// Images of different sizes and no `resize` in the project.
    #[error(
        "{folder}: the images differ in size ({sizes}): write resize = [{}, {}] under [data] \
         (any height and width; every image is then scaled to it)", .suggestion[0], .suggestion[1]
    )]
    SizesDiffer {
        /// Which folder.
        folder: PathBuf,
        /// Some of the sizes, each with a file that has it.
        sizes: String,
        /// Height and width to propose.
        suggestion: [usize; 2],
    },
    /// The caller's progress function asked to stop.
    #[error("reading the images was cancelled")]
    Cancelled,
    /// An image number past the end of a split.
    #[error(
        "image {index} asked for, but the {split} split has {len}: this is a bug in Strata, please report it"
    )]
    OutOfRange {
        /// The number asked for.
        index: usize,
        /// The split's length.
        len: usize,
        /// The split's name.
        split: &'static str,
    },
    /// The threads that read images are gone before the images are.
    #[error("a thread that reads images ended early: this is a bug in Strata, please report it")]
    LoaderEnded,
    /// A buffer of the wrong length.
    #[error(
        "a buffer of {found} values where {expected} are needed: this is a bug in Strata, please report it"
    )]
    Buffer {
        /// Values needed.
        expected: usize,
        /// Values given.
        found: usize,
    },
}

impl DataError {
    pub(super) fn setting(
        key: &'static str,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        DataError::Setting {
            key,
            problem: problem.into(),
            help: help.into(),
        }
    }

    pub(super) fn unreadable(file: &Path, cause: io::Error) -> Self {
        DataError::Unreadable {
            file: file.to_path_buf(),
            cause,
        }
    }

    pub(super) fn malformed(
        file: &Path,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        DataError::Malformed {
            file: file.to_path_buf(),
            problem: problem.into(),
            help: help.into(),
        }
    }
}
