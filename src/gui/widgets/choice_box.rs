//! A box of a toolbar or of options: what is chosen, and below it what can be.

use super::chevron;
use crate::theme;
use eframe::egui::{ComboBox, Key, RichText, Ui};
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
            .show_ui(ui, |ui| {
                close_by_key(ui);
                entries(ui);
            });
        combo
            .response
            .on_hover_text(self.hover)
            .accessible_name(self.name);
    }
}

/// Called in a list that a click into it closes: Enter and Space, which take an entry too, close it as well.
pub fn close_by_key(ui: &Ui) {
    let keys = [Key::Enter, Key::Space];
    let is_pressed = ui.input(|input| keys.iter().any(|key| input.key_pressed(*key)));
    if !is_pressed {
        return;
    }
    let focused = ui.memory(|memory| memory.focused());
    let focused = focused.and_then(|focused| ui.ctx().read_response(focused));
    if focused.is_some_and(|focused| focused.layer_id == ui.layer_id()) {
        ui.close();
    }
}
