//! A table of images: `path,label` or `path,label,split` in any order of the columns, with a first row of names or
//! without, divided by commas, semicolons or tabs; or a table of the pixels themselves.
//!
//! Fails when no row can be used, and on labels that are no classes; rows without a label among others that have one
//! are left out.

mod columns;
mod files;
mod pixels;
mod sheet;
pub(crate) mod transposed;

use super::listing::{Entry, IMAGES, Listing, nothing};
use super::{decode, names};
use crate::Skipped;
use crate::error::DataError;
use crate::formats::bytes::{DOWNLOAD_AGAIN, Input, LESS_MEMORY};
use crate::formats::labels::{self, Names};
use crate::images::image_file;
use crate::label_sets;
use crate::source::{OpenRequest, OpenedSource};
use crate::sources::SourceReader;
use columns::{Columns, LabelAt};
use csv::StringRecord;
use files::Files;
use sheet::Sheet;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use strata_core::format::count;
use strata_core::project::data::{DataSpec, LabelRule, Split};
use strata_core::project::help::Help;
use strata_core::system_memory;

/// Rows between two looks at whether the reading is still wanted: each asks the disk for its file.
const ROWS_PER_STEP: usize = 256;
/// Rows that are read at most.
const MOST_ROWS: usize = 20_000_000;
/// Bytes that so many rows take at most, by far.
const MEMORY_STEP: u64 = 16 << 20;
const MOST_CLASSES: usize = 10_000;
/// What to write.
const NO_FILES: &str =
    "check where the images are: paths are relative to the table, or to a folder beside it";
const HELP: &str =
    "write one line an image: path,label (and train, valid, test or unlabeled as a third column)";

struct Row {
    path: PathBuf,
    label: String,
    /// The columns of labels in which it has a one.
    columns: Vec<usize>,
    split: Option<Split>,
}

/// Images that a table names, or whose pixels it holds.
pub(crate) static CSV: SourceReader = SourceReader {
    load,
    published: None,
};

/// The tables that a path names, each with the split that its own name tells.
pub(crate) type Tables = Vec<(PathBuf, Option<Split>)>;

fn load(ask: &mut OpenRequest) -> Result<OpenedSource, DataError> {
    let tables = tables(ask)?;
    match pixels::load(ask, &tables)? {
        Some(loaded) => Ok(loaded),
        None => {
            check_is_of_pixels(ask.spec)?;
            super::load(ask, |ask| list(ask, &tables), decode::decode)
        }
    }
}

/// Refuses what is for a table of pixels where the table names files.
fn check_is_of_pixels(spec: &DataSpec) -> Result<(), DataError> {
    let settings = [
        ("shape", spec.shape.is_some()),
        ("transpose", spec.transpose),
    ];
    match settings.into_iter().find(|(_, is_given)| *is_given) {
        Some((key, _)) => Err(DataError::setting(
            key,
            "it is for a table of pixels, and this table names image files",
            Help::without(key),
        )),
        None => Ok(()),
    }
}

fn list(ask: &mut OpenRequest, tables: &Tables) -> Result<Listing, DataError> {
    ask.report("reading the table", 0, 1)?;
    let mut skipped = Vec::new();
    let mut rows = Vec::new();
    let mut columns = None;
    for (file, split) in tables {
        let (of_file, own) = rows_of(ask, file, *split, &mut skipped)?;
        rows.extend(of_file);
        if *columns.get_or_insert_with(|| own.clone()) != own {
            let problem = "its columns of labels are others than those of the tables before it";
            return Err(DataError::malformed(file, problem, HELP));
        }
    }
    let file = tables.first().map_or(Path::new(""), |(file, _)| file);
    if let Some(names) = columns.flatten() {
        settle_columns(ask, names, &mut rows);
    }
    if rows.is_empty() {
        let first = skipped
            .first()
            .map(|skipped: &Skipped| format!(" ({})", skipped.reason));
        let problem = format!("it names no image{}", first.unwrap_or_default());
        let help = match skipped.is_empty() {
            true => HELP,
            false => NO_FILES,
        };
        return Err(DataError::malformed(file, problem, help));
    }
    tell_of_unused(ask, &rows);
    let known = Names::new(rows.iter().map(|row| row.label.as_str()));
    rows.iter_mut()
        .for_each(|row| row.label = known.of(&row.label));
    let classes = classes(ask, file, &rows)?;
    let has_splits = rows.iter().any(|row| row.split.is_some());
    let splits = entries(rows, &classes, &mut skipped);
    if splits.is_empty() {
        return Err(DataError::malformed(file, "it names no image", HELP));
    }
    Ok(Listing {
        classes,
        splits,
        skipped,
        has_splits,
    })
}

/// Of a table with a column for each label: where an image has several of them, rows stay sets of labels. Else a row is
/// of the class in whose column its one is, or has no label.
fn settle_columns(ask: &mut OpenRequest, names: Vec<String>, rows: &mut [Row]) {
    let has_several = rows.iter().any(|row| row.columns.len() > 1);
    for row in rows {
        row.label = match row.columns[..] {
            _ if has_several => label_sets::text_of(row.columns.iter().copied()),
            [column] => names.get(column).cloned().unwrap_or_default(),
            _ => String::new(),
        };
    }
    if has_several {
        ask.told.label_names = names;
    }
}

fn entries(
    rows: Vec<Row>,
    classes: &[String],
    skipped: &mut Vec<Skipped>,
) -> Vec<(Split, Vec<Entry>)> {
    let numbers = labels::numbers(classes);
    // A table of a split in which no row has a label holds the unlabeled images.
    let mut labelled: BTreeMap<Split, bool> = BTreeMap::new();
    for row in &rows {
        *labelled
            .entry(row.split.unwrap_or(Split::Train))
            .or_default() |= !row.label.is_empty();
    }
    let mut splits: BTreeMap<Split, Vec<Entry>> = BTreeMap::new();
    for row in rows {
        let split = row.split.unwrap_or(Split::Train);
        let is_open = split != Split::Train && labelled.get(&split) == Some(&false);
        let split = if is_open && !classes.is_empty() {
            Split::Unlabeled
        } else {
            split
        };
        match entry(row, split, &numbers) {
            Ok(entry) => splits.entry(split).or_default().push(entry),
            Err(left_out) => skipped.push(left_out),
        }
    }
    splits.into_iter().collect()
}

fn entry(row: Row, split: Split, classes: &BTreeMap<&str, u32>) -> Result<Entry, Skipped> {
    let class = classes.get(row.label.as_str()).copied();
    if split == Split::Unlabeled || classes.is_empty() {
        return Ok(Entry::new(row.path, None));
    }
    if class.is_none() {
        return Err(Skipped {
            file: row.path,
            reason: "its row has no label".to_string(),
        });
    }
    Ok(Entry::new(row.path, class))
}

/// The file itself, the only one of its kind in a folder, or those of its splits.
fn tables(ask: &mut OpenRequest) -> Result<Tables, DataError> {
    let path = ask.folder.clone();
    if !path.is_dir() {
        return Ok(vec![(path, None)]);
    }
    let all =
        super::walk::read_folder(&path).map_err(|cause| DataError::unreadable(&path, cause))?;
    let is_table = |file: &PathBuf| {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let name = name.trim_end_matches(".gz").to_owned();
        [".csv", ".tsv"].iter().any(|ending| name.ends_with(ending)) && !names::is_hidden(file)
    };
    let found: Vec<PathBuf> = all.into_iter().filter(is_table).collect();
    if let [one] = &found[..] {
        return Ok(vec![(one.clone(), None)]);
    }
    let split = |file: &PathBuf| {
        let stem = file.file_stem()?.to_string_lossy().to_lowercase();
        names::split_in_name(stem.trim_end_matches(".csv"))
    };
    let of_splits: Tables = found
        .iter()
        .filter_map(|file| Some((file.clone(), Some(split(file)?))))
        .collect();
    if of_splits
        .iter()
        .any(|(_, split)| *split == Some(Split::Train))
    {
        let others = found.iter().filter(|file| split(file).is_none());
        let others = others.map(|file| Skipped {
            file: file.clone(),
            reason: "a table of no split".to_owned(),
        });
        ask.told.passed_over.extend(others);
        return Ok(of_splits);
    }
    if found.is_empty() {
        return Err(nothing(&IMAGES, &path, "no .csv file in it"));
    }
    let name = |file: &PathBuf| {
        file.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let all: Vec<String> = found.iter().map(name).collect();
    let problem = format!(
        "there is more than one .csv file ({})",
        names::some_of(&all, 6)
    );
    Err(DataError::malformed(
        &path,
        problem,
        "point path at one of them",
    ))
}

/// The rows of a table, and the names of its columns of labels where there is one for each label.
fn rows_of(
    ask: &mut OpenRequest,
    file: &Path,
    of_file: Option<Split>,
    skipped: &mut Vec<Skipped>,
) -> Result<(Vec<Row>, Option<Vec<String>>), DataError> {
    let sheet = Sheet::look(file)?;
    let files = Files::new(file.parent().unwrap_or(Path::new("")), &mut || ask.still())?;
    let rule = ask.spec.label.as_ref();
    let columns = columns::find(&sheet, &files, rule)
        .map_err(|problem| DataError::malformed(file, problem, HELP))?;
    tell(ask, &columns);
    let mut input = Input::open(file)?;
    let mut reader = sheet::reader(input.reader(), sheet.mark);
    let mut rows = Vec::new();
    let mut is_old = false;
    for (number, record) in reader.byte_records().enumerate() {
        if number.is_multiple_of(ROWS_PER_STEP) {
            ask.still()?;
            system_memory::check(MEMORY_STEP)
                .map_err(|problem| DataError::malformed(file, problem, LESS_MEMORY))?;
        }
        if number == 0 && columns.has_header {
            continue;
        }
        if number >= MOST_ROWS {
            let problem = format!("it has more than {MOST_ROWS} rows");
            return Err(DataError::malformed(file, problem, HELP));
        }
        let record = record.map_err(|error| broken(file, number, &error))?;
        let (record, is_other) = sheet::text_of(record);
        is_old |= is_other;
        match row(&record, &columns, &files, rule) {
            Ok(row) => rows.push(Row {
                split: row.split.or(of_file),
                ..row
            }),
            Err(reason) => skipped.push(Skipped {
                file: file.to_path_buf(),
                reason: format!("row {}: {reason}", number + 1),
            }),
        }
    }
    if is_old {
        let text = "the table is no UTF-8 and is read as Windows-1252, which spreadsheets write: letters may be others than meant";
        ask.told.note(text);
    }
    let names = match columns.label {
        LabelAt::OneHot(columns) => Some(columns.into_iter().map(|(_, name)| name).collect()),
        LabelAt::Column(_) | LabelAt::Nowhere => None,
    };
    Ok((rows, names))
}

/// What is wrong with a table of which only so many rows can be read.
fn broken(file: &Path, rows: usize, error: &csv::Error) -> DataError {
    let problem = format!(
        "it cannot be read after {} rows ({error})",
        count(rows as u64)
    );
    DataError::malformed(file, problem, DOWNLOAD_AGAIN)
}

/// Says how many images lie in the folders of those that the table names, and are in none of its rows.
fn tell_of_unused(ask: &mut OpenRequest, rows: &[Row]) {
    let used: BTreeSet<&Path> = rows.iter().map(|row| row.path.as_path()).collect();
    let folders: BTreeSet<&Path> = rows.iter().filter_map(|row| row.path.parent()).collect();
    let mut unused = Vec::new();
    for folder in folders {
        let files = super::walk::read_folder(folder).unwrap_or_default();
        let is_unused =
            |file: &PathBuf| image_file::is_named_like_one(file) && !used.contains(file.as_path());
        unused.extend(
            files
                .into_iter()
                .filter(is_unused)
                .map(|file| super::walk::name_of(&file)),
        );
    }
    if !unused.is_empty() {
        let text = match unused.len() {
            1 => "1 image beside those of the table is in no row of it".to_owned(),
            images => format!(
                "{} images beside those of the table are in no row of it",
                count(images as u64)
            ),
        };
        ask.told
            .note(format!("{text} ({})", names::some_of(&unused, 3)));
    }
}

/// Says which column is taken for what, where the usual three are not all there is.
fn tell(ask: &mut OpenRequest, columns: &Columns) {
    let name = |at: usize| columns.names.get(at).cloned().unwrap_or_default();
    let label = match &columns.label {
        LabelAt::Nowhere => "no column of labels".to_owned(),
        LabelAt::Column(at) => format!("labels in column {}", name(*at)),
        LabelAt::OneHot(labels) => format!("a column for each of {} labels", labels.len()),
    };
    let split = columns
        .split
        .map(|at| format!(", splits in column {}", name(at)));
    let text = format!(
        "images in column {}, {label}{}",
        name(columns.path),
        split.unwrap_or_default()
    );
    ask.told.note(text);
}

fn row(
    record: &StringRecord,
    columns: &Columns,
    files: &Files,
    rule: Option<&LabelRule>,
) -> Result<Row, String> {
    let path = files.resolve(record.get(columns.path).unwrap_or_default())?;
    let split =
        match columns
            .split
            .and_then(|at| record.get(at))
            .unwrap_or_default()
        {
            "" => None,
            word => Some(columns::split_of(word).ok_or_else(|| {
                format!("'{}' is no split", crate::formats::array::shortened(word))
            })?),
        };
    let label = match (rule, &columns.label) {
        (Some(LabelRule::Name(pattern)), _) => {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            pattern.class_of(&stem).unwrap_or_default().to_owned()
        }
        (_, LabelAt::Nowhere) => String::new(),
        (_, LabelAt::Column(at)) => record.get(*at).unwrap_or_default().to_owned(),
        (_, LabelAt::OneHot(_)) => String::new(),
    };
    let columns = match (rule, &columns.label) {
        (None, LabelAt::OneHot(labels)) => ones(record, labels)?,
        _ => Vec::new(),
    };
    Ok(Row {
        path,
        label,
        columns,
        split,
    })
}

/// The labels in whose columns there are ones.
fn ones(record: &StringRecord, labels: &[(usize, String)]) -> Result<Vec<usize>, String> {
    let mut ones = Vec::new();
    for (label, (at, name)) in labels.iter().enumerate() {
        let cell = record.get(*at).unwrap_or_default();
        match labels::whole(cell) {
            Some(1) => ones.push(label),
            Some(0) => {}
            _ if cell.is_empty() => {}
            _ => {
                let cell = crate::formats::array::shortened(cell);
                return Err(format!("column {name} has '{cell}', and a label is 1 or 0"));
            }
        }
    }
    Ok(ones)
}

/// All labels: by number where all are numbers, else by name.
fn classes(ask: &OpenRequest, file: &Path, rows: &[Row]) -> Result<Vec<String>, DataError> {
    let labelled = rows
        .iter()
        .filter(|row| row.split != Some(Split::Unlabeled))
        .map(|row| row.label.clone());
    let classes = labels::classes(labelled, ask.order);
    if classes.len() <= MOST_CLASSES || !ask.told.label_names.is_empty() {
        return Ok(classes);
    }
    let problem = format!(
        "the labels have {} different values, which are no classes",
        classes.len()
    );
    Err(DataError::malformed(file, problem, HELP))
}
