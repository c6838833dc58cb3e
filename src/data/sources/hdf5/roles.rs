//! What the arrays of an HDF5 file are for: by their names, those of their groups and of the file, else by their
//! shapes. Cannot fail; what is for nothing has a reason.

use crate::formats::hdf5::Array;
use crate::sources::folder::names;
use crate::sources::npy::find::{self, Role};
use strata_core::project::data::Split;

/// What an array is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Images,
    Labels,
    /// The names of the classes, in their order.
    Names,
}

/// An array, and what the names say.
pub(super) struct Candidate {
    pub array: Array,
    pub split: Split,
    purpose: Option<Purpose>,
    /// Whether its name says that it goes with images without being any.
    is_beside: bool,
}

/// Words of names that say nothing where the file's own name says something.
const GENERAL: [&str; 6] = ["data", "dataset", "array", "default", "arr", "value"];
/// Words of arrays that go with images, and are neither images nor labels.
const OTHERS: [&str; 20] = [
    "id",
    "ids",
    "mean",
    "std",
    "mask",
    "masks",
    "shape",
    "shapes",
    "path",
    "paths",
    "filename",
    "filenames",
    "file",
    "index",
    "indices",
    "bbox",
    "boxes",
    "weights",
    "size",
    "meta",
];

impl Candidate {
    pub fn new(stem: &str, array: Array) -> Candidate {
        let (split_of_file, purpose_of_file) = said(stem);
        let (split, purpose) = said(&array.name);
        let is_general = words(&array.name)
            .iter()
            .all(|word| GENERAL.contains(&word.as_str()));
        let purpose = match is_general {
            true => purpose_of_file.or(purpose),
            false => purpose,
        };
        let is_beside = words(&array.name)
            .iter()
            .any(|word| OTHERS.contains(&word.as_str()));
        Candidate {
            is_beside,
            split: split.or(split_of_file).unwrap_or(Split::Train),
            purpose,
            array,
        }
    }

    fn images(&self) -> usize {
        self.array.shape.first().copied().unwrap_or(0)
    }

    /// Whether it has one element for each image.
    fn is_list(&self) -> bool {
        self.array.shape.iter().skip(1).all(|&axis| axis == 1)
    }
}

fn words(name: &str) -> Vec<String> {
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Split and purpose by the words of a name.
fn said(name: &str) -> (Option<Split>, Option<Purpose>) {
    let words = words(name);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let split = words.iter().find_map(|word| find::split_of(word));
    let role = words.iter().rev().find_map(|word| find::role_of(word));
    let purpose = match role {
        _ if has(&OTHERS) => None,
        Some(Role::Labels) | None if has(&["names", "list"]) => Some(Purpose::Names),
        Some(Role::Labels) => Some(Purpose::Labels),
        Some(Role::Images) => Some(Purpose::Images),
        None => None,
    };
    (split.or_else(|| names::split_in_name(name)), purpose)
}

/// Settles what each array is for: one of images and one of labels for every split.
pub(super) fn choose(mut candidates: Vec<Candidate>) -> Vec<(Candidate, Result<Purpose, String>)> {
    by_shape(&mut candidates);
    let lengths: Vec<(Split, usize)> = candidates
        .iter()
        .filter(|one| one.purpose == Some(Purpose::Images))
        .map(|one| (one.split, one.images()))
        .collect();
    // `classes` can be the labels, or the names of the classes.
    for one in &mut candidates {
        let is_as_long = lengths
            .iter()
            .any(|(split, length)| *split == one.split && *length == one.images());
        let are_names = one.array.element.is_text() && !is_as_long && !lengths.is_empty();
        if one.purpose == Some(Purpose::Labels) && are_names {
            one.purpose = Some(Purpose::Names);
        }
    }
    let best = best(&candidates);
    let settle = |(at, one): (usize, Candidate)| {
        let purpose = match one.purpose {
            None => Err("its name does not say what the array is for".to_owned()),
            Some(Purpose::Names) if !one.array.element.is_text() => {
                Err("it holds the numbers of the classes".to_owned())
            }
            Some(Purpose::Names) => Ok(Purpose::Names),
            Some(purpose) if best.contains(&at) => Ok(purpose),
            Some(_) => Err("another array is read for the same purpose".to_owned()),
        };
        (one, purpose)
    };
    candidates.into_iter().enumerate().map(settle).collect()
}

/// The first of each split and purpose in a file: images with the most axes, labels that are not the coarse ones.
fn best(candidates: &[Candidate]) -> Vec<usize> {
    let rank = |at: &usize| {
        let one = candidates.get(*at);
        let axes = one.map_or(0, |one| one.array.shape.len());
        let is_coarse = one.is_some_and(|one| one.array.name.contains("coarse"));
        let is_images = one.is_some_and(|one| one.purpose == Some(Purpose::Images));
        let axes = if is_images { axes } else { 0 };
        (is_coarse, std::cmp::Reverse(axes), *at)
    };
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(rank);
    let mut taken = Vec::new();
    order.retain(|&at| {
        let key = candidates.get(at);
        let key = key.map(|one| (&one.array.file, one.split, one.purpose));
        let is_new = !taken.contains(&key);
        taken.push(key);
        is_new
    });
    order
}

/// Where no name says that an array holds images, the largest does; the only list as long as it holds the labels.
fn by_shape(candidates: &mut [Candidate]) {
    if candidates
        .iter()
        .any(|one| one.purpose == Some(Purpose::Images))
    {
        return;
    }
    let may_be_images = |one: &&mut Candidate| {
        let is_free = one.purpose.is_none() && !one.is_beside;
        is_free && one.array.shape.len() > 1 && !one.array.element.is_text()
    };
    let size = |one: &&mut Candidate| one.array.bytes();
    let largest = candidates.iter_mut().filter(may_be_images).max_by_key(size);
    let Some((images, split)) = largest.map(|one| {
        one.purpose = Some(Purpose::Images);
        (one.images(), one.split)
    }) else {
        return;
    };
    if candidates
        .iter()
        .any(|one| one.purpose == Some(Purpose::Labels))
    {
        return;
    }
    let is_labels = |one: &&mut Candidate| {
        let element = one.array.element;
        one.purpose.is_none()
            && one.split == split
            && one.images() == images
            && one.is_list()
            && (element.is_whole() || element.is_text())
    };
    let mut lists: Vec<&mut Candidate> = candidates.iter_mut().filter(is_labels).collect();
    if let [only] = &mut lists[..] {
        only.purpose = Some(Purpose::Labels);
    }
}
