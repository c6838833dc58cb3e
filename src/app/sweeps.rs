//! The sweep of the project: found, trained on its own thread, stopped and gone on with.

use super::messages::Weight;
use super::services::Services;
use super::state::State;
use super::sweeping::{Found, OnSweep};
use super::wake::Wake;
use crossbeam_channel::bounded;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::project::Project;
use strata_core::spoken::spoken;
use strata_export::sweep;
use strata_sweep::folder::{find, is_sweep};
use strata_sweep::task::{SweepTask, open};
use strata_sweep::work::Options;
use strata_sweep::{Plan, SweepError, SweepFolder, Table};

impl State {
    /// Applies a change of the sweep.
    pub(super) fn sweep(&mut self, change: OnSweep, services: &Services) {
        match change {
            OnSweep::Find => self.find_sweep(&services.wake),
            OnSweep::Train(true) => self.train_sweep(services),
            OnSweep::Train(false) => self.sweeping.stop(),
            OnSweep::Report => self.report_sweep(),
        }
    }

    /// Whether the project's sweep can be trained now.
    pub fn can_sweep(&self) -> bool {
        let is_planned = matches!(self.sweeping.planned, Some(Ok(_)));
        let begun = self.sweeping.begun.as_ref();
        let is_done = begun.is_some_and(|(_, table)| table.is_done());
        is_planned && !is_done && !self.sweeping.is_running() && self.refused.is_empty()
    }

    /// Looks for it on a thread of its own: a grid may have many trials, a folder may be far away.
    fn find_sweep(&mut self, wake: &Wake) {
        let (project, base) = (self.project().clone(), self.base());
        self.sweeping.of = Some((project.clone(), base.clone()));
        let opened = self.sweeping.opened.clone();
        let (sender, receiver) = bounded(1);
        let wake = wake.clone();
        let thread = std::thread::Builder::new().name("strata-find-sweep".to_owned());
        let spawned = thread.spawn(move || {
            // A newer question may have taken the place of this one.
            sender.send(found(&project, &base, opened.as_deref())).ok();
            wake();
        });
        match spawned {
            Ok(_) => self.sweeping.finding = Some(receiver),
            Err(error) => {
                self.sweeping.planned = Some(Err(format!(
                    "no thread could be started: {error}; close other programs"
                )))
            }
        }
    }

    fn train_sweep(&mut self, services: &Services) {
        if !self.can_sweep() {
            return;
        }
        if self.training.is_running() {
            let text = "A run is being trained: stop it first, a sweep takes all threads";
            return self.messages.add(Weight::Warning, text);
        }
        let (project, base) = (self.project().clone(), self.base());
        let former = self
            .sweeping
            .begun
            .as_ref()
            .map(|(folder, _)| folder.clone());
        let prepared = || -> Result<(SweepFolder, Plan), SweepError> {
            let folder = match former {
                Some(former) => SweepFolder::open(&former)?,
                None => SweepFolder::create(None, &base, &project)?,
            };
            let plan = folder.plan()?;
            Ok((folder, plan))
        };
        let options = Options {
            device: self.device.clone(),
            is_background: true,
            ..Options::default()
        };
        let wake = services.wake.clone();
        self.sweeping.failed = None;
        let started = prepared().map_err(|error| error.in_window());
        let started = started.and_then(|(folder, plan)| {
            let task = SweepTask::start(folder, plan, options, move || wake());
            task.map_err(|error| {
                format!("no thread could be started for the sweep: {error}; close other programs")
            })
        });
        match started {
            Ok(task) => self.sweeping.task = Some(task),
            Err(why) => self.messages.add(Weight::Error, why),
        }
    }

    fn report_sweep(&mut self) {
        let (Some(folder), Some(table)) = (self.sweeping.folder(), self.sweeping.table()) else {
            return;
        };
        let file = sweep::usual_file(&folder);
        match sweep::write(&folder, &table, &file) {
            Ok(()) => {
                let text = format!("The report of the sweep is {}", file.display());
                self.messages.add(Weight::Note, text);
            }
            Err(error) => self.messages.add(Weight::Error, spoken(&error.to_string())),
        }
    }

    /// Takes what came of it.
    pub(super) fn drain_sweep(&mut self) {
        let found = self
            .sweeping
            .finding
            .as_ref()
            .and_then(|found| found.try_recv().ok());
        if let Some(found) = found {
            self.sweeping.finding = None;
            // Without a sweep of its own a project leaves the last one where it is: it may be one of its trials.
            if self.project().sweep.is_some() || self.sweeping.begun.is_none() {
                self.sweeping.begun = found.begun.map(|(folder, table)| (folder, Arc::new(table)));
            }
            self.sweeping.planned = Some(found.planned.map(Arc::new));
        }
        let ended = self.sweeping.task.as_ref().and_then(SweepTask::ended);
        let Some(ended) = ended else { return };
        let folder = self.sweeping.folder();
        let was_stopped = self.sweeping.is_ending();
        let last = self.sweeping.table();
        self.sweeping.task = None;
        let table = match ended {
            Ok(table) => {
                let text = told(&table, was_stopped);
                self.messages.add(Weight::Note, text);
                Some(Arc::new(table))
            }
            Err(why) => {
                self.messages.add(Weight::Error, why.clone());
                self.sweeping.failed = Some(why);
                last
            }
        };
        self.sweeping.begun = folder.zip(table);
    }
}

fn told(table: &Table, was_stopped: bool) -> String {
    let best = table.trials.iter().find(|row| row.rank == Some(1));
    let best = best.and_then(|row| Some((row.number, row.value?)));
    let ended = if was_stopped {
        "The sweep was stopped"
    } else {
        "The sweep is trained"
    };
    match best {
        Some((number, value)) => format!(
            "{ended}: the best is trial {number}, {} {}",
            table.metric.name(),
            table.spread_text(value)
        ),
        None => format!("{ended}: no trial was completed"),
    }
}

/// What there is of a project's sweep.
fn found(project: &Project, base: &Path, opened: Option<&Path>) -> Found {
    let planned = Plan::new(project).map(|plan| Table::planned(&plan));
    let is_own = |folder: &&Path| {
        let own = || SweepFolder::open(folder).and_then(|folder| folder.project());
        is_sweep(folder) && own().is_ok_and(|own| own == *project)
    };
    // The folder may be known, because it or the project in it was opened.
    let known = opened.filter(is_own).or_else(|| Some(base).filter(is_own));
    let known = known.map(Path::to_path_buf);
    let folder: Option<PathBuf> = match project.sweep.is_some() {
        true => known.or_else(|| find(base, project)),
        false => None,
    };
    let begun = folder.and_then(|folder| {
        let read = open(&folder);
        let read = read.inspect_err(|why| log::warn!("{} was not read: {why}", folder.display()));
        let (_, _, table) = read.ok()?;
        Some((folder, table))
    });
    Found {
        planned: planned.map_err(|error| error.in_window()),
        begun,
    }
}
