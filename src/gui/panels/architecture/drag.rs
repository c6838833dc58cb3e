//! Moving layers by hand: a row is dragged by its strip or its numbers and put before another one, or
//! at the end of a stack or branch.

use crate::theme;
use eframe::egui::{CursorIcon, DragAndDrop, Rect, Response, Stroke, Ui};
use strata_app::action::Action;
use strata_core::project::Place;

/// Makes a row draggable unless it is locked, and one before or after which others can be put.
pub fn row(
    ui: &Ui,
    rect: Rect,
    card: &Response,
    place: &Place,
    locked: bool,
    actions: &mut Vec<Action>,
) {
    if !locked {
        card.dnd_set_drag_payload(place.clone());
    }
    if card.dragged() && !locked {
        ui.set_cursor_icon(CursorIcon::Grabbing);
    }
    if card.dnd_hover_payload::<Place>().is_none() {
        return;
    }
    let below = card
        .ctx
        .pointer_interact_pos()
        .is_some_and(|at| at.y > rect.center().y);
    line(
        ui,
        rect,
        if below {
            rect.bottom() + 2.0
        } else {
            rect.top() - 2.0
        },
    );
    if let Some(from) = card.dnd_release_payload::<Place>() {
        actions.push(Action::Move(
            (*from).clone(),
            if below { after(place) } else { place.clone() },
        ));
    }
}

/// Makes the end of a stack or branch a place to put rows.
pub fn end(ui: &Ui, button: &Response, place: &Place, actions: &mut Vec<Action>) {
    if button.dnd_hover_payload::<Place>().is_none() {
        return;
    }
    line(ui, button.rect, button.rect.top());
    if let Some(from) = button.dnd_release_payload::<Place>() {
        actions.push(Action::Move((*from).clone(), place.clone()));
    }
}

/// Whether a row is being dragged.
pub(crate) fn is_dragged(ui: &Ui, place: &Place) -> bool {
    DragAndDrop::payload::<Place>(ui.ctx()).is_some_and(|dragged| *dragged == *place)
}

fn after(place: &Place) -> Place {
    let mut place = place.clone();
    if let Some(last) = place.path.last_mut() {
        *last += 1;
    }
    place
}

fn line(ui: &Ui, rect: Rect, y: f32) {
    let painter = ui.ctx().layer_painter(eframe::egui::LayerId::new(
        eframe::egui::Order::Foreground,
        eframe::egui::Id::unique("where a layer goes"),
    ));
    painter.hline(
        rect.x_range(),
        y,
        Stroke::new(2.0, theme::palette(ui).accent),
    );
}
