//! Weights of another program that are being made into a run of the project, and networks that are being made into a
//! project, on their own thread.

use super::import_task::{ImportTask, MadeOf};
use super::messages::Weight;
use super::services::Services;
use super::state::State;
use crossbeam_channel::{TryRecvError, bounded};
use std::path::{Path, PathBuf};
use strata_core::project::help::Surface;
use strata_engine::storage::import::import;
use strata_export::incoming;

/// Whether a file holds weights.
pub(crate) fn are_weights(path: &Path) -> bool {
    let ending = path.extension();
    path.is_file() && ending.is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
}

/// What to do with weights of a form that is not read here, by the ending of their file; `None` of other files.
pub(crate) fn how_to_bring(path: &Path) -> Option<String> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    let shown = path.display();
    let how = match ending.as_str() {
        _ if !path.is_file() => return None,
        "pt" | "pth" | "ckpt" => {
            "PyTorch, in a form that may run programs when it is read. Write them in Python with \
             safetensors.torch.save_file(model.state_dict(), …) and open that file"
        }
        "keras" => "Keras. Write the model in Python as an ONNX file and open that",
        "tflite" | "pb" => "TensorFlow. Write the model in Python as an ONNX file and open that",
        _ => return None,
    };
    Some(format!("{shown} holds a model of {how}"))
}

/// A name for a project beside a file, and for its weights, that no file has.
fn free_name(network: &Path) -> PathBuf {
    let stem = network
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let named = |number: u32| match number {
        1 => network.with_file_name(format!("{stem}.toml")),
        number => network.with_file_name(format!("{stem}-{number}.toml")),
    };
    let is_free = |file: &PathBuf| !file.exists() && !file.with_extension("safetensors").exists();
    (1..).map(named).find(is_free).unwrap_or_else(|| named(1))
}

impl State {
    /// Makes a run of the open project and these weights; it is opened when it is there.
    pub(super) fn import_weights(&mut self, weights: PathBuf, services: &Services) {
        if self.training.is_running() {
            let text = "Weights can be opened when the training here has ended";
            return self.messages.add(Weight::Warning, text);
        }
        let (project, base) = (self.project().clone(), self.base());
        self.make(services, move || {
            let made = import(&project, &base, &weights, None, &mut |_| true);
            made.map(MadeOf::Weights)
                .map_err(|error| error.text(Surface::Window))
        });
    }

    /// Makes a project of a file with a network or with the print of one, beside it; it is opened when it is there.
    pub(super) fn import_network(&mut self, network: PathBuf, services: &Services) {
        self.make(services, move || {
            let file = free_name(&network);
            let made = match incoming::is_text(&network) {
                true => incoming::import_listing(&network, &file, false),
                false => incoming::import(&network, &file, false),
            };
            made.map(|made| MadeOf::Network(file, made.notes))
                .map_err(|error| format!("The network could not be read: {error}"))
        });
    }

    /// Makes something on a thread of its own.
    fn make(
        &mut self,
        services: &Services,
        made: impl FnOnce() -> Result<MadeOf, String> + Send + 'static,
    ) {
        let (sender, receiver) = bounded(1);
        let wake = services.wake.clone();
        let thread = std::thread::Builder::new().name("strata-import".into());
        let spawned = thread.spawn(move || {
            // A window that is closed opens nothing.
            sender.send(made()).ok();
            wake();
        });
        match spawned {
            Ok(_) => self.importing = ImportTask(Some((receiver, services.wake.clone()))),
            Err(error) => {
                let text = format!("The file could not be read: {error}; close other programs");
                self.messages.add(Weight::Error, text);
            }
        }
    }

    /// Opens what was made of a file.
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
            Ok(MadeOf::Network(file, notes)) => {
                self.open_read(file);
                for note in notes {
                    self.messages.add(Weight::Note, note);
                }
            }
            Ok(MadeOf::Weights(made)) => {
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
