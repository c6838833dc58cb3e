//! What augmentation makes of an image.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::Ui;

/// The view.
#[derive(Default)]
pub struct AugmentationView {}

impl View for AugmentationView {
    fn about(&self) -> &'static str {
        "What augmentation makes of an image."
    }

    fn body(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        empty(ui, "Augmentation", "Nothing here yet.");
    }
}
