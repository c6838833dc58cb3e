//! One layer or block as a row: colour of its family, its text, its output, its parameters, its slab,
//! and below it what is wrong with it.

use super::{drag, fold, insert, lock, wrong};
use crate::theme;
use crate::widgets::slab::{self, Scale};
use crate::widgets::{Field, FieldEvent};
use eframe::egui::text::{CCursor, CCursorRange};
use eframe::egui::text_edit::TextEditState;
use eframe::egui::{
    Align, Align2, Button, Color32, CornerRadius, CursorIcon, Id, Layout, Rect, Response, RichText,
    Role, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use strata_app::action::{Action, OnSelected, OnView};
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_core::format;
use strata_core::project::Place;
use strata_core::project::node::Node;
use strata_core::project::target::Target;
use strata_core::shape::layers::WORDS;
use strata_core::shape::{Row, ShapeError};

/// How far the layers of a block are indented: blocks nest, and their texts need the room.
pub const INDENT: f32 = 12.0;
/// Room of the slab: at least, at most, and the width of a row from which it has more than the least.
const SLAB: f32 = 48.0;
const WIDEST_SLAB: f32 = 104.0;
const USUAL: f32 = 372.0;
const PARAMETERS: f32 = 80.0;
/// Larger numbers of parameters are written in millions: their column is as wide as this one.
const LARGEST: u64 = 9_999_999;
pub(super) const STRIP: f32 = 4.0;
/// Between a layer's text and its shape.
const GAP: f32 = 8.0;

/// The room of the slab in a row that ends here: half of what a wide panel has to spare.
fn slab_room(ui: &Ui) -> f32 {
    let spare = ui.max_rect().width() - USUAL;
    (SLAB + 0.5 * spare.max(0.0)).min(WIDEST_SLAB)
}

/// How far right a row starts.
pub fn indent(place: &Place) -> f32 {
    INDENT * (place.path.len() / 2) as f32
}

/// What slabs are drawn to.
pub fn scale(state: &State) -> Scale {
    let inference = &state.shown.inference;
    let outputs = inference.rows.iter().filter_map(|row| row.output.as_ref());
    Scale::of(outputs.chain([&inference.input]))
}

/// Shows a row; where it is.
pub fn show(
    ui: &mut Ui,
    state: &State,
    place: &Place,
    node: &Node,
    scale: Scale,
    actions: &mut Vec<Action>,
) -> Rect {
    let row = state.shown.inference.row(place);
    let error = row.and_then(|row| row.error.as_ref());
    if state.selected.as_ref() == Some(place) && was_selected(ui) != state.selected {
        // Chosen elsewhere, it may be out of sight.
        let row = Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), theme::ROW));
        ui.scroll_to_rect(row, None);
    }
    let (full, _) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::hover());
    let rect = Rect::from_min_max(pos2(full.left() + indent(place), full.top()), full.max);
    let locked = state.lock_on(place);
    let is_selected = state.selected.as_ref() == Some(place);
    // With what is being typed in its form.
    let typed = state.shown.network.node(place).unwrap_or(node);
    let card = select_area(ui, rect, place, typed, row, locked);
    let is_lit = card.contains_pointer() || card.has_focus();
    paint_card(ui, rect, is_selected, error.is_some(), is_lit);
    paint_strip(ui, rect, node, error.is_some());
    if let Some(row) = row {
        paint_numbers(ui, rect, row, scale, state.is_folded(place));
    }
    let mut text = text_area(ui, rect, row);
    if !node.branches().is_empty() {
        fold::button(ui, state, place, text.left(), rect, actions);
        text.min.x += fold::WIDTH;
    }
    if locked.is_some() {
        lock::sign(ui, text.left(), rect);
        text.min.x += lock::WIDTH;
    }
    let middle = UiBuilder::new()
        .id_salt(("row text", place))
        .max_rect(text)
        .layout(Layout::left_to_right(Align::Center));
    let inner = &mut ui.new_child(middle);
    let written = shortened(inner, &label(state, place, typed));
    match locked {
        None => edit(
            inner,
            state,
            place,
            [&node.text(), &written],
            error,
            actions,
        ),
        Some(lock) => fixed(inner, &written, lock),
    }
    if drag::is_dragged(ui, place) {
        let left_behind = theme::faded(theme::palette(ui).panel, 0.6);
        ui.painter().rect_filled(rect, theme::RADIUS, left_behind);
        drag::carried(ui, rect, |over| {
            paint_card(over, rect, true, false, true);
            paint_strip(over, rect, node, error.is_some());
            if let Some(row) = row {
                paint_numbers(over, rect, row, scale, state.is_folded(place));
            }
            let at = inner.max_rect().left_center();
            let ink = theme::palette(over).strong;
            let font = theme::digits(theme::CODE);
            over.painter()
                .text(at, Align2::LEFT_CENTER, written, font, ink);
        });
    }
    let card = match locked {
        None => over_text(ui, state, &card, place, text, is_selected),
        Some(_) => card,
    };
    // What there is to say of the row would hide the button between it and the next.
    let card = match locked.is_none() && insert::is_between(ui, rect) {
        true => card,
        false => card.on_hover_ui(|ui| hover(ui, node, row)),
    };
    if card.clicked() {
        actions.push(Action::Select(Some(place.clone())));
    }
    if card.double_clicked() && !text_has_focus(ui, state, place) {
        actions.push(Action::View(OnView::Open(ViewKind::Lens, None)));
    }
    menu(&card, state, place, actions);
    drag::row(ui, rect, &card, place, locked.is_some(), actions);
    insert::between(ui, rect, place, state, actions);
    if let Some(error) = error {
        let is_typed = text_has_focus(ui, state, place);
        wrong::show(ui, state, place, error, rect, is_typed, actions);
    }
    rect
}

fn selected_id() -> Id {
    Id::unique("the row that was selected")
}

/// What was selected when the rows were last shown.
fn was_selected(ui: &Ui) -> Option<Place> {
    ui.data(|data| data.get_temp::<Option<Place>>(selected_id()))
        .flatten()
}

/// Remembers what is selected, once its row has been brought into sight.
pub(crate) fn note_selected(ui: &Ui, state: &State) {
    ui.data_mut(|data| data.insert_temp(selected_id(), state.selected.clone()));
}

/// From the strip to where the shape begins: a short shape leaves its room to the text.
fn text_area(ui: &Ui, rect: Rect, row: Option<&Row>) -> Rect {
    let shape = row.map_or(0, |row| row.shape_text().chars().count()) as f32 * letter(ui);
    let right = rect.right() - slab_room(ui) - PARAMETERS - shape - GAP;
    Rect::from_min_max(
        pos2(rect.left() + STRIP + 8.0, rect.top()),
        pos2(right, rect.bottom()),
    )
}

/// The width of a letter: all are equally wide.
fn letter(ui: &Ui) -> f32 {
    ui.fonts_mut(|fonts| fonts.glyph_width(&theme::digits(12.0), '0'))
}

fn label(state: &State, place: &Place, node: &Node) -> String {
    let folded = !node.branches().is_empty() && state.is_folded(place);
    if folded {
        fold::label(node)
    } else {
        node.label()
    }
}

/// The text, with `…` where it ends for want of room.
fn shortened(ui: &Ui, text: &str) -> String {
    let room = (ui.available_width() / letter(ui)) as usize;
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars()
        .take(room.saturating_sub(1))
        .chain(['…'])
        .collect()
}

fn select_area(
    ui: &Ui,
    rect: Rect,
    place: &Place,
    node: &Node,
    row: Option<&Row>,
    locked: Option<&Target>,
) -> Response {
    let response = ui.interact(rect, Id::unique(("row", place)), Sense::click_and_drag());
    let said = row.map_or_else(String::new, |row| {
        format!(
            " gives {}, {} parameters",
            row.shape_text(),
            format::count(row.parameters)
        )
    });
    let locked = if locked.is_some() { ", locked" } else { "" };
    let name = format!("{place}: {}{said}{locked}", node.label());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name.clone()));
    response
}

/// Under which the text of a layer is edited.
fn text_id(state: &State, place: &Place) -> Id {
    Id::unique(("layer text", place, state.generation))
}

fn text_has_focus(ui: &Ui, state: &State, place: &Place) -> bool {
    ui.memory(|memory| memory.has_focus(text_id(state, place)))
}

/// The row with its text, as long as that is not edited: the whole row is pressed, dragged and has the menu. A click
/// on the text of the selected layer edits it.
fn over_text(
    ui: &Ui,
    state: &State,
    card: &Response,
    place: &Place,
    text: Rect,
    is_selected: bool,
) -> Response {
    if text_has_focus(ui, state, place) {
        return card.clone();
    }
    let id = Id::unique(("over the text", place));
    let over = ui.interact(text, id, Sense::CLICK | Sense::DRAG);
    if over.hovered() && is_selected {
        ui.set_cursor_icon(CursorIcon::Text);
    }
    let starts = over.clicked() && is_selected || over.double_clicked();
    if let Some(at) = over.interact_pointer_pos().filter(|_| starts) {
        let letter = ((at.x - text.left()) / letter(ui)).round().max(0.0);
        start_editing(ui, text_id(state, place), letter as usize);
    }
    card.union(over)
}

/// Puts the cursor before a letter of the text.
fn start_editing(ui: &Ui, id: Id, letter: usize) {
    let mut edit = TextEditState::load(ui.ctx(), id).unwrap_or_default();
    let cursor = CCursorRange::one(CCursor::new(letter));
    edit.cursor.set_char_range(Some(cursor));
    edit.store(ui.ctx(), id);
    ui.memory_mut(|memory| memory.request_focus(id));
}

fn hover(ui: &mut Ui, node: &Node, row: Option<&Row>) {
    let label = node.label();
    ui.label(RichText::new(&label).font(theme::digits(12.0)));
    let word = label.split_whitespace().next().unwrap_or_default();
    if let Some(layer) = WORDS.iter().find(|layer| layer.word == word) {
        ui.label(layer.about);
    }
    let Some(row) = row.filter(|row| row.error.is_none()) else {
        return;
    };
    let input = row
        .input
        .as_ref()
        .map_or_else(|| "?".into(), ToString::to_string);
    ui.label(format!("{input} → {}", row.shape_text()));
    ui.label(format!(
        "{} parameters · {} multiply-accumulates",
        format::count(row.parameters),
        format::count(row.macs)
    ));
    if let Some(field) = row
        .receptive_field
        .as_ref()
        .filter(|field| !field.is_empty())
    {
        let field: Vec<_> = field.iter().map(u64::to_string).collect();
        ui.label(format!(
            "one output value sees {} of the input",
            field.join("×")
        ));
    }
}

fn menu(card: &Response, state: &State, place: &Place, actions: &mut Vec<Action>) {
    let free = state.lock_on(place).is_none();
    card.context_menu(|ui| {
        if ui.button("Open in lens").clicked() {
            actions.push(Action::Select(Some(place.clone())));
            actions.push(Action::View(OnView::Open(ViewKind::Lens, None)));
            ui.close();
        }
        let inserts = [
            ("Insert before", place.clone()),
            ("Insert after", drag::after(place)),
        ];
        for (text, at) in inserts {
            if ui.add_enabled(free, Button::new(text)).clicked() {
                actions.push(Action::AskLayer(Some(at)));
                ui.close();
            }
        }
        for (text, change) in [
            ("Duplicate", OnSelected::Duplicate),
            ("Move up", OnSelected::Up),
            ("Move down", OnSelected::Down),
            ("Delete", OnSelected::Delete),
        ] {
            let enabled = free || change == OnSelected::Duplicate;
            if ui.add_enabled(enabled, Button::new(text)).clicked() {
                actions.push(Action::Select(Some(place.clone())));
                actions.push(Action::Selected(change));
                ui.close();
            }
        }
        ui.separator();
        lock::entry(ui, state, place, actions);
    });
}

fn paint_card(ui: &Ui, rect: Rect, selected: bool, wrong: bool, hovered: bool) {
    let colors = theme::palette(ui);
    let line = match (wrong, selected) {
        (true, _) => colors.wrong,
        (false, true) => colors.accent,
        (false, false) => Color32::TRANSPARENT,
    };
    let fill = if selected || hovered {
        colors.lifted
    } else {
        colors.raised
    };
    ui.painter().rect(
        rect,
        theme::RADIUS,
        fill,
        Stroke::new(1.0, line),
        StrokeKind::Inside,
    );
}

fn paint_strip(ui: &Ui, rect: Rect, node: &Node, wrong: bool) {
    let color = if wrong {
        theme::palette(ui).wrong
    } else {
        theme::family(ui, node.family())
    };
    let corners = CornerRadius {
        nw: theme::RADIUS,
        sw: theme::RADIUS,
        ne: 0,
        se: 0,
    };
    let strip = Rect::from_min_max(rect.min, pos2(rect.left() + STRIP, rect.bottom()));
    ui.painter().rect_filled(strip, corners, color);
}

fn paint_numbers(ui: &Ui, rect: Rect, row: &Row, scale: Scale, folded: bool) {
    let whole = !row.is_block || folded;
    let slab_room = slab_room(ui);
    let colors = theme::palette(ui);
    let middle = rect.center().y;
    let number = |right: f32, text: String, color: Color32| {
        ui.painter().text(
            pos2(right, middle),
            Align2::RIGHT_CENTER,
            text,
            theme::digits(12.0),
            color,
        );
    };
    let known = row.output.is_some();
    let shape = if row.error.is_some() {
        "–".to_owned()
    } else {
        row.shape_text()
    };
    number(
        rect.right() - slab_room - PARAMETERS,
        shape,
        if known { colors.text } else { colors.weak },
    );
    if row.parameters > 0 && whole {
        let count = if row.parameters > LARGEST {
            format::large
        } else {
            format::count
        };
        number(
            rect.right() - slab_room - 8.0,
            count(row.parameters),
            colors.weak,
        );
    }
    if let Some(shape) = row.output.as_ref().filter(|_| whole) {
        let place = Rect::from_min_max(
            pos2(rect.right() - slab_room, rect.top()),
            pos2(rect.right() - 8.0, rect.bottom()),
        );
        slab::paint(
            ui.painter(),
            place,
            shape,
            scale,
            theme::family(ui, row.family),
        );
    }
}

/// The text that is edited, and the same as it is shown while it is not.
fn edit(
    ui: &mut Ui,
    state: &State,
    place: &Place,
    [text, label]: [&str; 2],
    error: Option<&ShapeError>,
    actions: &mut Vec<Action>,
) {
    let id = text_id(state, place);
    let name = place.to_string();
    let span = error.and_then(|error| error.span.clone());
    let field = Field::new(id, &name, text).shown(label).bare().wrong(span);
    match field.show(ui) {
        Some(FieldEvent::Entered) => actions.push(Action::Select(Some(place.clone()))),
        Some(FieldEvent::Typing(text)) => {
            actions.push(Action::Preview(Some((place.clone(), text))))
        }
        Some(FieldEvent::Reverted) => actions.push(Action::Preview(None)),
        Some(FieldEvent::Commit(text)) if text.trim().is_empty() => {
            actions.push(Action::Preview(None))
        }
        Some(FieldEvent::Commit(text)) => {
            actions.push(Action::WriteText(place.clone(), text));
        }
        None => {}
    }
}

/// The text of a locked layer.
fn fixed(ui: &mut Ui, label: &str, lock: &Target) {
    let text = RichText::new(label)
        .font(theme::digits(12.0))
        .color(theme::palette(ui).strong);
    ui.label(text).on_hover_text(lock::about(lock));
}
