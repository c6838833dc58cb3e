//! A scroll area whose bar lies in the margin of its panel: what it scrolls over has the same width with and without it.

use crate::theme;
use eframe::egui::{AsIdSalt, ScrollArea, Ui, UiBuilder};

/// Scrolls over the content in all the room there is, with the bar to the right of it. How far it is scrolled belongs to
/// what it is `of`: another project begins at its top.
pub fn steady_scroll(ui: &mut Ui, of: impl AsIdSalt, content: impl FnOnce(&mut Ui)) {
    let inside = ui.available_rect_before_wrap();
    let mut outside = inside;
    outside.max.x += theme::SCROLL_BAR;
    let mut outer = ui.new_child(UiBuilder::new().max_rect(outside));
    outer.spacing_mut().scroll.floating_allocated_width = 0.0;
    ScrollArea::vertical()
        .id_salt(of)
        .auto_shrink(false)
        .show(&mut outer, |ui| {
            ui.set_max_width(inside.width());
            content(ui);
        });
    ui.advance_cursor_after_rect(inside);
}
