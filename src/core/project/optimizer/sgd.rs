//! Stochastic gradient descent (torch.optim.SGD).

use super::setting::{L2, MOMENTUM, OptimizerSetting, lr, weight_decay};
use super::{Optimizer, OptimizerSpec, OptimizerWord, UsualRates, write_unless};
use crate::project::words::{SettingError, Words};
use std::fmt;

pub(super) const WORD: OptimizerWord = OptimizerWord {
    word: "sgd",
    example: "sgd lr=0.01 momentum=0.9",
    settings: &[
        lr("0.01"),
        MOMENTUM,
        OptimizerSetting {
            key: "nesterov",
            name: "nesterov",
            default: "",
            about: "Looks ahead: the gradient is that of where the momentum leads.",
            is_usual: true,
            is_share: false,
        },
        weight_decay("0", L2),
        OptimizerSetting {
            key: "dampening",
            name: "dampening",
            default: "0",
            about: "How much less of each new gradient goes into the momentum; 0 takes all of it.",
            is_usual: false,
            is_share: true,
        },
    ],
    read,
};

/// SGD's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Learning rate.
    pub lr: f64,
    /// Momentum, 0 for none.
    pub momentum: f64,
    /// Nesterov's look-ahead.
    pub nesterov: bool,
    /// L2 penalty added to the gradient.
    pub weight_decay: f64,
    /// What of a gradient, after the first, does not go into the momentum.
    pub dampening: f64,
}

fn read(words: &mut Words) -> Result<Optimizer, SettingError> {
    let sgd = Sgd {
        lr: words.number("lr", 1e-2, 0.0..=1e3)?,
        momentum: words.number("momentum", 0.0, 0.0..=1.0)?,
        nesterov: words.flag("nesterov")?,
        weight_decay: words.number("weight_decay", 0.0, 0.0..=1e3)?,
        dampening: words.number("dampening", 0.0, 0.0..=1.0)?,
    };
    if sgd.nesterov && sgd.momentum == 0.0 {
        return Err(SettingError(
            "nesterov needs a momentum: write sgd lr=0.01 momentum=0.9 nesterov".into(),
        ));
    }
    if sgd.nesterov && sgd.dampening > 0.0 {
        return Err(SettingError(
            "nesterov goes without dampening, as in PyTorch: take one of them out".into(),
        ));
    }
    Ok(Optimizer::Sgd(sgd))
}

impl OptimizerSpec for Sgd {
    fn word(&self) -> &'static str {
        WORD.word
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn penalty_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        (self.momentum > 0.0).then_some(&mut self.momentum)
    }

    fn decay_mut(&mut self) -> &mut f64 {
        &mut self.weight_decay
    }

    fn usual(&self) -> UsualRates {
        UsualRates {
            range: 1e-4..=1.0,
            default: 0.01,
            why: "SGD's steps are the gradient times lr: above 1 they usually diverge, below 1e-4 nothing moves \
                  (Bengio 2012, Practical recommendations, section 3.1.1).",
        }
    }

    fn state_names(&self) -> &'static [&'static str] {
        // The velocity.
        if self.momentum == 0.0 {
            &[]
        } else {
            &["first"]
        }
    }

    fn write_settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_unless(f, "momentum", self.momentum, 0.0)?;
        f.write_str(if self.nesterov { " nesterov" } else { "" })?;
        write_unless(f, "weight_decay", self.weight_decay, 0.0)?;
        write_unless(f, "dampening", self.dampening, 0.0)
    }
}
