//! The decoder's response to a constant code as a picture, and a few periods of its pattern enlarged.

use super::GAP;
use crate::theme;
use crate::widgets::first_fitting;
use crate::widgets::raster::Sheet;
use eframe::egui::{
    Align2, FontId, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::state::State;
use strata_design::checkerboard::Response;

const CAPTION: f32 = 18.0;
/// Cells of the enlarged pattern at least: enough periods for that.
const CELLS: usize = 8;
/// A texture's side at most.
const MOST: usize = 1024;

/// The textures.
pub(super) struct Drawn {
    whole: Sheet,
    pattern: Sheet,
}

/// Shows both.
pub(super) fn show(
    ui: &mut Ui,
    area: Rect,
    response: &Response,
    uneven: bool,
    drawn: &mut Option<Drawn>,
) {
    let drawn = drawn.get_or_insert_with(|| Drawn::new(ui, response));
    let (left, right) = area.split_left_right_at_fraction(0.58);
    let left = left.with_max_x(left.right() - GAP);
    let right = Rect::from_min_max(right.min + vec2(GAP, 0.0), right.max);
    let (height, width) = (response.rows.len(), response.columns.len());
    let what = if response.from_input {
        "a constant input"
    } else {
        "a constant code"
    };
    let whole = picture(
        ui,
        left,
        [
            &format!("{what} becomes {height}×{width}"),
            &format!("{height}×{width}"),
        ],
        &drawn.whole,
    );
    let [tall, wide] = response.period();
    let every = format!("repeats every {tall}×{wide}");
    let caption = match response.has_pattern() {
        true => [every.as_str(), "repeats"],
        false if uneven => ["evened out later", "even"],
        false => ["no pattern", "even"],
    };
    let close = picture(ui, right, caption, &drawn.pattern);
    let strength = response.strength();
    let times = if strength.is_finite() {
        format!("{strength:.2}")
    } else {
        "∞".to_owned()
    };
    let middle = if response.averaged {
        "; where branches meet, their mean"
    } else {
        ""
    };
    label(
        ui,
        whole,
        "whole",
        &format!(
            "Response to {what}: {height} by {width}, every weight equal{middle}. Darker edges come from the zeros of the padding"
        ),
    );
    label(
        ui,
        close,
        "close",
        &format!(
            "Pattern far from the edges, enlarged: lightest over darkest {times}, from black to white"
        ),
    );
}

/// Says what a picture shows, on hover and to a screen reader.
fn label(ui: &mut Ui, rect: Rect, name: &str, text: &str) {
    let response = ui.interact(rect, ui.scope_id().with(name), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text));
    response.on_hover_text(text);
}

/// A picture below its caption, or the shorter one where that has no room.
fn picture(ui: &Ui, area: Rect, captions: [&str; 2], sheet: &Sheet) -> Rect {
    let colors = theme::palette(ui);
    let painter = ui.painter().with_clip_rect(area.intersect(ui.clip_rect()));
    let font = FontId::proportional(theme::SMALL);
    let words = first_fitting(ui, &captions, font, colors.weak, area.width());
    painter.galley(area.min, words, colors.weak);
    let room = Rect::from_min_max(area.min + vec2(0.0, CAPTION), area.max);
    let [height, width] = sheet.size.map(|side| side as f32);
    let scale = (room.width() / width).min(room.height() / height);
    // Whole pixels for each cell, where there is room: a pattern would come from the scaling.
    let scale = if scale > 1.0 { scale.floor() } else { scale };
    let tall = (height * scale).max(if height == 1.0 {
        40.0f32.min(room.height())
    } else {
        0.0
    });
    let rect = Rect::from_min_size(room.min, vec2(width * scale, tall));
    sheet.paint(&painter, 0, rect);
    painter.rect_stroke(rect, 0.0, Stroke::new(1.0, colors.line), StrokeKind::Inside);
    rect
}

impl Drawn {
    fn new(ui: &Ui, response: &Response) -> Drawn {
        let top = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        // The corner of what is too large for a texture.
        let [rows, columns] =
            [&response.rows, &response.columns].map(|values| &values[..values.len().min(MOST)]);
        let most = top(&response.rows) * top(&response.columns);
        let whole = sheet(ui, "checkerboard", rows, columns, [0.0, most]);
        let close = response.pattern.each_ref().map(|axis| {
            let count = (axis.len() * 2)
                .max(CELLS)
                .next_multiple_of(axis.len())
                .min(MOST);
            axis.iter()
                .copied()
                .cycle()
                .take(count)
                .collect::<Vec<f64>>()
        });
        let low = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let [rows, columns] = [
            if response.rows.len() == 1 {
                &[1.0]
            } else {
                close[0].as_slice()
            },
            &close[1],
        ];
        let range = match response.has_pattern() {
            true => [low(rows) * low(columns), top(rows) * top(columns)],
            false => [0.0, 1.5],
        };
        Drawn {
            whole,
            pattern: sheet(ui, "checkerboard pattern", rows, columns, range),
        }
    }
}

/// The outer product in grey, from black at the range's beginning to white at its end.
fn sheet(ui: &Ui, name: &str, rows: &[f64], columns: &[f64], [low, high]: [f64; 2]) -> Sheet {
    let span = if high > low { high - low } else { 1.0 };
    let grey = |value: f64| ((value - low) / span * 255.0).clamp(0.0, 255.0) as u8;
    let pixel = |row: f64, column: f64| [grey(row * column); 3].into_iter().chain([255]);
    let rgba: Vec<u8> = rows
        .iter()
        .flat_map(|&row| columns.iter().flat_map(move |&column| pixel(row, column)))
        .collect();
    Sheet::new(ui.ctx(), name, [rows.len(), columns.len()], 1, |_| {
        rgba.clone()
    })
}

/// Where the decoder has an error or is too large.
pub(super) fn missing(ui: &Ui, area: Rect, state: &State) {
    let colors = theme::palette(ui);
    let broken = state.shown.inference.errors().next();
    let text = match broken {
        Some((row, _)) => format!("No picture yet: mend {} first.", row.place.in_words()),
        None => {
            "No picture: no decoder, or an output\nthat is a vector or longer than 4096.".to_owned()
        }
    };
    let at = pos2(area.left(), area.top());
    ui.painter().text(
        at,
        Align2::LEFT_TOP,
        text,
        FontId::proportional(theme::SMALL),
        colors.weak,
    );
}
