//! The filters side by side: marked, switched off and on by the mouse and by keys.

use super::Drawn;
use super::choice::FilterChoice;
use crate::theme;
use crate::widgets::keep_arrows;
use eframe::egui::{Key, Rect, Response, Sense, Stroke, StrokeKind, Ui, Vec2, vec2};
use strata_core::format;
use strata_inspect::filters::Flag;
use strata_inspect::filters::study::FilterStudy;

const GAP: f32 = 6.0;
/// Between two filters of volumes, in pixels of their pictures.
const APART: f32 = 2.0;
/// The side of a square filter, at most; wide and tall ones are as large.
const LARGEST: f32 = 240.0;

/// The filters side by side; a click or the space bar switches one off or on.
pub(super) fn grid(
    ui: &mut Ui,
    drawn: &Drawn,
    space: Vec2,
    cursor: &mut usize,
    choice: &mut FilterChoice,
) {
    let filters = &drawn.filters;
    let count = drawn.order.len();
    let [height, across] = drawn.sheet.size.map(|side| side.max(1) as f32);
    // The slices of a volume's filter lie a pixel apart: filters lie further apart than that.
    let apart = if filters.slices > 1 { APART } else { 0.0 };
    let ratio = (height + apart) / (across + apart);
    let (columns, width) = arrangement(count, ratio, space);
    let cell = vec2(width, width * ratio);
    let rows = count.div_ceil(columns);
    let size = vec2(
        columns as f32 * (cell.x + GAP),
        rows as f32 * (cell.y + GAP),
    );
    let (area, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        let what = if filters.are_templates {
            "templates"
        } else {
            "filters"
        };
        let off = match choice.off.len() {
            0 => String::new(),
            off => format!(", {off} off"),
        };
        let text = format!("{count} {what} of {}{off}", filters.layer);
        eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Image, true, text)
    });
    let place = |index: usize| {
        let at = vec2(
            (index % columns) as f32 * (cell.x + GAP),
            (index / columns) as f32 * (cell.y + GAP),
        );
        let picture = vec2(across, height) / (vec2(across, height) + Vec2::splat(apart));
        Rect::from_min_size(area.min + at, cell * picture)
    };
    let mut painter = ui.painter().clone();
    painter.shrink_clip_rect(ui.clip_rect());
    let marks = drawn.of.study().map(FilterStudy::flags).unwrap_or_default();
    let colors = theme::palette(ui);
    for (at, &index) in drawn.order.iter().enumerate() {
        drawn.sheet.paint(&painter, index, place(at));
        if marks.get(index).is_some_and(|flags| !flags.is_empty()) {
            let corner = place(at).right_top() + vec2(-4.0, 4.0);
            painter.circle(corner, 3.5, colors.second, Stroke::new(1.0, colors.back));
        }
        if choice.off.contains(&(index as u32)) {
            painter.rect_filled(place(at), 0.0, colors.back.gamma_multiply(0.6));
            let stroke = Stroke::new(2.0, colors.wrong);
            painter.line_segment([place(at).left_top(), place(at).right_bottom()], stroke);
            painter.line_segment([place(at).right_top(), place(at).left_bottom()], stroke);
        }
    }
    let is_within = |at: &usize, point| place(*at).contains(point);
    let clicked = response
        .interact_pointer_pos()
        .filter(|_| response.clicked());
    if let Some(at) = clicked.and_then(|point| (0..count).find(|at| is_within(at, point))) {
        *cursor = at;
        choice.turn(drawn.order[at] as u32);
        response.request_focus();
    }
    keys(
        ui,
        &response,
        [count, columns],
        cursor,
        choice,
        &drawn.order,
    );
    let hovered = response.hover_pos();
    let hovered = hovered.and_then(|point| (0..count).find(|at| is_within(at, point)));
    let reached = response
        .has_focus()
        .then_some(*cursor)
        .filter(|at| *at < count);
    let stroke = Stroke::new(1.5, colors.accent);
    for at in hovered.into_iter().chain(reached) {
        painter.rect_stroke(place(at), 0.0, stroke, StrokeKind::Outside);
    }
    if let Some(at) = hovered.or(reached.filter(|_| response.hovered())) {
        response.on_hover_text_at_pointer(describe(drawn, drawn.order[at], &marks));
    }
}

/// The arrows move from filter to filter, the space bar switches the one that is reached.
fn keys(
    ui: &Ui,
    response: &Response,
    [count, columns]: [usize; 2],
    cursor: &mut usize,
    choice: &mut FilterChoice,
    order: &[usize],
) {
    if !response.has_focus() || count == 0 {
        return;
    }
    keep_arrows(response);
    let pressed = |key: Key| ui.input(|input| input.key_pressed(key) && input.modifiers.is_none());
    let at = (*cursor).min(count - 1);
    let moves = [
        (Key::ArrowLeft, at.saturating_sub(1)),
        (Key::ArrowRight, (at + 1).min(count - 1)),
        (Key::ArrowUp, at.checked_sub(columns).unwrap_or(at)),
        (
            Key::ArrowDown,
            if at + columns < count {
                at + columns
            } else {
                at
            },
        ),
    ];
    *cursor = moves
        .into_iter()
        .find(|(key, _)| pressed(*key))
        .map_or(at, |(_, to)| to);
    if pressed(Key::Space) || pressed(Key::Enter) {
        choice.turn(order[*cursor] as u32);
    }
}

/// Columns and cell width so that as much as possible is seen without scrolling, each as large as the tile has room for,
/// between 16 points and [`LARGEST`]; of several ways the one with the fewest gaps.
fn arrangement(count: usize, ratio: f32, space: Vec2) -> (usize, f32) {
    let count = count.max(1);
    // Bounded by the tile's width or by its height.
    let width = |columns: usize| {
        let across = space.x / columns as f32 - GAP;
        let down = space.y / count.div_ceil(columns) as f32 - GAP;
        across
            .min(down / ratio.max(f32::EPSILON))
            .min(LARGEST / ratio.max(f32::EPSILON).sqrt())
            .floor()
    };
    let best = (1..=count)
        .map(|columns| (columns, width(columns)))
        .max_by(|a, b| {
            let gaps = |columns: usize| count.div_ceil(columns) * columns - count;
            let fuller = gaps(b.0).cmp(&gaps(a.0));
            a.1.total_cmp(&b.1).then(fuller).then(a.0.cmp(&b.0))
        });
    match best {
        Some((columns, width)) if width >= 16.0 => (columns, width),
        _ => ((space.x / (16.0 + GAP)).floor().max(1.0) as usize, 16.0),
    }
}

/// What is said of a filter under the pointer.
fn describe(drawn: &Drawn, index: usize, marks: &[Vec<Flag>]) -> String {
    let filters = &drawn.filters;
    let size = filters.size();
    let weights = filters.values.get(index * size..(index + 1) * size);
    let weights = weights.unwrap_or_default();
    let span = format::span(weights.iter().map(|&weight| f64::from(weight)));
    let span = span.map_or_else(
        || "none is finite".to_owned(),
        |ends| ends.map(|end| format::short(end, 3)).join(" … "),
    );
    let mut lines = vec![format!("filter {}", index + 1), format!("weights {span}")];
    let study = drawn.of.study();
    if let Some(measures) = study.and_then(|study| study.measures.get(index)) {
        let figure = |value: f32| format::short(value.into(), 3);
        lines.push(format!("norm {}", figure(measures.norm)));
        let nearest = measures.nearest;
        lines.extend(nearest.map(|(other, cosine)| {
            format!("most like filter {}: cosine {}", other + 1, figure(cosine))
        }));
        lines.extend(measures.activity.zip(measures.zeros).map(|(mean, zeros)| {
            format!(
                "mean activation {}, {:.1} % zero",
                figure(mean),
                100.0 * zeros
            )
        }));
    }
    let flags = marks.get(index).into_iter().flatten();
    lines.extend(flags.map(|flag| flag.sentence()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_arranged_to_be_seen_at_once() {
        let (columns, width) = arrangement(32, 1.0, vec2(240.0, 280.0));
        assert!(columns * (32usize.div_ceil(columns)) >= 32);
        assert!((32usize.div_ceil(columns)) as f32 * (width + GAP) <= 280.0);
        // They grow with the tile, and fill most of it.
        let width = |space: f32| arrangement(32, 1.0, vec2(space, 0.6 * space)).1;
        assert!(width(300.0) < width(600.0) && width(600.0) < width(1000.0));
        let (columns, width) = arrangement(20, 1.0, vec2(700.0, 420.0));
        let rows = 20usize.div_ceil(columns) as f32;
        assert!(rows * (width + GAP) <= 420.0 && columns as f32 * (width + GAP) <= 700.0);
        assert!(
            20.0 * width * width >= 0.6 * 700.0 * 420.0,
            "{columns} {width}"
        );
        assert_eq!(arrangement(4, 1.0, vec2(1000.0, 1000.0)).1, LARGEST);
        assert_eq!(arrangement(1000, 1.0, vec2(240.0, 100.0)).1, 16.0);
    }
}
