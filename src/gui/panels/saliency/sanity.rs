//! The sanity check: the same maps after the weights of one layer after another were drawn anew.

use crate::theme;
use crate::widgets::raster::Sheet;
use crate::widgets::{elided, plain};
use eframe::egui::{FontId, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use strata_core::format;
use strata_inspect::map_look::MapLook;
use strata_inspect::maps::SIGNAL;
use strata_inspect::picture::image_rgba;
use strata_inspect::saliency::Saliency;

const GAP: f32 = 6.0;
/// The two lines above each column.
const HEAD: f32 = 36.0;
const SIDES: [f32; 2] = [56.0, 128.0];

/// A picture of each image: itself, its map, and its map after each layer.
pub(super) fn sheet(ui: &Ui, saliency: &Saliency) -> Sheet {
    let columns = 2 + saliency.checks.len();
    let look = MapLook::default();
    let rgba = |place: usize| {
        let (index, column) = (place / columns, place % columns);
        let check = column.checked_sub(2).and_then(|at| saliency.checks.get(at));
        let map = match check {
            Some(check) => saliency.checked_map(check, index),
            None => saliency.map(index).to_vec(),
        };
        match column {
            0 => image_rgba(saliency.input(index), saliency.channels),
            _ => look.map_rgba(&map, look.limit(&map)),
        }
    };
    let size = [saliency.height, saliency.width];
    Sheet::new(
        ui.ctx(),
        "sanity check",
        size,
        columns * rows(saliency),
        rgba,
    )
}

/// Images that all checks have come to.
fn rows(saliency: &Saliency) -> usize {
    let checked = saliency.checks.iter().map(|check| check.correlations.len());
    checked.min().unwrap_or(0).min(saliency.answers.len())
}

/// What stands above a column: what its maps are of, and how alike they are.
fn head(saliency: &Saliency, column: usize) -> [String; 2] {
    match column.checked_sub(2).and_then(|at| saliency.checks.get(at)) {
        None if column == 0 => ["image".to_owned(), String::new()],
        None => ["trained".to_owned(), String::new()],
        Some(check) => [
            plain(&check.layer),
            format!("ρ {}", format::short(check.correlation().into(), 2)),
        ],
    }
}

/// Shows all of it.
pub(super) fn show(ui: &mut Ui, saliency: &Saliency, sheet: &Sheet) {
    let (columns, rows) = (2 + saliency.checks.len(), rows(saliency));
    let ratio = match saliency.are_signals() {
        true => SIGNAL[0] as f32 / SIGNAL[1] as f32,
        false => saliency.height as f32 / saliency.width.max(1) as f32,
    };
    let room = ui.available_width() - 16.0;
    let side = (room / columns as f32 - GAP)
        .clamp(SIDES[0], SIDES[1])
        .floor();
    let pitch = vec2(side + GAP, side * ratio + GAP);
    let size = vec2(columns as f32 * pitch.x, HEAD + rows as f32 * pitch.y);
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        let (area, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, described(saliency)));
        let colors = theme::palette(ui);
        for column in 0..columns {
            let x = area.left() + column as f32 * pitch.x;
            let [name, likeness] = head(saliency, column);
            let font = FontId::proportional(theme::SMALL);
            let name = elided(ui, &name, font, colors.text, side);
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
    let image = format!("image {}", row + 1);
    let check = column.checked_sub(2).and_then(|at| saliency.checks.get(at));
    let correlation = check.and_then(|check| check.correlations.get(row));
    match (check, correlation) {
        (Some(check), Some(correlation)) => format!(
            "{image}, with the weights of {} and of all layers behind it drawn anew\nrank correlation with the trained map {}",
            plain(&check.layer),
            format::short((*correlation).into(), 3)
        ),
        _ if column == 0 => image,
        _ => format!("{image}, with the trained weights"),
    }
}

/// What a screen reader says of it.
fn described(saliency: &Saliency) -> String {
    let one = |check: &strata_inspect::saliency::Randomised| {
        format!(
            "{}: {}",
            plain(&check.layer),
            format::short(check.correlation().into(), 2)
        )
    };
    let all: Vec<String> = saliency.checks.iter().map(one).collect();
    format!("sanity check, rank correlations {}", all.join(", "))
}
