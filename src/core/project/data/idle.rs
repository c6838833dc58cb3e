//! Settings of `[data]` that are given and change nothing: with another source, or without the setting they belong to.
//! A project that has one is refused before it is trained, so that nobody believes in what does not act.

use super::{DataSpec, Filter, Fitting, Source};

/// A setting that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Its key.
    pub key: &'static str,
    /// Why it changes nothing, as it follows "changes nothing: ".
    pub why: String,
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
            valid: _,
            test: _,
            fold: _,
            per_class: _,
            limit: _,
            label: _,
            class_level: _,
            pixel: _,
            shape: _,
            transpose: _,
            weights: _,
        } = self;
        self.without_use_for_the_source()
            .into_iter()
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
    fn contradictions_are_pairs() {
        let spec = DataSpec {
            fold: Some(Fold { part: 1, of: 2 }),
            valid: Some(0.5),
            ..DataSpec::default()
        };
        assert_eq!(spec.contradictions(), [["fold", "valid"]]);
    }
}
