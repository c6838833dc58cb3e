//! Parquet files of images as Hugging Face has them.

use super::made::{self, Values, folder, open, parquet, png, refusal, write};
use crate::Dataset;
use image::{DynamicImage, GrayImage, Luma};
use std::path::Path;
use std::time::Instant;
use strata_core::project::data::{DataSpec, Source, Split};
use tempfile::tempdir;

const STRUCT: &str = "message t { optional group image { optional binary bytes; optional binary path (UTF8); } required int64 label; }";

/// All images for training.
fn whole(path: &Path) -> DataSpec {
    made::whole(Source::Parquet, path)
}

/// The splits that the files have.
fn split(path: &Path) -> DataSpec {
    made::split(Source::Parquet, path)
}

/// The class and the first pixel of every image of a split, by pixel.
fn seen(dataset: &Dataset, split: Split) -> Vec<(Option<&str>, u8)> {
    let data = dataset.split(split).unwrap();
    let mut image = vec![0.0; dataset.shape().iter().product()];
    let mut seen = Vec::new();
    for index in 0..data.len() {
        data.read(index, &mut image).unwrap();
        let class = data.label(index);
        let name = class.map(|class| dataset.classes()[class as usize].as_str());
        seen.push((name, image[0].round() as u8));
    }
    seen.sort_by_key(|(_, pixel)| *pixel);
    seen
}

fn expected(names: [Option<&'static str>; 3], count: usize) -> Vec<(Option<&'static str>, u8)> {
    (0..count).map(|n| (names[n % 3], 10 * n as u8)).collect()
}

#[test]
fn shards_of_hugging_face_are_read_with_their_classes() {
    let folder = folder(&[
        ("README.md", "grey.jpg"),
        ("data/train-00000-of-00001.parquet", "images.parquet"),
        ("data/test-00000-of-00001.parquet", "images.parquet"),
        ("data/validation-00000-of-00001.parquet", "images.parquet"),
    ]);
    let dataset = open(&split(folder.path())).unwrap();
    assert_eq!(dataset.shape(), [1, 8, 8]);
    assert_eq!(dataset.classes(), ["cat", "dog", "emu", "fox"]);
    for split in [Split::Train, Split::Valid, Split::Test] {
        let expected = expected([Some("cat"), Some("dog"), Some("emu")], 10);
        assert_eq!(seen(&dataset, split), expected, "{split}");
    }
}

#[test]
fn a_lone_file_and_the_converted_layout_are_read() {
    let folder = folder(&[
        ("train-00000-of-00004.parquet", "images.parquet"),
        ("converted/default/train/0000.parquet", "images.parquet"),
        ("converted/default/test/0000.parquet", "images.parquet"),
    ]);
    let lone = open(&whole(&folder.path().join("train-00000-of-00004.parquet"))).unwrap();
    assert_eq!(lone.split(Split::Train).unwrap().len(), 10);
    let note = lone.notes().iter().map(ToString::to_string);
    assert!(note.into_iter().any(|note| note.contains("one of 4 files")));
    let converted = open(&split(&folder.path().join("converted"))).unwrap();
    assert_eq!(converted.split(Split::Test).unwrap().len(), 10);
}

#[test]
fn pages_of_version_2_and_other_columns_are_read() {
    let folder = folder(&[("train.parquet", "pages2.parquet")]);
    let dataset = open(&whole(folder.path())).unwrap();
    let fine = expected([Some("cat"), Some("dog"), Some("emu")], 10);
    assert_eq!(seen(&dataset, Split::Train), fine);
    let notes: Vec<String> = dataset.notes().iter().map(ToString::to_string).collect();
    let line = "write label = \"column: coarse_label\" under [data]";
    assert!(notes.iter().any(|note| note.contains(line)), "{notes:?}");
    let coarse = whole(folder.path()).with_line("label = \"column: coarse_label\"");
    let coarse = open(&coarse.unwrap()).unwrap();
    assert_eq!(coarse.classes(), ["pet", "other"]);
    let names = [Some("pet"), Some("other"), Some("pet")];
    assert_eq!(seen(&coarse, Split::Train), expected(names, 10));
    let absent = whole(folder.path()).with_line("label = \"column: kind\"");
    let message = open(&absent.unwrap()).unwrap_err().to_string();
    assert!(
        message.contains("no column kind") && message.contains("fine_label"),
        "{message}"
    );
}

#[test]
fn zstandard_and_lz4_are_unpacked() {
    let expected = expected([Some("cat"), Some("dog"), Some("emu")], 10);
    for packed in ["zstd.parquet", "zstd2.parquet", "lz4.parquet"] {
        let folder = folder(&[("train.parquet", packed)]);
        let dataset = open(&whole(folder.path())).unwrap();
        assert_eq!(seen(&dataset, Split::Train), expected, "{packed}");
    }
}

#[test]
fn texts_are_labels_and_what_has_none_is_unlabeled() {
    let folder = folder(&[("train.parquet", "texts.parquet")]);
    let dataset = open(&whole(folder.path())).unwrap();
    assert_eq!(dataset.classes(), ["a dog", "cat"]);
    let labelled = [(Some("cat"), 0), (Some("a dog"), 10), (Some("cat"), 30)];
    assert_eq!(seen(&dataset, Split::Train)[..3], labelled);
    assert_eq!(seen(&dataset, Split::Unlabeled).len(), 3);
    let skipped = &dataset.skipped()[0];
    assert!(skipped.file.ends_with("train.parquet/row 9"));
    assert!(skipped.reason.contains("holds no image"), "{skipped:?}");
}

#[test]
fn single_damaged_images_are_left_out() {
    let folder = tempdir().unwrap();
    let picture = |n: usize| png(&GrayImage::from_pixel(4, 4, Luma([n as u8])).into());
    let images = (0..20).map(|n| {
        Some(if n == 7 {
            b"no image".to_vec()
        } else {
            picture(n)
        })
    });
    let paths = vec![None; 20];
    let columns = [
        Values::Bytes(images.collect()),
        Values::Bytes(paths),
        Values::Whole((0..20).map(|n| n % 2).collect()),
    ];
    let file = parquet(STRUCT, &columns, 6, None);
    write(folder.path(), "train.parquet", &file);
    let dataset = open(&whole(folder.path())).unwrap();
    assert_eq!(dataset.split(Split::Train).unwrap().len(), 19);
    assert_eq!(dataset.classes(), ["0", "1"]);
    assert!(dataset.skipped()[0].file.ends_with("row 7"));
    // A damaged group of rows does not take the others with it.
    let mut damaged = file;
    damaged[4..12].fill(0xff);
    write(folder.path(), "train.parquet", &damaged);
    let dataset = open(&whole(folder.path())).unwrap();
    assert_eq!(dataset.split(Split::Train).unwrap().len(), 13);
}

#[test]
fn what_is_not_read_is_refused_in_one_sentence() {
    let brotli = folder(&[("train.parquet", "brotli.parquet")]);
    let message = refusal(Source::Parquet, brotli.path());
    assert!(message.contains("compressed with brotli"), "{message}");
    assert_eq!(message.lines().count(), 4, "{message}");
    let two = folder(&[
        ("full/train-00000-of-00001.parquet", "images.parquet"),
        ("small/train-00000-of-00001.parquet", "images.parquet"),
    ]);
    let message = refusal(Source::Parquet, two.path());
    assert!(
        message.contains("several configurations (full, small)"),
        "{message}"
    );
    assert!(open(&whole(&two.path().join("small"))).is_ok());
    let mixed = folder(&[
        ("train.parquet", "images.parquet"),
        ("test.parquet", "pages2.parquet"),
    ]);
    assert!(refusal(Source::Parquet, mixed.path()).contains("other columns"));
    let none = tempdir().unwrap();
    assert!(refusal(Source::Parquet, none.path()).contains("no .parquet file"));
    let schema = "message t { required int64 label; required int64 id; }";
    let columns = [Values::Whole(vec![1]), Values::Whole(vec![2])];
    write(
        none.path(),
        "a.parquet",
        &parquet(schema, &columns, 1, None),
    );
    let message = refusal(Source::Parquet, none.path());
    assert!(
        message.contains("no column holds images: its columns are label, id"),
        "{message}"
    );
    write(none.path(), "a.parquet", b"PAR1 and no more");
    assert!(refusal(Source::Parquet, none.path()).contains("no Parquet file"));
}

/// Ten thousand small images are ready in two seconds on two cores.
#[test]
fn ten_thousand_images_are_ready_at_once() {
    let folder = tempdir().unwrap();
    let picture = |n: usize| {
        let image = image::RgbImage::from_fn(32, 32, |x, y| {
            image::Rgb([(x * 7 + n as u32) as u8, (y * 5) as u8, (x * y) as u8])
        });
        Some(png(&DynamicImage::from(image)))
    };
    let images: Vec<Option<Vec<u8>>> = (0..250).map(picture).collect();
    let images: Vec<Option<Vec<u8>>> = images.iter().cycle().take(10_000).cloned().collect();
    let columns = [
        Values::Bytes(images),
        Values::Bytes(vec![None; 10_000]),
        Values::Whole((0..10_000).map(|n| n % 10).collect()),
    ];
    let file = parquet(STRUCT, &columns, 1000, None);
    write(folder.path(), "train.parquet", &file);
    let start = Instant::now();
    let dataset = open(&whole(folder.path())).unwrap();
    let took = start.elapsed();
    assert_eq!(dataset.split(Split::Train).unwrap().len(), 10_000);
    println!("10,000 rows in {took:?}");
    assert!(
        took.as_secs_f64() < 6.0,
        "{took:?}, in a build without optimisation"
    );
}
