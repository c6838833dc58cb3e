//! Adagrad (torch.optim.Adagrad).

use super::setting::{L2, OptimizerSetting, eps, lr, weight_decay};
use super::{Optimizer, OptimizerSpec, OptimizerWord, UsualRates, write_unless};
use crate::project::words::{SettingError, Words};
use std::fmt;

pub(super) const WORD: OptimizerWord = OptimizerWord {
    word: "adagrad",
    example: "adagrad lr=0.01",
    settings: &[
        lr("0.01"),
        OptimizerSetting {
            key: "lr_decay",
            name: "lr decay",
            default: "0",
            about: "The learning rate of step t is lr/(1 + (t − 1)·lr_decay).",
            is_usual: false,
            is_share: false,
        },
        eps("1e-10"),
        OptimizerSetting {
            key: "initial_accumulator_value",
            name: "initial sum",
            default: "0",
            about: "What the sum of the squared gradients starts at.",
            is_usual: false,
            is_share: false,
        },
        weight_decay("0", L2),
    ],
    read,
};

/// Adagrad's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    /// Learning rate.
    pub lr: f64,
    /// The learning rate of step t is lr/(1 + (t − 1)·lr_decay).
    pub lr_decay: f64,
    /// L2 penalty added to the gradient.
    pub weight_decay: f64,
    /// Added to the root of the sum of squares.
    pub eps: f64,
    /// What the sum of squares starts at.
    pub initial_accumulator_value: f64,
}

fn read(words: &mut Words) -> Result<Optimizer, SettingError> {
    Ok(Optimizer::Adagrad(Adagrad {
        lr: words.number("lr", 1e-2, 0.0..=1e3)?,
        lr_decay: words.number("lr_decay", 0.0, 0.0..=1e3)?,
        weight_decay: words.number("weight_decay", 0.0, 0.0..=1e3)?,
        eps: words.number("eps", 1e-10, 0.0..=1.0)?,
        initial_accumulator_value: words.number("initial_accumulator_value", 0.0, 0.0..=1e6)?,
    }))
}

impl OptimizerSpec for Adagrad {
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
        None
    }

    fn decay_mut(&mut self) -> &mut f64 {
        &mut self.weight_decay
    }

    fn penalty_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }

    fn usual(&self) -> UsualRates {
        UsualRates {
            range: 1e-4..=1e-1,
            default: 1e-2,
            why: "Adagrad's first step moves every weight by lr, and the steps shrink from there with the sum of \
                  squares: above 0.1 the first steps are as large as the weights, below 1e-4 they stop before \
                  anything has moved (Duchi, Hazan and Singer 2011).",
        }
    }

    fn state_names(&self) -> &'static [&'static str] {
        &["sum"]
    }

    fn initial_state(&self) -> f64 {
        self.initial_accumulator_value
    }

    fn write_settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_unless(f, "lr_decay", self.lr_decay, 0.0)?;
        write_unless(f, "eps", self.eps, 1e-10)?;
        write_unless(
            f,
            "initial_accumulator_value",
            self.initial_accumulator_value,
            0.0,
        )?;
        write_unless(f, "weight_decay", self.weight_decay, 0.0)
    }
}
