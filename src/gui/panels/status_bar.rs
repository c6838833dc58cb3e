//! The line at the bottom: what the network costs, and the newest note.

use crate::gui::state::State;
use crate::gui::theme;
use crate::text;
use eframe::egui::{Align, Label, Layout, RichText, Ui};

/// Height of the line.
pub const HEIGHT: f32 = 28.0;

/// Shows the line.
pub fn show(ui: &mut Ui, state: &State) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0 * theme::GAP;
        let cost = &state.shown.inference.totals;
        number(
            ui,
            &format!("{} parameters", text::count(cost.parameters)),
            "Numbers that training changes, all stacks",
        );
        number(
            ui,
            &format!("{} MACs", text::large(cost.macs)),
            "Multiply-accumulates for one image, forward through all stacks (1 MAC = 2 FLOPs)",
        );
        if let Some(memory) = state.shown.step_bytes {
            number(
                ui,
                &format!("{} a step", text::bytes(memory)),
                "Memory that one training step of the first stage holds: weights, gradients, optimizer, activations, scratch (see the view Cost)",
            );
        }
        if let Some(last) = state.training.last.as_ref().filter(|_| state.training.is_running()) {
            number(
                ui,
                &format!("{:>6} images/s", text::rate(last.images_per_second)),
                "Images trained on in a second, lately",
            );
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let note = state.messages.note().map_or_else(|| run_note(state), |note| note.text.clone());
            let note = RichText::new(note).size(theme::SMALL).color(theme::palette(ui).weak);
            ui.add(Label::new(note).truncate());
        });
    });
}

fn run_note(state: &State) -> String {
    if state.training.is_running() && state.run_differs() {
        return "The run uses the project as it was when started".into();
    }
    let Some(run) = &state.training.run else { return String::new() };
    let last: Vec<_> = run.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy()).collect();
    format!("run {}", last.into_iter().rev().collect::<Vec<_>>().join("/"))
}

fn number(ui: &mut Ui, text: &str, hover: &str) {
    let colors = theme::palette(ui);
    ui.label(RichText::new(text).font(theme::digits(11.5)).color(colors.weak)).on_hover_text(hover);
}
