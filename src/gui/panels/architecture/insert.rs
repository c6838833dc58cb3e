//! Between two rows: the button that asks for a layer there, seen while the pointer is near.

use super::drag;
use crate::theme;
use crate::widgets::icon::{self, Icon};
use eframe::egui::{DragAndDrop, Id, Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::Place;

/// Room to the left of the rows, for the button and for the lines of skips.
pub const GUTTER: f32 = 12.0;
const BUTTON: f32 = 13.0;
/// So near to an edge of its row the pointer is between two rows.
const EDGE: f32 = 6.0;

/// Whether the pointer rests between two rows, where the button is what matters.
pub fn is_between(ui: &Ui, row: Rect) -> bool {
    let at = ui.ctx().pointer_hover_pos();
    at.is_some_and(|at| at.y < row.top() + EDGE || at.y > row.bottom() - EDGE)
}

/// Shows the button before or after a row, whichever edge the pointer is nearer to.
pub fn between(ui: &Ui, row: Rect, place: &Place, state: &State, actions: &mut Vec<Action>) {
    // Half of the room between rows belongs to each of them.
    let between = vec2(0.0, theme::STEP / 2.0);
    let reach = Rect::from_min_max(pos2(row.left() - GUTTER, row.top()), row.max).expand2(between);
    let Some(at) = ui.ctx().pointer_hover_pos() else {
        return;
    };
    let is_busy = DragAndDrop::has_any_payload(ui.ctx()) || state.asked_layer.is_some();
    let is_locked = state.lock_on(place).is_some();
    // The edge between two rows belongs to one of them.
    let is_near = at.y < reach.bottom() && ui.rect_contains_pointer(reach);
    if is_busy || is_locked || !is_near {
        return;
    }
    let is_after = at.y > row.center().y;
    let y = if is_after {
        row.bottom() + 1.0
    } else {
        row.top() - 1.0
    };
    let center = pos2(row.left() - GUTTER / 2.0, y);
    let rect = Rect::from_center_size(center, Vec2::splat(BUTTON));
    let (side, target) = match is_after {
        true => ("after", drag::after(place)),
        false => ("before", place.clone()),
    };
    let response = ui.interact(rect, Id::unique("insert a layer"), Sense::CLICK);
    let name = format!("Insert a layer {side} {place}");
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let colors = *theme::palette(ui);
    let (fill, ink) = if response.hovered() {
        (colors.accent, colors.on_accent)
    } else {
        (colors.lifted, colors.text)
    };
    ui.painter().circle_filled(center, BUTTON / 2.0, fill);
    icon::paint(ui.painter(), Icon::Plus, rect, ink);
    if response.on_hover_text("Put a layer here").clicked() {
        actions.push(Action::AskLayer(Some(target)));
    }
}
