//! The course of training: the loss (or the accuracy) of every step, smoothed, and on the validation
//! images.

pub use super::axes::Quantity;
use super::axes::{Axes, plot};
use crate::theme::{self, Palette};
use crate::view::View;
use crate::widgets::{empty, figure};
use eframe::egui::{RichText, Stroke, Ui};
use egui_plot::{Line, PlotUi, Points, VLine};
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::curves::{Curve, Curves};
use strata_app::state::State;
use strata_core::format;

/// More measurements than this are a line without dots.
const MOST_DOTS: usize = 40;

/// A plot of one quantity.
pub struct LossView(pub Quantity);

impl LossView {
    fn curve<'a>(&self, curves: &'a Curves) -> &'a Curve {
        match self.0 {
            Quantity::Loss => &curves.loss,
            Quantity::Accuracy => &curves.accuracy,
        }
    }

    fn axes(&self, state: &State) -> Axes {
        Axes {
            quantity: self.0,
            log: self.0 == Quantity::Loss && state.view.log_loss,
            by_epoch: state.view.by_epoch,
        }
    }
}

impl View for LossView {
    fn title(&self) -> &'static str {
        match self.0 {
            Quantity::Loss => "Loss",
            Quantity::Accuracy => "Accuracy",
        }
    }

    fn summary(&self) -> &'static str {
        match self.0 {
            Quantity::Loss => "What training makes small, step by step",
            Quantity::Accuracy => "The share of images whose class is named right",
        }
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

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
        format!(
            "step {} · epoch {:.1}",
            format::count(curves.steps()),
            curves.epoch_at(curves.steps() as f64)
        )
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
        by_epoch(ui, state, self.0.name(), actions);
        self.values(ui, self.curve(&state.training.curves));
    }

    fn body(&mut self, ui: &mut Ui, state: &State, _: &mut Vec<Action>) {
        let curves = &state.training.curves;
        let curve = self.curve(curves);
        if curve.is_empty() {
            match self.0 {
                _ if state.training.is_reading() => {
                    empty(ui, "Reading the run …", "Its curves appear in a moment.")
                }
                Quantity::Loss => empty(
                    ui,
                    "No steps yet",
                    "Press Train: the first steps appear within a second.",
                ),
                Quantity::Accuracy => empty(
                    ui,
                    "Nothing classified yet",
                    "Press Train: the stage that classifies fills this plot.",
                ),
            }
            return;
        }
        let axes = self.axes(state);
        let colors = *theme::palette(ui);
        let columns = (ui.available_width() / 2.0).max(64.0) as usize;
        plot(ui, axes, |_| Some(curves))
            .show(ui, |plot| draw(plot, curves, curve, axes, columns, &colors));
    }
}

impl LossView {
    /// The newest values in the colours of their curves, so that they are the legend too.
    fn values(&self, ui: &mut Ui, curve: &Curve) {
        let write = |value: f64| match self.0 {
            Quantity::Loss => format::loss(value),
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
            (
                "train",
                curve.smooth.last(),
                colors.accent,
                "On the last batches, smoothed",
            ),
        ] {
            let Some(value) = value else { continue };
            figure(ui, &format!("{name} {}", write(value)), color, hover);
        }
    }
}

/// The switch between steps and epochs.
pub(super) fn by_epoch(ui: &mut Ui, state: &State, plot: &str, actions: &mut Vec<Action>) {
    let mut epochs = state.view.by_epoch;
    let switch = ui.toggle_value(&mut epochs, RichText::new("epochs").size(theme::SMALL));
    let switch = switch
        .on_hover_text("Plot against epochs (passes over the images) instead of steps (batches)");
    if switch
        .accessible_name(format!("{plot} against epochs"))
        .clicked()
    {
        actions.push(Action::Show(Show::ByEpoch(epochs)));
    }
}

fn draw<'a>(
    plot: &mut PlotUi<'a>,
    curves: &'a Curves,
    curve: &Curve,
    axes: Axes,
    columns: usize,
    colors: &Palette,
) {
    let range = axes.steps(plot, curves, curve);
    for stage in curves.stages.iter().skip(1) {
        let line = VLine::new(stage.name.clone(), axes.place(curves, [stage.step, 1.0])[0])
            .color(colors.line)
            .width(1.0)
            .allow_hover(false);
        plot.vline(line.style(egui_plot::LineStyle::dashed_loose()));
    }
    for (series, name, stroke, hover) in [
        (
            &curve.raw,
            "batch",
            Stroke::new(1.0, theme::faded(colors.accent, 0.35)),
            false,
        ),
        (
            &curve.smooth,
            "train",
            Stroke::new(2.0, colors.accent),
            true,
        ),
    ] {
        for run in series.visible(range.clone(), columns) {
            plot.line(
                Line::new(name, axes.places(curves, &run))
                    .stroke(stroke)
                    .allow_hover(hover),
            );
        }
    }
    for line in curve.valid_lines(&curves.stages) {
        let points = axes.places(curves, line);
        plot.line(
            Line::new("valid", points.clone())
                .stroke(Stroke::new(1.5, colors.second))
                .allow_hover(false),
        );
        // Where epochs are many, their dots would hide the line.
        let dots = if points.len() > MOST_DOTS {
            points[points.len() - 1..].to_vec()
        } else {
            points
        };
        plot.points(Points::new("valid", dots).radius(3.5).color(colors.second));
    }
}
