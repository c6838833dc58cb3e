//! Every format, read right: values, labels, classes, splits, names of files.

use super::made::{cifar, gzip, idx, open, refusal, spec, stl10, write, write_idx, write_image};
use crate::{Dataset, SplitData};
use std::path::Path;
use strata_core::project::data::{DataSpec, Labels, Source, Split};
use strata_testkit::files::fixture;
use tempfile::tempdir;

fn pixels(dataset: &Dataset, split: &SplitData, index: usize) -> Vec<u8> {
    let mut values = vec![0.0; dataset.shape().iter().product()];
    split.read(index, &mut values).unwrap();
    dataset.to_pixels(&values)
}

fn sizes(dataset: &Dataset) -> Vec<(Split, usize)> {
    dataset
        .splits()
        .map(|(split, data)| (split, data.len()))
        .collect()
}

#[test]
fn idx_with_every_usual_name_plain_and_gzip() {
    let folder = tempdir().unwrap();
    write_idx(folder.path(), "train", 20);
    write_idx(folder.path(), "t10k", 5);
    let plain = open(&spec(Source::Mnist, folder.path())).unwrap();
    assert_eq!(plain.shape(), [1, 4, 3]);
    assert_eq!(
        sizes(&plain),
        [(Split::Train, 18), (Split::Valid, 2), (Split::Test, 5)]
    );
    let test = plain.split(Split::Test).unwrap();
    assert_eq!(pixels(&plain, test, 1), (12..24).collect::<Vec<u8>>());
    assert_eq!(test.label(1), Some(1));
    assert_eq!(test.label(5), None);
    assert_eq!(test.per_class(), [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);

    let packed = tempdir().unwrap();
    for (from, to) in [
        ("train-images-idx3-ubyte", "raw/train-images.idx3-ubyte.gz"),
        ("train-labels-idx1-ubyte", "raw/train-labels.idx1-ubyte.gz"),
        ("t10k-images-idx3-ubyte", "raw/t10k-images-idx3-ubyte.gz"),
        ("t10k-labels-idx1-ubyte", "raw/t10k-labels-idx1-ubyte.gz"),
    ] {
        write(
            packed.path(),
            to,
            &gzip(&std::fs::read(folder.path().join(from)).unwrap()),
        );
    }
    let packed = open(&spec(Source::Mnist, packed.path())).unwrap();
    assert_eq!(
        packed.hash(),
        plain.hash(),
        "the same pictures, however packed"
    );
    assert_eq!(
        open(&spec(Source::FashionMnist, folder.path()))
            .unwrap()
            .classes()[1],
        "Trouser"
    );
}

#[test]
fn a_gzip_name_on_unpacked_bytes_is_read_as_what_it_is() {
    let folder = tempdir().unwrap();
    write(
        folder.path(),
        "t10k-images-idx3-ubyte.gz",
        &idx(&[2, 1, 2], &[1, 2, 3, 4]),
    );
    let dataset = open(&spec(Source::Mnist, folder.path())).unwrap();
    let test = dataset.split(Split::Test).unwrap();
    assert_eq!(pixels(&dataset, test, 1), [3, 4]);
    assert!(!test.labelled(), "no label file");
    assert_eq!(test.label(0), None);
}

#[test]
fn cifar10_takes_whichever_batches_are_there() {
    let folder = tempdir().unwrap();
    let below = "cifar-10-batches-bin";
    write(
        folder.path(),
        &format!("{below}/data_batch_1.bin"),
        &cifar(&[&[3], &[9]]),
    );
    write(
        folder.path(),
        &format!("{below}/data_batch_4.bin.gz"),
        &gzip(&cifar(&[&[7]])),
    );
    write(
        folder.path(),
        &format!("{below}/test_batch.bin"),
        &cifar(&[&[0]]),
    );
    let mut spec = spec(Source::Cifar10, folder.path());
    spec.valid = Some(0.0);
    let dataset = open(&spec).unwrap();
    assert_eq!(dataset.shape(), [3, 32, 32]);
    assert_eq!(sizes(&dataset), [(Split::Train, 3), (Split::Test, 1)]);
    let train = dataset.split(Split::Train).unwrap();
    assert_eq!(
        (0..3).map(|i| train.label(i)).collect::<Vec<_>>(),
        [Some(3), Some(9), Some(7)]
    );
    assert_eq!(pixels(&dataset, train, 1)[..6], [2, 3, 4, 2, 3, 4]);
    assert_eq!(dataset.classes()[9], "truck");
}

#[test]
fn cifar100_numbers_the_classes_that_are_there() {
    let folder = tempdir().unwrap();
    write(
        folder.path(),
        "train.bin",
        &cifar(&[&[2, 92], &[2, 54], &[2, 92]]),
    );
    write(folder.path(), "test.bin", &cifar(&[&[2, 70]]));
    let names: String = (0..100).map(|number| format!("name{number}\n")).collect();
    let mut spec = spec(Source::Cifar100, folder.path());
    spec.valid = Some(0.0);
    assert_eq!(open(&spec).unwrap().classes(), ["orchid", "rose", "tulip"]);
    write(folder.path(), "fine_label_names.txt", names.as_bytes());
    let dataset = open(&spec).unwrap();
    assert_eq!(dataset.classes(), ["name54", "name70", "name92"]);
    assert_eq!(dataset.split(Split::Train).unwrap().per_class(), [1, 0, 2]);
    assert_eq!(dataset.split(Split::Test).unwrap().label(0), Some(1));
    spec.labels = Some(Labels::Coarse);
    let coarse = open(&spec).unwrap();
    assert_eq!(coarse.classes(), ["flowers"]);
    assert_eq!(coarse.split(Split::Train).unwrap().per_class(), [3]);
}

#[test]
fn cifars_version_for_python_is_read_beside_the_binary_one() {
    let folder = tempdir().unwrap();
    let below = "cifar-10-batches-py";
    write(
        folder.path(),
        &format!("{below}/data_batch_1"),
        &fixture("cifar10_python2.pickle"),
    );
    write(
        folder.path(),
        &format!("{below}/data_batch_2.gz"),
        &gzip(&fixture("cifar10_protocol4.pickle")),
    );
    write(
        folder.path(),
        &format!("{below}/test_batch"),
        &fixture("cifar10_protocol0.pickle"),
    );
    let mut ten = spec(Source::Cifar10, folder.path());
    ten.valid = Some(0.0);
    let dataset = open(&ten).unwrap();
    assert_eq!(sizes(&dataset), [(Split::Train, 4), (Split::Test, 2)]);
    let train = dataset.split(Split::Train).unwrap();
    assert_eq!(
        (0..4).map(|i| train.label(i)).collect::<Vec<_>>(),
        [Some(6), Some(9), Some(6), Some(9)]
    );
    assert_eq!(pixels(&dataset, train, 1)[..6], [7, 81, 155, 8, 82, 156]);

    write(
        folder.path(),
        "cifar-100-python/train",
        &fixture("cifar100.pickle"),
    );
    let hundred = spec(Source::Cifar100, folder.path());
    assert_eq!(open(&hundred).unwrap().classes(), ["orchid", "tulip"]);
    assert_eq!(
        open(&DataSpec {
            labels: Some(Labels::Coarse),
            ..hundred
        })
        .unwrap()
        .classes(),
        ["flowers"]
    );
    write(
        folder.path(),
        "cifar-100-python/train",
        &fixture("cifar10_protocol4.pickle"),
    );
    let message = refusal(Source::Cifar100, folder.path());
    assert!(
        message.contains("no usable 'fine_labels' (it has batch_label, labels, data, filenames)"),
        "{message}"
    );
    write(
        folder.path(),
        "cifar-100-python/train",
        b"cos\nsystem\n(S'x'\ntR.",
    );
    assert!(refusal(Source::Cifar100, folder.path()).contains("run os.system"));
}

#[test]
fn stl10_planes_lie_by_column() {
    let folder = tempdir().unwrap();
    write(folder.path(), "stl10_binary/train_X.bin", &stl10(2));
    write(folder.path(), "stl10_binary/train_y.bin", &[10, 1]);
    write(folder.path(), "stl10_binary/unlabeled_X.bin", &stl10(3));
    let dataset = open(&spec(Source::Stl10, folder.path())).unwrap();
    assert_eq!(sizes(&dataset), [(Split::Train, 2), (Split::Unlabeled, 3)]);
    assert_eq!(dataset.split(Split::Train).unwrap().label(0), Some(9));
    let unlabeled = dataset.split(Split::Unlabeled).unwrap();
    assert!(!unlabeled.labelled());
    let picture = pixels(&dataset, unlabeled, 2);
    for (row, column) in [(0u8, 0u8), (0, 95), (95, 0), (13, 77)] {
        let at = (usize::from(row) * 96 + usize::from(column)) * 3;
        assert_eq!(picture[at..at + 3], [row, column, 2]);
    }
}

#[test]
fn stl10_has_folds_and_may_be_packed() {
    let folder = tempdir().unwrap();
    write(folder.path(), "train_X.bin.gz", &gzip(&stl10(5)));
    write(folder.path(), "train_y.bin.gz", &gzip(&[1, 2, 3, 4, 5]));
    let mut spec = spec(Source::Stl10, folder.path());
    spec.valid = Some(0.0);
    spec.source_fold = Some(1);
    assert!(
        open(&spec)
            .unwrap_err()
            .to_string()
            .contains("fold_indices.txt")
    );
    write(folder.path(), "fold_indices.txt", b"0 1\n4 2 \n7\n");
    let dataset = open(&spec).unwrap();
    let train = dataset.split(Split::Train).unwrap();
    assert_eq!(
        (train.len(), train.label(0), train.label(1)),
        (2, Some(2), Some(4))
    );
    assert_eq!(pixels(&dataset, train, 1)[..3], [0, 0, 4]);
    for (fold, part) in [
        (2, "has the entry 7, and images go from 0 to 4"),
        (3, "no line for fold 3"),
        (10, "0 to 9"),
    ] {
        spec.source_fold = Some(fold);
        let message = open(&spec).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn folders_by_class_are_carved_from_the_seed() {
    let folder = tempdir().unwrap();
    for class in ["b", "a"] {
        for number in 0..20 {
            let colour = if class == "a" {
                [250, 0, 0]
            } else {
                [0, 0, 250]
            };
            write_image(
                folder.path(),
                &format!("{class}/{number:02}.png"),
                [6, 5],
                colour,
            );
        }
    }
    write(folder.path(), "README.md", b"not an image");
    let spec = spec(Source::Folder, folder.path());
    let dataset = open(&spec).unwrap();
    assert_eq!(dataset.shape(), [3, 6, 5]);
    assert_eq!(dataset.classes(), ["a", "b"]);
    assert_eq!(
        sizes(&dataset),
        [(Split::Train, 32), (Split::Valid, 4), (Split::Test, 4)]
    );
    for (_, data) in dataset.splits() {
        assert_eq!(data.per_class()[0], data.per_class()[1]);
        for index in 0..data.len() {
            let red = pixels(&dataset, data, index)[0];
            assert_eq!(data.label(index), Some(u32::from(red == 0)));
        }
    }
    let limited = open(&DataSpec {
        limit: Some(2),
        ..spec
    });
    assert_eq!(
        limited.unwrap().split(Split::Train).unwrap().per_class(),
        [1, 1]
    );
}

#[test]
fn folders_with_splits_keep_them() {
    let folder = tempdir().unwrap();
    for name in [
        "train/cat/1.png",
        "train/dog/1.png",
        "train/dog/2.png",
        "val/cat/1.png",
        "test/dog/1.png",
    ] {
        write_image(folder.path(), name, [4, 4], [1, 2, 3]);
    }
    write_image(folder.path(), "unlabeled/x.png", [4, 4], [9, 9, 9]);
    write_image(folder.path(), "unlabeled/more/y.png", [4, 4], [9, 9, 9]);
    std::fs::create_dir(folder.path().join("train/empty")).unwrap();
    let dataset = open(&spec(Source::Folder, folder.path())).unwrap();
    let expected = [
        (Split::Train, 3),
        (Split::Valid, 1),
        (Split::Test, 1),
        (Split::Unlabeled, 2),
    ];
    assert_eq!(sizes(&dataset), expected);
    assert_eq!(dataset.classes(), ["cat", "dog"]);
    assert_eq!(dataset.split(Split::Test).unwrap().label(0), Some(1));
    assert_eq!(dataset.skipped().len(), 1, "the empty class folder");
}

#[test]
fn loose_images_are_unlabelled() {
    let folder = tempdir().unwrap();
    for number in 0..10 {
        write_image(
            folder.path(),
            &format!("{number}.bmp"),
            [4, 4],
            [number, 2, 3],
        );
    }
    let dataset = open(&spec(Source::Folder, folder.path())).unwrap();
    assert_eq!(
        sizes(&dataset),
        [(Split::Train, 8), (Split::Valid, 1), (Split::Test, 1)]
    );
    assert!(dataset.splits().all(|(_, data)| !data.labelled()));
    assert!(dataset.classes().is_empty());
}

#[test]
fn every_kind_of_pixel_is_accepted() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join("c").join(name);
    std::fs::create_dir(folder.path().join("c")).unwrap();
    image::GrayImage::from_pixel(4, 4, image::Luma([100]))
        .save(path("1grey.png"))
        .unwrap();
    let half = image::Rgba([0, 0, 0, 128]);
    image::RgbaImage::from_pixel(4, 4, half)
        .save(path("2alpha.png"))
        .unwrap();
    let deep = image::ImageBuffer::from_pixel(4, 4, image::Rgb([0u16, 32896, 65535]));
    image::DynamicImage::ImageRgb16(deep)
        .save(path("3deep.png"))
        .unwrap();
    image::RgbImage::from_pixel(4, 4, image::Rgb([9, 9, 9]))
        .save(path("4webp.webp"))
        .unwrap();
    let mut spec = spec(Source::Folder, folder.path());
    spec.valid = Some(0.0);
    let dataset = open(&spec).unwrap();
    let train = dataset.split(Split::Train).unwrap();
    let firsts: Vec<Vec<u8>> = (0..4)
        .map(|i| pixels(&dataset, train, i)[..3].to_vec())
        .collect();
    assert_eq!(
        firsts,
        [[100, 100, 100], [127, 127, 127], [0, 128, 255], [9, 9, 9]]
    );
    let grey = Dataset::open_as(&spec, Some(1), 1, Path::new("."), &mut |_| true).unwrap();
    assert_eq!(grey.shape(), [1, 4, 4]);
    assert_eq!(
        pixels(&grey, grey.split(Split::Train).unwrap(), 0),
        [100; 16]
    );
}

#[test]
fn only_grey_images_make_a_grey_dataset() {
    let folder = tempdir().unwrap();
    std::fs::create_dir(folder.path().join("c")).unwrap();
    let grey = image::GrayImage::from_pixel(4, 4, image::Luma([100]));
    grey.save(folder.path().join("c/1.png")).unwrap();
    assert_eq!(
        open(&spec(Source::Folder, folder.path())).unwrap().shape(),
        [1, 4, 4]
    );
}

#[test]
fn flowers_and_eurosat_are_found_below_their_path() {
    let folder = tempdir().unwrap();
    write_image(folder.path(), "jpg/image_0001.jpg", [8, 8], [200, 200, 0]);
    write_image(folder.path(), "jpg/image_0081.jpg", [8, 8], [255, 255, 255]);
    write_image(
        folder.path(),
        "EuroSAT_RGB/River/River_1.jpg",
        [8, 8],
        [0, 0, 255],
    );
    let flowers = open(&spec(Source::Flowers17, folder.path())).unwrap();
    assert_eq!(flowers.classes().len(), 17);
    assert_eq!(flowers.split(Split::Train).unwrap().label(1), Some(1));
    assert_eq!(
        open(&spec(Source::Eurosat, folder.path()))
            .unwrap()
            .classes(),
        ["River"]
    );
}

#[test]
fn what_is_missing_is_named_with_where_it_was_looked_for() {
    let folder = tempdir().unwrap();
    let place = folder.path().display().to_string();
    let expected = [
        (Source::Mnist, "train-images.idx3-ubyte.gz"),
        (Source::FashionMnist, "t10k-images-idx3-ubyte"),
        (Source::Cifar10, "data_batch_5.bin"),
        (Source::Cifar100, "train.bin"),
        (Source::Stl10, "unlabeled_X.bin"),
        (Source::Folder, "CLASS/picture.jpg"),
        (Source::Eurosat, "no image in it"),
        (Source::Flowers17, "image_0001.jpg"),
        (Source::Wav, "no .wav file in it"),
    ];
    for (source, part) in expected {
        let message = refusal(source, folder.path());
        assert!(
            message.contains(part) && message.contains(&place),
            "{message}"
        );
        let message = refusal(source, &folder.path().join("absent"));
        assert!(
            message.contains("no such folder") || message.contains("does not exist"),
            "{message}"
        );
    }
    for (source, part) in [
        (Source::Npy, "no .npy or .npz file"),
        (Source::Csv, "no .csv file"),
    ] {
        assert!(refusal(source, folder.path()).contains(part));
        assert!(refusal(source, &folder.path().join("absent")).contains("absent: cannot be read"));
    }
}
