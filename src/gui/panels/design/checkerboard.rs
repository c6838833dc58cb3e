//! The checkerboard: what a constant code becomes in the decoder, and why.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::Ui;

/// The view.
#[derive(Default)]
pub struct CheckerboardView;

impl View for CheckerboardView {
    fn about(&self) -> &'static str {
        "Where the kernels of transposed convolutions overlap unevenly, pictures get a pattern."
    }

    fn body(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        empty(ui, "Nothing here yet", "");
    }
}
