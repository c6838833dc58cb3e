//! Pictures, kernels and results as colours, and the three side by side.

use super::{Kernel, Pixels};
use crate::maps::viridis;
use crate::picture::{diverging, opaque};
use image::{Rgba, RgbaImage, imageops};

/// How the values of a result become colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Colours {
    /// As a picture: 0 is black, 1 is white, what lies beyond is cut off.
    Picture,
    /// One channel of both signs: blue below 0, white at 0, red above; the ends stand for this value.
    Signed(f32),
    /// Three channels of both signs around mid grey; the ends stand for this value.
    SignedColour(f32),
}

/// The colours that suit a result: those of a picture, unless the kernel answers differences.
pub fn colours(output: &Pixels, is_difference: bool) -> Colours {
    if !is_difference {
        return Colours::Picture;
    }
    let largest = output
        .values
        .iter()
        .map(|value| value.abs())
        .filter(|value| value.is_finite())
        .fold(0.0, f32::max);
    // A picture of one colour answers nothing but rounding.
    let limit = if largest > 1e-6 { largest } else { 1.0 };
    if output.channels == 3 {
        Colours::SignedColour(limit)
    } else {
        Colours::Signed(limit)
    }
}

/// A picture as `H × W × 4` bytes.
pub fn picture_rgba(picture: &Pixels) -> Vec<u8> {
    response_rgba(picture, Colours::Picture)
}

/// A result as `H × W × 4` bytes.
pub fn response_rgba(output: &Pixels, colours: Colours) -> Vec<u8> {
    let byte = |share: f32| (255.0 * share.clamp(0.0, 1.0)).round() as u8;
    let pixel = |values: &[f32]| match (colours, values) {
        (Colours::Signed(limit), [value, ..]) => opaque(diverging(value / limit)),
        (Colours::SignedColour(limit), &[r, g, b]) => {
            opaque([r, g, b].map(|value| byte(0.5 + 0.5 * value / limit)))
        }
        (_, &[r, g, b]) => opaque([r, g, b].map(byte)),
        (_, [value, ..]) => opaque([byte(*value); 3]),
        (_, []) => opaque([0; 3]),
    };
    output
        .values
        .chunks_exact(output.channels.max(1))
        .flat_map(pixel)
        .collect()
}

/// A kernel as `H × W × 4` bytes: signed about 0, or the shades of its weights when none is below 0.
pub fn kernel_rgba(kernel: &Kernel) -> Vec<u8> {
    let largest = kernel
        .values
        .iter()
        .map(|value| value.abs())
        .fold(0.0, f32::max)
        .max(f32::MIN_POSITIVE);
    let signed = kernel.values.iter().any(|value| *value < 0.0);
    let color = |value: &f32| {
        if signed {
            diverging(value / largest)
        } else {
            viridis(value / largest)
        }
    };
    kernel
        .values
        .iter()
        .flat_map(|value| opaque(color(value)))
        .collect()
}

const GAP: u32 = 8;
const BACK: Rgba<u8> = Rgba([24, 26, 31, 255]);

/// Pictures (`H × W × 4` bytes with their sizes) side by side, each as many whole times as large as fits this height,
/// or as it is.
pub fn sheet(tiles: &[(Vec<u8>, [usize; 2])], height: u32) -> RgbaImage {
    let tile = |(bytes, [rows, columns]): &(Vec<u8>, [usize; 2])| {
        let image =
            RgbaImage::from_raw(*columns as u32, *rows as u32, bytes.clone()).unwrap_or_default();
        let (width, rows) = image.dimensions();
        let zoom = (height / rows.max(width).max(1)).max(1);
        imageops::resize(
            &image,
            width * zoom,
            rows * zoom,
            imageops::FilterType::Nearest,
        )
    };
    let tiles: Vec<RgbaImage> = tiles.iter().map(tile).collect();
    let width = tiles.iter().map(|tile| tile.width() + GAP).sum::<u32>() + GAP;
    let height = tiles.iter().map(RgbaImage::height).max().unwrap_or(1) + 2 * GAP;
    let mut sheet = RgbaImage::from_pixel(width, height, BACK);
    let mut left = GAP;
    for tile in &tiles {
        let top = (height - tile.height()) / 2;
        imageops::overlay(&mut sheet, tile, i64::from(left), i64::from(top));
        left += tile.width() + GAP;
    }
    sheet
}
