//! `strata check`: the table of layers with every error at its place, or the same as JSON.
//!
//! Exit code 2 when the project cannot be trained.

mod design;

use super::args::CheckArgs;
use super::source::{self, Source};
use super::text::{left, right, times};
use super::toml_lines::line_of;
use super::{Told, WRONG_INPUT, output};
use crate::project::node::Node;
use crate::project::{Network, Stack};
use crate::shape::{Inference, Problem, Row, Severity, banner, can_train, check_inferred, infer, step_memory_bytes};
use crate::text::{bytes, count};
use serde_json::{Value, json};

/// Spaces before a layer, and for each block it is in.
const INDENT: usize = 2;

/// Checks a project and prints what it finds.
pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let source = source::open(&args.project, &[])?;
    let inference = infer(&source.project.network);
    let problems = check_inferred(&source.project, &inference);
    if args.json {
        output::print_json(&as_json(&source.project.network, &inference, &problems))?;
    } else {
        output::print(&as_text(&source, &inference, &problems))?;
    }
    if can_train(&problems) { Ok(()) } else { Err(Told(WRONG_INPUT).into()) }
}

fn as_json(network: &Network, inference: &Inference, problems: &[Problem]) -> Value {
    let of = |severity: Severity| problems.iter().filter(move |problem| problem.severity == severity);
    json!({
        "ok": can_train(problems),
        "layers": inference.rows.iter().map(layer_json).collect::<Vec<_>>(),
        "totals": { "parameters": inference.totals.parameters, "macs": inference.totals.macs },
        "output_equals_input": inference.output_equals_input,
        "errors": of(Severity::Error).map(problem_json).collect::<Vec<_>>(),
        "warnings": of(Severity::Warning).map(problem_json).collect::<Vec<_>>(),
        "checkerboard": design::checkerboard(network, inference),
        "hints": design::hints(network, inference),
    })
}

fn layer_json(row: &Row) -> Value {
    json!({
        "stack": row.place.stack.name(),
        "index": index_json(&row.place.path, row.place.index_text()),
        "text": row.text,
        "block": row.is_block,
        "output": row.output.as_ref().map(|shape| shape.dims().to_vec()),
        "parameters": row.parameters,
        "macs": row.macs,
        "memory_bytes": row.memory_bytes,
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
        "help": problem.help,
    })
}

/// A number, or a path as text for a layer inside a block.
fn index_json(path: &[usize], text: String) -> Value {
    match path {
        [index] => json!(index),
        _ => json!(text),
    }
}

fn as_text(source: &Source, inference: &Inference, problems: &[Problem]) -> String {
    let mut lines = vec![source.project.title.clone(), String::new()];
    lines.extend(table(source, inference, problems));
    lines.push(String::new());
    lines.push(banner(inference).text);
    lines.push(totals(source, inference));
    lines.extend(design::hints(&source.project.network, inference).into_iter().map(|hint| format!("hint: {hint}")));
    let elsewhere = problems.iter().filter(|problem| problem.place.is_none());
    for problem in elsewhere {
        lines.push(String::new());
        lines.extend(described(source, problem));
    }
    lines.join("\n")
}

fn totals(source: &Source, inference: &Inference) -> String {
    let cost = inference.totals;
    let mut text = format!("{} parameters · {} MACs an image", count(cost.parameters), count(cost.macs));
    if let Some(stage) = source.project.stages.first() {
        let memory = step_memory_bytes(inference, stage.batch, &stage.optimizer);
        text += &format!(" · about {} for a step of {} images", bytes(memory), stage.batch);
    }
    text
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
        let [layer, output, parameters, macs] = ["layer", "output", "parameters", "MACs"].map(str::to_owned);
        Cells { layer, output, parameters, macs, field: "receptive field".into(), memory: "memory".into() }
    }

    fn of(row: &Row) -> Cells {
        let number = |n: u64| if n == 0 { String::new() } else { count(n) };
        Cells {
            layer: format!("{}{}", " ".repeat(indent(row)), label(row)),
            output: row.shape_text(),
            parameters: number(row.parameters),
            macs: number(row.macs),
            field: row.receptive_field.as_ref().filter(|_| !row.is_block).map(|f| times(f)).unwrap_or_default(),
            memory: row.output.as_ref().map(|_| bytes(row.memory_bytes)).unwrap_or_default(),
        }
    }

    fn columns(&self) -> [&str; 6] {
        [&self.layer, &self.output, &self.parameters, &self.macs, &self.field, &self.memory]
    }

    fn line(&self, widths: &[usize; 6]) -> String {
        let cells = self.columns().into_iter().zip(widths).enumerate();
        let text = |(column, (cell, &width))| if column == 0 { left(cell, width) } else { right(cell, width) };
        cells.map(text).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

fn indent(row: &Row) -> usize {
    INDENT * (1 + row.depth)
}

/// `3  conv 16 k3`
fn label(row: &Row) -> String {
    format!("{:>2}  {}", row.place.path.last().copied().unwrap_or(0), row.text)
}

/// Columns before the layer's own text in its line.
fn offset(row: &Row) -> usize {
    indent(row) + label(row).chars().count() - row.text.chars().count()
}

fn table(source: &Source, inference: &Inference, problems: &[Problem]) -> Vec<String> {
    let rows: Vec<(&Row, Cells)> = inference.rows.iter().map(|row| (row, Cells::of(row))).collect();
    let input = Cells { layer: "input".into(), output: inference.input.to_string(), ..empty() };
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
    for stack in Stack::ALL {
        let nodes = source.project.network.stack(stack);
        lines.extend((!nodes.is_empty()).then(|| stack.to_string()));
        tree(nodes, 0, &mut lines, &mut |lines| {
            let Some((row, cells)) = left.next() else { return };
            lines.push(cells.line(&widths));
            lines.extend(notes(source, row, problems));
        });
    }
    lines
}

/// The lines of some nodes, where `row` adds those of the next node: the rows stand in the order of the text.
/// Where a block has several branches each is announced, so that an empty one is seen too.
fn tree(nodes: &[Node], depth: usize, lines: &mut Vec<String>, row: &mut dyn FnMut(&mut Vec<String>)) {
    for node in nodes {
        row(lines);
        let branches = node.branches();
        for (branch, nodes) in branches.iter().enumerate() {
            let heading = (branches.len() > 1).then(|| branch_line(branch, nodes.is_empty(), depth + 1));
            lines.extend(heading);
            tree(nodes, depth + 1, lines, row);
        }
    }
}

fn branch_line(branch: usize, identity: bool, depth: usize) -> String {
    let what = if identity { ": identity" } else { "" };
    format!("{}branch {branch}{what}", " ".repeat(INDENT * (1 + depth)))
}

fn empty() -> Cells {
    let empty = String::new;
    Cells { layer: empty(), output: empty(), parameters: empty(), macs: empty(), field: empty(), memory: empty() }
}

/// What is wrong with a layer, below its line: a caret under the place, the message, what helps.
fn notes(source: &Source, row: &Row, problems: &[Problem]) -> Vec<String> {
    let here = problems.iter().filter(|problem| problem.place.as_ref() == Some(&row.place));
    here.flat_map(|problem| note(source, row, problem)).collect()
}

fn note(source: &Source, row: &Row, problem: &Problem) -> Vec<String> {
    let span = row.error.as_ref().and_then(|error| error.span.clone()).unwrap_or(0..row.text.len());
    let before = row.text.get(..span.start).map_or(0, |text| text.chars().count());
    let marked = row.text.get(span).map_or(1, |text| text.chars().count().max(1));
    let margin = " ".repeat(offset(row));
    let line = source.file.as_ref().and_then(|(file, text)| Some((file, line_of(text, &row.place)?)));
    let place = line.map(|(file, line)| format!("{}, line {line}: ", file.display())).unwrap_or_default();
    let mut lines = vec![format!("{margin}{}{}", " ".repeat(before), "^".repeat(marked))];
    lines.push(format!("{margin}{}: {place}{}", severity(problem), problem.message));
    lines.extend(problem.help.iter().map(|help| format!("{margin}help: {help}")));
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
    let stage = problem.stage.and_then(|index| source.project.stages.get(index));
    let place = stage.map(|stage| format!("stage `{}`: ", stage.name)).unwrap_or_default();
    let help = problem.help.iter().map(|help| format!("  help: {help}"));
    [format!("{}: {place}{}", severity(problem), problem.message)].into_iter().chain(help).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::source::from_builtin;
    use crate::project::builtin;

    fn shown(name: &str, change: impl Fn(&mut Source)) -> String {
        let mut source = from_builtin(builtin::find(name).unwrap(), &[]).unwrap();
        change(&mut source);
        let inference = infer(&source.project.network);
        let problems = check_inferred(&source.project, &inference);
        as_text(&source, &inference, &problems)
    }

    #[test]
    fn columns_stand_under_each_other() {
        let text = shown("keras-cifar", |_| {});
        let ends = |part: &str| text.lines().find(|line| line.contains(part)).map(|line| line.chars().count());
        assert!(text.contains("122,570 parameters"), "{text}");
        assert!(ends("conv 32 k3").is_some());
        let column = |part: &str| {
            text.lines().find(|line| line.contains(part)).unwrap().split(part).next().unwrap().chars().count()
        };
        assert_eq!(column("32×30×30") + 8, column(" output") + 7, "right-aligned\n{text}");
    }

    #[test]
    fn branches_are_told_apart() {
        let text = shown("unet", |_| {});
        assert_eq!(text.matches("branch 0: identity").count(), 4, "{text}");
        assert_eq!(text.matches("branch 1\n").count(), 4, "{text}");
        let text = shown("xception", |_| {});
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        let at = lines.iter().position(|line| line.contains("conv 728 k1")).unwrap();
        assert_eq!(lines[at - 1], "branch 1", "{text}");
        assert!(
            lines.iter().position(|line| line.starts_with("head")) < lines.iter().position(|line| line.contains("gap"))
        );
    }

    #[test]
    fn carets_point_at_the_word() {
        let text =
            shown("conv-autoencoder", |source| source.project.network.encoder[0] = Node::from_text("conv 8 k3 q7"));
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().position(|line| line.contains("q7")).unwrap();
        assert_eq!(lines[at].find("q7"), lines[at + 1].find("^^"), "{text}");
        assert!(lines[at + 2].contains("error: ") && lines[at + 3].contains("help: "), "{text}");
    }
}
