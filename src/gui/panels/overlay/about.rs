//! What this program is: version, device, licence.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::theme;
use crate::gui::widgets::{Icon, icon_button};
use crate::text;
use eframe::egui::{Align, Grid, Label, Layout, RichText, Ui};

/// Shows the box.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    heading(ui, "Strata", actions);
    let colors = *theme::palette(ui);
    ui.add(Label::new(RichText::new(env!("CARGO_PKG_DESCRIPTION")).color(colors.text)).wrap());
    ui.add_space(theme::GAP);
    Grid::new("about")
        .num_columns(2)
        .spacing([2.0 * theme::GAP, theme::STEP])
        .show(ui, |ui| {
            for (name, value) in [
                ("version", env!("CARGO_PKG_VERSION").to_owned()),
                ("device", device(state)),
                (
                    "CUDA",
                    if cfg!(feature = "cuda") {
                        "built in"
                    } else {
                        "not in this build"
                    }
                    .to_owned(),
                ),
                ("frames", frames(state)),
                ("licence", env!("CARGO_PKG_LICENSE").to_owned()),
            ] {
                ui.label(RichText::new(name).color(colors.weak));
                ui.label(
                    RichText::new(value)
                        .font(theme::digits(12.0))
                        .color(colors.strong),
                );
                ui.end_row();
            }
        });
    ui.add_space(theme::STEP);
}

/// A title with the button that closes the box.
pub fn heading(ui: &mut Ui, title: &str, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        let color = theme::palette(ui).strong;
        ui.label(RichText::new(title).font(theme::heading(14.0)).color(color));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, Icon::Close, "Close box", "Close (Esc)", true).clicked() {
                actions.push(Action::Overlay(None));
            }
        });
    });
    ui.add_space(theme::STEP);
}

/// How long the window's own work takes.
fn frames(state: &State) -> String {
    match state.frames.count() {
        0 => "none measured yet".into(),
        count => {
            let (p99, longest) = (state.frames.within_ms(0.99), state.frames.longest_ms());
            format!(
                "{}: 99 of 100 within {p99:.1} ms, the longest {longest:.1} ms",
                text::count(count)
            )
        }
    }
}

/// Where the last run computed, or where the next one will.
fn device(state: &State) -> String {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match (&state.training.device, state.device.as_deref()) {
        (Some(device), _) => device.clone(),
        (None, Some("cpu")) => format!("CPU, {threads} threads"),
        (None, Some(other)) => other.to_owned(),
        (None, None) => format!("automatic, {threads} CPU threads"),
    }
}
