//! The curves of a run: loss and accuracy, step by step and epoch by epoch.

mod odd;
mod quantity;
mod read;

use super::decimated_series::{Series, Smoothing};
pub use odd::{Extent, OddSteps, OddValues};
pub use quantity::Quantity;
use strata_core::format;
use strata_core::project::data::Split;
use strata_design::advice::EpochFigures;
use strata_engine::event::{EpochReport, Metrics, StepReport};

/// One quantity: every step of the training, its smoothed course, and what was measured once an epoch.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Every step's value.
    pub raw: Series,
    /// The running mean of the steps' values; empty where a step's value is exact and not one of a batch.
    pub smooth: Series,
    /// Step and value at the end of each epoch: the mean over the epoch's batches.
    pub train: Vec<[f64; 2]>,
    /// The same on the validation split.
    pub valid: Vec<[f64; 2]>,
    /// The same on the test split.
    pub test: Vec<[f64; 2]>,
    /// What no axis, or no logarithmic axis, has a place for.
    pub odd: OddValues,
    /// From where to where the values go.
    pub extent: Extent,
    /// From where to where the smoothed course and the measurements on the validation split go.
    pub course: Extent,
    smoothing: Option<Smoothing>,
    /// Points of the smoothed course: finite ones, and those of values above 0.
    smooth_points: [u64; 2],
    /// The newest step and its value.
    newest: Option<[f64; 2]>,
}

/// The last value of a line as it was measured, never smoothed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Headline {
    /// The line: `train`, `valid`, `test`, or `batch` for a single step.
    pub name: &'static str,
    /// The step it was measured after.
    pub step: f64,
    /// The value.
    pub value: f64,
}

/// The values of a curve where a step is looked at, each with its own step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ValuesAt {
    /// The step's own value.
    pub batch: Option<[f64; 2]>,
    /// What was measured nearest to it in the same stage: train, valid, test.
    pub measured: [Option<[f64; 2]>; 3],
}

impl Curve {
    /// Of values that scatter from batch to batch: a running mean over at most `longest` steps shows their course.
    fn smoothed(longest: f64) -> Curve {
        Curve {
            smoothing: Some(Smoothing::new(longest)),
            ..Curve::exact()
        }
    }

    /// Of values that are exact at every step.
    fn exact() -> Curve {
        Curve {
            raw: Series::default(),
            smooth: Series::default(),
            train: Vec::new(),
            valid: Vec::new(),
            test: Vec::new(),
            odd: OddValues::default(),
            extent: Extent::default(),
            course: Extent::default(),
            smoothing: None,
            smooth_points: [0; 2],
            newest: None,
        }
    }

    fn push(&mut self, step: f64, value: f64) {
        self.raw.push(step, value);
        if let Some(smoothing) = &mut self.smoothing {
            let smooth = smoothing.next(value);
            self.smooth.push(step, smooth);
            let [finite, above_zero] = &mut self.smooth_points;
            *finite += u64::from(smooth.is_finite());
            *above_zero += u64::from(smooth.is_finite() && value > 0.0);
            // On a logarithmic axis a running mean is not drawn over a zero.
            if value > 0.0 {
                self.course.add(smooth);
            }
        } else {
            self.course.add(value);
        }
        self.odd.steps.add(step, value);
        self.extent.add(value);
        self.newest = Some([step, value]);
    }

    /// Takes the running mean over at most so many steps; what was measured once an epoch stays as it is.
    fn smooth_over(&mut self, longest: f64) {
        let Some(smoothing) = &mut self.smoothing else {
            return;
        };
        if smoothing.longest() == longest.max(1.0) {
            return;
        }
        *smoothing = Smoothing::new(longest);
        self.smooth = self.raw.smoothed(smoothing);
        self.course = Extent::default();
        for ([_, value], [_, smooth]) in self.raw.points().zip(self.smooth.points()) {
            if value > 0.0 {
                self.course.add(smooth);
            }
        }
        for [_, value] in &self.valid {
            self.course.add(*value);
        }
    }

    /// From where to where an axis goes that shows the course after one step and up to another: the first steps of a
    /// training, far from all later ones, may lie outside of it. A logarithmic axis has room for all values.
    pub fn shown(&self, log: bool, [after, until]: Steps) -> Extent {
        let is_whole = after < 0.0 && until.is_infinite();
        if log && is_whole {
            return self.extent;
        }
        let is_inside = |point: &[f64; 2]| point[0] > after && point[0] <= until;
        let is_smoothed = !log && self.smoothing.is_some();
        let series = match is_smoothed && !self.smooth.is_empty() {
            true => &self.smooth,
            false => &self.raw,
        };
        let end = series.end().unwrap_or(0.0).min(until);
        let pieces = series.visible(after.max(0.0)..=end.max(0.0), SAMPLED);
        let inside = pieces.into_iter().flatten().filter(is_inside);
        let mut values: Vec<f64> = inside.map(|point| point[1]).collect();
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let outside = match is_smoothed && values.len() >= FEW {
            true => values.len() / FAR,
            false => 0,
        };
        let mut shown = Extent::default();
        for value in &values[outside..values.len() - outside] {
            shown.add(*value);
        }
        let lines = self.lines();
        let measured = lines.iter().flat_map(|(_, points)| points.iter());
        for [_, value] in measured.filter(|point| is_inside(point)) {
            shown.add(*value);
        }
        shown
    }

    /// Adds what was measured once an epoch.
    fn measure(&mut self, line: Line, step: f64, value: f64) {
        let points = match line {
            Line::Train => &mut self.train,
            Line::Valid => {
                self.course.add(value);
                &mut self.valid
            }
            Line::Test => &mut self.test,
        };
        points.push([step, value]);
        self.odd.epochs.add(step, value);
        self.extent.add(value);
    }

    /// Ends the line here: what follows is another stage.
    fn cut(&mut self) {
        if let Some(end) = self.raw.end() {
            self.raw.push(end, f64::NAN);
            if let Some(smoothing) = &mut self.smoothing {
                self.smooth.push(end, f64::NAN);
                smoothing.reset();
            }
        }
    }

    /// The newest step and its value.
    pub fn newest(&self) -> Option<[f64; 2]> {
        self.newest
    }

    /// Steps that the end of the smoothed line is the mean of; 1 where no such line is drawn. `log`: on a logarithmic
    /// axis, which has no place for zeros.
    pub fn smoothed_over(&self, log: bool) -> u64 {
        let [finite, above_zero] = self.smooth_points;
        let points = if log { above_zero } else { finite };
        let smoothing = self.smoothing.as_ref().filter(|_| points > 1);
        smoothing.map_or(1, Smoothing::memory)
    }

    /// The values nearest to `step` as they were measured, never smoothed, all of the stage that the step is in.
    pub fn at(&self, step: f64, stages: &[StageMark]) -> ValuesAt {
        let stage = stage_of(stages, &[step.max(1.0), 0.0]);
        let is_same = |point: &[f64; 2]| stage_of(stages, point) == stage;
        let measured = |(_, points): (&str, &[[f64; 2]])| {
            let start = points.partition_point(|point| stage_of(stages, point) < stage);
            let of_stage = points.iter().skip(start).take_while(|point| is_same(point));
            let distance = |point: &[f64; 2]| (point[0] - step).abs();
            of_stage
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
                .copied()
        };
        ValuesAt {
            batch: self.raw.nearest(step).filter(is_same),
            measured: self.lines().map(measured),
        }
    }

    /// The lines of what was measured once an epoch, with their names.
    pub fn lines(&self) -> [(&'static str, &[[f64; 2]]); 3] {
        [
            ("train", &self.train),
            ("valid", &self.valid),
            ("test", &self.test),
        ]
    }

    /// The last values as they were measured, all of the newest stage; of a stage whose first epoch is not over yet
    /// its last batch.
    pub fn headlines(&self, stages: &[StageMark]) -> Vec<Headline> {
        let batch = self.newest;
        let ends = self.lines().map(|(_, points)| points.last().copied());
        let newest = ends.iter().flatten().chain(&batch);
        let Some(newest) = newest.map(|point| stage_of(stages, point)).max() else {
            return Vec::new();
        };
        let is_new = |point: &[f64; 2]| stage_of(stages, point) == newest;
        let headline = |name, point: Option<[f64; 2]>| {
            let [step, value] = point.filter(is_new)?;
            Some(Headline { name, step, value })
        };
        let [train, valid, test] = ends;
        let first = headline("train", train).or_else(|| headline("batch", batch));
        [first, headline("valid", valid), headline("test", test)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// True when there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty() && self.lines().iter().all(|(_, points)| points.is_empty())
    }
}

/// What was best on the validation images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// The epoch of its stage, from 1.
    pub epoch: u32,
    /// The accuracy or the loss.
    pub value: f64,
    /// Whether it is an accuracy: then more is better.
    pub is_accuracy: bool,
}

impl Best {
    fn is_better_than(&self, other: &Best) -> bool {
        match self.is_accuracy {
            true => self.value > other.value,
            false => self.value < other.value,
        }
    }

    /// The value as text.
    pub fn text(&self) -> String {
        match self.is_accuracy {
            true => format!("{:.2} %", 100.0 * self.value),
            false => format::loss(self.value),
        }
    }
}

/// A line of what is measured once an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Train,
    Valid,
    Test,
}

impl Line {
    fn of(split: &str, is_trained: bool) -> Option<Line> {
        match split {
            "valid" => Some(Line::Valid),
            _ if is_trained => Some(Line::Train),
            "test" => Some(Line::Test),
            _ => None,
        }
    }
}

fn stage_of(stages: &[StageMark], point: &[f64; 2]) -> Option<usize> {
    stages.iter().rposition(|stage| stage.step < point[0])
}

/// Measurements as lines, one for each stage: a line from one loss to another says nothing.
pub fn by_stage<'a>(points: &'a [[f64; 2]], stages: &[StageMark]) -> Vec<&'a [[f64; 2]]> {
    points
        .chunk_by(|a, b| stage_of(stages, a) == stage_of(stages, b))
        .collect()
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
/// Places at which a curve is looked at to find the range of an axis.
const SAMPLED: usize = 1000;
/// A curve of fewer places is shown whole.
const FEW: usize = 40;
/// One value of so many may lie outside of an axis, at either end.
const FAR: usize = 20;

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
        let longest = self.loss.smoothing.map(|smoothing| smoothing.longest());
        longest == Some(f64::from(steps.max(1)))
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
            format!("{} loss {}{accuracy}", line.name, format::loss(line.value))
        };
        let measured = loss.iter().filter(|line| line.name != "batch");
        measured.map(part).collect::<Vec<_>>().join(" · ")
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
