//! The `[data]` table: where images come from and what becomes of a pixel on its way in.

use super::augment::{self, Augment};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A source of images: which format to read, or the built-in generator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Procedural pictures made from the project's seed; needs no files.
    #[default]
    Shapes,
    /// MNIST in IDX files, plain or `.gz`.
    Mnist,
    /// Fashion-MNIST, in the same format.
    FashionMnist,
    /// CIFAR-10, binary version, plain or `.gz`.
    Cifar10,
    /// CIFAR-100, binary version, plain or `.gz`.
    Cifar100,
    /// STL-10, binary files, read image by image where they lie.
    Stl10,
    /// EuroSAT, a folder of class folders of 64×64 JPEG files.
    Eurosat,
    /// Oxford 17 flowers, `image_NNNN.jpg`, 80 consecutive numbers a class.
    Flowers17,
    /// Any folder of images, one folder a class.
    Folder,
    /// WAV files by class.
    Wav,
    /// NumPy arrays.
    Npy,
}

impl Source {
    /// Every source, in the order shown to people.
    pub const ALL: [Source; 11] = [
        Source::Shapes,
        Source::Mnist,
        Source::FashionMnist,
        Source::Cifar10,
        Source::Cifar100,
        Source::Stl10,
        Source::Eurosat,
        Source::Flowers17,
        Source::Folder,
        Source::Wav,
        Source::Npy,
    ];

    /// The name used in project files, `fashion-mnist` for example.
    pub fn name(self) -> &'static str {
        match self {
            Source::Shapes => "shapes",
            Source::Mnist => "mnist",
            Source::FashionMnist => "fashion-mnist",
            Source::Cifar10 => "cifar10",
            Source::Cifar100 => "cifar100",
            Source::Stl10 => "stl10",
            Source::Eurosat => "eurosat",
            Source::Flowers17 => "flowers17",
            Source::Folder => "folder",
            Source::Wav => "wav",
            Source::Npy => "npy",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A part of a dataset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Images the parameters are fitted to.
    #[default]
    Train,
    /// Images held back to watch the training.
    Valid,
    /// Images for the final figure.
    Test,
    /// Images without labels.
    Unlabeled,
}

impl Split {
    /// All splits, in the order they are reported.
    pub const ALL: [Split; 4] = [Split::Train, Split::Valid, Split::Test, Split::Unlabeled];

    /// `train`, `valid`, `test` or `unlabeled`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Valid => "valid",
            Split::Test => "test",
            Split::Unlabeled => "unlabeled",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Per-channel standardisation: pixel/255 minus `mean`, divided by `std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalize {
    /// Mean by channel, for pixels in 0..1.
    pub mean: Vec<f32>,
    /// Standard deviation by channel, for pixels in 0..1.
    pub std: Vec<f32>,
}

/// The `[data]` table of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// Which source.
    #[serde(default)]
    pub source: Source,
    /// Where the files are (`~` is the home folder; a relative path starts at the project file's folder).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Height and width that every image is scaled to; without it images keep their size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<[u32; 2]>,
    /// Train on random patches of this height and width instead of whole images (after `resize`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patches: Option<[u32; 2]>,
    /// What pixel 0 and pixel 255 become. Default 0 and 1. Not together with `normalize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f32; 2]>,
    /// Standardisation by channel, instead of `range`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
    /// Share of the training images held back as `valid` where the source has no such split. Default 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<f32>,
    /// At most this many images in every split (the first ones in the files' order).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Augmentations of the training split, in this order.
    #[serde(default, deserialize_with = "augment::list", skip_serializing_if = "Vec::is_empty")]
    pub augment: Vec<Augment>,
}
