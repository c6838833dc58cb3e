//! The schedule that waits for a metric to stop improving (torch.optim.lr_scheduler.ReduceLROnPlateau).

use super::{write_flag, write_unless};
use std::fmt;

/// When the rate falls, and how far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// What the rate is multiplied by.
    pub factor: f64,
    /// Epochs without improvement before it falls: it does at the next one.
    pub patience: f64,
    /// An improvement is by more than this share of the best value.
    pub threshold: f64,
    /// Epochs after a fall in which nothing is counted.
    pub cooldown: f64,
    /// The rate never falls below.
    pub min: f64,
    /// Whether the accuracy is watched instead of the loss.
    pub accuracy: bool,
    /// Whether the images trained on are looked at instead of those held back.
    pub train: bool,
}

impl Default for Plateau {
    fn default() -> Plateau {
        Plateau {
            factor: 0.1,
            patience: 10.0,
            threshold: 1e-4,
            cooldown: 0.0,
            min: 0.0,
            accuracy: false,
            train: false,
        }
    }
}

/// A smaller change of the learning rate is none, as in PyTorch.
const LEAST_CHANGE: f64 = 1e-8;

/// What a plateau remembers of its stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlateauWatch {
    /// The best value so far.
    pub best: Option<f64>,
    /// Epochs since that count.
    pub waited: u32,
    /// Epochs that are still not counted after a fall.
    pub cooling: u32,
    /// What the rate has been multiplied by.
    pub factor: f64,
}

impl Default for PlateauWatch {
    fn default() -> PlateauWatch {
        PlateauWatch {
            best: None,
            waited: 0,
            cooling: 0,
            factor: 1.0,
        }
    }
}

impl Plateau {
    /// The metric that it watches, as early stopping calls it.
    pub fn metric(&self) -> &'static str {
        match (self.train, self.accuracy) {
            (false, false) => "valid loss",
            (false, true) => "valid accuracy",
            (true, false) => "train loss",
            (true, true) => "train accuracy",
        }
    }

    /// What it remembers after an epoch whose metric was this, with the optimizer's rate `lr`.
    pub fn judge(&self, mut watch: PlateauWatch, value: f64, lr: f64) -> PlateauWatch {
        if self.is_better(value, watch.best) {
            (watch.best, watch.waited) = (Some(value), 0);
        } else {
            watch.waited += 1;
        }
        if watch.cooling > 0 {
            (watch.cooling, watch.waited) = (watch.cooling - 1, 0);
        }
        if f64::from(watch.waited) <= self.patience {
            return watch;
        }
        let old = lr * watch.factor;
        let new = (old * self.factor).max(self.min);
        if old - new > LEAST_CHANGE {
            watch.factor = new / lr;
        }
        (watch.cooling, watch.waited) = (self.cooldown as u32, 0);
        watch
    }

    fn is_better(&self, value: f64, best: Option<f64>) -> bool {
        match best {
            None => !value.is_nan(),
            Some(best) if self.accuracy => value > best * (1.0 + self.threshold),
            Some(best) => value < best * (1.0 - self.threshold),
        }
    }

    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = Plateau::default();
        write_flag(f, "train", self.train)?;
        write_flag(f, "accuracy", self.accuracy)?;
        write_unless(f, "factor", self.factor, usual.factor)?;
        write_unless(f, "patience", self.patience, usual.patience)?;
        write_unless(f, "threshold", self.threshold, usual.threshold)?;
        write_unless(f, "cooldown", self.cooldown, usual.cooldown)?;
        write_unless(f, "min", self.min, usual.min)
    }
}
