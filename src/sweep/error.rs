//! Why a sweep cannot be begun or written.

use std::io;
use std::path::{Path, PathBuf};
use strata_core::project::sweep::{Factor, Method};
use strata_core::spoken::spoken;

/// Why a sweep cannot be begun or written. What is wrong with one trial is in its row of the table.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The project or what is asked for is wrong.
    #[error("{0}")]
    Input(String),
    /// No setting is tried.
    #[error(
        "the project says nothing to sweep over: write the line [sweep], and below it settings with the values that \
         are tried, such as encoder.0.out_channels = [5, 10, 20]"
    )]
    NothingTried,
    /// A method that draws has no number of trials.
    #[error("[sweep] method = \"{0}\" needs the number of trials: write trials = 20")]
    NoNumber(Method),
    /// All trials of a Bayesian search would be drawn.
    #[error(
        "[sweep] trials = {trials}: a Bayesian search draws the first {startup} at random, so none would be chosen from \
         what they reach: write more trials, or method = \"bayesian startup=4\""
    )]
    NothingToChoose {
        /// The trials in all.
        trials: u32,
        /// Those that are drawn.
        startup: u32,
    },
    /// A grid has a range.
    #[error(
        "[sweep] {} is a range, which a grid cannot walk through: list its values, or write method = \"random\" and \
         trials = 20",
        .0.key()
    )]
    RangeInGrid(Box<Factor>),
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

    /// The sentence as the window says it: with what can be done there.
    pub fn in_window(&self) -> String {
        let text = match self {
            SweepError::NothingTried => {
                "no setting is tried: add one under Settings, and write its values".to_owned()
            }
            SweepError::NoNumber(_) => {
                "trials that are drawn need a number: write it into trials".to_owned()
            }
            SweepError::NothingToChoose { trials, startup } => format!(
                "a Bayesian search draws the first {startup} of its trials at random, so none of {trials} would be chosen \
                 from what they reach: write more trials, or fewer random ones"
            ),
            SweepError::RangeInGrid(factor) => format!(
                "{} is a range, which a grid cannot walk through: list its values, or choose random",
                factor.name()
            ),
            other => other.to_string(),
        };
        spoken(text.strip_prefix("[sweep] ").unwrap_or(&text))
    }

    /// Whether the author of the project or of the command line can mend it.
    pub fn is_wrong_input(&self) -> bool {
        !matches!(self, SweepError::Write { .. })
    }
}
