//! `strata check`: the table of layers with every error at its place, or the same as JSON.
//!
//! Exit code 2 when the project cannot be trained; with `--goals` 1 when it misses a goal.

pub(super) mod advice;
mod cost;
mod design;
mod explain;
mod paste;

pub(super) use paste::read_input;

use super::args::CheckArgs;
use super::source::{self, Source};
use super::text::{left, right, times};
use super::toml_lines::line_of;
use super::{FAILED, Told, WRONG_INPUT, WrongInput, goals, output};
use cost::StageCost;
use serde_json::{Value, json};
use strata_core::format::{bytes, count};
use strata_core::project::locks;
use strata_core::project::node::Node;
use strata_core::project::study::Baselines;
use strata_core::project::target::Target;
use strata_core::project::{Project, Stack};
use strata_core::shape::{Inference, Row, infer};
use strata_design::advice::Advice;
use strata_design::goals::{Judged, Measured, are_met, judge};
use strata_design::{Problem, Severity, banner, can_train, check_inferred};

/// Spaces before a layer, and for each block it is in.
const INDENT: usize = 2;

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
    let problems = check_inferred(&source.project, &inference);
    let cost = StageCost::of(&source.project, &inference, args);
    let advice = advice::all(&source, &inference, args.images)?;
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
        "step_ms": cost.and_then(|cost| cost.step_ms),
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
    lines.extend(table(source, inference, problems));
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

/// The columns of the table, as texts.
struct Cells {
    layer: String,
    output: String,
    parameters: String,
    macs: String,
    field: String,
    memory: String,
}

impl Cells {
    fn heading() -> Cells {
        let [layer, output, parameters, macs] =
            ["layer", "output", "parameters", "MACs"].map(str::to_owned);
        Cells {
            layer,
            output,
            parameters,
            macs,
            field: "receptive field".into(),
            memory: "memory".into(),
        }
    }

    fn of(row: &Row) -> Cells {
        let number = |n: u64| if n == 0 { String::new() } else { count(n) };
        Cells {
            layer: format!("{}{}", " ".repeat(indent(row)), label(row)),
            output: row.shape_text(),
            parameters: number(row.parameters),
            macs: number(row.macs),
            field: row
                .receptive_field
                .as_ref()
                .filter(|_| !row.is_block)
                .map(|f| times(f))
                .unwrap_or_default(),
            memory: row
                .output
                .as_ref()
                .map(|_| bytes(row.memory_bytes))
                .unwrap_or_default(),
        }
    }

    fn columns(&self) -> [&str; 6] {
        [
            &self.layer,
            &self.output,
            &self.parameters,
            &self.macs,
            &self.field,
            &self.memory,
        ]
    }

    fn line(&self, widths: &[usize; 6]) -> String {
        let cells = self.columns().into_iter().zip(widths).enumerate();
        let text = |(column, (cell, &width))| {
            if column == 0 {
                left(cell, width)
            } else {
                right(cell, width)
            }
        };
        cells
            .map(text)
            .collect::<Vec<_>>()
            .join("  ")
            .trim_end()
            .to_owned()
    }
}

fn indent(row: &Row) -> usize {
    INDENT * (1 + row.depth)
}

/// `3  conv 16 k3`
fn label(row: &Row) -> String {
    format!(
        "{:>2}  {}",
        row.place.path.last().copied().unwrap_or(0),
        row.text
    )
}

/// Columns before the layer's own text in its line.
fn offset(row: &Row) -> usize {
    indent(row) + label(row).chars().count() - row.text.chars().count()
}

fn table(source: &Source, inference: &Inference, problems: &[Problem]) -> Vec<String> {
    let rows: Vec<(&Row, Cells)> = inference
        .rows
        .iter()
        .map(|row| (row, Cells::of(row)))
        .collect();
    let input = Cells {
        layer: "input".into(),
        output: inference.input.to_string(),
        ..empty()
    };
    let all = rows.iter().map(|(_, cells)| cells).chain([&input]);
    let heading = Cells::heading();
    let mut widths = heading.columns().map(|cell| cell.chars().count());
    for cells in all {
        for (width, cell) in widths.iter_mut().zip(cells.columns()) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut lines = vec![heading.line(&widths), input.line(&widths)];
    let mut left = rows.iter();
    let locked = locks::targets(&source.project);
    for stack in Stack::ALL {
        let nodes = source.project.network.stack(stack);
        lines.extend((!nodes.is_empty()).then(|| stack.to_string()));
        tree(nodes, 0, &mut lines, &mut |lines| {
            let Some((row, cells)) = left.next() else {
                return;
            };
            let is_locked = locked.iter().any(|target| target.contains(&row.place));
            lines.push(cells.line(&widths) + if is_locked { "  locked" } else { "" });
            lines.extend(notes(source, row, problems));
        });
    }
    lines
}

/// The lines of some nodes, where `row` adds those of the next node: the rows are in the order of the text.
/// Where a block has several branches each is announced, so that an empty one is seen too.
fn tree(
    nodes: &[Node],
    depth: usize,
    lines: &mut Vec<String>,
    row: &mut dyn FnMut(&mut Vec<String>),
) {
    for node in nodes {
        row(lines);
        let branches = node.branches();
        for (branch, nodes) in branches.iter().enumerate() {
            let heading =
                (branches.len() > 1).then(|| branch_line(branch, nodes.is_empty(), depth + 1));
            lines.extend(heading);
            tree(nodes, depth + 1, lines, row);
        }
    }
}

fn branch_line(branch: usize, identity: bool, depth: usize) -> String {
    let what = if identity { ": identity" } else { "" };
    format!(
        "{}branch {}{what}",
        " ".repeat(INDENT * (1 + depth)),
        branch + 1
    )
}

fn empty() -> Cells {
    let empty = String::new;
    Cells {
        layer: empty(),
        output: empty(),
        parameters: empty(),
        macs: empty(),
        field: empty(),
        memory: empty(),
    }
}

/// What is wrong with a layer, below its line: a caret under the place, the message, what helps.
fn notes(source: &Source, row: &Row, problems: &[Problem]) -> Vec<String> {
    let here = problems
        .iter()
        .filter(|problem| problem.place.as_ref() == Some(&row.place));
    here.flat_map(|problem| note(source, row, problem))
        .collect()
}

fn note(source: &Source, row: &Row, problem: &Problem) -> Vec<String> {
    let span = row
        .error
        .as_ref()
        .and_then(|error| error.span.clone())
        .unwrap_or(0..row.text.len());
    let before = row
        .text
        .get(..span.start)
        .map_or(0, |text| text.chars().count());
    let marked = row
        .text
        .get(span)
        .map_or(1, |text| text.chars().count().max(1));
    let margin = " ".repeat(offset(row));
    let line = source
        .file
        .as_ref()
        // Lines of the text as it is would mislead where layers were changed on the way.
        .filter(|_| source.is_as_written)
        .and_then(|file| Some((file, line_of(&source.text, &row.place)?)));
    let place = line
        .map(|(file, line)| format!("{}, line {line}: ", file.display()))
        .unwrap_or_default();
    let mut lines = vec![format!(
        "{margin}{}{}",
        " ".repeat(before),
        "^".repeat(marked)
    )];
    lines.push(format!(
        "{margin}{}: {place}{}",
        severity(problem),
        problem.message
    ));
    lines.extend(
        problem
            .help
            .iter()
            .map(|help| format!("{margin}help: {help}")),
    );
    lines
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
    let place = stage
        .map(|stage| format!("stage `{}`: ", stage.name))
        .unwrap_or_default();
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

    fn shown(name: &str, change: impl Fn(&mut Source)) -> String {
        let mut source = from_builtin(builtin::find(name).unwrap(), &Changes::default()).unwrap();
        change(&mut source);
        let inference = infer(&source.project.network);
        let problems = check_inferred(&source.project, &inference);
        let advice = advice::all(&source, &inference, false).unwrap();
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
