//! The charts of a sparse code: a bar for each unit, and how many units have which mean.

use super::Order;
use crate::panels::axes::ticks::tick;
use crate::panels::axes::{axis, even, show_focus};
use crate::theme::{self, Palette};
use crate::widgets::{first_fitting, plain};
use eframe::egui::{
    FontId, Label, Rect, Role, Sense, Stroke, Ui, UiBuilder, Vec2b, WidgetInfo, vec2,
};
use egui_plot::{AxisHints, Bar, BarChart, HLine, HoverPosition, Line, LineStyle, Plot, VLine};
use strata_core::format;
use strata_inspect::maps::BINS;
use strata_inspect::sparse::SparseCode;

/// More units than this are drawn as one area.
const MOST_BARS: usize = 40;
const MOST_STEPS: usize = 256;

/// The charts; the unit that was clicked on.
pub(super) fn charts(
    ui: &mut Ui,
    code: &SparseCode,
    ranked: &[(usize, f32)],
    order: Order,
) -> Option<usize> {
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

/// Where the first unit's bar begins: the middle of a bar is at the number of its unit or rank, from 1.
const FIRST: f64 = 0.5;

/// Units by falling mean activation, with their places in the layer.
pub(super) type Ranked = Vec<(usize, f32)>;

pub(super) fn ranked(code: &SparseCode, order: Order) -> Ranked {
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
        HoverPosition::NearDataPoint { position, .. } => {
            described((position.x - FIRST).max(0.0) as usize)
        }
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
                    let bar = Bar::new(rank as f64 + 1.0, finite(*mean)).width(0.9);
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
    let rank = shown.transform.value_from_position(at).x - FIRST;
    let (unit, _) = (rank >= 0.0).then(|| ranked.get(rank as usize))??;
    Some(*unit)
}

/// The outline of so many bars that they would be thinner than a pixel; of those that share a step the longest is
/// drawn.
fn steps(ranked: &[(usize, f32)]) -> Vec<[f64; 2]> {
    let stride = ranked.len().div_ceil(MOST_STEPS);
    let step = |(index, block): (usize, &[(usize, f32)])| {
        let (from, mean) = (
            (index * stride) as f64 + FIRST,
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

pub(super) fn filled(bars: Vec<Bar>, colors: &Palette) -> BarChart {
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
pub(super) fn plot<'a>(ui: &Ui, name: &'static str, units_across: bool) -> Plot<'a> {
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
