//! Image files of one shape once scaled: their sizes, channels and depth, their pixels, and what their values tell.

use super::common;
use super::files::{self, FileFormat, SplitFiles, Splits};
use super::listing::Entry;
use super::quality::{self, Look};
use crate::Skipped;
use crate::error::DataError;
use crate::hash::fingerprint;
use crate::images::depth::Depth;
use crate::images::image_file::{self, Decoded, Header};
use crate::images::image_fitting::{ImageFitter, Scaling};
use crate::source::{OpenRequest, RawImage};

/// What every file is brought to.
#[derive(Clone, Copy)]
struct Form {
    shape: [usize; 3],
    depth: Depth,
    scaling: Option<Scaling>,
}

impl FileFormat for Form {
    type Header = Header;
    type Look = Look;
    const LOOKING: &'static str = "looking at images";
    const READING: &'static str = "reading images";
    const MOST_KEPT: usize = 2 << 30;

    fn header(entry: &mut Entry) -> Result<Header, String> {
        if let Some(row) = &entry.row {
            return row.with_bytes(image_file::header_of);
        }
        let (header, bytes) = image_file::header(&entry.path)?;
        entry.bytes = bytes;
        Ok(header)
    }

    fn sift(
        ask: &mut OpenRequest,
        splits: &mut Splits,
        headers: &mut [Vec<Header>],
        skipped: &mut Vec<Skipped>,
    ) -> Result<(), DataError> {
        common::sift(ask, splits, headers, skipped)
    }

    fn new(
        ask: &mut OpenRequest,
        headers: &[Vec<Header>],
        splits: &Splits,
    ) -> Result<Form, DataError> {
        common::tell_of_pages(ask, splits, headers);
        let headers = headers.concat();
        let form = Form {
            shape: common::shape(ask, &headers, splits)?,
            depth: common::depth(&headers),
            scaling: ask.spec.resize.map(|_| Scaling::of(ask.spec)),
        };
        ask.told.depth = Some(form.depth);
        Ok(form)
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn value_size(&self) -> usize {
        self.depth.size()
    }

    fn read(&self, entry: &Entry) -> Result<(RawImage, Look), String> {
        read(entry, *self)
    }

    fn fingerprint(look: &Look) -> Option<u128> {
        Some(look.print)
    }
}

/// The parts, and the values that stand for black and white.
pub(crate) fn decode(
    ask: &mut OpenRequest,
    splits: Splits,
    skipped: &mut Vec<Skipped>,
) -> Result<files::Decoded, DataError> {
    let files = files::decode::<Form>(ask, splits, skipped)?;
    let span = tell(ask, &files);
    let parts = files.into_iter().map(SplitFiles::into_part).collect();
    Ok(files::Decoded { parts, span })
}

/// Says what the values tell; gives those that stand for black and white.
fn tell(ask: &mut OpenRequest, files: &[SplitFiles<Form>]) -> [f32; 2] {
    let depth = ask.told.depth.unwrap_or_default();
    let looks: Vec<quality::Looks> = files
        .iter()
        .map(|part| {
            let files = &part.files;
            (part.split, files.paths.as_slice(), files.looks.as_slice())
        })
        .collect();
    let pixel = ask.spec.pixel;
    quality::tell(ask.told, depth, pixel.is_some(), &looks);
    let own = || {
        let [low, high] = looks
            .first()
            .map_or([0.0, 1.0], |(_, _, looks)| quality::range(looks));
        if low < high {
            [low, high]
        } else {
            [low, low + 1.0]
        }
    };
    pixel
        .map(|span| [span.black, span.white])
        .or(depth.span())
        .unwrap_or_else(own)
}

/// The picture of a file or a row.
pub(super) fn of_entry(entry: &Entry, channels: usize, depth: Depth) -> Result<Decoded, String> {
    let decode = |bytes: &[u8]| image_file::decode_bytes(bytes, channels, depth);
    match (&entry.row, &entry.bytes) {
        (Some(row), _) => row.with_bytes(decode),
        (None, Some(bytes)) => decode(bytes),
        (None, None) => image_file::decode(&entry.path, channels, depth),
    }
}

/// A picture of the form, and what its file holds.
fn read(entry: &Entry, form: Form) -> Result<(RawImage, Look), String> {
    let [height, width, channels] = form.shape;
    let decoded = of_entry(entry, channels, form.depth)?;
    let size = [decoded.height, decoded.width];
    let from = [size[0], size[1], channels];
    if decoded.values.len() != from.iter().product::<usize>() {
        return Err(format!("it cannot be given {channels} channels"));
    }
    let look = look(from, &decoded.values);
    if size == [height, width] {
        return Ok((decoded.values, look));
    }
    let Some(scaling) = form.scaling else {
        return Err(format!(
            "it is {}×{} and not {height}×{width} as its header says",
            size[0], size[1]
        ));
    };
    let fit = ImageFitter::new(from, Some([height, width]), None, scaling);
    let fit = fit.map_err(|error| error.to_string())?;
    Ok((fit.apply(decoded.values), look))
}

fn look(shape: [usize; 3], values: &RawImage) -> Look {
    /// Two passes over copies: the compiler makes vectors of each, and of neither together nor by reference.
    fn ends<T: Copy + Ord + Into<f32>>(values: &[T]) -> [f32; 2] {
        let values = || values.iter().copied();
        let ends = [values().min(), values().max()];
        ends.map(|end| end.map_or(0.0, Into::into))
    }
    let [least, most] = match values {
        RawImage::Bytes(values) => ends(values),
        RawImage::Words(values) => ends(values),
        RawImage::Floats(values) => {
            let first = values.first().copied().unwrap_or_default();
            let wider = |[low, high]: [f32; 2], &value: &f32| [low.min(value), high.max(value)];
            values.iter().fold([first, first], wider)
        }
    };
    Look {
        least,
        most,
        print: fingerprint(shape, values),
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Files;
    use super::*;
    use crate::source::ImageStore;
    use std::sync::Arc;

    #[test]
    fn a_file_that_vanished_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seven.png");
        image::GrayImage::from_pixel(2, 2, image::Luma([7]))
            .save(&path)
            .unwrap();
        let files = Files {
            format: Arc::new(Form {
                shape: [2, 2, 1],
                depth: Depth::Bytes,
                scaling: None,
            }),
            paths: vec![path.clone()],
            looks: Vec::new(),
            rows: Vec::new(),
            values: None,
        };
        assert_eq!(files.raw(0).unwrap(), RawImage::Bytes(vec![7; 4]));
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
