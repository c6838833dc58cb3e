//! Small made-up files, and short ways to open them.

pub use strata_testkit::files::{gzip, idx, write};

use crate::{DataError, Dataset};
use parquet::file::writer::SerializedFileWriter;
use std::path::Path;
use std::sync::Arc;
use strata_core::project::data::{DataSpec, Source};
use strata_testkit::files::fixture;
use tempfile::{TempDir, tempdir};

pub fn spec(source: Source, path: &Path) -> DataSpec {
    DataSpec {
        source,
        path: Some(path.display().to_string()),
        ..DataSpec::default()
    }
}

/// Pixels as they are, all labelled images for training.
pub fn whole(source: Source, path: &Path) -> DataSpec {
    DataSpec {
        valid: Some(0.0),
        test: Some(0.0),
        ..split(source, path)
    }
}

/// Pixels as they are, in the splits that the files have.
pub fn split(source: Source, path: &Path) -> DataSpec {
    DataSpec {
        range: Some([0.0, 255.0]),
        ..spec(source, path)
    }
}

/// A folder of fixtures under other names.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, of) in files {
        write(folder.path(), name, &fixture(of));
    }
    folder
}

pub fn open(spec: &DataSpec) -> Result<Dataset, DataError> {
    Dataset::open(spec, 42, Path::new("."), &mut |_| true)
}

/// The message of opening `path`, which must fail.
pub fn refusal(source: Source, path: &Path) -> String {
    open(&spec(source, path)).unwrap_err().to_string()
}

/// Images `count` of 4×3 whose pixels count up, and labels that count up to 9 and over again.
pub(crate) fn write_idx(folder: &Path, prefix: &str, count: u8) {
    let pixels: Vec<u8> = (0..usize::from(count) * 12).map(|i| i as u8).collect();
    let labels: Vec<u8> = (0..count).map(|i| i % 10).collect();
    let count = u32::from(count);
    write(
        folder,
        &format!("{prefix}-images-idx3-ubyte"),
        &idx(&[count, 4, 3], &pixels),
    );
    write(
        folder,
        &format!("{prefix}-labels-idx1-ubyte"),
        &idx(&[count], &labels),
    );
}

/// Records of CIFAR with these label bytes; red is 1, green 2, blue 3 plus the record's number.
pub fn cifar(labels: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, label) in labels.iter().enumerate() {
        bytes.extend_from_slice(label);
        for colour in 1..=3 {
            bytes.extend([colour + number as u8; 1024]);
        }
    }
    bytes
}

/// STL-10 pictures: the pixel in row y, column x of picture n has red y, green x, blue n.
pub fn stl10(count: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..count {
        let plane = |value: fn(u8, u8, u8) -> u8| {
            (0..96u8)
                .flat_map(move |x| (0..96u8).map(move |y| value(y, x, number)))
                .collect::<Vec<u8>>()
        };
        bytes.extend(plane(|y, _, _| y));
        bytes.extend(plane(|_, x, _| x));
        bytes.extend(plane(|_, _, number| number));
    }
    bytes
}

/// An image file of one colour, in the format of its name.
pub fn write_image(folder: &Path, name: &str, [height, width]: [u32; 2], rgb: [u8; 3]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_pixel(width, height, image::Rgb(rgb))
        .save(path)
        .unwrap();
}

/// The bytes of a PNG file.
pub fn png(image: &image::DynamicImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The values of one column of a table; a value can be missing.
pub enum Values {
    Bytes(Vec<Option<Vec<u8>>>),
    Whole(Vec<i64>),
    /// Lists of numbers, in a column as pyarrow writes it.
    Lists(Vec<Vec<i64>>),
}

/// A Parquet file of such columns; `note` is what Hugging Face's library leaves with it.
pub fn parquet(
    schema: &str,
    columns: &[Values],
    rows_in_group: usize,
    note: Option<&str>,
) -> Vec<u8> {
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::metadata::KeyValue;
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let note = note.map(|note| vec![KeyValue::new("huggingface".to_owned(), note.to_owned())]);
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .set_key_value_metadata(note);
    let properties = Arc::new(properties.build());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    let levels: Vec<i16> = file
        .schema_descr()
        .columns()
        .iter()
        .map(|column| column.max_def_level())
        .collect();
    let rows = match &columns[0] {
        Values::Bytes(values) => values.len(),
        Values::Whole(values) => values.len(),
        Values::Lists(values) => values.len(),
    };
    for start in (0..rows).step_by(rows_in_group) {
        let range = start..rows.min(start + rows_in_group);
        let mut group = file.next_row_group().unwrap();
        for (values, &level) in columns.iter().zip(&levels) {
            let mut column = group.next_column().unwrap().unwrap();
            match values {
                Values::Bytes(values) => {
                    let values = &values[range.clone()];
                    let given = |value: &Option<Vec<u8>>| level - i16::from(value.is_none());
                    let levels: Vec<i16> = values.iter().map(given).collect();
                    let values = values.iter().flatten().cloned().map(ByteArray::from);
                    let values: Vec<ByteArray> = values.collect();
                    let writer = column.typed::<ByteArrayType>();
                    writer.write_batch(&values, Some(&levels), None).unwrap();
                }
                Values::Lists(lists) => {
                    let (mut numbers, mut levels, mut repeats) =
                        (Vec::new(), Vec::new(), Vec::new());
                    for list in &lists[range.clone()] {
                        // Of an empty list the outer group is there, and no element.
                        levels.extend(list.is_empty().then_some(1));
                        repeats.extend(list.is_empty().then_some(0));
                        levels.extend(list.iter().map(|_| level));
                        repeats.extend((0..list.len()).map(|at| i16::from(at > 0)));
                        numbers.extend(list);
                    }
                    let writer = column.typed::<Int64Type>();
                    writer
                        .write_batch(&numbers, Some(&levels), Some(&repeats))
                        .unwrap();
                }
                Values::Whole(values) => {
                    let values = &values[range.clone()];
                    let levels = vec![level; values.len()];
                    let writer = column.typed::<Int64Type>();
                    writer.write_batch(values, Some(&levels), None).unwrap();
                }
            }
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

/// Writes pictures (H×W×C bytes each) as one PNG, so that a person can look at them.
pub(crate) fn write_sheet(
    path: &Path,
    pictures: &[Vec<u8>],
    [height, width, channels]: [usize; 3],
    columns: usize,
    zoom: u32,
) {
    let rows = pictures.len().div_ceil(columns);
    let mut sheet = image::RgbImage::from_pixel(
        ((width + 2) * columns) as u32,
        ((height + 2) * rows) as u32,
        image::Rgb([30, 30, 30]),
    );
    for (number, picture) in pictures.iter().enumerate() {
        let (left, top) = (
            number % columns * (width + 2) + 1,
            number / columns * (height + 2) + 1,
        );
        for (at, pixel) in picture.chunks_exact(channels).enumerate() {
            let rgb = if channels == 3 {
                [pixel[0], pixel[1], pixel[2]]
            } else {
                [pixel[0]; 3]
            };
            sheet.put_pixel(
                (left + at % width) as u32,
                (top + at / width) as u32,
                image::Rgb(rgb),
            );
        }
    }
    let (wide, tall) = (sheet.width() * zoom, sheet.height() * zoom);
    image::imageops::resize(&sheet, wide, tall, image::imageops::FilterType::Nearest)
        .save(path)
        .unwrap();
}
