//! Why a sweep cannot be begun or written.

use std::io;
use std::path::{Path, PathBuf};

/// Why a sweep cannot be begun or written. What is wrong with one trial is in its row of the table.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The project or what is asked for is wrong.
    #[error("{0}")]
    Input(String),
    /// A file of the sweep could not be written.
    #[error(
        "cannot write {path}: {reason}; choose another folder (-o DIR) or change its permissions"
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// A file of the sweep could not be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl SweepError {
    pub(crate) fn write(path: &Path, reason: impl Into<io::Error>) -> SweepError {
        SweepError::Write {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// Whether the author of the project or of the command line can mend it.
    pub fn is_wrong_input(&self) -> bool {
        !matches!(self, SweepError::Write { .. })
    }
}
