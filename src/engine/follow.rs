//! A run that another process trains, followed in its folder: what is written there becomes the events of a run, and
//! commands go into its command file. The folder may lie on a network drive, or be copied here as it grows.
//!
//! Nothing in the folder says that its process still lives: its lock does where both are on one machine, else that
//! something changes (`signs`). Tables may be replaced whole by others, end in half a line, come late or be away for a
//! while.

mod growth;
mod probe;
mod signs;

pub use growth::Growth;

use self::signs::{Signs, Verdict};
use crate::command::Command;
use crate::event::{EpochReport, Event, Failure, Metrics, Outcome, StepReport, Summary};
use crate::inspection::live::LiveResults;
use crate::run::command_file::ask;
use crate::storage::changes::{CHANGES_FILE, Changes};
use crate::storage::metrics_csv::{METRICS_FILE, STEPS_FILE};
use crate::storage::metrics_read::{Measurement, each_step, measurements};
use crate::storage::record::{RunRecord, Status};
use crate::storage::run_folder::{self, is_in_training};
use crate::storage::snapshots::Snapshots;
use crate::thread::Running;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use strata_core::project::data::Split;
use strata_core::project::{Project, file};

/// Between two looks at the folder, at least.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// Looking takes at most one part in so many of the time.
const SHARE: u32 = 10;
/// A run that says it is in progress, but was not written to for so long, is not followed when it is opened.
const SILENCE: Duration = Duration::from_secs(30);
/// After a pause was asked for: without a step for so long it holds.
const PAUSE: Duration = Duration::from_millis(1200);

/// Whether another process trains in a folder: it is locked, or says that it is in progress and was written to lately.
pub fn is_trained_elsewhere(run: &Path) -> bool {
    let is_running = RunRecord::read(run).is_ok_and(|record| record.status == Status::Running);
    is_running && (is_in_training(run) || was_written_lately(run))
}

/// Whether something was written lately; what a clock that is ahead wrote counts.
fn was_written_lately(run: &Path) -> bool {
    let files = [STEPS_FILE, METRICS_FILE, "run.json"];
    let times = files.iter().filter_map(|name| stamp(&run.join(name)));
    let Some(newest) = times.map(|(_, time)| time).max() else {
        return false;
    };
    let age = SystemTime::now().duration_since(newest);
    age.map_or(true, |age| age < SILENCE)
}

/// Length and time of a file.
fn stamp(file: &Path) -> Option<(u64, SystemTime)> {
    let found = fs::metadata(file).ok()?;
    Some((
        found.len(),
        found.modified().unwrap_or(SystemTime::UNIX_EPOCH),
    ))
}

/// Follows a run on a thread of its own. `wake` is called there after news. Fails when the system has no thread left.
pub fn follow(run: PathBuf, wake: impl Fn() + Send + 'static) -> std::io::Result<Running> {
    let (commands, requests) = unbounded();
    let (facts, events) = unbounded();
    let live = Arc::new(LiveResults::default());
    let mut follower = Follower {
        project: file::load(&run.join("project.toml")).ok(),
        run,
        facts,
        live: Arc::clone(&live),
        stamps: HashMap::new(),
        stage: None,
        step: 0,
        epochs: BTreeMap::new(),
        snapshots: Snapshots::default(),
        probe: None,
        signs: Signs::new(),
        pause: None,
        is_paused: false,
        speed: None,
    };
    std::thread::Builder::new()
        .name("strata-follow".to_owned())
        .spawn(move || follower.run(&requests, &wake))?;
    Ok(Running {
        commands,
        events,
        live,
    })
}

struct Follower {
    run: PathBuf,
    project: Option<Project>,
    facts: Sender<Event>,
    live: Arc<LiveResults>,
    /// Length and time of files when they were last read.
    stamps: HashMap<PathBuf, (u64, SystemTime)>,
    stage: Option<FollowedStage>,
    /// The newest step that was told.
    step: u64,
    /// Epochs that were told, by stage and epoch: with how many splits.
    epochs: BTreeMap<(String, u32), usize>,
    snapshots: Snapshots,
    /// The newest file of probe images.
    probe: Option<PathBuf>,
    signs: Signs,
    /// When a pause was asked for.
    pause: Option<Instant>,
    is_paused: bool,
    /// When steps were last told, and how many there were.
    speed: Option<(Instant, u64)>,
}

/// The stage whose steps come.
struct FollowedStage {
    index: usize,
    name: String,
    /// Steps before it.
    first: u64,
    /// Steps of an epoch, as far as is known.
    steps_per_epoch: u64,
    /// Whether its place in the project was known when it was told.
    has_project: bool,
}

impl Follower {
    fn run(&mut self, requests: &Receiver<Command>, wake: &dyn Fn()) {
        let record = RunRecord::read(&self.run).unwrap_or_default();
        self.tell(Event::Started {
            run: self.run.clone(),
            device: record.device,
            splits: Vec::new(),
            classes: Vec::new(),
            skipped: Vec::new(),
        });
        loop {
            let began = Instant::now();
            let has_grown = self.run.is_dir() && self.look();
            self.judge_pause(has_grown);
            if let Some(outcome) = self.end() {
                // What was written between the last look and its end.
                self.look();
                self.tell(Event::Finished(outcome));
                return wake();
            }
            wake();
            let rest = LOOK_EVERY.max(began.elapsed() * SHARE);
            match requests.recv_timeout(rest) {
                Ok(command) => self.pass_on(command),
                Err(RecvTimeoutError::Timeout) => {}
                // Nobody follows any more.
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn tell(&self, event: Event) {
        // A window that is gone needs no news.
        let _ = self.facts.send(event);
    }

    /// Whether a file has changed since it was last asked for.
    fn has_changed(&mut self, file: &Path) -> bool {
        let Some(stamp) = stamp(file) else {
            return false;
        };
        let has_changed = self.stamps.insert(file.to_owned(), stamp) != Some(stamp);
        if has_changed {
            self.signs.seen();
        }
        has_changed
    }

    /// Tells what is new; whether steps are.
    fn look(&mut self) -> bool {
        let [steps, metrics, changes] =
            [STEPS_FILE, METRICS_FILE, CHANGES_FILE].map(|name| self.run.join(name));
        if self.has_changed(&changes)
            && let Ok(changes) = Changes::read(&self.run)
        {
            self.tell(Event::Changes(changes.all().to_vec()));
        }
        // The project may come after the tables.
        if self.project.is_none() {
            self.project = file::load(&self.run.join("project.toml")).ok();
        }
        let before = self.step;
        // Asked before they are read: what is written meanwhile is read with the next look.
        let [has_steps, has_epochs] = [&steps, &metrics].map(|file| self.has_changed(file));
        let measured = measurements(&self.run);
        if has_steps {
            self.steps(&measured);
        }
        if has_epochs {
            self.epochs(&measured);
        }
        let snapshots = Snapshots::read(&self.run);
        if snapshots != self.snapshots {
            self.snapshots = snapshots.clone();
            self.tell(Event::Snapshots(snapshots));
        }
        self.probe();
        if let Ok(last) = run_folder::find_checkpoint(&self.run, "last")
            && self.has_changed(&last)
        {
            self.tell(Event::InspectionsUpdated);
        }
        self.step > before
    }

    fn steps(&mut self, measured: &[Measurement]) {
        let record = RunRecord::read(&self.run).unwrap_or_default();
        let mut rows = Vec::new();
        let told = self.step;
        each_step(&self.run, |line| {
            if line.step as u64 > told {
                let epoch = line.epoch.unwrap_or(1.0) as u32;
                let report = StepReport {
                    epoch,
                    step: line.step as u64,
                    loss: line.loss,
                    penalty: line.penalty,
                    accuracy: line.accuracy,
                    lr: line.lr.unwrap_or(f64::NAN),
                    images_per_second: record.images_per_second,
                    ..StepReport::default()
                };
                rows.push((line.stage.to_owned(), report));
            }
        });
        let Some((_, newest)) = rows.last() else {
            return;
        };
        let newest = newest.step;
        let seconds_a_step = self.speed.map(|(at, step)| {
            at.elapsed().as_secs_f64() / newest.saturating_sub(step).max(1) as f64
        });
        self.speed = Some((Instant::now(), newest));
        for (name, mut report) in rows {
            self.enter(&name, report.step, newest, measured);
            let Some(stage) = &self.stage else {
                continue;
            };
            let within = report.step - stage.first;
            report.stage = stage.index;
            let done = u64::from(report.epoch.saturating_sub(1)) * stage.steps_per_epoch;
            report.step_in_epoch = within.saturating_sub(done);
            report.seconds_left = self.steps_left(within) as f64 * seconds_a_step.unwrap_or(0.0);
            self.step = report.step;
            self.tell(Event::Step(report));
        }
        // How long an epoch is is known when the first has ended.
        if let Some(name) = self.stage.as_ref().map(|stage| stage.name.clone()) {
            self.enter(&name, newest, newest, measured);
        }
    }

    /// Steps of this and later stages that are left, as far as is known.
    fn steps_left(&self, within: u64) -> u64 {
        let (Some(stage), Some(project)) = (&self.stage, &self.project) else {
            return 0;
        };
        let epochs = project
            .stages
            .get(stage.index)
            .map_or(0, |stage| stage.epochs);
        (u64::from(epochs) * stage.steps_per_epoch).saturating_sub(within)
    }

    /// Tells of a stage that begins with a step, and of the length of its epochs when it is known.
    fn enter(&mut self, name: &str, step: u64, newest: u64, measured: &[Measurement]) {
        let is_same = self.stage.as_ref().is_some_and(|stage| stage.name == name);
        let first = match &self.stage {
            Some(stage) if is_same => stage.first,
            _ => step.saturating_sub(1),
        };
        let of_stage = measured.iter().filter(|line| line.stage == name);
        let ended = of_stage
            .filter_map(|line| Some((line.epoch?, line.step)))
            .next_back();
        let steps_per_epoch = match ended {
            Some((epochs, end)) => ((end - first as f64) / epochs.max(1.0)).round() as u64,
            None => newest.saturating_sub(first),
        };
        let steps_per_epoch = steps_per_epoch.max(1);
        if is_same
            && self.stage.as_ref().is_some_and(|stage| {
                stage.steps_per_epoch == steps_per_epoch
                    && stage.has_project == self.project.is_some()
            })
        {
            return;
        }
        let stages = self
            .project
            .iter()
            .flat_map(|project| project.stages.iter());
        let found = stages.enumerate().find(|(_, stage)| stage.name == name);
        let index = found.map_or(0, |(index, _)| index);
        self.tell(Event::Stage {
            index,
            name: name.to_owned(),
            task: found.map(|(_, stage)| stage.task).unwrap_or_default(),
            epochs: found.map_or(1, |(_, stage)| stage.epochs),
            steps_per_epoch,
        });
        self.stage = Some(FollowedStage {
            index,
            name: name.to_owned(),
            first,
            steps_per_epoch,
            has_project: self.project.is_some(),
        });
    }

    fn epochs(&mut self, measured: &[Measurement]) {
        let mut epochs: BTreeMap<(String, u32), EpochReport> = BTreeMap::new();
        for line in measured {
            let split = Split::ALL
                .into_iter()
                .find(|split| split.name() == line.split);
            let (Some(split), Some(epoch)) = (split, line.epoch) else {
                continue;
            };
            let epoch = epoch as u32;
            let stages = self
                .project
                .iter()
                .flat_map(|project| project.stages.iter());
            let index = stages
                .enumerate()
                .find(|(_, stage)| stage.name == line.stage);
            let report = epochs
                .entry((line.stage.clone(), epoch))
                .or_insert(EpochReport {
                    stage: index.map_or(0, |(index, _)| index),
                    epoch,
                    step: line.step as u64,
                    metrics: Vec::new(),
                });
            let metrics = Metrics {
                loss: line.loss.unwrap_or(f64::NAN),
                accuracy: line.accuracy,
                f1: line.f1,
                exact_match: line.exact_match,
                log_loss: line.log_loss,
                ..Metrics::default()
            };
            // The training split comes first.
            let place = if line.is_trained {
                0
            } else {
                report.metrics.len()
            };
            report.metrics.insert(place, (split, metrics));
        }
        let mut news: Vec<((String, u32), EpochReport)> = epochs
            .into_iter()
            .filter(|(key, report)| self.epochs.get(key) != Some(&report.metrics.len()))
            .collect();
        news.sort_by_key(|(_, report)| report.step);
        for (key, report) in news {
            self.epochs.insert(key, report.metrics.len());
            self.tell(Event::Epoch(report));
        }
    }

    /// Publishes the newest probe images.
    fn probe(&mut self) {
        let entries = fs::read_dir(self.run.join("probe"))
            .into_iter()
            .flatten()
            .flatten();
        let files = entries.map(|entry| entry.path());
        let newest = files
            .filter(|file| {
                file.extension()
                    .is_some_and(|ending| ending == "safetensors")
            })
            .max();
        let Some(newest) = newest.filter(|newest| self.probe.as_ref() != Some(newest)) else {
            return;
        };
        // One that is not there whole yet is read again.
        let pictures = probe::pictures(&newest, self.project.as_ref(), self.step);
        if let Some(pictures) = pictures {
            self.live.reconstructions.put(pictures);
            self.probe = Some(newest);
        }
    }

    fn pass_on(&mut self, command: Command) {
        match command {
            Command::RefreshInspections => return,
            Command::Pause | Command::Steps(_) => self.pause = Some(Instant::now()),
            Command::Resume | Command::Stop => self.pause = None,
            Command::Set(..) => {}
        }
        if let Err(error) = ask(&self.run, &[command]) {
            self.tell(Event::warning(format!(
                "What was asked of the run could not be written into its folder: {error}"
            )));
        }
    }

    /// Tells of a pause that was asked for here once no step comes any more, and of its end.
    fn judge_pause(&mut self, has_grown: bool) {
        if has_grown && self.is_paused {
            self.is_paused = false;
            self.tell(Event::Resumed);
        }
        if has_grown && self.pause.is_some() {
            self.pause = Some(Instant::now());
        }
        if self.pause.is_some_and(|since| since.elapsed() >= PAUSE) {
            (self.pause, self.is_paused) = (None, true);
            self.tell(Event::Paused);
        }
    }

    /// How the run ended, once it has.
    fn end(&mut self) -> Option<Outcome> {
        let Ok(record) = RunRecord::read(&self.run) else {
            if let Verdict::Warn(text) = self.signs.unreachable(&self.run) {
                self.tell(Event::warning(text));
            }
            return None;
        };
        let by_split = |(name, metrics): (&String, &Metrics)| {
            let split = Split::ALL.into_iter().find(|split| split.name() == name)?;
            Some((split, metrics.clone()))
        };
        let summary = Summary {
            run: self.run.clone(),
            metrics: record.metrics.iter().filter_map(by_split).collect(),
            seconds: record.seconds,
            images_per_second: record.images_per_second,
        };
        let failed = |message: String| {
            Outcome::Failed(Failure {
                in_window: message.clone(),
                message,
                wrong_input: false,
                stage: None,
                repairs: Vec::new(),
                of_gpu: false,
                run: Some(self.run.clone()),
            })
        };
        match record.status {
            Status::Completed => Some(Outcome::Completed(summary)),
            Status::Stopped => Some(Outcome::Stopped(summary)),
            Status::Failed => Some(failed(record.message.unwrap_or_default())),
            Status::Running => match self.signs.judge(&self.run, self.is_paused) {
                Verdict::Lives => None,
                Verdict::Warn(text) => {
                    self.tell(Event::warning(text));
                    None
                }
                // It may have ended between the record and the lock.
                Verdict::Dead(_) if self.has_ended() => None,
                Verdict::Dead(why) => Some(failed(why)),
            },
        }
    }
}

impl Follower {
    fn has_ended(&self) -> bool {
        RunRecord::read(&self.run).is_ok_and(|record| record.status != Status::Running)
    }
}
