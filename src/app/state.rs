//! What the window shows, as plain values: panels read it, only [`State::handle`] changes it.

pub use super::fields::Fields;
pub use super::prompts::{AfterUnsavedPrompt, Closing, PathPrompt, PathPurpose};
pub use super::shown::Shown;
pub use super::view_settings::{
    ARCHITECTURE_WIDTHS, CostColumn, SETTINGS_WIDTHS, SideTab, Switch, ViewSettings,
};

mod editing;
mod sought;

use super::about::About;
use super::action::Overlay;
use super::arrangement::{Arrangement, Purpose, Workspace};
use super::arrangements::{Arrangements, ClosedView};
use super::baseline_work::BaselineWork;
use super::begin;
use super::choices::Choices;
use super::comparing::Comparing;
use super::device_list::DeviceList;
use super::downloads::Downloads;
use super::frame_times::FrameHistogram;
use super::import_task::ImportTask;
use super::inspections::Inspections;
use super::known_advice::KnownAdvice;
use super::messages::Messages;
use super::pasted_text::PastedText;
use super::recent::Recents;
use super::recovery::Unsaved;
use super::refused_field::RefusedField;
use super::replays::Replays;
use super::run_monitor::{Phase, RunMonitor};
use super::runs::Runs;
use super::saving::Saving;
use super::services::Pixels;
use super::setting_field::SoughtField;
use super::studying::Studying;
use super::sweeping::Sweeping;
use super::unpacking::Unpackings;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::project::edit::History;
use strata_core::project::stage::Task;
use strata_core::project::target::Target;
use strata_core::project::{Network, Place, Project, Stack};
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
    /// Baselines that are being made.
    pub baselines: BaselineWork,
    /// The runs and baselines that are compared.
    pub comparing: Comparing,
    /// The sweep of the project.
    pub sweeping: Sweeping,
    /// Where the runs of a project that has several stand.
    pub studying: Studying,
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
    /// What was pasted last, where not all of it was understood.
    pub pasted: Option<PastedText>,
    /// What the About box shows.
    pub about: About,
    /// Where a run can be computed.
    pub devices: DeviceList,
    /// Edits that windows left behind without saving them, newest first.
    pub unsaved: Vec<Unsaved>,
    /// A question for a path, if one is open.
    pub ask: Option<PathPrompt>,
    pub(super) asked: u64,
    /// Pictures on their way to their files.
    pub(super) pictures: Saving,
    /// Weights that are being made into a run.
    pub(super) importing: ImportTask,
    /// The run that is being trained again.
    pub replays: Replays,
    /// Whether the edited network is trained as soon as the run has saved its checkpoint.
    pub(super) trains_next: bool,
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
    /// The field that the window leads to.
    pub sought: Option<SoughtField>,
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
            baselines: BaselineWork::default(),
            comparing: Comparing::default(),
            sweeping: Sweeping::default(),
            view: ViewSettings::default(),
            arrangements: Arrangements::default(),
            closed_views: Vec::new(),
            folds: BTreeMap::new(),
            start: false,
            recents: Recents::default(),
            overlay: None,
            pasted: None,
            about: About::default(),
            devices: DeviceList::default(),
            unsaved: Vec::new(),
            ask: None,
            asked: 0,
            pictures: Saving::default(),
            studying: Studying::default(),
            importing: ImportTask::default(),
            replays: Replays::default(),
            trains_next: false,
            copied: None,
            pending: None,
            closing: Closing::No,
            is_ended: false,
            frames: FrameHistogram::default(),
            started_from: None,
            device: None,
            refused: Arc::default(),
            sought: None,
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
        // Which of its runs is shown is nothing that is saved.
        *self.project() != self.saved && self.project().as_opened() != self.saved.as_opened()
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
        self.training.project.as_ref().is_some_and(|project| {
            !project.trains_like(self.project()) && !self.is_shown_run(project)
        })
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

    /// Whether a stack has its place on the screen: there are layers in it, or the project trains for what it does.
    pub fn has_place_for(&self, stack: Stack) -> bool {
        let is_trained = match stack {
            Stack::Encoder => true,
            Stack::Decoder => self.has_task(Task::Reconstruct),
            Stack::Head => self.has_task(Task::Classify),
        };
        let is_asked = |place: &Place| place.stack == stack;
        is_trained
            || self.project().stages.is_empty()
            || !self.drawn_network().stack(stack).is_empty()
            || self.asked_layer.as_ref().is_some_and(is_asked)
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

    /// Whether the layers are shown. Where there is no room for two panels the settings, once called for, take their
    /// place.
    pub fn shows_layers(&self) -> bool {
        let has_room = !(self.view.tight && self.shows_settings());
        has_room && self.view.layers.unwrap_or(!self.view.tight)
    }

    /// Shows the layers where they are hidden.
    pub(crate) fn reveal_layers(&mut self) {
        if !self.shows_layers() {
            self.show_layers(true);
        }
    }

    pub(crate) fn show_layers(&mut self, shown: bool) {
        self.view.layers = Some(shown);
        if shown && self.view.tight {
            self.view.settings = Some(false);
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
}
