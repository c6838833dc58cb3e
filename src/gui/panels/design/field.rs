//! The receptive field of every layer, drawn on an image.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::Ui;

/// The view.
#[derive(Default)]
pub struct FieldView;

impl View for FieldView {
    fn about(&self) -> &'static str {
        "What of the image one value of a layer sees."
    }

    fn body(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        empty(ui, "Nothing here yet", "");
    }
}
