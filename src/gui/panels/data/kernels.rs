//! A playground for kernels.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::Ui;

/// The view.
#[derive(Default)]
pub struct KernelsView {}

impl View for KernelsView {
    fn about(&self) -> &'static str {
        "A playground for kernels."
    }

    fn body(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        empty(ui, "Kernels", "Nothing here yet.");
    }
}
