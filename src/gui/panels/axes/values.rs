//! The values of all lines of a plot where the pointer is, as they were measured: a smoothed line is never read from.

use super::Axes;
use crate::theme;
use crate::widgets::focus_ring;
use eframe::egui::{Color32, Id, PopupAnchor, Response, RichText, Tooltip, Ui};
use egui_plot::PlotResponse;
use strata_app::curves::{Curves, ValuesAt};
use strata_core::format;

/// More lines than this are counted instead of written.
const MOST_LINES: usize = 24;
/// How the plot is moved.
const MOVING: &str = "drag: move · Ctrl and wheel: zoom · double click: show all";
/// Width of the tooltip in points, at most.
const WIDTH: f32 = 460.0;

/// A line of the tooltip.
pub(in crate::panels) struct ValueLine {
    /// What is written.
    pub text: String,
    /// In the colour of the line in the plot.
    pub color: Color32,
}

/// Frames a plot that has the keys.
pub(in crate::panels) fn show_focus(ui: &Ui, plot: &Response) {
    if plot.has_focus() {
        focus_ring(ui, plot.rect);
    }
}

/// Shows a title and the lines beside the pointer while it is over the plot; `of` makes both from the pointer's place on
/// the axis of steps or epochs.
pub(in crate::panels) fn show_values(
    ui: &Ui,
    plot: &PlotResponse<()>,
    of: impl FnOnce(f64) -> (String, Vec<ValueLine>),
) {
    show_focus(ui, &plot.response);
    let Some(pointer) = plot.response.hover_pos() else {
        return;
    };
    let x = plot.transform.value_from_position(pointer).x.max(0.0);
    let (title, lines) = of(x);
    paint_twice(ui, plot.response.id.with("hovered"));
    let weak = theme::palette(ui).weak;
    let tooltip = Tooltip::always_open(
        ui.ctx().clone(),
        plot.response.layer_id,
        plot.response.id.with("values"),
        PopupAnchor::Pointer,
    );
    tooltip.gap(12.0).width(WIDTH).show(|ui| {
        ui.set_max_width(WIDTH);
        ui.label(RichText::new(title).font(theme::digits(theme::SMALL)));
        for ValueLine { text, color } in lines.iter().take(MOST_LINES) {
            ui.label(
                RichText::new(text)
                    .font(theme::digits(theme::SMALL))
                    .color(*color),
            );
        }
        let more = lines.len().saturating_sub(MOST_LINES);
        if more > 0 {
            ui.label(RichText::new(format!("and {more} more")).size(theme::SMALL));
        }
        ui.label(RichText::new(MOVING).size(theme::SMALL).color(weak));
    });
}

/// What is measured before it is shown, as a tooltip is at first, needs another frame; a pointer that rests asks for none.
fn paint_twice(ui: &Ui, id: Id) {
    let now = ui.ctx().cumulative_frame_nr();
    let before =
        ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or_default::<u64>(id), now));
    if before + 1 < now {
        ui.request_repaint();
    }
}

/// The values at a step as text with its parts, `batch 0.1234`, `valid 0.1300 after epoch 2`: which line it is (`None` for
/// the step's own value) and what is written.
pub(in crate::panels) fn written(
    axes: Axes,
    curves: &Curves,
    values: &ValuesAt,
) -> Vec<(Option<usize>, String)> {
    let write = |value| axes.quantity.write(value);
    let name = axes.quantity.step_name();
    let batch = values
        .batch
        .map(|[_, value]| (None, format!("{name} {}", write(value))));
    let names = ["train", "valid", "test"];
    let measured = values
        .measured
        .iter()
        .enumerate()
        .filter_map(|(line, point)| {
            let [step, value] = (*point)?;
            let epoch = format::count(curves.epoch_at(step).round() as u64);
            let text = format!("{} {} after epoch {epoch}", names[line], write(value));
            Some((Some(line), text))
        });
    batch.into_iter().chain(measured).collect()
}
