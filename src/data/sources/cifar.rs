//! CIFAR-10 and CIFAR-100 in their binary version and in the one for Python, plain or gzip.
//!
//! A binary record is one label byte (two in CIFAR-100: coarse, then fine) and three 32×32 planes.
//! The files have no header, so any whole number of records is taken: subsets load too. Fails on a
//! file that ends inside a record, on a label outside the classes, and when no file is there.

mod names;
mod python;

use super::SourceReader;
use crate::download::Sum;
use crate::download::published::{Archive, Holds, Packed, Published};
use crate::error::DataError;
use crate::formats::bytes::{self, DOWNLOAD_AGAIN, Input};
use crate::formats::records::{Layout, Records, Store};
use crate::source::{BYTES, OpenRequest, OpenedSource, SourceSplit, bad_label};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::format;
use strata_core::project::data::{Labels, Split};

const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;
/// More than any of the original files has (50,000), so that a gzip file cannot unpack for ever.
const MOST_RECORDS: usize = 100_000;

/// The pixels of one or more files, [`PIXELS`] for each label.
#[derive(Default)]
struct Batch {
    pixels: Vec<u8>,
    labels: Vec<u32>,
}

/// Where the label is.
#[derive(Clone, Copy)]
struct Format {
    /// Bytes that a binary record begins with.
    label_bytes: usize,
    /// Which of them is the label.
    label_at: usize,
    /// The name of the labels in a file for Python.
    key: &'static str,
    classes: u8,
}

const TEN: Format = Format {
    label_bytes: 1,
    label_at: 0,
    key: "labels",
    classes: 10,
};
const FINE: Format = Format {
    label_bytes: 2,
    label_at: 1,
    key: "fine_labels",
    classes: 100,
};
const COARSE: Format = Format {
    label_bytes: 2,
    label_at: 0,
    key: "coarse_labels",
    classes: 20,
};

/// CIFAR-10.
pub(crate) static CIFAR10: SourceReader = SourceReader {
    load: load_10,
    published: Some(&CIFAR10_FILES),
};

/// Ten thousand records: a label, then 32×32 in three colours.
const CIFAR10_BATCH: Holds = Holds::Bytes(10_000 * (1 + 3 * 32 * 32));

static CIFAR10_FILES: Published = Published::Packed(Packed {
    at: &["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
    bytes: 170_052_171,
    sum: Sum::sha256("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
    archive: Archive::TarGz,
    most_bytes: 200_000_000,
    folder: "cifar-10-batches-bin",
    holds: &[
        ("data_batch_1.bin", CIFAR10_BATCH),
        ("data_batch_2.bin", CIFAR10_BATCH),
        ("data_batch_3.bin", CIFAR10_BATCH),
        ("data_batch_4.bin", CIFAR10_BATCH),
        ("data_batch_5.bin", CIFAR10_BATCH),
        ("test_batch.bin", CIFAR10_BATCH),
    ],
});

/// CIFAR-100.
pub(crate) static CIFAR100: SourceReader = SourceReader {
    load: load_100,
    published: Some(&CIFAR100_FILES),
};

/// Two labels, then 32×32 in three colours.
const CIFAR100_RECORD: u64 = 2 + 3 * 32 * 32;

static CIFAR100_FILES: Published = Published::Packed(Packed {
    at: &["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
    bytes: 168_513_733,
    sum: Sum::md5("03b5dce01913d631647c71ecec9e9cb8"),
    archive: Archive::TarGz,
    most_bytes: 200_000_000,
    folder: "cifar-100-binary",
    holds: &[
        ("train.bin", Holds::Bytes(50_000 * CIFAR100_RECORD)),
        ("test.bin", Holds::Bytes(10_000 * CIFAR100_RECORD)),
    ],
});

fn load_10(ask: &mut OpenRequest) -> Result<OpenedSource, DataError> {
    const TRAIN: [&str; 5] = [
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
    ];
    let folders = bytes::folders(
        &ask.folder,
        &["cifar-10-batches-bin", "cifar-10-batches-py"],
    );
    let batches = read_splits(ask, "CIFAR-10", &folders, TEN, &TRAIN, "test_batch")?;
    let names = bytes::names_file(&folders, "batches.meta.txt");
    let classes = if names.len() == names::TEN.len() {
        names
    } else {
        names::TEN.map(str::to_string).to_vec()
    };
    Ok(loaded(batches, classes))
}

fn load_100(ask: &mut OpenRequest) -> Result<OpenedSource, DataError> {
    let (format, file, built_in) = match ask.spec.labels.unwrap_or(Labels::Fine) {
        Labels::Fine => (FINE, "fine_label_names.txt", &names::FINE[..]),
        Labels::Coarse => (COARSE, "coarse_label_names.txt", &names::COARSE[..]),
    };
    let folders = bytes::folders(&ask.folder, &["cifar-100-binary", "cifar-100-python"]);
    let mut batches = read_splits(ask, "CIFAR-100", &folders, format, &["train"], "test")?;
    let present = renumber(&mut batches);
    let names = bytes::names_file(&folders, file);
    let name = |&label: &u32| match (names.get(label as usize), built_in.get(label as usize)) {
        (Some(name), _) if names.len() == built_in.len() => name.clone(),
        (_, Some(name)) => (*name).to_string(),
        _ => format!("class {label}"),
    };
    let classes = present.iter().map(name).collect();
    Ok(loaded(batches, classes))
}

/// Labels become 0, 1, 2… over the classes that occur in any split; returns the old numbers. A
/// subset of five classes is then a problem of five classes, not of a hundred.
fn renumber(batches: &mut [(Split, Batch)]) -> Vec<u32> {
    let mut present: Vec<u32> = batches
        .iter()
        .flat_map(|(_, batch)| batch.labels.iter().copied())
        .collect();
    present.sort_unstable();
    present.dedup();
    for label in batches.iter_mut().flat_map(|(_, batch)| &mut batch.labels) {
        *label = present.partition_point(|old| old < label) as u32;
    }
    present
}

fn read_splits(
    ask: &mut OpenRequest,
    what: &str,
    folders: &[PathBuf],
    format: Format,
    train: &[&str],
    test: &str,
) -> Result<Vec<(Split, Batch)>, DataError> {
    let train_files: Vec<PathBuf> = train
        .iter()
        .filter_map(|name| find(folders, name))
        .collect();
    let test_files: Vec<PathBuf> = find(folders, test).into_iter().collect();
    let total = train_files.len() + test_files.len();
    if total == 0 {
        let names = [train, &[test]].concat();
        let names: Vec<String> = names.iter().map(|name| format!("{name}.bin")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let help = "point path at the folder that holds them (.gz or unpacked; the \"binary version\" of the \
                    dataset and the one for Python, without .bin, are read, not the one for Matlab)";
        return Err(bytes::missing(
            &format!("the batches of {what}"),
            &names,
            folders,
            help,
        ));
    }
    let mut done = 0;
    let mut batches = Vec::new();
    for (split, files) in [(Split::Train, train_files), (Split::Test, test_files)] {
        let mut batch = Batch::default();
        for file in files {
            ask.report("reading files", done, total)?;
            read_file(ask, &file, format, &mut batch)?;
            done += 1;
        }
        batches.push((split, batch));
    }
    ask.report("reading files", total, total)?;
    batches.retain(|(_, batch)| !batch.labels.is_empty());
    Ok(batches)
}

/// The binary version where both are there: it is the simpler.
fn find(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    bytes::find(
        folders,
        &[
            &format!("{name}.bin"),
            &format!("{name}.bin.gz"),
            name,
            &format!("{name}.gz"),
        ],
    )
}

fn read_file(
    ask: &mut OpenRequest,
    path: &Path,
    format: Format,
    batch: &mut Batch,
) -> Result<(), DataError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.contains(".bin") {
        read_binary(ask, path, format, batch)
    } else {
        python::read(ask, path, format, batch)
    }
}

fn read_binary(
    ask: &mut OpenRequest,
    path: &Path,
    format: Format,
    batch: &mut Batch,
) -> Result<(), DataError> {
    let record = format.label_bytes + PIXELS;
    let most = MOST_RECORDS * record;
    let bytes = Input::open(path)?.read_up_to(ask, most as u64 + 1)?;
    check_length(path, bytes.len(), most, record)?;
    batch.pixels.reserve_exact(bytes.len());
    for (position, record) in bytes.chunks_exact(record).enumerate() {
        let (labels, pixels) = record.split_at(format.label_bytes);
        let label = labels.get(format.label_at).copied().unwrap_or_default();
        add(path, format, batch, position, i64::from(label), pixels)?;
    }
    Ok(())
}

fn add(
    path: &Path,
    format: Format,
    batch: &mut Batch,
    position: usize,
    label: i64,
    pixels: &[u8],
) -> Result<(), DataError> {
    match u32::try_from(label) {
        Ok(label) if label < u32::from(format.classes) => batch.labels.push(label),
        _ => {
            return Err(bad_label(
                path,
                position,
                label,
                &format!("0 to {}", format.classes - 1),
            ));
        }
    }
    batch.pixels.extend_from_slice(pixels);
    Ok(())
}

fn check_length(path: &Path, length: usize, most: usize, record: usize) -> Result<(), DataError> {
    if length > 0 && length <= most && length.is_multiple_of(record) {
        return Ok(());
    }
    let problem = if length > most {
        format!(
            "more than {} records in one file",
            format::count(MOST_RECORDS as u64)
        )
    } else if length == 0 {
        "the file is empty".to_string()
    } else {
        format!(
            "the file has {} bytes, which is {} records of {record} and {} bytes over",
            format::count(length as u64),
            format::count((length / record) as u64),
            length % record
        )
    };
    let help = format!("check that this is the binary version of the dataset, or {DOWNLOAD_AGAIN}");
    Err(DataError::malformed(path, problem, help))
}

fn loaded(batches: Vec<(Split, Batch)>, classes: Vec<String>) -> OpenedSource {
    let part = |(split, batch): (Split, Batch)| SourceSplit {
        split,
        pictures: Arc::new(Records {
            count: batch.labels.len(),
            store: Store::Memory(batch.pixels),
            record: PIXELS,
            offset: 0,
            shape: [SIDE, SIDE, 3],
            layout: Layout::Planes,
        }),
        labels: Some(batch.labels),
    };
    OpenedSource {
        classes,
        parts: batches.into_iter().map(part).collect(),
        skipped: Vec::new(),
        span: BYTES,
        holds_out: true,
    }
}
