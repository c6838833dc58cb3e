//! What a network took over from another run or from a file, as a table and as a file of the run.

use super::init::Widened;
use super::matched_weights::{MatchTable, Taken};
use super::record::Parent;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use strata_core::atomic_write::write_atomic;

/// The table's file in a run's folder.
const INIT_FILE: &str = "init.csv";

/// What a network took over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstWeights {
    /// The file that they are from.
    pub from: PathBuf,
    /// What went where, of the parts that were asked for.
    pub table: MatchTable,
    /// The layers that are wider than the ones that they inherit from.
    pub widened: Vec<Widened>,
    /// How far the outputs are from those before, where layers are wider: the largest difference as a fraction of the
    /// largest output, measured on images of random numbers.
    pub changed: Option<f64>,
    /// The run that they are from.
    pub(crate) parent: Option<Parent>,
}

impl FirstWeights {
    /// In a sentence: how much was taken, and what begins anew.
    pub fn text(&self) -> String {
        let (taken, missing) = (self.table.taken.len(), self.table.missing.len());
        let from = self.from.display();
        let rest = match self.table.missing.first() {
            None => String::new(),
            Some((key, reason)) => {
                let more = match missing {
                    1 => String::new(),
                    more => format!(" (and {} more)", more - 1),
                };
                format!("; {key} begins anew: {reason}{more}")
            }
        };
        format!(
            "took {taken} of {} tensors from {from}{}{rest}",
            taken + missing,
            self.wider()
        )
    }

    /// Which layers are wider, and what that changes.
    fn wider(&self) -> String {
        if self.widened.is_empty() {
            return String::new();
        }
        let each = self.widened.iter().map(|layer| {
            let Widened { place, from, to } = layer;
            format!("{place} from {from} to {to} channels")
        });
        let each: Vec<String> = each.collect();
        let change = match self.changed {
            Some(change) => {
                format!(", which changes the outputs by at most {change:.0e} of the largest")
            }
            None => String::new(),
        };
        format!("; widened {}{change}", each.join(", "))
    }

    /// Writes the table into a run's folder.
    pub(crate) fn write(&self, run: &Path) -> io::Result<()> {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["key", "from", "how"])?;
        for Taken {
            key,
            from,
            found_by,
            ..
        } in &self.table.taken
        {
            let wider = self.widened.iter().find(|layer| layer.has(key));
            let how = match wider {
                Some(Widened { from, to, .. }) => {
                    format!("{}, widened from {from} to {to}", found_by.words())
                }
                None => found_by.words().to_owned(),
            };
            table.write_record([key.as_str(), from, &how])?;
        }
        for (key, reason) in &self.table.missing {
            table.write_record([key.as_str(), "", reason])?;
        }
        for (key, _) in &self.table.unused {
            table.write_record(["", key, "no layer wants it"])?;
        }
        let bytes = table.into_inner();
        let bytes = bytes.map_err(|error| io::Error::other(error.to_string()))?;
        write_atomic(&run.join(INIT_FILE), &bytes)
    }
}

/// The keys of the weights that a run took over when it began, by its table; none where it has no table.
pub(crate) fn taken(run: &Path) -> HashSet<String> {
    let table = csv::Reader::from_path(run.join(INIT_FILE));
    let rows = table
        .into_iter()
        .flat_map(csv::Reader::into_records)
        .flatten();
    let key = |row: csv::StringRecord| match (row.get(0), row.get(1)) {
        (Some(key), Some(from)) if !from.is_empty() => Some(key.to_owned()),
        _ => None,
    };
    rows.filter_map(key).collect()
}
