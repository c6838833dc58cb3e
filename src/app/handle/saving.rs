//! Where something is saved: the path is asked for, a file is replaced and a folder made only where the user says so.

use crate::dialogs::Wanted;
use crate::messages::Weight;
use crate::recent::Kind;
use crate::services::Services;
use crate::state::{PathPrompt, PathPurpose, State};
use crate::view_kind::{ViewInfo, ViewKind};
use std::path::{Path, PathBuf};
use strata_core::format::slug;
use strata_core::project::file;

impl State {
    pub(super) fn ask(&mut self, what: PathPurpose, services: &mut Services) {
        let start = match (&self.file, what) {
            (_, PathPurpose::Picture(kind)) => self.picture_path(services.views.info(kind)),
            (_, PathPurpose::Images) => String::new(),
            (Some(file), _) => file.display().to_string(),
            (None, PathPurpose::Save) => format!("{}.toml", slug(&self.project().title, "project")),
            (None, PathPurpose::Open) => String::new(),
        };
        self.asked += 1;
        self.ask = Some(PathPrompt {
            what,
            start,
            replace: None,
            make: None,
            number: self.asked,
        });
        services.dialogs.open(Wanted::Path(what), &services.wake);
    }

    /// In the run's folder where there is a run, else next to the project.
    fn picture_path(&self, view: &ViewInfo) -> String {
        let folder = self.training.run.clone().unwrap_or_else(|| self.base());
        let name = format!(
            "{}-step-{}.png",
            slug(view.title, "view"),
            self.training.curves.steps()
        );
        folder.join(name).display().to_string()
    }

    pub(super) fn save_picture(&mut self, kind: ViewKind, path: PathBuf, services: &Services) {
        let mut path = expand(&path);
        let is_picture = |ending: &std::ffi::OsStr| {
            ending.eq_ignore_ascii_case("png") || ending.eq_ignore_ascii_case("svg")
        };
        if !path.extension().is_some_and(is_picture) {
            path.as_mut_os_string().push(".png");
        }
        let purpose = PathPurpose::Picture(kind);
        if self.lacks_folder(purpose, &path) || self.would_replace(purpose, &path) {
            return;
        }
        self.ask = None;
        let write = (services.views.snapshot)(kind, self);
        self.pictures.save("Picture", path, write, &services.wake);
    }

    /// Whether there is a file that the user has not agreed to replace; asks about it.
    fn would_replace(&mut self, what: PathPurpose, path: &Path) -> bool {
        let confirmed = |ask: &PathPrompt| ask.what == what && ask.replace.as_deref() == Some(path);
        if !path.exists() || self.ask.as_ref().is_some_and(confirmed) {
            return false;
        }
        self.ask_again(what, path, Some(path.to_path_buf()), None);
        true
    }

    /// Whether the folder of a file is not there; asks whether to make it, and keeps what was typed.
    fn lacks_folder(&mut self, what: PathPurpose, path: &Path) -> bool {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let Some(folder) = folder.filter(|folder| !folder.exists()) else {
            return false;
        };
        self.ask_again(what, path, None, Some(folder.to_path_buf()));
        true
    }

    /// Asks for the path once more, with what was typed.
    fn ask_again(
        &mut self,
        what: PathPurpose,
        path: &Path,
        replace: Option<PathBuf>,
        make: Option<PathBuf>,
    ) {
        let asked = self.ask.as_ref().filter(|ask| ask.what == what);
        let number = asked.map(|ask| ask.number);
        self.asked += 1;
        self.ask = Some(PathPrompt {
            what,
            start: path.display().to_string(),
            replace,
            make,
            number: number.unwrap_or(self.asked),
        });
    }

    /// Makes the folder that the path in question lies in, and saves there.
    pub(super) fn make_folder(&mut self, services: &mut Services) {
        let Some(ask) = self.ask.clone() else { return };
        let Some(folder) = ask.make else { return };
        if let Err(error) = std::fs::create_dir_all(&folder) {
            let text = format!("The folder {} cannot be made: {error}", folder.display());
            return self.messages.add(Weight::Error, text);
        }
        let path = PathBuf::from(ask.start);
        match ask.what {
            PathPurpose::Open | PathPurpose::Images => {}
            PathPurpose::Save => self.save_as(path, services),
            PathPurpose::Picture(kind) => self.save_picture(kind, path, services),
        }
    }

    pub(super) fn save_as(&mut self, path: PathBuf, services: &Services) {
        let mut path = expand(&path);
        if path.extension().is_none() {
            path.set_extension("toml");
        }
        if self.lacks_folder(PathPurpose::Save, &path) {
            return;
        }
        let is_own = self.file.as_deref() == Some(&path) && !self.is_changed_on_disk(&path);
        if is_own || !self.would_replace(PathPurpose::Save, &path) {
            self.save(&path, services);
        }
    }

    /// Saves to the project's file, unless that holds what was never seen here: then it is asked about first.
    pub(super) fn save_again(&mut self, path: &Path, services: &Services) {
        if !self.is_changed_on_disk(path) {
            return self.save(path, services);
        }
        if self.would_replace(PathPurpose::Save, path) {
            let text = format!(
                "{} was changed by another program since it was opened here. Replace it with the project in this window, or save to another file; to see what it holds now, open it again.",
                path.display()
            );
            self.messages.add(Weight::Warning, text);
        }
    }

    pub(super) fn save(&mut self, path: &Path, services: &Services) {
        let text = self.text_for(path);
        match file::save_text(&text, path) {
            Err(error) => self.messages.add(Weight::Error, error.to_string()),
            Ok(()) => {
                self.mark_saved(text, path.to_path_buf());
                let title = self.project().title.clone();
                self.recents.remember(path, &title, Kind::Project);
                self.messages
                    .add(Weight::Note, format!("Saved to {}", path.display()));
                self.ask = None;
                if let Some(wanted) = self.pending.take() {
                    self.go_on(wanted, services);
                }
            }
        }
    }
}

/// `~` is the home folder.
pub(super) fn expand(path: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_path_buf(),
    }
}
