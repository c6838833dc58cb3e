//! The curve of an elementwise function, with the point of the present step.

use crate::theme;
use eframe::egui::{Align2, Color32, Pos2, Rect, Shape, Stroke, Ui, pos2};
use strata_core::project::layer::Activation;
use strata_design::layer_math::number;

/// From where to where x goes.
const REACH: f64 = 3.5;

/// Draws the curve into a square in the middle of `area`; the point at `x` is marked.
pub(super) fn curve(ui: &Ui, area: Rect, activation: Activation, x: f64, color: Color32) {
    let colors = theme::palette(ui);
    let side = area.height().min(area.width());
    let square = Rect::from_center_size(area.center(), eframe::egui::vec2(side, side));
    let samples: Vec<(f64, f64)> = (0..=140)
        .map(|i| -REACH + 2.0 * REACH * f64::from(i) / 140.0)
        .map(|x| (x, activation.value(x)))
        .collect();
    let low = samples.iter().map(|(_, y)| *y).fold(0.0, f64::min) - 0.2;
    let high = samples.iter().map(|(_, y)| *y).fold(0.0, f64::max) + 0.2;
    let place = |(x, y): (f64, f64)| -> Pos2 {
        let across = (x + REACH) / (2.0 * REACH);
        let up = (y - low) / (high - low);
        pos2(
            square.left() + across as f32 * square.width(),
            square.bottom() - up as f32 * square.height(),
        )
    };
    let (painter, axis) = (ui.painter(), Stroke::new(1.0, colors.line));
    painter.hline(square.x_range(), place((0.0, 0.0)).y, axis);
    painter.vline(place((0.0, 0.0)).x, square.y_range(), axis);
    let points: Vec<Pos2> = samples.into_iter().map(place).collect();
    painter.add(Shape::line(points, Stroke::new(1.8, color)));
    let (y, point) = (activation.value(x), place((x, activation.value(x))));
    let foot = Stroke::new(1.0, theme::faded(color, 0.6));
    painter.extend(Shape::dashed_line(
        &[place((x, 0.0)), point, place((0.0, y))],
        foot,
        3.0,
        3.0,
    ));
    painter.circle_filled(point, 4.0, colors.strong);
    let (align, text) = (Align2::LEFT_TOP, format!("({}, {})", number(x), number(y)));
    painter.text(
        square.left_top(),
        align,
        text,
        theme::digits(theme::TINY),
        colors.weak,
    );
}
