//! Adam and AdamW (torch.optim.Adam, torch.optim.AdamW): they differ in where the weight decay acts.

use super::setting::{L2, OptimizerSetting, eps, lr, weight_decay};
use super::{MAX_AVERAGE, Optimizer, OptimizerSpec, OptimizerWord, UsualRates, write_unless};
use crate::project::words::{SettingError, Words};
use std::fmt;

const BETA1: OptimizerSetting = OptimizerSetting {
    key: "beta1",
    name: "beta1",
    default: "0.9",
    about: "How much of the mean of the gradients a step keeps.",
    is_usual: false,
    is_share: true,
};

const BETA2: OptimizerSetting = OptimizerSetting {
    key: "beta2",
    name: "beta2",
    default: "0.999",
    about: "How much of the mean of their squares a step keeps.",
    is_usual: false,
    is_share: true,
};

pub(super) const ADAM: OptimizerWord = OptimizerWord {
    word: "adam",
    example: "adam lr=1e-3",
    settings: &[
        lr("0.001"),
        BETA1,
        BETA2,
        eps("1e-8"),
        weight_decay("0", L2),
    ],
    read: |words| Ok(Optimizer::Adam(Adam(read(words, 0.0)?))),
};

pub(super) const ADAMW: OptimizerWord = OptimizerWord {
    word: "adamw",
    example: "adamw lr=1e-3",
    settings: &[
        lr("0.001"),
        BETA1,
        BETA2,
        eps("1e-8"),
        weight_decay(
            "0.01",
            "Every step shrinks each weight by so much of itself times lr.",
        ),
    ],
    read: |words| Ok(Optimizer::AdamW(AdamW(read(words, ADAMW_DECAY)?))),
};

const ADAMW_DECAY: f64 = 0.01;

/// Adam: the weight decay is added to the gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam(pub AdamSettings);

/// AdamW: the weight decay shrinks the parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW(pub AdamSettings);

/// Settings shared by Adam and AdamW.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the gradient's mean.
    pub beta1: f64,
    /// Decay of the gradient's square.
    pub beta2: f64,
    /// Added to the root of the square.
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Adam {
        Adam(AdamSettings {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
        })
    }
}

fn read(words: &mut Words, weight_decay: f64) -> Result<AdamSettings, SettingError> {
    Ok(AdamSettings {
        lr: words.number("lr", 1e-3, 0.0..=1e3)?,
        beta1: words.number("beta1", 0.9, 0.0..=MAX_AVERAGE)?,
        beta2: words.number("beta2", 0.999, 0.0..=MAX_AVERAGE)?,
        eps: words.number("eps", 1e-8, 0.0..=1.0)?,
        weight_decay: words.number("weight_decay", weight_decay, 0.0..=1e3)?,
    })
}

impl AdamSettings {
    fn write(&self, f: &mut fmt::Formatter<'_>, weight_decay: f64) -> fmt::Result {
        write_unless(f, "beta1", self.beta1, 0.9)?;
        write_unless(f, "beta2", self.beta2, 0.999)?;
        write_unless(f, "eps", self.eps, 1e-8)?;
        write_unless(f, "weight_decay", self.weight_decay, weight_decay)
    }
}

fn usual() -> UsualRates {
    UsualRates {
        range: 1e-5..=1e-2,
        default: 1e-3,
        why: "Adam moves every weight by about lr a step, however small its gradient: 1e-3 is its authors' choice, \
              and 1e-2 is a tenth of a typical weight (Kingma and Ba 2015, section 2.1).",
    }
}

/// The means of the gradient and of its square.
const STATE: &[&str] = &["first", "second"];

impl OptimizerSpec for Adam {
    fn word(&self) -> &'static str {
        ADAM.word
    }

    fn lr(&self) -> f64 {
        self.0.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.0.lr = lr;
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.0.beta1)
    }

    fn decay_mut(&mut self) -> &mut f64 {
        &mut self.0.weight_decay
    }

    fn penalty_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.0.weight_decay)
    }

    fn usual(&self) -> UsualRates {
        usual()
    }

    fn state_names(&self) -> &'static [&'static str] {
        STATE
    }

    fn write_settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, 0.0)
    }
}

impl OptimizerSpec for AdamW {
    fn word(&self) -> &'static str {
        ADAMW.word
    }

    fn lr(&self) -> f64 {
        self.0.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.0.lr = lr;
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.0.beta1)
    }

    fn decay_mut(&mut self) -> &mut f64 {
        &mut self.0.weight_decay
    }

    fn penalty_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }

    fn usual(&self) -> UsualRates {
        usual()
    }

    fn state_names(&self) -> &'static [&'static str] {
        STATE
    }

    fn write_settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, ADAMW_DECAY)
    }
}
