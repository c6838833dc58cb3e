//! Marks of values that have no place on an axis.

use crate::panels::axes::{Axes, Span};
use eframe::egui::Color32;
use egui_plot::{MarkerShape, PlotUi, Points};
use strata_app::curves::{Curves, OddSteps, Steps};

/// The most marks of values without a place that are distinguished.
const MOST_MARKS: usize = 1000;

/// Of which curves the marks of [`odd_marks`] are, and where their edges lie.
pub(in crate::panels) struct Marked<'a> {
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
pub(in crate::panels) fn odd_marks(
    plot: &mut PlotUi<'_>,
    of: &Marked<'_>,
    odd: &OddSteps,
    color: Color32,
) {
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
