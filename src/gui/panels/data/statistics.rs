//! What is measured on the images.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::Ui;

/// The view.
#[derive(Default)]
pub struct StatisticsView {}

impl View for StatisticsView {
    fn about(&self) -> &'static str {
        "What is measured on the images."
    }

    fn body(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        empty(ui, "Statistics", "Nothing here yet.");
    }
}
