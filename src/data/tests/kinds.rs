//! Files that NumPy and Pillow wrote (tests/fixtures/formats.py), recordings, tables and folders
//! as people have them.

mod matrices;

use super::made::{open, refusal, spec, write, write_image};
use crate::Dataset;
use std::path::{Path, PathBuf};
use strata_core::project::data::{DataSpec, Labels, Source, Spectrogram, Split};
use strata_testkit::files::{fixture, wav};
use tempfile::{TempDir, tempdir};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/formats")
}

fn write_wav(folder: &Path, name: &str, rate: u32, values: &[i16]) {
    write(folder, name, &wav(1, rate, values.iter().copied()));
}

/// All of a source's images for training, in order.
fn whole(source: Source, path: &Path) -> DataSpec {
    DataSpec {
        valid: Some(0.0),
        ..spec(source, path)
    }
}

fn values(dataset: &Dataset, split: Split, index: usize) -> Vec<f32> {
    let mut values = vec![0.0; dataset.shape().iter().product()];
    dataset
        .split(split)
        .unwrap()
        .read(index, &mut values)
        .unwrap();
    values
}

fn pixels(dataset: &Dataset, split: Split, index: usize) -> Vec<u8> {
    dataset.to_pixels(&values(dataset, split, index))
}

/// Picture `n` of the arrays, H×W×C.
fn expected(n: usize) -> Vec<f32> {
    let at = |y: usize, x: usize, c: usize| (60 * n + 10 * y + 3 * x + c) as f32;
    (0..5)
        .flat_map(|y| (0..4).flat_map(move |x| (0..3).map(move |c| at(y, x, c))))
        .collect()
}

#[test]
fn arrays_of_every_type_and_order_hold_the_same_picture() {
    for name in ["last_u1", "first", "first_fortran"] {
        let dataset = open(&whole(Source::Npy, &fixtures().join(format!("{name}.npy")))).unwrap();
        assert_eq!(dataset.shape(), [3, 5, 4], "{name}");
        let wanted: Vec<u8> = expected(2).iter().map(|&value| value as u8).collect();
        assert_eq!(pixels(&dataset, Split::Train, 2), wanted, "{name}");
    }
    for name in [
        "le_u2", "be_i2", "le_i4", "be_i8", "le_f2", "be_f4", "le_f8", "fortran",
    ] {
        let dataset = open(&whole(
            Source::Npy,
            &fixtures().join(format!("last_{name}.npy")),
        ))
        .unwrap();
        assert_eq!(dataset.shape(), [3, 5, 4], "{name}");
        let found = values(&dataset, Split::Train, 1);
        let off = found
            .iter()
            .zip(expected(1))
            .map(|(found, wanted)| (found - wanted).abs());
        assert!(off.fold(0.0, f32::max) < 1e-4, "{name}");
    }
    let grey = open(&whole(Source::Npy, &fixtures().join("grey_fortran.npy"))).unwrap();
    let wanted: Vec<u8> = expected(2)
        .iter()
        .step_by(3)
        .map(|&value| value as u8)
        .collect();
    assert_eq!(
        (grey.shape(), pixels(&grey, Split::Train, 2)),
        ([1, 5, 4], wanted)
    );
    let bits = open(&whole(Source::Npy, &fixtures().join("bool.npy"))).unwrap();
    assert_eq!(values(&bits, Split::Train, 0)[..4], [0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn signals_keep_their_length() {
    let signals = open(&whole(Source::Npy, &fixtures().join("signals.npy"))).unwrap();
    assert_eq!(signals.shape(), [1, 1, 8]);
    assert_eq!(values(&signals, Split::Train, 0)[0], -2.0);
    assert_eq!(values(&signals, Split::Train, 2)[7], 2.0);
    assert_eq!(signals.pixel_range(), [-2.0, 2.0]);
}

#[test]
fn archives_have_splits_and_labels_of_any_numbers() {
    for name in ["stored.npz", "packed.npz"] {
        let dataset = open(&whole(Source::Npy, &fixtures().join(name))).unwrap();
        assert_eq!(dataset.classes(), ["-1", "5", "7"], "{name}");
        let train = dataset.split(Split::Train).unwrap();
        assert_eq!(
            (train.len(), train.label(0), train.label(1)),
            (3, Some(1), Some(0))
        );
        assert_eq!(dataset.split(Split::Test).unwrap().label(0), Some(2));
        assert_eq!(pixels(&dataset, Split::Train, 2)[0], 120);
    }
}

#[test]
fn files_in_a_folder_belong_together_by_name() {
    let folder = tempdir().unwrap();
    write(folder.path(), "train_images.npy", &fixture("last_u1.npy"));
    write(folder.path(), "unlabeled.npy", &fixture("first.npy"));
    write(folder.path(), "mean.npy", &fixture("signals.npy"));
    let dataset = open(&whole(Source::Npy, folder.path())).unwrap();
    assert_eq!(dataset.split(Split::Unlabeled).unwrap().len(), 3);
    assert!(dataset.skipped()[0].file.ends_with("mean.npy"));
    write(folder.path(), "x_train.npy", &fixture("last_u1.npy"));
    assert!(refusal(Source::Npy, folder.path()).contains("for the same purpose"));
}

#[test]
fn arrays_that_lie_are_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let good = fixture("last_u1.npy");
    let lie = |from: &str, to: &str| {
        let text = String::from_utf8_lossy(&good[..128]).replace(from, to);
        let mut bytes = good.clone();
        bytes[10..128].copy_from_slice(&text.as_bytes()[text.len() - 118..]);
        bytes
    };
    let cases: [(Vec<u8>, &str); 6] = [
        (
            good[..good.len() - 1].to_vec(),
            "(180 bytes), and 179 follow",
        ),
        ([&good[..], &[0]].concat(), "and at least 181 follow"),
        (
            lie("(3, 5, 4, 3)", "(9, 5, 4, 3)"),
            "(540 bytes), and 180 follow",
        ),
        (lie("'|u1'", "'|O8'"), "of the type '|O8'"),
        (b"PK not an array".to_vec(), "no .npy file"),
        (good[..60].to_vec(), "inside its header"),
    ];
    for (bytes, part) in cases {
        std::fs::write(&path, bytes).unwrap();
        let message = refusal(Source::Npy, &path);
        assert!(
            message.contains(part) && message.contains("x.npy"),
            "{message}"
        );
    }
    let mut nan = fixture("signals.npy");
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, nan).unwrap();
    assert!(refusal(Source::Npy, &path).contains("picture 2 holds the value NaN"));
}

fn folder_of(names: &[&str]) -> TempDir {
    let folder = tempdir().unwrap();
    names
        .iter()
        .for_each(|name| write(folder.path(), &format!("c/{name}"), &fixture(name)));
    folder
}

/// Whether colours are as near as JPEG leaves them.
fn near(found: &[u8], wanted: [u8; 3]) -> bool {
    found
        .iter()
        .zip(wanted)
        .all(|(&found, wanted)| found.abs_diff(wanted) < 24)
}

fn corners(picture: &[u8], width: usize) -> [Vec<u8>; 3] {
    let at = |y: usize, x: usize| picture[(y * width + x) * 3..][..3].to_vec();
    [at(2, 2), at(13, 4), at(13, 20)]
}

#[test]
fn every_orientation_is_turned_upright() {
    for orientation in 1..=8 {
        let folder = folder_of(&[&format!("orientation{orientation}.jpg")]);
        let dataset = open(&whole(Source::Folder, folder.path())).unwrap();
        assert_eq!(dataset.shape(), [3, 16, 24], "{orientation}");
        let [mark, left, right] = corners(&pixels(&dataset, Split::Train, 0), 24);
        let upright =
            near(&mark, [255; 3]) && near(&left, [255, 0, 0]) && near(&right, [0, 0, 255]);
        assert!(upright, "{orientation}: {mark:?} {left:?} {right:?}");
    }
}

#[test]
fn every_kind_of_file_gives_its_colours() {
    for name in [
        "cmyk.jpg",
        "plain.jpg",
        "progressive.jpg",
        "palette.png",
        "palette.gif",
        "lzw.tiff",
    ] {
        let folder = folder_of(&[name]);
        let dataset = open(&whole(Source::Folder, folder.path())).unwrap();
        let [mark, left, right] = corners(&pixels(&dataset, Split::Train, 0), 24);
        let right_colours =
            near(&mark, [255; 3]) && near(&left, [255, 0, 0]) && near(&right, [0, 0, 255]);
        assert!(right_colours, "{name}: {mark:?} {left:?} {right:?}");
    }
    for name in ["clear.png", "clear.webp"] {
        let folder = folder_of(&[name]);
        let dataset = open(&whole(Source::Folder, folder.path())).unwrap();
        assert!(
            pixels(&dataset, Split::Train, 0)
                .iter()
                .all(|&value| value == 255),
            "{name}: clear is white"
        );
    }
    for (name, tolerance) in [("grey.jpg", 4), ("deep.png", 0), ("deep.tiff", 0)] {
        let folder = folder_of(&[name]);
        let dataset = open(&whole(Source::Folder, folder.path())).unwrap();
        assert_eq!(dataset.shape(), [1, 16, 24], "{name}");
        let picture = pixels(&dataset, Split::Train, 0);
        for (at, wanted) in [(2 * 24 + 2, 255u8), (13 * 24 + 4, 76), (13 * 24 + 20, 29)] {
            assert!(
                picture[at].abs_diff(wanted) <= tolerance,
                "{name}: {} not {wanted}",
                picture[at]
            );
        }
    }
}

#[test]
fn images_below_a_class_folder_belong_to_the_class() {
    let folder = tempdir().unwrap();
    for name in [
        "cat/1.png",
        "cat/young/2.png",
        "cat/young/white/3.png",
        "dog/only/4.png",
        ".git/5.png",
    ] {
        write_image(folder.path(), name, [4, 4], [1, 2, 3]);
    }
    let dataset = open(&whole(Source::Folder, folder.path())).unwrap();
    assert_eq!(dataset.classes(), ["cat", "dog"]);
    assert_eq!(
        dataset.splits().map(|(_, data)| data.len()).sum::<usize>(),
        4
    );
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_circles_and_odd_files_are_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempdir().unwrap();
    for number in 0..6 {
        write_image(
            folder.path(),
            &format!("cat/{number}.png"),
            [4, 4],
            [1, 2, 3],
        );
    }
    let link =
        |to: &Path, name: &str| std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
    link(folder.path(), "cat/up");
    link(&folder.path().join("cat"), "cat/self");
    link(&folder.path().join("cat"), "dog");
    link(Path::new("/nowhere"), "cat/lost.png");
    let odd = folder
        .path()
        .join("cat")
        .join(std::ffi::OsStr::from_bytes(b"odd\xff.png"));
    std::fs::copy(folder.path().join("cat/0.png"), odd).unwrap();
    let pipe = folder.path().join("cat/pipe.png");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let dataset = open(&whole(Source::Folder, folder.path())).unwrap();
    assert_eq!(
        dataset.splits().map(|(_, data)| data.len()).sum::<usize>(),
        7
    );
    let reasons: Vec<&str> = dataset
        .skipped()
        .iter()
        .map(|skipped| skipped.reason.as_str())
        .collect();
    assert!(
        reasons
            .iter()
            .filter(|reason| reason.contains("under another name"))
            .count()
            >= 2,
        "{reasons:?}"
    );
    assert!(
        reasons.iter().any(|reason| reason.contains("pipe")),
        "{reasons:?}"
    );
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("cannot be read")),
        "{reasons:?}"
    );
}

#[test]
fn a_folder_of_mostly_broken_files_is_refused() {
    let folder = tempdir().unwrap();
    for number in 0..4 {
        write_image(folder.path(), &format!("a/{number}.png"), [4, 4], [9, 9, 9]);
        write(
            folder.path(),
            &format!("a/page{number}.jpg"),
            b"<html>404 not found</html>",
        );
    }
    assert_eq!(
        open(&whole(Source::Folder, folder.path()))
            .unwrap()
            .skipped()
            .len(),
        4,
        "half is let pass"
    );
    write(folder.path(), "a/page4.jpg", b"<html>404 not found</html>");
    let message = refusal(Source::Folder, folder.path());
    assert!(
        message.contains("5 of its 9 files cannot be read (page"),
        "{message}"
    );
    assert_eq!(
        message.matches(".jpg: not an image").count(),
        3,
        "three examples: {message}"
    );
}

#[test]
fn recordings_are_signals_or_spectrograms() {
    let folder = tempdir().unwrap();
    for number in 0..10 {
        write_wav(
            folder.path(),
            &format!("high/{number}.wav"),
            8000,
            &[16384; 300],
        );
        write_wav(
            folder.path(),
            &format!("low/{number}.wav"),
            8000,
            &[-16384; 200],
        );
    }
    write(folder.path(), "low/broken.wav", b"RIFF????WAVE");
    let mut spec = whole(Source::Wav, folder.path());
    let dataset = open(&spec).unwrap();
    assert_eq!((dataset.shape(), dataset.classes().len()), ([1, 1, 300], 2));
    assert_eq!(dataset.skipped().len(), 1);
    let train = dataset.split(Split::Train).unwrap();
    for index in 0..4 {
        let signal = values(&dataset, Split::Train, index);
        let wanted = if train.label(index) == Some(0) {
            [0.5, 0.5]
        } else {
            [-0.5, 0.0]
        };
        assert!(
            (signal[0] - wanted[0]).abs() < 1e-6 && (signal[250] - wanted[1]).abs() < 1e-6,
            "{signal:?}"
        );
    }
    spec.length = Some(128);
    assert_eq!(open(&spec).unwrap().shape(), [1, 1, 128]);
    spec.spectrogram = Some(Spectrogram {
        window: 64,
        hop: 32,
        log: true,
    });
    let pictures = open(&spec).unwrap();
    assert_eq!(pictures.shape(), [1, 33, 3]);
    let picture = values(&pictures, Split::Train, 0);
    assert!(
        picture[32 * 3] > 0.9 && picture[0] < 0.3,
        "all of it is at the bottom: {picture:?}"
    );
    write_wav(folder.path(), "high/other.wav", 16000, &[0; 500]);
    assert!(
        open(&spec)
            .unwrap_err()
            .to_string()
            .contains("write rate = 8000")
    );
    spec.rate = Some(8000);
    assert!(open(&spec).is_ok());
}

#[test]
fn tables_name_images_labels_and_splits() {
    let folder = tempdir().unwrap();
    for number in 0..12 {
        write_image(
            folder.path(),
            &format!("img/{number}.png"),
            [4, 4],
            [number * 20, 0, 0],
        );
    }
    let rows: String = (0..12)
        .map(|number| format!("img/{number}.png,{}\n", [10, 9][number % 2]))
        .collect();
    write(folder.path(), "plain.csv", rows.as_bytes());
    let plain = open(&whole(Source::Csv, &folder.path().join("plain.csv"))).unwrap();
    assert_eq!(plain.classes(), ["9", "10"], "in the order of numbers");
    let with_names = "set,label,filename\ntrain,b,img/0.png\nTEST,a,img/1.png\ntrain,a,img/2.png\nwhat,a,img/3.png\n\
                      train,,img/4.png\ntrain,\"a\",img/5.png\nunlabeled,,img/6.png\ntrain,b,img/none.png\n";
    write(folder.path(), "named.csv", with_names.as_bytes());
    let named = open(&whole(Source::Csv, &folder.path().join("named.csv"))).unwrap();
    let sizes: Vec<(Split, usize)> = named
        .splits()
        .map(|(split, data)| (split, data.len()))
        .collect();
    assert_eq!(
        sizes,
        [(Split::Train, 3), (Split::Test, 1), (Split::Unlabeled, 1)]
    );
    assert_eq!(named.classes(), ["a", "b"]);
    let reasons: Vec<&str> = named
        .skipped()
        .iter()
        .map(|skipped| skipped.reason.as_str())
        .collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("'what' is no split")),
        "{reasons:?}"
    );
    write(folder.path(), "empty.csv", b"path,label\n");
    assert!(refusal(Source::Csv, &folder.path().join("empty.csv")).contains("names no image"));
}

#[test]
fn coarse_labels_of_the_version_for_python() {
    let folder = tempdir().unwrap();
    write(folder.path(), "train", &fixture("cifar100.pickle"));
    let coarse = DataSpec {
        labels: Some(Labels::Coarse),
        ..spec(Source::Cifar100, folder.path())
    };
    assert_eq!(open(&coarse).unwrap().classes(), ["flowers"]);
}
