//! Adding a layer: a list of all kinds that a word narrows, or the layer's whole text.

use super::drag;
use crate::theme;
use crate::widgets::elided;
use eframe::egui::{
    Align2, FontId, Id, Key, Margin, Popup, PopupAnchor, PopupCloseBehavior, Rect, Response,
    RichText, Role, ScrollArea, Sense, TextEdit, Ui, Vec2, WidgetInfo, pos2, vec2,
};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::Place;
use strata_core::project::node::Node;
use strata_core::shape::foreign::is_call;
use strata_core::shape::layers::WORDS;

/// The list, and the part of it that holds the layers' texts.
const WIDTH: f32 = 440.0;
const NAME: f32 = 140.0;
/// Height of the layers, where there are more.
const LIST: f32 = 300.0;

/// Blocks, which are listed next to the kinds of layers.
const BLOCKS: [(&str, &str, &str); 3] = [
    (
        "add",
        "{ add = [[\"conv 16 k3 p1\"], []] }",
        "Residual block: branches on one input, summed; an empty branch is the identity.",
    ),
    (
        "concat",
        "{ concat = [[\"conv 16 k3 p1\"], [\"conv 16 k1\"]] }",
        "Branches on one input, joined along channels.",
    ),
    (
        "repeat",
        "{ repeat = 2, layers = [\"conv 16 k3 p1\", \"relu\"] }",
        "The same layers several times, each time with weights of their own.",
    ),
];

/// The button at the end of a stack or branch; where it is, if a layer is asked for there.
pub(crate) fn add_button(
    ui: &mut Ui,
    state: &State,
    end: &Place,
    where_: &str,
    indent: f32,
    actions: &mut Vec<Action>,
) -> Option<Rect> {
    let button = button(ui, where_, indent);
    drag::end(ui, &button, end, actions);
    let is_asked = state.asked_layer.as_ref() == Some(end);
    if button.clicked() {
        actions.push(Action::AskLayer(Some(end.clone())));
    }
    is_asked.then_some(button.rect)
}

/// The list over the window, below where the layer will be; without a place to hang it at, nothing is asked.
pub(crate) fn show(ui: &Ui, place: &Place, anchor: Option<Rect>, actions: &mut Vec<Action>) {
    let id = Id::unique("list of layers");
    let asked_before = ui.data_mut(|data| {
        let before: Option<Place> = data.get_temp(id.with("place"));
        data.insert_temp(id.with("place"), place.clone());
        before
    });
    let Some(anchor) = anchor else {
        return actions.push(Action::AskLayer(None));
    };
    let mut open = true;
    let was_shown = ui.ctx().read_response(id).is_some();
    let is_new = !was_shown || asked_before.as_ref() != Some(place);
    Popup::new(
        id,
        ui.ctx().clone(),
        PopupAnchor::ParentRect(anchor),
        ui.layer_id(),
    )
    .open_bool(&mut open)
    .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
    .width(WIDTH)
    .show(|ui| list(ui, place, is_new, actions));
    // The click that closes it may be one that asks for a layer elsewhere.
    let is_asked_elsewhere = |action: &Action| matches!(action, Action::AskLayer(Some(_)));
    if !open && !actions.iter().any(is_asked_elsewhere) {
        actions.push(Action::AskLayer(None));
    }
}

fn button(ui: &mut Ui, where_: &str, indent: f32) -> Response {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    let rect = Rect::from_min_size(
        pos2(rect.left() + indent, rect.top()),
        vec2(96.0, rect.height()),
    );
    let response = ui.interact(rect, Id::unique(("add layer", where_)), Sense::click());
    let name = format!("Add layer to {where_}");
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.clone()));
    let colors = theme::palette(ui);
    let ink = if response.hovered() || response.has_focus() {
        colors.accent
    } else {
        colors.weak
    };
    let font = FontId::proportional(12.0);
    ui.painter().text(
        rect.left_center() + vec2(12.0, 0.0),
        Align2::LEFT_CENTER,
        "+ add layer",
        font,
        ink,
    );
    response
}

fn list(ui: &mut Ui, end: &Place, just_opened: bool, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let id = Id::unique("palette search");
    let mut search = if just_opened {
        String::new()
    } else {
        ui.data(|data| data.get_temp(id)).unwrap_or_default()
    };
    let edit = TextEdit::singleline(&mut search)
        .id(id.with("field"))
        .hint_text(
            RichText::new("Search, or type a layer: conv 64 k5 s2").font(theme::digits(12.0)),
        )
        .font(theme::digits(12.0))
        .margin(Margin::symmetric(6, 5))
        .desired_width(f32::INFINITY);
    let field = ui.add(edit).accessible_name("Search layers");
    if just_opened {
        field.request_focus();
    }
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    ui.add_space(theme::STEP);
    let found = matching(&search);
    let mut chosen = entered.then(|| typed(&search, &found)).flatten();
    let area = ScrollArea::vertical().max_height(LIST);
    area.min_scrolled_height(LIST).show(ui, |ui| {
        for &(word, example, about) in &found {
            if entry(ui, word, example, about).clicked() {
                chosen = Some(example.to_owned());
            }
        }
        if found.is_empty() {
            ui.label(
                RichText::new("No kind of layer has this word. Enter adds the text as it is.")
                    .weak(),
            );
        }
    });
    if chosen.is_some() {
        search.clear();
    }
    ui.data_mut(|data| data.insert_temp(id, search));
    if let Some(text) = chosen {
        actions.push(Action::AddText(end.clone(), text));
        field.request_focus();
    }
}

fn entry(ui: &mut Ui, word: &str, example: &str, about: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Add {word}")));
    let colors = theme::palette(ui);
    let lit = response.hovered() || response.has_focus();
    if lit {
        ui.painter().rect_filled(rect, theme::RADIUS, colors.lifted);
    }
    let example = if example.starts_with('{') {
        word
    } else {
        example
    };
    let painter = ui.painter_at(rect.shrink2(vec2(6.0, 0.0)));
    let left = rect.left_center() + vec2(6.0, 0.0);
    painter.text(
        left,
        Align2::LEFT_CENTER,
        example,
        theme::digits(12.0),
        if lit { colors.strong } else { colors.text },
    );
    let font = FontId::proportional(theme::SMALL);
    let galley = elided(
        ui,
        short(about),
        font,
        colors.weak,
        rect.width() - NAME - 18.0,
    );
    painter.galley(
        left + vec2(NAME, -galley.size().y / 2.0),
        galley,
        colors.weak,
    );
    response.on_hover_text(about)
}

/// The first words of a sentence, up to its first stop.
fn short(about: &str) -> &str {
    about
        .split([':', ';', '(', '.'])
        .next()
        .unwrap_or(about)
        .trim()
}

fn matching(search: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let search = search.trim().to_lowercase();
    let first = search.split_whitespace().next().unwrap_or_default();
    let is_foreign = |word: &str| {
        let known = WORDS.iter().find(|layer| layer.word == word);
        let bare = first.replace('_', "");
        let elsewhere = known.map_or(&[] as &[&str], |layer| layer.names_elsewhere());
        bare.len() > 1 && elsewhere.iter().any(|name| name.starts_with(&bare))
    };
    let layers = WORDS
        .iter()
        .map(|layer| (layer.word, layer.example, layer.about));
    let all = layers.chain(BLOCKS);
    let mut found: Vec<_> = all
        .filter(|(word, _, about)| {
            word.contains(first) || about.to_lowercase().contains(&search) || is_foreign(word)
        })
        .collect();
    found.sort_by_key(|(word, ..)| {
        (
            *word != first,
            !word.starts_with(first),
            !word.contains(first),
            !is_foreign(word),
        )
    });
    found
}

/// What Enter adds: the text when it is a layer or holds more than a word, else the first match.
fn typed(search: &str, found: &[(&str, &str, &str)]) -> Option<String> {
    let search = search.trim();
    let is_text = search.contains(' ') || is_call(search);
    let whole = is_text || matches!(Node::from_text(search), Node::Layer(_));
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
        assert_eq!(matching("Conv2DTranspose")[0].0, "convt");
        assert_eq!(matching("linear")[0].0, "dense");
        assert_eq!(matching("").len(), WORDS.len() + BLOCKS.len());
        assert_eq!(typed("max", &matching("max")).unwrap(), "maxpool 2");
        assert_eq!(
            typed("conv 64 k5", &matching("conv 64 k5")).unwrap(),
            "conv 64 k5"
        );
        assert_eq!(typed("relu", &matching("relu")).unwrap(), "relu");
        assert_eq!(typed("  ", &matching("")), None);
        assert_eq!(typed("nn.ReLU()", &matching("relu")).unwrap(), "nn.ReLU()");
    }

    #[test]
    fn the_blocks_can_be_read() {
        for (word, text, _) in BLOCKS {
            assert!(
                !matches!(Node::from_text(text), Node::Broken { .. }),
                "{word}"
            );
        }
    }
}
