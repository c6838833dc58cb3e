//! Tables of paths, and tables of pixels.

use super::{FOLDER, Layout};
use strata_core::project::data::Source;

const CSV: Layout = Layout {
    source: Source::Csv,
    at: "t.csv",
    ..FOLDER
};

pub(super) const TABLES: [Layout; 24] = [
    Layout {
        name: "path,label",
        files: &[
            "images/*2.png",
            "t.csv = path,label\nimages/0.png,cat\nimages/1.png,dog\n",
        ],
        is: "cat, dog: train 2",
        ..CSV
    },
    Layout {
        name: "no heading",
        files: &[
            "images/*2.png",
            "t.csv = images/0.png,cat\nimages/1.png,dog\n",
        ],
        is: "cat, dog: train 2",
        ..CSV
    },
    Layout {
        name: "pandas' row numbers in front",
        files: &[
            "images/*3.png",
            "t.csv = ,path,label\n0,images/0.png,cat\n1,images/1.png,dog\n",
        ],
        is: "cat, dog: train 2",
        says: &[
            "images in column path, labels in column label",
            "1 image beside those of the table is in no row of it (2.png)",
        ],
        ..CSV
    },
    Layout {
        name: "semicolons",
        files: &[
            "images/*2.png",
            "t.csv = path;label\nimages/0.png;cat, black\nimages/1.png;dog\n",
        ],
        is: "cat, black, dog: train 2",
        ..CSV
    },
    Layout {
        name: "tabs",
        files: &[
            "images/*2.png",
            "t.csv = path\tlabel\nimages/0.png\tcat\nimages/1.png\tdog\n",
        ],
        is: "cat, dog: train 2",
        ..CSV
    },
    Layout {
        name: "backslashes",
        files: &[
            "images/*2.png",
            "t.csv = path,label\nimages\\0.png,cat\nimages\\1.png,dog\n",
        ],
        is: "cat, dog: train 2",
        ..CSV
    },
    Layout {
        name: "names without an ending (dog breeds)",
        files: &[
            "train/000b.jpg",
            "train/001c.jpg",
            "t.csv = id,breed\n000b,boxer\n001c,pug\n",
        ],
        is: "boxer, pug: train 2",
        ..CSV
    },
    Layout {
        name: "more columns (age, sex, …)",
        files: &[
            "images/*2.png",
            "t.csv = path,label,age\nimages/0.png,cat,30\nimages/1.png,dog,31\n",
        ],
        is: "cat, dog: train 2",
        ..CSV
    },
    Layout {
        name: "Width,Height,Roi.X1,…,ClassId,Path (GTSRB)",
        files: &[
            "Train/*2.png",
            "t.csv = Width,Height,Roi.X1,ClassId,Path\n32,32,1,10,Train/0.png\n32,32,1,9,Train/1.png\n",
        ],
        is: "9, 10: train 2",
        ..CSV
    },
    Layout {
        name: "a column for each class (ISIC 2018)",
        files: &[
            "ISIC/ISIC_1.jpg",
            "ISIC/ISIC_2.jpg",
            "t.csv = image,MEL,NV,BCC\nISIC_1,0.0,1.0,0.0\nISIC_2,1.0,0.0,0.0\n",
        ],
        is: "MEL, NV: train 2",
        says: &["a column for each of 3 labels"],
        ..CSV
    },
    Layout {
        name: "image_id,dx with images in two folders (HAM10000)",
        files: &[
            "HAM_part_1/a1.jpg",
            "HAM_part_2/a2.jpg",
            "t.csv = lesion_id,image_id,dx,dx_type,age\nH1,a1,bkl,histo,80.0\nH2,a2,nv,histo,80.0\n",
        ],
        is: "bkl, nv: train 2",
        ..CSV
    },
    Layout {
        name: "class id,filepaths,labels,data set (birds)",
        files: &[
            "train/A/*1.jpg",
            "valid/B/*1.jpg",
            "t.csv = class id,filepaths,labels,data set\n0,train/A/0.jpg,A,train\n1,valid/B/0.jpg,B,valid\n",
        ],
        is: "A, B: train 1, valid 1",
        ..CSV
    },
    Layout {
        name: "file_name,label in metadata.csv (Hugging Face imagefolder)",
        files: &[
            "*2.png",
            "metadata.csv = file_name,label\n0.png,cat\n1.png,dog\n",
        ],
        at: "",
        is: "cat, dog: train 2",
        ..CSV
    },
    Layout {
        name: "train.csv, test.csv, sample_submission.csv in one folder",
        files: &[
            "images/*3.png",
            "train.csv = id,label\n0,cat\n1,dog\n",
            "test.csv = id\n2\n",
            "sample_submission.csv = id,label\n2,cat\n",
        ],
        at: "",
        is: "cat, dog: train 2, unlabeled 1",
        says: &["a table of no split"],
        ..CSV
    },
    Layout {
        name: "quotes, a byte order mark, absolute paths of another machine",
        files: &[
            "images/*2.png",
            "t.csv = \u{feff}\"path\",\"label\"\n\"/kaggle/input/x/images/0.png\",\"the \"\"cat\"\"\"\n\"/kaggle/input/x/images/1.png\",dog\n",
        ],
        is: "dog, the \"cat\": train 2",
        ..CSV
    },
    Layout {
        name: "image 0/1/2 in column partition (CelebA) with label = \"column: Smiling\"",
        files: &[
            "img/*3.png",
            "t.csv = image_id,Bald,Smiling,partition\n0.png,-1,1,0\n1.png,-1,-1,0\n2.png,1,1,2\n",
        ],
        lines: &["label = \"column: Smiling\""],
        is: "-1, 1: train 2, test 1",
        ..CSV
    },
    Layout {
        name: "a list of `path number` divided by blanks",
        files: &["img/*2.png", "t.txt = img/0.png 0\nimg/1.png 1\n"],
        at: "t.txt",
        is: "0, 1: train 2",
        ..CSV
    },
    Layout {
        name: "label,pixel0…pixel783 (digit recognizer)",
        files: &["t.csv = @pixels header label first 784 4"],
        is: "3, 4, 5, 6: train 4",
        says: &["an image of 28×28, grey"],
        ..CSV
    },
    Layout {
        name: "the same without a heading (mnist_train.csv)",
        files: &["t.csv = @pixels bare first 784 4"],
        is: "3, 4, 5, 6: train 4",
        ..CSV
    },
    Layout {
        name: "pixels, then class (openml)",
        files: &["t.csv = @pixels header class last 784 4"],
        is: "3, 4, 5, 6: train 4",
        ..CSV
    },
    Layout {
        name: "pixels alone (test.csv)",
        files: &["t.csv = @pixels header none 784 4"],
        is: "train 4",
        ..CSV
    },
    Layout {
        name: "emotion,pixels,Usage (FER-2013)",
        files: &["t.csv = @fer"],
        is: "0, 3: train 2, valid 1, test 1",
        says: &["an image of 48×48, grey"],
        ..CSV
    },
    Layout {
        name: "EMNIST's table, rows and columns exchanged",
        files: &["emnist-letters-train.csv = @pixels bare first 784 4"],
        at: "emnist-letters-train.csv",
        is: "3, 4, 5, 6: train 4",
        says: &["turned upright"],
        ..CSV
    },
    Layout {
        name: "pixel0000…pixel2351,label (HAM10000 28×28 in colour)",
        files: &["t.csv = @pixels header label last 2352 4"],
        is: "3, 4, 5, 6: train 4",
        says: &["an image of 28×28, in colour"],
        ..CSV
    },
];
