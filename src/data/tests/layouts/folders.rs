//! Folders of images.

use super::{FOLDER, Layout};

/// Images: `a/*3.png` are three of them. Other names hold the text after ` = `, or nothing.
pub(super) const FOLDERS: [Layout; 36] = [
    Layout {
        name: "CLASS/image",
        files: &["cat/*2.png", "dog/*2.png"],
        is: "cat, dog: train 4",
        ..FOLDER
    },
    Layout {
        name: "train/CLASS, test/CLASS",
        files: &[
            "train/a/*2.png",
            "train/b/*2.png",
            "test/a/*1.png",
            "test/b/*1.png",
        ],
        is: "a, b: train 4, test 2",
        ..FOLDER
    },
    Layout {
        name: "Training/CLASS, Testing/CLASS (brain tumour MRI)",
        files: &[
            "Training/glioma/*2.jpg",
            "Training/notumor/*2.jpg",
            "Testing/glioma/*1.jpg",
            "Testing/notumor/*1.jpg",
        ],
        is: "glioma, notumor: train 4, test 2",
        says: &["Training is train, Testing is test"],
        ..FOLDER
    },
    Layout {
        name: "Train/CLASS, Test/CLASS",
        files: &["Train/a/*2.png", "Train/b/*2.png", "Test/a/*1.png"],
        is: "a, b: train 4, test 1",
        ..FOLDER
    },
    Layout {
        name: "TRAIN/CLASS, TEST/CLASS (blood cells)",
        files: &["TRAIN/a/*2.png", "TRAIN/b/*2.png", "TEST/a/*1.png"],
        is: "a, b: train 4, test 1",
        ..FOLDER
    },
    Layout {
        name: "train, val, test (chest X-ray, .jpeg)",
        files: &[
            "train/NORMAL/*2.jpeg",
            "train/PNEUMONIA/*2.jpeg",
            "val/NORMAL/*1.jpeg",
            "test/PNEUMONIA/*1.jpeg",
        ],
        is: "NORMAL, PNEUMONIA: train 4, valid 1, test 1",
        ..FOLDER
    },
    Layout {
        name: "train, dev",
        files: &["train/a/*2.png", "train/b/*2.png", "dev/a/*1.png"],
        is: "a, b: train 4, valid 1",
        says: &["dev is valid"],
        ..FOLDER
    },
    Layout {
        name: "train, valid, test with a table beside (100 sports, birds)",
        files: &[
            "train/a/*2.jpg",
            "train/b/*2.jpg",
            "valid/a/*1.jpg",
            "test/b/*1.jpg",
            "sports.csv",
        ],
        is: "a, b: train 4, valid 1, test 1",
        ..FOLDER
    },
    Layout {
        name: "trn, tst",
        files: &["trn/a/*2.png", "trn/b/*1.png", "tst/b/*1.png"],
        is: "a, b: train 3, test 1",
        ..FOLDER
    },
    Layout {
        name: "seg_train/seg_train, seg_test/seg_test, seg_pred/seg_pred (Intel scenes)",
        files: &[
            "seg_train/seg_train/sea/*2.jpg",
            "seg_train/seg_train/street/*2.jpg",
            "seg_test/seg_test/sea/*1.jpg",
            "seg_test/seg_test/street/*1.jpg",
            "seg_pred/seg_pred/*3.jpg",
        ],
        is: "sea, street: train 4, test 2, unlabeled 3",
        ..FOLDER
    },
    Layout {
        name: "training_set/training_set, test_set/test_set (cat and dog)",
        files: &[
            "training_set/training_set/cats/*2.jpg",
            "training_set/training_set/dogs/*2.jpg",
            "test_set/test_set/cats/*1.jpg",
            "test_set/test_set/dogs/*1.jpg",
        ],
        is: "cats, dogs: train 4, test 2",
        ..FOLDER
    },
    Layout {
        name: "NAME/train, NAME/validation with a script (cats_and_dogs_filtered)",
        files: &[
            "cats_and_dogs_filtered/train/cats/*2.jpg",
            "cats_and_dogs_filtered/train/dogs/*2.jpg",
            "cats_and_dogs_filtered/validation/dogs/*1.jpg",
            "cats_and_dogs_filtered/vectorize.py",
        ],
        is: "cats, dogs: train 4, valid 1",
        says: &["read from cats_and_dogs_filtered"],
        ..FOLDER
    },
    Layout {
        name: "two wrapping folders above train, test",
        files: &[
            "brain/set/train/a/*2.png",
            "brain/set/train/b/*1.png",
            "brain/set/test/a/*1.png",
        ],
        is: "a, b: train 3, test 1",
        ..FOLDER
    },
    Layout {
        name: "a copy of all in a folder of the same name, and __MACOSX (chest_xray)",
        files: &[
            "chest_xray/train/a/*2.png",
            "chest_xray/train/b/*1.png",
            "chest_xray/test/a/*1.png",
            "chest_xray/chest_xray/train/a/*2.png",
            "chest_xray/__MACOSX/train/*1.png",
        ],
        is: "a, b: train 3, test 1",
        says: &["2 images: the folder lies beside those of the splits"],
        ..FOLDER
    },
    Layout {
        name: "NAME_train/NAME_train/CLASS, NAME_test/NAME_test/image (ASL alphabet)",
        files: &[
            "asl_alphabet_train/asl_alphabet_train/A/*2.jpg",
            "asl_alphabet_train/asl_alphabet_train/B/*2.jpg",
            "asl_alphabet_test/asl_alphabet_test/A_test.jpg",
        ],
        is: "A, B: train 4, unlabeled 1",
        says: &["have no class: they are unlabeled"],
        ..FOLDER
    },
    Layout {
        name: "NAME/CLASS below one folder (PetImages)",
        files: &[
            "PetImages/Cat/*2.jpg",
            "PetImages/Dog/*2.jpg",
            "readme[1].txt",
        ],
        is: "Cat, Dog: train 4",
        ..FOLDER
    },
    Layout {
        name: "train/cat.0.jpg, test1/1.jpg (dogs vs cats)",
        files: &[
            "train/cat.0.jpg",
            "train/cat.1.jpg",
            "train/cat.2.jpg",
            "train/dog.0.jpg",
            "train/dog.1.jpg",
            "train/dog.2.jpg",
            "test1/1.jpg",
        ],
        is: "train 6, test 1",
        says: &["cat 3, dog 3", "label = \"name: {class}.{n}.jpg\""],
        ..FOLDER
    },
    Layout {
        name: "the same with label = \"name: {class}.{n}.jpg\"",
        files: &[
            "train/cat.0.jpg",
            "train/cat.1.jpg",
            "train/dog.0.jpg",
            "train/dog.1.jpg",
            "test1/1.jpg",
        ],
        lines: &["label = \"name: {class}.{n}.jpg\""],
        is: "cat, dog: train 4, unlabeled 1",
        ..FOLDER
    },
    Layout {
        name: "images/Abyssinian_1.jpg, annotations (Oxford pets)",
        files: &[
            "images/Abyssinian_1.jpg",
            "images/Abyssinian_2.jpg",
            "images/great_pyrenees_1.jpg",
            "images/great_pyrenees_2.jpg",
            "annotations/list.txt = x",
        ],
        lines: &["label = \"name: {class}_{n}.jpg\""],
        is: "Abyssinian, great_pyrenees: train 4",
        ..FOLDER
    },
    Layout {
        name: "image_0001.jpg … (Oxford flowers)",
        files: &[
            "jpg/image_0001.jpg",
            "jpg/image_0002.jpg",
            "jpg/image_0100.jpg",
        ],
        is: "train 3",
        says: &["source = \"flowers17\""],
        ..FOLDER
    },
    Layout {
        name: "26_1_0_2017.jpg with a pattern (UTKFace)",
        files: &[
            "26_0_0_20170116.jpg",
            "3_1_2_20170117.jpg",
            "40_1_0_20170118.jpg",
        ],
        lines: &["label = \"name: {n}_{class}_{n}_{n}.jpg\""],
        is: "0, 1: train 3",
        ..FOLDER
    },
    Layout {
        name: "CLASS/train, CLASS/test",
        files: &[
            "cat/train/*2.png",
            "cat/test/*1.png",
            "dog/train/*2.png",
            "dog/test/*1.png",
        ],
        is: "cat, dog: train 4, test 2",
        says: &["the splits are folders in each class"],
        ..FOLDER
    },
    Layout {
        name: "train/good, test/good, test/broken, ground_truth (MVTec)",
        files: &[
            "bottle/train/good/*3.png",
            "bottle/test/good/*1.png",
            "bottle/test/broken/*1.png",
            "bottle/ground_truth/broken/*1.png",
        ],
        is: "broken, good: train 3, test 2",
        says: &["1 image: masks, which are not read"],
        ..FOLDER
    },
    Layout {
        name: "classes 0 … 11",
        files: &["0/*1.png", "1/*1.png", "2/*1.png", "10/*1.png"],
        is: "0, 1, 2, 10: train 4",
        says: &["torchvision's ImageFolder has 0, 1, 10, 2"],
        ..FOLDER
    },
    Layout {
        name: "a class called train",
        files: &["bus/*1.png", "car/*1.png", "train/*1.png"],
        is: "bus, car, train: train 3",
        ..FOLDER
    },
    Layout {
        name: "classes that hold only folders",
        files: &[
            "animal/cat/*1.png",
            "animal/dog/*1.png",
            "plant/fern/*1.png",
            "plant/rose/*1.png",
        ],
        is: "animal, plant: train 4",
        says: &["class_level = \"last\"", "cat, dog"],
        ..FOLDER
    },
    Layout {
        name: "the same with class_level = \"last\"",
        files: &[
            "animal/cat/*1.png",
            "animal/dog/*1.png",
            "plant/fern/*1.png",
            "plant/rose/*1.png",
        ],
        lines: &["class_level = \"last\""],
        is: "cat, dog, fern, rose: train 4",
        ..FOLDER
    },
    Layout {
        name: "images/train, images/val, labels/… (YOLO)",
        files: &[
            "images/train/*3.jpg",
            "images/val/*1.jpg",
            "labels/train/0.txt = 0 1 1",
        ],
        is: "train 3, valid 1",
        ..FOLDER
    },
    Layout {
        name: "images, masks (segmentation)",
        files: &["images/*3.png", "masks/*3.png"],
        is: "train 3",
        says: &["3 images: masks, which are not read"],
        ..FOLDER
    },
    Layout {
        name: "images alone",
        files: &["*3.png"],
        is: "train 3",
        says: &["no class folders"],
        ..FOLDER
    },
    Layout {
        name: "train/CLASS, unlabeled",
        files: &["train/a/*2.png", "train/b/*1.png", "unlabeled/*2.png"],
        is: "a, b: train 3, unlabeled 2",
        ..FOLDER
    },
    Layout {
        name: "CLASS and unlabeled side by side",
        files: &["cat/*2.png", "dog/*1.png", "unlabeled/*2.png"],
        is: "cat, dog: train 3, unlabeled 2",
        ..FOLDER
    },
    Layout {
        name: "CLASS and a folder test of images to be told apart",
        files: &["cat/*2.png", "dog/*1.png", "test/*2.png"],
        is: "cat, dog: train 3, unlabeled 2",
        ..FOLDER
    },
    Layout {
        name: "train2017, val2017 (COCO)",
        files: &[
            "train2017/*3.jpg",
            "val2017/*1.jpg",
            "annotations/instances.json = {}",
        ],
        is: "train 3, valid 1",
        ..FOLDER
    },
    Layout {
        name: "train/CLASS/images, val/images (Tiny ImageNet)",
        files: &[
            "tiny-imagenet-200/train/n01/images/*2.JPEG",
            "tiny-imagenet-200/train/n02/images/*1.JPEG",
            "tiny-imagenet-200/val/images/*1.JPEG",
            "tiny-imagenet-200/wnids.txt = n01",
        ],
        is: "n01, n02: train 3, unlabeled 1",
        ..FOLDER
    },
    Layout {
        name: "HEIC among JPEG, hidden files",
        files: &[
            "x/IMG_0.HEIC = x",
            "x/*2.jpg",
            "y/*2.jpg",
            "y/.DS_Store = x",
            "Thumbs.db = x",
            "y/._0.jpg = x",
        ],
        is: "x, y: train 4",
        says: &[
            "a HEIC photograph, which is not read",
            "hidden, or left behind by a system",
        ],
        ..FOLDER
    },
];
