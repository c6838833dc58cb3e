//! The line at the bottom: what the network costs, and the newest note.

use super::architecture::proposal;
use super::loading_state::far;
use crate::theme;
use crate::widgets::icon::{self, Icon};
use crate::widgets::{parameters, said};
use eframe::egui::{
    Align, Align2, Button, Label, Layout, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};
use std::time::Duration;
use strata_app::action::{Action, OnView};
use strata_app::run_monitor::short_name;
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_core::format;

/// What takes longer is told, and can be ended.
const LONG: Duration = Duration::from_millis(500);
/// Height of the line.
pub const HEIGHT: f32 = 28.0;

/// Shows the line.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0 * theme::GAP;
        proposal::figures(ui, state);
        let cost = &state.shown.inference.totals;
        number(
            ui,
            &parameters(cost.parameters),
            "Numbers that training changes, all stacks",
        );
        number(
            ui,
            &format!("{} MACs", format::large(cost.macs)),
            "Multiply-accumulates for one image, forward through all stacks (1 MAC = 2 FLOPs)",
        );
        if let Some(memory) = state.shown.run_bytes {
            number(
                ui,
                &format!("{} a run", format::bytes(memory)),
                "Memory that training the first stage holds at its peak: weights, gradients, optimizer, activations, scratch, images read ahead (see the view Cost)",
            );
        }
        if let Some(last) = state.training.last.as_ref().filter(|_| state.training.is_live()) {
            number(
                ui,
                &format!("{:>6} images/s", format::rate(last.images_per_second)),
                "Images trained on in a second, lately",
            );
        }
        hints(ui, state, actions);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if work(ui, state, actions) {
                return;
            }
            let note = state.messages.note().map(|note| note.text.clone());
            let note = note.or_else(|| state.replays.text()).unwrap_or_else(|| run_note(state));
            let note = said(&note, theme::SMALL, theme::palette(ui).weak);
            ui.add(Label::new(note).truncate());
        });
    });
}

/// How far what a view waits for has come, with the button that ends it; only where it takes long. Whether there is
/// such work.
fn work(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) -> bool {
    let Some(passed) = state.inspections.busy_for() else {
        return false;
    };
    if let Some(rest) = LONG.checked_sub(passed) {
        ui.request_repaint_after(rest);
        return false;
    }
    let Some(working) = state.inspections.progress() else {
        return false;
    };
    let button = Button::new(RichText::new("Cancel").size(theme::SMALL)).small();
    let button = ui.add(button).on_hover_text("Ends what the views wait for");
    if button.accessible_name("Cancel what is computed").clicked() {
        actions.push(Action::CancelReading);
    }
    let text = said(
        &far(&working.progress),
        theme::SMALL,
        theme::palette(ui).accent,
    );
    ui.add(Label::new(text).truncate());
    true
}

/// How much advice there is; a click shows it.
fn hints(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let count = state.shown.advice.len() + state.known.list.len();
    if count == 0 {
        return;
    }
    let text = if count == 1 {
        "1 hint".to_owned()
    } else {
        format!("{count} hints")
    };
    let colors = theme::palette(ui);
    let font = theme::digits(theme::SMALL);
    let width = ui
        .painter()
        .layout_no_wrap(text.clone(), font.clone(), colors.weak)
        .size()
        .x;
    let (rect, response) =
        ui.allocate_exact_size(vec2(icon::SIZE + 4.0 + width, 20.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Open advice"));
    let lit = response.hovered() || response.has_focus();
    let ink = if lit { colors.strong } else { colors.weak };
    icon::paint(
        ui.painter(),
        Icon::Hint,
        icon::beside(rect, rect.left()),
        ink,
    );
    ui.painter().text(
        pos2(rect.right(), rect.center().y),
        Align2::RIGHT_CENTER,
        text,
        font,
        ink,
    );
    if response
        .on_hover_text("What is unusual about this project, and why")
        .clicked()
    {
        actions.push(Action::View(OnView::Open(ViewKind::Advice, None)));
    }
}

fn run_note(state: &State) -> String {
    if state.training.is_running() && state.run_differs() {
        return "The run uses the project as it was when started".into();
    }
    let Some(run) = &state.training.run else {
        return String::new();
    };
    format!("run {}", short_name(run))
}

fn number(ui: &mut Ui, text: &str, hover: &str) {
    let colors = theme::palette(ui);
    ui.label(
        RichText::new(text)
            .font(theme::digits(theme::SMALL))
            .color(colors.weak),
    )
    .on_hover_text(hover);
}
