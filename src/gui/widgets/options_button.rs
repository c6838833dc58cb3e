//! The button *Options…* of a view, and the menu that it opens.

use crate::theme;
use eframe::egui::{Button, Popup, PopupCloseBehavior, RichText, Ui};

/// Shows the button; `name` it has for those who hear the window, `hover` says what is behind it.
///
/// The boxes in the menu open lists of their own. Of popups that egui keeps open by itself there is one at a time, so
/// a list would close the menu: the menu's state is kept here.
pub fn options_button(ui: &mut Ui, name: &str, hover: &str, add: impl FnOnce(&mut Ui)) {
    let button = ui.add(Button::new(RichText::new("Options…").size(theme::SMALL)));
    let button = button.on_hover_text(hover);
    button.clone().accessible_name(name);
    let id = button.id.with("is open");
    let mut is_open = ui.data(|data| data.get_temp(id)).unwrap_or(false);
    if button.clicked() {
        is_open = !is_open;
    }
    // A click into the list of a box is outside of the menu and means it all the same.
    let behavior = match Popup::is_any_open(ui.ctx()) {
        true => PopupCloseBehavior::IgnoreClicks,
        false => PopupCloseBehavior::CloseOnClickOutside,
    };
    let menu = Popup::menu(&button).open_bool(&mut is_open);
    menu.close_behavior(behavior).show(|ui| {
        theme::in_menu(ui);
        add(ui);
    });
    ui.data_mut(|data| data.insert_temp(id, is_open));
}
