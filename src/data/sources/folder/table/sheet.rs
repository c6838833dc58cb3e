//! A table's text to rows of cells: which mark divides the columns is seen from the first rows. What is not UTF-8 is
//! read as Windows-1252, which spreadsheets write. Fails on UTF-16 and on what has no rows.

use crate::error::DataError;
use crate::formats::bytes::Input;
use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord, Trim};
use std::io::Read;
use std::path::Path;
use strata_core::files::BoundedLines;

/// Bytes that the first look takes in.
const LOOK: u64 = 256 << 10;
/// Rows that the first look takes in.
const MOST_ROWS: usize = 200;
/// Marks in the order in which they are tried.
const MARKS: [u8; 5] = [b',', b';', b'\t', b'|', b' '];
/// Bytes of a row: all of one is kept in memory.
const MOST_ROW: usize = 64 << 20;
/// Of the rows, this share at least has one number of cells.
const LEAST_ALIKE: f64 = 0.8;

/// What the first look found.
pub(crate) struct Sheet {
    /// What divides cells.
    pub mark: u8,
    /// Cells in most rows.
    pub columns: usize,
    /// The first rows.
    pub rows: Vec<StringRecord>,
}

impl Sheet {
    /// Looks at the first rows of a file.
    pub fn look(file: &Path) -> Result<Sheet, DataError> {
        let bytes = Input::open(file)?.read_small(LOOK)?;
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            let problem = "the text is UTF-16, as some spreadsheets save it";
            return Err(DataError::malformed(file, problem, "save it as CSV UTF-8"));
        }
        let is_all = (bytes.len() as u64) < LOOK;
        let look = |mark: u8| {
            let mut reader = reader(bytes.as_slice(), mark);
            let rows: Vec<StringRecord> = reader
                .byte_records()
                .map_while(Result::ok)
                .take(MOST_ROWS + 1)
                .map(|row| text_of(row).0)
                .collect();
            (mark, rows)
        };
        let mut best: Option<Sheet> = None;
        for (mark, mut rows) in MARKS.map(look) {
            // The last row may be cut off.
            if !is_all && rows.len() > 1 {
                rows.pop();
            }
            let (columns, share) = usual(&rows);
            let known = best.as_ref().map_or(0, |best| best.columns);
            let is_better = columns > known && share >= LEAST_ALIKE && (mark != b' ' || known <= 1);
            if best.is_none() || (is_better && columns > 1) {
                best = Some(Sheet {
                    mark,
                    columns,
                    rows,
                });
            }
        }
        best.filter(|sheet| !sheet.rows.is_empty())
            .ok_or_else(|| DataError::malformed(file, "there is no row in it", super::HELP))
    }
}

/// A row as text, and whether it was not UTF-8.
pub(crate) fn text_of(row: ByteRecord) -> (StringRecord, bool) {
    match StringRecord::from_byte_record(row) {
        Ok(row) => (row, false),
        Err(error) => {
            let row = error.into_byte_record();
            (row.iter().map(windows_1252).collect(), true)
        }
    }
}

fn windows_1252(cell: &[u8]) -> String {
    const FROM_128: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let letter = |&byte: &u8| match byte {
        128..160 => FROM_128[usize::from(byte - 128)],
        byte => char::from(byte),
    };
    match std::str::from_utf8(cell) {
        Ok(text) => text.to_owned(),
        Err(_) => cell.iter().map(letter).collect(),
    }
}

/// The number of cells that most rows have, and the share of those rows.
fn usual(rows: &[StringRecord]) -> (usize, f64) {
    let mut counts = std::collections::BTreeMap::new();
    for row in rows {
        *counts.entry(row.len()).or_insert(0usize) += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or((0, 0.0), |(cells, count)| {
        (cells, count as f64 / rows.len().max(1) as f64)
    })
}

/// Rows divided by a mark; a byte order mark at the start is passed over.
pub(crate) fn reader<R: Read>(input: R, mark: u8) -> Reader<BoundedLines<R>> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(mark)
        .from_reader(BoundedLines::new(input, MOST_ROW))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &[u8]) -> Sheet {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.csv");
        std::fs::write(&file, text).unwrap();
        Sheet::look(&file).unwrap()
    }

    #[test]
    fn the_mark_between_columns_is_seen() {
        for (text, mark, columns) in [
            ("path,label\na.jpg,cat\nb.jpg,dog\n", b',', 2),
            ("\u{feff}path;label\na.jpg;cat, black\nb.jpg;dog\n", b';', 2),
            ("a.jpg\tcat\nb.jpg\tdog\n", b'\t', 2),
            ("a.jpg|cat\n", b'|', 2),
            ("a.jpg 0\nb.jpg 1\n", b' ', 2),
            ("my cat.jpg\nb.jpg\n", b',', 1),
            ("emotion,pixels,Usage\n0,70 80 82,Training\n", b',', 3),
            ("path,label\n\"a, b.jpg\",\"the \"\"cat\"\"\"\n", b',', 2),
        ] {
            let sheet = look(text.as_bytes());
            assert_eq!((sheet.mark, sheet.columns), (mark, columns), "{text}");
            assert!(!sheet.rows[0][0].starts_with('\u{feff}'));
        }
    }
}
