//! Opening, saving and closing: what the user is asked before, and what follows.

use super::saving::expand;
use crate::action::{Action, Answer, OnView, Overlay};
use crate::arrangement::Workspace;
use crate::dialogs::Wanted;
use crate::importing::{are_weights, how_to_bring};
use crate::kernels;
use crate::messages::Weight;
use crate::opening::{is_data, why_no_project};
use crate::recent::Kind;
use crate::recovery;
use crate::run_monitor::RunMonitor;
use crate::services::Services;
use crate::state::{AfterUnsavedPrompt, Closing, PathPurpose, State};
use crate::view_kind::ViewKind;
use crate::wake::Wake;
use std::path::{Path, PathBuf};
use strata_baselines::record::BaselineRecord;
use strata_core::files::path_text;
use strata_core::project::data::DataSpec;
use strata_core::project::edit::Edit;
use strata_core::project::stage::Stage;
use strata_core::project::{Project, builtin, file};
use strata_data::archive::Archive;
use strata_data::{Recognised, recognise};
use strata_engine::command::Command;
use strata_export::bundle::{Format, Request, export, usual_folder};
use strata_export::incoming::{holds_layers, is_network};
use strata_export::report::{self, Shown};
use strata_inspect::confusion::Confusion;
use strata_inspect::saliency::Saliency;
use strata_inspect::sparse::SparseCode;
use strata_sweep::folder::{PROJECT_FILE, is_sweep};

/// Whether a path is no project, no run and no weights: opening it changes nothing.
fn is_unreadable(path: &Path) -> bool {
    let path = expand(path);
    let file = match is_sweep(&path) {
        true => path.join(PROJECT_FILE),
        false => run_folder(&path).map_or(path.clone(), |run| run.join("project.toml")),
    };
    let is_made_into_one = are_weights(&path) || is_network(&path) || holds_layers(&path);
    !is_made_into_one && file::load_with_text(&file).is_err()
}

impl State {
    pub(super) fn handle_files(&mut self, action: Action, services: &mut Services) {
        match action {
            Action::Overlay(overlay) => {
                self.overlay = overlay;
                if overlay == Some(Overlay::About) {
                    self.about.collect(&services.wake);
                }
            }
            Action::Recover(true) => self.unless_unsaved(AfterUnsavedPrompt::Recover, services),
            Action::Recover(false) => drop(self.unsaved.drain(..1.min(self.unsaved.len()))),
            Action::Start(shown) => self.show_start(shown),
            Action::New => self.unless_unsaved(AfterUnsavedPrompt::New, services),
            Action::DataFolder(path) => self.read_data(&path, services),
            Action::Image(path) if self.view.workspace == Workspace::Data => {
                self.inspections.kernels.subject = kernels::Subject::File(path);
                self.change_views(OnView::Open(ViewKind::Kernels, None), services);
            }
            Action::Image(path) => {
                self.inspections.saliency.image = Some(path);
                // Feature maps show it too: where they are seen, nothing else has to be opened.
                if !self.arrangement().fronts().contains(&ViewKind::Activations) {
                    self.change_views(OnView::Open(ViewKind::Saliency, None), services);
                }
            }
            Action::Builtin(name) => {
                self.unless_unsaved(AfterUnsavedPrompt::Builtin(name), services)
            }
            Action::Open(path) if is_data(&expand(&path)) => {
                self.read_data(&expand(&path), services);
            }
            // What cannot be opened is no reason to ask about unsaved changes.
            Action::Open(path) if self.is_unsaved() && is_unreadable(&path) => {
                self.ask = None;
                self.open(&path, services);
            }
            Action::Open(path) => self.unless_unsaved(AfterUnsavedPrompt::Open(path), services),
            Action::Close => self.unless_unsaved(AfterUnsavedPrompt::Close, services),
            Action::Unsaved(answer) => self.answer(answer, services),
            Action::AskPath(what) => self.ask(what, services),
            Action::Save => match self.file.clone() {
                Some(path) => self.save_again(&path, services),
                None => self.ask(PathPurpose::Save, services),
            },
            Action::SaveAs(path) => self.save_as(path, services),
            Action::SavePicture(kind, path) => self.save_picture(kind, path, services),
            Action::CopyPicture(kind) => {
                let paint = (services.views.pixels)(kind, self);
                self.pictures.copy(paint, &services.wake);
            }
            Action::MakeFolder => self.make_folder(services),
            Action::Browse => {
                if let Some(ask) = &self.ask {
                    let wanted = Wanted::Path(ask.what);
                    services.dialogs.open(wanted, &services.wake);
                }
            }
            Action::BrowseImage => services.dialogs.open(Wanted::Image, &services.wake),
            Action::ShowLogFolder => self.show_log_folder(services),
            Action::BrowseDataFolder => {
                services.dialogs.open(Wanted::DataFolder, &services.wake);
            }
            Action::BrowseDataFile => services.dialogs.open(Wanted::DataFile, &services.wake),
            Action::CancelPath => {
                self.ask = None;
                self.pending = None;
            }
            _ => {}
        }
    }

    /// Does it at once, or asks first when changes would be lost.
    fn unless_unsaved(&mut self, wanted: AfterUnsavedPrompt, services: &Services) {
        if self.is_unsaved() {
            // The question takes the place of a path bar that is open.
            self.ask = None;
            self.pending = Some(wanted);
        } else {
            self.go_on(wanted, services);
        }
    }

    fn answer(&mut self, answer: Answer, services: &mut Services) {
        match answer {
            Answer::Cancel => self.pending = None,
            Answer::Discard => {
                if let Some(wanted) = self.pending.take() {
                    self.go_on(wanted, services);
                }
            }
            Answer::Save => self.handle_files(Action::Save, services),
        }
    }

    pub(super) fn go_on(&mut self, wanted: AfterUnsavedPrompt, services: &Services) {
        self.pending = None;
        self.ask = None;
        match wanted {
            AfterUnsavedPrompt::Open(path) => self.open(&path, services),
            AfterUnsavedPrompt::Recover => self.recover(),
            AfterUnsavedPrompt::New => self.replace(blank(self.project()), None, None),
            AfterUnsavedPrompt::Builtin(name) => {
                if let Some(entry) = builtin::find(name)
                    && let Ok(project) = entry.project()
                {
                    log::info!("opened the built-in project {name}");
                    self.replace(project, Some(entry.text.to_owned()), None);
                }
            }
            AfterUnsavedPrompt::Close => self.close(),
        }
    }

    /// A run in training is stopped first, so that it leaves a checkpoint. Who closes twice does not want to wait, for a
    /// disk that does not answer perhaps.
    fn close(&mut self) {
        if self.closing == Closing::Waiting {
            self.closing = Closing::Now;
        } else if self.training.is_running() {
            self.training.send(Command::Stop);
            self.sweeping.stop();
            self.messages.add(
                Weight::Note,
                "Closing as soon as the run has saved its checkpoint; close once more to end at once, without it",
            );
            self.closing = Closing::Waiting;
        } else if self.sweeping.is_running() {
            self.sweeping.stop();
            let text = "Closing as soon as the sweep's runs have saved their checkpoints; close once more to end at once, without them";
            self.messages.add(Weight::Note, text);
            self.closing = Closing::Waiting;
        } else if self.pictures.is_busy() {
            self.closing = Closing::Waiting;
        } else {
            self.closing = Closing::Now;
        }
    }

    /// The system ends the program: a run saves its checkpoint, unsaved edits are kept for the next start. The user is not asked
    /// anything.
    pub fn end(&mut self) {
        self.is_ended = true;
        self.pending = None;
        self.close();
    }

    fn show_start(&mut self, shown: bool) {
        self.start = shown;
        if shown {
            self.recents.check();
        }
    }

    /// What a path holds becomes the data, and is shown.
    fn read_data(&mut self, path: &Path, services: &Services) {
        self.ask = None;
        let Recognised { source, why, path } = recognise(path, self.project().data.source);
        let (name, path) = (path_text(&path), path.as_path());
        let data = DataSpec {
            source,
            path: Some(name.clone()),
            ..self.project().data.clone()
        }
        .without_idle();
        if self.edit(&Edit::Data(data)) {
            self.start = false;
            self.generation += 1;
            self.data_step = Some(self.project().clone());
            let text = match Archive::is_named_like_one(path) {
                true => format!("{name} is an archive: the view Images says what it holds"),
                false => {
                    format!("Images are read from {name} as {source} ({why}); Ctrl+Z takes it back")
                }
            };
            self.messages.add(Weight::Note, text);
            self.view.workspace = Workspace::Data;
            self.change_views(OnView::Open(ViewKind::Data, None), services);
        }
    }

    /// The file as it is stays one step back.
    fn recover(&mut self) {
        if self.unsaved.is_empty() {
            return;
        }
        let unsaved = self.unsaved.remove(0);
        let unread = |error: &file::ProjectError| {
            log::warn!("unsaved edits are recovered without the file they were made in: {error}");
        };
        let origin = unsaved.origin.as_deref();
        let saved = origin.and_then(|origin| file::load_with_text(origin).inspect_err(unread).ok());
        let is_as_then = |(project, _): &(Project, String)| {
            unsaved
                .base
                .is_none_or(|base| base == recovery::fingerprint(project))
        };
        let is_same_file = saved.as_ref().is_some_and(is_as_then);
        let told = match &unsaved.origin {
            Some(origin) if !is_same_file => format!(
                "Recovered; {} does not hold what these edits were made in any more, so Save asks for a file",
                origin.display()
            ),
            Some(_) => "Recovered; Ctrl+Z goes back to what the file holds".to_owned(),
            None => {
                "Recovered; no file is known that they belong to, so Save asks for one".to_owned()
            }
        };
        let origin = unsaved.origin.filter(|_| is_same_file);
        let (project, text) = match saved {
            Some((project, text)) => (project, Some(text)),
            None => (blank(&unsaved.project), None),
        };
        self.replace(project, text, origin);
        self.put(unsaved.project);
        self.messages.add(Weight::Note, told);
    }

    fn open(&mut self, path: &Path, services: &Services) {
        let path = expand(path);
        if are_weights(&path) {
            return self.import_weights(path, services);
        }
        if is_sweep(&path) {
            return self.open_sweep(path);
        }
        if is_network(&path) || holds_layers(&path) {
            return self.import_network(path, services);
        }
        if let Some(reason) = how_to_bring(&path).or_else(|| why_no_project(&path)) {
            return self.messages.add(Weight::Error, reason);
        }
        let (file, run) = match run_folder(&path) {
            Some(run) => (run.join("project.toml"), Some(run)),
            None => (path, None),
        };
        match file::load_with_text(&file) {
            Err(error) => self.messages.add(Weight::Error, error.in_window()),
            // A run's project is what was trained; saving must not change it.
            Ok((project, text)) if run.is_some() => {
                let run = run.unwrap_or_default();
                self.recents.remember(&run, &project.title, Kind::Run);
                self.replace(project, Some(text), None);
                self.show_run(run, &services.wake);
            }
            Ok((project, text)) => {
                self.recents.remember(&file, &project.title, Kind::Project);
                self.replace(project, Some(text), Some(file.clone()));
                self.messages
                    .add(Weight::Note, format!("Opened {}", file.display()));
            }
        }
    }

    /// Opens the project of a sweep's folder, with what is trained of it. Saving must not change it.
    fn open_sweep(&mut self, folder: PathBuf) {
        match file::load_with_text(&folder.join(PROJECT_FILE)) {
            Err(error) => self.messages.add(Weight::Error, error.in_window()),
            Ok((project, text)) => {
                self.recents
                    .remember(&folder, &project.title, Kind::Project);
                self.replace(project, Some(text), None);
                self.sweeping.open(folder);
                let (workspace, purpose) = (Workspace::Training, self.purpose());
                self.view.workspace = workspace;
                let arrangement = self.arrangements.get_mut(workspace, purpose);
                arrangement.open(ViewKind::Sweep, None);
            }
        }
    }

    /// Opens a project that was just made of another program's file.
    pub(crate) fn open_read(&mut self, file: PathBuf) {
        match file::load_with_text(&file) {
            Err(error) => self.messages.add(Weight::Error, error.in_window()),
            Ok((project, text)) => {
                self.recents.remember(&file, &project.title, Kind::Project);
                let told = format!("Made a project of the network: {}", file.display());
                self.replace(project, Some(text), Some(file));
                self.messages.add(Weight::Note, told);
            }
        }
    }

    /// Opens a run that was just made, in the place of the project that it was made of.
    pub(crate) fn open_made(&mut self, run: PathBuf, wake: &Wake) {
        match file::load_with_text(&run.join("project.toml")) {
            Err(error) => self.messages.add(Weight::Error, error.in_window()),
            Ok((project, text)) => {
                self.recents.remember(&run, &project.title, Kind::Run);
                self.replace(project, Some(text), None);
                self.show_run(run, wake);
            }
        }
    }

    fn show_run(&mut self, run: PathBuf, wake: &Wake) {
        if self.training.is_running() {
            let text = "The project of that run is open; its curves and pictures can be seen when the training here ends";
            return self.messages.add(Weight::Warning, text);
        }
        let shown = run.display().to_string();
        self.training = RunMonitor::stored(run, wake);
        let told = match self.training.is_followed() {
            true => format!("Following the run {shown}, which another process trains"),
            false => format!("Opened the run {shown}; Save asks for a new place"),
        };
        self.messages.add(Weight::Note, told);
        self.inspections.forget_run();
    }

    /// Lists a run or the runs of a folder beside those of the project.
    pub(super) fn add_runs(&mut self, path: &Path, services: &Services) {
        let path = expand(path);
        let holds =
            |folder: &Path| folder.join("run.json").exists() || BaselineRecord::is_in(folder);
        let inside = std::fs::read_dir(&path).into_iter().flatten().flatten();
        if !holds(&path) && !inside.into_iter().any(|entry| holds(&entry.path())) {
            let text = format!(
                "There is no run in {}: choose a run's folder, or the folder that runs lie in",
                path.display()
            );
            return self.messages.add(Weight::Warning, text);
        }
        if self.runs.add(path) {
            self.runs.read(self.runs_to_list(), &services.wake);
        }
    }

    pub(super) fn note_run(&mut self, run: &Path, note: &str) {
        if let Err(error) = self.runs.note(run, note) {
            let text = format!("The note cannot be written into {}: {error}", run.display());
            self.messages.add(Weight::Error, text);
        }
    }

    /// Writes the page of the run that is shown, whether it has ended or not.
    pub(super) fn report(&mut self, services: &Services) {
        let Some(run) = self.training.run.clone() else {
            let text = "There is no run to report yet: press Train, or open a run's folder";
            return self.messages.add(Weight::Warning, text);
        };
        // A run that has ended is read again, since its checkpoint gives all that a page shows.
        let is_running = self.training.is_running();
        let filters = self.training.filters.clone();
        let pictures = self.training.reconstructions.clone();
        let confusion = self.run_reply::<Confusion>().cloned();
        let saliency = self.run_reply::<Saliency>().cloned();
        let sparse = self.run_reply::<SparseCode>().cloned();
        let write = move |file: &Path| {
            let written = if is_running {
                let confusion = confusion.as_ref().map(|reply| reply.result.as_deref());
                let saliency = saliency.as_ref().map(|reply| reply.result.as_deref());
                let sparse = sparse.as_ref().map(|reply| reply.result.as_deref());
                let shown = Shown {
                    filters: filters.as_deref(),
                    reconstructions: pictures.as_deref(),
                    confusion: confusion.and_then(Result::ok),
                    saliency: saliency.and_then(Result::ok),
                    sparse: sparse.and_then(Result::ok),
                };
                report::write(&run, file, shown)
            } else {
                report::write_stored(&run, file).map(|missing| {
                    missing.iter().for_each(|missing| log::warn!("{missing}"));
                })
            };
            written.map_err(|error| error.to_string())
        };
        let file = report::usual_file(self.training.run.as_deref().unwrap_or(Path::new("")));
        self.pictures.save("Report", file, write, &services.wake);
    }

    /// Writes the network of the run for another program, over what an earlier export left.
    pub(super) fn export(&mut self, format: Format, services: &Services) {
        let Some(run) = self.training.run.clone() else {
            let text = "There is no run to export yet: press Train, or open a run's folder";
            return self.messages.add(Weight::Warning, text);
        };
        let folder = usual_folder(&run);
        let write = move |folder: &Path| {
            let request = Request {
                run: &run,
                checkpoint: "last",
                format,
                folder,
                force: true,
                with_training: true,
            };
            let exported = export(&request).map_err(|error| error.to_string())?;
            match exported.without_training {
                Some(reason) => Err(format!("The network is there, but {reason}")),
                None => Ok(()),
            }
        };
        self.pictures
            .save(format.saved_as(), folder, write, &services.wake);
    }
}

/// The run folder a path means: the folder itself, or the project inside it.
fn run_folder(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_path_buf());
    }
    let parent = path.parent()?;
    let is_run = path.file_name()? == "project.toml" && parent.join("metrics.csv").exists();
    is_run.then(|| parent.to_path_buf())
}

/// A project with no layers: the input of the first built-in one, and nothing else that only some images or networks are
/// served by, so that what is built on any images trains at once.
fn blank(fallback: &Project) -> Project {
    let first = builtin::ALL.first().and_then(|entry| entry.project().ok());
    let mut project = first.unwrap_or_else(|| fallback.clone());
    project.title = "New project".into();
    project.data = DataSpec::default();
    project.stages = vec![Stage::default()];
    (
        project.network.encoder,
        project.network.decoder,
        project.network.head,
    ) = Default::default();
    project
}
