//! The way of images to the network, measured: images a second through the threads that make batches ahead.
//!
//! A [`Feed`] is a small dataset in files of a real format and what is done with its images. It is opened and
//! loaded by what feeds every training ([`Dataset`], [`Loader`]), 64 images a batch. [`speed`] measures the first
//! epoch, opening included, from the later ones: a decoded or scaled picture is kept as bytes, so that only the
//! first pays for it. [`training`] measures what feeding costs a network that trains meanwhile, [`pictures`]
//! draws the files. What fails is a file, or a system that has no threads left.

pub mod pictures;
pub mod training;

use super::BenchError;
use super::measure::median;
use serde::Serialize;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use strata_core::project::augment::Augment;
use strata_core::project::data::{DataSpec, Source, Split};
use strata_data::loader::{Job, Loader};
use strata_data::{DataError, Dataset, epoch_order};

/// Images in a batch.
pub const BATCH: usize = 64;
/// The data is opened so often, each time for a first epoch.
const OPENINGS: usize = 5;
/// Epochs after each first one.
const LATER: usize = 3;
const SEED: u64 = 42;

/// Which epochs a feed's figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Epochs {
    /// The first, opening included: what is done once for an image is what is measured.
    First,
    /// Those after it: what is done again for an image in every epoch is measured.
    Later,
}

/// A case of `strata bench data`.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// Its name, stable between versions, and that of its folder.
    pub name: &'static str,
    /// What is done with an image.
    pub about: &'static str,
    /// The format of its files.
    pub source: Source,
    /// Height and width of the pictures in the files.
    pub side: usize,
    /// Pictures drawn where there are no files.
    pub count: u32,
    /// The height and width that pictures are scaled to.
    resize: Option<u32>,
    augment: &'static [&'static str],
    /// Which epochs its figure is of.
    pub counts: Epochs,
}

/// All feeds, in the order they are measured and shown.
pub const ALL: [Feed; 3] = [
    Feed {
        name: "augment-32",
        about: "3×32×32 in memory: hflip p0.5, rotate 18, shift 0.1, contrast 0.8..1.2",
        source: Source::Cifar10,
        side: 32,
        count: 10_000,
        resize: None,
        augment: &["hflip p0.5", "rotate 18", "shift 0.1", "contrast 0.8..1.2"],
        counts: Epochs::Later,
    },
    Feed {
        name: "resize-96",
        about: "3×96×96 scaled to 3×32×32, bilinear",
        source: Source::Stl10,
        side: 96,
        count: 2_000,
        resize: Some(32),
        augment: &[],
        counts: Epochs::First,
    },
    Feed {
        name: "jpeg-folder",
        about: "64×64 JPEG files in a folder a class, decoded",
        source: Source::Folder,
        side: 64,
        count: 2_000,
        resize: None,
        augment: &[],
        counts: Epochs::First,
    },
];

/// Images a second; medians.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Speed {
    /// Images in an epoch.
    pub images: usize,
    /// The case's figure: that of the first or of the later epochs.
    pub images_per_second: f64,
    /// Which of the two.
    pub epochs: Epochs,
    /// Opening the data and the first epoch together.
    pub first: f64,
    /// An epoch after the first.
    pub later: f64,
}

impl Feed {
    /// The `[data]` table of the feed whose files are in the folder of its name in `root`: all labelled images are
    /// for training.
    pub fn spec(&self, root: &Path) -> Result<DataSpec, BenchError> {
        let augment: Result<Vec<Augment>, _> =
            self.augment.iter().map(|text| text.parse()).collect();
        Ok(DataSpec {
            source: self.source,
            path: Some(root.join(self.name).display().to_string()),
            resize: self.resize.map(|side| [side, side]),
            valid: Some(0.0),
            test: (self.source == Source::Folder).then_some(0.0),
            augment: augment
                .map_err(|error| BenchError::Unsound(self.name.to_owned(), error.to_string()))?,
            ..DataSpec::default()
        })
    }
}

/// Measures a feed whose files are there, on this many loading threads; opening runs on the current pool.
pub fn speed(feed: &Feed, root: &Path, threads: usize) -> Result<Speed, BenchError> {
    measure(&feed.spec(root)?, feed.counts, threads, OPENINGS)
}

fn measure(
    spec: &DataSpec,
    epochs: Epochs,
    threads: usize,
    openings: usize,
) -> Result<Speed, BenchError> {
    let (mut first, mut later, mut images) = (Vec::new(), Vec::new(), 0);
    for _ in 0..openings {
        let start = Instant::now();
        let dataset = open(spec)?;
        images = epoch(&dataset, 0, threads)?;
        first.push(start.elapsed().as_secs_f64());
        for number in 1..=LATER {
            let start = Instant::now();
            epoch(&dataset, number as u64, threads)?;
            later.push(start.elapsed().as_secs_f64());
        }
    }
    let [first, later] =
        [first, later].map(|seconds| images as f64 / median(seconds).max(f64::MIN_POSITIVE));
    let images_per_second = if epochs == Epochs::First {
        first
    } else {
        later
    };
    Ok(Speed {
        images,
        images_per_second,
        epochs,
        first,
        later,
    })
}

/// Opens the images; paths are absolute or start at the current folder.
fn open(spec: &DataSpec) -> Result<Arc<Dataset>, DataError> {
    Ok(Arc::new(Dataset::open(
        spec,
        SEED,
        Path::new(""),
        &mut |_| true,
    )?))
}

/// Takes all batches of an epoch; how many images they had.
fn epoch(dataset: &Arc<Dataset>, number: u64, threads: usize) -> Result<usize, BenchError> {
    let job = Arc::new(job(dataset, number, usize::MAX));
    let mut loader = Loader::start(job, 0, threads).map_err(|error| no_threads(threads, &error))?;
    let mut images = 0;
    while let Some(batch) = loader.next() {
        let batch = batch?;
        images += batch.labels.len();
        loader.give_back(std::hint::black_box(batch));
    }
    Ok(images)
}

/// The first `most` images of an epoch's order.
fn job(dataset: &Arc<Dataset>, number: u64, most: usize) -> Job {
    let split = Split::Train;
    let mut order = epoch_order(
        dataset.split(split).map_or(0, |data| data.len()),
        SEED,
        number,
    );
    order.truncate(most);
    Job {
        dataset: Arc::clone(dataset),
        split,
        order,
        batch: BATCH,
        seed: SEED,
        epoch: number,
    }
}

fn no_threads(threads: usize, error: &io::Error) -> BenchError {
    BenchError::Threads(threads, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feed_is_read_as_it_was_drawn() {
        let root = tempfile::tempdir().unwrap();
        for feed in ALL {
            let feed = Feed { count: 150, ..feed };
            pictures::draw(&feed, root.path()).unwrap();
            let dataset = open(&feed.spec(root.path()).unwrap()).unwrap();
            assert_eq!(dataset.skipped(), []);
            let seen = if feed.name == "jpeg-folder" { 64 } else { 32 };
            assert_eq!(dataset.shape(), [3, seen, seen], "{}", feed.name);
            let train = dataset.split(Split::Train).unwrap();
            assert_eq!(
                (train.len(), train.per_class()),
                (150, vec![15; 10]),
                "{}",
                feed.name
            );
            assert_eq!(
                dataset.augmenter_of(Split::Train).is_some(),
                feed.name == "augment-32"
            );
        }
    }

    #[test]
    fn speeds_are_of_whole_epochs() {
        let root = tempfile::tempdir().unwrap();
        for feed in ALL {
            let feed = Feed { count: 100, ..feed };
            pictures::draw(&feed, root.path()).unwrap();
            let speed = measure(&feed.spec(root.path()).unwrap(), feed.counts, 2, 1).unwrap();
            assert_eq!(speed.images, 100, "{}", feed.name);
            assert!(
                speed.first > 0.0 && speed.later > 0.0,
                "{} {speed:?}",
                feed.name
            );
            let expected = if feed.name == "augment-32" {
                speed.later
            } else {
                speed.first
            };
            assert_eq!(speed.images_per_second, expected);
        }
    }

    #[test]
    fn files_that_are_no_pictures_are_an_error_with_their_place() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("resize-96")).unwrap();
        let error = speed(&ALL[1], root.path(), 1).unwrap_err().to_string();
        assert!(
            error.contains("resize-96") && error.contains("train_X.bin"),
            "{error}"
        );
    }
}
