//! `strata eval`: measures a trained run on one of its splits.

use super::args::EvalArgs;
use super::{output, text};
use crate::engine::saved::{Evaluation, SavedRun};
use crate::project::data::Split;
use serde_json::{Map, Value};

/// Classes up to which the confusion is printed as a table.
const MAX_SHOWN: usize = 20;

/// Measures and prints.
pub fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let mut run = SavedRun::open(&args.run, &args.checkpoint, args.device.as_deref(), &mut |_| true)?;
    let has_test = run.dataset.split(Split::Test).is_some();
    let split = args.split.unwrap_or(if has_test { Split::Test } else { Split::Valid });
    let evaluation = run.evaluate(split)?;
    if args.json {
        let value = serde_json::to_value(&evaluation)?;
        return output::print_json(&Value::Object(Map::from_iter([(split.name().to_owned(), value)])));
    }
    let mut lines = vec![format!("{split}: {}", text::metrics(&evaluation.metrics))];
    lines.extend(confusion(&evaluation, run.dataset.classes()));
    output::print(&lines.join("\n"))
}

fn confusion(evaluation: &Evaluation, classes: &[String]) -> Vec<String> {
    let Some(counts) = evaluation.confusion.as_ref().filter(|counts| counts.len() <= MAX_SHOWN) else {
        return Vec::new();
    };
    let name_width = classes.iter().map(|class| class.chars().count()).max().unwrap_or(0);
    let width = counts.iter().flatten().map(|count| count.to_string().len()).max().unwrap_or(1).max(3);
    let numbers: Vec<String> = (0..counts.len()).map(|class| text::right(&class.to_string(), width)).collect();
    let heading = format!("{}  {}", text::left("is \\ taken for", name_width + 4), numbers.join(" "));
    let row = |(class, counts): (usize, &Vec<u64>)| {
        let name = classes.get(class).map_or("", String::as_str);
        let cells: Vec<String> = counts.iter().map(|count| text::right(&count.to_string(), width)).collect();
        let label = text::left(&format!("{class:>2}  {name}"), (name_width + 4).max(14));
        format!("{label}  {}", cells.join(" "))
    };
    [String::new(), heading].into_iter().chain(counts.iter().enumerate().map(row)).collect()
}
