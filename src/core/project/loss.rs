//! Losses as values: the word of the project file, what each is for, its option. How they are computed is in
//! [`strata_nn::loss`].

#![deny(clippy::wildcard_enum_match_arm)]

use super::stage::Task;
use super::words::{SettingError, Words, short};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What is minimised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Loss {
    /// `mse`
    #[default]
    Mse,
    /// `l1`
    L1,
    /// `huber delta=1`
    Huber {
        /// Up to this distance the loss is half the square.
        delta: f64,
    },
    /// `smooth-l1 beta=1`
    SmoothL1 {
        /// Below this distance the loss is a parabola.
        beta: f64,
    },
    /// `ssim range=1`
    Ssim {
        /// From the darkest to the brightest value that pixels have.
        range: f64,
    },
    /// `bce`
    Bce,
    /// `cross-entropy label_smoothing=0.1`
    CrossEntropy {
        /// What share of the target is spread over all classes.
        smoothing: f64,
    },
}

/// What there is to know of a loss besides its computation.
#[derive(Clone, Copy, Debug)]
pub struct LossSpec {
    /// The word of the project file.
    pub word: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// The task of stages that can minimise it.
    pub task: Task,
    /// Whether output and target must be from 0 to 1.
    pub needs_probabilities: bool,
    /// Whether it also classifies: two classes by a single score, or several labels by a score for each.
    pub tells_two_apart: bool,
    /// Height and width that an image must have, of a loss that looks at surroundings of pixels.
    pub least_side: Option<usize>,
    /// The number that may be given.
    pub option: Option<LossOption>,
}

/// A loss's number with its key, `delta=0.5`.
#[derive(Clone, Copy, Debug)]
pub struct LossOption {
    /// The key before `=`.
    pub key: &'static str,
    /// What it is.
    pub value: f64,
    /// What it is unless given.
    pub default: f64,
    /// The smallest that it may be.
    pub least: f64,
    /// The largest.
    pub most: f64,
    /// One sentence for people.
    pub about: &'static str,
}

/// Pixels of the window of `ssim` along each axis.
pub const SSIM_WINDOW: usize = 11;

/// The numbers that `delta` and `beta` may be.
const DISTANCES: [f64; 2] = [1e-6, 1e6];
/// Those that a share may be.
const SHARES: [f64; 2] = [0.0, 1.0];

impl Loss {
    /// All losses with PyTorch's defaults, in the order they are listed.
    pub const ALL: [Loss; 7] = [
        Loss::Mse,
        Loss::L1,
        Loss::Huber { delta: 1.0 },
        Loss::SmoothL1 { beta: 1.0 },
        Loss::Ssim { range: 1.0 },
        Loss::Bce,
        Loss::CROSS_ENTROPY,
    ];

    /// Cross-entropy with the labels as they are.
    pub const CROSS_ENTROPY: Loss = Loss::CrossEntropy { smoothing: 0.0 };

    /// What there is to know of it.
    pub fn spec(self) -> LossSpec {
        match self {
            Loss::Mse => LossSpec::of_images("mse", "Mean squared error over all values."),
            Loss::L1 => LossSpec::of_images("l1", "Mean absolute error over all values."),
            Loss::Huber { delta } => LossSpec {
                option: Some(LossOption {
                    key: "delta",
                    value: delta,
                    about: "From this distance on the loss is a straight line.",
                    ..LossOption::DISTANCE
                }),
                ..LossSpec::of_images(
                    "huber",
                    "Half the squared error up to delta, delta times the distance beyond.",
                )
            },
            Loss::SmoothL1 { beta } => LossSpec {
                option: Some(LossOption {
                    key: "beta",
                    value: beta,
                    about: "Below this distance the loss is a parabola.",
                    ..LossOption::DISTANCE
                }),
                ..LossSpec::of_images(
                    "smooth-l1",
                    "Absolute error, with a parabola in place of the kink below beta.",
                )
            },
            Loss::Ssim { range } => LossSpec {
                option: Some(LossOption {
                    key: "range",
                    value: range,
                    about: "From the darkest to the brightest value that pixels have: 1 of 0..1, 2 of −1..1.",
                    ..LossOption::DISTANCE
                }),
                least_side: Some(SSIM_WINDOW),
                ..LossSpec::of_images(
                    "ssim",
                    "One minus the structural similarity: how alike the surroundings of each pixel look.",
                )
            },
            Loss::Bce => LossSpec {
                needs_probabilities: true,
                tells_two_apart: true,
                ..LossSpec::of_images(
                    "bce",
                    "Binary cross-entropy of values from 0 to 1 (after a sigmoid); of two classes that a head of one \
                     score tells apart; of several labels an image, by a score for each.",
                )
            },
            Loss::CrossEntropy { smoothing } => LossSpec {
                task: Task::Classify,
                option: Some(LossOption {
                    key: "label_smoothing",
                    value: smoothing,
                    default: 0.0,
                    least: SHARES[0],
                    most: SHARES[1],
                    about: "What share of the target is spread evenly over all classes: 0.1 is usual, 0 is none \
                            (Szegedy et al. 2016).",
                }),
                ..LossSpec::of_images(
                    "cross-entropy",
                    "Cross-entropy of scores (or, after a softmax layer, of probabilities) and a label.",
                )
            },
        }
    }

    /// The same loss with another number for its option.
    pub fn with_option(self, number: f64) -> Loss {
        match self {
            Loss::Mse | Loss::L1 | Loss::Bce => self,
            Loss::CrossEntropy { .. } => Loss::CrossEntropy { smoothing: number },
            Loss::Huber { .. } => Loss::Huber { delta: number },
            Loss::SmoothL1 { .. } => Loss::SmoothL1 { beta: number },
            Loss::Ssim { .. } => Loss::Ssim { range: number },
        }
    }

    /// The words of the losses that a task can minimise: `mse, l1 or bce`.
    pub fn words_for(task: Task) -> String {
        let words: Vec<&str> = Loss::ALL
            .map(Loss::spec)
            .into_iter()
            .filter(|spec| spec.task == task)
            .map(|spec| spec.word)
            .collect();
        match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

impl LossSpec {
    const fn of_images(word: &'static str, about: &'static str) -> LossSpec {
        LossSpec {
            word,
            about,
            task: Task::Reconstruct,
            needs_probabilities: false,
            least_side: None,
            tells_two_apart: false,
            option: None,
        }
    }
}

impl LossOption {
    /// A distance, 1 unless given.
    const DISTANCE: LossOption = LossOption {
        key: "",
        value: 1.0,
        default: 1.0,
        least: DISTANCES[0],
        most: DISTANCES[1],
        about: "",
    };
}

impl FromStr for Loss {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Loss, SettingError> {
        let mut words = Words::new(text);
        let Some(loss) = Loss::ALL
            .into_iter()
            .find(|loss| loss.spec().word == words.head)
        else {
            return Err(SettingError(format!(
                "there is no loss `{}`: write {} to reconstruct, {} to classify",
                words.head,
                Loss::words_for(Task::Reconstruct),
                Loss::words_for(Task::Classify)
            )));
        };
        let Some(option) = loss.spec().option else {
            words.finish("the word alone")?;
            return Ok(loss);
        };
        let number = words.number(option.key, option.default, option.least..=option.most)?;
        words.finish(option.key)?;
        Ok(loss.with_option(number))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = self.spec();
        f.write_str(spec.word)?;
        match spec.option {
            Some(option) if option.value != option.default => {
                write!(f, " {}={}", option.key, short(option.value))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl TryFrom<String> for Loss {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Loss, SettingError> {
        text.parse()
    }
}

impl From<Loss> for String {
    fn from(loss: Loss) -> String {
        loss.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_round_trip() {
        for loss in Loss::ALL {
            assert_eq!(loss.to_string(), loss.spec().word);
        }
        for text in [
            "mse",
            "l1",
            "bce",
            "ssim",
            "ssim range=2",
            "cross-entropy",
            "cross-entropy label_smoothing=0.1",
            "huber",
            "huber delta=0.5",
            "smooth-l1",
            "smooth-l1 beta=0.1",
        ] {
            assert_eq!(text.parse::<Loss>().unwrap().to_string(), text);
        }
        assert_eq!(
            "huber delta=1".parse::<Loss>().unwrap(),
            Loss::Huber { delta: 1.0 }
        );
    }

    #[test]
    fn wrong_losses_are_one_sentence() {
        for (text, part) in [
            ("hubert", "there is no loss `hubert`"),
            ("hubert", "cross-entropy to classify"),
            ("huber delta=0", "must be a number from 1e-6"),
            ("huber beta=1", "`beta`"),
            ("mse delta=1", "`delta`"),
            ("cross-entropy label_smoothing=2", "from 0 to 1"),
            ("", "there is no loss"),
        ] {
            let error = text.parse::<Loss>().unwrap_err();
            assert!(error.0.contains(part), "{text}: {error}");
        }
    }
}
