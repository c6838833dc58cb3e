//! Memory by what it is for: colours, the stacked bar, the list.

use crate::theme;
use eframe::egui::{
    Align2, Color32, Galley, Id, Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2,
};
use std::sync::Arc;
use strata_core::format;
use strata_core::project::layer::Family;
use strata_cost::Bytes;

const ROW: f32 = 18.0;
/// From the left of a coloured square to its words.
const SWATCH: f32 = 12.0;

/// What each part is.
fn about(part: &str) -> &'static str {
    match part {
        "weights" => "What is learned, and the running statistics of batch norm.",
        "gradients" => "The gradient of every weight.",
        "optimizer" => {
            "What the optimizer keeps beside each weight: SGD nothing, with momentum a velocity, Adam two means."
        }
        "activations" => {
            "The batch, the outputs of all layers for it, which the gradient needs, and gradients on their way back. Grows with the batch."
        }
        "images" => {
            "Batches that are read ahead of the step, and the probe images with what the network makes of them."
        }
        _ => {
            "What kernels need besides: weights in the order they are read, tables of windows, partial sums."
        }
    }
}

fn color(ui: &Ui, part: &str) -> Color32 {
    let family = match part {
        "weights" => Family::Convolution,
        "gradients" => Family::Upward,
        "optimizer" => Family::Dense,
        "activations" => Family::Activation,
        "images" => Family::Pooling,
        _ => Family::Regularisation,
    };
    theme::family(ui, family)
}

/// All parts as one bar, side by side.
pub(super) fn bar(ui: &Ui, area: Rect, bytes: Bytes) {
    let total = bytes.total().max(1) as f32;
    let mut left = area.left();
    for (part, size) in bytes.parts() {
        let width = area.width() * size as f32 / total;
        let piece = Rect::from_min_size(pos2(left, area.top()), vec2(width, area.height()));
        left += width;
        if width < 0.5 {
            continue;
        }
        ui.painter().rect_filled(
            piece.with_max_x(piece.right() - 1.0_f32.min(width / 2.0)),
            1.0,
            theme::faded(color(ui, part), 0.9),
        );
        let response = ui.interact(piece, Id::unique(("cost part", part)), Sense::hover());
        response.on_hover_text(format!("{part}: {}\n{}", format::bytes(size), about(part)));
    }
}

/// The parts one below the other, with the sum.
pub(super) fn list(ui: &mut Ui, bytes: Bytes) {
    let total = bytes.total();
    for (part, size) in bytes.parts() {
        let (line, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
        let share = 100.0 * size as f64 / total.max(1) as f64;
        let spoken = format!("{part} {}, {share:.0} %", format::bytes(size));
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, spoken.clone()));
        swatch(ui, pos2(line.left(), line.center().y), color(ui, part));
        let colors = theme::palette(ui);
        let font = eframe::egui::FontId::proportional(theme::SMALL);
        let name = pos2(line.left() + 14.0, line.center().y);
        ui.painter()
            .text(name, Align2::LEFT_CENTER, part, font, colors.text);
        number(
            ui,
            line.right() - 48.0,
            line,
            &format::bytes(size),
            colors.text,
        );
        number(
            ui,
            line.right(),
            line,
            &format!("{share:.0} %"),
            colors.weak,
        );
        response.on_hover_text(about(part));
    }
}

fn number(ui: &Ui, right: f32, line: Rect, text: &str, color: Color32) {
    ui.painter().text(
        pos2(right, line.center().y),
        Align2::RIGHT_CENTER,
        text,
        theme::digits(theme::SMALL),
        color,
    );
}

fn swatch(ui: &Ui, left: eframe::egui::Pos2, color: Color32) {
    let square = Rect::from_min_size(left - vec2(0.0, 4.0), vec2(8.0, 8.0));
    ui.painter()
        .rect_filled(square, 1.0, theme::faded(color, 0.9));
}

/// Height of a line of the legend.
pub(super) const LINE: f32 = 20.0;

/// A part of the legend: where it begins, from the upper left, and its words.
struct Entry {
    part: &'static str,
    at: Vec2,
    words: Arc<Galley>,
}

/// The parts on as many lines as they need in this width.
fn entries(ui: &Ui, width: f32, bytes: Bytes) -> Vec<Entry> {
    let font = eframe::egui::FontId::proportional(theme::SMALL);
    let ink = theme::palette(ui).weak;
    let mut at = Vec2::ZERO;
    let entry = |(part, size): (&'static str, u64)| {
        let words = format!("{part} {}", format::bytes(size));
        let words = ui.painter().layout_no_wrap(words, font.clone(), ink);
        let taken = SWATCH + words.size().x;
        if at.x > 0.0 && at.x + taken > width {
            at = vec2(0.0, at.y + LINE);
        }
        let entry = Entry { part, at, words };
        at.x += taken + 14.0;
        entry
    };
    bytes.parts().into_iter().map(entry).collect()
}

/// How high the legend is in this width.
pub(super) fn legend_height(ui: &Ui, width: f32, bytes: Bytes) -> f32 {
    let last = entries(ui, width, bytes).last().map(|entry| entry.at.y);
    last.map_or(0.0, |top| top + LINE)
}

/// The parts with their colours.
pub(super) fn legend(ui: &Ui, area: Rect, bytes: Bytes) {
    let ink = theme::palette(ui).weak;
    for Entry { part, at, words } in entries(ui, area.width(), bytes) {
        let left = area.min + at + vec2(0.0, LINE / 2.0);
        swatch(ui, left, color(ui, part));
        let middle = vec2(SWATCH, -words.size().y / 2.0);
        ui.painter().galley(left + middle, words, ink);
    }
}

/// The parts as lines of a tooltip.
pub(super) fn lines(ui: &mut Ui, bytes: Bytes) {
    for (part, size) in bytes.parts().into_iter().filter(|(_, size)| *size > 0) {
        ui.label(format!("{part} {}", format::bytes(size)));
    }
}
