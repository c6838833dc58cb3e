//! The runs laid over each other, and what the pointer tells of each.

use super::{color, left_out, of, quantity, style};
use crate::panels::axes::{Axes, Span, ValueLine, follow, plot, show_values, written};
use crate::panels::loss::{MOST_DOTS, Marked, odd_marks};
use crate::theme;
use crate::widgets::first_fitting;
use eframe::egui::{Color32, FontId, Label, RichText, Role, Sense, Stroke, Ui, WidgetInfo};
use egui_plot::{Line, LineStyle, PlotUi, Points};
use strata_app::curves::{ALL_STEPS, Curves, Extent, OddSteps, Quantity, by_stage};
use strata_app::runs::StoredRun;
use strata_app::state::State;
use strata_core::format;

/// A plot that is lower has one line of heading.
const LOW: f32 = 150.0;

/// A run that is drawn.
struct Shown<'a> {
    name: &'a str,
    curves: &'a Curves,
    color: Color32,
    style: LineStyle,
}

/// All of them on these axes.
struct Plotted<'a> {
    runs: Vec<Shown<'a>>,
    axes: Axes,
    span: Span,
}

/// Shows the plot with its heading.
pub(super) fn show(ui: &mut Ui, state: &State) {
    let quantity = quantity(state);
    let axes = Axes {
        quantity,
        log: quantity.has_logarithm() && state.view.log_loss,
        by_epoch: state.view.by_epoch,
    };
    let is_shown =
        |run: &StoredRun| !state.runs.hidden.contains(&run.path) && left_out(state, run).is_none();
    let runs: Vec<Shown> = (state.runs.list.iter().enumerate())
        .filter(|(_, run)| is_shown(run))
        .map(|(index, run)| Shown {
            name: &run.name,
            curves: of(state, run),
            color: color(ui, index),
            style: style(index),
        })
        .collect();
    let course = |run: &Shown| run.curves.of(quantity).shown(axes.log, ALL_STEPS);
    let extent = runs
        .iter()
        .map(course)
        .fold(Extent::default(), Extent::joined);
    let plotted = Plotted {
        span: axes.span(extent),
        runs,
        axes,
    };
    plotted.heading(ui, state);
    let columns = (ui.available_width() / 2.0).max(64.0) as usize;
    let title = quantity.name().to_lowercase();
    let shown = plot(ui, axes, plotted.span, 0.0, &title).show(ui, |plot| {
        follow(plot);
        for run in &plotted.runs {
            plotted.draw(plot, run, columns);
        }
    });
    show_values(ui, &shown, |x| plotted.values(x));
}

impl<'a> Plotted<'a> {
    /// What is drawn, and what is not.
    fn heading(&self, ui: &mut Ui, state: &State) {
        let quantity = self.axes.quantity;
        let what = match quantity {
            Quantity::Loss => state.runs.meaning().unwrap_or_default(),
            _ => quantity.about(),
        };
        let mut text = format!("{what}. {}", self.lines());
        let all = state.runs.list.iter();
        let left_out = all.filter(|run| left_out(state, run).is_some()).count();
        if left_out > 0 {
            let (runs, have, are) = match left_out {
                1 => ("run", "has", "is"),
                _ => ("runs", "have", "are"),
            };
            let other = match quantity {
                Quantity::Loss => "another loss",
                _ => "nothing of it",
            };
            text += &format!(". {left_out} {runs} {have} {other} and {are} not drawn");
        }
        let odd = |count: fn(&OddSteps) -> usize| -> usize {
            let of_run = |run: &Shown| {
                let odd = &run.curves.of(quantity).odd;
                count(&odd.steps) + count(&odd.epochs)
            };
            self.runs.iter().map(of_run).sum()
        };
        let (zeros, not_finite) = (
            odd(OddSteps::zeros) + odd(OddSteps::below_zero),
            odd(OddSteps::not_finite),
        );
        if self.axes.log && zeros > 0 {
            text += &format!(". ▼ {zeros} values of 0 or below");
        }
        if not_finite > 0 {
            text += &format!(". × {not_finite} values not finite");
        }
        let ink = theme::palette(ui).text;
        if ui.available_height() < LOW {
            // The lines are worth more than all that is said of them.
            let texts = [text.as_str(), &self.lines()];
            let font = FontId::proportional(theme::SMALL);
            let short = first_fitting(ui, &texts, font, ink, ui.available_width());
            let label = Label::new(short).show_tooltip_when_elided(false);
            let label = ui.add(label.sense(Sense::hover()));
            let label = label.on_hover_text(&text);
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, text.as_str()));
            return;
        }
        let text = RichText::new(text).size(theme::SMALL).color(ink);
        ui.add(Label::new(text).wrap());
    }

    /// Which line is which.
    fn lines(&self) -> String {
        let quantity = self.axes.quantity;
        let curves = || self.runs.iter().map(|run| run.curves.of(quantity));
        let Some(over) = curves()
            .map(|curve| curve.smoothed_over(self.axes.log))
            .max()
        else {
            return "No run of it is shown".to_owned();
        };
        let has_steps = curves().any(|curve| !curve.raw.is_empty());
        let is_measured = curves().any(|curve| !curve.valid.is_empty());
        match (is_measured, has_steps) {
            (true, true) if over > 1 => {
                format!("Strong: valid; faint: train, smoothed over {over} steps")
            }
            (true, _) => "Strong: valid; faint: train".to_owned(),
            (false, true) if over > 1 => format!("Each batch, smoothed over {over} steps"),
            (false, true) => "Each step".to_owned(),
            (false, false) => "Train".to_owned(),
        }
    }

    /// What is told at a place of the axis of steps or epochs: every run with all that it has there.
    fn values(&self, x: f64) -> (String, Vec<ValueLine>) {
        let title = match self.axes.by_epoch {
            true => format!("epoch {x:.2}"),
            false => format!("step {}", format::count(x.max(0.0).round() as u64)),
        };
        let line = |run: &Shown| {
            let step = self.axes.step(run.curves, x).round();
            let values = run.curves.of(self.axes.quantity);
            let values = values.at(step, &run.curves.stages);
            let parts = written(self.axes, run.curves, &values);
            let parts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
            ValueLine {
                text: format!("{}: {}", run.name, parts.join(" · ")),
                color: run.color,
            }
        };
        (title, self.runs.iter().map(line).collect())
    }

    fn draw(&self, plot: &mut PlotUi<'a>, run: &Shown<'a>, columns: usize) {
        let (axes, curves) = (self.axes, run.curves);
        let curve = curves.of(axes.quantity);
        let range = axes.steps(plot, curves, curve);
        let odd = curve.odd.steps.without_logarithm();
        let faint = Stroke::new(1.5, theme::faded(run.color, 0.55));
        // What is exact at every step has no running mean.
        let steps = match curve.smooth.is_empty() {
            true => &curve.raw,
            false => &curve.smooth,
        };
        for piece in steps.visible(range, columns) {
            for points in axes.places(curves, &piece, odd) {
                plot.line(Line::new(run.name, points).stroke(faint).style(run.style));
            }
        }
        if steps.is_empty() {
            for line in by_stage(&curve.train, &curves.stages) {
                for points in axes.places(curves, line, &[]) {
                    plot.line(Line::new(run.name, points).stroke(faint).style(run.style));
                }
            }
        }
        for line in by_stage(&curve.valid, &curves.stages) {
            for points in axes.places(curves, line, &[]) {
                self.measured(plot, run, points);
            }
        }
        for odd in [&curve.odd.steps, &curve.odd.epochs] {
            let of = Marked {
                curves,
                axes,
                span: self.span,
                steps: ALL_STEPS,
            };
            odd_marks(plot, &of, odd, run.color);
        }
    }

    /// A line of what was measured on the validation images.
    fn measured(&self, plot: &mut PlotUi<'a>, run: &Shown<'a>, points: Vec<[f64; 2]>) {
        let stroke = Stroke::new(2.0, run.color);
        plot.line(
            Line::new(run.name, points.clone())
                .stroke(stroke)
                .style(run.style),
        );
        // Where epochs are many, their dots would hide the line.
        let dots = match points.len() > MOST_DOTS {
            true => points[points.len() - 1..].to_vec(),
            false => points,
        };
        plot.points(Points::new(run.name, dots).radius(3.0).color(run.color));
    }
}
