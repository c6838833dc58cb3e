//! The run as the window knows it: what the engine has reported so far.
//!
//! [`RunMonitor::drain`] takes what is new, a bounded number of events a call, so that a frame stays
//! short however fast the engine is. A run whose thread ended without a last word counts as failed.

mod events;

use super::curves::Curves;
use super::messages::Weight;
use super::wake::Wake;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
pub use events::short_name;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::project::data::Split;
use strata_core::project::live_setting::LiveSetting;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Project, file};
use strata_engine::command::Command;
use strata_engine::event::{Event, Outcome, StepReport};
use strata_engine::follow::{Growth, follow, is_trained_elsewhere};
use strata_engine::inspection::live::LiveResults;
use strata_engine::storage::record::{RunRecord, Status};
use strata_engine::storage::snapshots::Snapshots;
use strata_engine::thread::Running;
use strata_inspect::filters::Filters;
use strata_inspect::inspection::SavedWeights;
use strata_inspect::reconstructions::Reconstructions;

/// Events taken in one frame at most.
const MOST_EVENTS: usize = 4096;

/// Where a run is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Phase {
    /// None was started yet.
    #[default]
    Idle,
    /// Reading data, compiling the network.
    Preparing {
        /// What, for people.
        what: String,
        /// The fraction done, when known.
        share: Option<f32>,
    },
    /// Steps are taken.
    Training,
    /// Waiting for [`Command::Resume`].
    Paused,
    /// Stop was asked for; the checkpoint is being written.
    Stopping,
    /// It has ended.
    Ended(Outcome),
}

/// The stage that is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentStage {
    /// Index in the project.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// What it trains for.
    pub task: Task,
    /// Its epochs.
    pub epochs: u32,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
}

/// How a run that has ended can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// Steps of its stages are left.
    Rest,
    /// All its stages are trained: more epochs have to be asked for.
    MoreEpochs,
}

/// A run, living or ended.
#[derive(Default)]
pub struct RunMonitor {
    running: Option<Running>,
    /// Whether it trains in another process, and is followed in its folder.
    is_followed: bool,
    /// Whether a run that is followed has written other weights since they were last looked at.
    has_new_weights: bool,
    reading: Option<Receiver<Curves>>,
    /// Watches a run that says it is in progress, but was not written to lately; wakes the window when it grows.
    growth: Option<(Growth, Wake)>,
    /// Wakes the window when the earlier curves of a run that goes on are read; `None` of a new run.
    continued: Option<Wake>,
    /// How a run that was opened had ended.
    record: Option<RunRecord>,
    /// Where it is.
    pub phase: Phase,
    /// The project as it is trained: a copy that later edits don't reach.
    pub project: Option<Project>,
    /// The run's folder.
    pub run: Option<PathBuf>,
    /// Where it computes, for people.
    pub device: Option<String>,
    /// Images by split.
    pub splits: Vec<(Split, usize)>,
    /// Files left out while reading the data, with the reason.
    pub skipped: Vec<(PathBuf, String)>,
    /// The stage that is trained.
    pub stage: Option<CurrentStage>,
    /// Settings that were asked for and that no step was taken with yet.
    asked: Vec<(LiveSetting, f64)>,
    /// The last step.
    pub last: Option<StepReport>,
    /// Loss and accuracy so far.
    pub curves: Curves,
    /// The newest probe images.
    pub reconstructions: Option<Arc<Reconstructions>>,
    /// The newest filters.
    pub filters: Option<Arc<Filters>>,
    /// The steps whose weights can be looked back at.
    pub snapshots: Snapshots,
    /// The step that is looked back at; `None` for the newest weights.
    pub at: Option<u64>,
    /// Whether the change since that step is shown, instead of the weights of then.
    pub is_change: bool,
}

impl RunMonitor {
    /// A run that was just started.
    pub fn new(running: Running, project: Project) -> RunMonitor {
        let phase = Phase::Preparing {
            what: "Starting".into(),
            share: None,
        };
        RunMonitor {
            running: Some(running),
            project: Some(project),
            phase,
            ..RunMonitor::default()
        }
    }

    /// A run that was just started again from its last checkpoint; what it showed `before` stays until it is read anew.
    pub fn continued(running: Running, project: Project, before: RunMonitor, wake: &Wake) -> Self {
        RunMonitor {
            run: before.run,
            record: before.record,
            curves: before.curves,
            reconstructions: before.reconstructions,
            filters: before.filters,
            snapshots: before.snapshots,
            continued: Some(wake.clone()),
            ..RunMonitor::new(running, project)
        }
    }

    /// A run that another process trains, or that ended earlier: the curves of that are read on their own thread.
    pub fn stored(run: PathBuf, wake: &Wake) -> RunMonitor {
        if is_trained_elsewhere(&run)
            && let Some(followed) = RunMonitor::followed(&run, wake)
        {
            return followed;
        }
        let record = RunRecord::read(&run).ok();
        let says_running = |record: &RunRecord| record.status == Status::Running;
        let woken = wake.clone();
        let growth = record
            .as_ref()
            .filter(|record| says_running(record))
            .and_then(|_| Growth::watch(run.clone(), move || woken()));
        RunMonitor {
            record,
            growth: growth.map(|growth| (growth, wake.clone())),
            reading: read_curves(&run, wake),
            snapshots: Snapshots::read(&run),
            run: Some(run),
            ..RunMonitor::default()
        }
    }

    /// A run in training elsewhere; none where no thread is left to follow it.
    fn followed(run: &Path, wake: &Wake) -> Option<RunMonitor> {
        let woken = wake.clone();
        let running = follow(run.to_owned(), move || woken()).inspect_err(|error| {
            log::warn!(
                "no thread could be started to follow {}: {error}",
                run.display()
            );
        });
        Some(RunMonitor {
            running: Some(running.ok()?),
            is_followed: true,
            phase: Phase::Training,
            project: file::load(&run.join("project.toml")).ok(),
            run: Some(run.to_owned()),
            record: RunRecord::read(run).ok(),
            ..RunMonitor::default()
        })
    }

    /// How the run can go on from its last checkpoint; `None` while it is in training and where there is none.
    pub fn continuation(&self) -> Option<Continuation> {
        if self.is_live() || self.run.is_none() {
            return None;
        }
        let status = match &self.phase {
            Phase::Ended(Outcome::Completed(_)) => Status::Completed,
            Phase::Ended(_) => Status::Stopped,
            _ => self.record.as_ref()?.status,
        };
        match status {
            Status::Completed => Some(Continuation::MoreEpochs),
            Status::Running | Status::Stopped | Status::Failed => Some(Continuation::Rest),
        }
    }

    /// The weights that are looked back at.
    pub(super) fn earlier_weights(&self) -> Option<SavedWeights> {
        let run = self.run.clone()?;
        let at = self.at?;
        if !self.is_change {
            return Some(SavedWeights {
                run,
                step: Some(at),
                since: None,
            });
        }
        // A run in training has its newest weights in the last snapshot, one that has ended in its checkpoint.
        let newest = self.snapshots.steps.last().copied();
        Some(SavedWeights {
            run,
            step: newest.filter(|_| self.is_running()),
            since: Some(at),
        })
    }

    /// Looks back at the weights after this step, or at the newest. What a longer training no longer keeps is not looked
    /// at.
    pub(super) fn look_back(&mut self, step: Option<u64>) {
        self.at = step.filter(|step| self.snapshots.steps.contains(step));
    }

    /// How long the run that has ended was trained, in seconds.
    pub fn seconds(&self) -> Option<f64> {
        match &self.phase {
            Phase::Ended(Outcome::Completed(summary) | Outcome::Stopped(summary)) => {
                Some(summary.seconds)
            }
            _ => self.record.as_ref().map(|record| record.seconds),
        }
    }

    /// Whether the curves of a run that ended earlier are being read.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// True from the start until the last event of a run that this window trains.
    pub fn is_running(&self) -> bool {
        self.running.is_some() && !self.is_followed
    }

    /// Whether it trains, here or in another process whose folder is followed.
    pub fn is_live(&self) -> bool {
        self.running.is_some()
    }

    /// Whether it trains in another process.
    pub fn is_followed(&self) -> bool {
        self.running.is_some() && self.is_followed
    }

    /// Whether a run that is followed has written other weights since this was last asked.
    pub(super) fn take_new_weights(&mut self) -> bool {
        std::mem::take(&mut self.has_new_weights)
    }

    /// Sends a command; without a run nothing happens.
    pub fn send(&mut self, command: Command) {
        let Some(running) = &self.running else { return };
        // A full or closed channel means the run is ending; its last event says how.
        let sent = running.commands.try_send(command).is_ok();
        if sent && command == Command::Stop {
            self.phase = Phase::Stopping;
        }
    }

    /// The stage that is trained as its project has it.
    pub fn stage_settings(&self) -> Option<&Stage> {
        let index = self.stage.as_ref()?.index;
        self.project.as_ref()?.stages.get(index)
    }

    /// The settings that may be changed now, with what holds from the next step on.
    pub fn live_settings(&self) -> Vec<(LiveSetting, f64)> {
        let is_live = matches!(self.phase, Phase::Training | Phase::Paused);
        let Some(stage) = self.stage_settings().filter(|_| is_live) else {
            return Vec::new();
        };
        let step = self.last.as_ref().map_or(0, |last| last.step);
        let held = |setting: LiveSetting| {
            let asked = self.asked.iter().rev().find(|(of, _)| *of == setting);
            let changes = self.curves.changes.iter().rev();
            let mut changes = changes.filter(|change| {
                change.setting == setting && change.stage == stage.name && change.step <= step + 1
            });
            let own = setting.value(stage)?;
            let now = asked.map(|(_, value)| *value);
            let now = now.or_else(|| changes.next().map(|change| change.value));
            Some((setting, now.unwrap_or(own)))
        };
        LiveSetting::all().filter_map(held).collect()
    }

    /// Asks for another value of a setting from the next step on.
    pub fn adjust(&mut self, setting: LiveSetting, value: f64) {
        self.asked.push((setting, value));
        self.send(Command::Set(setting, value));
    }

    /// The same run followed, once it was seen to grow.
    fn grown(&mut self) -> Option<RunMonitor> {
        let (growth, wake) = self.growth.as_ref()?;
        let run = self.run.as_ref().filter(|_| growth.has_grown())?;
        let followed = RunMonitor::followed(run, wake);
        self.growth = None;
        followed
    }

    /// Takes what is new from the engine; returns a message for the user.
    pub fn drain(&mut self) -> Vec<(Weight, String)> {
        let mut news = Vec::new();
        if let Some(followed) = self.grown() {
            *self = followed;
            let text = "The run grows, so it is followed: another process trains it";
            news.push((Weight::Note, text.to_owned()));
        }
        match self.reading.as_ref().map(Receiver::try_recv) {
            Some(Ok(curves)) => {
                let damage = curves.damage.clone();
                news.extend(damage.map(|damage| (Weight::Warning, damage)));
                (self.curves, self.reading) = (curves, None);
            }
            Some(Err(TryRecvError::Disconnected)) => self.reading = None,
            Some(Err(TryRecvError::Empty)) | None => {}
        }
        for _ in 0..MOST_EVENTS {
            let Some(running) = &self.running else { break };
            // The curves of before come first.
            if self.is_reading() {
                break;
            }
            match running.events.try_recv() {
                Ok(event) => news.extend(self.take(event)),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    news.extend(self.take(Event::Finished(events::lost(self.run.clone()))))
                }
            }
        }
        self.take_pictures();
        news
    }

    /// True when events may be left after [`RunMonitor::drain`].
    pub fn has_more(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| !running.events.is_empty())
    }

    /// What the run in training publishes.
    pub fn live(&self) -> Option<Arc<LiveResults>> {
        let own = self.running.as_ref().filter(|_| !self.is_followed);
        own.map(|running| running.live.clone())
    }

    fn take_pictures(&mut self) {
        let Some(running) = &self.running else { return };
        let live = running.live.clone();
        self.take_from(&live);
    }

    fn take_from(&mut self, live: &LiveResults) {
        if let Some(newer) = live.reconstructions.take() {
            self.reconstructions = Some(newer);
        }
        if let Some(newer) = live.filters.take() {
            self.filters = Some(newer);
        }
    }
}

/// Reads the curves of a run on their own thread.
fn read_curves(run: &Path, wake: &Wake) -> Option<Receiver<Curves>> {
    let (sender, receiver) = bounded(1);
    let (wake, from) = (wake.clone(), run.to_path_buf());
    let thread = std::thread::Builder::new()
        .name("strata-curves".into())
        .spawn(move || {
            // A window that is gone needs no curves.
            sender.send(Curves::read(&from)).ok();
            wake();
        });
    if let Err(error) = &thread {
        log::warn!("no thread could be started to read curves: {error}");
    }
    thread.ok().map(|_| receiver)
}
