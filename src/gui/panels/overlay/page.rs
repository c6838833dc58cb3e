//! A page of help for each view: what it shows, how it is read, where it is.

use super::about::heading;
use crate::keys::KEYS;
use crate::theme;
use crate::views;
use eframe::egui::{Button, Id, Response, RichText, ScrollArea, Ui, vec2};
use strata_app::action::{Action, OnView, Overlay};
use strata_app::view_kind::ViewKind;

/// Width of the list of pages.
const LIST: f32 = 150.0;
const HEIGHT: f32 = 560.0;
/// Height of what is above and below the list.
const REST: f32 = 150.0;
/// What works in every view.
const EVERYWHERE: &str = "In every view: the arrow at its upper right saves it as a picture, + opens another view in \
    its place, a drag of its tab moves it, a right click on the tab splits or closes it; Ctrl+Shift+T opens what was \
    closed. Where there is a curve: Ctrl and the wheel enlarge, a drag moves, a double click shows all of it.";

/// Shows the page of a view, with the list of all others beside it.
pub fn show(ui: &mut Ui, kind: ViewKind, actions: &mut Vec<Action>) {
    let info = views::info(kind);
    heading(ui, &format!("Help: {}", info.title));
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| list(ui, kind, actions));
        ui.separator();
        ui.vertical(|ui| text(ui, kind, actions));
    });
}

fn list(ui: &mut Ui, shown: ViewKind, actions: &mut Vec<Action>) {
    ui.set_width(LIST);
    let height = HEIGHT.min(ui.ctx().content_rect().height() - REST);
    ScrollArea::vertical()
        .id_salt("pages of help")
        .max_height(height)
        .min_scrolled_height(height)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            if entry(ui, "Keys", false).clicked() {
                actions.push(Action::Overlay(Some(Overlay::Keys)));
            }
            // The list may have been scrolled elsewhere for the page before.
            let id = Id::unique("page of help whose entry was brought into sight");
            let is_new = ui.data(|data| data.get_temp(id)) != Some(shown);
            for info in views::all() {
                let entry = entry(ui, info.title, info.kind == shown);
                if entry.clicked() {
                    actions.push(Action::Overlay(Some(Overlay::Page(info.kind))));
                }
                if is_new && info.kind == shown {
                    entry.scroll_to_me(None);
                }
            }
            ui.data_mut(|data| data.insert_temp(id, shown));
        });
}

fn entry(ui: &mut Ui, title: &str, is_shown: bool) -> Response {
    let button = Button::selectable(is_shown, title).min_size(vec2(LIST - 14.0, 22.0));
    ui.add(button).accessible_name(format!("Help page {title}"))
}

fn text(ui: &mut Ui, kind: ViewKind, actions: &mut Vec<Action>) {
    let info = views::info(kind);
    let colors = *theme::palette(ui);
    ui.spacing_mut().item_spacing.y = theme::GAP;
    ui.label(RichText::new(info.summary).color(colors.strong));
    ui.label(RichText::new(info.about).color(colors.text));
    ui.label(RichText::new(EVERYWHERE).color(colors.weak));
    let keys: Vec<String> = KEYS
        .iter()
        .take(4)
        .map(|(keys, does)| format!("{keys} {does}"))
        .collect();
    ui.label(
        RichText::new(keys.join(" · "))
            .size(theme::SMALL)
            .color(colors.weak),
    );
    let place = format!("Open it (it belongs to {})", info.workspace.name());
    if ui.button(place).clicked() {
        actions.push(Action::Overlay(None));
        actions.push(Action::View(OnView::Open(kind, None)));
    }
}
