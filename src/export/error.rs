//! Why nothing could leave Strata, in one message that says what, where and what to do.

use std::path::PathBuf;
use strata_core::project::{Place, ProjectError};
use strata_engine::error::RunError;

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run's project cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The run or its checkpoint cannot be read.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A layer has an error, or there is none at all.
    #[error("the network cannot be exported: {}", unsound(.0.as_ref()))]
    Unsound(Option<Place>),
    /// The checkpoint lacks a tensor that the network has.
    #[error(
        "the checkpoint has no `{0}`: it is of another network; export the run that trained this one"
    )]
    Missing(String),
    /// A tensor of the checkpoint is no list of 32-bit numbers.
    #[error("`{key}` of the checkpoint cannot be read: {reason}")]
    Tensor {
        /// The tensor's name.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The other program has no such layer.
    #[error("{place} cannot be expressed in {program}: {reason}")]
    Unknown {
        /// The layer.
        place: Place,
        /// The other program.
        program: &'static str,
        /// What it lacks.
        reason: String,
    },
    /// What a run has written while it trained cannot be read.
    #[error("the curves of {run} cannot be read: {reason}")]
    Tables {
        /// The run's folder.
        run: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// What a script for training cannot do.
    #[error("train.py cannot be written: {what}: {reason}")]
    Training {
        /// The setting or file.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of Keras could not be put together.
    #[error("the file for Keras could not be made: {0}")]
    Keras(String),
    /// A file cannot be written.
    #[error("cannot write {file}: {reason}; free some space or choose another folder")]
    Write {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The file is there already.
    #[error("{0} is there already: add --force to replace it, or choose another folder with -o")]
    Exists(PathBuf),
}

impl ExportError {
    /// True when the input was wrong (exit code 2), false when something broke (1).
    pub fn is_wrong_input(&self) -> bool {
        match self {
            ExportError::Project(error) => !matches!(error, ProjectError::Write { .. }),
            ExportError::Run(error) => error.is_wrong_input(),
            ExportError::Unsound(_)
            | ExportError::Missing(_)
            | ExportError::Tensor { .. }
            | ExportError::Unknown { .. }
            | ExportError::Tables { .. }
            | ExportError::Training { .. }
            | ExportError::Keras(_)
            | ExportError::Write { .. }
            | ExportError::Exists(_) => false,
        }
    }
}

fn unsound(place: Option<&Place>) -> String {
    match place {
        Some(place) => format!("{place} has an error; mend it first"),
        None => "its encoder has an error; mend it first".to_owned(),
    }
}
