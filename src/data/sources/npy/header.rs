//! The header of an `.npy` file: type of the elements, order of the axes, shape. It is read
//! strictly and no further than its limit. Fails with a sentence.

use crate::formats::array::{Element, shortened};
use crate::formats::hdf5::Array;
use std::io::Read;

const MAGIC: [u8; 6] = *b"\x93NUMPY";
/// NumPy's own headers have 128 bytes.
const LONGEST: usize = 1 << 14;
const MOST_AXES: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub element: Element,
    /// The first axis runs fastest (Fortran's order).
    pub by_column: bool,
    pub shape: Vec<usize>,
    /// Where the elements start.
    pub length: u64,
}

impl Header {
    /// That of an array in an HDF5 file.
    pub fn of(array: &Array) -> Header {
        Header {
            element: array.element,
            by_column: false,
            shape: array.shape.clone(),
            length: 0,
        }
    }

    /// Bytes of all elements; none where that is beyond counting.
    pub fn body(&self) -> Option<u64> {
        let size = |product: u64, &axis: &usize| product.checked_mul(axis as u64);
        self.shape.iter().try_fold(self.element.size() as u64, size)
    }

    /// Reads from the start of a file, up to where the elements start.
    pub fn read(reader: &mut dyn Read) -> Result<Header, String> {
        let start: [u8; 8] = bytes(reader)?;
        if start[..6] != MAGIC {
            return Err("this is no .npy file: it does not begin with \\x93NUMPY".to_string());
        }
        let (length, before) = match start[6] {
            1 => (usize::from(u16::from_le_bytes(bytes(reader)?)), 10),
            2 | 3 => (u32::from_le_bytes(bytes(reader)?) as usize, 12),
            version => return Err(format!("its version is {version}, and 1 to 3 are read")),
        };
        if length > LONGEST {
            return Err(format!(
                "its header claims {length} bytes, which no array of numbers needs"
            ));
        }
        let mut text = vec![0; length];
        reader
            .read_exact(&mut text)
            .map_err(|cause| format!("it ends inside its header ({cause})"))?;
        let text = std::str::from_utf8(&text).map_err(|_| "its header is no text".to_string())?;
        parse(text, (before + length) as u64)
    }
}

fn bytes<const N: usize>(reader: &mut dyn Read) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    reader
        .read_exact(&mut bytes)
        .map_err(|cause| format!("it ends inside its header ({cause})"))?;
    Ok(bytes)
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, the keys in any order.
fn parse(text: &str, length: u64) -> Result<Header, String> {
    let wrong = || {
        format!(
            "its header is not one of NumPy's: {}",
            shortened(text.trim())
        )
    };
    let mut rest = text
        .trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(wrong)?
        .trim();
    let (mut element, mut by_column, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, after) = quoted(rest).ok_or_else(wrong)?;
        let value = after
            .trim_start()
            .strip_prefix(':')
            .ok_or_else(wrong)?
            .trim_start();
        rest = match key {
            "descr" if element.is_none() => {
                let (name, after) = quoted(value).ok_or("its elements are not plain numbers")?;
                element = Some(Element::parse(name)?);
                after
            }
            "fortran_order" if by_column.is_none() => {
                let (flag, after) = truth(value).ok_or_else(wrong)?;
                by_column = Some(flag);
                after
            }
            "shape" if shape.is_none() => {
                let (axes, after) = tuple(value).ok_or_else(wrong)?;
                shape = Some(axes);
                after
            }
            _ => return Err(wrong()),
        };
        rest = rest.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if rest.is_empty() => rest,
            None => return Err(wrong()),
        };
    }
    let (Some(element), Some(by_column), Some(shape)) = (element, by_column, shape) else {
        return Err(wrong());
    };
    Ok(Header {
        element,
        by_column,
        shape,
        length,
    })
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    let mark = text
        .chars()
        .next()
        .filter(|mark| matches!(mark, '\'' | '"'))?;
    text.get(1..)?.split_once(mark)
}

fn truth(text: &str) -> Option<(bool, &str)> {
    let yes = text.strip_prefix("True").map(|rest| (true, rest));
    yes.or_else(|| text.strip_prefix("False").map(|rest| (false, rest)))
}

fn tuple(text: &str) -> Option<(Vec<usize>, &str)> {
    let (inner, rest) = text.strip_prefix('(')?.split_once(')')?;
    let inner = inner.trim();
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    let parse = |word: &str| word.trim().trim_end_matches('L').parse::<usize>().ok();
    let axes: Option<Vec<usize>> = if inner.is_empty() {
        Some(Vec::new())
    } else {
        inner.split(',').map(parse).collect()
    };
    axes.filter(|axes| axes.len() <= MOST_AXES)
        .map(|axes| (axes, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_strictly() {
        let good = parse(
            "{'descr': '>f8', 'fortran_order': True, 'shape': (3, 4), }   \n",
            80,
        )
        .unwrap();
        assert_eq!(
            (good.shape.as_slice(), good.by_column, good.body()),
            (&[3, 4][..], true, Some(96))
        );
        let other = parse("{\"shape\": (7,), 'descr':'|u1','fortran_order':False}", 80).unwrap();
        assert_eq!((other.shape.as_slice(), other.by_column), (&[7][..], false));
        let huge = parse(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
            80,
        )
        .unwrap();
        assert_eq!(huge.body(), None);
        for bad in [
            "",
            "{",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, -4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4)}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        ] {
            assert!(parse(bad, 80).is_err(), "{bad}");
        }
    }
}
