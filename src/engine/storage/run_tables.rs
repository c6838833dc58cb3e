//! Reads `metrics.csv` and `steps.csv` back. What is missing or torn is left out.

use super::dynamics_csv::DYNAMICS_FILE;
use super::metrics_csv::{METRICS_FILE, STEPS_FILE};
use csv::StringRecord;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use strata_core::files::open_table;

/// A row whose values are asked for by the name of their column.
pub struct TableRow<'a> {
    header: &'a StringRecord,
    record: &'a StringRecord,
}

impl<'a> TableRow<'a> {
    /// The text in a column; `None` where the table has no such column.
    pub fn text(&self, column: &str) -> Option<&'a str> {
        let index = self.header.iter().position(|name| name.trim() == column)?;
        self.record.get(index).map(str::trim)
    }

    /// The number in a column; `None` where there is none.
    pub fn number(&self, column: &str) -> Option<f64> {
        self.text(column)?.parse().ok()
    }

    /// The names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &'a str> {
        self.header.iter()
    }

    /// The texts of all columns.
    pub fn texts(&self) -> impl Iterator<Item = &'a str> {
        self.record.iter()
    }
}

/// Every whole row of a run's `metrics.csv`, in order.
pub fn each_metrics_row(run: &Path, take: impl FnMut(TableRow<'_>)) {
    each_row(&run.join(METRICS_FILE), take);
}

/// Every whole row of a run's `steps.csv`, in order; returns the names of its columns.
pub fn each_step_row(run: &Path, take: impl FnMut(TableRow<'_>)) -> StringRecord {
    each_row(&run.join(STEPS_FILE), take)
}

/// Every whole row of a run's `dynamics.csv`, in order.
pub(super) fn each_dynamics_row(run: &Path, take: impl FnMut(TableRow<'_>)) {
    each_row(&run.join(DYNAMICS_FILE), take);
}

fn each_row(path: &Path, mut take: impl FnMut(TableRow<'_>)) -> StringRecord {
    let mut header = StringRecord::new();
    // A run that has taken no step yet has no table.
    if path.exists()
        && let Err(error) = read_rows(path, &mut header, &mut take)
    {
        log::warn!(
            "{} is read only as far as its damage: {error}",
            path.display()
        );
    }
    header
}

fn read_rows(
    path: &Path,
    header: &mut StringRecord,
    take: &mut dyn FnMut(TableRow<'_>),
) -> csv::Result<()> {
    let table = open_table(path)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table);
    header.clone_from(reader.headers()?);
    let mut record = StringRecord::new();
    // The last row of a process that died, or of a file that is being copied, may be cut off, within a number even.
    let whole = whole_bytes(path)?;
    while reader.read_record(&mut record)? {
        if record.len() == header.len() && reader.position().byte() <= whole {
            take(TableRow {
                header,
                record: &record,
            });
        }
    }
    Ok(())
}

/// The bytes of a table up to the end of its last whole line.
fn whole_bytes(path: &Path) -> std::io::Result<u64> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    // What lies behind the end is a row without its line's end.
    Ok(if last == [b'\n'] { length } else { length - 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_by_the_names_of_their_columns_and_torn_ones_left_out() {
        let run = tempfile::tempdir().unwrap();
        let steps = "step,stage,epoch,loss\n1,\"a, b\",1,0.5\n2,a,1,NaN\n3,a,1";
        std::fs::write(run.path().join(STEPS_FILE), steps).unwrap();
        let mut rows = Vec::new();
        let columns = each_step_row(run.path(), |row| {
            assert_eq!((row.text("accuracy"), row.texts().count()), (None, 4));
            let stage = row.text("stage").map(str::to_owned);
            rows.push((row.number("step"), stage, row.number("loss")));
        });
        assert!(columns.iter().eq(["step", "stage", "epoch", "loss"]));
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert_eq!(rows[0], (Some(1.0), Some("a, b".to_owned()), Some(0.5)));
        assert!(rows[1].2.is_some_and(f64::is_nan));
    }

    #[test]
    fn a_run_without_tables_has_no_rows() {
        let run = tempfile::tempdir().unwrap();
        each_metrics_row(run.path(), |row| panic!("{:?}", row.record));
    }
}
