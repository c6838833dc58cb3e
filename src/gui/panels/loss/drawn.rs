//! The plot itself: batches, their course, epochs, stages, and what the pointer tells.

use super::marks::{Marked, odd_marks};
use crate::panels::axes::{Axes, Span, ValueLine, follow, plot, show_values, written};
use crate::theme::{self, Palette};
use eframe::egui::{Align2, Color32, FontId, RichText, Stroke, Ui};
use egui_plot::{Line, LineStyle, PlotPoint, PlotUi, Points, Text, VLine};
use strata_app::curves::{Curve, Curves, Quantity, StageMark, Steps, by_stage};
use strata_core::format;

/// More measurements than this are a line without dots.
pub(in crate::panels) const MOST_DOTS: usize = 40;

/// What is drawn, and on which axes.
pub(super) struct Drawn<'a> {
    pub curves: &'a Curves,
    pub curve: &'a Curve,
    pub axes: Axes,
    pub span: Span,
    /// The steps that are shown.
    pub shown: Steps,
    /// The step whose weights are looked back at.
    pub at: Option<u64>,
}

impl<'a> Drawn<'a> {
    /// The plot, and what the pointer tells.
    pub fn show(&self, ui: &mut Ui, colors: &Palette) {
        let columns = (ui.available_width() / 2.0).max(64.0) as usize;
        let first = self.axes.place(self.curves, [self.shown[0].max(0.0), 1.0])[0];
        let shown = plot(ui, self.axes, self.span, first, &self.title())
            .show(ui, |plot| self.draw(plot, columns, colors));
        show_values(ui, &shown, |x| self.values(x, colors));
    }

    /// Whether a step is shown.
    pub fn has(&self, step: f64) -> bool {
        step > self.shown[0] && step <= self.shown[1]
    }

    /// The stages that are shown.
    fn stages(&self) -> impl Iterator<Item = &StageMark> {
        let stages = self.curves.stages.iter();
        stages.filter(|stage| stage.step >= self.shown[0] && stage.step < self.shown[1])
    }

    /// The name of the axis of values: with the loss's kind where there is but one.
    fn title(&self) -> String {
        let name = self.axes.quantity.name().to_lowercase();
        let mut kinds: Vec<&str> = self
            .stages()
            .filter_map(|stage| stage.loss.as_deref())
            .collect();
        kinds.dedup();
        match kinds[..] {
            [kind] if self.axes.quantity == Quantity::Loss => format!("{name} ({kind})"),
            _ => name,
        }
    }

    /// Whether the loss's penalty is drawn too.
    pub fn has_penalty(&self) -> bool {
        self.axes.quantity == Quantity::Loss && !self.curves.penalty.raw.is_empty()
    }

    /// Whether the smoothed course is drawn: it says nothing of a few steps.
    pub fn is_smoothed(&self) -> bool {
        self.curve.smoothed_over(self.axes.log) > 1
    }

    /// What is told at a place of the axis of steps or epochs: its title and the value of every line.
    fn values(&self, x: f64, colors: &Palette) -> (String, Vec<ValueLine>) {
        let (curves, axes) = (self.curves, self.axes);
        let step = axes.step(curves, x).round();
        let values = self.curve.at(step, &curves.stages);
        let step = values.batch.map_or(step, |[step, _]| step);
        let title = format!(
            "step {} · epoch {:.2}",
            format::count(step as u64),
            curves.epoch_at(step)
        );
        let lines = line_colors(colors);
        let changed = curves.change_at(step).map(|change| ValueLine {
            text: format!(
                "from step {} on: {}",
                format::count(change.step),
                change.text()
            ),
            color: colors.second,
        });
        let mut told: Vec<ValueLine> = written(axes, curves, &values)
            .into_iter()
            .map(|(line, text)| ValueLine {
                text,
                color: line.map_or(colors.accent, |line| lines[line]),
            })
            .collect();
        let penalty = curves.penalty.at(step, &curves.stages).batch;
        if let Some([_, value]) = penalty.filter(|_| self.has_penalty()) {
            told.push(ValueLine {
                text: format!("penalty {}", axes.quantity.write(value)),
                color: colors.weak,
            });
        }
        told.extend(changed);
        (title, told)
    }

    fn draw(&self, plot: &mut PlotUi<'a>, columns: usize, colors: &Palette) {
        follow(plot);
        self.borders(plot, colors);
        self.changes(plot, colors);
        self.mark(plot, colors);
        self.steps(plot, columns, colors);
        for ((name, points), color) in self.curve.lines().into_iter().zip(line_colors(colors)) {
            for line in by_stage(points, &self.curves.stages) {
                if line.first().is_some_and(|point| self.has(point[0])) {
                    self.epochs(plot, name, line, color);
                }
            }
        }
        let of = Marked {
            curves: self.curves,
            axes: self.axes,
            span: self.span,
            steps: self.shown,
        };
        odd_marks(plot, &of, &self.curve.odd.steps, colors.accent);
        odd_marks(plot, &of, &self.curve.odd.epochs, colors.strong);
        if self.has_penalty() {
            odd_marks(plot, &of, &self.curves.penalty.odd.steps, colors.weak);
        }
    }

    /// The step that is looked back at.
    fn mark(&self, plot: &mut PlotUi<'a>, colors: &Palette) {
        let at = self.at.map(|step| step as f64);
        let Some(step) =
            at.filter(|step| self.has(*step) || (*step == 0.0 && self.shown[0] <= 0.0))
        else {
            return;
        };
        let x = self.axes.place(self.curves, [step, 1.0])[0];
        let line = VLine::new("shown step", x)
            .color(colors.strong)
            .width(1.5)
            .allow_hover(false);
        plot.vline(line);
    }

    /// Where a stage begins, with its name and its loss: what follows may be another quantity.
    fn borders(&self, plot: &mut PlotUi<'a>, colors: &Palette) {
        for stage in self.stages().skip(1) {
            let x = self.axes.place(self.curves, [stage.step, 1.0])[0];
            let line = VLine::new(stage.name.clone(), x)
                .color(colors.line)
                .width(1.0)
                .allow_hover(false);
            plot.vline(line.style(LineStyle::dashed_loose()));
        }
        if self.curves.stages.len() < 2 {
            return;
        }
        let end = plot.plot_bounds().max()[0];
        let mut stages = self.stages().peekable();
        while let Some(stage) = stages.next() {
            let x = self.axes.place(self.curves, [stage.step, 1.0])[0];
            let until = stages.peek().map_or(end, |next| {
                self.axes.place(self.curves, [next.step, 1.0])[0]
            });
            let at = |x: f64| plot.screen_from_plot(PlotPoint::new(x, 0.0)).x;
            let room = at(until) - at(x);
            let loss = stage
                .loss
                .as_ref()
                .filter(|_| self.axes.quantity == Quantity::Loss);
            let name = match loss {
                Some(loss) => format!(" {}: {loss}", stage.name),
                None => format!(" {}", stage.name),
            };
            let letters = FontId::proportional(theme::SMALL);
            let width = |text: &str| {
                let galley = plot.ctx().fonts_mut(|fonts| {
                    fonts.layout_no_wrap(text.to_owned(), letters.clone(), colors.weak)
                });
                galley.size().x
            };
            let Some(name) = fitting(&name, room, width) else {
                continue;
            };
            let text = RichText::new(name).size(theme::SMALL).color(colors.weak);
            let place = PlotPoint::new(x, self.span.above());
            plot.text(
                Text::new("stage", place, text)
                    .anchor(Align2::LEFT_CENTER)
                    .allow_hover(false),
            );
        }
    }

    /// Every batch, their running mean, and the penalty.
    fn steps(&self, plot: &mut PlotUi<'a>, columns: usize, colors: &Palette) {
        let range = self.axes.steps(plot, self.curves, self.curve);
        let odd = self.curve.odd.steps.without_logarithm();
        let (is_smoothed, strong) = (self.is_smoothed(), 0.75);
        let share = if is_smoothed { 0.35 } else { strong };
        let faint = Stroke::new(1.0, theme::faded(colors.accent, share));
        let course = Stroke::new(1.5, theme::faded(colors.accent, strong));
        let penalty = Stroke::new(1.0, colors.weak);
        let mut lines = vec![("batch", &self.curve.raw, odd, faint)];
        if is_smoothed {
            lines.push(("smoothed", &self.curve.smooth, odd, course));
        }
        if self.has_penalty() {
            let odd = self.curves.penalty.odd.steps.without_logarithm();
            lines.push(("penalty", &self.curves.penalty.raw, odd, penalty));
        }
        for (name, series, odd, stroke) in lines {
            for mut piece in series.visible(range.clone(), columns) {
                piece.retain(|point| self.has(point[0]));
                for stretch in self.axes.places(self.curves, &piece, odd) {
                    stroke_or_dot(plot, name, stretch, stroke);
                }
            }
        }
    }

    /// One value an epoch, never smoothed.
    fn epochs(&self, plot: &mut PlotUi<'a>, name: &'static str, line: &[[f64; 2]], color: Color32) {
        for points in self.axes.places(self.curves, line, &[]) {
            plot.line(
                Line::new(name, points.clone())
                    .stroke(Stroke::new(1.5, color))
                    .allow_hover(false),
            );
            // Where epochs are many, their dots would hide the line.
            let dots = if points.len() > MOST_DOTS {
                points[points.len() - 1..].to_vec()
            } else {
                points
            };
            plot.points(Points::new(name, dots).radius(3.5).color(color));
        }
    }
}

/// As much of a name as has room, with `…` where it ends early; `None` where not even two letters do.
fn fitting(name: &str, room: f32, width: impl Fn(&str) -> f32) -> Option<String> {
    if width(name) <= room {
        return Some(name.to_owned());
    }
    let letters: Vec<char> = name.chars().collect();
    let cut =
        |count: usize| -> String { letters.iter().take(count).chain(['…'].iter()).collect() };
    let least = name.chars().take_while(|letter| *letter == ' ').count() + 2;
    let most = (least..letters.len()).rev().map(cut);
    most.into_iter().find(|text| width(text) <= room)
}

/// The colours of what is measured on the training, the validation and the test images.
pub(super) fn line_colors(colors: &Palette) -> [Color32; 3] {
    [colors.accent, colors.second, colors.proven]
}

/// A line; a single point of one is a dot.
fn stroke_or_dot(plot: &mut PlotUi<'_>, name: &'static str, points: Vec<[f64; 2]>, stroke: Stroke) {
    if points.len() == 1 {
        return plot.points(Points::new(name, points).radius(1.5).color(stroke.color));
    }
    plot.line(
        Line::new(name, points)
            .stroke(stroke)
            .allow_hover(name != "batch"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stage names stand side by side above the plot: one that is wider than its stage ends early.
    #[test]
    fn names_of_narrow_stages_end_before_the_next_one() {
        let width = |text: &str| 6.0 * text.chars().count() as f32;
        let of = |room: f32| fitting(" pretrain: mse", room, width);
        assert_eq!(of(84.0).as_deref(), Some(" pretrain: mse"));
        assert_eq!(of(60.0).as_deref(), Some(" pretrain…"));
        assert_eq!(of(24.0).as_deref(), Some(" pr…"));
        assert_eq!(of(20.0), None);
        assert_eq!(of(-5.0), None);
    }
}
