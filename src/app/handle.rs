//! The one place where an action changes the state.

mod files;
mod layers;

use super::action::{Action, OnView, Show};
use super::arrangement::{Arrangement, Arrangements, Workspace};
use super::messages::Weight;
use super::recent::Kind;
use super::run_monitor::{Phase, RunMonitor};
use super::services::Services;
use super::state::{Closing, State};
use strata_core::project::edit::Edit;
use strata_engine::command::Command;
use strata_engine::event::Outcome;
use strata_engine::thread::RunOptions;

impl State {
    /// Applies one action.
    pub fn handle(&mut self, action: Action, services: &mut Services) {
        match action {
            Action::Edit(edit) => {
                self.edit(&edit);
            }
            Action::Add(place, node) => {
                if self.edit(&Edit::Insert(place.clone(), node)) {
                    self.selected = Some(place);
                }
            }
            Action::AddText(place, text) => self.add_text(&place, &text),
            Action::WriteText(place, text) => self.write_text(&place, &text),
            Action::Move(from, to) => self.move_node(&from, &to),
            Action::Paste(text) => self.paste(&text),
            Action::Fold(place, folded) => self.fold(place, folded),
            Action::Selected(change) => self.change_selected(change),
            Action::Select(place) => self.selected = place,
            Action::Preview(preview) => self.show_preview(preview),
            Action::PreviewNetwork(network) => self.show_proposal(network),
            Action::Undo => self.travel(true),
            Action::Redo => self.travel(false),
            Action::Show(show) => self.show(show),
            Action::View(change) => self.change_views(change, services),
            Action::Dismiss(id) => self.messages.dismiss(id),
            Action::Device(device) => self.device = device,
            Action::Choose(choice) => self.choices.put(choice),
            Action::Inspect(query) => self.inspect(query, services),
            Action::CancelReading => self.inspections.cancel(),
            Action::ReadAgain => self.inspections.read_again(),
            Action::Fetch(start) => self.fetch(start, services),
            Action::Unpack(start) => self.unpack(start, services),
            Action::FitNetwork => self.fit_network(),
            Action::ListRuns => self.runs.read(self.runs_to_list(), &services.wake),
            Action::Train => self.train(services),
            Action::Pause => self.training.send(Command::Pause),
            Action::Resume => self.training.send(Command::Resume),
            Action::Step => self.training.send(Command::Step),
            Action::Stop => self.training.send(Command::Stop),
            Action::Report => self.report(services),
            other => self.handle_files(other, services),
        }
    }

    fn show(&mut self, show: Show) {
        match show {
            Show::Dark(dark) => self.view.dark = Some(dark),
            Show::Workspace(workspace) => {
                self.show_proposal(None);
                self.view.workspace = workspace;
            }
            Show::LogLoss(log) => self.view.log_loss = log,
            Show::ByEpoch(epochs) => self.view.by_epoch = epochs,
            Show::FilterScale(scale) => self.view.filter_scale = scale,
            Show::DecoderFilters(decoder) => self.view.decoder_filters = decoder,
            Show::Stage(stage) => self.view.stage = stage,
            Show::Settings(shown) => self.view.settings = Some(shown),
            Show::Saliency(request) => {
                self.view.remember_saliency(&request);
                self.inspections.saliency = request;
            }
            Show::Cell(cell) => self.inspections.cell = cell,
            Show::Lens(lens) => self.view.lens = lens,
            Show::Measure(request) => self.inspections.statistics = request,
            Show::Kernels(kernels) => self.inspections.kernels = *kernels,
            Show::Images(request) => {
                self.view.remember_images(&request);
                self.inspections.gallery = request;
            }
            Show::Slice(slice) => self.inspections.slice = slice,
            Show::Augmented(request) => self.inspections.draws = request,
            Show::Run(run, shown) => self.runs.show(run, shown),
            Show::RunsOf(meaning) => self.runs.chosen = Some(meaning),
            Show::Switch(switch) => self.view.set(switch),
        }
    }

    fn change_views(&mut self, change: OnView, services: &Services) {
        self.show_proposal(None);
        let purpose = self.purpose();
        if let OnView::Open(kind, None) = change
            && !self.arrangement().is_open(kind)
        {
            self.view.workspace = services.views.info(kind).workspace;
        }
        let workspace = self.view.workspace;
        let arrangement = self.arrangements.get_mut(workspace, purpose);
        match change {
            OnView::Open(kind, beside) => arrangement.open(kind, beside),
            OnView::Close(kind) => arrangement.close(kind),
            OnView::Split(kind, side) => arrangement.split(kind, side),
            OnView::Arrange(moved) => *arrangement = moved,
            OnView::ResetAll => {
                self.arrangements = Arrangements::default();
                self.view = self.view.reset();
                self.inspections.gallery = self.view.first_images();
                self.inspections.saliency.question = None;
            }
            OnView::Reset => {
                *arrangement = match workspace {
                    Workspace::Data => Arrangement::default_data(),
                    Workspace::Design => Arrangement::default_design(),
                    Workspace::Training => Arrangement::default_for(purpose),
                }
            }
        }
    }

    fn train(&mut self, services: &Services) {
        if self.training.is_running() {
            return;
        }
        if let Some(hindrance) = self.hindrance() {
            return self.tell_hindrance(hindrance);
        }
        if let Phase::Ended(Outcome::Failed(failure)) = &self.training.phase {
            self.messages.withdraw(&failure.in_window);
        }
        let options = RunOptions {
            base: self.base(),
            device: self.device.clone(),
            ..RunOptions::default()
        };
        self.inspections.stop_measuring();
        let project = self.project().clone();
        match (services.start)(project.clone(), options, services.wake.clone()) {
            Ok(running) => {
                self.training = RunMonitor::new(running, project);
                self.view.workspace = Workspace::Training;
                self.inspections.forget_run();
            }
            Err(error) => {
                let text = format!(
                    "the training thread could not be started: {error}; close other programs and press Train again"
                );
                self.messages.add(Weight::Error, text);
            }
        }
    }

    fn remember_run(&mut self) {
        let RunMonitor {
            run: Some(run),
            project: Some(project),
            ..
        } = &self.training
        else {
            return;
        };
        if self.training.is_running() && !self.recents.is_newest(run) {
            self.recents.remember(run, &project.title, Kind::Run);
        }
    }

    /// Takes what the engine has reported since the last frame.
    pub fn drain(&mut self) {
        for (weight, text) in self.training.drain() {
            // The engine has logged its events.
            self.messages.show(weight, text);
        }
        self.inspections.drain(self.training.live().as_deref());
        self.drain_download();
        self.drain_unpacking();
        self.follow_known_advice();
        self.runs.drain();
        self.about.drain();
        for (weight, text) in self.pictures.saved() {
            self.messages.add(weight, text);
        }
        self.remember_run();
        self.forget_mended();
        if self.closing == Closing::Waiting
            && !self.training.is_running()
            && !self.pictures.is_busy()
        {
            self.closing = Closing::Now;
        }
    }
}
