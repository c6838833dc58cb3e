//! The learning rate and the momentum of every update under a schedule.

use super::{Course, OneCycle, PlateauWatch, Schedule};
use std::f64::consts::PI;

/// An update of the weights within a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Epochs of the stage that are done.
    pub epoch: u32,
    /// Updates of the epoch in progress that are done.
    pub update: u64,
    /// Updates of an epoch.
    pub updates_per_epoch: u64,
    /// Epochs of the stage.
    pub epochs: u32,
}

/// What an update is done with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The learning rate.
    pub lr: f64,
    /// The momentum (of Adam beta1) where the schedule decides it too.
    pub momentum: Option<f64>,
}

impl Moment {
    fn done(self) -> f64 {
        f64::from(self.epoch) + self.update as f64 / self.updates_per_epoch.max(1) as f64
    }
}

/// What rounding may take from the epochs behind a warm-up of a part of one: 2.3 − 0.3 is less than 2, and the rate would
/// fall an update late.
const ROUNDING: f64 = 1e-9;

/// The least share of the rate in a warm-up: the first update changes something.
const LEAST_RISE: f64 = 1e-3;

impl Schedule {
    /// What an update is done with where the optimizer's rate is `lr`; `watch` is what a plateau has seen so far.
    pub fn rates(&self, lr: f64, at: Moment, watch: &PlateauWatch) -> Rates {
        let epoch = at.done();
        if epoch < self.warmup {
            let rise = (epoch / self.warmup).max(LEAST_RISE);
            return Rates {
                lr: lr * rise,
                momentum: None,
            };
        }
        let epochs = f64::from(at.epochs) - self.warmup;
        let epoch = epoch - self.warmup;
        let passed = epoch + ROUNDING;
        let progress = (epoch / epochs.max(1e-9)).clamp(0.0, 1.0);
        let factor = match &self.course {
            Course::Constant => 1.0,
            Course::Cosine { min } => {
                let share = 0.5 * (1.0 + (PI * progress).cos());
                if *min > 0.0 {
                    return Rates {
                        lr: min + (lr - min) * share,
                        momentum: None,
                    };
                }
                share
            }
            Course::Step { every, gamma } => gamma.powf((passed / every).floor()),
            Course::MultiStep { at, gamma } => {
                let dropped = at.iter().filter(|after| passed >= **after).count();
                gamma.powi(dropped as i32)
            }
            Course::Exponential { gamma } => gamma.powf(passed.floor()),
            Course::Polynomial { power } => (1.0 - progress).powf(*power),
            Course::OneCycle(cycle) => return cycle.rates(lr, at),
            Course::Plateau(_) => watch.factor,
        };
        Rates {
            lr: lr * factor,
            momentum: None,
        }
    }
}

impl OneCycle {
    /// OneCycleLR with as many steps as the stage has updates; `lr` is the highest rate.
    fn rates(&self, lr: f64, at: Moment) -> Rates {
        let per_epoch = at.updates_per_epoch.max(1);
        let total = (u64::from(at.epochs) * per_epoch) as f64;
        let step = (u64::from(at.epoch) * per_epoch + at.update) as f64;
        let first = lr / self.div_factor;
        let last = first / self.final_div_factor;
        let top = self.pct_start * total - 1.0;
        let [start, end, from, to, momentum_from, momentum_to] = if step <= top {
            [0.0, top, first, lr, self.max_momentum, self.base_momentum]
        } else {
            let end = total - 1.0;
            [top, end, lr, last, self.base_momentum, self.max_momentum]
        };
        // A stage of one update has no way from start to end.
        let share = if end > start {
            (step - start) / (end - start)
        } else {
            1.0
        };
        let momentum = self.between(momentum_from, momentum_to, share);
        Rates {
            lr: self.between(from, to, share),
            momentum: (!self.fixed_momentum).then_some(momentum),
        }
    }

    fn between(&self, from: f64, to: f64, share: f64) -> f64 {
        if self.linear {
            (to - from) * share + from
        } else {
            to + (from - to) / 2.0 * (1.0 + (PI * share).cos())
        }
    }
}
