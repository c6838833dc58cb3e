//! What the window shows, as plain values: panels read it, only [`State::handle`] changes it.

pub use super::fields::Fields;
pub use super::prompts::{AfterUnsavedPrompt, Closing, PathPrompt, PathPurpose};
pub use super::shown::Shown;
pub use super::view_settings::{
    ARCHITECTURE_WIDTHS, CostColumn, SETTINGS_WIDTHS, SideTab, Switch, ViewSettings,
};

use super::about::About;
use super::action::Overlay;
use super::arrangement::{Arrangement, Arrangements, ClosedView, Purpose, Workspace};
use super::begin;
use super::choices::Choices;
use super::downloads::Downloads;
use super::frame_times::FrameHistogram;
use super::inspections::Inspections;
use super::known_advice::KnownAdvice;
use super::messages::{Messages, Weight};
use super::recent::Recents;
use super::recovery::{Edited, Unsaved};
use super::refused_field::RefusedField;
use super::run_monitor::{Phase, RunMonitor};
use super::runs::Runs;
use super::saving::Saving;
use super::services::Pixels;
use super::unpacking::Unpackings;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::project::edit::{Edit, History};
use strata_core::project::node::Node;
use strata_core::project::stage::Task;
use strata_core::project::target::Target;
use strata_core::project::{Network, Place, Project, Stack, file};
use strata_design::goals::{Judged, Measured, judge};
use strata_design::{Problem, Severity};
use strata_engine::event::Outcome;
use strata_engine::run::goal_metrics::measured;

/// Networks with more rows than this start with their blocks folded.
const MANY_ROWS: usize = 40;

/// The whole state of the window.
pub struct State {
    history: History,
    saved: Project,
    /// The project's file; `None` until it is saved.
    pub file: Option<PathBuf>,
    /// The text that the project was read from or last written as: its comments stay when it is saved.
    pub source_text: Option<String>,
    /// The selected node.
    pub selected: Option<Place>,
    /// The place that a layer is asked for.
    pub asked_layer: Option<Place>,
    preview: Option<(Place, String)>,
    proposal: Option<Box<Network>>,
    /// What follows from the project.
    pub shown: Shown,
    /// What the user should read.
    pub messages: Messages,
    /// What the images and the epochs of the run say.
    pub known: KnownAdvice,
    /// The run.
    pub training: RunMonitor,
    /// What views have asked for and got.
    pub inspections: Inspections,
    /// What was chosen in views.
    pub choices: Choices,
    /// Datasets that can be downloaded.
    pub downloads: Downloads,
    /// The archive that is being unpacked.
    pub unpackings: Unpackings,
    /// The runs of this project.
    pub runs: Runs,
    /// How things are shown.
    pub view: ViewSettings,
    /// How the views of the centre are laid out.
    pub arrangements: Arrangements,
    /// The views that were closed, the latest last.
    pub(super) closed_views: Vec<ClosedView>,
    folds: BTreeMap<Place, bool>,
    /// Whether the start page is shown instead of the project.
    pub start: bool,
    /// What was opened lately.
    pub recents: Recents,
    /// What is shown over the window.
    pub overlay: Option<Overlay>,
    /// What the About box shows.
    pub about: About,
    /// Edits that windows left behind without saving them, newest first.
    pub unsaved: Vec<Unsaved>,
    /// A question for a path, if one is open.
    pub ask: Option<PathPrompt>,
    pub(super) asked: u64,
    /// Pictures on their way to their files.
    pub(super) pictures: Saving,
    /// A picture that the window is to put on the clipboard.
    pub copied: Option<Pixels>,
    /// What waits for an answer about unsaved changes.
    pub pending: Option<AfterUnsavedPrompt>,
    /// Whether the window is to be closed.
    pub closing: Closing,
    /// Whether the system ends the program (a logout, `kill`): the user was not asked about unsaved edits, so they are kept.
    pub is_ended: bool,
    /// How long the window's own work takes.
    pub frames: FrameHistogram,
    /// The workspace in which a training was started that has not begun yet.
    pub(super) started_from: Option<Workspace>,
    /// Where to compute; `None` for the best there is.
    pub device: Option<String>,
    /// Fields of the project whose text is refused: the project is not what the window shows.
    pub refused: Arc<Vec<RefusedField>>,
    /// What was last said to keep a training from being started.
    pub(crate) told_hindrance: Option<String>,
    /// The project as the last choice of data left it: what follows from that choice is undone with it.
    pub(super) data_step: Option<Project>,
    /// How many projects were opened: what belonged to the one before, as how far its layers were scrolled, ends with it.
    pub opened: u64,
    /// Whether the project is the one that stands in for none, behind the start page.
    pub is_stand_in: bool,
    /// Rises whenever the project is replaced as a whole or an edit is undone: what was typed into a
    /// field before then no longer belongs to it.
    pub generation: u64,
}

impl State {
    /// The state of a window that shows this project.
    pub fn new(project: Project, file: Option<PathBuf>) -> State {
        State {
            shown: Shown::of(&project),
            saved: project.clone(),
            history: History::new(project),
            file,
            source_text: None,
            selected: None,
            asked_layer: None,
            preview: None,
            proposal: None,
            messages: Messages::default(),
            known: KnownAdvice::default(),
            training: RunMonitor::default(),
            inspections: Inspections::default(),
            choices: Choices::default(),
            downloads: Downloads::default(),
            unpackings: Unpackings::default(),
            runs: Runs::default(),
            view: ViewSettings::default(),
            arrangements: Arrangements::default(),
            closed_views: Vec::new(),
            folds: BTreeMap::new(),
            start: false,
            recents: Recents::default(),
            overlay: None,
            about: About::default(),
            unsaved: Vec::new(),
            ask: None,
            asked: 0,
            pictures: Saving::default(),
            copied: None,
            pending: None,
            closing: Closing::No,
            is_ended: false,
            frames: FrameHistogram::default(),
            started_from: None,
            device: None,
            refused: Arc::default(),
            told_hindrance: None,
            data_step: None,
            opened: 0,
            is_stand_in: false,
            generation: 0,
        }
    }

    /// The project as edited so far.
    pub fn project(&self) -> &Project {
        self.history.project()
    }

    /// The network as edited so far.
    pub fn network(&self) -> &Network {
        &self.project().network
    }

    /// The network that the architecture shows: a proposal that is looked at, or the one as edited.
    pub fn drawn_network(&self) -> &Network {
        self.proposal.as_deref().unwrap_or(self.network())
    }

    /// A network that was proposed and is looked at before it is taken.
    pub fn proposal(&self) -> Option<&Network> {
        self.proposal.as_deref()
    }

    /// Whether the project has no layers yet: then it is asked what is to be built.
    pub fn begins(&self) -> bool {
        begin::is_empty(self.network()) && self.proposal().is_none()
    }

    /// Whether there are changes that no file holds.
    pub fn is_unsaved(&self) -> bool {
        *self.project() != self.saved
    }

    /// Whether there is something to undo.
    pub fn can_undo(&self) -> bool {
        self.history.can_undo()
    }

    /// Whether there is something to redo.
    pub fn can_redo(&self) -> bool {
        self.history.can_redo()
    }

    /// Why the project cannot be trained: the first problem, in words.
    pub(crate) fn blocker(&self) -> Option<&Problem> {
        self.shown
            .problems
            .iter()
            .find(|problem| problem.severity == Severity::Error)
    }

    /// Whether the run trains another project than the one on screen.
    pub fn run_differs(&self) -> bool {
        self.training
            .project
            .as_ref()
            .is_some_and(|project| !project.trains_like(self.project()))
    }

    /// The lock on a layer: its own, or that of a block or stack it is in.
    pub fn lock_on(&self, place: &Place) -> Option<&Target> {
        self.shown
            .locks
            .iter()
            .find(|target| target.contains(place))
    }

    /// The lock on a whole stack.
    pub fn lock_on_stack(&self, stack: Stack) -> Option<&Target> {
        self.shown
            .locks
            .iter()
            .find(|target| **target == Target::Stack(stack))
    }

    /// The goals, with what the last run measured if it was a run of this project.
    pub fn goals(&self) -> Vec<Judged> {
        let measured = match &self.training.phase {
            Phase::Ended(Outcome::Completed(summary) | Outcome::Stopped(summary))
                if !self.run_differs() =>
            {
                measured(&summary.metrics)
            }
            _ => Measured::default(),
        };
        judge(self.project(), &self.shown.inference, &measured)
    }

    /// Whether a stage of the project does this.
    pub fn has_task(&self, task: Task) -> bool {
        self.project().stages.iter().any(|stage| stage.task == task)
    }

    /// Whether saliency can be shown of the predicted class or of the reconstruction error.
    pub fn has_saliency_choice(&self) -> bool {
        self.has_task(Task::Classify) && self.has_task(Task::Reconstruct)
    }

    /// What the project trains for.
    pub fn purpose(&self) -> Purpose {
        match (
            self.has_task(Task::Reconstruct),
            self.has_task(Task::Classify),
        ) {
            (false, true) => Purpose::Classify,
            (true, true) => Purpose::Both,
            _ => Purpose::Reconstruct,
        }
    }

    /// How the views are laid out: those of the design, or those for what the project trains for.
    pub fn arrangement(&self) -> &Arrangement {
        self.arrangements.get(self.view.workspace, self.purpose())
    }

    /// Whether the layers of a block are hidden. In a deep network they are, unless one has an error.
    pub fn is_folded(&self, place: &Place) -> bool {
        let rows = &self.shown.inference.rows;
        let inside = |row: &strata_core::shape::Row| {
            row.place.stack == place.stack && row.place.path.starts_with(&place.path)
        };
        let usual =
            || rows.len() > MANY_ROWS && !rows.iter().any(|row| row.error.is_some() && inside(row));
        self.folds.get(place).copied().unwrap_or_else(usual)
    }

    /// What is folded stays folded while layers come and go before it.
    pub(super) fn move_folds(&mut self, edit: &Edit) {
        let moved: fn(&Place, &Place) -> Option<Place> = match edit {
            Edit::Insert(..) => |place, at| Some(place.after_insert(at)),
            Edit::Remove(..) => Place::after_remove,
            _ => return,
        };
        if let Edit::Insert(at, _) | Edit::Remove(at) = edit {
            let mut folds = std::mem::take(&mut self.folds);
            if matches!(edit, Edit::Remove(_)) {
                folds.remove(at);
            }
            self.folds = folds
                .into_iter()
                .filter_map(|(place, folded)| Some((moved(&place, at)?, folded)))
                .collect();
        }
    }

    pub(super) fn fold(&mut self, place: Option<Place>, folded: bool) {
        let blocks = self
            .shown
            .inference
            .rows
            .iter()
            .filter(|row| row.is_block)
            .map(|row| row.place.clone());
        match place {
            Some(place) => self.folds.extend([(place, folded)]),
            None => self.folds = blocks.map(|place| (place, folded)).collect(),
        }
    }

    /// Whether the settings are shown.
    pub fn shows_settings(&self) -> bool {
        self.view.settings.unwrap_or(!self.view.narrow)
    }

    /// Whether a picture is on its way to its file.
    pub fn is_saving_pictures(&self) -> bool {
        self.pictures.is_busy()
    }

    /// The folder that relative paths of the project start at.
    pub fn base(&self) -> PathBuf {
        let parent = self
            .file
            .as_deref()
            .and_then(Path::parent)
            .filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    }

    pub(super) fn edit(&mut self, edit: &Edit) -> bool {
        match self.history.edit(edit) {
            Ok(()) => {
                self.move_folds(edit);
                (self.preview, self.proposal) = (None, None);
                self.refresh();
                true
            }
            Err(error) => {
                self.messages.add(Weight::Warning, error.to_string());
                false
            }
        }
    }

    /// Takes a whole project as one step, whatever is locked in this one.
    pub(super) fn put(&mut self, project: Project) {
        self.history.put(project);
        (self.preview, self.proposal) = (None, None);
        self.refresh();
    }

    /// Takes a whole project as part of the step that chose the data, where nothing was changed since.
    pub(super) fn put_with_data(&mut self, project: Project) {
        if self.data_step.as_ref() == Some(self.project()) {
            self.history.amend(project);
            self.data_step = Some(self.project().clone());
            (self.preview, self.proposal) = (None, None);
            self.refresh();
        } else {
            self.put(project);
        }
    }

    pub(super) fn travel(&mut self, back: bool) {
        let moved = if back {
            self.history.undo()
        } else {
            self.history.redo()
        };
        if moved {
            self.generation += 1;
            (self.preview, self.proposal) = (None, None);
            self.refresh();
        }
    }

    pub(super) fn show_preview(&mut self, preview: Option<(Place, String)>) {
        if self.preview != preview {
            self.preview = preview;
            self.refresh();
        }
    }

    pub(super) fn show_proposal(&mut self, proposal: Option<Box<Network>>) {
        if self.proposal != proposal {
            self.proposal = proposal;
            self.refresh();
        }
    }

    /// Replaces the project by one that was opened: from this text, if it was one.
    pub(super) fn replace(
        &mut self,
        project: Project,
        source_text: Option<String>,
        file: Option<PathBuf>,
    ) {
        self.saved = project.clone();
        self.history = History::new(project);
        self.source_text = source_text;
        self.file = file;
        self.selected = None;
        (self.preview, self.proposal) = (None, None);
        self.view.stage = self
            .view
            .stage
            .map(|stage| stage.min(self.project().stages.len().saturating_sub(1)));
        self.start = false;
        self.folds.clear();
        self.generation += 1;
        self.opened += 1;
        self.is_stand_in = false;
        self.inspections.forget_choices();
        self.inspections.gallery = self.view.first_images();
        self.inspections.saliency.question =
            self.view.saliency.filter(|_| self.has_saliency_choice());
        self.choices.clear();
        if !self.training.is_running() {
            self.training = RunMonitor::default();
            self.inspections.forget_run();
        }
        self.refresh();
    }

    pub(super) fn mark_saved(&mut self, text: String, file: PathBuf) {
        self.saved = self.project().clone();
        self.source_text = Some(text);
        self.file = Some(file);
    }

    /// The project with what no file holds of it.
    pub(super) fn edited(&self) -> Edited<'_> {
        Edited {
            project: self.project(),
            saved: &self.saved,
            origin: self.file.as_deref(),
        }
    }

    /// Whether the file holds another project than the one that was opened from it or saved to it.
    pub(super) fn is_changed_on_disk(&self, path: &Path) -> bool {
        let is_own = self.file.as_deref() == Some(path);
        is_own
            && match file::load(path) {
                Ok(project) => project != self.saved && project != *self.project(),
                // One that is gone is written again; one that cannot be read may hold anything.
                Err(_) => path.symlink_metadata().is_ok(),
            }
    }

    /// The text of the project for this file: what the file says now with what was edited, or else the text that was
    /// opened.
    pub(super) fn text_for(&self, path: &Path) -> String {
        let is_own = self.file.as_deref() == Some(path);
        let on_disk = file::load_with_text(path).ok().filter(|_| is_own);
        let text = on_disk.map(|(_, text)| text).or(self.source_text.clone());
        text.map_or_else(
            || file::to_text(self.project()),
            |text| file::update_text(&text, self.project()),
        )
    }

    fn refresh(&mut self) {
        let typed = self.preview.as_ref().and_then(|(place, text)| {
            Edit::Replace(place.clone(), Node::from_text(text))
                .apply(self.history.project())
                .ok()
        });
        let proposed = self.proposal.as_ref().map(|network| {
            let network = (**network).clone();
            Project {
                network,
                ..self.history.project().clone()
            }
        });
        self.shown = Shown::of(
            proposed
                .as_ref()
                .or(typed.as_ref())
                .unwrap_or(self.history.project()),
        );
        let network = &self.history.project().network;
        self.selected = self
            .selected
            .take()
            .filter(|place| network.node(place).is_some());
        let is_there = |place: &Place| {
            let siblings = network.siblings(place);
            siblings.is_some_and(|(siblings, index)| index <= siblings.len())
        };
        self.asked_layer = self.asked_layer.take().filter(is_there);
    }
}
