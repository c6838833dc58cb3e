//! Pictures of filters and reconstructions as plain pixels and as PNG files.
//!
//! The window paints the pixels of [`filter_rgba`] and [`image_rgba`] itself; the terminal and the
//! report take whole sheets. Nothing here fails but the encoding of a PNG ([`PictureError`]); an
//! index that is not there gives no pixels.

use super::curve::{self, Paper, Trace};
use super::filter_picture::{filter_picture, filter_size};
use super::filters::Filters;
use super::reconstructions::Reconstructions;
use image::{ImageFormat, Rgba, RgbaImage, imageops};
use serde::{Deserialize, Serialize};
use std::io::Cursor;

/// What the largest weight is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterScale {
    /// Each filter by its own largest weight: shows the form of weak filters.
    #[default]
    PerFilter,
    /// All filters by the largest weight of the layer: shows which filters are strong.
    PerLayer,
    /// All filters by this weight, whatever they become: shows how they grow.
    Fixed(f32),
}

/// A picture that could not be encoded.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode the picture: {0}")]
pub struct PictureError(#[from] image::ImageError);

/// Weights that are not a number or infinite.
pub(super) const NOT_FINITE: [u8; 3] = [255, 0, 255];
const NEGATIVE: [f32; 3] = [33.0, 102.0, 172.0];
const ZERO: [f32; 3] = [247.0, 247.0, 247.0];
const POSITIVE: [f32; 3] = [178.0, 24.0, 43.0];
/// Pixels between the tiles of a sheet, before the zoom.
const GAP: u32 = 1;
const BACKGROUND: Rgba<u8> = Rgba([24, 26, 31, 255]);

/// The diverging map for signed values: blue at −1, white at 0, red at 1; magenta when not finite.
pub fn diverging(value: f32) -> [u8; 3] {
    if !value.is_finite() {
        return NOT_FINITE;
    }
    let (end, share) = if value < 0.0 {
        (NEGATIVE, -value)
    } else {
        (POSITIVE, value)
    };
    let share = share.min(1.0);
    std::array::from_fn(|i| (ZERO[i] + (end[i] - ZERO[i]) * share).round() as u8)
}

/// One filter as `height × width × 4` bytes: three channels as colour around mid grey (weight 0),
/// any other number as their mean in the [`diverging`] map. Scaled symmetrically about zero.
pub fn filter_rgba(filters: &Filters, index: usize, scale: FilterScale) -> Vec<u8> {
    let Some(weights) = filter(filters, index) else {
        return Vec::new();
    };
    let largest = filter_limit(filters, index, scale);
    let pixel = |weights: &[f32]| match *weights {
        [r, g, b] => colour([r / largest, g / largest, b / largest]),
        _ => diverging(mean(weights) / largest),
    };
    let weights = weights.chunks_exact(filters.channels);
    pixel_bytes(weights.map(|weights| opaque(pixel(weights))))
}

/// The largest weight (or mean over channels, where that is what is drawn) that [`filter_rgba`]
/// measures against: the end of a colour bar. 1 when all weights are zero.
pub fn filter_limit(filters: &Filters, index: usize, scale: FilterScale) -> f32 {
    match scale {
        FilterScale::PerFilter => {
            filter(filters, index).map_or(1.0, |weights| largest(weights, filters.channels))
        }
        FilterScale::PerLayer => largest(&filters.values, filters.channels),
        FilterScale::Fixed(limit) => limit,
    }
}

/// `H × W × C` bytes of an image as `H × W × 4`: one or two channels as grey, by the first; three and more as colour, by
/// the first three, and of a satellite's twelve or thirteen bands by those of red, green and blue.
pub fn image_rgba(pixels: &[u8], channels: usize) -> Vec<u8> {
    let channels = channels.max(1);
    let mut rgba = vec![255; pixels.len() / channels * 4];
    let places = rgba.as_chunks_mut::<4>().0.iter_mut();
    // Which of a pixel's values are red, green and blue; Sentinel-2 counts its bands from the coast's violet.
    let [red, green, blue] = match channels {
        1 | 2 => [0, 0, 0],
        12 | 13 => [3, 2, 1],
        _ => [0, 1, 2],
    };
    for (place, values) in places.zip(pixels.chunks_exact(channels)) {
        [place[0], place[1], place[2]] = [values[red], values[green], values[blue]];
    }
    rgba
}

/// All filters side by side in a nearly square sheet, each pixel `zoom` times as large.
pub fn filter_sheet(filters: &Filters, scale: FilterScale, zoom: u32) -> RgbaImage {
    let columns = (filters.count as f64).sqrt().ceil().max(1.0) as usize;
    let tiles = (0..filters.count).map(|index| filter_picture(filters, index, scale));
    let zoom = if filters.are_rows() { 1 } else { zoom };
    sheet(tiles.collect(), filter_size(filters), columns, zoom)
}

/// Height and width of a curve of [`compared`].
pub const CURVE: [usize; 2] = [128, 256];
/// The width of its line, in pixels.
const PEN: f32 = 2.2;
const INPUT: [u8; 3] = [74, 152, 255];
const OUTPUT: [u8; 3] = [255, 146, 40];

/// Of reconstructed signals: the input, the output and both over each other, as curves of [`CURVE`]`× 4` bytes. The
/// input is blue, the output orange; where they meet, their light adds up to white. All are drawn in one range, which
/// the loudest input fills.
pub fn compared(reconstructions: &Reconstructions) -> Vec<[Vec<u8>; 3]> {
    let Reconstructions {
        width,
        channels,
        inputs,
        outputs,
        ..
    } = reconstructions;
    let range = curve::fitted(inputs, curve::BYTES);
    let ink = |samples: &[u8]| {
        Trace {
            samples,
            channels: *channels,
            range,
        }
        .ink(CURVE, PEN)
    };
    let draw = |inks: &[(&[f32], [u8; 3])]| {
        let mut paper = Paper::new(CURVE, *channels);
        inks.iter()
            .for_each(|(ink, color)| paper.shine(ink, *color));
        paper.rgba()
    };
    let size = (width * channels).max(1);
    let pairs = inputs.chunks_exact(size).zip(outputs.chunks_exact(size));
    let both = pairs.map(|(input, output)| {
        let (input, output) = (ink(input), ink(output));
        let (blue, orange) = ((input.as_slice(), INPUT), (output.as_slice(), OUTPUT));
        [draw(&[blue]), draw(&[orange]), draw(&[blue, orange])]
    });
    both.collect()
}

/// A row of inputs over a row of their reconstructions, eight pairs a row. Signals are curves of one size that is not
/// zoomed, four a row, and below them both over each other.
pub fn reconstruction_sheet(reconstructions: &Reconstructions, zoom: u32) -> RgbaImage {
    if reconstructions.are_signals() {
        return signal_sheet(&compared(reconstructions));
    }
    let Reconstructions {
        height,
        width,
        channels,
        inputs,
        outputs,
        ..
    } = reconstructions;
    let size = (height * width * channels).max(1);
    let tiles = |bytes: &[u8]| {
        bytes
            .chunks_exact(size)
            .map(|image| image_rgba(image, *channels))
            .collect::<Vec<_>>()
    };
    let (inputs, outputs) = (tiles(inputs), tiles(outputs));
    let columns = inputs.len().clamp(1, 8);
    let blank = || vec![0; height * width * 4];
    let pad = |row: &[Vec<u8>]| {
        row.iter()
            .cloned()
            .chain((row.len()..columns).map(|_| blank()))
            .collect::<Vec<_>>()
    };
    let rows = inputs.chunks(columns).zip(outputs.chunks(columns));
    let paired = rows.flat_map(|(above, below)| pad(above).into_iter().chain(pad(below)));
    sheet(paired.collect(), [*height, *width], columns, zoom)
}

fn signal_sheet(curves: &[[Vec<u8>; 3]]) -> RgbaImage {
    let columns = curves.len().clamp(1, 4);
    let tile = |group: &[[Vec<u8>; 3]], row: usize, column: usize| {
        group
            .get(column)
            .and_then(|curves| curves.get(row))
            .cloned()
            .unwrap_or_default()
    };
    let rows = curves
        .chunks(columns)
        .flat_map(|group| (0..3).map(move |row| (group, row)));
    let tiles =
        rows.flat_map(|(group, row)| (0..columns).map(move |column| tile(group, row, column)));
    spaced(&tiles.collect::<Vec<_>>(), CURVE, columns, 3)
}

/// Room around drawn pictures, and between those of one group.
const ROOM: usize = 12;
const CLOSE: usize = 3;

/// Drawn pictures in rows of `columns`, `together` rows a group, in the size that they have; one without pixels leaves
/// its place free.
pub(super) fn spaced(
    tiles: &[Vec<u8>],
    [height, width]: [usize; 2],
    columns: usize,
    together: usize,
) -> RgbaImage {
    let group = together * (height + CLOSE) - CLOSE + ROOM;
    let top = |row: usize| ROOM + row / together * group + row % together * (height + CLOSE);
    let left = |column: usize| ROOM + column * (width + ROOM);
    let down = top(tiles.len().div_ceil(columns).max(1) - 1) + height + ROOM;
    let mut image = RgbaImage::from_pixel(left(columns) as u32, down as u32, BACKGROUND);
    for (index, tile) in tiles.iter().enumerate() {
        let Some(tile) = RgbaImage::from_raw(width as u32, height as u32, tile.clone()) else {
            continue;
        };
        imageops::replace(
            &mut image,
            &tile,
            left(index % columns) as i64,
            top(index / columns) as i64,
        );
    }
    image
}

/// A zoom that makes an image of this height at least 64 pixels high.
pub fn zoom_for(height: usize) -> u32 {
    64u32
        .div_ceil(u32::try_from(height.max(1)).unwrap_or(u32::MAX))
        .max(1)
}

/// The bytes of a PNG file.
pub fn png(image: &RgbaImage) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn filter(filters: &Filters, index: usize) -> Option<&[f32]> {
    let size = filters.height * filters.width * filters.channels;
    filters
        .values
        .get(index * size..(index + 1) * size)
        .filter(|_| size > 0)
}

/// The largest finite value that is drawn; 1 when there is none above zero.
fn largest(weights: &[f32], channels: usize) -> f32 {
    let drawn = |pixel: &[f32]| match channels {
        3 => pixel
            .iter()
            .map(|w| w.abs())
            .filter(|w| w.is_finite())
            .fold(0.0, f32::max),
        _ => Some(mean(pixel).abs())
            .filter(|w| w.is_finite())
            .unwrap_or(0.0),
    };
    let largest = weights
        .chunks_exact(channels.max(1))
        .map(drawn)
        .fold(0.0, f32::max);
    if largest > 0.0 { largest } else { 1.0 }
}

fn mean(weights: &[f32]) -> f32 {
    weights.iter().sum::<f32>() / weights.len().max(1) as f32
}

fn colour(shares: [f32; 3]) -> [u8; 3] {
    if shares.iter().any(|share| !share.is_finite()) {
        return NOT_FINITE;
    }
    shares.map(|share| (127.5 + 127.5 * share.clamp(-1.0, 1.0)).round() as u8)
}

/// A colour without transparency.
pub fn opaque([r, g, b]: [u8; 3]) -> [u8; 4] {
    [r, g, b, 255]
}

/// The bytes of pixels: whole pixels are collected, which takes a fraction of the time that single bytes do.
pub fn pixel_bytes(pixels: impl Iterator<Item = [u8; 4]>) -> Vec<u8> {
    pixels.collect::<Vec<_>>().into_flattened()
}

/// Tiles side by side in rows of `columns`, each pixel `zoom` times as large.
pub(super) fn sheet(
    tiles: Vec<Vec<u8>>,
    [height, width]: [usize; 2],
    columns: usize,
    zoom: u32,
) -> RgbaImage {
    let (height, width) = (height as u32, width as u32);
    let rows = tiles.len().div_ceil(columns).max(1) as u32;
    let (full_width, full_height) = (
        columns as u32 * (width + GAP) + GAP,
        rows * (height + GAP) + GAP,
    );
    let mut image = RgbaImage::from_pixel(full_width, full_height, BACKGROUND);
    for (index, tile) in tiles.into_iter().enumerate() {
        let Some(tile) = RgbaImage::from_raw(width, height, tile) else {
            continue;
        };
        let (column, row) = ((index % columns) as u32, (index / columns) as u32);
        imageops::overlay(
            &mut image,
            &tile,
            i64::from(GAP + column * (width + GAP)),
            i64::from(GAP + row * (height + GAP)),
        );
    }
    let zoom = zoom.max(1);
    imageops::resize(
        &image,
        full_width * zoom,
        full_height * zoom,
        imageops::FilterType::Nearest,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_channels_show_three_of_them() {
        let shown = |channels: usize| {
            let pixel: Vec<u8> = (1..=channels as u8).collect();
            image_rgba(&pixel, channels)
        };
        assert_eq!(shown(1), [1, 1, 1, 255]);
        assert_eq!(shown(2), [1, 1, 1, 255]);
        assert_eq!(shown(3), [1, 2, 3, 255]);
        assert_eq!(shown(4), [1, 2, 3, 255]);
        assert_eq!(shown(13), [4, 3, 2, 255]);
    }

    fn filters(channels: usize, values: &[f32]) -> Filters {
        let count = values.len() / (2 * channels);
        Filters {
            count,
            height: 1,
            width: 2,
            channels,
            values: values.to_vec(),
            ..Filters::default()
        }
    }

    #[test]
    fn colour_filters_are_grey_at_zero() {
        let filters = filters(3, &[0.0, 0.0, 0.0, 2.0, -2.0, 0.0]);
        assert_eq!(
            filter_rgba(&filters, 0, FilterScale::PerFilter),
            [128, 128, 128, 255, 255, 0, 128, 255]
        );
        assert!(filter_rgba(&filters, 1, FilterScale::PerFilter).is_empty());
    }

    #[test]
    fn single_channels_diverge_and_scales_differ() {
        let filters = filters(1, &[0.0, -1.0, 4.0, f32::NAN]);
        let own = filter_rgba(&filters, 0, FilterScale::PerFilter);
        assert_eq!(own, [247, 247, 247, 255, 33, 102, 172, 255]);
        let layer = filter_rgba(&filters, 0, FilterScale::PerLayer);
        assert!(
            layer[4] > own[4],
            "a quarter of the layer's largest weight is paler"
        );
        assert_eq!(
            filter_rgba(&filters, 1, FilterScale::PerFilter)[4..7],
            NOT_FINITE
        );
        assert_eq!(filter_limit(&filters, 0, FilterScale::PerLayer), 4.0);
    }

    #[test]
    fn all_zero_filters_are_flat() {
        let filters = filters(3, &[0.0; 6]);
        assert!(
            filter_rgba(&filters, 0, FilterScale::PerLayer)
                .chunks(4)
                .all(|p| p == [128, 128, 128, 255])
        );
    }

    #[test]
    fn sheets_have_gaps_and_zoom() {
        let tall = Filters {
            height: 2,
            width: 1,
            ..filters(1, &[1.0; 6])
        };
        let image = filter_sheet(&tall, FilterScale::PerFilter, 3);
        assert_eq!(image.dimensions(), ((2 * 2 + 1) * 3, (2 * 3 + 1) * 3));
        assert_eq!(*image.get_pixel(0, 0), BACKGROUND);
        assert_eq!(image.get_pixel(3, 3).0, [178, 24, 43, 255]);
        assert!(png(&image).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn reconstructed_signals_are_curves_over_each_other() {
        let (inputs, outputs) = (vec![255; 5 * 30], [vec![255; 30], vec![0; 4 * 30]].concat());
        let signals = Reconstructions {
            height: 1,
            width: 30,
            channels: 1,
            inputs,
            outputs,
            ..Reconstructions::default()
        };
        let curves = compared(&signals);
        let at = |picture: &[u8], row: usize| {
            let start = (row * CURVE[1] + 100) * 4;
            [picture[start], picture[start + 1], picture[start + 2]]
        };
        let ([same, ..], top, foot) = ([&curves[0]], 2, CURVE[0] - 3);
        assert!(
            at(&same[0], top)[2] == 255 && at(&same[0], top)[0] < 120,
            "the input is blue"
        );
        assert!(
            at(&same[1], top)[0] == 255 && at(&same[1], top)[2] < 80,
            "the output is orange"
        );
        assert!(
            at(&same[2], top).iter().all(|&light| light > 240),
            "together they are white"
        );
        let other = &curves[1];
        assert!(
            at(&other[2], top) == at(&other[0], top) && at(&other[2], foot) == at(&other[1], foot)
        );
        let image = reconstruction_sheet(&signals, 64);
        let (wide, tall) = (256 + 12, 3 * 128 + 2 * 3 + 12);
        assert_eq!(image.dimensions(), (12 + 4 * wide, 12 + 2 * tall));
        assert_ne!(image.get_pixel(20, 12 + tall + 5), &BACKGROUND);
        assert_eq!(
            image.get_pixel(20 + wide, 12 + tall + 5),
            &BACKGROUND,
            "the second row holds the fifth alone"
        );
    }

    #[test]
    fn reconstructions_stand_in_pairs() {
        let inputs = vec![255; 10 * 4];
        let outputs = vec![9; 10 * 4];
        let pictures = Reconstructions {
            height: 2,
            width: 2,
            channels: 1,
            inputs,
            outputs,
            ..Reconstructions::default()
        };
        let image = reconstruction_sheet(&pictures, 1);
        assert_eq!(image.dimensions(), (8 * 3 + 1, 4 * 3 + 1));
        assert_eq!(image.get_pixel(1, 1).0, [255, 255, 255, 255]);
        assert_eq!(image.get_pixel(1, 4).0, [9, 9, 9, 255]);
        assert_eq!(image.get_pixel(4, 10).0, [9, 9, 9, 255]);
    }
}
