//! One image file (PNG, JPEG, BMP, GIF, WebP, TIFF) to bytes: grey or colour, upright as its
//! EXIF entry says, transparent parts over white, 16 bits rounded to 8.
//!
//! Fails with a reason in words, and never allocates for a size that is only claimed: files
//! larger than [`MOST_PIXELS`] are refused before decoding.

use super::image_fitting::change_channels;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;
use strata_core::files::open_regular;
use strata_core::logging::panic::caught;
use strata_core::{format, system_memory};

/// 64 megapixels: more than any camera's photograph that could serve as a training image.
const MOST_PIXELS: u64 = 64 << 20;
const MOST_FILE_BYTES: u64 = 512 << 20;
/// A blank page can be this small; a header that claims more for the bytes it has is lying.
const MOST_PIXELS_A_BYTE: u64 = 10_000;
/// What a decoder needs for its tables, however small the picture.
const LEAST_MEMORY: u64 = 16 << 20;
const EXTENSIONS: [&str; 10] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "bmp", "gif", "webp", "tif", "tiff",
];

/// What a file says about itself before its pixels are read.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub height: usize,
    pub width: usize,
    pub colour: bool,
}

/// A decoded picture, H×W×C.
pub(crate) struct Decoded {
    pub height: usize,
    pub width: usize,
    pub pixels: Vec<u8>,
}

/// Whether the file's name is one of an image. Hidden files (`._a.jpg` of macOS) are not.
pub(crate) fn is_named_like_one(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    !name.starts_with('.') && EXTENSIONS.contains(&extension.as_str())
}

/// The names read, for messages.
pub(crate) fn extensions() -> String {
    EXTENSIONS
        .map(|extension| format!(".{extension}"))
        .join(" ")
}

/// Size and kind, without decoding the pixels.
pub(crate) fn header(path: &Path) -> Result<Header, String> {
    guarded(|| read_header(path))
}

fn read_header(path: &Path) -> Result<Header, String> {
    let file = open_regular(path).map_err(|cause| format!("cannot be read ({cause})"))?;
    let length = file
        .metadata()
        .map_err(|cause| format!("cannot be read ({cause})"))?
        .len();
    let mut reader = BufReader::new(file);
    let first = reader
        .fill_buf()
        .map_err(|cause| format!("cannot be read ({cause})"))?;
    let may_be_turned = may_be_turned(first);
    let mut decoder = decoder(reader, length)?;
    let upright = if may_be_turned {
        upright(&mut decoder)
    } else {
        Orientation::NoTransforms
    };
    let (width, height) = decoder.dimensions();
    let (width, height) = if swaps_sides(upright) {
        (height, width)
    } else {
        (width, height)
    };
    Ok(Header {
        height: height as usize,
        width: width as usize,
        colour: decoder.color_type().has_color(),
    })
}

/// The whole picture with 1 or 3 `channels`.
pub(crate) fn decode(path: &Path, channels: usize) -> Result<Decoded, String> {
    guarded(|| read_pixels(path, channels))
}

/// A decoder that gives up with a panic costs one file and not the program.
fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let failed = |panic| {
        Err(format!(
            "the image is damaged (its decoder failed: {panic})"
        ))
    };
    caught(decode).unwrap_or_else(failed)
}

fn read_pixels(path: &Path, channels: usize) -> Result<Decoded, String> {
    let bytes = read(path)?;
    check_jpeg_is_whole(&bytes)?;
    let mut decoder = decoder(Cursor::new(bytes.as_slice()), bytes.len() as u64)?;
    let upright = if may_be_turned(&bytes) {
        upright(&mut decoder)
    } else {
        Orientation::NoTransforms
    };
    check_memory(&decoder)?;
    let mut image = DynamicImage::from_decoder(decoder)
        .map_err(|error| format!("the image is damaged ({})", one_line(&error)))?;
    image.apply_orientation(upright);
    let (height, width) = (image.height() as usize, image.width() as usize);
    let (pixels, has) = to_bytes(image);
    Ok(Decoded {
        height,
        width,
        pixels: change_channels(pixels, has, channels),
    })
}

/// A large picture is held as it was stored and as bytes, and as floats while it is scaled.
fn check_memory(decoder: &impl ImageDecoder) -> Result<(), String> {
    /// Bytes of one pixel in between: two copies of three floats and their bytes.
    const WORKED_ON: u64 = 36;
    const LARGE: u64 = 16 << 20;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let needed = decoder
        .total_bytes()
        .saturating_mul(2)
        .saturating_add(pixels * WORKED_ON);
    if needed < LARGE {
        Ok(())
    } else {
        system_memory::check(needed)
    }
}

fn upright(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

/// False for a JPEG file without EXIF before its pixels, going by its first bytes: the decoder would read all of the
/// header, with its tables, once more to find none.
fn may_be_turned(first: &[u8]) -> bool {
    let Some(mut rest) = first.strip_prefix(&[0xff, 0xd8]) else {
        return true;
    };
    while let [0xff, marker, high, low, after @ ..] = rest {
        match marker {
            0xda => return false,
            0xe1 => return true,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = length
            .checked_sub(2)
            .and_then(|length| after.get(length..))
            .unwrap_or_default();
    }
    true
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let fail = |cause: std::io::Error| format!("cannot be read ({cause})");
    let file = open_regular(path).map_err(fail)?;
    let mut bytes = Vec::new();
    file.take(MOST_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    match bytes.len() as u64 {
        0 => Err("the file is empty".to_string()),
        length if length > MOST_FILE_BYTES => Err(format!(
            "larger than {} bytes",
            format::count(MOST_FILE_BYTES)
        )),
        _ => Ok(bytes),
    }
}

fn decoder<'a, R: BufRead + Seek + 'a>(
    reader: R,
    length: u64,
) -> Result<impl ImageDecoder + 'a, String> {
    let damaged =
        |error: image::ImageError| format!("not an image that can be read ({})", one_line(&error));
    let mut reader = ImageReader::new(reader)
        .with_guessed_format()
        .map_err(|cause| format!("cannot be read ({cause})"))?;
    if reader.format().is_none() {
        return Err("not an image: its first bytes are those of no known format".to_string());
    }
    reader.limits(limits(length));
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > length.saturating_mul(MOST_PIXELS_A_BYTE) && pixels <= MOST_PIXELS {
        return Err(format!(
            "its header says {width}×{height} pixels, more than its {length} bytes can hold"
        ));
    }
    if pixels == 0 || pixels > MOST_PIXELS {
        return Err(format!(
            "its header says {width}×{height} pixels; from 1 to {} are read",
            format::count(MOST_PIXELS)
        ));
    }
    Ok(decoder)
}

/// Memory that a decoder may ask for: what the pixels of a file of `length` bytes can come to at eight bytes each.
fn limits(length: u64) -> Limits {
    let mut limits = Limits::default();
    let pixels = length.saturating_mul(MOST_PIXELS_A_BYTE).min(MOST_PIXELS);
    limits.max_alloc = Some((pixels * 8).max(LEAST_MEMORY));
    limits
}

/// Some decoders end their message with a line break.
fn one_line(error: &image::ImageError) -> String {
    let words = error.to_string();
    words.split_whitespace().collect::<Vec<&str>>().join(" ")
}

fn swaps_sides(upright: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(
        upright,
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH
    )
}

/// Bytes and their number of channels, 1 or 3.
fn to_bytes(image: DynamicImage) -> (Vec<u8>, usize) {
    let colour = image.color();
    if colour.has_alpha() {
        let over_white = |rgba: &[u8]| [0, 1, 2].map(|channel| blend(rgba[channel], rgba[3]));
        let rgba = image.into_rgba8().into_raw();
        (rgba.chunks_exact(4).flat_map(over_white).collect(), 3)
    } else if colour.has_color() {
        (image.into_rgb8().into_raw(), 3)
    } else {
        (image.into_luma8().into_raw(), 1)
    }
}

fn blend(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// The JPEG decoder fills what is missing with grey and says nothing, so a file cut short is
/// known by its missing end marker: there must be one after the last start of a scan (the pixel
/// data itself never contains either).
fn check_jpeg_is_whole(bytes: &[u8]) -> Result<(), String> {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return Ok(());
    }
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    match (last(0xda), last(0xd9)) {
        (Some(scan), Some(end)) if end > scan => Ok(()),
        _ => Err("the file ends in the middle of the image".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_jpeg_file_known_to_be_without_exif_is_upright() {
        let segment = |marker: u8, length: u16, bytes: usize| {
            [
                vec![0xff, marker],
                length.to_be_bytes().to_vec(),
                vec![7; bytes],
            ]
            .concat()
        };
        let file = |segments: &[Vec<u8>]| [vec![0xff, 0xd8], segments.concat()].concat();
        let (jfif, exif, scan) = (
            segment(0xe0, 16, 14),
            segment(0xe1, 10, 8),
            segment(0xda, 8, 6),
        );
        assert!(!may_be_turned(&file(&[
            jfif.clone(),
            segment(0xdb, 67, 65),
            scan.clone()
        ])));
        assert!(!may_be_turned(&file(&[
            jfif.clone(),
            scan.clone(),
            exif.clone()
        ])));
        for unsure in [
            file(&[jfif.clone(), exif, scan.clone()]),
            file(std::slice::from_ref(&jfif)),
            file(&[segment(0xe0, 1, 14), scan.clone()]),
            file(&[segment(0xe0, 5000, 14), scan.clone()]),
            file(&[vec![0xff], scan]),
            b"\x89PNG".to_vec(),
            Vec::new(),
        ] {
            assert!(may_be_turned(&unsure), "{unsure:?}");
        }
    }
}
