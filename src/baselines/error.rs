//! Why there is no baseline, in one message that says what, where and what to do.

use std::io;
use std::path::PathBuf;
use strata_core::project::ProjectError;
use strata_core::project::help::Surface;
use strata_data::DataError;
use strata_engine::error::RunError;

/// Why there is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// What is asked for cannot be.
    #[error("{0}")]
    Input(String),
    /// It is not wanted any more.
    #[error("the baseline was cancelled; nothing of it is kept")]
    Cancelled,
    /// The images cannot be read.
    #[error(transparent)]
    Data(DataError),
    /// The run whose features are asked for cannot be opened.
    #[error(transparent)]
    Run(Box<RunError>),
    /// The project cannot be read or written.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// Its folder cannot be written.
    #[error(
        "cannot write the baseline into {folder}: {reason}; change the folder's permissions or make room"
    )]
    Write {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// What a folder holds of a baseline cannot be used.
    #[error("{file} is damaged: {reason}; fit the baseline again")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<DataError> for BaselineError {
    fn from(error: DataError) -> BaselineError {
        match error {
            DataError::Cancelled => BaselineError::Cancelled,
            error => BaselineError::Data(error),
        }
    }
}

impl From<RunError> for BaselineError {
    fn from(error: RunError) -> BaselineError {
        match error {
            RunError::Data(error) => error.into(),
            error => BaselineError::Run(Box::new(error)),
        }
    }
}

impl BaselineError {
    /// True when the input was wrong, false when something broke.
    pub fn is_wrong_input(&self) -> bool {
        match self {
            BaselineError::Input(_) | BaselineError::Damaged { .. } | BaselineError::Project(_) => {
                true
            }
            BaselineError::Run(error) => error.is_wrong_input(),
            BaselineError::Data(_) => true,
            BaselineError::Cancelled | BaselineError::Write { .. } => false,
        }
    }

    /// One message for the terminal, which is its own text, or for the window.
    pub fn text(&self, surface: Surface) -> String {
        match self {
            BaselineError::Data(error) => error.text(surface),
            BaselineError::Run(error) => error.text(surface),
            other => other.to_string(),
        }
    }
}
