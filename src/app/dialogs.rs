//! The system's file dialogs, each on its own thread so that the window stays alive. Who has a screen shows
//! them: the [`Picker`] is given.
//!
//! Where there is no dialog (no portal), the library's answer is that of a cancel, only sooner than a person could give
//! it; the window always offers a field for the path too.

use super::state::PathPurpose;
use super::view_kind::ViewKind;
use super::wake::Wake;
use crossbeam_channel::{Receiver, bounded};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// A project to open.
    Open(PathBuf),
    /// Where to save.
    Save(PathBuf),
    /// The data's folder.
    DataFolder(PathBuf),
    /// A file that holds the data.
    DataFile(PathBuf),
    /// An image to look at.
    Image(PathBuf),
    /// Where to save a view's picture.
    Picture(ViewKind, PathBuf),
    /// Nothing: the system has no file dialog.
    NoDialog,
}

/// What a dialog asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A project to open, or a place to save it or a picture.
    Path(PathPurpose),
    /// The folder of the data.
    DataFolder,
    /// A file that holds the data: a table, an array, an archive.
    DataFile,
    /// An image to look at.
    Image,
}

/// Shows a dialog and waits for it; `None` when it was cancelled.
pub type Picker = Arc<dyn Fn(Wanted) -> Option<Chosen> + Send + Sync>;

/// A dialog that is gone sooner than this was never shown.
const SOONEST_CANCEL: Duration = Duration::from_millis(300);

/// Shows the dialog and waits for its answer.
fn ask(picker: &Picker, wanted: Wanted) -> Option<Chosen> {
    let start = Instant::now();
    let chosen = picker(wanted);
    if chosen.is_none() && start.elapsed() < SOONEST_CANCEL {
        return Some(Chosen::NoDialog);
    }
    chosen
}

/// At most one dialog at a time.
#[derive(Default)]
pub struct Dialogs {
    picker: Option<Picker>,
    waiting: Option<Receiver<Option<Chosen>>>,
}

impl Dialogs {
    /// Dialogs that this shows, or none at all (tests).
    pub fn new(picker: Option<Picker>) -> Dialogs {
        Dialogs {
            picker,
            waiting: None,
        }
    }

    /// Shows a folder in the system's file manager; fails where there is no program to ask for it.
    pub(crate) fn show_folder(&self, folder: &Path) -> std::io::Result<()> {
        if self.picker.is_none() {
            return Ok(());
        }
        let opener = if cfg!(target_os = "windows") {
            "explorer"
        } else if cfg!(target_os = "macos") {
            "open"
        } else {
            "xdg-open"
        };
        let mut child = Command::new(opener).arg(folder).spawn()?;
        // Waited for, so that it does not stay behind as a dead process; the file manager itself may run on.
        let waiting = std::thread::Builder::new().name("file manager".into());
        waiting.spawn(move || match child.wait() {
            Ok(status) if !status.success() => log::warn!("{opener} ended with {status}"),
            Ok(_) => {}
            Err(error) => log::warn!("{opener} cannot be waited for: {error}"),
        })?;
        Ok(())
    }

    /// Shows a dialog, unless one is open.
    pub fn open(&mut self, wanted: Wanted, wake: &Wake) {
        let picker = self.picker.clone().filter(|_| self.waiting.is_none());
        let Some(picker) = picker else { return };
        let (sender, receiver) = bounded(1);
        let wake = wake.clone();
        let thread = std::thread::Builder::new().name("file dialog".into());
        let started = thread.spawn(move || {
            // Receiver dropped: the window has closed.
            let _ = sender.send(ask(&picker, wanted));
            wake();
        });
        if let Err(error) = &started {
            // The path field serves instead.
            log::warn!("no thread could be started for a file dialog: {error}");
        }
        self.waiting = started.ok().map(|_| receiver);
    }

    /// What was chosen since the last call.
    pub fn take(&mut self) -> Option<Chosen> {
        let receiver = self.waiting.as_ref()?;
        match receiver.try_recv() {
            Ok(chosen) => {
                self.waiting = None;
                chosen
            }
            Err(crossbeam_channel::TryRecvError::Empty) => None,
            Err(crossbeam_channel::TryRecvError::Disconnected) => {
                self.waiting = None;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_comes_at_once_means_that_there_is_no_dialog() {
        let picker: Picker = Arc::new(|_| None);
        assert_eq!(ask(&picker, Wanted::DataFolder), Some(Chosen::NoDialog));
    }

    #[test]
    fn a_cancel_of_a_person_is_none() {
        let picker: Picker = Arc::new(|_| {
            std::thread::sleep(SOONEST_CANCEL);
            None
        });
        assert_eq!(ask(&picker, Wanted::DataFolder), None);
    }
}
