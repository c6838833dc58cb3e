//! Settings of a stage that may be changed while it trains. A new one is a line in [`LIVE_SETTINGS`].

use super::optimizer::OptimizerSetting;
use super::stage::{Sparsity, Stage};
use super::words::{SettingError, short};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A setting of a stage that may be changed while it trains: its place in [`LIVE_SETTINGS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSetting(usize);

/// What there is to know of such a setting.
struct LiveSpec {
    /// Its key, as the texts of optimizer and sparsity have it.
    key: &'static str,
    /// What people call it.
    name: &'static str,
    /// One sentence for people.
    about: &'static str,
    /// Values that it can have, as the project file has them.
    limits: RangeInclusive<f64>,
    /// Values that are usual: what a slider covers.
    usual: RangeInclusive<f64>,
    /// Whether equal distances on the slider are equal ratios.
    is_logarithmic: bool,
    part: Part,
}

/// Which text of the stage has it.
#[derive(Clone, Copy)]
enum Part {
    Optimizer,
    Sparsity,
}

/// Every setting that may be changed, in the order they are listed.
const LIVE_SETTINGS: &[LiveSpec] = &[
    LiveSpec {
        key: "lr",
        name: "learning rate",
        about: "How far a step moves the weights. A schedule keeps its shape and is scaled: it goes on from the rate set here.",
        limits: 0.0..=1e3,
        usual: 1e-6..=1.0,
        is_logarithmic: true,
        part: Part::Optimizer,
    },
    LiveSpec {
        key: "momentum",
        name: "momentum",
        about: "How much of the last step goes on in the next.",
        limits: 0.0..=1.0,
        usual: 0.0..=0.99,
        is_logarithmic: false,
        part: Part::Optimizer,
    },
    LiveSpec {
        key: "weight_decay",
        name: "weight decay",
        about: "How strongly weights are kept small.",
        limits: 0.0..=1e3,
        usual: 0.0..=1.0,
        is_logarithmic: true,
        part: Part::Optimizer,
    },
    LiveSpec {
        key: "beta",
        name: "sparsity β",
        about: "The weight of the penalty that draws the mean activation of every unit to ρ.",
        limits: 0.0..=1e6,
        usual: 0.0..=10.0,
        is_logarithmic: true,
        part: Part::Sparsity,
    },
    LiveSpec {
        key: "rho",
        name: "sparsity ρ",
        about: "The mean activation that the penalty asks of every unit.",
        limits: 1e-6..=0.999999,
        usual: 1e-3..=0.5,
        is_logarithmic: true,
        part: Part::Sparsity,
    },
];

impl LiveSetting {
    /// All of them.
    pub fn all() -> impl Iterator<Item = LiveSetting> {
        (0..LIVE_SETTINGS.len()).map(LiveSetting)
    }

    fn spec(self) -> &'static LiveSpec {
        &LIVE_SETTINGS[self.0]
    }

    /// Its key: `lr`, `weight_decay`, `rho`.
    pub fn key(self) -> &'static str {
        self.spec().key
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// One sentence for people.
    pub fn about(self) -> &'static str {
        self.spec().about
    }

    /// Values that are usual: what a slider covers.
    pub fn usual(self) -> RangeInclusive<f64> {
        self.spec().usual.clone()
    }

    /// Why a stage cannot have this value of it, in the words of the window.
    pub fn refusal(self, stage: &Stage, value: f64) -> Option<String> {
        let limits = &self.spec().limits;
        if !limits.contains(&value) {
            let [low, high] = [limits.start(), limits.end()];
            return Some(format!(
                "the {} is a number from {low} to {high}",
                self.name()
            ));
        }
        let refused = self.set(&mut stage.clone(), value).is_err();
        refused.then(|| format!("the stage has no {} of {}", self.name(), short(value)))
    }

    /// Whether equal distances on a slider are to be equal ratios.
    pub fn is_logarithmic(self) -> bool {
        self.spec().is_logarithmic
    }

    /// Whether it is a setting of the sparsity penalty.
    pub fn is_of_sparsity(self) -> bool {
        matches!(self.spec().part, Part::Sparsity)
    }

    /// What holds in a stage; `None` where the stage has no such setting.
    pub fn value(self, stage: &Stage) -> Option<f64> {
        match self.spec().part {
            Part::Optimizer => {
                let setting = self.of_optimizer(stage)?;
                setting.value(&stage.optimizer).parse().ok()
            }
            Part::Sparsity => stage.sparsity.as_ref().map(|sparsity| match self.key() {
                "rho" => sparsity.rho,
                _ => sparsity.beta,
            }),
        }
    }

    /// Changes it in a stage. Fails where the stage has no such setting, and where it cannot have this value.
    pub fn set(self, stage: &mut Stage, value: f64) -> Result<(), SettingError> {
        match self.spec().part {
            Part::Optimizer => {
                let setting = self
                    .of_optimizer(stage)
                    .ok_or_else(|| self.missing(stage))?;
                stage.optimizer = setting.with(&stage.optimizer, &value.to_string())?;
            }
            Part::Sparsity => {
                let former = stage.sparsity.clone().ok_or_else(|| self.missing(stage))?;
                let (mut rho, mut beta) = (former.rho, former.beta);
                *(if self.key() == "rho" {
                    &mut rho
                } else {
                    &mut beta
                }) = value;
                // Read as the project file's text is, so that it has the same limits.
                let read: Sparsity = format!("rho={rho} beta={beta}").parse()?;
                stage.sparsity = Some(Sparsity {
                    at: former.at,
                    ..read
                });
            }
        }
        Ok(())
    }

    fn of_optimizer(self, stage: &Stage) -> Option<&'static OptimizerSetting> {
        let mut settings = stage.optimizer.settings().iter();
        settings.find(|setting| setting.key == self.key())
    }

    fn missing(self, stage: &Stage) -> SettingError {
        let (name, setting) = (&stage.name, self.name());
        SettingError(match self.spec().part {
            Part::Optimizer => format!(
                "stage `{name}` has no {setting}: its optimizer is {}",
                stage.optimizer.word()
            ),
            Part::Sparsity => format!("stage `{name}` has no {setting}: it has no sparsity"),
        })
    }
}

impl fmt::Display for LiveSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for LiveSetting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<LiveSetting, SettingError> {
        let found = LiveSetting::all().find(|setting| setting.key() == text);
        found.ok_or_else(|| {
            let keys: Vec<&str> = LiveSetting::all().map(LiveSetting::key).collect();
            SettingError(format!(
                "`{text}` is no setting that changes while a stage trains: use {}",
                keys.join(", ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(optimizer: &str, sparsity: Option<&str>) -> Stage {
        Stage {
            optimizer: optimizer.parse().unwrap(),
            sparsity: sparsity.map(|text| text.parse().unwrap()),
            ..Stage::default()
        }
    }

    fn offered(stage: &Stage) -> Vec<&'static str> {
        LiveSetting::all()
            .filter(|setting| setting.value(stage).is_some())
            .map(LiveSetting::key)
            .collect()
    }

    #[test]
    fn a_stage_offers_what_its_optimizer_and_its_loss_have() {
        let sgd = stage("sgd lr=0.1 momentum=0.9", Some("rho=0.05 beta=3"));
        assert_eq!(
            offered(&sgd),
            ["lr", "momentum", "weight_decay", "beta", "rho"]
        );
        assert_eq!(offered(&stage("adam", None)), ["lr", "weight_decay"]);
    }

    #[test]
    fn every_setting_takes_its_value_to_the_last_bit() {
        let mut all = stage(
            "sgd lr=0.1 momentum=0.9 nesterov",
            Some("rho=0.05 beta=3 at=encoder.1"),
        );
        for setting in LiveSetting::all() {
            let value = 0.1 + 0.2 / 7.0;
            setting.set(&mut all, value).unwrap();
            assert_eq!(setting.value(&all), Some(value), "{setting}");
            assert_eq!(setting.key().parse(), Ok(setting));
        }
        let sparsity = all.sparsity.as_ref().unwrap();
        assert_eq!(sparsity.at.as_deref(), Some("encoder.1"));
        assert!(all.optimizer.to_string().contains("nesterov"));
    }

    #[test]
    fn what_cannot_be_is_one_sentence() {
        let mut plain = stage("adam", None);
        for (key, value, part) in [
            ("lr", -1.0, "must be a number from 0"),
            ("lr", f64::NAN, "must be a number"),
            ("momentum", 0.9, "its optimizer is adam"),
            ("beta", 1.0, "it has no sparsity"),
        ] {
            let setting: LiveSetting = key.parse().unwrap();
            let error = setting.set(&mut plain, value).unwrap_err();
            assert!(error.0.contains(part), "{key}: {error}");
        }
        assert_eq!(plain, stage("adam", None));
        let lr: LiveSetting = "lr".parse().unwrap();
        assert_eq!(lr.refusal(&plain, 0.5), None);
        let told = lr.refusal(&plain, 2000.0).unwrap();
        assert_eq!(told, "the learning rate is a number from 0 to 1000");
        let momentum: LiveSetting = "momentum".parse().unwrap();
        let nesterov = stage("sgd lr=0.1 momentum=0.9 nesterov", None);
        assert!(momentum.refusal(&nesterov, 0.0).is_some());
        let error = "batch".parse::<LiveSetting>().unwrap_err();
        assert!(error.0.contains("use lr, momentum"), "{error}");
    }
}
