//! Images from MATLAB files of version 5: SVHN (`X` of 32×32×3×N, `y`), CIFAR (`data` of N×3072, `labels`), natural
//! images (`IMAGES` of 512×512×10).
//!
//! The largest array holds the images, one with as many numbers as there are images the labels. MATLAB lays the first
//! axis out fastest, so that its images lie column by column. Fails where no array is one of images.

use crate::Skipped;
use crate::error::DataError;
use crate::formats::bytes::DOWNLOAD_AGAIN;
use crate::formats::labels;
use crate::formats::matlab::{self, Matrix};
use crate::formats::rows::{self, Order, Rows};
use crate::source::{BYTES, OpenRequest, OpenedSource, RawImage, SourceSplit};
use crate::sources::folder::names;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::project::data::Split;
use strata_core::project::help::Help;
use strata_core::system_memory;

/// Bytes of all arrays of a file.
const MOST_BYTES: u64 = 4 << 30;
const MOST_CLASSES: usize = 10_000;

/// The images of one file.
pub(crate) struct Content {
    pub rows: Rows,
    pub labels: Option<Vec<String>>,
}

/// The MATLAB files that a path names: itself, or those in the folder where there are no other arrays.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    let is_one = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default();
        ending.eq_ignore_ascii_case("mat") && path.is_file() && !names::is_hidden(path)
    };
    let mut files: Vec<PathBuf> = match path.is_dir() {
        true => {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect()
        }
        false => vec![path.to_path_buf()],
    };
    files.sort();
    let is_array = |path: &PathBuf| {
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        matches!(ending.as_str(), "npy" | "npz")
    };
    if files.iter().any(is_array) {
        return Vec::new();
    }
    files.retain(is_one);
    files
}

/// Reads the files with `read`, one split after the other.
pub(crate) fn load(
    ask: &mut OpenRequest,
    files: &[PathBuf],
    read: fn(&mut OpenRequest, &Path) -> Result<Content, DataError>,
) -> Result<OpenedSource, DataError> {
    let mut splits: BTreeMap<Split, Content> = BTreeMap::new();
    let mut skipped = Vec::new();
    for (done, file) in files.iter().enumerate() {
        ask.report("reading files", done, files.len())?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let split = names::split_in_name(&stem).unwrap_or(Split::Train);
        let is_meta = stem.contains("meta") && files.len() > 1;
        if is_meta {
            skipped.push(Skipped {
                file: file.clone(),
                reason: "it holds names and no images".to_owned(),
            });
            continue;
        }
        let fail = |problem: String| DataError::malformed(file, problem, DOWNLOAD_AGAIN);
        let content = read(ask, file)?;
        match splits.remove(&split) {
            Some(known) => {
                let joined = join(known, content).map_err(fail)?;
                splits.insert(split, joined);
            }
            None => drop(splits.insert(split, content)),
        }
    }
    ask.report("reading files", files.len(), files.len())?;
    finish(ask, files, splits, skipped)
}

fn finish(
    ask: &mut OpenRequest,
    files: &[PathBuf],
    splits: BTreeMap<Split, Content>,
    skipped: Vec<Skipped>,
) -> Result<OpenedSource, DataError> {
    let file = files.first().map_or(Path::new(""), PathBuf::as_path);
    let all = splits
        .values()
        .filter_map(|content| content.labels.as_ref());
    let classes = labels::classes(all.flatten().cloned(), ask.order);
    let shapes: Vec<[usize; 3]> = splits.values().map(|content| content.rows.shape).collect();
    if shapes.windows(2).any(|pair| pair[0] != pair[1]) || classes.len() > MOST_CLASSES {
        let problem = "its files hold images of different shapes, or labels that are no classes";
        return Err(DataError::malformed(
            file,
            problem,
            "point path at one of them",
        ));
    }
    if let Some([height, width, channels]) = shapes.first() {
        let text = format!("images of {height}×{width} with {channels} channels");
        ask.told.note(text);
    }
    let numbers = labels::numbers(&classes);
    let number = |label: &String| numbers.get(label.as_str()).copied();
    let mut span = BYTES;
    let mut parts = Vec::new();
    for (split, content) in splits {
        if let (RawImage::Floats(values), true) = (&content.rows.values, parts.is_empty()) {
            let least = values.iter().copied().fold(f32::INFINITY, f32::min);
            let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            span = [least, if most > least { most } else { least + 1.0 }];
        }
        let labels = content
            .labels
            .as_ref()
            .and_then(|labels| labels.iter().map(number).collect());
        parts.push(SourceSplit {
            split,
            pictures: Arc::new(content.rows),
            labels,
        });
    }
    Ok(OpenedSource {
        classes,
        parts,
        skipped,
        span,
        holds_out: true,
    })
}

fn join(mut one: Content, other: Content) -> Result<Content, String> {
    match (&mut one.rows.values, other.rows.values) {
        (RawImage::Bytes(values), RawImage::Bytes(more)) => values.extend(more),
        (RawImage::Floats(values), RawImage::Floats(more)) => values.extend(more),
        _ => {
            return Err("its values are of another kind than those of the files before".to_owned());
        }
    }
    if one.rows.shape != other.rows.shape {
        return Err("its images are of another shape than those of the files before".to_owned());
    }
    match (&mut one.labels, other.labels) {
        (Some(labels), Some(more)) => labels.extend(more),
        (labels, _) => *labels = None,
    }
    Ok(one)
}

/// The images of a MATLAB file.
pub(crate) fn read(ask: &mut OpenRequest, file: &Path) -> Result<Content, DataError> {
    let mut arrays = matlab::matrices(ask, file, MOST_BYTES)?;
    arrays.sort_by_key(|matrix| std::cmp::Reverse(count(matrix)));
    let has_shape = arrays.first().is_some_and(|images| images.shape.len() > 2);
    if has_shape && ask.spec.shape.is_some() {
        return Err(DataError::setting(
            "shape",
            "it is for rows of numbers, and the images of this file have a shape of their own",
            Help::without("shape"),
        ));
    }
    content(ask, file, arrays)
        .map_err(|problem| DataError::malformed(file, problem, DOWNLOAD_AGAIN))
}

fn count(matrix: &Matrix) -> usize {
    matrix.shape.iter().product()
}

/// What is in the arrays, the largest of which comes first.
fn content(ask: &OpenRequest, file: &Path, arrays: Vec<Matrix>) -> Result<Content, String> {
    let mut arrays = arrays.into_iter();
    let images = arrays
        .next()
        .filter(|images| count(images) > 1)
        .ok_or("it holds no array of images")?;
    let others: Vec<Matrix> = arrays.collect();
    let is_list = |matrix: &&Matrix, length: usize| {
        count(matrix) == length && matrix.shape.iter().filter(|&&axis| axis > 1).count() <= 1
    };
    let label_word = |matrix: &Matrix| {
        let name = matrix.name.to_lowercase();
        ["y", "label", "class", "target"]
            .iter()
            .any(|word| name.contains(word))
    };
    let labels_for = |length: usize| {
        let lists = others.iter().filter(|matrix| is_list(matrix, length));
        lists.max_by_key(|matrix| (label_word(matrix), !matrix.name.contains("coarse")))
    };
    let (rows, labels) = match images.shape[..] {
        [.., images_last] if images.shape.len() >= 3 => (
            stacked(&images, ask.spec.transpose)?,
            labels_for(images_last),
        ),
        [first, last] => {
            let (by_row, by_column) = (labels_for(first), labels_for(last));
            let is_by_row = by_row.is_some()
                || (by_column.is_none()
                    && (ask.spec.shape.is_some() || rows::guessed(last).is_some()));
            let (length, labels) = if is_by_row {
                (last, by_row)
            } else {
                (first, by_column)
            };
            let values = values(&images, is_by_row.then_some([first, last]))?;
            let shape = ask.spec.shape.as_ref();
            (
                Rows::new(values, length, shape, ask.spec.transpose)?,
                labels,
            )
        }
        _ => return Err("its largest array is a list, and no array of images".to_owned()),
    };
    let is_svhn = file
        .file_stem()
        .is_some_and(|stem| stem.to_string_lossy().ends_with("_32x32"));
    let labels = labels.map(|labels| texts(labels, is_svhn)).transpose()?;
    Ok(Content { rows, labels })
}

/// Images one after another: H×W×N, or H×W×C×N.
fn stacked(images: &Matrix, is_exchanged: bool) -> Result<Rows, String> {
    let [height, width, channels] = match images.shape[..] {
        [height, width, _] => [height, width, 1],
        [height, width, channels, _] => [height, width, channels],
        _ => return Err(format!("its largest array has {} axes", images.shape.len())),
    };
    Ok(Rows {
        values: values(images, None)?,
        shape: if is_exchanged {
            [width, height, channels]
        } else {
            [height, width, channels]
        },
        order: Order::Planes,
        // MATLAB's first axis runs fastest.
        transposed: !is_exchanged,
    })
}

/// The numbers in their order, or turned from columns to rows of an array of so many rows and columns.
fn values(matrix: &Matrix, turned: Option<[usize; 2]>) -> Result<RawImage, String> {
    let size = matrix.element.size();
    let place = |at: usize| match turned {
        Some([rows, columns]) => at / columns + (at % columns) * rows,
        None => at,
    };
    let count = matrix.bytes.len() / size;
    system_memory::check_large(count as u64 * if matrix.element.is_byte() { 1 } else { 4 })?;
    if matrix.element.is_byte() {
        let byte = |at: usize| matrix.bytes.get(place(at)).copied().unwrap_or_default();
        return Ok(RawImage::Bytes((0..count).map(byte).collect()));
    }
    let float = |at: usize| {
        let bytes = matrix.bytes.get(place(at) * size..)?.get(..size)?;
        matrix
            .element
            .float(bytes)
            .filter(|value| value.is_finite())
    };
    let floats: Option<Vec<f32>> = (0..count).map(float).collect();
    floats
        .map(RawImage::Floats)
        .ok_or_else(|| format!("{} holds values that are no finite numbers", matrix.name))
}

/// Labels as texts; SVHN's 10 is the digit 0.
fn texts(matrix: &Matrix, is_svhn: bool) -> Result<Vec<String>, String> {
    let labels: Option<Vec<String>> = matrix
        .bytes
        .chunks_exact(matrix.element.size())
        .map(|bytes| matrix.element.label(bytes))
        .collect();
    let labels = labels.ok_or_else(|| format!("{} holds no whole numbers", matrix.name))?;
    let digit = |label: String| {
        if is_svhn && label == "10" {
            "0".to_owned()
        } else {
            label
        }
    };
    Ok(labels.into_iter().map(digit).collect())
}
