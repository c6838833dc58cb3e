//! A run from start to end, on the calling thread.
//!
//! Every way it can end is an [`Outcome`]; nothing is left to the caller but to show it.

pub mod batch;
pub mod batches;
pub(crate) mod clock;
pub mod command_file;
pub(crate) mod compatibility;
pub(crate) mod control;
pub(crate) mod dynamics;
pub(crate) mod early_stop;
pub mod evaluate;
pub mod finite;
pub mod goal_metrics;
mod gpu_failure;
pub(crate) mod groups;
mod label_rows;
pub mod memory_check;
pub(crate) mod parts;
pub(crate) mod pool;
pub(crate) mod prepare;
pub(crate) mod restore;
pub(crate) mod resume;
pub(crate) mod session;
pub mod stage;
pub(crate) mod step;
pub mod thread_priority;

use self::control::Control;
use self::prepare::prepare;
use self::session::Session;
use self::stage::Flow;
use super::command::Command;
use super::error::RunError;
use super::event::{Event, Failure, Outcome, Sink, Summary};
use super::inspection::live::LiveResults;
use super::storage::record::{RunRecord, Status};
use super::thread::RunOptions;
use crossbeam_channel::Receiver;
use std::path::Path;
use strata_core::project::Project;
use strata_core::project::help::Surface;
use strata_data::DataError;

/// Trains a project: every stage in order, each from where the one before left the weights.
///
/// Events go to `sink` as they happen, all but [`super::event::Event::Finished`]: how it ended is
/// what this returns, and telling it is the caller's. A stop asked for before the first step gives
/// [`Outcome::Stopped`] with an empty summary and leaves no run folder.
pub fn run(
    project: &Project,
    options: &RunOptions,
    commands: &Receiver<Command>,
    sink: &mut dyn Sink,
    live: &LiveResults,
) -> Outcome {
    let mut session = match prepare(project, options, Control::new(commands), sink, live) {
        Ok(session) => session,
        Err(RunError::Data(DataError::Cancelled)) => return Outcome::Stopped(Summary::default()),
        Err(error) => {
            let outcome = failed(&gpu_failure::at_start(error), None);
            give_memory_back(options);
            return outcome;
        }
    };
    let end = train(&mut session).map_err(|error| gpu_failure::while_training(error, &session));
    let (outcome, device) = (close(&mut session, end), session.device.clone());
    drop(session);
    strata_nn::device::release_memory(&device);
    outcome
}

/// Gives the memory of a run's GPU back that a start which failed has taken. On the CPU there is none.
fn give_memory_back(options: &RunOptions) {
    if let Ok(device) = strata_nn::device::open(options.device.as_deref()) {
        strata_nn::device::release_memory(&device);
    }
}

fn train(session: &mut Session<'_>) -> Result<Flow, RunError> {
    if !session.has_steps_left() {
        let trained = "every stage is trained already";
        session.sink.event(Event::Warning {
            message: format!("{trained}; --more-epochs N goes on with the last one"),
            in_window: format!("{trained}; Go on trains the last one for more epochs"),
        });
    }
    for stage in session.stages_left() {
        if session.is_at_end() {
            return Ok(Flow::Stopped);
        }
        if stage::train(session, stage)? == Flow::Stopped {
            return Ok(Flow::Stopped);
        }
    }
    Ok(Flow::Done)
}

/// Writes how the run ended.
fn close(session: &mut Session<'_>, end: Result<Flow, RunError>) -> Outcome {
    session.publish();
    session.log_cost();
    let (status, message, outcome) = match end {
        Ok(Flow::Done) => (
            Status::Completed,
            None,
            Outcome::Completed(session.summary()),
        ),
        Ok(Flow::Stopped) => (Status::Stopped, None, Outcome::Stopped(session.summary())),
        Err(error) => {
            let outcome = failed(&error, Some(session.folder.path()));
            (Status::Failed, Some(error.to_string()), outcome)
        }
    };
    match (session.write_record(status, message), outcome) {
        (Err(error), Outcome::Completed(_) | Outcome::Stopped(_)) => {
            failed(&error, Some(session.folder.path()))
        }
        (Err(error), outcome) => {
            // The first failure is the one to show.
            log::warn!("the failure of the run could not be recorded: {error}");
            outcome
        }
        (Ok(()), outcome) => outcome,
    }
}

fn failed(error: &RunError, run: Option<&Path>) -> Outcome {
    Outcome::Failed(Failure {
        message: error.to_string(),
        in_window: error.text(Surface::Window),
        wrong_input: error.is_wrong_input(),
        stage: error.stage(),
        repairs: error.repairs(),
        of_gpu: error.device_fault().is_some(),
        run: run.map(Path::to_owned),
    })
}

/// The outcome of a run that panicked, with its folder marked.
pub(super) fn panicked(message: &str, run: Option<&Path>) -> Outcome {
    let message = format!(
        "a defect in Strata ended the run: {message}; please report it, the last checkpoint is kept"
    );
    if let Some(Err(error)) = run.map(|run| RunRecord::fail(run, &message)) {
        // The outcome says the same; a disk that fails as well must not hide it.
        log::warn!("the failure of the run could not be recorded: {error}");
    }
    Outcome::Failed(Failure {
        in_window: message.clone(),
        message,
        wrong_input: false,
        stage: None,
        repairs: Vec::new(),
        of_gpu: false,
        run: run.map(Path::to_owned),
    })
}
