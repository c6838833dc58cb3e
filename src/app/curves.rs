//! The curves of a run: loss and accuracy, step by step and epoch by epoch.

mod read;

use super::decimated_series::{Series, Smoothing};
use strata_core::project::data::Split;
use strata_engine::event::{EpochReport, StepReport};

/// One quantity: every step, its smoothed course, and the measurements on the validation split.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Every step's value.
    pub raw: Series,
    /// The smoothed course.
    pub smooth: Series,
    /// Step and value at the end of each epoch.
    pub valid: Vec<[f64; 2]>,
    smoothing: Smoothing,
}

impl Curve {
    fn new(longest: f64) -> Curve {
        Curve {
            raw: Series::default(),
            smooth: Series::default(),
            valid: Vec::new(),
            smoothing: Smoothing::new(longest),
        }
    }

    fn push(&mut self, step: f64, value: f64) {
        self.raw.push(step, value);
        self.smooth.push(step, self.smoothing.next(value));
    }

    /// Ends the line here: what follows is another stage.
    fn cut(&mut self) {
        if let Some(end) = self.raw.end() {
            self.raw.push(end, f64::NAN);
            self.smooth.push(end, f64::NAN);
            self.smoothing.reset();
        }
    }

    /// The measurements as lines, one for each stage: a line from one loss to another says nothing.
    pub fn valid_lines(&self, stages: &[StageMark]) -> Vec<&[[f64; 2]]> {
        let stage_of = |point: &[f64; 2]| stages.iter().rposition(|stage| stage.step < point[0]);
        self.valid
            .chunk_by(|a, b| stage_of(a) == stage_of(b))
            .collect()
    }

    /// True when there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty() && self.valid.is_empty()
    }
}

/// Where a stage begins.
#[derive(Clone, Debug, PartialEq)]
pub struct StageMark {
    /// Steps taken before it.
    pub step: f64,
    /// Its name.
    pub name: String,
    /// Steps of one of its epochs, for an axis in epochs.
    pub steps_per_epoch: u64,
    /// Epochs before it.
    pub epochs_before: f64,
}

/// All curves of a run.
#[derive(Clone, Debug)]
pub struct Curves {
    /// The loss.
    pub loss: Curve,
    /// The share classified right; empty when nothing is classified.
    pub accuracy: Curve,
    /// The beginnings of the stages.
    pub stages: Vec<StageMark>,
    /// The newest step told of, be it by an epoch: single steps may be left out.
    taken: f64,
}

/// Steps that the smoothed line takes the mean of, at most.
const SMOOTHING: f64 = 25.0;

impl Default for Curves {
    fn default() -> Curves {
        Curves {
            loss: Curve::new(SMOOTHING),
            accuracy: Curve::new(SMOOTHING),
            stages: Vec::new(),
            taken: 0.0,
        }
    }
}

impl Curves {
    /// A stage begins.
    pub fn stage(&mut self, name: &str, steps_per_epoch: u64) {
        let step = self.taken;
        let epochs_before = self.epoch_at(step);
        if !self.stages.is_empty() {
            self.loss.cut();
            self.accuracy.cut();
        }
        self.stages.push(StageMark {
            step,
            name: name.to_owned(),
            steps_per_epoch,
            epochs_before,
        });
    }

    /// A step was taken.
    pub fn step(&mut self, report: &StepReport) {
        self.taken = self.taken.max(report.step as f64);
        self.loss.push(report.step as f64, report.loss);
        if let Some(accuracy) = report.accuracy {
            self.accuracy.push(report.step as f64, accuracy);
        }
    }

    /// An epoch ended.
    pub fn epoch(&mut self, report: &EpochReport) {
        let step = report.step as f64;
        self.taken = self.taken.max(step);
        for (_, metrics) in report
            .metrics
            .iter()
            .filter(|(split, _)| *split == Split::Valid)
        {
            self.loss.valid.push([step, metrics.loss]);
            if let Some(accuracy) = metrics.accuracy {
                self.accuracy.valid.push([step, accuracy]);
            }
        }
    }

    /// Epochs passed at this step, all stages counted.
    pub fn epoch_at(&self, step: f64) -> f64 {
        let stage = self.stages.iter().rev().find(|stage| stage.step <= step);
        stage.map_or(0.0, |stage| {
            stage.epochs_before + (step - stage.step) / stage.steps_per_epoch.max(1) as f64
        })
    }

    /// The step at which so many epochs had passed: the inverse of [`Curves::epoch_at`].
    pub fn step_at(&self, epoch: f64) -> f64 {
        let stage = self
            .stages
            .iter()
            .rev()
            .find(|stage| stage.epochs_before <= epoch);
        stage.map_or(0.0, |stage| {
            stage.step + (epoch - stage.epochs_before) * stage.steps_per_epoch.max(1) as f64
        })
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.taken as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_cut_the_line_and_count_epochs() {
        let mut curves = Curves::default();
        let report = |step| StepReport {
            stage: 0,
            epoch: 1,
            step,
            step_in_epoch: step,
            loss: 1.0 / step as f64,
            accuracy: None,
            lr: 1e-3,
            images_per_second: 0.0,
            seconds_left: 0.0,
        };
        curves.stage("pretrain", 10);
        (1..=20).for_each(|step| curves.step(&report(step)));
        curves.stage("classify", 5);
        (21..=30).for_each(|step| curves.step(&report(step)));
        assert_eq!(curves.loss.raw.visible(0.0..=30.0, 1000).len(), 2);
        assert_eq!(
            (
                curves.epoch_at(10.0),
                curves.epoch_at(20.0),
                curves.epoch_at(30.0)
            ),
            (1.0, 2.0, 4.0)
        );
        for step in [0.0, 5.0, 10.0, 19.0, 23.0, 30.0] {
            assert_eq!(curves.step_at(curves.epoch_at(step)), step);
        }
    }
}
