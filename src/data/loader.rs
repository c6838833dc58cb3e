//! Batches made ahead of the trainer: threads of their own read, decode and augment images while a step is taken.
//!
//! What is drawn for an image depends on the seed, the epoch and the image alone, and batches are handed out in
//! their order: a run is the same to the last bit whatever the number of threads. Only as many batches are made
//! ahead as there are buffers. Fails as the reading of an image does, at the batch that has it.

use super::augment::{Augmenter, Scratch, mixup};
use super::dataset::Dataset;
use super::error::DataError;
use super::splits::split::SplitData;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
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
    /// The labels of the images blended in, and the weight of the other ones (mixup).
    pub blend: Option<(Vec<u32>, f32)>,
}

impl LoadedBatch {
    /// The rows of labels as images are blended: each image with the one before it.
    pub fn blended_label_rows(&self) -> Vec<f32> {
        let mut rows = self.label_rows.clone();
        let Some((_, share)) = self.blend else {
            return rows;
        };
        let by = rows.len() / self.labels.len().max(1);
        rows.rotate_right(by);
        let pairs = rows.iter_mut().zip(&self.label_rows);
        pairs.for_each(|(row, own)| *row = share * own + (1.0 - share) * *row);
        rows
    }
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
    /// The first batch wanted, from 0.
    pub first: usize,
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
    /// Starts so many threads (at least one). Fails when the system has none left.
    pub fn start(job: Job, threads: usize) -> io::Result<Loader> {
        let (finished, done) = unbounded();
        let (free, buffers) = unbounded();
        let (next, count) = (job.first, job.order.len().div_ceil(job.batch.max(1)));
        let (job, counter) = (Arc::new(job), Arc::new(AtomicUsize::new(next)));
        let threads = threads.max(1);
        for _ in 0..threads {
            let (job, counter) = (Arc::clone(&job), Arc::clone(&counter));
            let (finished, buffers) = (finished.clone(), buffers.clone());
            let thread = std::thread::Builder::new().name("strata-loader".to_owned());
            thread.spawn(move || work(&job, &counter, count, &buffers, &finished))?;
        }
        let loader = Loader {
            done,
            free,
            early: BTreeMap::new(),
            next,
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
    count: usize,
    buffers: &Receiver<LoadedBatch>,
    finished: &Sender<(usize, Result<LoadedBatch, DataError>)>,
) {
    let Some(data) = job.dataset.split(job.split) else {
        return;
    };
    let augmenter = job.dataset.augmenter_of(job.split);
    let mut worker = LoaderWorker {
        job,
        data,
        augmenter,
        image: Vec::new(),
        scratch: Scratch::default(),
    };
    while let Ok(buffer) = buffers.recv() {
        let number = counter.fetch_add(1, Relaxed);
        if number >= count
            || finished
                .send((number, worker.fill(number, buffer)))
                .is_err()
        {
            return;
        }
    }
}

/// What a thread works with.
struct LoaderWorker<'a> {
    job: &'a Job,
    data: &'a SplitData,
    augmenter: Option<&'a Augmenter>,
    image: Vec<f32>,
    scratch: Scratch,
}

impl LoaderWorker<'_> {
    fn fill(&mut self, number: usize, mut batch: LoadedBatch) -> Result<LoadedBatch, DataError> {
        let start = number * self.job.batch;
        let indices = &self.job.order[start..(start + self.job.batch).min(self.job.order.len())];
        let size: usize = self.data.image_shape().iter().product();
        batch.images.resize(indices.len() * size, 0.0);
        batch.labels.clear();
        batch.label_rows.clear();
        self.data.push_label_rows(indices, &mut batch.label_rows);
        for (out, &index) in batch.images.chunks_exact_mut(size.max(1)).zip(indices) {
            self.image(index as usize, out)?;
            batch
                .labels
                .push(self.data.label(index as usize).unwrap_or(u32::MAX));
        }
        batch.blend = self.augmenter.and_then(Augmenter::mixup).map(|alpha| {
            let share = mixup::draw_share(alpha, &mut self.stream(1 << 63 | number as u64));
            blend(&mut batch.images, size, &batch.labels, share)
        });
        Ok(batch)
    }

    fn image(&mut self, index: usize, out: &mut [f32]) -> Result<(), DataError> {
        let Some(augmenter) = self.augmenter else {
            return self.data.read(index, out);
        };
        self.image
            .resize(self.data.whole_shape().iter().product(), 0.0);
        self.data.read_shares(index, &mut self.image)?;
        let mut rng = self.stream(index as u64);
        augmenter.apply(&mut self.image, &mut self.scratch, &mut rng);
        self.data.scale_shares(&self.image, out)
    }

    /// The generator of an image (or, with the highest bit, of a batch) in this epoch.
    fn stream(&self, counter: u64) -> rand_chacha::ChaCha8Rng {
        stream(
            self.job.seed,
            Purpose::Augment,
            (self.job.epoch & 0x7fff_ffff) << 32 | counter,
        )
    }
}

/// Blends every image with the one before it (the first with the last), as torchvision does; returns the labels of
/// what was blended in.
fn blend(images: &mut [f32], size: usize, labels: &[u32], share: f32) -> (Vec<u32>, f32) {
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
    (others, share)
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

    fn epoch(dataset: &Arc<Dataset>, epoch: u64, first: usize, threads: usize) -> Vec<LoadedBatch> {
        let order = epoch_order(200, 3, epoch);
        let job = Job {
            dataset: dataset.clone(),
            split: Split::Train,
            order,
            batch: 24,
            seed: 3,
            epoch,
            first,
        };
        let mut loader = Loader::start(job, threads).unwrap();
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
    fn batches_at_hand_are_the_next_ones() {
        let dataset = dataset(&LIST);
        let job = Job {
            dataset: dataset.clone(),
            split: Split::Train,
            order: epoch_order(200, 3, 5),
            batch: 24,
            seed: 3,
            epoch: 5,
            first: 0,
        };
        let mut loader = Loader::start(job, 2).unwrap();
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
        let (others, share) = blend(&mut images, 2, &[10, 20, 40], 0.75);
        assert_eq!((others, share), (vec![40, 10, 20], 0.75));
        assert_eq!(images, [1.75, 1.75, 1.75, 1.75, 3.5, 3.5]);
        assert_eq!(blend(&mut [], 2, &[], 0.5).0, Vec::<u32>::new());
    }

    #[test]
    fn a_loader_that_is_dropped_ends() {
        let dataset = dataset(&LIST);
        let order = epoch_order(200, 3, 0);
        let job = Job {
            dataset: dataset.clone(),
            split: Split::Train,
            order,
            batch: 8,
            seed: 3,
            epoch: 0,
            first: 0,
        };
        let mut loader = Loader::start(job, 2).unwrap();
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
