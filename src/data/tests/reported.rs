//! Image files that people report of other programs and that are read right here: bits, palettes, keys of
//! transparency, turned cameras, names that lie, damage. Each is a promise to keep.

use super::made::{open, spec, write, write_image};
use crate::Dataset;
use flate2::{Compression, Crc, write::ZlibEncoder};
use std::io::Write;
use std::path::Path;
use strata_core::project::data::{DataSpec, Source, Split};
use strata_testkit::files::fixture;
use tempfile::tempdir;

/// A chunk of a PNG file.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(kind);
    sum.update(data);
    let length = (data.len() as u32).to_be_bytes();
    [&length[..], kind, data, &sum.sum().to_be_bytes()].concat()
}

/// A PNG file of these packed rows; `colour` is 0 grey, 2 colours, 3 palette, and `extra` stands before the pixels.
fn png(size: [u32; 2], depth: u8, colour: u8, extra: &[Vec<u8>], rows: &[&[u8]]) -> Vec<u8> {
    let [width, height] = size.map(u32::to_be_bytes);
    let header = [&width[..], &height, &[depth, colour, 0, 0, 0]].concat();
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in rows {
        packer.write_all(&[0]).unwrap();
        packer.write_all(row).unwrap();
    }
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(chunk(b"IHDR", &header));
    bytes.extend(extra.concat());
    bytes.extend(chunk(b"IDAT", &packer.finish().unwrap()));
    bytes.extend(chunk(b"IEND", &[]));
    bytes
}

/// A TIFF file of one strip with one bit a pixel: white is 0 where `is_white_zero`.
fn tiff(size: [u32; 2], compression: u32, is_white_zero: bool, strip: &[u8]) -> Vec<u8> {
    let [width, height] = size;
    let photometric = u32::from(!is_white_zero);
    let entries = [
        (256, width),
        (257, height),
        (258, 1),
        (259, compression),
        (262, photometric),
        (273, 8),
        (277, 1),
        (278, height),
        (279, strip.len() as u32),
    ];
    let mut bytes = b"II*\0".to_vec();
    let room = strip.len().next_multiple_of(2);
    bytes.extend((8 + room as u32).to_le_bytes());
    bytes.extend_from_slice(strip);
    bytes.resize(8 + room, 0);
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        bytes.extend((tag as u16).to_le_bytes());
        bytes.extend(4u16.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    bytes
}

/// A BMP file of 8×2 bits, its palette black and white.
fn bmp() -> Vec<u8> {
    let rows = [[0b0000_1111, 0, 0, 0], [0b1111_0000, 0, 0, 0]];
    let mut bytes = b"BM".to_vec();
    bytes.extend((14u32 + 40 + 8 + 8).to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend((14u32 + 40 + 8).to_le_bytes());
    for field in [40u32, 8, 2] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    for field in [0u32, 8, 2835, 2835, 2, 2] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend([0, 0, 0, 0, 255, 255, 255, 0]);
    bytes.extend(rows.concat());
    bytes
}

fn whole(path: &Path) -> DataSpec {
    DataSpec {
        valid: Some(0.0),
        ..spec(Source::Folder, path)
    }
}

/// The folder with this file alone in the class `c`.
fn alone(name: &str, bytes: &[u8]) -> (tempfile::TempDir, Dataset) {
    let folder = tempdir().unwrap();
    write(folder.path(), &format!("c/{name}"), bytes);
    let dataset = open(&whole(folder.path())).unwrap();
    (folder, dataset)
}

fn pixels(dataset: &Dataset) -> Vec<u8> {
    let mut values = vec![0.0; dataset.shape().iter().product()];
    let split = dataset.split(Split::Train).unwrap();
    split.read(0, &mut values).unwrap();
    dataset.to_pixels(&values)
}

/// torch/image 94: one bit a pixel, in each format that has it.
#[test]
fn one_bit_is_black_or_white() {
    let half = [[255; 4], [0; 4]].concat();
    let turned = [[0; 4], [255; 4]].concat();
    let upright = [half.clone(), turned.clone()].concat();
    let rows: [&[u8]; 2] = [&[0b1111_0000], &[0b0000_1111]];
    let strip = rows.concat();
    // Fax group 4: white 4 and black 4 (001 1011 011), then twice "as the line above", then the end.
    let fax = [
        0b0011_0110,
        0b1111_0000,
        0b0000_0001,
        0b0000_0000,
        0b0001_0000,
    ];
    for (name, bytes, wanted) in [
        ("bits.png", png([8, 2], 1, 0, &[], &rows), upright.clone()),
        ("bits.bmp", bmp(), upright.clone()),
        ("bits.tif", tiff([8, 2], 1, false, &strip), upright.clone()),
        (
            "inverse.tif",
            tiff([8, 2], 1, true, &strip),
            [turned, half.clone()].concat(),
        ),
        (
            "fax.tif",
            tiff([8, 2], 4, true, &fax),
            [half.clone(), half].concat(),
        ),
    ] {
        let (_folder, dataset) = alone(name, &bytes);
        let found: Vec<u8> = pixels(&dataset);
        let channels = dataset.shape()[0];
        let first: Vec<u8> = found.into_iter().step_by(channels).collect();
        assert_eq!(first, wanted, "{name}");
    }
}

/// Pillow 421 and 6348, image-png 346: what is transparent lies over white, however it is written.
#[test]
fn what_is_transparent_is_white() {
    let palette = chunk(b"PLTE", &[200, 0, 0, 0, 200, 0, 0, 0, 200]);
    let rows: [&[u8]; 1] = [&[0, 1, 2]];
    let colours = [[200, 0, 0], [0, 200, 0], [0, 0, 200]];
    let white = [255; 3];
    let over = |alpha: &[u8], kept: [[u8; 3]; 3]| {
        let extra = [palette.clone(), chunk(b"tRNS", alpha)];
        let (_folder, dataset) = alone("palette.png", &png([3, 1], 8, 3, &extra, &rows));
        assert_eq!(pixels(&dataset), kept.concat(), "alpha {alpha:?}");
    };
    over(&[0], [white, colours[1], colours[2]]);
    over(&[255, 0], [colours[0], white, colours[2]]);
    over(&[0, 0, 0], [white; 3]);
    let key = chunk(b"tRNS", &[0, 0, 0, 200, 0, 0]);
    let row = colours.concat();
    let (_folder, dataset) = alone("key.png", &png([3, 1], 8, 2, &[key], &[&row]));
    assert_eq!(pixels(&dataset), [colours[0], white, colours[2]].concat());
}

/// tensorflow 49834, yolov5 405: a PNG that was turned, and orientations that there are not.
#[test]
fn turned_images_are_upright_and_wrong_turns_are_ignored() {
    let exif = |orientation: u16| {
        let mut bytes = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        bytes.extend(orientation.to_le_bytes());
        bytes.extend([0; 6]);
        chunk(b"eXIf", &bytes)
    };
    let rows: [&[u8]; 1] = [&[10, 20, 30]];
    for (orientation, shape, values) in [
        (1, [1, 1, 3], [10, 20, 30]),
        (2, [1, 1, 3], [30, 20, 10]),
        (3, [1, 1, 3], [30, 20, 10]),
        (6, [1, 3, 1], [10, 20, 30]),
        (8, [1, 3, 1], [30, 20, 10]),
        (9, [1, 1, 3], [10, 20, 30]),
        (0, [1, 1, 3], [10, 20, 30]),
    ] {
        let (_folder, dataset) = alone("t.png", &png([3, 1], 8, 0, &[exif(orientation)], &rows));
        assert_eq!(
            (dataset.shape(), &pixels(&dataset)[..]),
            (shape, &values[..]),
            "{orientation}"
        );
    }
    let broken = chunk(b"eXIf", b"II*\0\xff\xff\xff\x7f");
    let (_folder, dataset) = alone("t.png", &png([3, 1], 8, 0, &[broken], &rows));
    assert_eq!(pixels(&dataset), [10, 20, 30]);
}

#[test]
fn a_file_is_what_it_holds_and_not_what_it_is_called() {
    let grey = png([3, 1], 8, 0, &[], &[&[10, 20, 30]]);
    let photo = fixture("plain.jpg");
    let trailing = [&photo[..], b"what a camera appends"].concat();
    for (name, bytes, shape) in [
        ("png.jpg", &grey, [1, 1, 3]),
        ("png.JPEG", &grey, [1, 1, 3]),
        ("photo.png", &photo, [3, 16, 24]),
        ("photo.JpEg", &photo, [3, 16, 24]),
        ("photo.jfif", &photo, [3, 16, 24]),
        ("photo.webp", &photo, [3, 16, 24]),
        ("trailing.jpg", &trailing, [3, 16, 24]),
    ] {
        let (_folder, dataset) = alone(name, bytes);
        assert_eq!(dataset.shape(), shape, "{name}");
        assert!(dataset.skipped().is_empty(), "{name}");
    }
}

#[test]
fn damaged_files_and_empty_classes_are_named() {
    let folder = tempdir().unwrap();
    for number in 0..8 {
        write_image(folder.path(), &format!("a/{number}.png"), [4, 4], [9, 9, 9]);
    }
    let good = std::fs::read(folder.path().join("a/0.png")).unwrap();
    let mut wrong_sum = good.clone();
    let data = good.windows(4).position(|kind| kind == b"IDAT").unwrap();
    wrong_sum[data + 6] ^= 0x55;
    for (name, bytes) in [
        ("cut.png", &good[..good.len() / 2]),
        ("empty.png", &[]),
        ("sum.png", &wrong_sum),
        ("page.png", b"<html>404</html>"),
    ] {
        write(folder.path(), &format!("a/{name}"), bytes);
    }
    std::fs::create_dir(folder.path().join("b")).unwrap();
    let dataset = open(&whole(folder.path())).unwrap();
    assert_eq!(dataset.classes(), ["a"]);
    let skipped: Vec<String> = dataset
        .skipped()
        .iter()
        .map(|skipped| {
            let name = skipped
                .file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            format!("{name}: {}", skipped.reason)
        })
        .collect();
    for name in ["cut.png", "empty.png", "sum.png", "page.png"] {
        assert!(
            skipped.iter().any(|line| line.starts_with(name)),
            "{name}: {skipped:?}"
        );
    }
    let told = skipped.join("\n")
        + &dataset
            .notes()
            .iter()
            .map(|note| note.to_string())
            .collect::<String>();
    assert!(
        told.contains("b:") || told.contains("class b") || told.contains("`b`"),
        "{told}"
    );
}
