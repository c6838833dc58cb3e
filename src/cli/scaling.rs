//! `strata bench --scaling`: the time of a step against batch, image size and depth.

use super::bench::place;
use super::output;
use super::text::{figure, table};
use crate::bench::measure::median;
use crate::bench::scaling::{self, Point, Series};
use crate::bench::{BenchError, on_threads};
use candle_core::Device;
use serde_json::{Map, Value, json};

/// Times that the sizes of a series are gone through; of each the middle time counts. A machine that changes its speed
/// meanwhile would otherwise make one size look slower than the next.
const ROUNDS: usize = 3;

/// Measures all series and prints them.
pub fn run(steps: usize, threads: usize, device: &Device, as_json: bool) -> anyhow::Result<()> {
    let measured = on_threads(threads, || all(steps, device))??;
    if as_json {
        let entry = |(series, points): &(&Series, Vec<Point>)| {
            (series.name.to_owned(), entry(series, points))
        };
        return output::print_json(&Value::Object(
            measured.iter().map(entry).collect::<Map<_, _>>(),
        ));
    }
    let tables = measured.iter().map(|(series, points)| text(series, points));
    let title = format!(
        "{} · deviation from the middle size of each table",
        place(device, threads)
    );
    output::print(
        &std::iter::once(title)
            .chain(tables)
            .collect::<Vec<_>>()
            .join("\n\n"),
    )
}

fn all(steps: usize, device: &Device) -> Result<Vec<(&'static Series, Vec<Point>)>, BenchError> {
    scaling::ALL
        .iter()
        .map(|series| Ok((series, measure(series, steps, device)?)))
        .collect()
}

fn measure(series: &Series, steps: usize, device: &Device) -> Result<Vec<Point>, BenchError> {
    let mut rounds = vec![Vec::new(); series.sizes.len()];
    for round in 1..=ROUNDS {
        for (&size, times) in series.sizes.iter().zip(&mut rounds) {
            output::say(&format!(
                "measuring {} {size}, round {round} of {ROUNDS}",
                series.name
            ));
            times.extend(series.step_ms(size, steps.div_ceil(ROUNDS), device)?);
        }
    }
    let mut times = Vec::new();
    for (&size, rounds) in series.sizes.iter().zip(rounds) {
        if rounds.is_empty() {
            output::say(&format!(
                "left out: {} {size} does not fit into memory",
                series.name
            ));
        } else {
            times.push((size, median(rounds)));
        }
    }
    Ok(series.points(&times))
}

fn entry(series: &Series, points: &[Point]) -> Value {
    json!({ "about": series.about, "unit": series.unit, "points": points })
}

fn text(series: &Series, points: &[Point]) -> String {
    let size = series.name.replace('_', " ");
    let unit = format!("µs per {}", series.unit);
    let row = |point: &Point| {
        let deviation = format!("{:+.0} %", point.deviation_percent);
        [
            point.size.to_string(),
            figure(point.step_ms),
            figure(point.unit_us),
            deviation,
        ]
    };
    let rows: Vec<_> = points.iter().map(row).collect();
    format!(
        "{size}: {}\n{}",
        series.about,
        table(&["size", "step ms", &unit, "deviation"], &rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_a_table_and_an_entry() {
        let series = &scaling::ALL[0];
        let points = series.points(&[(1, 2.0), (2, 3.0)]);
        let text = text(series, &points);
        assert!(
            text.contains("µs per image") && text.lines().last().unwrap().ends_with("+0 %"),
            "{text}"
        );
        let entry = entry(series, &points);
        assert_eq!(
            entry["points"][0]["deviation_percent"]
                .as_f64()
                .map(f64::round),
            Some(33.0)
        );
        assert_eq!(entry["unit"], "image");
    }
}
