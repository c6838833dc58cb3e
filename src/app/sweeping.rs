//! The sweep that the window shows: planned, on its way or read from its folder.

use crossbeam_channel::Receiver;
use std::path::PathBuf;
use std::sync::Arc;
use strata_core::project::Project;
use strata_sweep::Table;
use strata_sweep::task::{Live, SweepTask};

/// A change of the sweep that the window shows.
#[derive(Clone, Debug, PartialEq)]
pub enum OnSweep {
    /// Looks for what is there of the project's sweep.
    Find,
    /// Trains what is left of it (true), or ends that.
    Train(bool),
    /// Writes its report into its folder.
    Report,
}

/// What was found of a project's sweep.
pub(super) struct Found {
    /// The trials as they are planned, or why there are none.
    pub planned: Result<Table, String>,
    /// Its newest folder, with its table.
    pub begun: Option<(PathBuf, Table)>,
}

/// The sweep that the window shows.
#[derive(Default)]
pub struct Sweeping {
    /// The trials as they are planned, or why there are none; nothing until that is known.
    pub planned: Option<Result<Arc<Table>, String>>,
    /// The folder in which it was begun, with its newest table.
    pub begun: Option<(PathBuf, Arc<Table>)>,
    /// Why it could not go on.
    pub failed: Option<String>,
    /// The project, and the folder of its file, that were looked for last.
    pub(super) of: Option<(Project, PathBuf)>,
    /// The sweep's folder that was opened last.
    pub(super) opened: Option<PathBuf>,
    pub(super) finding: Option<Receiver<Found>>,
    pub(super) task: Option<SweepTask>,
}

impl Sweeping {
    /// Whether what is shown is of this project.
    pub fn is_of(&self, project: &Project, base: &PathBuf) -> bool {
        self.of
            .as_ref()
            .is_some_and(|(of, at)| of == project && at == base)
    }

    /// Shows what is trained in a sweep's folder.
    pub(super) fn open(&mut self, folder: PathBuf) {
        (self.of, self.begun) = (None, None);
        self.opened = Some(folder);
    }

    /// Whether it is being looked for.
    pub fn is_finding(&self) -> bool {
        self.finding.is_some()
    }

    /// Whether it is on its way.
    pub fn is_running(&self) -> bool {
        self.task.is_some()
    }

    /// Ends it: its runs leave a checkpoint.
    pub(super) fn stop(&self) {
        self.task.iter().for_each(SweepTask::stop);
    }

    /// Whether it was stopped and has yet to notice.
    pub fn is_ending(&self) -> bool {
        self.task.as_ref().is_some_and(SweepTask::is_ending)
    }

    /// What is known of it while it is on its way.
    pub fn live(&self) -> Option<Live> {
        self.task.as_ref().map(SweepTask::live)
    }

    /// The newest table: of what is trained, else of what is planned.
    pub fn table(&self) -> Option<Arc<Table>> {
        let live = self.live().and_then(|live| live.table);
        let begun = || self.begun.as_ref().map(|(_, table)| table.clone());
        let planned = || self.planned.as_ref()?.as_ref().ok().cloned();
        live.or_else(begun).or_else(planned)
    }

    /// Its folder, once it was begun.
    pub fn folder(&self) -> Option<PathBuf> {
        let running = self.task.as_ref().map(|task| task.folder.clone());
        running.or_else(|| self.begun.as_ref().map(|(folder, _)| folder.clone()))
    }
}
