//! The steps and the measurements of a run as values, from the tables that this version or an earlier one wrote.

use super::metrics_csv::{STEPS_FILE, holds_penalty};
use super::run_tables::{each_metrics_row, each_step_row};
use std::path::Path;

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
    /// The stage's penalty.
    pub penalty: Option<f64>,
    /// Share of the batch classified right.
    pub accuracy: Option<f64>,
}

/// A row of `metrics.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsLine<'a> {
    /// The stage's name.
    pub stage: &'a str,
    /// Epoch from 1.
    pub epoch: Option<f64>,
    /// Steps taken over the whole run.
    pub step: f64,
    /// The split's name.
    pub split: &'a str,
    /// Whether the stage is trained on this split.
    pub is_trained: bool,
    /// The loss without the penalty.
    pub loss: Option<f64>,
    /// Share classified right.
    pub accuracy: Option<f64>,
}

/// Gives every step of a run; tells whether their losses hold the penalty.
pub fn each_step(run: &Path, mut take: impl FnMut(StepLine<'_>)) -> bool {
    each_step_row(run, |row| {
        let (Some(step), Some(stage)) = (row.number("step"), row.text("stage")) else {
            return;
        };
        take(StepLine {
            step,
            stage,
            epoch: row.number("epoch"),
            loss: row.number("loss").unwrap_or(f64::NAN),
            penalty: row.number("penalty"),
            accuracy: row.number("accuracy"),
        });
    });
    holds_penalty(&run.join(STEPS_FILE))
}

/// Gives every measurement of a run.
pub fn each_measurement(run: &Path, mut take: impl FnMut(MetricsLine<'_>)) {
    each_metrics_row(run, |row| {
        let (Some(step), Some(split)) = (row.number("step"), row.text("split")) else {
            return;
        };
        take(MetricsLine {
            stage: row.text("stage").unwrap_or_default(),
            epoch: row.number("epoch"),
            step,
            split,
            // The learning rate is written for the split that is trained on.
            is_trained: row.number("lr").is_some() || split == "train",
            loss: row.number("loss"),
            accuracy: row.number("accuracy"),
        });
    });
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
        let mut splits = Vec::new();
        each_measurement(run.path(), |line| {
            splits.push((line.split.to_owned(), line.is_trained, line.loss));
        });
        assert_eq!(
            splits,
            [
                ("unlabeled".to_owned(), true, Some(0.5)),
                ("valid".to_owned(), false, Some(0.7))
            ]
        );
        write("steps.csv", "step,stage,epoch,loss,lr\n1,a,1,0.5,1\n");
        assert!(each_step(run.path(), |_| {}));
        assert!(!each_step(&run.path().join("none"), |_| {}));
    }
}
