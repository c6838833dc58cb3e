//! `strata bench PROJECT`: where the time of a training step goes, layer by layer, beside what the machine can do.

use super::args::BenchArgs;
use super::text::{figure, table};
use super::{WrongInput, output, source};
use crate::bench::on_threads;
use serde_json::{Value, json};
use strata_core::format::{bytes, count};
use strata_core::project::Project;
use strata_core::shape::{Row, infer};
use strata_engine::benchmark::{LayerTime, LayerTimes};

/// Measures a stage of a project and prints its layers.
pub(super) fn run(name: &str, args: &BenchArgs) -> anyhow::Result<()> {
    let device = super::bench::device(args)?;
    if !device.is_cpu() {
        let only = "layers are measured on the CPU alone: leave --device out";
        return Err(WrongInput(only.to_owned()).into());
    }
    let project = source::open(name, &args.changes)?.project;
    let index = stage(&project, args.stage.as_deref())?;
    let Some(stage) = project.stages.get(index) else {
        return Err(WrongInput("the project has no stage to measure".to_owned()).into());
    };
    output::say(&format!("measuring stage {}", stage.name));
    let threads = super::bench::threads(args);
    let measure = || LayerTimes::measure(&project, stage, args.steps, || true);
    let times = on_threads(threads, measure)??;
    let rows = infer(&project.network).rows;
    if args.json {
        return output::print_json(&as_json(&times, &rows));
    }
    output::print(&as_text(
        &times,
        &rows,
        &super::bench::place(&device, threads),
    ))
}

/// The number of the stage that is meant.
fn stage(project: &Project, meant: Option<&str>) -> Result<usize, WrongInput> {
    let Some(meant) = meant else {
        return Ok(0);
    };
    let named = project.stages.iter().position(|stage| stage.name == meant);
    let counted = || {
        meant
            .parse()
            .ok()
            .filter(|index| *index < project.stages.len())
    };
    named.or_else(counted).ok_or_else(|| {
        let names: Vec<&str> = project
            .stages
            .iter()
            .map(|stage| stage.name.as_str())
            .collect();
        WrongInput(format!(
            "there is no stage `{meant}`; the stages are {}",
            names.join(", ")
        ))
    })
}

/// The rows of the stacks that were measured, with their times.
fn measured<'a>(
    times: &'a LayerTimes,
    rows: &'a [Row],
) -> impl Iterator<Item = (&'a Row, &'a LayerTime)> {
    rows.iter()
        .filter_map(|row| Some((row, times.at(&row.place)?)))
}

fn as_json(times: &LayerTimes, rows: &[Row]) -> Value {
    let layer = |(row, time): (&Row, &LayerTime)| {
        json!({
            "layer": row.place.to_string(),
            "text": row.text,
            "part_of_another": time.work.is_part_of_another,
            "forward_ms": time.forward_ms,
            "backward_ms": time.backward_ms,
            "update_ms": time.update_ms,
            "share_of_step": share(time.total_ms(), times.step_ms),
            "macs": time.work.macs(),
            "gflops": time.gflops(),
            "share_of_products": share(time.gflops(), times.roofs.gflops),
            "bytes": time.work.bytes(),
            "gigabytes_a_second": time.gigabytes(),
            "share_of_bandwidth": share(time.gigabytes(), times.roofs.gigabytes),
        })
    };
    json!({
        "stage": times.stage,
        "batch": times.batch,
        "step_ms": times.step_ms,
        "loss_ms": times.loss_ms,
        "rest_ms": times.rest_ms(),
        "roofs": times.roofs,
        "layers": measured(times, rows).map(layer).collect::<Vec<_>>(),
    })
}

fn share(part: f64, whole: f64) -> f64 {
    part / whole.max(f64::MIN_POSITIVE)
}

const HEADING: [&str; 11] = [
    "layer",
    "",
    "forward ms",
    "backward",
    "update",
    "% of step",
    "GFLOP/s",
    "% of products",
    "moved",
    "GB/s",
    "% of bandwidth",
];

fn as_text(times: &LayerTimes, rows: &[Row], place: &str) -> String {
    let title = format!(
        "{place} · stage `{}`, batch {} · a step takes {} ms (median)",
        times.stage,
        count(times.batch.into()),
        figure(times.step_ms)
    );
    let roofs = format!(
        "roofs: products {:.0} GFLOP/s, memory {:.1} GB/s",
        times.roofs.gflops, times.roofs.gigabytes
    );
    let mut lines: Vec<[String; 11]> = measured(times, rows)
        .map(|(row, time)| line(row, time, times))
        .collect();
    for (name, ms) in [
        ("loss", times.loss_ms),
        ("rest of the step", times.rest_ms()),
    ] {
        let mut cells = [const { String::new() }; 11];
        cells[0] = name.to_owned();
        cells[2] = figure(ms);
        cells[5] = percent(share(ms, times.step_ms));
        lines.push(cells);
    }
    [
        title,
        roofs,
        String::new(),
        table(&HEADING, &lines),
        NOTE.to_owned(),
    ]
    .join("\n")
}

/// What the table can't say.
const NOTE: &str = "
A row without times is computed along with the one before it. GFLOP/s count two for each multiply-accumulate of the
layer's formula: a 3×3 window that is computed at points needs fewer, and can be above the roof. Moved: input, output,
weights, gradients and the optimizer's numbers; from the caches they come faster than from memory.";

fn line(row: &Row, time: &LayerTime, times: &LayerTimes) -> [String; 11] {
    let indent = "  ".repeat(row.depth);
    let name = format!("{indent}{}", row.place);
    let ms = |ms: f64| if ms > 0.0 { figure(ms) } else { String::new() };
    let has_time = time.total_ms() > 0.0;
    let some = |holds: bool, text: String| if holds { text } else { String::new() };
    let (computes, moves) = (time.work.macs() > 0, has_time && time.work.bytes() > 0);
    [
        name,
        row.text.clone(),
        ms(time.forward_ms),
        ms(time.backward_ms),
        ms(time.update_ms),
        some(has_time, percent(share(time.total_ms(), times.step_ms))),
        some(computes, figure(time.gflops())),
        some(computes, percent(share(time.gflops(), times.roofs.gflops))),
        some(moves, bytes(time.work.bytes())),
        some(moves, figure(time.gigabytes())),
        some(
            moves,
            percent(share(time.gigabytes(), times.roofs.gigabytes)),
        ),
    ]
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
