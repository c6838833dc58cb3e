//! Sizes as people write them: `3x32x32` for a tensor, `3x5` for a kernel, `0+1x2` for margins.
//!
//! Every type here reads its text and writes it back exactly; parsing fails with one sentence.

use std::fmt;
use std::str::FromStr;

/// The largest number a size may be; keeps every later product inside 64 bits after a check.
pub const MAX_SIZE: u32 = 1 << 30;

/// A text that is not a size, with what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SizeError(pub String);

/// The shape of one tensor without its batch: `C×H×W`, `C×L`, `C×D×H×W`, or a vector of features.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// A shape from its sizes, channels first. `None` when empty, longer than four, or holding a 0
    /// or a size over [`MAX_SIZE`].
    pub fn new(dims: &[usize]) -> Option<Shape> {
        let legal = |&d: &usize| d >= 1 && d <= MAX_SIZE as usize;
        ((1..=4).contains(&dims.len()) && dims.iter().all(legal)).then(|| Shape(dims.to_vec()))
    }

    /// The sizes, channels first.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// Channels, or the features of a vector.
    pub fn channels(&self) -> usize {
        self.0[0]
    }

    /// The sizes after the channels; empty for a vector.
    pub fn spatial(&self) -> &[usize] {
        &self.0[1..]
    }

    /// Spatial axes: 0 for a vector, 1 for a signal, 2 for an image, 3 for a volume.
    pub fn rank(&self) -> usize {
        self.0.len() - 1
    }

    /// True for a plain vector of features.
    pub fn is_vector(&self) -> bool {
        self.0.len() == 1
    }

    /// The spatial sizes as three axes (depth, height, width), with 1 in front of fewer.
    pub fn volume(&self) -> [usize; 3] {
        let mut sizes = [1; 3];
        for (slot, &size) in sizes.iter_mut().rev().zip(self.spatial().iter().rev()) {
            *slot = size;
        }
        sizes
    }

    /// How many numbers such a tensor holds; saturates instead of overflowing.
    pub fn elements(&self) -> u64 {
        self.0
            .iter()
            .fold(1u64, |product, &d| product.saturating_mul(d as u64))
    }

    /// The text of project files: `3x32x32`.
    pub fn to_file_text(&self) -> String {
        join(&self.0, "x")
    }
}

impl fmt::Display for Shape {
    /// As people read it: `3×32×32`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join(&self.0, "×"))
    }
}

impl FromStr for Shape {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Shape, SizeError> {
        let wrong = || {
            SizeError(format!(
                "`{text}` is not a shape: write channels x height x width, such as 3x32x32 (sizes from 1 to {MAX_SIZE})"
            ))
        };
        let dims = split_sizes(text).ok_or_else(wrong)?;
        Shape::new(&dims.iter().map(|&d| d as usize).collect::<Vec<_>>()).ok_or_else(wrong)
    }
}

/// One size for all spatial axes (`3`) or one for each (`3x5`: height, width).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Axes(Vec<u32>);

impl Axes {
    /// The same size along every axis.
    pub fn all(size: u32) -> Axes {
        Axes(vec![size])
    }

    /// One size an axis, in the order of the shape (depth, height, width).
    pub fn each(sizes: &[u32]) -> Axes {
        Axes(sizes.to_vec())
    }

    /// The sizes for `rank` axes, or `None` when a size was given for each of another number of axes.
    pub fn resolve(&self, rank: usize) -> Option<Vec<usize>> {
        match self.0.as_slice() {
            [one] => Some(vec![*one as usize; rank]),
            each if each.len() == rank => Some(each.iter().map(|&s| s as usize).collect()),
            _ => None,
        }
    }

    /// The sizes as written.
    pub fn sizes(&self) -> &[u32] {
        &self.0
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .enumerate()
            .try_for_each(|(i, size)| write!(f, "{}{size}", if i == 0 { "" } else { "x" }))
    }
}

impl FromStr for Axes {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Axes, SizeError> {
        let sizes = split_sizes(text).filter(|sizes| sizes.len() <= 3);
        sizes.map(Axes).ok_or_else(|| {
            SizeError(format!(
                "`{text}` is not a size: write one number (3) or one for each axis (3x5)"
            ))
        })
    }
}

/// Padding of a sliding window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// This many zeros at both ends of every axis.
    Zeros(Axes),
    /// ⌈N/s⌉ outputs, the odd zero at the end (TensorFlow's rule).
    Same,
    /// No padding, said aloud.
    Valid,
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Padding::Zeros(axes) => write!(f, "p{axes}"),
            Padding::Same => f.write_str("same"),
            Padding::Valid => f.write_str("valid"),
        }
    }
}

/// What is added or cut before and after each axis: `1`, `1x2` or `0+1x0+1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Margins(Vec<(u32, Option<u32>)>);

impl Margins {
    /// The margins (before, after) for `rank` axes, or `None` when the number of axes differs.
    pub fn resolve(&self, rank: usize) -> Option<Vec<(usize, usize)>> {
        let pair = |&(before, after): &(u32, Option<u32>)| {
            (before as usize, after.unwrap_or(before) as usize)
        };
        match self.0.as_slice() {
            [one] => Some(vec![pair(one); rank]),
            each if each.len() == rank => Some(each.iter().map(pair).collect()),
            _ => None,
        }
    }

    /// Margins given axis by axis as (before, after).
    pub fn each(pairs: &[(u32, u32)]) -> Margins {
        Margins(
            pairs
                .iter()
                .map(|&(before, after)| (before, (before != after).then_some(after)))
                .collect(),
        )
    }
}

impl fmt::Display for Margins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |(before, after): &(u32, Option<u32>)| match after {
            Some(after) => format!("{before}+{after}"),
            None => before.to_string(),
        };
        f.write_str(&self.0.iter().map(text).collect::<Vec<_>>().join("x"))
    }
}

impl FromStr for Margins {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Margins, SizeError> {
        let margin = |part: &str| match part.split_once('+') {
            Some((before, after)) => Some((size(before)?, Some(size(after)?))),
            None => Some((size(part)?, None)),
        };
        let margins: Option<Vec<_>> = text.split(['x', '×']).map(margin).collect();
        margins.filter(|m| m.len() <= 3).map(Margins).ok_or_else(|| {
            SizeError(format!("`{text}` is not a margin: write 1, or 1x2 by axis, or 0+1x0+1 for before and after"))
        })
    }
}

fn split_sizes(text: &str) -> Option<Vec<u32>> {
    text.split(['x', '×']).map(size).collect()
}

/// A plain decimal number up to [`MAX_SIZE`]; no sign, no blanks, no leading zeros.
fn size(text: &str) -> Option<u32> {
    let canonical = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if !canonical {
        return None;
    }
    text.parse().ok().filter(|&n| n <= MAX_SIZE)
}

fn join<T: fmt::Display>(sizes: &[T], between: &str) -> String {
    sizes
        .iter()
        .map(T::to_string)
        .collect::<Vec<_>>()
        .join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_read_and_write() {
        let shape: Shape = "3x32x48".parse().unwrap();
        assert_eq!(shape.to_string(), "3×32×48");
        assert_eq!(shape.to_file_text(), "3x32x48");
        assert_eq!(
            (shape.channels(), shape.spatial(), shape.elements()),
            (3, &[32, 48][..], 4608)
        );
        for wrong in [
            "",
            "x",
            "3x",
            "0x3",
            "3x-1",
            "1x2x3x4x5",
            "3 x 3",
            "99999999999x2",
            "03x3",
        ] {
            assert!(wrong.parse::<Shape>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn axes_and_margins_resolve_by_rank() {
        assert_eq!("3".parse::<Axes>().unwrap().resolve(2), Some(vec![3, 3]));
        assert_eq!("3x5".parse::<Axes>().unwrap().resolve(2), Some(vec![3, 5]));
        assert_eq!("3x5".parse::<Axes>().unwrap().resolve(3), None);
        assert_eq!(
            "0+1x2".parse::<Margins>().unwrap().resolve(2),
            Some(vec![(0, 1), (2, 2)])
        );
        assert_eq!("0+1x2".parse::<Margins>().unwrap().to_string(), "0+1x2");
    }
}
