//! The scale, the layer, and the image that feature maps are shown of.

use super::{MapChoice, ROOMY, choose, layer, output};
use crate::panels::image_source;
use crate::theme;
use crate::widgets::ChoiceBox;
use eframe::egui::{Button, RichText, Ui};
use strata_app::action::Action;
use strata_app::state::State;
use strata_inspect::activations::{Activations, MapScale};

pub(super) fn scale_box(ui: &mut Ui, choice: &mut MapChoice) {
    let name = |scale| match scale {
        MapScale::PerMap => "per map",
        MapScale::Common => "common",
    };
    ChoiceBox {
        id: "scale of feature maps",
        width: 84.0,
        shown: name(choice.scale).into(),
        hover: "per map: each by its own largest value, shows the form of weak \
                maps; common: all by the layer's largest, shows which are \
                strong",
        name: "Scale of feature maps",
    }
    .show(ui, |ui| {
        for scale in [MapScale::PerMap, MapScale::Common] {
            ui.selectable_value(&mut choice.scale, scale, name(scale));
        }
    });
}

pub(super) fn layer_box(ui: &mut Ui, state: &State, choice: &mut MapChoice) {
    let rows = &state.shown.inference.rows;
    let place = layer(state, choice);
    let shown = place.map_or_else(|| "no layer".to_owned(), |place| place.in_words());
    ChoiceBox {
        id: "layer of feature maps",
        width: 116.0,
        shown: shown.into(),
        hover: "The layer whose output is shown; it can follow the layer \
                selected at the left",
        name: "Layer of feature maps",
    }
    .show(ui, |ui| {
        ui.selectable_value(&mut choice.layer, None, "the selected layer");
        for row in rows {
            let name = format!(
                "{}  {}  {}",
                row.place.in_words(),
                row.text,
                row.shape_text()
            );
            ui.selectable_value(&mut choice.layer, Some(row.place.clone()), name);
        }
    });
}

/// Whose feature maps are shown: those of a probe image or of an image file.
pub(super) fn image_line(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let former: MapChoice = state.choices.get();
    let mut choice = former.clone();
    let is_probe = state.inspections.saliency.image.is_none();
    let takes_files = state.network().input.rank() != 1 || !is_probe;
    let file = |ui: &mut Ui, actions: &mut Vec<Action>| {
        if takes_files {
            image_source::file(ui, state, "Image of feature maps", actions);
        }
    };
    if ui.available_width() < ROOMY {
        // One below the other where they would push each other out of the view.
        if is_probe {
            ui.horizontal(|ui| turn(ui, state, &mut choice));
        }
        ui.horizontal(|ui| file(ui, actions));
    } else {
        ui.horizontal(|ui| {
            if is_probe {
                turn(ui, state, &mut choice);
            }
            file(ui, actions);
        });
    }
    choose(&former, choice, actions);
    ui.add_space(theme::STEP);
}

/// The buttons for the image before and the next one.
fn turn(ui: &mut Ui, state: &State, choice: &mut MapChoice) {
    let shown = state.run_reply::<Activations>().and_then(output);
    let Some([image, images]) = shown.map(|maps| maps.image) else {
        return;
    };
    let small = |text: &str| Button::new(RichText::new(text).size(theme::SMALL));
    let former = ui.add_enabled(image > 0, small("◀"));
    let former = former.on_hover_text("The probe image before");
    if former.accessible_name("Probe image before").clicked() {
        choice.image = image.saturating_sub(1);
    }
    let at =
        RichText::new(format!("image {} / {images}", image + 1)).font(theme::digits(theme::SMALL));
    ui.label(at.color(theme::palette(ui).weak));
    let next = ui.add_enabled(image + 1 < images, small("▶"));
    let next = next.on_hover_text("The next probe image");
    if next.accessible_name("Next probe image").clicked() {
        choice.image = image + 1;
    }
}
