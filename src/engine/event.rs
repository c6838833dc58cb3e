//! Events emitted by a run, in order. Large outputs are published in
//! [`super::inspection::live::LiveResults`].

use crate::storage::changes::Change;
use crate::storage::first_weights::FirstWeights;
use crate::storage::snapshots::Snapshots;
use std::path::PathBuf;
use strata_core::project::data::Split;
use strata_core::project::help::Repair;
use strata_core::project::stage::Task;

/// One fact about a run. Step events may be thinned when the reader is slow; all others arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something is being prepared: reading a dataset, compiling the network.
    Preparing {
        /// What, for people.
        what: String,
        /// Done so far, of `total`.
        done: u64,
        /// 0 when unknown.
        total: u64,
    },
    /// Everything is ready and the first step follows.
    Started {
        /// The run's folder.
        run: PathBuf,
        /// Where it computes, for people: `CPU, 2 threads`.
        device: String,
        /// Images by split, labelled or not.
        splits: Vec<(Split, usize)>,
        /// Class names, empty when nothing is labelled.
        classes: Vec<String>,
        /// Files left out while reading the data, with the reason.
        skipped: Vec<(PathBuf, String)>,
    },
    /// The network begins with weights of another run or of a file.
    FirstWeights(FirstWeights),
    /// A stage begins.
    Stage {
        /// Index in the project.
        index: usize,
        /// Its name.
        name: String,
        /// What it trains for.
        task: Task,
        /// Epochs it will take.
        epochs: u32,
        /// Steps in each epoch.
        steps_per_epoch: u64,
    },
    /// A training step was taken.
    Step(StepReport),
    /// An epoch ended and every split was measured.
    Epoch(EpochReport),
    /// The run waits (after [`super::command::Command::Pause`] or `Steps`).
    Paused,
    /// The run continues.
    Resumed,
    /// A checkpoint was written.
    Checkpoint {
        /// The file.
        path: PathBuf,
    },
    /// The weights of another step are kept, or those of before were found: what there is now.
    Snapshots(Snapshots),
    /// Settings that were changed while the run trains: all of them, those of before it was resumed included.
    Changes(Vec<Change>),
    /// New previews and replies were published while the run is paused.
    InspectionsUpdated,
    /// Something the user should know, without stopping.
    Warning {
        /// For the terminal: with keys of the file and commands.
        message: String,
        /// The same for the window.
        in_window: String,
    },
    /// The run has ended; nothing follows.
    Finished(Outcome),
}

impl Event {
    /// A warning whose words are the same in the terminal and in the window.
    pub fn warning(text: impl Into<String>) -> Event {
        let message = text.into();
        Event::Warning {
            in_window: message.clone(),
            message,
        }
    }
}

/// One training step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepReport {
    /// Index of the stage.
    pub stage: usize,
    /// Epoch from 1.
    pub epoch: u32,
    /// Step over the whole run from 1.
    pub step: u64,
    /// Step within the epoch from 1.
    pub step_in_epoch: u64,
    /// The batch's loss without its penalty: what is measured on the other splits too.
    pub loss: f64,
    /// What the stage's sparsity adds to it; `None` where there is none.
    pub penalty: Option<f64>,
    /// The fraction of the batch classified correctly, when classifying.
    pub accuracy: Option<f64>,
    /// Learning rate of this step.
    pub lr: f64,
    /// Images trained on a second, lately.
    pub images_per_second: f64,
    /// Time left in this run in seconds at that speed, all stages counted.
    pub seconds_left: f64,
}

/// The metrics of one split at one moment. `None` where it does not apply.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Metrics {
    /// The stage's loss without its penalty.
    #[serde(deserialize_with = "number")]
    pub loss: f64,
    /// The fraction classified correctly; where an image may have several labels, the fraction of the answers to all
    /// labels that are right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Where an image may have several labels: F1, the mean over the labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
    /// Where an image may have several labels: the fraction of images of which all are answered right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_match: Option<f64>,
    /// Mean negative logarithm of the right class's probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<f64>,
    /// Mean squared error of reconstructions in pixels: in the units of `range`, from 0 to 1 with `normalize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mse: Option<f64>,
    /// Peak signal-to-noise ratio in dB over the pixel range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psnr: Option<f64>,
}

/// JSON has no NaN and no infinity: they are written as null.
fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    use serde::Deserialize;
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The end of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Index of the stage.
    pub stage: usize,
    /// Epoch from 1.
    pub epoch: u32,
    /// Steps taken over the whole run.
    pub step: u64,
    /// Metrics by split: the training split first (mean over its batches), then valid and test.
    pub metrics: Vec<(Split, Metrics)>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Every stage was trained.
    Completed(Summary),
    /// Stopped by a command; a checkpoint was left.
    Stopped(Summary),
    /// It could not continue; what was reached before is kept in the run folder.
    Failed(Failure),
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// One message for the terminal: what, where, what to do.
    pub message: String,
    /// The same for the window.
    pub in_window: String,
    /// True when the input was wrong (exit code 2), false when something broke (1).
    pub wrong_input: bool,
    /// The stage it is about, counted from 0.
    pub stage: Option<usize>,
    /// What a button can do about it, best first.
    pub repairs: Vec<Repair>,
    /// Whether it is the GPU's, and the CPU could do it instead.
    pub of_gpu: bool,
    /// The run's folder when it exists.
    pub run: Option<PathBuf>,
}

/// What a run reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// The run's folder.
    pub run: PathBuf,
    /// The last metrics of every split.
    pub metrics: Vec<(Split, Metrics)>,
    /// Training time in seconds, pauses left out.
    pub seconds: f64,
    /// Images trained on a second, over the whole run.
    pub images_per_second: f64,
}

/// Where a run's events go. The engine never waits on it.
pub trait Sink: Send {
    /// Takes one event.
    fn event(&mut self, event: Event);
}

impl<F: FnMut(Event) + Send> Sink for F {
    fn event(&mut self, event: Event) {
        self(event);
    }
}
