//! `strata check`: the table of layers with every error at its place, or the same as JSON.
//!
//! Exit code 2 when the project cannot be trained; with `--goals` 1 when it misses a goal.

pub(super) mod advice;
mod cost;
mod design;
mod explain;
mod paste;
mod table;

pub(super) use paste::read_input;

use super::args::CheckArgs;
use super::source::{self, Source};
use super::{FAILED, Told, WRONG_INPUT, WrongInput, goals, output};
use cost::StageCost;
use serde_json::{Value, json};
use strata_core::format::count;
use strata_core::project::Project;
use strata_core::project::locks;
use strata_core::project::study::Baselines;
use strata_core::project::target::Target;
use strata_core::shape::{Inference, Row, infer};
use strata_design::advice::Advice;
use strata_design::goals::{Judged, Measured, are_met, judge};
use strata_design::{Problem, Severity, banner, can_train, check_inferred};
use strata_engine::problem_of_images;
use table::{INDENT, table};

/// Checks a project and prints what it finds.
pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    if let Some(file) = &args.paste {
        return paste::run(file, args.json);
    }
    let Some(project) = &args.project else {
        return Err(
            WrongInput("give a project to check, or lines with --paste FILE".into()).into(),
        );
    };
    let source = source::open(project, &args.changes)?;
    tell_run(&source, args);
    if let Some((name, baselines)) = source.project.shown_baselines() {
        // The network of the settings is that of the other runs.
        return tell_baselines(name, baselines, args);
    }
    let inference = infer(&source.project.network);
    let mut problems = check_inferred(&source.project, &inference);
    let cost = StageCost::of(&source.project, &inference, args);
    let images = args
        .images
        .then(|| advice::open_images(&source))
        .transpose()?;
    if let Some(dataset) = images.as_ref().filter(|_| can_train(&problems)) {
        problems.extend(problem_of_images(&source.project, &inference, dataset));
    }
    let advice = advice::all(&source, &inference, images.as_ref());
    if args.json {
        let mut report = as_json(&source, &inference, &problems, cost.as_ref(), &advice);
        explain::add(&mut report, &source.project.network, &inference);
        output::print_json(&report)?;
    } else {
        let text = as_text(&source, &inference, &problems, cost.as_ref(), &advice);
        output::print(&text)?;
    }
    let missed = || args.goals && !are_met(&judged(&source.project, &inference));
    match (can_train(&problems), missed()) {
        (false, _) => Err(Told(WRONG_INPUT).into()),
        (true, true) => Err(Told(FAILED).into()),
        (true, false) => Ok(()),
    }
}

/// Of a project of several runs, which of them is checked.
fn tell_run(source: &Source, args: &CheckArgs) {
    let study = source.project.study.as_ref();
    let Some(study) = study.filter(|_| args.changes.run.is_none()) else {
        return;
    };
    let shown = study
        .shown()
        .map_or("what all runs share", |run| study.runs[run].name.as_str());
    let names = study.names().join(", ");
    output::say(&format!(
        "of {} runs this is {shown}; --run NAME checks another: {names}",
        study.runs.len()
    ));
}

fn tell_baselines(name: &str, baselines: &Baselines, args: &CheckArgs) -> anyhow::Result<()> {
    let said = baselines.in_words();
    match args.json {
        true => output::print_json(&json!({"ok": true, "run": name, "baselines": said})),
        false => output::print(&format!("{name}: baselines: {said}")),
    }
}

/// The goals as far as they are known before training.
fn judged(project: &Project, inference: &Inference) -> Vec<Judged> {
    judge(project, inference, &Measured::default())
}

fn as_json(
    source: &Source,
    inference: &Inference,
    problems: &[Problem],
    cost: Option<&StageCost>,
    advice: &[Advice],
) -> Value {
    let project = &source.project;
    let (goals, locked) = (judged(project, inference), locks::targets(project));
    let of = |severity: Severity| {
        problems
            .iter()
            .filter(move |problem| problem.severity == severity)
    };
    let totals = inference.totals;
    json!({
        "ok": can_train(problems),
        "layers": inference.rows.iter().map(|row| layer_json(row, &locked, cost)).collect::<Vec<_>>(),
        "totals": { "parameters": totals.parameters, "macs": totals.macs, "flops": totals.macs.saturating_mul(2) },
        "memory": cost.map(StageCost::memory_json),
        "largest_batch": cost.and_then(|cost| cost.largest_batch),
        "step_ms": cost.and_then(StageCost::step_ms),
        "output_equals_input": inference.output_equals_input,
        "errors": of(Severity::Error).map(problem_json).collect::<Vec<_>>(),
        "warnings": of(Severity::Warning).map(problem_json).collect::<Vec<_>>(),
        "advice": advice::as_json(project, advice),
        "goals": goals::as_json(&goals),
        "goals_met": are_met(&goals),
        "checkerboard": design::checkerboard(&project.network, inference),
        "hints": design::hints(&project.network, inference),
    })
}

fn layer_json(row: &Row, locked: &[Target], cost: Option<&StageCost>) -> Value {
    let bytes = cost.map(|cost| cost.memory.within(&row.place));
    let seconds = cost.and_then(|cost| cost.seconds_of(row));
    json!({
        "stack": row.place.stack.name(),
        "index": index_json(&row.place.path, row.place.index_text()),
        "text": row.text,
        "block": row.is_block,
        "locked": locked.iter().any(|target| target.contains(&row.place)),
        "output": row.output.as_ref().map(|shape| shape.dims().to_vec()),
        "parameters": row.parameters,
        "macs": row.macs,
        "flops": row.macs.saturating_mul(2),
        "memory_bytes": row.memory_bytes,
        "activation_bytes": bytes.map(|bytes| bytes.activations),
        "step_bytes": bytes.map(|bytes| bytes.total()),
        "step_ms": seconds.map(|seconds| 1e3 * seconds),
        "receptive_field": row.receptive_field,
        "receptive_field_stride": design::strides(row),
        "receptive_field_offset": design::offsets(row),
    })
}

fn problem_json(problem: &Problem) -> Value {
    let place = problem.place.as_ref();
    json!({
        "stack": place.map(|place| place.stack.name()),
        "index": place.map(|place| index_json(&place.path, place.index_text())),
        "stage": problem.stage,
        "message": problem.message,
        "help": problem.help.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// A number, or a path as text for a layer inside a block.
pub(super) fn index_json(path: &[usize], text: String) -> Value {
    match path {
        [index] => json!(index),
        _ => json!(text),
    }
}

fn as_text(
    source: &Source,
    inference: &Inference,
    problems: &[Problem],
    cost: Option<&StageCost>,
    advice: &[Advice],
) -> String {
    let mut lines = vec![source.project.title.clone(), String::new()];
    lines.extend(table(source, inference, problems, cost));
    lines.push(String::new());
    lines.push(banner(inference).text);
    lines.extend(explain::lines(&source.project.network, inference));
    let totals = inference.totals;
    lines.push(format!(
        "{} parameters · {} MACs an image",
        count(totals.parameters),
        count(totals.macs)
    ));
    lines.extend(cost.map(StageCost::lines).unwrap_or_default());
    lines.extend(
        design::hints(&source.project.network, inference)
            .into_iter()
            .map(|hint| format!("hint: {hint}")),
    );
    let elsewhere = problems.iter().filter(|problem| problem.place.is_none());
    for problem in elsewhere {
        lines.push(String::new());
        lines.extend(described(source, problem));
    }
    lines.extend(ticks(source, inference));
    lines.extend(advice::as_text(source, advice));
    lines.join("\n")
}

fn ticks(source: &Source, inference: &Inference) -> Vec<String> {
    let ticks = goals::as_text(&judged(&source.project, inference));
    let heading = (!ticks.is_empty()).then(|| [String::new(), "goals".to_owned()]);
    let ticks = ticks
        .into_iter()
        .map(|tick| format!("{}{tick}", " ".repeat(INDENT)));
    heading.into_iter().flatten().chain(ticks).collect()
}

fn severity(problem: &Problem) -> &'static str {
    match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A problem that is not at a layer.
fn described(source: &Source, problem: &Problem) -> Vec<String> {
    let stage = problem
        .stage
        .and_then(|index| source.project.stages.get(index));
    // What does not fit the images names its stage itself.
    let place = stage
        .map(|stage| format!("stage `{}`", stage.name))
        .filter(|name| !problem.message.starts_with(name))
        .map_or_else(String::new, |name| format!("{name}: "));
    let help = problem.help.iter().map(|help| format!("  help: {help}"));
    [format!("{}: {place}{}", severity(problem), problem.message)]
        .into_iter()
        .chain(help)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::overrides::Changes;
    use crate::cli::source::from_builtin;
    use strata_core::project::builtin;
    use strata_core::project::node::Node;

    fn shown(name: &str, change: impl Fn(&mut Source)) -> String {
        let mut source = from_builtin(builtin::find(name).unwrap(), &Changes::default()).unwrap();
        change(&mut source);
        let inference = infer(&source.project.network);
        let problems = check_inferred(&source.project, &inference);
        let advice = advice::all(&source, &inference, None);
        as_text(&source, &inference, &problems, None, &advice)
    }

    #[test]
    fn columns_stand_under_each_other() {
        let text = shown("keras-cifar", |_| {});
        let ends = |part: &str| {
            text.lines()
                .find(|line| line.contains(part))
                .map(|line| line.chars().count())
        };
        assert!(text.contains("122,570 parameters"), "{text}");
        assert!(ends("conv 32 k3").is_some());
        let column = |part: &str| {
            text.lines()
                .find(|line| line.contains(part))
                .unwrap()
                .split(part)
                .next()
                .unwrap()
                .chars()
                .count()
        };
        assert_eq!(
            column("32×30×30") + 8,
            column(" output") + 7,
            "right-aligned\n{text}"
        );
    }

    #[test]
    fn branches_are_told_apart() {
        let text = shown("unet", |_| {});
        assert_eq!(text.matches("branch 1: identity").count(), 4, "{text}");
        assert_eq!(text.matches("branch 2\n").count(), 4, "{text}");
        let text = shown("xception", |_| {});
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        let at = lines
            .iter()
            .position(|line| line.contains("conv 728 k1"))
            .unwrap();
        assert_eq!(lines[at - 1], "branch 2", "{text}");
        assert!(
            lines.iter().position(|line| line.starts_with("head"))
                < lines.iter().position(|line| line.contains("gap"))
        );
    }

    #[test]
    fn carets_point_at_the_word() {
        let text = shown("conv-autoencoder", |source| {
            source.project.network.encoder[0] = Node::from_text("conv 8 k3 q7")
        });
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().position(|line| line.contains("q7")).unwrap();
        assert_eq!(lines[at].find("q7"), lines[at + 1].find("^^"), "{text}");
        assert!(
            lines[at + 2].contains("error: ") && lines[at + 3].contains("help: "),
            "{text}"
        );
    }
}
