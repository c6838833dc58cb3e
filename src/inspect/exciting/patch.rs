//! What one position of a layer's map sees of an image: where that is, framed on the image, and cut out of it.
//!
//! Where it reaches over the image's edge, the padding is part of it, and drawn as a checkerboard of two greys. Nothing
//! here fails: what sees the whole image has no field.

use crate::curve;
use crate::picture::image_rgba;
use serde::Serialize;
use std::ops::Range;
use strata_core::project::Place;
use strata_core::shape::Inference;
use strata_core::shape::field::seen;

/// The colour of a frame.
pub const FRAME: [u8; 4] = [230, 60, 40, 255];
/// Images are enlarged to about so many pixels before they are framed, and how thick the frame is then.
const FRAMED: usize = 64;
const THICK: usize = 2;
/// The greys of padding, and the side of a square of them in pixels.
const PADDING: [[u8; 4]; 2] = [[96, 96, 104, 255], [64, 64, 72, 255]];

/// The part of the input that a position sees, first and last with the padding: may begin below 0 and end behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Slices of a volume.
    pub slices: Option<[i64; 2]>,
    /// Rows; of a signal only the row 0.
    pub rows: [i64; 2],
    /// Columns; of a signal its samples.
    pub columns: [i64; 2],
}

impl Field {
    /// That of a cell of a layer's map; `None` of what sees the whole input, or nothing of it.
    pub fn of(inference: &Inference, place: &Place, cell: &[usize]) -> Option<Field> {
        let seen = seen(inference, place, cell)?;
        let axes: Vec<[i64; 2]> = seen
            .padded?
            .iter()
            .map(|(first, last)| [*first, *last])
            .collect();
        let sizes = inference.input.spatial();
        let mut pairs = axes.iter().zip(sizes);
        if seen.whole || pairs.all(|([first, last], size)| *first <= 0 && *last >= *size as i64 - 1)
        {
            return None;
        }
        let (slices, rows, columns) = match axes.as_slice() {
            [columns] => (None, [0, 0], *columns),
            [rows, columns] => (None, *rows, *columns),
            [slices, rows, columns] => (Some(*slices), *rows, *columns),
            _ => return None,
        };
        Some(Field {
            slices,
            rows,
            columns,
        })
    }

    /// The slice in its middle, of so many.
    pub fn slice(&self, slices: usize) -> usize {
        let [first, last] = self.slices.unwrap_or_default();
        usize::try_from((first + last) / 2).map_or(0, |slice| slice.min(slices.saturating_sub(1)))
    }

    /// Height and width.
    pub fn size(&self) -> [usize; 2] {
        [self.rows, self.columns]
            .map(|[first, last]| usize::try_from(last - first + 1).unwrap_or(0))
    }

    /// First row, first column, last row and last column of what lies in an image of this height and width.
    pub fn inside(&self, [height, width]: [usize; 2]) -> [usize; 4] {
        let cut = |at: i64, side: usize| {
            usize::try_from(at).map_or(0, |at| at.min(side.saturating_sub(1)))
        };
        [
            cut(self.rows[0], height),
            cut(self.columns[0], width),
            cut(self.rows[1], height),
            cut(self.columns[1], width),
        ]
    }

    /// Draws its frame into an image, `H × W × 4` bytes, whose pixels were enlarged so many times.
    fn frame(&self, rgba: &mut [u8], [height, width]: [usize; 2], times: usize) {
        let [top, left, bottom, right] = self.inside([height, width]);
        let (rows, columns) = (
            times * top..times * (bottom + 1),
            times * left..times * (right + 1),
        );
        let is_edge = |at: usize, of: &Range<usize>| {
            at < of.start + THICK.min(times) || at + THICK.min(times) >= of.end
        };
        for (at, pixel) in rgba.chunks_exact_mut(4).enumerate() {
            let (row, column) = (at / (times * width), at % (times * width));
            let is_inside = rows.contains(&row) && columns.contains(&column);
            if is_inside && (is_edge(row, &rows) || is_edge(column, &columns)) {
                pixel.copy_from_slice(&FRAME);
            }
        }
    }

    /// The patch cut out of an image of this height, width and number of channels, as `H × W × 4` bytes of
    /// [`Field::size`].
    pub fn cut(&self, image: &[u8], [height, width, channels]: [usize; 3]) -> Vec<u8> {
        let rgba = image_rgba(image, channels);
        let mut patch = Vec::with_capacity(4 * self.size().iter().product::<usize>());
        for row in self.rows[0]..=self.rows[1] {
            for column in self.columns[0]..=self.columns[1] {
                let at = usize::try_from(row).ok().zip(usize::try_from(column).ok());
                let at = at.filter(|(row, column)| *row < height && *column < width);
                let pixel = at.and_then(|(row, column)| rgba.get(4 * (row * width + column)..));
                match pixel.and_then(|rest| rest.get(..4)) {
                    Some(pixel) => patch.extend_from_slice(pixel),
                    None => {
                        patch.extend_from_slice(&PADDING[(row + column).rem_euclid(2) as usize]);
                    }
                }
            }
        }
        patch
    }

    /// Draws its ends into the curve of a signal of so many samples, `H × W × 4` bytes of [`curve::SIZE`].
    fn mark(&self, rgba: &mut [u8], samples: usize) {
        let [_, wide] = curve::SIZE;
        let [_, first, _, last] = self.inside([1, samples]);
        let column = |sample: usize| (sample * wide / samples.max(1)).min(wide - 1);
        for at in [column(first), column(last + 1).min(wide - 1)] {
            for row in rgba.chunks_exact_mut(4 * wide) {
                row[4 * at..4 * at + 4].copy_from_slice(&FRAME);
            }
        }
    }
}

/// An image, of a signal its curve with what is seen of it between two lines: height and width, and `H × W × 4` bytes.
pub fn drawn(image: &[u8], size: [usize; 3], field: Option<&Field>) -> ([usize; 2], Vec<u8>) {
    let [height, width, channels] = size;
    if curve::is_signal(size) {
        let mut rgba = image_rgba(&curve::picture(image, channels, curve::BYTES), 1);
        if let Some(field) = field {
            field.mark(&mut rgba, width);
        }
        return (curve::SIZE, rgba);
    }
    ([height, width], image_rgba(image, channels))
}

/// The same with a frame on images too, which are enlarged for it: a pixel of a small one would hide what it frames.
pub fn framed(image: &[u8], size: [usize; 3], field: Option<&Field>) -> ([usize; 2], Vec<u8>) {
    let ([height, width], rgba) = drawn(image, size, field);
    if curve::is_signal(size) {
        return ([height, width], rgba);
    }
    let times = FRAMED.div_ceil(height.max(width).max(1));
    let row = |row: &[u8]| -> Vec<u8> {
        let pixels = row.chunks_exact(4).flat_map(|pixel| pixel.repeat(times));
        pixels.collect::<Vec<u8>>().repeat(times)
    };
    let mut large: Vec<u8> = rgba.chunks_exact(4 * width.max(1)).flat_map(row).collect();
    if let Some(field) = field {
        field.frame(&mut large, [height, width], times);
    }
    ([times * height, times * width], large)
}

/// What is seen, cut out: of a signal the curve of that part, without the padding. `None` of what sees the whole.
pub fn patch(
    image: &[u8],
    size: [usize; 3],
    field: Option<&Field>,
) -> Option<([usize; 2], Vec<u8>)> {
    let field = field?;
    let [_, width, channels] = size;
    if !curve::is_signal(size) {
        return Some((field.size(), field.cut(image, size)));
    }
    let [_, first, _, last] = field.inside([1, width]);
    let samples = image.get(first * channels..(last + 1) * channels)?;
    let drawn = curve::picture(samples, channels, curve::BYTES);
    Some((curve::SIZE, image_rgba(&drawn, 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::Stack;

    #[test]
    fn a_patch_has_the_image_inside_and_padding_around_it() {
        let field = Field {
            slices: None,
            rows: [-1, 1],
            columns: [1, 3],
        };
        let image: Vec<u8> = (0..6).map(|pixel| 10 * pixel).collect();
        let patch = field.cut(&image, [2, 3, 1]);
        assert_eq!((field.size(), patch.len()), ([3, 3], 36));
        let pixel = |row: usize, column: usize| patch[4 * (3 * row + column)..][..4].to_vec();
        assert_eq!(pixel(1, 0), [10, 10, 10, 255]);
        assert_eq!(pixel(2, 1), [50, 50, 50, 255]);
        for (row, column) in [(0, 0), (0, 2), (1, 2), (2, 2)] {
            assert!(
                PADDING.iter().any(|grey| grey[..] == pixel(row, column)),
                "{row} {column}"
            );
        }
        assert_eq!(field.inside([2, 3]), [0, 1, 1, 2]);
    }

    #[test]
    fn a_frame_leaves_what_it_frames_to_be_seen() {
        let field = Field {
            slices: None,
            rows: [0, 1],
            columns: [6, 8],
        };
        let ([height, width], rgba) = framed(&[7; 64], [8, 8, 1], Some(&field));
        assert_eq!([height, width], [64, 64]);
        let framed = |row: usize, column: usize| rgba[4 * (64 * row + column)..][..4] == FRAME;
        // Two rows and, of three columns, the two in the image: of 8×8 pixels each.
        assert!(framed(0, 48) && framed(15, 63) && framed(1, 50) && framed(8, 49));
        assert!(!framed(2, 50) && !framed(16, 50) && !framed(8, 47));
        assert_eq!(rgba[4 * (64 * 5 + 55)], 7, "the pixels inside are seen");
    }

    #[test]
    fn what_a_position_sees_is_its_receptive_field() {
        let of = |input: &str, layers: &[&str], layer: usize, cell: &[usize]| {
            let stacks = strata_testkit::networks::network(input, layers, &[], &[]);
            let inference = strata_core::shape::infer(&stacks);
            Field::of(&inference, &Place::new(Stack::Encoder, layer), cell)
        };
        let conv = ["conv 4 k3 p1", "relu", "maxpool 2", "conv 4 k3 p1"];
        let field = of("1x12x12", &conv, 3, &[0, 2]).unwrap();
        // Three of the pooled map from its row −1 on, each of two pixels, with one of padding around.
        assert_eq!((field.rows, field.columns), ([-3, 4], [1, 8]));
        assert_eq!(field.size(), [8, 8], "the receptive field's size");
        let signal = of("1x16", &["conv 4 k5 s2 p2"], 0, &[3]).unwrap();
        assert_eq!((signal.rows, signal.columns), ([0, 0], [4, 8]));
        let volume = of("1x6x8x8", &["conv 4 k3"], 0, &[2, 1, 4]).unwrap();
        assert_eq!(volume.slices, Some([2, 4]));
        assert_eq!(
            (volume.rows, volume.columns, volume.slice(6)),
            ([1, 3], [4, 6], 3)
        );
        assert_eq!(of("1x8x8", &["flatten", "dense 3"], 1, &[]), None);
    }
}
