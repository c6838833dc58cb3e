//! Leads to a field: the one that is sought is scrolled to and, found in the palette, takes the keyboard; the one of
//! what failed has a red edge.
//!
//! Which field it is stands in egui's memory while the panel is drawn, as fields are known by their names alone.

use crate::theme;
use eframe::egui::{Align, Id, Rect, Stroke, StrokeKind, Ui};
use strata_app::state::State;

/// What is looked for in this frame.
#[derive(Clone, Copy, Default)]
struct Lead {
    sought: Option<&'static str>,
    takes_keyboard: bool,
    marked: Option<&'static str>,
}

fn key() -> Id {
    Id::unique("the field that the settings lead to")
}

/// Says which field is sought, before the panel is drawn.
pub(super) fn begin(ui: &Ui, state: &State) {
    let tab = state.view.side_tab;
    let reached = ui.data(|data| data.get_temp::<u64>(key())).unwrap_or(0);
    let sought = state
        .sought
        .filter(|sought| sought.number > reached && sought.field.tab == tab);
    let marked = state.failed_field().filter(|field| field.tab == tab);
    let lead = Lead {
        sought: sought.map(|sought| sought.field.name),
        takes_keyboard: sought.is_some_and(|sought| sought.takes_keyboard),
        marked: marked.map(|field| field.name),
    };
    ui.data_mut(|data| {
        data.insert_temp(key(), lead);
        if let Some(sought) = sought {
            data.insert_temp(key(), sought.number);
        }
    });
}

fn now(ui: &Ui) -> Lead {
    ui.data(|data| data.get_temp(key())).unwrap_or_default()
}

/// Gives the keyboard to a field, if it is the one that is sought.
pub(super) fn focus(ui: &Ui, name: &str, id: Id) {
    let lead = now(ui);
    if lead.takes_keyboard && lead.sought == Some(name) {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
}

/// Scrolls to a field that is sought; marks the one of what failed. The first of a name is meant.
pub(super) fn reach(ui: &Ui, name: &str, field: Rect) {
    let mut lead = now(ui);
    if lead.marked == Some(name) {
        let line = Stroke::new(1.0, theme::palette(ui).wrong);
        let edge = field.expand(1.0);
        ui.painter()
            .rect_stroke(edge, theme::RADIUS, line, StrokeKind::Inside);
        lead.marked = None;
    }
    if lead.sought == Some(name) {
        ui.scroll_to_rect(field, Some(Align::Center));
        lead.sought = None;
    }
    ui.data_mut(|data| data.insert_temp(key(), lead));
}
