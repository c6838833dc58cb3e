//! The sanity check: the same maps after the weights of one layer after another were drawn anew.

use super::cards::{BAR, scale};
use crate::theme;
use crate::widgets::raster::Sheet;
use crate::widgets::{elided, first_fitting, plain};
use eframe::egui::{FontId, Rect, Role, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use strata_core::format;
use strata_inspect::curve;
use strata_inspect::map_look::MapLook;
use strata_inspect::maps::{SIGNAL, signal_rgba};
use strata_inspect::picture::image_rgba;
use strata_inspect::saliency::{Randomised, Saliency};

const GAP: f32 = 6.0;
/// The two lines above each column.
const HEAD: f32 = 36.0;
/// Width of a picture, at least and at most; and of a signal's.
const SIDES: [f32; 2] = [56.0, 128.0];
const SIGNAL_SIDES: [f32; 2] = [160.0, 320.0];

/// A picture of each image: itself, its map, and its map after each layer. A signal is drawn over its maps.
pub(super) fn sheet(ui: &Ui, saliency: &Saliency) -> Sheet {
    let columns = columns(saliency);
    let count = columns * rows(saliency);
    let look = MapLook::default();
    let map = |index: usize, column: usize| match check_of(saliency, column) {
        Some(check) => saliency.checked_map(check, index),
        None => saliency.map(index).to_vec(),
    };
    if saliency.are_signals() {
        let range = curve::fitted(&saliency.inputs, curve::BYTES);
        let rgba = |place: usize| {
            let index = place / columns;
            let map = map(index, place % columns);
            let signal = (saliency.input(index), saliency.channels);
            signal_rgba(signal, &map, range, (&look, look.limit(&map)))
        };
        return Sheet::smooth(ui.ctx(), "sanity check", SIGNAL, count, rgba);
    }
    let rgba = |place: usize| {
        let (index, column) = (place / columns, place % columns);
        if column == 0 {
            return image_rgba(saliency.input(index), saliency.channels);
        }
        let map = map(index, column);
        look.map_rgba(&map, look.limit(&map))
    };
    let size = [saliency.height, saliency.width];
    Sheet::new(ui.ctx(), "sanity check", size, count, rgba)
}

/// Columns before the checks: the image and its map; a signal is drawn over its map.
fn before(saliency: &Saliency) -> usize {
    if saliency.are_signals() { 1 } else { 2 }
}

fn columns(saliency: &Saliency) -> usize {
    before(saliency) + saliency.checks.len()
}

/// The check whose maps are in this column.
fn check_of(saliency: &Saliency, column: usize) -> Option<&Randomised> {
    saliency.checks.get(column.checked_sub(before(saliency))?)
}

/// Images that all checks have come to.
fn rows(saliency: &Saliency) -> usize {
    let checked = saliency.checks.iter().map(|check| check.correlations.len());
    checked.min().unwrap_or(0).min(saliency.answers.len())
}

/// What stands above a column: what its maps are of, and how alike they are.
fn head(saliency: &Saliency, column: usize) -> [String; 2] {
    match check_of(saliency, column) {
        None if column + 1 < before(saliency) => ["image".to_owned(), String::new()],
        None => ["trained".to_owned(), String::new()],
        Some(check) => [
            plain(&check.layer),
            format!("ρ {}", format::short(check.correlation().into(), 2)),
        ],
    }
}

/// Shows all of it.
pub(super) fn show(ui: &mut Ui, saliency: &Saliency, sheet: &Sheet) {
    let (columns, rows) = (columns(saliency), rows(saliency));
    let (ratio, [least, most]) = match saliency.are_signals() {
        true => (SIGNAL[0] as f32 / SIGNAL[1] as f32, SIGNAL_SIDES),
        false => (saliency.height as f32 / saliency.width.max(1) as f32, SIDES),
    };
    let area = ui.available_rect_before_wrap();
    let (maps, bar) = area.split_left_right_at_x(area.right() - BAR);
    // Each map by its own largest value.
    scale(ui, bar, &[], &MapLook::default());
    let room = maps.width() - 16.0;
    let side = (room / columns as f32 - GAP).clamp(least, most).floor();
    let pitch = vec2(side + GAP, side * ratio + GAP);
    let size = vec2(columns as f32 * pitch.x, HEAD + rows as f32 * pitch.y);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("sanity check").max_rect(maps));
    let scroll = ScrollArea::both().auto_shrink(false);
    scroll.show(&mut inner, |ui| {
        let (area, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, described(saliency)));
        let colors = theme::palette(ui);
        for column in 0..columns {
            let x = area.left() + column as f32 * pitch.x;
            let [name, likeness] = head(saliency, column);
            let font = FontId::proportional(theme::SMALL);
            // The text alone tells more than the beginning of the whole name.
            let text = check_of(saliency, column).and_then(|check| check.layer.split('`').nth(1));
            let names = [name.as_str(), text.unwrap_or(&name)];
            let name = first_fitting(ui, &names, font, colors.text, side);
            ui.painter().galley(pos2(x, area.top()), name, colors.text);
            let likeness = elided(
                ui,
                &likeness,
                theme::digits(theme::SMALL),
                colors.weak,
                side,
            );
            let below = pos2(x, area.top() + HEAD / 2.0 - 1.0);
            ui.painter().galley(below, likeness, colors.weak);
            for row in 0..rows {
                let at = pos2(x, area.top() + HEAD + row as f32 * pitch.y);
                let to = Rect::from_min_size(at, vec2(side, side * ratio));
                sheet.paint(ui.painter(), row * columns + column, to);
            }
        }
        let inside = response
            .hover_pos()
            .map(|at| at - area.min - vec2(0.0, HEAD));
        let found = inside
            .filter(|at| at.y >= 0.0)
            .map(|at| [at.y / pitch.y, at.x / pitch.x].map(|cell| cell as usize));
        if let Some([row, column]) = found.filter(|[row, column]| *row < rows && *column < columns)
        {
            response.on_hover_text_at_pointer(sentence(saliency, row, column));
        }
    });
}

fn sentence(saliency: &Saliency, row: usize, column: usize) -> String {
    let noun = if saliency.are_signals() {
        "signal"
    } else {
        "image"
    };
    let image = format!("{noun} {}", row + 1);
    let check = check_of(saliency, column);
    let correlation = check.and_then(|check| check.correlations.get(row));
    match (check, correlation) {
        (Some(check), Some(correlation)) => format!(
            "{image}, with the weights of {} and of all layers behind it drawn anew\nrank correlation with the trained map {}",
            plain(&check.layer),
            format::short((*correlation).into(), 3)
        ),
        _ if column + 1 < before(saliency) => image,
        _ => format!("{image}, with the trained weights"),
    }
}

/// What a screen reader says of it.
fn described(saliency: &Saliency) -> String {
    let one = |check: &Randomised| {
        format!(
            "{}: {}",
            plain(&check.layer),
            format::short(check.correlation().into(), 2)
        )
    };
    let all: Vec<String> = saliency.checks.iter().map(one).collect();
    format!("sanity check, rank correlations {}", all.join(", "))
}
