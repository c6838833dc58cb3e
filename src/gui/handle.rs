//! The one place where an action changes the state.

use super::action::{Action, Answer, OnView, Show};
use super::arrangement::Arrangement;
use super::curves::Curves;
use super::dialogs::Dialogs;
use super::messages::Weight;
use super::recent::Kind;
use super::state::{Ask, Closing, Pending, State};
use super::training::{Phase, Training};
use super::views::ViewKind;
use crate::engine::command::Command;
use crate::engine::thread::{RunOptions, Running};
use crate::project::data::{DataSpec, Source};
use crate::project::edit::Edit;
use crate::project::{Project, builtin, file};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Wakes the window from another thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Starts a run.
pub type StartRun = Box<dyn Fn(Project, RunOptions, Wake) -> std::io::Result<Running>>;

/// What the state needs from outside.
pub struct Services {
    /// Starts a run; the engine's thread but for tests.
    pub start: StartRun,
    /// Wakes the window.
    pub wake: Wake,
    /// The system's file dialogs.
    pub dialogs: Dialogs,
}

impl State {
    /// Applies one action.
    pub fn handle(&mut self, action: Action, services: &mut Services) {
        match action {
            Action::Edit(edit) => {
                self.edit(&edit);
            }
            Action::Add(place, node) => {
                if self.edit(&Edit::Insert(place.clone(), node)) {
                    self.selected = Some(place);
                }
            }
            Action::Move(from, to) => self.move_node(&from, &to),
            Action::Paste(text) => self.paste(&text),
            Action::Fold(place, folded) => self.fold(place, folded),
            Action::Selected(change) => self.change_selected(change),
            Action::Select(place) => self.selected = place,
            Action::Preview(preview) => self.show_preview(preview),
            Action::Undo => self.travel(true),
            Action::Redo => self.travel(false),
            Action::Show(show) => self.show(show),
            Action::View(change) => self.change_views(change),
            Action::Dismiss(id) => self.messages.dismiss(id),
            Action::Device(device) => self.device = device,
            Action::Look(at) => self.look(at, services),
            Action::ListRuns => self.runs.read(self.runs_to_list(), &services.wake),
            Action::Train => self.train(services),
            Action::Pause => self.training.send(Command::Pause),
            Action::Resume => self.training.send(Command::Resume),
            Action::Step => self.training.send(Command::Step),
            Action::Stop => self.training.send(Command::Stop),
            other => self.handle_files(other, services),
        }
    }

    fn handle_files(&mut self, action: Action, services: &mut Services) {
        match action {
            Action::Overlay(overlay) => self.overlay = overlay,
            Action::Recover(true) => self.unless_unsaved(Pending::Recover),
            Action::Recover(false) => drop(self.unsaved.drain(..1.min(self.unsaved.len()))),
            Action::Start(shown) => self.show_start(shown),
            Action::New => self.unless_unsaved(Pending::New),
            Action::DataFolder(path) => self.read_folder(&path),
            Action::Image(path) => {
                self.looking.request.image = Some(path);
                self.change_views(OnView::Open(ViewKind::Saliency, None));
            }
            Action::Builtin(name) => self.unless_unsaved(Pending::Builtin(name)),
            Action::Open(path) => self.unless_unsaved(Pending::Open(path)),
            Action::Close => self.unless_unsaved(Pending::Close),
            Action::Unsaved(answer) => self.answer(answer, services),
            Action::AskOpen => self.ask(false, services),
            Action::AskSave => self.ask(true, services),
            Action::Save => match self.file.clone() {
                Some(path) => self.save(&path),
                None => self.ask(true, services),
            },
            Action::SaveAs(path) => self.save_as(path),
            Action::Browse => services.dialogs.open(self.ask.as_ref().is_some_and(|ask| ask.save), &services.wake),
            Action::BrowseImage => services.dialogs.open_image(&services.wake),
            Action::BrowseData => services.dialogs.open_folder(&services.wake),
            Action::CancelPath => {
                self.ask = None;
                self.pending = None;
            }
            _ => {}
        }
    }

    fn show(&mut self, show: Show) {
        match show {
            Show::Dark(dark) => self.view.dark = Some(dark),
            Show::LogLoss(log) => self.view.log_loss = log,
            Show::FilterScale(scale) => self.view.filter_scale = scale,
            Show::Stage(stage) => self.view.stage = stage,
            Show::Saliency(request) => self.looking.request = request,
            Show::DataPage(page) => self.looking.page = page,
            Show::Run(run, shown) => self.runs.show(run, shown),
        }
    }

    fn change_views(&mut self, change: OnView) {
        let purpose = self.purpose();
        let arrangement = self.arrangements.get_mut(purpose);
        match change {
            OnView::Open(kind, beside) => arrangement.open(kind, beside),
            OnView::Close(kind) => arrangement.close(kind),
            OnView::Split(kind, side) => arrangement.split(kind, side),
            OnView::Arrange(moved) => *arrangement = moved,
            OnView::Reset => *arrangement = Arrangement::default_for(purpose),
        }
    }

    fn train(&mut self, services: &Services) {
        if self.training.is_running() {
            return;
        }
        if let Some(problem) = self.blocker() {
            let text = problem.message.clone();
            return self.messages.add(Weight::Error, text);
        }
        let options = RunOptions { base: self.base(), device: self.device.clone(), ..RunOptions::default() };
        let project = self.project().clone();
        match (services.start)(project.clone(), options, services.wake.clone()) {
            Ok(running) => {
                self.training = Training::new(running, project);
                self.looking.forget_run();
            }
            Err(error) => {
                let text = format!(
                    "the training thread could not be started: {error}; close other programs and press Train again"
                );
                self.messages.add(Weight::Error, text);
            }
        }
    }

    /// Does it at once, or asks first when changes would be lost.
    fn unless_unsaved(&mut self, wanted: Pending) {
        if self.is_unsaved() {
            self.pending = Some(wanted);
        } else {
            self.go_on(wanted);
        }
    }

    fn answer(&mut self, answer: Answer, services: &mut Services) {
        match answer {
            Answer::Cancel => self.pending = None,
            Answer::Discard => {
                if let Some(wanted) = self.pending.take() {
                    self.go_on(wanted);
                }
            }
            Answer::Save => self.handle_files(Action::Save, services),
        }
    }

    fn go_on(&mut self, wanted: Pending) {
        self.pending = None;
        self.ask = None;
        match wanted {
            Pending::Open(path) => self.open(&path),
            Pending::Recover => self.recover(),
            Pending::New => self.replace(blank(self.project()), None),
            Pending::Builtin(name) => {
                if let Some(Ok(project)) = builtin::find(name).map(builtin::Builtin::project) {
                    self.replace(project, None);
                }
            }
            Pending::Close => self.close(),
        }
    }

    /// A run that goes on is stopped first, so that it leaves a checkpoint.
    fn close(&mut self) {
        if self.training.is_running() {
            self.training.send(Command::Stop);
            self.messages.add(Weight::Note, "Closing as soon as the run has saved its checkpoint");
            self.closing = Closing::AfterRun;
        } else {
            self.closing = Closing::Now;
        }
    }

    fn show_start(&mut self, shown: bool) {
        self.start = shown;
        if shown {
            self.recents.check();
        }
    }

    fn read_folder(&mut self, path: &Path) {
        let name = path.display().to_string();
        let data = DataSpec { source: Source::Folder, path: Some(name.clone()), ..self.project().data.clone() };
        if self.edit(&Edit::Data(data)) {
            self.start = false;
            self.generation += 1;
            let text = format!("Images are read from {name}; Ctrl+Z takes it back");
            self.messages.add(Weight::Note, text);
        }
    }

    /// The file as it is stays one step back.
    fn recover(&mut self) {
        if self.unsaved.is_empty() {
            return;
        }
        let unsaved = self.unsaved.remove(0);
        let saved = unsaved.origin.as_deref().and_then(|origin| file::load(origin).ok());
        let origin = unsaved.origin.filter(|_| saved.is_some());
        self.replace(saved.unwrap_or_else(|| blank(&unsaved.project)), origin);
        self.edit(&Edit::All(Box::new(unsaved.project)));
        self.messages.add(Weight::Note, "Recovered; Ctrl+Z goes back to what the file holds");
    }

    fn remember_run(&mut self) {
        let Training { run: Some(run), project: Some(project), .. } = &self.training else { return };
        if self.training.is_running() && !self.recents.is_newest(run) {
            self.recents.remember(run, &project.title, Kind::Run);
        }
    }

    fn open(&mut self, path: &Path) {
        let path = expand(path);
        let (file, run) = match run_folder(&path) {
            Some(run) => (run.join("project.toml"), Some(run)),
            None => (path, None),
        };
        match file::load(&file) {
            Err(error) => self.messages.add(Weight::Error, error.to_string()),
            // A run's project is what was trained; saving must not change it.
            Ok(project) if run.is_some() => {
                let run = run.unwrap_or_default();
                self.recents.remember(&run, &project.title, Kind::Run);
                self.replace(project, None);
                self.show_run(run);
            }
            Ok(project) => {
                self.recents.remember(&file, &project.title, Kind::Project);
                self.replace(project, Some(file.clone()));
                self.messages.add(Weight::Note, format!("Opened {}", file.display()));
            }
        }
    }

    fn show_run(&mut self, run: PathBuf) {
        if self.training.is_running() {
            return;
        }
        self.messages.add(Weight::Note, format!("Opened the run {}; Save asks for a new place", run.display()));
        self.training = Training::stored(run.clone(), Curves::read(&run));
        self.looking.forget_run();
    }

    fn ask(&mut self, save: bool, services: &mut Services) {
        let start = match (&self.file, save) {
            (Some(file), _) => file.display().to_string(),
            (None, true) => format!("{}.toml", file_stem(&self.project().title)),
            (None, false) => String::new(),
        };
        self.ask = Some(Ask { save, start, replace: None });
        services.dialogs.open(save, &services.wake);
    }

    fn save_as(&mut self, path: PathBuf) {
        let mut path = expand(&path);
        if path.extension().is_none() {
            path.set_extension("toml");
        }
        let known = self.file.as_deref() == Some(&path);
        let confirmed = self.ask.as_ref().is_some_and(|ask| ask.replace.as_deref() == Some(&path));
        if path.exists() && !known && !confirmed {
            if let Some(ask) = &mut self.ask {
                ask.start = path.display().to_string();
                ask.replace = Some(path);
            }
            return;
        }
        self.save(&path);
    }

    fn save(&mut self, path: &Path) {
        match file::save(self.project(), path) {
            Err(error) => self.messages.add(Weight::Error, error.to_string()),
            Ok(()) => {
                self.mark_saved(path.to_path_buf());
                let title = self.project().title.clone();
                self.recents.remember(path, &title, Kind::Project);
                self.messages.add(Weight::Note, format!("Saved to {}", path.display()));
                self.ask = None;
                if let Some(wanted) = self.pending.take() {
                    self.go_on(wanted);
                }
            }
        }
    }

    /// Takes what the engine told since the last frame.
    pub fn drain(&mut self) {
        for (weight, text) in self.training.drain() {
            self.messages.add(weight, text);
        }
        if let Some(slots) = self.training.slots() {
            self.looking.take_from(&slots);
        }
        self.looking.drain();
        self.runs.drain();
        self.remember_run();
        if self.closing == Closing::AfterRun && matches!(self.training.phase, Phase::Ended(_)) {
            self.closing = Closing::Now;
        }
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

/// A project with no layers: the input of the first built-in one, and its way to be trained.
fn blank(fallback: &Project) -> Project {
    let first = builtin::ALL.first().and_then(|entry| entry.project().ok());
    let mut project = first.unwrap_or_else(|| fallback.clone());
    project.title = "New project".into();
    (project.network.encoder, project.network.decoder, project.network.head) = Default::default();
    project
}

/// `~` is the home folder.
fn expand(path: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_path_buf(),
    }
}

/// A title as a file name: small letters, digits and dashes.
fn file_stem(title: &str) -> String {
    let plain: String = title.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "project".into() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_file_names() {
        assert_eq!(file_stem("STL-10: autoencoder first"), "stl-10-autoencoder-first");
        assert_eq!(file_stem("…"), "project");
    }
}
