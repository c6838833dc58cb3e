//! Small made-up files, and short ways to open them.

pub use strata_testkit::files::{gzip, idx, write};

use crate::{DataError, Dataset};
use std::path::Path;
use strata_core::project::data::{DataSpec, Source};

pub fn spec(source: Source, path: &Path) -> DataSpec {
    DataSpec {
        source,
        path: Some(path.display().to_string()),
        ..DataSpec::default()
    }
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
