//! Downloading the project's dataset: one at a time, on a thread; what came of it becomes the data's path.

use super::messages::Weight;
use super::services::Services;
use super::state::State;
use crossbeam_channel::{Receiver, bounded};
use std::path::PathBuf;
use std::sync::Arc;
use strata_core::files::path_text;
use strata_core::format;
use strata_core::project::data::{DataSpec, Source};
use strata_core::project::edit::Edit;
use strata_core::project::help::Surface;
use strata_data::download::{self, DownloadError, Entry, Options, default_folder, seems_complete};
use strata_engine::download_task::Fetching;

/// The folder for a source's files, by the source's name; `None` where the system names none.
pub type Folder = Arc<dyn Fn(&str) -> Option<PathBuf>>;

/// Which datasets can be had from where, and the one that is on its way.
pub struct Downloads {
    /// The files of a source.
    pub catalogue: Arc<dyn Fn(Source) -> Option<Entry>>,
    /// Where they go when the project has no path.
    pub folder: Folder,
    /// How patient it is.
    pub options: Options,
    running: Option<Fetching>,
    looked: Option<Looked>,
    failed: Option<(Source, String)>,
    source: Source,
}

/// Whether the files of a source are where they are to be.
struct Looked {
    source: Source,
    path: Option<String>,
    base: PathBuf,
    found: Found,
    /// While it is looked.
    answer: Option<Receiver<Found>>,
}

/// What was found where the files are to be.
#[derive(Clone, Copy, Default)]
struct Found {
    /// Whether all files of a source that can be downloaded are there, by their names and sizes.
    are_complete: bool,
    /// Whether there is not even the folder or the file that is named.
    is_nothing: bool,
}

impl Default for Downloads {
    fn default() -> Downloads {
        Downloads {
            catalogue: Arc::new(download::entry),
            folder: Arc::new(default_folder),
            options: Options::default(),
            running: None,
            looked: None,
            failed: None,
            source: Source::default(),
        }
    }
}

impl Downloads {
    /// The download on its way, if it is of this source.
    pub fn running(&self, source: Source) -> Option<&Fetching> {
        self.running.as_ref().filter(|_| self.source == source)
    }

    /// Why the last one of this source failed.
    pub fn failed(&self, source: Source) -> Option<&str> {
        self.failed
            .as_ref()
            .filter(|(of, _)| *of == source)
            .map(|(_, why)| why.as_str())
    }

    /// Forgets what was found of the files: they may be gone meanwhile.
    pub(super) fn look_again(&mut self) {
        self.looked = None;
    }

    /// Whether another source is being downloaded.
    pub fn is_busy(&self, source: Source) -> bool {
        self.running.is_some() && self.source != source
    }
}

impl Downloads {
    /// Where the images of a source come from: `built in`, `download 2.6 GB`, `your files`.
    pub fn origin(&self, source: Source) -> String {
        if source.info().wants.is_none() {
            return "built in".to_owned();
        }
        (self.catalogue)(source).map_or_else(
            || "your files".to_owned(),
            |entry| format!("download {}", format::bytes(entry.bytes())),
        )
    }
}

impl State {
    /// The files of the project's source and the folder they go to; `None` where nothing can be downloaded.
    pub fn download(&self) -> Option<(Entry, PathBuf)> {
        let data = &self.project().data;
        let entry = (self.downloads.catalogue)(data.source)?;
        let folder = match data.path.as_deref().filter(|path| !path.trim().is_empty()) {
            Some(_) => entry.folder_of(&strata_data::folder(data, &self.base()).ok()?),
            None => (self.downloads.folder)(&entry.name)?,
        };
        Some((entry, folder))
    }

    /// Whether it was looked for the files of the project's source where its path leads.
    pub fn has_looked_for_files(&self) -> bool {
        let data = &self.project().data;
        self.downloads.looked.as_ref().is_some_and(|looked| {
            (looked.source, &looked.path) == (data.source, &data.path) && looked.base == self.base()
        })
    }

    /// Whether they were there, by their names and sizes.
    pub fn has_found_files(&self) -> bool {
        let looked = self.downloads.looked.as_ref();
        self.has_looked_for_files() && looked.is_some_and(|looked| looked.found.are_complete)
    }

    /// Whether the images of the project come from a disk.
    pub fn wants_files(&self) -> bool {
        self.project().data.source.info().wants.is_some()
    }

    /// What is told where the images of the project are not where they are looked for.
    pub fn missing_data(&self) -> Option<String> {
        let looked = self.downloads.looked.as_ref();
        let is_nothing = looked.is_some_and(|looked| looked.found.is_nothing);
        if !(is_nothing && self.has_looked_for_files() && self.wants_files()) {
            return None;
        }
        let source = self.project().data.source;
        if self.downloads.running(source).is_some() {
            return Some("The images are on their way; the settings show how far".to_owned());
        }
        let path = self.project().data.path.as_deref();
        let text = match path.filter(|path| !path.trim().is_empty()) {
            Some(path) => format!("The images are missing: there is nothing at {path}"),
            None => "The images are not on this disk yet".to_owned(),
        };
        Some(text)
    }

    /// Looks for them, on a thread of its own: a disk may be slow, or not answer.
    pub(super) fn look_for_files(&mut self, services: &Services) {
        let data = &self.project().data;
        let (source, path, base) = (data.source, data.path.clone(), self.base());
        let (sender, answer) = bounded(1);
        let wake = services.wake.clone();
        let wanted = self.download();
        // Without a path only what can be downloaded has a place.
        let has_path = path.as_deref().is_some_and(|path| !path.trim().is_empty());
        let named = strata_data::folder(data, &self.base()).ok();
        let place = match has_path {
            true => named,
            false => wanted.as_ref().map(|(_, folder)| folder.clone()),
        };
        let look = move || {
            let found = Found {
                are_complete: wanted.is_some_and(|(entry, folder)| seems_complete(&entry, &folder)),
                is_nothing: place.is_some_and(|place| !place.exists()),
            };
            // A window that is closed hears nothing.
            sender.send(found).ok();
            wake();
        };
        let thread = std::thread::Builder::new().name("strata-files".into());
        let started = thread.spawn(look).inspect_err(|error| {
            log::warn!("no thread could be started to look for files: {error}");
        });
        self.downloads.looked = Some(Looked {
            source,
            path,
            base,
            found: Found::default(),
            answer: started.is_ok().then_some(answer),
        });
    }

    /// Takes what was found.
    fn drain_look(&mut self) {
        let Some(looked) = &mut self.downloads.looked else {
            return;
        };
        let answer = looked.answer.as_ref();
        if let Some(found) = answer.and_then(|answer| answer.try_recv().ok()) {
            (looked.found, looked.answer) = (found, None);
        }
    }

    /// Starts the download of the project's source, or ends the one on its way.
    pub(super) fn fetch(&mut self, start: bool, services: &Services) {
        self.downloads.failed = None;
        if !start {
            // Until the thread notices, its part is locked: another download of it would be refused.
            self.downloads.running.iter().for_each(Fetching::cancel);
            return;
        }
        let Some((entry, folder)) = self.download().filter(|_| self.downloads.running.is_none())
        else {
            return;
        };
        let (wake, options) = (services.wake.clone(), self.downloads.options.clone());
        match Fetching::start(entry, folder, options, move || wake()) {
            Ok(running) => {
                (self.downloads.running, self.downloads.source) =
                    (Some(running), self.project().data.source);
            }
            Err(error) => {
                let text = format!(
                    "no thread could be started for the download: {error}; close other programs"
                );
                self.messages.add(Weight::Error, text);
            }
        }
    }

    /// Takes what came of the download.
    pub(super) fn drain_download(&mut self) {
        self.drain_look();
        let Some(result) = self.downloads.running.as_ref().and_then(Fetching::ended) else {
            return;
        };
        (self.downloads.running, self.downloads.failed) = (None, None);
        self.downloads.look_again();
        let source = self.downloads.source;
        match result {
            Ok(fetched) => {
                self.inspections.forget_data();
                let data = &self.project().data;
                // A path that leads there stays as it is written: `~/data/mnist` suits other machines too.
                let leads_there = strata_data::folder(data, &self.base())
                    .is_ok_and(|folder| folder == fetched.path);
                if data.source == source && !leads_there {
                    let path = Some(path_text(&fetched.path));
                    self.edit(&Edit::Data(DataSpec {
                        path,
                        ..data.clone()
                    }));
                }
                for aside in fetched.set_aside {
                    let text = format!(
                        "An incomplete folder was in the way; it is now {}.",
                        aside.display()
                    );
                    self.messages.add(Weight::Note, text);
                }
            }
            Err(DownloadError::Cancelled) => {}
            Err(error) => {
                self.downloads.failed = Some((source, error.text(Surface::Window)));
            }
        }
    }
}
