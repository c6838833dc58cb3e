//! Real images: in the folder of real data, if it is there.

use super::made::{gzip, open, spec, write};
use crate::{Dataset, epoch_order, fill_batch};
use std::io::Read;
use std::path::Path;
use strata_core::project::data::{DataSpec, Source, Split};
use strata_testkit::folders::real_data;

/// Folder below the root, and the source that reads it.
pub(crate) const SOURCES: [(&str, Source); 9] = [
    ("mnist", Source::Mnist),
    ("fashion-mnist-subset", Source::FashionMnist),
    ("cifar10/exact", Source::Cifar10),
    ("cifar10/jpeg-decoded", Source::Cifar10),
    ("cifar100-flowers", Source::Cifar100),
    ("stl10", Source::Stl10),
    ("eurosat", Source::Eurosat),
    ("flowers17", Source::Flowers17),
    ("sign-digits", Source::Folder),
];

fn open_real(root: &Path, name: &str, source: Source, resize: Option<[u32; 2]>) -> Dataset {
    let mut spec = spec(source, &root.join(name));
    spec.resize = resize;
    open(&spec).unwrap()
}

fn sizes(dataset: &Dataset) -> Vec<(Split, usize)> {
    dataset
        .splits()
        .map(|(split, data)| (split, data.len()))
        .collect()
}

#[test]
fn every_real_source_opens_and_reads() {
    let Some(root) = real_data("every_real_source_opens_and_reads") else {
        return;
    };
    for (name, source) in SOURCES {
        let mut spec = spec(source, &root.join(name));
        spec.resize = Some([24, 20]);
        spec.limit = Some(40);
        let dataset = open(&spec).unwrap();
        assert!(
            dataset.skipped().is_empty(),
            "{name}: {:?}",
            dataset.skipped()
        );
        for (split, data) in dataset.splits() {
            let indices = epoch_order(data.len(), 1, 0);
            let mut images =
                vec![f32::NAN; indices.len() * dataset.shape().iter().product::<usize>()];
            let mut labels = vec![0; indices.len()];
            fill_batch(data, &indices, &mut images, &mut labels).unwrap();
            assert!(
                images.iter().all(|value| (0.0..=1.0).contains(value)),
                "{name} {split}"
            );
            let classes = dataset.classes().len() as u32;
            assert!(
                labels
                    .iter()
                    .all(|&label| label < classes || split == Split::Unlabeled)
            );
        }
    }
}

/// The names that the sources' data have had since names begin with `2-`: what is read stays the same to the last bit.
const NAMES: [&str; 9] = [
    "2-51c84bac57309a15",
    "2-0fb4bdf3d2c20121",
    "2-134e2e674f44c421",
    "2-e4313280b4d76361",
    "2-f54160255b8f07ec",
    "2-25dc2be2383ef0c4",
    "2-b0787e1bbbaafb7c",
    "2-67a94c57d8b600d1",
    "2-bdc60fd7a18b4eda",
];

#[test]
fn real_data_keep_their_names() {
    let Some(root) = real_data("real_data_keep_their_names") else {
        return;
    };
    for ((folder, source), name) in SOURCES.into_iter().zip(NAMES) {
        let resize = match source {
            Source::Stl10 => Some([32, 32]),
            Source::Flowers17 => Some([64, 64]),
            _ => None,
        };
        let dataset = open_real(&root, folder, source, resize);
        assert_eq!(dataset.hash(), name, "{folder}");
    }
}

#[test]
fn mnist_is_complete() {
    let Some(root) = real_data("mnist_is_complete") else {
        return;
    };
    let mnist = open_real(&root, "mnist", Source::Mnist, None);
    assert_eq!(mnist.shape(), [1, 28, 28]);
    assert_eq!(
        sizes(&mnist),
        [
            (Split::Train, 54_000),
            (Split::Valid, 6_000),
            (Split::Test, 10_000)
        ]
    );
    let counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    assert_eq!(mnist.split(Split::Test).unwrap().per_class(), counts);
}

#[test]
fn cifar_subsets_keep_their_classes() {
    let Some(root) = real_data("cifar_subsets_keep_their_classes") else {
        return;
    };
    let cifar = open_real(&root, "cifar10/exact", Source::Cifar10, None);
    assert_eq!(sizes(&cifar), [(Split::Train, 2_700), (Split::Valid, 300)]);
    let flowers = open_real(&root, "cifar100-flowers", Source::Cifar100, None);
    assert_eq!(
        flowers.classes(),
        ["orchid", "poppy", "rose", "sunflower", "tulip"]
    );
    assert_eq!(flowers.split(Split::Test).unwrap().per_class().len(), 5);
}

#[test]
fn stl10_opens_without_reading_its_pictures() {
    let Some(root) = real_data("stl10_opens_without_reading_its_pictures") else {
        return;
    };
    let stl = open_real(&root, "stl10", Source::Stl10, Some([32, 32]));
    assert_eq!(stl.shape(), [3, 32, 32]);
    assert_eq!(
        sizes(&stl),
        [
            (Split::Train, 72),
            (Split::Valid, 8),
            (Split::Test, 10),
            (Split::Unlabeled, 200)
        ]
    );
    assert_eq!(stl.classes()[7], "monkey");
}

/// A copy of a folder's files, plain ones packed and packed ones plain.
fn turned(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(from)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
    {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).unwrap();
        match name.strip_suffix(".gz") {
            Some(plain) => {
                let mut unpacked = Vec::new();
                flate2::read::MultiGzDecoder::new(bytes.as_slice())
                    .read_to_end(&mut unpacked)
                    .unwrap();
                write(folder.path(), plain, &unpacked);
            }
            None if name.ends_with(".bin") => {
                write(folder.path(), &format!("{name}.gz"), &gzip(&bytes))
            }
            None => write(folder.path(), &name, &bytes),
        }
    }
    folder
}

#[test]
fn packed_and_plain_files_are_the_same_data() {
    let Some(root) = real_data("packed_and_plain_files_are_the_same_data") else {
        return;
    };
    for (name, source) in SOURCES {
        let below = if source == Source::Stl10 {
            "stl10/stl10_binary"
        } else {
            name
        };
        if matches!(source, Source::Eurosat | Source::Flowers17 | Source::Folder) {
            continue;
        }
        let mut one = spec(source, &root.join(below));
        one.limit = Some(50);
        let folder = turned(&root.join(below));
        let other = DataSpec {
            path: Some(folder.path().display().to_string()),
            ..one.clone()
        };
        assert_eq!(
            open(&one).unwrap().hash(),
            open(&other).unwrap().hash(),
            "{name}"
        );
    }
}

#[test]
fn flowers_need_a_size() {
    let Some(root) = real_data("flowers_need_a_size") else {
        return;
    };
    let message = super::made::refusal(Source::Flowers17, &root.join("flowers17"));
    assert!(
        message.contains("differ in size") && message.contains("resize = [64, 64]"),
        "{message}"
    );
    let flowers = open_real(&root, "flowers17", Source::Flowers17, Some([64, 64]));
    assert_eq!(
        flowers.splits().map(|(_, data)| data.len()).sum::<usize>(),
        340
    );
}

#[test]
#[ignore = "a measurement: run with --nocapture"]
fn time_of_reading() {
    let Some(root) = real_data("time_of_reading") else {
        return;
    };
    for (name, source) in SOURCES {
        let mut spec = spec(source, &root.join(name));
        spec.resize = matches!(source, Source::Stl10 | Source::Flowers17).then_some([32, 32]);
        let start = std::time::Instant::now();
        let dataset = open(&spec).unwrap();
        let opened = start.elapsed();
        let (split, data) = dataset.splits().last().unwrap();
        let mut image = vec![0.0; dataset.shape().iter().product()];
        let mut pass = || {
            let start = std::time::Instant::now();
            (0..data.len()).for_each(|index| data.read(index, &mut image).unwrap());
            start.elapsed().as_secs_f64() * 1e6 / data.len() as f64
        };
        let (first, again) = (pass(), pass());
        println!("{name}: opened in {opened:.1?}; {split} {first:.1} µs an image, then {again:.1}");
    }
}
