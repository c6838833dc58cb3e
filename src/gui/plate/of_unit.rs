//! One unit of a sparse code as it is handed in: what it looks for, what it paints, the images that excite it most.

use super::of_network::filter_tile;
use super::{Plate, Tile, in_rows, tile};
use crate::snapshot::Snapshot;
use crate::widgets::plain;
use strata_core::format::{self, short};
use strata_inspect::curve;
use strata_inspect::exciting::drawn;
use strata_inspect::picture::{FilterScale, zoom_for};
use strata_inspect::sparse::unit::{SparseUnit, Template};

/// Images side by side.
const COLUMNS: usize = 6;
/// Decimals of an activation.
const DECIMALS: usize = 3;

/// The unit with its pictures.
pub fn plate(unit: &SparseUnit) -> Snapshot {
    let templates = [("looks for", &unit.encoder), ("paints", &unit.decoder)];
    let templates = templates
        .into_iter()
        .filter_map(|(name, of)| Some(of_template(name, of.as_ref()?)));
    let mut rows = vec![templates.collect::<Vec<Tile>>()];
    rows.extend(in_rows(best(unit), COLUMNS));
    Plate {
        title: format!("Unit {} of {}", unit.unit + 1, unit.units),
        lines: vec![
            format!(
                "{} · {} {} images · step {}",
                plain(&unit.layer),
                format::count(unit.images as u64),
                unit.split,
                format::count(unit.step)
            ),
            format!(
                "mean activation {}; {}",
                format::loss(f64::from(unit.mean)),
                match unit.best.is_empty() {
                    true => "dead, no image excites it",
                    false => "below, the images that excite it most",
                }
            ),
        ],
        rows,
        bars: Vec::new(),
    }
    .draw()
}

fn of_template(name: &str, template: &Template) -> Tile {
    let scale = FilterScale::PerFilter;
    filter_tile(&template.as_filters(), 0, scale, name.to_owned())
}

fn best(unit: &SparseUnit) -> Vec<Tile> {
    let pictures = unit
        .pixels
        .chunks_exact(unit.size.iter().product::<usize>().max(1));
    let pairs = unit.best.iter().zip(pictures);
    pairs
        .enumerate()
        .flat_map(|(at, ((index, activation), pixels))| {
            let value = short(f64::from(*activation), DECIMALS);
            let caption = format!("image {}: {value}", index + 1);
            let (size, rgba) = drawn(pixels, unit.size, None);
            let mut tiles = vec![tile(rgba, size, zoom(size), caption)];
            if let Some(patch) = unit.patches.get(at) {
                let size = unit.patch_size;
                tiles.push(tile(
                    patch.clone(),
                    size,
                    zoom(size),
                    "what it sees".to_owned(),
                ));
            }
            tiles
        })
        .collect()
}

/// How large a pixel is drawn; curves are drawn as they are.
fn zoom(size: [usize; 2]) -> u32 {
    match size == curve::SIZE {
        true => 1,
        false => 2 * zoom_for(size[0]),
    }
}
