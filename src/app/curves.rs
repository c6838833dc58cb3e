//! The curves of a run: loss and accuracy, step by step and epoch by epoch.

mod curve;
mod odd;
mod quantity;
mod read;

use curve::Line;
pub use curve::{Best, Curve, Headline, ValuesAt, by_stage};
pub use odd::{Extent, OddSteps, OddValues};
pub use quantity::Quantity;
use strata_core::format;
use strata_core::project::data::Split;
use strata_design::advice::EpochFigures;
use strata_engine::event::{EpochReport, Metrics, StepReport};
use strata_engine::storage::changes::Change;

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
    /// Its loss as the project has it, where the project is known: `mse`.
    pub loss: Option<String>,
}

/// All curves of a run.
#[derive(Clone, Debug)]
pub struct Curves {
    /// The loss.
    pub loss: Curve,
    /// The fraction classified correctly; empty when nothing is classified.
    pub accuracy: Curve,
    /// What sparsity adds to the loss of a step; empty in a run without.
    pub penalty: Curve,
    /// The mean negative logarithm of the right class's probability; empty when nothing is classified.
    pub log_loss: Curve,
    /// The learning rate of every step.
    pub lr: Curve,
    /// Whether the losses of the steps hold the penalty: earlier versions wrote them so.
    pub holds_penalty: bool,
    /// The beginnings of the stages.
    pub stages: Vec<StageMark>,
    /// Settings that were changed while it trained, by their steps.
    pub changes: Vec<Change>,
    /// Why changes are not known, where their file cannot be read.
    pub damage: Option<String>,
    /// What every epoch measured.
    pub figures: Vec<EpochFigures>,
    /// The newest step that was reported, with or without an epoch: single steps may be left out.
    taken: f64,
}

/// Steps after the first of the two, up to the second.
pub type Steps = [f64; 2];
/// All steps.
pub const ALL_STEPS: Steps = [-1.0, f64::INFINITY];
/// Steps that the smoothed line takes the mean of, at most, until somebody chooses.
pub const SMOOTHING: u32 = 25;
impl Default for Curves {
    fn default() -> Curves {
        Curves {
            loss: Curve::smoothed(SMOOTHING.into()),
            accuracy: Curve::smoothed(SMOOTHING.into()),
            penalty: Curve::smoothed(SMOOTHING.into()),
            log_loss: Curve::exact(),
            lr: Curve::exact(),
            holds_penalty: false,
            stages: Vec::new(),
            changes: Vec::new(),
            damage: None,
            figures: Vec::new(),
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
            self.penalty.cut();
            self.lr.cut();
        }
        self.stages.push(StageMark {
            step,
            name: name.to_owned(),
            steps_per_epoch,
            epochs_before,
            loss: None,
        });
    }

    /// Whether the stage of this name is the one that these curves end in.
    pub(super) fn goes_on(&self, stage: &str) -> bool {
        self.stages.last().is_some_and(|mark| mark.name == stage)
    }

    /// The steps of an epoch of the stage that began last.
    pub(super) fn set_steps_per_epoch(&mut self, steps: u64) {
        if let Some(mark) = self.stages.last_mut() {
            mark.steps_per_epoch = steps;
        }
    }

    /// Whether this epoch of the stage that began last was measured.
    pub(super) fn has_epoch(&self, epoch: u32) -> bool {
        let last = self.stages.last();
        let is_it = |figures: &EpochFigures| {
            figures.epoch == epoch && last.is_some_and(|mark| mark.name == figures.stage)
        };
        self.figures.iter().any(is_it)
    }

    /// The last epoch of a stage that was measured; 0 where none was.
    pub fn epochs_of(&self, stage: &str) -> u32 {
        let of_stage = self.figures.iter().filter(|figures| figures.stage == stage);
        of_stage.map(|figures| figures.epoch).max().unwrap_or(0)
    }

    /// The loss of the stage that began last.
    pub fn stage_loss(&mut self, loss: String) {
        if let Some(stage) = self.stages.last_mut() {
            stage.loss = Some(loss);
        }
    }

    /// The change that holds at a step, of those in its stage the latest.
    pub fn change_at(&self, step: f64) -> Option<&Change> {
        let start = self.stages.iter().rev().find(|stage| stage.step < step);
        let start = start.map_or(0.0, |stage| stage.step);
        let mut changes = self.changes.iter().rev();
        changes.find(|change| change.step as f64 <= step && change.step as f64 > start)
    }

    /// A step was taken.
    pub fn step(&mut self, report: &StepReport) {
        let step = report.step as f64;
        self.taken = self.taken.max(step);
        self.loss.push(step, report.loss);
        if let Some(accuracy) = report.accuracy {
            self.accuracy.push(step, accuracy);
        }
        if let Some(penalty) = report.penalty {
            self.penalty.push(step, penalty);
        }
        // A table of another program may have no such column.
        if !report.lr.is_nan() {
            self.lr.push(step, report.lr);
        }
    }

    /// Smooths the curves over at most so many steps; 1 smooths nothing.
    pub fn smooth_over(&mut self, steps: u32) {
        let longest = f64::from(steps);
        for curve in [&mut self.loss, &mut self.accuracy, &mut self.penalty] {
            curve.smooth_over(longest);
        }
    }

    /// Whether they are smoothed over so many steps.
    pub fn is_smoothed_over(&self, steps: u32) -> bool {
        self.loss.longest_smoothing() == Some(f64::from(steps.max(1)))
    }

    /// The stretches of the training whose losses are of one kind: those of another are no values on the same axis.
    pub fn kinds_of_loss(&self) -> Vec<Steps> {
        let kinds = self.stages.chunk_by(|a, b| a.loss == b.loss);
        let mut starts: Vec<f64> = kinds.map(|stages| stages[0].step).collect();
        if let Some(first) = starts.first_mut() {
            *first = ALL_STEPS[0];
        }
        let ends = starts.iter().skip(1).copied().chain([ALL_STEPS[1]]);
        starts
            .iter()
            .zip(ends)
            .map(|(start, end)| [*start, end])
            .collect()
    }

    /// The curve of a quantity.
    pub fn of(&self, quantity: Quantity) -> &Curve {
        match quantity {
            Quantity::Loss => &self.loss,
            Quantity::Accuracy => &self.accuracy,
            Quantity::LogLoss => &self.log_loss,
            Quantity::Penalty => &self.penalty,
            Quantity::LearningRate => &self.lr,
        }
    }

    /// An epoch ended.
    pub fn epoch(&mut self, report: &EpochReport) {
        let step = report.step as f64;
        self.taken = self.taken.max(step);
        self.note_figures(report);
        // The split that the stage is trained on comes first.
        for (index, (split, metrics)) in report.metrics.iter().enumerate() {
            if let Some(line) = Line::of(split.name(), index == 0) {
                let values = [Some(metrics.loss), metrics.accuracy, metrics.log_loss];
                self.measure(line, step, values);
            }
        }
    }

    fn note_figures(&mut self, report: &EpochReport) {
        let Some(stage) = self.stages.last().map(|stage| stage.name.clone()) else {
            return;
        };
        let of_split = |(split, metrics): &(Split, Metrics)| EpochFigures {
            stage: stage.clone(),
            epoch: report.epoch,
            split: *split,
            loss: metrics.loss,
            accuracy: metrics.accuracy,
            f1: metrics.f1,
            exact_match: metrics.exact_match,
        };
        self.figures.extend(report.metrics.iter().map(of_split));
    }

    /// Adds what was measured at the end of an epoch: loss, accuracy and log loss, as far as they apply.
    fn measure(&mut self, line: Line, step: f64, values: [Option<f64>; 3]) {
        let curves = [&mut self.loss, &mut self.accuracy, &mut self.log_loss];
        for (curve, value) in curves.into_iter().zip(values) {
            if let Some(value) = value {
                curve.measure(line, step, value);
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

    /// What was reached, in one line: `train loss 0.1234, 95.02 % · valid loss 0.2345, 91.00 % · test …`; empty before
    /// the first epoch is over.
    pub fn results(&self) -> String {
        let loss = self.loss.headlines(&self.stages);
        let accuracy = self.accuracy.headlines(&self.stages);
        let part = |line: &Headline| {
            let same = |other: &&Headline| other.name == line.name && other.step == line.step;
            let accuracy = accuracy
                .iter()
                .find(same)
                .map_or_else(String::new, |line| format!(", {:.2} %", 100.0 * line.value));
            let labels = self.of_labels(line.name);
            let loss = format::loss(line.value);
            format!("{} loss {loss}{accuracy}{labels}", line.name)
        };
        let measured = loss.iter().filter(|line| line.name != "batch");
        measured.map(part).collect::<Vec<_>>().join(" · ")
    }

    /// What was measured last of several labels an image: `, F1 91.20 %, exact match 80.00 %`.
    fn of_labels(&self, split: &str) -> String {
        let mut newest = self.figures.iter().rev();
        let Some(figures) = newest.find(|figures| figures.split.name() == split) else {
            return String::new();
        };
        let shares = [("F1", figures.f1), ("exact match", figures.exact_match)];
        let shares = shares
            .iter()
            .filter_map(|(name, share)| Some((name, (*share)?)));
        let parts = shares.map(|(name, share)| format!(", {name} {:.2} %", 100.0 * share));
        parts.collect()
    }

    /// The epoch of the newest stage that was best on the validation images: by accuracy where it classifies, else by loss.
    pub fn best(&self) -> Option<Best> {
        let stage = &self.stages.last()?.name;
        let of_stage = |figures: &&EpochFigures| {
            figures.stage == *stage && figures.split == Split::Valid && !figures.loss.is_nan()
        };
        let measured = self.figures.iter().filter(of_stage);
        let best = measured.map(|figures| Best {
            epoch: figures.epoch,
            value: figures.accuracy.unwrap_or(figures.loss),
            is_accuracy: figures.accuracy.is_some(),
        });
        best.reduce(|best, other| match other.is_better_than(&best) {
            true => other,
            false => best,
        })
    }

    /// True when no step was taken and nothing measured.
    pub fn is_empty(&self) -> bool {
        self.loss.is_empty() && self.accuracy.is_empty()
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.taken as u64
    }
}

#[cfg(test)]
mod tests;
