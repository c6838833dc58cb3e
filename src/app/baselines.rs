//! Baselines that are being made, on their own thread: one request at a time.

use super::baseline_work::BaselineWork;
use super::messages::Weight;
use super::services::Services;
use super::state::State;
use strata_baselines::task::{BaselineTask, News};
use strata_baselines::work::Request;
use strata_core::spoken::spoken;

impl State {
    /// Starts making baselines of the project as it is shown; `None` ends those on their way.
    pub(super) fn make_baselines(&mut self, request: Option<Request>, services: &Services) {
        let Some(request) = request else {
            return self.baselines.0.iter().for_each(|(task, _)| task.cancel());
        };
        if self.baselines.0.is_some() {
            let text = "Baselines are being fitted already; cancel them first";
            return self.messages.add(Weight::Warning, text);
        }
        let wake = services.wake.clone();
        let (project, base) = (self.project().clone(), self.base());
        let runs = self.runs_to_list().folder;
        match BaselineTask::start(project, base, runs, request, move || wake()) {
            Ok(task) => self.baselines = BaselineWork(Some((task, services.wake.clone()))),
            Err(error) => {
                let text = format!(
                    "no thread could be started for the baselines: {error}; close other programs"
                );
                self.messages.add(Weight::Error, text);
            }
        }
    }

    /// Goes on to the next run where the baseline was one of a project's runs, unless it was cancelled.
    fn follow_baseline(&mut self, has_failed: bool) {
        let is_made = self.studying.queue.as_ref().map(|queue| queue.is_made);
        match is_made {
            Some(false) if !has_failed => self.studying.queue = None,
            Some(_) => self.studying.is_next_due = true,
            None => {}
        }
    }

    /// Takes what came of them.
    pub(super) fn drain_baselines(&mut self) {
        while let Some((news, wake)) = self.baselines.news() {
            match news {
                News::Made(made) => {
                    log::info!("made the baseline {}", made.folder.display());
                    self.runs.read(self.runs_to_list(), &wake);
                    if let Some(queue) = &mut self.studying.queue {
                        queue.is_made = true;
                    }
                }
                News::Ended(why) => {
                    self.baselines = BaselineWork(None);
                    self.look_at_runs(true);
                    self.follow_baseline(why.is_some());
                    if let Some(why) = why {
                        self.messages.add(Weight::Error, spoken(&why));
                    }
                }
            }
        }
    }
}
