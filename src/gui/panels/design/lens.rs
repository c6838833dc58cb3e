//! One layer as arithmetic: formula, sliding kernel, matrix.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::Ui;

/// The view.
#[derive(Default)]
pub struct LensView;

impl View for LensView {
    fn about(&self) -> &'static str {
        "The selected layer, step by step."
    }

    fn body(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        empty(ui, "Nothing here yet", "");
    }
}
