//! Why a run cannot begin or continue, in one message that says what, where and what to do.

use super::storage::checkpoint::CheckpointError;
use super::storage::run_folder::FolderError;
use std::io;
use std::path::PathBuf;
use strata_core::project::{Project, ProjectError};
use strata_core::shape::Inference;
use strata_data::DataError;
use strata_design::Problem;
use strata_inspect::inspection::InspectError;
use strata_nn::NnError;

/// Why a run cannot begin or continue.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The project or the options ask for something that cannot be.
    #[error("{0}")]
    Input(String),
    /// The images cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An image cannot be read any more, in the middle of the training.
    #[error("{error}. {kept}")]
    Unread {
        /// Which, and why.
        error: DataError,
        /// What is kept, and how to continue.
        kept: String,
    },
    /// The run folder cannot be had.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The project file cannot be read or written.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A checkpoint cannot be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file of the run folder cannot be written any more.
    #[error(
        "cannot write to {folder}: {reason}; the last checkpoint is kept, free some space and --resume"
    )]
    Write {
        /// The run's folder.
        folder: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// A layer failed.
    #[error(transparent)]
    Network(#[from] NnError),
    /// A tensor could not be made.
    #[error("the device failed: {0}; if its memory is full, use a smaller batch")]
    Tensor(#[from] candle_core::Error),
    /// The loss or a gradient stopped being a number.
    #[error(transparent)]
    NotFinite(Box<NotFinite>),
}

/// A loss or a gradient that is NaN or infinite.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what} at step {step} (stage `{stage}`, epoch {epoch}), {first}. {kept}; {advice}")]
pub struct NotFinite {
    /// `the loss is NaN`.
    pub what: String,
    /// The step, from 1.
    pub step: u64,
    /// The stage's name.
    pub stage: String,
    /// Epoch from 1.
    pub epoch: u32,
    /// Where it shows first.
    pub first: String,
    /// Which weights are kept.
    pub kept: String,
    /// What to do.
    pub advice: String,
}

impl RunError {
    /// True when the input was wrong (exit code 2), false when something broke (1).
    pub fn is_wrong_input(&self) -> bool {
        match self {
            RunError::Input(_) | RunError::Folder(_) => true,
            RunError::Data(error) | RunError::Unread { error, .. } => !matches!(
                error,
                DataError::OutOfRange { .. } | DataError::Buffer { .. } | DataError::Cancelled
            ),
            RunError::Project(error) => !matches!(error, ProjectError::Write { .. }),
            RunError::Checkpoint(error) => matches!(error, CheckpointError::Read { .. }),
            RunError::Write { .. }
            | RunError::Network(_)
            | RunError::Tensor(_)
            | RunError::NotFinite(_) => false,
        }
    }

    /// An error of a layer that the project caused.
    pub(crate) fn input(error: NnError) -> RunError {
        RunError::Input(error.to_string())
    }
}

impl From<InspectError> for RunError {
    fn from(error: InspectError) -> RunError {
        match error {
            InspectError::Data(error) => error.into(),
            InspectError::Network(error) => error.into(),
            InspectError::Device(error) => error.into(),
            InspectError::Input(message) => RunError::Input(message),
        }
    }
}

/// A problem of a project in one line: where, what, what to do.
pub fn one_line(problem: &Problem, project: &Project, inference: &Inference) -> String {
    let layer = problem
        .place
        .as_ref()
        .and_then(|place| inference.row(place));
    let stage = problem.stage.and_then(|index| project.stages.get(index));
    let place = match (layer, stage) {
        (Some(row), _) => format!("{} `{}`: ", row.place, row.text),
        (None, Some(stage)) => format!("stage `{}`: ", stage.name),
        (None, None) => String::new(),
    };
    let help = problem
        .help
        .first()
        .map(|help| format!("; {help}"))
        .unwrap_or_default();
    format!("{place}{}{help}", problem.message)
}
