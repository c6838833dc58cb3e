//! The result of a kernel by hand, as a picture: the image, the kernel and the result, each with the range of its values.

use super::{ColorBar, Plate, Tile, tile};
use crate::snapshot::Snapshot;
use strata_core::format::{self, short};
use strata_inspect::curve;
use strata_inspect::kernel::{
    Colours, Kernel, Match, Pixels, Response, colours, kernel_color, kernel_rgba, outside,
    picture_rgba, response_rgba,
};
use strata_inspect::picture::image_rgba;

/// Pixels that small pictures are made as high as.
const HEIGHT: u32 = 384;

/// The image, the kernel and the result. `range` are the values to draw black and white, in place of what suits.
pub fn response(kernel: &Kernel, response: &Response, range: Option<[f32; 2]>) -> Snapshot {
    let result = &response.output;
    let drawn = range.map_or_else(|| colours(result, kernel.is_difference()), Colours::Range);
    let clipped = outside(result, drawn);
    let mut lines = vec![format!("{} → {}", shape(&response.input), shape(result))];
    if clipped > 0 {
        lines.push(format!(
            "{clipped} of {} values of the result lie outside the range that is drawn, and have the colour of its end.",
            result.values.len()
        ));
    }
    let input = &response.input;
    let tiles = vec![
        drawing("image", input, || picture_rgba(input)),
        sized(
            kernel_rgba(kernel),
            kernel.size,
            format!("kernel, sum {}", value(kernel.sum())),
        ),
        drawing("result", result, || response_rgba(result, drawn)),
    ];
    Plate {
        title: format!(
            "Kernel {} {}×{}",
            kernel.name, kernel.size[0], kernel.size[1]
        ),
        lines,
        rows: vec![tiles],
        bars: vec![kernel_bar(kernel), result_bar(drawn, result.channels)],
    }
    .draw()
}

/// The image, the patch that was looked for and how well it fits everywhere.
pub fn found(found: &Match) -> Snapshot {
    let weights = &found.pattern.weights;
    let (signed, scores) = (colours(weights, true), colours(&found.scores, true));
    let tiles = vec![
        drawing("image", &found.input, || picture_rgba(&found.input)),
        drawing("pattern", weights, || response_rgba(weights, signed)),
        drawing("how well it fits", &found.scores, || {
            response_rgba(&found.scores, scores)
        }),
    ];
    Plate {
        title: "A pattern found again".to_owned(),
        lines: vec![format!(
            "pattern of {} in {}",
            shape(weights),
            shape(&found.input)
        )],
        rows: vec![tiles],
        bars: vec![result_bar(scores, found.scores.channels)],
    }
    .draw()
}

/// A picture with the range of its values; a signal is a curve from its least to its greatest value.
fn drawing(name: &str, pixels: &Pixels, rgba: impl Fn() -> Vec<u8>) -> Tile {
    let caption = format!("{name}, {}", span(pixels));
    let [height, width] = pixels.size;
    if !curve::is_signal([height, width, pixels.channels]) {
        return sized(rgba(), pixels.size, caption);
    }
    let ends = format::span(pixels.values.iter().map(|&value| f64::from(value)));
    let [low, high] = ends.unwrap_or([0.0, 1.0]).map(|end| end as f32);
    let range = if high > low {
        [low, high]
    } else {
        [low - 1.0, high + 1.0]
    };
    let drawn = curve::picture(&pixels.values, pixels.channels, range);
    tile(image_rgba(&drawn, 1), curve::SIZE, 3, caption)
}

fn sized(bytes: Vec<u8>, size: [usize; 2], caption: String) -> Tile {
    let longest = size[0].max(size[1]).max(1) as u32;
    tile(bytes, size, (HEIGHT / longest).max(1), caption)
}

fn value(number: f32) -> String {
    short(f64::from(number), 3)
}

fn shape(pixels: &Pixels) -> String {
    format!("{}×{}×{}", pixels.channels, pixels.size[0], pixels.size[1])
}

/// `−1 … 5`
fn span(pixels: &Pixels) -> String {
    let span = format::span(pixels.values.iter().map(|&value| f64::from(value)));
    span.map_or_else(
        || "no finite value".to_owned(),
        |[low, high]| format!("{} … {}", short(low, 3), short(high, 3)),
    )
}

fn kernel_bar(kernel: &Kernel) -> ColorBar {
    let largest = kernel
        .values
        .iter()
        .map(|weight| weight.abs())
        .fold(0.0, f32::max);
    let signed = kernel.values.iter().any(|weight| *weight < 0.0);
    let low = if signed { -largest } else { 0.0 };
    let color = kernel_color(kernel);
    ColorBar {
        name: "weight of the kernel".to_owned(),
        color: Box::new(move |share| color(low + (largest - low) * share)),
        marks: vec![value(low), value((low + largest) / 2.0), value(largest)],
    }
}

/// Which colour means which value of a result.
fn result_bar(drawn: Colours, channels: usize) -> ColorBar {
    let [low, high] = drawn.ends();
    let channels = if channels == 3 { 3 } else { 1 };
    let color = move |share: f32| {
        let pixels = Pixels {
            size: [1, 1],
            channels,
            values: vec![low + (high - low) * share; channels],
        };
        let rgba = response_rgba(&pixels, drawn);
        std::array::from_fn(|channel| rgba.get(channel).copied().unwrap_or(0))
    };
    ColorBar {
        name: "value of the result".to_owned(),
        color: Box::new(color),
        marks: vec![value(low), value((low + high) / 2.0), value(high)],
    }
}
