//! Where two runs of one project differ first: in their steps, in what was measured, or in their checkpoints.

use crate::error::RunError;
use crate::storage::checkpoint::{self, Checkpoint};
use crate::storage::metrics_csv::{METRICS_FILE, STEPS_FILE};
use crate::storage::run_folder;
use candle_core::Tensor;
use csv::StringRecord;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::Path;
use strata_core::files;
use strata_core::format::count;
use strata_core::project::help::Surface;

/// Where two runs differ first.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Steps that were taken then, over the whole run.
    pub step: u64,
    /// In which of their files.
    pub place: Place,
    /// What differs: a column, or a key of a checkpoint with the place in its tensor.
    pub what: String,
    /// Its value in the run.
    pub was: String,
    /// Its value in the run that was trained again.
    pub is: String,
}

/// A file of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `steps.csv`.
    Steps,
    /// `metrics.csv`, with stage, epoch and split.
    Metrics(String),
    /// The checkpoint of this name.
    Checkpoint(String),
}

impl Difference {
    /// After `differs first`.
    pub fn text(&self, surface: Surface) -> String {
        let (step, what) = (count(self.step), &self.what);
        let (was, is) = (&self.was, &self.is);
        let place = match (&self.place, surface) {
            (Place::Steps, Surface::Terminal) => format!("at step {step} (steps.csv)"),
            (Place::Steps, Surface::Window) => format!("at step {step}"),
            (Place::Metrics(row), Surface::Terminal) => {
                format!("after step {step} (metrics.csv, {row})")
            }
            (Place::Metrics(row), Surface::Window) => format!("after step {step} ({row})"),
            (Place::Checkpoint(name), _) => format!("in the checkpoint {name}, after step {step}"),
        };
        format!("{place}: {what} was {was} and is {is}")
    }
}

/// Where they differ first, up to a step; and the checkpoints that were compared.
pub(super) fn runs(
    was: &Path,
    is: &Path,
    until: u64,
) -> Result<(Option<Difference>, Vec<String>), RunError> {
    let steps = tables(was, is, STEPS_FILE, until)?;
    let metrics = tables(was, is, METRICS_FILE, until)?;
    let of_tables = match (steps, metrics) {
        // The loss of a step is computed before its epoch is measured.
        (Some(steps), Some(metrics)) if metrics.step < steps.step => Some(metrics),
        (steps, metrics) => steps.or(metrics),
    };
    let names = run_folder::checkpoints(was);
    if of_tables.is_some() {
        return Ok((of_tables, names));
    }
    for name in &names {
        if let Some(found) = checkpoints(was, is, name)? {
            return Ok((Some(found), names));
        }
    }
    Ok((None, names))
}

/// A table that is read row by row.
struct Table {
    columns: StringRecord,
    rows: csv::StringRecordsIntoIter<Box<dyn std::io::Read>>,
    until: u64,
}

impl Table {
    fn open(run: &Path, file: &str, until: u64) -> Result<Table, RunError> {
        let path = run.join(file);
        let failed = |reason: String| {
            RunError::Input(format!("{} cannot be read: {reason}", path.display()))
        };
        let table = files::open_table(&path).map_err(|error| failed(error.to_string()))?;
        let input: Box<dyn std::io::Read> = Box::new(table);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let columns = reader
            .headers()
            .map_err(|error| failed(error.to_string()))?;
        Ok(Table {
            columns: columns.clone(),
            rows: reader.into_records(),
            until,
        })
    }

    /// The next whole row up to the last step that is compared.
    fn next(&mut self) -> Option<StringRecord> {
        let width = self.columns.len();
        loop {
            let row = self.rows.next()?.ok()?;
            let step: Option<u64> = self.field(&row, "step").and_then(|step| step.parse().ok());
            if row.len() == width && step.is_some_and(|step| step <= self.until) {
                return Some(row);
            }
        }
    }

    fn field<'a>(&self, row: &'a StringRecord, column: &str) -> Option<&'a str> {
        let index = self.columns.iter().position(|name| name.trim() == column)?;
        row.get(index).map(str::trim)
    }

    /// What two versions wrote of a column: losses of an earlier one hold the penalty.
    fn loss_with_penalty(&self, row: &StringRecord) -> Option<String> {
        let number = |column| {
            self.field(row, column)
                .and_then(|text| text.parse::<f64>().ok())
        };
        Some((number("loss")? + number("penalty").unwrap_or(0.0)).to_string())
    }
}

fn tables(was: &Path, is: &Path, file: &str, until: u64) -> Result<Option<Difference>, RunError> {
    let mut before = Table::open(was, file, until)?;
    let mut now = Table::open(is, file, until)?;
    loop {
        let found = match (before.next(), now.next()) {
            (None, None) => return Ok(None),
            (Some(a), Some(b)) => rows((&before, &a), (&now, &b), file),
            (Some(row), None) => Some(missing((&before, &row), file, ["there", "missing"])),
            (None, Some(row)) => Some(missing((&now, &row), file, ["missing", "there"])),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
}

fn rows(
    was: (&Table, &StringRecord),
    is: (&Table, &StringRecord),
    file: &str,
) -> Option<Difference> {
    let ((before, a), (now, b)) = (was, is);
    let has_penalty = |table: &Table| table.columns.iter().any(|name| name.trim() == "penalty");
    let holds_penalty = file == STEPS_FILE && !has_penalty(before) && has_penalty(now);
    for column in before.columns.iter().map(str::trim) {
        // How long it took is no result.
        let Some(other) = now.field(b, column).filter(|_| column != "seconds") else {
            continue;
        };
        let own = before.field(a, column).unwrap_or_default();
        let other = match column {
            "loss" if holds_penalty => now.loss_with_penalty(b)?,
            _ => other.to_owned(),
        };
        if own != other {
            return Some(difference(was, file, column, own, &other));
        }
    }
    None
}

fn missing(at: (&Table, &StringRecord), file: &str, [was, is]: [&str; 2]) -> Difference {
    difference(at, file, "the row", was, is)
}

fn difference(
    (table, row): (&Table, &StringRecord),
    file: &str,
    what: &str,
    was: &str,
    is: &str,
) -> Difference {
    let field = |column: &str| table.field(row, column).unwrap_or_default();
    let place = match file {
        STEPS_FILE => Place::Steps,
        _ => Place::Metrics(format!(
            "{}, epoch {}, {}",
            field("stage"),
            field("epoch"),
            field("split")
        )),
    };
    let shown = |text: &str| match text {
        "" => "nothing".to_owned(),
        text => text.to_owned(),
    };
    Difference {
        step: field("step").parse().unwrap_or(0),
        place,
        what: what.to_owned(),
        was: shown(was),
        is: shown(is),
    }
}

fn checkpoints(was: &Path, is: &Path, name: &str) -> Result<Option<Difference>, RunError> {
    let before = checkpoint::load(&run_folder::checkpoint(was, name))?;
    let differs = |step, what: String, was: String, is: String| Difference {
        step,
        place: Place::Checkpoint(name.to_owned()),
        what,
        was,
        is,
    };
    let file = run_folder::checkpoint(is, name);
    let step = before.position.step;
    if !file.is_file() {
        let [was, is] = ["there", "missing"].map(str::to_owned);
        return Ok(Some(differs(step, "the file".into(), was, is)));
    }
    let now = checkpoint::load(&file)?;
    let text =
        |checkpoint: &Checkpoint| serde_json::to_string(&checkpoint.position).unwrap_or_default();
    if text(&before) != text(&now) {
        return Ok(Some(differs(
            step,
            "the position".into(),
            text(&before),
            text(&now),
        )));
    }
    for (kind, a, b) in [
        ("", &before.weights, &now.weights),
        ("optimizer.", &before.optimizer, &now.optimizer),
    ] {
        if let Some((what, was, is)) = tensors(a, b)? {
            return Ok(Some(differs(step, format!("{kind}{what}"), was, is)));
        }
    }
    Ok(None)
}

/// The first number, by key and place, that is not the same in both.
fn tensors(
    was: &HashMap<String, Tensor>,
    is: &HashMap<String, Tensor>,
) -> Result<Option<(String, String, String)>, RunError> {
    let mut keys: Vec<&String> = was.keys().chain(is.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (Some(a), Some(b)) = (was.get(key), is.get(key)) else {
            let there = |found: bool| if found { "there" } else { "missing" }.to_owned();
            let (a, b) = (there(was.contains_key(key)), there(is.contains_key(key)));
            return Ok(Some((key.clone(), a, b)));
        };
        if a.dims() != b.dims() || a.dtype() != b.dtype() {
            let shape = |tensor: &Tensor| format!("{:?} {:?}", tensor.dims(), tensor.dtype());
            return Ok(Some((key.clone(), shape(a), shape(b))));
        }
        let (a, b) = (numbers(a)?, numbers(b)?);
        let apart = |(a, b): (&f64, &f64)| a.total_cmp(b) != Ordering::Equal;
        if let Some(at) = a.iter().zip(&b).position(apart) {
            let place = format!("{key}, number {}", count(at as u64 + 1));
            return Ok(Some((place, a[at].to_string(), b[at].to_string())));
        }
    }
    Ok(None)
}

/// All numbers of a tensor: of single ones each has its place among the doubles, so that equal ones are equal to the
/// last bit.
fn numbers(tensor: &Tensor) -> Result<Vec<f64>, RunError> {
    use candle_core::DType;
    let flat = tensor.flatten_all()?;
    Ok(flat.to_dtype(DType::F64)?.to_vec1()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(steps: &str, metrics: &str) -> tempfile::TempDir {
        let run = tempfile::tempdir().unwrap();
        std::fs::write(run.path().join(STEPS_FILE), steps).unwrap();
        std::fs::write(run.path().join(METRICS_FILE), metrics).unwrap();
        std::fs::create_dir(run.path().join("checkpoints")).unwrap();
        run
    }

    const STEPS: &str = "step,stage,epoch,loss,lr,penalty,accuracy\n1,a,1,0.5,0.1,0.25,\n2,a,1,0.25,0.1,0.5,\n3,a,1,7,0.1,1,\n";
    const METRICS: &str =
        "stage,epoch,step,split,loss,accuracy,log_loss,lr,seconds\na,1,2,train,0.5,,,0.1,3.2\n";

    fn first(was: &tempfile::TempDir, is: &tempfile::TempDir) -> Option<String> {
        let found = runs(was.path(), is.path(), 2).unwrap().0;
        found.map(|found| found.text(Surface::Terminal))
    }

    #[test]
    fn the_first_difference_is_told_with_both_values() {
        let whole = run(STEPS, METRICS);
        assert_eq!(
            first(&whole, &run(STEPS, &METRICS.replace("3.2", "9.9"))),
            None,
            "time is no result"
        );
        assert_eq!(
            first(&whole, &run(&STEPS.replace("7", "8"), METRICS)),
            None,
            "behind the last checkpoint"
        );
        let other = run(
            &STEPS.replace("0.25,0.1,0.5", "0.26,0.1,0.5"),
            &METRICS.replace("0.5", "0.6"),
        );
        let told = first(&whole, &other).unwrap();
        assert_eq!(told, "at step 2 (steps.csv): loss was 0.25 and is 0.26");
        let told = first(&whole, &run(STEPS, &METRICS.replace("0.5", "0.6"))).unwrap();
        assert_eq!(
            told,
            "after step 2 (metrics.csv, a, epoch 1, train): loss was 0.5 and is 0.6"
        );
        let short = run(&STEPS.replace("2,a,1,0.25,0.1,0.5,\n", ""), METRICS);
        assert_eq!(
            first(&whole, &short).unwrap(),
            "at step 2 (steps.csv): the row was there and is missing"
        );
        assert_eq!(
            first(&short, &whole).unwrap(),
            "at step 2 (steps.csv): the row was missing and is there"
        );
    }

    #[test]
    fn losses_of_an_earlier_version_held_the_penalty() {
        let old = "step,stage,epoch,loss,lr\n1,a,1,0.75,0.1\n2,a,1,0.75,0.1\n";
        assert_eq!(first(&run(old, METRICS), &run(STEPS, METRICS)), None);
        let told = first(
            &run(&old.replace("2,a,1,0.75", "2,a,1,0.7"), METRICS),
            &run(STEPS, METRICS),
        );
        assert_eq!(
            told.unwrap(),
            "at step 2 (steps.csv): loss was 0.7 and is 0.75"
        );
    }
}
