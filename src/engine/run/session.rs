//! A run in progress: the state that all stages use, and what is done with it between steps.

use super::clock::{Clock, Kept};
use super::control::{Control, Next};
use super::evaluate::{Measure, measure};
use super::finite;
use crate::command::Until;
use crate::error::RunError;
use crate::event::{Event, Metrics, Sink, Summary};
use crate::inspection::live::{self, LiveResults};
use crate::inspection::live_previews::{self, LivePreviews};
use crate::storage::changes::{Change, Changes};
use crate::storage::checkpoint::{self, CheckpointError, Position};
use crate::storage::dynamics_csv::DynamicsWriter;
use crate::storage::metrics_csv::MetricsWriter;
use crate::storage::probe_files::ProbeFiles;
use crate::storage::record::{RunRecord, Status};
use crate::storage::run_folder::RunFolder;
use crate::storage::snapshots::{SnapshotWriter, Snapshots};
use candle_core::{Device, Tensor};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use strata_core::project::Project;
use strata_core::project::data::Split;
use strata_core::project::live_setting::LiveSetting;
use strata_core::project::stage::Stage;
use strata_core::shape::Inference;
use strata_data::Dataset;
use strata_inspect::filters::Filters;
use strata_inspect::inspector::Inspector;
use strata_inspect::reconstructions::Reconstructions;
use strata_nn::Network;

/// Tensors under their keys.
pub(crate) type Named = [(String, Tensor)];

/// A run in progress.
pub(crate) struct Session<'a> {
    /// The project as it is trained.
    pub project: Project,
    /// The only stage to train, if one was asked for.
    pub only: Option<usize>,
    pub inference: Inference,
    pub dataset: Arc<Dataset>,
    pub network: Network,
    pub device: Device,
    /// Bytes of a GPU's memory that were free before the run took any.
    pub free_on_device: Option<u64>,
    pub folder: RunFolder,
    pub record: RunRecord,
    /// Settings that were, or will be, changed while it trains.
    pub changes: Changes,
    /// It is trained again, with changes that are given.
    pub is_repeated: bool,
    /// Where it stops, unless it ends before.
    pub until: Option<Until>,
    pub tables: MetricsWriter,
    pub dynamics: DynamicsWriter,
    pub previews: LivePreviews,
    /// Keeps the weights of earlier steps, where that is wanted and works.
    pub snapshots: Option<SnapshotWriter>,
    pub inspector: Inspector,
    pub clock: Clock,
    /// Threads that make batches ahead.
    pub loaders: usize,
    pub position: Position,
    /// The optimizer's memory in the checkpoint that the run continues from.
    pub optimizer: Option<HashMap<String, Tensor>>,
    /// The last metrics of each split.
    pub metrics: Vec<(Split, Metrics)>,
    pub control: Control<'a>,
    pub sink: &'a mut dyn Sink,
    pub live: &'a LiveResults,
}

/// Stages to train, in order, from this position on.
pub(crate) fn stages_left(
    project: &Project,
    only: Option<usize>,
    position: &Position,
) -> Vec<usize> {
    let stages = position.stage..project.stages.len();
    stages
        .filter(|stage| only.is_none_or(|only| only == *stage))
        .collect()
}

impl Session<'_> {
    /// Stages to train, in order, from the run's position on.
    pub(crate) fn stages_left(&self) -> Vec<usize> {
        stages_left(&self.project, self.only, &self.position)
    }

    /// Whether there is anything to train.
    pub(crate) fn has_steps_left(&self) -> bool {
        let position = &self.position;
        let epochs = |index: usize| {
            self.project
                .stages
                .get(index)
                .map_or(0, |stage| stage.epochs)
        };
        self.stages_left()
            .iter()
            .any(|&index| index != position.stage || position.epoch < epochs(index))
    }

    /// Whether the run has come to where it was to stop.
    pub(crate) fn is_at_end(&self) -> bool {
        let position = &self.position;
        self.until.is_some_and(|until| {
            position.step >= until.step && position.epochs_done >= until.epochs_done
        })
    }

    /// Waits while paused, with fresh previews and replies; false when the run is to stop.
    pub fn wait(&mut self) -> bool {
        if self.is_at_end() {
            return false;
        }
        if self.control.must_wait() {
            self.publish();
        }
        let start = Instant::now();
        let next = loop {
            match self.control.wait(self.sink) {
                Next::Refresh => {
                    self.publish();
                    self.sink.event(Event::InspectionsUpdated);
                }
                next => break next,
            }
        };
        self.clock.leave_out(start);
        next == Next::Step
    }

    /// Publishes new previews, and replies to what was asked.
    pub(crate) fn publish(&mut self) -> (Option<Filters>, Option<Reconstructions>) {
        let start = Instant::now();
        let made = self.publish_previews();
        live::reply_to_queries(self);
        self.previews.rest(start.elapsed());
        made
    }

    fn publish_previews(&mut self) -> (Option<Filters>, Option<Reconstructions>) {
        let stage = self.project.stages.get(self.position.stage);
        let batch = stage.map_or(1, |stage| stage.batch as usize);
        let (filters, images) = self.previews.make(
            &mut self.network,
            &self.dataset,
            &self.inference,
            batch,
            self.position.step,
        );
        live_previews::publish(self.live, filters.as_ref(), images.as_ref());
        (filters, images)
    }

    /// Notes what was asked of this stage's settings, from the next step on; what it has no setting for is told.
    pub(crate) fn note_settings(&mut self, stage: &Stage) -> Result<(), RunError> {
        let asked = self.control.take_settings();
        if asked.is_empty() {
            return Ok(());
        }
        let mut trial = stage.clone();
        for (setting, value) in asked {
            match setting.set(&mut trial, value) {
                Ok(()) => self.change(&stage.name, setting, value),
                Err(error) => self.sink.event(Event::Warning {
                    message: error.to_string(),
                    in_window: setting
                        .refusal(stage, value)
                        .unwrap_or_else(|| format!("the {} was not changed", setting.name())),
                }),
            }
        }
        self.write_changes()
    }

    /// A setting that holds from the next step on.
    pub(crate) fn change(&mut self, stage: &str, setting: LiveSetting, value: f64) {
        self.changes.add(Change {
            step: self.position.step + 1,
            stage: stage.to_owned(),
            setting,
            value,
        });
    }

    /// Writes the changes, before any step that is taken with them, and tells them.
    pub(crate) fn write_changes(&mut self) -> Result<(), RunError> {
        self.changes
            .write(self.folder.path())
            .map_err(|reason| self.write_error(reason))?;
        let all = self.changes.all().to_vec();
        self.sink.event(Event::Changes(all));
        Ok(())
    }

    /// Publishes new previews, and writes them into the run folder. Queries wait until they are due: epochs may be short,
    /// and many views may ask.
    pub fn snapshot(&mut self, stage: usize, epoch: u32) -> Result<(), RunError> {
        let (filters, images) = match self.previews.are_due() {
            true => self.publish(),
            false => self.publish_previews(),
        };
        let probe = ProbeFiles {
            run: self.folder.path(),
            stage,
        };
        let file = probe.of(epoch);
        live_previews::snapshot(&file, filters.as_ref(), images.as_ref()).map_err(|reason| {
            let name = file.file_name().unwrap_or_default().display();
            let reason = format!("the probe images {name}: {reason}");
            RunError::write(self.folder.path(), reason)
        })?;
        probe.thin(epoch);
        Ok(())
    }

    /// Measures a split with the stage's task and loss; `None` when the run is to stop instead.
    pub fn measure(
        &mut self,
        stage: &Stage,
        class_weights: Option<&[f64]>,
        split: Split,
    ) -> Result<Option<Metrics>, RunError> {
        let dataset = Arc::clone(&self.dataset);
        let Some(data) = dataset.split(split) else {
            return Ok(None);
        };
        let pixels = dataset.pixel_units();
        let how = Measure {
            task: stage.task,
            loss: stage.loss,
            class_weights,
            batch: stage.batch as usize,
            pixels: &pixels,
        };
        measure(&mut self.network, data, how, &self.device, &mut || {
            !self.control.stop_asked()
        })
    }

    /// Writes checkpoints of the present state under these names, unless a number in it is no longer
    /// finite: then nothing is written, and the first such weight is given.
    pub(crate) fn save_if_finite(
        &mut self,
        names: &[&str],
        optimizer: &Named,
    ) -> Result<Option<String>, RunError> {
        let state = self.network.shared_state();
        let weights = state.iter().map(|(key, tensor)| (key.as_str(), tensor));
        if let Some(key) = finite::first_not_finite(weights)? {
            return Ok(Some(key.to_owned()));
        }
        self.write_checkpoints(names, &state, optimizer)?;
        Ok(None)
    }

    /// Keeps the weights of the run's steps from here on, to look back at.
    pub(crate) fn begin_snapshots(&mut self) {
        let (run, step) = (self.folder.path(), self.position.step);
        self.snapshots = SnapshotWriter::begin(run, step, &self.network.shared_state());
        self.sink
            .event(Event::Snapshots(Snapshots::read(self.folder.path())));
        self.keep_snapshot();
    }

    /// Keeps the present weights where that is due. What is only there to look at ends no training: where it cannot be
    /// written, a warning says so and no more are tried.
    pub(crate) fn keep_snapshot(&mut self) {
        let due = self.snapshots.as_mut();
        let Some(writer) = due.filter(|writer| writer.is_due(&self.position)) else {
            return;
        };
        let start = Instant::now();
        let state = self.network.shared_state();
        match writer.take(&self.position, &state) {
            Ok(kept) => self.sink.event(Event::Snapshots(kept)),
            Err(reason) => {
                self.snapshots = None;
                let step = self.position.step;
                self.sink.event(Event::warning(format!(
                    "the weights after step {step} could not be kept to look back at: {reason}; the training goes on \
                     without more of them"
                )));
            }
        }
        self.clock.keep(Kept::Snapshots, start);
    }

    /// Notes in the log what it cost to look at layers and to keep weights.
    pub(crate) fn log_cost(&self) {
        let share = |what| 100.0 * self.clock.kept_share(what);
        log::info!(
            "of the training time {:.2} % went into the dynamics of layers and {:.2} % into kept weights",
            share(Kept::Dynamics),
            share(Kept::Snapshots)
        );
    }

    /// Writes the checkpoint that a new run begins with.
    pub(crate) fn save_start(&mut self) -> Result<(), RunError> {
        let state = self.network.shared_state();
        self.write_checkpoints(&["last"], &state, &[])
    }

    fn write_checkpoints(
        &mut self,
        names: &[&str],
        state: &Named,
        optimizer: &Named,
    ) -> Result<(), RunError> {
        self.tables
            .flush()
            .map_err(|reason| self.write_error(reason))?;
        for name in names {
            let path = self.folder.checkpoint(name);
            checkpoint::save(&path, &self.position, state, optimizer)
                .map_err(|error| self.checkpoint_error(error))?;
            self.sink.event(Event::Checkpoint { path });
        }
        Ok(())
    }

    /// Remembers what a split measured last.
    pub fn remember(&mut self, metrics: &[(Split, Metrics)]) {
        for (split, figures) in metrics {
            self.metrics.retain(|(known, _)| known != split);
            self.metrics.push((*split, figures.clone()));
        }
        self.metrics.sort_by_key(|(split, _)| *split);
    }

    /// What the run has reached.
    pub fn summary(&self) -> Summary {
        Summary {
            run: self.folder.path().to_owned(),
            metrics: self.metrics.clone(),
            seconds: self.clock.seconds(),
            images_per_second: self.speed(),
        }
    }

    /// Images trained on a second; of the run's earlier part while nothing was trained in this one.
    fn speed(&self) -> f64 {
        if self.clock.speed() > 0.0 {
            self.clock.speed()
        } else {
            self.record.images_per_second
        }
    }

    /// Brings `run.json` up to date.
    pub(crate) fn write_record(
        &mut self,
        status: Status,
        message: Option<String>,
    ) -> Result<(), RunError> {
        (self.record.status, self.record.message) = (status, message);
        (self.record.seconds, self.record.steps) = (self.clock.seconds(), self.position.step);
        self.record.images_per_second = self.speed();
        self.record.measure(&self.metrics);
        self.record
            .write(self.folder.path())
            .map_err(|reason| self.write_error(reason))
    }

    /// A file of the run folder that could not be written.
    pub(crate) fn write_error(&self, reason: io::Error) -> RunError {
        RunError::write(self.folder.path(), reason.to_string())
    }

    /// A checkpoint that could not be written.
    fn checkpoint_error(&self, error: CheckpointError) -> RunError {
        match error {
            CheckpointError::Write { reason, .. } => RunError::write(self.folder.path(), reason),
            error @ CheckpointError::Read { .. } => error.into(),
        }
    }
}
