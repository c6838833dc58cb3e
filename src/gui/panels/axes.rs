//! What stands on the axes of the plots of training: steps or epochs across, the loss or the accuracy up, marks at
//! round numbers.

use crate::theme::{self, Palette};
use eframe::egui::{Ui, Vec2b};
use egui_plot::{AxisHints, GridInput, GridMark, HoverPosition, Plot, PlotUi};
use strata_app::curves::{Curve, Curves};
use strata_core::format;

/// Height of a mark on an axis, with the space to the next one.
const MARK: f32 = 24.0;
/// Which curve a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// The loss.
    Loss,
    /// The share classified right.
    Accuracy,
}

impl Quantity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Loss => "Loss",
            Quantity::Accuracy => "Accuracy",
        }
    }
}

/// What stands on the axes of a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Axes {
    pub quantity: Quantity,
    pub log: bool,
    pub by_epoch: bool,
}

impl Axes {
    /// Where a value of a step stands in the plot.
    pub fn place(self, curves: &Curves, [step, value]: [f64; 2]) -> [f64; 2] {
        let x = if self.by_epoch {
            curves.epoch_at(step)
        } else {
            step
        };
        [x, if self.log { value.log10() } else { value }]
    }

    /// The places of values, without those that have none.
    pub fn places(self, curves: &Curves, points: &[[f64; 2]]) -> Vec<[f64; 2]> {
        points
            .iter()
            .map(|point| self.place(curves, *point))
            .filter(|[_, y]| y.is_finite())
            .collect()
    }

    fn step(self, curves: &Curves, x: f64) -> f64 {
        if self.by_epoch { curves.step_at(x) } else { x }
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
            .chain(curve.valid.last().map(|point| point[0]))
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

/// The plot of a quantity, empty; `curves` finds the curves of a line by its name.
pub(super) fn plot<'a>(
    ui: &Ui,
    axes: Axes,
    curves: impl Fn(&str) -> Option<&'a Curves> + 'a,
) -> Plot<'a> {
    let colors = *theme::palette(ui);
    let marks = (ui.available_height() / MARK).max(1.0) as usize;
    let write = move |mark: GridMark| match axes.quantity {
        Quantity::Loss => tick(axes.value(mark.value)),
        Quantity::Accuracy => percent(mark),
    };
    Plot::new(axes)
        .show_background(false)
        .grid_color(theme::faded(colors.line, 0.8))
        .set_margin_fraction(eframe::egui::vec2(0.02, 0.06))
        .auto_bounds(Vec2b::TRUE)
        .allow_scroll(false)
        .include_x(0.0)
        .grid_spacing(8.0..=24.0)
        .y_grid_spacer(move |input| {
            if axes.log {
                decades(input, marks)
            } else {
                even(input)
            }
        })
        .x_grid_spacer(move |input| {
            if axes.by_epoch {
                from_zero(input)
            } else {
                whole(input)
            }
        })
        .custom_x_axes(vec![axis(AxisHints::new_x(), &colors).formatter(
            move |mark, _| {
                if axes.by_epoch {
                    tick(mark.value)
                } else {
                    steps(mark.value)
                }
            },
        )])
        .custom_y_axes(vec![
            axis(AxisHints::new_y(), &colors)
                .min_thickness(40.0)
                .formatter(move |mark, _| write(mark)),
        ])
        .label_formatter(move |hover| {
            let HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } = hover
            else {
                return None;
            };
            let curves = curves(plot_name)?;
            let step = axes.step(curves, position.x);
            let value = format::loss(axes.value(position.y));
            Some(format!(
                "{plot_name} {value}\nstep {step:.0} · epoch {:.2}",
                curves.epoch_at(step)
            ))
        })
}

/// An axis with small digits.
pub(super) fn axis<'a>(hints: AxisHints<'a>, colors: &Palette) -> AxisHints<'a> {
    hints
        .tick_label_font(theme::digits(10.5))
        .tick_label_color(colors.weak)
        .label_spacing(12.0..=24.0)
}

/// Marks at 1, 2, 5 of every decade; only the decades where there is no room for `most` marks.
fn decades(input: GridInput, most: usize) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let factors: &[f64] = if 3.0 * (high - low) > most as f64 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let exponents = (low.floor().max(-300.0) as i32)..=(high.ceil().min(300.0) as i32);
    let marks = exponents.flat_map(|exponent| {
        factors
            .iter()
            .map(move |factor| f64::from(exponent) + factor.log10())
    });
    marks
        .filter(|mark| (low..=high).contains(mark))
        .map(|value| GridMark {
            value,
            step_size: 1.0,
        })
        .collect()
}

/// Four to eight marks at round numbers.
pub(super) fn even(input: GridInput) -> Vec<GridMark> {
    marks(
        input.bounds,
        round_step((input.bounds.1 - input.bounds.0) / 5.0),
    )
}

/// The same from zero.
fn from_zero(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    marks((low.max(0.0), high), round_step((high - low) / 6.0))
}

/// The same at whole numbers from zero.
fn whole(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    marks(
        (low.max(0.0), high),
        round_step((high - low) / 6.0).max(1.0),
    )
}

fn marks((low, high): (f64, f64), step: f64) -> Vec<GridMark> {
    let first = (low / step).ceil();
    let count = ((high - low) / step).clamp(0.0, 100.0) as usize + 1;
    let values = (0..count)
        .map(|i| (first + i as f64) * step)
        .filter(|value| *value <= high);
    values
        .map(|value| GridMark {
            value,
            step_size: step,
        })
        .collect()
}

/// 1, 2 or 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    if !rough.is_finite() || rough <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(power)
}

fn steps(value: f64) -> String {
    if value >= 10_000.0 {
        format::large(value as u64)
    } else {
        format::count(value as u64)
    }
}

/// As many decimals as tell one mark from the next.
fn percent(mark: GridMark) -> String {
    let decimals = (-(100.0 * mark.step_size).log10().floor()).clamp(0.0, 3.0) as usize;
    format!("{:.decimals$} %", 100.0 * mark.value)
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
        let log = decades(
            GridInput {
                bounds: (-2.05, -0.9),
                base_step_size: 0.1,
            },
            8,
        );
        let values: Vec<_> = log
            .iter()
            .map(|mark| tick(10f64.powf(mark.value)))
            .collect();
        assert_eq!(values, ["0.01", "0.02", "0.05", "0.1"]);
        let even = even(GridInput {
            bounds: (0.0, 0.93),
            base_step_size: 0.1,
        });
        assert_eq!(
            even.iter().map(|mark| tick(mark.value)).collect::<Vec<_>>(),
            ["0", "0.2", "0.4", "0.6", "0.8"]
        );
        assert_eq!(
            whole(GridInput {
                bounds: (-0.1, 3.0),
                base_step_size: 0.1
            })
            .len(),
            4
        );
    }
}
