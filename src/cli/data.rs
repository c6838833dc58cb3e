//! `strata data`: what a source of images has.

mod preview;

use super::args::DataArgs;
use super::output;
use super::text::{left, right, times};
use crate::data::{Dataset, SplitData};
use crate::engine::error::RunError;
use crate::project::data::{DataSpec, Split};
use crate::text::count;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The seed of a project that does not say: what is shown is what such a project gets.
const SEED: u64 = 42;

/// Opens the source and prints its splits.
pub fn run(args: &DataArgs) -> anyhow::Result<()> {
    let spec = DataSpec { source: args.name, path: args.path.clone(), resize: args.resize, ..DataSpec::default() };
    let dataset = Dataset::open(&spec, SEED, Path::new(""), &mut |_| true).map_err(RunError::from)?;
    if !args.augment.is_empty() {
        return preview::run(args, &dataset, SEED);
    }
    if args.json { output::print_json(&as_json(&dataset)) } else { output::print(&as_text(&dataset)) }
}

fn as_json(dataset: &Dataset) -> Value {
    let of_split = |(split, data): (Split, &SplitData)| {
        let value = json!({ "images": data.len(), "labelled": data.labelled(), "per_class": data.per_class() });
        (split.name().to_owned(), value)
    };
    let skipped = dataset.skipped().iter().map(|skipped| json!({ "file": skipped.file, "reason": skipped.reason }));
    json!({
        "shape": dataset.shape(),
        "classes": dataset.classes(),
        "splits": Value::Object(dataset.splits().map(of_split).collect::<Map<_, _>>()),
        "skipped": skipped.collect::<Vec<_>>(),
        "hash": dataset.hash(),
    })
}

fn as_text(dataset: &Dataset) -> String {
    let mut lines = vec![format!("images {}", times(&dataset.shape()))];
    if !dataset.classes().is_empty() {
        lines.push(format!("{} classes: {}", dataset.classes().len(), dataset.classes().join(", ")));
    }
    for (split, data) in dataset.splits() {
        let labels = if data.labelled() { "labelled" } else { "without labels" };
        lines.push(format!("{}  {}  {labels}", left(split.name(), 9), right(&count(data.len() as u64), 9)));
    }
    let skipped = dataset.skipped().iter();
    lines.extend(skipped.map(|skipped| format!("left out: {}: {}", skipped.file.display(), skipped.reason)));
    lines.join("\n")
}
