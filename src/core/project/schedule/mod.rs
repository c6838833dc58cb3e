//! Schedules as values: how the learning rate, and for one-cycle the momentum, change over a stage.
//!
//! Each is what PyTorch's class of that name computes. `cosine`, `onecycle`, `polynomial` and every warm-up change
//! the rate at every update of the weights, as one calls those classes after each batch; `step`, `multistep`,
//! `exponential` and `plateau` at the end of epochs. What the numbers are at an update is in `rates`.
//!
//! A new one is a variant of [`Course`], an arm in `rates`, and a line in [`SCHEDULES`].

#![deny(clippy::wildcard_enum_match_arm)]

mod plateau;
mod rates;
mod words;

pub use plateau::{Plateau, PlateauWatch};
pub use rates::{Moment, Rates};
pub use words::{SCHEDULES, ScheduleForm, ScheduleSetting, ScheduleWord};

use super::words::{SettingError, Words, short};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How the learning rate changes over a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    /// What it does after the warm-up.
    pub course: Course,
    /// Epochs in which the rate rises linearly before that; 0 for none.
    pub warmup: f64,
}

/// What a schedule does after its warm-up.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// `constant`: the rate stays.
    Constant,
    /// `cosine`: falls along a half cosine to `min` at the end (CosineAnnealingLR).
    Cosine {
        /// The learning rate at the end.
        min: f64,
    },
    /// `step every=10 gamma=0.1`: multiplied by gamma every so many epochs (StepLR).
    Step {
        /// Epochs between drops.
        every: f64,
        /// Factor of a drop.
        gamma: f64,
    },
    /// `multistep at=30,60 gamma=0.1`: multiplied by gamma after each of these epochs (MultiStepLR).
    MultiStep {
        /// Epochs after which it drops, in rising order.
        at: Vec<f64>,
        /// Factor of a drop.
        gamma: f64,
    },
    /// `exponential gamma=0.95`: multiplied by gamma every epoch (ExponentialLR).
    Exponential {
        /// Factor of an epoch.
        gamma: f64,
    },
    /// `polynomial power=1`: falls to 0 as a power of what is left of the stage (PolynomialLR).
    Polynomial {
        /// The power: 1 falls along a straight line.
        power: f64,
    },
    /// `onecycle`: rises to the optimizer's rate and falls far below its start (OneCycleLR).
    OneCycle(OneCycle),
    /// `plateau factor=0.1 patience=10`: falls when a metric no longer improves (ReduceLROnPlateau).
    Plateau(Plateau),
}

/// One cycle of the learning rate, and the opposite of the momentum (Smith and Topin 2018, Super-convergence).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    /// The share of the stage in which the rate rises.
    pub pct_start: f64,
    /// The highest rate is so many times the first.
    pub div_factor: f64,
    /// The first rate is so many times the last.
    pub final_div_factor: f64,
    /// Along straight lines instead of half cosines.
    pub linear: bool,
    /// Whether the momentum stays what the optimizer says.
    pub fixed_momentum: bool,
    /// The momentum where the rate is highest.
    pub base_momentum: f64,
    /// The momentum at the start and the end.
    pub max_momentum: f64,
}

impl Default for OneCycle {
    fn default() -> OneCycle {
        OneCycle {
            pct_start: 0.3,
            div_factor: 25.0,
            final_div_factor: 1e4,
            linear: false,
            fixed_momentum: false,
            base_momentum: 0.85,
            max_momentum: 0.95,
        }
    }
}

impl Schedule {
    /// Without a warm-up.
    pub fn of(course: Course) -> Schedule {
        Schedule {
            course,
            warmup: 0.0,
        }
    }

    /// The word of the project file.
    pub fn word(&self) -> &'static str {
        match self.course {
            Course::Constant => "constant",
            Course::Cosine { .. } => "cosine",
            Course::Step { .. } => "step",
            Course::MultiStep { .. } => "multistep",
            Course::Exponential { .. } => "exponential",
            Course::Polynomial { .. } => "polynomial",
            Course::OneCycle(_) => "onecycle",
            Course::Plateau(_) => "plateau",
        }
    }

    /// What can be set, in the order it is listed.
    pub fn settings(&self) -> &'static [ScheduleSetting] {
        let mut words = SCHEDULES.iter();
        let word = words.find(|known| known.word == self.word());
        word.map_or(&[], |known| known.settings)
    }

    /// What a plateau watches, where it is one.
    pub fn plateau(&self) -> Option<&Plateau> {
        match &self.course {
            Course::Plateau(plateau) => Some(plateau),
            Course::Constant
            | Course::Cosine { .. }
            | Course::Step { .. }
            | Course::MultiStep { .. }
            | Course::Exponential { .. }
            | Course::Polynomial { .. }
            | Course::OneCycle(_) => None,
        }
    }

    /// A text of each schedule: `constant warmup=1, cosine warmup=1 or …`.
    pub fn examples() -> String {
        let [others @ .., last] = SCHEDULES.map(|kind| kind.example);
        format!("{} or {last}", others.join(", "))
    }
}

impl FromStr for Schedule {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Schedule, SettingError> {
        let mut words = Words::new(text);
        let Some(kind) = SCHEDULES.iter().find(|kind| kind.word == words.head) else {
            return Err(SettingError(format!(
                "there is no schedule `{}`: write {}",
                words.head,
                Schedule::examples()
            )));
        };
        let course = (kind.read)(&mut words)?;
        let warmup = if kind.has_warmup() {
            words.number("warmup", 0.0, 0.0..=1e6)?
        } else {
            0.0
        };
        words.finish(&kind.keys())?;
        Ok(Schedule { course, warmup })
    }
}

/// Writes ` key=value` unless the value is the default.
fn write_unless(f: &mut fmt::Formatter<'_>, key: &str, value: f64, default: f64) -> fmt::Result {
    if value == default {
        return Ok(());
    }
    write!(f, " {key}={}", short(value))
}

fn write_flag(f: &mut fmt::Formatter<'_>, key: &str, is_on: bool) -> fmt::Result {
    if is_on { write!(f, " {key}") } else { Ok(()) }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match &self.course {
            Course::Constant => {}
            Course::Cosine { min } => write_unless(f, "min", *min, 0.0)?,
            Course::Step { every, gamma } => {
                write!(f, " every={} gamma={}", short(*every), short(*gamma))?;
            }
            Course::MultiStep { at, gamma } => {
                let at: Vec<String> = at.iter().map(|epoch| short(*epoch)).collect();
                write!(f, " at={} gamma={}", at.join(","), short(*gamma))?;
            }
            Course::Exponential { gamma } => write!(f, " gamma={}", short(*gamma))?,
            Course::Polynomial { power } => write!(f, " power={}", short(*power))?,
            Course::OneCycle(cycle) => write_cycle(f, cycle)?,
            Course::Plateau(plateau) => plateau.write(f)?,
        }
        write_unless(f, "warmup", self.warmup, 0.0)
    }
}

fn write_cycle(f: &mut fmt::Formatter<'_>, cycle: &OneCycle) -> fmt::Result {
    let usual = OneCycle::default();
    write_unless(f, "pct_start", cycle.pct_start, usual.pct_start)?;
    write_unless(f, "div_factor", cycle.div_factor, usual.div_factor)?;
    let last = usual.final_div_factor;
    write_unless(f, "final_div_factor", cycle.final_div_factor, last)?;
    write_flag(f, "linear", cycle.linear)?;
    write_flag(f, "fixed_momentum", cycle.fixed_momentum)?;
    write_unless(f, "base_momentum", cycle.base_momentum, usual.base_momentum)?;
    write_unless(f, "max_momentum", cycle.max_momentum, usual.max_momentum)
}

impl TryFrom<String> for Schedule {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Schedule, SettingError> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> String {
        schedule.to_string()
    }
}

#[cfg(test)]
mod tests;
