//! Stages: what one training phase does, with its loss, optimizer and schedule as short texts.
//!
//! The texts (`adam lr=1e-3`, `cosine warmup=1`, `rho=0.05 beta=3`) read and write like layers do:
//! words of `key=value`, one sentence when they cannot be read.

use super::data::Split;
pub use super::kept_checkpoints::KeptCheckpoints;
pub use super::loss::Loss;
pub use super::optimizer::Optimizer;
use super::reference::stage::EARLY_STOP;
use super::structured;
pub use super::words::SettingError;
use super::words::{Words, short};
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

/// How the learning rate changes over a stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Schedule {
    /// `cosine warmup=1`: rises linearly over `warmup` epochs, then falls to 0 along a half cosine.
    Cosine {
        /// Epochs of linear rise.
        warmup: f64,
    },
    /// `step every=10 gamma=0.1`: multiplied by gamma every so many epochs (StepLR).
    Step {
        /// Epochs between drops.
        every: f64,
        /// Factor of a drop.
        gamma: f64,
    },
    /// `exponential gamma=0.95`: multiplied by gamma every epoch (ExponentialLR).
    Exponential {
        /// Factor of an epoch.
        gamma: f64,
    },
}

impl Schedule {
    /// The factor on the learning rate at `epoch` (fractional, from 0) of `epochs`.
    pub fn factor(&self, epoch: f64, epochs: f64) -> f64 {
        match *self {
            Schedule::Cosine { warmup } if epoch < warmup => (epoch / warmup).max(1e-3),
            Schedule::Cosine { warmup } => {
                let progress = ((epoch - warmup) / (epochs - warmup).max(1e-9)).clamp(0.0, 1.0);
                0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
            Schedule::Step { every, gamma } => gamma.powf((epoch / every).floor()),
            Schedule::Exponential { gamma } => gamma.powf(epoch.floor()),
        }
    }
}

impl FromStr for Schedule {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Schedule, SettingError> {
        let mut words = Words::new(text);
        let schedule = match words.head.as_str() {
            "cosine" => Schedule::Cosine {
                warmup: words.number("warmup", 0.0, 0.0..=1e6)?,
            },
            "step" => Schedule::Step {
                every: words.number("every", 10.0, 1.0..=1e6)?,
                gamma: words.number("gamma", 0.1, 0.0..=1.0)?,
            },
            "exponential" => Schedule::Exponential {
                gamma: words.number("gamma", 0.95, 0.0..=1.0)?,
            },
            other => {
                return Err(SettingError(format!(
                    "there is no schedule `{other}`: write cosine warmup=1, step every=10 gamma=0.1 or exponential gamma=0.95"
                )));
            }
        };
        words.finish("warmup, every, gamma")?;
        Ok(schedule)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Schedule::Cosine { warmup: 0.0 } => f.write_str("cosine"),
            Schedule::Cosine { warmup } => write!(f, "cosine warmup={}", short(warmup)),
            Schedule::Step { every, gamma } => {
                write!(f, "step every={} gamma={}", short(every), short(gamma))
            }
            Schedule::Exponential { gamma } => write!(f, "exponential gamma={}", short(gamma)),
        }
    }
}

/// KL penalty that pulls the mean activation of every unit towards `rho`
/// (A. Ng, CS294A lecture notes on sparse autoencoders): β·Σ KL(ρ‖ρ̂ⱼ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sparsity {
    /// Target mean activation ρ.
    pub rho: f64,
    /// Weight β of the penalty.
    pub beta: f64,
    /// The layer whose output is meant, `encoder.1`; by default the encoder's last.
    pub at: Option<String>,
}

impl FromStr for Sparsity {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Sparsity, SettingError> {
        let mut words = Words::new(&format!("sparsity {text}"));
        let rho = words.number("rho", 0.05, 1e-6..=0.999999)?;
        let beta = words.number("beta", 3.0, 0.0..=1e6)?;
        let at = words.text("at")?;
        words.finish("rho, beta, at")?;
        Ok(Sparsity { rho, beta, at })
    }
}

impl fmt::Display for Sparsity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rho={} beta={}", short(self.rho), short(self.beta))?;
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
    /// How parameters are updated.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// How the learning rate changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Passes over the split.
    pub epochs: u32,
    /// Images a step.
    pub batch: u32,
    /// Stacks (`encoder`) or layers (`encoder.0`) whose parameters stay as they are.
    #[serde(
        default,
        deserialize_with = "structured::names",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub freeze: Vec<String>,
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
            optimizer: Optimizer::default(),
            schedule: None,
            epochs: 10,
            batch: 64,
            freeze: Vec::new(),
            early_stop: None,
            sparsity: None,
            checkpoints: None,
        }
    }
}

macro_rules! text_conversions {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = SettingError;
            fn try_from(text: String) -> Result<Self, SettingError> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.to_string()
            }
        }
    )*};
}
text_conversions!(Schedule, Sparsity);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_round_trip() {
        assert_eq!(
            "cosine warmup=1".parse::<Schedule>().unwrap().to_string(),
            "cosine warmup=1"
        );
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

    #[test]
    fn cosine_rises_then_falls() {
        let schedule = Schedule::Cosine { warmup: 1.0 };
        assert_eq!(schedule.factor(0.5, 11.0), 0.5);
        assert_eq!(schedule.factor(1.0, 11.0), 1.0);
        assert!((schedule.factor(6.0, 11.0) - 0.5).abs() < 1e-12);
        assert!(schedule.factor(11.0, 11.0) < 1e-12);
    }
}
