//! What a view shows while images are read for it, and when that failed or was cancelled.

use crate::theme;
use crate::widgets::{empty, said};
use eframe::egui::{Align, Layout, RichText, Ui};
use std::any::TypeId;
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::format;
use strata_core::project::edit::Edit;
use strata_core::project::help::Repair;
use strata_data::Progress;
use strata_engine::inspection::reply::InspectionError;

/// Says how far the work for a view has come, or what is worked on before, with a button that ends it. `kinds` are what
/// the view asks for.
pub fn reading(
    ui: &mut Ui,
    state: &State,
    (heading, kinds): (&str, &[TypeId]),
    actions: &mut Vec<Action>,
) {
    let Some(working) = state.inspections.progress() else {
        return empty(ui, heading, "This takes a moment.");
    };
    let far = far(&working.progress);
    let line = match kinds.contains(&working.kind) {
        true => far,
        false => format!("Another view is first: {far}"),
    };
    with_button(ui, heading, &line, "Cancel", || {
        actions.push(Action::CancelReading)
    });
}

/// How far it has come: `asking the network: 300 of 1,000`.
pub(crate) fn far(progress: &Progress) -> String {
    let [done, total] = [progress.done, progress.total].map(|n| format::count(n as u64));
    match progress.total {
        0 => format!("{} …", progress.what),
        _ => format!("{}: {done} of {total}", progress.what),
    }
}

/// Why there is nothing to show, and the way back: the files may have been mended meanwhile.
pub fn failed(ui: &mut Ui, heading: &str, message: &str, actions: &mut Vec<Action>) {
    with_button(ui, heading, message, "Read again", || {
        actions.push(Action::ReadAgain)
    });
}

/// Why the project's images are not there; where a setting of the data mends that, the button writes it.
pub fn unread(
    ui: &mut Ui,
    state: &State,
    heading: &str,
    error: &InspectionError,
    actions: &mut Vec<Action>,
) {
    let message = error.to_string();
    let InspectionError::Failed {
        repair: Some(repair),
        ..
    } = error
    else {
        return failed(ui, heading, &message, actions);
    };
    let Repair::Data(setting) = &**repair else {
        return failed(ui, heading, &message, actions);
    };
    let setting = setting.clone().for_project(state.project());
    let name = format::capital(&Repair::Data(setting.clone()).label());
    with_button(ui, heading, &message, &name, || {
        let data = setting.in_table(&state.project().data);
        actions.push(Action::Edit(Edit::Data(data)));
    });
}

/// What is not there, why, and the button that helps.
pub(crate) fn with_button(ui: &mut Ui, heading: &str, line: &str, name: &str, act: impl FnOnce()) {
    let colors = theme::palette(ui);
    let space = (ui.available_height() / 2.0 - 56.0).max(0.0);
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space(space);
        ui.label(
            RichText::new(heading)
                .font(theme::heading(theme::BODY))
                .color(colors.text),
        );
        ui.label(said(line, theme::BODY, colors.weak));
        ui.add_space(theme::STEP);
        if ui.button(name).clicked() {
            act();
        }
    });
}
