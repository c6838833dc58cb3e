//! From a list of files to pictures of one shape: first all headers (sizes, grey or colour), then
//! all pixels, on all threads. Broken files go to `skipped`.

use super::listing::Entry;
use crate::Skipped;
use crate::error::DataError;
use crate::images::image_file::{self, Header};
use crate::images::image_fitting::{Fit, Scaling};
use crate::source::{Ask, Part, Pictures, Raw};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::project::data::Split;

/// Images together larger than this are decoded once to find the broken ones, and again at every
/// reading.
const MOST_KEPT_BYTES: usize = 2 << 30;
/// Files between two reports of progress.
const FILES_PER_STEP: usize = 64;
/// The side proposed where images differ in size, unless they are smaller.
const USUAL_SIDE: usize = 64;

pub(crate) type Splits = Vec<(Split, Vec<Entry>)>;
/// The pictures of a split, unless they are too large to keep.
type Kept = Option<Vec<Box<[u8]>>>;

/// Image files, all of one shape once scaled.
struct Files {
    shape: [usize; 3],
    scaling: Option<Scaling>,
    paths: Vec<PathBuf>,
    /// As many as there are paths.
    pixels: Kept,
}

impl Pictures for Files {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn raw(&self, index: usize) -> Result<Raw, DataError> {
        if let Some(pixels) = self.pixels.as_ref().and_then(|pixels| pixels.get(index)) {
            return Ok(Raw::Bytes(pixels.to_vec()));
        }
        let path = self.paths.get(index).ok_or(DataError::OutOfRange {
            index,
            len: self.paths.len(),
            split: "stored",
        })?;
        read(path, self.shape, self.scaling)
            .map(Raw::Bytes)
            .map_err(|problem| {
                DataError::malformed(
                    path,
                    problem,
                    "it changed since the data were opened; put it back as it was",
                )
            })
    }

    fn is_costly(&self) -> bool {
        self.pixels.is_none()
    }
}

pub(crate) fn decode(
    ask: &mut Ask,
    mut splits: Splits,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<Part>, DataError> {
    let total = splits.iter().map(|(_, entries)| entries.len()).sum();
    let before = skipped.len();
    let mut headers = Vec::new();
    for (_, entries) in &mut splits {
        headers.extend(read_headers(ask, entries, skipped)?);
    }
    check_share(ask, total, skipped.get(before..).unwrap_or_default())?;
    let shape = common_shape(ask, &headers, &splits)?;
    let scaling = ask.spec.resize.map(|_| Scaling::of(ask.spec));
    let size: usize = shape.iter().product();
    let keep = headers
        .len()
        .checked_mul(size)
        .is_some_and(|bytes| bytes <= MOST_KEPT_BYTES);
    let mut parts = Vec::new();
    for (split, mut entries) in splits {
        let pixels = read_pixels(ask, &mut entries, shape, keep, skipped)?;
        if !entries.is_empty() {
            parts.push(part(split, entries, pixels, shape, scaling));
        }
    }
    check_share(ask, total, skipped.get(before..).unwrap_or_default())?;
    Ok(parts)
}

fn part(
    split: Split,
    entries: Vec<Entry>,
    pixels: Kept,
    shape: [usize; 3],
    scaling: Option<Scaling>,
) -> Part {
    let labels = entries.iter().map(|entry| entry.class).collect();
    let files = Files {
        shape,
        scaling,
        paths: entries.into_iter().map(|entry| entry.path).collect(),
        pixels,
    };
    Part {
        split,
        pictures: Arc::new(files),
        labels,
    }
}

fn read_headers(
    ask: &mut Ask,
    entries: &mut Vec<Entry>,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<Header>, DataError> {
    let work = |entry: &Entry| image_file::header(&entry.path);
    in_steps(ask, "looking at images", entries, skipped, work)
}

fn read_pixels(
    ask: &mut Ask,
    entries: &mut Vec<Entry>,
    shape: [usize; 3],
    keep: bool,
    skipped: &mut Vec<Skipped>,
) -> Result<Kept, DataError> {
    let scaling = ask.spec.resize.map(|_| Scaling::of(ask.spec));
    let work = |entry: &Entry| {
        let pixels = read(&entry.path, shape, scaling)?;
        Ok(if keep {
            pixels.into_boxed_slice()
        } else {
            Box::default()
        })
    };
    let pixels = in_steps(ask, "reading images", entries, skipped, work)?;
    Ok(keep.then_some(pixels))
}

/// Does `work` for every entry, in parallel. Entries it fails for are removed and reported; the
/// results are those of the entries left, in order.
pub(crate) fn in_steps<T: Send>(
    ask: &mut Ask,
    what: &'static str,
    entries: &mut Vec<Entry>,
    skipped: &mut Vec<Skipped>,
    work: impl Fn(&Entry) -> Result<T, String> + Sync,
) -> Result<Vec<T>, DataError> {
    let total = entries.len();
    let mut results = Vec::with_capacity(total);
    let mut left = Vec::with_capacity(total);
    for (number, step) in std::mem::take(entries).chunks(FILES_PER_STEP).enumerate() {
        ask.report(what, number * FILES_PER_STEP, total)?;
        let done: Vec<Result<T, String>> = step.par_iter().map(&work).collect();
        for (entry, result) in step.iter().zip(done) {
            match result {
                Ok(value) => {
                    results.push(value);
                    left.push(entry.clone());
                }
                Err(reason) => skipped.push(Skipped {
                    file: entry.path.clone(),
                    reason,
                }),
            }
        }
    }
    ask.report(what, total, total)?;
    *entries = left;
    Ok(results)
}

/// H×W×C of every picture, given all headers.
fn common_shape(ask: &Ask, headers: &[Header], splits: &Splits) -> Result<[usize; 3], DataError> {
    let none = Header {
        height: 1,
        width: 1,
        colour: false,
    };
    let first = headers.first().copied().unwrap_or(none);
    let channels = match ask.channels {
        Some(channels @ (1 | 3)) => channels,
        Some(other) => {
            return Err(DataError::setting(
                "source",
                format!("images cannot be given {other} channels"),
                "let the network's input have 1 (grey) or 3 (red, green, blue) channels",
            ));
        }
        None if headers.iter().any(|header| header.colour) => 3,
        None => 1,
    };
    if let Some([height, width]) = ask.spec.resize {
        return Ok([height as usize, width as usize, channels]);
    }
    let same = |header: &Header| header.height == first.height && header.width == first.width;
    if headers.iter().all(same) {
        return Ok([first.height, first.width, channels]);
    }
    Err(sizes_differ(&ask.folder, headers, splits))
}

fn sizes_differ(folder: &Path, headers: &[Header], splits: &Splits) -> DataError {
    const SHOWN: usize = 3;
    let entries = splits.iter().flat_map(|(_, entries)| entries);
    let mut sizes: BTreeMap<(usize, usize), (usize, &Path)> = BTreeMap::new();
    for (header, entry) in headers.iter().zip(entries) {
        sizes
            .entry((header.height, header.width))
            .or_insert((0, &entry.path))
            .0 += 1;
    }
    let mut by_count: Vec<_> = sizes.iter().collect();
    by_count.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let show = |((height, width), (_, path)): &(&(usize, usize), &(usize, &Path))| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("{height}×{width} {name}")
    };
    let mut shown: Vec<String> = by_count.iter().take(SHOWN).map(show).collect();
    if sizes.len() > SHOWN {
        shown.push(format!("{} other sizes", sizes.len() - SHOWN));
    }
    let least =
        |side: fn(&Header) -> usize| headers.iter().map(side).min().unwrap_or(1).min(USUAL_SIDE);
    DataError::SizesDiffer {
        folder: folder.to_path_buf(),
        sizes: shown.join(", "),
        suggestion: [least(|header| header.height), least(|header| header.width)],
    }
}

/// Refuses a folder of which more than half cannot be read: it is not what it was taken for.
pub(crate) fn check_share(ask: &Ask, total: usize, broken: &[Skipped]) -> Result<(), DataError> {
    if total > 0 && broken.len() * 2 <= total {
        return Ok(());
    }
    let example = |skipped: &Skipped| {
        let name = skipped
            .file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        format!("{name}: {}", skipped.reason)
    };
    let examples: Vec<String> = broken.iter().take(3).map(example).collect();
    let share = if broken.len() == total {
        "none of its".to_string()
    } else {
        format!("{} of its", broken.len())
    };
    let verb = if broken.len() == total {
        "can"
    } else {
        "cannot"
    };
    Err(DataError::NoImages {
        folder: ask.folder.clone(),
        problem: format!(
            "{share} {total} files {verb} be read ({})",
            examples.join("; ")
        ),
        help: "check that the files open in another program, or download them again".to_string(),
    })
}

fn read(path: &Path, shape: [usize; 3], scaling: Option<Scaling>) -> Result<Vec<u8>, String> {
    let [height, width, channels] = shape;
    let decoded = image_file::decode(path, channels)?;
    let size = [decoded.height, decoded.width];
    if size == [height, width] {
        return Ok(decoded.pixels);
    }
    let Some(scaling) = scaling else {
        return Err(format!(
            "it is {}×{} and not {height}×{width} as its header says",
            size[0], size[1]
        ));
    };
    let fit = Fit::new(
        [size[0], size[1], channels],
        Some([height, width]),
        None,
        scaling,
    );
    Ok(fit
        .map_err(|error| error.to_string())?
        .bytes(decoded.pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_vanished_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seven.png");
        image::GrayImage::from_pixel(2, 2, image::Luma([7]))
            .save(&path)
            .unwrap();
        let files = Files {
            shape: [2, 2, 1],
            scaling: None,
            paths: vec![path.clone()],
            pixels: None,
        };
        assert_eq!(files.raw(0).unwrap(), Raw::Bytes(vec![7; 4]));
        std::fs::write(&path, "").unwrap();
        let emptied = files.raw(0).unwrap_err().to_string();
        assert!(
            emptied.contains("seven.png: the file is empty") && emptied.contains("put it back"),
            "{emptied}"
        );
        std::fs::remove_file(&path).unwrap();
        assert!(
            files
                .raw(0)
                .unwrap_err()
                .to_string()
                .contains("seven.png: cannot be read")
        );
    }
}
