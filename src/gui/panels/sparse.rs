//! The sparse code: the mean activation of every hidden unit, sorted and as a histogram.

use super::loss::{axis, even};
use crate::engine::look::Looked;
use crate::gui::action::Action;
use crate::gui::looking::{LookAt, Subject};
use crate::gui::state::State;
use crate::gui::text;
use crate::gui::theme::{self, Palette};
use crate::gui::views::View;
use crate::gui::widgets::empty;
use crate::inspect::maps::BINS;
use crate::inspect::sparse::SparseCode;
use eframe::egui::{Rect, RichText, Stroke, Ui, UiBuilder, Vec2b, vec2};
use egui_plot::{AxisHints, Bar, BarChart, HLine, LineStyle, Plot, VLine};

/// The view.
#[derive(Default)]
pub struct SparseView;

impl View for SparseView {
    fn about(&self) -> &'static str {
        "How active each hidden unit is on average over images of the stage's split: sorted, and as a histogram. With sparsity = \"rho=0.05 beta=3\" in the stage, the penalty β·Σ KL(ρ‖ρ̂) draws the means ρ̂ to the target ρ: each unit then answers to few images. Units near 0 are dead."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |code| {
            let (images, of) = (text::count(code.images as u64), text::count(code.of as u64));
            format!("{images} of {of} {} images · step {}", code.split, text::count(code.step))
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, _: &mut Vec<Action>) {
        let Some(code) = latest(state) else { return };
        let colors = theme::palette(ui);
        let mut write = |text: String, color, hover: &str| {
            ui.label(RichText::new(text).font(theme::digits(11.5)).color(color)).on_hover_text(hover);
        };
        if let Some(penalty) = code.penalty {
            let penalty = format!("penalty {}", text::loss(penalty));
            write(penalty, colors.text, "β·Σ KL(ρ‖ρ̂): what these means add to the loss");
        }
        let mean = code.means.iter().map(|mean| f64::from(*mean)).sum::<f64>() / code.means.len().max(1) as f64;
        write(format!("mean {}", text::loss(mean)), colors.accent, "The mean over all units");
        if let Some((rho, _)) = code.target {
            write(format!("target ρ {rho}"), colors.second, "The mean activation that the stage's sparsity asks for");
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.question(LookAt::Sparse));
        match seen(state).map(|seen| &seen.result) {
            Some(Ok(code)) => charts(ui, code),
            Some(Err(message)) => empty(ui, "No code to measure", message),
            None => match state.subject() {
                Some(Subject::Stored(_)) => {
                    empty(ui, "Opening the run …", "Its images and its last checkpoint are being read.");
                }
                Some(Subject::Live) => empty(ui, "Measuring …", "The first figures come with the next pictures."),
                None => empty(
                    ui,
                    "No hidden units to measure yet",
                    "Press Train, or open a run folder. A stage with sparsity = \"rho=0.05 beta=3\" shows its target too.",
                ),
            },
        }
    }
}

fn seen(state: &State) -> Option<&Looked<Subject, SparseCode>> {
    let subject = state.subject();
    let fits = |seen: &Subject| subject.as_ref().is_none_or(|subject| subject == seen) || *seen == Subject::Live;
    state.looking.sparse.latest.as_deref().filter(|seen| fits(&seen.question))
}

fn latest(state: &State) -> Option<&SparseCode> {
    seen(state)?.result.as_ref().ok()
}

fn charts(ui: &mut Ui, code: &SparseCode) {
    let area = ui.available_rect_before_wrap();
    let (left, right) = area.split_left_right_at_x(area.left() + area.width() * 0.58);
    let left = Rect::from_min_max(left.min, left.max - vec2(theme::GAP, 0.0));
    chart(ui, left, &format!("mean activation of {}, sorted", code.layer), |ui| sorted(ui, code));
    let right = Rect::from_min_max(right.min + vec2(theme::GAP, 0.0), right.max);
    chart(ui, right, "units by mean activation", |ui| histogram(ui, code));
}

/// A chart below its name.
fn chart(ui: &mut Ui, area: Rect, name: &str, content: impl FnOnce(&mut Ui)) {
    ui.scope_builder(UiBuilder::new().id_salt(name).max_rect(area), |ui| {
        ui.label(RichText::new(name).size(theme::SMALL).color(theme::palette(ui).weak));
        content(ui);
    });
}

fn sorted(ui: &mut Ui, code: &SparseCode) {
    let mut ranked: Vec<(usize, f32)> = code.means.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let colors = *theme::palette(ui);
    // Gaps of a fraction of a pixel would come and go from bar to bar.
    let width = if ranked.len() > 40 { 1.0 } else { 0.9 };
    let bar = |(rank, (unit, mean)): (usize, &(usize, f32))| {
        let name = format!("unit {unit}: {}\nrank {} of {}", text::loss(f64::from(*mean)), rank + 1, code.means.len());
        Bar::new(rank as f64 + 0.5, finite(*mean)).width(width).name(name)
    };
    let bars: Vec<Bar> = ranked.iter().enumerate().map(bar).collect();
    plot(ui, "sorted", true).show(ui, |plot| {
        plot.bar_chart(filled(bars, &colors));
        if let Some((rho, _)) = code.target {
            plot.hline(HLine::new("target ρ", rho).color(colors.second).width(1.5).style(LineStyle::dashed_dense()));
        }
    });
}

fn histogram(ui: &mut Ui, code: &SparseCode) {
    let range = code.range();
    let width = f64::from(range[1] - range[0]) / BINS as f64;
    let colors = *theme::palette(ui);
    let bar = |(bin, count): (usize, usize)| {
        let from = f64::from(range[0]) + bin as f64 * width;
        let name = format!("{count} units\nfrom {} to {}", text::loss(from), text::loss(from + width));
        Bar::new(from + width / 2.0, count as f64).width(0.92 * width).name(name)
    };
    let bars = code.histogram(range, BINS).into_iter().enumerate().map(bar).collect();
    plot(ui, "histogram", false).show(ui, |plot| {
        plot.bar_chart(filled(bars, &colors));
        if let Some((rho, _)) = code.target {
            plot.vline(VLine::new("target ρ", rho).color(colors.second).width(1.5).style(LineStyle::dashed_dense()));
        }
    });
}

fn finite(mean: f32) -> f64 {
    if mean.is_finite() { f64::from(mean) } else { 0.0 }
}

fn filled(bars: Vec<Bar>, colors: &Palette) -> BarChart {
    let bars = bars.into_iter().map(|bar| bar.stroke(Stroke::NONE).fill(theme::faded(colors.accent, 0.8))).collect();
    BarChart::new("", bars).element_formatter(Box::new(|bar, _| bar.name.clone()))
}

/// Axes from zero that move by themselves.
fn plot<'a>(ui: &Ui, name: &'static str, units_across: bool) -> Plot<'a> {
    let colors = *theme::palette(ui);
    let write = |value: f64| format!("{}", (value * 1e4).round() / 1e4);
    let across = move |value: f64| if units_across { text::count(value.max(0.0) as u64) } else { write(value) };
    Plot::new(name)
        .show_background(false)
        .grid_color(theme::faded(colors.line, 0.8))
        .set_margin_fraction(vec2(0.0, 0.06))
        .auto_bounds(Vec2b::TRUE)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .include_y(0.0)
        .grid_spacing(8.0..=24.0)
        .y_grid_spacer(even)
        .x_grid_spacer(even)
        .show_x(false)
        .show_y(false)
        .custom_x_axes(vec![axis(AxisHints::new_x(), &colors).formatter(move |mark, _| across(mark.value))])
        .custom_y_axes(vec![
            axis(AxisHints::new_y(), &colors).min_thickness(40.0).formatter(move |mark, _| write(mark.value)),
        ])
}
