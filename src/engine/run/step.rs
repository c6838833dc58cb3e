//! One training step, and what happens when a number stops being one.
//!
//! Loss and gradients are looked at before the weights change: the weights of a run that failed
//! are those before the step that went wrong.

mod forward;
mod not_finite;

use super::batch::Batch;
use super::clock::Kept;
use super::dynamics::{self, Before, Outputs};
use super::finite::gradient_not_finite;
use super::groups::{class_weights, group_of};
use super::session::Session;
use crate::error::RunError;
use crate::event::{Event, StepReport};
use crate::storage::checkpoint::Position;
use crate::storage::dynamics_csv;
use crate::storage::first_weights;
use crate::storage::metrics_csv::StepRow;
use forward::Forward;
use not_finite::last_finite;
use std::time::Instant;
use strata_core::project::Place;
use strata_core::project::schedule::{Moment, Rates};
use strata_core::project::stage::{Stage, Task};
use strata_core::shape::unfreezing;
use strata_data::{DataError, PixelUnits, SplitData};
use strata_nn::Parameter;
use strata_nn::ops::storage::Buffer;
use strata_nn::optim::Learner;

/// Takes the steps of a stage.
pub(crate) struct Stepper {
    /// The stage with what was changed of it.
    stage: Stage,
    learner: Learner,
    /// How much the images of each class count in the loss.
    pub class_weights: Option<Vec<f64>>,
    pixels: PixelUnits,
    /// The loss's gradient.
    gradient: Buffer,
    /// Images a step; the last of an epoch may have fewer.
    pub batch: usize,
    /// Steps an epoch.
    pub steps_per_epoch: u64,
    /// Layers that a step's dynamics can have.
    layers: usize,
}

/// A step whose work is asked for and whose numbers are not looked at yet.
pub(crate) struct Begun {
    forward: Forward,
    /// The batch's.
    images: usize,
    /// Whether the weights move at its end.
    updates: bool,
    looked_at: Option<Outputs>,
    start: Instant,
}

impl Stepper {
    /// Starts a stage, with the optimizer's memory where the run continues within it.
    pub fn new(
        session: &mut Session<'_>,
        stage: Stage,
        split: &SplitData,
    ) -> Result<Stepper, RunError> {
        let memory = session.optimizer.take();
        let earlier = earlier_stages(session);
        let project = &session.project;
        let taken = first_weights::taken(session.folder.path());
        let is_transferred = |parameter: &Parameter| taken.contains(&parameter.key);
        let batch = stage.batch.max(1) as usize;
        let steps_per_epoch = split.len().div_ceil(batch) as u64;
        let updates_per_epoch = steps_per_epoch.div_ceil(u64::from(stage.accumulate.max(1)));
        let thawing = unfreezing::layers(&stage, &project.network, &session.inference);
        let begins_after = |place: &Place| {
            u64::from(unfreezing::first_epoch(&thawing, &stage, place)) * updates_per_epoch
        };
        let group = |parameter: &Parameter| {
            group_of(
                project,
                &stage,
                earlier,
                &is_transferred,
                &begins_after,
                parameter,
            )
        };
        let learner =
            Learner::new(&stage, &session.network, &group, memory).map_err(RunError::input)?;
        Ok(Stepper {
            class_weights: class_weights(&stage, &session.dataset),
            stage,
            learner,
            pixels: session.dataset.pixel_units(),
            gradient: Buffer::default(),
            batch,
            steps_per_epoch,
            layers: dynamics::layers(&session.inference),
        })
    }

    /// The stage whose steps these are.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Writes checkpoints of the present state. Fails with [`RunError::NotFinite`], and leaves those
    /// that are there, when a weight is no longer finite.
    pub fn save(&self, session: &mut Session<'_>, names: &[&str]) -> Result<(), RunError> {
        let Some(key) = session.save_if_finite(names, &self.learner.state()?)? else {
            return Ok(());
        };
        let position = &session.position;
        let epoch = if position.step_in_epoch == 0 {
            position.epoch.max(1)
        } else {
            position.epoch + 1
        };
        let (at, kept) = ((position.step, epoch), last_finite(session));
        Err(self.failure(
            session,
            "a weight is not finite",
            at,
            format!("first in `{key}`"),
            kept,
        ))
    }

    /// Writes a checkpoint of the present state when an image can't be read, and says from where the run can continue.
    pub fn keep(&self, session: &mut Session<'_>, error: DataError) -> RunError {
        let kept = match self.save(session, &["last"]) {
            Ok(()) => format!(
                "The training up to step {} is kept in {}: resume this run to continue from there",
                session.position.step,
                session.folder.checkpoint("last").display()
            ),
            Err(error) => format!("The weights could not be kept: {error}"),
        };
        RunError::Unread {
            error: Box::new(error),
            kept,
        }
    }

    /// What the update is done with that the step after `steps` steps of this epoch is a part of.
    pub fn rates(&self, position: &Position, steps: u64) -> Rates {
        let lr = self.stage.optimizer.lr();
        let together = u64::from(self.stage.accumulate.max(1));
        let at = Moment {
            epoch: position.epoch,
            update: steps / together,
            updates_per_epoch: self.steps_per_epoch.div_ceil(together),
            epochs: self.stage.epochs,
        };
        let schedule = self.stage.schedule.as_ref();
        schedule.map_or(Rates { lr, momentum: None }, |schedule| {
            schedule.rates(lr, at, &position.plateau)
        })
    }

    /// Whether the next step is the last of its update: of an epoch the last always is.
    fn ends_update(&self, position: &Position) -> bool {
        let steps = position.step_in_epoch + 1;
        let together = u64::from(self.stage.accumulate.max(1));
        steps.is_multiple_of(together) || steps >= self.steps_per_epoch
    }

    /// Asks for the forward and the backward pass of a batch. What computes elsewhere than on the CPU is not waited
    /// for: something else may be done before [`Stepper::finish`].
    pub fn begin(
        &mut self,
        session: &mut Session<'_>,
        batch: &Batch<'_>,
    ) -> Result<Begun, RunError> {
        self.change_settings(session)?;
        let start = Instant::now();
        let (forward, images) = (self.forward(session, batch)?, batch.labels.len());
        let updates = self.ends_update(&session.position);
        // What layers did is of interest where they change by it.
        let looking = Instant::now();
        let looked_at = if updates {
            self.look_at_outputs(session)?
        } else {
            None
        };
        session.clock.keep(Kept::Dynamics, looking);
        // A loss that is known by now and is none needs no gradient.
        if forward.is_known() && !forward.total().is_finite() {
            return Err(self.loss_not_finite(session, forward.total()));
        }
        match self.stage.task {
            Task::Reconstruct => session.network.backward(&forward.gradient)?,
            Task::Classify => session.network.backward_from_logits(&forward.gradient)?,
        }
        Ok(Begun {
            forward,
            images,
            updates,
            looked_at,
            start,
        })
    }

    /// Looks at the numbers of a step, and moves the weights where all are finite.
    pub fn finish(
        &mut self,
        session: &mut Session<'_>,
        begun: Begun,
    ) -> Result<StepReport, RunError> {
        let Begun {
            mut forward,
            images,
            updates,
            looked_at,
            start,
        } = begun;
        forward.read(&self.pixels)?;
        if !forward.total().is_finite() {
            return Err(self.loss_not_finite(session, forward.total()));
        }
        if let Some(key) = gradient_not_finite(&session.network)? {
            return Err(self.not_finite(
                session,
                "a gradient is not finite",
                format!("first for `{key}`"),
            ));
        }
        let rates = self.rates(&session.position, session.position.step_in_epoch);
        self.learner.gather(&mut session.network, images, updates)?;
        let before = match looked_at {
            Some(outputs) => {
                let looking = Instant::now();
                let before = Before::of(&session.network)?;
                session.clock.keep(Kept::Dynamics, looking);
                Some((outputs, before))
            }
            None => None,
        };
        if updates {
            self.learner.update(&mut session.network, rates)?;
        }
        self.count(session, &forward, images);
        if let Some((outputs, before)) = before {
            keep_dynamics(session, outputs, before)?;
        }
        session.clock.step(images, start);
        self.report(session, &forward, images, rates.lr)
    }

    /// Brings the stage to what holds from this step on.
    fn change_settings(&mut self, session: &mut Session<'_>) -> Result<(), RunError> {
        session.note_settings(&self.stage)?;
        let due = session
            .changes
            .due(&self.stage.name, session.position.step + 1);
        if due.is_empty() {
            return Ok(());
        }
        for change in due {
            if let Err(error) = change.setting.set(&mut self.stage, change.value) {
                session.sink.event(Event::warning(error.to_string()));
            }
        }
        self.learner
            .change(&self.stage.optimizer, &session.network)?;
        let sparsity = self.stage.sparsity.as_ref();
        session
            .network
            .set_sparsity(sparsity)
            .map_err(RunError::input)
    }

    /// What the layers gave, at a step that is kept.
    fn look_at_outputs(&self, session: &Session<'_>) -> Result<Option<Outputs>, RunError> {
        let step = session.position.step + 1;
        if !dynamics_csv::is_kept(step, self.layers) {
            return Ok(None);
        }
        Ok(Some(dynamics::outputs(
            &session.network,
            &session.inference,
        )?))
    }

    fn count(&self, session: &mut Session<'_>, forward: &Forward, images: usize) {
        let position = &mut session.position;
        (position.step, position.step_in_epoch) = (position.step + 1, position.step_in_epoch + 1);
        position.tally.images += images as u64;
        position.tally.loss += forward.loss * forward.weight;
        if self.class_weights.is_some() {
            position.tally.weight += forward.weight;
        }
        position.tally.pixel_error += forward.pixel_error.unwrap_or(0.0) * images as f64;
        position.tally.correct += forward.correct.unwrap_or(0) as u64;
    }

    fn report(
        &self,
        session: &mut Session<'_>,
        forward: &Forward,
        images: usize,
        lr: f64,
    ) -> Result<StepReport, RunError> {
        let penalty = self.stage.sparsity.as_ref().map(|_| forward.penalty);
        let accuracy = forward
            .correct
            .map(|correct| correct as f64 / (images * forward.answers).max(1) as f64);
        let Position {
            stage,
            epoch,
            step,
            step_in_epoch,
            ..
        } = session.position;
        let row = StepRow {
            step,
            stage: &self.stage.name,
            epoch: epoch + 1,
            loss: forward.loss,
            lr,
            penalty,
            accuracy,
        };
        session
            .tables
            .step(&row)
            .map_err(|reason| session.write_error(reason))?;
        let images_per_second = session.clock.recent_speed();
        Ok(StepReport {
            stage,
            epoch: epoch + 1,
            step,
            step_in_epoch,
            loss: forward.loss,
            penalty,
            accuracy,
            lr,
            images_per_second,
            seconds_left: images_left(session, self.batch) as f64 / images_per_second.max(1e-9),
        })
    }
}

/// The stages whose weights the present one begins with: none where it was begun alone.
fn earlier_stages<'s>(session: &'s Session<'_>) -> &'s [Stage] {
    let position = &session.position;
    let trained = position.epochs_done > u64::from(position.epoch);
    let stages = session.project.stages.get(..position.stage);
    stages.filter(|_| trained).unwrap_or(&[])
}

/// Writes what the layers did in the step that was just taken.
fn keep_dynamics(
    session: &mut Session<'_>,
    outputs: Outputs,
    before: Before,
) -> Result<(), RunError> {
    let looking = Instant::now();
    let step = session.position.step;
    let rows = before.rows(&session.network, outputs, step)?;
    let layers = dynamics::layers(&session.inference);
    let written = session.dynamics.add(&rows, layers);
    session.clock.keep(Kept::Dynamics, looking);
    written.map_err(|reason| session.write_error(reason))
}

/// Images still to be trained on in all stages; stages may stop earlier.
fn images_left(session: &Session<'_>, batch: usize) -> u64 {
    let position = &session.position;
    let images = |stage: usize| -> u64 {
        let Some(stage) = session.project.stages.get(stage) else {
            return 0;
        };
        let images = session
            .dataset
            .split(stage.split)
            .map_or(0, |split| split.len());
        u64::from(stage.epochs) * images as u64
    };
    let total: u64 = session.stages_left().into_iter().map(images).sum();
    let epoch = session
        .project
        .stages
        .get(position.stage)
        .map_or(1, |stage| u64::from(stage.epochs.max(1)));
    let done = images(position.stage) / epoch * u64::from(position.epoch)
        + position.step_in_epoch * batch as u64;
    total.saturating_sub(done)
}
