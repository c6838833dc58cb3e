//! What the user is asked: for a path, and about unsaved changes.

use crate::view_kind::ViewKind;
use std::path::PathBuf;

/// A question for a path.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPrompt {
    /// What the path is for.
    pub what: PathPurpose,
    /// The path that the field starts with.
    pub start: String,
    /// A file that would be replaced; asked about before it is.
    pub replace: Option<PathBuf>,
    /// A folder that is not there yet; it is made if that is wanted.
    pub make: Option<PathBuf>,
    /// Distinguishes this question from those before.
    pub number: u64,
}

/// What a path is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathPurpose {
    /// Opening a project or a run.
    Open,
    /// Reading images of one's own.
    Images,
    /// Saving the project.
    Save,
    /// Saving what a view shows.
    Picture(ViewKind),
}

/// What waits for an answer about unsaved changes.
#[derive(Clone, Debug, PartialEq)]
pub enum AfterUnsavedPrompt {
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
    /// It was not asked for.
    #[default]
    No,
    /// As soon as the run has left its checkpoint.
    Waiting,
    /// Now.
    Now,
}
