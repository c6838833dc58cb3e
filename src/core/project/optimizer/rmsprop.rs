//! RMSprop (torch.optim.RMSprop).

use super::setting::{L2, MOMENTUM, OptimizerSetting, eps, lr, weight_decay};
use super::{MAX_AVERAGE, Optimizer, OptimizerSpec, OptimizerWord, UsualRates, write_unless};
use crate::project::words::{SettingError, Words};
use std::fmt;

pub(super) const WORD: OptimizerWord = OptimizerWord {
    word: "rmsprop",
    example: "rmsprop lr=1e-3",
    settings: &[
        lr("0.01"),
        OptimizerSetting {
            key: "alpha",
            name: "alpha",
            default: "0.99",
            about: "How much of the mean of the squared gradients a step keeps.",
            is_usual: false,
            is_share: true,
        },
        eps("1e-8"),
        MOMENTUM,
        OptimizerSetting {
            key: "centered",
            name: "centered",
            default: "",
            about: "Divides by the deviation of the gradient instead of its root mean square.",
            is_usual: false,
            is_share: false,
        },
        weight_decay("0", L2),
    ],
    read,
};

/// RMSprop's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the mean of the gradient's square.
    pub alpha: f64,
    /// Added to the root of the mean square.
    pub eps: f64,
    /// L2 penalty added to the gradient.
    pub weight_decay: f64,
    /// Momentum, 0 for none.
    pub momentum: f64,
    /// Divides by the deviation of the gradient instead of its root mean square.
    pub centered: bool,
}

fn read(words: &mut Words) -> Result<Optimizer, SettingError> {
    Ok(Optimizer::RmsProp(RmsProp {
        lr: words.number("lr", 1e-2, 0.0..=1e3)?,
        alpha: words.number("alpha", 0.99, 0.0..=MAX_AVERAGE)?,
        eps: words.number("eps", 1e-8, 0.0..=1.0)?,
        weight_decay: words.number("weight_decay", 0.0, 0.0..=1e3)?,
        momentum: words.number("momentum", 0.0, 0.0..=1.0)?,
        centered: words.flag("centered")?,
    }))
}

impl OptimizerSpec for RmsProp {
    fn word(&self) -> &'static str {
        WORD.word
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        (self.momentum > 0.0).then_some(&mut self.momentum)
    }

    fn decay_mut(&mut self) -> &mut f64 {
        &mut self.weight_decay
    }

    fn penalty_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }

    fn usual(&self) -> UsualRates {
        UsualRates {
            range: 1e-5..=1e-2,
            default: 1e-2,
            why: "RMSprop divides every gradient by its root mean square, so that every weight moves by about lr a \
                  step: 1e-2 is already a tenth of a typical weight (Hinton 2012, Neural Networks for Machine \
                  Learning, lecture 6e, which uses 1e-3).",
        }
    }

    fn state_names(&self) -> &'static [&'static str] {
        match (self.momentum == 0.0, self.centered) {
            (true, false) => &["square_avg"],
            (true, true) => &["square_avg", "grad_avg"],
            (false, false) => &["square_avg", "momentum_buffer"],
            (false, true) => &["square_avg", "momentum_buffer", "grad_avg"],
        }
    }

    fn write_settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_unless(f, "alpha", self.alpha, 0.99)?;
        write_unless(f, "eps", self.eps, 1e-8)?;
        write_unless(f, "momentum", self.momentum, 0.0)?;
        f.write_str(if self.centered { " centered" } else { "" })?;
        write_unless(f, "weight_decay", self.weight_decay, 0.0)
    }
}
