//! The batches of an epoch, made when they are wanted ([`Job::make`]) or ahead of the trainer ([`Loader`]): threads of
//! their own then read, decode and augment images while a step is taken.
//!
//! What is drawn for an image depends on the seed, the epoch and the image alone, and batches are handed out in
//! their order: a run is the same to the last bit whoever makes them, on any number of threads. Only as many batches are
//! made ahead as there are buffers. Fails as the reading of an image does, at the batch that has it.

use super::augment::{Augmenter, Scratch, mixup};
use super::dataset::Dataset;
use super::error::DataError;
use super::splits::split::{SplitData, check_buffer};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use strata_core::project::data::Split;
use strata_core::rng::{Purpose, stream};
use strata_core::run_buffers::BATCHES_AHEAD;

/// A batch in memory.
#[derive(Debug, Default)]
pub struct LoadedBatch {
    /// N×H×W×C.
    pub images: Vec<f32>,
    /// One for each image; `u32::MAX` where there is none.
    pub labels: Vec<u32>,
    /// Where images have several labels each, a row for each image: 1 for a label that it has, else 0.
    pub label_rows: Vec<f32>,
    /// The images blended in.
    pub blend: Option<Blended>,
}

/// What the images of a batch are blended with (mixup).
#[derive(Clone, Debug, PartialEq)]
pub struct Blended {
    /// The labels of the images blended in.
    pub labels: Vec<u32>,
    /// The weight of the other ones.
    pub share: f32,
}

/// What is to be loaded.
pub struct Job {
    /// The images.
    pub dataset: Arc<Dataset>,
    /// Of this split.
    pub split: Split,
    /// In this order.
    pub order: Vec<u32>,
    /// Images in a batch; the last may have fewer.
    pub batch: usize,
    /// The project's seed.
    pub seed: u64,
    /// The epoch over the whole run.
    pub epoch: u64,
}

/// Makes images: of their numbers in memory those from the image of this number of the batch on.
pub type MakeImages<'a> = dyn Fn(usize, &mut [f32]) + Sync + 'a;

impl Job {
    /// How many batches there are.
    pub fn batches(&self) -> usize {
        self.order.len().div_ceil(self.batch.max(1))
    }

    /// The images of a batch, by their number in the split.
    pub fn indices(&self, number: usize) -> &[u32] {
        let start = number.saturating_mul(self.batch).min(self.order.len());
        &self.order[start..(start + self.batch).min(self.order.len())]
    }

    /// Gives a row for each image of a batch, where images have several labels each: 1 for a label that it has, else 0.
    pub fn label_rows(&self, number: usize, rows: &mut Vec<f32>) {
        rows.clear();
        if let Some(data) = self.dataset.split(self.split) {
            data.push_label_rows(self.indices(number), rows);
        }
    }

    /// Makes a batch: `images` is N×H×W×C, `labels` has N places (`u32::MAX` where there is none). `spread` gets
    /// `images` and what makes any part of them that begins with an image, which it may call from many threads.
    pub fn make(
        &self,
        number: usize,
        images: &mut [f32],
        labels: &mut [u32],
        spread: impl FnOnce(&mut [f32], &MakeImages<'_>),
    ) -> Result<Option<Blended>, DataError> {
        let indices = self.indices(number);
        let Some(data) = self.dataset.split(self.split) else {
            return Ok(None);
        };
        let size: usize = data.image_shape().iter().product();
        check_buffer(indices.len().saturating_mul(size), images.len())?;
        check_buffer(indices.len(), labels.len())?;
        for (label, &index) in labels.iter_mut().zip(indices) {
            *label = data.label(index as usize).unwrap_or(u32::MAX);
        }
        let augmenter = self.dataset.augmenter_of(self.split);
        // Of several images that can't be read the first: the message does not depend on threads.
        let failed: Mutex<Option<(usize, DataError)>> = Mutex::new(None);
        spread(images, &|first, part| {
            let mut maker = ImageMaker {
                job: self,
                data,
                augmenter,
                image: Vec::new(),
                scratch: Scratch::default(),
            };
            let wanted = indices.iter().enumerate().skip(first);
            for (out, (at, &index)) in part.chunks_exact_mut(size.max(1)).zip(wanted) {
                if let Err(error) = maker.make(index as usize, out) {
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    if failed.as_ref().is_none_or(|(earlier, _)| at < *earlier) {
                        *failed = Some((at, error));
                    }
                    return;
                }
            }
        });
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, error)) = failed {
            return Err(error);
        }
        Ok(augmenter.and_then(Augmenter::mixup).map(|alpha| {
            let share = mixup::draw_share(alpha, &mut self.stream(1 << 63 | number as u64));
            blend(images, size, labels, share)
        }))
    }

    /// The same into memory that grows as it must, on this thread.
    fn make_whole(&self, number: usize, mut batch: LoadedBatch) -> Result<LoadedBatch, DataError> {
        let count = self.indices(number).len();
        let size = self.dataset.split(self.split).map_or(0, |data| {
            let shape = data.image_shape();
            shape.iter().product::<usize>()
        });
        batch.images.resize(count * size, 0.0);
        batch.labels.resize(count, u32::MAX);
        self.label_rows(number, &mut batch.label_rows);
        batch.blend = self.make(
            number,
            &mut batch.images,
            &mut batch.labels,
            |images, make| make(0, images),
        )?;
        Ok(batch)
    }

    /// The generator of an image (or, with the highest bit, of a batch) in this epoch.
    fn stream(&self, counter: u64) -> rand_chacha::ChaCha8Rng {
        stream(
            self.seed,
            Purpose::Augment,
            (self.epoch & 0x7fff_ffff) << 32 | counter,
        )
    }
}

/// Hands out the batches of an epoch. Dropping it ends its threads.
pub struct Loader {
    done: Receiver<(usize, Result<LoadedBatch, DataError>)>,
    free: Sender<LoadedBatch>,
    early: BTreeMap<usize, Result<LoadedBatch, DataError>>,
    next: usize,
    count: usize,
}

impl Loader {
    /// Starts so many threads (at least one), which begin with batch `first`. Fails when the system has none left.
    pub fn start(job: Arc<Job>, first: usize, threads: usize) -> io::Result<Loader> {
        let (finished, done) = unbounded();
        let (free, buffers) = unbounded();
        let counter = Arc::new(AtomicUsize::new(first));
        let count = job.batches();
        let threads = threads.max(1);
        for _ in 0..threads {
            let (job, counter) = (Arc::clone(&job), Arc::clone(&counter));
            let (finished, buffers) = (finished.clone(), buffers.clone());
            let thread = std::thread::Builder::new().name("strata-loader".to_owned());
            thread.spawn(move || work(&job, &counter, &buffers, &finished))?;
        }
        let loader = Loader {
            done,
            free,
            early: BTreeMap::new(),
            next: first,
            count,
        };
        (0..threads + BATCHES_AHEAD).for_each(|_| loader.give_back(LoadedBatch::default()));
        Ok(loader)
    }

    /// The next batch, if it is there already.
    pub fn at_hand(&mut self) -> Option<Result<LoadedBatch, DataError>> {
        if self.next >= self.count {
            return None;
        }
        while let Ok((number, batch)) = self.done.try_recv() {
            drop(self.early.insert(number, batch));
        }
        let batch = self.early.remove(&self.next)?;
        self.next += 1;
        Some(batch)
    }

    /// Gives a batch's memory back for another.
    pub fn give_back(&self, batch: LoadedBatch) {
        // Threads that are done need no memory.
        let _ = self.free.send(batch);
    }
}

impl Iterator for Loader {
    type Item = Result<LoadedBatch, DataError>;

    /// The next batch, as soon as it is there.
    fn next(&mut self) -> Option<Result<LoadedBatch, DataError>> {
        if self.next >= self.count {
            return None;
        }
        loop {
            if let Some(batch) = self.early.remove(&self.next) {
                self.next += 1;
                return Some(batch);
            }
            match self.done.recv() {
                Ok((number, batch)) => drop(self.early.insert(number, batch)),
                Err(_) => return Some(Err(DataError::LoaderEnded)),
            }
        }
    }
}

/// A buffer is taken before a number, so that the lowest number not yet made always has one: no thread waits for
/// memory that later batches hold.
fn work(
    job: &Job,
    counter: &AtomicUsize,
    buffers: &Receiver<LoadedBatch>,
    finished: &Sender<(usize, Result<LoadedBatch, DataError>)>,
) {
    while let Ok(buffer) = buffers.recv() {
        let number = counter.fetch_add(1, Relaxed);
        if number >= job.batches()
            || finished
                .send((number, job.make_whole(number, buffer)))
                .is_err()
        {
            return;
        }
    }
}

/// What a thread makes images with.
struct ImageMaker<'a> {
    job: &'a Job,
    data: &'a SplitData,
    augmenter: Option<&'a Augmenter>,
    image: Vec<f32>,
    scratch: Scratch,
}

impl ImageMaker<'_> {
    fn make(&mut self, index: usize, out: &mut [f32]) -> Result<(), DataError> {
        let Some(augmenter) = self.augmenter else {
            return self.data.read(index, out);
        };
        self.image
            .resize(self.data.whole_shape().iter().product(), 0.0);
        self.data.read_shares(index, &mut self.image)?;
        let mut rng = self.job.stream(index as u64);
        augmenter.apply(&mut self.image, &mut self.scratch, &mut rng);
        self.data.scale_shares(&self.image, out)
    }
}

/// Blends every image with the one before it (the first with the last), as torchvision does; returns the labels of
/// what was blended in.
fn blend(images: &mut [f32], size: usize, labels: &[u32], share: f32) -> Blended {
    let last = images
        .get(images.len().saturating_sub(size)..)
        .unwrap_or_default()
        .to_vec();
    for index in (1..labels.len()).rev() {
        let (before, from) = images.split_at_mut(index * size);
        mixup::blend(&mut from[..size], &before[(index - 1) * size..], share);
    }
    mixup::blend(&mut images[..size.min(last.len())], &last, share);
    let mut others = labels.to_vec();
    others.rotate_right(usize::from(!labels.is_empty()));
    Blended {
        labels: others,
        share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch_order;
    use strata_core::project::data::DataSpec;

    fn dataset(augment: &[&str]) -> Arc<Dataset> {
        let augment = augment.iter().map(|text| text.parse().unwrap()).collect();
        let spec = DataSpec {
            limit: Some(200),
            augment,
            ..DataSpec::default()
        };
        Arc::new(Dataset::open(&spec, 3, std::path::Path::new("."), &mut |_| true).unwrap())
    }

    fn job(dataset: &Arc<Dataset>, epoch: u64) -> Arc<Job> {
        Arc::new(Job {
            dataset: dataset.clone(),
            split: Split::Train,
            order: epoch_order(200, 3, epoch),
            batch: 24,
            seed: 3,
            epoch,
        })
    }

    fn epoch(dataset: &Arc<Dataset>, epoch: u64, first: usize, threads: usize) -> Vec<LoadedBatch> {
        let mut loader = Loader::start(job(dataset, epoch), first, threads).unwrap();
        let mut batches = Vec::new();
        while let Some(batch) = loader.next() {
            let batch = batch.unwrap();
            loader.give_back(LoadedBatch {
                images: batch.images.clone(),
                labels: vec![7; 3],
                label_rows: vec![7.0; 3],
                blend: None,
            });
            batches.push(batch);
        }
        batches
    }

    fn same(one: &[LoadedBatch], other: &[LoadedBatch]) -> bool {
        one.len() == other.len()
            && one
                .iter()
                .zip(other)
                .all(|(a, b)| a.images == b.images && a.labels == b.labels && a.blend == b.blend)
    }

    const LIST: [&str; 4] = ["hflip p0.5", "rotate 18", "contrast 0.8..1.2", "mixup 0.2"];

    #[test]
    fn batches_are_the_same_for_any_number_of_threads() {
        let dataset = dataset(&LIST);
        let one = epoch(&dataset, 5, 0, 1);
        assert_eq!(
            one.iter()
                .map(|batch| batch.labels.len())
                .collect::<Vec<_>>(),
            [24, 24, 24, 24, 24, 24, 24, 24, 8]
        );
        for threads in [2, 5] {
            assert!(same(&one, &epoch(&dataset, 5, 0, threads)));
        }
        assert!(
            same(&one[4..], &epoch(&dataset, 5, 4, 2)),
            "an epoch that goes on in its middle"
        );
        assert!(
            !same(&one, &epoch(&dataset, 6, 0, 2)),
            "another epoch draws anew"
        );
    }

    #[test]
    fn batches_made_in_pieces_are_those_made_ahead() {
        let dataset = dataset(&LIST);
        let job = job(&dataset, 5);
        let made = |number: usize| {
            let count = job.indices(number).len();
            let (mut images, mut labels) = (vec![0.0; count * 3072], vec![0; count]);
            let in_pieces = |images: &mut [f32], make: &MakeImages<'_>| {
                let pieces = images.chunks_mut(5 * 3072).enumerate();
                // Last piece first: no image depends on another.
                pieces.rev().for_each(|(piece, part)| make(5 * piece, part));
            };
            let blend = job
                .make(number, &mut images, &mut labels, in_pieces)
                .unwrap();
            LoadedBatch {
                images,
                labels,
                label_rows: Vec::new(),
                blend,
            }
        };
        let batches: Vec<LoadedBatch> = (0..job.batches()).map(made).collect();
        assert!(same(&batches, &epoch(&dataset, 5, 0, 1)));
    }

    #[test]
    fn memory_of_another_size_is_refused() {
        let job = job(&dataset(&[]), 0);
        let mut labels = vec![0; 24];
        let error = job.make(0, &mut [0.0; 3], &mut labels, |images, make| {
            make(0, images)
        });
        assert!(matches!(error, Err(DataError::Buffer { found: 3, .. })));
    }

    #[test]
    fn batches_at_hand_are_the_next_ones() {
        let dataset = dataset(&LIST);
        let mut loader = Loader::start(job(&dataset, 5), 0, 2).unwrap();
        let mut batches = Vec::new();
        while batches.len() < 9 {
            let batch = match loader.at_hand() {
                Some(batch) => batch.unwrap(),
                None => loader.next().unwrap().unwrap(),
            };
            loader.give_back(LoadedBatch::default());
            batches.push(batch);
        }
        assert!(loader.at_hand().is_none() && loader.next().is_none());
        assert!(same(&batches, &epoch(&dataset, 5, 0, 1)));
    }

    #[test]
    fn without_augmentation_batches_are_the_images() {
        let dataset = dataset(&[]);
        let data = dataset.split(Split::Train).unwrap();
        let order = epoch_order(200, 3, 1);
        let mut image = vec![0.0; 3072];
        for (number, batch) in epoch(&dataset, 1, 0, 2).iter().enumerate() {
            for (place, (pixels, &label)) in batch
                .images
                .chunks_exact(3072)
                .zip(&batch.labels)
                .enumerate()
            {
                let index = order[number * 24 + place] as usize;
                data.read(index, &mut image).unwrap();
                assert_eq!(pixels, image);
                assert_eq!(Some(label), data.label(index));
            }
        }
    }

    #[test]
    fn blending_rolls_the_batch_by_one() {
        let mut images = vec![1.0, 1.0, 2.0, 2.0, 4.0, 4.0];
        let blended = blend(&mut images, 2, &[10, 20, 40], 0.75);
        assert_eq!((blended.labels, blended.share), (vec![40, 10, 20], 0.75));
        assert_eq!(images, [1.75, 1.75, 1.75, 1.75, 3.5, 3.5]);
        assert_eq!(blend(&mut [], 2, &[], 0.5).labels, Vec::<u32>::new());
    }

    #[test]
    fn a_loader_that_is_dropped_ends() {
        let dataset = dataset(&LIST);
        let mut loader = Loader::start(job(&dataset, 0), 0, 2).unwrap();
        loader.next().unwrap().unwrap();
        drop(loader);
        for _ in 0..500 {
            if Arc::strong_count(&dataset) == 1 {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("a thread still holds the images");
    }
}
