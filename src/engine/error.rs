//! Why a run cannot begin or continue, in one message that says what, where and what to do.

use super::gpu_failure::GpuFailure;
use super::storage::checkpoint::CheckpointError;
use super::storage::run_folder;
use super::storage::run_folder::FolderError;
use std::path::{Path, PathBuf};
use strata_core::project::help::{Help, Repair, Surface};
use strata_core::project::{Project, ProjectError};
use strata_core::shape::Inference;
use strata_data::DataError;
use strata_design::Problem;
use strata_inspect::inspection::InspectError;
use strata_nn::NnError;
use strata_nn::device::fault::DeviceFault;

/// Why a run cannot begin or continue.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The project or the options ask for something that cannot be.
    #[error("{0}")]
    Input(String),
    /// Images, network and stages do not fit together.
    #[error("{}", .0.text(Surface::Terminal))]
    Unfit(Box<Unfit>),
    /// The images cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An image cannot be read any more, in the middle of the training.
    #[error("{error}. {kept}")]
    Unread {
        /// Which, and why.
        error: Box<DataError>,
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
    #[error("cannot write to {folder}: {reason}; {help}")]
    Write {
        /// The run's folder.
        folder: PathBuf,
        /// The system's reason.
        reason: String,
        /// What is kept, and what to do.
        help: Help,
    },
    /// A layer failed.
    #[error(transparent)]
    Network(#[from] NnError),
    /// A tensor could not be made.
    #[error("the device failed: {0}; if its memory is full, use a smaller batch")]
    Tensor(#[from] candle_core::Error),
    /// A GPU cannot go on, or its memory is too small.
    #[error("{0}")]
    Gpu(Box<GpuFailure>),
    /// The loss or a gradient stopped being a number.
    #[error(transparent)]
    NotFinite(Box<NotFinite>),
}

/// Images, network and stages that do not fit together.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfit {
    /// What does not fit what.
    message: String,
    /// The stage it is about, counted from 0.
    stage: Option<usize>,
    /// What mends it, best first.
    help: Vec<Help>,
}

impl Unfit {
    pub(crate) fn new(message: String, help: Vec<Help>) -> Unfit {
        Unfit {
            message,
            stage: None,
            help,
        }
    }

    /// The same about a stage.
    pub(crate) fn of_stage(self, stage: usize) -> Unfit {
        Unfit {
            stage: Some(stage),
            ..self
        }
    }

    /// What does not fit, the stage it is about, and what mends it.
    pub(crate) fn into_parts(self) -> (String, Option<usize>, Vec<Help>) {
        (self.message, self.stage, self.help)
    }

    fn text(&self, surface: Surface) -> String {
        let help: Vec<String> = self.help.iter().map(|help| help.text(surface)).collect();
        match help.is_empty() {
            true => self.message.clone(),
            false => format!("{}: {}", self.message, help.join(", ")),
        }
    }
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
            RunError::Input(_) | RunError::Unfit(_) | RunError::Folder(_) => true,
            RunError::Data(error) => is_of_the_input(error),
            RunError::Unread { error, .. } => is_of_the_input(error),
            RunError::Project(error) => !matches!(error, ProjectError::Write { .. }),
            RunError::Checkpoint(error) => matches!(error, CheckpointError::Read { .. }),
            RunError::Gpu(failure) => failure.step.is_none(),
            RunError::Write { .. }
            | RunError::Network(_)
            | RunError::Tensor(_)
            | RunError::NotFinite(_) => false,
        }
    }

    /// One message: what, where, and what to do there. Its own text is the terminal's.
    pub fn text(&self, surface: Surface) -> String {
        match self {
            RunError::Unfit(unfit) => unfit.text(surface),
            RunError::Data(error) => error.text(surface),
            RunError::Unread { error, kept } => format!("{}. {kept}", error.text(surface)),
            RunError::Write {
                folder,
                reason,
                help,
            } => format!(
                "cannot write to {}: {reason}; {}",
                folder.display(),
                help.text(surface)
            ),
            RunError::Folder(error) => error.text(surface),
            RunError::Gpu(failure) => failure.text(surface),
            RunError::Input(_)
            | RunError::Project(_)
            | RunError::Checkpoint(_)
            | RunError::Network(_)
            | RunError::Tensor(_)
            | RunError::NotFinite(_) => self.to_string(),
        }
    }

    /// What a button can do about it, best first.
    pub fn repairs(&self) -> Vec<Repair> {
        match self {
            RunError::Unfit(unfit) => {
                let repairs = unfit.help.iter().map(|help| (*help.repair).clone());
                repairs.collect()
            }
            RunError::Gpu(failure) => failure.repairs(),
            RunError::Data(error) => error.repair().into_iter().collect(),
            RunError::Unread { error, .. } => error.repair().into_iter().collect(),
            RunError::Input(_)
            | RunError::Folder(_)
            | RunError::Project(_)
            | RunError::Checkpoint(_)
            | RunError::Write { .. }
            | RunError::Network(_)
            | RunError::Tensor(_)
            | RunError::NotFinite(_) => Vec::new(),
        }
    }

    /// The stage it is about, counted from 0, where it is about one alone.
    pub(crate) fn stage(&self) -> Option<usize> {
        match self {
            RunError::Unfit(unfit) => unfit.stage,
            RunError::Gpu(failure) => failure.stage.as_ref().map(|stage| stage.index),
            _ => None,
        }
    }

    /// What a device that failed means, where it is that.
    pub(crate) fn device_fault(&self) -> Option<DeviceFault> {
        match self {
            RunError::Network(NnError::Candle(error)) | RunError::Tensor(error) => {
                DeviceFault::of(&error.to_string())
            }
            RunError::Gpu(failure) => Some(failure.fault),
            _ => None,
        }
    }

    /// A file of a run's folder that could not be written.
    pub(crate) fn write(folder: &Path, reason: String) -> RunError {
        let is = |codes: &[&str]| {
            codes
                .iter()
                .any(|code| reason.contains(&format!("(os error {code})")))
        };
        let remedy = if !folder.is_dir() {
            "the folder is gone: put it back"
        } else if is(&["28", "122"]) {
            "free some space"
        } else if is(&["27"]) {
            "raise the limit for the size of a file (ulimit -f)"
        } else {
            "look at its permissions and its disk"
        };
        // The window resumes no run that has ended.
        let resume = format!("strata train \"{}\" --resume", folder.display());
        let help = if run_folder::checkpoint(folder, "last").is_file() {
            Help::note(
                format!("the last checkpoint is kept: {remedy}, and continue with --resume"),
                format!(
                    "the last checkpoint is kept: {remedy}, and continue in a terminal: {resume}"
                ),
            )
        } else if folder.is_dir() {
            format!("nothing was trained yet: {remedy}, and train again").into()
        } else {
            Help::note(
                format!("{remedy} and continue with --resume, or train again"),
                format!("{remedy} and continue in a terminal ({resume}), or train again"),
            )
        };
        let folder = folder.to_owned();
        RunError::Write {
            folder,
            reason,
            help,
        }
    }

    /// An error of a layer that the project caused.
    pub(crate) fn input(error: NnError) -> RunError {
        RunError::Input(error.to_string())
    }
}

/// Whether the files or the settings are wrong, instead of Strata itself.
fn is_of_the_input(error: &DataError) -> bool {
    !matches!(
        error,
        DataError::OutOfRange { .. } | DataError::Buffer { .. } | DataError::Cancelled
    )
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
pub fn one_line(
    problem: &Problem,
    project: &Project,
    inference: &Inference,
    surface: Surface,
) -> String {
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
        .map(|help| format!("; {}", help.text(surface)))
        .unwrap_or_default();
    format!("{place}{}{help}", problem.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_says_what_is_kept_and_what_helps() {
        let run = tempfile::tempdir().unwrap();
        let said = |folder: &Path, code: i32| {
            RunError::write(folder, std::io::Error::from_raw_os_error(code).to_string()).to_string()
        };
        let full = said(run.path(), 28);
        assert!(
            full.contains("nothing was trained yet: free some space"),
            "{full}"
        );
        std::fs::create_dir(run.path().join("checkpoints")).unwrap();
        std::fs::write(run_folder::checkpoint(run.path(), "last"), "x").unwrap();
        let full = said(run.path(), 28);
        assert!(
            full.contains(
                "the last checkpoint is kept: free some space, and continue with --resume"
            ),
            "{full}"
        );
        let denied = std::io::Error::from_raw_os_error(13).to_string();
        let window = RunError::write(run.path(), denied).text(Surface::Window);
        assert!(
            window.contains("look at its permissions")
                && window.contains("continue in a terminal: strata train")
                && !window.contains("press Resume"),
            "{window}"
        );
        let gone = said(&run.path().join("gone"), 2);
        assert!(
            gone.contains("the folder is gone") && !gone.contains("kept"),
            "{gone}"
        );
    }
}
