//! The map of the input, the window times the kernel, and the map of the output.

use super::table::Table;
use super::{CAPTION, Maps, plane};
use crate::panels::design::lens::{grid, set};
use crate::theme;
use eframe::egui::{
    Id, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::action::Action;
use strata_app::lens::LensSettings;
use strata_core::project::size::Shape;
use strata_design::layer_math::number;
use strata_inspect::pixel::{Part, Pixel, Term};

/// Between the parts.
const GAP: f32 = 28.0;

/// The height of a signal's map.
const BAND: f32 = 32.0;

/// Input map, window times kernel, output map.
pub(super) fn scene(
    ui: &mut Ui,
    area: Rect,
    pixel: &Pixel,
    part: Option<&Part>,
    maps: &Maps,
    settings: LensSettings,
    actions: &mut Vec<Action>,
) {
    let Some((_, channel, [input, output])) = &maps.0 else {
        return;
    };
    let table = part
        .filter(|part| !part.terms.is_empty())
        .map(|part| Table::new(pixel, part));
    let wide = table
        .as_ref()
        .map_or(0.0, |table| table.width().min(area.width() * 0.5));
    let side = (area.height() - CAPTION)
        .min((area.width() - wide - 2.0 * GAP) / 2.0)
        .clamp(8.0, 320.0);
    let total = 2.0 * side + wide + 2.0 * GAP;
    let (left, top) = (
        area.center().x - total / 2.0,
        area.top() + CAPTION + (area.height() - CAPTION - side).max(0.0) / 2.0,
    );
    let from = fitted(
        Rect::from_min_size(pos2(left, top), vec2(side, side)),
        input.size,
    );
    let to = fitted(
        Rect::from_min_size(pos2(left + total - side, top), vec2(side, side)),
        output.size,
    );
    input.paint(ui.painter(), 0, from);
    output.paint(ui.painter(), 0, to);
    let of = |name: &str, shape: &Shape, channel: usize| {
        if shape.rank() == 0 {
            format!("{name}, {shape}")
        } else {
            format!("{name}, channel {}", channel + 1)
        }
    };
    grid::caption(ui, from, &of("input", &pixel.input, *channel));
    grid::caption(ui, to, &of("output", &pixel.output, pixel.at[0]));
    let read = part
        .map(|part| marks(&part.terms, pixel, from))
        .unwrap_or(Rect::NOTHING);
    let place = if pixel.output.rank() == 0 {
        cell_of(pixel.at[0], to, output.size)
    } else {
        cell(pixel.at[2] as i64, pixel.at[3] as i64, to, output.size)
    };
    let accent = theme::palette(ui).accent;
    if let Some(table) = table {
        let room = Rect::from_min_max(
            pos2(left + side + GAP, area.top()),
            pos2(left + side + GAP + wide, area.bottom()),
        );
        let bounds = table.show(ui, room);
        grid::beam(ui.painter(), read, bounds, false, accent);
        grid::beam(ui.painter(), bounds, place, false, accent);
    }
    for rect in [read, place] {
        ui.painter().rect_stroke(
            rect.expand(1.0),
            0.0,
            Stroke::new(2.0, accent),
            StrokeKind::Outside,
        );
    }
    let response = ui.interact(to, Id::unique("lens output map"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Output map"));
    pick(response, pixel, to, output.size, settings, actions);
}

/// A click on the map chooses the value there.
fn pick(
    response: Response,
    pixel: &Pixel,
    to: Rect,
    size: [usize; 2],
    settings: LensSettings,
    actions: &mut Vec<Action>,
) {
    let at = |point: eframe::egui::Pos2| {
        let inside = (point - to.min) / to.size();
        let index = |share: f32, count: usize| {
            ((share * count as f32).max(0.0) as usize).min(count.saturating_sub(1))
        };
        let (row, column) = (index(inside.y, size[0]), index(inside.x, size[1]));
        let vector = [
            (row * size[1] + column).min(pixel.output.channels() - 1),
            0,
            0,
            0,
        ];
        if pixel.output.rank() == 0 {
            vector
        } else {
            [pixel.at[0], pixel.at[1], row, column]
        }
    };
    if let Some(point) = response
        .interact_pointer_pos()
        .filter(|_| response.clicked())
    {
        actions.push(set(LensSettings {
            at: Some(at(point)),
            ..settings
        }));
    }
    if let Some(point) = response.hover_pos() {
        let [channel, depth, row, column] = at(point);
        let value = pixel.maps[1].get(strata_inspect::pixel::flat(
            [channel, depth, row, column],
            &pixel.output,
        ));
        let place = if pixel.output.rank() == 0 {
            format!("unit {}", channel + 1)
        } else {
            format!("row {}, column {}", row + 1, column + 1)
        };
        let value = value.map_or_else(String::new, |value| number(f64::from(*value)));
        response.on_hover_text_at_pointer(format!(
            "{place}: {value}\nA click shows where it comes from"
        ));
    }
}

/// A rectangle of a picture's proportions inside of another; a map of a signal is a band that can be seen and clicked.
fn fitted(rect: Rect, [rows, columns]: [usize; 2]) -> Rect {
    let scale = (rect.width() / columns.max(1) as f32).min(rect.height() / rows.max(1) as f32);
    let size = vec2(columns as f32, rows as f32) * scale;
    let least = if rows == 1 {
        BAND.min(rect.height())
    } else {
        0.0
    };
    Rect::from_center_size(rect.center(), vec2(size.x, size.y.max(least)))
}

fn cell(row: i64, column: i64, map: Rect, [rows, columns]: [usize; 2]) -> Rect {
    let size = vec2(
        map.width() / columns.max(1) as f32,
        map.height() / rows.max(1) as f32,
    );
    Rect::from_min_size(
        map.min + vec2(column as f32 * size.x, row as f32 * size.y),
        size,
    )
}

fn cell_of(index: usize, map: Rect, size: [usize; 2]) -> Rect {
    cell(
        (index / size[1].max(1)) as i64,
        (index % size[1].max(1)) as i64,
        map,
        size,
    )
}

/// What of the input's map is read.
fn marks(terms: &[Term], pixel: &Pixel, map: Rect) -> Rect {
    let (rows, columns) = plane(&pixel.input);
    let one = |term: &Term| match pixel.input.rank() {
        0 => cell_of(
            pixel
                .parts
                .iter()
                .find(|part| part.terms.contains(term))
                .map_or(0, |part| part.channel),
            map,
            [rows, columns],
        ),
        _ => cell(term.at[1], term.at[2], map, [rows, columns]),
    };
    terms
        .iter()
        .map(one)
        .fold(Rect::NOTHING, |all, rect| all.union(rect))
}
