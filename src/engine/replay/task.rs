//! A replay on a thread of its own, as the window uses it.

use super::{ReplayOptions, Replayed, replay};
use crate::command::Command;
use crate::event::Event;
use crate::run::thread_priority::lower_priority;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use strata_core::project::help::Surface;

/// How a replay ended, or why it could not begin, for the window.
pub type Replaying = Result<Replayed, String>;

/// A replay on its way. Dropping it ends it.
#[derive(Debug)]
pub struct ReplayTask {
    /// The run that is trained again.
    pub run: PathBuf,
    step: Arc<AtomicU64>,
    commands: Sender<Command>,
    ended: Receiver<Replaying>,
}

impl ReplayTask {
    /// Starts. `wake` is called when something can be told.
    pub fn start(
        run: &Path,
        options: ReplayOptions,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<ReplayTask> {
        let (commands, requests) = unbounded();
        let (sender, ended) = bounded(1);
        let step = Arc::new(AtomicU64::new(0));
        let (of, taken) = (run.to_owned(), Arc::clone(&step));
        std::thread::Builder::new()
            .name("strata-replay".to_owned())
            .spawn(move || {
                lower_priority();
                let mut sink = |event: Event| {
                    if let Event::Step(report) = event {
                        taken.store(report.step, Relaxed);
                        wake();
                    }
                };
                let result = catch_unwind(AssertUnwindSafe(|| {
                    replay(&of, &options, &requests, &mut sink)
                }));
                let result = match result {
                    Ok(replayed) => replayed.map_err(|error| error.text(Surface::Window)),
                    Err(panic) => Err(defect(&*panic)),
                };
                // Who stopped it may be gone.
                sender.send(result).ok();
                wake();
            })?;
        Ok(ReplayTask {
            run: run.to_owned(),
            step,
            commands,
            ended,
        })
    }

    /// The step that was taken last.
    pub fn step(&self) -> u64 {
        self.step.load(Relaxed)
    }

    /// Ends it after its step.
    pub fn stop(&self) {
        // A closed channel means that it has ended.
        self.commands.send(Command::Stop).ok();
    }

    /// How it ended, once.
    pub fn ended(&self) -> Option<Replaying> {
        self.ended.try_recv().ok()
    }
}

impl Drop for ReplayTask {
    fn drop(&mut self) {
        self.stop();
    }
}

fn defect(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("no message");
    format!("a defect in Strata ended the replay: {text}; please report it")
}
