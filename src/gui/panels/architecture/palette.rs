//! Adding a layer: a list of all kinds that a word narrows, or the layer's whole text.

use crate::gui::action::Action;
use crate::gui::theme;
use crate::project::Place;
use crate::project::layer_text::KINDS;
use crate::project::node::Node;
use eframe::egui::{
    Align2, Button, Id, Key, Popup, PopupCloseBehavior, Rect, Response, RichText, Role, ScrollArea, Sense, TextEdit,
    Ui, Vec2, WidgetInfo, pos2, vec2,
};

/// Blocks, which stand beside the kinds of layers.
const BLOCKS: [(&str, &str, &str); 3] = [
    (
        "add",
        "{ add = [[\"conv 16 k3 p1\"], []] }",
        "Residual block: branches on one input, summed; an empty branch is the identity.",
    ),
    ("concat", "{ concat = [[\"conv 16 k3 p1\"], [\"conv 16 k1\"]] }", "Branches on one input, joined along channels."),
    (
        "repeat",
        "{ repeat = 2, layers = [\"conv 16 k3 p1\", \"relu\"] }",
        "The same layers several times, each time with weights of their own.",
    ),
];

/// The button at the end of a stack or branch, with its list.
pub fn add_button(ui: &mut Ui, end: &Place, where_: &str, indent: f32, actions: &mut Vec<Action>) {
    let button = button(ui, where_, indent);
    Popup::menu(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(320.0)
        .show(|ui| list(ui, end, button.clicked(), actions));
}

fn button(ui: &mut Ui, where_: &str, indent: f32) -> Response {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    let rect = Rect::from_min_size(pos2(rect.left() + indent, rect.top()), vec2(96.0, rect.height()));
    let response = ui.interact(rect, Id::unique(("add layer", where_)), Sense::click());
    let name = format!("Add layer to {where_}");
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.clone()));
    let colors = theme::palette(ui);
    let ink = if response.hovered() || response.has_focus() { colors.accent } else { colors.weak };
    let font = eframe::egui::FontId::proportional(12.0);
    ui.painter().text(rect.left_center() + vec2(12.0, 0.0), Align2::LEFT_CENTER, "+ add layer", font, ink);
    response
}

fn list(ui: &mut Ui, end: &Place, just_opened: bool, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let id = Id::unique("palette search");
    let mut search = if just_opened { String::new() } else { ui.data(|data| data.get_temp(id)).unwrap_or_default() };
    let edit = TextEdit::singleline(&mut search)
        .id(id.with("field"))
        .hint_text("Search, or type a layer: conv 64 k5 s2")
        .font(theme::digits(12.0))
        .desired_width(f32::INFINITY);
    let field = ui.add(edit).accessible_name("Search layers");
    if just_opened {
        field.request_focus();
    }
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    ui.add_space(theme::STEP);
    let found = matching(&search);
    let mut chosen = entered.then(|| typed(&search, &found)).flatten();
    ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
        for &(word, example, about) in &found {
            if entry(ui, word, example, about).clicked() {
                chosen = Some(example.to_owned());
            }
        }
        if found.is_empty() {
            ui.label(RichText::new("No kind of layer has this word. Enter adds the text as it is.").weak());
        }
    });
    ui.data_mut(|data| data.insert_temp(id, search));
    if let Some(text) = chosen {
        actions.push(Action::Add(end.clone(), Node::from_text(&text)));
        ui.close();
    }
}

fn entry(ui: &mut Ui, word: &str, example: &str, about: &str) -> Response {
    let example = if example.starts_with('{') { word } else { example };
    let button = Button::new(RichText::new(example).font(theme::digits(12.0)))
        .right_text(RichText::new(short(about)).size(theme::SMALL).color(theme::palette(ui).weak))
        .frame_when_inactive(false)
        .min_size(vec2(ui.available_width(), 24.0))
        .truncate();
    ui.add(button).on_hover_text(about).accessible_name(format!("Add {word}"))
}

/// The first words of a sentence, up to its first stop.
fn short(about: &str) -> &str {
    about.split([':', ';', '(', '.']).next().unwrap_or(about).trim()
}

fn matching(search: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let search = search.trim().to_lowercase();
    let first = search.split_whitespace().next().unwrap_or_default();
    let all = KINDS.iter().chain(&BLOCKS).copied();
    let mut found: Vec<_> =
        all.filter(|(word, _, about)| word.contains(first) || about.to_lowercase().contains(&search)).collect();
    found.sort_by_key(|(word, ..)| (*word != first, !word.starts_with(first), !word.contains(first)));
    found
}

/// What Enter adds: the text when it is a layer or holds more than a word, else the first match.
fn typed(search: &str, found: &[(&str, &str, &str)]) -> Option<String> {
    let search = search.trim();
    let whole = search.contains(' ') || matches!(Node::from_text(search), Node::Layer(_));
    match found.first() {
        _ if search.is_empty() => None,
        Some((_, example, _)) if !whole => Some((*example).to_owned()),
        _ => Some(search.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_narrows_the_list_and_enter_takes_the_best() {
        assert_eq!(matching("conv")[0].0, "conv");
        assert_eq!(matching("fully")[0].0, "dense");
        assert_eq!(matching("").len(), KINDS.len() + BLOCKS.len());
        assert_eq!(typed("max", &matching("max")).unwrap(), "maxpool 2");
        assert_eq!(typed("conv 64 k5", &matching("conv 64 k5")).unwrap(), "conv 64 k5");
        assert_eq!(typed("relu", &matching("relu")).unwrap(), "relu");
        assert_eq!(typed("  ", &matching("")), None);
    }

    #[test]
    fn the_blocks_can_be_read() {
        for (word, text, _) in BLOCKS {
            assert!(!matches!(Node::from_text(text), Node::Broken { .. }), "{word}");
        }
    }
}
