//! One quantity of a run: what is drawn of it, and what was measured last.

use super::odd::{Extent, OddValues};
use super::{StageMark, Steps};
use crate::decimated_series::{Series, Smoothing};
use strata_core::format;

/// Places at which a curve is looked at to find the range of an axis.
const SAMPLED: usize = 1000;
/// A curve of fewer places is shown whole.
const FEW: usize = 40;
/// One value of so many may lie outside of an axis, at either end.
const FAR: usize = 20;

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
    pub(super) fn smoothed(longest: f64) -> Curve {
        Curve {
            smoothing: Some(Smoothing::new(longest)),
            ..Curve::exact()
        }
    }

    /// Of values that are exact at every step.
    pub(super) fn exact() -> Curve {
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

    pub(super) fn push(&mut self, step: f64, value: f64) {
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

    /// Over how many steps the running mean goes at most; `None` where there is none.
    pub(super) fn longest_smoothing(&self) -> Option<f64> {
        self.smoothing.map(|smoothing| smoothing.longest())
    }

    /// Takes the running mean over at most so many steps; what was measured once an epoch stays as it is.
    pub(super) fn smooth_over(&mut self, longest: f64) {
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
        let outside = match is_smoothed && values.len() >= FEW {
            true => values.len() / FAR,
            false => 0,
        };
        let mut shown = Extent::default();
        for value in without_far(&mut values, outside) {
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
    pub(super) fn measure(&mut self, line: Line, step: f64, value: f64) {
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
    pub(super) fn cut(&mut self) {
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

/// Values in any order, without so many of the least and as many of the largest.
fn without_far(values: &mut [f64], outside: usize) -> &[f64] {
    let inside = outside..values.len() - outside;
    if outside > 0 && !inside.is_empty() {
        values.select_nth_unstable_by(inside.start, f64::total_cmp);
        values[inside.start..].select_nth_unstable_by(inside.len() - 1, f64::total_cmp);
    }
    &values[inside]
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
    pub(super) fn is_better_than(&self, other: &Best) -> bool {
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
pub(super) enum Line {
    Train,
    Valid,
    Test,
}

impl Line {
    pub(super) fn of(split: &str, is_trained: bool) -> Option<Line> {
        match split {
            "valid" => Some(Line::Valid),
            _ if is_trained => Some(Line::Train),
            "test" => Some(Line::Test),
            _ => None,
        }
    }
}

pub(super) fn stage_of(stages: &[StageMark], point: &[f64; 2]) -> Option<usize> {
    stages.iter().rposition(|stage| stage.step < point[0])
}

/// Measurements as lines, one for each stage: a line from one loss to another says nothing.
pub fn by_stage<'a>(points: &'a [[f64; 2]], stages: &[StageMark]) -> Vec<&'a [[f64; 2]]> {
    points
        .chunk_by(|a, b| stage_of(stages, a) == stage_of(stages, b))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_of_the_least_as_of_the_largest_are_left_out() {
        let values: Vec<f64> = (0..101u64).map(|value| (value * 37 % 101) as f64).collect();
        for outside in [0, 1, 5, 50] {
            let mut values = values.clone();
            let mut inside = without_far(&mut values, outside).to_vec();
            inside.sort_by(f64::total_cmp);
            let sorted: Vec<f64> = (outside..101 - outside).map(|value| value as f64).collect();
            assert_eq!(inside, sorted);
        }
        assert!(without_far(&mut [], 0).is_empty());
    }
}
