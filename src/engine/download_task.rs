//! A download on its own thread. Ends with its result; a failure is a message.

use super::slot::Slot;
use crossbeam_channel::{Receiver, bounded};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use strata_data::download::{DownloadError, Entry, Fetched, Options, Told, fetch};

/// A download on its way. Dropping it ends it; what was received is kept.
#[derive(Debug)]
pub struct Fetching {
    /// What is fetched.
    pub entry: Entry,
    /// Into which folder.
    pub folder: PathBuf,
    progress: Arc<Slot<Told>>,
    cancel: Arc<AtomicBool>,
    ended: Receiver<Result<Fetched, DownloadError>>,
}

/// Between two reports of progress.
const REPORT: Duration = Duration::from_millis(100);

impl Fetching {
    /// Starts. `wake` is called when there is progress to report.
    pub fn start(
        entry: Entry,
        folder: PathBuf,
        options: Options,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Fetching> {
        let (sender, ended) = bounded(1);
        let (progress, cancel) = (Arc::<Slot<Told>>::default(), Arc::<AtomicBool>::default());
        let (wanted, into, slot, cancelled) = (
            entry.clone(),
            folder.clone(),
            progress.clone(),
            cancel.clone(),
        );
        std::thread::Builder::new()
            .name("strata-fetch".to_owned())
            .spawn(move || {
                let mut due = Instant::now();
                let result = fetch(&wanted, &into, &options, &mut |told| {
                    if Instant::now() >= due {
                        due = Instant::now() + REPORT;
                        slot.put(told.clone());
                        wake();
                    }
                    !cancelled.load(Relaxed)
                });
                // Who cancelled may be gone.
                sender.send(result).ok();
                wake();
            })?;
        Ok(Fetching {
            entry,
            folder,
            progress,
            cancel,
            ended,
        })
    }

    /// Ends it as soon as the thread notices: between two pieces, or when no more bytes come for too long.
    pub fn cancel(&self) {
        self.cancel.store(true, Relaxed);
    }

    /// Whether it was cancelled and the thread has yet to notice.
    pub fn is_ending(&self) -> bool {
        self.cancel.load(Relaxed)
    }

    /// How far it is.
    pub fn progress(&self) -> Option<Arc<Told>> {
        self.progress.latest()
    }

    /// What came of it, once.
    pub fn ended(&self) -> Option<Result<Fetched, DownloadError>> {
        self.ended.try_recv().ok()
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.cancel();
    }
}
