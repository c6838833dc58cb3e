//! What all images of a set have in common: size, channels, depth of their values. Fails where they differ in what the
//! project has to decide; single files that differ because they are damaged are left out first.

use super::decode;
use super::files::Splits;
use super::listing::Entry;
use super::names;
use crate::Skipped;
use crate::error::DataError;
use crate::images::depth::Depth;
use crate::images::image_file::Header;
use crate::source::OpenRequest;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strata_core::project::data::Fitting;

/// The side proposed where images differ in size, unless they are smaller.
const USUAL_SIDE: usize = 64;
/// Files that are decoded to see whether their headers can be believed.
const MOST_DOUBTED: usize = 256;
/// Sides may differ by this factor before scaling is said to change an image's look.
const MOST_STRETCH: f64 = 1.25;

/// Leaves out files whose header alone says that they are unlike the others, and whose pixels are damaged.
pub(crate) fn sift(
    ask: &mut OpenRequest,
    splits: &mut Splits,
    headers: &mut [Vec<Header>],
    skipped: &mut Vec<Skipped>,
) -> Result<(), DataError> {
    let has_size = ask.spec.resize.is_some();
    let kind = |header: &Header| {
        let size = (!has_size).then_some([header.height, header.width]);
        (size, header.channels, header.depth)
    };
    let mut counts = BTreeMap::new();
    for header in headers.iter().flatten() {
        *counts.entry(kind(header)).or_insert(0usize) += 1;
    }
    let Some((usual, count)) = counts.into_iter().max_by_key(|(_, count)| *count) else {
        return Ok(());
    };
    let total: usize = headers.iter().map(Vec::len).sum();
    let wanted = ask.channels.unwrap_or(usual.1);
    let is_in_bands = !matches!(usual.1, 1 | 3) && !matches!(wanted, 1 | 3);
    for ((_, entries), headers) in splits.iter_mut().zip(headers) {
        ask.report("looking at images", 0, total)?;
        let doubt = |header: &Header| total - count <= MOST_DOUBTED && kind(header) != usual;
        let problem = |(entry, header): (&Entry, &Header)| {
            if is_in_bands && header.channels != usual.1 {
                let (its, others) = (header.channels, usual.1);
                return Some(format!(
                    "it has {its} channels, and the others have {others}"
                ));
            }
            let read = || decode::of_entry(entry, header.channels, header.depth);
            doubt(header).then(|| read().err()).flatten()
        };
        let problems: Vec<Option<String>> = entries
            .par_iter()
            .zip(headers.par_iter())
            .map(problem)
            .collect();
        for (entry, problem) in entries.iter().zip(&problems) {
            skipped.extend(problem.as_ref().map(|reason| Skipped {
                file: entry.path.clone(),
                reason: reason.clone(),
            }));
        }
        retain(entries, &problems);
        retain(headers, &problems);
    }
    Ok(())
}

/// Keeps what has no problem.
fn retain<T>(values: &mut Vec<T>, problems: &[Option<String>]) {
    let mut at = problems.iter();
    values.retain(|_| at.next().is_some_and(Option::is_none));
}

/// The finest depth of any file.
pub(crate) fn depth(headers: &[Header]) -> Depth {
    headers
        .iter()
        .map(|header| header.depth)
        .max()
        .unwrap_or_default()
}

/// Says which files hold more than the picture that is read.
pub(crate) fn tell_of_pages(ask: &mut OpenRequest, splits: &Splits, headers: &[Vec<Header>]) {
    let entries = splits.iter().flat_map(|(_, entries)| entries);
    let several: Vec<String> = headers
        .iter()
        .flatten()
        .zip(entries)
        .filter(|(header, _)| header.pages > 1)
        .map(|(header, entry)| {
            let name = entry.path.file_name().unwrap_or_default().to_string_lossy();
            format!("{name} {}", header.pages)
        })
        .collect();
    if several.is_empty() {
        return;
    }
    let files = match several.len() {
        1 => "1 file holds".to_owned(),
        files => format!("{files} files hold"),
    };
    ask.told.note(format!(
        "{files} several pages or frames ({}): the first one is read",
        names::some_of(&several, 4)
    ));
}

/// H×W×C of every picture, given all headers.
pub(crate) fn shape(
    ask: &mut OpenRequest,
    headers: &[Header],
    splits: &Splits,
) -> Result<[usize; 3], DataError> {
    let channels = channels(ask, headers)?;
    ask.told.sizes = sizes(headers);
    if let Some([height, width]) = ask.spec.resize {
        tell_of_stretch(ask, headers, [height as usize, width as usize]);
        return Ok([height as usize, width as usize, channels]);
    }
    match ask.told.sizes[..] {
        [] => Ok([1, 1, channels]),
        [([height, width], _)] => Ok([height, width, channels]),
        _ => Err(sizes_differ(&ask.folder, headers, splits)),
    }
}

/// Sizes with the number of images that have them, the most frequent first.
fn sizes(headers: &[Header]) -> Vec<([usize; 2], usize)> {
    let mut sizes: BTreeMap<[usize; 2], usize> = BTreeMap::new();
    for header in headers {
        *sizes.entry([header.height, header.width]).or_default() += 1;
    }
    let mut sizes: Vec<([usize; 2], usize)> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sizes
}

fn channels(ask: &OpenRequest, headers: &[Header]) -> Result<usize, DataError> {
    let most = headers.iter().map(|header| header.channels).max();
    let own = most.unwrap_or(1);
    let is_usual = headers
        .iter()
        .all(|header| matches!(header.channels, 1 | 3));
    let wrong = |wanted: usize| {
        let help = match is_usual {
            true => {
                "let the network's input have 1 (grey) or 3 (red, green, blue) channels".to_owned()
            }
            false => format!("let the network's input have {own} channels"),
        };
        let problem = format!("images of {own} channels cannot be given {wanted} channels");
        DataError::setting("source", problem, help)
    };
    match ask.channels {
        None => Ok(own),
        Some(wanted @ (1 | 3)) if is_usual => Ok(wanted),
        // With its alpha, which other files have as full.
        Some(wanted @ (2 | 4)) if is_usual => Ok(wanted),
        Some(wanted) if !is_usual && wanted == own => Ok(own),
        Some(wanted) => Err(wrong(wanted)),
    }
}

/// Says how many images change their look where each side is scaled on its own.
fn tell_of_stretch(ask: &mut OpenRequest, headers: &[Header], [height, width]: [usize; 2]) {
    if ask.spec.fit != Fitting::Stretch {
        return;
    }
    let stretch = |header: &&Header| {
        let factor = (header.height * width) as f64 / (header.width * height).max(1) as f64;
        factor.max(1.0 / factor) > MOST_STRETCH
    };
    let stretched = headers.iter().filter(stretch).count();
    if stretched > 0 {
        let text = format!(
            "resize makes {height}×{width} of all images; {stretched} of {} have other proportions and are stretched or squeezed by more than a quarter",
            headers.len()
        );
        ask.told.propose(text, "fit = \"crop\"");
    }
}

/// The size that more than half of the images have, else the smallest sides there are: not those of single images, which
/// would make a few pixels of all others.
fn usual_size(headers: &[Header], by_count: &[([usize; 2], usize)]) -> [usize; 2] {
    if let Some((size, _)) = by_count
        .first()
        .filter(|(_, count)| 2 * count > headers.len())
    {
        return *size;
    }
    let small = |side: fn(&Header) -> usize| {
        let mut sides: Vec<usize> = headers.iter().map(side).collect();
        sides.sort_unstable();
        sides.get(sides.len() / 20).copied().unwrap_or(1)
    };
    [small(|header| header.height), small(|header| header.width)]
}

fn sizes_differ(folder: &Path, headers: &[Header], splits: &Splits) -> DataError {
    const SHOWN: usize = 3;
    let entries = splits.iter().flat_map(|(_, entries)| entries);
    let mut examples: BTreeMap<[usize; 2], &PathBuf> = BTreeMap::new();
    for (header, entry) in headers.iter().zip(entries) {
        examples
            .entry([header.height, header.width])
            .or_insert(&entry.path);
    }
    let by_count = sizes(headers);
    let show = |(size, _): &([usize; 2], usize)| {
        let name = examples.get(size).and_then(|path| path.file_name());
        let name = name.unwrap_or_default().to_string_lossy();
        format!("{}×{} {name}", size[0], size[1])
    };
    let mut shown: Vec<String> = by_count.iter().take(SHOWN).map(show).collect();
    if by_count.len() > SHOWN {
        shown.push(format!("{} other sizes", by_count.len() - SHOWN));
    }
    DataError::SizesDiffer {
        folder: folder.to_path_buf(),
        sizes: shown.join(", "),
        suggestion: usual_size(headers, &by_count).map(|side| side.min(USUAL_SIDE)),
    }
}
