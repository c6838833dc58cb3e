//! A comparison on a thread of its own, with progress and cancelling.

use super::comparison::Comparison;
use super::entry::CompareError;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use strata_core::project::help::Surface;
use strata_data::Progress;
use strata_engine::run::thread_priority::lower_priority;
use strata_engine::slot::Slot;

/// Between two reports of progress.
const REPORT: Duration = Duration::from_millis(100);

/// A comparison on its way. Dropping it ends it.
#[derive(Debug)]
pub struct CompareTask {
    progress: Arc<Slot<Progress>>,
    cancel: Arc<AtomicBool>,
    ended: Receiver<Result<Comparison, CompareError>>,
}

/// What came of a comparison: it, or why there is none; nothing where it was cancelled.
pub type Ended = Result<Option<Comparison>, String>;

impl CompareTask {
    /// Starts. `wake` is called when there is something new.
    pub fn start(
        folders: Vec<PathBuf>,
        until: Option<f64>,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<CompareTask> {
        let (sender, ended) = bounded(1);
        let (progress, cancel) = (
            Arc::<Slot<Progress>>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (slot, cancelled) = (progress.clone(), cancel.clone());
        let thread = std::thread::Builder::new().name("strata-compare".to_owned());
        thread.spawn(move || {
            lower_priority();
            let mut due = Instant::now();
            let mut monitor = |progress| {
                if Instant::now() >= due {
                    due = Instant::now() + REPORT;
                    slot.put(progress);
                    wake();
                }
                !cancelled.load(Relaxed)
            };
            let result = Comparison::read(&folders, until, &mut monitor);
            // Who cancelled may be gone.
            sender.send(result).ok();
            wake();
        })?;
        Ok(CompareTask {
            progress,
            cancel,
            ended,
        })
    }

    /// Ends it as soon as the thread notices.
    pub fn cancel(&self) {
        self.cancel.store(true, Relaxed);
    }

    /// How far it is.
    pub fn progress(&self) -> Option<Arc<Progress>> {
        self.progress.latest()
    }

    /// What came of it, once.
    pub fn ended(&self) -> Option<Ended> {
        match self.ended.try_recv() {
            Ok(Ok(comparison)) => Some(Ok(Some(comparison))),
            Ok(Err(CompareError::Cancelled)) => Some(Ok(None)),
            Ok(Err(error)) => Some(Err(error.text(Surface::Window))),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(
                "a defect in Strata ended the comparison; please report it".to_owned(),
            )),
        }
    }
}

impl Drop for CompareTask {
    fn drop(&mut self) {
        self.cancel();
    }
}
