//! Image files of one shape once scaled: their sizes, grey or colour, and their pixels.

use super::files::{self, Decoded, FileFormat, Splits};
use crate::Skipped;
use crate::error::DataError;
use crate::images::image_file::{self, Header};
use crate::images::image_fitting::{Fit, Scaling};
use crate::source::{Ask, BYTES, Raw};
use std::collections::BTreeMap;
use std::path::Path;

/// The side proposed where images differ in size, unless they are smaller.
const USUAL_SIDE: usize = 64;

/// Image files, all of one shape once scaled.
struct ImageFiles {
    shape: [usize; 3],
    scaling: Option<Scaling>,
}

impl FileFormat for ImageFiles {
    type Header = Header;
    type Value = u8;
    const LOOKING: &'static str = "looking at images";
    const READING: &'static str = "reading images";
    const MOST_KEPT: usize = 2 << 30;

    fn header(path: &Path) -> Result<Header, String> {
        image_file::header(path)
    }

    fn new(ask: &Ask, headers: &[Header], splits: &Splits) -> Result<ImageFiles, DataError> {
        Ok(ImageFiles {
            shape: common_shape(ask, headers, splits)?,
            scaling: ask.spec.resize.map(|_| Scaling::of(ask.spec)),
        })
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        read(path, self.shape, self.scaling)
    }

    fn raw(pixels: Vec<u8>) -> Raw {
        Raw::Bytes(pixels)
    }
}

pub(crate) fn decode(
    ask: &mut Ask,
    splits: Splits,
    skipped: &mut Vec<Skipped>,
) -> Result<Decoded, DataError> {
    let parts = files::decode::<ImageFiles>(ask, splits, skipped)?;
    Ok(Decoded { parts, span: BYTES })
}

/// H×W×C of every picture, given all headers.
fn common_shape(ask: &Ask, headers: &[Header], splits: &Splits) -> Result<[usize; 3], DataError> {
    let none = Header {
        height: 1,
        width: 1,
        colour: false,
    };
    let first = headers.first().copied().unwrap_or(none);
    let channels = match ask.channels {
        Some(channels @ (1 | 3)) => channels,
        Some(other) => {
            return Err(DataError::setting(
                "source",
                format!("images cannot be given {other} channels"),
                "let the network's input have 1 (grey) or 3 (red, green, blue) channels",
            ));
        }
        None if headers.iter().any(|header| header.colour) => 3,
        None => 1,
    };
    if let Some([height, width]) = ask.spec.resize {
        return Ok([height as usize, width as usize, channels]);
    }
    let same = |header: &Header| header.height == first.height && header.width == first.width;
    if headers.iter().all(same) {
        return Ok([first.height, first.width, channels]);
    }
    Err(sizes_differ(&ask.folder, headers, splits))
}

fn sizes_differ(folder: &Path, headers: &[Header], splits: &Splits) -> DataError {
    const SHOWN: usize = 3;
    let entries = splits.iter().flat_map(|(_, entries)| entries);
    let mut sizes: BTreeMap<(usize, usize), (usize, &Path)> = BTreeMap::new();
    for (header, entry) in headers.iter().zip(entries) {
        sizes
            .entry((header.height, header.width))
            .or_insert((0, &entry.path))
            .0 += 1;
    }
    let mut by_count: Vec<_> = sizes.iter().collect();
    by_count.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let show = |((height, width), (_, path)): &(&(usize, usize), &(usize, &Path))| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("{height}×{width} {name}")
    };
    let mut shown: Vec<String> = by_count.iter().take(SHOWN).map(show).collect();
    if sizes.len() > SHOWN {
        shown.push(format!("{} other sizes", sizes.len() - SHOWN));
    }
    let least =
        |side: fn(&Header) -> usize| headers.iter().map(side).min().unwrap_or(1).min(USUAL_SIDE);
    DataError::SizesDiffer {
        folder: folder.to_path_buf(),
        sizes: shown.join(", "),
        suggestion: [least(|header| header.height), least(|header| header.width)],
    }
}

fn read(path: &Path, shape: [usize; 3], scaling: Option<Scaling>) -> Result<Vec<u8>, String> {
    let [height, width, channels] = shape;
    let decoded = image_file::decode(path, channels)?;
    let size = [decoded.height, decoded.width];
    if size == [height, width] {
        return Ok(decoded.pixels);
    }
    let Some(scaling) = scaling else {
        return Err(format!(
            "it is {}×{} and not {height}×{width} as its header says",
            size[0], size[1]
        ));
    };
    let fit = Fit::new(
        [size[0], size[1], channels],
        Some([height, width]),
        None,
        scaling,
    );
    Ok(fit
        .map_err(|error| error.to_string())?
        .bytes(decoded.pixels))
}

#[cfg(test)]
mod tests {
    use super::super::files::Files;
    use super::*;
    use crate::source::Pictures;
    use std::sync::Arc;

    #[test]
    fn a_file_that_vanished_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seven.png");
        image::GrayImage::from_pixel(2, 2, image::Luma([7]))
            .save(&path)
            .unwrap();
        let files = Files {
            format: Arc::new(ImageFiles {
                shape: [2, 2, 1],
                scaling: None,
            }),
            paths: vec![path.clone()],
            values: None,
        };
        assert_eq!(files.raw(0).unwrap(), Raw::Bytes(vec![7; 4]));
        std::fs::write(&path, "").unwrap();
        let emptied = files.raw(0).unwrap_err().to_string();
        assert!(
            emptied.contains("seven.png: the file is empty") && emptied.contains("put it back"),
            "{emptied}"
        );
        std::fs::remove_file(&path).unwrap();
        assert!(
            files
                .raw(0)
                .unwrap_err()
                .to_string()
                .contains("seven.png: cannot be read")
        );
    }
}
