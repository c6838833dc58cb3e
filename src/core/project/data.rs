//! The `[data]` table: where images come from and what becomes of a pixel on its way in.

mod idle;
mod label;
mod pixels;
mod reading;
mod splits;
mod whiten;

use super::augment::{self, Augment};
use super::size::Shape;
pub use super::source::{Source, SourceInfo};
use super::structured;
pub use idle::Idle;
pub use label::{LabelRule, NamePattern};
pub use pixels::{Filter, Fitting, MeanStd, Normalize, Spectrogram, Train};
pub use reading::{ClassLevel, PixelSpan, Weights};
use serde::{Deserialize, Serialize};
pub use splits::{Fold, Labels};
use std::fmt;
pub use whiten::{Center, Whiten, Whitening};

/// A part of a dataset.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
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

/// The `[data]` table of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// Which source.
    #[serde(default)]
    pub source: Source,
    /// Where the files are (`~` is the home folder; a relative path starts at the project file's folder).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where labels are that no folder says: in the file's name, or in which column of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<LabelRule>,
    /// Which folder above an image is its class.
    #[serde(default, skip_serializing_if = "is_default")]
    pub class_level: ClassLevel,
    /// Which of the source's own values are black and white. Default: all that its files can hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel: Option<PixelSpan>,
    /// The shape of one image of arrays and tables that hold it as a row of numbers.
    #[serde(
        default,
        with = "reading::shape",
        skip_serializing_if = "Option::is_none"
    )]
    pub shape: Option<Shape>,
    /// Exchanges rows and columns of images from arrays and tables, for those stored column by column.
    #[serde(default, skip_serializing_if = "is_default")]
    pub transpose: bool,
    /// Height and width that every image is scaled to; without it images keep their size.
    #[serde(
        default,
        deserialize_with = "structured::resize",
        skip_serializing_if = "Option::is_none"
    )]
    pub resize: Option<[u32; 2]>,
    /// How pixels are weighed when an image is scaled.
    #[serde(default, skip_serializing_if = "is_default")]
    pub filter: Filter,
    /// What happens to an image whose sides have another ratio than `resize`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fit: Fitting,
    /// Takes the colour away before anything else; with three channels all three are then alike.
    #[serde(default, skip_serializing_if = "is_default")]
    pub grey: bool,
    /// Train on random patches of this height and width instead of whole images (after `resize`); written
    /// `patch = "8x8"`.
    #[serde(
        default,
        rename = "patch",
        alias = "patches",
        with = "pixels::patch",
        skip_serializing_if = "Option::is_none"
    )]
    pub patches: Option<[u32; 2]>,
    /// Patches taken from each image. Default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patches_per_image: Option<u32>,
    /// Samples a signal is cut or filled to. Default: the longest file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Samples a second that signals are brought to. Default: as they are, all alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Turns signals into pictures of their frequencies over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectrogram: Option<Spectrogram>,
    /// What pixel 0 and pixel 255 become. Default 0 and 1. Not together with `normalize`.
    #[serde(
        default,
        deserialize_with = "structured::range",
        skip_serializing_if = "Option::is_none"
    )]
    pub range: Option<[f32; 2]>,
    /// Standardisation by channel, instead of `range`: numbers, or `"train"` to measure them on the training images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
    /// Takes the mean of all its numbers away from every image (or patch), after `range` or `normalize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<Center>,
    /// Whitening by the covariance of the training images, after `center`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whiten: Option<Whiten>,
    /// Fraction of the training images held back as `valid`; the source's own `valid` is drawn again with them. Default:
    /// the source's own, or 0.1 where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<f32>,
    /// Fraction of all labelled images drawn as `test`, the source's own test images included. Default: the source's
    /// own `test`, or 0.1 where it has none and is a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<f32>,
    /// Cross-validation: `"2/5"` cuts the training images into five parts and holds back the second as `valid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// A split that comes with the source: STL-10's folds 0 to 9, the flowers' 1 to 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_fold: Option<u32>,
    /// Which labels of CIFAR-100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// Labelled training images used of each class; the others go to `unlabeled` where the source has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_class: Option<usize>,
    /// How often images of each class are drawn in training. Default: each image once an epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Weights>,
    /// At most this many images in every split (the first ones in the files' order).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Augmentations of the training split, in this order.
    #[serde(
        default,
        deserialize_with = "augment::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub augment: Vec<Augment>,
    /// Whether `augment` is applied: off, the same project trains on the images as they are, for comparison.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub use_augment: bool,
}

impl Default for DataSpec {
    fn default() -> DataSpec {
        DataSpec {
            source: Source::default(),
            path: None,
            label: None,
            class_level: ClassLevel::default(),
            pixel: None,
            shape: None,
            transpose: false,
            resize: None,
            filter: Filter::default(),
            fit: Fitting::default(),
            grey: false,
            patches: None,
            patches_per_image: None,
            length: None,
            rate: None,
            spectrogram: None,
            range: None,
            normalize: None,
            center: None,
            whiten: None,
            valid: None,
            test: None,
            fold: None,
            source_fold: None,
            labels: None,
            per_class: None,
            weights: None,
            limit: None,
            augment: Vec::new(),
            use_augment: true,
        }
    }
}

impl DataSpec {
    /// The table with a line of a project file set in it, `resize = [64, 64]` for example; none where the line is none.
    pub fn with_line(&self, line: &str) -> Option<DataSpec> {
        let mut table = toml::Table::try_from(self).ok()?;
        table.extend(line.parse::<toml::Table>().ok()?);
        table.try_into().ok()
    }

    /// The table without the setting of this key.
    pub(in crate::project) fn without(&self, key: &str) -> Option<DataSpec> {
        let mut table = toml::Table::try_from(self).ok()?;
        table.remove(key);
        table.try_into().ok()
    }
}

fn yes() -> bool {
    true
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_set_in_the_table() {
        let data = DataSpec {
            source: Source::Folder,
            path: Some("here".into()),
            ..DataSpec::default()
        };
        for (line, part) in [
            ("resize = [64, 32]", "resize = [64, 32]"),
            ("weights = \"balanced\"", "weights = \"balanced\""),
            (
                "label = \"name: {class}.{n}.jpg\"",
                "label = \"name: {class}.{n}.jpg\"",
            ),
            ("pixel = \"284..371\"", "pixel = \"284..371\""),
            ("class_level = \"last\"", "class_level = \"last\""),
            ("shape = \"1x28x28\"", "shape = \"1x28x28\""),
            ("transpose = true", "transpose = true"),
        ] {
            let changed = data.with_line(line).unwrap();
            let text = toml::to_string(&changed).unwrap();
            assert!(text.contains(part) && text.contains("here"), "{text}");
            assert_eq!(toml::from_str::<DataSpec>(&text).unwrap(), changed);
        }
        for wrong in [
            "",
            "nothing",
            "colour = 3",
            "weights = \"all\"",
            "pixel = \"9..1\"",
        ] {
            assert!(
                wrong.is_empty() || data.with_line(wrong).is_none(),
                "{wrong}"
            );
        }
    }
}
