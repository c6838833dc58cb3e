//! The steps and the measurements of a run as values, from the tables that this version or an earlier one wrote.

use super::metrics_csv::holds_penalty;
use super::run_tables::{TableRow, each_metrics_row, each_step_row};
use crate::event::Metrics;
use std::path::Path;
use strata_core::project::data::Split;
use strata_design::advice::EpochFigures;

/// A row of `steps.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct StepLine<'a> {
    /// Step over the whole run from 1.
    pub step: f64,
    /// The stage's name.
    pub stage: &'a str,
    /// Epoch from 1.
    pub epoch: Option<f64>,
    /// The loss: without the penalty, unless an earlier version wrote the table ([`holds_penalty`]).
    pub loss: f64,
    /// Learning rate.
    pub lr: Option<f64>,
    /// The stage's penalty.
    pub penalty: Option<f64>,
    /// The fraction of the batch that is classified correctly.
    pub accuracy: Option<f64>,
}

/// A row of `metrics.csv`: what was measured on one split.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The stage's name.
    pub stage: String,
    /// Epoch from 1.
    pub epoch: Option<f64>,
    /// Steps taken over the whole run.
    pub step: f64,
    /// The split's name.
    pub split: String,
    /// Whether the stage is trained on this split.
    pub is_trained: bool,
    /// The loss without the penalty.
    pub loss: Option<f64>,
    /// The fraction that is classified correctly.
    pub accuracy: Option<f64>,
    /// Where an image may have several labels: F1, the mean over the labels.
    pub f1: Option<f64>,
    /// Where an image may have several labels: the fraction of images of which every one is right.
    pub exact_match: Option<f64>,
    /// Mean negative logarithm of the right class's probability.
    pub log_loss: Option<f64>,
    /// Training time since the run began.
    pub seconds: Option<f64>,
}

/// Passes every step of a run to `take`; returns whether their losses include the penalty.
pub fn each_step(run: &Path, mut take: impl FnMut(StepLine<'_>)) -> bool {
    let columns = each_step_row(run, |row| {
        let (Some(step), Some(stage)) = (row.number("step"), row.text("stage")) else {
            return;
        };
        take(StepLine {
            step,
            stage,
            epoch: row.number("epoch"),
            loss: row.number("loss").unwrap_or(f64::NAN),
            lr: row.number("lr"),
            penalty: row.number("penalty"),
            accuracy: row.number("accuracy"),
        });
    });
    holds_penalty(&columns)
}

/// Every measurement of a run, in order.
pub fn measurements(run: &Path) -> Vec<Measurement> {
    let mut measured = Vec::new();
    each_metrics_row(run, |row| measured.extend(measurement(&row)));
    measured
}

/// What an epoch of a stage measured on a split.
pub fn of_epoch(run: &Path, stage: &str, epoch: u32, split: Split) -> Option<Metrics> {
    let mut all = measurements(run).into_iter();
    let found = all.find(|row| {
        row.stage == stage && row.epoch == Some(f64::from(epoch)) && row.split == split.name()
    })?;
    Some(Metrics {
        loss: found.loss?,
        accuracy: found.accuracy,
        f1: found.f1,
        exact_match: found.exact_match,
        log_loss: found.log_loss,
        ..Metrics::default()
    })
}

fn measurement(row: &TableRow<'_>) -> Option<Measurement> {
    let split = row.text("split")?;
    Some(Measurement {
        stage: row.text("stage").unwrap_or_default().to_owned(),
        epoch: row.number("epoch"),
        step: row.number("step")?,
        split: split.to_owned(),
        // The learning rate is written for the split that is trained on.
        is_trained: row.number("lr").is_some() || split == "train",
        loss: row.number("loss"),
        accuracy: row.number("accuracy"),
        f1: row.number("f1"),
        exact_match: row.number("exact_match"),
        log_loss: row.number("log_loss"),
        seconds: row.number("seconds"),
    })
}

/// What every epoch measured; measurements without an epoch, a known split or a loss are left out.
pub fn epoch_figures(measurements: &[Measurement]) -> Vec<EpochFigures> {
    measurements.iter().filter_map(figures).collect()
}

fn figures(measured: &Measurement) -> Option<EpochFigures> {
    let is_split = |split: &Split| split.name() == measured.split;
    Some(EpochFigures {
        stage: measured.stage.clone(),
        epoch: measured.epoch? as u32,
        split: Split::ALL.into_iter().find(is_split)?,
        loss: measured.loss?,
        accuracy: measured.accuracy,
        f1: measured.f1,
        exact_match: measured.exact_match,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_torn_rows_end_nothing() {
        let run = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(run.path().join(name), text).unwrap();
        write(
            "steps.csv",
            "step,stage,epoch,loss,lr,penalty,accuracy\n1,a,1,0.5,1,0.25,\n2,a,1,inf,1,,1\n3",
        );
        let mut steps = Vec::new();
        let with_penalty = each_step(run.path(), |line| {
            steps.push((line.step, line.loss, line.penalty, line.accuracy));
        });
        assert!(!with_penalty);
        assert_eq!(
            steps,
            [
                (1.0, 0.5, Some(0.25), None),
                (2.0, f64::INFINITY, None, Some(1.0))
            ]
        );
        write(
            "metrics.csv",
            "stage,epoch,step,split,loss,accuracy,log_loss,lr\na,1,2,unlabeled,0.5,,,0.1\na,1,2,valid,0.7,,,\n",
        );
        let measured = measurements(run.path());
        let splits: Vec<_> = measured
            .iter()
            .map(|line| (line.split.as_str(), line.is_trained, line.loss))
            .collect();
        assert_eq!(
            splits,
            [("unlabeled", true, Some(0.5)), ("valid", false, Some(0.7))]
        );
        let figures = epoch_figures(&measured);
        assert_eq!(figures.len(), 2, "{figures:?}");
        assert_eq!((figures[1].epoch, figures[1].split), (1, Split::Valid));
        write("steps.csv", "step,stage,epoch,loss,lr\n1,a,1,0.5,1\n");
        assert!(each_step(run.path(), |_| {}));
        assert!(!each_step(&run.path().join("none"), |_| {}));
    }
}
