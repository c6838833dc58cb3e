//! Unpacking the archive that the data's path names: on a thread; its folder becomes the path.

use super::messages::Weight;
use super::services::Services;
use super::state::State;
use std::path::{Path, PathBuf};
use strata_core::files::path_text;
use strata_core::project::Project;
use strata_core::project::data::DataSpec;
use strata_data::archive::{Archive, ArchiveError};
use strata_engine::unpack_task::Unpacking;

/// The archive that is being unpacked, and why the last one could not be.
#[derive(Default)]
pub struct Unpackings {
    running: Option<Unpacking>,
    failed: Option<(PathBuf, String)>,
}

impl Unpackings {
    /// The one on its way.
    pub fn running(&self) -> Option<&Unpacking> {
        self.running.as_ref()
    }

    /// Why this archive could not be unpacked.
    pub fn failed(&self, archive: &Path) -> Option<&str> {
        let failed = self.failed.as_ref().filter(|(of, _)| of == archive);
        failed.map(|(_, why)| why.as_str())
    }
}

impl State {
    /// The archive that the data's path names.
    pub fn shown_archive(&self) -> Option<PathBuf> {
        let path = strata_data::folder(&self.project().data, &self.base()).ok()?;
        (Archive::is_named_like_one(&path) && path.is_file()).then_some(path)
    }

    /// Starts to unpack the archive, or ends that; what was unpacked is kept for the next time.
    pub(super) fn unpack(&mut self, start: bool, services: &Services) {
        self.unpackings.failed = None;
        if !start {
            self.unpackings.running.iter().for_each(Unpacking::cancel);
            return;
        }
        let archive = self.shown_archive();
        let Some(archive) = archive.filter(|_| self.unpackings.running.is_none()) else {
            return;
        };
        let wake = services.wake.clone();
        match Unpacking::start(archive, self.project().data.source, move || wake()) {
            Ok(running) => self.unpackings.running = Some(running),
            Err(error) => {
                let text = format!(
                    "no thread could be started to unpack the archive: {error}; close other programs"
                );
                self.messages.add(Weight::Error, text);
            }
        }
    }

    /// Takes what came of the unpacking.
    pub(super) fn drain_unpacking(&mut self) {
        let running = self.unpackings.running.as_ref();
        let Some((archive, result)) =
            running.and_then(|running| Some((running.archive.clone(), running.ended()?)))
        else {
            return;
        };
        self.unpackings.running = None;
        match result {
            Ok(unpacked) => {
                let recognised = unpacked.recognised;
                let path = path_text(&recognised.path);
                self.messages.add(
                    Weight::Note,
                    format!(
                        "Unpacked; images are read from {path} as {} ({})",
                        recognised.source, recognised.why
                    ),
                );
                if let Some(aside) = unpacked.set_aside {
                    let aside = aside.display();
                    let text = format!("An incomplete folder was in the way; it is now {aside}.");
                    self.messages.add(Weight::Warning, text);
                }
                if self.shown_archive() == Some(archive) {
                    let data = DataSpec {
                        source: recognised.source,
                        path: Some(path),
                        ..self.project().data.clone()
                    };
                    let next = Project {
                        data: data.without_idle(),
                        ..self.project().clone()
                    };
                    self.put_with_data(next);
                    self.generation += 1;
                }
            }
            Err(ArchiveError::Cancelled) => {}
            Err(error) => self.unpackings.failed = Some((archive, error.to_string())),
        }
    }
}
