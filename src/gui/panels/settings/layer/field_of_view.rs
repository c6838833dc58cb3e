//! The receptive field of a layer as a square in the input's square, with its numbers.

use super::heading;
use crate::theme;
use eframe::egui::{Rect, RichText, Sense, Stroke, StrokeKind, Ui, Vec2, pos2, vec2};
use strata_core::shape::Row;

/// The longer side of the drawn input.
const SIDE: f32 = 112.0;
/// Cells of the drawn grid, at most.
const CELLS: usize = 16;

/// Shows what one value of the layer sees of an input of these sizes.
pub fn show(ui: &mut Ui, row: &Row, input: &[usize]) {
    let field = row.receptive_field.as_ref();
    let Some(field) = field.filter(|field| !field.is_empty() && field.len() == input.len()) else {
        return;
    };
    heading(ui, "Receptive field");
    ui.horizontal_top(|ui| {
        if let ([.., height, width], [.., tall, wide]) = (input, field.as_slice()) {
            draw(ui, [*height, *width], [*tall as usize, *wide as usize]);
        }
        ui.vertical(|ui| numbers(ui, row, field, input));
    });
}

fn numbers(ui: &mut Ui, row: &Row, field: &[u64], input: &[usize]) {
    let color = theme::palette(ui).weak;
    let mut line = |text: String| {
        ui.label(RichText::new(text).font(theme::digits(12.0)).color(color));
    };
    line(times(field));
    if let Some(grid) = &row.grid {
        let strides: Vec<String> = grid.iter().map(|axis| axis.stride.to_string()).collect();
        let first = strides.first().cloned().unwrap_or_default();
        let is_one = strides.iter().all(|stride| *stride == first);
        let text = if is_one { first } else { strides.join("×") };
        line(format!("stride {text}"));
    }
    line(format!("of {}", times(input)));
}

fn times<T: ToString>(sizes: &[T]) -> String {
    let sizes: Vec<String> = sizes.iter().map(T::to_string).collect();
    sizes.join("×")
}

fn draw(ui: &mut Ui, [height, width]: [usize; 2], [tall, wide]: [usize; 2]) {
    let scale = SIDE / height.max(width).max(1) as f32;
    let size = vec2(width as f32, height as f32) * scale;
    let (rect, _) = ui.allocate_exact_size(size.max(Vec2::splat(4.0)), Sense::hover());
    let colors = *theme::palette(ui);
    let painter = ui.painter_at(rect.expand(1.0));
    painter.rect(
        rect,
        0.0,
        colors.raised,
        Stroke::new(1.0, colors.line),
        StrokeKind::Inside,
    );
    grid(ui, rect, [height, width]);
    let seen = vec2(wide.min(width) as f32, tall.min(height) as f32) * scale;
    let own = Rect::from_center_size(rect.center(), seen);
    painter.rect(
        own,
        0.0,
        theme::faded(colors.accent, 0.25),
        Stroke::new(1.5, colors.accent),
        StrokeKind::Inside,
    );
}

/// Lines between cells, or between groups of them.
fn grid(ui: &Ui, rect: Rect, [height, width]: [usize; 2]) {
    let line = Stroke::new(0.5, theme::palette(ui).line);
    let every = height.max(width).div_ceil(CELLS).max(1);
    for column in (every..width).step_by(every) {
        let x = rect.left() + rect.width() * column as f32 / width as f32;
        ui.painter().vline(x, rect.y_range(), line);
    }
    for row in (every..height).step_by(every) {
        let y = pos2(0.0, rect.top() + rect.height() * row as f32 / height as f32).y;
        ui.painter().hline(rect.x_range(), y, line);
    }
}
