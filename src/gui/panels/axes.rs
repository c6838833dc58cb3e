//! The axes of the plots of training: steps or epochs across, the loss or the accuracy up, marks at
//! round numbers.

pub(super) mod ticks;
mod values;

use crate::theme::{self, Palette};
use eframe::egui::{Color32, FontId, RichText, Ui, Vec2b};
use egui_plot::{AxisHints, GridInput, Plot, PlotUi};
use strata_app::curves::{Curve, Curves, Extent, Quantity};
use strata_core::format;
pub(super) use values::{ValueLine, show_focus, show_values, written};

/// Height of a mark on the axis of values, and width of one on the axis of steps, with the space to the next one.
const MARK: [f32; 2] = [24.0, 72.0];
/// A plot that is lower has no room for two numbers on its axis of values.
const LEAST: f32 = 60.0;
/// A plot that is lower has no room for the name of its axis of steps.
const LOW: f32 = 110.0;
/// Of the height of all values: how far below and above them lie the marks of those that have no place among them.
const STRIP: f64 = 0.07;
/// Of the height of all values: how far the axis goes on below and above them.
const ROOM: f64 = 0.1;
/// Values that differ by less than this part of themselves are shown as one.
const SAME: f64 = 1e-7;

/// The axes of a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Axes {
    pub quantity: Quantity,
    pub log: bool,
    pub by_epoch: bool,
}

impl Axes {
    /// The point of a value in the plot.
    pub fn place(self, curves: &Curves, [step, value]: [f64; 2]) -> [f64; 2] {
        let x = if self.by_epoch {
            curves.epoch_at(step)
        } else {
            step
        };
        [x, if self.log { value.log10() } else { value }]
    }

    /// The places of a line's values: a line for each stretch in which every value has one. `odd` are the steps without
    /// a place on a logarithmic axis, also those between two of the points: a running mean has none there either.
    pub fn places(self, curves: &Curves, points: &[[f64; 2]], odd: &[f64]) -> Vec<Vec<[f64; 2]>> {
        let is_odd = |step: &f64| self.log && odd.binary_search_by(|at| at.total_cmp(step)).is_ok();
        // Of what is above 0 the logarithm is finite too: it is taken once, where a point is placed.
        let has_place = |point: &[f64; 2]| {
            let value = point[1];
            value.is_finite() && (!self.log || value > 0.0) && !is_odd(&point[0])
        };
        let is_joined = |a: &[f64; 2], b: &[f64; 2]| {
            let next = odd.partition_point(|step| *step <= a[0]);
            let is_whole = !self.log || odd.get(next).is_none_or(|step| *step > b[0]);
            has_place(a) && has_place(b) && is_whole
        };
        let stretches = points
            .chunk_by(is_joined)
            .filter(|stretch| has_place(&stretch[0]));
        let place = |stretch: &[[f64; 2]]| {
            stretch
                .iter()
                .map(|point| self.place(curves, *point))
                .collect()
        };
        stretches.map(place).collect()
    }

    /// From where to where values go on the axis: never so little that two marks would have one text.
    pub fn span(self, extent: Extent) -> Span {
        let Some([low, high]) = extent.range(self.log) else {
            return if self.log {
                Span {
                    low: -1.0,
                    high: 0.0,
                }
            } else {
                Span {
                    low: 0.0,
                    high: 1.0,
                }
            };
        };
        let size = low.abs().max(high.abs());
        let room = match high - low <= SAME * size {
            false => 0.0,
            true if size == 0.0 => 0.5,
            true => 0.05 * size,
        };
        let axis = |value: f64| if self.log { value.log10() } else { value };
        Span {
            low: axis(low - room),
            high: axis(high + room),
        }
    }

    /// The step at this place of the axis of steps or epochs.
    pub fn step(self, curves: &Curves, x: f64) -> f64 {
        if self.by_epoch { curves.step_at(x) } else { x }
    }

    /// The text of a mark.
    fn mark(self, y: f64) -> String {
        match self.quantity {
            Quantity::Accuracy => format!("{} %", ticks::tick(100.0 * y)),
            _ => ticks::tick(self.value(y)),
        }
    }

    fn value(self, y: f64) -> f64 {
        if self.log { 10f64.powf(y) } else { y }
    }

    /// The steps that a plot shows; all of them until somebody has moved it.
    pub fn steps(
        self,
        plot: &PlotUi<'_>,
        curves: &Curves,
        curve: &Curve,
    ) -> std::ops::RangeInclusive<f64> {
        let end = curve
            .raw
            .end()
            .into_iter()
            .chain(
                curve
                    .lines()
                    .iter()
                    .filter_map(|(_, points)| Some(points.last()?[0])),
            )
            .fold(1.0, f64::max);
        let shown = plot.plot_bounds().range_x();
        let step = |x: &f64| self.step(curves, *x);
        if plot.auto_bounds().x {
            0.0..=end
        } else {
            step(shown.start())..=step(shown.end())
        }
    }
}

/// From where to where values go on the axis of values, as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    low: f64,
    high: f64,
}

impl Span {
    /// The same with room for the marks at both ends.
    fn outer(self) -> [f64; 2] {
        let room = ROOM * (self.high - self.low);
        [self.low - room, self.high + room]
    }

    /// Where the marks of values lie that are 0 or below, on a logarithmic axis.
    pub fn below(self) -> f64 {
        self.low - STRIP * (self.high - self.low)
    }

    /// Where the marks of values lie that are not finite.
    pub fn above(self) -> f64 {
        self.high + STRIP * (self.high - self.low)
    }
}

/// Whether a tile is too low for a plot with two numbers on its axis of values; it is said instead of drawing lines
/// without any.
pub(super) fn is_too_low(ui: &mut Ui) -> bool {
    let is_low = ui.available_height() < LEAST;
    if is_low {
        let text = RichText::new("Drawn in a taller tile").size(theme::SMALL);
        ui.label(text.color(theme::palette(ui).weak));
    }
    is_low
}

/// The plot of a quantity, empty, from `first` on; `title` is at its axis of values; [`show_values`] tells what its lines are
/// under the pointer.
pub(super) fn plot<'a>(ui: &Ui, axes: Axes, span: Span, first: f64, title: &str) -> Plot<'a> {
    let colors = *theme::palette(ui);
    let [down, across] = [
        (ui.available_height(), MARK[0]),
        (ui.available_width(), MARK[1]),
    ]
    .map(|(room, mark)| ((room - 2.0 * mark) / mark).clamp(2.0, 8.0) as usize);
    let along_name = match ui.available_height() < LOW {
        true => "",
        false if axes.by_epoch => "epoch",
        false => "step",
    };
    Plot::new(axes)
        .min_size(eframe::egui::Vec2::splat(1.0))
        .show_background(false)
        .grid_color(theme::faded(colors.line, 0.8))
        .set_margin_fraction(eframe::egui::vec2(0.02, 0.06))
        .auto_bounds(Vec2b::TRUE)
        .allow_scroll(false)
        .include_x(first)
        .include_x(first + 1.0)
        .default_y_bounds(span.outer()[0], span.outer()[1])
        .grid_spacing(8.0..=24.0)
        .y_grid_spacer(
            move |GridInput {
                      bounds: (low, high),
                      ..
                  }| match axes.log {
                true => ticks::logarithmic(low, high, down),
                false => ticks::round(low, high, down),
            },
        )
        .x_grid_spacer(
            move |GridInput {
                      bounds: (low, high),
                      ..
                  }| match axes.by_epoch {
                true => ticks::round(low.max(0.0), high, across),
                false => ticks::whole(low.max(0.0), high, across),
            },
        )
        .custom_x_axes(vec![
            axis(AxisHints::new_x(), &colors)
                .label(name(along_name, &colors))
                .formatter(|mark, _| along(mark.value)),
        ])
        .custom_y_axes(vec![
            axis(AxisHints::new_y(), &colors)
                .label(name(beside(ui, title), &colors))
                .min_thickness(40.0)
                .formatter(move |mark, _| axes.mark(mark.value)),
        ])
        .label_formatter(|_| None)
}

/// Lets the axis of values follow the span until somebody moves the plot; called where its lines are drawn.
pub(super) fn follow(plot: &mut PlotUi<'_>) {
    let auto = plot.auto_bounds();
    if auto.x && !auto.y {
        plot.set_auto_bounds(true);
    }
}

/// The name of the axis of values as far as it has room beside the plot: without what is in brackets, or nothing.
fn beside<'t>(ui: &Ui, title: &'t str) -> &'t str {
    let room = ui.available_height() - 2.0 * MARK[0];
    let fits = |text: &&str| {
        let font = FontId::proportional(theme::SMALL);
        let whole = (*text).to_owned();
        let words = ui
            .painter()
            .layout_no_wrap(whole, font, Color32::PLACEHOLDER);
        words.size().x <= room
    };
    let short = title.split(" (").next().unwrap_or(title);
    [title, short].into_iter().find(fits).unwrap_or_default()
}

/// The name of an axis.
fn name(text: &str, colors: &Palette) -> RichText {
    RichText::new(text).size(theme::SMALL).color(colors.weak)
}

/// An axis with small digits.
pub(super) fn axis<'a>(hints: AxisHints<'a>, colors: &Palette) -> AxisHints<'a> {
    hints
        .tick_label_font(theme::digits(theme::TINY))
        .tick_label_color(colors.weak)
        // Marks are as far apart as their labels need: none of them fades.
        .label_spacing(12.0..=13.0)
}

/// Marks of a plot that has no room to spare.
pub(super) fn even(input: GridInput) -> Vec<egui_plot::GridMark> {
    ticks::round(input.bounds.0, input.bounds.1, 5)
}

/// A mark of the axis of steps or epochs.
fn along(value: f64) -> String {
    if value == value.round() && value >= 0.0 {
        format::count(value as u64)
    } else {
        ticks::tick(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_engine::event::StepReport;

    const AXES: Axes = Axes {
        quantity: Quantity::Loss,
        log: true,
        by_epoch: false,
    };

    fn curves(losses: &[f64]) -> Curves {
        let mut curves = Curves::default();
        curves.stage("a", 5);
        for (index, loss) in losses.iter().enumerate() {
            curves.step(&StepReport {
                step: index as u64 + 1,
                loss: *loss,
                ..StepReport::default()
            });
        }
        curves
    }

    #[test]
    fn a_line_is_never_drawn_through_a_zero_on_a_logarithmic_axis() {
        let curves = curves(&[10.0, 1.0, 0.0, 0.1, 0.0]);
        let odd = curves.loss.odd.steps.without_logarithm();
        let whole: Vec<[f64; 2]> = curves.loss.raw.points().collect();
        assert_eq!(
            AXES.places(&curves, &whole, odd),
            [vec![[1.0, 1.0], [2.0, 0.0]], vec![[4.0, -1.0]]]
        );
        let smooth = [[2.0, 0.5], [3.0, 0.4], [4.0, 0.3]];
        assert_eq!(AXES.places(&curves, &smooth, odd).concat().len(), 2);
        let thinned = [whole[0], whole[3]];
        assert_eq!(AXES.places(&curves, &thinned, odd).len(), 2);
        let linear = Axes { log: false, ..AXES };
        assert_eq!(linear.places(&curves, &whole, odd).len(), 1);
        assert_eq!(linear.places(&curves, &[[1.0, f64::NAN]], &[]).len(), 0);
    }

    #[test]
    fn an_axis_is_never_without_extent() {
        for losses in [
            &[1.618; 12][..],
            &[0.0; 5],
            &[f64::NAN],
            &[],
            &[3.0],
            &[1e-30, 1.000_000_01e-30],
        ] {
            for log in [true, false] {
                let axes = Axes { log, ..AXES };
                let span = axes.span(curves(losses).loss.extent);
                assert!(
                    span.high > span.low && span.below() < span.low && span.above() > span.high
                );
                let marks = match log {
                    true => ticks::logarithmic(span.low, span.high, 4),
                    false => ticks::round(span.low, span.high, 4),
                };
                let texts: Vec<String> = marks.iter().map(|mark| axes.mark(mark.value)).collect();
                assert!(
                    texts.len() >= 2 && texts[0] != texts[1],
                    "{losses:?}: {texts:?}"
                );
            }
        }
    }
}
