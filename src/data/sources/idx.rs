//! MNIST and Fashion-MNIST: IDX files, plain or gzip.
//!
//! An IDX header is a magic number (`0 0 8 n`: unsigned bytes, n axes) and n big-endian sizes.
//! The sizes are checked against the file before anything is allocated. Fails on a wrong magic
//! number, on sizes that do not fit the file, on labels that are too few, too many or too large.

use super::SourceReader;
use crate::download::Sum;
use crate::download::published::{Loose, LooseFile, Published};
use crate::error::DataError;
use crate::formats::bytes::{self, DOWNLOAD_AGAIN, Input};
use crate::formats::records::{Layout, Records, Store};
use crate::source::{Ask, BYTES, Loaded, Part, bad_label};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::format;
use strata_core::project::data::Split;

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
const BELOW: [&str; 3] = ["raw", "MNIST/raw", "FashionMNIST/raw"];
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

static MNIST_FILES: Published = Published::Loose(Loose {
    at: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    files: &[
        LooseFile {
            name: "train-images-idx3-ubyte.gz",
            bytes: 9_912_422,
            sum: Sum::sha256("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            plain: 47_040_016,
        },
        LooseFile {
            name: "train-labels-idx1-ubyte.gz",
            bytes: 28_881,
            sum: Sum::sha256("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            plain: 60_008,
        },
        LooseFile {
            name: "t10k-images-idx3-ubyte.gz",
            bytes: 1_648_877,
            sum: Sum::sha256("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            plain: 7_840_016,
        },
        LooseFile {
            name: "t10k-labels-idx1-ubyte.gz",
            bytes: 4_542,
            sum: Sum::sha256("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
            plain: 10_008,
        },
    ],
});

static FASHION_MNIST_FILES: Published = Published::Loose(Loose {
    at: &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ],
    files: &[
        LooseFile {
            name: "train-images-idx3-ubyte.gz",
            bytes: 26_421_880,
            sum: Sum::md5("8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            plain: 47_040_016,
        },
        LooseFile {
            name: "train-labels-idx1-ubyte.gz",
            bytes: 29_515,
            sum: Sum::md5("25c81989df183df01b3e8a0aad5dffbe"),
            plain: 60_008,
        },
        LooseFile {
            name: "t10k-images-idx3-ubyte.gz",
            bytes: 4_422_102,
            sum: Sum::md5("bef4ecab320f06d8554ea6380940ec79"),
            plain: 7_840_016,
        },
        LooseFile {
            name: "t10k-labels-idx1-ubyte.gz",
            bytes: 5_148,
            sum: Sum::md5("bb300cfdad3c16e7a12a480ee83cd310"),
            plain: 10_008,
        },
    ],
});

struct Images {
    pixels: Vec<u8>,
    count: u32,
    rows: u32,
    columns: u32,
}

fn load(ask: &mut Ask, what: &str, classes: &[&str]) -> Result<Loaded, DataError> {
    let folders = bytes::folders(&ask.folder, &BELOW);
    let mut parts: Vec<Part> = Vec::new();
    for (done, (split, prefix)) in [(Split::Train, "train"), (Split::Test, "t10k")]
        .into_iter()
        .enumerate()
    {
        ask.report("reading files", done, 2)?;
        let images = names(prefix, "images", 3);
        if let Some(path) = find(&folders, &images) {
            let labels = find(&folders, &names(prefix, "labels", 1));
            let part = load_split(ask, split, &path, labels.as_deref(), classes.len())?;
            check_same_size(&path, parts.first(), &part)?;
            parts.push(part);
        }
    }
    ask.report("reading files", 2, 2)?;
    if parts.is_empty() {
        let wanted = [names("train", "images", 3), names("t10k", "images", 3)].concat();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        return Err(bytes::missing(
            &format!("the images of {what}"),
            &wanted,
            &folders,
            HELP,
        ));
    }
    Ok(Loaded {
        classes: classes.iter().map(ToString::to_string).collect(),
        parts,
        skipped: Vec::new(),
        span: BYTES,
        carve: true,
    })
}

/// The names in use: `train-images-idx3-ubyte`, with a dot before idx, and either with `.gz`.
fn names(prefix: &str, kind: &str, axes: u32) -> Vec<String> {
    let plain = ["-", "."].map(|mark| format!("{prefix}-{kind}{mark}idx{axes}-ubyte"));
    plain
        .iter()
        .flat_map(|name| [name.clone(), format!("{name}.gz")])
        .collect()
}

fn find(folders: &[PathBuf], names: &[String]) -> Option<PathBuf> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    bytes::find(folders, &names)
}

fn load_split(
    ask: &mut Ask,
    split: Split,
    images: &Path,
    labels: Option<&Path>,
    classes: usize,
) -> Result<Part, DataError> {
    let read = read_images(ask, images)?;
    let labels = labels
        .map(|path| read_labels(ask, path, images, read.count, classes))
        .transpose()?;
    let (rows, columns) = (read.rows as usize, read.columns as usize);
    let pictures = Records {
        store: Store::Memory(read.pixels),
        count: read.count as usize,
        record: rows * columns,
        offset: 0,
        shape: [rows, columns, 1],
        layout: Layout::Grey,
    };
    Ok(Part {
        split,
        pictures: Arc::new(pictures),
        labels,
    })
}

fn read_images(ask: &mut Ask, path: &Path) -> Result<Images, DataError> {
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
    ask: &mut Ask,
    path: &Path,
    images: &Path,
    count: u32,
    classes: usize,
) -> Result<Vec<u32>, DataError> {
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
    if let Some(position) = labels
        .iter()
        .position(|&label| usize::from(label) >= classes)
    {
        return Err(bad_label(
            path,
            position,
            labels[position],
            &format!("0 to {}", classes - 1),
        ));
    }
    Ok(labels.into_iter().map(u32::from).collect())
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

fn check_same_size(path: &Path, first: Option<&Part>, part: &Part) -> Result<(), DataError> {
    let Some(first) = first.map(|part| part.pictures.shape()) else {
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
