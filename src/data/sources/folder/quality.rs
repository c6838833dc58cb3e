//! What the values of all files tell: a set that uses little of its range, images that are there twice in different
//! splits, black ones and those of one value. Cannot fail.

use super::names;
use crate::images::depth::Depth;
use crate::source::Told;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use strata_core::format::count;
use strata_core::project::data::Split;

/// A set that uses less than this fraction of the values that its files can hold gets a note: 12 bits in files of 16 are
/// a sixteenth.
const LITTLE: f32 = 0.07;
/// An image whose values lie within this part of the set's is nearly of one value.
const FLAT: f32 = 0.01;
/// Files named in a note.
const MOST_NAMED: usize = 3;

/// What was seen of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub least: f32,
    pub most: f32,
    pub print: u128,
}

/// The files of a split with what was seen of each.
pub(crate) type Looks<'a> = (Split, &'a [PathBuf], &'a [Look]);

/// The least and the greatest value of all.
pub(crate) fn range(looks: &[Look]) -> [f32; 2] {
    looks
        .iter()
        .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], look| {
            [low.min(look.least), high.max(look.most)]
        })
}

/// Says what is worth knowing.
pub(crate) fn tell(told: &mut Told, depth: Depth, is_spread: bool, parts: &[Looks]) {
    let all = parts
        .iter()
        .map(|(_, _, looks)| range(looks))
        .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], [l, h]| {
            [low.min(l), high.max(h)]
        });
    tell_of_range(told, depth, is_spread, all);
    tell_of_flat(told, all, parts);
    tell_of_copies(told, parts);
}

fn tell_of_range(told: &mut Told, depth: Depth, is_spread: bool, [least, most]: [f32; 2]) {
    let Some([black, white]) = depth.span() else {
        return;
    };
    let used = (most - least) / (white - black);
    if is_spread || !(used > 0.0 && used < LITTLE) {
        return;
    }
    let share = f64::from(used) * 100.0;
    told.propose(
        format!(
            "the values go from {least} to {most} of {black} to {}, {share:.1} % of the range (nearly one grey)",
            count(white as u64)
        ),
        format!("pixel = \"{least}..{most}\""),
    );
}

fn tell_of_flat(told: &mut Told, [least, most]: [f32; 2], parts: &[Looks]) {
    let (mut black, mut flat) = (Vec::new(), Vec::new());
    let width = most - least;
    if width.is_nan() || width <= 0.0 {
        return;
    }
    for (_, files, looks) in parts {
        for (file, look) in files.iter().zip(*looks) {
            if look.most <= least + FLAT * width && least >= 0.0 && look.most <= FLAT * most {
                black.push(name(file));
            } else if look.most - look.least <= FLAT * width {
                flat.push(name(file));
            }
        }
    }
    let verb = |count: usize| if count == 1 { "image is" } else { "images are" };
    if !black.is_empty() {
        let (number, some) = (black.len(), names::some_of(&black, MOST_NAMED));
        told.note(format!("{number} {} all black ({some})", verb(number)));
    }
    if !flat.is_empty() {
        let (number, some) = (flat.len(), names::some_of(&flat, MOST_NAMED));
        told.note(format!(
            "{number} {} nearly of one value ({some})",
            verb(number)
        ));
    }
}

/// Copies of an image, judged on the files' own values.
fn tell_of_copies(told: &mut Told, parts: &[Looks]) {
    let mut first: HashMap<u128, (Split, &PathBuf)> = HashMap::new();
    let (mut between, mut within) = (Vec::new(), 0usize);
    for (split, files, looks) in parts {
        for (file, look) in files.iter().zip(*looks) {
            match first.get(&look.print) {
                Some((other, _)) if other == split => within += 1,
                Some((other, original)) => between.push((*other, *original, *split, file)),
                None => {
                    first.insert(look.print, (*split, file));
                }
            }
        }
    }
    if let Some((other, original, split, file)) = between.first() {
        let number = between.len();
        let text = match number {
            1 => "1 image is".to_owned(),
            _ => format!("{number} images are"),
        };
        told.note(format!(
            "{text} exactly alike in two splits ({split} {} = {other} {}): what is measured on them is better than it should be",
            name(file),
            name(original)
        ));
    }
    if within > 0 {
        let text = match within {
            1 => "1 image is an exact copy".to_owned(),
            _ => format!("{within} images are exact copies"),
        };
        told.note(format!("{text} of another in its split"));
    }
}

/// The last two names of a path.
fn name(path: &Path) -> String {
    let last = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    match path.parent() {
        Some(folder) if folder.file_name().is_some() => format!("{}/{}", last(folder), last(path)),
        _ => last(path),
    }
}
