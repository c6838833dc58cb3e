//! All layers with size, stride and offset of their receptive fields; a click selects one.

use super::compact;
use crate::theme;
use crate::widgets::elided;
use eframe::egui::{
    Align2, Color32, FontId, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    pos2, vec2,
};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::Place;
use strata_core::shape::Row;

const ROW: f32 = 20.0;
/// From the right: where the columns of size, stride and offset end.
const COLUMNS: [(&str, f32); 3] = [("size", 86.0), ("stride", 44.0), ("offset", 2.0)];
/// Room for the numbers.
const NUMBERS: f32 = 124.0;

/// Shows the list; the chosen layer is marked.
pub(super) fn show(ui: &mut Ui, state: &State, chosen: &Place, actions: &mut Vec<Action>) {
    let rows = &state.shown.inference.rows;
    let most = state
        .shown
        .inference
        .input
        .spatial()
        .iter()
        .max()
        .map_or(1.0, |&size| size as f64);
    heading(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let marked = rows.iter().position(|row| row.place == *chosen);
    let moved = ui.data_mut(|data| {
        let last = data.get_temp_mut_or_default::<Option<Place>>(ui.scope_id().with("chosen"));
        (last.as_ref() != Some(chosen))
            .then(|| *last = Some(chosen.clone()))
            .is_some()
    });
    let mut area = ScrollArea::vertical().auto_shrink(false);
    if let Some(index) = marked.filter(|_| moved) {
        let middle = index as f32 * ROW - (ui.available_height() - ROW) / 2.0;
        area = area.vertical_scroll_offset(middle.max(0.0));
    }
    area.show_rows(ui, ROW, rows.len(), |ui, shown| {
        for row in rows.get(shown).unwrap_or_default() {
            let is_chosen = row.place == *chosen;
            if entry(ui, row, is_chosen, most) && !is_chosen {
                actions.push(Action::Select(Some(row.place.clone())));
            }
        }
    });
}

fn heading(ui: &mut Ui) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let color = theme::palette(ui).weak;
    let write = |x: f32, align: Align2, text: &str| {
        ui.painter().text(
            pos2(x, rect.center().y),
            align,
            text,
            FontId::proportional(theme::SMALL),
            color,
        );
    };
    write(rect.left() + 6.0, Align2::LEFT_CENTER, "layer");
    COLUMNS
        .iter()
        .for_each(|(name, right)| write(rect.right() - right - 6.0, Align2::RIGHT_CENTER, name));
    response.on_hover_text(
        "size: pixels of the input that one value sees\nstride: pixels between what neighbouring values see\noffset: where the first value's window begins; below 0 in the padding\nthe line below a layer is as long as its share of the input",
    );
}

/// The field's longest side.
fn reach(row: &Row) -> Option<f64> {
    row.receptive_field
        .as_ref()?
        .iter()
        .max()
        .map(|&size| size as f64)
}

/// One layer; true when it was clicked.
fn entry(ui: &mut Ui, row: &Row, is_chosen: bool, most: f64) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let numbers = numbers(row);
    let [size, stride, offset] = &numbers;
    response.widget_info(|| {
        let text = format!(
            "Receptive field of {}: size {size}, stride {stride}, offset {offset}",
            row.place
        );
        WidgetInfo::selected(Role::Button, true, is_chosen, text)
    });
    if !ui.is_rect_visible(rect) {
        return response.clicked();
    }
    let colors = theme::palette(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    if is_chosen || response.hovered() {
        painter.rect_filled(rect, theme::RADIUS, colors.lifted);
    }
    if response.has_focus() {
        painter.rect_stroke(
            rect,
            theme::RADIUS,
            Stroke::new(1.0, colors.accent),
            StrokeKind::Inside,
        );
    }
    let names = Rect::from_min_max(rect.min, pos2(rect.right() - NUMBERS, rect.bottom()));
    bar(&painter, names, row, most, theme::family(ui, row.family));
    let ink = if is_chosen {
        colors.strong
    } else {
        colors.text
    };
    let indent = 6.0 + 8.0 * row.depth.min(6) as f32;
    let galley = elided(
        ui,
        &row.text,
        theme::digits(theme::SMALL),
        ink,
        names.width() - indent - 4.0,
    );
    let top = rect.center().y - 1.0 - galley.size().y / 2.0;
    painter.galley(pos2(rect.left() + indent, top), galley, ink);
    for ((_, right), text) in COLUMNS.iter().zip(&numbers) {
        let at = pos2(rect.right() - right - 6.0, rect.center().y);
        painter.text(
            at,
            Align2::RIGHT_CENTER,
            text,
            theme::digits(theme::SMALL),
            if text == "–" { colors.weak } else { ink },
        );
    }
    response
        .on_hover_text(format!(
            "{}: {}\n{}",
            row.place.in_words(),
            row.text,
            row.shape_text()
        ))
        .clicked()
}

/// The field's size as a thin line below the text.
fn bar(painter: &eframe::egui::Painter, area: Rect, row: &Row, most: f64, color: Color32) {
    let share = (reach(row).unwrap_or(0.0) / most).min(1.0);
    let left = area.left() + 6.0;
    let right = left + (area.width() - 12.0).max(0.0) * share as f32;
    let line = Rect::from_min_max(
        pos2(left, area.bottom() - 3.0),
        pos2(right, area.bottom() - 1.0),
    );
    painter.rect_filled(line, 0.0, theme::faded(color, 0.7));
}

/// Size, stride and offset as texts.
fn numbers(row: &Row) -> [String; 3] {
    let none = || "–".to_owned();
    let Some(field) = &row.receptive_field else {
        return [none(), none(), none()];
    };
    let Some(grid) = &row.grid else {
        return ["all".to_owned(), none(), none()];
    };
    let strides: Vec<String> = grid.iter().map(|axis| axis.stride.to_string()).collect();
    let offsets: Vec<String> = grid.iter().map(|axis| axis.offset.to_string()).collect();
    [compact(field), compact(&strides), compact(&offsets)]
}
