//! Values finer than bytes, images that tell nothing, files that hold more than is read.

use super::made::{open, refusal, spec, write, write_image};
use crate::{DataError, Dataset};
use std::path::Path;
use strata_core::project::data::{DataSpec, Normalize, Source, Split};
use tempfile::{TempDir, tempdir};

fn folder(path: &Path) -> DataSpec {
    DataSpec {
        valid: Some(0.0),
        ..spec(Source::Folder, path)
    }
}

fn values(dataset: &Dataset, index: usize) -> Vec<f32> {
    let mut values = vec![0.0; dataset.shape().iter().product()];
    let train = dataset.split(Split::Train).unwrap();
    train.read(index, &mut values).unwrap();
    values
}

fn notes(dataset: &Dataset) -> String {
    let notes = dataset.notes().iter().map(|note| note.to_string());
    notes.collect::<Vec<String>>().join("\n")
}

fn write_words(folder: &Path, name: &str, side: u32, value: impl Fn(u32, u32) -> u16) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::ImageBuffer::<image::Luma<u16>, Vec<u16>>::from_fn(side, side, |x, y| {
        image::Luma([value(x, y)])
    })
    .save(path)
    .unwrap();
}

/// Twelve bits in sixteen: values from 284 to 371, each image another.
fn camera() -> TempDir {
    let folder = tempdir().unwrap();
    for number in 0..8u16 {
        let class = ["a", "b"][usize::from(number % 2)];
        write_words(
            folder.path(),
            &format!("train/{class}/{number}.png"),
            4,
            |x, y| 284 + (x + 4 * y) as u16 * 5 + number + u16::from(x + y == 6) * 5,
        );
    }
    folder
}

#[test]
fn twelve_bits_in_sixteen_stay_apart() {
    let root = camera();
    let dataset = open(&folder(root.path())).unwrap();
    let first = values(&dataset, 0);
    assert_eq!(first[0], 284.0 / 65_535.0);
    let levels: std::collections::BTreeSet<u32> =
        first.iter().map(|value| value.to_bits()).collect();
    assert_eq!(levels.len(), 16, "every value is another");
    let told = notes(&dataset);
    assert!(
        told.contains("from 284 to 371 of 0 to 65,535, 0.1 % of the range"),
        "{told}"
    );
    assert!(
        told.contains("write pixel = \"284..371\" under [data]"),
        "{told}"
    );
    assert!(
        !told.contains("alike") && !told.contains("copies"),
        "{told}"
    );
}

#[test]
fn a_span_spreads_what_is_there_and_normalize_measures_it() {
    let root = camera();
    let mut data = folder(root.path())
        .with_line("pixel = \"284..371\"")
        .unwrap();
    let dataset = open(&data).unwrap();
    assert_eq!(values(&dataset, 0)[0], 0.0);
    let most = (0..4)
        .flat_map(|index| values(&dataset, index))
        .fold(0.0, f32::max);
    assert!((0.9..=1.0).contains(&most), "{most}");
    assert!(!notes(&dataset).contains("of the range"));
    assert_ne!(dataset.hash(), open(&folder(root.path())).unwrap().hash());
    data.normalize = Some(Normalize::MEASURED);
    let dataset = open(&data).unwrap();
    let count = dataset.split(Split::Train).unwrap().len();
    let all: Vec<f32> = (0..count)
        .flat_map(|index| values(&dataset, index))
        .collect();
    let mean = all.iter().sum::<f32>() / all.len() as f32;
    let std =
        (all.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / all.len() as f32).sqrt();
    assert!(
        mean.abs() < 1e-4 && (std - 1.0).abs() < 1e-3,
        "{mean} {std}"
    );
}

#[test]
fn a_span_counts_for_bytes_too() {
    let root = tempdir().unwrap();
    write_image(root.path(), "a/0.png", [2, 2], [50, 50, 50]);
    write_image(root.path(), "b/0.png", [2, 2], [150, 150, 150]);
    let data = folder(root.path())
        .with_line("pixel = \"50..150\"")
        .unwrap();
    let dataset = open(&data).unwrap();
    assert_eq!([values(&dataset, 0)[0], values(&dataset, 1)[0]], [0.0, 1.0]);
    let read = dataset.read_file(&root.path().join("b/0.png")).unwrap();
    assert_eq!(read, values(&dataset, 1));
}

#[test]
fn bytes_among_words_keep_their_brightness() {
    let root = tempdir().unwrap();
    write_words(root.path(), "a/0.png", 3, |_, _| 65_535);
    write_image(root.path(), "b/0.png", [3, 3], [255, 255, 255]);
    let dataset = open(&folder(root.path())).unwrap();
    assert_eq!(values(&dataset, 0), values(&dataset, 1));
    assert_eq!(values(&dataset, 0)[0], 1.0);
    let read = dataset.read_file(&root.path().join("b/0.png")).unwrap();
    assert_eq!(read, values(&dataset, 1));
}

/// A TIFF file of these values, W×H with so many samples a pixel.
fn tiff<C: tiff::encoder::colortype::ColorType>(
    root: &Path,
    name: &str,
    side: u32,
    values: &[C::Inner],
) where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = tiff::encoder::TiffEncoder::new(file).unwrap();
    encoder.write_image::<C>(side, side, values).unwrap();
}

#[test]
fn floats_of_a_tiff_are_what_they_are() {
    use tiff::encoder::colortype::Gray32Float;
    let root = tempdir().unwrap();
    tiff::<Gray32Float>(root.path(), "a/0.tif", 2, &[-1.5, 0.0, 0.25, 2.0]);
    tiff::<Gray32Float>(root.path(), "b/0.tif", 2, &[0.0, 0.5, 1.0, 3.0]);
    let dataset = open(&folder(root.path())).unwrap();
    assert_eq!(dataset.pixel_range(), [-1.5, 3.0]);
    for (found, wanted) in values(&dataset, 0).iter().zip([-1.5, 0.0, 0.25, 2.0]) {
        assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
    }
    tiff::<Gray32Float>(root.path(), "b/1.tif", 2, &[0.0, f32::NAN, 1.0, 3.0]);
    let dataset = open(&folder(root.path())).unwrap();
    assert!(dataset.skipped()[0].reason.contains("the value NaN"));
}

#[test]
fn pages_and_frames_are_told() {
    let root = tempdir().unwrap();
    let path = root.path().join("a/scan.tif");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = std::fs::File::create(&path).unwrap();
    let mut encoder = tiff::encoder::TiffEncoder::new(file).unwrap();
    for page in 0..3u8 {
        encoder
            .write_image::<tiff::encoder::colortype::Gray8>(4, 4, &[page; 16])
            .unwrap();
    }
    drop(encoder);
    let mut gif = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
        let frame = |grey| {
            image::Frame::new(image::RgbaImage::from_pixel(
                4,
                4,
                image::Rgba([grey, grey, grey, 255]),
            ))
        };
        encoder.encode_frames([frame(9), frame(99)]).unwrap();
    }
    write(root.path(), "b/move.gif", &gif);
    let dataset = open(&folder(root.path())).unwrap();
    let told = notes(&dataset);
    assert!(
        told.contains(
            "2 files hold several pages or frames (scan.tif 3, move.gif 2): the first one is read"
        ),
        "{told}"
    );
}

#[test]
fn one_damaged_file_does_not_decide_for_the_others() {
    let root = tempdir().unwrap();
    for number in 0..6u8 {
        let path = root.path().join(format!(
            "{}/{number}.png",
            ["a", "b"][usize::from(number % 2)]
        ));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::from_pixel(8, 8, image::Luma([number * 30]))
            .save(path)
            .unwrap();
    }
    let mut large = Vec::new();
    image::RgbImage::from_fn(40, 30, |x, y| {
        image::Rgb([((x * 7) ^ (y * 13)) as u8, x as u8, y as u8])
    })
    .write_to(
        &mut std::io::Cursor::new(&mut large),
        image::ImageFormat::Png,
    )
    .unwrap();
    write(root.path(), "a/cut.png", &large[..large.len() / 2]);
    let dataset = open(&folder(root.path())).unwrap();
    assert_eq!(
        dataset.shape(),
        [1, 8, 8],
        "neither its size nor its colour counts"
    );
    assert_eq!(dataset.skipped().len(), 1);
    assert!(dataset.skipped()[0].file.ends_with("cut.png"));
}

#[test]
fn copies_between_splits_black_and_flat_images_are_counted() {
    let root = tempdir().unwrap();
    let picture = |name: &str, value: &dyn Fn(u32, u32) -> u8| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::from_fn(8, 8, |x, y| image::Luma([value(x, y)]))
            .save(path)
            .unwrap();
    };
    for number in 0..4u32 {
        picture(&format!("train/a/{number}.png"), &|x, y| {
            (x * 30 + y + number) as u8
        });
        picture(&format!("train/b/{number}.png"), &|x, y| {
            (y * 30 + x + number) as u8
        });
    }
    picture("train/a/black.png", &|_, _| 0);
    picture("train/b/flat.png", &|_, _| 120);
    picture("train/b/copy.png", &|x, y| (y * 30 + x + 1) as u8);
    picture("test/a/leak.png", &|x, y| (x * 30 + y + 2) as u8);
    picture("test/b/own.png", &|x, y| (200 - x - y) as u8);
    let mut data = folder(root.path());
    // Scaled so far down that others become alike too.
    data.resize = Some([1, 1]);
    let told = notes(&open(&data).unwrap());
    for part in [
        "1 image is exactly alike in two splits (test a/leak.png = train a/2.png)",
        "1 image is an exact copy of another in its split",
        "1 image is all black (a/black.png)",
        "1 image is nearly of one value (b/flat.png)",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn heic_alone_is_refused_with_lines_to_copy() {
    let root = tempdir().unwrap();
    write(root.path(), "x/IMG_0.HEIC", b"x");
    write(root.path(), "x/IMG_1.HEIC", b"x");
    let message = refusal(Source::Folder, root.path());
    assert!(
        message.contains("2 files of which each is a HEIC photograph"),
        "{message}"
    );
    assert!(
        message.contains("pillow_heif") && message.lines().count() == 4,
        "{message}"
    );
    let mixed = tempdir().unwrap();
    write(mixed.path(), "x/IMG_0.HEIC", b"x");
    write(
        mixed.path(),
        "x/odd.jpg",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    );
    write_image(mixed.path(), "x/0.png", [4, 4], [1, 2, 3]);
    write_image(mixed.path(), "y/0.png", [4, 4], [200, 2, 3]);
    let dataset = open(&folder(mixed.path())).unwrap();
    let python = dataset.notes().iter().find_map(|note| note.python.clone());
    assert!(python.unwrap().contains("rglob"));
    let reasons: Vec<&str> = dataset
        .skipped()
        .iter()
        .map(|skipped| skipped.reason.as_str())
        .collect();
    assert_eq!(reasons.len(), 2);
    assert!(
        reasons
            .iter()
            .all(|reason| reason.contains("a HEIC photograph, which is not read")),
        "{reasons:?}"
    );
}

#[test]
fn a_run_of_an_earlier_version_keeps_the_numbers_of_its_classes() {
    let root = tempdir().unwrap();
    for class in 0..12u8 {
        for number in 0..3 {
            write_image(
                root.path(),
                &format!("{class}/{number}.png"),
                [4, 4],
                [class * 20, number * 80, 9],
            );
        }
    }
    let data = spec(Source::Folder, root.path());
    let now = open(&data).unwrap();
    assert_eq!(now.classes()[..3], ["0", "1", "2"]);
    // The name that the version before gave these files.
    let former = former_name(&data);
    let run = |name: Option<&str>| {
        Dataset::open_for_run(&data, None, 42, Path::new("."), name, &mut |_| true).unwrap()
    };
    let kept = run(Some(&former));
    assert_eq!(kept.classes()[..4], ["0", "1", "10", "11"]);
    assert_eq!(kept.hash(), former);
    for name in [
        None,
        Some(now.hash()),
        Some("2-0000000000000000".to_owned()),
    ] {
        assert_eq!(run(name.as_deref()).classes(), now.classes());
    }
}

/// The name of data whose classes are in the order of their characters.
fn former_name(data: &DataSpec) -> String {
    let order = crate::source::ClassOrder::ByCharacter;
    let dataset: Result<Dataset, DataError> =
        Dataset::read(data, None, 42, Path::new("."), order, &mut |_| true);
    dataset.unwrap().hash()
}

#[test]
fn many_bands_are_kept_with_the_channels_of_the_network() {
    let root = tempdir().unwrap();
    for (class, base) in [("a", 100u16), ("b", 3000)] {
        let values: Vec<u16> = (0..4 * 4 * 13).map(|at| base + at).collect();
        let path = root.path().join(class).join("0.tif");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(
            root.path(),
            &format!("{class}/0.tif"),
            &bands(4, 13, &values),
        );
    }
    let dataset = open(&folder(root.path())).unwrap();
    assert_eq!(dataset.shape(), [13, 4, 4]);
    assert_eq!(values(&dataset, 0)[13], 113.0 / 65_535.0, "pixel 1, band 0");
    let as_colour = Dataset::open_as(
        &folder(root.path()),
        Some(3),
        42,
        Path::new("."),
        &mut |_| true,
    );
    let message = as_colour.unwrap_err().to_string();
    assert!(message.contains("13 channels"), "{message}");
}

#[test]
fn tiff_files_of_bands_survive_damage() {
    let root = tempdir().unwrap();
    let values: Vec<u16> = (0..4 * 4 * 5).collect();
    let whole = bands(4, 5, &values);
    write(root.path(), "b/whole.tif", &whole);
    let survives = |bytes: &[u8]| {
        write(root.path(), "a/0.tif", bytes);
        if let Ok(dataset) = open(&folder(root.path())) {
            let train = dataset.split(Split::Train).unwrap();
            let mut image = vec![0.0; dataset.shape().iter().product()];
            (0..train.len()).for_each(|index| drop(train.read(index, &mut image)));
        }
    };
    (0..whole.len()).for_each(|length| survives(&whole[..length]));
    for at in 0..whole.len().min(200) {
        for value in [0, 1, 127, 255] {
            let mut changed = whole.clone();
            changed[at] = value;
            survives(&changed);
        }
    }
}

/// A TIFF file of so many bands of 16 bits, pixel by pixel, in a single strip.
fn bands(side: u16, bands: u16, values: &[u16]) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [
            &tag.to_le_bytes()[..],
            &kind.to_le_bytes(),
            &count.to_le_bytes(),
            &value.to_le_bytes(),
        ]
        .concat()
    };
    let (short, long) = (3, 4);
    let entries = 10u16;
    let after = 8 + 2 + 12 * u32::from(entries) + 4;
    let bits: Vec<u8> = (0..bands).flat_map(|_| 16u16.to_le_bytes()).collect();
    let pixels: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let strip = after + bits.len() as u32;
    let directory = [
        entry(256, short, 1, side.into()),
        entry(257, short, 1, side.into()),
        entry(258, short, bands.into(), after),
        entry(259, short, 1, 1),
        entry(262, short, 1, 1),
        entry(273, long, 1, strip),
        entry(277, short, 1, bands.into()),
        entry(278, short, 1, side.into()),
        entry(279, long, 1, pixels.len() as u32),
        entry(284, short, 1, 1),
    ];
    let head = [
        b"II*\0".to_vec(),
        8u32.to_le_bytes().to_vec(),
        entries.to_le_bytes().to_vec(),
    ]
    .concat();
    [head, directory.concat(), vec![0; 4], bits, pixels].concat()
}
