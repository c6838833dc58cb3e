//! MNIST, Fashion-MNIST and EMNIST: IDX files, plain or gzip.
//!
//! An IDX header is a magic number (`0 0 8 n`: unsigned bytes, n axes) and n big-endian sizes.
//! The sizes are checked against the file before anything is allocated. Fails on a wrong magic
//! number, on sizes that do not fit the file, on labels that are too few, too many or too large.

mod published;

use super::SourceReader;
use crate::error::DataError;
use crate::formats::bytes::{self, DOWNLOAD_AGAIN, Input};
use crate::formats::records::{Layout, Records, Store};
use crate::formats::rows::{Order, Rows};
use crate::source::{
    BYTES, ImageStore, OpenRequest, OpenedSource, RawImage, SourceSplit, bad_label,
};
use crate::sources::folder::transposed;
use published::{FASHION_MNIST_FILES, MNIST_FILES};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::format;
use strata_core::project::data::{Source, Split};

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const FASHION: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// Where torchvision puts the files below the folder it is given.
const BELOW: [&str; 5] = ["raw", "MNIST/raw", "FashionMNIST/raw", "EMNIST/raw", "gzip"];
/// Names looked at in a folder.
const MOST_ENTRIES: usize = 1000;
/// EMNIST has 62 classes at most.
const MOST_LABEL: u8 = 61;
/// No image of this kind has a side as long as this; a header that says so is not one.
const LONGEST_SIDE: u32 = 4096;
const HELP: &str = "point path at the folder that holds the files (.gz or unpacked, both are read)";

/// MNIST.
pub(crate) static MNIST: SourceReader = SourceReader {
    load: |ask| load(ask, "MNIST", &DIGITS),
    published: Some(&MNIST_FILES),
};

/// Fashion-MNIST.
pub(crate) static FASHION_MNIST: SourceReader = SourceReader {
    load: |ask| load(ask, "Fashion-MNIST", &FASHION),
    published: Some(&FASHION_MNIST_FILES),
};

struct Images {
    pixels: Vec<u8>,
    count: u32,
    rows: u32,
    columns: u32,
}

/// One split, before it is known what its labels mean.
struct Half {
    split: Split,
    pictures: Arc<dyn ImageStore>,
    labels: Option<Vec<u8>>,
    /// The file of the labels.
    file: Option<PathBuf>,
}

/// The files of a set: all names begin alike, and go on with the split's word.
struct Names {
    folders: Vec<PathBuf>,
    before: String,
}

fn load(ask: &mut OpenRequest, what: &str, classes: &[&str]) -> Result<OpenedSource, DataError> {
    let names = Names::of(&ask.folder)?;
    let mut halves: Vec<Half> = Vec::new();
    let splits: [(Split, &[&str]); 2] =
        [(Split::Train, &["train"]), (Split::Test, &["t10k", "test"])];
    for (done, (split, words)) in splits.into_iter().enumerate() {
        ask.report("reading files", done, 2)?;
        if let Some(path) = names.find(words, "images", 3) {
            let labels = names.find(words, "labels", 1);
            let transposed = transposed::is_transposed(ask, &path)?;
            let half = load_split(ask, split, &path, labels.as_deref(), transposed)?;
            check_same_size(&path, halves.first(), &half)?;
            halves.push(half);
        }
    }
    ask.report("reading files", 2, 2)?;
    if halves.is_empty() {
        let wanted = [
            file_names("train", "images", 3),
            file_names("t10k", "images", 3),
        ]
        .concat();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        return Err(bytes::missing(
            &format!("the images of {what}"),
            &wanted,
            &names.folders,
            HELP,
        ));
    }
    ask.told.notes.dedup();
    let (classes, parts) = with_classes(ask, &names, classes, halves)?;
    Ok(OpenedSource {
        classes,
        parts,
        skipped: Vec::new(),
        span: BYTES,
        holds_out: true,
    })
}

impl Names {
    /// A folder, or one file of a set among several (EMNIST's six).
    fn of(path: &Path) -> Result<Names, DataError> {
        let folder = match path.is_file() {
            true => path.parent().unwrap_or(Path::new("")),
            false => path,
        };
        let mut folders = bytes::folders(folder, &BELOW);
        let inside: Vec<PathBuf> = folders
            .iter()
            .flat_map(|folder| inner_folders(folder))
            .collect();
        folders.extend(inside);
        let mut sets: Vec<String> = match path.is_file() {
            true => before_split(path).into_iter().collect(),
            false => folders.iter().flat_map(|folder| sets_in(folder)).collect(),
        };
        sets.sort();
        sets.dedup();
        match &sets[..] {
            [] => Ok(Names {
                folders,
                before: String::new(),
            }),
            [one] => Ok(Names {
                before: one.clone(),
                folders,
            }),
            // MNIST's own names come before all others.
            [first, ..] if first.is_empty() => Ok(Names {
                before: String::new(),
                folders,
            }),
            _ => {
                let problem = format!("there are several sets in it ({})", sets.join(", "));
                let help = "point path at the file of the training images of one of them";
                Err(DataError::malformed(path, problem, help))
            }
        }
    }

    fn find(&self, words: &[&str], kind: &str, axes: u32) -> Option<PathBuf> {
        words.iter().find_map(|word| {
            let names = file_names(&format!("{}{word}", self.before), kind, axes);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            bytes::find(&self.folders, &names)
        })
    }
}

/// Folders in a folder that hold files of a set, as some archives unpack: each file in one of its own name, or all in one.
fn inner_folders(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .take(MOST_ENTRIES)
            .collect::<Vec<PathBuf>>()
    };
    let mut inside: Vec<PathBuf> = list(folder);
    inside
        .retain(|path| path.is_dir() && list(path).iter().any(|file| before_split(file).is_some()));
    inside.sort();
    inside
}

/// What the names of images in a folder begin with, in front of `train` or `test`.
fn sets_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .filter_map(|path| before_split(&path))
        .collect()
}

/// `emnist-letters-` of `emnist-letters-train-images-idx3-ubyte.gz`.
fn before_split(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let at = [
        "train-images",
        "test-images",
        "t10k-images",
        "train-labels",
        "test-labels",
        "t10k-labels",
    ]
    .iter()
    .find_map(|word| name.find(word))?;
    name.contains("idx")
        .then(|| name.get(..at).map(str::to_owned))?
}

/// The names in use: `train-images-idx3-ubyte`, with a dot before idx, and either with `.gz`.
fn file_names(prefix: &str, kind: &str, axes: u32) -> Vec<String> {
    let plain = ["-", "."].map(|mark| format!("{prefix}-{kind}{mark}idx{axes}-ubyte"));
    plain
        .iter()
        .flat_map(|name| [name.clone(), format!("{name}.gz")])
        .collect()
}

/// Labels as classes: the set's own ten, or those that occur where there are others (EMNIST's letters count from 1).
fn with_classes(
    ask: &mut OpenRequest,
    names: &Names,
    own: &[&str],
    halves: Vec<Half>,
) -> Result<(Vec<String>, Vec<SourceSplit>), DataError> {
    let mut present: Vec<u8> = halves
        .iter()
        .filter_map(|half| half.labels.as_ref())
        .flatten()
        .copied()
        .collect();
    present.sort_unstable();
    present.dedup();
    let letters = letters(names);
    let is_own = letters.is_empty()
        && present
            .last()
            .is_none_or(|&most| usize::from(most) < own.len());
    // Labels from 1 without a gap, or more than the set has: not one that is damaged.
    let is_run = match (present.first(), present.last()) {
        (Some(&first), Some(&last)) => first > 0 && usize::from(last - first) + 1 == present.len(),
        _ => false,
    };
    let is_other = !names.before.is_empty() || is_run || present.len() > own.len();
    let is_emnist = is_other && ask.spec.source == Source::Mnist;
    if !is_own && !is_emnist {
        return Err(beyond(&halves, own.len()));
    }
    let classes: Vec<String> = match is_own {
        true => own.iter().map(ToString::to_string).collect(),
        false => {
            let text = format!(
                "labels go from {} to {}: the classes are those that occur",
                present.first().copied().unwrap_or_default(),
                present.last().copied().unwrap_or_default()
            );
            ask.told.note(text);
            present
                .iter()
                .map(|label| {
                    letters
                        .get(label)
                        .cloned()
                        .unwrap_or_else(|| label.to_string())
                })
                .collect()
        }
    };
    let number = |label: &u8| match is_own {
        true => u32::from(*label),
        false => present.partition_point(|other| other < label) as u32,
    };
    let part = |half: Half| SourceSplit {
        split: half.split,
        pictures: half.pictures,
        labels: half
            .labels
            .map(|labels| labels.iter().map(number).collect()),
    };
    Ok((classes, halves.into_iter().map(part).collect()))
}

/// The first label that is none of the set's own.
fn beyond(halves: &[Half], classes: usize) -> DataError {
    let is_beyond = |label: &u8| usize::from(*label) >= classes;
    let found = halves.iter().find_map(|half| {
        let labels = half.labels.as_ref()?;
        let position = labels.iter().position(is_beyond)?;
        Some((half.file.as_deref()?, position, *labels.get(position)?))
    });
    let (file, position, label) = found.unwrap_or((Path::new(""), 0, 0));
    bad_label(
        file,
        position,
        label,
        &format!("0 to {}", classes.saturating_sub(1)),
    )
}

/// EMNIST's names of labels: from the file `…-mapping.txt` (`1 65 97`: label, then letters), else those of its letters.
fn letters(names: &Names) -> BTreeMap<u8, String> {
    let file = format!("{}mapping.txt", names.before);
    let lines = bytes::names_file(&names.folders, &file);
    let of_line = |line: &String| {
        let mut numbers = line.split_whitespace().map(str::parse::<u8>);
        let label = numbers.next()?.ok()?;
        let letter = numbers.next_back()?.ok()?;
        Some((label, char::from(letter).to_string()))
    };
    let mapped: BTreeMap<u8, String> = lines.iter().filter_map(of_line).collect();
    if mapped.is_empty() && names.before.contains("letters") {
        return (1..=26)
            .map(|label| (label, char::from(b'a' + label - 1).to_string()))
            .collect();
    }
    mapped
}

fn load_split(
    ask: &mut OpenRequest,
    split: Split,
    images: &Path,
    labels: Option<&Path>,
    transposed: bool,
) -> Result<Half, DataError> {
    let read = read_images(ask, images)?;
    let file = labels.map(Path::to_path_buf);
    let labels = labels
        .map(|path| read_labels(ask, path, images, read.count))
        .transpose()?;
    let (rows, columns) = (read.rows as usize, read.columns as usize);
    let pictures: Arc<dyn ImageStore> = match transposed {
        false => Arc::new(Records {
            store: Store::Memory(read.pixels),
            count: read.count as usize,
            record: rows * columns,
            offset: 0,
            shape: [rows, columns, 1],
            layout: Layout::Grey,
        }),
        true => Arc::new(Rows {
            values: RawImage::Bytes(read.pixels),
            shape: [columns, rows, 1],
            order: Order::Pixels,
            transposed,
        }),
    };
    Ok(Half {
        split,
        pictures,
        file: labels.as_ref().and(file),
        labels,
    })
}

fn read_images(ask: &mut OpenRequest, path: &Path) -> Result<Images, DataError> {
    let mut input = Input::open(path)?;
    let [count, rows, columns] = read_header::<3>(&mut input, "images")?;
    let sides = 1..=LONGEST_SIDE;
    if count == 0 || !sides.contains(&rows) || !sides.contains(&columns) {
        let problem =
            format!("the header says {count} images of {rows}×{columns}, which cannot be");
        return Err(DataError::malformed(path, problem, DOWNLOAD_AGAIN));
    }
    let expected = u64::from(count) * u64::from(rows) * u64::from(columns);
    let claim = format!("{} images of {rows}×{columns}", format::count(count.into()));
    let pixels = input.read_rest(ask, 16, expected, &claim)?;
    Ok(Images {
        pixels,
        count,
        rows,
        columns,
    })
}

fn read_labels(
    ask: &mut OpenRequest,
    path: &Path,
    images: &Path,
    count: u32,
) -> Result<Vec<u8>, DataError> {
    let mut input = Input::open(path)?;
    let [labels] = read_header::<1>(&mut input, "labels")?;
    if labels != count {
        let name = images
            .file_name()
            .unwrap_or(images.as_os_str())
            .to_string_lossy();
        let problem = format!(
            "the header says {} labels, but {name} has {} images",
            format::count(labels.into()),
            format::count(count.into())
        );
        return Err(DataError::malformed(
            path,
            problem,
            "the two files do not belong together: download both again",
        ));
    }
    let claim = format!("{} labels", format::count(labels.into()));
    let labels = input.read_rest(ask, 8, u64::from(labels), &claim)?;
    if let Some(position) = labels.iter().position(|&label| label > MOST_LABEL) {
        let allowed = format!("0 to {MOST_LABEL}");
        return Err(bad_label(path, position, labels[position], &allowed));
    }
    Ok(labels)
}

fn read_header<const AXES: usize>(input: &mut Input, what: &str) -> Result<[u32; AXES], DataError> {
    let header = input.read_small(4 + 4 * AXES as u64)?;
    let mut words = header
        .chunks_exact(4)
        .map(|word| word.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)));
    let magic = words.next();
    let expected = 0x0800 + AXES as u32;
    if magic.is_some_and(|magic| magic != expected) {
        let problem = format!(
            "this is no IDX file of {what}: it begins with {:#010x}, not {expected:#010x}",
            magic.unwrap_or_default()
        );
        return Err(DataError::malformed(&input.path, problem, DOWNLOAD_AGAIN));
    }
    let sizes: Vec<u32> = words.collect();
    sizes.try_into().map_err(|_| {
        let problem = format!(
            "the file ends after {} bytes, inside its header",
            header.len()
        );
        DataError::malformed(&input.path, problem, DOWNLOAD_AGAIN)
    })
}

fn check_same_size(path: &Path, first: Option<&Half>, part: &Half) -> Result<(), DataError> {
    let Some(first) = first.map(|half| half.pictures.shape()) else {
        return Ok(());
    };
    let shape = part.pictures.shape();
    if shape == first {
        return Ok(());
    }
    let problem = format!(
        "its images are {}×{}, those of the training file {}×{}",
        shape[0], shape[1], first[0], first[1]
    );
    Err(DataError::malformed(
        path,
        problem,
        "use two files of one dataset",
    ))
}
