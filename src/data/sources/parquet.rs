//! Parquet files of images, as Hugging Face has them: an image a row, as the bytes of its file; its label as a number
//! or a text, or several of them as a list.
//!
//! Files are split by name (`train-00000-of-00004.parquet`, `default/train/0000.parquet`), in the folder itself or in
//! `data`. The names of classes are in the file's own notes. Everything else is as in folders of images: sizes,
//! damaged images, splits. Fails on several configurations in one folder, and where no column holds images.

mod columns;
mod shards;

use super::SourceReader;
use super::folder::decode;
use super::folder::listing::{Entry, Listing};
use crate::error::DataError;
use crate::formats::bytes::DOWNLOAD_AGAIN;
use crate::formats::labels;
use crate::formats::parquet::{Row, Rows, Table};
use crate::label_sets;
use crate::source::{OpenRequest, OpenedSource};
use columns::{Columns, Features};
use shards::Shard;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use strata_core::project::data::{LabelRule, Split};
use strata_core::project::help::Help;

const MOST_CLASSES: usize = 10_000;
const LESS: &str = "close other programs, or write the table anew with smaller groups of rows";

/// Parquet files.
pub(crate) static PARQUET: SourceReader = SourceReader {
    load,
    published: None,
};

pub(crate) use shards::is_named_like_one;

fn load(ask: &mut OpenRequest) -> Result<OpenedSource, DataError> {
    super::folder::load(ask, list, decode::decode)
}

fn list(ask: &mut OpenRequest) -> Result<Listing, DataError> {
    let shards::Found { shards, skipped } = shards::find(ask)?;
    let mut tables = Vec::new();
    for (done, shard) in shards.iter().enumerate() {
        ask.report("looking at files", done, shards.len())?;
        let table = Table::open(&shard.path).map_err(|problem| refused(&shard.path, problem))?;
        tables.push(table);
    }
    let rows: usize = tables
        .iter()
        .map(|table| {
            (0..table.groups())
                .map(|group| table.rows(group))
                .sum::<usize>()
        })
        .sum();
    if let (Some(shard), 0) = (shards.first(), rows) {
        let problem = "it has no row";
        return Err(DataError::malformed(&shard.path, problem, DOWNLOAD_AGAIN));
    }
    let mut columns = columns_of(ask, &tables)?;
    for table in &tables {
        let read = table.check(&columns.image);
        read.map_err(|problem| refused(&table.path, problem))?;
    }
    let mut labels = read_labels(ask, &shards, &tables, &columns)?;
    let has_sets = settle_lists(ask, &mut columns, &mut labels);
    let classes = match &columns.classes[..] {
        [] => {
            let all = labels.iter().flatten().flatten().flatten().cloned();
            labels::classes(all, ask.order)
        }
        names => names.to_vec(),
    };
    if classes.len() > MOST_CLASSES && !has_sets {
        let problem = format!("its labels have {} different values", classes.len());
        return Err(no_use(&ask.folder, problem, &columns.others));
    }
    let numbers = match columns.classes.is_empty() {
        true => labels::numbers(&classes)
            .into_iter()
            .map(|(name, number)| (name.to_owned(), number))
            .collect(),
        false => (0..classes.len() as u32)
            .map(|number| (number.to_string(), number))
            .collect(),
    };
    let tables: Vec<(Table, _)> = tables
        .into_iter()
        .map(|table| (table, columns.image.clone()))
        .collect();
    let rows = Rows::new(tables);
    let rows = rows.map_err(|problem| DataError::malformed(&ask.folder, problem, LESS))?;
    let splits = splits_of(&shards, rows, &labels, &numbers);
    Ok(Listing {
        classes,
        has_splits: shards.iter().any(|shard| shard.split != Split::Train),
        splits,
        skipped,
    })
}

/// The columns to read, which every file must have.
fn columns_of(ask: &mut OpenRequest, tables: &[Table]) -> Result<Columns, DataError> {
    let rule = ask.spec.label.clone();
    let wanted = match &rule {
        Some(LabelRule::Column(name)) => Some(name.as_str()),
        Some(LabelRule::Name(_)) => {
            let problem = "a pattern for names of files, and Parquet files have columns";
            let help = Help::note(
                "write label = \"column: NAME\", or delete the line",
                "set label to column: NAME, or leave it empty",
            );
            return Err(DataError::setting("label", problem, help));
        }
        None => None,
    };
    let mut first: Option<Columns> = None;
    for table in tables {
        let features = Features::of(table);
        let columns = columns::choose(table, &features, wanted)
            .map_err(|problem| no_use(&table.path, problem, &columns::names(table)))?;
        match &first {
            None => first = Some(columns),
            Some(known) if known.is_like(&columns) => {}
            Some(_) => {
                let problem = "it has other columns than the files before it";
                let help = "point path at the files of one data set";
                return Err(DataError::malformed(&table.path, problem, help));
            }
        }
    }
    let columns = first.ok_or_else(|| shards::nothing(&ask.folder))?;
    columns.tell(ask.told, wanted.is_some());
    Ok(columns)
}

fn no_use(file: &Path, problem: String, columns: &[String]) -> DataError {
    let help = match columns {
        [] => "point path at a table of images".to_owned(),
        columns => format!(
            "its columns are {}; images are the bytes of image files, one in each row of a column image, alone or as its field bytes",
            columns.join(", ")
        ),
    };
    DataError::malformed(file, problem, help)
}

/// The labels of all rows, by file and group of rows.
type Labels = Vec<Vec<Vec<Option<String>>>>;

fn read_labels(
    ask: &mut OpenRequest,
    shards: &[Shard],
    tables: &[Table],
    columns: &Columns,
) -> Result<Labels, DataError> {
    let mut all = Vec::new();
    for (done, (shard, table)) in shards.iter().zip(tables).enumerate() {
        ask.report("reading labels", done, tables.len())?;
        let mut groups = Vec::new();
        for group in 0..table.groups() {
            ask.still()?;
            let labels = match &columns.label {
                Some(column) if column.list_of.is_some() => {
                    let lists = table.lists(group, column);
                    lists.map(|lists| lists.into_iter().map(|list| list.map(listed)).collect())
                }
                Some(column) => table.texts(group, column),
                None => Ok(vec![None; table.rows(group)]),
            };
            groups.push(labels.map_err(|problem| {
                let name = columns
                    .label
                    .as_ref()
                    .map_or("", |column| column.name.as_str());
                refused(&shard.path, format!("column {name}: {problem}"))
            })?);
        }
        all.push(groups);
    }
    Ok(all)
}

/// Between the elements of a list while it is one text.
const BETWEEN: char = '\u{1e}';

/// The elements of a list as one text.
fn listed(list: Vec<String>) -> String {
    list.iter()
        .flat_map(|element| [BETWEEN.to_string(), element.clone()])
        .collect()
}

/// Of a column of lists: where a row has not exactly one element, rows become sets of labels, else each is of the class
/// that its element names. Whether they are sets.
fn settle_lists(ask: &mut OpenRequest, columns: &mut Columns, labels: &mut Labels) -> bool {
    if columns
        .label
        .as_ref()
        .is_none_or(|column| column.list_of.is_none())
    {
        return false;
    }
    let elements = |text: &str| -> Vec<String> {
        let elements = text.split(BETWEEN).filter(|element| !element.is_empty());
        elements.map(str::to_owned).collect()
    };
    let all = || {
        labels
            .iter()
            .flatten()
            .flatten()
            .flatten()
            .map(|text| elements(text))
    };
    let has_sets = all().any(|list| list.len() != 1);
    let known: Vec<String> = match columns.classes.is_empty() {
        true => labels::classes(all().flatten(), ask.order),
        false => (0..columns.classes.len())
            .map(|class| class.to_string())
            .collect(),
    };
    let number = |element: &String| known.iter().position(|known| known == element);
    for text in labels.iter_mut().flatten().flatten().flatten() {
        let list = elements(text);
        *text = match has_sets {
            true => {
                let set: BTreeSet<usize> = list.iter().filter_map(number).collect();
                label_sets::text_of(set.into_iter())
            }
            false => list.into_iter().next().unwrap_or_default(),
        };
    }
    if has_sets {
        let names = std::mem::take(&mut columns.classes);
        ask.told.label_names = if names.is_empty() { known } else { names };
    }
    has_sets
}

/// Every row with its class, by split; rows without a class beside others that have one are unlabeled.
fn splits_of(
    shards: &[Shard],
    rows: Rows,
    labels: &Labels,
    numbers: &BTreeMap<String, u32>,
) -> Vec<(Split, Vec<Entry>)> {
    let rows = Arc::new(rows);
    let mut splits: BTreeMap<Split, Vec<Entry>> = BTreeMap::new();
    let mut next = BTreeMap::new();
    for (group, table, number) in rows.groups() {
        let shard = shards.iter().position(|shard| shard.path == table.path);
        let Some((shard, labels)) = shard.and_then(|at| Some((shards.get(at)?, labels.get(at)?)))
        else {
            continue;
        };
        let of_group = labels.get(number).map_or(&[][..], Vec::as_slice);
        let first = next.entry(&shard.path).or_insert(0usize);
        let entries = of_group.iter().enumerate().map(|(place, label)| Entry {
            path: shard.path.join(format!("row {}", *first + place)),
            class: label.as_ref().and_then(|label| numbers.get(label)).copied(),
            bytes: None,
            row: Some(Row {
                rows: Arc::clone(&rows),
                group: group as u32,
                place: place as u32,
            }),
        });
        splits.entry(shard.split).or_default().extend(entries);
        *first += of_group.len();
    }
    let mut unlabeled = Vec::new();
    for entries in splits.values_mut() {
        if entries.iter().any(|entry| entry.class.is_some()) {
            let (known, unknown) = entries.drain(..).partition(|entry| entry.class.is_some());
            *entries = known;
            let unknown: Vec<Entry> = unknown;
            unlabeled.extend(unknown);
        }
    }
    if !unlabeled.is_empty() {
        splits
            .entry(Split::Unlabeled)
            .or_default()
            .extend(unlabeled);
    }
    splits.into_iter().collect()
}

/// What to say of a file that cannot be read.
fn refused(file: &Path, problem: String) -> DataError {
    if !problem.contains("compressed with") {
        return DataError::malformed(file, problem, DOWNLOAD_AGAIN);
    }
    let text = |path: &Path| path.display().to_string().replace('\\', "/");
    let folder = text(file.parent().unwrap_or(Path::new(".")));
    let help = format!(
        "compress it otherwise with these lines of Python:\n\
         import pathlib, pyarrow.parquet as pq  # pip install pyarrow\n\
         for f in pathlib.Path(\"{folder}\").rglob(\"*.parquet\"):\n    \
         pq.write_table(pq.read_table(f), f, compression=\"snappy\", row_group_size=100)"
    );
    DataError::malformed(file, problem, help)
}
