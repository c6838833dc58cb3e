//! Neighbours as they are handed in: the image, and the nearest to it by pixels and by features, with distances.

use super::{Plate, Tile, tile};
use crate::panels::neighbours::accuracy_lines;
use crate::snapshot::Snapshot;
use crate::widgets::plain;
use strata_core::format;
use strata_inspect::curve;
use strata_inspect::neighbours::{Neighbour, Neighbours};
use strata_inspect::picture::{image_rgba, zoom_for};

/// Three rows for each image: itself, its neighbours by pixels, and those by features.
pub fn plate(all: &[Neighbours]) -> Snapshot {
    let mut lines = Vec::new();
    if let Some(found) = all.first() {
        let layer = plain(&found.layer);
        lines.push(format!(
            "step {} · {} distance among {} of {} {} images",
            format::count(found.step),
            found.metric.word(),
            format::count(found.images as u64),
            format::count(found.of as u64),
            found.split
        ));
        lines.extend(found.accuracy.iter().flat_map(accuracy_lines));
        lines.push(format!(
            "First row: the image; second: the nearest by pixels; third: the nearest by features of {layer}."
        ));
    }
    Plate {
        title: "Nearest images".to_owned(),
        lines,
        rows: all.iter().flat_map(rows).collect(),
        bars: Vec::new(),
    }
    .draw()
}

fn rows(found: &Neighbours) -> [Vec<Tile>; 3] {
    let own = match (found.image, found.label) {
        (Some(index), Some(label)) => format!("image {}: {}", index + 1, found.class_name(label)),
        (Some(index), None) => format!("image {}", index + 1),
        (None, _) => "image from disk".to_owned(),
    };
    let near = |near: &Vec<Neighbour>| near.iter().map(|near| one(found, near)).collect();
    [
        vec![picture(found, &found.picture, own)],
        near(&found.by_pixels),
        near(&found.by_features),
    ]
}

fn one(found: &Neighbours, near: &Neighbour) -> Tile {
    let class = near
        .label
        .map_or_else(String::new, |label| format!("{} ", found.class_name(label)));
    let caption = format!("{class}{}", format::short(near.distance.into(), 3));
    picture(found, &near.pixels, caption)
}

fn picture(found: &Neighbours, pixels: &[u8], caption: String) -> Tile {
    let [height, width, channels] = found.size;
    let rgba = image_rgba(pixels, channels);
    // Signals come as drawn curves.
    let zoom = match [height, width] == curve::SIZE {
        true => 1,
        false => 2 * zoom_for(height),
    };
    tile(rgba, [height, width], zoom, caption)
}
