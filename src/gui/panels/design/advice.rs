//! Advice and goals: what a teacher would say about the project.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::Ui;

/// The view.
#[derive(Default)]
pub struct AdviceView;

impl View for AdviceView {
    fn about(&self) -> &'static str {
        "What is unusual about this project."
    }

    fn body(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        empty(ui, "Nothing here yet", "");
    }
}
