//! Optimizers as values, one file each: their text, what is usual, and the names of what they keep for each
//! parameter. How they compute is in [`strata_nn::optim`].
//!
//! A new one is a file here and one there, a variant of [`Optimizer`] with its line in [`Optimizer::spec`] and
//! [`Optimizer::spec_mut`], and a line in [`OPTIMIZERS`].

#![deny(clippy::wildcard_enum_match_arm)]

mod adagrad;
mod adam;
mod rmsprop;
mod setting;
mod sgd;

pub use adagrad::Adagrad;
pub use adam::{Adam, AdamSettings, AdamW};
pub use rmsprop::RmsProp;
pub use setting::OptimizerSetting;
pub use sgd::Sgd;

use super::words::{SettingError, Words, short};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// How parameters are updated. Settings and defaults are those of PyTorch's classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Optimizer {
    /// `sgd lr=0.01 momentum=0.9`
    Sgd(Sgd),
    /// `adam lr=1e-3`
    Adam(Adam),
    /// `adamw lr=1e-3`
    AdamW(AdamW),
    /// `rmsprop lr=0.01`
    RmsProp(RmsProp),
    /// `adagrad lr=0.01`
    Adagrad(Adagrad),
}

/// What there is to know of an optimizer with its settings, besides its computation.
pub trait OptimizerSpec {
    /// The word of the project file.
    fn word(&self) -> &'static str;

    /// The learning rate before any schedule.
    fn lr(&self) -> f64;

    /// Changes the learning rate.
    fn set_lr(&mut self, lr: f64);

    /// The learning rates that are usual for it.
    fn usual(&self) -> UsualRates;

    /// The momentum, of Adam its beta1, where it has one.
    fn momentum_mut(&mut self) -> Option<&mut f64>;

    /// The weight decay.
    fn decay_mut(&mut self) -> &mut f64;

    /// The weight decay, where its gradient is added to that of the loss.
    fn penalty_decay_mut(&mut self) -> Option<&mut f64>;

    /// The names of the tensors that it keeps for each parameter, as checkpoints have them.
    fn state_names(&self) -> &'static [&'static str];

    /// What those tensors are filled with before the first step.
    fn initial_state(&self) -> f64 {
        0.0
    }

    /// Writes the settings behind the learning rate that are not the default.
    fn write_settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// Learning rates that are usual, PyTorch's default, and why.
#[derive(Clone, Debug)]
pub struct UsualRates {
    /// From the smallest to the largest.
    pub range: RangeInclusive<f64>,
    /// PyTorch's.
    pub default: f64,
    /// With its source.
    pub why: &'static str,
}

/// An optimizer's word with what people need to write it.
pub struct OptimizerWord {
    /// The word of the project file.
    pub word: &'static str,
    /// A text of it.
    pub example: &'static str,
    /// What can be set, in the order it is listed.
    pub settings: &'static [OptimizerSetting],
    read: fn(&mut Words) -> Result<Optimizer, SettingError>,
}

impl OptimizerWord {
    /// The keys it reads.
    pub fn keys(&self) -> String {
        let keys: Vec<_> = self.settings.iter().map(|setting| setting.key).collect();
        keys.join(", ")
    }
}

/// Every optimizer, in the order they are listed.
pub const OPTIMIZERS: [OptimizerWord; 5] = [
    sgd::WORD,
    adam::ADAM,
    adam::ADAMW,
    rmsprop::WORD,
    adagrad::WORD,
];

/// Averages over the steps before keep less than all of it, or they would never move.
const MAX_AVERAGE: f64 = 0.999_999_9;

impl Optimizer {
    fn spec(&self) -> &dyn OptimizerSpec {
        match self {
            Optimizer::Sgd(sgd) => sgd,
            Optimizer::Adam(adam) => adam,
            Optimizer::AdamW(adamw) => adamw,
            Optimizer::RmsProp(rmsprop) => rmsprop,
            Optimizer::Adagrad(adagrad) => adagrad,
        }
    }

    fn spec_mut(&mut self) -> &mut dyn OptimizerSpec {
        match self {
            Optimizer::Sgd(sgd) => sgd,
            Optimizer::Adam(adam) => adam,
            Optimizer::AdamW(adamw) => adamw,
            Optimizer::RmsProp(rmsprop) => rmsprop,
            Optimizer::Adagrad(adagrad) => adagrad,
        }
    }

    /// The word of the project file.
    pub fn word(&self) -> &'static str {
        self.spec().word()
    }

    /// What can be set, in the order it is listed.
    pub fn settings(&self) -> &'static [OptimizerSetting] {
        let mut words = OPTIMIZERS.iter();
        let word = words.find(|known| known.word == self.word());
        word.map_or(&[], |known| known.settings)
    }

    /// The learning rate before any schedule.
    pub fn lr(&self) -> f64 {
        self.spec().lr()
    }

    /// The same with another learning rate.
    pub fn with_lr(mut self, lr: f64) -> Optimizer {
        self.spec_mut().set_lr(lr);
        self
    }

    /// The same with another momentum, where it has one; of Adam it is beta1.
    pub fn with_momentum(mut self, momentum: f64) -> Optimizer {
        if let Some(now) = self.spec_mut().momentum_mut() {
            *now = momentum;
        }
        self
    }

    /// The momentum, of Adam its beta1, where it has one.
    pub fn momentum(mut self) -> Option<f64> {
        self.spec_mut().momentum_mut().copied()
    }

    /// The weight decay.
    pub fn decay(mut self) -> f64 {
        *self.spec_mut().decay_mut()
    }

    /// The same without weight decay.
    pub fn without_decay(mut self) -> Optimizer {
        *self.spec_mut().decay_mut() = 0.0;
        self
    }

    /// The learning rates that are usual for it.
    pub fn usual(&self) -> UsualRates {
        self.spec().usual()
    }

    /// The weight decay λ whose penalty λ/2·|w|² is minimised with the loss; `None` where the decay shrinks the
    /// weights whatever the loss is.
    pub fn penalty_decay(mut self) -> Option<f64> {
        self.spec_mut().penalty_decay_mut().copied()
    }

    /// The same with another such weight decay.
    pub fn with_penalty_decay(mut self, decay: f64) -> Optimizer {
        if let Some(now) = self.spec_mut().penalty_decay_mut() {
            *now = decay;
        }
        self
    }

    /// The names of the tensors that it keeps for each parameter, as checkpoints have them.
    pub fn state_names(&self) -> &'static [&'static str] {
        self.spec().state_names()
    }

    /// What those tensors are filled with before the first step.
    pub fn initial_state(&self) -> f64 {
        self.spec().initial_state()
    }

    /// A text of each optimizer: `sgd lr=0.01 momentum=0.9, adam lr=1e-3 or …`.
    pub fn examples() -> String {
        let [others @ .., last] = OPTIMIZERS.map(|kind| kind.example);
        format!("{} or {last}", others.join(", "))
    }
}

impl Default for Optimizer {
    fn default() -> Optimizer {
        Optimizer::Adam(Adam::default())
    }
}

impl FromStr for Optimizer {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Optimizer, SettingError> {
        let mut words = Words::new(text);
        let Some(kind) = OPTIMIZERS.iter().find(|kind| kind.word == words.head) else {
            return Err(SettingError(format!(
                "there is no optimizer `{}`: write {}",
                words.head,
                Optimizer::examples()
            )));
        };
        let optimizer = (kind.read)(&mut words)?;
        words.finish(&kind.keys())?;
        Ok(optimizer)
    }
}

impl fmt::Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lr={}", self.word(), short(self.lr()))?;
        self.spec().write_settings(f)
    }
}

/// Writes ` key=value` unless the value is the default.
fn write_unless(f: &mut fmt::Formatter<'_>, key: &str, value: f64, default: f64) -> fmt::Result {
    if value == default {
        return Ok(());
    }
    write!(f, " {key}={}", short(value))
}

impl TryFrom<String> for Optimizer {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Optimizer, SettingError> {
        text.parse()
    }
}

impl From<Optimizer> for String {
    fn from(optimizer: Optimizer) -> String {
        optimizer.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimizers_round_trip() {
        for text in [
            "sgd lr=0.01 momentum=0.9 nesterov weight_decay=5e-4",
            "sgd lr=0.1",
            "sgd lr=0.1 momentum=0.9 dampening=0.5",
            "adam lr=1e-4",
            "adam lr=0.001 beta1=0.5 eps=1e-7",
            "adamw lr=3e-4 weight_decay=0.05",
            "rmsprop lr=0.01",
            "rmsprop lr=0.001 alpha=0.9 eps=1e-6 momentum=0.9 centered weight_decay=1e-4",
            "adagrad lr=0.01",
            "adagrad lr=0.1 lr_decay=0.01 eps=1e-8 initial_accumulator_value=0.1 weight_decay=0.01",
        ] {
            let optimizer: Optimizer = text.parse().unwrap();
            let again: Optimizer = optimizer.to_string().parse().unwrap();
            assert_eq!(again, optimizer, "{text}");
        }
    }

    #[test]
    fn every_word_reads_and_writes_its_example() {
        for kind in &OPTIMIZERS {
            let optimizer: Optimizer = kind.example.parse().unwrap();
            assert_eq!(optimizer.word(), kind.word);
            assert_eq!(optimizer.to_string(), kind.example);
            let alone: Optimizer = kind.word.parse().unwrap();
            assert_eq!(alone.lr(), optimizer.usual().default, "{}", kind.word);
            assert_eq!(optimizer.with_lr(0.5).lr(), 0.5);
        }
    }

    #[test]
    fn wrong_optimizers_are_one_sentence() {
        for (text, part) in [
            ("adm lr=1", "there is no optimizer `adm`"),
            ("adam lr=x", "must be a number"),
            ("adam lr=-1", "from 0 to"),
            ("adam lr=nan", "must be a number"),
            ("adam rate=1", "`rate`"),
            ("adam momentum=0.9", "use lr, beta1, beta2"),
            ("sgd lr=0.1 nesterov", "needs a momentum"),
            (
                "sgd momentum=0.9 nesterov dampening=0.1",
                "without dampening",
            ),
            ("", "there is no optimizer"),
            ("adam beta1=1", "from 0 to 0.9999999"),
            ("sgd momentum=0.9 nesterov=false", "takes no value"),
            ("rmsprop alpha=1", "from 0 to 0.9999999"),
            ("adagrad momentum=0.9", "`momentum`"),
        ] {
            let error = text.parse::<Optimizer>().unwrap_err();
            assert!(error.0.contains(part), "{text}: {error}");
        }
    }

    /// Checkpoints of earlier versions have these.
    #[test]
    fn state_names_stay_as_they_were() {
        let names = |text: &str| text.parse::<Optimizer>().unwrap().state_names();
        assert_eq!(names("sgd lr=0.1"), [""; 0]);
        assert_eq!(names("sgd lr=0.1 momentum=0.9"), ["first"]);
        assert_eq!(names("adam"), ["first", "second"]);
        assert_eq!(names("adamw"), ["first", "second"]);
    }
}
