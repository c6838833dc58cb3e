//! What the user can do, as values: panels emit them, [`super::state::State::handle`] applies them.

use super::looking::LookAt;
use crate::inspect::gallery;
use crate::inspect::picture::FilterScale;
use crate::inspect::saliency;
use crate::project::Place;
use crate::project::edit::Edit;
use crate::project::node::Node;
use std::path::PathBuf;

/// One thing the user did.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Changes the project.
    Edit(Edit),
    /// Adds a node at a place and selects it.
    Add(Place, Node),
    /// Changes the selected node.
    Selected(OnSelected),
    /// Selects a node, or nothing.
    Select(Option<Place>),
    /// Shows shapes as if this text were there, while it is typed; `None` ends it.
    Preview(Option<(Place, String)>),
    /// Goes back one edit.
    Undo,
    /// Goes forward one edit.
    Redo,
    /// Opens a built-in project.
    Builtin(&'static str),
    /// Opens a project file or a run folder.
    Open(PathBuf),
    /// Asks for a path to open.
    AskOpen,
    /// Saves where the project came from, or asks where.
    Save,
    /// Saves here.
    SaveAs(PathBuf),
    /// Asks where to save.
    AskSave,
    /// Opens the system's dialog for the path that is asked for.
    Browse,
    /// Opens the system's dialog for the data's folder.
    BrowseData,
    /// Closes the question for a path.
    CancelPath,
    /// Answers what to do with unsaved changes.
    Unsaved(Answer),
    /// Closes the window.
    Close,
    /// Starts a run with a copy of the project.
    Train,
    /// Waits after the current step.
    Pause,
    /// Goes on.
    Resume,
    /// Takes one step, then waits.
    Step,
    /// Saves a checkpoint and ends the run.
    Stop,
    /// Chooses where to compute: `None` for the best there is.
    Device(Option<String>),
    /// Changes how something is shown.
    Show(Show),
    /// Asks for what a view shows.
    Look(LookAt),
    /// Opens the system's dialog for an image to look at.
    BrowseImage,
    /// Reads the list of runs.
    ListRuns,
    /// Takes a message away: it was read.
    Dismiss(u64),
}

/// A change of the selected node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSelected {
    /// Deletes it.
    Delete,
    /// Puts a copy after it.
    Duplicate,
    /// Swaps it with the one before.
    Up,
    /// Swaps it with the one after.
    Down,
}

/// What to do with unsaved changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Save them, then go on.
    Save,
    /// Go on without them.
    Discard,
    /// Stay.
    Cancel,
}

/// How something is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Show {
    /// Dark (true) or light.
    Dark(bool),
    /// A logarithmic loss axis.
    LogLoss(bool),
    /// What the weights' colours are measured against.
    FilterScale(FilterScale),
    /// The stage whose settings are open.
    Stage(Option<usize>),
    /// What saliency is shown of.
    Saliency(saliency::Request),
    /// The page of images.
    DataPage(gallery::Request),
    /// Whether a run is in the plot of runs.
    Run(PathBuf, bool),
    /// One view over the whole centre, or the arrangement for the tasks.
    Alone(Option<Alone>),
}

/// A view that takes the whole centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alone {
    /// Saliency.
    Saliency,
    /// Mean activations.
    Sparse,
    /// Images.
    Data,
    /// Runs.
    Runs,
}
