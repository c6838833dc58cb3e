//! The depth of an image file's values: bytes, 16 bits or floats; from one to another. Cannot fail.

use crate::source::RawImage;
use image::ColorType;

/// What a file's values are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Depth {
    /// Whole numbers to 255.
    #[default]
    Bytes,
    /// Whole numbers to 65,535.
    Words,
    /// Any numbers.
    Floats,
}

impl Depth {
    /// That of a decoder's values.
    pub fn of(colour: ColorType) -> Depth {
        match colour {
            ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => Depth::Words,
            ColorType::Rgb32F | ColorType::Rgba32F => Depth::Floats,
            _ => Depth::Bytes,
        }
    }

    /// The values of black and white; floats have none.
    pub fn span(self) -> Option<[f32; 2]> {
        match self {
            Depth::Bytes => Some([0.0, 255.0]),
            Depth::Words => Some([0.0, 65_535.0]),
            Depth::Floats => None,
        }
    }

    /// Bytes of one value.
    pub fn size(self) -> usize {
        match self {
            Depth::Bytes => 1,
            Depth::Words => 2,
            Depth::Floats => 4,
        }
    }
}

/// Values of one depth as another.
pub(crate) fn as_deep(values: RawImage, depth: Depth) -> RawImage {
    match (values, depth) {
        (RawImage::Bytes(values), Depth::Words) => RawImage::Words(
            values
                .into_iter()
                .map(|value| u16::from(value) * 257)
                .collect(),
        ),
        (RawImage::Words(values), Depth::Bytes) => {
            RawImage::Bytes(values.into_iter().map(to_byte).collect())
        }
        (RawImage::Floats(values), Depth::Bytes) => RawImage::Bytes(
            values
                .into_iter()
                .map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8)
                .collect(),
        ),
        (values, Depth::Floats) => RawImage::Floats(values.into_floats()),
        (values, _) => values,
    }
}

/// 16 bits rounded to 8.
fn to_byte(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}
