//! Stages: what one training phase does, with its loss, optimizer and penalty as short texts.
//!
//! The texts (`adam lr=1e-3`, `rho=0.05 beta=3`) read and write like layers do:
//! words of `key=value`, one sentence when they cannot be read.

use super::Place;
pub use super::class_weights::ClassWeights;
use super::data::Split;
pub use super::gradient::{Clip, Decay, PRETRAINED, RateFactors};
use super::init::covers;
pub use super::kept_checkpoints::KeptCheckpoints;
pub use super::loss::Loss;
pub use super::optimizer::Optimizer;
use super::reference::stage::EARLY_STOP;
pub use super::schedule::Schedule;
use super::structured;
pub use super::unfreeze::Unfreeze;
pub use super::words::SettingError;
use super::words::{Words, short, text_conversions};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The largest batch.
pub const MAX_BATCH: u32 = 65_536;

/// What a stage trains for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// encoder → decoder; the target is the input.
    #[default]
    Reconstruct,
    /// encoder → head; the target is the label.
    Classify,
}

impl Task {
    /// Both.
    pub const ALL: [Task; 2] = [Task::Reconstruct, Task::Classify];

    /// `reconstruct` or `classify`.
    pub fn name(self) -> &'static str {
        match self {
            Task::Reconstruct => "reconstruct",
            Task::Classify => "classify",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Penalties on an activation. KL pulls the mean of every unit towards `rho` (A. Ng, CS294A lecture notes on sparse
/// autoencoders): β·Σ KL(ρ‖ρ̂ⱼ). L1 pulls every value towards 0: λ times the sum of their sizes, the mean over images
/// (Keras' activity regularizer).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sparsity {
    /// Target mean activation ρ.
    pub rho: f64,
    /// Weight β of the KL penalty, 0 for none.
    pub beta: f64,
    /// Weight λ of the L1 penalty, 0 for none.
    pub l1: f64,
    /// The layer whose output is meant, `encoder.1`; by default the encoder's last.
    pub at: Option<String>,
}

impl FromStr for Sparsity {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Sparsity, SettingError> {
        let mut words = Words::new(&format!("sparsity {text}"));
        // The L1 penalty alone is one without the other.
        let is_kl = !words.has("l1") || words.has("rho") || words.has("beta");
        let rho = words.number("rho", 0.05, 1e-6..=0.999999)?;
        let beta = words.number("beta", if is_kl { 3.0 } else { 0.0 }, 0.0..=1e6)?;
        let l1 = words.number("l1", 0.0, 0.0..=1e6)?;
        let at = words.text("at")?;
        words.finish("rho, beta, l1, at")?;
        Ok(Sparsity { rho, beta, l1, at })
    }
}

impl fmt::Display for Sparsity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.beta > 0.0, self.l1 > 0.0) {
            (false, true) => write!(f, "l1={}", short(self.l1))?,
            (_, is_l1) => {
                write!(f, "rho={} beta={}", short(self.rho), short(self.beta))?;
                if is_l1 {
                    write!(f, " l1={}", short(self.l1))?;
                }
            }
        }
        match &self.at {
            Some(at) => write!(f, " at={at}"),
            None => Ok(()),
        }
    }
}

/// Stops a stage when a metric no longer improves: `valid loss patience=5`, or a table of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyStop {
    /// One of [`EARLY_STOP_METRICS`].
    pub metric: String,
    /// Epochs without improvement before the stage ends.
    pub patience: u32,
}

/// The metrics that [`EarlyStop`] may watch.
pub const EARLY_STOP_METRICS: [&str; 4] = [
    "valid loss",
    "valid accuracy",
    "train loss",
    "train accuracy",
];

impl EarlyStop {
    fn read(value: &toml::Value) -> Result<EarlyStop, SettingError> {
        structured::only(value, &["metric", "patience"]).map_err(SettingError)?;
        let table = match value {
            toml::Value::String(text) => structured::table_of(text),
            toml::Value::Table(table) => table.clone(),
            _ => return Err(SettingError(structured::help(&EARLY_STOP, value))),
        };
        // In a text the metric may come before all keys.
        let metric = match table.get("metric").or_else(|| table.get("")) {
            None => Some(EARLY_STOP_METRICS[0].to_owned()),
            Some(metric) => metric.as_str().map(str::to_owned),
        };
        let patience = table.get("patience").and_then(toml::Value::as_integer);
        let patience = patience.and_then(|epochs| u32::try_from(epochs).ok());
        match (metric, patience) {
            (Some(metric), Some(patience)) => Ok(EarlyStop { metric, patience }),
            _ => Err(SettingError(format!(
                "patience is a whole number of epochs: {}",
                structured::help(&EARLY_STOP, value)
            ))),
        }
    }
}

impl FromStr for EarlyStop {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<EarlyStop, SettingError> {
        EarlyStop::read(&toml::Value::String(text.to_owned()))
    }
}

impl fmt::Display for EarlyStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} patience={}", self.metric, self.patience)
    }
}

impl Serialize for EarlyStop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EarlyStop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EarlyStop, D::Error> {
        EarlyStop::read(&toml::Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// One training phase of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// For people, tables and `--stage`.
    pub name: String,
    /// What the stage trains for.
    pub task: Task,
    /// The split it trains on; `train` unless given.
    #[serde(default, skip_serializing_if = "is_train")]
    pub split: Split,
    /// What is minimised.
    pub loss: Loss,
    /// How much the images of each class count in the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// How parameters are updated.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Factors on the learning rate of some stacks and layers.
    #[serde(default, skip_serializing_if = "RateFactors::is_empty")]
    pub rate_factors: RateFactors,
    /// What the optimizer's weight decay acts on.
    #[serde(default, skip_serializing_if = "Decay::is_of_all")]
    pub decay: Decay,
    /// The bound that gradients are kept within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// How the learning rate changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Passes over the split.
    pub epochs: u32,
    /// Images a step.
    pub batch: u32,
    /// Steps whose gradients make one update of the weights.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub accumulate: u32,
    /// Stacks (`encoder`) or layers (`encoder.0`) whose parameters stay as they are.
    #[serde(
        default,
        deserialize_with = "structured::names",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub freeze: Vec<String>,
    /// A stack whose layers are frozen at first and trained one after the other, the top ones first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfreeze: Option<Unfreeze>,
    /// Ends the stage early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<EarlyStop>,
    /// KL penalty on an activation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sparsity: Option<Sparsity>,
    /// Checkpoints that are kept besides the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<KeptCheckpoints>,
}

impl Stage {
    /// Whether the weights of the layer at a place stay as they are: `freeze` names it, what it is in, or a pattern that
    /// it fits, in which `*` stands for any letters.
    pub fn freezes(&self, place: &Place) -> bool {
        let place = place.to_string();
        self.freeze.iter().any(|name| covers(name, &place))
    }
}

fn one() -> u32 {
    1
}

fn is_one(count: &u32) -> bool {
    *count == 1
}

fn is_train(split: &Split) -> bool {
    *split == Split::Train
}

impl Default for Stage {
    fn default() -> Stage {
        Stage {
            name: "train".into(),
            task: Task::Reconstruct,
            split: Split::Train,
            loss: Loss::Mse,
            class_weights: None,
            optimizer: Optimizer::default(),
            rate_factors: RateFactors::default(),
            decay: Decay::default(),
            clip: None,
            schedule: None,
            epochs: 10,
            batch: 64,
            accumulate: 1,
            freeze: Vec::new(),
            unfreeze: None,
            early_stop: None,
            sparsity: None,
            checkpoints: None,
        }
    }
}

text_conversions!(Sparsity);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_round_trip() {
        for text in [
            "l1=1e-4 at=encoder.1",
            "rho=0.1 beta=2 l1=0.01",
            "rho=0.05 beta=0",
        ] {
            assert_eq!(text.parse::<Sparsity>().unwrap().to_string(), text);
        }
        assert_eq!(
            "rho=0.05 beta=3 at=encoder.1"
                .parse::<Sparsity>()
                .unwrap()
                .to_string(),
            "rho=0.05 beta=3 at=encoder.1"
        );
    }

    #[test]
    fn an_early_stop_is_a_text() {
        for (text, metric, patience) in [
            ("patience=5", "valid loss", 5),
            ("valid accuracy patience=3", "valid accuracy", 3),
            ("metric=train loss patience=2", "train loss", 2),
        ] {
            let early: EarlyStop = text.parse().unwrap();
            assert_eq!((early.metric.as_str(), early.patience), (metric, patience));
            assert_eq!(early.to_string().parse(), Ok(early), "{text}");
        }
        for (text, part) in [
            ("", "patience is a whole number"),
            ("valid loss", "patience is a whole number"),
            ("patience=many", "patience is a whole number"),
            ("patience=-1", "patience is a whole number"),
            ("pacience=5", "`pacience` is not known"),
        ] {
            let error = text.parse::<EarlyStop>().unwrap_err().0;
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains(" = "), "no key of the file: {error}");
        }
    }

    #[test]
    fn a_sparsity_needs_its_place() {
        assert!(
            "rho=0.1 at"
                .parse::<Sparsity>()
                .unwrap_err()
                .0
                .contains("needs a value")
        );
        assert!("rho=2".parse::<Sparsity>().is_err());
    }
}
