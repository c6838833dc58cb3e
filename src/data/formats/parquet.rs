//! Tables in Parquet files: their columns, and the values of one column of one group of rows at a time.
//!
//! Fails with a sentence on what is no Parquet file, on compression that is not read, and on damaged pages. The library
//! believes its files: what a page claims is compared with its bytes first, and a panic on a damaged file ends as an
//! error, since nothing else would stop it.

mod pages;
mod rows;
mod unpack;

pub(crate) use rows::{Row, Rows};

use pages::{CheckedPages, Chunks};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::logging::panic::caught;

/// Values read at once: what a page claims to hold takes no memory before it was found there.
const BATCH: usize = 1024;
/// Rows of a file for each of its bytes; more are a lie.
const MOST_ROWS_A_BYTE: u64 = 16;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bytes,
    Text,
    Whole,
    Bool,
    Float,
    Other,
}

/// A column, or one field of a column that has several.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// The column's name.
    pub name: String,
    /// The field's name: `bytes` of an image.
    pub field: Option<String>,
    pub kind: Kind,
    /// What the elements are, where each value is a list.
    pub list_of: Option<Kind>,
    /// Its number among all fields of the file.
    leaf: usize,
}

/// A file, opened.
pub(crate) struct Table {
    pub path: PathBuf,
    pub columns: Vec<Column>,
    reader: Arc<Chunks>,
    metadata: ParquetMetaData,
}

impl Table {
    /// Reads what a file says of itself.
    pub fn open(path: &Path) -> Result<Table, String> {
        let reader = Chunks::open(path).map_err(|cause| format!("cannot be read ({cause})"))?;
        let parse = || ParquetMetaDataReader::new().parse_and_finish(&reader);
        let metadata = flat(caught(parse))
            .map_err(|error| format!("this is no Parquet file that can be read ({error})"))?;
        let table = Table {
            path: path.to_path_buf(),
            columns: columns(&metadata),
            reader: Arc::new(reader),
            metadata,
        };
        let most = table.reader.length().saturating_mul(MOST_ROWS_A_BYTE);
        let mut left = most;
        for group in 0..table.groups() {
            let rows = table.rows_claimed(group).filter(|&rows| rows <= left);
            left -= rows.ok_or("it claims more rows than its bytes can hold")?;
        }
        Ok(table)
    }

    /// How many groups of rows there are.
    pub fn groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    /// Rows of a group.
    pub fn rows(&self, group: usize) -> usize {
        let rows = self.rows_claimed(group).unwrap_or(0);
        usize::try_from(rows).unwrap_or(0)
    }

    fn rows_claimed(&self, group: usize) -> Option<u64> {
        let groups = self.metadata.row_groups();
        u64::try_from(groups.get(group)?.num_rows()).ok()
    }

    /// Bytes of a column in a group of rows once unpacked, as far as the file says so.
    pub fn bytes(&self, group: usize, column: &Column) -> u64 {
        let group = self.metadata.row_groups().get(group);
        let chunk = group.and_then(|group| group.columns().get(column.leaf));
        let claimed = chunk.map_or(0, |chunk| {
            u64::try_from(chunk.uncompressed_size()).unwrap_or(0)
        });
        claimed.min(self.reader.length().saturating_mul(pages::MOST_SHRINKS))
    }

    /// Fails where a column is compressed in a way that is not read.
    pub fn check(&self, column: &Column) -> Result<(), String> {
        let groups = self.metadata.row_groups().iter();
        let mut chunks = groups.filter_map(|group| group.columns().get(column.leaf));
        chunks.try_for_each(|chunk| check_compression(chunk.compression()))
    }

    /// A text that the writer left with the file, by its name.
    pub fn note(&self, name: &str) -> Option<&str> {
        let notes = self.metadata.file_metadata().key_value_metadata()?;
        let note = notes.iter().find(|note| note.key == name)?;
        note.value.as_deref()
    }

    /// The bytes of a column of bytes or texts in a group of rows, one for each row.
    pub fn byte_values(
        &self,
        group: usize,
        column: &Column,
    ) -> Result<Vec<Option<ByteArray>>, String> {
        flat(caught(|| match self.reader(group, column)? {
            (ColumnReader::ByteArrayColumnReader(reader), nulls) => {
                read(reader, self.rows(group), nulls)
            }
            _ => Err("it holds no bytes".to_owned()),
        }))
    }

    /// The values of a column in a group of rows as texts, one for each row.
    pub fn texts(&self, group: usize, column: &Column) -> Result<Vec<Option<String>>, String> {
        let rows = self.rows(group);
        flat(caught(|| {
            let (reader, nulls) = self.reader(group, column)?;
            match reader {
                ColumnReader::BoolColumnReader(reader) => {
                    as_texts(reader, rows, nulls, |value| u8::from(*value).to_string())
                }
                ColumnReader::Int32ColumnReader(reader) => {
                    as_texts(reader, rows, nulls, ToString::to_string)
                }
                ColumnReader::Int64ColumnReader(reader) => {
                    as_texts(reader, rows, nulls, ToString::to_string)
                }
                ColumnReader::FloatColumnReader(reader) => {
                    as_texts(reader, rows, nulls, ToString::to_string)
                }
                ColumnReader::DoubleColumnReader(reader) => {
                    as_texts(reader, rows, nulls, ToString::to_string)
                }
                ColumnReader::ByteArrayColumnReader(reader) => {
                    as_texts(reader, rows, nulls, |value| {
                        String::from_utf8_lossy(value.data()).trim().to_owned()
                    })
                }
                _ => Err("its values are neither numbers nor texts".to_owned()),
            }
        }))
    }

    /// The lists of a column in a group of rows, one for each row: their elements as texts.
    pub fn lists(&self, group: usize, column: &Column) -> Result<Vec<Option<Vec<String>>>, String> {
        let rows = self.rows(group);
        flat(caught(|| {
            let (reader, present) = self.reader(group, column)?;
            match reader {
                ColumnReader::Int32ColumnReader(reader) => {
                    as_lists(reader, rows, present, ToString::to_string)
                }
                ColumnReader::Int64ColumnReader(reader) => {
                    as_lists(reader, rows, present, ToString::to_string)
                }
                ColumnReader::ByteArrayColumnReader(reader) => {
                    as_lists(reader, rows, present, |value| {
                        String::from_utf8_lossy(value.data()).trim().to_owned()
                    })
                }
                _ => Err("its elements are neither whole numbers nor texts".to_owned()),
            }
        }))
    }

    /// The reader of a column, and the level of a value that is there.
    fn reader(&self, group: usize, column: &Column) -> Result<(ColumnReader, i16), String> {
        let rows = self.rows(group);
        let groups = self.metadata.row_groups();
        let chunk = groups
            .get(group)
            .and_then(|group| group.columns().get(column.leaf))
            .ok_or("the column is missing")?;
        check_compression(chunk.compression())?;
        let (start, length) = caught(|| chunk.byte_range())?;
        if start
            .checked_add(length)
            .is_none_or(|end| end > self.reader.length())
        {
            return Err("its values are said to lie behind the end of the file".to_owned());
        }
        let pages = CheckedPages::new(&self.reader, chunk, rows)?;
        let level = chunk.column_descr().max_def_level();
        Ok((
            get_column_reader(chunk.column_descr_ptr(), Box::new(pages)),
            level,
        ))
    }
}

/// Fails on what another program has to unpack.
fn check_compression(compression: Compression) -> Result<(), String> {
    match compression {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) => Ok(()),
        other if unpack::Packing::of(other).is_some() => Ok(()),
        other => {
            let name = format!("{other:?}").to_lowercase();
            let name = name.split('(').next().unwrap_or_default().to_owned();
            Err(format!("its values are compressed with {name}"))
        }
    }
}

/// An error in words, whichever way it came.
fn flat<T, E: ToString>(done: Result<Result<T, E>, String>) -> Result<T, String> {
    match done {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("it is damaged: {panic}")),
    }
}

fn columns(metadata: &ParquetMetaData) -> Vec<Column> {
    let schema = metadata.file_metadata().schema_descr();
    let column = |(leaf, descriptor): (usize, &parquet::schema::types::ColumnDescPtr)| {
        let mut parts = descriptor.path().parts().iter();
        let name = parts.next()?.clone();
        let field = parts.next().cloned();
        let is_list = descriptor.max_rep_level() > 0 || parts.next().is_some();
        let is_repeated = descriptor.self_type().get_basic_info().has_repetition()
            && descriptor.self_type().get_basic_info().repetition() == Repetition::REPEATED;
        let is_text = matches!(
            descriptor.logical_type_ref(),
            Some(LogicalType::String | LogicalType::Enum | LogicalType::Json)
        );
        let element = match descriptor.physical_type() {
            Physical::BYTE_ARRAY if is_text => Kind::Text,
            Physical::BYTE_ARRAY => Kind::Bytes,
            Physical::INT32 | Physical::INT64 => Kind::Whole,
            Physical::BOOLEAN => Kind::Bool,
            Physical::FLOAT | Physical::DOUBLE => Kind::Float,
            _ => Kind::Other,
        };
        let is_flat_list = descriptor.max_rep_level() == 1;
        Some(Column {
            name,
            field,
            kind: if is_list || is_repeated {
                Kind::Other
            } else {
                element
            },
            list_of: is_flat_list.then_some(element),
            leaf,
        })
    };
    schema
        .columns()
        .iter()
        .enumerate()
        .filter_map(column)
        .collect()
}

/// All values of a column in a group of rows; those of a lower level than `present` are missing.
fn read<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    present: i16,
) -> Result<Vec<Option<T::T>>, String> {
    let mut all = Vec::new();
    while all.len() < rows {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let wanted = BATCH.min(rows - all.len());
        let read = reader.read_records(wanted, Some(&mut levels), None, &mut values);
        let (records, _, _) = read.map_err(|error| error.to_string())?;
        if records == 0 {
            let found = all.len();
            return Err(format!("it holds {found} values for {rows} rows"));
        }
        if present == 0 {
            all.extend(values.into_iter().map(Some));
            continue;
        }
        let mut values = values.into_iter();
        let value = |level: i16| (level == present).then(|| values.next()).flatten();
        all.extend(levels.into_iter().map(value));
    }
    Ok(all)
}

/// The lists of a column in a group of rows; an element that is missing is left out.
fn as_lists<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    present: i16,
    text: impl Fn(&T::T) -> String,
) -> Result<Vec<Option<Vec<String>>>, String> {
    let mut all: Vec<Option<Vec<String>>> = Vec::new();
    let mut done = 0;
    while done < rows {
        let (mut levels, mut repeats, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let wanted = BATCH.min(rows - done);
        let read = reader.read_records(wanted, Some(&mut levels), Some(&mut repeats), &mut values);
        let (records, _, _) = read.map_err(|error| error.to_string())?;
        if records == 0 {
            return Err(format!("it holds {done} lists for {rows} rows"));
        }
        done += records;
        let mut values = values.into_iter();
        for (level, repeat) in levels.into_iter().zip(repeats) {
            if repeat == 0 {
                all.push(Some(Vec::new()));
            }
            let value = (level == present).then(|| values.next()).flatten();
            if let (Some(value), Some(Some(list))) = (value, all.last_mut()) {
                list.push(text(&value));
            }
        }
    }
    Ok(all)
}

fn as_texts<T: DataType>(
    reader: ColumnReaderImpl<T>,
    rows: usize,
    present: i16,
    text: impl Fn(&T::T) -> String,
) -> Result<Vec<Option<String>>, String> {
    let values = read(reader, rows, present)?;
    Ok(values
        .into_iter()
        .map(|value| value.as_ref().map(&text))
        .collect())
}
