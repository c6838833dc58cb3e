//! The sparse code: the mean activation of every hidden unit, or its share of the penalty, and as a histogram; below, one
//! unit with what excites it.

mod unit;

use super::axes::ticks::tick;
use super::axes::{axis, even, show_focus};
use super::live_settings;
use super::loading_state::{failed, reading};
use crate::theme::{self, Palette};
use crate::view::View;
use crate::widgets::{ChoiceBox, empty, figure, first_fitting, plain};
use eframe::egui::{
    FontId, Label, Rect, Role, Sense, Stroke, Ui, UiBuilder, Vec2b, WidgetInfo, pos2, vec2,
};
use egui_plot::{AxisHints, Bar, BarChart, HLine, HoverPosition, Line, LineStyle, Plot, VLine};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format;
use strata_engine::inspection::reply::Reply;
use strata_inspect::activity_change::signed;
use strata_inspect::inspection::Subject;
use strata_inspect::maps::BINS;
use strata_inspect::since_words;
use strata_inspect::sparse::SparseCode;
use strata_inspect::sparse::unit::SparseUnit;

/// What the first chart shows of the units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// Mean activations, falling.
    #[default]
    Falling,
    /// Mean activations, in the layer's order.
    ByPlace,
    /// Shares of the penalty, falling.
    Penalty,
}

impl Order {
    const ALL: [Order; 3] = [Order::Falling, Order::ByPlace, Order::Penalty];

    /// The same, or the usual one where this code has no penalty to show.
    fn of(self, code: &SparseCode) -> Order {
        match self {
            Order::Penalty if code.target.is_none() => Order::Falling,
            order => order,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Order::Falling => "means, falling",
            Order::ByPlace => "means by place",
            Order::Penalty => "share of penalty",
        }
    }
}

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseChoice {
    /// What the first chart shows.
    order: Order,
    /// The unit that is shown below, from 0; `None` for the one with the largest mean.
    unit: Option<usize>,
}

/// The view, with the order of the units it shows and the pictures of one of them.
#[derive(Default)]
pub(crate) struct SparseView {
    drawn: Option<(Arc<Seen>, Order, Ranked)>,
    unit: unit::UnitPictures,
}

/// Height of the part for one unit, and of a view that has room for it.
const UNIT: f32 = 168.0;
const ROOMY: f32 = 330.0;

type Seen = Reply<SparseCode>;

/// More units than this are drawn as one area.
const MOST_BARS: usize = 40;
const MOST_STEPS: usize = 256;

impl View for SparseView {
    fn title(&self) -> &'static str {
        "Sparse code"
    }

    fn summary(&self) -> &'static str {
        "How active each hidden unit is on average"
    }

    fn words(&self) -> &'static str {
        "sparsity code units activity"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "How active each hidden unit is on average over images of the stage's split: sorted, and as a histogram. With sparsity = \"rho=0.035 beta=1e-1\" in the stage, the penalty β·Σ KL(ρ‖ρ̂) draws the means ρ̂ to the target ρ: each unit then answers to few images. β stands against a loss that is a mean over pixels: textbooks that add the pixels up have larger ones, such as 3, which here leave the reconstructions grey. A unit is dead where no image makes it more active than 0.1, and always on where nine of ten do. Click on a unit to see below how its activations are spread, which images excite it most, what it looks for in an image and what it paints into the reconstruction, with whitening undone."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |code| {
            let (images, of) = (
                format::count(code.images as u64),
                format::count(code.of as u64),
            );
            format!(
                "{images} of {of} {} images · step {}{}",
                code.split,
                format::count(code.step),
                since_words(code.since.as_ref().map(|since| since.step))
            )
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        live_settings::of_sparsity(ui, state, actions);
        let Some(code) = latest(state) else { return };
        order_box(ui, state, code, actions);
        if code.since.is_some() {
            return changes(ui, code);
        }
        let colors = theme::palette(ui);
        let mut write = |text: String, color, hover: &str| figure(ui, &text, color, hover);
        if let Some(penalty) = code.penalty {
            let penalty = format!("penalty {}", format::loss(penalty));
            write(
                penalty,
                colors.text,
                "β·Σ KL(ρ‖ρ̂): what these means add to the loss",
            );
        }
        write(
            format!("mean {}", format::loss(mean(code))),
            colors.accent,
            "The mean over all units",
        );
        let kinds = [
            (
                code.dead(),
                "dead",
                "Units that no image makes more active than 0.1, by their numbers",
            ),
            (
                code.always_on(),
                "always on",
                "Units that nine of ten images make more active than 0.1, by their numbers",
            ),
        ];
        for (units, kind, about) in kinds {
            if !units.is_empty() {
                let names = unit::numbers(&units);
                write(
                    format!("{} {kind}", units.len()),
                    colors.second,
                    &format!("{about}: {names}"),
                );
            }
        }
        if let Some((rho, _)) = code.target {
            write(
                format!("target ρ {rho}"),
                colors.second,
                "The mean activation that the stage's sparsity asks for",
            );
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.request(state.run_query::<SparseCode>(())));
        match seen(state).map(|seen| (seen, &seen.result)) {
            Some((seen, Ok(code))) => self.cockpit(ui, state, seen, code, actions),
            Some((_, Err(error))) => failed(ui, "No code to measure", &error.to_string(), actions),
            None => match state.subject() {
                Some(Subject::Stored(_)) => reading(
                    ui,
                    state,
                    ("Opening the run …", &[TypeId::of::<SparseCode>()]),
                    actions,
                ),
                Some(Subject::Live) => empty(
                    ui,
                    "Measuring …",
                    "The first figures come with the next pictures.",
                ),
                _ => empty(
                    ui,
                    "No hidden units to measure yet",
                    "Press Train, or open a run folder. A stage with sparsity = \"rho=0.035 beta=1e-1\" shows its target too.",
                ),
            },
        }
    }
}

/// The figures of a change, and which units have died since.
fn changes(ui: &mut Ui, code: &SparseCode) {
    let colors = theme::palette(ui);
    let mut write = |text: String, color, hover: &str| figure(ui, &text, color, hover);
    if let Some(penalty) = code.penalty {
        let text = format!("penalty {}", signed(penalty, 4));
        write(text, colors.text, "How much β·Σ KL(ρ‖ρ̂) has grown");
    }
    let text = format!("mean {}", signed(mean(code), 4));
    write(
        text,
        colors.accent,
        "How much the mean over all units has grown",
    );
    let Some(since) = &code.since else { return };
    for (units, kind) in [(&since.died, "died"), (&since.revived, "no longer dead")] {
        if !units.is_empty() {
            let hover = format!("Units by their numbers: {}", unit::numbers(units));
            write(format!("{} {kind}", units.len()), colors.second, &hover);
        }
    }
}

/// The mean over all units.
fn mean(code: &SparseCode) -> f64 {
    let means = code.means.iter().map(|mean| f64::from(*mean));
    means.sum::<f64>() / code.means.len().max(1) as f64
}

/// What the first chart shows.
fn order_box(ui: &mut Ui, state: &State, code: &SparseCode, actions: &mut Vec<Action>) {
    let former: SparseChoice = state.choices.get();
    let mut choice = former.clone();
    ChoiceBox {
        id: "order of units",
        width: 112.0,
        shown: choice.order.of(code).name().into(),
        hover: "means, falling: all units by how active they are; by place: in \
                the layer's order; share of penalty: which units the penalty \
                is made of",
        name: "Order of the units",
    }
    .show(ui, |ui| {
        for order in Order::ALL {
            if order != Order::Penalty || code.target.is_some() {
                ui.selectable_value(&mut choice.order, order, order.name());
            }
        }
    });
    choose(&former, choice, actions);
}

fn choose(former: &SparseChoice, choice: SparseChoice, actions: &mut Vec<Action>) {
    if choice != *former {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

impl SparseView {
    /// The charts, and one unit where there is room for it.
    fn cockpit(
        &mut self,
        ui: &mut Ui,
        state: &State,
        seen: &Arc<Seen>,
        code: &SparseCode,
        actions: &mut Vec<Action>,
    ) {
        let former: SparseChoice = state.choices.get();
        let area = ui.available_rect_before_wrap();
        // A unit is looked at at each step by itself.
        let has_room = area.height() >= ROOMY && code.since.is_none();
        let bottom = if has_room {
            area.bottom() - UNIT
        } else {
            area.bottom()
        };
        let upper = Rect::from_min_max(area.min, pos2(area.right(), bottom));
        let order = former.order.of(code);
        let clicked = ui
            .scope_builder(UiBuilder::new().id_salt("charts").max_rect(upper), |ui| {
                charts(ui, code, self.ranked(seen, code, order), order)
            })
            .inner;
        let mut choice = former.clone();
        choice.unit = clicked.or(choice.unit);
        if has_room {
            actions.extend(state.request(state.run_query::<SparseUnit>(choice.unit)));
            let lower = Rect::from_min_max(pos2(area.left(), bottom + theme::GAP), area.max);
            ui.scope_builder(UiBuilder::new().id_salt("unit").max_rect(lower), |ui| {
                choice.unit = self.unit.show(ui, state, code, choice.unit);
            });
        }
        choose(&former, choice, actions);
    }

    fn ranked(&mut self, seen: &Arc<Seen>, code: &SparseCode, order: Order) -> &[(usize, f32)] {
        let drawn = self
            .drawn
            .take()
            .filter(|(drawn, of, _)| Arc::ptr_eq(drawn, seen) && *of == order);
        let drawn = drawn.unwrap_or_else(|| (seen.clone(), order, ranked(code, order)));
        &self.drawn.insert(drawn).2
    }
}

fn seen(state: &State) -> Option<&Arc<Seen>> {
    state.run_reply()
}

fn latest(state: &State) -> Option<&SparseCode> {
    seen(state)?.result.as_deref().ok()
}

/// Only the charts, for an image file.
pub(crate) fn picture(ui: &mut Ui, code: &SparseCode) {
    charts(ui, code, &ranked(code, Order::Falling), Order::Falling);
}

/// The charts; the unit that was clicked on.
fn charts(ui: &mut Ui, code: &SparseCode, ranked: &[(usize, f32)], order: Order) -> Option<usize> {
    let area = ui.available_rect_before_wrap();
    // One below the other where neither would have room for its axis.
    let (first, second) = if area.width() < 400.0 && area.height() >= 200.0 {
        area.split_top_bottom_at_fraction(0.54)
    } else {
        area.split_left_right_at_fraction(0.58)
    };
    let first = Rect::from_min_max(first.min, first.max - vec2(theme::GAP, 0.0));
    let what = match code.since {
        Some(_) => "change of the mean activation",
        None => "mean activation",
    };
    let name = match order {
        Order::Falling => format!("{what} of {}, sorted", code.layer),
        Order::ByPlace => format!("{what} of {}, by place", code.layer),
        Order::Penalty => format!("share of the penalty of {}, sorted", code.layer),
    };
    let mut clicked = None;
    let short = name.replacen(&format!(" of {}", code.layer), "", 1);
    chart(ui, first, [&plain(&name), &short], |ui| {
        clicked = units(ui, code, ranked, order)
    });
    let left = if second.left() > area.left() {
        theme::GAP
    } else {
        0.0
    };
    let second = Rect::from_min_max(second.min + vec2(left, 0.0), second.max);
    let name = format!("units by {what}");
    chart(ui, second, [&name, "units"], |ui| histogram(ui, code));
    clicked
}

/// A chart below its name, or the shorter one where that has no room.
fn chart(ui: &mut Ui, area: Rect, names: [&str; 2], content: impl FnOnce(&mut Ui)) {
    ui.scope_builder(UiBuilder::new().id_salt(names[0]).max_rect(area), |ui| {
        let font = FontId::proportional(theme::SMALL);
        let weak = theme::palette(ui).weak;
        let name = first_fitting(ui, &names, font, weak, area.width());
        let label = Label::new(name).show_tooltip_when_elided(false);
        let label = ui.add(label.sense(Sense::hover()));
        let label = label.on_hover_text(names[0]);
        label.widget_info(|| WidgetInfo::labeled(Role::Label, true, names[0]));
        content(ui);
    });
}

/// Units by falling mean activation, with their places in the layer.
type Ranked = Vec<(usize, f32)>;

fn ranked(code: &SparseCode, order: Order) -> Ranked {
    let shares = code.penalty_shares().filter(|_| order == Order::Penalty);
    let mut ranked: Ranked = match shares {
        Some(shares) => shares
            .iter()
            .map(|share| *share as f32)
            .enumerate()
            .collect(),
        None => code.means.iter().copied().enumerate().collect(),
    };
    if order != Order::ByPlace {
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    }
    ranked
}

/// A bar for each unit; the unit that was clicked on.
fn units(ui: &mut Ui, code: &SparseCode, ranked: &[(usize, f32)], order: Order) -> Option<usize> {
    let colors = *theme::palette(ui);
    let described = |rank: usize| {
        let (unit, mean) = ranked.get(rank)?;
        let value = match order {
            Order::Penalty => format!("{:.1} % of the penalty", 100.0 * mean),
            Order::Falling | Order::ByPlace => format::loss(f64::from(*mean)),
        };
        let place = match order {
            Order::ByPlace => format!("of {}", ranked.len()),
            Order::Falling | Order::Penalty => format!("rank {} of {}", rank + 1, ranked.len()),
        };
        Some(format!("unit {}: {value}\n{place}", unit + 1))
    };
    let area = |hover: &HoverPosition<'_>| match hover {
        HoverPosition::NearDataPoint { position, .. } => described(position.x.max(0.0) as usize),
        HoverPosition::Elsewhere { .. } => None,
    };
    let shown = plot(ui, "sorted", true)
        .label_formatter(area)
        .show(ui, |plot| {
            if ranked.len() > MOST_BARS {
                let line = Line::new("", steps(ranked)).stroke(Stroke::new(1.0, colors.accent));
                plot.line(line.fill(0.0).fill_alpha(0.8));
            } else {
                let bar = |(rank, (_, mean)): (usize, &(usize, f32))| {
                    let bar = Bar::new(rank as f64 + 0.5, finite(*mean)).width(0.9);
                    bar.name(described(rank).unwrap_or_default())
                };
                plot.bar_chart(filled(
                    ranked.iter().enumerate().map(bar).collect(),
                    &colors,
                ));
            }
            if let Some((rho, _)) = code.target.filter(|_| order != Order::Penalty) {
                plot.hline(
                    HLine::new("target ρ", rho)
                        .color(colors.second)
                        .width(1.5)
                        .style(LineStyle::dashed_dense()),
                );
            }
        });
    show_focus(ui, &shown.response);
    let at = shown.response.interact_pointer_pos();
    let at = at.filter(|_| shown.response.clicked())?;
    let rank = shown.transform.value_from_position(at).x;
    let (unit, _) = (rank >= 0.0).then(|| ranked.get(rank as usize))??;
    Some(*unit)
}

/// The outline of so many bars that they would be thinner than a pixel; of those that share a step the longest is
/// drawn.
fn steps(ranked: &[(usize, f32)]) -> Vec<[f64; 2]> {
    let stride = ranked.len().div_ceil(MOST_STEPS);
    let step = |(index, block): (usize, &[(usize, f32)])| {
        let (from, mean) = (
            (index * stride) as f64,
            block
                .iter()
                .map(|(_, mean)| finite(*mean))
                .fold(0.0, longer),
        );
        [[from, mean], [from + block.len() as f64, mean]]
    };
    ranked.chunks(stride).enumerate().flat_map(step).collect()
}

/// The one that is farther from 0.
fn longer(one: f64, other: f64) -> f64 {
    if other.abs() > one.abs() { other } else { one }
}

fn histogram(ui: &mut Ui, code: &SparseCode) {
    let range = code.range();
    let width = f64::from(range[1] - range[0]) / BINS as f64;
    let colors = *theme::palette(ui);
    let bar = |(bin, count): (usize, usize)| {
        let from = f64::from(range[0]) + bin as f64 * width;
        let name = format!(
            "{count} units\nfrom {} to {}",
            format::loss(from),
            format::loss(from + width)
        );
        Bar::new(from + width / 2.0, count as f64)
            .width(0.92 * width)
            .name(name)
    };
    let bars = code
        .histogram(range, BINS)
        .into_iter()
        .enumerate()
        .map(bar)
        .collect();
    let shown = plot(ui, "histogram", false).show(ui, |plot| {
        plot.bar_chart(filled(bars, &colors));
        if let Some((rho, _)) = code.target {
            plot.vline(
                VLine::new("target ρ", rho)
                    .color(colors.second)
                    .width(1.5)
                    .style(LineStyle::dashed_dense()),
            );
        }
    });
    show_focus(ui, &shown.response);
}

fn finite(mean: f32) -> f64 {
    if mean.is_finite() {
        f64::from(mean)
    } else {
        0.0
    }
}

fn filled(bars: Vec<Bar>, colors: &Palette) -> BarChart {
    let bars = bars
        .into_iter()
        .map(|bar| {
            bar.stroke(Stroke::NONE)
                .fill(theme::faded(colors.accent, 0.8))
        })
        .collect();
    BarChart::new("", bars).element_formatter(Box::new(|bar, _| bar.name.clone()))
}

/// Axes from zero that move by themselves.
fn plot<'a>(ui: &Ui, name: &'static str, units_across: bool) -> Plot<'a> {
    let colors = *theme::palette(ui);
    let write = tick;
    let across = move |value: f64| {
        if units_across {
            format::count(value.max(0.0) as u64)
        } else {
            write(value)
        }
    };
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
        .custom_x_axes(vec![
            axis(AxisHints::new_x(), &colors).formatter(move |mark, _| across(mark.value)),
        ])
        .custom_y_axes(vec![
            axis(AxisHints::new_y(), &colors)
                .min_thickness(40.0)
                .formatter(move |mark, _| write(mark.value)),
        ])
}
