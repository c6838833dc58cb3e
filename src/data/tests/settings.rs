//! Every setting of `[data]` with every source: it changes what is opened, or it is refused with the reason.
//!
//! The keys are those of the reference, which another test compares with the fields that serde reads: a new one fails
//! here until it has its case.

mod containers;

use super::made::write_idx;
use crate::{DataError, Dataset};
use std::collections::BTreeMap;
use std::path::Path;
use strata_core::project::data::{DataSpec, Source, Split, Weights};
use strata_core::project::{file, reference};
use strata_testkit::files::{fixture, npy, wav, write};
use tempfile::{TempDir, tempdir};

/// A byte that looks like no other near it.
fn byte(number: usize, at: usize) -> u8 {
    let mixed = (number * 7919 + at * 104_729 + at * at * 31 + 13) % 65_521;
    (mixed % 251) as u8
}

fn bytes(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| byte(number, at)).collect()
}

/// A picture of eight rows of six pixels.
fn write_picture(folder: &Path, name: &str, number: usize) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_raw(6, 8, bytes(number, 6 * 8 * 3))
        .unwrap()
        .save(path)
        .unwrap();
}

/// Where a file lies: the first folder, the last one and the name tell three different things.
fn place(number: usize) -> String {
    let [outer, inner, name] = [
        ["a", "b", "c"][number % 3],
        ["near", "far"][number / 3 % 2],
        ["thin", "thick"][number / 6 % 2],
    ];
    format!("{outer}/{inner}/{name}_{number}")
}

/// Three classes of eight pictures, one folder a class, and `change` to tell two folders apart.
fn write_classes(folder: &Path, below: &str, change: usize) {
    for number in 0..24 {
        let name = format!("{below}{}.png", place(number));
        write_picture(folder, &name, number + change);
    }
}

fn write_records(folder: &Path, name: &str, labels: usize, count: usize, change: usize) {
    let record = |number: usize| {
        let class = (number % 3) as u8;
        let label = if labels == 1 {
            vec![class]
        } else {
            vec![class / 2, class]
        };
        [label, bytes(number + change, 3072)].concat()
    };
    write(
        folder,
        name,
        &(0..count).flat_map(record).collect::<Vec<u8>>(),
    );
}

fn write_stl10(folder: &Path, change: usize) {
    let pictures = |count: usize| -> Vec<u8> {
        (0..count)
            .flat_map(|number| bytes(number + change, 3 * 96 * 96))
            .collect()
    };
    let labels: Vec<u8> = (0..12).map(|number| number % 3 + 1).collect();
    write(folder, "train_X.bin", &pictures(12));
    write(folder, "train_y.bin", &labels);
    write(folder, "test_X.bin", &pictures(6));
    write(folder, "test_y.bin", &labels[..6]);
    write(folder, "unlabeled_X.bin", &pictures(4));
    write(
        folder,
        "fold_indices.txt",
        "0 1 2 3 4 5\n6 7 8\n".repeat(5).as_bytes(),
    );
}

/// The files of a source, and its `path` below the folder.
fn write_source(source: Source, folder: &Path, change: usize) -> &'static str {
    match source {
        Source::Shapes => {}
        Source::Mnist | Source::FashionMnist => {
            write_idx(folder, "train", 20 + change as u8);
            write_idx(folder, "t10k", 10);
        }
        Source::Cifar10 => {
            write_records(folder, "data_batch_1.bin", 1, 18, change);
            write_records(folder, "test_batch.bin", 1, 6, change);
        }
        Source::Cifar100 => {
            write_records(folder, "train.bin", 2, 18, change);
            write_records(folder, "test.bin", 2, 6, change);
        }
        Source::Stl10 => write_stl10(folder, change),
        Source::Eurosat => write_classes(folder, "EuroSAT_RGB/", change),
        Source::Flowers17 => {
            for number in (1..=80).chain(81..=88) {
                write_picture(
                    folder,
                    &format!("jpg/image_{number:04}.jpg"),
                    number + change,
                );
            }
            write(folder, "datasplits.mat", &fixture("splits_plain.mat"));
        }
        Source::Folder => write_classes(folder, "", change),
        Source::Csv => {
            write_classes(folder, "", change);
            let row = |number: usize| {
                let (class, kind) = (["a", "b", "c"][number % 3], ["old", "new"][number % 2]);
                format!("{}.png,{class},{kind}\n", place(number))
            };
            let table = (0..24).map(row).collect::<String>();
            write(
                folder,
                "list.csv",
                format!("path,label,kind\n{table}").as_bytes(),
            );
            return "list.csv";
        }
        Source::Wav => {
            for number in 0..24 {
                let samples = bytes(number + change, 400);
                let samples = samples.iter().map(|&sample| i16::from(sample) * 100);
                let name = format!("{}.wav", place(number));
                write(folder, &name, &wav(1, 8000, samples));
            }
        }
        Source::Npy => {
            for (split, count) in [("train", 18), ("test", 6)] {
                let pixels = bytes(change, count * 8 * 6 * 3);
                let labels: Vec<u8> = (0..count).map(|number| (number % 3) as u8).collect();
                write(
                    folder,
                    &format!("x_{split}.npy"),
                    &npy("|u1", &[count, 8, 6, 3], &pixels),
                );
                write(
                    folder,
                    &format!("y_{split}.npy"),
                    &npy("|u1", &[count], &labels),
                );
            }
        }
        Source::Hdf5 => containers::write_hdf5(folder, change),
        Source::Parquet => containers::write_parquet(folder, change),
    }
    ""
}

/// A source with two sets of files.
struct Case {
    source: Source,
    folders: [TempDir; 2],
    path: &'static str,
}

impl Case {
    fn new(source: Source) -> Case {
        let folders = [tempdir().unwrap(), tempdir().unwrap()];
        let path = write_source(source, folders[0].path(), 0);
        write_source(source, folders[1].path(), 5);
        Case {
            source,
            folders,
            path,
        }
    }

    fn path(&self, which: usize) -> String {
        let path = self.folders[which].path().join(self.path);
        format!("'{}'", path.display())
    }

    /// The table with these settings in place of its own.
    fn spec(&self, settings: &[(&str, String)]) -> DataSpec {
        let mut lines = BTreeMap::from([("source", format!("\"{}\"", self.source))]);
        match self.source.info().wants {
            Some(_) => lines.insert("path", self.path(0)),
            None => lines.insert("limit", "60".to_owned()),
        };
        lines.extend(settings.iter().cloned());
        let lines: String = lines
            .iter()
            .map(|(key, value)| format!("{key} = {value}\n"))
            .collect();
        let text = format!("format = 1\n[data]\n{lines}[network]\ninput = \"3x8x8\"\n");
        file::parse(&text, "p").unwrap().data
    }

    /// What else has to be set for a setting to act, and its value.
    fn value(&self, key: &str) -> (Vec<(&'static str, String)>, String) {
        let scaled = || vec![("resize", "[5, 7]".to_owned())];
        let alone = Vec::new;
        match key {
            "source" if self.source == Source::Folder => (alone(), "\"eurosat\"".into()),
            "source" => (alone(), "\"folder\"".into()),
            "path" => (alone(), self.path(1)),
            "label" if matches!(self.source, Source::Csv | Source::Parquet) => {
                (alone(), "\"column: kind\"".into())
            }
            "label" => (alone(), "\"name: {class}_{n}\"".into()),
            "class_level" => (alone(), "\"last\"".into()),
            "pixel" => (alone(), "\"10..200\"".into()),
            "shape" => (alone(), "\"3x8x6\"".into()),
            "transpose" => (alone(), "true".into()),
            "weights" => (alone(), "\"balanced\"".into()),
            "resize" => (alone(), "[5, 7]".into()),
            "filter" => (scaled(), "\"area\"".into()),
            "fit" => (scaled(), "\"crop\"".into()),
            "grey" => (alone(), "true".into()),
            "patch" => (alone(), "\"1x3\"".into()),
            "patches_per_image" => (vec![("patch", "\"1x3\"".into())], "3".into()),
            "length" => (alone(), "100".into()),
            "rate" => (alone(), "4000".into()),
            "spectrogram" => (alone(), "\"window=64 hop=32\"".into()),
            "range" => (alone(), "[-1, 1]".into()),
            "normalize" => (alone(), "\"train\"".into()),
            "center" => (alone(), "\"patch\"".into()),
            "whiten" => (alone(), "\"zca eps=0.1\"".into()),
            "valid" => (alone(), "0.5".into()),
            "test" => (alone(), "0.5".into()),
            "fold" => (alone(), "\"1/2\"".into()),
            "source_fold" => (alone(), "1".into()),
            "labels" => (alone(), "\"coarse\"".into()),
            "per_class" => (alone(), "1".into()),
            "limit" => (alone(), "2".into()),
            "augment" => (alone(), "[\"noise 0.1\"]".into()),
            "use_augment" => (vec![("augment", "[\"noise 0.1\"]".into())], "false".into()),
            new => panic!("`{new}` needs its case here"),
        }
    }
}

/// All there is to see of a dataset.
#[derive(Debug, PartialEq)]
struct Seen {
    hash: String,
    shape: [usize; 3],
    classes: Vec<String>,
    splits: Vec<(Split, Vec<Option<u32>>, Vec<f32>)>,
    /// The images of an epoch of each split.
    orders: Vec<Vec<u32>>,
    augments: bool,
}

fn see(spec: &DataSpec) -> Result<Seen, DataError> {
    let dataset = Dataset::open(spec, 42, Path::new("."), &mut |_| true)?;
    let mut splits = Vec::new();
    for (split, data) in dataset.splits() {
        let labels = (0..data.len()).map(|index| data.label(index)).collect();
        let mut images = Vec::new();
        for index in 0..data.len() {
            let mut image = vec![0.0; dataset.shape().iter().product()];
            data.read(index, &mut image)?;
            images.extend(image);
        }
        splits.push((split, labels, images));
    }
    Ok(Seen {
        hash: dataset.hash(),
        shape: dataset.shape(),
        classes: dataset.classes().to_vec(),
        orders: dataset
            .splits()
            .map(|(_, data)| data.epoch_order(42, 1))
            .collect(),
        splits,
        augments: dataset.augmenter_of(Split::Train).is_some(),
    })
}

/// Why a table is refused before its files are read.
fn reason(spec: &DataSpec, key: &str) -> Option<String> {
    let idle = spec.idle().into_iter().find(|idle| idle.key == key);
    idle.map(|idle| idle.why)
}

#[test]
fn every_setting_acts_or_is_refused_with_every_source() {
    let mut acting: BTreeMap<&str, usize> = BTreeMap::new();
    for source in Source::ALL {
        let case = Case::new(source);
        for key in reference::data::ALL.iter().map(|setting| setting.key) {
            let (others, value) = case.value(key);
            let before = case.spec(&others);
            let mut settings = others;
            settings.push((key, value));
            let after = case.spec(&settings);
            assert_ne!(before, after, "{source} {key}: the value is another");
            if let Some(why) = reason(&after, key) {
                assert!(!why.is_empty());
                continue;
            }
            let before = see(&before).unwrap_or_else(|error| panic!("{source} {key}: {error}"));
            match see(&after) {
                Ok(after) => assert_ne!(before, after, "{source}: `{key}` changes nothing"),
                Err(error) => {
                    let message = error.to_string();
                    assert!(
                        message.contains(key) || matches!(key, "source" | "path"),
                        "{source} {key}: {message}"
                    );
                    continue;
                }
            }
            *acting.entry(key).or_default() += 1;
        }
    }
    for key in reference::data::ALL.iter().map(|setting| setting.key) {
        let count = acting.get(key).copied().unwrap_or_default();
        let least = match key {
            // Another source seldom finds its files there.
            "source" | "labels" | "length" | "rate" | "spectrogram" => 1,
            "source_fold" => 2,
            "label" | "class_level" | "transpose" => 3,
            // Of tables those of pixels, which are not these.
            "shape" => 1,
            _ => 8,
        };
        assert!(count >= least, "`{key}` acts with {count} sources alone");
    }
}

/// What needs another setting is refused without it.
#[test]
fn settings_that_belong_to_another_are_refused_without_it() {
    let case = Case::new(Source::Folder);
    for (key, value) in [
        ("filter", "\"area\""),
        ("fit", "\"crop\""),
        ("patches_per_image", "3"),
        ("use_augment", "false"),
    ] {
        let spec = case.spec(&[(key, value.to_owned())]);
        assert!(reason(&spec, key).is_some(), "{key}");
    }
    for pair in [["range", "normalize"], ["fold", "valid"]] {
        let [one, other] = pair.map(|key| (key, case.value(key).1));
        let spec = case.spec(&[one, other]);
        assert_eq!(spec.contradictions(), [pair]);
        assert!(
            see(&spec).unwrap_err().to_string().contains("delete one"),
            "{pair:?}"
        );
    }
}

fn sizes(spec: &DataSpec) -> Vec<(Split, usize)> {
    let dataset = Dataset::open(spec, 42, Path::new("."), &mut |_| true).unwrap();
    dataset
        .splits()
        .map(|(split, data)| (split, data.len()))
        .collect()
}

/// The shares of the built-in source, which has splits of its own.
#[test]
fn shapes_are_shared_out_as_the_project_says() {
    use Split::{Test, Train, Unlabeled, Valid};
    let with = |settings: &str| {
        let text = format!("format = 1\n[data]\n{settings}\n[network]\ninput = \"3x32x32\"\n");
        sizes(&file::parse(&text, "p").unwrap().data)
    };
    let own = [
        (Train, 8000),
        (Valid, 1000),
        (Test, 1000),
        (Unlabeled, 8000),
    ];
    assert_eq!(with(""), own);
    let few = [(Train, 200), (Valid, 1000), (Test, 1000), (Unlabeled, 8000)];
    assert_eq!(with("per_class = 20"), few);
    let drawn = [
        (Train, 6300),
        (Valid, 2700),
        (Test, 1000),
        (Unlabeled, 8000),
    ];
    assert_eq!(with("valid = 0.3"), drawn);
    let tested = [(Train, 4500), (Valid, 500), (Test, 5000), (Unlabeled, 8000)];
    assert_eq!(with("test = 0.5"), tested);
    let folded = [
        (Train, 7200),
        (Valid, 1800),
        (Test, 1000),
        (Unlabeled, 8000),
    ];
    assert_eq!(with("fold = \"2/5\""), folded);
    assert_eq!(with("valid = 0")[0], (Train, 9000));
}

/// Without labels there is nothing to take a few of, without training images nothing to hold back.
#[test]
fn shares_of_what_is_not_there_are_refused() {
    let folder = tempdir().unwrap();
    let pixels = bytes(0, 6 * 8 * 8);
    write(
        folder.path(),
        "x_train.npy",
        &npy("|u1", &[6, 8, 8], &pixels),
    );
    let arrays = DataSpec {
        source: Source::Npy,
        path: Some(folder.path().display().to_string()),
        per_class: Some(1),
        ..DataSpec::default()
    };
    let message = see(&arrays).unwrap_err().to_string();
    assert!(
        message.contains("per_class") && message.contains("no labelled"),
        "{message}"
    );
    let folder = tempdir().unwrap();
    (0..4).for_each(|number| {
        write_picture(folder.path(), &format!("unlabeled/{number}.png"), number)
    });
    for settings in ["valid = 0.5", "test = 0.5", "fold = \"1/2\""] {
        let text = format!(
            "format = 1\n[data]\nsource = \"folder\"\npath = '{}'\n{settings}\n[network]\ninput = \"3x8x6\"\n",
            folder.path().display()
        );
        let message = see(&file::parse(&text, "p").unwrap().data)
            .unwrap_err()
            .to_string();
        let key = settings.split(' ').next().unwrap();
        assert!(message.contains(key), "{settings}: {message}");
    }
}

/// What says how rows of numbers lie is refused where there are none, or where it is known.
#[test]
fn rows_of_numbers_are_not_described_in_vain() {
    let case = Case::new(Source::Csv);
    for key in ["shape", "transpose"] {
        let message = see(&case.spec(&[(key, case.value(key).1)])).unwrap_err();
        let message = message.to_string();
        assert!(
            message.contains(key) && message.contains("names image files"),
            "{message}"
        );
    }
    let folder = tempdir().unwrap();
    write_idx(folder.path(), "emnist-letters-train", 20);
    let mut spec = DataSpec {
        source: Source::Mnist,
        path: Some(folder.path().display().to_string()),
        ..DataSpec::default()
    };
    assert!(see(&spec).is_ok());
    spec.transpose = true;
    let message = see(&spec).unwrap_err().to_string();
    assert!(
        message.contains("transpose") && message.contains("upright without it"),
        "{message}"
    );
}

#[test]
fn classes_are_not_balanced_where_no_image_has_one() {
    let folder = tempdir().unwrap();
    write(
        folder.path(),
        "x_train.npy",
        &npy("|u1", &[6, 8, 8], &bytes(0, 6 * 64)),
    );
    let spec = DataSpec {
        source: Source::Npy,
        path: Some(folder.path().display().to_string()),
        weights: Some(Weights::Balanced),
        ..DataSpec::default()
    };
    let message = see(&spec).unwrap_err().to_string();
    assert!(
        message.contains("weights") && message.contains("no labelled training images"),
        "{message}"
    );
}
