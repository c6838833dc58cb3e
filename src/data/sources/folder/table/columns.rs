//! Which column of a table holds what: by the names in the first row, else by what is in the cells. Fails with a
//! sentence where no column names images.

use super::files::Files;
use super::sheet::Sheet;
use crate::formats::labels::whole;
use crate::images::image_file;
use crate::sources::folder::names;
use csv::StringRecord;
use std::collections::BTreeSet;
use std::path::Path;
use strata_core::project::data::{LabelRule, Split};

/// Names of columns, the likelier first.
const PATHS: [&str; 24] = [
    "path",
    "file",
    "filename",
    "filepath",
    "filepaths",
    "file_name",
    "file_path",
    "image",
    "images",
    "image_path",
    "imagepath",
    "image_name",
    "image_file",
    "img",
    "img_path",
    "img_name",
    "image_id",
    "imageid",
    "image id",
    "id_code",
    "fname",
    "picture",
    "photo",
    "id",
];
const LABELS: [&str; 30] = [
    "label",
    "class",
    "category",
    "target",
    "labels",
    "label_name",
    "class_name",
    "classname",
    "classid",
    "class_id",
    "class id",
    "categories",
    "species",
    "breed",
    "diagnosis",
    "dx",
    "level",
    "emotion",
    "digit",
    "letter",
    "character",
    "variety",
    "finding labels",
    "disease",
    "type",
    "y",
    "style",
    "gender",
    "ground_truth",
    "sign",
];
const SPLITS: [&str; 9] = [
    "split",
    "set",
    "subset",
    "partition",
    "usage",
    "data set",
    "dataset",
    "phase",
    "purpose",
];
/// A label that takes as many values as this share of the rows is none.
const MOST_DISTINCT: usize = 2;

/// Where labels are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LabelAt {
    Nowhere,
    Column(usize),
    /// A column for each class or label, with a one in those that the row's image has.
    OneHot(Vec<(usize, String)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub path: usize,
    pub label: LabelAt,
    pub split: Option<usize>,
    pub has_header: bool,
    /// The names of all columns, or their numbers from 1.
    pub names: Vec<String>,
}

/// The split that a cell names; a column called `partition` may count them.
pub(crate) fn split_of(cell: &str) -> Option<Split> {
    match cell.to_lowercase().as_str() {
        "publictest" | "1" => Some(Split::Valid),
        "privatetest" | "2" => Some(Split::Test),
        "0" => Some(Split::Train),
        word => names::split_of(word),
    }
}

/// The place of the likeliest of some names.
pub(crate) fn named(header: &StringRecord, known: &[&str]) -> Option<usize> {
    known.iter().find_map(|name| {
        header
            .iter()
            .position(|cell| cell.eq_ignore_ascii_case(name))
    })
}

/// The column of labels by its name.
pub(crate) fn label_named(header: &StringRecord) -> Option<usize> {
    named(header, &LABELS)
}

/// The column of splits by its name.
pub(crate) fn split_named(header: &StringRecord) -> Option<usize> {
    named(header, &SPLITS)
}

/// Looks at the first rows.
pub(crate) fn find(
    sheet: &Sheet,
    files: &Files,
    rule: Option<&LabelRule>,
) -> Result<Columns, String> {
    let empty = StringRecord::new();
    let first = sheet.rows.first().unwrap_or(&empty);
    let path = path_column(sheet, files, first)?;
    let cell = first.get(path).unwrap_or_default();
    let has_header = !image_file::is_named_like_one(Path::new(cell)) && !files.has(cell);
    let rows: Vec<&StringRecord> = sheet.rows.iter().skip(usize::from(has_header)).collect();
    let names = (0..sheet.columns).map(|at| match first.get(at).filter(|_| has_header) {
        Some(name) => name.to_owned(),
        None => (at + 1).to_string(),
    });
    let names: Vec<String> = names.collect();
    let header = if has_header { first } else { &empty };
    let split = split_column(header, &rows, path, sheet.columns);
    let label = match rule {
        Some(LabelRule::Column(name)) => LabelAt::Column(column_of(&names, name)?),
        Some(LabelRule::Name(_)) => LabelAt::Nowhere,
        None => label_column(header, &rows, path, split, &names),
    };
    Ok(Columns {
        path,
        label,
        split,
        has_header,
        names,
    })
}

/// The column of this name.
pub(crate) fn column_of(names: &[String], wanted: &str) -> Result<usize, String> {
    let at = names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(wanted));
    at.ok_or_else(|| {
        format!(
            "there is no column {wanted}; its columns are {}",
            names::some_of(names, 12)
        )
    })
}

/// The column of which most cells are files that are there, or are named like images.
fn path_column(sheet: &Sheet, files: &Files, first: &StringRecord) -> Result<usize, String> {
    let by_name = |at: usize| {
        let cell = first.get(at).unwrap_or_default();
        let place = PATHS
            .iter()
            .position(|name| cell.eq_ignore_ascii_case(name));
        PATHS.len() - place.unwrap_or(PATHS.len())
    };
    let body = sheet
        .rows
        .get(1..)
        .filter(|rows| !rows.is_empty())
        .unwrap_or(&sheet.rows);
    let count = |at: usize, is_one: &dyn Fn(&str) -> bool| {
        body.iter()
            .filter(|row| is_one(row.get(at).unwrap_or_default()))
            .count()
    };
    let like = |cell: &str| image_file::is_named_like_one(Path::new(&cell.replace('\\', "/")));
    let looks: Vec<usize> = (0..sheet.columns).map(|at| count(at, &like)).collect();
    // Files are looked for only where no column has names of images: a name without an ending.
    let scores: Vec<usize> = match looks.iter().any(|&count| count > 0) {
        true => looks,
        false => (0..sheet.columns)
            .map(|at| count(at, &|cell| files.has(cell)))
            .collect(),
    };
    let best = (0..sheet.columns)
        .max_by_key(|&at| (scores.get(at).copied(), by_name(at), std::cmp::Reverse(at)));
    match best {
        Some(at) if scores.get(at).is_some_and(|&score| score > 0) || by_name(at) > 0 => Ok(at),
        _ => {
            let all: Vec<&str> = first.iter().collect();
            Err(format!(
                "it names no image: no column holds names of images that are there (the first row is {})",
                names::some_of(&all, 12)
            ))
        }
    }
}

/// By name where its cells are splits, else the column all of whose cells are.
fn split_column(
    header: &StringRecord,
    rows: &[&StringRecord],
    path: usize,
    columns: usize,
) -> Option<usize> {
    let cells = |at: usize| {
        rows.iter()
            .filter_map(move |row| row.get(at))
            .filter(|cell| !cell.is_empty())
    };
    let is_word = |cell: &str| cell.parse::<i64>().is_err() && split_of(cell).is_some();
    let is_number = |cell: &str| matches!(cell, "0" | "1" | "2");
    if let Some(at) = split_named(header)
        && at != path
        && (cells(at).any(is_word) || (cells(at).next().is_some() && cells(at).all(is_number)))
    {
        return Some(at);
    }
    (0..columns).find(|&at| {
        let words: BTreeSet<String> = cells(at).map(str::to_lowercase).collect();
        let is_split = |word: &String| names::split_of(word).is_some();
        at != path && words.len() >= 2 && words.iter().all(is_split)
    })
}

fn label_column(
    header: &StringRecord,
    rows: &[&StringRecord],
    path: usize,
    split: Option<usize>,
    names: &[String],
) -> LabelAt {
    let is_free = |at: &usize| *at != path && Some(*at) != split;
    if let Some(at) = label_named(header).filter(is_free) {
        return LabelAt::Column(at);
    }
    let free: Vec<usize> = (0..names.len()).filter(is_free).collect();
    let index = |at: &&usize| is_index(header, rows, **at);
    let free: Vec<usize> = free.iter().filter(|at| !index(at)).copied().collect();
    if let Some(classes) = one_hot(rows, &free, names).filter(|_| !header.is_empty()) {
        return LabelAt::OneHot(classes);
    }
    let distinct = |at: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(at))
            .filter(|cell| !cell.is_empty());
        cells.collect::<BTreeSet<&str>>().len()
    };
    match free[..] {
        [] => LabelAt::Nowhere,
        [only] => LabelAt::Column(only),
        _ => {
            let likely = free.iter().filter(|&&at| distinct(at) >= 2);
            let best = likely.min_by_key(|&&at| distinct(at)).copied();
            match best.filter(|&at| distinct(at) * MOST_DISTINCT <= rows.len()) {
                Some(at) => LabelAt::Column(at),
                None => free
                    .first()
                    .map_or(LabelAt::Nowhere, |&at| LabelAt::Column(at)),
            }
        }
    }
}

/// The column that counts the rows, as pandas writes it: without a name, every number once.
fn is_index(header: &StringRecord, rows: &[&StringRecord], at: usize) -> bool {
    let name = header.get(at).unwrap_or_default().to_lowercase();
    let is_nameless = name.is_empty() || name.starts_with("unnamed") || name == "index";
    let numbers: Option<Vec<i64>> = rows.iter().map(|row| whole(row.get(at)?)).collect();
    let rises_by_one = numbers.is_some_and(|numbers| {
        numbers.len() > 2
            && numbers
                .windows(2)
                .all(|pair| pair[1] == pair[0].wrapping_add(1))
    });
    rises_by_one && is_nameless
}

/// Columns of ones and noughts: with a single one in each row, or where there are no other columns.
fn one_hot(
    rows: &[&StringRecord],
    free: &[usize],
    names: &[String],
) -> Option<Vec<(usize, String)>> {
    let bit = |row: &StringRecord, at: usize| match whole(row.get(at)?)? {
        bit @ (0 | 1) => Some(bit),
        _ => None,
    };
    let bits: Vec<usize> = free
        .iter()
        .copied()
        .filter(|&at| rows.iter().all(|row| bit(row, at).is_some()))
        .collect();
    let is_single =
        |row: &&StringRecord| bits.iter().filter_map(|&at| bit(row, at)).sum::<i64>() == 1;
    let are_labels = bits.len() == free.len() || rows.iter().all(is_single);
    if bits.len() < 2 || rows.is_empty() || !are_labels {
        return None;
    }
    let class = |at: usize| Some((at, names.get(at)?.clone()));
    bits.into_iter().map(class).collect()
}
