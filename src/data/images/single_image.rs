//! One image file by itself, at its own size and in its own colours: no dataset around it.

use super::depth::Depth;
use super::image_file;
use crate::error::DataError;
use crate::source::RawImage;
use std::path::Path;

/// A picture from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePicture {
    /// Height and width.
    pub size: [usize; 2],
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// `H × W × C` bytes.
    pub pixels: Vec<u8>,
}

impl FilePicture {
    /// Reads a PNG, JPEG, BMP, GIF, WebP or TIFF file; fails where that cannot be decoded or is too large.
    pub fn read(path: &Path) -> Result<FilePicture, DataError> {
        let refused = |problem: String| {
            let help = "choose a PNG, JPEG, BMP, GIF, WebP or TIFF file that opens elsewhere";
            DataError::malformed(path, problem, help)
        };
        let (header, _) = image_file::header(path).map_err(refused)?;
        let channels = if header.channels == 1 { 1 } else { 3 };
        let decoded = image_file::decode(path, channels, Depth::Bytes).map_err(refused)?;
        let pixels = match decoded.values {
            RawImage::Bytes(pixels)
                if pixels.len() == decoded.height * decoded.width * channels =>
            {
                pixels
            }
            _ => return Err(refused(format!("it has {} channels", header.channels))),
        };
        Ok(FilePicture {
            size: [decoded.height, decoded.width],
            channels,
            pixels,
        })
    }
}
