//! The kernel as a grid of weights that can be changed: by dragging, or by a click and typing.

use super::{Drawn, captioned, child, fitted, set, short};
use crate::theme;
use eframe::egui::{
    Color32, DragValue, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2,
};
use strata_app::action::Action;
use strata_app::kernels::KernelSettings;
use strata_core::format;
use strata_inspect::kernel::{Kernel, kernel_rgba};
use strata_inspect::kernel_playground::{Outcome, Playground};

/// Kernels with more rows or columns are shown only as colours.
const MOST_CELLS: usize = 9;
/// Narrower or lower cells hold no number.
const LEAST: [f32; 2] = [18.0, 13.0];
/// The largest side of a cell.
const LARGEST: f32 = 48.0;
/// Room for divisor and offset.
const BELOW: f32 = 28.0;

/// The kernel, or the patch used as one.
pub(super) fn show(
    ui: &mut Ui,
    area: Rect,
    settings: &KernelSettings,
    drawn: &Drawn,
    answer: &Playground,
    actions: &mut Vec<Action>,
) {
    if let (Ok(Outcome::Match(found)), Some(sheet)) = (&answer.outcome, &drawn.weights) {
        let inner = captioned(ui, area, "the patch without its mean, of length 1");
        let rect = fitted(inner, found.pattern.weights.size);
        sheet.paint(ui.painter(), 0, rect);
        let response = ui.interact(rect, ui.scope_id().with("pattern"), Sense::hover());
        response
            .widget_info(|| WidgetInfo::labeled(eframe::egui::Role::Image, true, "The pattern"));
        return;
    }
    let kernel = &settings.kernel;
    let sum = short(kernel.sum());
    let inner = captioned(
        ui,
        area,
        &format!("kernel {}×{}, sum {sum}", kernel.size[0], kernel.size[1]),
    );
    let room = Rect::from_min_max(inner.min, pos2(inner.right(), inner.bottom() - BELOW));
    let grid = limited(fitted(room, kernel.size), kernel.size);
    let cell = grid.size() / vec2(kernel.size[1] as f32, kernel.size[0] as f32);
    let legible = cell.x >= LEAST[0] && cell.y >= LEAST[1];
    let changed = if legible && kernel.size.iter().all(|side| *side <= MOST_CELLS) {
        numbers(ui, grid, kernel)
    } else {
        colours(ui, grid, kernel);
        None
    };
    let line = Rect::from_min_size(
        pos2(inner.left(), grid.bottom() + 4.0),
        vec2(inner.width(), 24.0),
    );
    if let Some(kernel) = changed.or(scaled(ui, line, kernel)) {
        actions.push(set(settings.with_own(kernel)));
    }
}

fn limited(rect: Rect, [rows, columns]: [usize; 2]) -> Rect {
    let most = vec2(columns as f32, rows as f32) * LARGEST;
    Rect::from_min_size(rect.min, rect.size().min(most))
}

fn cell_rect(grid: Rect, [rows, columns]: [usize; 2], cell: usize) -> Rect {
    let size: Vec2 = vec2(
        grid.width() / columns.max(1) as f32,
        grid.height() / rows.max(1) as f32,
    );
    let corner = vec2(
        (cell % columns.max(1)) as f32 * size.x,
        (cell / columns.max(1)) as f32 * size.y,
    );
    Rect::from_min_size(grid.min + corner, size).shrink(1.0)
}

/// The weights as numbers on their colours; the kernel with one of them changed.
fn numbers(ui: &mut Ui, grid: Rect, kernel: &Kernel) -> Option<Kernel> {
    let fills = kernel_rgba(kernel);
    let mut changed = None;
    let mut inner = child(ui, "weights", grid);
    for (cell, &before) in kernel.values.iter().enumerate() {
        let fill = match fills.get(4 * cell..4 * cell + 3) {
            Some(&[r, g, b]) => Color32::from_rgb(r, g, b),
            _ => theme::palette(ui).raised,
        };
        let name = format!(
            "Weight {}, {}",
            cell / kernel.size[1] + 1,
            cell % kernel.size[1] + 1
        );
        let mut value = before;
        let rect = cell_rect(grid, kernel.size, cell);
        if weight(&mut inner, rect, fill, &name, &mut value) && value.is_finite() && value != before
        {
            let mut values = kernel.values.clone();
            values
                .iter_mut()
                .skip(cell)
                .take(1)
                .for_each(|slot| *slot = value);
            changed = Some(Kernel {
                values,
                ..kernel.clone()
            });
        }
    }
    changed
}

/// One weight in its colour.
fn weight(ui: &mut Ui, rect: Rect, fill: Color32, name: &str, value: &mut f32) -> bool {
    let light = 0.3 * f32::from(fill.r()) + 0.59 * f32::from(fill.g()) + 0.11 * f32::from(fill.b());
    let ink = if light > 120.0 {
        Color32::BLACK
    } else {
        Color32::WHITE
    };
    let accent = theme::palette(ui).accent;
    ui.scope(|ui| {
        let style = ui.style_mut();
        style.spacing.button_padding = Vec2::ZERO;
        style.spacing.interact_size = rect.size();
        style.drag_value_text_style = eframe::egui::TextStyle::Small;
        let states = &mut style.visuals.widgets;
        for state in [
            &mut states.inactive,
            &mut states.hovered,
            &mut states.active,
        ] {
            (state.weak_bg_fill, state.bg_fill, state.fg_stroke.color) = (fill, fill, ink);
        }
        states.inactive.bg_stroke = Stroke::NONE;
        states.hovered.bg_stroke = Stroke::new(1.5, accent);
        let drag = DragValue::new(value)
            .speed(0.05)
            .max_decimals(3)
            .custom_formatter(|value, _| format::short(value, 3));
        let response = ui.put(rect, drag).accessible_name(name);
        if response.has_focus() {
            ui.painter()
                .rect_stroke(rect, 2.0, Stroke::new(1.5, accent), StrokeKind::Outside);
        }
        response.changed()
    })
    .inner
}

/// A large kernel: only colours.
fn colours(ui: &Ui, grid: Rect, kernel: &Kernel) {
    let fills = kernel_rgba(kernel);
    for (cell, fill) in fills.chunks_exact(4).enumerate() {
        let rect = cell_rect(grid, kernel.size, cell).expand(1.0);
        ui.painter()
            .rect_filled(rect, 0.0, Color32::from_rgb(fill[0], fill[1], fill[2]));
    }
    let response = ui.interact(grid, ui.scope_id().with("weights"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(eframe::egui::Role::Image, true, "The kernel"));
    response
        .on_hover_text("Up to 9×9, and with room for figures, the weights can be changed by hand");
}

/// What the sum is divided by and what is added.
fn scaled(ui: &mut Ui, line: Rect, kernel: &Kernel) -> Option<Kernel> {
    let (mut divisor, mut offset) = (kernel.divisor, kernel.offset);
    let mut inner = child(ui, "divisor", line);
    let changed = inner.horizontal(|ui| {
        ui.label("÷");
        let by = ui.add(DragValue::new(&mut divisor).speed(0.1).max_decimals(3));
        let by = by
            .on_hover_text("Every weight is divided by this")
            .accessible_name("Divisor")
            .changed();
        ui.label("+");
        let plus = ui.add(DragValue::new(&mut offset).speed(0.01).max_decimals(3));
        by | plus
            .on_hover_text("Added to every sum")
            .accessible_name("Offset")
            .changed()
    });
    (changed.inner && divisor != 0.0).then(|| Kernel {
        divisor,
        offset,
        ..kernel.clone()
    })
}
