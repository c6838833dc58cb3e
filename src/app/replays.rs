//! The opened run on its way through its training once more.

use std::path::PathBuf;
use strata_core::format;
use strata_engine::replay::ReplayTask;

/// The run that is being trained again.
#[derive(Default)]
pub struct Replays {
    pub(super) running: Option<(ReplayTask, PathBuf)>,
}

impl Replays {
    /// Which step it is at; `None` where no run is trained again.
    pub fn step(&self) -> Option<u64> {
        self.running.as_ref().map(|(task, _)| task.step())
    }

    /// How far it is, in words.
    pub fn text(&self) -> Option<String> {
        let step = self.step()?;
        Some(format!("Replay: step {}", format::count(step)))
    }
}
