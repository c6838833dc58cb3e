//! A CSV file of `path,label` or `path,label,split`, with a first line of names or without;
//! relative paths start at the file's own folder. Fails when no row can be used, and on labels
//! that are no classes; rows without a label among others that have one are left out.

use super::listing::{Entry, IMAGES, Listing, nothing, split_of};
use super::{decode, load};
use crate::Skipped;
use crate::error::DataError;
use crate::formats::array::shortened;
use crate::formats::bytes::Input;
use crate::images::image_file;
use crate::source::Ask;
use crate::sources::SourceReader;
use csv::StringRecord;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strata_core::format;
use strata_core::project::data::Split;

const MOST_BYTES: u64 = 256 << 20;
/// Rows between two looks at whether the reading is still wanted: each asks the disk for its file.
const ROWS_PER_STEP: usize = 256;
const MOST_CLASSES: usize = 10_000;
const HELP: &str =
    "write one line an image: path,label (and train, valid, test or unlabeled as a third column)";

/// Where in a row is what.
struct Columns {
    path: usize,
    label: usize,
    split: usize,
}

struct Row {
    path: PathBuf,
    label: String,
    split: Option<Split>,
}

/// Images that a CSV file names.
pub(crate) static CSV: SourceReader = SourceReader {
    load: |ask| load(ask, list, decode::decode),
    published: None,
};

fn list(ask: &mut Ask) -> Result<Listing, DataError> {
    ask.report("reading the table", 0, 1)?;
    let file = file(&ask.folder)?;
    let mut skipped = Vec::new();
    let rows = rows(ask, &file, &mut skipped)?;
    let classes = classes(&file, &rows)?;
    let numbers: BTreeMap<&str, u32> = classes
        .iter()
        .enumerate()
        .map(|(at, name)| (name.as_str(), at as u32))
        .collect();
    let has_splits = rows.iter().any(|row| row.split.is_some());
    let mut splits: BTreeMap<Split, Vec<Entry>> = BTreeMap::new();
    for row in rows {
        let split = row.split.unwrap_or(Split::Train);
        match entry(row, split, &numbers) {
            Ok(entry) => splits.entry(split).or_default().push(entry),
            Err(left_out) => skipped.push(left_out),
        }
    }
    if splits.is_empty() {
        return Err(DataError::malformed(&file, "it names no image", HELP));
    }
    Ok(Listing {
        classes,
        splits: splits.into_iter().collect(),
        skipped,
        has_splits,
    })
}

fn entry(row: Row, split: Split, classes: &BTreeMap<&str, u32>) -> Result<Entry, Skipped> {
    let class = classes.get(row.label.as_str()).copied();
    if split == Split::Unlabeled || classes.is_empty() {
        return Ok(Entry {
            path: row.path,
            class: None,
        });
    }
    if class.is_none() {
        return Err(Skipped {
            file: row.path,
            reason: "its row has no label".to_string(),
        });
    }
    Ok(Entry {
        path: row.path,
        class,
    })
}

/// The file itself, or the only one of its kind in a folder.
fn file(path: &Path) -> Result<PathBuf, DataError> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    let found =
        super::walk::read_folder(path).map_err(|cause| DataError::unreadable(path, cause))?;
    let is_table = |file: &&PathBuf| {
        file.extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("csv"))
    };
    match found.iter().filter(is_table).collect::<Vec<_>>()[..] {
        [one] => Ok(one.clone()),
        [] => Err(nothing(&IMAGES, path, "no .csv file in it")),
        _ => Err(DataError::malformed(
            path,
            "there is more than one .csv file",
            "point path at one of them",
        )),
    }
}

fn rows(ask: &mut Ask, file: &Path, skipped: &mut Vec<Skipped>) -> Result<Vec<Row>, DataError> {
    let bytes = Input::open(file)?.read_up_to(ask, MOST_BYTES + 1)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(DataError::malformed(
            file,
            format!("more than {} bytes", format::count(MOST_BYTES)),
            HELP,
        ));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let mut columns = Columns {
        path: 0,
        label: 1,
        split: 2,
    };
    let mut rows = Vec::new();
    for (number, record) in reader.records().enumerate() {
        if number.is_multiple_of(ROWS_PER_STEP) {
            ask.still()?;
        }
        let Ok(record) = record else {
            let reason = format!("row {} is no text", number + 1);
            skipped.push(Skipped {
                file: file.to_path_buf(),
                reason,
            });
            continue;
        };
        if number == 0
            && !image_file::is_named_like_one(Path::new(record.get(0).unwrap_or_default()))
        {
            columns = named(&record);
            continue;
        }
        match row(&record, &columns, folder) {
            Ok(row) => rows.push(row),
            Err(reason) => {
                let reason = format!("row {}: {reason}", number + 1);
                skipped.push(Skipped {
                    file: file.to_path_buf(),
                    reason,
                });
            }
        }
    }
    Ok(rows)
}

/// The columns, by the names in the first line; those without a known name stay where they are
/// by custom.
fn named(header: &StringRecord) -> Columns {
    let find = |names: &[&str], otherwise: usize| {
        header
            .iter()
            .position(|name| names.contains(&name.to_lowercase().as_str()))
            .unwrap_or(otherwise)
    };
    Columns {
        path: find(
            &[
                "path",
                "file",
                "filename",
                "filepath",
                "image",
                "image_path",
                "img",
            ],
            0,
        ),
        label: find(&["label", "class", "category", "target", "label_name"], 1),
        split: find(&["split", "set", "subset", "partition"], 2),
    }
}

fn row(record: &StringRecord, columns: &Columns, folder: &Path) -> Result<Row, String> {
    let path = folder.join(
        record
            .get(columns.path)
            .filter(|path| !path.is_empty())
            .ok_or("it names no file")?,
    );
    if !image_file::is_named_like_one(&path) {
        return Err(format!(
            "{} is not named like an image",
            shortened(&path.to_string_lossy())
        ));
    }
    if path.metadata().is_ok_and(|about| !about.is_file()) {
        return Err(format!("{} is no file", shortened(&path.to_string_lossy())));
    }
    let split = match record.get(columns.split).unwrap_or_default() {
        "" => None,
        word => Some(split_of(word).ok_or_else(|| format!("'{}' is no split", shortened(word)))?),
    };
    Ok(Row {
        path,
        label: record.get(columns.label).unwrap_or_default().to_string(),
        split,
    })
}

/// All labels: by number where all are numbers, else by name.
fn classes(file: &Path, rows: &[Row]) -> Result<Vec<String>, DataError> {
    let labelled = rows
        .iter()
        .filter(|row| row.split != Some(Split::Unlabeled) && !row.label.is_empty());
    let mut classes: Vec<String> = labelled.map(|row| row.label.clone()).collect();
    classes.sort();
    classes.dedup();
    if classes.len() > MOST_CLASSES {
        let problem = format!(
            "the labels have {} different values, which are no classes",
            classes.len()
        );
        return Err(DataError::malformed(file, problem, HELP));
    }
    if classes.iter().all(|class| class.parse::<i64>().is_ok()) {
        classes.sort_by_key(|class| class.parse::<i64>().unwrap_or_default());
    }
    Ok(classes)
}
