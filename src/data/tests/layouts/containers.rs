//! Arrays in HDF5 files, images in Parquet files.

use super::{FOLDER, Layout};
use strata_core::project::data::Source;

const HDF5_FILE: Layout = Layout {
    source: Source::Hdf5,
    ..FOLDER
};
const PARQUET_FILE: Layout = Layout {
    source: Source::Parquet,
    ..FOLDER
};

pub(super) const HDF5: [Layout; 11] = [
    Layout {
        name: "train_set_x, train_set_y, list_classes in train_catvnoncat.h5 (courses)",
        files: &["train_catvnoncat.h5 = @fixture course.h5"],
        at: "train_catvnoncat.h5",
        is: "non-cat, cat: train 7",
        ..HDF5_FILE
    },
    Layout {
        name: "train_signs.h5 and test_signs.h5 in one folder",
        files: &[
            "train_signs.h5 = train_set_x:u1 3x6x6x3;train_set_y:i8 3;list_classes:i8 6",
            "test_signs.h5 = test_set_x:u1 2x6x6x3;test_set_y:i8 2;list_classes:i8 6",
        ],
        is: "0, 1, 2: train 3, test 2",
        ..HDF5_FILE
    },
    Layout {
        name: "camelyonpatch_level_2_split_train_x.h5, …_y.h5, …_valid_x.h5, … (PCam)",
        files: &[
            "camelyonpatch_level_2_split_train_x.h5 = x:u1 2x6x6x3",
            "camelyonpatch_level_2_split_train_y.h5 = y:u1 2x1x1x1",
            "camelyonpatch_level_2_split_train_mask.h5 = mask:u1 2x6x6x1",
            "camelyonpatch_level_2_split_valid_x.h5 = x:u1 2x6x6x3",
            "camelyonpatch_level_2_split_valid_y.h5 = y:u1 2x1x1x1",
        ],
        is: "0, 1: train 2, valid 2",
        says: &["mask: its name does not say"],
        ..HDF5_FILE
    },
    Layout {
        name: "images, ans (Galaxy10)",
        files: &["Galaxy10.h5 = images:u1 3x6x6x3;ans:u1 3;ra:f8 3;dec:f8 3"],
        at: "Galaxy10.h5",
        is: "0, 1, 2: train 3 of 3x6x6",
        says: &["ra: its name does not say"],
        ..HDF5_FILE
    },
    Layout {
        name: "x_train, y_train, x_valid, y_valid, x_test, y_test, packed",
        files: &["set.h5 = @fixture packed.h5"],
        is: "0, 1, 2: train 7, valid 2, test 4",
        ..HDF5_FILE
    },
    Layout {
        name: "one array a file (x_train.h5, y_train.h5)",
        files: &["x_train.h5 = data:u1 3x6x6", "y_train.h5 = data:u1 3"],
        is: "0, 1, 2: train 3",
        ..HDF5_FILE
    },
    Layout {
        name: "groups train and test with data and target (USPS)",
        files: &[
            "usps.h5 = train/data:f4 3x256;train/target:i8 3;test/data:f4 2x256;test/target:i8 2",
        ],
        is: "0, 1, 2: train 3, test 2",
        says: &["shape = \"1x16x16\""],
        ..HDF5_FILE
    },
    Layout {
        name: "images, category with a column for each class, category_names (Food-101)",
        files: &["food_c101_n1000_r384x384x3.h5 = @fixture onehot.h5"],
        at: "food_c101_n1000_r384x384x3.h5",
        is: "pie, soup, tart: train 7",
        ..HDF5_FILE
    },
    Layout {
        name: "labels as texts, beside an array of numbers",
        files: &["set.hdf5 = @fixture texts.h5"],
        is: "a dog, cat: train 7",
        says: &["train/image_ids"],
        ..HDF5_FILE
    },
    Layout {
        name: "arrays whose names say nothing",
        files: &["jets.h5 = jets:f4 3x6x6;kind:i8 3;energy:f8 3"],
        is: "0, 1, 2: train 3",
        ..HDF5_FILE
    },
    Layout {
        name: "SVHN's train_32x32.mat of version 7.3",
        files: &["train_32x32.mat = @fixture svhn73.mat"],
        source: Source::Npy,
        is: "0, 1, 2, 3: train 5 of 3x4x4",
        ..FOLDER
    },
];

pub(super) const PARQUET: [Layout; 8] = [
    Layout {
        name: "data/train-00000-of-00002.parquet, …, data/test-00000-…, … (Hugging Face)",
        files: &[
            "README.md = # A data set",
            "data/train-00000-of-00002.parquet = @fixture images.parquet",
            "data/train-00001-of-00002.parquet = @fixture images.parquet",
            "data/test-00000-of-00001.parquet = @fixture images.parquet",
        ],
        is: "cat, dog, emu, fox: train 20, test 10",
        ..PARQUET_FILE
    },
    Layout {
        name: "train, validation and test beside the README",
        files: &[
            "README.md = # A data set",
            "train-00000-of-00001.parquet = @fixture images.parquet",
            "validation-00000-of-00001.parquet = @fixture images.parquet",
            "test-00000-of-00001.parquet = @fixture images.parquet",
        ],
        is: "cat, dog, emu, fox: train 10, valid 10, test 10",
        ..PARQUET_FILE
    },
    Layout {
        name: "one configuration in a folder (plain_text/train-…)",
        files: &["plain_text/train-00000-of-00001.parquet = @fixture images.parquet"],
        lines: &["test = 0.0"],
        is: "cat, dog, emu, fox: train 10",
        ..PARQUET_FILE
    },
    Layout {
        name: "default/train/0000.parquet, default/test/0000.parquet (converted)",
        files: &[
            "default/train/0000.parquet = @fixture images.parquet",
            "default/test/0000.parquet = @fixture images.parquet",
        ],
        is: "cat, dog, emu, fox: train 10, test 10",
        ..PARQUET_FILE
    },
    Layout {
        name: "a lone shard",
        files: &["train-00001-of-00002.parquet = @fixture images.parquet"],
        at: "train-00001-of-00002.parquet",
        lines: &["test = 0.0"],
        is: "cat, dog, emu, fox: train 10",
        says: &["one of 2 files"],
        ..PARQUET_FILE
    },
    Layout {
        name: "img, fine_label, coarse_label (CIFAR-100)",
        files: &["train.parquet = @fixture pages2.parquet"],
        lines: &["test = 0.0"],
        is: "cat, dog, emu, fox: train 10",
        says: &["write label = \"column: coarse_label\" under [data]"],
        ..PARQUET_FILE
    },
    Layout {
        name: "the same with label = \"column: coarse_label\"",
        files: &["train.parquet = @fixture pages2.parquet"],
        lines: &["test = 0.0", "label = \"column: coarse_label\""],
        is: "pet, other: train 10",
        ..PARQUET_FILE
    },
    Layout {
        name: "labels as texts, some without",
        files: &["train.parquet = @fixture texts.parquet"],
        lines: &["test = 0.0"],
        is: "a dog, cat: train 6, unlabeled 3",
        says: &["holds no image"],
        ..PARQUET_FILE
    },
];
