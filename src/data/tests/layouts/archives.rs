//! Archives, which are described from their directory and opened once they are unpacked.

use super::{FOLDER, Layout};
use strata_core::project::data::Source;

pub(super) static ARCHIVES: [Layout; 7] = [
    Layout {
        name: "a zip of CLASS/image, with __MACOSX",
        files: &["pets.zip = cat/*2.png; dog/*2.png; __MACOSX/cat/._0.png = x"],
        at: "pets.zip",
        is: "cat, dog: train 4",
        says: &["hidden, or left behind by a system"],
        ..FOLDER
    },
    Layout {
        name: "a zip of NAME/train/CLASS, NAME/test/CLASS (Kaggle)",
        files: &[
            "archive.zip = pets/train/cat/*2.png; pets/train/dog/*2.png; pets/test/cat/*1.png",
        ],
        at: "archive.zip",
        is: "cat, dog: train 4, test 1",
        ..FOLDER
    },
    Layout {
        name: "a tar.gz of NAME/CLASS (17flowers, 101_ObjectCategories)",
        files: &[
            "101_ObjectCategories.tar.gz = 101_ObjectCategories/ant/*2.jpg; 101_ObjectCategories/bass/*2.jpg",
        ],
        at: "101_ObjectCategories.tar.gz",
        is: "ant, bass: train 4",
        ..FOLDER
    },
    Layout {
        name: "a tar of images alone",
        files: &["jpg.tar = jpg/*3.jpg"],
        at: "jpg.tar",
        is: "train 3",
        ..FOLDER
    },
    Layout {
        name: "a zip of a table and its images",
        files: &["birds.zip = labels.csv = path,label\na.png,x\nb.png,y; a.png; b.png"],
        at: "birds.zip",
        source: Source::Csv,
        is: "x, y: train 2",
        ..FOLDER
    },
    Layout {
        name: "a zip of arrays",
        files: &["arrays.zip = set/x.npy = @u1 3x8x8; set/y.npy = @u1 3"],
        at: "arrays.zip",
        source: Source::Npy,
        is: "0, 1, 2: train 3",
        ..FOLDER
    },
    Layout {
        name: "a zip of IDX files (MNIST)",
        files: &[
            "archive.zip = train-images-idx3-ubyte = @idx 4x8x8; train-labels-idx1-ubyte = @idx 4",
        ],
        at: "archive.zip",
        source: Source::Mnist,
        is: "0, 1, 2, 3, 4, 5, 6, 7, 8, 9: train 4",
        ..FOLDER
    },
];
