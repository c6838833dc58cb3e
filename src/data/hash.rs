//! A short name for what a run was trained on (64-bit FNV-1a): to notice a difference, not to
//! prove that nothing was tampered with. Cannot fail.

use super::source::RawImage;
use super::splits::split::PATCHES_PER_IMAGE;
use foldhash::quality::FixedState;
use std::hash::{BuildHasher, Hasher};
use strata_core::project::data::{DataSpec, Filter, Fitting, Source};

/// Names begin with the version of what goes into them: those of another version say nothing about the data.
const VERSION: &str = "2-";

/// Whether two names are of one version, so that they are of other data where they differ.
pub(crate) fn is_comparable(name: &str) -> bool {
    name.starts_with(VERSION)
}

/// A running hash.
pub(crate) struct Digest(u64);

impl Digest {
    pub fn new() -> Digest {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes with their number, so that neighbours cannot trade bytes unseen.
    pub fn add(&mut self, bytes: &[u8]) {
        self.mix(&(bytes.len() as u64).to_le_bytes());
        self.mix(bytes);
    }

    /// Adds texts with their number, so that what comes after them is none of them.
    pub(crate) fn add_all(&mut self, texts: &[String]) {
        self.add_number(texts.len() as u64);
        texts.iter().for_each(|text| self.add(text.as_bytes()));
    }

    pub(crate) fn add_number(&mut self, number: u64) {
        self.mix(&number.to_le_bytes());
    }

    /// The name: the version, then 16 hexadecimal digits.
    pub fn finish(&self) -> String {
        format!("{VERSION}{:016x}", self.0)
    }

    fn mix(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// The settings that change pixels, in words; what does nothing or is the default has none, so that a project
/// that does not use a setting keeps its name when the setting is invented.
///
/// Which images there are, in which order and with which labels, the splits themselves tell.
pub(crate) fn settings(spec: &DataSpec, seed: u64) -> Vec<String> {
    // Every key by its name: one that is new has to be decided on here.
    let DataSpec {
        source,
        resize,
        filter,
        fit,
        grey,
        patches,
        patches_per_image,
        length,
        rate,
        spectrogram,
        range,
        normalize,
        center,
        whiten,
        pixel,
        shape,
        transpose,
        // Where the files lie, how images are shared out, and what the training does to them later.
        path: _,
        label: _,
        class_level: _,
        weights: _,
        valid: _,
        test: _,
        fold: _,
        source_fold: _,
        labels: _,
        per_class: _,
        limit: _,
        augment: _,
        use_augment: _,
    } = spec;
    let each = patches_per_image.unwrap_or(PATCHES_PER_IMAGE);
    let is_drawn = *source == Source::Shapes || patches.is_some();
    // Numbers that are no bytes have a range of their own where the project names none.
    let is_signed = source.info().has_numbers;
    let settings = [
        Some(format!("source {source}")),
        resize.map(|[height, width]| format!("resize {height}x{width}")),
        (resize.is_some() && *filter != Filter::default()).then(|| format!("filter {filter}")),
        (resize.is_some() && *fit != Fitting::default()).then(|| format!("fit {fit}")),
        grey.then(|| "grey".to_owned()),
        pixel.map(|span| format!("pixel {span}")),
        shape.as_ref().map(|shape| format!("shape {shape}")),
        transpose.then(|| "transpose".to_owned()),
        patches.map(|[height, width]| format!("patch {height}x{width}, {each} an image")),
        length.map(|samples| format!("length {samples}")),
        rate.map(|samples| format!("rate {samples}")),
        spectrogram.map(|of| {
            format!(
                "spectrogram window {} hop {} log {}",
                of.window, of.hop, of.log
            )
        }),
        range
            .filter(|range| is_signed || *range != [0.0, 1.0])
            .map(|[low, high]| format!("range {low} {high}")),
        normalize
            .as_ref()
            .map(|normalize| match normalize.numbers() {
                Some(numbers) => format!("normalize {:?} {:?}", numbers.mean, numbers.std),
                None => "normalize train".to_owned(),
            }),
        center.map(|center| format!("center {}", center.name())),
        whiten.map(|whiten| format!("whiten {whiten}")),
        is_drawn.then(|| format!("seed {seed}")),
    ];
    settings.into_iter().flatten().collect()
}

/// A hash of a picture of this shape (H×W×C). Two different pictures with one hash of 128 bits do not occur in
/// practice.
pub(crate) fn fingerprint(shape: [usize; 3], raw: &RawImage) -> u128 {
    let hash = |seed: u64| {
        let mut hasher = FixedState::with_seed(seed).build_hasher();
        shape.iter().for_each(|&side| hasher.write_usize(side));
        match raw {
            RawImage::Bytes(values) => hasher.write(values),
            RawImage::Words(_) | RawImage::Floats(_) => hasher.write(&raw.to_le_bytes()),
        }
        u128::from(hasher.finish())
    };
    hash(1) << 64 | hash(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::data::{Center, Fold, Labels, MeanStd, Normalize, Spectrogram};

    fn folder() -> DataSpec {
        DataSpec {
            source: Source::Folder,
            resize: Some([8, 8]),
            ..DataSpec::default()
        }
    }

    #[test]
    fn what_changes_no_pixel_and_what_is_the_default_has_no_word() {
        let usual = ["source folder", "resize 8x8"];
        let fold = Some(Fold { part: 1, of: 2 });
        for spec in [
            folder(),
            DataSpec {
                path: Some("elsewhere".into()),
                limit: Some(3),
                valid: Some(0.5),
                ..folder()
            },
            DataSpec {
                range: Some([0.0, 1.0]),
                ..folder()
            },
            DataSpec {
                test: Some(0.2),
                per_class: Some(4),
                source_fold: Some(1),
                ..folder()
            },
            DataSpec {
                fold,
                labels: Some(Labels::Coarse),
                ..folder()
            },
            DataSpec {
                augment: vec!["hflip".parse().unwrap()],
                use_augment: false,
                ..folder()
            },
            DataSpec {
                filter: Filter::Bilinear,
                fit: Fitting::Stretch,
                patches_per_image: Some(3),
                ..folder()
            },
        ] {
            assert_eq!(settings(&spec, 1), usual);
            assert_eq!(settings(&spec, 2), usual, "nothing is drawn here");
        }
        let as_they_are = DataSpec {
            resize: None,
            filter: Filter::Area,
            fit: Fitting::Crop,
            ..folder()
        };
        assert_eq!(
            settings(&as_they_are, 1),
            ["source folder"],
            "where nothing is scaled, how does not matter"
        );
    }

    #[test]
    fn every_setting_that_changes_pixels_has_a_word() {
        let by = |std| {
            Some(Normalize::By(MeanStd {
                mean: vec![0.5],
                std: vec![std],
            }))
        };
        let spectrogram = |log| {
            Some(Spectrogram {
                window: 64,
                hop: 32,
                log,
            })
        };
        let patches = Some([4, 4]);
        let mut seen = vec![settings(&folder(), 1)];
        for spec in [
            DataSpec {
                source: Source::Eurosat,
                ..folder()
            },
            DataSpec {
                resize: Some([8, 9]),
                ..folder()
            },
            DataSpec {
                resize: None,
                ..folder()
            },
            DataSpec {
                filter: Filter::Area,
                ..folder()
            },
            DataSpec {
                fit: Fitting::Crop,
                ..folder()
            },
            DataSpec {
                grey: true,
                ..folder()
            },
            DataSpec {
                patches,
                ..folder()
            },
            DataSpec {
                patches,
                patches_per_image: Some(3),
                ..folder()
            },
            DataSpec {
                pixel: "0..9".parse().ok(),
                ..folder()
            },
            DataSpec {
                shape: "1x2x3".parse().ok(),
                ..folder()
            },
            DataSpec {
                transpose: true,
                ..folder()
            },
            DataSpec {
                length: Some(100),
                ..folder()
            },
            DataSpec {
                rate: Some(100),
                ..folder()
            },
            DataSpec {
                spectrogram: spectrogram(true),
                ..folder()
            },
            DataSpec {
                spectrogram: spectrogram(false),
                ..folder()
            },
            DataSpec {
                range: Some([-1.0, 1.0]),
                ..folder()
            },
            DataSpec {
                normalize: by(0.5),
                ..folder()
            },
            DataSpec {
                normalize: by(0.25),
                ..folder()
            },
            DataSpec {
                normalize: Some(Normalize::MEASURED),
                ..folder()
            },
            DataSpec {
                center: Some(Center::Patch),
                ..folder()
            },
            DataSpec {
                whiten: "zca eps=0.1".parse().ok(),
                ..folder()
            },
            DataSpec {
                whiten: "zca eps=0.2".parse().ok(),
                ..folder()
            },
            DataSpec {
                whiten: "pca eps=0.1".parse().ok(),
                ..folder()
            },
        ] {
            let words = settings(&spec, 1);
            assert!(!seen.contains(&words), "{words:?}");
            seen.push(words);
        }
        let patches = DataSpec {
            patches,
            ..folder()
        };
        assert_ne!(
            settings(&patches, 1),
            settings(&patches, 2),
            "the places are drawn"
        );
        assert_ne!(
            settings(&DataSpec::default(), 1),
            settings(&DataSpec::default(), 2),
            "the pictures are drawn"
        );
        let ten = DataSpec {
            patches_per_image: Some(10),
            ..patches.clone()
        };
        assert_eq!(
            settings(&patches, 1),
            settings(&ten, 1),
            "ten is the default"
        );
    }

    #[test]
    fn a_name_tells_its_version() {
        assert!(is_comparable(&Digest::new().finish()));
        assert!(!is_comparable("") && !is_comparable("0123456789abcdef"));
    }
}
