//! `strata bench`: times, speed and memory of the benchmark cases, as a table or as JSON.

use super::args::{BenchArgs, BenchWhat};
use super::text::{figure, table};
use super::{WrongInput, bench_data, bench_layers, bench_window, output, scaling};
use crate::bench::cases::{self, Case};
use crate::bench::{BenchError, Measurement, measure, on_threads, peak};
use candle_core::Device;
use serde::Serialize;
use serde_json::{Map, Value};
use std::thread::available_parallelism;
use std::time::Instant;
use strata_core::format::bytes;
use strata_engine::benchmark::roofs;

/// A case's measurement compared with what the machine can do.
#[derive(Serialize)]
struct Measured {
    #[serde(skip)]
    name: &'static str,
    #[serde(flatten)]
    measurement: Measurement,
    percent_of_peak: f64,
}

/// Measures the cases and prints them.
pub fn run(args: &BenchArgs, started: Instant) -> anyhow::Result<()> {
    refuse(args)?;
    match (args.special(), args.measured_project()) {
        (Some(BenchWhat::Data), _) => return bench_data::run(args),
        (Some(what), _) => return bench_window::run(what, args, started),
        (None, Some(project)) => return bench_layers::run(project, args),
        (None, None) => {}
    }
    let cases = chosen(args.cases.as_deref())?;
    let (device, threads) = (device(args)?, threads(args));
    if args.scaling {
        return scaling::run(args.steps, threads, &device, args.json);
    }
    if args.only_memory {
        return only_memory(&cases, &device, threads);
    }
    let (measured, peak) = on_threads(threads, || all(&cases, args, &device))??;
    if args.json {
        return output::print_json(&as_json(&measured)?);
    }
    output::print(&as_text(&measured, peak, &device, threads))
}

/// Where to compute.
pub(super) fn device(args: &BenchArgs) -> Result<Device, WrongInput> {
    strata_nn::device::open(Some(&args.device)).map_err(|error| WrongInput(error.to_string()))
}

/// How many threads to compute with.
pub(super) fn threads(args: &BenchArgs) -> usize {
    args.threads
        .unwrap_or_else(|| available_parallelism().map_or(1, usize::from))
}

/// Options that would change nothing of what is measured.
fn refuse(args: &BenchArgs) -> Result<(), WrongInput> {
    let (special, project) = (args.special(), args.measured_project().is_some());
    let window = matches!(special, Some(BenchWhat::Window | BenchWhat::Headless));
    let takes_settings = project || args.project.is_some();
    let idle = [
        (
            "--data",
            args.data.is_some() && special != Some(BenchWhat::Data),
        ),
        ("--cases", args.cases.is_some() && (window || project)),
        ("--scaling", args.scaling && args.what.is_some()),
        ("--stage", args.stage.is_some() && !project),
        ("--project", args.project.is_some() && !window),
        ("--set", !args.changes.set.is_empty() && !takes_settings),
        ("--unset", !args.changes.unset.is_empty() && !takes_settings),
    ];
    match idle.iter().find(|(_, is_idle)| *is_idle) {
        Some((option, _)) => Err(WrongInput(format!(
            "{option} means nothing for what is measured: leave it out"
        ))),
        None => Ok(()),
    }
}

/// The cases of these names, in the order they were given.
fn chosen(names: Option<&str>) -> Result<Vec<&'static Case>, WrongInput> {
    let Some(names) = names else {
        return Ok(cases::ALL.iter().collect());
    };
    let known = || cases::ALL.iter().map(|case| case.name);
    let case = |name: &str| cases::find(name.trim()).ok_or_else(|| unknown(name.trim(), known()));
    names.split(',').map(case).collect()
}

/// A case that is none of those known.
pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> WrongInput {
    let names: Vec<&str> = known.collect();
    let near = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min();
    let hint = near
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, near)| format!(" did you mean `{near}`?"));
    WrongInput(format!(
        "there is no case `{name}`;{} the cases are {}",
        hint.unwrap_or_default(),
        names.join(", ")
    ))
}

/// All measurements, and the machine's own peak in GFLOP/s.
fn all(
    cases: &[&'static Case],
    args: &BenchArgs,
    device: &Device,
) -> Result<(Vec<Measured>, f64), BenchError> {
    let mut measurements = Vec::new();
    for case in cases {
        output::say(&format!("measuring {}", case.name));
        let peak_bytes = memory_in_own_process(case, args);
        measurements.push((case.name, measure(case, args.steps, device, peak_bytes)?));
    }
    let peak = roofs::sgemm_gflops(device)?;
    let measured = |(name, measurement): (&'static str, Measurement)| {
        let percent_of_peak = 100.0 * measurement.gflops / peak;
        Measured {
            name,
            measurement,
            percent_of_peak,
        }
    };
    Ok((measurements.into_iter().map(measured).collect(), peak))
}

/// Prints the peak memory of the first case, for [`memory_in_own_process`].
fn only_memory(cases: &[&'static Case], device: &Device, threads: usize) -> anyhow::Result<()> {
    let Some(case) = cases.first() else {
        return Ok(());
    };
    let bytes = on_threads(threads, || peak::peak_bytes(case, device))??;
    output::print_json(&Value::from(bytes))
}

/// The peak memory of a case, measured by another process of this program; `None` where it cannot be had.
fn memory_in_own_process(case: &Case, args: &BenchArgs) -> Option<u64> {
    let mut command = std::process::Command::new(std::env::current_exe().ok()?);
    command.args(["bench", "--only-memory", "--cases", case.name]);
    command.args(["--device", &args.device]);
    command.args(["--threads", &threads(args).to_string()]);
    let output = command.output().ok()?;
    serde_json::from_slice(&output.stdout).ok()?
}

fn as_json(measured: &[Measured]) -> anyhow::Result<Value> {
    let entries = measured
        .iter()
        .map(|case| Ok((case.name.to_owned(), serde_json::to_value(case)?)));
    Ok(Value::Object(
        entries.collect::<anyhow::Result<Map<_, _>>>()?,
    ))
}

const HEADING: [&str; 9] = [
    "case",
    "step ms",
    "forward",
    "loss",
    "backward",
    "update",
    "GFLOP/s",
    "% of peak",
    "memory",
];

fn as_text(measured: &[Measured], peak: f64, device: &Device, threads: usize) -> String {
    let place = place(device, threads);
    let rows: Vec<[String; 9]> = measured.iter().map(row).collect();
    let title = format!(
        "{place} · peak {peak:.0} GFLOP/s, a product of 2048×2048 matrices · times are medians"
    );
    [title, String::new(), table(&HEADING, &rows)].join("\n")
}

/// Where it was measured.
pub(super) fn place(device: &Device, threads: usize) -> String {
    if device.is_cpu() {
        format!("CPU, threads: {threads}")
    } else {
        strata_nn::device::describe(device)
    }
}

fn row(case: &Measured) -> [String; 9] {
    let Measurement {
        step_ms,
        forward_ms,
        loss_ms,
        backward_ms,
        update_ms,
        gflops,
        peak_bytes,
    } = case.measurement;
    let [step, forward, loss, backward, update] =
        [step_ms, forward_ms, loss_ms, backward_ms, update_ms].map(figure);
    let share = format!("{:.0} %", case.percent_of_peak);
    let memory = peak_bytes.map(bytes).unwrap_or_default();
    [
        case.name.to_owned(),
        step,
        forward,
        loss,
        backward,
        update,
        figure(gflops),
        share,
        memory,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_chosen_by_name() {
        let names = |names| {
            chosen(names).map(|cases| cases.iter().map(|case| case.name).collect::<Vec<_>>())
        };
        assert_eq!(names(None).unwrap().len(), cases::ALL.len());
        assert_eq!(
            names(Some("vgg-96, conv-ae")).unwrap(),
            ["vgg-96", "conv-ae"]
        );
        let error = names(Some("vgg-96,lenet-mist")).unwrap_err().to_string();
        assert!(
            error.contains("did you mean `lenet-mnist`?") && error.contains("infer-b256"),
            "{error}"
        );
        assert!(
            !names(Some("something else"))
                .unwrap_err()
                .to_string()
                .contains("did you mean")
        );
    }
}
