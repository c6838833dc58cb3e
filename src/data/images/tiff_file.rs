//! TIFF files that hold more than a photograph: floats, signed numbers, many bands, several pages. What is grey or
//! colour of 1, 8 or 16 bits is read with all other formats.
//!
//! Fails with a reason in words; nothing is allocated beyond what the caller allows.

use super::depth::Depth;
use super::image_file::{Input, MOST_PIXELS, MOST_PIXELS_A_BYTE};
use crate::source::RawImage;
use std::io::Cursor;
use strata_core::system_memory;
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

/// Pages that are counted at most.
const MOST_PAGES: usize = 10_000;
/// Bands of one image at most: spectrometers have some hundreds.
const MOST_BANDS: usize = 512;
const MOST_BYTES: usize = 1 << 30;
/// The tag that says whether samples are whole numbers (1), signed (2) or floats (3).
const WHOLE: u16 = 1;
/// Every band in a plane of its own.
const PLANES: u16 = 2;

/// What a file says about itself.
pub(crate) struct About {
    pub height: usize,
    pub width: usize,
    pub bands: usize,
    pub depth: Depth,
    pub pages: usize,
    /// Whether it is one of the kinds that all other formats have too.
    pub is_usual: bool,
}

pub(crate) fn is_tiff(first: &[u8]) -> bool {
    matches!(
        first,
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..]
    )
}

/// Header and number of pages; none where the file is not read here.
pub(crate) fn about(reader: &mut dyn Input) -> Option<About> {
    let mut decoder = Decoder::new(reader).ok()?;
    let (width, height) = decoder.dimensions().ok()?;
    let colour = decoder.colortype().ok()?;
    let formats: Vec<u16> = decoder
        .find_tag_unsigned_vec(Tag::SampleFormat)
        .ok()?
        .unwrap_or_default();
    let is_whole = formats.iter().all(|&format| format == WHOLE);
    let bands = usize::from(colour.num_samples());
    let depth = match (is_whole, colour.bit_depth()) {
        (true, 0..=8) => Depth::Bytes,
        (true, 9..=16) => Depth::Words,
        _ => Depth::Floats,
    };
    let is_usual = depth != Depth::Floats && !matches!(colour, ColorType::Multiband { .. });
    let mut pages = 1;
    while pages < MOST_PAGES && decoder.more_images() && decoder.next_image().is_ok() {
        pages += 1;
    }
    Some(About {
        height: height as usize,
        width: width as usize,
        bands,
        depth,
        pages,
        is_usual,
    })
}

/// Bytes of one value in between: as it is stored, as a float, and once more where its bands are exchanged.
const WORKED_ON: u64 = 16;

/// The first page, H×W×bands.
pub(crate) fn decode(bytes: &[u8]) -> Result<(About, RawImage), String> {
    let damaged = |error: tiff::TiffError| format!("the image is damaged ({error})");
    let about = about(&mut Cursor::new(bytes)).ok_or("not a TIFF file that can be read")?;
    let pixels = about.height as u64 * about.width as u64;
    let possible = (bytes.len() as u64).saturating_mul(MOST_PIXELS_A_BYTE);
    let is_claimed_only = pixels.saturating_mul(about.bands as u64) > possible;
    if pixels == 0 || pixels > MOST_PIXELS || about.bands > MOST_BANDS || is_claimed_only {
        return Err(format!(
            "its header says {}×{} pixels in {} bands",
            about.width, about.height, about.bands
        ));
    }
    system_memory::check_large(pixels * about.bands as u64 * WORKED_ON)?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MOST_BYTES;
    limits.intermediate_buffer_size = MOST_BYTES;
    let mut reader = Cursor::new(bytes);
    let reader: &mut dyn Input = &mut reader;
    let mut decoder = Decoder::new(reader).map_err(damaged)?.with_limits(limits);
    let planes = decoder
        .find_tag_unsigned::<u16>(Tag::PlanarConfiguration)
        .map_err(damaged)?;
    let mut result = DecodingResult::U8(Vec::new());
    decoder.read_image_to_buffer(&mut result).map_err(damaged)?;
    let values = match result {
        DecodingResult::U8(values) => RawImage::Bytes(values),
        DecodingResult::U16(values) => RawImage::Words(values),
        other => RawImage::Floats(floats(other)?),
    };
    let count = about.height * about.width * about.bands;
    if values.len() < count {
        return Err(format!(
            "it holds {} values, and its header says {count}",
            values.len()
        ));
    }
    let is_planes = planes == Some(PLANES) && about.bands > 1;
    Ok(match is_planes {
        true => {
            let values = by_pixel(values, about.height * about.width, about.bands);
            (about, values)
        }
        false => (about, values),
    })
}

fn floats(result: DecodingResult) -> Result<Vec<f32>, String> {
    let values: Vec<f32> = match result {
        DecodingResult::F32(values) => values,
        DecodingResult::F64(values) => values.into_iter().map(|value| value as f32).collect(),
        DecodingResult::I8(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::I16(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::I32(values) => values.into_iter().map(|value| value as f32).collect(),
        DecodingResult::I64(values) => values.into_iter().map(|value| value as f32).collect(),
        DecodingResult::U32(values) => values.into_iter().map(|value| value as f32).collect(),
        DecodingResult::U64(values) => values.into_iter().map(|value| value as f32).collect(),
        DecodingResult::F16(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::U8(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::U16(values) => values.into_iter().map(f32::from).collect(),
    };
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(format!("it holds the value {value}")),
        None => Ok(values),
    }
}

/// Planes one after another as pixels.
fn by_pixel(values: RawImage, plane: usize, bands: usize) -> RawImage {
    fn turn<T: Copy>(values: &[T], plane: usize, bands: usize) -> Vec<T> {
        let at = |pixel: usize| (0..bands).map(move |band| band * plane + pixel);
        (0..plane)
            .flat_map(at)
            .filter_map(|place| values.get(place).copied())
            .collect()
    }
    match values {
        RawImage::Bytes(values) => RawImage::Bytes(turn(&values, plane, bands)),
        RawImage::Words(values) => RawImage::Words(turn(&values, plane, bands)),
        RawImage::Floats(values) => RawImage::Floats(turn(&values, plane, bands)),
    }
}
