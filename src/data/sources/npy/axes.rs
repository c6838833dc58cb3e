//! What is said of the axes of arrays: which was taken for what, since size alone tells them apart, and the `shape` that
//! reads them otherwise.

use super::find::Found;
use super::pictures::{ArrayPictures, Layout};
use crate::formats::rows;
use crate::source::OpenRequest;

/// As many channels could be the slices of a volume.
const LEAST_SLICES: usize = 5;

/// Says it of the first array, which the others are like.
pub(super) fn tell(ask: &mut OpenRequest, arrays: &[(&Found, ArrayPictures)]) {
    let Some((_, array)) = arrays.first() else {
        return;
    };
    match array.layout.depth {
        Some(depth) => {
            ask.told.depth_of_volumes = Some(depth);
            tell_of_volumes(ask, array, depth);
        }
        None => tell_of_images(ask, &array.layout),
    }
}

fn tell_of_volumes(ask: &mut OpenRequest, array: &ArrayPictures, depth: usize) {
    let [height, width, channels] = array.layout.shape;
    let height = height / depth.max(1);
    let text = format!(
        "volumes of {depth}×{height}×{width} (depth, height, width) with {}",
        match channels {
            1 => "1 channel".to_owned(),
            channels => format!("{channels} channels"),
        }
    );
    if ask.spec.shape.is_some() {
        return ask.told.note(text);
    }
    match (array.axes, array.layout.channels_first) {
        (4, _) => ask.told.propose(
            format!(
                "{text}: the array's axes are taken as number, depth, height, width; if they are images of {depth} channels"
            ),
            format!("shape = \"{depth}x{height}x{width}\""),
        ),
        (_, true) => ask.told.note(format!(
            "{text}: the array's axes are taken as number, channels, depth, height, width"
        )),
        (_, false) => ask.told.note(format!(
            "{text}: the array's axes are taken as number, depth, height, width, channels"
        )),
    }
}

fn tell_of_images(ask: &mut OpenRequest, layout: &Layout) {
    let [height, width, channels] = layout.shape;
    if height > 1 && !matches!(channels, 1 | 3) {
        let place = if layout.channels_first {
            "first"
        } else {
            "last"
        };
        let text = format!(
            "images of {height}×{width} with {channels} channels, which come {place} in the array"
        );
        let is_settled = ask.spec.shape.is_some() || !layout.channels_first;
        if is_settled || channels < LEAST_SLICES {
            return ask.told.note(text);
        }
        return ask.told.propose(
            format!("{text}; if these are the slices of volumes"),
            format!("shape = \"1x{channels}x{height}x{width}\""),
        );
    }
    let square = rows::guessed(width).filter(|_| height == 1 && channels == 1);
    if let Some([height, width, channels]) = square.filter(|_| ask.spec.shape.is_none()) {
        ask.told.propose(
            format!(
                "rows of {} numbers are read as signals, and could be images of {height}×{width}",
                layout.shape[1]
            ),
            format!("shape = \"{channels}x{height}x{width}\""),
        );
    }
}
