//! The course of a training by layer: gradients, weights, updates and outputs over the steps, and what is wrong in words.

mod placed;

use super::axes::ticks::{logarithmic, round, tick};
use super::axes::{axis, even, is_too_low, show_focus};
use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::{ChoiceBox, empty, plain};
use eframe::egui::{
    Align, Color32, Label, Layout, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, Vec2b, vec2,
};
use egui_plot::{AxisHints, GridInput, HoverPosition, Line, MarkerShape, Plot, Points};
use placed::{Placed, span_of, told_marks};
use std::any::TypeId;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format;
use strata_engine::inspection::dynamics::{Dynamics, Figure, LayerCourse, Request};
use strata_engine::inspection::reply::Query;
use strata_inspect::inspection::Subject;
use strata_inspect::maps::viridis;

/// What was chosen in the view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DynamicsChoice(pub Figure);

/// The view.
pub(crate) struct DynamicsView;

/// Steps after which the file of a run in training is read again.
const STEPS: u64 = 32;
/// The same in its first steps.
const FIRST: u64 = 4;
/// The same in a long run, as a part of its steps: the file is read as a whole, which must not take more and more time.
const GROWN: f64 = 0.05;
/// Width of the list of layers beside the plot, at most and at least, and as a share of the view's.
const LIST: f32 = 280.0;
const SHORT_LIST: f32 = 128.0;
const LIST_SHARE: f32 = 0.45;
/// Width from which the list stands beside the plot; under it, it stands below.
const ROOMY: f32 = 360.0;
/// The part of the height that the list below takes at most.
const LIST_BELOW: f32 = 0.36;
/// The part of the height that warnings take at most.
const WARNINGS: f32 = 0.35;
const LINE: f32 = 17.0;
/// A plot that is lower has no room for the name of its axis of steps.
const LOW: f32 = 110.0;

impl View for DynamicsView {
    fn title(&self) -> &'static str {
        "Dynamics"
    }

    fn summary(&self) -> &'static str {
        "Gradients, weights, updates and outputs of every layer over the training"
    }

    fn words(&self) -> &'static str {
        "gradient norm weight norm update ratio activation statistics dying relu exploding vanishing saturated layers over time"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "What every layer did at the steps that are kept: the norm of its gradient and of its weights, how much a step changes the weights by their norm (a thousandth is usual), mean and deviation of its outputs, the share of zeros, and of a sigmoid or tanh the share near its ends. Of a layer that is computed in one with the activation behind it, the activation shows the outputs. Above stands what is wrong now, with its figure and what to try: a dying relu (95 % zeros or more), a saturated sigmoid or tanh (90 % or more within 1 % of its ends), an exploding gradient (100 times its median, or a step that changes the weights by 30 %), a vanishing one (by its weights under a ten thousandth of the largest layer's)."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |dynamics| {
            let warnings = match dynamics.troubled().count() {
                0 => "nothing unusual".to_owned(),
                1 => "1 warning".to_owned(),
                count => format!("{count} warnings"),
            };
            let layers = dynamics.layers.len();
            format!(
                "{layers} layers · {warnings} · step {}",
                format::count(dynamics.step)
            )
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let DynamicsChoice(former) = state.choices.get();
        let mut figure = former;
        let hover = "Which figure is drawn, a line for each layer";
        ChoiceBox {
            id: "figure of dynamics",
            width: 168.0,
            shown: figure.name().into(),
            hover,
            name: "Figure of dynamics",
        }
        .show(ui, |ui| {
            for one in Figure::ALL {
                ui.selectable_value(&mut figure, one, one.name());
            }
        });
        if figure != former {
            actions.push(Action::Choose(Choice::new(DynamicsChoice(figure))));
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.request(query(state)));
        content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        content(ui, state, &mut Vec::new());
    }
}

/// The query for the course of the run that is shown.
fn query(state: &State) -> Option<Query<Dynamics>> {
    let run = state.training.run.clone()?;
    // Without a subject the run's file is not there yet.
    let is_live = state.subject()? == Subject::Live;
    let steps = state.training.curves.steps();
    // Once more when it has ended.
    let round = 2 * rounds(steps) + u64::from(!is_live);
    Some(Query::new(Subject::Nothing, Request { run, round }))
}

/// How often the file of a run of so many steps was worth reading.
fn rounds(steps: u64) -> u64 {
    if steps < STEPS {
        return steps / FIRST;
    }
    let many = (STEPS as f64 / GROWN) as u64;
    let grown = (steps.max(many) as f64 / many as f64).ln() / GROWN.ln_1p();
    STEPS / FIRST + steps.min(many) / STEPS + grown as u64
}

/// The latest reply about the run that is shown.
fn seen(state: &State) -> Option<&strata_engine::inspection::reply::Reply<Dynamics>> {
    let reply = state.inspections.latest::<Dynamics>()?;
    let is_of_it = state.training.run.as_ref() == Some(&reply.query.request.run);
    is_of_it.then_some(&**reply)
}

fn latest(state: &State) -> Option<&Dynamics> {
    seen(state)?
        .result
        .as_deref()
        .ok()
        .filter(|dynamics| !dynamics.layers.is_empty())
}

fn content(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let DynamicsChoice(figure) = state.choices.get();
    let failure = seen(state).and_then(|seen| seen.result.as_ref().err());
    match (latest(state), failure) {
        (Some(dynamics), _) => draw(ui, dynamics, figure),
        (None, Some(error)) => failed(ui, "No dynamics of this run", &error.to_string(), actions),
        (None, None) => match state.subject() {
            Some(Subject::Stored(_)) => reading(
                ui,
                state,
                ("Reading the run …", &[TypeId::of::<Dynamics>()]),
                actions,
            ),
            Some(_) => empty(
                ui,
                "Looking …",
                "The first figures come with the first steps.",
            ),
            None => empty(
                ui,
                "No training to look at yet",
                "Press Train, or open a run folder: then every layer's gradients, weights and outputs are drawn over the steps.",
            ),
        },
    }
}

/// Warnings above, then the plot with the list of its layers.
pub(crate) fn draw(ui: &mut Ui, dynamics: &Dynamics, figure: Figure) {
    let area = ui.available_rect_before_wrap();
    let lines = 2.0 * dynamics.troubled().count().max(1) as f32;
    // Whole lines: half a line of a warning would look like a fault of the window.
    let fitting = (WARNINGS * area.height() / LINE).floor().max(1.0);
    let room = lines.min(fitting) * LINE;
    let (above, below) = area.split_top_bottom_at_y(area.top() + room);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("warnings").max_rect(above));
    inner.shrink_clip_rect(above);
    ScrollArea::vertical()
        .id_salt("warnings of layers")
        .auto_shrink(false)
        .show(&mut inner, |ui| warnings(ui, dynamics));
    let courses: Vec<&LayerCourse> = dynamics
        .layers
        .iter()
        .filter(|course| !course.line(figure).is_empty())
        .collect();
    if courses.is_empty() {
        let mut inner = ui.new_child(UiBuilder::new().id_salt("none").max_rect(below));
        return empty(
            &mut inner,
            "No layer has this figure",
            "Choose another one above.",
        );
    }
    let (drawn, named) = plot_and_list(below, courses.len());
    let mut inner = ui.new_child(UiBuilder::new().id_salt("plot").max_rect(drawn));
    plot(&mut inner, &courses, figure);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("layers").max_rect(named));
    ScrollArea::vertical()
        .id_salt("layers of dynamics")
        .auto_shrink(false)
        .show(&mut inner, |ui| list(ui, &courses, figure));
}

/// The place of the plot, and of the list of so many layers that is its legend: beside it, or below a narrow one.
fn plot_and_list(area: Rect, layers: usize) -> (Rect, Rect) {
    if area.width() >= ROOMY {
        let wide = (LIST_SHARE * area.width()).clamp(SHORT_LIST, LIST);
        let (drawn, named) = area.split_left_right_at_x(area.right() - wide);
        return (drawn, named.with_min_x(named.left() + theme::GAP));
    }
    let tall = (layers as f32 * LINE + theme::GAP).min(LIST_BELOW * area.height());
    let (drawn, named) = area.split_top_bottom_at_y(area.bottom() - tall);
    (drawn, named.with_min_y(named.top() + theme::GAP))
}

fn warnings(ui: &mut Ui, dynamics: &Dynamics) {
    let colors = theme::palette(ui);
    let mut is_any = false;
    for (course, trouble) in dynamics.troubled() {
        is_any = true;
        let text = format!(
            "{}, {}: {}",
            plain(&course.name),
            trouble.word(),
            trouble.sentence()
        );
        ui.label(RichText::new(text).size(theme::SMALL).color(colors.second));
    }
    if !is_any {
        let text = "No layer is dying, saturated, exploding or vanishing at the last step that was looked at.";
        ui.label(RichText::new(text).size(theme::SMALL).color(colors.weak));
    }
}

/// From the first layer to the last: dark to light where the ground is light, and the other way about.
fn color(ui: &Ui, index: usize, count: usize) -> Color32 {
    let share = index as f32 / (count.max(2) - 1) as f32;
    let share = match ui.visuals().dark_mode {
        true => 0.3 + 0.7 * share,
        false => 0.85 * share,
    };
    let [r, g, b] = viridis(share);
    Color32::from_rgb(r, g, b)
}

fn value_text(figure: Figure, value: f64) -> String {
    match figure {
        Figure::Zeros | Figure::Saturated => format!("{:.1} %", 100.0 * value),
        _ => format::short(value, 3),
    }
}

fn list(ui: &mut Ui, courses: &[&LayerCourse], figure: Figure) {
    let colors = *theme::palette(ui);
    for (index, course) in courses.iter().enumerate() {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, LINE), Sense::hover());
            let line = color(ui, index, courses.len());
            ui.painter()
                .hline(rect.x_range(), rect.center().y, (2.5, line));
            let last = course
                .line(figure)
                .last()
                .map(|point| value_text(figure, point[1]));
            let ink = match course.troubles.is_empty() {
                true => colors.text,
                false => colors.second,
            };
            // The value is always whole; the name has what is left.
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let value = RichText::new(last.unwrap_or_default());
                ui.label(value.font(theme::digits(theme::SMALL)).color(ink));
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let name = RichText::new(plain(&course.name)).size(theme::SMALL);
                    ui.add(Label::new(name.color(ink)).truncate());
                });
            });
        });
    }
}

fn plot(ui: &mut Ui, courses: &[&LayerCourse], figure: Figure) {
    let colors = *theme::palette(ui);
    let is_log = figure.is_logarithmic();
    let back = move |y: f64| if is_log { 10f64.powf(y) } else { y };
    let count = ((ui.available_height() - 3.0 * LINE) / LINE).clamp(2.0, 6.0) as usize;
    let marks = move |input: GridInput| match is_log {
        true => logarithmic(input.bounds.0, input.bounds.1, count),
        false => round(input.bounds.0, input.bounds.1, count),
    };
    let placed = courses.iter().map(|course| Placed::of(course, figure));
    let placed: Vec<Placed> = placed.collect();
    let span = span_of(&placed);
    let heading = format!(
        "{}, a line for each layer{}",
        figure.name(),
        told_marks(&placed)
    );
    ui.label(RichText::new(heading).size(theme::SMALL).color(colors.weak));
    if is_too_low(ui) {
        return;
    }
    let inks: Vec<Color32> = (0..courses.len())
        .map(|index| color(ui, index, courses.len()))
        .collect();
    let names: Vec<String> = courses.iter().map(|course| plain(&course.name)).collect();
    let hover = move |hover: &HoverPosition<'_>| match hover {
        HoverPosition::NearDataPoint {
            plot_name,
            position,
            ..
        } => Some(format!(
            "{plot_name}\nstep {}: {}",
            format::count(position.x.max(0.0) as u64),
            value_text(figure, back(position.y))
        )),
        HoverPosition::Elsewhere { .. } => None,
    };
    let along = if ui.available_height() < LOW {
        ""
    } else {
        "step"
    };
    let shown = Plot::new("dynamics")
        .min_size(vec2(1.0, 1.0))
        .show_background(false)
        .grid_color(theme::faded(colors.line, 0.8))
        .set_margin_fraction(vec2(0.0, 0.06))
        .auto_bounds(Vec2b::TRUE)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .grid_spacing(8.0..=24.0)
        .include_y(span[0])
        .include_y(span[1])
        .y_grid_spacer(marks)
        .x_grid_spacer(even)
        .show_x(false)
        .show_y(false)
        .custom_x_axes(vec![
            axis(AxisHints::new_x(), &colors)
                .label(RichText::new(along).size(theme::SMALL).color(colors.weak))
                .formatter(|mark, _| format::count(mark.value.max(0.0) as u64)),
        ])
        .custom_y_axes(vec![
            axis(AxisHints::new_y(), &colors)
                .min_thickness(44.0)
                .formatter(move |mark, _| match figure {
                    Figure::Zeros | Figure::Saturated => format!("{} %", tick(100.0 * mark.value)),
                    _ => tick(back(mark.value)),
                }),
        ])
        .label_formatter(hover)
        .show(ui, |plot| {
            for (index, course) in placed.into_iter().enumerate() {
                let ink = inks[index];
                for stretch in course.stretches {
                    // A line of one point would be none.
                    let dot = match stretch[..] {
                        [point] => Some(Points::new(names[index].clone(), point)),
                        _ => None,
                    };
                    let line = Line::new(names[index].clone(), stretch);
                    plot.line(line.color(ink).width(1.5));
                    if let Some(dot) = dot {
                        plot.points(dot.color(ink).radius(2.0));
                    }
                }
                let strips = [
                    (course.zeros, span[0], MarkerShape::Down, "0"),
                    (course.not_finite, span[1], MarkerShape::Cross, "not finite"),
                ];
                for (steps, y, shape, name) in strips {
                    let points: Vec<[f64; 2]> = steps.iter().map(|step| [*step, y]).collect();
                    let marks = Points::new(name, points).radius(3.0).shape(shape);
                    plot.points(marks.color(ink).allow_hover(false));
                }
            }
        });
    show_focus(ui, &shown.response);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_long_run_is_read_seldom() {
        let reads = |from: u64, to: u64| rounds(to) - rounds(from);
        assert_eq!(reads(0, 32), 8 + 1);
        assert_eq!(reads(32, 640), 19);
        assert!(
            (40..60).contains(&reads(640, 8_000)),
            "{}",
            reads(640, 8_000)
        );
        assert!(reads(100_000, 200_000) < 20);
        let all: Vec<u64> = (0..20_000).map(rounds).collect();
        assert!(all.is_sorted());
    }
}
