//! A slider whose rail and handle can be seen on every ground.

use crate::theme;
use eframe::egui::{Response, Slider, Ui};

/// Adds it.
pub fn slider(ui: &mut Ui, slider: Slider<'_>) -> Response {
    ui.scope(|ui| {
        let handle = theme::handle(theme::palette(ui));
        let states = &mut ui.visuals_mut().widgets;
        for state in [
            &mut states.inactive,
            &mut states.hovered,
            &mut states.active,
        ] {
            state.bg_fill = handle;
        }
        ui.add(slider)
    })
    .inner
}
