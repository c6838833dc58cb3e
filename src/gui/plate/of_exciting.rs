//! Exciting images as they are handed in: a row for each channel, with the patch that it sees framed.

use super::{Plate, Tile, tile};
use crate::snapshot::Snapshot;
use strata_core::format::{self, short};
use strata_inspect::curve;
use strata_inspect::exciting::{Channel, Exciting};
use strata_inspect::picture::{image_rgba, zoom_for};

/// The colour of a patch's frame.
const FRAME: [u8; 4] = [230, 60, 40, 255];

/// The images that excite each channel most, and how active it is.
pub fn plate(made: &Exciting) -> Snapshot {
    let lines = vec![
        format!(
            "step {} · {} of {} channels · {} {} images",
            format::count(made.step),
            made.channels.len(),
            made.of,
            format::count(made.images as u64),
            made.split
        ),
        "From left to right the images with the largest value of a channel, and what it sees where that is.".to_owned(),
    ];
    let rows = made.channels.iter().enumerate();
    Plate {
        title: format!("What excites {} {}", made.request.place, made.layer),
        lines,
        rows: rows
            .map(|(index, channel)| row(made, index, channel))
            .collect(),
        bars: Vec::new(),
    }
    .draw()
}

fn row(made: &Exciting, index: usize, channel: &Channel) -> Vec<Tile> {
    let one = |place: usize| {
        let excited = &channel.excited[place];
        let label = excited.label.map_or_else(String::new, |label| {
            format!(" · {}", strata_inspect::class_name(&made.classes, label))
        });
        let value = short(excited.value.into(), 3);
        let caption = match place {
            0 => {
                let mean = short(channel.mean, 2);
                let zeros = 100.0 * channel.zeros;
                let number = channel.channel + 1;
                format!("channel {number}: {value}{label} · mean {mean}, {zeros:.0} % zero")
            }
            _ => format!("{value}{label}"),
        };
        let bytes = made.image(index, place);
        let [height, width, channels] = made.size;
        if curve::is_signal(made.size) {
            let drawn = curve::picture(bytes, channels, curve::BYTES);
            return tile(image_rgba(&drawn, 1), curve::SIZE, 1, caption);
        }
        let mut rgba = image_rgba(bytes, channels);
        if let Some(patch) = excited.patch {
            frame(&mut rgba, width, patch);
        }
        tile(rgba, [height, width], 2 * zoom_for(height), caption)
    };
    (0..channel.excited.len()).map(one).collect()
}

/// Frames a patch, unless it is the whole image.
pub(crate) fn frame(rgba: &mut [u8], width: usize, [top, left, bottom, right]: [usize; 4]) {
    let height = rgba.len() / (4 * width.max(1));
    if top == 0 && left == 0 && bottom + 1 >= height && right + 1 >= width {
        return;
    }
    for (at, pixel) in rgba.chunks_exact_mut(4).enumerate() {
        let (row, column) = (at / width, at % width);
        let is_inside = (top..=bottom).contains(&row) && (left..=right).contains(&column);
        let is_edge = row == top || row == bottom || column == left || column == right;
        if is_inside && is_edge {
            pixel.copy_from_slice(&FRAME);
        }
    }
}
