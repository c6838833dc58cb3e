//! MATLAB's files, and the pickles of small ImageNets.

use super::*;
use strata_core::project::size::Shape;

#[test]
fn flowers_have_the_splits_of_their_authors() {
    let folder = tempdir().unwrap();
    for number in 1..=80u8 {
        write_image(
            folder.path(),
            &format!("jpg/image_{number:04}.jpg"),
            [8, 8],
            [number, 0, 0],
        );
    }
    let mut spec = DataSpec {
        source_fold: Some(2),
        ..spec(Source::Flowers17, folder.path())
    };
    assert!(
        open(&spec)
            .unwrap_err()
            .to_string()
            .contains("datasplits.mat")
    );
    let mut found = Vec::new();
    for name in ["splits_plain.mat", "splits_packed.mat"] {
        write(folder.path(), "datasplits.mat", &fixture(name));
        let dataset = open(&spec).unwrap();
        let sizes: Vec<usize> = dataset.splits().map(|(_, data)| data.len()).collect();
        assert_eq!(sizes, [40, 20, 20], "{name}");
        found.push(
            (0..40)
                .map(|index| pixels(&dataset, Split::Train, index)[0])
                .collect::<Vec<u8>>(),
        );
    }
    assert_eq!(found[0], found[1]);
    spec.source_fold = Some(3);
    let other = open(&spec).unwrap();
    assert_ne!(
        found[0],
        (0..40)
            .map(|index| pixels(&other, Split::Train, index)[0])
            .collect::<Vec<u8>>()
    );
    spec.source_fold = Some(4);
    assert!(open(&spec).unwrap_err().to_string().contains("1, 2 or 3"));
}

#[test]
fn files_of_matlab_hold_images_and_labels() {
    let folder = tempdir().unwrap();
    write(folder.path(), "train_32x32.mat", &fixture("svhn.mat"));
    let svhn = open(&whole(Source::Npy, &folder.path().join("train_32x32.mat"))).unwrap();
    assert_eq!(
        (svhn.shape(), svhn.classes()),
        ([3, 4, 4], &["0", "1", "2", "3"].map(str::to_owned)[..])
    );
    let train = svhn.split(Split::Train).unwrap();
    assert_eq!(
        [0, 1, 2].map(|index| train.label(index)),
        [Some(1), Some(0), Some(3)]
    );
    let picture = pixels(&svhn, Split::Train, 3);
    let at = |y: usize, x: usize, c: usize| picture[(y * 4 + x) * 3 + c];
    assert_eq!([at(0, 0, 0), at(1, 2, 0), at(3, 1, 2)], [120, 130, 149]);

    write(folder.path(), "c/data_batch_1.mat", &fixture("cifar10.mat"));
    write(folder.path(), "c/test_batch.mat", &fixture("cifar10.mat"));
    let cifar = open(&whole(Source::Npy, &folder.path().join("c"))).unwrap();
    assert_eq!(
        (cifar.shape(), cifar.classes()),
        ([3, 32, 32], &["6", "9"].map(str::to_owned)[..])
    );
    assert_eq!(cifar.split(Split::Test).unwrap().len(), 2);
    let picture = pixels(&cifar, Split::Train, 1);
    // Value i of image n, plane by plane, is (7 n + i / 1024 * 50 + i % 200) % 256.
    assert_eq!(
        picture[(2 * 32 + 5) * 3..][..3],
        [7 + 69, 7 + 50 + 93, 7 + 100 + 117]
    );

    write(folder.path(), "n/IMAGES.mat", &fixture("images.mat"));
    let natural = open(&whole(Source::Npy, &folder.path().join("n"))).unwrap();
    assert_eq!((natural.shape(), natural.classes().len()), ([1, 6, 5], 0));
    let value = values(&natural, Split::Train, 2)[5 + 3];
    assert!((value - (2.0 - 0.5 + 0.75)).abs() < 1e-5, "{value}");
}

#[test]
fn shrunken_imagenet_has_labels_from_one() {
    let folder = tempdir().unwrap();
    write(
        folder.path(),
        "train_data_batch_1",
        &fixture("imagenet8.pickle"),
    );
    write(folder.path(), "val_data", &fixture("imagenet8.pickle"));
    let small = open(&spec(Source::Npy, folder.path())).unwrap();
    assert_eq!(
        (small.shape(), small.classes()),
        ([3, 8, 8], &["1", "1000"].map(str::to_owned)[..])
    );
    let train = small.split(Split::Train).unwrap();
    assert_eq!(
        (train.len(), train.label(0), train.label(1)),
        (2, Some(1), Some(0))
    );
    assert_eq!(small.split(Split::Valid).unwrap().len(), 2);
}

#[test]
fn images_of_matlab_are_exchanged_and_keep_their_shape() {
    let folder = tempdir().unwrap();
    write(folder.path(), "IMAGES.mat", &fixture("images.mat"));
    let mut spec = whole(Source::Npy, folder.path());
    let upright = values(&open(&spec).unwrap(), Split::Train, 2);
    spec.transpose = true;
    let exchanged = open(&spec).unwrap();
    assert_eq!(exchanged.shape(), [1, 5, 6]);
    let exchanged = values(&exchanged, Split::Train, 2);
    for (y, x) in [(0, 0), (1, 3), (5, 4)] {
        assert_eq!(exchanged[x * 6 + y], upright[y * 5 + x]);
    }
    spec.shape = Shape::new(&[1, 6, 5]);
    let message = open(&spec).unwrap_err().to_string();
    assert!(
        message.contains("shape") && message.contains("rows of numbers"),
        "{message}"
    );
}
