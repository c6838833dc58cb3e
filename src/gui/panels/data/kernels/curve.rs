//! A signal before and after, as lines over each other; the pointer or the arrow keys choose the value.

use super::{captioned, result, short};
use crate::theme;
use eframe::egui::{
    Align2, Color32, EventFilter, FontId, Key, Pos2, Rect, Role, Sense, Shape, Stroke, Ui,
    WidgetInfo, pos2, vec2,
};
use strata_inspect::kernel_playground::{Outcome, Playground};

/// Shows the signal with what the kernel makes of it.
pub(super) fn show(ui: &mut Ui, area: Rect, answer: &Playground, cell: &mut Option<[usize; 2]>) {
    let colors = *theme::palette(ui);
    let (before, after) = match &answer.outcome {
        Ok(Outcome::Response(response)) => {
            (&response.input.values, response.output.values.as_slice())
        }
        _ => (&answer.picture.pixels.values, [].as_slice()),
    };
    let caption = match &answer.outcome {
        Err(error) => error.to_string(),
        _ => format!("signal of {} values → {}", before.len(), after.len()),
    };
    let inner = captioned(ui, area, &caption);
    let clean = answer.picture.clean.as_deref().unwrap_or_default();
    let plot = Rect::from_min_max(inner.min + vec2(36.0, 0.0), inner.max - vec2(8.0, 18.0));
    let all = || {
        before
            .iter()
            .chain(after)
            .chain(clean)
            .copied()
            .filter(|value| value.is_finite())
    };
    let (low, high) = (
        all().fold(f32::INFINITY, f32::min),
        all().fold(f32::NEG_INFINITY, f32::max),
    );
    if low > high {
        return;
    }
    let room = Room {
        plot,
        low,
        high: if high > low { high } else { low + 1.0 },
    };
    axes(ui, &room);
    room.line(ui, before, 1.0, theme::faded(colors.weak, 0.7));
    room.line(ui, clean, 1.5, colors.proven);
    room.line(ui, after, 2.0, colors.accent);
    legend(ui, plot, !clean.is_empty());
    steer(ui, &room, after, cell);
}

/// The axes of values.
struct Room {
    plot: Rect,
    low: f32,
    high: f32,
}

impl Room {
    fn x(&self, at: usize, count: usize) -> f32 {
        self.plot.left() + self.plot.width() * (at as f32 + 0.5) / count.max(1) as f32
    }

    fn y(&self, value: f32) -> f32 {
        self.plot.bottom() - self.plot.height() * (value - self.low) / (self.high - self.low)
    }

    /// Longer signals than there are pixels lose points, not shape: two values a pixel are drawn.
    fn line(&self, ui: &Ui, values: &[f32], width: f32, color: Color32) {
        let step = (values.len() / (2 * self.plot.width().max(1.0) as usize).max(1)).max(1);
        let point = |(at, value): (usize, &f32)| pos2(self.x(at, values.len()), self.y(*value));
        let points: Vec<Pos2> = values.iter().enumerate().step_by(step).map(point).collect();
        ui.painter()
            .add(Shape::line(points, Stroke::new(width, color)));
    }
}

fn axes(ui: &Ui, room: &Room) {
    let colors = theme::palette(ui);
    for value in [room.low, 0.0, room.high] {
        if (room.low..=room.high).contains(&value) {
            let y = room.y(value);
            ui.painter()
                .hline(room.plot.x_range(), y, Stroke::new(1.0, colors.line));
            let at = pos2(room.plot.left() - 4.0, y);
            ui.painter().text(
                at,
                Align2::RIGHT_CENTER,
                short(value),
                theme::digits(theme::TINY),
                colors.weak,
            );
        }
    }
}

fn legend(ui: &Ui, plot: Rect, has_clean: bool) {
    let colors = theme::palette(ui);
    let mut left = plot.left();
    let entries = [
        ("before", colors.weak, true),
        ("without noise", colors.proven, has_clean),
        ("after", colors.accent, true),
    ];
    for (word, color, _) in entries.into_iter().filter(|(_, _, shown)| *shown) {
        let at = pos2(left + 18.0, plot.bottom() + 10.0);
        ui.painter()
            .hline(left..=left + 14.0, at.y, Stroke::new(2.0, color));
        let font = FontId::proportional(theme::SMALL);
        left = ui
            .painter()
            .text(at, Align2::LEFT_CENTER, word, font, colors.weak)
            .right()
            + 16.0;
    }
}

/// The value that is looked at, as a line.
fn steer(ui: &Ui, room: &Room, after: &[f32], cell: &mut Option<[usize; 2]>) {
    let size = [1, after.len()];
    let response = ui.interact(
        room.plot,
        ui.scope_id().with("curve"),
        Sense::click_and_drag(),
    );
    if response.clicked() {
        response.request_focus();
    }
    if let Some(at) = response
        .hover_pos()
        .filter(|_| ui.input(|input| input.pointer.delta().length() > 0.0))
    {
        *cell = Some(super::cell_at(room.plot, size, at));
    }
    let [_, mut column] = result::chosen(*cell, size);
    if response.has_focus() {
        let filter = EventFilter {
            horizontal_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let pressed = |key: Key| ui.input(|input| input.num_presses(key));
        let moved = (column + pressed(Key::ArrowRight)).saturating_sub(pressed(Key::ArrowLeft));
        if moved != column {
            column = moved.min(after.len().saturating_sub(1));
            *cell = Some([0, column]);
        }
    }
    let name = format!("Signal, value {}", column + 1);
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, name.clone()));
    let Some(value) = after.get(column) else {
        return;
    };
    let color = theme::palette(ui).accent;
    let x = room.x(column, after.len());
    ui.painter().vline(
        x,
        room.plot.y_range(),
        Stroke::new(1.0, theme::faded(color, 0.6)),
    );
    ui.painter()
        .circle_filled(pos2(x, room.y(*value)), 3.5, color);
}
