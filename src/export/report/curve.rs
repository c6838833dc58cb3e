//! The loss over steps as a drawing: `steps.csv` in buckets, logarithmic where all is above zero.

use std::path::Path;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 8.0;
/// More points than this cannot be told apart.
const POINTS: usize = 600;

/// The curve of a run; `None` before its second step.
pub(super) fn svg(run: &Path) -> Option<String> {
    let points = buckets(&steps(run));
    let (first, last) = (points.first()?.0, points.last()?.0);
    if last <= first {
        return None;
    }
    let scale = Scale::new(&points);
    let x = |step: f64| LEFT + (step - first) / (last - first) * (WIDTH - LEFT);
    let path: Vec<String> =
        points.iter().map(|(step, loss)| format!("{:.1},{:.1}", x(*step), scale.y(*loss))).collect();
    let line = format!(
        "<polyline fill=\"none\" stroke=\"var(--accent)\" stroke-width=\"1.5\" points=\"{}\"/>",
        path.join(" ")
    );
    let base = HEIGHT - 8.0;
    let steps = format!(
        "<text x=\"{LEFT}\" y=\"{base}\">step {first:.0}</text><text x=\"{WIDTH}\" y=\"{base}\" text-anchor=\"end\">step {last:.0}</text>"
    );
    let text = "font-size=\"12\" fill=\"currentColor\"";
    Some(format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"loss over steps\" {text}>{}{steps}{line}</svg>",
        scale.grid()
    ))
}

fn steps(run: &Path) -> Vec<(f64, f64)> {
    let Ok(mut reader) = csv::Reader::from_path(run.join("steps.csv")) else { return Vec::new() };
    let point = |row: csv::StringRecord| Some((row.get(0)?.parse().ok()?, row.get(3)?.parse().ok()?));
    let points = reader.records().map_while(Result::ok).filter_map(point);
    points.filter(|(_, loss): &(f64, f64)| loss.is_finite()).collect()
}

/// Means over runs of neighbouring steps.
fn buckets(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let size = points.len().div_ceil(POINTS).max(1);
    let mean = |values: &[(f64, f64)]| {
        let count = values.len() as f64;
        let (steps, losses) = values.iter().fold((0.0, 0.0), |(s, l), (step, loss)| (s + step, l + loss));
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
        let values = points.iter().map(|(_, loss)| if is_log { loss.log10() } else { *loss });
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        Scale { low, high: if high > low { high } else { low + 1.0 }, is_log }
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
            let loss = if self.is_log { 10f64.powf(value) } else { value };
            let (y, end) = (self.y(loss), LEFT - 6.0);
            let text = format!("<text x=\"{end}\" y=\"{:.1}\" text-anchor=\"end\">{loss:.4}</text>", y + 4.0);
            format!("<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"var(--line)\"/>{text}")
        };
        [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0].map(line).concat()
    }
}
