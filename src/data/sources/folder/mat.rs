//! Arrays of whole numbers from a MATLAB file of version 5, as the flowers' splits come in:
//! compressed or not, in either order of bytes. Everything else in the file is passed over. Fails
//! with a sentence on a file of another version and on one that ends early.

use crate::formats::array::Element;
use crate::formats::bytes::Input;
use flate2::read::ZlibDecoder;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

const HEADER: usize = 128;
/// The flowers' file has 7 KB.
const MOST_BYTES: u64 = 16 << 20;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

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

/// The arrays by name.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<String, Vec<i64>>, String> {
    let mut input = Input::open(path).map_err(|error| error.to_string())?;
    let bytes = input
        .read_small(MOST_BYTES)
        .map_err(|error| error.to_string())?;
    let big_endian = match bytes.get(124..HEADER) {
        Some([0, 1, b'I', b'M']) => false,
        Some([1, 0, b'M', b'I']) => true,
        _ => return Err("this is no MATLAB file of version 5".to_string()),
    };
    let mut arrays = BTreeMap::new();
    let mut pieces = Pieces {
        rest: bytes.get(HEADER..).unwrap_or_default(),
        big_endian,
    };
    // What may still be unpacked: many small pieces together are no way around the limit.
    let mut left = MOST_BYTES;
    while !pieces.rest.is_empty() {
        let piece = pieces.next_piece().ok_or("it ends inside an array")?;
        let unpacked;
        let data = match piece.kind {
            MATRIX => piece.data,
            COMPRESSED => {
                unpacked = unpack(piece.data, &mut left)?;
                let mut inner = Pieces {
                    rest: &unpacked,
                    big_endian,
                };
                inner
                    .next_piece()
                    .filter(|piece| piece.kind == MATRIX)
                    .map(|piece| piece.data)
                    .unwrap_or_default()
            }
            _ => continue,
        };
        arrays.extend(matrix(data, big_endian));
    }
    Ok(arrays)
}

fn unpack(data: &[u8], left: &mut u64) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let done = ZlibDecoder::new(data)
        .take(*left)
        .read_to_end(&mut unpacked);
    done.map_err(|cause| format!("an array in it is damaged ({cause})"))?;
    *left -= unpacked.len() as u64;
    Ok(unpacked)
}

/// Name and numbers of a matrix; none where it is one of something else.
fn matrix(data: &[u8], big_endian: bool) -> Option<(String, Vec<i64>)> {
    let mut parts = Pieces {
        rest: data,
        big_endian,
    };
    let (_flags, _shape) = (parts.next_piece()?, parts.next_piece()?);
    let name = String::from_utf8_lossy(parts.next_piece()?.data).into_owned();
    let numbers = parts.next_piece()?;
    let element = element(numbers.kind)?.ordered(big_endian);
    let number = |bytes: &[u8]| match element.is_whole() {
        true => element.whole(bytes),
        false => element
            .float(bytes)
            .filter(|value| value.fract() == 0.0)
            .map(|value| value as i64),
    };
    let numbers: Option<Vec<i64>> = numbers
        .data
        .chunks_exact(element.size())
        .map(number)
        .collect();
    Some((name, numbers?))
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
