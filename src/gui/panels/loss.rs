//! The course of training: the loss (or the accuracy) of every step, smoothed, and on the validation
//! images.

use crate::gui::action::{Action, Show};
use crate::gui::curves::{Curve, Curves};
use crate::gui::state::State;
use crate::gui::text;
use crate::gui::theme::{self, Palette};
use crate::gui::views::View;
use crate::gui::widgets::empty;
use eframe::egui::{RichText, Stroke, Ui, Vec2b};
use egui_plot::{AxisHints, GridInput, GridMark, HoverPosition, Line, Plot, PlotPoints, PlotUi, Points, VLine};

/// More measurements than this are a line without dots.
const MOST_DOTS: usize = 40;

/// Which curve a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// The loss.
    Loss,
    /// The share classified right.
    Accuracy,
}

/// A plot of one quantity.
pub struct LossView(pub Quantity);

impl LossView {
    fn curve<'a>(&self, curves: &'a Curves) -> &'a Curve {
        match self.0 {
            Quantity::Loss => &curves.loss,
            Quantity::Accuracy => &curves.accuracy,
        }
    }

    fn is_log(&self, state: &State) -> bool {
        self.0 == Quantity::Loss && state.view.log_loss
    }
}

impl View for LossView {
    fn about(&self) -> &'static str {
        match self.0 {
            Quantity::Loss => {
                "What training makes small. Faint: every batch; strong: smoothed; dots: the validation images after each epoch. When the dots rise while the line falls, the network learns its images by heart."
            }
            Quantity::Accuracy => {
                "The share of images whose class is named right, on each batch and on the validation images."
            }
        }
    }

    fn status(&self, state: &State) -> String {
        let curves = &state.training.curves;
        if curves.loss.is_empty() {
            return String::new();
        }
        format!("step {} · epoch {:.1}", text::count(curves.steps()), curves.epoch_at(curves.steps() as f64))
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if self.0 == Quantity::Loss {
            let mut log = state.view.log_loss;
            let switch = ui.toggle_value(&mut log, RichText::new("log").size(theme::SMALL));
            let switch = switch.on_hover_text("Logarithmic axis: equal distances are equal ratios");
            if switch.accessible_name("Logarithmic axis").clicked() {
                actions.push(Action::Show(Show::LogLoss(log)));
            }
        }
        self.values(ui, self.curve(&state.training.curves));
    }

    fn body(&mut self, ui: &mut Ui, state: &State, _: &mut Vec<Action>) {
        let curves = &state.training.curves;
        let curve = self.curve(curves);
        if curve.is_empty() {
            match self.0 {
                _ if state.training.is_reading() => empty(ui, "Reading the run …", "Its curves appear in a moment."),
                Quantity::Loss => empty(ui, "No steps yet", "Press Train: the first steps appear within a second."),
                Quantity::Accuracy => {
                    empty(ui, "Nothing classified yet", "Press Train: the stage that classifies fills this plot.")
                }
            }
            return;
        }
        let log = self.is_log(state);
        let colors = *theme::palette(ui);
        let columns = ui.available_width().max(64.0) as usize;
        plot(ui, self.0, log, curves).show(ui, |plot| draw(plot, curves, curve, log, columns, &colors));
    }
}

impl LossView {
    /// The newest values in the colours of their curves, so that they are the legend too.
    fn values(&self, ui: &mut Ui, curve: &Curve) {
        let write = |value: f64| match self.0 {
            Quantity::Loss => text::loss(value),
            Quantity::Accuracy => format!("{:.1} %", 100.0 * value),
        };
        let colors = theme::palette(ui);
        for (name, value, color, hover) in [
            (
                "valid",
                curve.valid.last().map(|point| point[1]),
                colors.second,
                "On the validation images, after the last epoch",
            ),
            ("train", curve.smooth.last(), colors.accent, "On the last batches, smoothed"),
        ] {
            let Some(value) = value else { continue };
            let value = RichText::new(format!("{name} {}", write(value))).font(theme::digits(11.5)).color(color);
            ui.label(value).on_hover_text(hover);
        }
    }
}

/// The plot of a quantity, empty.
pub(super) fn plot<'a>(ui: &Ui, quantity: Quantity, log: bool, curves: &'a Curves) -> Plot<'a> {
    let colors = *theme::palette(ui);
    let value = move |y: f64| if log { 10f64.powf(y) } else { y };
    let write = move |y: f64| match quantity {
        Quantity::Loss => tick(y),
        Quantity::Accuracy => format!("{:.0} %", 100.0 * y),
    };
    Plot::new((quantity, log))
        .show_background(false)
        .grid_color(theme::faded(colors.line, 0.8))
        .set_margin_fraction(eframe::egui::vec2(0.02, 0.06))
        .auto_bounds(Vec2b::TRUE)
        .allow_scroll(false)
        .include_x(0.0)
        .grid_spacing(8.0..=24.0)
        .y_grid_spacer(move |input| if log { decades(input) } else { even(input) })
        .x_grid_spacer(whole)
        .custom_x_axes(vec![axis(AxisHints::new_x(), &colors).formatter(|mark, _| steps(mark.value))])
        .custom_y_axes(vec![
            axis(AxisHints::new_y(), &colors).min_thickness(40.0).formatter(move |mark, _| write(value(mark.value))),
        ])
        .label_formatter(move |hover| {
            let HoverPosition::NearDataPoint { plot_name, position, .. } = hover else { return None };
            let epoch = curves.epoch_at(position.x);
            Some(format!("{plot_name} {}\nstep {:.0} · epoch {epoch:.2}", text::loss(value(position.y)), position.x))
        })
}

/// An axis with small digits.
pub(super) fn axis<'a>(hints: AxisHints<'a>, colors: &Palette) -> AxisHints<'a> {
    hints.tick_label_font(theme::digits(10.5)).tick_label_color(colors.weak).label_spacing(12.0..=24.0)
}

fn draw<'a>(plot: &mut PlotUi<'a>, curves: &'a Curves, curve: &Curve, log: bool, columns: usize, colors: &Palette) {
    let range = visible_range(plot, curve);
    let flat = |y: f64| if log { y.log10() } else { y };
    for stage in curves.stages.iter().skip(1) {
        let line = VLine::new(stage.name.clone(), stage.step).color(colors.line).width(1.0).allow_hover(false);
        plot.vline(line.style(egui_plot::LineStyle::dashed_loose()));
    }
    for (series, name, stroke, hover) in [
        (&curve.raw, "batch", Stroke::new(1.0, theme::faded(colors.accent, 0.35)), false),
        (&curve.smooth, "train", Stroke::new(2.0, colors.accent), true),
    ] {
        for run in series.visible(range.clone(), columns) {
            let points = run.into_iter().map(|[x, y]| [x, flat(y)]).filter(|[_, y]| y.is_finite());
            plot.line(Line::new(name, points.collect::<PlotPoints<'_>>()).stroke(stroke).allow_hover(hover));
        }
    }
    for line in curve.valid_lines(&curves.stages) {
        let points: Vec<_> = line.iter().map(|&[x, y]| [x, flat(y)]).filter(|[_, y]| y.is_finite()).collect();
        plot.line(Line::new("valid", points.clone()).stroke(Stroke::new(1.5, colors.second)).allow_hover(false));
        // Where epochs are many, their dots would hide the line.
        let dots = if points.len() > MOST_DOTS { points[points.len() - 1..].to_vec() } else { points };
        plot.points(Points::new("valid", dots).radius(3.5).color(colors.second));
    }
}

/// What the plot shows; all of it until somebody has moved it.
fn visible_range(plot: &PlotUi<'_>, curve: &Curve) -> std::ops::RangeInclusive<f64> {
    let end = curve.raw.end().into_iter().chain(curve.valid.last().map(|point| point[0])).fold(1.0, f64::max);
    if plot.auto_bounds().x { 0.0..=end } else { plot.plot_bounds().range_x() }
}

/// Marks at 1, 2, 5 of every decade; only the decades when there are many.
fn decades(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let wide = high - low > 4.0;
    let factors: &[f64] = if wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let exponents = (low.floor().max(-300.0) as i32)..=(high.ceil().min(300.0) as i32);
    let marks = exponents.flat_map(|exponent| factors.iter().map(move |factor| f64::from(exponent) + factor.log10()));
    marks.filter(|mark| (low..=high).contains(mark)).map(|value| GridMark { value, step_size: 1.0 }).collect()
}

/// Four to eight marks at round numbers.
pub(super) fn even(input: GridInput) -> Vec<GridMark> {
    marks(input.bounds, round_step((input.bounds.1 - input.bounds.0) / 5.0))
}

/// The same at whole numbers from zero.
fn whole(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    marks((low.max(0.0), high), round_step((high - low) / 6.0).max(1.0))
}

fn marks((low, high): (f64, f64), step: f64) -> Vec<GridMark> {
    let first = (low / step).ceil();
    let count = ((high - low) / step).clamp(0.0, 100.0) as usize + 1;
    let values = (0..count).map(|i| (first + i as f64) * step).filter(|value| *value <= high);
    values.map(|value| GridMark { value, step_size: step }).collect()
}

/// 1, 2 or 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    if !rough.is_finite() || rough <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough).unwrap_or(power)
}

fn steps(value: f64) -> String {
    if value >= 10_000.0 { text::large(value as u64) } else { text::count(value as u64) }
}

fn tick(value: f64) -> String {
    match value.abs() {
        v if v != 0.0 && !(1e-3..1e4).contains(&v) => format!("{value:.0e}"),
        _ => format!("{}", (value * 1e4).round() / 1e4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round() {
        let log = decades(GridInput { bounds: (-2.05, -0.9), base_step_size: 0.1 });
        let values: Vec<_> = log.iter().map(|mark| tick(10f64.powf(mark.value))).collect();
        assert_eq!(values, ["0.01", "0.02", "0.05", "0.1"]);
        let even = even(GridInput { bounds: (0.0, 0.93), base_step_size: 0.1 });
        assert_eq!(even.iter().map(|mark| tick(mark.value)).collect::<Vec<_>>(), ["0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(whole(GridInput { bounds: (-0.1, 3.0), base_step_size: 0.1 }).len(), 4);
    }
}
