//! The layer's map as a grid of cells, to choose one: by a click, or with the arrow keys.

use super::chosen::{Chosen, times};
use super::{MARGIN, captioned, cell_rect, fitted, told};
use crate::theme;
use crate::widgets::keep_arrows;
use eframe::egui::{Key, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

/// Lines between cells closer than this would be a grey plane.
const LEAST: f32 = 4.0;

/// Shows the map and moves the cell.
pub(super) fn show(ui: &mut Ui, area: Rect, chosen: &mut Chosen) {
    let Some(sizes) = chosen.map() else {
        return vector(ui, area, chosen);
    };
    let sides = chosen
        .seen
        .as_ref()
        .map(|seen| times(&seen.map))
        .unwrap_or_default();
    let at = chosen.cell_in_words();
    let word = if chosen.cell.len() > 2 { "" } else { "map " };
    let caption = format!("{word}{sides}, cell {at}");
    let inner = captioned(ui, area, &caption);
    let grid = fitted(
        Rect::from_min_max(inner.min + vec2(0.0, MARGIN), inner.max),
        sizes,
    );
    let response = ui.interact(grid, ui.scope_id().with("map"), Sense::click_and_drag());
    response.widget_info(|| {
        WidgetInfo::labeled(
            Role::Canvas,
            true,
            format!("Map of {}, cell {at} of {sides}", chosen.place),
        )
    });
    paint(ui, grid, sizes, chosen, &response);
    let under = |at: eframe::egui::Pos2| {
        let share = (at - grid.min) / grid.size();
        [share.y, share.x]
            .iter()
            .zip(sizes)
            .map(|(share, n)| ((share * n as f32) as usize).min(n - 1))
            .collect::<Vec<_>>()
    };
    if response.is_pointer_button_down_on() || response.clicked() {
        response.request_focus();
        if let Some([row, column]) = response.interact_pointer_pos().map(under).as_deref() {
            chosen.go([*row, *column]);
        }
    }
    keys(ui, &response, sizes, chosen);
    if let Some(cell) = response.hover_pos().map(under) {
        let at = if chosen.is_strip() {
            (cell[1] + 1).to_string()
        } else {
            format!("row {}, column {}", cell[0] + 1, cell[1] + 1)
        };
        response.on_hover_text_at_pointer(format!("{at}\nClick, or move with the arrow keys"));
    }
}

fn paint(
    ui: &Ui,
    grid: Rect,
    sizes @ [height, width]: [usize; 2],
    chosen: &Chosen,
    response: &Response,
) {
    let colors = theme::palette(ui);
    let painter = ui.painter();
    painter.rect_filled(grid, 0.0, colors.raised);
    let line = Stroke::new(1.0, colors.line);
    if grid.width() / width as f32 >= LEAST {
        let x = |column: usize| grid.left() + grid.width() * column as f32 / width as f32;
        (1..width).for_each(|column| _ = painter.vline(x(column), grid.y_range(), line));
    }
    if grid.height() / height as f32 >= LEAST {
        let y = |row: usize| grid.top() + grid.height() * row as f32 / height as f32;
        (1..height).for_each(|row| _ = painter.hline(grid.x_range(), y(row), line));
    }
    let frame = if response.has_focus() {
        Stroke::new(1.5, colors.accent)
    } else {
        Stroke::new(1.0, colors.weak)
    };
    painter.rect_stroke(grid, 0.0, frame, StrokeKind::Outside);
    let [row, column] = chosen.position().map(|at| (at as i64, at as i64));
    let cell = cell_rect(grid, sizes, [row, column]);
    let cell = Rect::from_center_size(cell.center(), cell.size().max(vec2(3.0, 3.0)));
    painter.rect_filled(cell, 0.0, colors.accent);
}

fn keys(ui: &Ui, response: &Response, [height, width]: [usize; 2], chosen: &mut Chosen) {
    if !response.has_focus() {
        return;
    }
    keep_arrows(response);
    let [row, column] = chosen.position();
    let moved = |key: Key| match key {
        Key::ArrowUp => [row.saturating_sub(1), column],
        Key::ArrowDown => [(row + 1).min(height - 1), column],
        Key::ArrowLeft => [row, column.saturating_sub(1)],
        _ => [row, (column + 1).min(width - 1)],
    };
    let arrows = [
        Key::ArrowUp,
        Key::ArrowDown,
        Key::ArrowLeft,
        Key::ArrowRight,
    ];
    let pressed = |key: Key| ui.input(|input| input.key_pressed(key) && input.modifiers.is_none());
    if let Some(key) = arrows.into_iter().find(|&key| pressed(key)) {
        chosen.go(moved(key));
    }
    for (key, by) in [(Key::PageUp, -1), (Key::PageDown, 1)] {
        if pressed(key) {
            chosen.go_deeper(by);
        }
    }
}

/// A vector has no cells to choose from, and a layer behind an error no map.
fn vector(ui: &Ui, area: Rect, chosen: &Chosen) {
    let text = match &chosen.seen {
        Some(_) => "A vector: each of its values sees the whole input.",
        None => "No map: an error stands here or before it.",
    };
    told(ui, captioned(ui, area, "map"), text);
}
