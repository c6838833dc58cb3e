//! The course of training: the loss (or the accuracy) of every step with its smoothed course, and what was measured
//! after each epoch on every split.

mod changes;
mod legend;

use super::axes::{Axes, Span, ValueLine, follow, plot, show_values, written};
use crate::theme::{self, Palette};
use crate::view::View;
use crate::widgets::{empty, slider as shown_slider};
use eframe::egui::{
    Align2, Button, Color32, FontId, Popup, PopupCloseBehavior, Rect, RichText, Slider, Stroke, Ui,
    UiBuilder, vec2,
};
use egui_plot::{Line, LineStyle, MarkerShape, PlotPoint, PlotUi, Points, Text, VLine};
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
pub use strata_app::curves::Quantity;
use strata_app::curves::{ALL_STEPS, Curve, Curves, OddSteps, StageMark, Steps, by_stage};
use strata_app::state::State;
use strata_app::view_settings::{SMOOTHINGS, Switch};
use strata_core::format;
use strata_core::project::stage::{Stage, Task};

/// More measurements than this are a line without dots.
pub(super) const MOST_DOTS: usize = 40;

/// The most marks of values without a place that are distinguished.
const MOST_MARKS: usize = 1000;

/// A plot of one quantity.
pub(crate) struct LossView(pub Quantity);

impl LossView {
    fn curve<'a>(&self, curves: &'a Curves) -> &'a Curve {
        curves.of(self.0)
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
        self.0.name()
    }

    fn summary(&self) -> &'static str {
        match self.0 {
            Quantity::Loss => "What training makes small, step by step",
            _ => self.0.about(),
        }
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        match self.0 {
            Quantity::Loss => {
                "What training makes small, without the penalty of sparsity, which is a line of its own. Faint: every batch, and over it their running mean; dots: the training images over an epoch, the validation and the test images after it. When validation rises while training falls, the network learns its images by heart."
            }
            _ => {
                "The share of images whose class is named right: on each batch, over the training images of an epoch, and after it on the validation and test images."
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
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        self.show(ui, state, Some(actions));
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.show(ui, state, None);
    }
}

impl LossView {
    /// The plot with its legend; without actions as a picture.
    fn show(&self, ui: &mut Ui, state: &State, actions: Option<&mut Vec<Action>>) {
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
                _ => {
                    let heading = match state.has_task(Task::Classify) {
                        true => "Nothing classified yet",
                        false => "Nothing is classified",
                    };
                    empty(ui, heading, &next_classifier(state));
                }
            }
            return;
        }
        let axes = self.axes(state);
        let colors = *theme::palette(ui);
        let kinds = match self.0 {
            Quantity::Loss => curves.kinds_of_loss(),
            _ => Vec::new(),
        };
        let of = |steps: Steps| {
            let extent = match self.0 {
                Quantity::Loss => {
                    let penalty = curves.penalty.shown(axes.log, steps);
                    curve.shown(axes.log, steps).joined(penalty)
                }
                _ => curve.shown(axes.log, steps),
            };
            Drawn {
                curves,
                curve,
                axes,
                span: axes.span(extent),
                shown: steps,
                at: state.training.at,
            }
        };
        let whole = of(ALL_STEPS);
        legend::show(ui, state, &whole, actions);
        if kinds.len() < 2 {
            return whole.show(ui, &colors);
        }
        // A loss of another kind has an axis of its own.
        let area = ui.available_rect_before_wrap();
        let width = area.width() / kinds.len() as f32;
        for (index, steps) in kinds.into_iter().enumerate() {
            let corner = area.left_top() + vec2(index as f32 * width, 0.0);
            let place = Rect::from_min_size(corner, vec2(width - theme::GAP, area.height()));
            let place = UiBuilder::new()
                .id_salt(("kind of loss", index))
                .max_rect(place);
            of(steps).show(&mut ui.new_child(place), &colors);
        }
    }
}

/// What fills the plot of the accuracy.
fn next_classifier(state: &State) -> String {
    let training = &state.training;
    let project = training
        .project
        .as_ref()
        .filter(|_| training.is_live())
        .unwrap_or(state.project());
    let classifies = |stage: &Stage| stage.task == Task::Classify;
    let first = project.stages.iter().position(classifies);
    match first {
        None => "No stage of this project classifies.".to_owned(),
        Some(index) if training.is_live() => {
            let name = &project.stages[index].name;
            format!(
                "Stage {}, “{name}”, classifies: it fills this plot.",
                index + 1
            )
        }
        Some(_) => "Press Train: the stage that classifies fills this plot.".to_owned(),
    }
}

/// What is drawn, and on which axes.
struct Drawn<'a> {
    curves: &'a Curves,
    curve: &'a Curve,
    axes: Axes,
    span: Span,
    /// The steps that are shown.
    shown: Steps,
    /// The step whose weights are looked back at.
    at: Option<u64>,
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

/// How strongly the curves of the batches are smoothed; the batches themselves are always drawn.
pub(super) fn smoothing(
    ui: &mut Ui,
    state: &State,
    text: RichText,
    plot: &str,
    actions: &mut Vec<Action>,
) {
    let button = Button::new(text).frame_when_inactive(false).small();
    let button = ui.add(button);
    let button = button
        .on_hover_text("The running mean of the batches: to see their course, not to read a value from. Press to choose over how many steps it goes; 1 shows the batches alone. What is measured once an epoch is never smoothed")
        .accessible_name(format!("Smoothing of {plot}"));
    let before = state.view.smoothing;
    let mut steps = before;
    let shown = Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    shown.show(|ui| {
        ui.horizontal(|ui| {
            ui.label("over at most");
            let slider = Slider::new(&mut steps, SMOOTHINGS).logarithmic(true);
            shown_slider(ui, slider.suffix(" steps")).accessible_name("Steps to smooth over");
        });
    });
    if steps != before {
        actions.push(Action::Show(Show::Switch(Switch::Smoothing(steps))));
    }
}

impl<'a> Drawn<'a> {
    /// The plot, and what the pointer tells.
    fn show(&self, ui: &mut Ui, colors: &Palette) {
        let columns = (ui.available_width() / 2.0).max(64.0) as usize;
        let first = self.axes.place(self.curves, [self.shown[0].max(0.0), 1.0])[0];
        let shown = plot(ui, self.axes, self.span, first, &self.title())
            .show(ui, |plot| self.draw(plot, columns, colors));
        show_values(ui, &shown, |x| self.values(x, colors));
    }

    /// Whether a step is shown.
    fn has(&self, step: f64) -> bool {
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
    fn has_penalty(&self) -> bool {
        self.axes.quantity == Quantity::Loss && !self.curves.penalty.raw.is_empty()
    }

    /// Whether the smoothed course is drawn: it says nothing of a few steps.
    fn is_smoothed(&self) -> bool {
        self.curve.smoothed_over(self.axes.log) > 1
    }

    /// What is told at a place of the axis of steps or epochs: its title and the value of every line.
    fn values(&self, x: f64, colors: &Palette) -> (String, Vec<ValueLine>) {
        let (curves, axes) = (self.curves, self.axes);
        let step = axes.step(curves, x).round();
        let values = self.curve.at(step, &curves.stages);
        let step = values.batch.map_or(step, |[step, _]| step);
        let title = format!("step {step:.0} · epoch {:.2}", curves.epoch_at(step));
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
        let faint = Stroke::new(1.0, theme::faded(colors.accent, 0.35));
        let course = Stroke::new(1.5, theme::faded(colors.accent, 0.75));
        let penalty = Stroke::new(1.0, colors.weak);
        let mut lines = vec![("batch", &self.curve.raw, odd, faint)];
        if self.is_smoothed() {
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

/// Of which curves the marks of [`odd_marks`] are, and where their edges lie.
pub(super) struct Marked<'a> {
    /// The curves.
    pub curves: &'a Curves,
    /// What is on the axes.
    pub axes: Axes,
    /// From where to where values go.
    pub span: Span,
    /// The steps that are shown.
    pub steps: Steps,
}

/// Marks at the edges for values that have no place: none is left out in silence.
pub(super) fn odd_marks(plot: &mut PlotUi<'_>, of: &Marked<'_>, odd: &OddSteps, color: Color32) {
    let below = match of.axes.log {
        true => odd.without_logarithm(),
        false => &[],
    };
    let strips = [
        (below, of.span.below(), MarkerShape::Down, "0"),
        (
            odd.at_not_finite(),
            of.span.above(),
            MarkerShape::Cross,
            "not finite",
        ),
    ];
    for (steps, y, shape, name) in strips.into_iter().filter(|strip| !strip.0.is_empty()) {
        let stride = steps.len().div_ceil(MOST_MARKS).max(1);
        let x = |step: &f64| of.axes.place(of.curves, [*step, 1.0])[0];
        let points: Vec<[f64; 2]> = steps
            .iter()
            .filter(|step| **step > of.steps[0] && **step <= of.steps[1])
            .step_by(stride)
            .map(|step| [x(step), y])
            .collect();
        let points = Points::new(name, points)
            .radius(3.0)
            .shape(shape)
            .color(color);
        plot.points(points.allow_hover(false));
    }
}

/// The colours of what is measured on the training, the validation and the test images.
fn line_colors(colors: &Palette) -> [Color32; 3] {
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
