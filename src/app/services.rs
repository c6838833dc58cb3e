//! What the state needs from outside: a thread that trains, the system's dialogs, and what only drawn views know.

use super::dialogs::Dialogs;
use super::state::State;
use super::view_kind::{ViewInfo, ViewKind};
use super::wake::Wake;
use std::path::Path;
use strata_core::project::Project;
use strata_engine::thread::{RunOptions, Running};

/// Starts a run.
pub type StartRun = Box<dyn Fn(Project, RunOptions, Wake) -> std::io::Result<Running>>;

/// Paints a picture that was laid out into a file; fails with what and where in words.
pub type WritePicture = Box<dyn FnOnce(&Path) -> Result<(), String> + Send>;

/// The pixels of a picture, red, green, blue and opacity of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Across and down.
    pub size: [usize; 2],
    /// Four bytes a pixel, row by row.
    pub rgba: Vec<u8>,
}

/// Paints a picture that was laid out.
pub type PaintPicture = Box<dyn FnOnce() -> Pixels + Send>;

/// What the state needs from outside.
pub struct Services {
    /// Starts a run; the engine's thread but for tests.
    pub start: StartRun,
    /// Wakes the window.
    pub wake: Wake,
    /// The system's file dialogs.
    pub dialogs: Dialogs,
    /// What the views say of themselves.
    pub views: ViewCatalogue,
}

/// What the views say of themselves, for those who draw none.
#[derive(Clone, Copy)]
pub struct ViewCatalogue {
    /// All views, in the order of the menu and of [`ViewKind`].
    pub infos: &'static [ViewInfo],
    /// Whether a view shows something that can be saved as an image file.
    pub has_picture: fn(ViewKind, &State) -> bool,
    /// Lays out what a view shows now; it is painted where the file is written.
    pub snapshot: fn(ViewKind, &State) -> WritePicture,
    /// The same for the clipboard.
    pub pixels: fn(ViewKind, &State) -> PaintPicture,
}

impl ViewCatalogue {
    /// What the view of this name says of itself.
    pub fn info(&self, kind: ViewKind) -> &'static ViewInfo {
        &self.infos[kind as usize]
    }

    /// The open views that show something which can be saved as an image file.
    pub(crate) fn with_picture(&self, state: &State) -> Vec<ViewKind> {
        let mut open = state.arrangement().views();
        open.retain(|kind| (self.has_picture)(*kind, state));
        open
    }
}
