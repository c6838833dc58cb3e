//! The batches of an epoch in their order, made by the threads that compute, or ahead of them by threads of their own.
//!
//! Reading and augmenting a small image takes microseconds. Another thread that did it would take a processor from one of
//! those that compute, which wait for each other many times in a step: each wait would be longer than the work. So the
//! threads that compute make a batch together before its step. Images that have to be decoded or scaled are made ahead,
//! and so is everything as soon as making takes long beside computing, as it does where a disk is waited for. Who makes
//! a batch changes nothing in it.

use super::batch::{Batch, Batcher};
use crate::error::RunError;
use candle_core::{Device, Tensor};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use strata_data::loader::{Job, LoadedBatch, Loader, MakeImages};
use strata_data::{DataError, SplitData};
use strata_nn::device::has_own_kernels;
use strata_nn::ops::team::each_chunk;

/// Images that a thread makes at a time: a small one takes less time than handing it over.
const IMAGES_PER_TASK: usize = 8;
/// Batches after which it is looked at what making them takes.
const TRIED: u32 = 8;
/// The greatest fraction of the time that threads which compute make batches in.
const MOST_MAKING: f64 = 0.5;

/// Hands out the batches of an epoch.
pub struct Batches {
    job: Arc<Job>,
    /// Height, width and channels of an image.
    shape: [usize; 3],
    /// Threads that make batches ahead, where that is done.
    threads: usize,
    /// The number of the next batch.
    next: usize,
    maker: Maker,
    /// The newest batch; its images are in `batcher`.
    newest: LoadedBatch,
    /// The next one, where its images were copied to the device already.
    copied: Option<(LoadedBatch, Tensor)>,
    device: Device,
    batcher: Batcher,
}

enum Maker {
    /// The threads that compute.
    Computing(MakingTime),
    Ahead {
        loader: Loader,
        /// What was waited for.
        waited_for: Option<Result<LoadedBatch, DataError>>,
    },
}

/// How long making batches took, and since when.
struct MakingTime {
    since: Instant,
    making: Duration,
    batches: u32,
}

impl Batches {
    /// Begins with batch `first`. Where batches are made ahead, this many threads do it; fails when the system has none
    /// left.
    pub fn start(job: Job, first: usize, threads: usize, device: &Device) -> io::Result<Batches> {
        let split = job.dataset.split(job.split);
        let is_prepared = has_own_kernels(device) && split.is_some_and(SplitData::is_prepared);
        let shape = split.map_or([0; 3], SplitData::image_shape);
        let job = Arc::new(job);
        let maker = match is_prepared {
            true => Maker::Computing(MakingTime::start()),
            false => Maker::ahead(&job, first, threads)?,
        };
        Ok(Batches {
            job,
            shape,
            threads,
            next: first,
            maker,
            newest: LoadedBatch::default(),
            copied: None,
            device: device.clone(),
            batcher: Batcher::new(device),
        })
    }

    /// Waits until the next batch is there, if it is made by other threads; false after the last. Not to be called on a
    /// thread of the pool, which would be kept from others.
    pub fn wait(&mut self) -> bool {
        if self.next >= self.job.batches() {
            return false;
        }
        if let Maker::Ahead { loader, waited_for } = &mut self.maker
            && waited_for.is_none()
            && self.copied.is_none()
        {
            *waited_for = loader.next();
        }
        true
    }

    /// The next batch, if nothing has to be waited for. It takes the place of the one before.
    pub fn at_hand(&mut self) -> Option<Result<Batch<'_>, RunError>> {
        if self.next >= self.job.batches() {
            return None;
        }
        let images = match &mut self.maker {
            Maker::Computing(time) if time.is_long() => {
                match Maker::ahead(&self.job, self.next, self.threads) {
                    Ok(ahead) => self.maker = ahead,
                    // It goes on as it is.
                    Err(error) => log::debug!("no thread makes batches ahead: {error}"),
                }
                return None;
            }
            Maker::Computing(time) => {
                let start = Instant::now();
                let images = make(
                    &self.job,
                    self.next,
                    self.shape,
                    &mut self.batcher,
                    &mut self.newest,
                );
                time.add(start.elapsed());
                images
            }
            Maker::Ahead { loader, .. } if self.copied.is_some() => {
                let (batch, images) = self.copied.take()?;
                loader.give_back(std::mem::replace(&mut self.newest, batch));
                Ok(images)
            }
            Maker::Ahead { loader, waited_for } => {
                match waited_for.take().or_else(|| loader.at_hand())? {
                    Ok(batch) => {
                        loader.give_back(std::mem::replace(&mut self.newest, batch));
                        self.batcher.take(self.shape, &self.newest)
                    }
                    Err(error) => Err(error.into()),
                }
            }
        };
        self.next += 1;
        Some(images.map(|images| Batch {
            images,
            labels: &self.newest.labels,
            label_rows: &self.newest.label_rows,
            blend: self.newest.blend.as_ref(),
        }))
    }
}

impl Batches {
    /// Sends the next batch to the device, if it is made by now: the device comes to it after the present one, without
    /// being asked again. On the CPU there is nothing to copy.
    pub fn copy_ahead(&mut self) -> Result<(), RunError> {
        let Maker::Ahead { loader, waited_for } = &mut self.maker else {
            return Ok(());
        };
        let is_last = self.next >= self.job.batches();
        if is_last || self.copied.is_some() || has_own_kernels(&self.device) {
            return Ok(());
        }
        match waited_for.take().or_else(|| loader.at_hand()) {
            Some(Ok(batch)) => {
                let images = self.batcher.take(self.shape, &batch)?;
                self.copied = Some((batch, images));
            }
            // It is told where the batch is asked for.
            failed @ Some(Err(_)) => *waited_for = failed,
            None => {}
        }
        Ok(())
    }
}

impl Maker {
    fn ahead(job: &Arc<Job>, first: usize, threads: usize) -> io::Result<Maker> {
        Ok(Maker::Ahead {
            loader: Loader::start(Arc::clone(job), first, threads)?,
            waited_for: None,
        })
    }
}

impl MakingTime {
    fn start() -> MakingTime {
        MakingTime {
            since: Instant::now(),
            making: Duration::ZERO,
            batches: 0,
        }
    }

    fn add(&mut self, making: Duration) {
        self.making += making;
        self.batches += 1;
    }

    /// Whether too much of the time went by with it.
    fn is_long(&self) -> bool {
        let fraction = self.making.as_secs_f64() / self.since.elapsed().as_secs_f64();
        self.batches >= TRIED && fraction > MOST_MAKING
    }
}

/// Makes a batch on all threads: its images where the network finds them, the rest in `batch`.
fn make(
    job: &Job,
    number: usize,
    shape: [usize; 3],
    batcher: &mut Batcher,
    batch: &mut LoadedBatch,
) -> Result<Tensor, RunError> {
    let count = job.indices(number).len();
    let size: usize = shape.iter().product();
    let piece = (IMAGES_PER_TASK * size).max(1);
    batch.labels.resize(count, u32::MAX);
    job.label_rows(number, &mut batch.label_rows);
    batcher.make(count, shape, |images| {
        let spread = |images: &mut [f32], make: &MakeImages<'_>| {
            each_chunk([images], piece, |range, [part]| {
                make(range.start / size.max(1), part);
            });
        };
        batch.blend = job.make(number, images, &mut batch.labels, spread)?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::pool::in_pool;
    use super::*;
    use std::path::Path;
    use strata_core::project::data::{DataSpec, Split};
    use strata_data::{Dataset, epoch_order};

    const IMAGES: usize = 100;
    const BATCH: usize = 24;

    fn job(augment: &[&str]) -> Job {
        let augment = augment.iter().map(|text| text.parse().unwrap()).collect();
        let spec = DataSpec {
            limit: Some(IMAGES),
            augment,
            ..DataSpec::default()
        };
        let dataset = Dataset::open(&spec, 3, Path::new("."), &mut |_| true).unwrap();
        Job {
            dataset: Arc::new(dataset),
            split: Split::Train,
            order: epoch_order(IMAGES, 3, 2),
            batch: BATCH,
            seed: 3,
            epoch: 2,
        }
    }

    type Made = (Vec<f32>, Vec<u32>, Option<f32>);

    /// All batches from this one on, and how they were made.
    fn all(mut batches: Batches) -> (Vec<Made>, Vec<bool>) {
        let (mut made, mut by_computing) = (Vec::new(), Vec::new());
        while batches.wait() {
            in_pool(|| {
                by_computing.push(matches!(batches.maker, Maker::Computing(_)));
                while let Some(batch) = batches.at_hand() {
                    let batch = batch.unwrap();
                    made.push((
                        batch.images.flatten_all().unwrap().to_vec1().unwrap(),
                        batch.labels.to_vec(),
                        batch.blend.map(|blend| blend.share),
                    ));
                }
            });
        }
        (made, by_computing)
    }

    fn start(augment: &[&str], first: usize) -> Batches {
        Batches::start(job(augment), first, 2, &Device::Cpu).unwrap()
    }

    /// The same with threads of their own from the beginning.
    fn ahead(augment: &[&str], first: usize) -> Batches {
        let mut batches = start(augment, first);
        batches.maker = Maker::ahead(&batches.job, first, 2).unwrap();
        batches
    }

    #[test]
    fn who_makes_a_batch_changes_nothing_in_it() {
        for augment in [&[][..], &["hflip p0.5", "rotate 18", "mixup 0.2"]] {
            let (made, _) = all(ahead(augment, 0));
            let sizes: Vec<usize> = made.iter().map(|(_, labels, _)| labels.len()).collect();
            assert_eq!(sizes, [24, 24, 24, 24, 4]);
            // Pictures of the built-in source are drawn, so that the first epoch's are made ahead.
            let job = job(augment);
            let dataset = Arc::clone(&job.dataset);
            let first = Batches::start(job, 0, 2, &Device::Cpu).unwrap();
            assert!(matches!(first.maker, Maker::Ahead { .. }));
            assert_eq!(all(first).0, made);
            let again = Job {
                dataset,
                ..self::job(augment)
            };
            let (by_computing, how) = all(Batches::start(again, 0, 2, &Device::Cpu).unwrap());
            assert_eq!(by_computing, made);
            assert_eq!(how, [true], "once they have been drawn");
        }
    }

    #[test]
    fn an_epoch_goes_on_in_its_middle() {
        let (whole, _) = all(ahead(&[], 0));
        assert_eq!(all(ahead(&[], 3)).0, whole[3..]);
    }

    #[test]
    fn batches_that_take_long_are_made_ahead_from_then_on() {
        let whole = all(ahead(&["hflip p0.5"], 0)).0;
        let mut batches = start(&["hflip p0.5"], 0);
        let long = MakingTime {
            since: Instant::now(),
            making: Duration::from_secs(3600),
            batches: TRIED,
        };
        batches.maker = Maker::Computing(long);
        let (made, by_computing) = all(batches);
        assert_eq!(made, whole);
        assert_eq!(by_computing[..2], [true, false]);
    }
}
