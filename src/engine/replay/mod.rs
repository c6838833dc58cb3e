//! A run trained again: its project with its changed settings at their steps and its resumed parts, and whether the same
//! comes out to the last bit.
//!
//! Compared are every row of `steps.csv` and `metrics.csv` (but for seconds) up to the run's last checkpoint, and all its
//! checkpoints with the optimizer's memory. The number of threads plays no role in any of them; another device and
//! another version of Strata may, so they are named. Fails where there is nothing to train again.

mod compare;
mod task;

pub use compare::{Difference, Place};
pub use task::{ReplayTask, Replaying};

use crate::command::{Command, Until};
use crate::error::RunError;
use crate::event::{Event, Outcome, Sink};
use crate::inspection::live::LiveResults;
use crate::run::parts::project_of;
use crate::run::run;
use crate::storage::changes::Changes;
use crate::storage::checkpoint::{Position, position};
use crate::storage::import::import;
use crate::storage::record::{Part, RunRecord, Status};
use crate::storage::run_folder::{self, is_in_training};
use crate::thread::RunOptions;
use crossbeam_channel::Receiver;
use std::path::{Path, PathBuf};
use strata_core::format::count;
use strata_core::project::file;
use strata_core::project::help::Surface;

/// What came of training a run again.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Where it was trained again.
    pub folder: PathBuf,
    /// Steps that were compared.
    pub steps: u64,
    /// Checkpoints that were compared, by their names.
    pub checkpoints: Vec<String>,
    /// Where the two differ first; `None` where they are identical.
    pub difference: Option<Difference>,
    /// What was not as it had been: device, version, images. Each may be why they differ.
    pub others: Vec<String>,
}

impl Replay {
    /// The answer in one sentence; the reasons that may be behind a difference follow in [`Replay::others`].
    pub fn text(&self, surface: Surface) -> String {
        let steps = match self.steps {
            1 => "1 step".to_owned(),
            steps => format!("{} steps", count(steps)),
        };
        match &self.difference {
            None => format!(
                "identical: {steps}, all that was measured and the checkpoints {} are the same to the last bit",
                self.checkpoints.join(", ")
            ),
            Some(difference) => format!("differs first {}", difference.text(surface)),
        }
    }
}

/// How a run is to be trained again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayOptions {
    /// The folder for it, which is empty or not there.
    pub folder: PathBuf,
    /// Where to compute; by default the CPU for a run that was computed there, else the best there is.
    pub device: Option<String>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Replayed {
    /// To the run's end, or to its last checkpoint.
    Whole(Replay),
    /// It was stopped before.
    Stopped,
    /// It could not be trained; as the run's own outcome says.
    Failed(crate::event::Failure),
}

/// Trains the run in this folder again and compares.
pub fn replay(
    run: &Path,
    options: &ReplayOptions,
    commands: &Receiver<Command>,
    sink: &mut dyn Sink,
) -> Result<Replayed, RunError> {
    let history = History::read(run)?;
    let mut seen = Watching { sink, device: None };
    for (index, part) in history.parts.iter().enumerate() {
        if index == 0
            && let Some(weights) = &history.record.weights
        {
            let project = project_of(run, part)?;
            import(&project, run, weights, Some(&options.folder), &mut |_| true)?;
            continue;
        }
        let of_part = history.options(index, run, options);
        let project = project_of(run, part)?;
        let live = LiveResults::default();
        let outcome = self::run(&project, &of_part, commands, &mut seen, &live);
        match outcome {
            Outcome::Failed(failure) => return Ok(Replayed::Failed(failure)),
            Outcome::Stopped(_) if !history.has_reached(index, &options.folder) => {
                return Ok(Replayed::Stopped);
            }
            Outcome::Completed(_) | Outcome::Stopped(_) => {}
        }
    }
    let device = seen.device.unwrap_or_default();
    history.compared(run, options, &device).map(Replayed::Whole)
}

/// Passes events on, and remembers where it is computed.
struct Watching<'a> {
    sink: &'a mut dyn Sink,
    device: Option<String>,
}

impl Sink for Watching<'_> {
    fn event(&mut self, event: Event) {
        if let Event::Started { device, .. } = &event {
            self.device = Some(device.clone());
        }
        self.sink.event(event);
    }
}

/// What a run's folder says of how it was trained.
struct History {
    record: RunRecord,
    parts: Vec<Part>,
    changes: Changes,
    /// Where its last checkpoint was taken.
    end: Position,
}

impl History {
    fn read(run: &Path) -> Result<History, RunError> {
        let shown = run.display();
        if is_in_training(run) {
            return Err(RunError::Input(format!(
                "{shown} is in training: it can be trained again when it has ended"
            )));
        }
        let record = RunRecord::read(run).map_err(|error| {
            RunError::Input(format!(
                "{shown} is not a run, its run.json cannot be read: {error}"
            ))
        })?;
        let last = run_folder::checkpoint(run, "last");
        let end = position(&last).filter(|end| end.step > 0);
        let end = end.ok_or_else(|| {
            RunError::Input(format!(
                "{shown} has no checkpoint after a step: nothing of it can be trained again"
            ))
        })?;
        let changes = Changes::read(run).map_err(RunError::Input)?;
        let mut parts = taken(&record.parts);
        if parts.is_empty() {
            // A run of an earlier version, which noted no parts: trained at one go, as far as is known.
            parts.push(Part {
                device: record.device.clone(),
                version: record.version.clone(),
                ..Part::default()
            });
        }
        Ok(History {
            record,
            parts,
            changes,
            end,
        })
    }

    fn options(&self, index: usize, run: &Path, options: &ReplayOptions) -> RunOptions {
        let part = &self.parts[index];
        let former = strata_nn::device::name_of(&part.device);
        let until = self.until(index);
        RunOptions {
            base: run.to_owned(),
            run: Some(options.folder.clone()),
            device: options.device.clone().or(former),
            stage: part.stage.clone(),
            resume: index > 0,
            more_epochs: part.more_epochs,
            no_snapshots: true,
            no_memory: part.is_without_memory,
            changes: Some(self.changes.clone()),
            until,
            ..RunOptions::default()
        }
    }

    /// Where a part ends: where the next one begins, or at the last checkpoint of a run that was not trained to its end.
    fn until(&self, index: usize) -> Option<Until> {
        match self.parts.get(index + 1) {
            Some(next) => Some(Until {
                step: next.step,
                epochs_done: next.epochs_done,
            }),
            None if self.record.status == Status::Completed => None,
            None => Some(Until {
                step: self.end.step,
                epochs_done: self.end.epochs_done,
            }),
        }
    }

    /// Whether a part that was stopped was so because it is at its end.
    fn has_reached(&self, index: usize, folder: &Path) -> bool {
        let last = position(&run_folder::checkpoint(folder, "last"));
        let until = self.until(index);
        last.zip(until).is_some_and(|(last, until)| {
            last.step >= until.step && last.epochs_done >= until.epochs_done
        })
    }

    fn compared(
        &self,
        run: &Path,
        options: &ReplayOptions,
        device: &str,
    ) -> Result<Replay, RunError> {
        let (difference, checkpoints) = compare::runs(run, &options.folder, self.end.step)?;
        Ok(Replay {
            folder: options.folder.clone(),
            steps: self.end.step,
            checkpoints,
            difference,
            others: self.others(&options.folder, device),
        })
    }

    /// What was not as it had been.
    fn others(&self, folder: &Path, device: &str) -> Vec<String> {
        let mut others = Vec::new();
        let version = env!("CARGO_PKG_VERSION");
        for part in &self.parts {
            let kind = |device: &str| device.split(',').next().unwrap_or_default().to_owned();
            let at = match part.step {
                0 => String::new(),
                step => format!(" from step {} on", count(step + 1)),
            };
            if kind(&part.device) != kind(device) {
                others.push(format!(
                    "the run was computed on {}{at}, and now on {device}",
                    part.device
                ));
            }
            if part.version != version {
                others.push(format!(
                    "the run was trained by Strata {}{at}, and now by {version}",
                    part.version
                ));
            }
        }
        if self.record.parts.is_empty() {
            others.push(
                "the run is of a version that did not note where it was resumed: it was trained again at one go".into(),
            );
        }
        if let Ok(project) = file::load(&folder.join("project.toml"))
            && let Some(init) = project.init
        {
            others.push(format!(
                "its first weights were taken from {} as it is now",
                init.from
            ));
        }
        let images = RunRecord::read(folder).map(|record| record.data_hash);
        if images.is_ok_and(|images| images != self.record.data_hash) {
            others.push("the images are not those that the run was trained on".into());
        }
        others.dedup();
        others
    }
}

/// The parts of which something stayed: what was trained after the checkpoint that a later part began with did not.
fn taken(parts: &[Part]) -> Vec<Part> {
    let mut taken: Vec<Part> = Vec::new();
    for part in parts {
        let place = |part: &Part| (part.step, part.epochs_done);
        while taken.last().is_some_and(|last| place(last) >= place(part)) {
            // The first stays where it has made the network: a later one goes on with its weights.
            if taken.len() == 1 && part.step == 0 && taken[0].is_import {
                break;
            }
            taken.pop();
        }
        taken.push(part.clone());
    }
    taken
}
