//! What is shown over the window for a moment: the palette, the keys, the about box. A click outside of it or
//! Esc takes it away; nothing else is held up.

mod about;
mod page;
mod palette;
mod pasted;
mod sheet;

use crate::theme;
use crate::widgets::{Icon, icon_button};
use eframe::egui::{Align2, Area, Context, Frame, Id, Order, Ui, UiBuilder, Vec2, vec2};
use strata_app::action::{Action, Overlay};
use strata_app::state::State;

/// The size of the button that closes a box.
const CLOSE: Vec2 = Vec2::splat(24.0);

/// Shows what is asked for.
pub fn show(ctx: &Context, state: &State, actions: &mut Vec<Action>) {
    palette::forget(ctx, state);
    let Some(overlay) = state.overlay else { return };
    let width = match overlay {
        Overlay::Palette => 560.0,
        // Two columns of keys; lines of the log.
        Overlay::Keys | Overlay::About | Overlay::Page(_) | Overlay::Pasted => 680.0,
    };
    let area = Area::new(Id::unique(("overlay", overlay))).order(Order::Foreground);
    let shown = area
        .anchor(Align2::CENTER_TOP, vec2(0.0, 64.0))
        .show(ctx, |ui| {
            Frame::popup(ui.style())
                .inner_margin(theme::GAP as i8)
                .show(ui, |ui| {
                    ui.set_width(width);
                    content(ui, overlay, state, actions);
                    if overlay != Overlay::Palette {
                        close(ui, actions);
                    }
                });
        });
    let outside = |at| !shown.response.rect.contains(at);
    let left = ctx.input(|input| {
        input.pointer.any_pressed() && input.pointer.interact_pos().is_some_and(outside)
    });
    if left {
        actions.push(Action::Overlay(None));
    }
}

/// The button that closes the box, in its upper right corner, however wide the box has become.
fn close(ui: &mut Ui, actions: &mut Vec<Action>) {
    let place = Align2::RIGHT_TOP.align_size_within_rect(CLOSE, ui.min_rect());
    let mut corner = ui.new_child(UiBuilder::new().id_salt("close").max_rect(place));
    if icon_button(&mut corner, Icon::Close, "Close box", "Close (Esc)", true).clicked() {
        actions.push(Action::Overlay(None));
    }
}

fn content(ui: &mut Ui, overlay: Overlay, state: &State, actions: &mut Vec<Action>) {
    match overlay {
        Overlay::Palette => palette::show(ui, state, actions),
        Overlay::Keys => sheet::show(ui, actions),
        Overlay::Page(kind) => page::show(ui, kind, actions),
        Overlay::About => about::show(ui, state, actions),
        Overlay::Pasted => pasted::show(ui, state),
    }
}
