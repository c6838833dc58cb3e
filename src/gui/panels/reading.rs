//! What a view shows while images are read for it, and when that was cancelled.

use crate::engine::look::CANCELLED;
use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::widgets::empty;
use crate::text;
use eframe::egui::{Align, Layout, Ui};

/// Says what is read and how far it has come, with a button that ends it.
pub fn reading(ui: &mut Ui, state: &State, heading: &str, actions: &mut Vec<Action>) {
    let Some(progress) = state.looking.progress() else {
        return empty(ui, heading, "This takes a moment.");
    };
    let count = |n: usize| text::count(n as u64);
    let far = match progress.total {
        0 => format!("{} …", progress.what),
        total => format!("{}: {} of {}", progress.what, count(progress.done), count(total)),
    };
    with_button(ui, heading, &far, "Cancel", || actions.push(Action::CancelLook(true)));
}

/// Why there is nothing to show; after a cancel with the way back.
pub fn failed(ui: &mut Ui, heading: &str, message: &str, actions: &mut Vec<Action>) {
    if message == CANCELLED {
        return with_button(ui, heading, message, "Read again", || actions.push(Action::CancelLook(false)));
    }
    empty(ui, heading, message);
}

fn with_button(ui: &mut Ui, heading: &str, line: &str, name: &str, act: impl FnOnce()) {
    let below = ui.available_rect_before_wrap();
    empty(ui, heading, line);
    let top = below.top() + (below.height() / 2.0 + 28.0).min(below.height() - 28.0).max(0.0);
    let place = eframe::egui::Rect::from_min_max(eframe::egui::pos2(below.left(), top), below.max);
    let mut inner =
        ui.new_child(eframe::egui::UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Center)));
    if inner.button(name).clicked() {
        act();
    }
}
