//! `strata bench window`: the window's work during a training.

use super::args::{BenchArgs, BenchWhat};
use super::text::{figure, table};
use super::window::has_display;
use super::{output, source};
use crate::bench::window::{FrameTimes, Part, Report, headless, on_screen};
use std::time::Instant;
use strata_core::format::{bytes, rate};
use strata_engine::storage::run_folder::as_kept;

/// Parts of long frames that are listed.
const PARTS: usize = 8;

/// Measures and prints.
pub fn run(what: BenchWhat, args: &BenchArgs, started: Instant) -> anyhow::Result<()> {
    let seconds = f64::from(args.seconds);
    let real = what == BenchWhat::Window && has_display();
    let place = if real {
        "in a window"
    } else {
        "without a display"
    };
    let chosen = args.project.as_deref();
    let project = chosen.map(|name| source::open(name, &args.changes));
    let kept = |source: source::Source| as_kept(&source.project, &source.base);
    let project = project.transpose()?.map(kept);
    let name = chosen.unwrap_or("keras-cifar");
    output::say(&format!(
        "{name} trains for {seconds} s {place}, watched and unwatched in turn"
    ));
    let report = if real {
        on_screen(started, seconds, project, &args.device)?
    } else {
        headless(started, seconds, project, &args.device)?
    };
    if args.json {
        return output::print_json(&serde_json::to_value(&report)?);
    }
    output::print(&as_text(&report))
}

fn as_text(report: &Report) -> String {
    let row = |name: &str, times: &FrameTimes| {
        let figures = [times.median_ms, times.p99_ms, times.longest_ms].map(figure);
        let [median, p99, longest] = figures;
        [
            name.to_owned(),
            times.count.to_string(),
            median,
            p99,
            longest,
        ]
    };
    let mut rows = vec![
        row("training, every view open", &report.training),
        row("a curve of 1,000 points", &report.thousand_points),
        row("a curve of 1,000,000 points", &report.million_points),
    ];
    if let Some(times) = &report.training_on_processor {
        rows.insert(1, row("  of it on a processor", times));
    }
    let what = if report.painted {
        "layout, triangles and painting"
    } else {
        "layout and triangles, no painting"
    };
    let part = |part: &Part| {
        let figures = [part.mean_ms, part.longest_ms].map(figure);
        let [mean, longest] = figures;
        [part.part.to_owned(), mean, longest]
    };
    let parts: Vec<_> = report.parts.iter().take(PARTS).map(part).collect();
    let (watched, unwatched) = (report.images_per_second, report.images_per_second_unwatched);
    let mut lines = vec![
        format!("a frame's work in ms: {what}"),
        String::new(),
        table(&["", "frames", "median", "99 %", "longest"], &rows),
        String::new(),
        format!(
            "first frame {:.0} ms after the start",
            report.first_frame_ms
        ),
        format!(
            "frames in 3 s in which nothing happens: {}",
            report.idle_frames
        ),
        format!(
            "images/s: {} watched, {} unwatched, ratio {:.3}",
            rate(watched),
            rate(unwatched),
            watched / unwatched
        ),
    ];
    if !parts.is_empty() {
        let title = format!("{} frames of 6 ms or more", report.long_frames);
        lines.push(String::new());
        lines.push(table(&[title.as_str(), "mean", "longest"], &parts));
    }
    if let Some([early, half, late]) = report.resident_bytes.map(|all| all.map(bytes)) {
        lines.push(format!(
            "memory in use: {early} after a tenth of the time, {half} halfway, {late} at the end"
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_stand_in_columns() {
        let times = FrameTimes {
            count: 400,
            median_ms: 1.2,
            p99_ms: 3.456,
            longest_ms: 12.0,
        };
        let report = Report {
            training: times,
            images_per_second: 9.5e3,
            images_per_second_unwatched: 1e4,
            ..Report::default()
        };
        let text = as_text(&report);
        assert!(
            text.contains("ratio 0.950") && text.contains("no painting"),
            "{text}"
        );
        assert!(
            text.lines()
                .any(|line| line.starts_with("training") && line.ends_with("12.00")),
            "{text}"
        );
    }
}
