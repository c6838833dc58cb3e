//! The layers of the network as entries of a box that chooses one.

use eframe::egui::Ui;
use strata_app::state::State;
use strata_core::project::Place;

/// An entry for each layer: its place, its text and its shape.
pub(super) fn layer_entries(ui: &mut Ui, state: &State, chosen: &mut Option<Place>) {
    for row in &state.shown.inference.rows {
        let name = format!(
            "{}  {}  {}",
            row.place.in_words(),
            row.text,
            row.shape_text()
        );
        ui.selectable_value(chosen, Some(row.place.clone()), name);
    }
}
