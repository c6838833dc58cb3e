//! NumPy's arrays: `.npy` files, alone or several in a folder, and `.npz` archives of them; MATLAB's `.mat` files.
//!
//! Pictures are N×H×W, N×H×W×C or N×C×H×W, signals N×L, N×L×C or N×C×L; unsigned bytes stay bytes,
//! everything else becomes floats. Arrays that lie open and in C's order are read in place, others
//! in memory. Names say what is for training and testing. Fails on shapes that are neither
//! pictures nor signals, on elements that are no numbers, on bytes that are more or fewer than the
//! header says, on floats that are not finite, and on labels that do not agree with the pictures.

mod axes;
mod by_column;
pub(crate) mod find;
mod header;
mod labels;
pub(crate) mod matlab;
mod pickled;
mod pictures;

use super::SourceReader;
use crate::Skipped;
use crate::error::DataError;
use crate::formats::bytes::{
    DOWNLOAD_AGAIN, Input, LESS_MEMORY, MOST_DEFLATE_SHRINKS, Unread, read_pieces,
};
use crate::formats::disk_file::DiskFile;
use crate::formats::hdf5;
use crate::formats::records::Store;
use crate::formats::rows;
use crate::source::{BYTES, ImageStore, OpenRequest, OpenedSource, RawImage, SourceSplit};
use crate::splits::concat_images::ConcatImages;
use find::{Found, Member, Place, Role};
use header::Header;
use pictures::{ArrayPictures, Layout};
use std::io::Read;
use std::sync::Arc;
use strata_core::files::open_regular;
use strata_core::project::data::{DataSpec, Split};
use strata_core::project::help::Help;
use strata_core::project::size::Shape;
use strata_core::{format, system_memory};

/// The most that one array may take in memory.
const MOST_BYTES: u64 = 4 << 30;
/// The most that a packed array of an HDF5 file may take in memory; of a larger one rows are read when wanted.
const MOST_KEPT_BYTES: u64 = 2 << 30;
const SAVE_AGAIN: &str = "save the array again with numpy.save or numpy.savez";
const FINITE: &str =
    "replace it (numpy.nan_to_num) or leave the picture out, and save the array again";
/// Pictures between two reports of progress.
const PER_STEP: usize = 1024;

/// NumPy arrays.
pub(crate) static NPY: SourceReader = SourceReader {
    load,
    published: None,
};

fn load(ask: &mut OpenRequest) -> Result<OpenedSource, DataError> {
    let files = matlab::files(&ask.folder);
    if !files.is_empty() {
        return matlab::load(ask, &files, matlab::read);
    }
    let files = pickled::files(&ask.folder);
    if !files.is_empty() {
        return matlab::load(ask, &files, pickled::read);
    }
    let (found, skipped) = find::find(&ask.folder)?;
    assemble(ask, &found, skipped, Vec::new())
}

/// Reads what was found; `names` are those of the classes, if they are known.
pub(crate) fn assemble(
    ask: &mut OpenRequest,
    found: &[Found],
    skipped: Vec<Skipped>,
    names: Vec<String>,
) -> Result<OpenedSource, DataError> {
    let mut arrays = read_pictures(ask, found)?;
    let all_bytes = arrays.iter().all(|(_, array)| array.as_bytes);
    arrays
        .iter_mut()
        .for_each(|(_, array)| array.as_bytes = all_bytes);
    let span = if all_bytes {
        BYTES
    } else {
        span(ask, &arrays)?
    };
    axes::tell(ask, &arrays);
    let (labels, classes) = labels::read(ask, found, &arrays, &names)?;
    let parts = arrays
        .into_iter()
        .zip(labels)
        .map(|((found, array), labels)| SourceSplit {
            split: found.split,
            pictures: Arc::new(array),
            labels,
        });
    Ok(OpenedSource {
        classes,
        parts: joined(parts.collect()),
        skipped,
        holds_out: true,
        span,
    })
}

/// Parts of one split as one: the first picture of each, then the second of each, and so on.
fn joined(parts: Vec<SourceSplit>) -> Vec<SourceSplit> {
    let is_one_a_class =
        parts.len() > 1 && parts.windows(2).all(|pair| pair[0].split == pair[1].split);
    if !is_one_a_class {
        return parts;
    }
    let mut items: Vec<(u32, u32)> = (0u32..)
        .zip(&parts)
        .flat_map(|(part, one)| (0..one.pictures.len() as u32).map(move |place| (part, place)))
        .collect();
    items.sort_by_key(|&(part, place)| (place, part));
    let label = |&(part, place): &(u32, u32)| {
        let labels = parts.get(part as usize)?.labels.as_ref()?;
        labels.get(place as usize).copied()
    };
    let labels = items.iter().map(label).collect();
    let split = parts.first().map_or(Split::Train, |part| part.split);
    let pictures = parts
        .iter()
        .map(|part| Arc::clone(&part.pictures))
        .collect();
    vec![SourceSplit {
        split,
        pictures: Arc::new(ConcatImages::new(pictures, items)),
        labels,
    }]
}

fn read_pictures<'a>(
    ask: &mut OpenRequest,
    found: &'a [Found],
) -> Result<Vec<(&'a Found, ArrayPictures)>, DataError> {
    let images: Vec<&Found> = found
        .iter()
        .filter(|found| found.role == Role::Images)
        .collect();
    let mut arrays: Vec<(&Found, ArrayPictures)> = Vec::new();
    for (done, one) in images.iter().enumerate() {
        ask.report("reading files", done, images.len())?;
        let array = open(ask, one)?;
        if let Some((first, other)) = arrays.first()
            && (other.layout.shape, other.layout.depth) != (array.layout.shape, array.layout.depth)
        {
            let [shape, other] = [array.layout.shape, other.layout.shape];
            let problem = format!(
                "its pictures (H×W×C) are {shape:?}, those of {} {other:?}",
                first.place.name
            );
            let help =
                "all pictures need one size: scale or cut those of one array before they are saved"
                    .into();
            return Err(fail(
                &one.place,
                Misfit {
                    problem,
                    help: Some(help),
                },
            ));
        }
        arrays.push((one, array));
    }
    ask.report("reading files", images.len(), images.len())?;
    Ok(arrays)
}

fn fail(place: &Place, misfit: impl Into<Misfit>) -> DataError {
    let Misfit { problem, help } = misfit.into();
    let (problem, usual) = match place.member {
        Member::Zip(_) => (format!("{}: {problem}", place.name), SAVE_AGAIN),
        Member::Whole => (problem, SAVE_AGAIN),
        Member::Hdf5(_) => (
            format!("{}: {problem}", place.name),
            "save the array again, or point path at another file",
        ),
    };
    DataError::malformed(&place.file, problem, help.unwrap_or(usual.into()))
}

/// Why an array cannot be used.
#[derive(Debug)]
struct Misfit {
    problem: String,
    /// What helps, unless the array is to be saved again.
    help: Option<Help>,
}

impl<T: Into<String>> From<T> for Misfit {
    fn from(problem: T) -> Misfit {
        Misfit {
            problem: problem.into(),
            help: None,
        }
    }
}

fn open(ask: &mut OpenRequest, found: &Found) -> Result<ArrayPictures, DataError> {
    let place = &found.place;
    let (spec, channels) = (ask.spec, ask.channels);
    let check = |header: &Header| {
        if header.element.is_text() {
            return Err("its elements are texts".into());
        }
        let wanted = wanted_shape(spec, found, header);
        let layout = Layout::new(&header.shape, channels, wanted.as_ref(), spec.transpose);
        let layout = layout.map_err(|problem| misfit(&problem, header))?;
        match header.shape.first() {
            Some(1..=0xffff_ffff) => Ok(layout),
            _ => Err(misfit("it has no picture, or too many", header)),
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

fn misfit(problem: &str, header: &Header) -> Misfit {
    Misfit {
        problem: format!("{problem} (the array is {:?})", header.shape),
        help: (problem == pictures::NO_CHANNELS).then(|| {
            Help::line("shape = \"1x28x28x28\"")
                .remark(", with your numbers of channels, slices, rows and columns")
        }),
    }
}

/// The shape of a picture that the project writes, or that of a square where each file holds the rows of one class.
fn wanted_shape(spec: &DataSpec, found: &Found, header: &Header) -> Option<Shape> {
    if spec.shape.is_some() {
        return spec.shape.clone();
    }
    match (found.class.as_ref(), &header.shape[..]) {
        (Some(_), [_, length]) => {
            let [height, width, channels] = rows::guessed(*length)?;
            Shape::new(&[channels, height, width])
        }
        _ => None,
    }
}

/// An array that can stay in its file; none if it cannot.
fn in_place(place: &Place) -> Result<Option<(Header, Store, u64)>, DataError> {
    match &place.member {
        Member::Whole => {}
        Member::Zip(_) => return Ok(None),
        Member::Hdf5(array) => return in_hdf5(array),
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
        Store::Disk(DiskFile::new(file, &place.file, found)),
        offset,
    )))
}

/// An array that lies open in an HDF5 file, or is too large for memory.
fn in_hdf5(array: &Arc<hdf5::Array>) -> Result<Option<(Header, Store, u64)>, DataError> {
    let header = Header::of(array);
    let body = header.body().unwrap_or(u64::MAX);
    if let Some(address) = array.address {
        let unreadable = |cause| DataError::unreadable(&array.file, cause);
        let file = open_regular(&array.file).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        if address.checked_add(body).is_none_or(|end| end > length) {
            let problem = format!("{}: the file ends before its elements do", array.name);
            return Err(DataError::malformed(&array.file, problem, DOWNLOAD_AGAIN));
        }
        let file = DiskFile::new(file, &array.file, length);
        return Ok(Some((header, Store::Disk(file), address)));
    }
    // As much again to work with.
    if body <= MOST_KEPT_BYTES && array.is_written() && system_memory::check_large(2 * body).is_ok()
    {
        return Ok(None);
    }
    Ok(Some((header, Store::Rows(Arc::clone(array)), 0)))
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
    ask: &mut OpenRequest,
    place: &Place,
    check: impl Fn(&Header) -> Result<(), Misfit>,
) -> Result<(Header, Vec<u8>), DataError> {
    let member = match &place.member {
        Member::Whole => {
            let mut input = Input::open(&place.file)?;
            let most = input.most_bytes();
            return contents(ask, place, input.reader(), most, check);
        }
        Member::Hdf5(array) => {
            let mut header = Header::of(array);
            check(&header).map_err(|problem| fail(place, problem))?;
            let (element, bytes) = array.read(ask, MOST_BYTES)?;
            header.element = element;
            return Ok((header, bytes));
        }
        Member::Zip(member) => *member,
    };
    let mut archive = find::archive(&place.file)?;
    let mut file = archive
        .by_index(member)
        .map_err(|error| fail(place, format!("it cannot be unpacked ({error})")))?;
    // What the archive says of its member, as far as its bytes can hold it.
    let on_disk = std::fs::metadata(&place.file).map_or(0, |about| about.len());
    let most = file
        .size()
        .min(on_disk.saturating_mul(MOST_DEFLATE_SHRINKS));
    contents(ask, place, &mut file, most, check)
}

/// Header and elements of an array from its first byte on; the elements in C's order. `most` bytes can come at most.
fn contents(
    ask: &mut OpenRequest,
    place: &Place,
    reader: &mut dyn Read,
    most: u64,
    check: impl Fn(&Header) -> Result<(), Misfit>,
) -> Result<(Header, Vec<u8>), DataError> {
    let mut header = Header::read(reader).map_err(|problem| fail(place, problem))?;
    check(&header).map_err(|problem| fail(place, problem))?;
    let body = header.body().filter(|&body| body <= MOST_BYTES);
    let too_large = || format!("the array {:?} is too large to be unpacked", header.shape);
    let body = body.ok_or_else(|| fail(place, too_large()))?;
    let no_memory = |problem| DataError::malformed(&place.file, problem, LESS_MEMORY);
    system_memory::check(body).map_err(no_memory)?;
    let read = match header.by_column {
        // Memory for all of it is taken at once.
        true if body > most => return Err(fail(place, wrong_length(&header, most))),
        true => by_column::read(reader, &header, body, ask),
        false => {
            let mut bytes = Vec::new();
            let read = read_pieces(reader, &mut bytes, body + 1, ask);
            let came = bytes.len() as u64;
            read.map(|()| (bytes, came))
        }
    };
    let (bytes, came) = read.map_err(|unread| match unread {
        Unread::Cancelled => DataError::Cancelled,
        Unread::Memory(problem) => no_memory(problem),
        Unread::System(cause) => fail(
            place,
            format!("the file is damaged ({cause}): {DOWNLOAD_AGAIN}"),
        ),
    })?;
    if came != body {
        return Err(fail(place, wrong_length(&header, came)));
    }
    header.by_column = false;
    Ok((header, bytes))
}

/// The least and the greatest number of the first array of pictures, which training uses; every
/// number of every array has to be finite.
fn span(ask: &mut OpenRequest, arrays: &[(&Found, ArrayPictures)]) -> Result<[f32; 2], DataError> {
    let mut span = [f32::INFINITY, f32::NEG_INFINITY];
    for (number, (found, array)) in arrays.iter().enumerate() {
        for index in 0..array.len() {
            if index.is_multiple_of(PER_STEP) {
                ask.report("looking at values", index, array.len())?;
            }
            let RawImage::Floats(values) = array.raw(index)? else {
                continue;
            };
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                let problem = format!("picture {index} holds the value {value}");
                return Err(fail(
                    &found.place,
                    Misfit {
                        problem,
                        help: Some(FINITE.into()),
                    },
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
