//! Pictures that lie one after another as rows of numbers: from tables, MATLAB files and arrays without a shape.
//!
//! How many numbers a row has says what shape it is, where that is a square; channels lie one after another for each
//! pixel, or plane by plane, which is told by how smooth the picture then is. Fails on rows of any other length.

use crate::error::DataError;
use crate::source::{ImageStore, RawImage};
use strata_core::project::size::Shape;

/// Rows looked at to tell planes from pixels.
const MOST_LOOKED_AT: usize = 64;
const LONGEST_SIDE: usize = 4096;

/// How a row's numbers lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// All channels of a pixel, then the next pixel.
    Pixels,
    /// All of one channel, then the next channel.
    Planes,
}

/// Rows of numbers as pictures.
pub(crate) struct Rows {
    pub values: RawImage,
    /// H×W×C.
    pub shape: [usize; 3],
    pub order: Order,
    /// Rows and columns are exchanged.
    pub transposed: bool,
}

impl Rows {
    /// Rows of so many numbers; `wanted` is what the project says of their shape.
    pub fn new(
        values: RawImage,
        length: usize,
        wanted: Option<&Shape>,
        transposed: bool,
    ) -> Result<Rows, String> {
        let (shape, order) = match wanted {
            Some(wanted) => shape_of(wanted, length)?,
            None => {
                let shape = guessed(length).ok_or_else(|| no_shape(length))?;
                (shape, likely_order(&values, length, shape))
            }
        };
        Ok(Rows {
            values,
            shape,
            order,
            transposed,
        })
    }
}

/// What to say of rows that make no square.
pub(crate) fn no_shape(length: usize) -> String {
    format!("{length} numbers are no square image; set shape to what they are, 1xHEIGHTxWIDTH")
}

/// H×W×C of a row of so many numbers: a square, grey or in three colours.
pub(crate) fn guessed(length: usize) -> Option<[usize; 3]> {
    let side = |pixels: usize| {
        let side = pixels.isqrt();
        (side * side == pixels && (2..=LONGEST_SIDE).contains(&side)).then_some(side)
    };
    if let Some(side) = side(length) {
        return Some([side, side, 1]);
    }
    let side = side(length / 3).filter(|_| length.is_multiple_of(3))?;
    Some([side, side, 3])
}

/// The shape that the project writes: channels first (planes), or last where the last number is that of channels.
pub(crate) fn shape_of(wanted: &Shape, length: usize) -> Result<([usize; 3], Order), String> {
    let found = match *wanted.dims() {
        [height, width] => ([height, width, 1], Order::Pixels),
        [height, width, channels] if channels <= 4 && height > 4 => {
            ([height, width, channels], Order::Pixels)
        }
        [channels, height, width] => ([height, width, channels], Order::Planes),
        _ => {
            return Err(format!(
                "shape = \"{}\" is not that of an image",
                wanted.to_file_text()
            ));
        }
    };
    let product: usize = found.0.iter().product();
    if product == length {
        return Ok(found);
    }
    Err(format!(
        "an image is {length} numbers, and shape = \"{}\" needs {product}",
        wanted.to_file_text()
    ))
}

/// Neighbours along a row are more alike than others: whichever order makes them so.
fn likely_order(values: &RawImage, length: usize, [_, _, channels]: [usize; 3]) -> Order {
    if channels == 1 {
        return Order::Pixels;
    }
    let at = |place: usize| match values {
        RawImage::Bytes(values) => values.get(place).map(|&value| f32::from(value)),
        RawImage::Words(values) => values.get(place).map(|&value| f32::from(value)),
        RawImage::Floats(values) => values.get(place).copied(),
    };
    let rows = (values.len() / length.max(1)).min(MOST_LOOKED_AT);
    let roughness = |step: usize| -> f32 {
        let differences = (0..rows).flat_map(|row| (step..length).map(move |place| (row, place)));
        differences
            .filter_map(|(row, place)| {
                let place = row * length + place;
                Some((at(place)? - at(place - step)?).abs())
            })
            .sum::<f32>()
            / (length - step).max(1) as f32
    };
    if roughness(channels) <= roughness(1) {
        Order::Pixels
    } else {
        Order::Planes
    }
}

impl ImageStore for Rows {
    fn len(&self) -> usize {
        self.values.len() / self.shape.iter().product::<usize>().max(1)
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn value_size(&self) -> usize {
        self.values.value_size()
    }

    fn raw(&self, index: usize) -> Result<RawImage, DataError> {
        let length: usize = self.shape.iter().product();
        let wrong = || DataError::OutOfRange {
            index,
            len: self.len(),
            split: "stored",
        };
        let range = index.checked_mul(length).map(|start| start..start + length);
        let range = range.ok_or_else(wrong)?;
        let raw = match &self.values {
            RawImage::Bytes(values) => values
                .get(range)
                .map(|row| RawImage::Bytes(self.arranged(row))),
            RawImage::Words(values) => values
                .get(range)
                .map(|row| RawImage::Words(self.arranged(row))),
            RawImage::Floats(values) => values
                .get(range)
                .map(|row| RawImage::Floats(self.arranged(row))),
        };
        raw.ok_or_else(wrong)
    }
}

impl Rows {
    /// A row as H×W×C.
    fn arranged<T: Copy>(&self, row: &[T]) -> Vec<T> {
        let [height, width, channels] = self.shape;
        if !self.transposed && (self.order == Order::Pixels || channels == 1) {
            return row.to_vec();
        }
        let place = |y: usize, x: usize, channel: usize| {
            let pixel = if self.transposed {
                x * height + y
            } else {
                y * width + x
            };
            match self.order {
                Order::Pixels => pixel * channels + channel,
                Order::Planes => channel * height * width + pixel,
            }
        };
        let mut out = Vec::with_capacity(row.len());
        for y in 0..height {
            for x in 0..width {
                let pixel = (0..channels).filter_map(|channel| row.get(place(y, x, channel)));
                out.extend(pixel.copied());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A smooth picture of three unlike channels.
    fn value(y: usize, x: usize, channel: usize) -> u8 {
        (10 * channel * channel * 6 + y + x) as u8
    }

    fn rows(order: Order, side: usize) -> Vec<u8> {
        let all = |y| (0..side).flat_map(move |x| (0..3).map(move |c| value(y, x, c)));
        match order {
            Order::Pixels => (0..side).flat_map(all).collect(),
            Order::Planes => (0..3)
                .flat_map(|c| (0..side).flat_map(move |y| (0..side).map(move |x| value(y, x, c))))
                .collect(),
        }
    }

    #[test]
    fn planes_and_pixels_are_told_apart() {
        for order in [Order::Pixels, Order::Planes] {
            let made = Rows::new(RawImage::Bytes(rows(order, 8)), 192, None, false).unwrap();
            assert_eq!((made.shape, made.order, made.len()), ([8, 8, 3], order, 1));
            let RawImage::Bytes(picture) = made.raw(0).unwrap() else {
                panic!("bytes stay bytes")
            };
            assert_eq!(
                picture[(2 * 8 + 5) * 3..][..3],
                [0, 1, 2].map(|c| value(2, 5, c))
            );
            assert!(made.raw(1).is_err() && made.raw(usize::MAX).is_err());
        }
    }

    #[test]
    fn a_shape_is_guessed_or_given() {
        assert_eq!(guessed(784), Some([28, 28, 1]));
        assert_eq!(guessed(2352), Some([28, 28, 3]));
        assert_eq!((guessed(785), guessed(1), guessed(0)), (None, None, None));
        let given = |text: &str, length| shape_of(&text.parse().unwrap(), length);
        assert_eq!(given("1x4x6", 24), Ok(([4, 6, 1], Order::Planes)));
        assert_eq!(given("6x8x3", 144), Ok(([6, 8, 3], Order::Pixels)));
        assert_eq!(given("4x6", 24), Ok(([4, 6, 1], Order::Pixels)));
        assert!(given("1x5x5", 24).unwrap_err().contains("needs 25"));
    }

    #[test]
    fn rows_and_columns_are_exchanged() {
        let shape = "1x2x3".parse().ok();
        let made = Rows::new(
            RawImage::Bytes(vec![1, 4, 2, 5, 3, 6]),
            6,
            shape.as_ref(),
            true,
        )
        .unwrap();
        assert_eq!(
            made.raw(0).unwrap(),
            RawImage::Bytes(vec![1, 2, 3, 4, 5, 6])
        );
    }
}
