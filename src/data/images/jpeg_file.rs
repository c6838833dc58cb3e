//! JPEG files: their header without a decoder, and their pixels by one that reads the header once.
//!
//! The decoder that `image` wraps builds the tables of a file anew for its size, its orientation and its pixels, which
//! takes a small picture as long as its pixels do. It is asked itself here, for the same colours.

use super::image_file::check_size;
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

const START: [u8; 2] = [0xff, 0xd8];
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
/// The segment of EXIF, which may say that the picture is to be turned.
const APP1: u8 = 0xe1;
/// Baseline, extended and progressive pictures with Huffman's codes.
const FRAMES_READ: [u8; 3] = [0xc0, 0xc1, 0xc2];

/// What the segments before the pixels say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub height: usize,
    pub width: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
}

/// Whether these are the first bytes of a JPEG file.
pub(super) fn is_jpeg(first: &[u8]) -> bool {
    first.starts_with(&START)
}

/// Size and channels of a usual upright file, by its first bytes; none where they don't tell, or where there may be an
/// orientation.
pub(super) fn usual_frame(first: &[u8]) -> Option<Frame> {
    let mut frame = None;
    for (marker, content) in segments(first) {
        match marker {
            START_OF_SCAN => return frame,
            APP1 => return None,
            marker if FRAMES_READ.contains(&marker) && frame.is_none() => {
                frame = Some(read_frame(content)?);
            }
            _ => {}
        }
    }
    None
}

fn read_frame(content: &[u8]) -> Option<Frame> {
    let [8, h1, h2, w1, w2, components @ (1 | 3), ..] = *content else {
        return None;
    };
    let [height, width] = [[h1, h2], [w1, w2]].map(u16::from_be_bytes);
    Some(Frame {
        height: usize::from(height),
        width: usize::from(width),
        channels: usize::from(components),
    })
}

/// The segments at the start of a file, as far as they are whole: their markers and contents.
fn segments(first: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = first.strip_prefix(&START).unwrap_or_default();
    std::iter::from_fn(move || {
        let [0xff, marker, high, low, ..] = *rest else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let content = rest.get(4..2 + length)?;
        rest = rest.get(2 + length..)?;
        Some((marker, content))
    })
}

/// The picture, upright. Fails with a reason in words.
pub(super) fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    check_is_whole(bytes)?;
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let unreadable =
        |error: DecodeErrors| format!("not an image that can be read ({})", words(&error));
    decoder.decode_headers().map_err(unreadable)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let (width, height) = (width as u32, height as u32);
    check_size([width, height], bytes.len() as u64)?;
    let is_grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let (colours, channels) = match is_grey {
        true => (ColorSpace::Luma, 1),
        false => (ColorSpace::RGB, 3),
    };
    super::image_file::check_memory([width, height], channels)?;
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(colours));
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif));
    let pixels = decoder
        .decode()
        .map_err(|error| format!("the image is damaged ({})", words(&error)))?;
    let image = match is_grey {
        true => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        false => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
    };
    let mut image = image.ok_or("the image is damaged (it has too few pixels)")?;
    image.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    Ok(image)
}

/// The decoder's reason in one line.
fn words(error: &DecodeErrors) -> String {
    let reason = error.to_string();
    reason.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// The decoder fills what is missing with grey and says nothing, so a file cut short is known by its missing end marker:
/// there must be one after the last start of a scan (the pixel data itself never contains either).
fn check_is_whole(bytes: &[u8]) -> Result<(), String> {
    let holds_scan = |bytes: &[u8]| bytes.windows(2).any(|pair| pair == [0xff, START_OF_SCAN]);
    let end = bytes
        .windows(2)
        .rposition(|pair| pair == [0xff, END_OF_IMAGE]);
    // A scan starts early and the end is at the end: the pixel data between them is not gone through.
    match end.map(|end| bytes.split_at(end)) {
        Some((before, after)) if holds_scan(before) && !holds_scan(after) => Ok(()),
        _ => Err("the file ends in the middle of the image".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, length: u16, content: &[u8]) -> Vec<u8> {
        let [high, low] = length.to_be_bytes();
        [&[0xff, marker, high, low], content].concat()
    }

    fn file(segments: &[Vec<u8>]) -> Vec<u8> {
        [START.to_vec(), segments.concat()].concat()
    }

    #[test]
    fn only_a_usual_file_known_to_be_upright_has_a_frame() {
        let jfif = segment(0xe0, 16, &[7; 14]);
        let exif = segment(0xe1, 10, &[7; 8]);
        let scan = segment(0xda, 8, &[7; 6]);
        let frame = |precision: u8, components: u8| {
            segment(0xc0, 9, &[precision, 0, 48, 1, 0, components, 7])
        };
        let colour = Frame {
            height: 48,
            width: 256,
            channels: 3,
        };
        let tables = segment(0xdb, 67, &[7; 65]);
        for usual in [
            file(&[jfif.clone(), tables, frame(8, 3), scan.clone()]),
            file(&[jfif.clone(), frame(8, 3), scan.clone(), exif.clone()]),
        ] {
            assert_eq!(usual_frame(&usual), Some(colour), "{usual:?}");
        }
        let grey = file(&[frame(8, 1), scan.clone()]);
        assert_eq!(usual_frame(&grey).map(|frame| frame.channels), Some(1));
        for unsure in [
            file(&[jfif.clone(), exif.clone(), frame(8, 3), scan.clone()]),
            file(&[jfif.clone(), frame(8, 3), exif, scan.clone()]),
            file(&[jfif.clone(), frame(8, 3)]),
            file(&[frame(12, 3), scan.clone()]),
            file(&[frame(8, 4), scan.clone()]),
            file(&[segment(0xc3, 9, &[8, 0, 48, 1, 0, 3, 7]), scan.clone()]),
            file(&[segment(0xc0, 4, &[8, 0]), scan.clone()]),
            file(&[segment(0xe0, 1, &[7; 14]), frame(8, 3), scan.clone()]),
            file(&[segment(0xe0, 5000, &[7; 14]), frame(8, 3), scan.clone()]),
            file(&[vec![0xff], frame(8, 3), scan.clone()]),
            file(&[scan]),
            b"\x89PNG".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(usual_frame(&unsure), None, "{unsure:?}");
        }
    }

    #[test]
    fn pixels_and_frames_are_those_of_the_library() {
        use image::codecs::jpeg::JpegEncoder;
        let colours = RgbImage::from_fn(37, 21, |x, y| {
            image::Rgb([(x * 6) as u8, (y * 11) as u8, ((x + y) * 4) as u8])
        });
        let colours = DynamicImage::ImageRgb8(colours);
        for image in [colours.to_luma8().into(), colours] {
            let mut bytes = Vec::new();
            let encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
            image.write_with_encoder(encoder).unwrap();
            let theirs = image::load_from_memory(&bytes).unwrap();
            assert_eq!(decode(&bytes).unwrap(), theirs);
            let frame = usual_frame(&bytes).unwrap();
            assert_eq!((frame.width, frame.height), (37, 21));
            assert_eq!(frame.channels, usize::from(theirs.color().channel_count()));
        }
    }
}
