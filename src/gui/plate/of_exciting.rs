//! Exciting images as they are handed in: a row for each channel, with the patch that it sees framed.

use super::{Plate, Tile, tile};
use crate::panels::exciting::layers;
use crate::snapshot::Snapshot;
use strata_core::format::{self, short};
use strata_inspect::activity_change::signed;
use strata_inspect::curve;
use strata_inspect::exciting::{Channel, Exciting, place_words};
use strata_inspect::layer_statistics::LayerStatistics;
use strata_inspect::picture::zoom_for;

/// Every layer in numbers, as the window shows them.
pub fn layers(made: &LayerStatistics) -> Snapshot {
    Snapshot::titled("Layers in numbers", &layers::about(made), false, |ui| {
        layers::table(ui, made);
    })
}

/// The images that excite each channel most, and how active it is.
pub fn plate(made: &Exciting) -> Snapshot {
    let mut lines = vec![
        format!(
            "step {}{} · {} of {} channels · {} {} images",
            format::count(made.step),
            strata_inspect::since_words(made.since),
            made.channels.len(),
            made.of,
            format::count(made.images as u64),
            made.split
        ),
        "From left to right the images with the largest value of a channel; framed, and beside it as a patch, is what it sees where that is. A checkerboard is padding.".to_owned(),
    ];
    let dead = made.channels.iter().filter(|channel| channel.is_dead());
    let dead: Vec<String> = dead
        .map(|channel| (channel.channel + 1).to_string())
        .collect();
    if !dead.is_empty() {
        lines.push(format!(
            "Dead, 0 everywhere, so that no image excites them: channels {}.",
            dead.join(", ")
        ));
    }
    let rows = made.channels.iter().enumerate();
    let rows = rows.filter(|(_, channel)| !channel.excited.is_empty());
    Plate {
        title: format!(
            "What excites {} {}",
            made.request.place.in_words(),
            made.layer
        ),
        lines,
        rows: rows
            .map(|(index, channel)| row(made, index, channel))
            .collect(),
        bars: Vec::new(),
    }
    .draw()
}

/// Pixels of a picture of this height are drawn so large; curves as they are.
fn zoom(height: usize) -> u32 {
    match height == curve::SIZE[0] {
        true => 1,
        false => 2 * zoom_for(height),
    }
}

fn row(made: &Exciting, index: usize, channel: &Channel) -> Vec<Tile> {
    let one = |place: usize| {
        let excited = &channel.excited[place];
        let label = excited.label.map_or_else(String::new, |label| {
            format!(" · {}", strata_inspect::class_name(&made.classes, label))
        });
        let before = channel.change.as_ref().map_or_else(String::new, |change| {
            let before = change.places.get(place).copied().flatten();
            format!(" · {}", place_words(before))
        });
        let value = short(excited.value.into(), 3);
        let caption = match place {
            0 => {
                let change = channel.change.as_ref().map_or_else(String::new, |change| {
                    format!(" ({})", signed(change.figures.mean, 2))
                });
                let mean = short(channel.mean, 2) + &change;
                let zeros = 100.0 * channel.zeros;
                let number = channel.channel + 1;
                format!("channel {number}\n{value}{label}{before}\nmean {mean}\n{zeros:.0} % zero")
            }
            _ => format!("{value}{label}{before}"),
        };
        let ([height, width], rgba) = made.framed(index, place);
        let mut tiles = vec![tile(rgba, [height, width], zoom(height), caption)];
        if let Some(([height, width], rgba)) = made.patch(index, place) {
            tiles.push(tile(
                rgba,
                [height, width],
                zoom(height),
                "patch".to_owned(),
            ));
        }
        tiles
    };
    (0..channel.excited.len()).flat_map(one).collect()
}
