//! The loss over steps as a drawing: `steps.csv` in buckets, logarithmic where all is above zero.

use super::escape;
use std::path::Path;
use strata_core::format;
use strata_engine::storage::run_tables::each_step_row;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 8.0;
/// More points than this cannot be distinguished.
const POINTS: usize = 600;

/// A curve for every stage with two steps or more, below the stage's name: their losses differ in kind.
pub(super) fn figures(run: &Path) -> Option<String> {
    let stages = stages(run);
    let figure = |(name, points): &(String, Vec<(f64, f64)>)| {
        let finite: Vec<(f64, f64)> = points
            .iter()
            .copied()
            .filter(|point| point.1.is_finite())
            .collect();
        Some(format!(
            "<p>{}{}</p>{}",
            escape(name),
            remarks(points, &finite),
            svg(&finite)?
        ))
    };
    let figures: Vec<String> = stages.iter().filter_map(figure).collect();
    if figures.is_empty() {
        None
    } else {
        Some(figures.concat())
    }
}

/// What the drawing does not show as it was measured.
fn remarks(points: &[(f64, f64)], finite: &[(f64, f64)]) -> String {
    let mut remarks = Vec::new();
    let size = finite.len().div_ceil(POINTS).max(1);
    if size > 1 {
        remarks.push(format!("each point is the mean of {size} steps"));
    }
    if finite.len() < points.len() {
        remarks.push(format!(
            "{} steps with a loss that is not finite are left out",
            points.len() - finite.len()
        ));
    }
    let text = remarks.join("; ");
    if text.is_empty() {
        text
    } else {
        format!(" ({text})")
    }
}

fn svg(points: &[(f64, f64)]) -> Option<String> {
    let points = buckets(points);
    let (first, last) = (points.first()?.0, points.last()?.0);
    if last <= first {
        return None;
    }
    let scale = Scale::new(&points);
    let x = |step: f64| LEFT + (step - first) / (last - first) * (WIDTH - LEFT);
    let path: Vec<String> = points
        .iter()
        .map(|(step, loss)| format!("{:.1},{:.1}", x(*step), scale.y(*loss)))
        .collect();
    let path = path.join(" ");
    let line = format!(
        "<polyline fill=\"none\" stroke=\"var(--accent)\" stroke-width=\"1.5\" points=\"{path}\"/>"
    );
    let base = HEIGHT - 8.0;
    let steps = format!(
        "<text x=\"{LEFT}\" y=\"{base}\">step {first:.0}</text><text x=\"{WIDTH}\" y=\"{base}\" text-anchor=\"end\">step {last:.0}</text>"
    );
    let about =
        "role=\"img\" aria-label=\"loss over steps\" font-size=\"12\" fill=\"currentColor\"";
    Some(format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" {about}>{}{steps}{line}</svg>",
        scale.grid()
    ))
}

/// The losses of each stage, in the order of the steps.
fn stages(run: &Path) -> Vec<(String, Vec<(f64, f64)>)> {
    let mut stages: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    each_step_row(run, |row| {
        let step = row.number("step");
        let (Some(step), Some(stage), Some(loss)) = (step, row.text("stage"), row.number("loss"))
        else {
            return;
        };
        if stages.last().is_none_or(|(name, _)| name != stage) {
            stages.push((stage.to_owned(), Vec::new()));
        }
        if let Some((_, points)) = stages.last_mut() {
            points.push((step, loss));
        }
    });
    stages
}

/// Means over runs of neighbouring steps.
fn buckets(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let size = points.len().div_ceil(POINTS).max(1);
    let mean = |values: &[(f64, f64)]| {
        let count = values.len() as f64;
        let (steps, losses) = values
            .iter()
            .fold((0.0, 0.0), |(s, l), (step, loss)| (s + step, l + loss));
        (steps / count, losses / count)
    };
    points.chunks(size).map(mean).collect()
}

/// From a loss to a height.
struct Scale {
    low: f64,
    high: f64,
    is_log: bool,
}

impl Scale {
    fn new(points: &[(f64, f64)]) -> Scale {
        let is_log = points.iter().all(|(_, loss)| *loss > 0.0);
        let values = points
            .iter()
            .map(|(_, loss)| if is_log { loss.log10() } else { *loss });
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        // The losses at the grid's lines are written with four digits: they are to differ.
        let least = match is_log {
            true => 0.01,
            false if low == 0.0 && high == 0.0 => 1.0,
            false => 0.02 * low.abs().max(high.abs()),
        };
        let missing = (least - (high - low)).max(0.0);
        Scale {
            low: low - missing / 2.0,
            high: high + missing / 2.0,
            is_log,
        }
    }

    fn y(&self, loss: f64) -> f64 {
        let value = if self.is_log { loss.log10() } else { loss };
        let share = (value - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
    }

    /// Four lines with their losses.
    fn grid(&self) -> String {
        let line = |part: f64| {
            let value = self.low + (self.high - self.low) * part;
            let loss = if self.is_log {
                10f64.powf(value)
            } else {
                value
            };
            let (y, end) = (self.y(loss), LEFT - 6.0);
            let text = format!(
                "<text x=\"{end}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                y + 4.0,
                format::loss(loss)
            );
            format!(
                "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"var(--line)\"/>{text}"
            )
        };
        [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0].map(line).concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The texts of an axis that are numbers.
    fn marks(losses: &[f64]) -> Vec<String> {
        let points: Vec<(f64, f64)> = (1..).map(f64::from).zip(losses.iter().copied()).collect();
        let drawn = svg(&points).unwrap();
        let texts = drawn.split("text-anchor=\"end\">").skip(1);
        texts
            .filter_map(|text| Some(text.split_once('<')?.0.to_owned()))
            .filter(|text| !text.starts_with("step"))
            .collect()
    }

    #[test]
    fn every_line_of_the_grid_has_its_own_loss() {
        for losses in [
            [1.618, 1.618],
            [1.618, 1.618_000_1],
            [0.0, 0.0],
            [0.5, 0.0],
            [-3.0, -3.0],
            [1e-12, 1e-12],
            [1e20, 1.000_001e20],
            [2.3, 0.01],
        ] {
            let marks = marks(&losses);
            let different: BTreeSet<&String> = marks.iter().collect();
            assert_eq!(
                (marks.len(), different.len()),
                (4, 4),
                "{losses:?}: {marks:?}"
            );
        }
    }
}
