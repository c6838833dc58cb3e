//! Pictures stored as records of one length, in memory or in a file: what IDX, CIFAR and STL-10
//! have in common.
//!
//! A file is read at the place wanted, when it is wanted: opening costs nothing however large it
//! is, and a file that another program shortens meanwhile is an error and not a fault of the
//! process, as it would be with a memory map.

use super::disk_file::DiskFile;
use super::hdf5::Array;
use crate::error::DataError;
use crate::source::{ImageStore, RawImage};
use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// How a record's pixels lie.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    /// One channel, row by row.
    Grey,
    /// A plane each of red, green and blue, row by row.
    Planes,
    /// A plane each of red, green and blue, column by column.
    PlanesByColumn,
}

pub(crate) enum Store {
    Memory(Vec<u8>),
    Disk(DiskFile),
    /// Rows of a packed array, unpacked when they are wanted.
    Rows(Arc<Array>),
}

impl Store {
    /// Whether reading from it unpacks.
    pub fn is_packed(&self) -> bool {
        matches!(self, Store::Rows(_))
    }

    /// `length` bytes from `start`; none where memory has none there.
    pub fn read(&self, start: u64, length: usize) -> Option<Result<Cow<'_, [u8]>, DataError>> {
        match self {
            Store::Memory(bytes) => {
                let start = usize::try_from(start).ok()?;
                bytes
                    .get(start..start.checked_add(length)?)
                    .map(|bytes| Ok(Cow::Borrowed(bytes)))
            }
            Store::Disk(file) => Some(file.read(start, length)),
            Store::Rows(array) => Some(array.row_at(start, length).map(Cow::Owned)),
        }
    }
}

/// Records of `record` bytes whose pixels start at `offset` and make up `shape` (H×W×C).
pub(crate) struct Records {
    pub store: Store,
    pub count: usize,
    pub record: usize,
    pub offset: usize,
    pub shape: [usize; 3],
    pub layout: Layout,
}

impl ImageStore for Records {
    fn len(&self) -> usize {
        self.count
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn raw(&self, index: usize) -> Result<RawImage, DataError> {
        let (start, size) = self.place(index);
        match self.store.read(start, size) {
            Some(pixels) => Ok(RawImage::Bytes(self.rearrange(&pixels?))),
            None => Err(DataError::OutOfRange {
                index,
                len: self.count,
                split: "stored",
            }),
        }
    }

    fn raw_once(&self, index: usize) -> Result<RawImage, DataError> {
        let (start, size) = self.place(index);
        match &self.store {
            Store::Disk(file) => {
                let pixels = file.read_anew(start, size)?;
                Ok(RawImage::Bytes(self.rearrange(&pixels)))
            }
            Store::Memory(_) | Store::Rows(_) => self.raw(index),
        }
    }
}

impl Records {
    /// Where a record's pixels start, and how many bytes they are.
    fn place(&self, index: usize) -> (u64, usize) {
        let start = index as u64 * self.record as u64 + self.offset as u64;
        (start, self.shape.iter().product())
    }

    /// The record's pixels as H×W×C.
    fn rearrange(&self, pixels: &[u8]) -> Vec<u8> {
        let [height, width, _] = self.shape;
        match self.layout {
            Layout::Grey => pixels.to_vec(),
            Layout::Planes => interleave(pixels, height * width),
            Layout::PlanesByColumn => interleave_columns(pixels, height, width),
        }
    }
}

/// Three planes of this size as pixels.
fn interleave(pixels: &[u8], plane: usize) -> Vec<u8> {
    let (red, rest) = pixels.split_at(plane.min(pixels.len()));
    let (green, blue) = rest.split_at(plane.min(rest.len()));
    let colours = red
        .iter()
        .zip(green)
        .zip(blue)
        .map(|((&red, &green), &blue)| [red, green, blue]);
    colours.collect::<Vec<[u8; 3]>>().into_flattened()
}

/// Three planes that lie column by column as pixels.
fn interleave_columns(pixels: &[u8], height: usize, width: usize) -> Vec<u8> {
    let plane = height * width;
    let (red, rest) = pixels.split_at(plane.min(pixels.len()));
    let (green, blue) = rest.split_at(plane.min(rest.len()));
    let columns = |plane| <[u8]>::chunks_exact(plane, height.max(1));
    let mut out = vec![[0; 3]; plane];
    for (y, row) in out.chunks_exact_mut(width.max(1)).enumerate() {
        let colours = columns(red).zip(columns(green)).zip(columns(blue));
        for (pixel, ((red, green), blue)) in row.iter_mut().zip(colours) {
            *pixel = [red[y], green[y], blue[y]];
        }
    }
    out.into_flattened()
}

#[cfg(unix)]
pub(crate) fn read_at(file: &File, out: &mut [u8], start: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, start)
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, mut out: &mut [u8], mut start: u64) -> io::Result<()> {
    while !out.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, out, start)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out = &mut out[read..];
        start += read as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(layout: Layout, shape: [usize; 3], bytes: Vec<u8>) -> Records {
        Records {
            record: bytes.len(),
            store: Store::Memory(bytes),
            count: 1,
            offset: 0,
            shape,
            layout,
        }
    }

    #[test]
    fn planes_become_channels_last() {
        // Two rows of three columns; red counts 0.., green 10.., blue 20.., row by row.
        let rows = vec![
            0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25,
        ];
        let columns = vec![
            0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15, 20, 23, 21, 24, 22, 25,
        ];
        let expected = [
            0, 10, 20, 1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24, 5, 15, 25,
        ];
        let shape = [2, 3, 3];
        assert_eq!(
            records(Layout::Planes, shape, rows).raw(0).unwrap(),
            RawImage::Bytes(expected.to_vec())
        );
        let by_column = records(Layout::PlanesByColumn, shape, columns);
        assert_eq!(
            by_column.raw(0).unwrap(),
            RawImage::Bytes(expected.to_vec())
        );
        assert!(by_column.raw(1).is_err());
    }

    #[test]
    fn a_file_cut_short_while_open_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        std::fs::write(&path, [7; 8]).unwrap();
        let file = File::open(&path).unwrap();
        let on_disk = Records {
            store: Store::Disk(DiskFile::new(file, &path, 8)),
            count: 2,
            record: 4,
            offset: 0,
            shape: [2, 2, 1],
            layout: Layout::Grey,
        };
        std::fs::write(&path, [7; 6]).unwrap();
        assert!(on_disk.raw(1).unwrap_err().to_string().contains("records"));
    }
}
