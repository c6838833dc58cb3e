//! The plots of a sweep's page, as drawings of lines and circles.

use super::super::report::escape;
use strata_core::format::{large, span};
use strata_sweep::effects::{CostKind, Effect, EffectPoint, round_marks, time_text};
use strata_sweep::table::{Spread, TrialRow};
use strata_sweep::{Standing, Table};

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 56.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 36.0;

/// From a value to a place on an axis, with a twentieth of room at both ends.
#[derive(Clone, Copy)]
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Option<Axis> {
        let [low, high] = span(values)?;
        let room = match high - low {
            0.0 => 0.5 * low.abs().max(1e-9),
            range => range / 20.0,
        };
        Some(Axis {
            low: low - room,
            high: high + room,
            from,
            to,
        })
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// The round values of its marks.
    fn marks(&self) -> Vec<f64> {
        round_marks(self.low, self.high)
    }
}

fn svg(width: f64, height: f64, label: &str, inside: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\" font-size=\"11\" fill=\"currentColor\">{inside}</svg>",
        escape(label)
    )
}

fn line(from: [f64; 2], to: [f64; 2], stroke: &str) -> String {
    format!(
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {stroke}/>",
        from[0], from[1], to[0], to[1]
    )
}

fn text(at: [f64; 2], anchor: &str, words: &str) -> String {
    format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
        at[0],
        at[1],
        escape(words)
    )
}

const GRID: &str = "stroke=\"var(--line)\"";
const QUALITY: &str = "stroke=\"var(--accent)\" stroke-width=\"1.5\"";
const TIME: &str = "stroke=\"#c77d1e\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"";

/// Quality (a line, at the left axis) and time (dashed, at the right one) for each value of a factor.
pub(super) fn effect(table: &Table, effect: &Effect) -> Option<String> {
    let count = effect.points.len();
    let ends = |spread: Spread| {
        let deviation = spread.deviation.unwrap_or(0.0);
        [spread.mean - deviation, spread.mean + deviation]
    };
    let (top, bottom) = (TOP, HEIGHT - BOTTOM);
    let qualities = || effect.points.iter().filter_map(|point| point.quality);
    let times = || effect.points.iter().filter_map(|point| point.seconds);
    let quality = Axis::new(qualities().flat_map(ends), bottom, top)?;
    let time = Axis::new(times().flat_map(ends), bottom, top)?;
    let x = |place: usize| LEFT + (place as f64 + 0.5) / count as f64 * (WIDTH - LEFT - RIGHT);
    let mut inside = String::new();
    for mark in quality.marks() {
        let y = quality.at(mark);
        inside += &line([LEFT, y], [WIDTH - RIGHT, y], GRID);
        inside += &text([LEFT - 5.0, y + 4.0], "end", &table.value_text(mark));
    }
    for mark in time.marks() {
        let words = time_text(mark.max(0.0));
        inside += &text([WIDTH - RIGHT + 5.0, time.at(mark) + 4.0], "start", &words);
    }
    let step = count.div_ceil(8).max(1);
    for (place, point) in effect.points.iter().enumerate().step_by(step) {
        let short: String = point.label.chars().take(14).collect();
        inside += &text([x(place), HEIGHT - BOTTOM + 16.0], "middle", &short);
    }
    // The two stand a little beside each other, so that no bar hides another.
    let aside = |place: usize| x(place) + 5.0;
    inside += &curve(&effect.points, &x, quality, QUALITY, |point| point.quality);
    inside += &curve(&effect.points, &aside, time, TIME, |point| point.seconds);
    let legend = format!("line: {}; dashed: time", table.metric.name());
    inside += &text([LEFT, HEIGHT - 6.0], "start", &legend);
    Some(svg(
        WIDTH,
        HEIGHT,
        &format!("effect of {}", effect.factor),
        &inside,
    ))
}

/// Means joined by lines, with their deviations.
fn curve(
    points: &[EffectPoint],
    x: &dyn Fn(usize) -> f64,
    axis: Axis,
    stroke: &str,
    value: fn(&EffectPoint) -> Option<Spread>,
) -> String {
    let known = points.iter().enumerate();
    let known: Vec<(f64, Spread)> = known
        .filter_map(|(place, point)| Some((x(place), value(point)?)))
        .collect();
    let at = |spread: &Spread| axis.at(spread.mean);
    let mut drawn = String::new();
    for pair in known.windows(2) {
        drawn += &line(
            [pair[0].0, at(&pair[0].1)],
            [pair[1].0, at(&pair[1].1)],
            stroke,
        );
    }
    for (x, spread) in &known {
        if let Some(deviation) = spread.deviation {
            let ends = [-deviation, deviation].map(|off| axis.at(spread.mean + off));
            drawn += &line([*x, ends[0]], [*x, ends[1]], stroke);
        }
        drawn += &format!(
            "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"2\" {stroke}/>",
            at(spread)
        );
    }
    drawn
}

/// Every completed trial by its cost and quality; those of the front are joined.
pub(super) fn scatter(table: &Table, cost: CostKind, front: &[usize]) -> Option<String> {
    let (width, height) = (880.0, 300.0);
    let completed = table
        .trials
        .iter()
        .filter(|row| row.standing == Standing::Completed);
    let place = |row: &TrialRow| Some((row.number, cost.of(row)?, row.value?.mean));
    let all: Vec<(usize, f64, f64)> = completed.filter_map(place).collect();
    let x = Axis::new(all.iter().map(|(_, cost, _)| *cost), LEFT, width - 16.0)?;
    let y = Axis::new(all.iter().map(|(_, _, value)| *value), height - BOTTOM, TOP)?;
    let mut inside = String::new();
    for mark in y.marks() {
        inside += &line([LEFT, y.at(mark)], [width - 16.0, y.at(mark)], GRID);
        inside += &text(
            [LEFT - 5.0, y.at(mark) + 4.0],
            "end",
            &table.value_text(mark),
        );
    }
    for mark in x.marks() {
        let words = match cost {
            CostKind::Seconds => time_text(mark.max(0.0)),
            CostKind::Parameters | CostKind::Macs => large(mark.max(0.0) as u64),
        };
        inside += &text([x.at(mark), height - BOTTOM + 16.0], "middle", &words);
    }
    inside += &text([width - 16.0, height - 4.0], "end", cost.name());
    let of_front = front
        .iter()
        .filter_map(|number| all.iter().find(|(known, ..)| known == number));
    let corners: Vec<[f64; 2]> = of_front
        .map(|(_, cost, value)| [x.at(*cost), y.at(*value)])
        .collect();
    for pair in corners.windows(2) {
        inside += &line(pair[0], pair[1], QUALITY);
    }
    for (number, cost, value) in &all {
        let (fill, radius) = match front.contains(number) {
            true => ("var(--accent)", 4.5),
            false => ("var(--soft)", 3.0),
        };
        inside += &format!(
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\" fill=\"{fill}\"><title>trial {number}</title></circle>",
            x.at(*cost),
            y.at(*value)
        );
    }
    Some(svg(
        width,
        height,
        &format!("quality against {}", cost.name()),
        &inside,
    ))
}

/// Every completed trial by its number, and a line of the best so far.
pub(super) fn search(table: &Table) -> Option<String> {
    let (width, height) = (880.0, 300.0);
    let completed = table
        .trials
        .iter()
        .filter(|row| row.standing == Standing::Completed);
    let all: Vec<(&TrialRow, f64)> = completed
        .filter_map(|row| Some((row, row.value?.mean)))
        .collect();
    let last = table.trials.len() as f64;
    let x = Axis::new([1.0, last], LEFT, width - 16.0)?;
    let y = Axis::new(all.iter().map(|(_, value)| *value), height - BOTTOM, TOP)?;
    let mut inside = String::new();
    for mark in y.marks() {
        inside += &line([LEFT, y.at(mark)], [width - 16.0, y.at(mark)], GRID);
        let at = [LEFT - 5.0, y.at(mark) + 4.0];
        inside += &text(at, "end", &table.value_text(mark));
    }
    for mark in x.marks().into_iter().filter(|mark| mark.fract() == 0.0) {
        let at = [x.at(mark), height - BOTTOM + 16.0];
        inside += &text(at, "middle", &format!("{mark}"));
    }
    inside += &text([width - 16.0, height - 4.0], "end", "trial");
    let is_better = |value: f64, best: f64| match table.metric.measure.is_more_better() {
        true => value > best,
        false => value < best,
    };
    let mut best: Option<f64> = None;
    let mut path = Vec::new();
    for (row, value) in &all {
        let at = x.at(row.number as f64);
        let former = best.unwrap_or(*value);
        let now = if is_better(*value, former) {
            *value
        } else {
            former
        };
        path.push(format!(
            "{at:.1},{:.1} {at:.1},{:.1}",
            y.at(former),
            y.at(now)
        ));
        best = Some(now);
    }
    inside += &format!(
        "<polyline fill=\"none\" {QUALITY} points=\"{}\"/>",
        path.join(" ")
    );
    for (row, value) in &all {
        let fill = match row.round {
            Some(_) => "var(--accent)",
            None => "var(--soft)",
        };
        inside += &format!(
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{fill}\"><title>trial {}</title></circle>",
            x.at(row.number as f64),
            y.at(*value),
            row.number
        );
    }
    Some(svg(width, height, "the search, trial after trial", &inside))
}

/// A line for each completed trial through its values, the better the more of the accent's colour.
pub(super) fn coordinates(table: &Table) -> Option<String> {
    let (width, height) = (880.0, 300.0);
    let completed = table
        .trials
        .iter()
        .filter(|row| row.standing == Standing::Completed);
    let rows: Vec<(&TrialRow, f64)> = completed
        .filter_map(|row| Some((row, row.value?.mean)))
        .collect();
    let axes = table.factors.len() + 1;
    if rows.len() < 2 {
        return None;
    }
    let x = |axis: usize| 40.0 + axis as f64 / (axes - 1) as f64 * (width - 120.0);
    let quality = Axis::new(rows.iter().map(|(_, value)| *value), height - BOTTOM, 28.0)?;
    let mut inside = String::new();
    let labels: Vec<Vec<String>> = strata_sweep::effects::effects(table)
        .into_iter()
        .map(|effect| effect.points.into_iter().map(|point| point.label).collect())
        .collect();
    let at = |axis: usize, label: &String| {
        let known = labels.get(axis).map_or(&[][..], Vec::as_slice);
        let place = known.iter().position(|other| other == label).unwrap_or(0);
        let share = (place as f64 + 0.5) / known.len().max(1) as f64;
        height - BOTTOM - share * (height - BOTTOM - 28.0)
    };
    for axis in 0..axes {
        inside += &line([x(axis), 28.0], [x(axis), height - BOTTOM], GRID);
        let name = match table.factors.get(axis) {
            Some(factor) => factor.clone(),
            None => table.metric.name(),
        };
        let y = if axis % 2 == 0 { 12.0 } else { height - 8.0 };
        let anchor = if axis == 0 { "start" } else { "middle" };
        inside += &text([x(axis), y], anchor, &name);
    }
    let is_more_better = table.metric.measure.is_more_better();
    for (row, value) in &rows {
        let share = (value - quality.low) / (quality.high - quality.low);
        let share = if is_more_better { share } else { 1.0 - share };
        let mut path: Vec<String> = row
            .values
            .iter()
            .enumerate()
            .map(|(axis, label)| format!("{:.1},{:.1}", x(axis), at(axis, label)))
            .collect();
        path.push(format!("{:.1},{:.1}", x(axes - 1), quality.at(*value)));
        inside += &format!(
            "<polyline fill=\"none\" stroke=\"var(--accent)\" stroke-opacity=\"{:.2}\" points=\"{}\"><title>trial {}</title></polyline>",
            0.1 + 0.8 * share,
            path.join(" "),
            row.number
        );
    }
    for (axis, known) in labels.iter().enumerate() {
        let step = known.len().div_ceil(12).max(1);
        for label in known.iter().step_by(step) {
            let short: String = label.chars().take(18).collect();
            inside += &text([x(axis) + 4.0, at(axis, label) + 4.0], "start", &short);
        }
    }
    for mark in quality.marks() {
        inside += &text(
            [x(axes - 1) + 5.0, quality.at(mark) + 4.0],
            "start",
            &table.value_text(mark),
        );
    }
    Some(svg(width, height, "parallel coordinates", &inside))
}
