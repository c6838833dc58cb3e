//! What feeding costs a training: the network of the case `keras-cifar` trains on batches that are read and augmented
//! as those of every training are, and, in turn with that, on one batch that is in memory and is never replaced.

use super::{ALL, BATCH, job, no_threads, open};
use crate::bench::measure::median;
use crate::bench::work::Pass;
use crate::bench::{BenchError, Workload, cases};
use candle_core::Device;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use strata_core::project::data::{DataSpec, Split};
use strata_data::{Dataset, SplitData};
use strata_engine::run::batches::Batches;

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
        source: EpochAfterEpoch::new(&spec, threads, device)?,
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
    source: EpochAfterEpoch,
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

    /// As the engine does it.
    fn step(&mut self, fed: bool) -> Result<(), BenchError> {
        if fed {
            self.feed()?;
        }
        self.workload.step()?;
        Ok(())
    }

    /// Puts the next batch before the network, waiting for it where other threads make it.
    fn feed(&mut self) -> Result<(), BenchError> {
        loop {
            self.source.wait()?;
            if self.source.feed(&mut self.workload)? {
                return Ok(());
            }
        }
    }
}

/// Full batches, epoch after epoch.
struct EpochAfterEpoch {
    dataset: Arc<Dataset>,
    threads: usize,
    device: Device,
    batches: Batches,
    epoch: u64,
}

impl EpochAfterEpoch {
    fn new(
        spec: &DataSpec,
        threads: usize,
        device: &Device,
    ) -> Result<EpochAfterEpoch, BenchError> {
        let dataset = open(spec)?;
        let batches = start(&dataset, 0, threads, device)?;
        Ok(EpochAfterEpoch {
            dataset,
            threads,
            device: device.clone(),
            batches,
            epoch: 0,
        })
    }

    /// Waits for a batch, of the next epoch where this one has none left.
    fn wait(&mut self) -> Result<(), BenchError> {
        if self.batches.wait() {
            return Ok(());
        }
        self.epoch += 1;
        self.batches = start(&self.dataset, self.epoch, self.threads, &self.device)?;
        if self.batches.wait() {
            return Ok(());
        }
        Err(BenchError::Unsound(
            "training".to_owned(),
            format!("there are less than {BATCH} images"),
        ))
    }

    /// Puts the next batch before the network; false where it is to be waited for.
    fn feed(&mut self, workload: &mut Workload) -> Result<bool, BenchError> {
        let Some(batch) = self.batches.at_hand() else {
            return Ok(false);
        };
        let batch = batch?;
        workload.feed(batch.images, batch.labels);
        Ok(true)
    }
}

/// Starts an epoch, but for the images that would not fill its last batch.
fn start(
    dataset: &Arc<Dataset>,
    epoch: u64,
    threads: usize,
    device: &Device,
) -> Result<Batches, BenchError> {
    let images = dataset.split(Split::Train).map_or(0, SplitData::len);
    let job = job(dataset, epoch, images - images % BATCH);
    Batches::start(job, 0, threads, device).map_err(|error| no_threads(threads, &error))
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
        let spec = ALL[0].spec(root.path()).unwrap();
        let mut epochs = EpochAfterEpoch::new(&spec, 2, &Device::Cpu).unwrap();
        let mut sizes = Vec::new();
        while sizes.len() < 5 {
            epochs.wait().unwrap();
            let batch = epochs.batches.at_hand();
            sizes.extend(batch.map(|batch| batch.unwrap().labels.len()));
        }
        assert_eq!((sizes, epochs.epoch), (vec![BATCH; 5], 2));
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
