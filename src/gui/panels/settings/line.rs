//! One setting on a line: its name to the left, its field or choice to the right.

use super::lead;
use crate::theme;
use crate::widgets::{
    Field, FieldEvent, Icon, Stepper, chevron, close_by_key, icon_button, plain, refused, said,
};
use eframe::egui::{
    Align, Button, ComboBox, Id, Layout, Popup, RichText, ScrollArea, TextWrapMode, Ui, vec2,
};
use strata_core::spoken::spoken;

const NAME: f32 = 86.0;
/// What a field's frame takes of its width, with a cursor behind the last letter.
const FRAME: f32 = 18.0;
/// Width of the button that opens a menu beside a text.
const MENU: f32 = 24.0;
/// From the edge of a list to the word chosen: the longest, a loss, has room beside its name.
pub(super) const CHOICE: f32 = 6.0;
/// Height of an open list, at most: as high as the longest, the sources.
const LIST: f32 = 340.0;

/// The name of a setting, then what `content` shows in the rest of the line. Why a text in it is refused is written below
/// both: beside the name there is no room for a sentence.
pub fn line<R>(ui: &mut Ui, name: &str, hover: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    let (shown, complaints) = refused::apart(ui, |ui| beside(ui, name, hover, content));
    for complaint in complaints {
        let wrong = theme::palette(ui).wrong;
        ui.label(said(&complaint, theme::SMALL, wrong));
    }
    shown
}

fn beside<R>(ui: &mut Ui, name: &str, hover: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(
            vec2(NAME, 24.0),
            Layout::left_to_right(Align::Center),
            |ui| {
                ui.set_min_width(NAME);
                ui.label(RichText::new(name).color(theme::palette(ui).weak))
                    .on_hover_text(plain(hover));
            },
        );
        let shown = ui.vertical(content);
        lead::reach(ui, name, shown.response.rect);
        shown.inner
    })
    .inner
}

/// The name of a setting over its field, which has all the width: for words that have no room beside the name.
fn lines<R>(ui: &mut Ui, name: &str, hover: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    let shown = ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.label(RichText::new(name).color(theme::palette(ui).weak))
            .on_hover_text(plain(hover));
        content(ui)
    });
    lead::reach(ui, name, shown.response.rect);
    shown.inner
}

/// Whether every word of the field's text has room beside the setting's name: a field is wrapped between words, and a
/// number that goes on in the next line reads as another number.
fn fits_beside(ui: &Ui, id: Id, text: &str, taken: f32) -> bool {
    let typed = ui.data(|data| data.get_temp::<String>(id));
    let text = typed.as_deref().unwrap_or(text);
    let letter = ui.fonts_mut(|fonts| fonts.glyph_width(&theme::digits(12.0), '0'));
    let longest = text.split_whitespace().map(|word| word.chars().count());
    let room = ui.available_width() - NAME - ui.spacing().item_spacing.x - FRAME - taken;
    longest.max().unwrap_or(0) as f32 * letter <= room
}

/// What a text field of a setting needs.
pub struct TextLine<'a> {
    /// The setting's name.
    pub name: &'a str,
    /// What screen readers and tests call the field.
    pub label: &'a str,
    /// One sentence for people.
    pub hover: &'a str,
    /// The text now.
    pub text: &'a str,
    /// The hint in an empty field.
    pub hint: &'a str,
}

/// A text that must be readable to be taken over; the committed text.
pub fn text(
    ui: &mut Ui,
    id: Id,
    setting: &TextLine<'_>,
    check: &dyn Fn(&str) -> Result<(), String>,
) -> Option<String> {
    let field = |ui: &mut Ui| text_field(ui, id, setting, check);
    let event = if fits_beside(ui, id, setting.text, 0.0) {
        line(ui, setting.name, setting.hover, field)
    } else {
        lines(ui, setting.name, setting.hover, field)
    };
    committed(event)
}

fn text_field(
    ui: &mut Ui,
    id: Id,
    setting: &TextLine<'_>,
    check: &dyn Fn(&str) -> Result<(), String>,
) -> Option<FieldEvent> {
    lead::focus(ui, setting.name, id);
    // Layers are named as the file does while they are written, and as the window does afterwards.
    let shown = spoken(setting.text);
    Field::new(id, setting.label, setting.text)
        .shown(&shown)
        .hint(setting.hint)
        .check(check)
        .of_project()
        .wrapped()
        .show(ui)
}

fn committed(event: Option<FieldEvent>) -> Option<String> {
    match event {
        Some(FieldEvent::Commit(text)) => Some(text.trim().to_owned()),
        _ => None,
    }
}

/// What can be chosen beside a text: each with whether it holds now.
pub struct Menu<'a> {
    /// What screen readers and tests call it.
    pub label: &'a str,
    /// From top to bottom.
    pub entries: &'a [(String, bool)],
}

/// A text that must be readable, with a menu of what is usual; the committed text, and the entry that was chosen.
pub fn text_with_menu(
    ui: &mut Ui,
    id: Id,
    setting: &TextLine<'_>,
    check: &dyn Fn(&str) -> Result<(), String>,
    menu: &Menu<'_>,
) -> (Option<String>, Option<usize>) {
    let field = |ui: &mut Ui| {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            let room = vec2(ui.available_width() - MENU, 24.0);
            let event = ui
                .allocate_ui_with_layout(room, Layout::top_down(Align::Min), |ui| {
                    text_field(ui, id, setting, check)
                })
                .inner;
            (event, entries(ui, menu))
        })
        .inner
    };
    let (event, chosen) = if fits_beside(ui, id, setting.text, MENU) {
        line(ui, setting.name, setting.hover, field)
    } else {
        lines(ui, setting.name, setting.hover, field)
    };
    (committed(event), chosen)
}

fn entries(ui: &mut Ui, menu: &Menu<'_>) -> Option<usize> {
    let button = icon_button(ui, Icon::Open, menu.label, "Choose", true);
    let mut chosen = None;
    Popup::menu(&button).width(160.0).show(|ui| {
        close_by_key(ui);
        ScrollArea::vertical().max_height(LIST).show(ui, |ui| {
            for (index, (name, holds)) in menu.entries.iter().enumerate() {
                let text = RichText::new(spoken(name)).font(theme::digits(12.0));
                if ui.add(Button::selectable(*holds, text)).clicked() {
                    chosen = Some(index);
                    ui.close();
                }
            }
        });
    });
    chosen
}

/// A number with arrows, as part of the setting above it.
pub struct Number<'a> {
    /// Its name.
    pub name: &'a str,
    /// What screen readers and tests call the field.
    pub label: &'a str,
    /// One sentence for people.
    pub hover: &'a str,
    /// The text now.
    pub text: &'a str,
    /// The text one step up (true) or down.
    pub step: &'a dyn Fn(&str, bool) -> Option<String>,
}

/// Shows a number; the committed text.
pub fn number(
    ui: &mut Ui,
    id: Id,
    number: &Number<'_>,
    check: &dyn Fn(&str) -> Result<(), String>,
) -> Option<String> {
    let event = line(ui, number.name, number.hover, |ui| {
        lead::focus(ui, number.name, id);
        let width = ui.available_width();
        Stepper {
            id,
            name: number.label,
            text: number.text,
            shown: number.text,
            hover: number.hover,
            check,
            step: number.step,
        }
        .show(ui, width)
    });
    committed(event)
}

/// Name, label, hover, and the hint in an empty field or next to a switch.
pub type Words = [&'static str; 4];

/// A setting that may be left out: `Some(None)` when its text has just been emptied.
pub fn optional<T>(
    ui: &mut Ui,
    id: Id,
    [name, label, hover, hint]: Words,
    now: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<Option<T>> {
    let check = |text: &str| {
        if text.trim().is_empty() {
            Ok(())
        } else {
            read(text.trim()).map(|_| ())
        }
    };
    let setting = TextLine {
        name,
        label,
        hover,
        text: now,
        hint,
    };
    let text = text(ui, id, &setting, &check)?;
    if text.is_empty() {
        Some(None)
    } else {
        read(&text).ok().map(Some)
    }
}

/// One of a few; the one chosen now.
pub fn choice<T: Copy + PartialEq + ToString>(
    ui: &mut Ui,
    id: Id,
    [name, label, hover]: [&str; 3],
    now: T,
    all: &[T],
) -> Option<T> {
    choice_explained(ui, id, [name, label, hover], now, all, &|_| None)
}

/// The same, with what there is to know of each beside it.
pub fn choice_explained<T: Copy + PartialEq + ToString>(
    ui: &mut Ui,
    id: Id,
    [name, label, hover]: [&str; 3],
    now: T,
    all: &[T],
    about: &dyn Fn(T) -> Option<String>,
) -> Option<T> {
    let mut chosen = now;
    line(ui, name, hover, |ui| {
        ui.spacing_mut().button_padding.x = CHOICE;
        let list = ComboBox::from_id_salt(id)
            .wrap_mode(TextWrapMode::Truncate)
            .selected_text(RichText::new(now.to_string()).font(theme::digits(12.0)))
            .width(ui.available_width())
            .height(LIST)
            .icon(chevron)
            .show_ui(ui, |ui| {
                close_by_key(ui);
                for &one in all {
                    let is_chosen = one == now;
                    if option(ui, &one.to_string(), about(one), is_chosen) {
                        chosen = one;
                    }
                }
            })
            .response
            .accessible_name(label);
        lead::focus(ui, name, list.id);
    });
    (chosen != now).then_some(chosen)
}

/// An entry of such a list; whether it was taken.
fn option(ui: &mut Ui, word: &str, about: Option<String>, is_chosen: bool) -> bool {
    let text = RichText::new(word).font(theme::digits(12.0));
    let button = Button::selectable(is_chosen, text);
    let Some(about) = about else {
        return ui.add(button).clicked();
    };
    let colors = theme::palette(ui);
    // On the ground of what is chosen the weak ink is too faint.
    let ink = if is_chosen {
        colors.strong
    } else {
        colors.weak
    };
    let beside = RichText::new(&about).size(theme::SMALL).color(ink);
    let label = format!("{word}, {about}");
    ui.add(button.right_text(beside))
        .accessible_name(&label)
        .clicked()
}

/// A setting that is on or off; whether it is now.
pub fn switch(ui: &mut Ui, [name, label, hover]: [&str; 3], said: &str, now: bool) -> bool {
    let mut set = now;
    line(ui, name, hover, |ui| {
        let mark = ui.checkbox(&mut set, said).accessible_name(label);
        lead::focus(ui, name, mark.id);
        mark.on_hover_text(plain(hover));
    });
    set
}
