//! What the About box shows: the system's report, collected on its own thread when the box is opened.

use super::messages::Weight;
use super::services::Services;
use super::state::State;
use super::wake::Wake;
use crossbeam_channel::{Receiver, bounded};
use std::path::PathBuf;
use strata_core::logging::Graphics;
use strata_system_report::SystemReport;

/// The report, and what it takes from the window.
#[derive(Debug, Default)]
pub struct About {
    /// The folder of the small files that outlive the window.
    pub settings: Option<PathBuf>,
    /// What the window is painted with.
    pub graphics: Option<Graphics>,
    /// The newest report.
    pub report: Option<SystemReport>,
    collecting: Option<Receiver<SystemReport>>,
}

impl About {
    /// Collects a new report; until it is there the former one is shown.
    pub(super) fn collect(&mut self, wake: &Wake) {
        let (sender, receiver) = bounded(1);
        let settings = self.settings.clone();
        let graphics = self.graphics.clone();
        let wake = wake.clone();
        let thread = std::thread::Builder::new().name("strata-about".to_owned());
        let started = thread.spawn(move || {
            // Receiver dropped: the window has closed.
            sender.send(SystemReport::collect(settings, graphics)).ok();
            wake();
        });
        if let Err(error) = &started {
            log::warn!("no thread could be started for the About box: {error}");
        }
        self.collecting = started.ok().map(|_| receiver);
    }

    /// Takes a report that is ready.
    pub(super) fn drain(&mut self) {
        let collecting = self.collecting.as_ref();
        if let Some(report) = collecting.and_then(|collecting| collecting.try_recv().ok()) {
            self.report = Some(report);
            self.collecting = None;
        }
    }
}

impl State {
    /// Shows the folder of the log in the system's file manager.
    pub(super) fn show_log_folder(&mut self, services: &Services) {
        let report = self.about.report.as_ref();
        let folder = report.and_then(|report| report.folders.state.as_deref());
        if let Some(folder) = folder
            && let Err(error) = services.dialogs.show_folder(folder)
        {
            let folder = folder.display();
            let text = format!("no file manager could be started: {error}; the log is in {folder}");
            self.messages.add(Weight::Warning, text);
        }
    }
}
