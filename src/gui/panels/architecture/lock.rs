//! Locks in the architecture: the sign on a row or a stack, and the entries of their menus.

use crate::theme;
use crate::widgets::icon::{self, Icon};
use eframe::egui::{Label, Rect, RichText, Sense, Ui, pos2, vec2};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::edit::Edit;
use strata_core::project::target::Target;
use strata_core::project::{Place, Stack};

/// The room that the sign takes before a locked layer's text.
pub const WIDTH: f32 = 18.0;

/// The sign on a row.
pub fn sign(ui: &Ui, left: f32, row: Rect) {
    let rect = Rect::from_center_size(
        pos2(left + WIDTH / 2.0 - 3.0, row.center().y),
        vec2(icon::SIZE, icon::SIZE),
    );
    icon::paint(ui.painter(), Icon::Lock, rect, theme::palette(ui).weak);
}

/// The hover text of a locked layer.
pub fn about(lock: &Target) -> String {
    format!("{lock} is locked: no edit changes it. Right click to unlock it.")
}

/// The menu's entry that locks a layer, or takes away the lock that is on it.
pub fn entry(ui: &mut Ui, state: &State, place: &Place, actions: &mut Vec<Action>) {
    let (text, name, lock) = match state.lock_on(place) {
        None => ("Lock layer".to_owned(), place.to_string(), true),
        Some(lock) if *lock == Target::Node(place.clone()) => {
            ("Unlock layer".to_owned(), lock.to_string(), false)
        }
        Some(lock) => (format!("Unlock {lock}"), lock.to_string(), false),
    };
    if ui.button(text).clicked() {
        actions.push(Action::Edit(Edit::Lock(name, lock)));
        ui.close();
    }
}

/// The name of a stack; a right click on it locks or unlocks the whole stack. By keyboard the palette does that, so
/// the name takes no stop of the Tab key.
pub fn stack(
    ui: &mut Ui,
    state: &State,
    stack: Stack,
    name: RichText,
    hover: &str,
    actions: &mut Vec<Action>,
) {
    let lock = state.lock_on_stack(stack);
    let label = ui.add(Label::new(name).sense(Sense::CLICK));
    if let Some(lock) = lock {
        let (rect, sign) = ui.allocate_exact_size(vec2(icon::SIZE, icon::SIZE), Sense::hover());
        icon::paint(ui.painter(), Icon::Lock, rect, theme::palette(ui).weak);
        sign.on_hover_text(about(lock));
    }
    label.context_menu(|ui| {
        let text = format!("{} {stack}", if lock.is_some() { "Unlock" } else { "Lock" });
        if ui.button(text).clicked() {
            actions.push(Action::Edit(Edit::Lock(stack.to_string(), lock.is_none())));
            ui.close();
        }
    });
    label.on_hover_text(hover);
}
