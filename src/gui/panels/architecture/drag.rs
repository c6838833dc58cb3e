//! Moving layers by hand: a row is dragged by its strip or its numbers and put before another one, or
//! at the end of a stack or branch.

use crate::theme;
use eframe::egui::emath::TSTransform;
use eframe::egui::{
    CursorIcon, DragAndDrop, Id, LayerId, Order, PointerState, Rect, Response, Stroke, Ui,
    UiBuilder,
};
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
    if card.drag_started() {
        // What is being typed belongs to a layer that will be elsewhere.
        release_focus(ui);
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

/// Ends typing: a field that loses the focus takes over what was typed.
pub(crate) fn release_focus(ui: &Ui) {
    ui.memory_mut(|memory| {
        if let Some(focused) = memory.focused() {
            memory.surrender_focus(focused);
        }
    });
}

/// A copy of the row that is dragged, which follows the pointer: so it is seen what moves.
pub(crate) fn carried(ui: &mut Ui, row: Rect, paint: impl FnOnce(&Ui)) {
    let pointer = |state: &PointerState| Some(state.interact_pos()? - state.press_origin()?);
    let Some(by) = ui.input(|input| pointer(&input.pointer)) else {
        return;
    };
    let layer = LayerId::new(Order::Tooltip, Id::unique("the layer that is dragged"));
    let mut over = ui.new_child(UiBuilder::new().layer_id(layer).max_rect(row));
    over.set_clip_rect(Rect::EVERYTHING);
    over.set_opacity(0.9);
    paint(&over);
    let moved = TSTransform::from_translation(by);
    ui.ctx().transform_layer_shapes(layer, moved);
}

/// Whether a row is being dragged.
pub(crate) fn is_dragged(ui: &Ui, place: &Place) -> bool {
    DragAndDrop::payload::<Place>(ui.ctx()).is_some_and(|dragged| *dragged == *place)
}

/// The place behind a layer.
pub(crate) fn after(place: &Place) -> Place {
    let mut place = place.clone();
    if let Some(last) = place.path.last_mut() {
        *last += 1;
    }
    place
}

/// Marks where a layer goes.
pub(crate) fn line(ui: &Ui, rect: Rect, y: f32) {
    let painter = ui.ctx().layer_painter(LayerId::new(
        Order::Foreground,
        Id::unique("where a layer goes"),
    ));
    painter.hline(
        rect.x_range(),
        y,
        Stroke::new(2.0, theme::palette(ui).accent),
    );
}
