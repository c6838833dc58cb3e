//! Arrays, and files of IDX.

use super::{FOLDER, Layout};
use strata_core::project::data::Source;

const NPY: Layout = Layout {
    source: Source::Npy,
    ..FOLDER
};

/// `@u1 3x4x4` is an array of that type and shape, counting up.
pub(super) const ARRAYS: [Layout; 14] = [
    Layout {
        name: "x_train.npy, y_train.npy, x_test.npy, y_test.npy",
        files: &[
            "x_train.npy = @u1 4x5x5",
            "y_train.npy = @i8 4",
            "x_test.npy = @u1 2x5x5",
            "y_test.npy = @i8 2",
        ],
        is: "0, 1, 2, 3: train 4, test 2",
        ..NPY
    },
    Layout {
        name: "labels as floats (numpy.loadtxt)",
        files: &["X_train.npy = @u1 3x5x5", "y_train.npy = @f8 3"],
        is: "0, 1, 2: train 3",
        ..NPY
    },
    Layout {
        name: "labels as texts",
        files: &["X.npy = @u1 3x5x5", "y.npy = @texts 3"],
        is: "c0, c1, c2: train 3",
        ..NPY
    },
    Layout {
        name: "labels with a column for each class",
        files: &["X.npy = @u1 3x5x5", "y.npy = @onehot 3"],
        is: "0, 1, 2: train 3",
        ..NPY
    },
    Layout {
        name: "labels N×1 (MedMNIST)",
        files: &[
            "m.npz = train_images:u1 3x5x5;train_labels:u1 3x1;val_images:u1 1x5x5;val_labels:u1 1x1;test_images:u1 1x5x5;test_labels:u1 1x1",
        ],
        is: "0, 1, 2: train 3, valid 1, test 1",
        ..NPY
    },
    Layout {
        name: "x_train, y_train, … in one .npz (mnist.npz)",
        files: &["mnist.npz = x_train:u1 3x5x5;y_train:u1 3;x_test:u1 2x5x5;y_test:u1 2"],
        is: "0, 1, 2: train 3, test 2",
        ..NPY
    },
    Layout {
        name: "data, labels in one .npz",
        files: &["d.npz = data:u1 3x5x5;labels:i4 3"],
        is: "0, 1, 2: train 3",
        ..NPY
    },
    Layout {
        name: "arr_0, arr_1 in one .npz",
        files: &["d.npz = arr_0:u1 3x5x5;arr_1:i4 3"],
        is: "0, 1, 2: train 3",
        ..NPY
    },
    Layout {
        name: "one .npy a class (Quick, Draw!)",
        files: &[
            "full_numpy_bitmap_cat.npy = @u1 2x784",
            "full_numpy_bitmap_hot dog.npy = @u1 2x784",
        ],
        is: "cat, hot dog: train 4",
        ..NPY
    },
    Layout {
        name: "rows of 784 numbers",
        files: &["X_train.npy = @u1 3x784", "y_train.npy = @u1 3"],
        is: "0, 1, 2: train 3",
        says: &["shape = \"1x28x28\""],
        ..NPY
    },
    Layout {
        name: "the same with shape = \"1x28x28\"",
        files: &["X_train.npy = @u1 3x784", "y_train.npy = @u1 3"],
        lines: &["shape = \"1x28x28\""],
        is: "0, 1, 2: train 3 of 1x28x28",
        ..NPY
    },
    Layout {
        name: "N×13×H×W (EuroSAT, all bands)",
        files: &["x.npy = @u2 2x13x32x32"],
        is: "train 2 of 13x32x32",
        says: &["13 channels, which come first"],
        ..NPY
    },
    Layout {
        name: "N×H×W×4 (RGBA)",
        files: &["x.npy = @u1 2x16x16x4"],
        is: "train 2 of 4x16x16",
        says: &["4 channels, which come last"],
        ..NPY
    },
    Layout {
        name: "N×3×H×W",
        files: &["images.npy = @u1 2x3x8x8"],
        is: "train 2 of 3x8x8",
        ..NPY
    },
];

/// Files of IDX.
pub(super) const IDX: [Layout; 4] = [
    Layout {
        name: "train-images-idx3-ubyte, … (MNIST)",
        files: &[
            "train-images-idx3-ubyte = @idx 4x5x5",
            "train-labels-idx1-ubyte = @idx 4",
        ],
        source: Source::Mnist,
        is: "0, 1, 2, 3, 4, 5, 6, 7, 8, 9: train 4",
        ..FOLDER
    },
    Layout {
        name: "a folder of each file's own name (Kaggle's MNIST)",
        files: &[
            "train-images-idx3-ubyte/train-images-idx3-ubyte = @idx 4x5x5",
            "train-labels-idx1-ubyte/train-labels-idx1-ubyte = @idx 4",
        ],
        source: Source::Mnist,
        is: "0, 1, 2, 3, 4, 5, 6, 7, 8, 9: train 4",
        ..FOLDER
    },
    Layout {
        name: "emnist-letters-train-images-idx3-ubyte, labels from 1",
        files: &[
            "emnist-letters-train-images-idx3-ubyte = @idx 4x5x5",
            "emnist-letters-train-labels-idx1-ubyte = @idx1 4",
            "emnist-letters-test-images-idx3-ubyte = @idx 2x5x5",
            "emnist-letters-test-labels-idx1-ubyte = @idx1 2",
        ],
        source: Source::Mnist,
        is: "a, b, c, d: train 4, test 2",
        says: &["turned upright"],
        ..FOLDER
    },
    Layout {
        name: "EMNIST's labels under MNIST's names",
        files: &[
            "train-images-idx3-ubyte = @idx 4x5x5",
            "train-labels-idx1-ubyte = @idx17 4",
        ],
        source: Source::Mnist,
        is: "17, 18, 19, 20: train 4",
        ..FOLDER
    },
];
