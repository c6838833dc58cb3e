//! Output = input: what lost the pixel, and the smallest edits that bring it back.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::Ui;

/// The view.
#[derive(Default)]
pub struct SolveView;

impl View for SolveView {
    fn about(&self) -> &'static str {
        "Why the output differs from the input."
    }

    fn body(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        empty(ui, "Nothing here yet", "");
    }
}
