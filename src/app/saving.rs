//! Pictures and reports that are being written on their own threads, and what became of them.

use super::messages::Weight;
use super::services::{PaintPicture, Pixels};
use super::wake::Wake;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::path::{Path, PathBuf};

/// Files that are being written.
#[derive(Default)]
pub struct Saving {
    copying: Option<Receiver<Pixels>>,
    waiting: Vec<Receiver<(Weight, String)>>,
    failed: Vec<String>,
}

impl Saving {
    /// Writes on its own thread; `what` it is, for people; `write` fails with what and where in words.
    pub(super) fn save(
        &mut self,
        what: &'static str,
        path: PathBuf,
        write: impl FnOnce(&Path) -> Result<(), String> + Send + 'static,
        wake: &Wake,
    ) {
        let (sender, receiver) = bounded(1);
        let wake = wake.clone();
        let thread = std::thread::Builder::new()
            .name("strata-picture".into())
            .spawn(move || {
                let told = match write(&path) {
                    Ok(()) => (Weight::Note, format!("{what} saved to {}", path.display())),
                    Err(message) => (Weight::Error, message),
                };
                if let Err(unread) = sender.send(told) {
                    // The window is closed and cannot show it.
                    let (weight, text) = unread.0;
                    log::log!(weight.level(), "{text}");
                }
                wake();
            });
        match thread {
            Ok(_) => self.waiting.push(receiver),
            Err(error) => self.failed.push(format!(
                "{what} could not be saved: {error}; close other programs"
            )),
        }
    }

    /// Paints a picture for the clipboard on its own thread.
    pub(super) fn copy(&mut self, paint: PaintPicture, wake: &Wake) {
        let (sender, receiver) = bounded(1);
        let wake = wake.clone();
        let thread = std::thread::Builder::new()
            .name("strata-picture".into())
            .spawn(move || {
                // A window that is closed copies nothing.
                sender.send(paint()).ok();
                wake();
            });
        match thread {
            Ok(_) => self.copying = Some(receiver),
            Err(error) => self.failed.push(format!(
                "The picture could not be copied: {error}; close other programs"
            )),
        }
    }

    /// The picture for the clipboard, once it is painted.
    pub(super) fn copied(&mut self) -> Option<Pixels> {
        let copied = self.copying.as_ref()?.try_recv().ok()?;
        self.copying = None;
        Some(copied)
    }

    /// Whether a file is being written.
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What became of files since the last call.
    pub(super) fn saved(&mut self) -> Vec<(Weight, String)> {
        let mut told: Vec<_> = self
            .failed
            .drain(..)
            .map(|text| (Weight::Error, text))
            .collect();
        self.waiting.retain(|waiting| match waiting.try_recv() {
            Err(TryRecvError::Empty) => true,
            Ok(news) => {
                told.push(news);
                false
            }
            Err(TryRecvError::Disconnected) => {
                told.push((
                    Weight::Error,
                    "a defect in Strata kept a file from being saved; please report it".into(),
                ));
                false
            }
        });
        told
    }
}
