//! What the user has asked for: how things are shown, a path that is asked for, what waits for an answer.

use crate::gui::arrangement::Workspace;
use crate::gui::lens::LensSettings;
use crate::gui::view_kind::ViewKind;
use crate::inspect::picture::FilterScale;
use std::path::PathBuf;

/// How things are shown; no part of the project.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewSettings {
    /// Dark or light; `None` follows the system.
    pub dark: Option<bool>,
    /// Whether the window is dark now, whoever chose that.
    pub looks_dark: bool,
    /// Which views are seen: those of the design or those of the training.
    pub workspace: Workspace,
    /// A logarithmic loss axis.
    pub log_loss: bool,
    /// Plots against epochs instead of steps.
    pub by_epoch: bool,
    /// What the weights' colours are measured against.
    pub filter_scale: FilterScale,
    /// How the lens is set.
    pub lens: LensSettings,
    /// The stage whose settings are open.
    pub stage: Option<usize>,
    /// Whether the settings are shown; `None`: where there is room for them.
    pub settings: Option<bool>,
    /// Whether the window is too narrow for everything.
    pub narrow: bool,
}

impl Default for ViewSettings {
    fn default() -> ViewSettings {
        ViewSettings {
            dark: None,
            looks_dark: true,
            workspace: Workspace::default(),
            log_loss: true,
            by_epoch: false,
            filter_scale: FilterScale::default(),
            lens: LensSettings::default(),
            stage: Some(0),
            settings: None,
            narrow: false,
        }
    }
}

/// A question for a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// What the path is for.
    pub what: Asking,
    /// The path that the field starts with.
    pub start: String,
    /// A file that would be replaced; asked about before it is.
    pub replace: Option<PathBuf>,
    /// Tells this question from those before.
    pub number: u64,
}

/// What a path is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asking {
    /// Opening a project or a run.
    Open,
    /// Saving the project.
    Save,
    /// Saving what a view shows.
    Picture(ViewKind),
}

/// What waits for an answer about unsaved changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Pending {
    /// Opening a project file or a run folder.
    Open(PathBuf),
    /// Taking back what a window left behind.
    Recover,
    /// Starting a project with no layers.
    New,
    /// Opening a built-in project.
    Builtin(&'static str),
    /// Closing the window.
    Close,
}

/// How far closing the window has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Closing {
    /// Nobody asked for it.
    #[default]
    No,
    /// As soon as the run has left its checkpoint.
    Waiting,
    /// Now.
    Now,
}
