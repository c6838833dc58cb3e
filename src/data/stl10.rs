//! STL-10: binary files of 96×96 pictures, three planes each, column by column; labels 1 to 10.
//!
//! Pictures stay in their file and are read when wanted, so the 100,000 unlabelled ones open at
//! once. Fails on a file that is not a whole number of pictures, on labels that are too few, too
//! many or out of range, and when no file is there.

use super::bytes::{self, DOWNLOAD_AGAIN, Input};
use super::error::DataError;
use super::records::{Layout, Records, Store};
use super::source::{Ask, BYTES, Loaded, Part, bad_label};
use crate::project::data::Split;
use crate::text;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SIDE: usize = 96;
const RECORD: usize = 3 * SIDE * SIDE;
const CLASSES: [&str; 10] = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];
const FILES: [(Split, &str, Option<&str>); 3] = [
    (Split::Train, "train_X.bin", Some("train_y.bin")),
    (Split::Test, "test_X.bin", Some("test_y.bin")),
    (Split::Unlabeled, "unlabeled_X.bin", None),
];

pub(super) fn load(ask: &mut Ask) -> Result<Loaded, DataError> {
    ask.report("reading files", 0, 1)?;
    let folders = bytes::folders(&ask.folder, &["stl10_binary"]);
    let mut parts = Vec::new();
    for (split, images, labels) in FILES {
        if let Some(path) = bytes::find(&folders, &[images]) {
            let labels = labels.and_then(|name| bytes::find(&folders, &[name]));
            parts.push(load_split(split, &path, labels.as_deref())?);
        }
    }
    if parts.is_empty() {
        let help = "point path at the folder stl10_binary, unpacked from stl10_binary.tar.gz";
        let names = FILES.map(|(_, images, _)| images);
        return Err(bytes::missing("the images of STL-10", &names, &folders, help));
    }
    ask.report("reading files", 1, 1)?;
    Ok(Loaded { classes: class_names(&folders), parts, skipped: Vec::new(), span: BYTES, carve: true })
}

fn class_names(folders: &[PathBuf]) -> Vec<String> {
    let names = bytes::names_file(folders, "class_names.txt");
    if names.len() == CLASSES.len() { names } else { CLASSES.map(str::to_string).to_vec() }
}

fn load_split(split: Split, images: &Path, labels: Option<&Path>) -> Result<Part, DataError> {
    let fail = |cause| DataError::unreadable(images, cause);
    let file = File::open(images).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    let count = count_records(images, length)?;
    let labels = labels.map(|path| read_labels(path, images, count)).transpose()?;
    let pictures = Records {
        store: Store::Disk { file, path: images.to_path_buf() },
        count,
        record: RECORD,
        offset: 0,
        shape: [SIDE, SIDE, 3],
        layout: Layout::PlanesByColumn,
    };
    Ok(Part { split, pictures: Arc::new(pictures), labels })
}

fn count_records(path: &Path, length: u64) -> Result<usize, DataError> {
    let record = RECORD as u64;
    if length > 0 && length.is_multiple_of(record) {
        return usize::try_from(length / record)
            .map_err(|_| DataError::malformed(path, "too many images for this machine", "use a smaller file"));
    }
    let problem = format!(
        "the file has {} bytes, which is {} images of {} and {} bytes over",
        text::count(length),
        text::count(length / record),
        text::count(record),
        text::count(length % record)
    );
    Err(DataError::malformed(path, problem, DOWNLOAD_AGAIN))
}

fn read_labels(path: &Path, images: &Path, count: usize) -> Result<Vec<u32>, DataError> {
    let labels = Input::open(path)?.read_up_to(count as u64 + 1)?;
    if labels.len() != count {
        let more = if labels.len() > count { "more than " } else { "" };
        let name = images.file_name().unwrap_or(images.as_os_str()).to_string_lossy();
        let problem = format!(
            "{more}{} labels, but {name} has {} images",
            text::count(labels.len().min(count) as u64),
            text::count(count as u64)
        );
        return Err(DataError::malformed(path, problem, "the two files do not belong together: download both again"));
    }
    match labels.iter().position(|label| !(1..=10).contains(label)) {
        Some(position) => Err(bad_label(path, position, labels[position], "1 to 10")),
        None => Ok(labels.into_iter().map(|label| u32::from(label) - 1).collect()),
    }
}
