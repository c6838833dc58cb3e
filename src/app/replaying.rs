//! Training the opened run again, on a thread of its own, and what came of it.

use super::messages::Weight;
use super::services::Services;
use super::state::State;
use std::path::Path;
use strata_core::project::help::Surface;
use strata_engine::replay::{Replay, ReplayOptions, ReplayTask, Replayed};

impl State {
    /// Whether there is a run that can be trained again now.
    pub fn can_replay(&self) -> bool {
        self.training.run.is_some() && !self.training.is_running() && self.replays.running.is_none()
    }

    /// Trains the opened run again (true), or ends that.
    pub(super) fn replay(&mut self, start: bool, services: &Services) {
        if !start {
            self.replays
                .running
                .iter()
                .for_each(|(task, _)| task.stop());
            return;
        }
        let Some(run) = self.training.run.clone().filter(|_| self.can_replay()) else {
            return;
        };
        // One for each window of this machine that may do so at a time.
        let name = format!("strata-replay-{}", std::process::id());
        let options = ReplayOptions {
            folder: std::env::temp_dir().join(name),
            device: None,
        };
        let folder = options.folder.clone();
        remove(&folder);
        let wake = services.wake.clone();
        match ReplayTask::start(&run, options, move || wake()) {
            Ok(task) => self.replays.running = Some((task, folder)),
            Err(error) => {
                let text = format!(
                    "no thread could be started to train the run again: {error}; close other programs"
                );
                self.messages.add(Weight::Error, text);
            }
        }
    }

    /// Tells what came of it.
    pub(super) fn drain_replay(&mut self) {
        let Some((task, folder)) = &self.replays.running else {
            return;
        };
        let Some(ended) = task.ended() else { return };
        let name = task.run.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let (weight, text) = match ended {
            Ok(Replayed::Whole(replay)) => told(&name, &replay),
            Ok(Replayed::Stopped) => (
                Weight::Note,
                "The replay was stopped; nothing was compared".to_owned(),
            ),
            Ok(Replayed::Failed(failure)) => (
                Weight::Error,
                format!("{name} could not be trained again: {}", failure.in_window),
            ),
            Err(text) => (Weight::Error, text),
        };
        remove(folder);
        self.replays.running = None;
        self.messages.add(weight, text);
    }
}

/// A difference and the verdict stay until they were read.
fn told(name: &str, replay: &Replay) -> (Weight, String) {
    let text = replay.text(Surface::Window);
    let others = replay.others.iter().map(|other| format!("; {other}"));
    let others: String = others.collect();
    (Weight::Warning, format!("Replay of {name}: {text}{others}"))
}

/// Takes the temporary folder away.
fn remove(folder: &Path) {
    if folder.exists()
        && let Err(error) = std::fs::remove_dir_all(folder)
    {
        log::warn!("{} could not be removed: {error}", folder.display());
    }
}
