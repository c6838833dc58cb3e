//! Arrangements with a name: in the menu of a tile, to come back to and to add the present one to.

use super::entries;
use crate::theme;
use crate::widgets::{Icon, icon_button};
use eframe::egui::{Id, Key, Margin, RichText, TextEdit, Ui};
use strata_app::action::{Action, OnView};
use strata_app::state::State;

/// Width of the field for a new name.
const FIELD: f32 = 220.0;

/// Shows those of the workspace, and the field that names the present one.
pub(super) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let here = state.view.workspace;
    let named = state.arrangements.named().iter();
    for kept in named.filter(|kept| kept.workspace == here) {
        ui.horizontal(|ui| {
            let name = kept.name.clone();
            if ui.button(format!("Arrangement: {name}")).clicked() {
                actions.push(Action::View(OnView::Recall(name.clone())));
                ui.close();
            }
            let hover = "Forget this arrangement; the views stay as they are";
            let label = format!("Forget arrangement {name}");
            if icon_button(ui, Icon::Close, &label, hover, true).clicked() {
                actions.push(Action::View(OnView::Forget(name)));
            }
        });
    }
    let id = Id::unique("name of an arrangement");
    let mut name: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    ui.horizontal(|ui| {
        theme::in_menu(ui);
        let hint = RichText::new("Name this arrangement").color(theme::palette(ui).weak);
        let field = TextEdit::singleline(&mut name)
            .id(id.with("field"))
            .hint_text(hint)
            .margin(Margin::symmetric(entries::HEADING_LEFT as i8, 4))
            .desired_width(FIELD);
        let field = ui.add(field).accessible_name("Name this arrangement");
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let kept = name.trim().to_owned();
        if entered && !kept.is_empty() {
            actions.push(Action::View(OnView::Keep(kept)));
            name.clear();
            ui.close();
        }
    });
    ui.data_mut(|data| data.insert_temp(id, name));
}
