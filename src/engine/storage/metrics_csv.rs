//! `metrics.csv` and `steps.csv`: rows appended while training, cut back when a run is resumed.
//!
//! Numbers are written as the shortest text that reads back to the same value, so equal runs give
//! equal rows. Rows of steps that a checkpoint does not have (the process died after it) are
//! dropped on resuming: they will be written again. Fails as files do.

use crate::event::Metrics;
use csv::StringRecord;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use strata_core::atomic_write::write_atomic;
use strata_core::files;
use strata_core::project::data::Split;

/// The file of what was measured, in a run's folder.
pub(crate) const METRICS_FILE: &str = "metrics.csv";
/// The file of the steps, in a run's folder.
pub(crate) const STEPS_FILE: &str = "steps.csv";
/// The columns of `metrics.csv`. All but the last repeat exactly between runs.
pub(crate) const METRICS: [&str; 9] = [
    "stage", "epoch", "step", "split", "loss", "accuracy", "log_loss", "lr", "seconds",
];
/// The same where an image may have several labels.
pub(crate) const METRICS_OF_LABELS: [&str; 11] = [
    "stage",
    "epoch",
    "step",
    "split",
    "loss",
    "accuracy",
    "f1",
    "exact_match",
    "log_loss",
    "lr",
    "seconds",
];
/// The columns of `steps.csv`. `penalty` is empty in a stage without sparsity, `accuracy` where nothing is classified.
pub const STEPS: [&str; 7] = [
    "step", "stage", "epoch", "loss", "lr", "penalty", "accuracy",
];
/// The columns of `steps.csv` in versions whose `loss` held the penalty. A run that one of them began keeps them when
/// it is resumed, so that a column has one meaning from its first row to its last.
pub(crate) const STEPS_WITH_PENALTY: [&str; 5] = ["step", "stage", "epoch", "loss", "lr"];

/// One row of `metrics.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsRow {
    /// The stage's name.
    pub stage: String,
    /// Epoch from 1.
    pub epoch: u32,
    /// Steps taken over the whole run.
    pub step: u64,
    /// What was measured.
    pub split: Split,
    /// The figures.
    pub metrics: Metrics,
    /// Learning rate of the epoch's last step; on the row of the training split.
    pub lr: Option<f64>,
    /// Training time since the run began.
    pub seconds: f64,
}

/// One row of `steps.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRow<'a> {
    /// Step over the whole run from 1.
    pub step: u64,
    /// The stage's name.
    pub stage: &'a str,
    /// Epoch from 1.
    pub epoch: u32,
    /// The batch's loss without its penalty.
    pub loss: f64,
    /// Learning rate.
    pub lr: f64,
    /// What the stage's sparsity adds to the loss.
    pub penalty: Option<f64>,
    /// The fraction of the batch classified correctly.
    pub accuracy: Option<f64>,
}

/// The two tables of a run.
pub struct MetricsWriter {
    metrics: csv::Writer<File>,
    steps: csv::Writer<File>,
    /// The table of metrics has those of several labels an image.
    with_labels: bool,
    /// The table of steps was begun by a version whose losses held the penalty.
    with_penalty: bool,
}

impl MetricsWriter {
    /// Starts both tables, or continues those of `run` after `step` steps. `with_labels`: an image may have several.
    pub fn open(run: &Path, step: u64, with_labels: bool) -> io::Result<MetricsWriter> {
        let metrics = run.join(METRICS_FILE);
        // A table that an earlier version began keeps its columns.
        let with_labels = match step {
            0 => with_labels,
            _ => columns_of(&metrics)
                .iter()
                .any(|column| column.trim() == "f1"),
        };
        let columns: &[&str] = if with_labels {
            &METRICS_OF_LABELS
        } else {
            &METRICS
        };
        let metrics = cut_back(&metrics, columns, 2, step)?;
        let steps = run.join(STEPS_FILE);
        let with_penalty = step > 0 && holds_penalty(&columns_of(&steps));
        let columns: &[&str] = if with_penalty {
            &STEPS_WITH_PENALTY
        } else {
            &STEPS
        };
        let steps = cut_back(&steps, columns, 0, step)?;
        Ok(MetricsWriter {
            metrics,
            steps,
            with_labels,
            with_penalty,
        })
    }

    /// Appends what was measured, and sees to it that it is on disk with all steps so far.
    pub fn metrics(&mut self, rows: &[MetricsRow]) -> io::Result<()> {
        for row in rows {
            let Metrics {
                loss,
                accuracy,
                log_loss,
                f1,
                exact_match,
                ..
            } = &row.metrics;
            let mut cells = vec![
                row.stage.clone(),
                row.epoch.to_string(),
                row.step.to_string(),
                row.split.name().to_owned(),
                loss.to_string(),
                optional(*accuracy),
            ];
            if self.with_labels {
                cells.extend([f1, exact_match].map(|share| optional(*share)));
            }
            cells.extend([
                optional(*log_loss),
                optional(row.lr),
                format!("{:.3}", row.seconds),
            ]);
            self.metrics.write_record(cells)?;
        }
        self.metrics.flush()?;
        self.steps.flush()
    }

    /// Appends one step; reaches the disk with [`MetricsWriter::flush`].
    pub fn step(&mut self, row: &StepRow<'_>) -> io::Result<()> {
        let [step, epoch] = [row.step, u64::from(row.epoch)].map(|n| n.to_string());
        let lr = row.lr.to_string();
        if self.with_penalty {
            let loss = (row.loss + row.penalty.unwrap_or(0.0)).to_string();
            return Ok(self
                .steps
                .write_record([&step, row.stage, &epoch, &loss, &lr])?);
        }
        let loss = row.loss.to_string();
        let [penalty, accuracy] = [row.penalty, row.accuracy].map(optional);
        Ok(self
            .steps
            .write_record([&step, row.stage, &epoch, &loss, &lr, &penalty, &accuracy])?)
    }

    /// Writes what is buffered.
    pub fn flush(&mut self) -> io::Result<()> {
        self.steps.flush()
    }
}

/// A number as text; nothing where it does not apply.
fn optional(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Whether the losses of a table of steps with these columns include the penalty: whether an earlier version wrote it.
pub(super) fn holds_penalty(columns: &StringRecord) -> bool {
    !columns.is_empty() && columns.iter().all(|column| column.trim() != "penalty")
}

fn columns_of(table: &Path) -> StringRecord {
    csv::Reader::from_path(table)
        .and_then(|mut reader| reader.headers().cloned())
        .unwrap_or_default()
}

/// Cuts a table back to its rows up to `step`, in one step, and opens it for more.
fn cut_back(
    path: &Path,
    header: &[&str],
    step_column: usize,
    step: u64,
) -> io::Result<csv::Writer<File>> {
    let mut kept = csv::Writer::from_writer(Vec::new());
    kept.write_record(header)?;
    for row in rows_until(path, step_column, step)? {
        kept.write_record(&row)?;
    }
    write_atomic(
        path,
        &kept
            .into_inner()
            .map_err(|error| io::Error::other(error.to_string()))?,
    )?;
    Ok(csv::Writer::from_writer(
        OpenOptions::new().append(true).open(path)?,
    ))
}

/// The readable rows up to `step`; a row cut off by a power cut ends the table. One that cannot be read at all is an
/// error: it must not be replaced by an empty one.
fn rows_until(path: &Path, step_column: usize, step: u64) -> io::Result<Vec<csv::StringRecord>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let table = files::open_table(path).map_err(|error| {
        let problem = format!("{} cannot be read ({error})", path.display());
        io::Error::new(error.kind(), problem)
    })?;
    let mut reader = csv::Reader::from_reader(table);
    let until = |row: &csv::StringRecord| {
        row.get(step_column)
            .and_then(|text| text.parse::<u64>().ok())
            .is_some_and(|at| at <= step)
    };
    let rows = reader.records().map_while(Result::ok);
    Ok(rows.take_while(until).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_cut_back_to_the_checkpoint() {
        let run = tempfile::tempdir().unwrap();
        let metrics = Metrics {
            loss: 0.1,
            accuracy: Some(0.5),
            ..Metrics::default()
        };
        let row = |step| MetricsRow {
            stage: "a, b".into(),
            epoch: 1,
            step,
            split: Split::Train,
            metrics: metrics.clone(),
            lr: None,
            seconds: 1.0,
        };
        let mut tables = MetricsWriter::open(run.path(), 0, false).unwrap();
        for step in 1..=3 {
            tables
                .step(&StepRow {
                    step,
                    stage: "a, b",
                    epoch: 1,
                    loss: 1.0 / 3.0,
                    lr: 1e-3,
                    penalty: Some(0.25),
                    accuracy: None,
                })
                .unwrap();
        }
        tables.metrics(&[row(2), row(3)]).unwrap();
        drop(tables);
        drop(MetricsWriter::open(run.path(), 2, false).unwrap());
        let read = |name| std::fs::read_to_string(run.path().join(name)).unwrap();
        assert_eq!(
            read("metrics.csv"),
            "stage,epoch,step,split,loss,accuracy,log_loss,lr,seconds\n\"a, b\",1,2,train,0.1,0.5,,,1.000\n"
        );
        assert_eq!(read("steps.csv").lines().count(), 3);
        assert_eq!(
            read("steps.csv").lines().nth(2).unwrap(),
            "2,\"a, b\",1,0.3333333333333333,0.001,0.25,"
        );
    }

    /// Only where an image may have several labels, and not within a table that was begun without them.
    #[test]
    fn figures_of_labels_have_columns_of_their_own() {
        let run = tempfile::tempdir().unwrap();
        let row = |step| MetricsRow {
            stage: "a".into(),
            epoch: 1,
            step,
            split: Split::Valid,
            metrics: Metrics {
                loss: 0.1,
                accuracy: Some(0.5),
                f1: Some(0.25),
                exact_match: Some(0.125),
                ..Metrics::default()
            },
            lr: None,
            seconds: 1.0,
        };
        let read = || std::fs::read_to_string(run.path().join("metrics.csv")).unwrap();
        let mut tables = MetricsWriter::open(run.path(), 0, true).unwrap();
        tables.metrics(&[row(1), row(2)]).unwrap();
        drop(tables);
        let mut tables = MetricsWriter::open(run.path(), 1, true).unwrap();
        tables.metrics(&[row(2)]).unwrap();
        let whole = "stage,epoch,step,split,loss,accuracy,f1,exact_match,log_loss,lr,seconds\n\
                     a,1,1,valid,0.1,0.5,0.25,0.125,,,1.000\na,1,2,valid,0.1,0.5,0.25,0.125,,,1.000\n";
        assert_eq!(read(), whole);
        let measured = crate::storage::metrics_read::measurements(run.path());
        assert_eq!(measured.len(), 2);
        assert_eq!(
            (measured[1].f1, measured[1].exact_match),
            (Some(0.25), Some(0.125))
        );
        drop(tables);
        let former = "stage,epoch,step,split,loss,accuracy,log_loss,lr,seconds\na,1,1,valid,0.1,0.5,,,1.000\n";
        std::fs::write(run.path().join("metrics.csv"), former).unwrap();
        let mut tables = MetricsWriter::open(run.path(), 1, true).unwrap();
        tables.metrics(&[row(2)]).unwrap();
        assert_eq!(read(), format!("{former}a,1,2,valid,0.1,0.5,,,1.000\n"));
    }

    #[test]
    fn a_table_that_an_earlier_version_began_keeps_its_meaning() {
        let run = tempfile::tempdir().unwrap();
        let file = run.path().join("steps.csv");
        std::fs::write(
            &file,
            "step,stage,epoch,loss,lr\n1,a,1,0.75,0.1\n2,a,1,0.5,0.1\n",
        )
        .unwrap();
        assert!(holds_penalty(&columns_of(&file)));
        let mut tables = MetricsWriter::open(run.path(), 1, false).unwrap();
        let row = StepRow {
            step: 2,
            stage: "a",
            epoch: 1,
            loss: 0.25,
            lr: 0.1,
            penalty: Some(0.25),
            accuracy: Some(1.0),
        };
        tables.step(&row).unwrap();
        drop(tables);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(
            text,
            "step,stage,epoch,loss,lr\n1,a,1,0.75,0.1\n2,a,1,0.5,0.1\n"
        );
        drop(MetricsWriter::open(run.path(), 0, false).unwrap());
        assert!(
            !holds_penalty(&columns_of(&file)),
            "a run from the start has the columns of today"
        );
    }
}
