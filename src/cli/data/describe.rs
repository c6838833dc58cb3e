//! What a dataset is, in words and as JSON: shape, sizes of its files, classes, splits, what was left out, what is
//! worth knowing and what training needs.

use crate::cli::text::{left, right, times};
use serde_json::{Map, Value, json};
use strata_core::files::path_text;
use strata_core::format::count;
use strata_core::project::data::{DataSpec, Split};
use strata_data::{Dataset, Note, Skipped, SplitData, by_reason};

/// Sizes of files in the text.
const MOST_SIZES: usize = 8;
/// Classes whose images are counted one by one in the text.
const MOST_CLASSES: usize = 40;
/// Files of one reason in the text.
const MOST_NAMED: usize = 4;

/// What is described.
pub struct Seen<'a> {
    pub dataset: &'a Dataset,
    pub spec: &'a DataSpec,
    /// What says that it is this source, where that was recognised.
    pub why: Option<&'a str>,
    /// The size that the images were scaled to because they have several and the project names none.
    pub proposed: Option<[usize; 2]>,
}

pub fn as_json(seen: &Seen) -> Value {
    let Seen {
        dataset, proposed, ..
    } = *seen;
    let of_split = |(split, data): (Split, &SplitData)| {
        let mut value = json!({ "images": data.len(), "labelled": data.labelled(), "per_class": data.per_class() });
        if let (true, Some(value)) = (data.has_label_sets(), value.as_object_mut()) {
            value.insert("several_labels".to_owned(), json!(true));
        }
        (split.name().to_owned(), value)
    };
    let size = |([height, width], images): &([usize; 2], usize)| json!({ "height": height, "width": width, "images": images });
    json!({
        "source": seen.spec.source.name(),
        "why": seen.why,
        "settings": settings(seen.spec),
        "input": input(dataset),
        "shape": dataset.input_dims(),
        "sizes": dataset.sizes().iter().map(size).collect::<Vec<_>>(),
        "proposal": proposed.map(resize_line),
        "classes": dataset.classes(),
        "splits": Value::Object(dataset.splits().map(of_split).collect::<Map<_, _>>()),
        "skipped": files_json(dataset.skipped()),
        "passed_over": files_json(dataset.passed_over()),
        "notes": notes_json(dataset.notes()),
        "hash": proposed.is_none().then(|| dataset.hash()),
    })
}

pub fn files_json(files: &[Skipped]) -> Vec<Value> {
    files
        .iter()
        .map(|file| json!({ "file": path_text(&file.file), "reason": file.reason }))
        .collect()
}

pub fn notes_json(notes: &[Note]) -> Vec<Value> {
    notes
        .iter()
        .map(|note| json!({ "text": note.text, "line": note.line, "python": note.python }))
        .collect()
}

/// The lines of `[data]` that a project of this would have.
pub fn settings(spec: &DataSpec) -> Vec<String> {
    let mut lines = vec![format!("source = \"{}\"", spec.source)];
    let path = spec.path.as_ref();
    lines.extend(path.map(|path| format!("path = {}", toml::Value::from(path.as_str()))));
    let resize = spec.resize.map(|size| size.map(|side| side as usize));
    lines.extend(resize.map(resize_line));
    lines
}

fn resize_line([height, width]: [usize; 2]) -> String {
    format!("resize = [{height}, {width}]")
}

pub fn as_text(seen: &Seen) -> String {
    let Seen {
        dataset, proposed, ..
    } = *seen;
    let mut lines = Vec::new();
    lines.extend(recognised(seen));
    lines.push(format!(
        "{} {}",
        if dataset.depth().is_some() {
            "volumes"
        } else {
            "images"
        },
        times(&dataset.input_dims())
    ));
    lines.extend(sizes(dataset, proposed));
    if !dataset.classes().is_empty() {
        let what = match (dataset.has_label_sets(), dataset.classes().len()) {
            (true, _) => "labels, of which an image may have several",
            (false, 1) => "class",
            (false, _) => "classes",
        };
        lines.push(format!(
            "{} {what}: {}",
            dataset.classes().len(),
            dataset.classes().join(", ")
        ));
    }
    for (split, data) in dataset.splits() {
        let labels = if data.labelled() || data.has_label_sets() {
            "labelled"
        } else {
            "without labels"
        };
        lines.push(format!(
            "{}  {}  {labels}",
            left(split.name(), 9),
            right(&count(data.len() as u64), 9)
        ));
        if data.labelled() || data.has_label_sets() {
            lines.extend(balance(dataset.classes(), &data.per_class()));
        }
    }
    lines.extend(left_out(
        dataset.skipped(),
        dataset.passed_over(),
        dataset.notes(),
    ));
    if seen.why.is_some() {
        lines.extend(in_a_project(&settings(seen.spec)));
        lines.push(network(dataset));
    }
    lines.join("\n")
}

/// The input of a network for these images, as a project has it.
fn input(dataset: &Dataset) -> String {
    let dims = dataset.input_dims().into_iter();
    dims.map(|size| size.to_string())
        .collect::<Vec<String>>()
        .join("x")
}

/// What the network needs.
fn network(dataset: &Dataset) -> String {
    let input = format!("under [network]: input = \"{}\"", input(dataset));
    match dataset.classes().len() {
        0 => input,
        // One class alone is nothing to tell apart.
        1 if !dataset.has_label_sets() => input,
        classes => format!("{input}, and a head that ends in dense {classes}"),
    }
}

fn recognised(seen: &Seen) -> Option<String> {
    let why = seen.why?;
    Some(format!("recognised as {}: {why}", seen.spec.source))
}

/// The lines that a project would have.
pub fn in_a_project(settings: &[String]) -> Vec<String> {
    let mut lines = vec!["in a project, under [data]:".to_owned()];
    lines.extend(settings.iter().map(|line| format!("    {line}")));
    lines
}

/// What was left out, and what is worth knowing.
pub fn left_out(skipped: &[Skipped], passed_over: &[Skipped], notes: &[Note]) -> Vec<String> {
    let mut lines = files("left out", skipped);
    lines.extend(files("passed over", passed_over));
    for note in notes {
        lines.push(format!("note: {note}"));
        let python = note.python.iter().flat_map(|python| python.lines());
        lines.extend(python.map(|line| format!("    {line}")));
    }
    lines
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
pub fn balance(classes: &[String], counts: &[usize]) -> Option<String> {
    if classes.is_empty() {
        return None;
    }
    if classes.len() > MOST_CLASSES {
        let (least, most) = (counts.iter().min()?, counts.iter().max()?);
        return Some(format!("           from {least} to {most} of a class"));
    }
    let each: Vec<String> = classes
        .iter()
        .zip(counts)
        .map(|(class, images)| format!("{class} {}", count(*images as u64)))
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
