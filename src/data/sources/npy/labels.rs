//! The labels of arrays: whole numbers of any kind, floats that are whole, texts, or a column for each class or label, of which
//! a picture has one or (multi-label) any number.
//! Fails on labels that are no classes, and where there are not as many as pictures.

use super::find::{Found, Place, Role};
use super::header::Header;
use super::pictures::ArrayPictures;
use super::{Misfit, fail, unpacked};
use crate::error::DataError;
use crate::formats::array::Element;
use crate::formats::bytes;
use crate::formats::labels;
use crate::label_sets;
use crate::source::{ImageStore, OpenRequest};
use std::path::{Path, PathBuf};

const MOST_CLASSES: usize = 10_000;

/// The labels of each array of pictures, where it has any; and the classes.
type Labels = (Vec<Option<Vec<u32>>>, Vec<String>);

pub(super) fn read(
    ask: &mut OpenRequest,
    found: &[Found],
    arrays: &[(&Found, ArrayPictures)],
    names: &[String],
) -> Result<Labels, DataError> {
    let mut read: Vec<Option<OfArray>> = Vec::new();
    for (images, array) in arrays {
        if let Some(class) = &images.class {
            read.push(Some(OfArray::Classes(vec![class.clone(); array.len()])));
            continue;
        }
        let place = found
            .iter()
            .find(|found| found.role == Role::Labels && found.split == images.split);
        let labels = place.map(|labels| labels_of(ask, &labels.place, &images.place, array.count));
        read.push(labels.transpose()?);
    }
    let columns = read.iter().flatten().find_map(OfArray::columns_of_sets);
    let read: Vec<Option<Vec<String>>> = match columns {
        Some(columns) => {
            ask.told.label_names = label_names(&ask.folder, names, columns);
            let place = found.iter().find(|found| found.role == Role::Labels);
            let sets = |labels: OfArray| labels.into_sets(columns);
            let read = read.into_iter().map(|labels| labels.map(sets).transpose());
            read.collect::<Result<_, String>>()
                .map_err(|problem| match place {
                    Some(found) => fail(&found.place, problem),
                    None => DataError::malformed(&ask.folder, problem, super::SAVE_AGAIN),
                })?
        }
        None => read
            .into_iter()
            .map(|labels| labels.map(OfArray::into_classes))
            .collect(),
    };
    let present = labels::classes(read.iter().flatten().flatten().cloned(), ask.order);
    if columns.is_none()
        && present.len() > MOST_CLASSES
        && let Some(place) = found.iter().find(|found| found.role == Role::Labels)
    {
        let problem = format!(
            "the labels have {} different values, which are no classes",
            present.len()
        );
        return Err(fail(&place.place, problem));
    }
    let numbers = labels::numbers(&present);
    let labels = read.iter().map(|labels| {
        let number = |label: &String| numbers.get(label.as_str()).copied();
        labels
            .as_ref()
            .and_then(|labels| labels.iter().map(number).collect())
    });
    let labels = labels.collect();
    match columns {
        Some(_) => Ok((labels, present)),
        None => Ok((labels, class_names(&ask.folder, names, &present))),
    }
}

/// The labels of an array of pictures.
enum OfArray {
    /// The class of each picture.
    Classes(Vec<String>),
    /// A column for each label, with the columns in which each picture has a one: one, several or none.
    Columns(usize, Vec<Vec<usize>>),
}

impl OfArray {
    /// How many columns there are, where a picture has not exactly one.
    fn columns_of_sets(&self) -> Option<usize> {
        match self {
            OfArray::Columns(columns, rows) if rows.iter().any(|row| row.len() != 1) => {
                Some(*columns)
            }
            OfArray::Columns(..) | OfArray::Classes(_) => None,
        }
    }

    /// The classes: where each picture has one column, that.
    fn into_classes(self) -> Vec<String> {
        match self {
            OfArray::Classes(classes) => classes,
            OfArray::Columns(_, rows) => {
                let class = |row: Vec<usize>| row.first().map(usize::to_string).unwrap_or_default();
                rows.into_iter().map(class).collect()
            }
        }
    }

    /// The texts of the sets of labels. Fails on classes, and on other columns than those of another split.
    fn into_sets(self, columns: usize) -> Result<Vec<String>, String> {
        match self {
            OfArray::Columns(own, rows) if own == columns => {
                let text = |row: Vec<usize>| label_sets::text_of(row.into_iter());
                Ok(rows.into_iter().map(text).collect())
            }
            OfArray::Columns(own, _) => Err(format!(
                "the labels of one split have {columns} columns, those of another {own}"
            )),
            OfArray::Classes(_) => Err(format!(
                "the labels of one split are a column for each of {columns} labels, those of another a class number"
            )),
        }
    }
}

/// A label is called by the number of its column, or as the names say where there is one for each.
fn label_names(path: &Path, names: &[String], columns: usize) -> Vec<String> {
    let numbers: Vec<String> = (0..columns).map(|column| column.to_string()).collect();
    class_names(path, names, &numbers)
}

/// How many labels an image has in the array.
fn columns(header: &Header, images: &Place, count: usize) -> Result<usize, Misfit> {
    // PCam's labels are N×1×1×1.
    let ones = header.shape.iter().skip(1).rev();
    let ones = ones.take_while(|&&axis| axis == 1).count();
    match header.shape[..header.shape.len() - ones] {
        [labels] if labels == count => Ok(1),
        [1, labels] if labels == count => Ok(1),
        [labels] => Err(Misfit {
            problem: format!("{labels} labels, but {} has {count} pictures", images.name),
            help: Some(
                "each picture needs one label: check that both are of the same images".into(),
            ),
        }),
        [labels, classes] if labels == count && classes <= MOST_CLASSES => Ok(classes),
        _ => Err(format!(
            "the labels are {:?}; one class number a picture is wanted, or a column for each class",
            header.shape
        )
        .into()),
    }
}

fn labels_of(
    ask: &mut OpenRequest,
    place: &Place,
    images: &Place,
    count: usize,
) -> Result<OfArray, DataError> {
    let check = |header: &Header| columns(header, images, count).map(drop);
    let (header, bytes) = unpacked(ask, place, check)?;
    let classes = columns(&header, images, count).map_err(|problem| fail(place, problem))?;
    let element = header.element;
    let all: Option<Vec<String>> = bytes
        .chunks_exact(element.size())
        .map(|bytes| element.label(bytes))
        .collect();
    let all = all.ok_or_else(|| fail(place, no_label(element, &bytes)))?;
    if let Some(at) = all.iter().position(String::is_empty) {
        return Err(fail(place, without_label(at)));
    }
    if classes == 1 {
        return Ok(OfArray::Classes(all));
    }
    let rows = ones(&all, count, classes).map_err(|problem| fail(place, problem))?;
    Ok(OfArray::Columns(classes, rows))
}

fn without_label(at: usize) -> Misfit {
    Misfit {
        problem: format!("label {at} is an empty text"),
        help: Some(
            "give every picture its class, or leave those without one out of both arrays".into(),
        ),
    }
}

/// What is wrong with the first element that is no label.
fn no_label(element: Element, bytes: &[u8]) -> String {
    let wrong = bytes
        .chunks_exact(element.size())
        .enumerate()
        .find(|(_, bytes)| element.label(bytes).is_none());
    match wrong {
        Some((at, bytes)) => match element.float(bytes) {
            Some(value) => format!("label {at} is {value}, and labels are whole numbers or texts"),
            None => format!("label {at} is beyond 64 bits"),
        },
        None => "its labels cannot be read".to_owned(),
    }
}

/// The columns in which each row has its ones.
fn ones(all: &[String], count: usize, columns: usize) -> Result<Vec<Vec<usize>>, String> {
    let row = |row: usize| {
        let mut ones = Vec::new();
        for column in 0..columns {
            match all.get(row * columns + column).map_or("", String::as_str) {
                "1" => ones.push(column),
                "0" => {}
                other => {
                    return Err(format!(
                        "row {row} of the labels has a {other}, and in a column for each label there are only 1 and 0"
                    ));
                }
            }
        }
        Ok(ones)
    };
    (0..count).map(row).collect()
}

/// A class is called by its number, or as the array of names or the line in `classes.txt` of this number says.
fn class_names(path: &Path, names: &[String], present: &[String]) -> Vec<String> {
    let folder: PathBuf = if path.is_dir() {
        path.into()
    } else {
        path.parent().map(Into::into).unwrap_or_default()
    };
    let of_file = bytes::names_file(&[folder], "classes.txt");
    let names = if names.is_empty() { &of_file } else { names };
    let name = |label: &String| names.get(label.parse::<usize>().ok()?).cloned();
    present
        .iter()
        .map(|label| name(label).unwrap_or_else(|| label.clone()))
        .collect()
}
