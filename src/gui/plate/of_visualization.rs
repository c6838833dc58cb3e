//! Feature visualization as it is handed in: the images; where they are few, with the way there.

use super::{Plate, Tile, in_rows, tile};
use crate::snapshot::Snapshot;
use crate::widgets::plain;
use strata_core::format::{self, short};
use strata_inspect::curve;
use strata_inspect::picture::{image_rgba, zoom_for};
use strata_inspect::visualize::{Basis, How, Penalty, Visualization};

/// So many images at most are shown with the way there.
const FEW: usize = 12;
/// Images in a row where they are more.
const COLUMNS: usize = 8;

/// The images, each with its name, its score and what the network takes it for; of each start.
pub fn plate(all: &[Visualization]) -> Snapshot {
    Plate {
        title: "Feature visualization: images that the network answers to".to_owned(),
        lines: all
            .first()
            .map_or_else(Vec::new, |made| lines(made, all.len())),
        rows: all.iter().flat_map(rows).collect(),
        bars: Vec::new(),
    }
    .draw()
}

fn lines(made: &Visualization, starts: usize) -> Vec<String> {
    let of = made.layer.as_ref();
    let of = of.map_or("classes".to_owned(), |layer| plain(layer));
    let from = match (&made.request.image, starts) {
        (None, _) => "noise".to_owned(),
        (Some(_), 1) => "an image".to_owned(),
        (Some(_), starts) => format!("each of {starts} images"),
    };
    let mut lines = vec![format!(
        "step {} · {of} · {} steps from {from}",
        format::count(made.step),
        made.done
    )];
    lines.push(match made.request.side_by_side {
        true => "Each regulariser alone, and what was set.".to_owned(),
        false => said(&made.request.how),
    });
    if is_few(made) {
        let steps: Vec<String> = made
            .frames
            .iter()
            .map(|frame| frame.step.to_string())
            .collect();
        lines.push(format!(
            "From left to right after {} steps.",
            steps.join(", ")
        ));
    }
    lines
}

/// Whether there is room for the way there.
fn is_few(made: &Visualization) -> bool {
    made.pictures.len() <= FEW && made.frames.len() > 1
}

fn rows(made: &Visualization) -> Vec<Vec<Tile>> {
    let pictures = 0..made.pictures.len();
    match is_few(made) {
        true => pictures.map(|index| strip(made, index)).collect(),
        false => {
            let tiles = pictures.map(|index| last(made, index, made.image(index)));
            in_rows(tiles.collect(), COLUMNS)
        }
    }
}

/// The regularisers in words.
pub fn said(how: &How) -> String {
    let mut parts = vec![match how.basis {
        Basis::Pixel => "pixels".to_owned(),
        Basis::Fourier => "Fourier basis".to_owned(),
    }];
    if how.decorrelated {
        parts.push("decorrelated colours".to_owned());
    }
    if how.penalty != Penalty::None {
        let weight = short(how.strength.into(), 3);
        parts.push(format!("{} × {weight}", how.penalty.name()));
    }
    if how.variation > 0.0 {
        parts.push(format!(
            "total variation × {}",
            short(how.variation.into(), 3)
        ));
    }
    if how.blur > 0 {
        parts.push(format!("blur every {} steps", how.blur));
    }
    if how.jitter > 0 {
        parts.push(format!("jitter {}", how.jitter));
    }
    if how.rotation > 0.0 {
        parts.push(format!("rotation {}°", short(how.rotation.into(), 3)));
    }
    if how.scale > 0.0 {
        let percent = f64::from(100.0 * how.scale);
        parts.push(format!("scale {} %", short(percent, 3)));
    }
    if how.laplacian > 0 {
        parts.push(format!("Laplacian pyramid of {}", how.laplacian));
    }
    parts.join(", ")
}

fn strip(made: &Visualization, index: usize) -> Vec<Tile> {
    let count = made.frames.len();
    let frames = made.frames.iter().enumerate().map(|(at, frame)| {
        let image = made.image_at(frame, index);
        if at + 1 == count {
            return last(made, index, image);
        }
        let score = frame.scores.get(index).copied().unwrap_or(f32::NAN);
        drawn(made, image, short(score.into(), 2))
    });
    frames.collect()
}

fn last(made: &Visualization, index: usize, image: &[u8]) -> Tile {
    let Some(picture) = made.pictures.get(index) else {
        return drawn(made, image, String::new());
    };
    let answer = picture
        .answers
        .first()
        .map_or_else(String::new, |(class, share)| {
            let class = strata_inspect::class_name(&made.classes, *class);
            format!("\ntaken for {class}\n{:.1} %", 100.0 * share)
        });
    let score = short(picture.score.into(), 2);
    drawn(
        made,
        image,
        format!("{}: {score}{answer}", made.name(index, 1)),
    )
}

fn drawn(made: &Visualization, bytes: &[u8], caption: String) -> Tile {
    let [height, width, channels] = made.size;
    if curve::is_signal(made.size) {
        let drawn = curve::picture(bytes, channels, curve::BYTES);
        return tile(image_rgba(&drawn, 1), curve::SIZE, 1, caption);
    }
    let zoom = 2 * zoom_for(height);
    tile(image_rgba(bytes, channels), [height, width], zoom, caption)
}
