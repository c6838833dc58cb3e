//! The unpacking of an archive on a thread of its own. Ends with what lies in its folder; a failure is a message.

use super::slot::Slot;
use crossbeam_channel::{Receiver, bounded};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use strata_core::project::data::Source;
use strata_data::archive::{ArchiveError, Contents, unpack};
use strata_data::{Recognised, recognise};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpackedData {
    /// What lies in the folder, and the `path` for it.
    pub recognised: Recognised,
    /// What was in the way and incomplete, under its new name.
    pub set_aside: Option<PathBuf>,
}

/// An unpacking on its way. Dropping it ends it; what was unpacked is kept.
#[derive(Debug)]
pub struct Unpacking {
    /// The archive.
    pub archive: PathBuf,
    progress: Arc<Slot<[u64; 2]>>,
    cancel: Arc<AtomicBool>,
    ended: Receiver<Result<UnpackedData, ArchiveError>>,
}

/// Between two reports of progress.
const REPORT: Duration = Duration::from_millis(100);

impl Unpacking {
    /// Starts. `now` is kept as the source where it reads what is found; `wake` is called when something can be told.
    pub fn start(
        archive: PathBuf,
        now: Source,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Unpacking> {
        let (sender, ended) = bounded(1);
        let (progress, cancel) = (
            Arc::<Slot<[u64; 2]>>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (from, slot, cancelled) = (archive.clone(), progress.clone(), cancel.clone());
        std::thread::Builder::new()
            .name("strata-unpack".to_owned())
            .spawn(move || {
                let mut due = Instant::now();
                let mut go_on = |done: u64, total: u64| {
                    if Instant::now() >= due {
                        due = Instant::now() + REPORT;
                        slot.put([done, total]);
                        wake();
                    }
                    !cancelled.load(Relaxed)
                };
                let result = Contents::read(&from, &mut go_on)
                    .and_then(|contents| unpack(&contents, &mut go_on));
                let result = result.map(|unpacked| UnpackedData {
                    recognised: recognise(&unpacked.folder, now),
                    set_aside: unpacked.set_aside,
                });
                // Who cancelled may be gone.
                sender.send(result).ok();
                wake();
            })?;
        Ok(Unpacking {
            archive,
            progress,
            cancel,
            ended,
        })
    }

    /// Ends it as soon as the thread notices: between two pieces.
    pub fn cancel(&self) {
        self.cancel.store(true, Relaxed);
    }

    /// Bytes done and bytes in all: of the archive while its directory is read, then of what is unpacked.
    pub fn progress(&self) -> Option<Arc<[u64; 2]>> {
        self.progress.latest()
    }

    /// What came of it, once.
    pub fn ended(&self) -> Option<Result<UnpackedData, ArchiveError>> {
        self.ended.try_recv().ok()
    }
}

impl Drop for Unpacking {
    fn drop(&mut self) {
        self.cancel();
    }
}
