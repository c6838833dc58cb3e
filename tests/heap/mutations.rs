//! Files as they should not be: for every format, cut, overwritten, swollen, spliced and mislabelled versions of a
//! good file. None makes the program panic, none takes more than [`MOST_TIME`] or [`MOST_HEAP`].

use super::archives::{tarred, unpacked, zipped};
use super::mutator::{Mutator, count, seed};
use super::{HEAP, alone};
use image::{ImageFormat, Rgb, RgbImage};
use peakmem_alloc::PeakMemAllocTrait;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};
use strata::data::Dataset;
use strata::data::archive::Archive;
use strata::project::data::{DataSpec, Source, Spectrogram};
use strata::rng::{Purpose, stream};
use strata_testkit::files::{self, fixture, gzip, idx, npy, write};

const MOST_TIME: Duration = Duration::from_secs(2);
/// The TIFF decoder asks for 256 MB of room (and fills none of it) for a list that claims to be long, before its
/// limits can be set; everything else stays far below.
const MOST_HEAP: usize = 288 << 20;
/// The same of archives of a few kilobytes, with buffers to read and to write them.
const MOST_HEAP_OF_ARCHIVES: usize = 2 << 20;
/// Pictures read of what a damaged file turned into.
const MOST_READ: usize = 32;

/// A good file, what has to lie beside it, and how it is opened.
struct Format {
    name: &'static str,
    source: Source,
    file: &'static str,
    bytes: Vec<u8>,
    beside: Vec<(&'static str, Vec<u8>)>,
    /// The path is the file and not its folder.
    by_file: bool,
}

impl Format {
    fn new(name: &'static str, source: Source, file: &'static str, bytes: Vec<u8>) -> Format {
        Format {
            name,
            source,
            file,
            bytes,
            beside: Vec::new(),
            by_file: false,
        }
    }

    fn beside(mut self, file: &'static str, bytes: Vec<u8>) -> Format {
        self.beside.push((file, bytes));
        self
    }

    fn by_file(self) -> Format {
        Format {
            by_file: true,
            ..self
        }
    }

    fn spec(&self, folder: &Path) -> DataSpec {
        let path = if self.by_file {
            folder.join(self.file)
        } else {
            folder.to_path_buf()
        };
        let pictures = matches!(
            self.source,
            Source::Folder | Source::Csv | Source::Flowers17
        );
        DataSpec {
            source: self.source,
            path: Some(path.display().to_string()),
            resize: pictures.then_some([8, 8]),
            source_fold: match self.name {
                "stl10 folds" => Some(1),
                "mat" | "mat packed" => Some(2),
                _ => None,
            },
            rate: (self.source == Source::Wav).then_some(8000),
            spectrogram: (self.name == "spectrogram").then_some(Spectrogram {
                window: 64,
                hop: 32,
                log: true,
            }),
            ..DataSpec::default()
        }
    }
}

fn wav() -> Vec<u8> {
    files::wav(2, 8000, (0..600).map(|at| (at * 37 % 3000) as i16))
}

pub fn counting(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

pub fn picture(format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(17, 11, |x, y| {
        Rgb([(x * 15) as u8, (y * 20) as u8, (x * y) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn of_folder(name: &'static str, file: &'static str, bytes: Vec<u8>) -> Format {
    Format::new(name, Source::Folder, file, bytes).beside("a/good.png", picture(ImageFormat::Png))
}

fn formats() -> Vec<Format> {
    let images = || idx(&[6, 5, 4], &counting(120));
    let labels = || idx(&[6], &[0, 1, 2, 3, 4, 9]);
    let (train, train_labels) = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    let cifar = |record: usize| {
        counting(3 * record)
            .into_iter()
            .map(|byte| byte % 10)
            .collect::<Vec<u8>>()
    };
    let stl = || counting(2 * 27_648);
    vec![
        Format::new("idx", Source::Mnist, train, images()).beside(train_labels, labels()),
        Format::new("idx labels", Source::Mnist, train_labels, labels()).beside(train, images()),
        Format::new(
            "idx.gz",
            Source::FashionMnist,
            "train-images-idx3-ubyte.gz",
            gzip(&images()),
        ),
        Format::new("cifar10", Source::Cifar10, "data_batch_1.bin", cifar(3073)),
        Format::new(
            "cifar100.gz",
            Source::Cifar100,
            "train.bin.gz",
            gzip(&cifar(3074)),
        ),
        Format::new(
            "pickle 0",
            Source::Cifar10,
            "data_batch_1",
            fixture("cifar10_protocol0.pickle"),
        ),
        Format::new(
            "pickle 2",
            Source::Cifar10,
            "data_batch_1",
            fixture("cifar10_python2.pickle"),
        ),
        Format::new(
            "pickle 4",
            Source::Cifar100,
            "train",
            fixture("cifar100.pickle"),
        ),
        Format::new(
            "pickle 5",
            Source::Cifar10,
            "test_batch",
            fixture("cifar10_protocol5.pickle"),
        ),
        Format::new("stl10", Source::Stl10, "train_X.bin", stl())
            .beside("train_y.bin", vec![1, 10]),
        Format::new("stl10 labels", Source::Stl10, "train_y.bin", vec![1, 10])
            .beside("train_X.bin", stl()),
        Format::new(
            "stl10 folds",
            Source::Stl10,
            "fold_indices.txt",
            b"0 1\n1 0\n".to_vec(),
        )
        .beside("train_X.bin", stl())
        .beside("train_y.bin", vec![1, 10]),
        of_folder("png", "a/x.png", picture(ImageFormat::Png)),
        of_folder("png repaired", "a/x.png", picture(ImageFormat::Png)),
        of_folder(
            "png palette repaired",
            "a/x.png",
            fixture("palette_length_4.png"),
        ),
        of_folder("jpg", "a/x.jpg", picture(ImageFormat::Jpeg)),
        of_folder("jpg exif", "a/x.jpg", fixture("orientation6.jpg")),
        of_folder("jpg cmyk", "a/x.jpg", fixture("cmyk.jpg")),
        of_folder("jpg progressive", "a/x.jpg", fixture("progressive.jpg")),
        of_folder("bmp", "a/x.bmp", picture(ImageFormat::Bmp)),
        of_folder("gif", "a/x.gif", picture(ImageFormat::Gif)),
        of_folder("webp", "a/x.webp", picture(ImageFormat::WebP)),
        of_folder("tiff", "a/x.tiff", picture(ImageFormat::Tiff)),
        of_folder("tiff lzw", "a/x.tiff", fixture("lzw.tiff")),
        Format::new("npy", Source::Npy, "x.npy", fixture("last_be_f4.npy")).by_file(),
        Format::new(
            "npy fortran",
            Source::Npy,
            "x.npy",
            fixture("last_fortran.npy"),
        )
        .by_file(),
        Format::new(
            "npy labels",
            Source::Npy,
            "y.npy",
            npy("|u1", &[3], &[0, 1, 1]),
        )
        .beside("x.npy", fixture("first.npy")),
        Format::new("npz", Source::Npy, "x.npz", fixture("stored.npz")).by_file(),
        Format::new("npz packed", Source::Npy, "x.npz", fixture("packed.npz")).by_file(),
        Format::new("wav", Source::Wav, "a/x.wav", wav()).beside("a/good.wav", wav()),
        Format::new("spectrogram", Source::Wav, "a/x.wav", wav()).beside("a/good.wav", wav()),
        Format::new(
            "csv",
            Source::Csv,
            "x.csv",
            b"path,label,split\na.png,b,train\na.png,\"c\",test\n".to_vec(),
        )
        .beside("a.png", picture(ImageFormat::Png))
        .by_file(),
        Format::new("hdf5", Source::Hdf5, "x.h5", fixture("packed.h5")).by_file(),
        Format::new("hdf5 texts", Source::Hdf5, "x.h5", fixture("texts.h5")).by_file(),
        Format::new("hdf5 mat", Source::Npy, "x.mat", fixture("svhn73.mat")).by_file(),
        Format::new(
            "parquet",
            Source::Parquet,
            "x.parquet",
            fixture("images.parquet"),
        )
        .by_file(),
        Format::new(
            "parquet gzip",
            Source::Parquet,
            "x.parquet",
            fixture("pages2.parquet"),
        )
        .by_file(),
        Format::new(
            "parquet zstd",
            Source::Parquet,
            "x.parquet",
            fixture("zstd2.parquet"),
        )
        .by_file(),
        Format::new(
            "parquet lz4",
            Source::Parquet,
            "x.parquet",
            fixture("lz4.parquet"),
        )
        .by_file(),
        Format::new(
            "parquet texts",
            Source::Parquet,
            "x.parquet",
            fixture("texts.parquet"),
        )
        .by_file(),
        packed("zip", "x.zip", zipped()),
        packed("tar", "x.tar", tarred()),
        packed("tar.gz", "x.tar.gz", gzip(&tarred())),
        mat("mat", fixture("splits_plain.mat")),
        mat("mat packed", fixture("splits_packed.mat")),
    ]
}

/// An archive, which is listed and unpacked.
fn packed(name: &'static str, file: &'static str, bytes: Vec<u8>) -> Format {
    Format::new(name, Source::Folder, file, bytes).by_file()
}

fn mat(name: &'static str, bytes: Vec<u8>) -> Format {
    let flower = || picture(ImageFormat::Jpeg);
    let format = Format::new(name, Source::Flowers17, "datasplits.mat", bytes);
    format
        .beside("jpg/image_0001.jpg", flower())
        .beside("jpg/image_0002.jpg", flower())
}

/// Makes the checksums of a PNG file's chunks right, so that a decoder looks at what is in them.
fn repair(png: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = png.get(at..at + 4) {
        let length = length
            .iter()
            .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        let Some(body) = png.get(at + 4..at + 8 + length) else {
            return;
        };
        let mut sum = flate2::Crc::new();
        sum.update(body);
        let Some(place) = png.get_mut(at + 8 + length..at + 12 + length) else {
            return;
        };
        place.copy_from_slice(&sum.sum().to_be_bytes());
        at += 12 + length;
    }
}

/// Opens what is there and reads it, as far as both go.
fn read(spec: &DataSpec) -> bool {
    let path = Path::new(spec.path.as_deref().unwrap());
    if Archive::by_name(path).is_some() {
        return unpacked(path);
    }
    let Ok(dataset) = Dataset::open(spec, 1, Path::new("."), &mut |_| true) else {
        return false;
    };
    let mut image = vec![0.0; dataset.shape().iter().product()];
    for (_, split) in dataset.splits() {
        (0..split.len().min(MOST_READ)).for_each(|index| drop(split.read(index, &mut image)));
    }
    true
}

/// Time and heap of one reading; none where it panicked.
fn measure(spec: &DataSpec) -> Option<(Duration, usize)> {
    HEAP.reset_peak_memory();
    let start = Instant::now();
    catch_unwind(AssertUnwindSafe(|| read(spec))).ok()?;
    Some((start.elapsed(), HEAP.get_peak_memory()))
}

/// What went wrong in `cases` versions of a format's file, and the worst that went well.
fn try_format(number: usize, formats: &[Format], cases: u64) -> Vec<String> {
    let format = &formats[number];
    let folder = tempfile::tempdir().unwrap();
    format
        .beside
        .iter()
        .for_each(|(name, bytes)| write(folder.path(), name, bytes));
    let spec = format.spec(folder.path());
    write(folder.path(), format.file, &format.bytes);
    assert!(read(&spec), "{}: the good file opens", format.name);
    let most_heap = match Archive::by_name(Path::new(format.file)) {
        Some(_) => MOST_HEAP_OF_ARCHIVES,
        None => MOST_HEAP,
    };
    let (mut slowest, mut largest, mut opened) = (Duration::ZERO, 0, 0);
    let mut failures = Vec::new();
    for case in 0..cases {
        let mut mutator = Mutator {
            rng: stream(seed(), Purpose::Probe, (number as u64) << 32 | case),
        };
        let other = &formats[mutator.below(formats.len())].bytes;
        let mut changed = mutator.mutate(&format.bytes, other);
        if format.name.ends_with("repaired") {
            repair(&mut changed);
        }
        write(folder.path(), format.file, &changed);
        // A second try where the machine was busy with something else.
        let found = measure(&spec).and_then(|(time, heap)| {
            if time > MOST_TIME {
                measure(&spec)
            } else {
                Some((time, heap))
            }
        });
        match found {
            None => failures.push(format!("{} {case}: it panics", format.name)),
            Some((time, heap)) if time > MOST_TIME || heap > most_heap => {
                failures.push(format!(
                    "{} {case}: {time:.1?}, {} MB",
                    format.name,
                    heap >> 20
                ));
            }
            Some((time, heap)) => {
                (slowest, largest, opened) = (slowest.max(time), largest.max(heap), opened + 1)
            }
        }
    }
    println!(
        "{:16} {opened} cases, slowest {slowest:.1?}, heap {:.1} MB",
        format.name,
        largest as f64 / 1e6
    );
    failures
}

fn try_all(cases: u64) {
    try_some(cases, |_| true);
}

fn try_some(cases: u64, is_meant: fn(&Format) -> bool) {
    let _alone = alone();
    let formats = formats();
    let failures: Vec<String> = (0..formats.len())
        .filter(|&number| is_meant(&formats[number]))
        .flat_map(|number| try_format(number, &formats, cases))
        .collect();
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures[..failures.len().min(20)].join("\n")
    );
}

#[test]
fn damaged_files_are_refused_or_read() {
    try_all(60);
}

#[test]
#[ignore = "takes minutes"]
fn long_damaged_files_are_refused_or_read() {
    try_all(count(10_000));
}

/// `STRATA_MUTATION_SEED=7 cargo test --test heap long_damaged_archives -- --ignored`
#[test]
#[ignore = "takes minutes"]
fn long_damaged_archives_are_refused_or_unpacked() {
    try_some(count(10_000), |format| {
        Archive::by_name(Path::new(format.file)).is_some()
    });
}
