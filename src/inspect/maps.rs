//! Unsigned maps as colours: saliency, and the receptive field of a position.
//!
//! Nothing here fails.

use super::curve::{self, Paper, Trace, is_signal};
use super::effective_field::EffectiveField;
use super::map_look::{MapLook, mix};
use super::picture::{NOT_FINITE, image_rgba, sheet, spaced};
use super::saliency::Saliency;
use image::{Rgba, RgbaImage};
use std::sync::OnceLock;

/// Every sixteenth colour of matplotlib's viridis.
const VIRIDIS: [[u8; 3]; 17] = [
    [68, 1, 84],
    [72, 24, 106],
    [71, 45, 123],
    [66, 64, 134],
    [59, 82, 139],
    [51, 99, 141],
    [44, 114, 142],
    [38, 130, 142],
    [33, 145, 140],
    [31, 160, 136],
    [40, 174, 128],
    [63, 188, 115],
    [94, 201, 98],
    [132, 212, 75],
    [173, 220, 48],
    [216, 226, 25],
    [253, 231, 37],
];

/// The map for unsigned values: dark violet at 0, yellow at 1; magenta when not finite.
pub fn viridis(share: f32) -> [u8; 3] {
    if !share.is_finite() {
        return NOT_FINITE;
    }
    static TABLE: OnceLock<Vec<[u8; 3]>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        (0..=SHADES)
            .map(|shade| between(shade as f32 / SHADES as f32))
            .collect()
    });
    table
        .get((share.clamp(0.0, 1.0) * SHADES as f32 + 0.5) as usize)
        .copied()
        .unwrap_or(NOT_FINITE)
}

/// Shades: more than an eye can tell apart.
const SHADES: usize = 1024;

fn between(share: f32) -> [u8; 3] {
    let place = share * (VIRIDIS.len() - 1) as f32;
    let (low, high) = (
        VIRIDIS[place as usize],
        VIRIDIS[(place as usize + 1).min(VIRIDIS.len() - 1)],
    );
    mix(low, high, place.fract())
}

/// The largest finite value, which has the colour at the end of the scale; 1 when all are zero.
pub fn limit(map: &[f32]) -> f32 {
    let largest = map
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .fold(0.0, f32::max);
    if largest > 0.0 { largest } else { 1.0 }
}

/// A map as `H × W × 4` bytes, scaled by its own largest value.
pub fn map_rgba(map: &[f32]) -> Vec<u8> {
    MapLook::default().map_rgba(map, limit(map))
}

/// The image in grey, with the map over it where it is strong.
pub fn overlay_rgba(pixels: &[u8], channels: usize, map: &[f32]) -> Vec<u8> {
    MapLook::default().overlay_rgba(pixels, channels, map, limit(map))
}

/// Height and width of a picture of [`signal_rgba`].
pub const SIGNAL: [usize; 2] = [96, 480];
/// Stretches of time that have a colour each: more would flicker.
const STRETCHES: usize = 80;
/// The widths of the line and of the shade that sets it off from the colours behind it, in pixels.
const PENS: [f32; 2] = [2.0, 5.0];
const LINE: [u8; 3] = [255, 255, 255];
const SHADE: [u8; 3] = [14, 12, 24];

/// A signal of interleaved channels as a curve over the colours of a map, [`SIGNAL`]` × 4` bytes: each stretch of time
/// has the colour of its largest value. `range` is that of the bytes which are drawn, `limit` the end of the colours'
/// scale.
pub fn signal_rgba(
    (samples, channels): (&[u8], usize),
    map: &[f32],
    range: [f32; 2],
    (look, limit): (&MapLook, f32),
) -> Vec<u8> {
    let [height, width] = SIGNAL;
    let colors: Vec<[u8; 3]> = (0..STRETCHES)
        .map(|stretch| look.color(largest(map, stretch) / limit))
        .collect();
    let columns: Vec<[u8; 3]> = (0..width)
        .filter_map(|x| colors.get(x * STRETCHES / width))
        .copied()
        .collect();
    let trace = Trace {
        samples,
        channels,
        range,
    };
    let mut paper = Paper::coloured(height, &columns);
    for (pen, color) in PENS.into_iter().zip([LINE, SHADE]).rev() {
        paper.cover(&trace.ink(SIGNAL, pen), color);
    }
    paper.rgba()
}

/// The samples of a signal at this fraction of its picture's width: its first sample, and the one after its last.
pub fn samples_at(length: usize, share: f32) -> [usize; 2] {
    samples_of(
        length,
        ((share * STRETCHES as f32) as usize).min(STRETCHES - 1),
    )
}

fn samples_of(length: usize, stretch: usize) -> [usize; 2] {
    let from = (stretch * length / STRETCHES).min(length.saturating_sub(1));
    [
        from,
        ((stretch + 1) * length)
            .div_ceil(STRETCHES)
            .clamp(from + 1, length.max(from + 1)),
    ]
}

/// The value of a stretch that is farthest from 0; not a number when one of them isn't.
fn largest(map: &[f32], stretch: usize) -> f32 {
    let [from, to] = samples_of(map.len(), stretch);
    let values = map.get(from..to).unwrap_or_default();
    values.iter().fold(0.0, |most, &value| {
        if value.abs() > f32::abs(most) || value.is_nan() {
            value
        } else {
            most
        }
    })
}

/// Images, their maps and both over each other, three images a row; signals as curves over their maps, one a row.
pub fn saliency_sheet(saliency: &Saliency, zoom: u32) -> RgbaImage {
    let look = saliency.look(&MapLook::default());
    let limits = saliency.limits(&look);
    let limit = |index: usize| limits.get(index).copied().unwrap_or(1.0);
    let count = saliency.answers.len();
    if saliency.are_signals() {
        let range = curve::fitted(&saliency.inputs, curve::BYTES);
        let tile = |index: usize| {
            let signal = (saliency.input(index), saliency.channels);
            let map = saliency.shown(index, &look);
            signal_rgba(signal, map, range, (&look, limit(index)))
        };
        return spaced(&(0..count).map(tile).collect::<Vec<_>>(), SIGNAL, 1, 1);
    }
    let tiles = |index: usize| {
        let (input, map) = (saliency.input(index), saliency.shown(index, &look));
        [
            image_rgba(input, saliency.channels),
            look.map_rgba(map, limit(index)),
            look.overlay_rgba(input, saliency.channels, map, limit(index)),
        ]
    };
    let columns = 3 * count.clamp(1, 3);
    let size = [saliency.height, saliency.width];
    sheet((0..count).flat_map(tiles).collect(), size, columns, zoom)
}

/// The first probe image, the map and the map over the image, each with the theoretical box around what it sees; of a
/// signal the curve over the map.
pub fn field_sheet(field: &EffectiveField, zoom: u32) -> RgbaImage {
    if is_signal([field.height, field.width, field.channels]) {
        return signal_field(field);
    }
    let EffectiveField {
        height,
        width,
        channels,
        values,
        ..
    } = field;
    let image = field.input(0);
    let tiles = vec![
        image_rgba(image, *channels),
        map_rgba(values),
        overlay_rgba(image, *channels, values),
    ];
    let mut picture = sheet(tiles, [*height, *width], 3, zoom);
    if let Some([rows, columns]) = field.shown_bounds() {
        let start = |tile: u32, first: i64| (1 + tile * (*width as u32 + 1) + first as u32) * zoom;
        for tile in 0..3 {
            let low = [start(tile, columns.0), start(0, rows.0)];
            let size = [columns, rows].map(|(first, last)| (last - first + 1) as u32 * zoom);
            frame(&mut picture, low, size);
        }
    }
    picture
}

/// The first probe signal over the map, between two lines what is seen of it in theory.
fn signal_field(field: &EffectiveField) -> RgbaImage {
    let [height, width] = SIGNAL.map(|side| side as u32);
    let (input, values) = (field.input(0), &field.values);
    let range = curve::fitted(input, curve::BYTES);
    let look = MapLook::default();
    let signal = (input, field.channels);
    let rgba = signal_rgba(signal, values, range, (&look, limit(values)));
    let mut picture = RgbaImage::from_raw(width, height, rgba).unwrap_or_default();
    if let Some([_, (first, last)]) = field.shown_bounds() {
        let place = |sample: i64| sample * i64::from(width) / field.width.max(1) as i64;
        for x in [place(first) - 1, place(last + 1)] {
            let x = u32::try_from(x.max(0))
                .unwrap_or(0)
                .min(picture.width() - 1);
            for y in 0..picture.height() {
                picture.put_pixel(x, y, TARGET);
            }
        }
    }
    picture
}

/// A frame just outside a rectangle.
fn frame(picture: &mut RgbaImage, [left, top]: [u32; 2], [wide, tall]: [u32; 2]) {
    let (right, bottom) = (left + wide, top + tall);
    let sides = (left - 1..=right).flat_map(|x| [(x, top - 1), (x, bottom)]);
    let ends = (top - 1..=bottom).flat_map(|y| [(left - 1, y), (right, y)]);
    for (x, y) in sides.chain(ends) {
        if let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
            *pixel = TARGET;
        }
    }
}

const TARGET: Rgba<u8> = Rgba([255, 150, 20, 255]);
/// Bars of a histogram.
pub const BINS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saliency::{Answer, Saliency};

    #[test]
    fn colours_run_from_violet_to_yellow() {
        assert_eq!(
            [viridis(-1.0), viridis(0.0), viridis(1.0)],
            [[68, 1, 84], [68, 1, 84], [253, 231, 37]]
        );
        assert_eq!(
            (viridis(0.5), viridis(f32::NAN)),
            ([33, 145, 140], NOT_FINITE)
        );
        assert_eq!(map_rgba(&[0.0, 0.0])[..3], [68, 1, 84]);
    }

    #[test]
    fn an_overlay_leaves_what_does_not_count() {
        let bytes = overlay_rgba(&[10, 200], 1, &[0.0, 2.0]);
        assert_eq!(bytes, [10, 10, 10, 255, 253, 231, 37, 255]);
    }

    #[test]
    fn a_signal_lies_over_the_colours_of_its_map() {
        let mut map = vec![0.0; 5000];
        (map[2600], map[4999]) = (2.0, f32::NAN);
        let (inputs, answers) = (vec![255; 5000], vec![Answer::default(); 3]);
        let saliency = Saliency {
            height: 1,
            width: 5000,
            channels: 1,
            maps: map.repeat(3),
            inputs: inputs.repeat(3),
            answers,
            ..Saliency::default()
        };
        let look = MapLook::default();
        let map = saliency.map(0);
        let signal = (saliency.input(0), 1);
        let bytes = signal_rgba(signal, map, curve::BYTES, (&look, limit(map)));
        let at = |row: usize, column: usize| {
            let start = (row * SIGNAL[1] + column) * 4;
            [bytes[start], bytes[start + 1], bytes[start + 2]]
        };
        let column = 2600 * SIGNAL[1] / 5000;
        assert_eq!([at(80, column), at(80, 20)], [[253, 231, 37], [68, 1, 84]]);
        assert_eq!(at(80, SIGNAL[1] - 1), NOT_FINITE);
        assert_eq!(at(1, 20), LINE, "the curve at the top");
        assert!(at(4, 20)[2] < 60, "its shade below: {:?}", at(4, 20));
        assert_eq!(
            [
                samples_at(5000, 0.0),
                samples_at(5000, 1.0),
                samples_at(3, 0.0)
            ],
            [[0, 63], [4937, 5000], [0, 1]]
        );
        let all = (0..STRETCHES).map(|stretch| samples_of(7, stretch));
        assert!(all.into_iter().all(|[from, to]| from < to && to <= 7));
    }
}
