//! Baselines on a thread of their own, with progress and cancelling.

use super::error::BaselineError;
use super::work::{Made, Request, make};
use crossbeam_channel::{Receiver, TryRecvError, unbounded};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use strata_core::project::Project;
use strata_core::project::help::Surface;
use strata_data::Progress;
use strata_engine::run::thread_priority::lower_priority;
use strata_engine::slot::Slot;

/// Between two reports of progress.
const REPORT: Duration = Duration::from_millis(100);

/// Baselines on their way. Dropping it ends them; those that were ready stay.
#[derive(Debug)]
pub struct BaselineTask {
    /// What is made.
    pub request: Request,
    progress: Arc<Slot<Progress>>,
    cancel: Arc<AtomicBool>,
    news: Receiver<News>,
}

/// What the thread says.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A baseline is ready.
    Made(Box<Made>),
    /// It has ended, with why where that is not as it should be; of what was cancelled there is nothing to say.
    Ended(Option<String>),
}

impl BaselineTask {
    /// Starts. `wake` is called when there is something new.
    pub fn start(
        project: Project,
        base: PathBuf,
        runs: PathBuf,
        request: Request,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<BaselineTask> {
        let (sender, news) = unbounded();
        let (progress, cancel) = (
            Arc::<Slot<Progress>>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (slot, cancelled, asked) = (progress.clone(), cancel.clone(), request.clone());
        let thread = std::thread::Builder::new().name("strata-baseline".to_owned());
        thread.spawn(move || {
            lower_priority();
            let due = Mutex::new(Instant::now());
            let monitor = |progress: Progress| {
                let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
                if Instant::now() >= *due {
                    *due = Instant::now() + REPORT;
                    slot.put(progress);
                    wake();
                }
                !cancelled.load(Relaxed)
            };
            let mut each = |made| {
                // Who cancelled may be gone.
                sender.send(News::Made(Box::new(made))).ok();
                wake();
            };
            let ended = make(&project, &base, &runs, &asked, &monitor, &mut each);
            let why = match ended {
                Ok(()) | Err(BaselineError::Cancelled) => None,
                Err(error) => Some(error.text(Surface::Window)),
            };
            sender.send(News::Ended(why)).ok();
            wake();
        })?;
        Ok(BaselineTask {
            request,
            progress,
            cancel,
            news,
        })
    }

    /// Ends it as soon as the thread notices.
    pub fn cancel(&self) {
        self.cancel.store(true, Relaxed);
    }

    /// Whether it was cancelled and the thread has yet to notice.
    pub fn is_ending(&self) -> bool {
        self.cancel.load(Relaxed)
    }

    /// How far it is.
    pub fn progress(&self) -> Option<Arc<Progress>> {
        self.progress.latest()
    }

    /// The next news, if there is one.
    pub fn news(&self) -> Option<News> {
        match self.news.try_recv() {
            Ok(news) => Some(news),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(News::Ended(Some(
                "a defect in Strata ended the baseline; please report it".to_owned(),
            ))),
        }
    }
}

impl Drop for BaselineTask {
    fn drop(&mut self) {
        self.cancel();
    }
}
