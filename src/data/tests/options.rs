//! The settings of the `[data]` table, and what does not change the result.

use super::made::{open, spec, stl10, write, write_idx, write_image};
use crate::{DataError, Dataset, Progress, SplitData, fill_batch};
use std::path::Path;
use strata_core::project::data::{DataSpec, Filter, Source, Split};
use strata_testkit::files::npy;
use tempfile::{TempDir, tempdir};

fn shapes() -> DataSpec {
    DataSpec {
        limit: Some(50),
        ..DataSpec::default()
    }
}

fn batch(split: &SplitData) -> (Vec<f32>, Vec<u32>) {
    let indices: Vec<u32> = (0..split.len() as u32).rev().collect();
    let size: usize = split.image_shape().iter().product();
    let mut images = vec![0.0; size * indices.len()];
    let mut labels = vec![0; indices.len()];
    fill_batch(split, &indices, &mut images, &mut labels).unwrap();
    (images, labels)
}

fn everything(dataset: &Dataset) -> Vec<(Vec<f32>, Vec<u32>)> {
    dataset.splits().map(|(_, split)| batch(split)).collect()
}

fn on_threads(threads: usize, spec: &DataSpec) -> Vec<(Vec<f32>, Vec<u32>)> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| everything(&open(spec).unwrap()))
}

fn mixed_folder() -> TempDir {
    let folder = tempdir().unwrap();
    for number in 0..12u8 {
        let size = [20 + u32::from(number), 30];
        write_image(
            folder.path(),
            &format!("{}/{number}.png", number % 3),
            size,
            [number, 20, 30],
        );
    }
    folder
}

#[test]
fn one_seed_gives_one_result_on_any_number_of_threads() {
    let folder = mixed_folder();
    let mut of_files = spec(Source::Folder, folder.path());
    of_files.resize = Some([9, 11]);
    let patches = DataSpec {
        patches: Some([8, 8]),
        ..shapes()
    };
    for spec in [shapes(), patches, of_files] {
        let one = on_threads(1, &spec);
        assert!(one == on_threads(4, &spec));
        assert_eq!(open(&spec).unwrap().hash(), open(&spec).unwrap().hash());
        let other = Dataset::open(&spec, 43, Path::new("."), &mut |_| true).unwrap();
        assert!(everything(&other) != one);
        assert_ne!(other.hash(), open(&spec).unwrap().hash());
    }
}

#[test]
fn the_name_of_the_data_tells_other_pixels_and_other_splits() {
    let folder = mixed_folder();
    let files = || DataSpec {
        resize: Some([9, 11]),
        ..spec(Source::Folder, folder.path())
    };
    let name = |spec: &DataSpec| open(spec).unwrap().hash();
    let same = [
        DataSpec {
            valid: Some(0.1),
            ..files()
        },
        DataSpec {
            limit: Some(1000),
            use_augment: false,
            patches_per_image: Some(3),
            ..files()
        },
        DataSpec {
            augment: vec!["hflip".parse().unwrap()],
            ..files()
        },
    ];
    for spec in same {
        assert_eq!(name(&files()), name(&spec), "{spec:?}");
    }
    let augment = vec!["crop 8".parse().unwrap()];
    let others = [
        DataSpec {
            filter: Filter::Area,
            ..files()
        },
        DataSpec {
            range: Some([-1.0, 1.0]),
            ..files()
        },
        DataSpec {
            patches: Some([8, 8]),
            ..files()
        },
        DataSpec {
            valid: Some(0.5),
            ..files()
        },
        DataSpec {
            limit: Some(2),
            ..files()
        },
        DataSpec { augment, ..files() },
    ];
    for spec in others {
        assert_ne!(name(&files()), name(&spec), "{spec:?}");
    }
    let before = name(&files());
    assert!(!open(&files()).unwrap().is_other_than(&before));
    write_image(folder.path(), "0/0.png", [20, 30], [99, 20, 30]);
    let new = open(&files()).unwrap();
    assert!(new.is_other_than(&before), "a picture is another");
    assert!(
        !new.is_other_than("") && !new.is_other_than("0123456789abcdef"),
        "no name, or one of another version"
    );
}

#[test]
fn shapes_has_all_splits_and_ten_classes() {
    let dataset = open(&DataSpec::default()).unwrap();
    let sizes: Vec<(Split, usize)> = dataset
        .splits()
        .map(|(split, data)| (split, data.len()))
        .collect();
    let expected = [
        (Split::Train, 8000),
        (Split::Valid, 1000),
        (Split::Test, 1000),
        (Split::Unlabeled, 8000),
    ];
    assert_eq!(sizes, expected);
    assert_eq!(dataset.shape(), [3, 32, 32]);
    assert_eq!(dataset.split(Split::Test).unwrap().per_class(), [100; 10]);
    assert!(!dataset.split(Split::Unlabeled).unwrap().labelled());
    let (_, labels) = batch(open(&shapes()).unwrap().split(Split::Unlabeled).unwrap());
    assert_eq!(labels, [u32::MAX; 50]);
}

#[test]
fn the_limit_never_moves_an_image_to_another_split() {
    let folder = tempdir().unwrap();
    write_idx(folder.path(), "train", 100);
    let full = open(&spec(Source::Mnist, folder.path())).unwrap();
    let mut spec = spec(Source::Mnist, folder.path());
    spec.limit = Some(5);
    let limited = open(&spec).unwrap();
    for split in [Split::Train, Split::Valid] {
        let (all, _) = batch(full.split(split).unwrap());
        let (few, _) = batch(limited.split(split).unwrap());
        assert_eq!(few.len(), 5 * 12);
        assert_eq!(
            few,
            all[all.len() - few.len()..],
            "the batch is in reverse order"
        );
    }
}

#[test]
fn patches_are_pieces_of_the_images() {
    let folder = tempdir().unwrap();
    write(folder.path(), "unlabeled_X.bin", &stl10(3));
    let mut spec = spec(Source::Stl10, folder.path());
    spec.patches = Some([7, 9]);
    spec.range = Some([0.0, 255.0]);
    let dataset = open(&spec).unwrap();
    assert_eq!(dataset.shape(), [3, 7, 9]);
    let split = dataset.split(Split::Unlabeled).unwrap();
    assert_eq!(split.len(), 30);
    let mut places = Vec::new();
    for index in 0..30 {
        let mut patch = vec![0.0; 7 * 9 * 3];
        split.read(index, &mut patch).unwrap();
        let [top, left, number] = [patch[0], patch[1], patch[2]];
        assert_eq!(
            number as usize,
            index % 3,
            "every image gives one before any gives two"
        );
        for (at, pixel) in patch.chunks_exact(3).enumerate() {
            assert_eq!(
                pixel,
                [top + (at / 9) as f32, left + (at % 9) as f32, number]
            );
        }
        places.push((top as u32, left as u32));
    }
    places.sort_unstable();
    places.dedup();
    assert!(places.len() > 25, "places differ");
    assert!(split.read(30, &mut vec![0.0; 7 * 9 * 3]).is_err());
    assert!(split.read(0, &mut [0.0; 5]).is_err());
}

#[test]
fn an_image_file_is_read_as_the_dataset_would() {
    let folder = mixed_folder();
    let mut spec = spec(Source::Folder, folder.path());
    spec.resize = Some([10, 10]);
    spec.range = Some([-1.0, 1.0]);
    let dataset = open(&spec).unwrap();
    let image = dataset.read_file(&folder.path().join("1/4.png")).unwrap();
    assert_eq!(dataset.to_pixels(&image)[..3], [4, 20, 30]);
    assert_eq!(image.len(), 300);
    let message = dataset
        .read_file(Path::new("absent.png"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("absent.png"), "{message}");
    spec.patches = Some([4, 6]);
    let patch = open(&spec)
        .unwrap()
        .read_file(&folder.path().join("1/4.png"))
        .unwrap();
    assert_eq!(patch.len(), 4 * 6 * 3);
}

/// Each as by itself; the classes are those of the folders, if every folder is one.
#[test]
fn image_files_take_the_place_of_the_splits() {
    let folder = mixed_folder();
    let mut spec = spec(Source::Folder, folder.path());
    spec.resize = Some([10, 10]);
    spec.range = Some([-1.0, 1.0]);
    spec.whiten = Some("zca eps=0.1".parse().unwrap());
    let dataset = open(&spec).unwrap();
    let files = ["1/4.png", "0/3.png"].map(|name| folder.path().join(name));
    let own = dataset.of_files(&files).unwrap();
    let splits: Vec<Split> = own.splits().map(|(split, _)| split).collect();
    assert_eq!(splits, [Split::Test]);
    let split = own.split(Split::Test).unwrap();
    for (index, file) in files.iter().enumerate() {
        let mut image = vec![0.0; 300];
        split.read(index, &mut image).unwrap();
        assert_eq!(image, dataset.read_file(file).unwrap());
    }
    assert_eq!([0, 1].map(|index| split.label(index)), [Some(1), Some(0)]);
    assert_eq!(own.own_images().unwrap().unlabelled, None);
    let elsewhere = tempdir().unwrap();
    let other = elsewhere.path().join("4.png");
    std::fs::copy(&files[0], &other).unwrap();
    let own = dataset
        .of_files(&[files[1].clone(), other.clone()])
        .unwrap();
    assert!(!own.split(Split::Test).unwrap().labelled());
    assert_eq!(own.own_images().unwrap().unlabelled, Some(other));
    assert!(dataset.own_images().is_none());
}

#[test]
fn settings_that_cannot_be_are_refused_with_what_to_write() {
    let folder = mixed_folder();
    let of_files = || spec(Source::Folder, folder.path());
    let cases: [(DataSpec, &str); 9] = [
        (of_files(), "write resize = [20, 30]"),
        (
            DataSpec {
                resize: Some([0, 4]),
                ..shapes()
            },
            "resize",
        ),
        (
            DataSpec {
                resize: Some([u32::MAX, 4]),
                ..shapes()
            },
            "resize",
        ),
        (
            DataSpec {
                patches: Some([33, 8]),
                ..shapes()
            },
            "larger than the images",
        ),
        (
            DataSpec {
                valid: Some(1.5),
                ..shapes()
            },
            "valid",
        ),
        (
            DataSpec {
                limit: Some(0),
                ..shapes()
            },
            "limit",
        ),
        (
            DataSpec {
                path: None,
                ..of_files()
            },
            "path",
        ),
        (
            DataSpec {
                range: Some([2.0, 2.0]),
                ..shapes()
            },
            "range",
        ),
        (
            DataSpec {
                source: Source::Mnist,
                path: Some("  ".into()),
                ..shapes()
            },
            "path",
        ),
    ];
    for (spec, part) in cases {
        let message = open(&spec).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    let two = Dataset::open_as(&shapes(), Some(2), 1, Path::new("."), &mut |_| true);
    assert!(two.unwrap_err().to_string().contains("channels"));
}

#[test]
fn paths_start_at_the_base_or_at_home() {
    let folder = tempdir().unwrap();
    write_idx(&folder.path().join("sub"), "train", 10);
    let relative = spec(Source::Mnist, Path::new("sub"));
    assert!(Dataset::open(&relative, 1, folder.path(), &mut |_| true).is_ok());
    assert!(Dataset::open(&relative, 1, Path::new("/absent"), &mut |_| true).is_err());
    let home = spec(Source::Mnist, Path::new("~/no-such-folder-of-strata"));
    let message = open(&home).unwrap_err().to_string();
    assert!(!message.contains('~'), "{message}");
}

#[test]
fn opening_reports_progress_and_can_be_cancelled() {
    let folder = mixed_folder();
    let mut spec = spec(Source::Folder, folder.path());
    spec.resize = Some([8, 8]);
    let mut seen: Vec<Progress> = Vec::new();
    let mut watch = |progress| {
        seen.push(progress);
        true
    };
    Dataset::open(&spec, 1, Path::new("."), &mut watch).unwrap();
    assert!(seen.len() > 3 && seen.iter().all(|progress| progress.done <= progress.total));
    for allowed in 0..seen.len() {
        let mut calls = 0;
        let mut stop = |_| {
            calls += 1;
            calls <= allowed
        };
        let result = Dataset::open(&spec, 1, Path::new("."), &mut stop);
        assert!(
            matches!(result, Err(DataError::Cancelled)),
            "after {allowed} calls"
        );
    }
}

#[test]
fn a_dataset_can_be_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Dataset>();
    shared::<DataError>();
}

/// What is no picture of the dataset's kind is not squeezed into one.
#[test]
fn an_image_file_is_no_signal() {
    let folder = tempdir().unwrap();
    let signals = npy("|u1", &[4, 1, 9], &[7; 36]);
    write(folder.path(), "train_images.npy", &signals);
    write_image(folder.path(), "a.png", [4, 4], [9, 9, 9]);
    let dataset = open(&spec(Source::Npy, folder.path())).unwrap();
    let error = dataset.read_file(&folder.path().join("a.png")).unwrap_err();
    assert!(error.to_string().contains("is no signal"), "{error}");
}
