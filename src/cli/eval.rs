//! `strata eval`: measures a trained run on one of its splits.

use super::args::EvalArgs;
use super::check::advice::lines_of_run;
use super::{goals, output, saved, text};
use serde_json::{Map, Value};
use strata_design::goals::judge;
use strata_engine::run::goal_metrics::of_split;
use strata_engine::storage::saved_run::Evaluation;
use strata_inspect::label_figures;

/// Classes up to which the confusion is printed as a table.
const MAX_SHOWN: usize = 20;

/// The column of answers that are no class.
const OTHER: &str = "other";

/// Measures and prints.
pub fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let mut run = saved::open(&args.run, &args.checkpoint, args.device.as_deref())?;
    let split = args.split.unwrap_or_else(|| run.split_to_measure());
    let evaluation = run.evaluate(split)?;
    let goals = judge(&run.project, &run.inference, &of_split(&evaluation.metrics));
    if args.json {
        let value = serde_json::to_value(&evaluation)?;
        let goals = ("goals".to_owned(), goals::as_json(&goals));
        return output::print_json(&Value::Object(Map::from_iter([
            (split.name().to_owned(), value),
            goals,
        ])));
    }
    let mut lines = vec![format!("{split}: {}", text::metrics(&evaluation.metrics))];
    lines.extend(goals::as_text(&goals));
    lines.extend(confusion(&evaluation, run.dataset.classes()));
    lines.extend(labels(&evaluation, run.dataset.classes()));
    lines.extend(lines_of_run(&args.run, &run.project));
    output::print(&lines.join("\n"))
}

/// Where an image may have several labels: the figures of each.
fn labels(evaluation: &Evaluation, names: &[String]) -> Vec<String> {
    let Some(labels) = &evaluation.labels else {
        return Vec::new();
    };
    let rows: Vec<[String; 6]> = names
        .iter()
        .zip(labels)
        .map(|(name, label)| label_figures::cells(name, label))
        .collect();
    vec![String::new(), text::table(&label_figures::COLUMNS, &rows)]
}

fn confusion(evaluation: &Evaluation, classes: &[String]) -> Vec<String> {
    let Some(counts) = evaluation
        .confusion
        .as_ref()
        .filter(|counts| counts.len() <= MAX_SHOWN)
    else {
        return Vec::new();
    };
    let name_width = classes
        .iter()
        .map(|class| class.chars().count())
        .max()
        .unwrap_or(0);
    let width = counts
        .iter()
        .flatten()
        .map(|count| count.to_string().len())
        .max()
        .unwrap_or(1)
        .max(3);
    let columns = counts.first().map_or(0, Vec::len);
    let width = if columns > counts.len() {
        width.max(OTHER.len())
    } else {
        width
    };
    let title = |column| {
        if column < counts.len() {
            format!("{column}")
        } else {
            OTHER.to_owned()
        }
    };
    let numbers: Vec<String> = (0..columns)
        .map(|column| text::right(&title(column), width))
        .collect();
    let heading = format!(
        "{}  {}",
        text::left("is \\ taken for", name_width + 4),
        numbers.join(" ")
    );
    let row = |(class, counts): (usize, &Vec<u64>)| {
        let name = classes.get(class).map_or("", String::as_str);
        let cells: Vec<String> = counts
            .iter()
            .map(|count| text::right(&count.to_string(), width))
            .collect();
        let label = text::left(&format!("{class:>2}  {name}"), (name_width + 4).max(14));
        format!("{label}  {}", cells.join(" "))
    };
    [String::new(), heading]
        .into_iter()
        .chain(counts.iter().enumerate().map(row))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_are_no_class_have_a_column() {
        let evaluation = Evaluation {
            confusion: Some(vec![vec![3, 0, 1], vec![0, 2, 4]]),
            ..Evaluation::default()
        };
        let lines = confusion(&evaluation, &["cat".to_owned(), "dog".to_owned()]);
        assert!(lines[1].ends_with("0     1 other"), "{lines:?}");
        assert!(lines[3].ends_with("0     2     4"), "{lines:?}");
    }
}
