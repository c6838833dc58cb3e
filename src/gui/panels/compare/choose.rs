//! Which baseline is made, and what is compared.

use super::far;
use crate::panels::layer_entries::layer_entries;
use crate::theme;
use crate::widgets::{chevron, close_by_key, plain};
use eframe::egui::{Button, Checkbox, ComboBox, RichText, ScrollArea, Ui};
use std::path::PathBuf;
use strata_app::action::{Action, Show};
use strata_app::choices::Choice;
use strata_app::comparing::MOST;
use strata_app::state::State;
use strata_baselines::Model;
use strata_baselines::samples::LayerFeatures;
use strata_baselines::work::Request;
use strata_core::project::Place;

/// Height of the list of what can be compared, at most, where the tables are scrolled alone.
pub(super) const LIST: f32 = 96.0;

/// Which baseline is made next.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct BaselineChoice {
    /// The model; `None` for all.
    model: Option<Model>,
    /// The layer of the open run; `None` for pixels.
    place: Option<Place>,
}

/// How baselines are made and what is compared, with a list of at most this height.
pub(super) fn show(ui: &mut Ui, state: &State, list: f32, actions: &mut Vec<Action>) {
    baselines(ui, state, actions);
    entries(ui, state, list, actions);
}

/// The model, what it is fitted to, and the button that starts it; how far it is while it is made.
fn baselines(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let former: BaselineChoice = state.choices.get();
    let mut choice = former.clone();
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("baseline").size(theme::SMALL));
        model_box(ui, &mut choice.model);
        features_box(ui, state, &mut choice.place);
        if let Some(progress) = state.baselines.progress() {
            let text = match (state.baselines.is_ending(), progress) {
                (true, _) => "stopping …".to_owned(),
                (false, None) => "starting …".to_owned(),
                (false, Some(progress)) => far(&progress),
            };
            if ui
                .button("Cancel")
                .on_hover_text("Baselines that are ready stay")
                .clicked()
            {
                actions.push(Action::Baselines(None));
            }
            ui.label(RichText::new(text).size(theme::SMALL));
        } else {
            let fit = ui.button("Fit").on_hover_text(
                "Fits it to the training images and measures it on the held-out ones",
            );
            if fit.accessible_name("Fit the baseline").clicked() {
                actions.push(Action::Baselines(Some(request(state, &choice))));
            }
        }
    });
    if choice != former {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

fn request(state: &State, choice: &BaselineChoice) -> Request {
    let layer = choice.place.as_ref().zip(state.training.run.clone());
    Request {
        models: choice
            .model
            .map_or_else(|| Model::ALL.to_vec(), |model| vec![model]),
        features: layer.map(|(place, run)| LayerFeatures {
            run,
            layer: Some(place.to_string()),
        }),
        ..Request::default()
    }
}

fn model_box(ui: &mut Ui, model: &mut Option<Model>) {
    let name = |model: Option<Model>| model.map_or("all models", Model::name);
    let combo = ComboBox::from_id_salt("model of baselines")
        .width(136.0)
        .icon(chevron)
        .selected_text(RichText::new(name(*model)).size(theme::SMALL))
        .show_ui(ui, |ui| {
            close_by_key(ui);
            ui.selectable_value(model, None, name(None));
            for one in Model::ALL {
                ui.selectable_value(model, Some(one), one.name())
                    .on_hover_text(one.settings());
            }
        });
    let about = model.map_or(
        "Logistic regression, random forest, boosted trees, nearest neighbours and a linear SVM",
        Model::settings,
    );
    combo
        .response
        .on_hover_text(about)
        .accessible_name("Model of the baseline");
}

fn features_box(ui: &mut Ui, state: &State, place: &mut Option<Place>) {
    // Without an open run there are only pixels.
    let is_open = state.training.run.is_some() && !state.training.is_running();
    if !is_open {
        *place = None;
    }
    let name = place.as_ref().map_or_else(
        || "on pixels".to_owned(),
        |place| format!("on {}", place.in_words()),
    );
    let combo = ComboBox::from_id_salt("features of baselines")
        .width(128.0)
        .icon(chevron)
        .selected_text(RichText::new(name).size(theme::SMALL))
        .show_ui(ui, |ui| {
            close_by_key(ui);
            ui.selectable_value(place, None, "pixels, as the project scales them");
            if is_open {
                layer_entries(ui, state, place);
            }
        });
    combo
        .response
        .on_hover_text(
            "What it is fitted to: pixels, or what a layer of the open run gives for the images",
        )
        .accessible_name("Features of the baseline");
}

/// What can be compared, and the button that does it.
fn entries(ui: &mut Ui, state: &State, height: f32, actions: &mut Vec<Action>) {
    let runs = state
        .runs
        .list
        .iter()
        .map(|run| (&run.path, run.name.clone(), "run".to_owned()));
    let baselines = state.runs.baselines.iter().map(|own| {
        let what = match &own.record {
            Ok(record) => format!("{} on {}", record.model.name(), plain(&record.rows)),
            Err(why) => why.clone(),
        };
        (&own.path, own.name.clone(), what)
    });
    let all: Vec<(&PathBuf, String, String)> = runs.chain(baselines).collect();
    if all.is_empty() {
        return;
    }
    let chosen = all
        .iter()
        .filter(|(path, _, _)| state.comparing.chosen.contains(*path))
        .count();
    let list = ScrollArea::vertical()
        .id_salt("to compare")
        .max_height(height)
        .auto_shrink([false, true]);
    list.show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            for (path, name, what) in &all {
                let mut is_chosen = state.comparing.chosen.contains(*path);
                let has_room = is_chosen || chosen < MOST;
                let check = Checkbox::new(&mut is_chosen, RichText::new(name).size(theme::SMALL));
                let check = ui.add_enabled(has_room, check).on_hover_text(what);
                if check.accessible_name(format!("Compare {name}")).changed() {
                    actions.push(Action::Show(Show::Compared((*path).clone(), is_chosen)));
                }
            }
        });
    });
    ui.horizontal(|ui| {
        let can = chosen >= 2 && state.comparing.progress().is_none();
        let button = ui.add_enabled(can, Button::new("Compare"));
        let button = button.on_disabled_hover_text("Choose two or more");
        if button.accessible_name("Compare what is chosen").clicked() {
            actions.push(Action::Compare(true));
        }
        let said = match chosen {
            MOST => format!("{MOST} at once at most"),
            _ if state.comparing.shown.is_some() && !state.comparing.is_of_chosen() => {
                "below is the comparison before".to_owned()
            }
            _ => String::new(),
        };
        ui.label(RichText::new(said).size(theme::SMALL));
    });
    ui.separator();
}
