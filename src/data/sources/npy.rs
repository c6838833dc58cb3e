//! NumPy's arrays: `.npy` files, alone or several in a folder, and `.npz` archives of them.
//!
//! Pictures are N×H×W, N×H×W×C or N×C×H×W, signals N×L, N×L×C or N×C×L; unsigned bytes stay bytes,
//! everything else becomes floats. Arrays that lie open and in C's order are read in place, others
//! in memory. Names say what is for training and testing. Fails on shapes that are neither
//! pictures nor signals, on elements that are no numbers, on bytes that are more or fewer than the
//! header says, on floats that are not finite, and on labels that do not agree with the pictures.

mod find;
mod header;
mod pictures;

use super::SourceReader;
use crate::error::DataError;
use crate::formats::bytes::{self, DOWNLOAD_AGAIN, Input, LESS_MEMORY, Unread, read_pieces};
use crate::formats::records::Store;
use crate::source::{Ask, BYTES, Loaded, Part, Pictures, Raw};
use find::{Found, Place, Role};
use header::Header;
use pictures::{ArrayPictures, Layout};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use strata_core::files::open_regular;
use strata_core::{format, system_memory};

/// The most that one array may take in memory.
const MOST_BYTES: u64 = 4 << 30;
const MOST_CLASSES: usize = 10_000;
/// The labels of one array of pictures, where it has any.
type PartLabels = Option<Vec<u32>>;

/// Pictures between two reports of progress.
const PER_STEP: usize = 1024;

/// NumPy arrays.
pub(crate) static NPY: SourceReader = SourceReader {
    load,
    published: None,
};

fn load(ask: &mut Ask) -> Result<Loaded, DataError> {
    let (found, skipped) = find::find(&ask.folder)?;
    let mut arrays = read_pictures(ask, &found)?;
    let all_bytes = arrays.iter().all(|(_, array)| array.as_bytes);
    arrays
        .iter_mut()
        .for_each(|(_, array)| array.as_bytes = all_bytes);
    let span = if all_bytes {
        BYTES
    } else {
        span(ask, &arrays)?
    };
    let (labels, present) = read_labels(ask, &found, &arrays)?;
    let parts = arrays
        .into_iter()
        .zip(labels)
        .map(|((found, array), labels)| Part {
            split: found.split,
            pictures: Arc::new(array),
            labels,
        });
    Ok(Loaded {
        classes: class_names(&ask.folder, &present),
        parts: parts.collect(),
        skipped,
        carve: true,
        span,
    })
}

fn read_pictures<'a>(
    ask: &mut Ask,
    found: &'a [Found],
) -> Result<Vec<(&'a Found, ArrayPictures)>, DataError> {
    let images: Vec<&Found> = found
        .iter()
        .filter(|found| found.role == Role::Images)
        .collect();
    let mut arrays: Vec<(&Found, ArrayPictures)> = Vec::new();
    for (done, one) in images.iter().enumerate() {
        ask.report("reading files", done, images.len())?;
        let array = open(ask, &one.place)?;
        if let Some((first, other)) = arrays.first()
            && other.layout.shape != array.layout.shape
        {
            let [shape, other] = [array.layout.shape, other.layout.shape];
            let problem = format!(
                "its pictures (H×W×C) are {shape:?}, those of {} {other:?}",
                first.place.name
            );
            return Err(fail(&one.place, problem));
        }
        arrays.push((one, array));
    }
    ask.report("reading files", images.len(), images.len())?;
    Ok(arrays)
}

fn fail(place: &Place, problem: impl Into<String>) -> DataError {
    let problem = match place.member {
        Some(_) => format!("{}: {}", place.name, problem.into()),
        None => problem.into(),
    };
    DataError::malformed(
        &place.file,
        problem,
        "save the array again with numpy.save or numpy.savez",
    )
}

fn open(ask: &mut Ask, place: &Place) -> Result<ArrayPictures, DataError> {
    let channels = ask.channels;
    let check = |header: &Header| {
        let layout = Layout::of(&header.shape, channels);
        let layout =
            layout.map_err(|problem| format!("{problem} (the array is {:?})", header.shape))?;
        match header.shape.first() {
            Some(1..=0xffff_ffff) => Ok(layout),
            _ => Err(format!(
                "it has no picture, or too many (the array is {:?})",
                header.shape
            )),
        }
    };
    let Some((header, store, offset)) = in_place(place)? else {
        let (header, bytes) = unpacked(ask, place, |header| check(header).map(drop))?;
        let layout = check(&header).map_err(|problem| fail(place, problem))?;
        return Ok(ArrayPictures::new(&header, layout, Store::Memory(bytes), 0));
    };
    let layout = check(&header).map_err(|problem| fail(place, problem))?;
    Ok(ArrayPictures::new(&header, layout, store, offset))
}

/// An array that can stay in its file; none if it cannot.
fn in_place(place: &Place) -> Result<Option<(Header, Store, u64)>, DataError> {
    if place.member.is_some() {
        return Ok(None);
    }
    let mut input = Input::open(&place.file)?;
    if input.is_packed() {
        return Ok(None);
    }
    let header = Header::read(input.reader()).map_err(|problem| fail(place, problem))?;
    if header.by_column {
        return Ok(None);
    }
    let file =
        open_regular(&place.file).map_err(|cause| DataError::unreadable(&place.file, cause))?;
    let found = file
        .metadata()
        .map_err(|cause| DataError::unreadable(&place.file, cause))?
        .len();
    if header
        .body()
        .and_then(|body| body.checked_add(header.length))
        != Some(found)
    {
        return Err(fail(
            place,
            wrong_length(&header, found.saturating_sub(header.length)),
        ));
    }
    let offset = header.length;
    Ok(Some((
        header,
        Store::Disk {
            file,
            path: place.file.clone(),
        },
        offset,
    )))
}

fn wrong_length(header: &Header, found: u64) -> String {
    let wanted = header.body().map_or("too many".to_string(), format::count);
    let more = if header.body().is_some_and(|body| found > body) {
        "at least "
    } else {
        ""
    };
    format!(
        "the header says {:?} ({wanted} bytes), and {more}{} follow",
        header.shape,
        format::count(found)
    )
}

/// An array in memory, after `check` has seen its header.
fn unpacked(
    ask: &mut Ask,
    place: &Place,
    check: impl Fn(&Header) -> Result<(), String>,
) -> Result<(Header, Vec<u8>), DataError> {
    let Some(member) = place.member else {
        return contents(ask, place, Input::open(&place.file)?.reader(), check);
    };
    let mut archive = find::archive(&place.file)?;
    let mut file = archive
        .by_index(member)
        .map_err(|error| fail(place, format!("it cannot be unpacked ({error})")))?;
    contents(ask, place, &mut file, check)
}

/// Header and elements of an array from its first byte on.
fn contents(
    ask: &mut Ask,
    place: &Place,
    reader: &mut dyn Read,
    check: impl Fn(&Header) -> Result<(), String>,
) -> Result<(Header, Vec<u8>), DataError> {
    let header = Header::read(reader).map_err(|problem| fail(place, problem))?;
    check(&header).map_err(|problem| fail(place, problem))?;
    let body = header.body().filter(|&body| body <= MOST_BYTES);
    let too_large = || format!("the array {:?} is too large to be unpacked", header.shape);
    let body = body.ok_or_else(|| fail(place, too_large()))?;
    let no_memory = |problem| DataError::malformed(&place.file, problem, LESS_MEMORY);
    system_memory::check(body).map_err(no_memory)?;
    let mut bytes = Vec::new();
    read_pieces(reader, &mut bytes, body + 1, ask).map_err(|unread| match unread {
        Unread::Cancelled => DataError::Cancelled,
        Unread::Memory(problem) => no_memory(problem),
        Unread::System(cause) => fail(
            place,
            format!("the file is damaged ({cause}): {DOWNLOAD_AGAIN}"),
        ),
    })?;
    if bytes.len() as u64 == body {
        Ok((header, bytes))
    } else {
        Err(fail(place, wrong_length(&header, bytes.len() as u64)))
    }
}

/// The least and the greatest number of the first array of pictures, which training uses; every
/// number of every array has to be finite.
fn span(ask: &mut Ask, arrays: &[(&Found, ArrayPictures)]) -> Result<[f32; 2], DataError> {
    let mut span = [f32::INFINITY, f32::NEG_INFINITY];
    for (number, (found, array)) in arrays.iter().enumerate() {
        for index in 0..array.len() {
            if index.is_multiple_of(PER_STEP) {
                ask.report("looking at values", index, array.len())?;
            }
            let Raw::Floats(values) = array.raw(index)? else {
                continue;
            };
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(fail(
                    &found.place,
                    format!("picture {index} holds the value {value}"),
                ));
            }
            if number == 0 {
                span = values.iter().fold(span, |[low, high], &value| {
                    [low.min(value), high.max(value)]
                });
            }
        }
    }
    Ok(if span[0] < span[1] {
        span
    } else {
        [span[0], span[0] + 1.0]
    })
}

/// For every array its labels, renumbered over those that occur; and the numbers that they had.
fn read_labels(
    ask: &mut Ask,
    found: &[Found],
    arrays: &[(&Found, ArrayPictures)],
) -> Result<(Vec<PartLabels>, Vec<i64>), DataError> {
    let mut read: Vec<Option<Vec<i64>>> = Vec::new();
    for (images, array) in arrays {
        let place = found
            .iter()
            .find(|found| found.role == Role::Labels && found.split == images.split);
        let labels = place.map(|labels| labels_of(ask, &labels.place, &images.place, array.count));
        read.push(labels.transpose()?);
    }
    let mut present: Vec<i64> = read.iter().flatten().flatten().copied().collect();
    present.sort_unstable();
    present.dedup();
    if present.len() > MOST_CLASSES
        && let Some(place) = found.iter().find(|found| found.role == Role::Labels)
    {
        let problem = format!(
            "the labels have {} different values, which are no classes",
            present.len()
        );
        return Err(fail(&place.place, problem));
    }
    let number = |label: &i64| present.partition_point(|old| old < label) as u32;
    let labels = read.iter().map(|labels| {
        labels
            .as_ref()
            .map(|labels| labels.iter().map(number).collect())
    });
    Ok((labels.collect(), present))
}

fn labels_of(
    ask: &mut Ask,
    place: &Place,
    images: &Place,
    count: usize,
) -> Result<Vec<i64>, DataError> {
    let check = |header: &Header| match header.shape[..] {
        _ if !header.element.is_whole() => Err("the labels are no whole numbers".to_string()),
        [labels] | [labels, 1] if labels == count => Ok(()),
        [labels] | [labels, 1] => Err(format!(
            "{labels} labels, but {} has {count} pictures",
            images.name
        )),
        _ => Err(format!(
            "the labels are {:?}; one class number a picture is wanted",
            header.shape
        )),
    };
    let (header, bytes) = unpacked(ask, place, check)?;
    let whole = |bytes: &[u8]| header.element.whole(bytes);
    let labels: Option<Vec<i64>> = bytes
        .chunks_exact(header.element.size())
        .map(whole)
        .collect();
    labels.ok_or_else(|| fail(place, "a label is beyond 64 bits"))
}

/// A class is called by its number, or by its line in `classes.txt`.
fn class_names(path: &std::path::Path, present: &[i64]) -> Vec<String> {
    let folder: PathBuf = if path.is_dir() {
        path.into()
    } else {
        path.parent().map(Into::into).unwrap_or_default()
    };
    let names = bytes::names_file(&[folder], "classes.txt");
    let name = |&label: &i64| {
        usize::try_from(label)
            .ok()
            .and_then(|at| names.get(at).cloned())
    };
    present
        .iter()
        .map(|label| name(label).unwrap_or_else(|| label.to_string()))
        .collect()
}
