//! Volumes: arrays of slices.

use super::{FOLDER, Layout};
use strata_core::project::data::Source;

const NPY: Layout = Layout {
    source: Source::Npy,
    ..FOLDER
};

pub(super) static VOLUMES: [Layout; 4] = [
    Layout {
        name: "train_images N×D×H×W, train_labels N×1, … in one .npz (MedMNIST3D)",
        files: &[
            "organmnist3d.npz = train_images:u1 3x8x8x8;train_labels:u1 3x1;test_images:u1 2x8x8x8;test_labels:u1 2x1",
        ],
        at: "organmnist3d.npz",
        is: "0, 1, 2: train 3, test 2 of 1x8x8x8",
        says: &["volumes of 8×8×8 (depth, height, width)"],
        ..NPY
    },
    Layout {
        name: "N×C×D×H×W",
        files: &["x.npy = @u1 2x1x6x8x10"],
        is: "train 2 of 1x6x8x10",
        ..NPY
    },
    Layout {
        name: "N×D×H×W×C",
        files: &["x.npy = @u1 2x6x8x10x3"],
        is: "train 2 of 3x6x8x10",
        ..NPY
    },
    Layout {
        name: "N×16×32×32 with shape = \"1x16x32x32\"",
        files: &["x.npy = @u1 2x16x32x32"],
        lines: &["shape = \"1x16x32x32\""],
        is: "train 2 of 1x16x32x32",
        ..NPY
    },
];
