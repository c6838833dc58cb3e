//! The layer as a sparse matrix, or its transpose: entries in the colours of their weights.

use super::set;
use crate::theme;
use crate::widgets::empty;
use eframe::egui::{
    Align2, Color32, Id, Label, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};
use strata_app::action::Action;
use strata_app::lens::LensSettings;
use strata_design::layer_math::{Entry, Lens, Matrix, Sample, Way, number};
use strata_inspect::maps::viridis;

/// The largest side of an entry.
const LARGEST: f32 = 22.0;
/// Room for the words beside the matrix.
const BESIDE: f32 = 208.0;

/// Shows the matrix with its key to the right.
pub(super) fn show(ui: &mut Ui, lens: &Lens, settings: LensSettings, actions: &mut Vec<Action>) {
    let (sample, matrix) = match (&lens.sample, &lens.matrix) {
        (Ok(sample), Some(matrix)) => (sample, matrix),
        (Ok(_), None) => {
            return empty(
                ui,
                "This layer is no matrix",
                "It is not linear: no fixed matrix gives its output for every input.",
            );
        }
        (Err(why), _) => return empty(ui, "No matrix of this", why),
    };
    let turned = settings.transposed.then(|| matrix.transposed());
    let shown = turned.as_ref().unwrap_or(matrix);
    let area = ui.available_rect_before_wrap();
    let (left, right) = area.split_left_right_at_x((area.right() - BESIDE).max(area.center().x));
    let place = fitted(shown, left.shrink2(vec2(6.0, 10.0)));
    let response = ui.interact(place, Id::unique("lens matrix"), Sense::hover());
    let name = format!(
        "Matrix of {} rows and {} columns",
        shown.rows, shown.columns
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name.clone()));
    let hovered = response
        .hover_pos()
        .and_then(|at| entry_at(shown, place, at));
    paint(ui, shown, sample, place, hovered);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("matrix key").max_rect(right));
    key(&mut inner, lens, sample, shown, settings, actions);
    if let Some((row, column)) = hovered {
        say(response, sample, shown, settings.transposed, row, column);
    }
}

/// The matrix's place: as large as fits, with square entries.
fn fitted(matrix: &Matrix, area: Rect) -> Rect {
    let side = (area.width() / matrix.columns.max(1) as f32)
        .min(area.height() / matrix.rows.max(1) as f32)
        .min(LARGEST);
    let side = if side >= 2.0 { side.floor() } else { side };
    Rect::from_center_size(
        area.center(),
        vec2(matrix.columns as f32, matrix.rows as f32) * side,
    )
}

fn entry_at(matrix: &Matrix, place: Rect, at: eframe::egui::Pos2) -> Option<(usize, usize)> {
    let inside = (at - place.min) / place.size();
    let index = |share: f32, count: usize| (share * count as f32) as usize;
    let (row, column) = (
        index(inside.y, matrix.rows),
        index(inside.x, matrix.columns),
    );
    (row < matrix.rows && column < matrix.columns).then_some((row, column))
}

/// A paler colour for a weight that is 0.
fn shade(sample: &Sample, weight: usize) -> Color32 {
    let fill = color(sample, weight);
    if sample
        .weights
        .get(weight)
        .is_some_and(|weight| *weight == 0.0)
    {
        theme::faded(fill, 0.35)
    } else {
        fill
    }
}

/// The colour of a weight: its place among the weights on viridis, without its darkest end.
fn color(sample: &Sample, weight: usize) -> Color32 {
    let last = sample.weights.len().saturating_sub(1).max(1) as f32;
    let [r, g, b] = viridis(if sample.weights.len() == 1 {
        0.55
    } else {
        0.15 + 0.85 * weight as f32 / last
    });
    Color32::from_rgb(r, g, b)
}

fn paint(ui: &Ui, matrix: &Matrix, sample: &Sample, place: Rect, hovered: Option<(usize, usize)>) {
    let (colors, painter) = (theme::palette(ui), ui.painter());
    let side = place.width() / matrix.columns.max(1) as f32;
    let at = |row: usize, column: usize| {
        Rect::from_min_size(
            place.min + vec2(column as f32, row as f32) * side,
            vec2(side, side),
        )
    };
    painter.rect_filled(place, 0.0, colors.raised);
    if let Some((row, column)) = hovered {
        let lit = theme::faded(colors.accent, 0.18);
        painter.rect_filled(at(row, 0).union(at(row, matrix.columns - 1)), 0.0, lit);
        painter.rect_filled(at(0, column).union(at(matrix.rows - 1, column)), 0.0, lit);
    }
    let line = Stroke::new(1.0, theme::faded(colors.weak, 0.35));
    for row in (0..matrix.rows).step_by(matrix.block[0].max(1)).skip(1) {
        painter.hline(place.x_range(), at(row, 0).top(), line);
    }
    for column in (0..matrix.columns).step_by(matrix.block[1].max(1)).skip(1) {
        painter.vline(at(0, column).left(), place.y_range(), line);
    }
    let gap = if side > 6.0 { 0.5 } else { 0.0 };
    for entry in &matrix.entries {
        let (rect, fill) = (
            at(entry.row, entry.column).shrink(gap),
            shade(sample, entry.weight),
        );
        painter.rect_filled(rect, 0.0, fill);
        if side >= 15.0 {
            painter.text(
                rect.center(),
                Align2::CENTER_CENTER,
                short(entry),
                theme::digits(side * 0.45),
                ink(ui, fill),
            );
        }
    }
    painter.rect_stroke(
        place,
        0.0,
        Stroke::new(1.0, colors.weak),
        StrokeKind::Outside,
    );
    if let Some((row, column)) = hovered {
        painter.rect_stroke(
            at(row, column),
            0.0,
            Stroke::new(1.5, colors.strong),
            StrokeKind::Outside,
        );
    }
}

fn short(entry: &Entry) -> String {
    let text = number(entry.value);
    if text.chars().count() > 4 {
        text.chars().take(4).collect()
    } else {
        text
    }
}

/// Dark letters on light colours and light ones on dark colours; on pale ones those of the theme.
fn ink(ui: &Ui, fill: Color32) -> Color32 {
    if fill.a() < 255 {
        return theme::palette(ui).text;
    }
    let light = 0.3 * f32::from(fill.r()) + 0.59 * f32::from(fill.g()) + 0.11 * f32::from(fill.b());
    if light > 120.0 {
        Color32::BLACK
    } else {
        Color32::WHITE
    }
}

/// What the matrix is, the switch to its transpose, and the weights with their colours.
fn key(
    ui: &mut Ui,
    lens: &Lens,
    sample: &Sample,
    shown: &Matrix,
    settings: LensSettings,
    actions: &mut Vec<Action>,
) {
    let colors = *theme::palette(ui);
    ui.spacing_mut().item_spacing.y = 4.0;
    let mut transposed = settings.transposed;
    let hover = "Rows and columns exchanged: the matrix that carries gradients back";
    if ui
        .checkbox(&mut transposed, "transposed")
        .on_hover_text(hover)
        .accessible_name("Transposed matrix")
        .changed()
    {
        actions.push(set(LensSettings {
            transposed,
            ..settings
        }));
    }
    let full = shown.rows * shown.columns;
    let name = if transposed { "A transposed" } else { "A" };
    let size = format!(
        "{name} is {}×{}; {} of {full} entries are filled",
        shown.rows,
        shown.columns,
        shown.entries.len()
    );
    ui.add(Label::new(RichText::new(size).color(colors.text)).wrap());
    let small =
        |text: String| Label::new(RichText::new(text).size(theme::SMALL).color(colors.weak)).wrap();
    ui.add(small(meaning(lens, sample, transposed)));
    if let (Some(input), Some(output), false) = (&lens.input, &lens.output, transposed) {
        let [rows, columns] =
            [output, input].map(|shape| strata_core::format::count(shape.elements()));
        ui.add(small(format!(
            "The layer's own matrix, all channels, is {rows}×{columns}."
        )));
    }
    weights(ui, sample);
}

/// What multiplying with the matrix does.
fn meaning(lens: &Lens, sample: &Sample, transposed: bool) -> String {
    let partner = lens.partner.as_ref();
    match (sample.way, transposed) {
        (Way::Max, false) => {
            "For these numbers: each row selects the winner of its window. Other numbers, another matrix.".into()
        }
        (Way::Max, true) => "The gradient of an output goes back to the winner alone.".into(),
        (_, false) if lens.partner.is_some() => toeplitz(sample, lens),
        (_, false) => "output = A · input, cells in reading order.".into(),
        (_, true) => match partner {
            Some(partner) => {
                format!("It leads back to the input's size: it is the layer {partner} with the same weights.")
            }
            None => "It leads back to the input's size: it carries the gradient.".into(),
        },
    }
}

/// What the matrix of a convolution is called.
fn toeplitz(sample: &Sample, lens: &Lens) -> String {
    let word = if sample.input.rows > 1 || sample.output.rows > 1 {
        "doubly block Toeplitz"
    } else {
        "Toeplitz"
    };
    let rows = if sample.way == Way::Scatter {
        "columns"
    } else {
        "rows"
    };
    match lens.strided {
        false => format!(
            "output = A · input, cells in reading order. A is {word}: every diagonal is one weight."
        ),
        true => format!(
            "output = A · input, cells in reading order. A is {word}, with the {rows} left out that the stride skips."
        ),
    }
}

/// The kernel in the colours of the matrix.
fn weights(ui: &mut Ui, sample: &Sample) {
    let Some([rows, columns]) = sample.kernel.filter(|[rows, columns]| rows * columns <= 64) else {
        return;
    };
    let area = ui.available_rect_before_wrap();
    let side = (area.width() / columns as f32)
        .min((area.height() - 4.0) / rows as f32)
        .min(26.0)
        .floor();
    if side < 8.0 {
        return;
    }
    for weight in 0..rows * columns {
        let corner = pos2(
            area.left() + (weight % columns) as f32 * side,
            area.top() + (weight / columns) as f32 * side,
        );
        let rect = Rect::from_min_size(corner, vec2(side, side)).shrink(0.5);
        let fill = shade(sample, weight);
        ui.painter().rect_filled(rect, 1.0, fill);
        let text = number(sample.weights.get(weight).copied().unwrap_or(0.0));
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            text,
            theme::digits((side * 0.45).max(7.0)),
            ink(ui, fill),
        );
    }
}

/// Names the entry under the pointer.
fn say(
    response: Response,
    sample: &Sample,
    matrix: &Matrix,
    transposed: bool,
    row: usize,
    column: usize,
) {
    let (output, input) = if transposed {
        (column, row)
    } else {
        (row, column)
    };
    let place = format!(
        "output {}, input {}",
        sample.output.name(output),
        sample.input.name(input)
    );
    let what = match matrix.entry(row, column) {
        Some(entry) if sample.kernel.is_some() => {
            format!(
                "{} = {}",
                sample.weight_name(entry.weight),
                number(entry.value)
            )
        }
        Some(entry) => number(entry.value),
        None => "0: this output does not see this input".into(),
    };
    response.on_hover_text_at_pointer(format!("{place}\n{what}"));
}
