//! The settings of training: where images come from, and the stages.

mod data;
mod line;
mod stage;

use crate::theme;
use crate::widgets::{Icon, icon_button, steady_scroll};
use eframe::egui::{Align, Layout, RichText, Ui};
use strata_app::action::{Action, Show};
use strata_app::state::State;
use strata_core::project::edit::Edit;
use strata_core::project::stage::Stage;

/// Shows the panel.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    steady_scroll(ui, ("settings", state.opened), |ui| {
        ui.spacing_mut().item_spacing.y = theme::STEP;
        heading(
            ui,
            "Data",
            "Where images come from and what becomes of a pixel on its way in.",
        );
        data::show(ui, state, actions);
        ui.add_space(3.0 * theme::STEP);
        ui.horizontal(|ui| {
            heading(
                ui,
                "Stages",
                "Phases of training, one after the other; each starts from the weights of the one before.",
            );
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon_button(ui, Icon::Plus, "Add stage", "Add a stage at the end", true).clicked() {
                    add(state, actions);
                }
            });
        });
        for (index, stage) in state.project().stages.iter().enumerate() {
            stage::show(ui, state, index, stage, actions);
        }
        if state.project().stages.is_empty() {
            ui.label(
                RichText::new("A project needs a stage to be trained: press + to add one.").weak(),
            );
        }
    });
}

fn heading(ui: &mut Ui, text: &str, hover: &str) {
    let color = theme::palette(ui).strong;
    ui.label(
        RichText::new(text)
            .font(theme::heading(theme::BODY))
            .color(color),
    )
    .on_hover_text(hover);
}

fn add(state: &State, actions: &mut Vec<Action>) {
    let stages = &state.project().stages;
    let name = format!("stage {}", stages.len() + 1);
    let stage = Stage {
        name,
        ..stages.last().cloned().unwrap_or_default()
    };
    actions.push(Action::Edit(Edit::InsertStage(stages.len(), stage)));
    actions.push(Action::Show(Show::Stage(Some(stages.len()))));
}
