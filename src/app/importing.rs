//! Weights of another program that are being made into a run of the project, on their own thread.

use super::import_task::ImportTask;
use super::messages::Weight;
use super::services::Services;
use super::state::State;
use crossbeam_channel::{TryRecvError, bounded};
use std::path::{Path, PathBuf};
use strata_core::project::help::Surface;
use strata_engine::storage::import::import;

/// Whether a file holds weights.
pub(crate) fn are_weights(path: &Path) -> bool {
    let ending = path.extension();
    path.is_file() && ending.is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
}

impl State {
    /// Makes a run of the open project and these weights; it is opened when it is there.
    pub(super) fn import_weights(&mut self, weights: PathBuf, services: &Services) {
        if self.training.is_running() {
            let text = "Weights can be opened when the training here has ended";
            return self.messages.add(Weight::Warning, text);
        }
        let (sender, receiver) = bounded(1);
        let (project, base) = (self.project().clone(), self.base());
        let wake = services.wake.clone();
        let thread = std::thread::Builder::new().name("strata-import".into());
        let spawned = thread.spawn(move || {
            let made = import(&project, &base, &weights, None, &mut |_| true);
            // A window that is closed opens nothing.
            sender
                .send(made.map_err(|error| error.text(Surface::Window)))
                .ok();
            wake();
        });
        match spawned {
            Ok(_) => self.importing = ImportTask(Some((receiver, services.wake.clone()))),
            Err(error) => {
                let text = format!("The weights could not be read: {error}; close other programs");
                self.messages.add(Weight::Error, text);
            }
        }
    }

    /// Opens the run that was made of weights.
    pub(super) fn drain_import(&mut self) {
        let Some((receiver, wake)) = &self.importing.0 else {
            return;
        };
        let wake = wake.clone();
        let made = match receiver.try_recv() {
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => {
                Err("a defect in Strata kept the weights from being read; please report it".into())
            }
            Ok(made) => made,
        };
        self.importing = ImportTask::default();
        match made {
            Err(text) => self.messages.add(Weight::Error, text),
            Ok(made) => {
                let (taken, unused) = (made.table.taken.len(), made.table.unused.len());
                let unused = match unused {
                    0 => String::new(),
                    count => format!("; {count} are not used"),
                };
                self.open_made(made.run, &wake);
                let text = format!("Took {taken} weights and biases from the file{unused}");
                self.messages.add(Weight::Note, text);
            }
        }
    }
}
