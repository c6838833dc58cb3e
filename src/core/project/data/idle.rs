//! Settings of `[data]` that are given and change nothing: with another source, or without the setting they belong to.
//! A project that has one is refused before it is trained, so that no setting is silently without effect.

use super::{ClassLevel, DataSpec, Filter, Fitting, LabelRule, Source};

/// A setting that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Its key.
    pub key: &'static str,
    /// Why it changes nothing, as it follows "changes nothing: ".
    pub why: String,
}

/// What the files of a source are.
struct Files {
    /// Files in folders of classes.
    has_class_folders: bool,
    has_tables: bool,
    /// Arrays or tables that may hold an image as a row of numbers.
    has_rows: bool,
    /// Files in MNIST's format.
    is_idx: bool,
}

impl Files {
    fn of(source: Source) -> Files {
        let none = Files {
            has_class_folders: false,
            has_tables: false,
            has_rows: false,
            is_idx: false,
        };
        match source {
            Source::Folder | Source::Eurosat | Source::Wav => Files {
                has_class_folders: true,
                ..none
            },
            Source::Csv => Files {
                has_tables: true,
                has_rows: true,
                ..none
            },
            Source::Npy | Source::Hdf5 => Files {
                has_rows: true,
                ..none
            },
            Source::Parquet => Files {
                has_tables: true,
                ..none
            },
            Source::Mnist | Source::FashionMnist => Files {
                is_idx: true,
                ..none
            },
            Source::Shapes
            | Source::Cifar10
            | Source::Cifar100
            | Source::Stl10
            | Source::Flowers17 => none,
        }
    }

    fn has_numbers_in_a_row(&self) -> bool {
        self.has_rows || self.is_idx
    }
}

/// A key, whether it is given in vain, and why.
type Case = (&'static str, bool, String);

impl DataSpec {
    /// The settings that change nothing.
    pub fn idle(&self) -> Vec<Idle> {
        // Every key by its name: for one that is new it has to be decided when it acts.
        let DataSpec {
            // Judged by the source.
            source: _,
            path: _,
            grey: _,
            length: _,
            rate: _,
            spectrogram: _,
            source_fold: _,
            labels: _,
            label: _,
            class_level: _,
            shape: _,
            transpose: _,
            // Judged by the setting they belong to.
            resize: _,
            filter: _,
            fit: _,
            patches: _,
            patches_per_image: _,
            augment: _,
            use_augment: _,
            // These act whatever else is set.
            range: _,
            normalize: _,
            center: _,
            whiten: _,
            valid: _,
            test: _,
            fold: _,
            per_class: _,
            limit: _,
            pixel: _,
            weights: _,
        } = self;
        self.without_use_for_the_source()
            .into_iter()
            .chain(self.without_use_for_the_files())
            .chain(self.without_their_setting())
            .filter(|(_, is_idle, _)| *is_idle)
            .map(|(key, _, why)| Idle { key, why })
            .collect()
    }

    fn without_use_for_the_source(&self) -> [Case; 7] {
        let (source, info) = (self.source, self.source.info());
        let is_signal = source == Source::Wav;
        let of_signals = || format!("{source} has images, and it is for the signals of wav");
        [
            (
                "path",
                self.path.is_some() && info.wants.is_none(),
                format!("{source} is drawn by Strata and reads no files"),
            ),
            (
                "grey",
                self.grey && info.is_grey,
                format!("{source} has no colours"),
            ),
            ("length", self.length.is_some() && !is_signal, of_signals()),
            ("rate", self.rate.is_some() && !is_signal, of_signals()),
            (
                "spectrogram",
                self.spectrogram.is_some() && !is_signal,
                of_signals(),
            ),
            (
                "source_fold",
                self.source_fold.is_some() && info.folds.is_none(),
                format!("{source} comes without folds of its own (fold = \"1/5\" makes them)"),
            ),
            (
                "labels",
                self.labels.is_some() && source != Source::Cifar100,
                format!("{source} has one kind of labels, cifar100 has two"),
            ),
        ]
    }

    /// What says how folders, tables and arrays are read, with a source that has none.
    fn without_use_for_the_files(&self) -> [Case; 4] {
        let source = self.source;
        let reads = Files::of(source);
        let has_labels = match &self.label {
            None => true,
            Some(LabelRule::Name(_)) => reads.has_class_folders || reads.has_tables,
            Some(LabelRule::Column(_)) => reads.has_tables,
        };
        let of_labels = match &self.label {
            Some(LabelRule::Column(_)) => format!("{source} reads no table, and it names a column"),
            _ => format!("{source} has labels of its own"),
        };
        [
            ("label", !has_labels, of_labels),
            (
                "class_level",
                self.class_level != ClassLevel::default() && !reads.has_class_folders,
                format!("{source} has no folders of classes"),
            ),
            (
                "shape",
                self.shape.is_some() && !reads.has_rows,
                format!("the images of {source} have a shape of their own"),
            ),
            (
                "transpose",
                self.transpose && !reads.has_numbers_in_a_row(),
                format!("the images of {source} are not stored as numbers in a row"),
            ),
        ]
    }

    fn without_their_setting(&self) -> [Case; 4] {
        let without_resize = || "it is for scaling, and there is no resize".to_owned();
        [
            (
                "filter",
                self.filter != Filter::default() && self.resize.is_none(),
                without_resize(),
            ),
            (
                "fit",
                self.fit != Fitting::default() && self.resize.is_none(),
                without_resize(),
            ),
            (
                "patches_per_image",
                self.patches_per_image.is_some() && self.patches.is_none(),
                "it is for patches, and there is no patch".to_owned(),
            ),
            (
                "use_augment",
                !self.use_augment && self.augment.is_empty(),
                "there is no augment to switch off".to_owned(),
            ),
        ]
    }

    /// Two settings that are both given and decide the same.
    pub fn contradictions(&self) -> Vec<[&'static str; 2]> {
        [
            (
                self.range.is_some() && self.normalize.is_some(),
                ["range", "normalize"],
            ),
            (
                self.fold.is_some() && self.valid.is_some(),
                ["fold", "valid"],
            ),
        ]
        .into_iter()
        .filter_map(|(are_both, keys)| are_both.then_some(keys))
        .collect()
    }

    /// The same without what changes nothing.
    pub fn without_idle(&self) -> DataSpec {
        let mut data = self.clone();
        for idle in self.idle() {
            match idle.key {
                "path" => data.path = None,
                "filter" => data.filter = Filter::default(),
                "fit" => data.fit = Fitting::default(),
                "grey" => data.grey = false,
                "patches_per_image" => data.patches_per_image = None,
                "length" => data.length = None,
                "rate" => data.rate = None,
                "spectrogram" => data.spectrogram = None,
                "source_fold" => data.source_fold = None,
                "labels" => data.labels = None,
                "label" => data.label = None,
                "class_level" => data.class_level = ClassLevel::default(),
                "shape" => data.shape = None,
                "transpose" => data.transpose = false,
                _ => data.use_augment = true,
            }
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fold, Labels, Spectrogram};
    use super::*;
    use crate::project::size::Shape;

    /// A table with every setting that can be idle, for this source.
    fn full(source: Source) -> DataSpec {
        DataSpec {
            source,
            path: Some("x".into()),
            filter: Filter::Area,
            fit: Fitting::Crop,
            grey: true,
            patches_per_image: Some(3),
            length: Some(3),
            rate: Some(3),
            spectrogram: Some(Spectrogram {
                window: 8,
                hop: 4,
                log: true,
            }),
            source_fold: Some(1),
            labels: Some(Labels::Coarse),
            label: Some(LabelRule::Column("kind".into())),
            class_level: ClassLevel::Last,
            shape: Shape::new(&[1, 8, 8]),
            transpose: true,
            use_augment: false,
            ..DataSpec::default()
        }
    }

    #[test]
    fn what_is_idle_can_be_taken_out() {
        for source in Source::ALL {
            let spec = full(source);
            assert!(spec.idle().len() >= 4, "{source}");
            assert_eq!(spec.without_idle().idle(), [], "{source}");
        }
        assert_eq!(DataSpec::default().idle(), []);
    }

    #[test]
    fn a_rule_for_labels_acts_where_its_files_are() {
        let name: LabelRule = "name: {class}.{n}".parse().unwrap();
        let column = LabelRule::Column("kind".into());
        let acts = |source: Source, label: &LabelRule| {
            let spec = DataSpec {
                source,
                label: Some(label.clone()),
                path: Some("x".into()),
                ..DataSpec::default()
            };
            spec.idle().is_empty()
        };
        assert!(acts(Source::Csv, &name) && acts(Source::Csv, &column));
        assert!(acts(Source::Folder, &name) && !acts(Source::Folder, &column));
        assert!(!acts(Source::Npy, &name) && !acts(Source::Flowers17, &name));
    }

    #[test]
    fn contradictions_are_pairs() {
        let spec = DataSpec {
            fold: Some(Fold { part: 1, of: 2 }),
            valid: Some(0.5),
            ..DataSpec::default()
        };
        assert_eq!(spec.contradictions(), [["fold", "valid"]]);
    }
}
