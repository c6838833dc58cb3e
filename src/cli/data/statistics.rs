//! `strata data --statistics`: what is measured on the images, as text and as JSON.

use serde_json::{Map, Value, json};
use strata_core::format::count;
use strata_data::Dataset;
use strata_engine::error::RunError;
use strata_inspect::statistics::{Image, Request, SplitStatistics, Statistics, measure};

/// Pairs of equal images in the text.
const MOST_LISTED: usize = 10;

/// Measures all images.
pub fn of(dataset: &Dataset) -> anyhow::Result<Statistics> {
    let request = Request { most: usize::MAX };
    Ok(measure(dataset, request, &mut |_| true).map_err(RunError::from)?)
}

pub fn as_json(found: &Statistics) -> Value {
    let of_split = |split: &SplitStatistics| {
        let value = json!({
            "images": split.images,
            "counted": split.counted,
            "per_class": split.per_class,
            "mean": split.mean,
            "std": split.std,
            "histogram": split.histogram,
            "range": split.range,
            "black": split.black,
            "flat": split.flat,
        });
        (split.split.name().to_owned(), value)
    };
    let counts = found.duplicates.counts.iter();
    let counts = counts.map(|(splits, count)| json!({ "splits": splits, "images": count }));
    json!({
        "splits": Value::Object(found.splits.iter().map(of_split).collect::<Map<_, _>>()),
        "duplicates": {
            "images": found.duplicates.total(),
            "between_splits": found.duplicates.between(),
            "counts": counts.collect::<Vec<_>>(),
            "pairs": found.duplicates.pairs,
        },
    })
}

pub fn as_text(found: &Statistics) -> String {
    let mut lines = Vec::new();
    for split in &found.splits {
        let numbers = |values: &[f64]| {
            values
                .iter()
                .map(|value| format!("{value:.4}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let counted = count(split.counted as u64);
        lines.push(format!(
            "{} ({counted} images): mean {}  std {}",
            split.split,
            numbers(&split.mean),
            numbers(&split.std)
        ));
    }
    let sum = |of: fn(&SplitStatistics) -> usize| found.splits.iter().map(of).sum::<usize>();
    lines.push(format!(
        "all black: {}, nearly of one value: {}",
        sum(|split| split.black),
        sum(|split| split.flat)
    ));
    let copies = &found.duplicates;
    lines.push(format!(
        "exact duplicates: {}, {} of them between splits",
        copies.total(),
        copies.between()
    ));
    let name = |(split, index): &Image| format!("{split} {index}");
    let pairs = copies.pairs.iter().take(MOST_LISTED);
    lines.extend(pairs.map(|[first, second]| format!("  {} = {}", name(first), name(second))));
    lines.join("\n")
}
