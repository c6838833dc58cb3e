//! The runs of a project that has several: one is shown, all are trained one after the other, those that are done are
//! compared.

use crate::action::{Action, OnView};
use crate::baseline_work::BaselineWork;
use crate::messages::Weight;
use crate::run_monitor::{Phase, RunMonitor};
use crate::services::Services;
use crate::state::State;
use crate::studying::{OnRuns, PageWanted, Queue};
use crate::view_kind::ViewKind;
use std::path::{Path, PathBuf};
use strata_baselines::task::BaselineTask;
use strata_baselines::work::Request;
use strata_core::atomic_write::write_atomic;
use strata_core::project::Project;
use strata_core::project::study::{Study as Runs, Taken};
use strata_engine::command::Command;
use strata_engine::event::Outcome;
use strata_engine::storage::run_folder::as_kept;
use strata_export::comparison::page;
use strata_export::study::{self, Reported, Study};
use strata_study::{Item, Plan, Standing, Work, folder_of_runs};

impl State {
    pub(super) fn on_runs(&mut self, what: OnRuns, services: &Services) {
        match what {
            OnRuns::Show(run) => self.show_run_of_file(run),
            OnRuns::TrainAll => self.train_runs(None, services),
            OnRuns::Next => self.train_next(services),
            OnRuns::Stop => self.stop_runs(),
            OnRuns::Compare => self.compare_runs(services),
        }
    }

    /// Trains the run that is shown, and those that it takes from, as far as they are not done.
    pub(super) fn train_shown_run(&mut self, services: &Services) {
        let Some(study) = &self.project().study else {
            return;
        };
        let Some(shown) = study.shown() else {
            let text = "These are the settings that all runs share: choose a run to train it, or Train all";
            return self.messages.add(Weight::Note, text);
        };
        let source = |run: &usize| study.taken(*run).map(Taken::run);
        let wanted: Vec<usize> = std::iter::successors(Some(shown), source).collect();
        self.train_runs(Some(wanted), services);
    }

    fn train_runs(&mut self, only: Option<Vec<usize>>, services: &Services) {
        let is_busy = self.training.is_running() || self.baselines.0.is_some();
        if is_busy || self.studying.is_training() {
            return;
        }
        if let Some(hindrance) = self.hindrance() {
            return self.tell_hindrance(hindrance);
        }
        self.studying.queue = Some(Queue {
            only,
            ..Queue::default()
        });
        self.train_next(services);
    }

    /// Begins with the next run that is not done; where there is none, compares.
    fn train_next(&mut self, services: &Services) {
        self.look_at_runs(true);
        let Some(queue) = &mut self.studying.queue else {
            return;
        };
        match next(&self.studying.plan, queue).cloned() {
            Some(item) => {
                queue.tried.insert(item.name.clone());
                queue.now = Some(item.name.clone());
                queue.is_made = false;
                self.begin_run(&item, services);
            }
            None => self.end_queue(services),
        }
    }

    fn end_queue(&mut self, services: &Services) {
        let Some(queue) = self.studying.queue.take() else {
            return;
        };
        let items = &self.studying.plan.items;
        let is_done = |item: &&Item| item.standing == Standing::Done;
        match &queue.only {
            Some(_) if queue.tried.is_empty() => {
                let text =
                    "This run is done as its settings are now: change them to train it again";
                self.messages.add(Weight::Note, text);
            }
            Some(_) => {}
            None => {
                let (done, all) = (items.iter().filter(is_done).count(), items.len());
                let text = format!("{done} of {all} runs are done");
                let weight = if done == all {
                    Weight::Note
                } else {
                    Weight::Warning
                };
                self.messages.add(weight, text);
                self.compare_runs(services);
            }
        }
    }

    fn begin_run(&mut self, item: &Item, services: &Services) {
        self.show_run_of_file(Some(item.run));
        match &item.work {
            Work::Train(project) => {
                let options = strata_engine::thread::RunOptions {
                    run: Some(item.folder.clone()),
                    resume: item.standing == Standing::Interrupted,
                    ..self.run_options()
                };
                let project = project.as_ref().clone();
                let (wake, is_resumed) = (services.wake.clone(), options.resume);
                let folder = item.folder.clone();
                self.start_run(project, options, services, |running, project, _| {
                    if is_resumed {
                        let begun = RunMonitor::stored(folder, &wake);
                        RunMonitor::continued(running, project, begun, &wake)
                    } else {
                        RunMonitor::new(running, project)
                    }
                });
                if !self.training.is_running() {
                    self.studying.queue = None;
                }
            }
            Work::Fit(project, request) => self.begin_baseline(project, request, services),
        }
    }

    fn begin_baseline(&mut self, project: &Project, request: &Request, services: &Services) {
        let wake = services.wake.clone();
        let base = self.base();
        let runs = folder_of_runs(&base);
        let started =
            BaselineTask::start(project.clone(), base, runs, request.clone(), move || {
                wake();
            });
        match started {
            Ok(task) => self.baselines = BaselineWork(Some((task, services.wake.clone()))),
            Err(error) => {
                self.studying.queue = None;
                let text = format!(
                    "no thread could be started for the baselines: {error}; close other programs"
                );
                self.messages.add(Weight::Error, text);
            }
        }
    }

    fn stop_runs(&mut self) {
        self.studying.queue = None;
        self.training.send(Command::Stop);
        self.baselines.0.iter().for_each(|(task, _)| task.cancel());
    }

    /// Compares the runs that are done, in their view and as a page beside them.
    fn compare_runs(&mut self, services: &Services) {
        self.look_at_runs(true);
        let done = self.studying.plan.done();
        if done.len() < 2 {
            let text = "There is nothing to compare yet: fewer than two runs are done";
            return self.messages.add(Weight::Note, text);
        }
        self.studying.page = Some(PageWanted {
            file: strata_study::page(self.project(), &self.base()),
            wake: services.wake.clone(),
        });
        self.comparing.chosen = done.iter().cloned().collect();
        self.compare_folders(done, services);
        self.change_views(OnView::Open(ViewKind::Compare, None), services);
        self.runs.read(self.runs_to_list(), &services.wake);
    }

    /// Writes the comparison that was made of the runs as a page, and their report: on a thread, since both open every
    /// run for its pictures.
    pub(crate) fn write_comparison(&mut self) {
        let Some(PageWanted { file, wake }) = self.studying.page.take() else {
            return;
        };
        let Some(comparison) = self.comparing.shown.clone() else {
            return;
        };
        let unsaved = || PathBuf::from("project.toml");
        let (project, project_file) = (self.project().clone(), self.file.clone());
        let project_file = project_file.unwrap_or_else(unsaved);
        let runs = self.studying.plan.reported(Reported::of);
        let report = strata_study::report(&project, &self.base());
        let of_comparison = comparison.clone();
        let write = move |file: &Path| put(file, &page(&of_comparison));
        self.pictures
            .save("The comparison of the runs is", file, write, &wake);
        let write = move |file: &Path| {
            let text = study::html(&Study {
                project: &project,
                file: &project_file.display().to_string(),
                words: &study::text_of(&study::notes_file(&project_file)),
                runs: &runs,
                comparison: &comparison,
            });
            put(file, &text)
        };
        self.pictures
            .save("The report of the runs is", report, write, &wake);
    }

    /// Keeps the author's own words for the report, in the file beside the project.
    pub(super) fn keep_report_words(&mut self, words: String) {
        let Some(file) = self.file.clone() else {
            let text = "Save the project first: the words for its report are kept beside its file";
            return self.messages.add(Weight::Warning, text);
        };
        if let Err(error) = study::keep_words(&file, &words) {
            let notes = study::notes_file(&file);
            let text = format!("{} cannot be written: {error}", notes.display());
            self.messages.add(Weight::Error, text);
        }
        self.studying.words = Some((file, words));
    }

    /// Reads the author's own words once for each project file.
    fn look_at_words(&mut self) {
        let Some(file) = self.file.clone().filter(|_| self.project().study.is_some()) else {
            return;
        };
        if self.studying.words(&file).is_none() {
            let words = study::text_of(&study::notes_file(&file));
            self.studying.words = Some((file, words));
        }
    }

    /// Looks where the runs stand, where the project was edited since or (`again`) something ended.
    pub(crate) fn look_at_runs(&mut self, again: bool) {
        self.look_at_words();
        let is_known = self.studying.of.as_ref() == Some(self.project());
        if is_known && !again {
            return;
        }
        let plan = Plan::read(self.project(), &self.base(), None);
        (self.studying.plan, self.studying.failed) = match plan {
            Ok(plan) => (plan, None),
            Err(why) => (Plan::default(), Some(why)),
        };
        self.studying.of = Some(self.project().clone());
    }

    /// Takes notice of a run that has ended.
    pub(crate) fn follow_runs(&mut self, was_running: bool) {
        let has_ended = was_running && !self.training.is_running();
        self.look_at_runs(has_ended);
        if !has_ended || self.baselines.0.is_some() {
            return;
        }
        match &self.training.phase {
            Phase::Ended(Outcome::Completed(_) | Outcome::Failed(_)) => {
                self.studying.is_next_due = self.studying.is_training();
            }
            // Who stops a run wants the others to wait too.
            _ => self.studying.queue = None,
        }
    }

    /// What is to be done now that something has ended.
    pub fn due(&mut self) -> Option<Action> {
        if self.takes_turn() {
            return Some(Action::TrainFromRun);
        }
        let is_due = std::mem::take(&mut self.studying.is_next_due);
        is_due.then_some(Action::Runs(OnRuns::Next))
    }

    /// Whether a run that was trained is one of those that the shown run is trained as.
    pub(crate) fn is_shown_run(&self, trained: &Project) -> bool {
        self.as_trained()
            .any(|own| as_kept(own, &self.base()).trains_like(trained) || own.trains_like(trained))
    }

    /// What the shown run is trained as: one for each of its seeds.
    pub(super) fn as_trained(&self) -> impl Iterator<Item = &Project> {
        let shown = self.project().study.as_ref().and_then(Runs::shown);
        let plan = &self.studying.plan;
        let items = shown.into_iter().flat_map(|run| plan.of_run(run));
        items.filter_map(Item::trained)
    }
}

fn put(file: &Path, text: &str) -> Result<(), String> {
    let written = write_atomic(file, text.as_bytes());
    written.map_err(|error| format!("{} cannot be written: {error}", file.display()))
}

fn next<'a>(plan: &'a Plan, queue: &Queue) -> Option<&'a Item> {
    let mut tried = queue.tried.clone();
    loop {
        let item = plan.next(&tried)?;
        let is_wanted = |only: &Vec<usize>| only.contains(&item.run);
        if queue.only.as_ref().is_none_or(is_wanted) {
            return Some(item);
        }
        tried.insert(item.name.clone());
    }
}
