//! Memory by what it is for: colours, the stacked bar, the list.

use crate::theme;
use eframe::egui::{Align2, Color32, Id, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use strata_core::format;
use strata_core::project::layer::Family;
use strata_cost::Bytes;

const ROW: f32 = 18.0;

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

/// The parts on one line, as many as have room.
pub(super) fn legend(ui: &Ui, area: Rect, bytes: Bytes) {
    let (colors, font) = (
        theme::palette(ui),
        eframe::egui::FontId::proportional(theme::SMALL),
    );
    let mut left = area.left();
    for (part, size) in bytes.parts() {
        let galley = ui.painter().layout_no_wrap(
            format!("{part} {}", format::bytes(size)),
            font.clone(),
            colors.weak,
        );
        let width = 14.0 + galley.size().x;
        if left + width > area.right() {
            break;
        }
        swatch(ui, pos2(left, area.center().y), color(ui, part));
        ui.painter().galley(
            pos2(left + 12.0, area.center().y - galley.size().y / 2.0),
            galley,
            colors.weak,
        );
        left += width + 12.0;
    }
}

/// The parts as lines of a tooltip.
pub(super) fn lines(ui: &mut Ui, bytes: Bytes) {
    for (part, size) in bytes.parts().into_iter().filter(|(_, size)| *size > 0) {
        ui.label(format!("{part} {}", format::bytes(size)));
    }
}
