//! What a dataset is, in words and as JSON: shape, sizes of its files, classes, splits, what was left out, what is
//! worth knowing and what training needs.

use crate::cli::text::{left, right, times};
use serde_json::{Map, Value, json};
use strata_core::files::path_text;
use strata_core::format::count;
use strata_core::project::data::Split;
use strata_data::{Dataset, Note, Skipped, SplitData, by_reason};

/// Sizes of files in the text.
const MOST_SIZES: usize = 8;
/// Classes whose images are counted one by one in the text.
const MOST_CLASSES: usize = 40;
/// Files of one reason in the text.
const MOST_NAMED: usize = 4;

/// `proposed` is the size that the images were scaled to because they have several and the project names none.
pub fn as_json(dataset: &Dataset, proposed: Option<[usize; 2]>) -> Value {
    let of_split = |(split, data): (Split, &SplitData)| {
        let value = json!({ "images": data.len(), "labelled": data.labelled(), "per_class": data.per_class() });
        (split.name().to_owned(), value)
    };
    let files = |files: &[Skipped]| -> Vec<Value> {
        files
            .iter()
            .map(|file| json!({ "file": path_text(&file.file), "reason": file.reason }))
            .collect()
    };
    let note = |note: &Note| json!({ "text": note.text, "line": note.line, "python": note.python });
    let size = |([height, width], images): &([usize; 2], usize)| json!({ "height": height, "width": width, "images": images });
    json!({
        "shape": dataset.shape(),
        "sizes": dataset.sizes().iter().map(size).collect::<Vec<_>>(),
        "proposal": proposed.map(resize_line),
        "classes": dataset.classes(),
        "splits": Value::Object(dataset.splits().map(of_split).collect::<Map<_, _>>()),
        "skipped": files(dataset.skipped()),
        "passed_over": files(dataset.passed_over()),
        "notes": dataset.notes().iter().map(note).collect::<Vec<_>>(),
        "hash": proposed.is_none().then(|| dataset.hash()),
    })
}

fn resize_line([height, width]: [usize; 2]) -> String {
    format!("resize = [{height}, {width}]")
}

pub fn as_text(dataset: &Dataset, proposed: Option<[usize; 2]>) -> String {
    let mut lines = vec![format!("images {}", times(&dataset.shape()))];
    lines.extend(sizes(dataset, proposed));
    if !dataset.classes().is_empty() {
        lines.push(format!(
            "{} classes: {}",
            dataset.classes().len(),
            dataset.classes().join(", ")
        ));
    }
    for (split, data) in dataset.splits() {
        let labels = if data.labelled() {
            "labelled"
        } else {
            "without labels"
        };
        lines.push(format!(
            "{}  {}  {labels}",
            left(split.name(), 9),
            right(&count(data.len() as u64), 9)
        ));
        lines.extend(balance(dataset.classes(), data));
    }
    lines.extend(files("left out", dataset.skipped()));
    lines.extend(files("passed over", dataset.passed_over()));
    for note in dataset.notes() {
        lines.push(format!("note: {note}"));
        let python = note.python.iter().flat_map(|python| python.lines());
        lines.extend(python.map(|line| format!("    {line}")));
    }
    lines.join("\n")
}

/// The sizes of the files, where they are not those of the images.
fn sizes(dataset: &Dataset, proposed: Option<[usize; 2]>) -> Vec<String> {
    let [_, height, width] = dataset.shape();
    let own = dataset.sizes();
    if own.is_empty() || matches!(own, [(size, _)] if *size == [height, width]) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for ([height, width], images) in own.iter().take(MOST_SIZES) {
        lines.push(format!(
            "{}  {}  files",
            left(&format!("{height}×{width}"), 9),
            right(&count(*images as u64), 9)
        ));
    }
    if own.len() > MOST_SIZES {
        let (more, files) = own
            .iter()
            .skip(MOST_SIZES)
            .fold((0, 0), |(sizes, files), (_, images)| {
                (sizes + 1, files + images)
            });
        lines.push(format!(
            "and {more} more sizes, {} files",
            count(files as u64)
        ));
    }
    if let Some(size) = proposed {
        lines.push(format!(
            "the files have {} sizes, and training needs one: write {} under [data] (any height and width); shown here as scaled to it",
            count(own.len() as u64),
            resize_line(size)
        ));
    }
    lines
}

/// How many images each class has.
fn balance(classes: &[String], data: &SplitData) -> Option<String> {
    if !data.labelled() || classes.is_empty() {
        return None;
    }
    let counts = data.per_class();
    if classes.len() > MOST_CLASSES {
        let (least, most) = (counts.iter().min()?, counts.iter().max()?);
        return Some(format!("           from {least} to {most} of a class"));
    }
    let each: Vec<String> = classes
        .iter()
        .zip(counts)
        .map(|(class, images)| format!("{class} {}", count(images as u64)))
        .collect();
    Some(format!("           {}", each.join(", ")))
}

/// One line a file, or one line for many with one reason.
fn files(what: &str, files: &[Skipped]) -> Vec<String> {
    let mut lines = Vec::new();
    for group in by_reason(files) {
        let reason = group.reason;
        if group.files.len() <= MOST_NAMED && what == "left out" {
            let line = |file: &&std::path::Path| format!("{what}: {}: {reason}", file.display());
            lines.extend(group.files.iter().map(line));
            continue;
        }
        lines.push(format!("{what}: {}: {reason}", group.names(MOST_NAMED)));
    }
    lines
}
