//! The comparison of runs and baselines that the window shows, made on its own thread.

use super::comparing::MOST;
use super::messages::Weight;
use super::services::Services;
use super::state::State;
use std::path::PathBuf;
use std::sync::Arc;
use strata_compare::task::CompareTask;
use strata_core::spoken::spoken;

impl State {
    /// Starts comparing what is chosen (true), or ends it.
    pub(super) fn compare(&mut self, start: bool, services: &Services) {
        if !start {
            return self.comparing.task.iter().for_each(CompareTask::cancel);
        }
        // In the order of the lists, so that a comparison reads as they do.
        let listed = self.runs.list.iter().map(|run| &run.path);
        let listed = listed.chain(self.runs.baselines.iter().map(|own| &own.path));
        let chosen = listed.filter(|path| self.comparing.chosen.contains(*path));
        let folders: Vec<PathBuf> = chosen.take(MOST).cloned().collect();
        self.compare_folders(folders, services);
    }

    /// Starts comparing the runs and baselines in these folders.
    pub(super) fn compare_folders(&mut self, folders: Vec<PathBuf>, services: &Services) {
        let wake = services.wake.clone();
        match CompareTask::start(folders, None, move || wake()) {
            Ok(task) => {
                self.comparing.task = Some(task);
                self.comparing.failed = None;
            }
            Err(error) => {
                let text = format!(
                    "no thread could be started for the comparison: {error}; close other programs"
                );
                self.messages.add(Weight::Error, text);
            }
        }
    }

    /// Takes what came of it.
    pub(super) fn drain_comparison(&mut self) {
        let Some(ended) = self.comparing.task.as_ref().and_then(CompareTask::ended) else {
            return;
        };
        self.comparing.task = None;
        match ended {
            Ok(Some(comparison)) => {
                self.comparing.shown = Some(Arc::new(comparison));
                self.write_comparison();
            }
            Ok(None) => self.studying.page = None,
            Err(why) => {
                self.studying.page = None;
                self.comparing.failed = Some(spoken(&why));
            }
        }
    }
}
