//! The weights at earlier steps of a run, to look back at: `snapshots/step-512.safetensors`, checkpoints without the
//! optimizer's memory.
//!
//! Networks change most at the beginning: kept are the weights before the first step, after steps 1, 2, 3, 4, 6, 8, 11,
//! 16, … (each about √2 times the one before: the marks) and after each epoch. As a training grows long only every
//! second, fourth, … of each stays. Which are kept depends on nothing but steps, epochs and sizes, so that a run that is
//! trained again, or resumed, has the same.

use super::checkpoint::{self, Position};
use candle_core::Tensor;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A run keeps at most so many.
const MOST: u64 = 64;
/// They take at most so much of the disk.
const MOST_BYTES: u64 = 512 << 20;
/// Fewer tell nothing of a training: a network too large for so many keeps none.
const FEWEST: u64 = 4;
/// Large networks wait for their first snapshot: so many bytes of weights a step, so that writing takes little of the
/// training's time.
const BYTES_A_STEP: u64 = 4 << 20;

/// The snapshots in a run's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshots {
    /// The steps after which they were taken, ascending.
    pub steps: Vec<u64>,
    /// What they take of the disk.
    pub bytes: u64,
}

impl Snapshots {
    /// Those of a run; none where its folder has none.
    pub fn read(run: &Path) -> Snapshots {
        let mut snapshots = Snapshots::default();
        for entry in std::fs::read_dir(folder(run))
            .into_iter()
            .flatten()
            .flatten()
        {
            let step = entry.file_name().to_str().and_then(step_of);
            let size = entry.metadata().ok().filter(|file| file.is_file());
            if let (Some(step), Some(file)) = (step, size) {
                snapshots.steps.push(step);
                snapshots.bytes += file.len();
            }
        }
        snapshots.steps.sort_unstable();
        snapshots
    }
}

/// The folder in a run's folder.
pub(super) fn folder(run: &Path) -> PathBuf {
    run.join("snapshots")
}

/// A snapshot's name as a checkpoint: `step-512`.
pub fn name(step: u64) -> String {
    format!("step-{step}")
}

/// The file of the snapshot with this name, where the run has it.
pub(super) fn find(run: &Path, name: &str) -> Option<PathBuf> {
    let file = name.strip_prefix("step-")?.parse().ok();
    file.map(|step| file_of(run, step))
        .filter(|file| file.is_file())
}

fn file_of(run: &Path, step: u64) -> PathBuf {
    folder(run).join(format!("{}.safetensors", name(step)))
}

/// The step of a file with this name, as [`file_of`] writes it.
fn step_of(file: &str) -> Option<u64> {
    let digits = file.strip_prefix("step-")?.strip_suffix(".safetensors")?;
    digits
        .parse()
        .ok()
        .filter(|step: &u64| step.to_string() == digits)
}

/// Takes the snapshots of a run in training.
pub(crate) struct SnapshotWriter {
    run: PathBuf,
    /// Bytes of one.
    size: u64,
    /// Those that are kept, in the order of their steps.
    taken: Vec<Taken>,
}

/// When a snapshot was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Taken {
    step: u64,
    /// How many epochs had ended, where one ended with this step.
    epoch: Option<u64>,
}

impl Taken {
    fn at(position: &Position) -> Taken {
        let is_end = position.step_in_epoch == 0 && position.step > 0;
        Taken {
            step: position.step,
            epoch: is_end.then_some(position.epochs_done),
        }
    }
}

impl SnapshotWriter {
    /// For a run that goes on from `step`, of a network with these weights; `None` where it is too large to keep some.
    /// Snapshots of later steps, which the run had taken before it was ended, go: they will be taken again.
    pub fn begin(run: &Path, step: u64, weights: &[(String, Tensor)]) -> Option<SnapshotWriter> {
        let (later, earlier): (Vec<u64>, Vec<u64>) = Snapshots::read(run)
            .steps
            .into_iter()
            .partition(|kept| *kept > step);
        let positions = earlier
            .into_iter()
            .filter_map(|step| checkpoint::position(&file_of(run, step)));
        let writer = SnapshotWriter {
            run: run.to_owned(),
            size: weights.iter().map(|(_, tensor)| bytes(tensor)).sum(),
            taken: positions.map(|position| Taken::at(&position)).collect(),
        };
        later.into_iter().for_each(|step| writer.remove(step));
        (writer.most() >= FEWEST).then_some(writer)
    }

    /// Whether the weights are to be kept at this position.
    pub fn is_due(&self, position: &Position) -> bool {
        let now = Taken::at(position);
        let is_waited_for = now.step == 0 || now.step * BYTES_A_STEP >= self.size;
        let is_wanted = now.epoch.is_some() || mark(now.step).is_some();
        is_waited_for && is_wanted && self.taken.last() != Some(&now)
    }

    /// Keeps the weights; what is too much goes. Fails with the system's reason.
    pub fn take(
        &mut self,
        position: &Position,
        weights: &[(String, Tensor)],
    ) -> Result<Snapshots, String> {
        // The run's own folder is not made again: where it is gone, the training is told so by its checkpoint.
        match std::fs::create_dir(folder(&self.run)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.to_string()),
            Ok(()) | Err(_) => {}
        }
        let now = Taken::at(position);
        checkpoint::save_weights(&file_of(&self.run, now.step), position, weights)?;
        self.taken.retain(|taken| taken.step != now.step);
        self.taken.push(now);
        self.thin(position);
        Ok(Snapshots::read(&self.run))
    }

    fn thin(&mut self, now: &Position) {
        // Half of them for the marks, half for the epochs; one for the newest, which may be neither for long.
        let share = (self.most() / 2 - 1).max(1);
        let marks = stride(marks_until(now.step), share);
        let epochs = stride(now.epochs_done, share);
        let is_kept = |taken: &Taken| {
            taken.step == now.step
                || mark(taken.step).is_some_and(|mark| mark.is_multiple_of(marks))
                || taken
                    .epoch
                    .is_some_and(|epoch| epoch.is_multiple_of(epochs))
        };
        let (kept, gone): (Vec<Taken>, Vec<Taken>) =
            self.taken.iter().partition(|taken| is_kept(taken));
        gone.iter().for_each(|taken| self.remove(taken.step));
        self.taken = kept;
    }

    fn most(&self) -> u64 {
        MOST.min(MOST_BYTES / self.size.max(1))
    }

    fn remove(&self, step: u64) {
        // One that stays harms nothing but the space it takes.
        if let Err(error) = std::fs::remove_file(file_of(&self.run, step))
            && error.kind() != ErrorKind::NotFound
        {
            let run = self.run.display();
            log::warn!("the snapshot of step {step} in {run} could not be removed: {error}");
        }
    }
}

/// Bytes of a tensor's numbers.
fn bytes(tensor: &Tensor) -> u64 {
    (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64
}

/// The number of a step among 0, 1, 2, 3, 4, 6, 8, 11, 16, …, the powers of √2; `None` of the other steps.
fn mark(step: u64) -> Option<u64> {
    if step == 0 {
        return Some(0);
    }
    let half_powers = (2.0 * (step as f64).log2()).round();
    let is_one = (half_powers / 2.0).exp2().round() as u64 == step;
    is_one.then_some(half_powers as u64 + 1)
}

/// How many marks come after the step 0, up to this step.
fn marks_until(step: u64) -> u64 {
    if step == 0 {
        return 0;
    }
    (2.0 * (step as f64 + 0.5).log2()) as u64 + 1
}

/// From one that stays to the next, so that at most `most` of `count` stay: a power of two.
fn stride(count: u64, most: u64) -> u64 {
    count.div_ceil(most).max(1).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};
    use std::ops::RangeInclusive;

    fn weights() -> Vec<(String, Tensor)> {
        let tensor = Tensor::new(&[1f32, 2.0, 3.0], &Device::Cpu).unwrap();
        vec![("encoder.0.weight".to_owned(), tensor)]
    }

    /// As a training of epochs of so many steps takes them.
    fn train(writer: &mut SnapshotWriter, steps: RangeInclusive<u64>, epoch: u64) {
        let mut take = |position: &Position| {
            if writer.is_due(position) {
                writer.take(position, &weights()).unwrap();
            }
        };
        for step in steps {
            let epochs_done = step.saturating_sub(1) / epoch;
            let position = Position {
                step,
                step_in_epoch: step - epochs_done * epoch,
                epochs_done,
                ..Position::default()
            };
            take(&position);
            if step > 0 && step.is_multiple_of(epoch) {
                take(&Position {
                    step_in_epoch: 0,
                    epochs_done: epochs_done + 1,
                    ..position
                });
            }
        }
    }

    #[test]
    fn the_first_steps_are_kept_closer_together() {
        let marked: Vec<u64> = (0..100).filter(|step| mark(*step).is_some()).collect();
        assert_eq!(marked, [0, 1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91]);
        for step in 0..10_000 {
            let before = (1..=step).filter(|step| mark(*step).is_some()).count() as u64;
            assert!(
                marks_until(step) >= before && marks_until(step) <= before + 1,
                "{step}"
            );
        }
    }

    #[test]
    fn there_are_never_many_and_a_resumed_run_has_the_same() {
        let begin = |run: &Path, step| SnapshotWriter::begin(run, step, &weights()).unwrap();
        for (epoch, ends) in [(10, 1200), (7, 333), (400, 1000), (1, 40)] {
            let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
            let [whole, resumed] = [folders[0].path(), folders[1].path()];
            train(&mut begin(whole, 0), 0..=ends, epoch);
            let kept = Snapshots::read(whole);
            assert!(kept.steps.len() as u64 <= MOST, "{:?}", kept.steps);
            assert_eq!(kept.steps[..2], [0, 1]);
            let sizes = kept.steps.iter();
            let sizes = sizes.map(|step| file_of(whole, *step).metadata().unwrap().len());
            assert_eq!(kept.bytes, sizes.sum::<u64>());
            // Killed somewhere after the checkpoint that it is resumed from.
            train(&mut begin(resumed, 0), 0..=ends / 2 + 3, epoch);
            let from = ends / 2 / epoch * epoch;
            train(&mut begin(resumed, from), from + 1..=ends, epoch);
            assert_eq!(Snapshots::read(resumed).steps, kept.steps);
        }
    }

    #[test]
    fn a_large_network_waits_and_a_huge_one_keeps_none() {
        let run = tempfile::tempdir().unwrap();
        let begin = |megabytes: usize| {
            let tensor = Tensor::zeros(megabytes << 18, DType::F32, &Device::Cpu);
            SnapshotWriter::begin(run.path(), 0, &[("a".to_owned(), tensor.unwrap())])
        };
        let large = begin(40).unwrap();
        let is_due = |step: u64, epochs_done: u64| {
            large.is_due(&Position {
                step,
                step_in_epoch: if epochs_done > 0 { 0 } else { step },
                epochs_done,
                ..Position::default()
            })
        };
        assert!(is_due(0, 0) && !is_due(8, 0) && !is_due(8, 1));
        assert!(is_due(11, 0) && is_due(12, 1) && !is_due(12, 0));
        assert_eq!(large.most(), 12);
        assert!(begin(129).is_none());
    }

    #[test]
    fn other_files_are_nobodys_snapshots() {
        let run = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder(run.path())).unwrap();
        for name in ["step-007.safetensors", "step-x.safetensors", "notes.txt"] {
            std::fs::write(folder(run.path()).join(name), "x").unwrap();
        }
        assert_eq!(Snapshots::read(run.path()), Snapshots::default());
        SnapshotWriter::begin(run.path(), 0, &weights()).unwrap();
        assert!(folder(run.path()).join("step-007.safetensors").exists());
        assert!(find(run.path(), "step-../x").is_none());
    }
}
