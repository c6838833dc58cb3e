//! An archive where data are wanted: what it holds, the button that unpacks it, how far that is, and why it failed.

use crate::theme;
use crate::widgets::said;
use eframe::egui::{Align, Button, Label, Layout, ProgressBar, RichText, Ui, UiBuilder, vec2};
use std::path::Path;
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::format;
use strata_data::archive::folder_beside;

/// Whether an archive is being unpacked.
pub fn is_running(state: &State) -> bool {
    state.unpackings.running().is_some()
}

/// What the archive holds, with the button; `message` is what the reading of it said.
pub fn show(ui: &mut Ui, state: &State, archive: &Path, message: &str, actions: &mut Vec<Action>) {
    let space = (ui.available_height() / 2.0 - 80.0).max(0.0);
    let inner = ui.available_rect_before_wrap().shrink2(vec2(32.0, 0.0));
    let layout = Layout::top_down(Align::Center);
    ui.scope_builder(UiBuilder::new().max_rect(inner).layout(layout), |ui| {
        let colors = theme::palette(ui);
        ui.add_space(space);
        ui.label(RichText::new("An archive").font(theme::heading(theme::BODY)));
        ui.label(said(message, theme::BODY, colors.weak));
        ui.add_space(theme::GAP);
        if is_running(state) {
            return progress(ui, state, actions);
        }
        let folder = folder_beside(archive);
        let button = ui.add(Button::new("Unpack"));
        let hover = format!("Unpacks it into {}, and reads that", folder.display());
        if button
            .on_hover_text(hover)
            .accessible_name("Unpack the archive")
            .clicked()
        {
            actions.push(Action::Unpack(true));
        }
        if let Some(why) = state
            .unpackings
            .failed(archive)
            .filter(|why| *why != message)
        {
            ui.add(Label::new(said(why, theme::SMALL, colors.wrong)).wrap());
        }
    });
}

/// How far the unpacking is, with the button that ends it.
pub fn progress(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(running) = state.unpackings.running() else {
        return;
    };
    let [done, total] = running.progress().map_or([0, 1], |far| *far);
    let colors = theme::palette(ui);
    let bar = ProgressBar::new(done as f32 / total.max(1) as f32)
        .desired_width(ui.available_width().min(260.0))
        .desired_height(8.0)
        .fill(colors.accent)
        .corner_radius(f32::from(theme::RADIUS));
    ui.scope(|ui| {
        ui.visuals_mut().extreme_bg_color = colors.line;
        ui.add(bar)
            .on_hover_text(running.archive.display().to_string());
    });
    let far = format!("{} of {}", format::bytes(done), format::bytes(total));
    let far = RichText::new(far).font(theme::digits(theme::SMALL));
    ui.label(far.color(colors.weak));
    let cancel = ui.button("Cancel");
    if cancel.accessible_name("Cancel the unpacking").clicked() {
        actions.push(Action::Unpack(false));
    }
}
