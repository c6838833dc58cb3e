//! `strata data … --augment TEXT`: what augmentation makes of an image, as a PNG file.
//!
//! The first row is the image followed by draws of all transforms together, every further row the draws of one
//! transform alone. Fails where a transform means nothing for the images.

use crate::cli::args::DataArgs;
use crate::cli::{WrongInput, output};
use image::imageops::{self, FilterType};
use image::{Rgba, RgbaImage};
use serde_json::{Value, json};
use std::path::Path;
use strata_core::files::path_text;
use strata_data::Dataset;
use strata_engine::error::RunError;
use strata_inspect::augmented::{self, ALONE, Augmented, Request, Row};
use strata_inspect::picture::{image_rgba, png, zoom_for};

const GAP: u32 = 4;
const BACKGROUND: Rgba<u8> = Rgba([24, 26, 31, 255]);

/// Draws, writes the picture, and says what its rows show.
pub fn run(args: &DataArgs, dataset: &Dataset, seed: u64) -> anyhow::Result<()> {
    let file = args
        .output
        .clone()
        .unwrap_or_else(|| output::free_picture(Path::new(""), "augmentation"));
    check_name(&file)?;
    let request = Request {
        image: args.image_index,
        draws: 0,
    };
    let seen = augmented::preview(dataset, &args.augment, seed, request).map_err(RunError::from)?;
    check(args, &seen)?;
    output::write_file(&file, &output::marked(&png(&sheet(&seen))?))?;
    if args.json {
        output::print_json(&as_json(&file, &seen))
    } else {
        output::print(&as_text(&file, &seen))
    }
}

fn check_name(file: &Path) -> Result<(), WrongInput> {
    if file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
    {
        return Ok(());
    }
    let png = file.with_extension("png");
    Err(WrongInput(format!(
        "pictures are written as PNG: write -o {}",
        png.display()
    )))
}

fn check(args: &DataArgs, seen: &Augmented) -> Result<(), WrongInput> {
    if args.image_index >= seen.images {
        let (index, split, images) = (args.image_index, seen.split, seen.images);
        let last = images.saturating_sub(1);
        return Err(WrongInput(format!(
            "--image-index {index} is past the end: the {split} split has {images} images, 0 to {last}"
        )));
    }
    match seen
        .alone
        .iter()
        .chain([&seen.together])
        .find_map(|row| row.problem.as_ref())
    {
        Some(problem) => Err(WrongInput(format!("--augment: {problem}"))),
        None => Ok(()),
    }
}

fn as_text(file: &Path, seen: &Augmented) -> String {
    let class = seen
        .class
        .as_ref()
        .map_or_else(String::new, |class| format!(", {class}"));
    let mut lines = vec![
        file.display().to_string(),
        format!(
            "row 1: image {} of {}{class}; then all together, {} draws",
            seen.image,
            seen.split,
            first(seen) - 1
        ),
    ];
    lines.extend(
        seen.alone
            .iter()
            .enumerate()
            .map(|(index, row)| format!("row {}: {}", index + 2, row.text)),
    );
    lines.join("\n")
}

fn as_json(file: &Path, seen: &Augmented) -> Value {
    json!({
        "file": path_text(file),
        "split": seen.split.name(),
        "image": seen.image,
        "class": seen.class,
        "rows": seen.alone.iter().map(|row| &row.text).collect::<Vec<_>>(),
    })
}

/// Pictures in the first row.
fn first(seen: &Augmented) -> usize {
    1 + seen.together.count(seen.channels).min(ALONE)
}

/// The rows under each other, pixels enlarged alike.
fn sheet(seen: &Augmented) -> RgbaImage {
    let zoom = zoom_for(seen.before.size[0]);
    let mut rows: Vec<Vec<RgbaImage>> = vec![pictures(&seen.before, seen.channels, zoom)];
    if let Some(first) = rows.first_mut() {
        first.extend(
            pictures(&seen.together, seen.channels, zoom)
                .into_iter()
                .take(ALONE),
        );
    }
    rows.extend(
        seen.alone
            .iter()
            .map(|row| pictures(row, seen.channels, zoom)),
    );
    let across =
        |row: &Vec<RgbaImage>| row.iter().map(|picture| picture.width() + GAP).sum::<u32>() + GAP;
    let down = |row: &Vec<RgbaImage>| {
        row.iter()
            .map(|picture| picture.height() + GAP)
            .max()
            .unwrap_or(0)
    };
    let size = [
        rows.iter().map(across).max().unwrap_or(1),
        rows.iter().map(down).sum::<u32>() + GAP,
    ];
    let mut sheet = RgbaImage::from_pixel(size[0], size[1], BACKGROUND);
    let mut top = GAP;
    for row in &rows {
        let mut left = GAP;
        for picture in row {
            imageops::replace(&mut sheet, picture, i64::from(left), i64::from(top));
            left += picture.width() + GAP;
        }
        top += down(row);
    }
    sheet
}

fn pictures(row: &Row, channels: usize, zoom: u32) -> Vec<RgbaImage> {
    let [height, width] = row.size.map(|side| side as u32);
    let picture = |index| {
        let small = RgbaImage::from_raw(
            width,
            height,
            image_rgba(row.picture(index, channels), channels),
        )?;
        Some(imageops::resize(
            &small,
            width * zoom,
            height * zoom,
            FilterType::Nearest,
        ))
    };
    (0..row.count(channels)).filter_map(picture).collect()
}
