//! Why an archive cannot be listed or unpacked: what, where, and what to do.

use std::io;
use std::path::{Path, PathBuf};
use strata_core::format;
use thiserror::Error;

/// Why an archive cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// An archive that is damaged, locked, or not safe to unpack.
    #[error("{archive}: {problem}: {help}")]
    Refused {
        /// Which archive.
        archive: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        help: String,
    },
    /// Not enough room on the disk.
    #[error(
        "{folder}: {} bytes are needed and {} are free: free some space, or move the archive to another disk and unpack it there",
        format::count(*.needed), format::count(*.free)
    )]
    DiskFull {
        /// Where it was to be unpacked.
        folder: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The system would not read a file.
    #[error(
        "{file}: cannot be read ({cause}): check that the file is there and that you may read it"
    )]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The system would not write a file.
    #[error(
        "{file}: cannot be written ({cause}): check that the folder may be written; what was unpacked is kept, and the next try goes on from there"
    )]
    Unwritable {
        /// Which file.
        file: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// Somebody else unpacks the same archive.
    #[error("{archive}: another Strata unpacks it: wait for it, or close it")]
    Busy {
        /// Which archive.
        archive: PathBuf,
    },
    /// The caller asked to stop.
    #[error(
        "unpacking was cancelled: what was unpacked is kept, and the next try goes on from there"
    )]
    Cancelled,
}

impl ArchiveError {
    pub(super) fn refused(
        archive: &Path,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> ArchiveError {
        ArchiveError::Refused {
            archive: archive.to_path_buf(),
            problem: problem.into(),
            help: help.into(),
        }
    }

    pub(super) fn damaged(archive: &Path, why: impl std::fmt::Display) -> ArchiveError {
        ArchiveError::refused(
            archive,
            format!("the archive is damaged ({why})"),
            "copy or download it again",
        )
    }

    pub(super) fn read(file: &Path, cause: io::Error) -> ArchiveError {
        ArchiveError::Unreadable {
            file: file.to_path_buf(),
            cause,
        }
    }

    pub(super) fn write(file: &Path, cause: io::Error) -> ArchiveError {
        ArchiveError::Unwritable {
            file: file.to_path_buf(),
            cause,
        }
    }
}
