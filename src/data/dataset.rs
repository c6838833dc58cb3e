//! Opening a dataset: the source's pictures, then `valid` carved out, `limit`, size, patches and
//! pixel range, all checked here once so that reading has little left that can fail.

use super::augment::Augmenter;
use super::error::DataError;
use super::hash::{self, Digest};
use super::images::image_fitting::{self, Fit, Scaling};
use super::images::pixel_scale::{PixelUnits, Scale};
use super::images::{image_file, mean_std};
use super::source::{self, Ask, BYTES, Loaded, Part, Pictures};
use super::sources;
use super::splits::concat_images::Joined;
use super::splits::split::{Common, PATCHES_PER_IMAGE, Patches, SplitData, zero_share};
use super::splits::split_assignment::{Given, Item, Rules, Share};
use super::{Progress, Skipped};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use strata_core::project::data::{DataSpec, MeanStd, Normalize, Split};

/// The longest side images can be scaled to.
const LONGEST_SIDE: u32 = 4096;

/// The images a project names: class names and up to four splits. Immutable; share it with `Arc`.
pub struct Dataset {
    common: Common,
    classes: Vec<String>,
    splits: Vec<(Split, SplitData)>,
    skipped: Vec<Skipped>,
    hash: String,
    measured: Option<MeanStd>,
    augmenter: Option<Augmenter>,
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let splits: Vec<(Split, usize)> = self
            .splits()
            .map(|(split, data)| (split, data.len()))
            .collect();
        let mut out = f.debug_struct("Dataset");
        out.field("shape", &self.shape()).field("splits", &splits);
        out.field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl Dataset {
    /// Opens what `spec` names, with as many channels as the source has (a folder of images: 1
    /// if all of them are grey, else 3). Relative paths start at the folder `base`. `progress` is
    /// called from this thread now and then; when it returns false, opening ends in
    /// [`DataError::Cancelled`].
    pub fn open(
        spec: &DataSpec,
        seed: u64,
        base: &Path,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Dataset, DataError> {
        Dataset::open_as(spec, None, seed, base, progress)
    }

    /// Opens as [`Dataset::open`] does, with images converted to `channels` (1 grey, 3 colour),
    /// the number the network's input has.
    pub fn open_as(
        spec: &DataSpec,
        channels: Option<usize>,
        seed: u64,
        base: &Path,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Dataset, DataError> {
        let start = Instant::now();
        let dataset = Dataset::read(spec, channels, seed, base, progress)?;
        dataset.log_opened(spec, start.elapsed());
        Ok(dataset)
    }

    fn log_opened(&self, spec: &DataSpec, took: Duration) {
        let splits = self
            .splits()
            .map(|(split, data)| format!("{split} {}", data.len()));
        let splits: Vec<String> = splits.collect();
        let place = spec.path.as_deref().map(|path| format!(" in {path}"));
        log::info!(
            "opened {}{} in {:.2} s: {} images of {:?}",
            spec.source,
            place.unwrap_or_default(),
            took.as_secs_f64(),
            splits.join(", "),
            self.shape(),
        );
        if let Some(first) = self.skipped.first() {
            let count = self.skipped.len();
            let file = first.file.display();
            log::warn!(
                "{count} files were left out, the first: {file}: {}",
                first.reason
            );
        }
    }

    fn read(
        spec: &DataSpec,
        channels: Option<usize>,
        seed: u64,
        base: &Path,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Dataset, DataError> {
        check_sizes(spec)?;
        let rules = Rules::new(spec, seed, None)?;
        let mut ask = Ask {
            last: Progress {
                what: "looking for files",
                done: 0,
                total: 1,
            },
            spec,
            seed,
            folder: source::locate(spec, base)?,
            channels,
            progress,
        };
        let loaded = (sources::reader(ask.spec.source).load)(&mut ask)?;
        let (common, augmenter) = common(spec, channels, seed, &loaded)?;
        let shares = if loaded.carve { Some(&rules) } else { None };
        let splits = make_splits(&loaded.parts, shares, spec.limit, &common);
        check_lengths(&splits)?;
        check_shares(spec, &splits)?;
        let Loaded {
            classes, skipped, ..
        } = loaded;
        let mut dataset = Dataset {
            common,
            classes,
            splits,
            skipped,
            hash: String::new(),
            measured: None,
            augmenter,
        };
        if spec.normalize == Some(Normalize::MEASURED) {
            dataset.measure(spec)?;
        }
        dataset.hash = dataset.digest(spec, seed)?;
        Ok(dataset)
    }

    /// Channels, height and width of every image, after `resize` and `patches`.
    pub fn shape(&self) -> [usize; 3] {
        let [height, width, channels] = self.common.view;
        [channels, height, width]
    }

    /// What changes the training images, unless it is switched off.
    pub fn augmenter_of(&self, split: Split) -> Option<&Augmenter> {
        self.augmenter
            .as_ref()
            .filter(|_| matches!(split, Split::Train | Split::Unlabeled))
    }

    /// The classes' names; labels count from 0 in this order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// A split; none when the source has no such split or it is empty.
    pub fn split(&self, split: Split) -> Option<&SplitData> {
        self.splits()
            .find(|(name, _)| *name == split)
            .map(|(_, data)| data)
    }

    /// All splits that are there, in the order train, valid, test, unlabeled.
    pub fn splits(&self) -> impl Iterator<Item = (Split, &SplitData)> {
        self.splits.iter().map(|(split, data)| (*split, data))
    }

    /// Files that were left out, with the reason, in order of their names.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// A name for `run.json`: a version and 16 hexadecimal digits over the shape, the settings that
    /// change pixels (not `path`; of `augment` a crop, which shows in the shape), the classes, and of every split the number of
    /// images, all labels and up to 32 evenly spaced source pictures. It tells other data apart in
    /// practice; it does not notice a change in a picture it did not sample.
    pub fn hash(&self) -> String {
        self.hash.clone()
    }

    /// Whether a run with this name in its `run.json` had other data. What has no name, or one of
    /// another version, cannot be told apart.
    pub fn is_other_than(&self, name: &str) -> bool {
        hash::is_comparable(name) && name != self.hash
    }

    /// What pixel 0 and pixel 255 become, for showing pictures. With `normalize`, the least and
    /// the greatest over the channels.
    pub fn pixel_range(&self) -> [f32; 2] {
        self.common.scale.pixel_range()
    }

    /// In what units errors of pixels are told.
    pub fn pixel_units(&self) -> PixelUnits {
        self.common.scale.units()
    }

    /// Numbers as the network sees them (H×W×C, or several such pictures in a row) back to pixels
    /// 0..255, rounded and clamped. Works for reconstructions as well; not-a-number becomes 0.
    pub fn to_pixels(&self, image: &[f32]) -> Vec<u8> {
        self.common.scale.to_pixels(image)
    }

    /// How many values of such an image lie beyond black or white.
    pub fn outside(&self, image: &[f32]) -> usize {
        self.common.scale.outside(image)
    }

    /// Reads one image file of any size as this dataset would: converted, scaled to the images'
    /// size, and of a dataset of patches the middle one. H×W×C floats.
    pub fn read_file(&self, path: &Path) -> Result<Vec<f32>, DataError> {
        let [height, width, channels] = self.common.fit.to();
        let decoded = image_file::decode(path, channels).map_err(|problem| {
            DataError::malformed(
                path,
                problem,
                "choose a PNG, JPEG, BMP, GIF, WebP or TIFF file that opens elsewhere",
            )
        })?;
        let scaling = self.common.scaling;
        let fit = Fit::new(
            [decoded.height, decoded.width, channels],
            Some([height, width]),
            Some(channels),
            scaling,
        )?;
        let pixels = fit.bytes(decoded.pixels);
        let [_, tall, wide] = self.shape();
        let corner = [(height - tall) / 2, (width - wide) / 2];
        let pixels = image_fitting::cut(&pixels, width * channels, corner, [tall, wide], channels);
        let mut out = vec![0.0; pixels.len()];
        self.common.scale.apply(&pixels, &mut out);
        Ok(out)
    }

    /// Standardises by the mean and the deviation of the training images (of the first split, where there are none).
    fn measure(&mut self, spec: &DataSpec) -> Result<(), DataError> {
        let Some((_, data)) = self.splits.first() else {
            return Ok(());
        };
        let numbers = mean_std::mean_and_std(data)?;
        let scale = Arc::new(Scale::new(
            spec,
            self.common.fit.to()[2],
            [0.0, 1.0],
            Some(&numbers),
        )?);
        self.splits
            .iter_mut()
            .for_each(|(_, data)| data.rescale(&scale));
        self.common.scale = scale;
        self.measured = Some(numbers);
        Ok(())
    }

    /// Mean and deviation by channel, as `normalize = "train"` measured them.
    pub fn measured(&self) -> Option<&MeanStd> {
        self.measured.as_ref()
    }

    fn digest(&self, spec: &DataSpec, seed: u64) -> Result<String, DataError> {
        let mut digest = Digest::new();
        self.shape()
            .iter()
            .for_each(|&size| digest.add_number(size as u64));
        digest.add_all(&hash::settings(spec, seed));
        digest.add_all(&self.classes);
        for (_, data) in self.splits() {
            data.add_to(&mut digest)?;
        }
        Ok(digest.finish())
    }
}

fn check_sizes(spec: &DataSpec) -> Result<(), DataError> {
    for (key, size) in [("resize", spec.resize), ("patches", spec.patches)] {
        if let Some([height, width]) =
            size.filter(|size| size.iter().any(|side| !(1..=LONGEST_SIDE).contains(side)))
        {
            return Err(DataError::setting(
                key,
                format!("{height}×{width} is no size for an image"),
                format!("write {key} = [height, width] with numbers from 1 to {LONGEST_SIDE}"),
            ));
        }
    }
    match spec.limit {
        Some(0) => Err(DataError::setting(
            "limit",
            "0 leaves no image",
            "write at least 1, or delete the line",
        )),
        _ if spec.patches_per_image == Some(0) => Err(DataError::setting(
            "patches_per_image",
            "0 leaves no patch",
            "write at least 1, or delete the line",
        )),
        _ => Ok(()),
    }
}

fn common(
    spec: &DataSpec,
    channels: Option<usize>,
    seed: u64,
    loaded: &Loaded,
) -> Result<(Common, Option<Augmenter>), DataError> {
    let from = loaded
        .parts
        .first()
        .map_or([1, 1, 1], |part| part.pictures.shape());
    let size = spec.resize.map(|size| size.map(|side| side as usize));
    let scaling = Scaling::of(spec);
    let fit = Fit::new(from, size, channels, scaling)?;
    let [height, width, channels] = fit.to();
    let patches = match spec.patches.map(|size| size.map(|side| side as usize)) {
        Some([tall, wide]) if tall > height || wide > width => {
            return Err(DataError::setting(
                "patches",
                format!("{tall}×{wide} is larger than the images, which are {height}×{width}"),
                "write a smaller size, or a larger resize",
            ));
        }
        size => size.map(|size| Patches {
            seed,
            size,
            each: spec.patches_per_image.unwrap_or(PATCHES_PER_IMAGE) as usize,
        }),
    };
    let whole = patches.map_or([height, width, channels], |patches| {
        [patches.size[0], patches.size[1], channels]
    });
    let augmenter = Augmenter::new(&spec.augment, whole)?.with_zero(zero_share(loaded.span));
    let view = augmenter.out_shape();
    if view[0] > whole[0] || view[1] > whole[1] {
        return Err(DataError::setting(
            "augment",
            format!(
                "its crop of {}×{} is larger than the images, which are {}×{}",
                view[0], view[1], whole[0], whole[1]
            ),
            "crop to a smaller size, or write a larger resize",
        ));
    }
    let is_used = spec.use_augment && !spec.augment.is_empty();
    let common = Common {
        scale: Arc::new(Scale::new(spec, channels, usual_range(loaded.span), None)?),
        shares: Arc::new(Scale::shares()),
        span: loaded.span,
        scaling,
        fit: Arc::new(fit),
        patches,
        view,
        classes: loaded.classes.len(),
    };
    Ok((common, is_used.then_some(augmenter)))
}

/// What values become where the project does not say: pixels 0 to 1, other numbers what they are.
fn usual_range(span: [f32; 2]) -> [f32; 2] {
    if span == BYTES { [0.0, 1.0] } else { span }
}

/// Splits of `parts`, shared out by `rules` unless the source has done that. The limit comes last, so that it never
/// moves an image to another split.
fn make_splits(
    parts: &[Part],
    rules: Option<&Rules>,
    limit: Option<usize>,
    common: &Common,
) -> Vec<(Split, SplitData)> {
    let given: Vec<Given> = parts
        .iter()
        .map(|part| Given {
            split: part.split,
            len: part.pictures.len(),
            labels: part.labels.as_deref(),
        })
        .collect();
    let shares = match rules {
        Some(rules) => rules.share_out(&given),
        None => Rules::as_given(&given),
    };
    shares
        .into_iter()
        .map(|share| (share.split, choose(parts, share, limit, common)))
        .collect()
}

fn choose(parts: &[Part], mut share: Share, limit: Option<usize>, common: &Common) -> SplitData {
    share.items.truncate(limit.unwrap_or(usize::MAX));
    let label = |&(part, place): &Item| {
        parts
            .get(part as usize)?
            .labels
            .as_ref()?
            .get(place as usize)
            .copied()
    };
    let labels = if share.labelled {
        share.items.iter().map(label).collect()
    } else {
        None
    };
    let first = share.items.first().map_or(0, |(part, _)| *part);
    let (pictures, chosen): (Arc<dyn Pictures>, Vec<u32>) = match parts.get(first as usize) {
        Some(part) if share.items.iter().all(|item| item.0 == first) => (
            Arc::clone(&part.pictures),
            share.items.iter().map(|item| item.1).collect(),
        ),
        _ => {
            let chosen = (0..share.items.len() as u32).collect();
            (
                Arc::new(Joined::new(
                    parts
                        .iter()
                        .map(|part| Arc::clone(&part.pictures))
                        .collect(),
                    share.items,
                )),
                chosen,
            )
        }
    };
    SplitData::new(share.split, pictures, chosen, labels, common)
}

/// Settings that share out training images act only where there are some.
fn check_shares(spec: &DataSpec, splits: &[(Split, SplitData)]) -> Result<(), DataError> {
    let train = splits.iter().find(|(split, _)| *split == Split::Train);
    if spec.per_class.is_some() && !train.is_some_and(|(_, data)| data.labelled()) {
        return Err(DataError::setting(
            "per_class",
            "there are no labelled training images to choose from",
            "delete the line",
        ));
    }
    let holds_back = [
        ("valid", spec.valid.is_some_and(|share| share > 0.0)),
        ("test", spec.test.is_some_and(|share| share > 0.0)),
        ("fold", spec.fold.is_some()),
    ];
    match holds_back.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((key, _)) if train.is_none() => Err(DataError::setting(
            key,
            "there are no training images to hold some of them back",
            "delete the line",
        )),
        _ => Ok(()),
    }
}

/// Images are numbered with 32 bits in a batch.
fn check_lengths(splits: &[(Split, SplitData)]) -> Result<(), DataError> {
    match splits
        .iter()
        .find(|(_, data)| u32::try_from(data.len()).is_err())
    {
        Some((split, data)) => Err(DataError::setting(
            "limit",
            format!(
                "the {split} split would have {} images, more than can be numbered",
                data.len()
            ),
            format!("write limit = {} or less", u32::MAX / PATCHES_PER_IMAGE),
        )),
        None => Ok(()),
    }
}
