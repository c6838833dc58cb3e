//! The settings of `[data]`.

use super::{Form, Setting};
use crate::project::data::{Center, ClassLevel, Filter, Fitting, Labels, Weights};
use crate::project::source::Source;

/// `source`
pub const SOURCE: Setting = Setting {
    key: "source",
    former: &[],
    form: Form::Word(|| Source::ALL.map(Source::name).to_vec()),
    values: "",
    example: "\"shapes\"",
    default: "\"shapes\"",
    about: "Which images; shapes are drawn by Strata itself and need no files.",
};
/// `path`
pub const PATH: Setting = Setting {
    key: "path",
    former: &[],
    form: Form::Text,
    values: "a folder or file as text",
    example: "\"~/data/stl10_binary\"",
    default: "none",
    about: "The folder (or file) that holds the images; ~ is the home folder, a relative path starts at the project \
            file.",
};
/// `label`
pub const LABEL: Setting = Setting {
    key: "label",
    former: &[],
    form: Form::Words,
    values: "name: and a pattern of files' names with {class} in it, or column: and the name of a table's column",
    example: "\"name: {class}.{n}.jpg\"",
    default: "the class folders, or the table's column of labels",
    about: "Where labels are that no folder says: in the files' names ({n} is a number, {any} any text), or in which \
            column of the table.",
};
/// `class_level`
pub const CLASS_LEVEL: Setting = Setting {
    key: "class_level",
    former: &[],
    form: Form::Word(|| ClassLevel::ALL.map(ClassLevel::name).to_vec()),
    values: "",
    example: "\"last\"",
    default: "\"first\"",
    about: "Which folder above an image is its class where folders lie in folders: the first one below the dataset, or \
            the last one, which holds the image.",
};
/// `pixel`
pub const PIXEL: Setting = Setting {
    key: "pixel",
    former: &[],
    form: Form::Words,
    values: "the values of black and white as text",
    example: "\"0..4095\"",
    default: "the least and the greatest that the files can hold",
    about: "Which of the files' own values are black and white, for pictures that use a small part of their range.",
};
/// `shape`
pub const SHAPE: Setting = Setting {
    key: "shape",
    former: &[],
    form: Form::Words,
    values: "channels x height x width as text, of volumes channels x depth x height x width",
    example: "\"1x28x28\"",
    default: "the array's own, or a square",
    about: "The shape of one image where arrays and tables hold it as a row of numbers, and of one volume.",
};
/// `transpose`
pub const TRANSPOSE: Setting = Setting {
    key: "transpose",
    former: &[],
    form: Form::Flag,
    values: "true or false",
    example: "true",
    default: "false",
    about: "Exchanges rows and columns of images from arrays, tables of pixels and IDX files, for those stored column \
            by column.",
};
/// `resize`
pub const RESIZE: Setting = Setting {
    key: "resize",
    former: &[],
    form: Form::Sides,
    values: "a height and a width",
    example: "[32, 32]",
    default: "the images' own size",
    about: "Height × width that every image is scaled to.",
};
/// `filter`
pub const FILTER: Setting = Setting {
    key: "filter",
    former: &[],
    form: Form::Word(|| Filter::ALL.map(Filter::name).to_vec()),
    values: "",
    example: "\"area\"",
    default: "\"bilinear\"",
    about: "How pixels are weighed in scaling: area takes means, bilinear is PyTorch's with antialias, lanczos is \
            sharper.",
};
/// `fit`
pub const FIT: Setting = Setting {
    key: "fit",
    former: &[],
    form: Form::Word(|| Fitting::ALL.map(Fitting::name).to_vec()),
    values: "",
    example: "\"crop\"",
    default: "\"stretch\"",
    about: "Where the sides' ratio differs: stretch the image, crop what sticks out, or letterbox with black bars.",
};
/// `grey`
pub const GREY: Setting = Setting {
    key: "grey",
    former: &[],
    form: Form::Flag,
    values: "true or false",
    example: "true",
    default: "false",
    about: "Takes the colours away before anything else.",
};
/// `patch`
pub const PATCH: Setting = Setting {
    key: "patch",
    former: &["patches"],
    form: Form::Sides,
    values: "a height and a width",
    example: "\"8x8\"",
    default: "whole images",
    about: "Train on random patches of this height × width instead of whole images.",
};
/// `patches_per_image`
pub const PATCHES_PER_IMAGE: Setting = Setting {
    key: "patches_per_image",
    former: &[],
    form: Form::Whole(u32::MAX as u64),
    values: "a whole number from 1",
    example: "10",
    default: "10",
    about: "Patches taken from each image, at places drawn from the seed.",
};
/// `length`
pub const LENGTH: Setting = Setting {
    key: "length",
    former: &[],
    form: Form::Whole(u32::MAX as u64),
    values: "a whole number from 1",
    example: "16000",
    default: "the longest file's",
    about: "Samples a signal is cut or filled to.",
};
/// `rate`
pub const RATE: Setting = Setting {
    key: "rate",
    former: &[],
    form: Form::Whole(u32::MAX as u64),
    values: "a whole number from 1",
    example: "8000",
    default: "as the files are",
    about: "Samples a second that all signals are brought to.",
};
/// `spectrogram`
pub const SPECTROGRAM: Setting = Setting {
    key: "spectrogram",
    former: &[],
    form: Form::WordsOrTable,
    values: "the samples of a window and from one window to the next",
    example: "\"window=256 hop=128\"",
    default: "signals as they are",
    about: "Turns every signal into a picture of its frequencies over time, for two-dimensional networks.",
};
/// `range`
pub const RANGE: Setting = Setting {
    key: "range",
    former: &[],
    form: Form::Ends,
    values: "a low and a high number",
    example: "[-1, 1]",
    default: "[0, 1]",
    about: "What pixel 0 and pixel 255 become. A decoder that ends in tanh needs -1..1, in sigmoid 0..1.",
};
/// `normalize`
pub(crate) const NORMALIZE: Setting = Setting {
    key: "normalize",
    former: &[],
    form: Form::WordsOrTable,
    values: "\"train\", to measure it on the training images, or a mean and a std with a number for each channel",
    example: "{ mean = [0.5], std = [0.25] }",
    default: "range",
    about: "Takes each channel's mean away and divides by its standard deviation, instead of range.",
};
/// `center`
pub const CENTER: Setting = Setting {
    key: "center",
    former: &[],
    form: Form::Word(|| Center::ALL.map(Center::name).to_vec()),
    values: "",
    example: "\"patch\"",
    default: "images as bright as they are",
    about: "Takes the mean of all its numbers away from every image or patch: how bright it is no longer matters.",
};
/// `whiten`
pub const WHITEN: Setting = Setting {
    key: "whiten",
    former: &[],
    form: Form::Words,
    values: "zca or pca and what is added to the variances, as text",
    example: "\"zca eps=0.1\"",
    default: "pixels as range or normalize makes them",
    about: "Makes the numbers of an image uncorrelated and equally strong, by the covariance of the training images: \
            zca keeps them near their pixels, pca orders them by component. Undone for pictures and errors.",
};
/// `valid`
pub const VALID: Setting = Setting {
    key: "valid",
    former: &[],
    form: Form::Number,
    values: "a fraction from 0 to less than 1",
    example: "0.1",
    default: "the source's own, else 0.1",
    about: "Fraction of the training images held back to watch the training, of every class alike.",
};
/// `test`
pub const TEST: Setting = Setting {
    key: "test",
    former: &[],
    form: Form::Number,
    values: "a fraction from 0 to less than 1",
    example: "0.2",
    default: "the source's own; folders 0.1",
    about: "Fraction of all labelled images drawn anew as test.",
};
/// `fold`
pub const FOLD: Setting = Setting {
    key: "fold",
    former: &[],
    form: Form::Words,
    values: "which part of how many, as text",
    example: "\"2/5\"",
    default: "none",
    about: "Cross-validation: 2/5 cuts the training images into five parts and holds back the second as valid.",
};
/// `source_fold`
pub(crate) const SOURCE_FOLD: Setting = Setting {
    key: "source_fold",
    former: &[],
    form: Form::Whole(u32::MAX as u64),
    values: "a whole number, 0 to 9 for stl10, 1 to 3 for flowers17",
    example: "1",
    default: "none",
    about: "A split that comes with the source.",
};
/// `labels`
pub const LABELS: Setting = Setting {
    key: "labels",
    former: &[],
    form: Form::Word(|| Labels::ALL.map(Labels::name).to_vec()),
    values: "",
    example: "\"coarse\"",
    default: "\"fine\"",
    about: "Of CIFAR-100: the hundred fine classes, or the twenty coarse ones that group them.",
};
/// `per_class`
pub const PER_CLASS: Setting = Setting {
    key: "per_class",
    former: &[],
    form: Form::Whole(u64::MAX),
    values: "a whole number from 1",
    example: "20",
    default: "all",
    about: "Labelled training images used of each class; the others become unlabeled where the source has no such \
            split. For the question whether images without labels help.",
};
/// `weights`
pub const WEIGHTS: Setting = Setting {
    key: "weights",
    former: &[],
    form: Form::Word(|| Weights::ALL.map(Weights::name).to_vec()),
    values: "",
    example: "\"balanced\"",
    default: "each image once an epoch",
    about: "How often images of each class are drawn in training: balanced draws as many of each, those of a rare class \
            several times an epoch.",
};
/// `limit`
pub const LIMIT: Setting = Setting {
    key: "limit",
    former: &[],
    form: Form::Whole(u64::MAX),
    values: "a whole number from 1",
    example: "1000",
    default: "all",
    about: "At most this many images in every split.",
};
/// `augment`
pub const AUGMENT: Setting = Setting {
    key: "augment",
    former: &[],
    form: Form::List,
    values: "a list of augmentations",
    example: "[\"hflip p0.5\", \"rotate 18\"]",
    default: "[]",
    about: "What is done to training images, in this order, anew in every epoch.",
};
/// `use_augment`
pub(crate) const USE_AUGMENT: Setting = Setting {
    key: "use_augment",
    former: &[],
    form: Form::Flag,
    values: "true or false",
    example: "false",
    default: "true",
    about: "Whether augment is applied: off, the same project trains on the images as they are, for comparison.",
};

/// The settings of `[data]`, in the order they are written.
pub const ALL: &[Setting] = &[
    SOURCE,
    PATH,
    LABEL,
    CLASS_LEVEL,
    PIXEL,
    SHAPE,
    TRANSPOSE,
    RESIZE,
    FILTER,
    FIT,
    GREY,
    PATCH,
    PATCHES_PER_IMAGE,
    LENGTH,
    RATE,
    SPECTROGRAM,
    RANGE,
    NORMALIZE,
    CENTER,
    WHITEN,
    VALID,
    TEST,
    FOLD,
    SOURCE_FOLD,
    LABELS,
    PER_CLASS,
    WEIGHTS,
    LIMIT,
    AUGMENT,
    USE_AUGMENT,
];
