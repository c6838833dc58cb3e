//! An optimizer's settings as fields of a form: what each is, what holds where it is left out.
//!
//! A setting is read from the optimizer's text and written into it, as the project file has it.

use super::Optimizer;
use crate::project::words::SettingError;

/// One setting of an optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizerSetting {
    /// Its key in the text; a flag is the key alone.
    pub key: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// What holds where it is left out; nothing for a flag, which is off then.
    pub default: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// Whether it is often set: a form shows it at once.
    pub is_usual: bool,
    /// Whether it is the share of something that is kept, below 1: 0.9, 0.99, 0.999.
    pub is_share: bool,
}

/// The learning rate, with what holds where it is left out.
pub(super) const fn lr(default: &'static str) -> OptimizerSetting {
    OptimizerSetting {
        key: "lr",
        name: "learning rate",
        default,
        about: "How far a step moves the weights. Too large, and the loss jumps or grows; too small, and nothing \
                happens.",
        is_usual: true,
        is_share: false,
    }
}

/// The weight decay, with what holds where it is left out.
pub(super) const fn weight_decay(default: &'static str, about: &'static str) -> OptimizerSetting {
    OptimizerSetting {
        key: "weight_decay",
        name: "weight decay",
        default,
        about,
        is_usual: true,
        is_share: false,
    }
}

/// What a weight decay does that is added to the gradient.
pub(super) const L2: &str =
    "Adds so much of every weight to its gradient: keeps weights small (L2 penalty).";

/// The momentum.
pub(super) const MOMENTUM: OptimizerSetting = OptimizerSetting {
    key: "momentum",
    name: "momentum",
    default: "0",
    about: "How much of the last step goes on in the next: 0.9 is usual, 0 is none.",
    is_usual: true,
    is_share: true,
};

/// What keeps a division from one by zero.
pub(super) const fn eps(default: &'static str) -> OptimizerSetting {
    OptimizerSetting {
        key: "eps",
        name: "eps",
        default,
        about: "Added to what the gradient is divided by, so that it is never divided by zero.",
        is_usual: false,
        is_share: false,
    }
}

impl OptimizerSetting {
    /// Whether it is on or off, without a number.
    pub fn is_flag(&self) -> bool {
        self.default.is_empty()
    }

    /// What holds for it; of a flag the key, or nothing.
    pub fn value(&self, optimizer: &Optimizer) -> String {
        self.written(optimizer)
            .unwrap_or_else(|| self.default.to_owned())
    }

    fn written(&self, optimizer: &Optimizer) -> Option<String> {
        let text = optimizer.to_string();
        let mut words = text.split(' ').skip(1);
        words.find_map(|word| match word.split_once('=') {
            Some((key, value)) => (key == self.key).then(|| value.to_owned()),
            None => (word == self.key).then(|| word.to_owned()),
        })
    }

    /// The optimizer with another value of it, or why there is none. A flag is on where the value is not empty.
    pub fn with(&self, optimizer: &Optimizer, value: &str) -> Result<Optimizer, SettingError> {
        let mut words = vec![optimizer.word().to_owned()];
        for setting in optimizer.settings() {
            let kept = if setting == self {
                Some(value.trim().to_owned()).filter(|value| !value.is_empty())
            } else {
                setting.written(optimizer)
            };
            words.extend(kept.map(|value| {
                if setting.is_flag() {
                    setting.key.to_owned()
                } else {
                    format!("{}={value}", setting.key)
                }
            }));
        }
        words.join(" ").parse()
    }
}

#[cfg(test)]
mod tests {
    use super::super::OPTIMIZERS;
    use super::*;

    #[test]
    fn every_setting_is_read_and_written() {
        for word in &OPTIMIZERS {
            let before: Optimizer = word.word.parse().unwrap();
            for setting in word.settings {
                if setting.is_flag() {
                    assert_eq!(setting.value(&before), "");
                    continue;
                }
                let changed = setting.with(&before, "0.125").unwrap();
                assert_eq!(setting.value(&changed), "0.125", "{changed}");
                let back = setting.with(&changed, setting.default).unwrap();
                assert_eq!(back, before, "the default of {}", setting.key);
                assert!(setting.with(&before, "many").is_err());
            }
        }
    }

    #[test]
    fn a_flag_is_on_or_off() {
        let sgd: Optimizer = "sgd lr=0.1 momentum=0.9".parse().unwrap();
        let nesterov = sgd
            .settings()
            .iter()
            .find(|setting| setting.key == "nesterov");
        let nesterov = nesterov.unwrap();
        let on = nesterov.with(&sgd, "yes").unwrap();
        assert_eq!(on.to_string(), "sgd lr=0.1 momentum=0.9 nesterov");
        assert_eq!(nesterov.value(&on), "nesterov");
        assert_eq!(nesterov.with(&on, "").unwrap(), sgd);
        let none = "sgd lr=0.1".parse().unwrap();
        assert!(nesterov.with(&none, "yes").is_err(), "it needs a momentum");
    }
}
