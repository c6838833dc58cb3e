//! What a view shows while it has nothing to show: what will be here, and what to do for it.

use super::said;
use crate::theme;
use eframe::egui::{Align, Layout, RichText, Ui};

/// Fills what is left with a heading and one sentence in its middle.
pub fn empty(ui: &mut Ui, heading: &str, what_to_do: &str) {
    let colors = theme::palette(ui);
    let space = (ui.available_height() - 44.0).max(0.0) / 2.0;
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space(space);
        ui.label(
            RichText::new(heading)
                .font(theme::heading(theme::BODY))
                .color(colors.text),
        );
        ui.label(said(what_to_do, theme::BODY, colors.weak));
    });
}
