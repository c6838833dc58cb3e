//! How the project changes: edits, steps back and forth, what is only looked at, another project in its place.

use super::State;
use crate::messages::Weight;
use crate::recovery::Edited;
use crate::run_monitor::RunMonitor;
use crate::shown::Shown;
use std::path::{Path, PathBuf};
use strata_core::project::edit::{Edit, History};
use strata_core::project::node::Node;
use strata_core::project::study::Study;
use strata_core::project::{Network, Place, Project, file};

impl State {
    /// What is folded stays folded while layers come and go before it.
    pub(crate) fn move_folds(&mut self, edit: &Edit) {
        let moved: fn(&Place, &Place) -> Option<Place> = match edit {
            Edit::Insert(..) => |place, at| Some(place.after_insert(at)),
            Edit::Remove(..) => Place::after_remove,
            _ => return,
        };
        if let Edit::Insert(at, _) | Edit::Remove(at) = edit {
            let mut folds = std::mem::take(&mut self.folds);
            if matches!(edit, Edit::Remove(_)) {
                folds.remove(at);
            }
            self.folds = folds
                .into_iter()
                .filter_map(|(place, folded)| Some((moved(&place, at)?, folded)))
                .collect();
        }
    }

    pub(crate) fn fold(&mut self, place: Option<Place>, folded: bool) {
        let blocks = self
            .shown
            .inference
            .rows
            .iter()
            .filter(|row| row.is_block)
            .map(|row| row.place.clone());
        match place {
            Some(place) => self.folds.extend([(place, folded)]),
            None => self.folds = blocks.map(|place| (place, folded)).collect(),
        }
    }

    pub(crate) fn edit(&mut self, edit: &Edit) -> bool {
        match self.history.edit(edit) {
            Ok(()) => {
                self.move_folds(edit);
                (self.preview, self.proposal) = (None, None);
                self.refresh();
                true
            }
            Err(error) => {
                self.messages.add(Weight::Warning, error.to_string());
                false
            }
        }
    }

    /// Takes a whole project as one step, whatever is locked in this one.
    pub(crate) fn put(&mut self, project: Project) {
        self.history.put(project);
        (self.preview, self.proposal) = (None, None);
        self.refresh();
    }

    /// Takes a whole project as part of the step that chose the data, where nothing was changed since.
    pub(crate) fn put_with_data(&mut self, project: Project) {
        if self.data_step.as_ref() == Some(self.project()) {
            self.history.amend(project);
            self.data_step = Some(self.project().clone());
            (self.preview, self.proposal) = (None, None);
            self.refresh();
        } else {
            self.put(project);
        }
    }

    /// Shows another run of the project, or what all of them share.
    pub(crate) fn show_run_of_file(&mut self, run: Option<usize>) {
        let shown = self.project().study.as_ref().map(Study::shown);
        if shown.is_none() || shown == Some(run) {
            return;
        }
        self.history.show_run(run);
        self.generation += 1;
        self.selected = None;
        self.folds.clear();
        (self.preview, self.proposal) = (None, None);
        self.view.stage = self
            .view
            .stage
            .map(|stage| stage.min(self.project().stages.len().saturating_sub(1)));
        self.refresh();
    }

    pub(crate) fn travel(&mut self, back: bool) {
        let moved = if back {
            self.history.undo()
        } else {
            self.history.redo()
        };
        if moved {
            self.generation += 1;
            (self.preview, self.proposal) = (None, None);
            self.refresh();
        }
    }

    pub(crate) fn show_preview(&mut self, preview: Option<(Place, String)>) {
        if self.preview != preview {
            self.preview = preview;
            self.refresh();
        }
    }

    pub(crate) fn show_proposal(&mut self, proposal: Option<Box<Network>>) {
        if self.proposal != proposal {
            self.proposal = proposal;
            self.refresh();
        }
    }

    /// Replaces the project by one that was opened: from this text, if it was one.
    pub(crate) fn replace(
        &mut self,
        project: Project,
        source_text: Option<String>,
        file: Option<PathBuf>,
    ) {
        // Runs belong to a project by its title.
        if self.project().title != project.title {
            self.comparing.forget();
            self.studying.page = None;
        }
        self.saved = project.clone();
        self.history = History::new(project);
        self.messages.withdraw_errors();
        self.source_text = source_text;
        self.file = file;
        self.selected = None;
        (self.preview, self.proposal) = (None, None);
        self.view.stage = self
            .view
            .stage
            .map(|stage| stage.min(self.project().stages.len().saturating_sub(1)));
        self.start = false;
        self.folds.clear();
        self.generation += 1;
        self.opened += 1;
        self.is_stand_in = false;
        self.inspections.forget_choices();
        self.inspections.gallery = self.view.first_images();
        self.inspections.saliency.question =
            self.view.saliency.filter(|_| self.has_saliency_choice());
        self.choices.clear();
        if !self.training.is_running() {
            self.training = RunMonitor::default();
            self.messages.withdraw_warnings_of_run();
            self.inspections.forget_run();
        }
        self.refresh();
    }

    pub(crate) fn mark_saved(&mut self, text: String, file: PathBuf) {
        self.saved = self.project().clone();
        self.source_text = Some(text);
        self.file = Some(file);
    }

    /// The project with what no file holds of it.
    pub(crate) fn edited(&self) -> Edited<'_> {
        Edited {
            project: self.project(),
            saved: &self.saved,
            origin: self.file.as_deref(),
        }
    }

    /// Whether the file holds another project than the one that was opened from it or saved to it.
    pub(crate) fn is_changed_on_disk(&self, path: &Path) -> bool {
        let is_own = self.file.as_deref() == Some(path);
        is_own
            && match file::load(path) {
                Ok(project) => {
                    project != self.saved.as_opened() && project != self.project().as_opened()
                }
                // One that is gone is written again; one that cannot be read may hold anything.
                Err(_) => path.symlink_metadata().is_ok(),
            }
    }

    /// The text of the project for this file: what the file says now with what was edited, or else the text that was
    /// opened.
    pub(crate) fn text_for(&self, path: &Path) -> String {
        let is_own = self.file.as_deref() == Some(path);
        let on_disk = file::load_with_text(path).ok().filter(|_| is_own);
        let text = on_disk.map(|(_, text)| text).or(self.source_text.clone());
        text.map_or_else(
            || file::to_text(self.project()),
            |text| file::update_text(&text, self.project()),
        )
    }

    fn refresh(&mut self) {
        let typed = self.preview.as_ref().and_then(|(place, text)| {
            Edit::Replace(place.clone(), Node::from_text(text))
                .apply(self.history.project())
                .ok()
        });
        let proposed = self.proposal.as_ref().map(|network| {
            let network = (**network).clone();
            Project {
                network,
                ..self.history.project().clone()
            }
        });
        self.shown = Shown::of(
            proposed
                .as_ref()
                .or(typed.as_ref())
                .unwrap_or(self.history.project()),
        );
        let network = &self.history.project().network;
        self.selected = self
            .selected
            .take()
            .filter(|place| network.node(place).is_some());
        let is_there = |place: &Place| {
            let siblings = network.siblings(place);
            siblings.is_some_and(|(siblings, index)| index <= siblings.len())
        };
        self.asked_layer = self.asked_layer.take().filter(is_there);
    }
}
