//! Runs and baselines side by side, and the fields by which baselines are made.

mod choose;
mod tables;

use super::loading_state::with_button;
use crate::theme;
use crate::view::View;
use crate::widgets::empty;
use eframe::egui::{ScrollArea, Ui};
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_compare::Comparison;
use strata_core::format;
use strata_data::Progress;

/// In a tile that is lower all of it is scrolled.
const LOW: f32 = 420.0;

/// The view.
pub(crate) struct CompareView;

impl View for CompareView {
    fn title(&self) -> &'static str {
        "Compare"
    }

    fn summary(&self) -> &'static str {
        "Runs and baselines side by side"
    }

    fn words(&self) -> &'static str {
        "comparison baseline logistic regression random forest boosting knn svm mcnemar significance t-test p-value seeds wandb"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "What was chosen above, side by side. Every classifier is asked about all held-out images, with its last weights: the test images, without such the validation images. McNemar's test counts the images on which only one of two is right; p is how likely so large a difference is by chance, and of several pairs it is corrected by Holm. Runs that differ by nothing but the seed are averaged, and tested against others with the same seeds. Layers stand beside those that they are like. Baselines are classifiers that are no networks, with the settings that scikit-learn has where nothing is said; they are fitted to the pixels, or to what a layer of the open run gives for the images."
    }

    fn status(&self, state: &State) -> String {
        state
            .comparing
            .shown
            .as_ref()
            .map_or_else(String::new, |shown| {
                let names: Vec<&str> = shown
                    .entries
                    .iter()
                    .map(|entry| entry.name.as_str())
                    .collect();
                names.join(" · ")
            })
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if !state.runs.is_of(&state.runs_to_list()) && !state.runs.is_reading() {
            actions.push(Action::ListRuns);
        }
        match shown(state).filter(|_| ui.available_height() < LOW) {
            // What is chosen would leave the tables little room: it is scrolled with them.
            Some(comparison) => scrolled(ui, |ui| {
                let width = ui.clip_rect().width() - 2.0 * theme::GAP;
                ui.scope(|ui| {
                    ui.set_max_width(width);
                    choose::show(ui, state, f32::INFINITY, actions);
                });
                tables::show(ui, comparison);
            }),
            None => {
                choose::show(ui, state, choose::LIST, actions);
                content(ui, state, actions);
            }
        }
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        if let Some(comparison) = &state.comparing.shown {
            tables::show(ui, comparison);
        }
    }
}

/// The comparison, while no other is made.
fn shown(state: &State) -> Option<&Comparison> {
    let comparing = &state.comparing;
    let is_ready = comparing.progress().is_none() && comparing.failed.is_none();
    comparing.shown.as_deref().filter(|_| is_ready)
}

fn scrolled(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    let scroll = ScrollArea::both().id_salt("comparison");
    scroll.auto_shrink(false).show(ui, content);
}

fn content(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if let Some(progress) = state.comparing.progress() {
        let far = progress.map_or_else(
            || "This takes a moment.".to_owned(),
            |progress| far(&progress),
        );
        return with_button(ui, "Comparing …", &far, "Cancel comparing", || {
            actions.push(Action::Compare(false));
        });
    }
    if let Some(why) = &state.comparing.failed {
        return empty(ui, "There is no comparison", why);
    }
    match shown(state) {
        Some(comparison) => scrolled(ui, |ui| tables::show(ui, comparison)),
        None if state.runs.list.len() + state.runs.baselines.len() < 2 => empty(
            ui,
            "Nothing to compare yet",
            "Train a run and fit a baseline above, then choose both and press Compare.",
        ),
        None => empty(
            ui,
            "Nothing is compared yet",
            "Choose two or more above, then press Compare.",
        ),
    }
}

/// `reading images: 500 of 10,000`
fn far(progress: &Progress) -> String {
    let count = |number: usize| format::count(number as u64);
    format!(
        "{}: {} of {}",
        progress.what,
        count(progress.done),
        count(progress.total)
    )
}
