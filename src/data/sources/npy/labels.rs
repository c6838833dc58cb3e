//! The labels of arrays: whole numbers of any kind, floats that are whole, texts, or a one in a column for each class.
//! Fails on labels that are no classes, and where there are not as many as pictures.

use super::find::{Found, Place, Role};
use super::header::Header;
use super::pictures::ArrayPictures;
use super::{Misfit, fail, unpacked};
use crate::error::DataError;
use crate::formats::array::Element;
use crate::formats::bytes;
use crate::formats::labels;
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
    let mut read: Vec<Option<Vec<String>>> = Vec::new();
    for (images, array) in arrays {
        if let Some(class) = &images.class {
            read.push(Some(vec![class.clone(); array.len()]));
            continue;
        }
        let place = found
            .iter()
            .find(|found| found.role == Role::Labels && found.split == images.split);
        let labels = place.map(|labels| labels_of(ask, &labels.place, &images.place, array.count));
        read.push(labels.transpose()?);
    }
    let present = labels::classes(read.iter().flatten().flatten().cloned(), ask.order);
    if present.len() > MOST_CLASSES
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
    Ok((labels, class_names(&ask.folder, names, &present)))
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
) -> Result<Vec<String>, DataError> {
    let check = |header: &Header| columns(header, images, count).map(drop);
    let (header, bytes) = unpacked(ask, place, check)?;
    let classes = columns(&header, images, count).map_err(|problem| fail(place, problem))?;
    let element = header.element;
    let all: Option<Vec<String>> = bytes
        .chunks_exact(element.size())
        .map(|bytes| element.label(bytes))
        .collect();
    let all = all.ok_or_else(|| fail(place, no_label(element, &bytes)))?;
    if classes == 1 {
        return Ok(all);
    }
    one_hot(&all, count, classes).map_err(|problem| fail(place, problem))
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

/// The column in which each row has its one.
fn one_hot(all: &[String], count: usize, classes: usize) -> Result<Vec<String>, String> {
    let at = |row: usize, column: usize| all.get(row * classes + column).map_or("", String::as_str);
    (0..count)
        .map(|row| {
            let ones = (0..classes).filter(|&column| at(row, column) == "1");
            let noughts = (0..classes).filter(|&column| at(row, column) == "0");
            match (ones.clone().next(), ones.count() + noughts.count()) {
                (Some(one), cells) if cells == classes && (0..classes).filter(|&c| at(row, c) == "1").count() == 1 => {
                    Ok(one.to_string())
                }
                _ => Err(format!(
                    "row {row} of the labels has not a single one among noughts, so its class is unknown"
                )),
            }
        })
        .collect()
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
