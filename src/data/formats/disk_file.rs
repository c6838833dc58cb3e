//! A file whose pictures are read at their place when they are wanted. Of a file of moderate size what was read stays in
//! memory, block by block: asking the system for every small picture would take longer than using it.

use super::records::read_at;
use crate::error::DataError;
use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Bytes of a block.
const BLOCK: usize = 1 << 20;
/// Files up to this many bytes stay in memory, as the published ones of small pictures do.
const MOST_KEPT: u64 = 256 << 20;

/// A file that is open.
pub(crate) struct DiskFile {
    file: File,
    path: PathBuf,
    length: u64,
    /// What was read; none of a larger file.
    blocks: Vec<OnceLock<Vec<u8>>>,
}

impl DiskFile {
    /// Takes over a file of so many bytes.
    pub fn new(file: File, path: &Path, length: u64) -> DiskFile {
        let kept = if length <= MOST_KEPT { length } else { 0 };
        let blocks = kept.div_ceil(BLOCK as u64);
        DiskFile {
            file,
            path: path.to_path_buf(),
            length,
            blocks: (0..blocks).map(|_| OnceLock::new()).collect(),
        }
    }

    /// `length` bytes from `start`. Fails where the file has no such bytes, or cannot be read.
    pub fn read(&self, start: u64, length: usize) -> Result<Cow<'_, [u8]>, DataError> {
        let (Ok(from), false) = (usize::try_from(start), self.blocks.is_empty()) else {
            return self.read_anew(start, length).map(Cow::Owned);
        };
        let (mut number, mut at) = (from / BLOCK, from % BLOCK);
        if let Some(bytes) = self.block(number)?.get(at..at + length) {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length && number < self.blocks.len() {
            let block = self.block(number)?.get(at..).unwrap_or_default();
            bytes.extend_from_slice(&block[..block.len().min(length - bytes.len())]);
            (number, at) = (number + 1, 0);
        }
        if bytes.len() < length {
            // The system's own words for what is beyond the end.
            return self.read_anew(start, length).map(Cow::Owned);
        }
        Ok(Cow::Owned(bytes))
    }

    /// A block of the file, the last one shorter; empty beyond the end.
    fn block(&self, number: usize) -> Result<&[u8], DataError> {
        let Some(block) = self.blocks.get(number) else {
            return Ok(&[]);
        };
        if let Some(bytes) = block.get() {
            return Ok(bytes);
        }
        let start = number as u64 * BLOCK as u64;
        let length = (self.length - start).min(BLOCK as u64) as usize;
        let bytes = self.read_anew(start, length)?;
        // Two threads may both read it; both read the same.
        Ok(block.get_or_init(|| bytes))
    }

    /// `length` bytes from `start`, of which nothing stays in memory. Fails as [`DiskFile::read`] does.
    pub fn read_anew(&self, start: u64, length: usize) -> Result<Vec<u8>, DataError> {
        let mut bytes = vec![0; length];
        read_at(&self.file, &mut bytes, start)
            .map_err(|cause| DataError::unreadable(&self.path, cause))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(length: usize) -> Vec<u8> {
        (0..length).map(|index| (index * 31 % 251) as u8).collect()
    }

    fn opened(folder: &Path, length: usize) -> DiskFile {
        let path = folder.join("records");
        std::fs::write(&path, numbers(length)).unwrap();
        DiskFile::new(File::open(&path).unwrap(), &path, length as u64)
    }

    #[test]
    fn bytes_are_those_of_the_file_within_and_across_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let length = 2 * BLOCK + 1000;
        let (file, numbers) = (opened(folder.path(), length), numbers(length));
        for start in [0, 7, BLOCK - 5, 2 * BLOCK - 1, length - 10] {
            for count in [1, 10, BLOCK + 3] {
                let expected = numbers.get(start..start + count);
                let anew = file.read_anew(start as u64, count).ok();
                assert_eq!(anew.as_deref(), expected, "{count} from {start}");
                let read = file.read(start as u64, count);
                match expected {
                    Some(bytes) => assert_eq!(&*read.unwrap(), bytes, "{count} from {start}"),
                    None => assert!(read.unwrap_err().to_string().contains("records")),
                }
            }
        }
        assert!(file.read(u64::MAX - 3, 2).is_err());
    }

    #[test]
    fn a_large_file_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        std::fs::write(&path, [7; 8]).unwrap();
        let file = DiskFile::new(File::open(&path).unwrap(), &path, MOST_KEPT + 1);
        assert_eq!(&*file.read(4, 4).unwrap(), [7; 4]);
        std::fs::write(&path, [9; 8]).unwrap();
        assert_eq!(&*file.read(4, 4).unwrap(), [9; 4]);
        std::fs::write(&path, [9; 6]).unwrap();
        assert!(file.read(4, 4).unwrap_err().to_string().contains("records"));
    }
}
