//! The runs as a table: in which order, which of them, and what a note says of them.

use super::{Runs, StoredRun};
use std::cmp::Ordering;
use std::path::Path;
use strata_core::atomic_write::write_atomic;
use strata_core::files;

/// The file of a run's folder that holds what somebody noted of it.
const NOTE: &str = "note.txt";
/// Of a note so many bytes are read.
const MOST_BYTES: u64 = 4096;

/// What a table of runs is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// When they were started.
    #[default]
    Started,
    /// How many numbers are trained.
    Parameters,
    /// The best value on the validation images.
    Valid,
    /// What was measured on the test images.
    Test,
    /// F1 on the test images, where an image may have several labels.
    F1,
    /// How long they were trained.
    Time,
}

/// How the table is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it is sorted by.
    pub column: Column,
    /// Whether the least comes first; else the greatest, and the newest.
    pub rising: bool,
    /// The text that is searched for.
    pub search: String,
}

impl Runs {
    /// The places in the list of the runs that are found, in the order of the table.
    pub fn in_table(&self) -> Vec<usize> {
        let words = self.table.search.to_lowercase();
        let is_found = |index: &usize| {
            let text = self.list[*index].searched();
            words.split_whitespace().all(|word| text.contains(word))
        };
        let mut found: Vec<usize> = (0..self.list.len()).filter(is_found).collect();
        found.sort_by(|a, b| {
            let order = self.order(*a, *b);
            if self.table.rising {
                order
            } else {
                order.reverse()
            }
        });
        found
    }

    /// Runs without a value come last when the table falls.
    fn order(&self, a: usize, b: usize) -> Ordering {
        let value = |index: usize| self.list[index].value(self.table.column);
        let (first, second) = (value(a), value(b));
        let order = match (first, second) {
            (Some(first), Some(second)) => first.total_cmp(&second),
            (first, second) => first.is_some().cmp(&second.is_some()),
        };
        order.then(a.cmp(&b))
    }
}

impl StoredRun {
    fn value(&self, column: Column) -> Option<f64> {
        match column {
            Column::Started => None,
            Column::Parameters => Some(self.parameters as f64),
            Column::Valid => self.curves.best().map(|best| best.value),
            Column::Test => {
                let metrics = self.record.metrics.get("test")?;
                Some(metrics.accuracy.unwrap_or(metrics.loss))
            }
            Column::F1 => self.f1(),
            Column::Time => Some(self.record.seconds),
        }
    }

    /// F1 on the test images, where an image may have several labels.
    pub fn f1(&self) -> Option<f64> {
        self.record.metrics.get("test")?.f1
    }

    fn searched(&self) -> String {
        let parts = [self.name.as_str(), self.note.as_str()];
        let mut text = parts.join(" ");
        for difference in &self.differences {
            text += " ";
            text += difference;
        }
        text.to_lowercase()
    }
}

/// What somebody noted of a run; empty where nothing is.
pub(super) fn read_note(run: &Path) -> String {
    let bytes = files::read_bounded(&run.join(NOTE), MOST_BYTES);
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    text.unwrap_or_default().trim().to_owned()
}

/// Writes it; an empty note takes the file away.
pub(super) fn write_note(run: &Path, note: &str) -> std::io::Result<()> {
    let file = run.join(NOTE);
    if !note.trim().is_empty() {
        return write_atomic(&file, format!("{}\n", note.trim()).as_bytes());
    }
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
