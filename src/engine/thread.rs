//! The engine on its own thread, as the window uses it.
//!
//! The trainer never waits for the reader: a reader that falls behind loses steps and progress,
//! nothing else. A panic is an outcome like any other failure, and the next run starts afresh.

use super::command::{Command, Until};
use super::event::{Event, Outcome, Sink, Summary};
use super::inspection::live::LiveResults;
use super::run::thread_priority;
use super::run::{panicked, run};
use super::storage::changes::Changes;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use strata_core::format::duration;
use strata_core::project::Project;

/// Events that may wait to be read before steps are left out. The others are few (some an epoch),
/// so the queue stays small without a bound that could block.
const QUEUE: usize = 2048;

/// How a project is to be run, apart from what the project itself says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// The folder that relative paths of the project start at (the project file's folder).
    pub base: PathBuf,
    /// The run's folder; by default the next free `runs/TITLE-N` below `base`.
    pub run: Option<PathBuf>,
    /// `cpu`, `cuda:0`; by default CUDA where there is one, else the CPU.
    pub device: Option<String>,
    /// Overrides the epochs of every stage.
    pub epochs: Option<u32>,
    /// Trains only this stage.
    pub stage: Option<String>,
    /// Threads that read and augment images ahead of the trainer; by default as many as there are cores, four at
    /// most. What is learned does not depend on it.
    pub loaders: Option<usize>,
    /// Continues from the last checkpoint in `run`.
    pub resume: bool,
    /// Of a run that is continued: trains the stage it ended in for so many epochs from the checkpoint on, also where
    /// that stage has had all of its own or was ended early.
    pub more_epochs: Option<u32>,
    /// Keeps no weights of earlier steps to look back at.
    pub no_snapshots: bool,
    /// Changes of settings that are taken over at their steps, in place of those in the run's folder: of a run that is
    /// trained again.
    pub changes: Option<Changes>,
    /// The run whose weights the network begins with, over what the project says of its first weights.
    pub weights_of: Option<PathBuf>,
    /// Of a run that is continued: goes on with its weights alone, without the optimizer's memory.
    pub no_memory: bool,
    /// Stops there, as a stop that was asked for does.
    pub until: Option<Until>,
}

/// A run on its thread.
#[derive(Debug)]
pub struct Running {
    /// Requests; each takes effect at the next step.
    pub commands: Sender<Command>,
    /// Facts, in order; [`Event::Finished`] is the last.
    pub events: Receiver<Event>,
    /// The newest pictures.
    pub live: Arc<LiveResults>,
}

/// Starts a run on its own thread. `wake` is called there after every event, for example to
/// repaint a window; it must be quick. Fails when the system has no thread left.
pub fn start(
    project: Project,
    options: RunOptions,
    wake: impl Fn() + Send + 'static,
) -> std::io::Result<Running> {
    let (commands, requests) = unbounded();
    let (facts, events) = unbounded();
    let live = Arc::new(LiveResults::default());
    let shared = Arc::clone(&live);
    std::thread::Builder::new()
        .name("strata-engine".to_owned())
        .spawn(move || {
            thread_priority::lower_priority();
            let mut sink = move |event: Event| {
                if facts.len() < QUEUE || !may_be_left_out(&event) {
                    // Receiver dropped: nobody reads the events, but the run still fills its folder.
                    facts.send(event).ok();
                }
                wake();
            };
            let outcome = guarded(&project, &options, &requests, &mut sink, &shared);
            sink(Event::Finished(outcome));
        })?;
    Ok(Running {
        commands,
        events,
        live,
    })
}

fn may_be_left_out(event: &Event) -> bool {
    matches!(
        event,
        Event::Step(_) | Event::Preparing { .. } | Event::InspectionsUpdated
    )
}

/// [`run`], with a panic turned into an outcome and the run marked as failed.
pub fn guarded(
    project: &Project,
    options: &RunOptions,
    commands: &Receiver<Command>,
    sink: &mut dyn Sink,
    live: &LiveResults,
) -> Outcome {
    let mut folder = None;
    let mut watching = |event: Event| {
        if let Event::Started { run, .. } = &event {
            folder = Some(run.clone());
        }
        log_event(&event, &project.title);
        sink.event(event);
    };
    // Whatever the panic left half done is dropped with the run, but for live, which are replaced whole.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run(project, options, commands, &mut watching, live)
    }));
    let outcome = outcome.unwrap_or_else(|panic| panicked(message(&*panic), folder.as_deref()));
    log_outcome(&outcome, &project.title);
    outcome
}

/// What marks the way of a run; steps and pictures are too many for a log.
fn log_event(event: &Event, title: &str) {
    match event {
        Event::Started { run, device, .. } => {
            log::info!("run of `{title}` started in {} on {device}", run.display());
        }
        Event::Stage { name, epochs, .. } => {
            log::info!("run of `{title}`: stage `{name}` begins, epochs: {epochs}");
        }
        Event::FirstWeights(told) => log::info!("run of `{title}`: {}", told.text()),
        Event::Paused => log::info!("run of `{title}` paused"),
        Event::Resumed => log::info!("run of `{title}` resumed"),
        Event::Warning { message, .. } => log::warn!("run of `{title}`: {message}"),
        Event::Epoch(epoch) => log::debug!("run of `{title}`: {epoch:?}"),
        Event::Snapshots(kept) => log::debug!("snapshots after steps {:?}", kept.steps),
        Event::Changes(all) => log::info!("run of `{title}`: changed settings: {all:?}"),
        Event::Checkpoint { path } => log::debug!("checkpoint {}", path.display()),
        Event::Preparing { .. }
        | Event::Step(_)
        | Event::InspectionsUpdated
        | Event::Finished(_) => {}
    }
}

fn log_outcome(outcome: &Outcome, title: &str) {
    let ended = |how: &str, summary: &Summary| {
        let folder = summary.run.display();
        let time = duration(summary.seconds);
        log::info!("run of `{title}` {how} after {time}: {folder}");
    };
    match outcome {
        Outcome::Completed(summary) => ended("completed", summary),
        Outcome::Stopped(summary) if summary.run.as_os_str().is_empty() => {
            log::info!("run of `{title}` stopped before its first step");
        }
        Outcome::Stopped(summary) => ended("stopped", summary),
        Outcome::Failed(failure) => {
            let folder = failure
                .run
                .as_deref()
                .map(|run| format!(" in {}", run.display()));
            let place = folder.unwrap_or_default();
            log::error!("run of `{title}` failed{place}: {}", failure.message);
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
