//! How far the run of a trial is, read from its folder.

use super::folder::SweepFolder;
use std::path::{Path, PathBuf};
use strata_core::project::data::Split;
use strata_core::project::sweep::{Measure, Metric};
use strata_engine::storage::metrics_read::{Measurement, measurements};
use strata_engine::storage::record::{RunRecord, Status};
use strata_engine::storage::run_folder::checkpoint;

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunProgress {
    /// Its folder, where it was begun.
    pub folder: Option<PathBuf>,
    /// What its record says.
    pub record: Option<RunRecord>,
    /// What each epoch measured, in order.
    pub epochs: Vec<Vec<Measurement>>,
    /// Why it could not begin.
    pub refusal: Option<String>,
}

impl RunProgress {
    /// Reads the run of this name; of several folders the one that is furthest.
    pub fn read(folder: &SweepFolder, name: &str) -> RunProgress {
        let all = folder.places(name).into_iter();
        let begun = all.filter_map(|place| RunProgress::of(&place));
        // The first of those that are equally far.
        let furthest = begun.reduce(|best, other| match other.rank() > best.rank() {
            true => other,
            false => best,
        });
        let mut progress = furthest.unwrap_or_default();
        if !progress.is_completed() {
            progress.refusal = folder.refusal(name);
        }
        progress
    }

    fn of(run: &Path) -> Option<RunProgress> {
        let record = RunRecord::read(run).ok()?;
        // Measurements behind the checkpoint are measured again when the run goes on.
        let mut epochs: Vec<Vec<Measurement>> = Vec::new();
        for row in measurements(run)
            .into_iter()
            .filter(|row| row.epoch.is_some())
        {
            match epochs.last_mut() {
                Some(last) if is_same_epoch(&last[0], &row) => {
                    last.push(row);
                }
                _ => epochs.push(vec![row]),
            }
        }
        Some(RunProgress {
            folder: Some(run.to_owned()),
            record: Some(record),
            epochs,
            refusal: None,
        })
    }

    fn rank(&self) -> (bool, usize, u64) {
        let steps = self.record.as_ref().map_or(0, |record| record.steps);
        (self.is_completed(), self.epochs.len(), steps)
    }

    fn is(&self, status: Status) -> bool {
        self.record
            .as_ref()
            .is_some_and(|record| record.status == status)
    }

    /// Whether every stage was trained.
    pub fn is_completed(&self) -> bool {
        self.is(Status::Completed)
    }

    /// Why it will not go on by itself.
    pub fn failure(&self) -> Option<String> {
        if let Some(refusal) = &self.refusal {
            return Some(refusal.clone());
        }
        let record = self.record.as_ref().filter(|_| self.is(Status::Failed))?;
        let message = record.message.clone();
        Some(message.unwrap_or_else(|| "the run failed".to_owned()))
    }

    /// Whether it trains no further.
    pub fn is_over(&self) -> bool {
        self.is_completed() || self.failure().is_some()
    }

    /// Whether it was trained and measured for so many epochs, or to its end.
    pub fn has_reached(&self, epochs: u32) -> bool {
        let stopped = self.is(Status::Stopped) || self.is_completed();
        self.is_over() || stopped && self.epochs.len() >= epochs as usize
    }

    /// What the last measured epoch, or the one of this number from 1, gave on a split.
    pub fn value(&self, split: Split, measure: Measure, epoch: Option<u32>) -> Option<f64> {
        let place = epoch.map_or(self.epochs.len(), |epoch| {
            self.epochs.len().min(epoch as usize)
        });
        let measured = self.epochs.get(place.checked_sub(1)?)?;
        measured.iter().find_map(|row| of_row(row, split, measure))
    }

    /// The value that ranks it, up to an epoch or of all there are.
    pub fn ranked(&self, metric: Metric, epoch: Option<u32>) -> Option<f64> {
        if !metric.is_best {
            return self.value(metric.split, metric.measure, epoch);
        }
        let most = epoch.map_or(usize::MAX, |epoch| epoch as usize);
        let epochs = &self.epochs[..self.epochs.len().min(most)];
        let stage = &epochs.last()?.first()?.stage;
        let of_stage = epochs.iter().flatten().filter(|row| row.stage == *stage);
        let values = of_stage.filter_map(|row| of_row(row, metric.split, metric.measure));
        values.reduce(|best, value| match metric.measure.is_more_better() {
            true => best.max(value),
            false => best.min(value),
        })
    }

    /// The splits that were measured.
    pub fn splits(&self) -> Vec<Split> {
        let has = |split: &Split| {
            let mut rows = self.epochs.iter().flatten();
            rows.any(|row| row.split == split.name())
        };
        Split::ALL.into_iter().filter(has).collect()
    }
}

/// Whether two measurements were made at the end of one epoch.
fn is_same_epoch(one: &Measurement, other: &Measurement) -> bool {
    one.stage == other.stage && one.epoch == other.epoch && one.step == other.step
}

fn of_row(row: &Measurement, split: Split, measure: Measure) -> Option<f64> {
    if row.split != split.name() {
        return None;
    }
    match measure {
        Measure::Loss => row.loss,
        Measure::Accuracy => row.accuracy,
        Measure::LogLoss => row.log_loss,
        Measure::F1 => row.f1,
        Measure::ExactMatch => row.exact_match,
    }
}

/// Whether a run can go on from a checkpoint in this folder.
pub(crate) fn can_resume(run: &Path) -> bool {
    checkpoint(run, "last").is_file()
}
