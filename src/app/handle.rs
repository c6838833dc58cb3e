//! The one place where an action changes the state.

mod files;
mod going_on;
mod layers;
mod saving;
mod study;

use super::action::{Action, OnView, Show};
use super::arrangement::{Arrangement, Workspace};
use super::arrangements::{Arrangements, ClosedView};
use super::messages::Weight;
use super::recent::Kind;
use super::run_monitor::RunMonitor;
use super::services::Services;
use super::state::{Closing, SideTab, State};
use strata_core::project::edit::Edit;
use strata_engine::command::Command;

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
            Action::AskLayer(place) => self.ask_layer(place),
            Action::AddText(place, text) => self.add_text(&place, &text),
            Action::WriteText(place, text) => self.write_text(&place, &text),
            Action::Move(from, to) => self.move_node(&from, &to),
            Action::Paste(text) => self.paste(&text),
            Action::Fold(place, folded) => self.fold(place, folded),
            Action::Selected(change) => self.change_selected(change),
            Action::Select(place) => self.select(place),
            Action::Preview(preview) => self.show_preview(preview),
            Action::PreviewNetwork(network) => self.show_proposal(network),
            Action::Undo => self.travel(true),
            Action::Redo => self.travel(false),
            Action::Show(show) => self.show(show),
            Action::View(change) => self.change_views(change, services),
            Action::Dismiss(id) => self.messages.dismiss(id),
            Action::Device(device) => self.device = device,
            Action::LookForDevices => self.devices.look(&services.wake),
            Action::Choose(choice) => self.choices.put(choice),
            Action::Inspect(query) => self.inspect(query, services),
            Action::CancelReading => self.inspections.cancel(),
            Action::ReadAgain => self.inspections.read_again(),
            Action::Fetch(start) => self.fetch(start, services),
            Action::LookForFiles => self.look_for_files(services),
            Action::Unpack(start) => self.unpack(start, services),
            Action::Begin(beginning) => {
                let begun = beginning.of(self.project());
                self.edit(&Edit::All(Box::new(begun)));
            }
            Action::FitNetwork => self.fit_network(),
            Action::ListRuns => self.runs.read(self.runs_to_list(), &services.wake),
            Action::AddRuns(path) => self.add_runs(&path, services),
            Action::NoteRun(run, note) => self.note_run(&run, &note),
            Action::Baselines(request) => self.make_baselines(request, services),
            Action::Compare(start) => self.compare(start, services),
            Action::Sweep(change) => self.sweep(change, services),
            Action::Runs(what) => self.on_runs(what, services),
            Action::ReportWords(words) => self.keep_report_words(words),
            Action::Train if self.project().study.is_some() => self.train_shown_run(services),
            Action::Train => {
                self.downloads.look_again();
                self.train(services);
            }
            Action::GoOn(more) => self.continue_run(more, services),
            Action::TrainFromRun => self.train_from_run(services),
            Action::GoOnFrom(checkpoint) => self.branch_run(&checkpoint, services),
            Action::Pause => self.training.send(Command::Pause),
            Action::Resume => self.training.send(Command::Resume),
            Action::Steps(steps) => self.training.send(Command::Steps(steps)),
            Action::Adjust(setting, value) => self.training.adjust(setting, value),
            Action::Stop => {
                self.studying.queue = None;
                self.training.send(Command::Stop);
            }
            Action::Report => self.report(services),
            Action::Export(format) => self.export(format, services),
            Action::Replay(start) => self.replay(start, services),
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
            Show::Stage(stage) => {
                self.view.stage = stage;
                if stage.is_some() {
                    self.view.side_tab = SideTab::Stages;
                }
            }
            Show::Layers(shown) => self.show_layers(shown),
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
            Show::At(step) => self.training.look_back(step),
            Show::Change(is) => self.training.is_change = is,
            Show::Run(run, shown) => self.runs.show(run, shown),
            Show::Compared(folder, is_chosen) => self.comparing.choose(&folder, is_chosen),
            Show::RunsOf(meaning) => self.runs.chosen = Some(meaning),
            Show::RunsTable(table) => self.runs.table = table,
            Show::Field(field) => {
                self.view.settings = Some(true);
                self.lead_to(field, true);
            }
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
            OnView::Close(kind) if arrangement.is_open(kind) => {
                let before = arrangement.clone();
                arrangement.close(kind);
                self.closed_views.push(ClosedView {
                    kind,
                    workspace,
                    before,
                });
            }
            OnView::Close(_) => {}
            OnView::Reopen => self.reopen_view(),
            OnView::Keep(name) => {
                let kept = arrangement.clone();
                self.arrangements.keep(&name, workspace, kept);
            }
            OnView::Recall(name) => self.recall(&name),
            OnView::Forget(name) => self.arrangements.forget(&name),
            OnView::Split(kind, side) => arrangement.split(kind, side),
            OnView::Arrange(moved) => *arrangement = moved,
            OnView::ResetAll => {
                let named = self.arrangements.named().to_vec();
                self.arrangements = Arrangements::default();
                for kept in named {
                    self.arrangements
                        .keep(&kept.name, kept.workspace, kept.arrangement);
                }
                self.view = self.view.reset();
                self.inspections.gallery = self.view.first_images();
                self.inspections.saliency.question = None;
            }
            OnView::Reset => {
                *arrangement = Arrangement::usual(workspace, purpose);
            }
        }
    }

    /// Opens the view that was closed last and is closed still, in the workspace that it was in.
    fn reopen_view(&mut self) {
        while let Some(closed) = self.closed_views.pop() {
            let purpose = self.purpose();
            let arrangement = self.arrangements.get_mut(closed.workspace, purpose);
            if arrangement.is_open(closed.kind) {
                continue;
            }
            closed.reopen(arrangement);
            self.view.workspace = closed.workspace;
            return;
        }
        self.messages.add(Weight::Note, "No view was closed");
    }

    fn recall(&mut self, name: &str) {
        let mut named = self.arrangements.named().iter();
        let Some(kept) = named.find(|kept| kept.name == name).cloned() else {
            return;
        };
        let purpose = self.purpose();
        self.view.workspace = kept.workspace;
        *self.arrangements.get_mut(kept.workspace, purpose) = kept.arrangement;
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

    /// Shows the views of the training once there is something to watch: a start that fails leads nowhere.
    fn follow_start(&mut self) {
        let has_begun = self.training.stage.is_some();
        if self.training.is_running() && !has_begun {
            return;
        }
        let from = self.started_from.take();
        if has_begun && from == Some(self.view.workspace) {
            self.view.workspace = Workspace::Training;
        }
    }

    /// Smooths the curves as it was chosen.
    fn smooth(&mut self) {
        let steps = self.view.smoothing;
        if !self.training.curves.is_smoothed_over(steps) {
            self.training.curves.smooth_over(steps);
        }
        self.runs.smooth_over(steps);
    }

    /// Takes what the engine has reported since the last frame.
    pub fn drain(&mut self) {
        let failed = self.failed_field();
        let was_running = self.training.is_running();
        for (weight, text) in self.training.drain() {
            // The engine has logged its events.
            self.messages.show_of_run(weight, text);
        }
        self.follow_start();
        if self.training.take_new_weights() {
            self.inspections.forget_run();
        }
        self.inspections.drain(self.training.live().as_deref());
        self.drain_download();
        self.drain_unpacking();
        self.drain_import();
        self.drain_baselines();
        self.drain_comparison();
        self.drain_sweep();
        self.drain_replay();
        self.follow_runs(was_running);
        self.follow_known_advice();
        self.runs.drain();
        self.smooth();
        self.about.drain();
        self.devices.drain();
        for (weight, text) in self.pictures.saved() {
            self.messages.add(weight, text);
        }
        if let Some(copied) = self.pictures.copied() {
            self.copied = Some(copied);
            self.messages
                .add(Weight::Note, "The picture is on the clipboard");
        }
        self.remember_run();
        self.forget_mended();
        self.lead_to_failed(failed);
        if self.closing == Closing::Waiting
            && !self.training.is_running()
            && !self.sweeping.is_running()
            && !self.pictures.is_busy()
        {
            self.closing = Closing::Now;
        }
    }
}
