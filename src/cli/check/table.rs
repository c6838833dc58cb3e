//! The layers as a table: a line each, and below it what is wrong with it.

use super::super::source::Source;
use super::super::text::{left, right, times};
use super::super::toml_lines::line_of;
use super::cost::StageCost;
use super::severity;
use strata_core::format::{bytes, count, milliseconds};
use strata_core::project::Stack;
use strata_core::project::locks;
use strata_core::project::node::Node;
use strata_core::shape::{Inference, Row};
use strata_design::Problem;

/// Spaces before a layer, and for each block it is in.
pub(super) const INDENT: usize = 2;

/// The columns of the table, as texts.
struct Cells {
    layer: String,
    output: String,
    parameters: String,
    macs: String,
    field: String,
    memory: String,
    /// Empty unless it was asked for.
    time: String,
}

impl Cells {
    fn heading(has_times: bool) -> Cells {
        let [layer, output, parameters, macs] =
            ["layer", "output", "parameters", "MACs"].map(str::to_owned);
        let time = if has_times { "time" } else { "" };
        Cells {
            layer,
            output,
            parameters,
            macs,
            field: "receptive field".into(),
            memory: "memory".into(),
            time: time.into(),
        }
    }

    fn of(row: &Row, cost: Option<&StageCost>) -> Cells {
        let seconds = cost.and_then(|cost| cost.seconds_of(row));
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
            time: seconds
                .map(|seconds| milliseconds(1e3 * seconds))
                .unwrap_or_default(),
        }
    }

    fn columns(&self) -> [&str; 7] {
        [
            &self.layer,
            &self.output,
            &self.parameters,
            &self.macs,
            &self.field,
            &self.memory,
            &self.time,
        ]
    }

    fn line(&self, widths: &[usize; 7]) -> String {
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

/// All layers, stack by stack, with the time of each where `cost` has it.
pub(super) fn table(
    source: &Source,
    inference: &Inference,
    problems: &[Problem],
    cost: Option<&StageCost>,
) -> Vec<String> {
    let rows: Vec<(&Row, Cells)> = inference
        .rows
        .iter()
        .map(|row| (row, Cells::of(row, cost)))
        .collect();
    let input = Cells {
        layer: "input".into(),
        output: inference.input.to_string(),
        ..empty()
    };
    let all = rows.iter().map(|(_, cells)| cells).chain([&input]);
    let heading = Cells::heading(cost.is_some_and(|cost| cost.step_ms().is_some()));
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
        time: empty(),
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
