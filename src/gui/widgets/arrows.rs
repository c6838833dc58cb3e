//! The arrow keys of what has the focus.

use eframe::egui::{EventFilter, Response};

/// Keeps the arrow keys for a widget that has the focus: egui would move the focus with them.
pub fn keep_arrows(response: &Response) {
    let filter = EventFilter {
        horizontal_arrows: true,
        vertical_arrows: true,
        ..EventFilter::default()
    };
    let context = &response.ctx;
    context.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
}
