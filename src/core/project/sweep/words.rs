//! The texts of a sweep's own settings: `halving factor=3 epochs=1`, `valid accuracy`, `valid loss > 2 after 3`.

use super::super::data::Split;
use super::super::words::{SettingError, Words, short, text_conversions};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which combinations of the values are trained, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Every combination.
    #[default]
    Grid,
    /// Combinations drawn by the project's seed.
    Random,
    /// Successive halving (Jamieson and Talwalkar, 2016): all trials train for a few epochs, the best share of them for
    /// more, until the best are trained whole. Listed values are combined as in a grid unless the number of trials is
    /// given, which are then drawn.
    Halving {
        /// One of so many goes on, with so many times the epochs.
        factor: u32,
        /// Epochs after which the first are left behind.
        epochs: u32,
    },
    /// A tree-structured Parzen estimator (Bergstra et al., 2011): the first trials are drawn, the others are chosen from
    /// what those before them reached, a round at a time. Rounds of a fixed size, instead of each trial as one ends, make
    /// the choice independent of how many are trained side by side.
    Bayesian {
        /// So many trials are drawn at random.
        startup: u32,
        /// So many are chosen together.
        round: u32,
    },
}

/// What may be written.
const METHODS: &str = "grid, random, halving factor=3 epochs=1, or bayesian startup=10 round=4";

impl Method {
    /// The Bayesian search as it is unless its settings are written.
    pub const BAYESIAN: Method = Method::Bayesian {
        startup: 10,
        round: 4,
    };

    /// Whether the trials come one combination each from the project's seed, and need a number.
    pub fn is_drawn(self) -> bool {
        matches!(self, Method::Random | Method::Bayesian { .. })
    }

    /// Whether what is trained next follows from what other trials have reached.
    pub fn compares_trials(self) -> bool {
        matches!(self, Method::Halving { .. } | Method::Bayesian { .. })
    }
}

impl FromStr for Method {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Method, SettingError> {
        let mut words = Words::new(text);
        let method = match words.head.as_str() {
            "grid" => Method::Grid,
            "random" => Method::Random,
            "halving" => Method::Halving {
                factor: words.whole("factor", 3.0, 2.0..=100.0)? as u32,
                epochs: words.whole("epochs", 1.0, 1.0..=1e6)? as u32,
            },
            "bayesian" => Method::Bayesian {
                startup: words.whole("startup", 10.0, 1.0..=1000.0)? as u32,
                round: words.whole("round", 4.0, 1.0..=1000.0)? as u32,
            },
            other => {
                return Err(SettingError(format!(
                    "there is no method `{other}`: write {METHODS}"
                )));
            }
        };
        words.finish(METHODS)?;
        Ok(method)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Method::Grid => f.write_str("grid"),
            Method::Random => f.write_str("random"),
            Method::Halving { factor, epochs } => {
                write!(f, "halving factor={factor} epochs={epochs}")
            }
            Method::Bayesian { startup, round } => {
                write!(f, "bayesian startup={startup} round={round}")
            }
        }
    }
}

/// What is measured of a run after each epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The stage's loss.
    Loss,
    /// The share of images that are classified correctly.
    Accuracy,
    /// Mean negative logarithm of the right class's probability.
    LogLoss,
    /// Where an image may have several labels: F1, the mean over the labels.
    F1,
    /// Where an image may have several labels: the share of images of which every one is right.
    ExactMatch,
}

impl Measure {
    /// All of them.
    pub const ALL: [Measure; 5] = [
        Measure::Loss,
        Measure::Accuracy,
        Measure::LogLoss,
        Measure::F1,
        Measure::ExactMatch,
    ];

    /// As it is written, and the column of `metrics.csv`.
    pub fn word(self) -> &'static str {
        match self {
            Measure::Loss => "loss",
            Measure::Accuracy => "accuracy",
            Measure::LogLoss => "log_loss",
            Measure::F1 => "f1",
            Measure::ExactMatch => "exact_match",
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Loss => "loss",
            Measure::Accuracy => "accuracy",
            Measure::LogLoss => "log loss",
            Measure::F1 => "F1",
            Measure::ExactMatch => "exact match",
        }
    }

    /// Whether more of it is better.
    pub fn is_more_better(self) -> bool {
        matches!(self, Measure::Accuracy | Measure::F1 | Measure::ExactMatch)
    }
}

/// What ranks the trials: `valid accuracy` after the last epoch, `best valid loss` of all epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Metric {
    /// Of the best epoch of the last stage, instead of the last one.
    pub is_best: bool,
    /// On these images.
    pub split: Split,
    /// What.
    pub measure: Measure,
}

const METRICS: &str = "valid accuracy, valid loss, valid log_loss (or train, test), valid f1 or \
     valid exact_match of several labels an image, with best in front for the best epoch";

impl FromStr for Metric {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Metric, SettingError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (is_best, words) = match words.split_first() {
            Some((&"best", rest)) => (true, rest),
            _ => (false, &words[..]),
        };
        let wrong = || SettingError(format!("`{text}` is not measured: write {METRICS}"));
        let &[split, measure] = words else {
            return Err(wrong());
        };
        let (split, measure) = measured(split, measure).ok_or_else(wrong)?;
        Ok(Metric {
            is_best,
            split,
            measure,
        })
    }
}

fn measured(split: &str, measure: &str) -> Option<(Split, Measure)> {
    let split = Split::ALL.into_iter().find(|known| known.name() == split)?;
    let measure = Measure::ALL
        .into_iter()
        .find(|known| known.word() == measure)?;
    Some((split, measure))
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let best = if self.is_best { "best " } else { "" };
        write!(f, "{best}{} {}", self.split.name(), self.measure.word())
    }
}

impl Metric {
    /// As people say it: `valid log loss`.
    pub fn name(&self) -> String {
        let best = if self.is_best { "best " } else { "" };
        format!("{best}{} {}", self.split.name(), self.measure.name())
    }
}

/// When a trial is hopeless: `valid accuracy < 0.5 after 2` epochs. It is judged by the trial alone, so that the same
/// trials are stopped in whatever order they are trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopRule {
    /// On these images.
    pub split: Split,
    /// What.
    pub measure: Measure,
    /// Hopeless below the bound, instead of above it.
    pub is_below: bool,
    /// The bound.
    pub bound: f64,
    /// Epochs of the run after which it is judged.
    pub after: u32,
}

impl StopRule {
    /// Whether a trial that reached this is hopeless. What is no number is.
    pub fn is_hopeless(&self, reached: f64) -> bool {
        let is_beyond = match self.is_below {
            true => reached < self.bound,
            false => reached > self.bound,
        };
        is_beyond || reached.is_nan()
    }
}

impl FromStr for StopRule {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<StopRule, SettingError> {
        let wrong = || {
            SettingError(format!(
                "`{text}` is no rule: write valid accuracy < 0.5 after 2, or valid loss > 2 after 3"
            ))
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let &[split, measure, sign, bound, "after", after] = &words[..] else {
            return Err(wrong());
        };
        let (split, measure) = measured(split, measure).ok_or_else(wrong)?;
        let is_below = match sign {
            "<" => true,
            ">" => false,
            _ => return Err(wrong()),
        };
        let bound: f64 = bound
            .parse()
            .ok()
            .filter(|bound: &f64| bound.is_finite())
            .ok_or_else(wrong)?;
        let after: u32 = after
            .parse()
            .ok()
            .filter(|after| *after > 0)
            .ok_or_else(wrong)?;
        Ok(StopRule {
            split,
            measure,
            is_below,
            bound,
            after,
        })
    }
}

impl fmt::Display for StopRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_below { '<' } else { '>' };
        write!(
            f,
            "{} {} {sign} {} after {}",
            self.split.name(),
            self.measure.word(),
            short(self.bound),
            self.after
        )
    }
}

text_conversions!(Metric);
