//! Starting a run, and going on with one that has ended.

use crate::messages::Weight;
use crate::run_monitor::{Phase, RunMonitor};
use crate::services::Services;
use crate::state::State;
use std::path::{Path, PathBuf};
use strata_core::project::edit::Edit;
use strata_core::project::help::Surface;
use strata_core::project::stage::Stage;
use strata_core::project::{Project, file};
use strata_engine::command::Command;
use strata_engine::event::Outcome;
use strata_engine::storage::branch::branch;
use strata_engine::storage::run_folder::checkpoints;
use strata_engine::thread::RunOptions;

impl State {
    /// Starts a run with a copy of the project.
    pub(super) fn train(&mut self, services: &Services) {
        if self.can_start() {
            let options = self.run_options();
            let project = self.project().alone();
            self.start_run(project, options, services, |running, project, _| {
                RunMonitor::new(running, project)
            });
        }
    }

    /// The run that has ended, where it can be gone on with; what keeps it from that is told.
    fn run_to_go_on(&mut self) -> Option<PathBuf> {
        let run = self.training.run.clone()?;
        if !self.can_start() {
            return None;
        }
        match self.fits(&run) {
            Ok(_) => Some(run),
            Err(reason) => {
                self.messages.add(Weight::Warning, reason);
                None
            }
        }
    }

    /// Goes on with the run that has ended, with the settings of the project as it is now. Epochs beyond those of its last
    /// stage are written into the project too, so that it says what was trained.
    pub(super) fn continue_run(&mut self, more: Option<u32>, services: &Services) {
        let Some(run) = self.run_to_go_on() else {
            return;
        };
        if let Some(more) = more {
            self.extend_last_stage(more);
        }
        let options = RunOptions {
            run: Some(run),
            resume: true,
            more_epochs: more,
            ..self.run_options()
        };
        let wake = services.wake.clone();
        let project = self.project_to_train();
        self.start_run(project, options, services, |running, project, before| {
            RunMonitor::continued(running, project, before, &wake)
        });
    }

    /// Goes on from a checkpoint of the run that has ended, in a new run: the other stays as it is.
    pub(super) fn branch_run(&mut self, checkpoint: &str, services: &Services) {
        let Some(run) = self.run_to_go_on() else {
            return;
        };
        let made = match branch(&run, checkpoint, None) {
            Ok(made) => made,
            Err(error) => {
                return self
                    .messages
                    .add(Weight::Error, error.text(Surface::Window));
            }
        };
        self.training.look_back(None);
        let options = RunOptions {
            run: Some(made.clone()),
            resume: true,
            ..self.run_options()
        };
        let wake = services.wake.clone();
        let project = self.project_to_train();
        self.start_run(project, options, services, |running, project, _| {
            let begun = RunMonitor::stored(made, &wake);
            RunMonitor::continued(running, project, begun, &wake)
        });
    }

    /// Trains the project as it is now with the weights of the run: layers that are wider inherit, other edited ones begin
    /// anew. A run that is paused is stopped first.
    pub(super) fn train_from_run(&mut self, services: &Services) {
        if self.training.phase == Phase::Paused {
            if let Some(hindrance) = self.hindrance() {
                return self.tell_hindrance(hindrance);
            }
            self.training.send(Command::Stop);
            self.trains_next = true;
            return;
        }
        let Some(run) = self.training.run.clone().filter(|_| self.can_start()) else {
            return;
        };
        let options = RunOptions {
            weights_of: Some(run),
            ..self.run_options()
        };
        let project = self.project_to_train();
        self.start_run(project, options, services, |running, project, _| {
            RunMonitor::new(running, project)
        });
    }

    /// Whether the run has stopped so that the edited network can be trained; not where it failed meanwhile.
    pub(super) fn takes_turn(&mut self) -> bool {
        if self.training.is_running() {
            return false;
        }
        let waited = std::mem::take(&mut self.trains_next);
        waited && matches!(self.training.phase, Phase::Ended(Outcome::Stopped(_)))
    }

    /// The checkpoints of the run that has ended, besides the newest.
    pub fn checkpoints(&self) -> Vec<String> {
        let run = self.training.run.as_deref();
        let run = run.filter(|_| !self.training.is_running());
        let mut names = run.map(checkpoints).unwrap_or_default();
        names.retain(|name| name != "last");
        names
    }

    /// As many epochs as the last stage has: what a finished run goes on with where nothing else is asked for.
    pub fn epochs_again(&self) -> u32 {
        let last = self.project().stages.last();
        last.map_or(1, |stage| stage.epochs)
    }

    /// Whether nothing is in training and the project can be trained; says why it cannot.
    fn can_start(&mut self) -> bool {
        if self.training.is_running() {
            return false;
        }
        match self.hindrance() {
            Some(hindrance) => {
                self.tell_hindrance(hindrance);
                false
            }
            None => true,
        }
    }

    /// The settings that are shown, as they are trained: what another run of the file gives is where that run lies.
    fn project_to_train(&self) -> Project {
        let planned = self.as_trained().next().cloned();
        planned.unwrap_or_else(|| self.project().alone())
    }

    pub(super) fn run_options(&self) -> RunOptions {
        RunOptions {
            base: self.base(),
            device: self.device.clone(),
            no_snapshots: !self.view.keeps_snapshots,
            ..RunOptions::default()
        }
    }

    /// Starts the engine; `monitor` follows the run, in place of the one before.
    pub(super) fn start_run(
        &mut self,
        project: Project,
        options: RunOptions,
        services: &Services,
        monitor: impl FnOnce(strata_engine::thread::Running, Project, RunMonitor) -> RunMonitor,
    ) {
        if let Phase::Ended(Outcome::Failed(failure)) = &self.training.phase {
            self.messages.withdraw(&failure.in_window);
        }
        self.inspections.stop_measuring();
        match (services.start)(project.clone(), options, services.wake.clone()) {
            Ok(running) => {
                // Runs of a file are trained one after the other: what was told of any of them is to be read.
                if !self.studying.is_training() {
                    self.messages.withdraw_warnings_of_run();
                }
                let before = std::mem::take(&mut self.training);
                self.training = monitor(running, project, before);
                self.started_from = Some(self.view.workspace);
                self.inspections.forget_run();
            }
            Err(error) => {
                let text = format!(
                    "the training thread could not be started: {error}; close other programs and press Train again"
                );
                self.messages.add(Weight::Error, text);
            }
        }
    }

    /// Whether the run can go on with the layers as they are now.
    fn fits(&self, run: &Path) -> Result<(), String> {
        let trained = file::load(&run.join("project.toml")).map_err(|error| error.in_window())?;
        if trained.network == *self.network() {
            return Ok(());
        }
        Err(format!(
            "The layers are not those that were trained in {}: undo the changes (Ctrl+Z) to go on with that run, press Train for a new one, or choose Train with the weights of this run (Ctrl+K), where wider layers inherit and only the changed ones begin anew",
            run.display()
        ))
    }

    fn extend_last_stage(&mut self, more: u32) {
        let Some(stage) = self.project().stages.last().cloned() else {
            return;
        };
        let trained = self.training.curves.epochs_of(&stage.name);
        let epochs = trained.saturating_add(more);
        if epochs != stage.epochs {
            let last = self.project().stages.len() - 1;
            self.edit(&Edit::Stage(last, Stage { epochs, ..stage }));
        }
    }
}
