//! STL-10: binary files of 96×96 pictures, three planes each, column by column; labels 1 to 10.
//!
//! Pictures stay in their file and are read when wanted, so the 100,000 unlabelled ones open at
//! once; gzip files are unpacked into memory. With `source_fold`, training has the pictures of one
//! of the ten folds that the dataset's authors fixed. Fails on a file that is not a whole number
//! of pictures, on labels that are too few, too many or out of range, and when no file is there.

use super::SourceReader;
use crate::download::Sum;
use crate::download::published::{Archive, Holds, Packed, Published};
use crate::error::DataError;
use crate::formats::array::shortened;
use crate::formats::bytes::{self, DOWNLOAD_AGAIN, Input};
use crate::formats::disk_file::DiskFile;
use crate::formats::records::{Layout, Records, Store};
use crate::source::{
    BYTES, ImageStore, OpenRequest, OpenedSource, RawImage, SourceSplit, bad_label,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::files::open_regular;
use strata_core::format;
use strata_core::project::data::Split;
use strata_core::project::help::Help;

const SIDE: usize = 96;
const RECORD: usize = 3 * SIDE * SIDE;
const CLASSES: [&str; 10] = [
    "airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck",
];
/// 100,000 unlabelled pictures, and half as many again.
const MOST_UNPACKED: u64 = 150_000 * RECORD as u64;
const FOLDS: u32 = 10;
const FILES: [(Split, &str, Option<&str>); 3] = [
    (Split::Train, "train_X.bin", Some("train_y.bin")),
    (Split::Test, "test_X.bin", Some("test_y.bin")),
    (Split::Unlabeled, "unlabeled_X.bin", None),
];

/// STL-10.
pub(crate) static STL10: SourceReader = SourceReader {
    load,
    published: Some(&STL10_FILES),
};

/// 96×96 in three colours.
const STL10_IMAGE: u64 = 3 * 96 * 96;

static STL10_FILES: Published = Published::Packed(Packed {
    at: &["http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"],
    bytes: 2_640_397_119,
    sum: Sum::md5("91f7769df0f17e558f3565bffb0c7dfb"),
    archive: Archive::TarGz,
    most_bytes: 3_200_000_000,
    folder: "stl10_binary",
    holds: &[
        ("train_X.bin", Holds::Bytes(5_000 * STL10_IMAGE)),
        ("train_y.bin", Holds::Bytes(5_000)),
        ("test_X.bin", Holds::Bytes(8_000 * STL10_IMAGE)),
        ("test_y.bin", Holds::Bytes(8_000)),
        ("unlabeled_X.bin", Holds::Bytes(100_000 * STL10_IMAGE)),
    ],
});

fn load(ask: &mut OpenRequest) -> Result<OpenedSource, DataError> {
    ask.report("reading files", 0, 1)?;
    let folders = bytes::folders(&ask.folder, &["stl10_binary"]);
    let mut parts = Vec::new();
    for (split, images, labels) in FILES {
        if let Some(path) = find(&folders, images) {
            let labels = labels.and_then(|name| find(&folders, name));
            parts.push(load_split(ask, split, &path, labels.as_deref())?);
        }
    }
    if parts.is_empty() {
        let help = "point path at the folder stl10_binary, unpacked from stl10_binary.tar.gz";
        let names = FILES.map(|(_, images, _)| images);
        return Err(bytes::missing(
            "the images of STL-10",
            &names,
            &folders,
            help,
        ));
    }
    if let Some(fold) = ask.spec.source_fold {
        let train = parts.iter_mut().find(|part| part.split == Split::Train);
        keep_fold(&folders, fold, train)?;
    }
    ask.report("reading files", 1, 1)?;
    Ok(OpenedSource {
        classes: class_names(&folders),
        parts,
        skipped: Vec::new(),
        span: BYTES,
        holds_out: true,
    })
}

fn class_names(folders: &[PathBuf]) -> Vec<String> {
    let names = bytes::names_file(folders, "class_names.txt");
    if names.len() == CLASSES.len() {
        names
    } else {
        CLASSES.map(str::to_string).to_vec()
    }
}

fn find(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    bytes::find(folders, &[name, &format!("{name}.gz")])
}

fn load_split(
    ask: &mut OpenRequest,
    split: Split,
    images: &Path,
    labels: Option<&Path>,
) -> Result<SourceSplit, DataError> {
    let (store, length) = open(ask, images)?;
    let count = count_records(images, length)?;
    let labels = labels
        .map(|path| read_labels(ask, path, images, count))
        .transpose()?;
    let pictures = Records {
        store,
        count,
        record: RECORD,
        offset: 0,
        shape: [SIDE, SIDE, 3],
        layout: Layout::PlanesByColumn,
    };
    Ok(SourceSplit {
        split,
        pictures: Arc::new(pictures),
        labels,
    })
}

/// Where the pictures lie, and how many bytes they have.
fn open(ask: &mut OpenRequest, images: &Path) -> Result<(Store, u64), DataError> {
    let mut input = Input::open(images)?;
    if input.is_packed() {
        let bytes = input.read_up_to(ask, MOST_UNPACKED)?;
        let length = bytes.len() as u64;
        return Ok((Store::Memory(bytes), length));
    }
    let fail = |cause| DataError::unreadable(images, cause);
    let file = open_regular(images).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    Ok((Store::Disk(DiskFile::new(file, images, length)), length))
}

/// Leaves of the training pictures those of one fold.
fn keep_fold(
    folders: &[PathBuf],
    fold: u32,
    train: Option<&mut SourceSplit>,
) -> Result<(), DataError> {
    let name = "fold_indices.txt";
    let Some(path) = find(folders, name) else {
        let help = "it comes in stl10_binary.tar.gz; or leave source_fold out";
        return Err(bytes::missing(
            "the folds of STL-10",
            &[name],
            folders,
            help,
        ));
    };
    let Some(train) = train else {
        return Err(DataError::setting(
            "source_fold",
            "there are no training images",
            "add train_X.bin",
        ));
    };
    let chosen = read_fold(&path, fold, train.pictures.len())?;
    let label = |labels: &Vec<u32>| {
        chosen
            .iter()
            .filter_map(|&at| labels.get(at as usize).copied())
            .collect()
    };
    train.labels = train.labels.as_ref().map(label);
    train.pictures = Arc::new(Chosen {
        pictures: Arc::clone(&train.pictures),
        chosen,
    });
    Ok(())
}

/// A fold's line of numbers. Ten folds of a thousand, each a line.
fn read_fold(path: &Path, fold: u32, images: usize) -> Result<Vec<u32>, DataError> {
    const MOST_BYTES: u64 = 1 << 20;
    if fold >= FOLDS {
        let problem = format!("there is no fold {fold}");
        return Err(DataError::setting(
            "source_fold",
            problem,
            Help::value("source_fold", "0 to 9"),
        ));
    }
    let bytes = Input::open(path)?.read_small(MOST_BYTES)?;
    let fail = |problem: String| DataError::malformed(path, problem, DOWNLOAD_AGAIN);
    let text = std::str::from_utf8(&bytes).map_err(|_| fail("it is no text".to_string()))?;
    let line = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .nth(fold as usize);
    let line =
        line.ok_or_else(|| fail(format!("it has no line for fold {fold}, ten are needed")))?;
    let number = |word: &str| match word.parse::<u32>() {
        Ok(number) if (number as usize) < images => Ok(number),
        _ => Err(fail(format!(
            "fold {fold} has the entry {}, and images go from 0 to {}",
            shortened(word),
            images - 1
        ))),
    };
    let mut chosen = line
        .split_whitespace()
        .map(number)
        .collect::<Result<Vec<u32>, _>>()?;
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.is_empty() {
        Err(fail(format!("fold {fold} is empty")))
    } else {
        Ok(chosen)
    }
}

/// Some of a source's pictures.
struct Chosen {
    pictures: Arc<dyn ImageStore>,
    chosen: Vec<u32>,
}

impl Chosen {
    /// The place of a chosen picture among all.
    fn picture(&self, index: usize) -> Result<usize, DataError> {
        let picture = self.chosen.get(index).map(|&picture| picture as usize);
        picture.ok_or(DataError::OutOfRange {
            index,
            len: self.chosen.len(),
            split: "train",
        })
    }
}

impl ImageStore for Chosen {
    fn len(&self) -> usize {
        self.chosen.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.pictures.shape()
    }

    fn value_size(&self) -> usize {
        self.pictures.value_size()
    }

    fn raw(&self, index: usize) -> Result<RawImage, DataError> {
        self.pictures.raw(self.picture(index)?)
    }

    fn raw_once(&self, index: usize) -> Result<RawImage, DataError> {
        self.pictures.raw_once(self.picture(index)?)
    }
}

fn count_records(path: &Path, length: u64) -> Result<usize, DataError> {
    let record = RECORD as u64;
    if length > 0 && length.is_multiple_of(record) {
        return usize::try_from(length / record).map_err(|_| {
            DataError::malformed(
                path,
                "too many images for this machine",
                "use a smaller file",
            )
        });
    }
    let problem = format!(
        "the file has {} bytes, which is {} images of {} and {} bytes over",
        format::count(length),
        format::count(length / record),
        format::count(record),
        format::count(length % record)
    );
    Err(DataError::malformed(path, problem, DOWNLOAD_AGAIN))
}

fn read_labels(
    ask: &mut OpenRequest,
    path: &Path,
    images: &Path,
    count: usize,
) -> Result<Vec<u32>, DataError> {
    let labels = Input::open(path)?.read_up_to(ask, count as u64 + 1)?;
    if labels.len() != count {
        let more = if labels.len() > count {
            "more than "
        } else {
            ""
        };
        let name = images
            .file_name()
            .unwrap_or(images.as_os_str())
            .to_string_lossy();
        let problem = format!(
            "{more}{} labels, but {name} has {} images",
            format::count(labels.len().min(count) as u64),
            format::count(count as u64)
        );
        return Err(DataError::malformed(
            path,
            problem,
            "the two files do not belong together: download both again",
        ));
    }
    match labels.iter().position(|label| !(1..=10).contains(label)) {
        Some(position) => Err(bad_label(path, position, labels[position], "1 to 10")),
        None => Ok(labels
            .into_iter()
            .map(|label| u32::from(label) - 1)
            .collect()),
    }
}
