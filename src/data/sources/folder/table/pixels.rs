//! Tables of the pixels themselves: a row an image, with a column for each pixel and one for the label
//! (`label,pixel0…pixel783`), or with all pixels as one text of numbers (`emotion,pixels,Usage`).
//!
//! Rows are read one by one. Fails on rows of different lengths, on cells that are no numbers, and on lengths that are
//! no image.

use super::columns::{self, split_of};
use super::sheet::{self, Sheet};
use super::transposed::is_transposed;
use super::{MOST_CLASSES, Tables};
use crate::Skipped;
use crate::error::DataError;
use crate::formats::bytes::{Input, LESS_MEMORY};
use crate::formats::labels::{self, Names, whole};
use crate::formats::rows::{self, Rows};
use crate::source::{BYTES, OpenRequest, OpenedSource, RawImage, SourceSplit};
use csv::{ByteRecord, StringRecord};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use strata_core::format::count;
use strata_core::project::data::{LabelRule, Split};
use strata_core::system_memory;

/// Columns of numbers from which on a table is one of pixels.
const LEAST_COLUMNS: usize = 16;
/// Values of all images together.
const MOST_VALUES: usize = 2 << 30;
/// Rows between two reports of progress.
const PER_STEP: usize = 1024;
const HELP: &str = "write one row an image: its label, then a number for each pixel";

/// Where in a row is what.
struct Plan {
    mark: u8,
    has_header: bool,
    label: Option<usize>,
    split: Option<usize>,
    /// The columns of pixels; a single one holds all as a text.
    pixels: Vec<usize>,
    /// Numbers of an image.
    length: usize,
    names: Vec<String>,
}

/// What was read of one split.
#[derive(Default)]
struct Gathered {
    values: Values,
    labels: Vec<String>,
}

/// Bytes as long as all numbers are such.
enum Values {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

impl Default for Values {
    fn default() -> Values {
        Values::Bytes(Vec::new())
    }
}

impl Values {
    fn push(&mut self, number: f32) {
        let byte =
            (number.fract() == 0.0 && (0.0..=255.0).contains(&number)).then_some(number as u8);
        match (&mut *self, byte) {
            (Values::Bytes(values), Some(byte)) => values.push(byte),
            (Values::Floats(values), _) => values.push(number),
            (Values::Bytes(values), None) => {
                let mut floats: Vec<f32> = values.iter().map(|&value| f32::from(value)).collect();
                floats.push(number);
                *self = Values::Floats(floats);
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Values::Bytes(values) => values.len(),
            Values::Floats(values) => values.len(),
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Values::Bytes(values) => values.len() as u64,
            Values::Floats(values) => size_of_val(values.as_slice()) as u64,
        }
    }

    fn into_raw(self, as_floats: bool) -> RawImage {
        match self {
            Values::Bytes(values) if as_floats => {
                RawImage::Floats(values.into_iter().map(f32::from).collect())
            }
            Values::Bytes(values) => RawImage::Bytes(values),
            Values::Floats(values) => RawImage::Floats(values),
        }
    }
}

/// The images of a table of pixels; none where it is a table of paths.
pub(crate) fn load(
    ask: &mut OpenRequest,
    tables: &Tables,
) -> Result<Option<OpenedSource>, DataError> {
    let mut splits: BTreeMap<Split, Gathered> = BTreeMap::new();
    let (mut skipped, mut length) = (Vec::new(), None);
    for (file, split) in tables {
        let sheet = Sheet::look(file)?;
        let Some(plan) = plan(ask, &sheet).map_err(|problem| fail(file, problem))? else {
            return Ok(None);
        };
        if length.is_some_and(|length| length != plan.length) {
            let problem = format!(
                "its images are {} numbers, those of another table are not",
                plan.length
            );
            return Err(fail(file, problem));
        }
        length = Some(plan.length);
        let split = split.unwrap_or(Split::Train);
        read(ask, file, &plan, split, &mut splits, &mut skipped)?;
        tell(ask, &plan);
    }
    splits.retain(|_, gathered| gathered.values.len() > 0);
    let file = tables.first().map_or(Path::new(""), |(file, _)| file);
    let (Some(length), false) = (length, splits.is_empty()) else {
        return Err(fail(file, "there is no row of pixels in it"));
    };
    let mut loaded = finish(ask, file, length, splits)?;
    loaded.skipped = skipped;
    Ok(Some(loaded))
}

fn fail(file: &Path, problem: impl Into<String>) -> DataError {
    DataError::malformed(file, problem, HELP)
}

fn number(cell: &str) -> Option<f32> {
    cell.parse::<f32>().ok().filter(|number| number.is_finite())
}

/// Whether the table is one of pixels, and where they are.
fn plan(ask: &OpenRequest, sheet: &Sheet) -> Result<Option<Plan>, String> {
    let empty = StringRecord::new();
    let first = sheet.rows.first().unwrap_or(&empty);
    let has_header = first
        .iter()
        .any(|cell| number(cell).is_none() && !is_text_of_pixels(cell));
    let body = sheet
        .rows
        .get(usize::from(has_header)..)
        .unwrap_or_default();
    // Single rows of another length are left out when they are read.
    let is_whole = |row: &&StringRecord| row.len() == sheet.columns;
    let body: Vec<&StringRecord> = body.iter().filter(is_whole).collect();
    let Some(row) = body.first() else {
        return Ok(None);
    };
    let header = if has_header { first } else { &empty };
    let names: Vec<String> = (0..sheet.columns)
        .map(|at| {
            header
                .get(at)
                .map_or_else(|| (at + 1).to_string(), str::to_owned)
        })
        .collect();
    let text = (0..sheet.columns).find(|&at| row.get(at).is_some_and(is_text_of_pixels));
    let of_numbers =
        (0..sheet.columns).filter(|&at| row.get(at).is_some_and(|cell| number(cell).is_some()));
    if text.is_none() && of_numbers.count() < LEAST_COLUMNS {
        return Ok(None);
    }
    let split = columns::split_named(header);
    let label = match &ask.spec.label {
        Some(LabelRule::Column(name)) => Some(columns::column_of(&names, name)?),
        Some(LabelRule::Name(_)) => {
            return Err("label names files, and this is a table of pixels".to_owned());
        }
        None => columns::label_named(header),
    };
    let mut plan = Plan {
        mark: sheet.mark,
        has_header,
        label,
        split,
        pixels: Vec::new(),
        length: 0,
        names,
    };
    if let Some(at) = text {
        plan.label = plan
            .label
            .or_else(|| (0..sheet.columns).find(|&other| other != at && Some(other) != split));
        plan.length = row.get(at).unwrap_or_default().split_whitespace().count();
        plan.pixels = vec![at];
        return Ok(Some(plan));
    }
    plan.pixels = pixel_columns(ask, header, &body, &mut plan)?;
    plan.length = plan.pixels.len();
    Ok(Some(plan))
}

/// Whether a cell is a text of many numbers.
fn is_text_of_pixels(cell: &str) -> bool {
    let mut words = cell.split_whitespace();
    words.clone().nth(LEAST_COLUMNS - 1).is_some() && words.all(|word| number(word).is_some())
}

/// All columns of numbers but those of label, split and row number. Without names, the label is first or last,
/// whichever leaves an image and has several values.
fn pixel_columns(
    ask: &OpenRequest,
    header: &StringRecord,
    body: &[&StringRecord],
    plan: &mut Plan,
) -> Result<Vec<usize>, String> {
    let is_image = |length: usize| match &ask.spec.shape {
        Some(shape) => rows::shape_of(shape, length).is_ok(),
        None => rows::guessed(length).is_some(),
    };
    let is_row_number = |at: usize| {
        let name = header.get(at).map(str::to_lowercase);
        name.is_some_and(|name| {
            name.is_empty()
                || name.starts_with("unnamed")
                || matches!(name.as_str(), "id" | "index" | "imageid")
        })
    };
    let is_free = |at: &usize| Some(*at) != plan.label && Some(*at) != plan.split;
    let all: Vec<usize> = (0..plan.names.len()).filter(is_free).collect();
    // A single cell that is none costs its row, which is left out and told when it is read.
    let numbers = |at: &usize| {
        let is_number =
            |row: &&&StringRecord| row.get(*at).is_some_and(|cell| number(cell).is_some());
        10 * body.iter().filter(is_number).count() >= 9 * body.len()
    };
    let of_numbers: Vec<usize> = all.iter().copied().filter(numbers).collect();
    let named: Vec<usize> = of_numbers
        .iter()
        .copied()
        .filter(|&at| !is_row_number(at))
        .collect();
    if is_image(named.len()) {
        // A column of texts among numbers is the label.
        let other = all.iter().find(|at| !of_numbers.contains(at)).copied();
        plan.label = plan.label.or(other);
        return Ok(named);
    }
    let distinct = |at: usize| {
        let cells = body.iter().filter_map(|row| row.get(at));
        cells.collect::<std::collections::BTreeSet<&str>>().len()
    };
    if plan.label.is_none() && is_image(named.len().saturating_sub(1)) {
        let (first, last) = (named.first().copied(), named.last().copied());
        let is_label = |at: usize| body.iter().all(|row| row.get(at).and_then(whole).is_some());
        let ends = [first, last]
            .into_iter()
            .flatten()
            .filter(|&at| is_label(at));
        plan.label = ends.max_by_key(|&at| (distinct(at).min(2), std::cmp::Reverse(at)));
        if plan.label.is_some() {
            return Ok(named
                .into_iter()
                .filter(|&at| Some(at) != plan.label)
                .collect());
        }
    }
    Err(rows::no_shape(named.len()))
}

fn read(
    ask: &mut OpenRequest,
    file: &Path,
    plan: &Plan,
    of_file: Split,
    splits: &mut BTreeMap<Split, Gathered>,
    skipped: &mut Vec<Skipped>,
) -> Result<(), DataError> {
    let mut input = Input::open(file)?;
    let mut reader = sheet::reader(input.reader(), plan.mark);
    let mut record = ByteRecord::new();
    let (mut total, mut number) = (0usize, 0usize);
    let mut row = Vec::with_capacity(plan.length);
    loop {
        let more = reader.read_byte_record(&mut record);
        if !more.map_err(|error| super::broken(file, number, &error))? {
            return Ok(());
        }
        number += 1;
        if number == 1 && plan.has_header {
            continue;
        }
        if number.is_multiple_of(PER_STEP) {
            ask.report("reading the table", number, number)?;
            check_memory(file, splits)?;
        }
        row.clear();
        match read_row(&record, plan, &mut row) {
            Ok((label, split)) => {
                let gathered = splits.entry(split.unwrap_or(of_file)).or_default();
                row.iter().for_each(|&value| gathered.values.push(value));
                gathered.labels.push(label);
                total += row.len();
            }
            Err(reason) => skipped.push(Skipped {
                file: file.to_path_buf(),
                reason: format!("row {number}: {reason}"),
            }),
        }
        if total > MOST_VALUES {
            let problem = format!("it has more than {} values", count(MOST_VALUES as u64));
            return Err(fail(file, problem));
        }
    }
}

/// The values of a split are moved to twice their room when it is full.
fn check_memory(file: &Path, splits: &BTreeMap<Split, Gathered>) -> Result<(), DataError> {
    let most = splits
        .values()
        .map(|gathered| gathered.values.bytes())
        .max();
    system_memory::check_large(most.unwrap_or(0).saturating_mul(2))
        .map_err(|problem| DataError::malformed(file, problem, LESS_MEMORY))
}

/// The numbers of a row, its label and its split.
fn read_row(
    record: &ByteRecord,
    plan: &Plan,
    row: &mut Vec<f32>,
) -> Result<(String, Option<Split>), String> {
    let text = |at: usize| {
        record
            .get(at)
            .map(|cell| String::from_utf8_lossy(cell).into_owned())
    };
    let no_number = |cell: &[u8]| {
        let cell = String::from_utf8_lossy(cell);
        format!("'{}' is no number", crate::formats::array::shortened(&cell))
    };
    if record.len() != plan.names.len() {
        return Err(format!(
            "{} columns, and most rows have {}",
            record.len(),
            plan.names.len()
        ));
    }
    if let [all] = plan.pixels[..] {
        let cell = record.get(all).unwrap_or_default();
        for word in cell
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
        {
            row.push(parse(word).ok_or_else(|| no_number(word))?);
        }
    } else {
        for &at in &plan.pixels {
            let cell = record.get(at).unwrap_or_default();
            row.push(parse(cell).ok_or_else(|| no_number(cell))?);
        }
    }
    if row.len() != plan.length {
        return Err(format!(
            "{} numbers, and the first row has {}",
            row.len(),
            plan.length
        ));
    }
    let label = plan.label.and_then(text).unwrap_or_default();
    let split = match plan.split.and_then(text) {
        Some(word) if !word.is_empty() => {
            Some(split_of(&word).ok_or_else(|| format!("'{word}' is no split"))?)
        }
        _ => None,
    };
    Ok((label, split))
}

/// A number; short whole ones are by far the most.
fn parse(cell: &[u8]) -> Option<f32> {
    if (1..=5).contains(&cell.len()) && cell.iter().all(u8::is_ascii_digit) {
        let digits = cell
            .iter()
            .fold(0u32, |sum, &digit| 10 * sum + u32::from(digit - b'0'));
        return Some(digits as f32);
    }
    number(std::str::from_utf8(cell).ok()?)
}

fn tell(ask: &mut OpenRequest, plan: &Plan) {
    let name = |at: usize| plan.names.get(at).cloned().unwrap_or_default();
    let label = match plan.label {
        Some(at) => format!("labels in column {}", name(at)),
        None => "no column of labels".to_owned(),
    };
    let split = plan
        .split
        .map(|at| format!(", splits in column {}", name(at)));
    let text = format!(
        "a table of pixels, {} numbers a row, {label}{}",
        count(plan.length as u64),
        split.unwrap_or_default()
    );
    ask.told.note(text);
}

fn finish(
    ask: &mut OpenRequest,
    file: &Path,
    length: usize,
    splits: BTreeMap<Split, Gathered>,
) -> Result<OpenedSource, DataError> {
    let transposed = is_transposed(ask, file)?;
    let all = || splits.values().flat_map(|gathered| gathered.labels.iter());
    let known = Names::new(all().map(String::as_str));
    let classes = labels::classes(all().map(|label| known.of(label)), ask.order);
    if classes.len() > MOST_CLASSES {
        let problem = format!(
            "the labels have {} different values, which are no classes",
            classes.len()
        );
        return Err(fail(file, problem));
    }
    let numbers = labels::numbers(&classes);
    let as_floats = splits
        .values()
        .any(|gathered| matches!(gathered.values, Values::Floats(_)));
    let mut span = BYTES;
    let mut parts = Vec::new();
    for (split, gathered) in splits {
        let labels: Option<Vec<u32>> = gathered
            .labels
            .iter()
            .map(|label| numbers.get(known.of(label).as_str()).copied())
            .collect();
        let values = gathered.values.into_raw(as_floats);
        if let (RawImage::Floats(values), true) = (&values, parts.is_empty()) {
            span = ends(values);
        }
        let pictures = Rows::new(values, length, ask.spec.shape.as_ref(), transposed);
        let pictures = pictures.map_err(|problem| fail(file, problem))?;
        let split = match (&labels, split) {
            (None, Split::Valid | Split::Test) if !classes.is_empty() => Split::Unlabeled,
            (_, split) => split,
        };
        parts.push(SourceSplit {
            split,
            pictures: Arc::new(pictures),
            labels,
        });
    }
    tell_of_shape(ask, &parts);
    Ok(OpenedSource {
        parts,
        skipped: Vec::new(),
        span,
        holds_out: true,
        classes,
    })
}

/// The least and the greatest number.
fn ends(values: &[f32]) -> [f32; 2] {
    let ends = values
        .iter()
        .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &value| {
            [low.min(value), high.max(value)]
        });
    if ends[0] < ends[1] {
        ends
    } else {
        [ends[0], ends[0] + 1.0]
    }
}

fn tell_of_shape(ask: &mut OpenRequest, parts: &[SourceSplit]) {
    if let Some([height, width, channels]) = parts.first().map(|part| part.pictures.shape()) {
        let colour = if channels == 1 { "grey" } else { "in colour" };
        ask.told.note(format!(
            "each row is an image of {height}×{width}, {colour}"
        ));
    }
}
