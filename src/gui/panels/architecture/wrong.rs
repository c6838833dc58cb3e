//! What is wrong with a layer, below its row: while a word is being typed it lies over the rows that follow, so that these
//! stay where they are until the word is taken.

use super::row::STRIP;
use crate::panels::design::what_it_does;
use crate::theme;
use crate::widgets::said;
use eframe::egui::{Area, Button, Frame, Id, Margin, Order, Rect, Stroke, Ui, UiBuilder};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::Place;
use strata_core::project::help::Help;
use strata_core::shape::ShapeError;
use strata_design::Problem;
use strata_design::advice::Fix;

/// Shows it below a row.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    place: &Place,
    error: &ShapeError,
    row: Rect,
    is_typed: bool,
    actions: &mut Vec<Action>,
) {
    let fixes = fixes_of(state, place, error);
    let left = STRIP + 4.0;
    if !is_typed {
        ui.horizontal_top(|ui| {
            ui.add_space(row.left() - ui.max_rect().left() + left);
            ui.vertical(|ui| {
                lines(ui, place, error, fixes, actions);
                ui.add_space(theme::STEP);
            });
        });
        return;
    }
    let colors = theme::palette(ui);
    let margin = Margin {
        left: left as i8,
        right: theme::GAP as i8,
        top: theme::STEP as i8,
        bottom: theme::GAP as i8,
    };
    let area = Area::new(Id::unique("what is wrong with what is typed"))
        .order(Order::Middle)
        .fixed_pos(row.left_bottom())
        .constrain(false);
    area.show(ui.ctx(), |ui| {
        let frame = Frame::new()
            .fill(colors.panel)
            .stroke(Stroke::new(1.0, colors.line))
            .corner_radius(theme::RADIUS)
            .shadow(ui.visuals().popup_shadow)
            .inner_margin(margin);
        frame.show(ui, |ui| {
            ui.set_width(row.width() - left - theme::GAP);
            lines(ui, place, error, fixes, actions);
        });
    });
}

fn lines(ui: &mut Ui, place: &Place, error: &ShapeError, fixes: &[Fix], actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let color = theme::palette(ui).wrong;
    ui.label(said(&error.message, theme::SMALL, color));
    for (index, help) in error.help.iter().enumerate() {
        let same = UiBuilder::new().scope_id(Id::unique(("repair", place, index)));
        // The same button below the row and over those that follow: a press ends the typing, and it is still the one
        // released.
        ui.scope_builder(same, |ui| helps(ui, help, fixes, actions));
    }
}

/// The edits that mend what is wrong with the layer at a place.
fn fixes_of<'a>(state: &'a State, place: &Place, error: &ShapeError) -> &'a [Fix] {
    let shown = &state.shown;
    let is_it = |problem: &Problem| {
        problem.place.as_ref() == Some(place) && problem.message == error.message
    };
    let index = shown.problems.iter().position(is_it);
    let fixes = index.and_then(|index| shown.fixes.get(index));
    fixes.map_or(&[], Vec::as_slice)
}

/// What helps: what an edit can do is taken by a click.
fn helps(ui: &mut Ui, help: &Help, fixes: &[Fix], actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let text = help.in_window();
    let is_this = |fix: &&Fix| fix.repair.as_ref() == Some(&*help.repair);
    let Some(fix) = fixes.iter().find(is_this) else {
        ui.label(said(&text, theme::SMALL, colors.weak));
        return;
    };
    let button = Button::new(said(&text, theme::SMALL, colors.strong))
        .small()
        .wrap();
    if ui.add(button).on_hover_text(what_it_does(fix)).clicked() {
        actions.push(Action::Preview(None));
        actions.push(Action::Edit(fix.edit.clone()));
    }
}
