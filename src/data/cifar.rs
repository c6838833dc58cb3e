//! CIFAR-10 and CIFAR-100 in their binary version, plain or gzip.
//!
//! A record is one label byte (two in CIFAR-100: coarse, then fine) and three 32×32 planes. The
//! files have no header, so any whole number of records is taken: subsets load too. Fails on a
//! file that ends inside a record, on a label outside the classes, and when no file is there.

use super::bytes::{self, DOWNLOAD_AGAIN, Input};
use super::error::DataError;
use super::records::{Layout, Records, Store};
use super::source::{Ask, BYTES, Loaded, Part, bad_label};
use crate::project::data::Split;
use crate::text;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;
/// More than any of the original files has (50,000), so that a gzip file cannot unpack for ever.
const MOST_RECORDS: usize = 100_000;

const CLASSES_10: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The bytes of one or more files, all whole records.
struct Batch {
    bytes: Vec<u8>,
    labels: Vec<u32>,
}

/// How many label bytes a record begins with; the last is the one used.
#[derive(Clone, Copy)]
struct Format {
    label_bytes: usize,
    classes: u8,
}

impl Format {
    fn record(self) -> usize {
        self.label_bytes + PIXELS
    }
}

pub(super) fn load_10(ask: &mut Ask) -> Result<Loaded, DataError> {
    const TRAIN: [&str; 5] =
        ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
    let format = Format { label_bytes: 1, classes: 10 };
    let folders = bytes::folders(&ask.folder, &["cifar-10-batches-bin"]);
    let batches = read_splits(ask, "CIFAR-10", &folders, format, &TRAIN, "test_batch.bin")?;
    let names = bytes::names_file(&folders, "batches.meta.txt");
    let classes = if names.len() == CLASSES_10.len() { names } else { CLASSES_10.map(str::to_string).to_vec() };
    Ok(loaded(batches, format, classes))
}

pub(super) fn load_100(ask: &mut Ask) -> Result<Loaded, DataError> {
    let format = Format { label_bytes: 2, classes: 100 };
    let folders = bytes::folders(&ask.folder, &["cifar-100-binary"]);
    let mut batches = read_splits(ask, "CIFAR-100", &folders, format, &["train.bin"], "test.bin")?;
    let present = renumber(&mut batches);
    let names = bytes::names_file(&folders, "fine_label_names.txt");
    let name = |&label: &u32| match names.get(label as usize) {
        Some(name) => name.clone(),
        None => format!("class {label}"),
    };
    let classes = present.iter().map(name).collect();
    Ok(loaded(batches, format, classes))
}

/// Labels become 0, 1, 2… over the classes that occur in any split; returns the old numbers. A
/// subset of five classes is then a problem of five classes, not of a hundred.
fn renumber(batches: &mut [(Split, Batch)]) -> Vec<u32> {
    let mut present: Vec<u32> = batches.iter().flat_map(|(_, batch)| batch.labels.iter().copied()).collect();
    present.sort_unstable();
    present.dedup();
    for label in batches.iter_mut().flat_map(|(_, batch)| &mut batch.labels) {
        *label = present.partition_point(|old| old < label) as u32;
    }
    present
}

fn read_splits(
    ask: &mut Ask,
    what: &str,
    folders: &[PathBuf],
    format: Format,
    train: &[&str],
    test: &str,
) -> Result<Vec<(Split, Batch)>, DataError> {
    let train_files: Vec<PathBuf> = train.iter().filter_map(|name| find(folders, name)).collect();
    let test_files: Vec<PathBuf> = find(folders, test).into_iter().collect();
    let total = train_files.len() + test_files.len();
    if total == 0 {
        let names = [train, &[test]].concat();
        let help = "point path at the folder that holds them (.gz or unpacked, both are read; \
                    it is the \"binary version\" of the dataset, not the one for Python or Matlab)";
        return Err(bytes::missing(&format!("the batches of {what}"), &names, folders, help));
    }
    let mut done = 0;
    let mut batches = Vec::new();
    for (split, files) in [(Split::Train, train_files), (Split::Test, test_files)] {
        let mut batch = Batch { bytes: Vec::new(), labels: Vec::new() };
        for file in files {
            ask.report("reading files", done, total)?;
            read_file(&file, format, &mut batch)?;
            done += 1;
        }
        batches.push((split, batch));
    }
    ask.report("reading files", total, total)?;
    batches.retain(|(_, batch)| !batch.labels.is_empty());
    Ok(batches)
}

fn find(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    bytes::find(folders, &[name, &format!("{name}.gz")])
}

fn read_file(path: &Path, format: Format, batch: &mut Batch) -> Result<(), DataError> {
    let most = MOST_RECORDS * format.record();
    let bytes = Input::open(path)?.read_up_to(most as u64 + 1)?;
    check_length(path, bytes.len(), most, format.record())?;
    for (position, record) in bytes.chunks_exact(format.record()).enumerate() {
        let label = record[format.label_bytes - 1];
        if label >= format.classes {
            return Err(bad_label(path, position, label, &format!("0 to {}", format.classes - 1)));
        }
        batch.labels.push(u32::from(label));
    }
    batch.bytes.extend_from_slice(&bytes);
    Ok(())
}

fn check_length(path: &Path, length: usize, most: usize, record: usize) -> Result<(), DataError> {
    if length > 0 && length <= most && length.is_multiple_of(record) {
        return Ok(());
    }
    let problem = if length > most {
        format!("more than {} records in one file", text::count(MOST_RECORDS as u64))
    } else if length == 0 {
        "the file is empty".to_string()
    } else {
        format!(
            "the file has {} bytes, which is {} records of {record} and {} bytes over",
            text::count(length as u64),
            text::count((length / record) as u64),
            length % record
        )
    };
    let help = format!("check that this is the binary version of the dataset, or {DOWNLOAD_AGAIN}");
    Err(DataError::malformed(path, problem, help))
}

fn loaded(batches: Vec<(Split, Batch)>, format: Format, classes: Vec<String>) -> Loaded {
    let part = |(split, batch): (Split, Batch)| Part {
        split,
        pictures: Arc::new(Records {
            count: batch.labels.len(),
            store: Store::Memory(batch.bytes),
            record: format.record(),
            offset: format.label_bytes,
            shape: [SIDE, SIDE, 3],
            layout: Layout::Planes,
        }),
        labels: Some(batch.labels),
    };
    Loaded { classes, parts: batches.into_iter().map(part).collect(), skipped: Vec::new(), span: BYTES, carve: true }
}
