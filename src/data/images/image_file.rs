//! One image file (PNG, JPEG, BMP, GIF, WebP, TIFF, PNM) to values: grey or colour, upright as its
//! EXIF entry says, transparent parts over white; 16 bits and floats as such where that is asked for.
//!
//! Fails with a reason in words, and never allocates for a size that is only claimed: files
//! larger than [`MOST_PIXELS`] are refused before decoding.

use super::depth::{Depth, as_deep};
use super::image_fitting::change_channels;
use super::{frames, jpeg_file, tiff_file};
use crate::error::DataError;
use crate::formats::not_read;
use crate::source::RawImage;
use bytes::Bytes;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use strata_core::files::{self, open_measured, open_regular};
use strata_core::logging::panic::caught;
use strata_core::{format, system_memory};

/// 64 megapixels: more than any camera's photograph that could serve as a training image.
pub(crate) const MOST_PIXELS: u64 = 64 << 20;
const MOST_FILE_BYTES: u64 = 512 << 20;
/// Files up to this many bytes are read as a whole for their header: as many as are read at a time.
const SMALL_FILE: u64 = 8 << 10;
/// A blank page can be this small; a header that claims more for the bytes it has is lying.
pub(crate) const MOST_PIXELS_A_BYTE: u64 = 10_000;
/// What a decoder needs for its tables, however small the picture.
const LEAST_MEMORY: u64 = 16 << 20;
const EXTENSIONS: [&str; 14] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "bmp", "gif", "webp", "tif", "tiff", "pgm", "ppm", "pbm",
    "pnm",
];
/// Pages of a file are looked for in this many of its bytes at most.
const MOST_LOOKED_AT: u64 = 64 << 20;

/// What a file says about itself before its pixels are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Header {
    pub height: usize,
    pub width: usize,
    /// 1 for grey, 3 for colour, or as many as there are.
    pub channels: usize,
    pub depth: Depth,
    /// Pages or frames; the first is read.
    pub pages: usize,
}

/// Where an image is read from. Decoders take it as a trait object: they would be compiled once more for every kind.
pub(crate) trait Input: BufRead + Seek {}

impl<R: BufRead + Seek> Input for R {}

/// A decoded picture, H×W×C.
pub(crate) struct Decoded {
    pub height: usize,
    pub width: usize,
    pub values: RawImage,
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

/// The image files of a folder and of those in it, by name, in the order of their paths. Fails with what cannot be
/// read and why.
pub fn image_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |cause| DataError::unreadable(&folder, cause);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            // Links to folders are not followed: they may lead in a circle.
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
            } else if is_named_like_one(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The names read, for messages.
pub(crate) fn extensions() -> String {
    EXTENSIONS
        .map(|extension| format!(".{extension}"))
        .join(" ")
}

/// Size and kind, without decoding the pixels; of a small file also its bytes, which were read for that.
pub(crate) fn header(path: &Path) -> Result<(Header, Option<Bytes>), String> {
    guarded(|| read_header(path))
}

fn read_header(path: &Path) -> Result<(Header, Option<Bytes>), String> {
    let unreadable = |cause: std::io::Error| format!("cannot be read ({cause})");
    let (file, length) = open_measured(path).map_err(unreadable)?;
    if length == 0 {
        return Err("the file is empty".to_string());
    }
    if length > SMALL_FILE {
        let header = header_in(&mut BufReader::new(file), length, &|| frames_of(path))?;
        return Ok((header, None));
    }
    // With room for one byte more, the end of the file is met without asking for room. It may grow meanwhile.
    let mut bytes = Vec::with_capacity(length as usize + 1);
    file.take(MOST_FILE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let frames = || frames::count(&bytes);
    let header = header_in(&mut Cursor::new(&bytes), bytes.len() as u64, &frames)?;
    Ok((header, Some(bytes.into())))
}

/// The same of the bytes of an image file.
pub(crate) fn header_of(bytes: &[u8]) -> Result<Header, String> {
    if bytes.is_empty() {
        return Err("the image is empty".to_string());
    }
    let length = bytes.len() as u64;
    let frames = || frames::count(bytes);
    guarded(|| header_in(&mut Cursor::new(bytes), length, &frames))
}

fn header_in(
    reader: &mut dyn Input,
    length: u64,
    frames: &dyn Fn() -> usize,
) -> Result<Header, String> {
    let unreadable = |cause: std::io::Error| format!("cannot be read ({cause})");
    let first = reader.fill_buf().map_err(unreadable)?;
    if let Some(frame) = jpeg_file::usual_frame(first) {
        check_size([frame.width as u32, frame.height as u32], length)?;
        return Ok(Header::of_jpeg(frame));
    }
    let pages = match first {
        first if frames::may_have_several(first) => frames(),
        _ => 1,
    };
    if tiff_file::is_tiff(first) {
        let about = tiff_file::about(reader);
        match about {
            Some(about) if !about.is_usual => return Ok(Header::of_tiff(&about)),
            about => {
                let pages = about.map_or(1, |about| about.pages);
                reader.rewind().map_err(unreadable)?;
                return of_decoder(decoder(reader, length)?, pages);
            }
        }
    }
    of_decoder(decoder(reader, length)?, pages)
}

fn of_decoder(mut decoder: impl ImageDecoder, pages: usize) -> Result<Header, String> {
    let upright = upright(&mut decoder);
    let (width, height) = decoder.dimensions();
    let (width, height) = if swaps_sides(upright) {
        (height, width)
    } else {
        (width, height)
    };
    let colour = decoder.color_type();
    Ok(Header {
        height: height as usize,
        width: width as usize,
        channels: if colour.has_color() { 3 } else { 1 },
        depth: Depth::of(colour),
        pages,
    })
}

impl Header {
    fn of_jpeg(frame: jpeg_file::Frame) -> Header {
        Header {
            height: frame.height,
            width: frame.width,
            channels: frame.channels,
            depth: Depth::Bytes,
            pages: 1,
        }
    }

    fn of_tiff(about: &tiff_file::About) -> Header {
        Header {
            height: about.height,
            width: about.width,
            channels: about.bands,
            depth: about.depth,
            pages: about.pages,
        }
    }
}

fn frames_of(path: &Path) -> usize {
    let mut bytes = Vec::new();
    let read =
        open_regular(path).and_then(|file| file.take(MOST_LOOKED_AT).read_to_end(&mut bytes));
    read.map_or(1, |_| frames::count(&bytes))
}

/// The whole picture with so many `channels`, its values as `depth` has them: brought from 8 to 16 bits and back, or
/// left as they are in the file where they become floats.
pub(crate) fn decode(path: &Path, channels: usize, depth: Depth) -> Result<Decoded, String> {
    guarded(|| read_pixels(&read(path)?, channels, depth))
}

/// The same of the bytes of an image file.
pub(crate) fn decode_bytes(bytes: &[u8], channels: usize, depth: Depth) -> Result<Decoded, String> {
    guarded(|| read_pixels(bytes, channels, depth))
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

fn read_pixels(bytes: &[u8], channels: usize, depth: Depth) -> Result<Decoded, String> {
    if tiff_file::is_tiff(bytes)
        && tiff_file::about(&mut Cursor::new(bytes)).is_some_and(|about| !about.is_usual)
    {
        let (about, values) = tiff_file::decode(bytes)?;
        let values = as_deep(values, depth);
        return Ok(Decoded {
            height: about.height,
            width: about.width,
            values: with_channels(values, about.bands, channels),
        });
    }
    let image = match jpeg_file::is_jpeg(bytes) {
        true => jpeg_file::decode(bytes)?,
        false => decode_image(bytes)?,
    };
    let (height, width) = (image.height() as usize, image.width() as usize);
    let (values, has) = to_values(image, channels, depth);
    Ok(Decoded {
        height,
        width,
        values: with_channels(values, has, channels),
    })
}

/// The picture of a file of any kind but JPEG, upright.
fn decode_image(bytes: &[u8]) -> Result<DynamicImage, String> {
    let mut reader = Cursor::new(bytes);
    let mut decoder = decoder(&mut reader, bytes.len() as u64)?;
    let upright = upright(&mut decoder);
    let (width, height) = decoder.dimensions();
    check_memory(
        [width, height],
        u64::from(decoder.color_type().bytes_per_pixel()),
    )?;
    let mut image = DynamicImage::from_decoder(decoder)
        .map_err(|error| format!("the image is damaged ({})", one_line(&error)))?;
    image.apply_orientation(upright);
    Ok(image)
}

/// A large picture is held as it was stored and as bytes, and as floats while it is scaled.
pub(super) fn check_memory([width, height]: [u32; 2], bytes_a_pixel: u64) -> Result<(), String> {
    /// Bytes of one pixel in between: two copies of three floats and their bytes.
    const WORKED_ON: u64 = 36;
    let pixels = u64::from(width) * u64::from(height);
    system_memory::check_large(pixels.saturating_mul(2 * bytes_a_pixel + WORKED_ON))
}

fn with_channels(values: RawImage, has: usize, channels: usize) -> RawImage {
    match values {
        RawImage::Bytes(values) => RawImage::Bytes(change_channels(values, has, channels)),
        RawImage::Words(values) => RawImage::Words(change_channels(values, has, channels)),
        RawImage::Floats(values) => RawImage::Floats(change_channels(values, has, channels)),
    }
}

fn upright(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = files::read_bounded(path, MOST_FILE_BYTES)
        .map_err(|cause| format!("cannot be read ({cause})"))?;
    match bytes.is_empty() {
        true => Err("the file is empty".to_string()),
        false => Ok(bytes),
    }
}

fn decoder<'a>(reader: &'a mut dyn Input, length: u64) -> Result<impl ImageDecoder + 'a, String> {
    let damaged =
        |error: image::ImageError| format!("not an image that can be read ({})", one_line(&error));
    let mut reader = ImageReader::new(reader)
        .with_guessed_format()
        .map_err(|cause| format!("cannot be read ({cause})"))?;
    if reader.format().is_none() {
        let mut first = Vec::new();
        // What cannot be read has no first bytes, and is no known format either.
        let _ = reader.into_inner().take(64).read_to_end(&mut first);
        return Err(match not_read::by_content(&first) {
            Some(kind) => format!("it is {}, which is not read", kind.name),
            None => "not an image: its first bytes are those of no known format".to_string(),
        });
    }
    reader.limits(limits(length));
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_size([width, height], length)?;
    Ok(decoder)
}

/// Whether a file of `length` bytes may hold so many pixels.
pub(super) fn check_size([width, height]: [u32; 2], length: u64) -> Result<(), String> {
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
    Ok(())
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

/// Values and their number of channels: 1 or 3, or with alpha where so many are wanted.
fn to_values(image: DynamicImage, channels: usize, depth: Depth) -> (RawImage, usize) {
    let colour = image.color();
    if matches!(channels, 2 | 4) {
        return with_alpha(image, channels, depth);
    }
    if depth == Depth::Bytes {
        let (pixels, has) = to_bytes(image);
        return (RawImage::Bytes(pixels), has);
    }
    let own = Depth::of(colour);
    let (values, has) = if own == Depth::Floats {
        (RawImage::Floats(image.into_rgb32f().into_raw()), 3)
    } else if colour.has_alpha() {
        let over_white = |rgba: &[u16]| [0, 1, 2].map(|at| blend_words(rgba[at], rgba[3]));
        let rgba = image.into_rgba16().into_raw();
        let colours = rgba.chunks_exact(4).flat_map(over_white);
        (RawImage::Words(colours.collect()), 3)
    } else if colour.has_color() {
        (RawImage::Words(image.into_rgb16().into_raw()), 3)
    } else {
        (RawImage::Words(image.into_luma16().into_raw()), 1)
    };
    if depth == Depth::Words {
        return (as_deep(values, Depth::Words), has);
    }
    // Among floats, whole numbers are what the file says: from 0 to 255, or to 65,535.
    let values = match (values, own) {
        (RawImage::Words(values), Depth::Bytes) => RawImage::Floats(
            values
                .into_iter()
                .map(|value| f32::from(value / 257))
                .collect(),
        ),
        (values, _) => as_deep(values, Depth::Floats),
    };
    (values, has)
}

/// Grey or colour with its alpha as one more channel.
fn with_alpha(image: DynamicImage, channels: usize, depth: Depth) -> (RawImage, usize) {
    let values = match (channels, depth) {
        (2, Depth::Bytes) => RawImage::Bytes(image.into_luma_alpha8().into_raw()),
        (2, _) => RawImage::Words(image.into_luma_alpha16().into_raw()),
        (_, Depth::Bytes) => RawImage::Bytes(image.into_rgba8().into_raw()),
        _ => RawImage::Words(image.into_rgba16().into_raw()),
    };
    (as_deep(values, depth), channels)
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

fn blend_words(value: u16, alpha: u16) -> u16 {
    let (value, alpha) = (u64::from(value), u64::from(alpha));
    ((value * alpha + 65_535 * (65_535 - alpha) + 32_767) / 65_535) as u16
}
