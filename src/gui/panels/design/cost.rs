//! What every layer costs.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::Ui;

/// The view.
#[derive(Default)]
pub struct CostView;

impl View for CostView {
    fn about(&self) -> &'static str {
        "Parameters, multiply-accumulates, memory and time."
    }

    fn body(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        empty(ui, "Nothing here yet", "");
    }
}
