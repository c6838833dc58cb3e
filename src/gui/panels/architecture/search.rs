//! A field that finds layers in a deep network: what is typed is looked for in their texts and places.

use crate::theme;
use eframe::egui::{Id, Key, RichText, TextEdit, Ui};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::Place;

/// Networks with fewer rows are seen at once.
const MANY: usize = 24;

/// Shows the field where there is much to look through; Enter selects the next layer that has the text.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.shown.inference.rows.len() < MANY {
        return;
    }
    let id = Id::unique("search in the architecture");
    let mut text: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let colors = *theme::palette(ui);
    ui.horizontal(|ui| {
        let width = ui.available_width() - 72.0;
        let field = TextEdit::singleline(&mut text)
            .id(id.with("field"))
            .hint_text(RichText::new("Find a layer: conv, k3, encoder layer 3").color(colors.weak))
            .desired_width(width);
        let field = ui.add(field).accessible_name("Find a layer");
        let found = matching(state, &text);
        if !text.trim().is_empty() {
            let said = match found.len() {
                0 => "none".to_owned(),
                n => format!("{n} found"),
            };
            ui.label(RichText::new(said).size(theme::SMALL).color(colors.weak));
        }
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if let Some(next) = next(state, &found).filter(|_| entered) {
            let blocks = next.enclosing_blocks().into_iter();
            actions.extend(blocks.map(|block| Action::Fold(Some(block), false)));
            actions.push(Action::Select(Some(next)));
            field.request_focus();
        }
    });
    ui.data_mut(|data| data.insert_temp(id, text));
}

fn matching(state: &State, text: &str) -> Vec<Place> {
    let text = text.trim().to_lowercase();
    let rows = state.shown.inference.rows.iter();
    rows.filter(|row| {
        let place = row.place.in_words();
        !text.is_empty() && (row.text.contains(&text) || place.contains(&text))
    })
    .map(|row| row.place.clone())
    .collect()
}

/// The one after the selected layer, or the first.
fn next(state: &State, found: &[Place]) -> Option<Place> {
    let selected = state.selected.as_ref();
    let at = found.iter().position(|place| Some(place) == selected);
    let index = at.map_or(0, |at| (at + 1) % found.len());
    found.get(index).cloned()
}
