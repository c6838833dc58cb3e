//! One stage: epochs of steps, measuring at their end, early stopping, checkpoints.
//!
//! A stop is taken between two steps and between two batches of measuring; the position then says
//! exactly where, so that a resumed run measures each epoch once and ends like one never stopped.
//! An image that can't be read ends the run as a stop does, with a message.

mod measured;

use super::batches::Batches;
use super::early_stop::{self, Verdict};
use super::pool::in_pool;
use super::restore;
use super::session::Session;
use super::step::Stepper;
use crate::error::RunError;
use crate::event::{EpochReport, Event, Metrics};
use crate::storage::checkpoint::{Tally, Watch};
use crate::storage::metrics_csv::MetricsRow;
use measured::{measure_best, measure_into, measure_own, trained};
use std::sync::Arc;
use strata_core::project::data::Split;
use strata_core::project::live_setting::LiveSetting;
use strata_core::project::schedule::PlateauWatch;
use strata_core::project::stage::Stage;
use strata_core::project::{Place, Stack};
use strata_core::shape::unfreezing;
use strata_data::SplitData;
use strata_data::loader::Job;
use strata_nn::Route;
use strata_nn::ops::team;

/// Whether to continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// What was to be done is done.
    Done,
    /// A stop was asked for; a checkpoint was written.
    Stopped,
}

/// Trains one stage from the run's position on.
pub(crate) fn train(session: &mut Session<'_>, index: usize) -> Result<Flow, RunError> {
    if session.position.stage != index {
        session.position = session.position.enter(index);
    }
    let (stage, dataset) = (
        session.project.stages[index].clone(),
        Arc::clone(&session.dataset),
    );
    let Some(split) = dataset.split(stage.split) else {
        return Ok(Flow::Done);
    };
    freeze(session, &stage);
    let stepped = held(session, &stage)?;
    let mut stepper = Stepper::new(session, stepped, split)?;
    announce(session, &stage, &stepper);
    while session.position.epoch < stage.epochs && !is_over(&stage, session.position.watch) {
        thaw(session, &stage);
        match epoch(session, &mut stepper, split) {
            Ok(Flow::Done) => {}
            Ok(Flow::Stopped) => {
                // What was asked for in a pause holds when the run goes on.
                session.note_settings(stepper.stage())?;
                stepper.save(session, &["last"])?;
                return Ok(Flow::Stopped);
            }
            Err(RunError::Data(error)) => return Err(stepper.keep(session, error)),
            Err(error) => return Err(error),
        }
    }
    Ok(Flow::Done)
}

/// The stage with what was changed of it before the run's position, and the network with its sparsity.
fn held(session: &mut Session<'_>, stage: &Stage) -> Result<Stage, RunError> {
    let step = session.position.step;
    let mut held = stage.clone();
    session.changes.apply_until(&mut held, step);
    if !session.position.is_in_stage() && !session.is_repeated && held != *stage {
        // It was trained before, with changes that are not meant for now.
        take_back(session, stage, &held)?;
        held = stage.clone();
    }
    session
        .network
        .set_sparsity(held.sparsity.as_ref())
        .map_err(RunError::input)?;
    Ok(held)
}

/// Notes that a stage has its project's settings from the next step on, where it was brought to others.
pub(crate) fn take_back(
    session: &mut Session<'_>,
    stage: &Stage,
    held: &Stage,
) -> Result<(), RunError> {
    for setting in LiveSetting::all() {
        if let Some(value) = setting.value(stage)
            && setting.value(held) != Some(value)
        {
            session.change(&stage.name, setting, value);
        }
    }
    session.write_changes()
}

/// The rest of the epoch in progress, and its measuring.
fn epoch(
    session: &mut Session<'_>,
    stepper: &mut Stepper,
    split: &SplitData,
) -> Result<Flow, RunError> {
    match steps(session, stepper, split)? {
        Flow::Done => end_epoch(session, stepper),
        Flow::Stopped => Ok(Flow::Stopped),
    }
}

/// Freezes what the stage leaves as it is in the epoch that the run is in.
fn freeze(session: &mut Session<'_>, stage: &Stage) {
    let epoch = session.position.epoch;
    let network = &session.project.network;
    let waiting = unfreezing::frozen(stage, network, &session.inference, epoch);
    let mut names = frozen(stage);
    names.extend(waiting.iter().map(Place::to_string));
    session.network.set_frozen(&names);
}

/// Before an epoch: trains the layers that the stage unfreezes with it, and says which.
fn thaw(session: &mut Session<'_>, stage: &Stage) {
    let position = &session.position;
    if stage.unfreeze.is_none() || position.epoch == 0 || position.step_in_epoch > 0 {
        return;
    }
    let epoch = position.epoch;
    let network = &session.project.network;
    let at = |epoch: u32| unfreezing::frozen(stage, network, &session.inference, epoch);
    let now = at(epoch);
    let thawed = at(epoch - 1)
        .into_iter()
        .filter(|place| !now.contains(place));
    let mut names: Vec<String> = thawed.map(|place| place.to_string()).collect();
    names.sort();
    if names.is_empty() {
        return;
    }
    freeze(session, stage);
    session.sink.event(Event::warning(format!(
        "stage `{}`: from epoch {} on {} is trained too",
        stage.name,
        epoch + 1,
        names.join(", ")
    )));
}

/// What the stage leaves as it is: what it says, and the stack that no batch of it runs through
/// (whose gradients are those of an earlier stage, and which weight decay would shrink).
pub fn frozen(stage: &Stage) -> Vec<String> {
    let used = Route::from(stage.task).second();
    let idle = [Stack::Decoder, Stack::Head]
        .into_iter()
        .filter(|stack| *stack != used);
    stage
        .freeze
        .iter()
        .cloned()
        .chain(idle.map(|stack| stack.name().to_owned()))
        .collect()
}

fn announce(session: &mut Session<'_>, stage: &Stage, stepper: &Stepper) {
    session.sink.event(Event::Stage {
        index: session.position.stage,
        name: stage.name.clone(),
        task: stage.task,
        epochs: stage.epochs,
        steps_per_epoch: stepper.steps_per_epoch,
    });
}

fn is_over(stage: &Stage, watch: Watch) -> bool {
    stage
        .early_stop
        .as_ref()
        .is_some_and(|rule| watch.waited > 0 && watch.waited >= rule.patience)
}

/// The steps of the epoch in progress that are not done yet.
fn steps(
    session: &mut Session<'_>,
    stepper: &mut Stepper,
    split: &SplitData,
) -> Result<Flow, RunError> {
    let mut batches = batches(session, stepper, split)?;
    loop {
        if !session.wait() {
            return Ok(Flow::Stopped);
        }
        if !batches.wait() {
            return Ok(Flow::Done);
        }
        in_pool(|| steps_at_hand(session, stepper, &mut batches))?;
    }
}

/// The steps of the batches that are at hand, unless something else is to be done first: so that threads don't part and
/// meet again between two steps. Nothing is waited for, since that would keep a thread of the pool from others.
fn steps_at_hand(
    session: &mut Session<'_>,
    stepper: &mut Stepper,
    batches: &mut Batches,
) -> Result<(), RunError> {
    while let Some(batch) = batches.at_hand() {
        let begun = stepper.begin(session, &batch?)?;
        // A device has the next batch on its way before its numbers are waited for.
        batches.copy_ahead()?;
        let report = stepper.finish(session, begun)?;
        session.keep_snapshot();
        session.control.stepped();
        if session.previews.are_due() {
            session.publish();
        }
        session.sink.event(Event::Step(report));
        // What others have given to the pool comes first.
        rayon::yield_now();
        if team::is_awaited() || session.is_at_end() || !session.control.goes_on() {
            break;
        }
    }
    Ok(())
}

/// The epoch's batches, from the run's position on.
fn batches(
    session: &Session<'_>,
    stepper: &Stepper,
    split: &SplitData,
) -> Result<Batches, RunError> {
    let (seed, position) = (session.project.seed, &session.position);
    let job = Job {
        dataset: Arc::clone(&session.dataset),
        split: stepper.stage().split,
        order: split.epoch_order(seed, position.epochs_done),
        batch: stepper.batch,
        seed,
        epoch: position.epochs_done,
    };
    let first = usize::try_from(position.step_in_epoch).unwrap_or(usize::MAX);
    let no_thread = |error| {
        RunError::Input(format!(
            "no thread to read images with could be started ({error}): close other programs and train again"
        ))
    };
    Batches::start(job, first, session.loaders, &session.device).map_err(no_thread)
}

/// Measures what the epoch reached, writes and reports it.
fn end_epoch(session: &mut Session<'_>, stepper: &Stepper) -> Result<Flow, RunError> {
    let stage = stepper.stage();
    let mut metrics = vec![(
        stage.split,
        trained(stage, session.position.tally, &session.dataset),
    )];
    if !measure_into(session, stepper, Split::Valid, &mut metrics)? {
        return Ok(Flow::Stopped);
    }
    let verdict = early_stop::watched(stage)
        .map(|rule| early_stop::judge(&rule, session.position.watch, stage.split, &metrics));
    let is_last = session.position.epoch + 1 >= stage.epochs
        || verdict.is_some_and(|verdict| verdict.is_over);
    let mut best = match is_last {
        true => restore::best(session, stage, verdict)?,
        false => None,
    };
    let is_measured = match &mut best {
        Some(best) => measure_best(session, stepper, best, &mut metrics)?,
        None => !is_last || measure_into(session, stepper, Split::Test, &mut metrics)?,
    };
    if !is_measured {
        return Ok(Flow::Stopped);
    }
    let mut reached = match &best {
        Some(best) => best.metrics.clone(),
        None => metrics.clone(),
    };
    if is_last && best.is_none() && !measure_own(session, stepper, &mut reached)? {
        return Ok(Flow::Stopped);
    }
    write_rows(session, stage, stepper, &metrics)?;
    let plateau = watched_plateau(session, stage, &metrics);
    advance(session, verdict);
    session.position.plateau = plateau;
    record(session, &reached)?;
    session.keep_snapshot();
    if let Some(best) = &best {
        best.put(session)?;
        session.sink.event(Event::warning(best.told(stage)));
    }
    save(session, stepper, verdict, is_last)?;
    tell(session, metrics);
    Ok(Flow::Done)
}

/// What a schedule that waits for a plateau remembers after this epoch. It begins to watch after its warm-up.
fn watched_plateau(
    session: &Session<'_>,
    stage: &Stage,
    metrics: &[(Split, Metrics)],
) -> PlateauWatch {
    let watch = session.position.plateau;
    let Some(schedule) = &stage.schedule else {
        return watch;
    };
    let is_warm = f64::from(session.position.epoch) >= schedule.warmup;
    let plateau = schedule.plateau().filter(|_| is_warm);
    let Some(plateau) = plateau else {
        return watch;
    };
    match early_stop::value(plateau.metric(), stage.split, metrics) {
        Some(value) => plateau.judge(watch, value, stage.optimizer.lr()),
        None => watch,
    }
}

fn write_rows(
    session: &mut Session<'_>,
    stage: &Stage,
    stepper: &Stepper,
    metrics: &[(Split, Metrics)],
) -> Result<(), RunError> {
    let (epoch, step, seconds) = (
        session.position.epoch + 1,
        session.position.step,
        session.clock.seconds(),
    );
    let steps = session.position.step_in_epoch.saturating_sub(1);
    let lr = stepper.rates(&session.position, steps).lr;
    let row = |(split, metrics): &(Split, Metrics)| {
        let lr = (*split == stage.split).then_some(lr);
        MetricsRow {
            stage: stage.name.clone(),
            epoch,
            step,
            split: *split,
            metrics: metrics.clone(),
            lr,
            seconds,
        }
    };
    let rows: Vec<MetricsRow> = metrics.iter().map(row).collect();
    session
        .tables
        .metrics(&rows)
        .map_err(|reason| session.write_error(reason))
}

/// The position after the epoch.
fn advance(session: &mut Session<'_>, verdict: Option<Verdict>) {
    let position = &mut session.position;
    (position.epoch, position.step_in_epoch) = (position.epoch + 1, 0);
    (position.epochs_done, position.tally) = (position.epochs_done + 1, Tally::default());
    if let Some(verdict) = verdict {
        position.watch = verdict.watch;
    }
}

/// Writes the epoch's checkpoints. What the run continues from comes last: whatever ends the program in between, the
/// resumed run repeats the epoch and writes the others again.
fn save(
    session: &mut Session<'_>,
    stepper: &Stepper,
    verdict: Option<Verdict>,
    is_last: bool,
) -> Result<(), RunError> {
    let stage = format!("stage-{}", session.position.stage + 1);
    let epoch = session.position.epoch;
    let of_epoch = format!("{stage}-epoch-{epoch}");
    let every = stepper.stage().checkpoints.and_then(|kept| kept.every);
    let mut names = Vec::new();
    if every.is_some_and(|every| epoch.is_multiple_of(every)) {
        names.push(of_epoch.as_str());
    }
    if is_last {
        names.push(stage.as_str());
    }
    if verdict.is_some_and(|verdict| verdict.is_best) {
        names.push("best");
    }
    names.push("last");
    stepper.save(session, &names)
}

/// Writes what was measured, and the epoch's probe images.
fn record(session: &mut Session<'_>, metrics: &[(Split, Metrics)]) -> Result<(), RunError> {
    let (stage, epoch) = (session.position.stage, session.position.epoch);
    session.remember(metrics);
    session.write_record(crate::storage::record::Status::Running, None)?;
    session.snapshot(stage, epoch)
}

fn tell(session: &mut Session<'_>, metrics: Vec<(Split, Metrics)>) {
    let (stage, epoch, step) = (
        session.position.stage,
        session.position.epoch,
        session.position.step,
    );
    session.sink.event(Event::Epoch(EpochReport {
        stage,
        epoch,
        step,
        metrics,
    }));
}
