//! A box of a toolbar or of options: what is chosen, and below it what can be.

use super::chevron;
use crate::theme;
use eframe::egui::{ComboBox, Response, RichText, Ui};
use std::borrow::Cow;
use std::fmt::Debug;
use std::hash::Hash;

/// The width below which nothing of what is chosen could be read.
const LEAST: f32 = 72.0;

/// A box.
pub struct ChoiceBox<'a, Id> {
    /// What tells it apart from the others of its view.
    pub id: Id,
    /// Its width in points, where there is room for it.
    pub width: f32,
    /// What is chosen.
    pub shown: Cow<'a, str>,
    /// What it chooses, for the pointer that rests on it.
    pub hover: &'a str,
    /// Its name for those who hear the window.
    pub name: &'a str,
}

impl<Id: Hash + Debug> ChoiceBox<'_, Id> {
    /// Shows it, and where it is open the entries.
    pub fn show(self, ui: &mut Ui, entries: impl FnOnce(&mut Ui)) {
        let combo = ComboBox::from_id_salt(self.id)
            .width(ui.available_width().clamp(LEAST, self.width.max(LEAST)))
            .truncate()
            .icon(chevron)
            .selected_text(RichText::new(self.shown).size(theme::SMALL))
            .show_ui(ui, entries);
        keep_focus(ui, &combo.response, combo.inner.is_some());
        combo
            .response
            .on_hover_text(self.hover)
            .accessible_name(self.name);
    }
}

/// Gives the focus back to the box whose list has closed with the focus in it: else Tab would begin at the top of the
/// window again.
fn keep_focus(ui: &Ui, response: &Response, is_open: bool) {
    let id = response.id.with("focus in the list");
    let focused = ui.memory(|memory| memory.focused());
    let focused = focused.and_then(|focused| ui.ctx().read_response(focused));
    let was_inside = ui.data(|data| data.get_temp(id)).unwrap_or(false);
    let is_inside = is_open && focused.is_some_and(|it| it.layer_id != response.layer_id);
    if was_inside && !is_open {
        response.request_focus();
    }
    if was_inside != is_inside {
        ui.data_mut(|data| data.insert_temp(id, is_inside));
    }
}
