//! Notices that a run which seems to have ended long ago grows: the machine that trains it has a clock that is behind, or
//! its folder is copied here with the times of there.

use super::stamp;
use crate::storage::metrics_csv::{METRICS_FILE, STEPS_FILE};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Watches a run's folder until this is dropped.
#[derive(Debug)]
pub struct Growth {
    grown: Receiver<()>,
    _until: Sender<()>,
}

impl Growth {
    /// Watches on a thread of its own; `wake` is called there when the run has grown. `None` where there is no thread left.
    pub fn watch(run: PathBuf, wake: impl Fn() + Send + 'static) -> Option<Growth> {
        let (sender, grown) = bounded(1);
        let (until, ended) = bounded::<()>(0);
        let look = move || -> Vec<Option<(u64, SystemTime)>> {
            let files = [STEPS_FILE, METRICS_FILE].iter();
            files.map(|name| stamp(&run.join(name))).collect()
        };
        let thread = std::thread::Builder::new().name("strata-growth".to_owned());
        let spawned = thread.spawn(move || {
            let mut known = look();
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK_EVERY) {
                let now = look();
                // A folder that is away for a while has not grown.
                if now != known && now.iter().all(Option::is_some) {
                    let is_first = known.iter().any(Option::is_none);
                    known = now;
                    if !is_first && sender.send(()).is_ok() {
                        return wake();
                    }
                }
            }
        });
        spawned.ok().map(|_| Growth {
            grown,
            _until: until,
        })
    }

    /// Whether the run has grown.
    pub fn has_grown(&self) -> bool {
        self.grown.try_recv().is_ok()
    }
}
