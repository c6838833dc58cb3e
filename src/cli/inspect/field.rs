//! `strata inspect RUN receptive-field`: the receptive field of a position of a layer, and how strong each pixel's influence is.

use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::{WrongInput, output, text};
use serde_json::{Value, json};
use strata_core::project::{Place, Stack};
use strata_core::shape::Target;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_network;
use strata_inspect::effective_field::{EFFECTIVE, EffectiveField, Request};

/// `strata inspect RUN receptive-field`
pub(super) const PICTURE: Picture = Picture {
    word: "receptive-field",
    shows: "What a position of a layer sees: the box on the image, and how strongly each pixel counts",
    images: Images::Each,
    takes: &["--layer", "--cell", "--numbers", "--slice"],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

/// Images that the gradient is averaged over, at most: they go through the network at once.
const MOST: usize = 64;

/// The picture, with its numbers.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    super::look_at(run, args, MOST)?;
    let request = Request {
        place: place(run, args.layer.as_deref())?,
        cell: cell(args.field.cell.as_deref())?,
    };
    let field = run.inspect_slice::<EffectiveField>(args.slice, &request)?;
    let seen = &field.seen;
    if !request.cell.is_empty() && request.cell != seen.cell {
        let cell = args.field.cell.as_deref().unwrap_or_default();
        let message = match seen.map.is_empty() {
            true => format!("{} gives no map: leave --cell {cell} out", field.place),
            false => format!(
                "--cell {cell} is not in the map of {}, which is {}; cells are counted from 0",
                field.place,
                text::times(&seen.map)
            ),
        };
        return Err(WrongInput(message).into());
    }
    let line = line(&field);
    output::say(&line);
    if let Some(file) = &args.numbers {
        let axes = [("row", field.height), ("column", field.width)];
        let values = &field.values;
        Numbers {
            axes: &axes,
            values,
        }
        .save(file)?;
    }
    let picture = of_network::field(&field, &line);
    Ok((picture, Some(value(&field, run))))
}

/// The layer of this name; of a stack, or without a name, the last one.
pub(super) fn place(run: &SavedRun, name: Option<&str>) -> Result<Place, WrongInput> {
    let rows = || run.inference.rows.iter();
    // A network without an encoder has its first stack in its place.
    let first = rows().next().map_or(Stack::Encoder, |row| row.place.stack);
    let name = name.unwrap_or(first.name());
    let target: Target = name
        .parse()
        .map_err(|error| WrongInput(format!("`{name}` is no layer: {error}")))?;
    let found = match &target {
        Target::Stack(stack) => rows().rfind(|row| row.place.stack == *stack && row.depth == 0),
        Target::Node(place) => rows().find(|row| row.place == *place),
    };
    let (first, last) = (rows().next(), rows().next_back());
    let there = first.zip(last).map_or_else(String::new, |(first, last)| {
        format!("; there is {} to {}", first.place, last.place)
    });
    found
        .map(|row| row.place.clone())
        .ok_or_else(|| WrongInput(format!("there is no layer `{name}`{there}")))
}

fn cell(text: Option<&str>) -> Result<Vec<usize>, WrongInput> {
    let sizes = text
        .unwrap_or_default()
        .split(['x', '×'])
        .filter(|size| !size.is_empty());
    let wrong =
        || WrongInput("a cell is written as its row and column from 0, such as 3x5".to_owned());
    sizes
        .map(|size| size.parse().map_err(|_| wrong()))
        .collect()
}

/// `encoder.3 `conv 32 k3`, cell 4,4 of 8×8: rows 3…18, columns 3…18; 81 of 256 pixels carry …`
fn line(field: &EffectiveField) -> String {
    let EffectiveField {
        place, text, seen, ..
    } = field;
    let at = |numbers: &[usize]| {
        numbers
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    let cell = match seen.map.is_empty() {
        true => String::new(),
        false => format!(", cell {} of {}", at(&seen.cell), text::times(&seen.map)),
    };
    let Some(bounds) = &seen.bounds else {
        return format!("{place} `{text}`{cell}: sees nothing of the image");
    };
    let names: &[&str] = match bounds.len() {
        1 => &["samples"],
        2 => &["rows", "columns"],
        _ => &["slices", "rows", "columns"],
    };
    let spans = names.iter().zip(bounds);
    let spans: Vec<String> = spans
        .map(|(name, (first, last))| format!("{name} {first}…{last}"))
        .collect();
    let statistics = match seen.statistics {
        true => ", the whole image through the mean and variance of a norm",
        false => "",
    };
    let shown = field.shown_bounds().into_iter().flatten();
    let pixels: i64 = shown.map(|(first, last)| last - first + 1).product();
    let unit = if bounds.len() == 1 {
        "samples"
    } else {
        "pixels"
    };
    let of_slice = field.slice;
    let of_slice = of_slice.map_or_else(String::new, |slice| format!(" in {slice}"));
    let counted = match field.shown_bounds() {
        Some(_) => format!(
            "{} of its {pixels} {unit}{of_slice} carry more than {:.2} % of the largest gradient",
            field.effective(),
            100.0 * EFFECTIVE
        ),
        None => format!("nothing{of_slice}"),
    };
    format!(
        "{place} `{text}`{cell}: sees {}{statistics}; {counted}",
        spans.join(", ")
    )
}

fn value(field: &EffectiveField, run: &SavedRun) -> Value {
    let EffectiveField {
        step,
        place,
        text,
        seen,
        images,
        height,
        width,
        ..
    } = field;
    let row = run.inference.row(place);
    json!({
        "step": step,
        "layer": place.to_string(),
        "text": text,
        "cell": seen.cell,
        "map": seen.map,
        "receptive_field": row.and_then(|row| row.receptive_field.clone()),
        "box": seen.bounds.as_ref().map(|axes| axes.iter().map(|(first, last)| [first, last]).collect::<Vec<_>>()),
        "exact": seen.exact,
        "whole_image_statistics": seen.statistics,
        "images": images,
        "height": height,
        "width": width,
        "effective_pixels": field.effective(),
        "gradient": field.values,
    })
}
