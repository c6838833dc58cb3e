//! The bytes of a Parquet file for the library, which believes what pages claim: sizes are compared with the bytes that
//! are there before it asks for memory.

use super::unpack::Packing;
use crate::formats::records::read_at;
use bytes::Bytes;
use parquet::basic::Compression;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length, SerializedPageReader};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use strata_core::files::open_regular;

/// None of the compressions but one shrinks anything further than this.
pub(super) const MOST_SHRINKS: u64 = 1032;
/// Zstandard has 128 KB of one byte in four.
const MOST_ZSTANDARD_SHRINKS: u64 = 1 << 15;
/// What a page may hold besides.
const SMALL: u64 = 1 << 10;
const MOST_PAGE_BYTES: u64 = 1 << 30;
/// The last bytes of a file: the length of its description, and a mark.
const END: u64 = 8;
/// The first byte of a page's header: its first field is a number. So is the one after the first.
const NUMBER: u8 = 0x15;

/// A file that is read at any place, by several threads.
pub(super) struct Chunks {
    file: Arc<File>,
    length: u64,
    most_shrinks: u64,
    /// Bytes that the page read last has unpacked, as its header claims.
    claimed: AtomicU64,
}

impl Chunks {
    pub fn open(path: &Path) -> io::Result<Chunks> {
        let file = open_regular(path)?;
        Ok(Chunks {
            length: file.metadata()?.len(),
            file: Arc::new(file),
            most_shrinks: MOST_SHRINKS,
            claimed: AtomicU64::new(0),
        })
    }

    /// The same file for the pages of one column.
    fn of_column(&self, packing: Option<Packing>) -> Chunks {
        Chunks {
            file: Arc::clone(&self.file),
            length: self.length,
            most_shrinks: match packing {
                Some(Packing::Zstandard) => MOST_ZSTANDARD_SHRINKS,
                _ => MOST_SHRINKS,
            },
            claimed: AtomicU64::new(0),
        }
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Looks at the header of the page that begins there.
    fn check_page(&self, start: u64) -> Result<()> {
        let mut first = [0; 16];
        let length = self.length.saturating_sub(start).min(16) as usize;
        let first = &mut first[..length];
        read_at(&self.file, first, start)?;
        let mut rest = &*first;
        let _kind = number(&mut rest);
        let unpacked = number(&mut rest);
        let packed = number(&mut rest);
        match (unpacked, packed) {
            (Some(unpacked), Some(packed))
                if unpacked <= packed * self.most_shrinks + SMALL
                    && unpacked <= MOST_PAGE_BYTES =>
            {
                self.claimed.store(unpacked, Relaxed);
                Ok(())
            }
            _ => Err(damaged("a page claims more than its bytes can hold")),
        }
    }
}

fn damaged(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}

/// The next field of a header, a number that is not negative.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let (&NUMBER, after) = rest.split_first()? else {
        return None;
    };
    let length = after.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (digits, after) = after.split_at_checked(length).filter(|_| length <= 5)?;
    *rest = after;
    let folded = digits
        .iter()
        .rev()
        .fold(0u64, |sum, &byte| sum << 7 | u64::from(byte & 0x7f));
    (folded & 1 == 0).then_some(folded >> 1)
}

/// The file from a place on.
pub(super) struct From {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for From {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = out.len().min((self.end - self.at) as usize);
        read_at(&self.file, &mut out[..length], self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<From>;

    /// The library reads the headers of pages and the end of the file in this way, and nothing else.
    fn get_read(&self, start: u64) -> Result<BufReader<From>> {
        if start >= self.length {
            return Err(damaged("a page lies behind the end of the file"));
        }
        if start != self.length.saturating_sub(END) {
            self.check_page(start)?;
        }
        Ok(BufReader::new(From {
            file: Arc::clone(&self.file),
            at: start,
            end: self.length,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start
            .checked_add(length as u64)
            .is_none_or(|end| end > self.length)
        {
            return Err(damaged("the file ends inside a page"));
        }
        let mut bytes = vec![0; length];
        read_at(&self.file, &mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// The pages of a column, of which none claims a dictionary of more values than it has bytes. Some compressions are
/// undone here: the library is told that there is none.
pub(super) struct CheckedPages {
    pages: SerializedPageReader<Chunks>,
    reader: Arc<Chunks>,
    packing: Option<Packing>,
}

impl CheckedPages {
    pub fn new(
        reader: &Arc<Chunks>,
        chunk: &ColumnChunkMetaData,
        rows: usize,
    ) -> std::result::Result<CheckedPages, String> {
        let packing = Packing::of(chunk.compression());
        let reader = Arc::new(reader.of_column(packing));
        let pages = match packing {
            None => SerializedPageReader::new(Arc::clone(&reader), chunk, rows, None),
            Some(_) => {
                let plain = chunk.clone().into_builder();
                let plain = plain.set_compression(Compression::UNCOMPRESSED).build();
                let plain = plain.map_err(|error| error.to_string())?;
                SerializedPageReader::new(Arc::clone(&reader), &plain, rows, None)
            }
        };
        Ok(CheckedPages {
            pages: pages.map_err(|error| error.to_string())?,
            reader,
            packing,
        })
    }

    /// The page as it was before it was compressed.
    fn unpacked(&self, mut page: Page) -> Result<Page> {
        let Some(packing) = self.packing else {
            return Ok(page);
        };
        let claimed = self.reader.claimed.load(Relaxed) as usize;
        // Of pages of the second version, levels lie before what is compressed.
        let (buffer, plain) = match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => (buf, 0),
            Page::DataPageV2 {
                is_compressed: false,
                ..
            } => return Ok(page),
            Page::DataPageV2 {
                buf,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                ..
            } => {
                *is_compressed = false;
                (
                    buf,
                    *def_levels_byte_len as usize + *rep_levels_byte_len as usize,
                )
            }
        };
        let length = claimed.checked_sub(plain);
        let parts = buffer.split_at_checked(plain).zip(length);
        let ((levels, packed), length) =
            parts.ok_or_else(|| damaged("a page is shorter than its levels"))?;
        let values = packing
            .unpack(packed, length)
            .map_err(|error| damaged(&error))?;
        *buffer = match levels {
            [] => values.into(),
            levels => [levels, &values].concat().into(),
        };
        Ok(page)
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        let page = page.map(|page| self.unpacked(page)).transpose()?;
        if let Some(Page::DictionaryPage {
            buf, num_values, ..
        }) = &page
            && *num_values as usize > buf.len()
        {
            return Err(damaged("a dictionary claims more values than it has bytes"));
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_of_a_page_are_read_before_it() {
        let header = [0x15, 0x04, 0x15, 0x80, 0x02, 0x15, 0x14];
        let mut rest = &header[..];
        let found = [(); 3].map(|()| number(&mut rest));
        assert_eq!(found, [Some(2), Some(128), Some(10)]);
        for wrong in [
            &[0x15, 0x03][..],
            &[0x16, 2],
            &[0x15, 0xff],
            &[],
            &[0x15; 9],
        ] {
            let mut rest = wrong;
            assert!(
                number(&mut rest).is_none_or(|value| value < 100),
                "{wrong:?}"
            );
        }
    }
}
