//! The system's file dialogs, each on a thread of its own so that the window stays alive.
//!
//! Where there is no dialog (no portal), the answer is the same as a cancel; the window always
//! offers a field for the path beside it.

use super::handle::Wake;
use super::state::Asking;
use super::view_kind::ViewKind;
use crossbeam_channel::{Receiver, bounded};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// A project to open.
    Open(PathBuf),
    /// Where to save.
    Save(PathBuf),
    /// The data's folder.
    Data(PathBuf),
    /// An image to look at.
    Image(PathBuf),
    /// Where to save a view's picture.
    Picture(ViewKind, PathBuf),
}

/// At most one dialog at a time.
#[derive(Default)]
pub struct Dialogs {
    enabled: bool,
    waiting: Option<Receiver<Option<Chosen>>>,
}

impl Dialogs {
    /// Dialogs of the system, or none at all (tests).
    pub fn new(enabled: bool) -> Dialogs {
        Dialogs {
            enabled,
            waiting: None,
        }
    }

    /// Asks for a project to open, or for a place to save it or a picture.
    pub fn open(&mut self, what: Asking, wake: &Wake) {
        self.start(wake, move || {
            let dialog = rfd::FileDialog::new();
            let project = |dialog: rfd::FileDialog| dialog.add_filter("Strata project", &["toml"]);
            match what {
                Asking::Open => project(dialog).pick_file().map(Chosen::Open),
                Asking::Save => project(dialog).save_file().map(Chosen::Save),
                Asking::Picture(kind) => {
                    let path = dialog.add_filter("PNG picture", &["png"]).save_file();
                    path.map(|path| Chosen::Picture(kind, path))
                }
            }
        });
    }

    /// Asks for the folder of the data.
    pub fn open_folder(&mut self, wake: &Wake) {
        self.start(wake, || {
            rfd::FileDialog::new().pick_folder().map(Chosen::Data)
        });
    }

    /// Asks for an image to look at.
    pub fn open_image(&mut self, wake: &Wake) {
        self.start(wake, || {
            let kinds = ["png", "jpg", "jpeg", "bmp", "gif", "webp", "tif", "tiff"];
            rfd::FileDialog::new()
                .add_filter("Images", &kinds)
                .pick_file()
                .map(Chosen::Image)
        });
    }

    /// Shows a folder in the system's file manager; fails where there is no program to ask for it.
    pub fn show_folder(&self, folder: &Path) -> std::io::Result<()> {
        if !self.enabled {
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

    fn start(&mut self, wake: &Wake, ask: impl FnOnce() -> Option<Chosen> + Send + 'static) {
        if !self.enabled || self.waiting.is_some() {
            return;
        }
        let (sender, receiver) = bounded(1);
        let wake = wake.clone();
        let thread = std::thread::Builder::new().name("file dialog".into());
        let started = thread.spawn(move || {
            // The window may be gone by now; then nobody needs the answer.
            let _ = sender.send(ask());
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
