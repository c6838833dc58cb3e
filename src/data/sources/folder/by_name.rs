//! Labels in the names of files (`cat.0.jpg`): those that the project asks for, and a proposal where there are no
//! class folders. Cannot fail.

use super::layout::{ClassFolder, Layout, SplitFolder};
use super::names;
use super::walk::Walk;
use crate::source::Told;
use std::collections::BTreeMap;
use std::path::Path;
use strata_core::format::count;
use strata_core::project::data::{NamePattern, Split};

/// Patterns in the order in which they are tried; the first that fits all names is proposed.
const USUAL: [&str; 11] = [
    "{class}.{n}",
    "{class}_{n}",
    "{class}-{n}",
    "{class} ({n})",
    "{class} {n}",
    "{n}_{class}",
    "{n}-{class}",
    "{n}.{class}",
    "{class}{n}",
    "{class}_{any}",
    "{any}_{class}",
];
/// Names looked at for a proposal.
const MOST_LOOKED_AT: usize = 4000;
/// Classes that a proposal has at most.
const MOST_CLASSES: usize = 200;
/// Images that a class of a proposal has at least, on average.
const LEAST_EACH: usize = 3;
/// The last number of Oxford's 17 flowers, and of its 102.
const FLOWERS: [u32; 2] = [1360, 8189];

/// Gives every file the class in its name. Where no name of a split fits, its images have no class.
pub(crate) fn label(layout: &mut Layout, pattern: &NamePattern, walk: &mut Walk) {
    for part in &mut layout.parts {
        let folders = std::mem::take(&mut part.classes);
        let mut files = std::mem::take(&mut part.loose);
        files.extend(folders.into_iter().flat_map(|folder| folder.files));
        let mut classes: BTreeMap<String, ClassFolder> = BTreeMap::new();
        let mut others = Vec::new();
        for file in files {
            let stem = stem(&file);
            match pattern.class_of(&stem) {
                Some(name) => {
                    let new = || ClassFolder {
                        name: name.to_owned(),
                        files: Vec::new(),
                    };
                    let class = classes.entry(name.to_owned()).or_insert_with(new);
                    class.files.push(file);
                }
                None => others.push(file),
            }
        }
        part.classes = classes.into_values().collect();
        if part.classes.is_empty() {
            part.loose = others;
        } else {
            let reason = "its name does not fit the pattern of label";
            others
                .iter()
                .for_each(|file| walk.skip(file, reason.to_owned()));
        }
    }
}

/// Images without a class beside others that have one are the unlabeled ones.
pub(crate) fn set_unlabeled_apart(layout: &mut Layout, told: &mut Told) {
    let is_labelled =
        |part: &SplitFolder| part.split != Split::Unlabeled && !part.classes.is_empty();
    if !layout
        .parts
        .iter()
        .any(|part| part.split == Split::Train && is_labelled(part))
    {
        return;
    }
    let mut loose = Vec::new();
    for part in &mut layout.parts {
        if matches!(part.split, Split::Valid | Split::Test) && part.classes.is_empty() {
            let files = count(part.loose.len() as u64);
            told.note(format!(
                "the {files} files of {} have no class: they are unlabeled",
                part.split
            ));
            loose.append(&mut part.loose);
        }
    }
    if loose.is_empty() {
        return;
    }
    layout
        .parts
        .retain(|part| !part.classes.is_empty() || !part.loose.is_empty());
    match layout
        .parts
        .iter_mut()
        .find(|part| part.split == Split::Unlabeled)
    {
        Some(part) => part.loose.extend(loose),
        None => layout.parts.push(SplitFolder {
            split: Split::Unlabeled,
            classes: Vec::new(),
            loose,
        }),
    }
}

/// Proposes where labels may be, for images without class folders.
pub(crate) fn propose(layout: &Layout, told: &mut Told) {
    if layout.parts.iter().any(|part| !part.classes.is_empty()) {
        return;
    }
    let with_images = |part: &&SplitFolder| part.split == Split::Train && !part.loose.is_empty();
    let Some(part) = layout.parts.iter().find(with_images) else {
        return;
    };
    let stems: Vec<String> = part
        .loose
        .iter()
        .take(MOST_LOOKED_AT)
        .map(|file| stem(file))
        .collect();
    if let Some(text) = flowers(&stems, part.loose.len()) {
        told.propose(text, "source = \"flowers17\"");
        return;
    }
    let found = USUAL.iter().find_map(|text| {
        let pattern = NamePattern::new(&format!("{text}.jpg"))?;
        Some((text, classes(&pattern, &stems)?))
    });
    match found {
        Some((text, classes)) => {
            let named: Vec<String> = classes
                .iter()
                .map(|(name, images)| format!("{name} {}", count(*images as u64)))
                .collect();
            let ending = part.loose.first().and_then(|file| file.extension());
            let ending = ending.unwrap_or_default().to_string_lossy();
            told.propose(
                format!(
                    "no class folders, and the files' names tell {} classes ({})",
                    classes.len(),
                    names::some_of(&named, 8)
                ),
                format!("label = \"name: {text}.{ending}\""),
            );
        }
        None => {
            let text =
                "no class folders, so there are no labels; where the files' names tell the class";
            let pattern = "name: {class}_{n}.jpg";
            told.note_on(
                format!("{text}, write it as label = \"{pattern}\""),
                format!("{text}, set label to {pattern}"),
            );
        }
    }
}

/// The classes that a pattern finds, if it fits all names and they are likely ones.
fn classes<'a>(pattern: &NamePattern, stems: &'a [String]) -> Option<BTreeMap<&'a str, usize>> {
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for stem in stems {
        *classes.entry(pattern.class_of(stem)?).or_default() += 1;
    }
    let is_likely =
        (2..=MOST_CLASSES).contains(&classes.len()) && classes.len() * LEAST_EACH <= stems.len();
    is_likely.then_some(classes)
}

/// Whether these are Oxford's flowers, which are known by their number.
fn flowers(stems: &[String], images: usize) -> Option<String> {
    let number = |stem: &String| stem.strip_prefix("image_")?.parse::<u32>().ok();
    let numbers: Option<Vec<u32>> = stems.iter().map(number).collect();
    let last = numbers?.into_iter().max()?;
    let is_small = (1..=FLOWERS[0]).contains(&last) && images <= FLOWERS[0] as usize;
    is_small
        .then(|| "image_0001 to image_1360 are Oxford's 17 flowers, 80 numbers a class".to_owned())
}

fn stem(file: &Path) -> String {
    file.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
