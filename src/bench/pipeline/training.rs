//! What feeding costs a training: the network of the case `keras-cifar` trains on batches that loading threads
//! read and augment meanwhile, and, in turn with that, on one batch that is in memory and is never replaced.

use super::{ALL, BATCH, load, open};
use crate::bench::measure::median;
use crate::bench::work::Pass;
use crate::bench::{BenchError, Workload, cases};
use candle_core::Device;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use strata_core::project::data::{DataSpec, Split};
use strata_data::loader::{LoadedBatch, Loader};
use strata_data::{Dataset, SplitData};
use strata_engine::run::batch::Batcher;

/// The two are measured in turn so often, or as often as there are steps in a turn where those are fewer.
const ROUNDS: usize = 9;
/// Steps before those that count, in each turn: more than there are batches made ahead.
const WARM_UP: usize = 4;

/// Images a second of the training alone and of the training fed; medians over the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fed {
    /// Every batch read, augmented and copied to the device.
    pub images_per_second: f64,
    /// The same batch in every step.
    pub in_memory: f64,
    /// What is left of the speed: the median of the rounds' ratios.
    pub percent: f64,
}

/// Measures over so many steps a turn, with this many loading threads besides the current pool; the files of
/// `augment-32` are in `root`.
pub fn measure(
    root: &Path,
    steps: usize,
    threads: usize,
    device: &Device,
) -> Result<Fed, BenchError> {
    let nothing = |why: &str| BenchError::Unsound("training".to_owned(), why.to_owned());
    let project = cases::find("keras-cifar")
        .ok_or_else(|| nothing("there is no keras-cifar"))?
        .project()?;
    let spec = DataSpec {
        range: project.data.range,
        ..ALL[0].spec(root)?
    };
    let workload = Workload::new("keras-cifar", &project, BATCH, Pass::Training, device)?;
    let mut training = Training {
        workload,
        batcher: Batcher::new(device),
        source: Batches::new(&spec, threads)?,
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS.min(steps) {
        let fed = training.turn(steps, true)?;
        rounds.push((fed, training.turn(steps, false)?));
    }
    Ok(summary(&rounds))
}

/// From seconds a step, fed and alone.
fn summary(rounds: &[(f64, f64)]) -> Fed {
    let over = |figure: fn(&(f64, f64)) -> f64| median(rounds.iter().map(figure).collect());
    let speed = |seconds: f64| BATCH as f64 / seconds.max(f64::MIN_POSITIVE);
    Fed {
        images_per_second: speed(over(|round| round.0)),
        in_memory: speed(over(|round| round.1)),
        percent: 100.0 * over(|round| round.1 / round.0.max(f64::MIN_POSITIVE)),
    }
}

struct Training {
    workload: Workload,
    batcher: Batcher,
    source: Batches,
}

impl Training {
    /// Seconds a step. A turn begins and ends with all buffers full, or with all empty where loading is slower
    /// than training: what was made ahead in the turn before is no gift to this one.
    fn turn(&mut self, steps: usize, fed: bool) -> Result<f64, BenchError> {
        let warm_up = WARM_UP + self.source.threads;
        (0..warm_up).try_for_each(|_| self.step(fed))?;
        let start = Instant::now();
        (0..steps).try_for_each(|_| self.step(fed))?;
        Ok(start.elapsed().as_secs_f64() / steps.max(1) as f64)
    }

    /// As the engine does it: a batch's buffer goes back once the step is taken.
    fn step(&mut self, fed: bool) -> Result<(), BenchError> {
        if !fed {
            self.workload.step()?;
            return Ok(());
        }
        let batch = self.source.next()?;
        let images = self.batcher.take(self.source.shape, &batch)?;
        self.workload.feed(images, &batch.labels);
        self.workload.step()?;
        self.source.loader.give_back(batch);
        Ok(())
    }
}

/// Full batches, epoch after epoch.
struct Batches {
    dataset: Arc<Dataset>,
    /// Height, width and channels of an image.
    shape: [usize; 3],
    threads: usize,
    loader: Loader,
    epoch: u64,
}

impl Batches {
    fn new(spec: &DataSpec, threads: usize) -> Result<Batches, BenchError> {
        let dataset = open(spec)?;
        let [channels, height, width] = dataset.shape();
        let loader = start(&dataset, 0, threads)?;
        Ok(Batches {
            dataset,
            shape: [height, width, channels],
            threads,
            loader,
            epoch: 0,
        })
    }

    fn next(&mut self) -> Result<LoadedBatch, BenchError> {
        if let Some(batch) = self.loader.next() {
            return Ok(batch?);
        }
        self.epoch += 1;
        self.loader = start(&self.dataset, self.epoch, self.threads)?;
        let too_few = || {
            BenchError::Unsound(
                "training".to_owned(),
                format!("there are less than {BATCH} images"),
            )
        };
        Ok(self.loader.next().ok_or_else(too_few)??)
    }
}

/// Starts loading an epoch, but for the images that would not fill its last batch.
fn start(dataset: &Arc<Dataset>, epoch: u64, threads: usize) -> Result<Loader, BenchError> {
    let images = dataset.split(Split::Train).map_or(0, SplitData::len);
    load(dataset, epoch, threads, images - images % BATCH)
}

#[cfg(test)]
mod tests {
    use super::super::{Feed, pictures};
    use super::*;

    #[test]
    fn a_training_is_fed_over_the_end_of_an_epoch() {
        let root = tempfile::tempdir().unwrap();
        pictures::draw(
            &Feed {
                count: 150,
                ..ALL[0]
            },
            root.path(),
        )
        .unwrap();
        let mut batches = Batches::new(&ALL[0].spec(root.path()).unwrap(), 2).unwrap();
        let sizes: Vec<usize> = (0..5)
            .map(|_| batches.next().unwrap().labels.len())
            .collect();
        assert_eq!((sizes, batches.epoch), (vec![BATCH; 5], 2));
        let fed = measure(root.path(), 1, 1, &Device::Cpu).unwrap();
        assert!(
            fed.images_per_second > 0.0 && fed.in_memory > 0.0 && fed.percent > 0.0,
            "{fed:?}"
        );
    }

    #[test]
    fn too_few_images_are_told() {
        let root = tempfile::tempdir().unwrap();
        pictures::draw(
            &Feed {
                count: 60,
                ..ALL[0]
            },
            root.path(),
        )
        .unwrap();
        let error = measure(root.path(), 1, 1, &Device::Cpu)
            .unwrap_err()
            .to_string();
        assert!(error.contains("less than 64 images"), "{error}");
    }

    #[test]
    fn the_share_is_of_each_round() {
        let fed = summary(&[(2.0, 1.0), (4.0, 4.0), (1.0, 0.9)]);
        assert_eq!(
            (fed.images_per_second, fed.in_memory, fed.percent),
            (32.0, 64.0, 90.0)
        );
    }
}
