//! A figure on the line of a view: shown whole or not at all, so that nothing is cut in a narrow tile.

use crate::theme;
use eframe::egui::{Color32, RichText, Ui};

/// Shows a figure with its explanation if there is room for it.
pub fn figure(ui: &mut Ui, text: &str, color: Color32, hover: &str) {
    let font = theme::digits(theme::SMALL);
    let width = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font.clone(), color)
        .size()
        .x;
    if width <= ui.available_width() {
        ui.label(RichText::new(text).font(font).color(color))
            .on_hover_text(hover);
    }
}
