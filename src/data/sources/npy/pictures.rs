//! An array as pictures, signals or volumes: which axis is which, and one of them at a time from the file or from
//! memory. A volume is kept as its slices one below the other. Fails on shapes that are none of these.

use super::header::Header;
use crate::error::DataError;
use crate::formats::array::Element;
use crate::formats::records::Store;
use crate::formats::rows::{self, Order};
use crate::source::{ImageStore, RawImage};
use strata_core::project::size::Shape;

/// Of five axes none is clearly that of the channels.
pub(super) const NO_CHANNELS: &str = "no axis of its volumes is one of channels";
const LONGEST_SIGNAL: usize = 1 << 20;
const LONGEST_SIDE: usize = 4096;
const LONGEST_VOLUME: usize = 1024;

/// Which axes a picture has, after the one that counts pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// H×W×C; of a signal, 1×L×C; of a volume, D·H×W×C.
    pub shape: [usize; 3],
    /// Slices of a volume.
    pub depth: Option<usize>,
    pub channels_first: bool,
    /// Rows and columns are exchanged: the array has W×H.
    pub is_transposed: bool,
}

impl Layout {
    /// What the project says of a picture's shape, else what the axes say.
    pub fn new(
        shape: &[usize],
        channels: Option<usize>,
        wanted: Option<&Shape>,
        is_transposed: bool,
    ) -> Result<Layout, String> {
        let volume = wanted.filter(|wanted| wanted.dims().len() == 4);
        let mut layout = match (volume, wanted) {
            (Some(wanted), _) => Layout::of_volume(shape, wanted)?,
            (None, Some(wanted)) => {
                let length = shape.iter().skip(1).product();
                let (shape, order) = rows::shape_of(wanted, length)?;
                Layout::checked(shape, order == Order::Planes)?
            }
            (None, None) => Layout::of(shape, channels)?,
        };
        if is_transposed && layout.depth.is_some() {
            return Err("transpose is for images, and these are volumes".to_owned());
        }
        if is_transposed {
            layout.shape.swap(0, 1);
            layout.is_transposed = true;
        }
        Ok(layout)
    }

    /// A volume of the shape that the project writes, channels first.
    fn of_volume(shape: &[usize], wanted: &Shape) -> Result<Layout, String> {
        let [channels, depth, height, width] = *wanted.dims() else {
            return Err("a volume has four numbers: channels, depth, height, width".to_owned());
        };
        let length: usize = shape.iter().skip(1).product();
        let product: usize = wanted.dims().iter().product();
        if product != length {
            return Err(format!(
                "a volume is {length} numbers, and shape = \"{}\" needs {product}",
                wanted.to_file_text()
            ));
        }
        let is_last =
            matches!(*shape, [_, d, h, w, c] if [c, d, h, w] == [channels, depth, height, width]);
        Layout::volume([depth, height, width, channels], !is_last)
    }

    fn volume(
        [depth, height, width, channels]: [usize; 4],
        channels_first: bool,
    ) -> Result<Layout, String> {
        let longest = depth.max(height).max(width);
        if [depth, height, width, channels].contains(&0)
            || longest > LONGEST_VOLUME
            || channels > LONGEST_SIDE
        {
            return Err(format!(
                "its volumes would be {depth}×{height}×{width} with {channels} channels"
            ));
        }
        Ok(Layout {
            shape: [depth * height, width, channels],
            depth: Some(depth),
            channels_first,
            is_transposed: false,
        })
    }

    /// The last axis is that of the channels if it has 1 or 3 places, else the second if it has; else whichever has as
    /// many as the network takes, or is far shorter than the other two. Without channels, three axes of a picture are
    /// those of a volume.
    pub fn of(shape: &[usize], channels: Option<usize>) -> Result<Layout, String> {
        let is_channels = |axis: usize| matches!(axis, 1 | 3);
        let fits = |axis: usize| channels == Some(axis);
        let is_short = |axis: usize, one: usize, other: usize| 2 * axis <= one.min(other);
        let (shape, channels_first) = match *shape {
            [_, length] => ([1, length, 1], false),
            [_, first, last] if is_channels(last) || last == 2 => ([1, first, last], false),
            [_, first, last] if is_channels(first) || first == 2 => ([1, last, first], true),
            [_, height, width] => ([height, width, 1], false),
            [_, height, width, last] if is_channels(last) => ([height, width, last], false),
            [_, first, height, width] if is_channels(first) => ([height, width, first], true),
            [_, height, width, last] if fits(last) => ([height, width, last], false),
            [_, first, height, width] if fits(first) => ([height, width, first], true),
            [_, height, width, last] if is_short(last, height, width) => {
                ([height, width, last], false)
            }
            [_, first, height, width] if is_short(first, height, width) => {
                ([height, width, first], true)
            }
            [_, depth, height, width] => {
                return Layout::volume([depth, height, width, 1], false);
            }
            [_, depth, height, width, last] if is_channels(last) => {
                return Layout::volume([depth, height, width, last], false);
            }
            [_, first, depth, height, width] if is_channels(first) || fits(first) => {
                return Layout::volume([depth, height, width, first], true);
            }
            [_, depth, height, width, last] if fits(last) => {
                return Layout::volume([depth, height, width, last], false);
            }
            [_, _, _, _, _] => {
                return Err(NO_CHANNELS.to_string());
            }
            _ => return Err("it has not two to five axes".to_string()),
        };
        Layout::checked(shape, channels_first)
    }

    /// Whether elements are stored in the order H×W×C.
    fn is_as_stored(&self) -> bool {
        !self.is_transposed && (!self.channels_first || self.shape[2] == 1)
    }

    fn checked(shape: [usize; 3], channels_first: bool) -> Result<Layout, String> {
        let [height, width, channels] = shape;
        let longest = if height == 1 {
            LONGEST_SIGNAL
        } else {
            LONGEST_SIDE
        };
        if [height, width, channels].contains(&0)
            || height > LONGEST_SIDE
            || width > longest
            || channels > LONGEST_SIDE
        {
            return Err(format!(
                "its pictures would be {height}×{width} with {channels} channels"
            ));
        }
        Ok(Layout {
            shape,
            depth: None,
            channels_first,
            is_transposed: false,
        })
    }
}

pub(crate) struct ArrayPictures {
    pub store: Store,
    /// Where the elements start in the store.
    pub offset: u64,
    pub count: usize,
    pub element: Element,
    /// Axes of the array.
    pub axes: usize,
    pub layout: Layout,
    /// Whether elements are given as bytes.
    pub as_bytes: bool,
}

impl ArrayPictures {
    pub fn new(header: &Header, layout: Layout, store: Store, offset: u64) -> ArrayPictures {
        ArrayPictures {
            store,
            offset,
            count: header.shape.first().copied().unwrap_or(0),
            element: header.element,
            axes: header.shape.len(),
            layout,
            as_bytes: header.element.is_byte(),
        }
    }

    fn size(&self) -> usize {
        self.layout.shape.iter().product()
    }

    /// Elements from one place to the next along height, width and channels, where rows and columns are exchanged.
    fn strides(&self) -> [usize; 3] {
        let [height, width, channels] = self.layout.shape;
        if self.layout.channels_first {
            [1, height, height * width]
        } else {
            [channels, height * channels, 1]
        }
    }

    fn bytes(&self, index: usize) -> Result<std::borrow::Cow<'_, [u8]>, DataError> {
        let wrong = || DataError::OutOfRange {
            index,
            len: self.count,
            split: "stored",
        };
        if index >= self.count {
            return Err(wrong());
        }
        let size = self.size() * self.element.size();
        self.store
            .read(self.offset + index as u64 * size as u64, size)
            .ok_or_else(wrong)?
    }

    /// The elements of a picture, H×W×C, each turned by `turn`.
    fn gather<T: Clone + Default>(
        &self,
        bytes: &[u8],
        turn: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<Vec<T>> {
        let [height, width, channels] = self.layout.shape;
        let size = self.element.size();
        let bytes = bytes.get(..height * width * channels * size)?;
        if self.layout.is_transposed {
            return self.gather_transposed(bytes, turn);
        }
        if self.layout.is_as_stored() {
            return bytes.chunks_exact(size).map(turn).collect();
        }
        let mut out = vec![T::default(); height * width * channels];
        let planes = bytes.chunks_exact(height * width * size);
        for (channel, plane) in planes.enumerate() {
            let pixels = out.chunks_exact_mut(channels);
            for (pixel, element) in pixels.zip(plane.chunks_exact(size)) {
                pixel[channel] = turn(element)?;
            }
        }
        Some(out)
    }

    fn gather_transposed<T>(
        &self,
        bytes: &[u8],
        turn: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<Vec<T>> {
        let [height, width, channels] = self.layout.shape;
        let [down, right, deep] = self.strides();
        let size = self.element.size();
        let mut out = Vec::with_capacity(height * width * channels);
        for y in 0..height {
            for x in 0..width {
                for channel in 0..channels {
                    let at = (y * down + x * right + channel * deep) * size;
                    out.push(turn(bytes.get(at..at + size)?)?);
                }
            }
        }
        Some(out)
    }
}

impl ImageStore for ArrayPictures {
    fn len(&self) -> usize {
        self.count
    }

    fn shape(&self) -> [usize; 3] {
        self.layout.shape
    }

    fn value_size(&self) -> usize {
        if self.as_bytes { 1 } else { size_of::<f32>() }
    }

    fn is_costly(&self) -> bool {
        self.store.is_packed()
    }

    fn raw(&self, index: usize) -> Result<RawImage, DataError> {
        let bytes = self.bytes(index)?;
        let raw = if self.as_bytes && self.layout.is_as_stored() {
            Some(RawImage::Bytes(bytes.into_owned()))
        } else if self.as_bytes {
            self.gather(&bytes, |bytes| bytes.first().copied())
                .map(RawImage::Bytes)
        } else {
            self.gather(&bytes, |bytes| self.element.float(bytes))
                .map(RawImage::Floats)
        };
        raw.ok_or(DataError::OutOfRange {
            index,
            len: self.count,
            split: "stored",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_told_apart_by_their_length() {
        let of = |shape: &[usize]| {
            Layout::of(shape, None).map(|layout| (layout.shape, layout.channels_first))
        };
        assert_eq!(of(&[9, 28, 28]), Ok(([28, 28, 1], false)));
        assert_eq!(of(&[9, 100]), Ok(([1, 100, 1], false)));
        assert_eq!(of(&[9, 2, 100]), Ok(([1, 100, 2], true)));
        assert_eq!(of(&[9, 100, 1]), Ok(([1, 100, 1], false)));
        assert_eq!(of(&[9, 32, 32, 3]), Ok(([32, 32, 3], false)));
        assert_eq!(of(&[9, 3, 32, 32]), Ok(([32, 32, 3], true)));
        assert_eq!(of(&[9, 1, 28, 28]), Ok(([28, 28, 1], true)));
        assert_eq!(
            Layout::of(&[9, 7, 8, 16], Some(16)).unwrap().shape,
            [7, 8, 16]
        );
        assert_eq!(of(&[9, 64, 64, 13]), Ok(([64, 64, 13], false)));
        assert_eq!(of(&[9, 13, 64, 64]), Ok(([64, 64, 13], true)));
        let volume = |shape: &[usize], text: Option<&str>| {
            let wanted = text.and_then(|text| text.parse().ok());
            Layout::new(shape, None, wanted.as_ref(), false)
                .map(|layout| (layout.shape, layout.depth, layout.channels_first))
        };
        let cube = Ok(([28 * 28, 28, 1], Some(28), false));
        assert_eq!(volume(&[9, 28, 28, 28], None), cube);
        assert_eq!(volume(&[9, 28, 28, 28, 1], None), cube);
        let planes = Ok(([28 * 28, 28, 1], Some(28), true));
        assert_eq!(volume(&[9, 1, 28, 28, 28], None), planes);
        assert_eq!(volume(&[9, 28 * 28 * 28], Some("1x28x28x28")), planes);
        // Eight slices could be eight channels as well: what the project says counts.
        assert_eq!(volume(&[9, 8, 32, 32], None), Ok(([32, 32, 8], None, true)));
        let thin = Ok(([8 * 32, 32, 1], Some(8), true));
        assert_eq!(volume(&[9, 8, 32, 32], Some("1x8x32x32")), thin);
        let two = Ok(([3 * 4, 5, 2], Some(3), false));
        assert_eq!(volume(&[9, 3, 4, 5, 2], Some("2x3x4x5")), two);
        assert!(volume(&[9, 3, 4, 5, 2], Some("1x3x4x5")).is_err());
        let flat = |text: &str, turned| {
            let wanted = text.parse().ok();
            Layout::new(&[9, 24], None, wanted.as_ref(), turned).map(|layout| layout.shape)
        };
        assert_eq!(flat("1x4x6", false), Ok([4, 6, 1]));
        assert_eq!(flat("1x4x6", true), Ok([6, 4, 1]));
        assert!(flat("1x5x5", false).is_err());
        for bad in [
            &[9][..],
            &[],
            &[9, 0, 5],
            &[9, 5000, 5000],
            &[9, 4, 5, 6, 7],
            &[9, 2000, 1500, 1500],
            &[9, 1, 1, 1, 1, 1],
            &[9, 1 << 21],
        ] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }
}
