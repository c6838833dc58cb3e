//! From values to places of a plot, and what is painted at them.

use crate::theme;
use eframe::egui::{Align2, Color32, FontId, Pos2, Rect, Stroke, Ui, pos2};
use strata_core::format;
use strata_sweep::effects::round_marks;

/// The values of one side of a plot, with a twentieth of room at both ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    /// The places of both ends.
    from: f32,
    to: f32,
}

impl Axis {
    /// For these values; `None` without any.
    pub fn new(values: impl IntoIterator<Item = f64>, from: f32, to: f32) -> Option<Axis> {
        let [low, high] = format::span(values)?;
        let room = match high - low {
            0.0 => 0.5 * low.abs().max(1e-9),
            range => range / 20.0,
        };
        Some(Axis {
            low: low - room,
            high: high + room,
            from,
            to,
        })
    }

    /// The place of a value.
    pub fn at(&self, value: f64) -> f32 {
        self.from + self.share(value) as f32 * (self.to - self.from)
    }

    /// How far along a value is, from 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Round values that get a mark.
    pub fn marks(&self) -> Vec<f64> {
        round_marks(self.low, self.high)
    }
}

/// A small text of a plot.
pub(super) fn mark(ui: &Ui, at: Pos2, align: Align2, text: &str, color: Color32) {
    let font = FontId::proportional(theme::TINY);
    ui.painter().text(at, align, text, font, color);
}

/// A line across a plot with the value that it is at.
pub(super) fn grid_line(ui: &Ui, area: Rect, y: f32, text: &str) {
    let colors = theme::palette(ui);
    ui.painter()
        .hline(area.x_range(), y, Stroke::new(1.0, colors.line));
    mark(
        ui,
        pos2(area.left() - theme::STEP, y),
        Align2::RIGHT_CENTER,
        text,
        colors.weak,
    );
}

/// The nearest of some places, by their distances to the pointer; `None` where none is near.
pub(super) fn nearest(places: impl Iterator<Item = (usize, f32)>) -> Option<usize> {
    const NEAR: f32 = 12.0;
    let near = places.filter(|(_, distance)| *distance <= NEAR);
    let best = near.min_by(|one, other| one.1.total_cmp(&other.1));
    best.map(|(number, _)| number)
}

/// How far a point is from a stretch of a line.
pub(super) fn distance(point: Pos2, [from, to]: [Pos2; 2]) -> f32 {
    let along = to - from;
    let length = along.length_sq().max(1e-9);
    let share = ((point - from).dot(along) / length).clamp(0.0, 1.0);
    (point - (from + share * along)).length()
}
