//! Arrays of numbers from a MATLAB file of version 5: compressed or not, in either order of bytes; and of version 7.3,
//! which is HDF5. Everything else in the file is passed over. Fails with a sentence on a file of another version and
//! on one that ends early.

use super::hdf5;
use crate::error::DataError;
use crate::formats::array::Element;
use crate::formats::bytes::{DOWNLOAD_AGAIN, Input, LESS_MEMORY, Unread, read_pieces};
use crate::source::OpenRequest;
use flate2::read::ZlibDecoder;
use std::collections::BTreeMap;
use std::path::Path;
use strata_core::system_memory;

const HEADER: usize = 128;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const MOST_AXES: usize = 8;

/// An array. The first axis runs fastest.
pub(crate) struct Matrix {
    pub name: String,
    pub shape: Vec<usize>,
    pub element: Element,
    pub bytes: Vec<u8>,
}

/// One piece of a file: what it is, and its bytes.
struct Piece<'a> {
    kind: u32,
    data: &'a [u8],
}

/// Pieces, one after another.
struct Pieces<'a> {
    rest: &'a [u8],
    big_endian: bool,
}

/// The lists of whole numbers by name, from a small file.
pub(crate) fn lists(
    ask: &mut OpenRequest,
    path: &Path,
    most_bytes: u64,
) -> Result<BTreeMap<String, Vec<i64>>, DataError> {
    let list = |matrix: Matrix| {
        let label = |bytes: &[u8]| matrix.element.label(bytes)?.parse::<i64>().ok();
        let numbers: Option<Vec<i64>> = matrix
            .bytes
            .chunks_exact(matrix.element.size())
            .map(label)
            .collect();
        Some((matrix.name, numbers?))
    };
    Ok(matrices(ask, path, most_bytes)?
        .into_iter()
        .filter_map(list)
        .collect())
}

/// All arrays of numbers, of which none and not all together are larger than `most_bytes`.
pub(crate) fn matrices(
    ask: &mut OpenRequest,
    path: &Path,
    most_bytes: u64,
) -> Result<Vec<Matrix>, DataError> {
    if hdf5::is_one(path) {
        return hdf5::matrices(ask, path, most_bytes);
    }
    let bytes = Input::open(path)?.read_up_to(ask, most_bytes)?;
    let fail = |problem: &str| DataError::malformed(path, problem, DOWNLOAD_AGAIN);
    let mut pieces = Pieces {
        rest: bytes.get(HEADER..).unwrap_or_default(),
        big_endian: is_big_endian(path, &bytes)?,
    };
    let mut arrays = Vec::new();
    // What may still be unpacked: many small pieces together are no way around the limit.
    let mut left = most_bytes;
    while !pieces.rest.is_empty() {
        let piece = pieces.next_piece();
        let piece = piece.ok_or_else(|| fail("it ends inside an array"))?;
        let unpacked;
        let data = match piece.kind {
            MATRIX => piece.data,
            COMPRESSED => {
                unpacked = unpack(ask, path, piece.data, &mut left)?;
                inner_matrix(&unpacked, pieces.big_endian)
            }
            _ => continue,
        };
        system_memory::check_large(data.len() as u64)
            .map_err(|problem| DataError::malformed(path, problem, LESS_MEMORY))?;
        arrays.extend(matrix(data, pieces.big_endian));
    }
    Ok(arrays)
}

/// In which order the bytes of numbers are.
fn is_big_endian(path: &Path, bytes: &[u8]) -> Result<bool, DataError> {
    match bytes.get(124..HEADER) {
        Some([0, 1, b'I', b'M']) => Ok(false),
        Some([1, 0, b'M', b'I']) => Ok(true),
        _ => {
            let problem = "this is no MATLAB file of version 5 or 7.3";
            Err(DataError::malformed(path, problem, DOWNLOAD_AGAIN))
        }
    }
}

/// The array in what was unpacked.
fn inner_matrix(unpacked: &[u8], big_endian: bool) -> &[u8] {
    let mut inner = Pieces {
        rest: unpacked,
        big_endian,
    };
    let piece = inner.next_piece().filter(|piece| piece.kind == MATRIX);
    piece.map_or(&[], |piece| piece.data)
}

fn unpack(
    ask: &mut OpenRequest,
    path: &Path,
    data: &[u8],
    left: &mut u64,
) -> Result<Vec<u8>, DataError> {
    let mut unpacked = Vec::new();
    let read = read_pieces(&mut ZlibDecoder::new(data), &mut unpacked, *left, ask);
    read.map_err(|unread| match unread {
        Unread::Cancelled => DataError::Cancelled,
        Unread::Memory(problem) => DataError::malformed(path, problem, LESS_MEMORY),
        Unread::System(cause) => {
            let problem = format!("an array in it is damaged ({cause})");
            DataError::malformed(path, problem, DOWNLOAD_AGAIN)
        }
    })?;
    *left -= unpacked.len() as u64;
    Ok(unpacked)
}

/// A matrix of numbers; none where it is one of something else.
fn matrix(data: &[u8], big_endian: bool) -> Option<Matrix> {
    let mut parts = Pieces {
        rest: data,
        big_endian,
    };
    let (_flags, shape) = (parts.next_piece()?, parts.next_piece()?);
    let name = String::from_utf8_lossy(parts.next_piece()?.data).into_owned();
    let numbers = parts.next_piece()?;
    let side = Element::parse("i4").ok()?.ordered(big_endian);
    let axis = |bytes: &[u8]| usize::try_from(side.whole(bytes)?).ok();
    let shape: Option<Vec<usize>> = shape.data.chunks_exact(4).map(axis).collect();
    let shape = shape.filter(|shape| shape.len() <= MOST_AXES)?;
    let element = element(numbers.kind)?.ordered(big_endian);
    let count = shape
        .iter()
        .try_fold(1usize, |product, &axis| product.checked_mul(axis))?;
    let length = count.checked_mul(element.size())?;
    Some(Matrix {
        name,
        bytes: numbers.data.get(..length)?.to_vec(),
        shape,
        element,
    })
}

fn element(kind: u32) -> Option<Element> {
    const NAMES: [&str; 14] = [
        "", "i1", "u1", "i2", "u2", "i4", "u4", "f4", "", "f8", "", "", "i8", "u8",
    ];
    Element::parse(NAMES.get(kind as usize)?).ok()
}

impl<'a> Pieces<'a> {
    /// Kind and length, then the bytes, filled up to a multiple of eight. Short ones lie in the
    /// four bytes where else the length is.
    fn next_piece(&mut self) -> Option<Piece<'a>> {
        let first = self.word(0)?;
        if first >> 16 != 0 {
            let data = self
                .rest
                .get(4..4 + (first >> 16) as usize)
                .filter(|data| data.len() <= 4)?;
            self.rest = self.rest.get(8..)?;
            return Some(Piece {
                kind: first & 0xffff,
                data,
            });
        }
        let length = self.word(4)? as usize;
        let data = self.rest.get(8..)?.get(..length)?;
        let padded = if first == COMPRESSED {
            length
        } else {
            length.next_multiple_of(8)
        };
        self.rest = self.rest.get(8 + padded..).unwrap_or_default();
        Some(Piece { kind: first, data })
    }

    fn word(&self, at: usize) -> Option<u32> {
        let bytes: [u8; 4] = self.rest.get(at..at + 4)?.try_into().ok()?;
        Some(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }
}
