//! Opening a dataset: the source's pictures, then `valid` carved out, `limit`, size, patches and
//! pixel range, all checked here once so that reading has little left that can fail.

use super::carve::{self, For};
use super::error::DataError;
use super::fit::Fit;
use super::hash::Digest;
use super::picture_file;
use super::scale::Scale;
use super::source::{self, Ask, Loaded, Part};
use super::split::{Common, PATCHES_PER_IMAGE, Patches, SplitData};
use super::{Progress, Skipped};
use crate::project::data::{DataSpec, Split};
use std::path::Path;
use std::sync::Arc;

/// The longest side images can be scaled to.
const LONGEST_SIDE: u32 = 4096;

/// The images a project names: class names and up to four splits. Immutable; share it with `Arc`.
pub struct Dataset {
    common: Common,
    classes: Vec<String>,
    splits: Vec<(Split, SplitData)>,
    skipped: Vec<Skipped>,
    hash: String,
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let splits: Vec<(Split, usize)> = self.splits().map(|(split, data)| (split, data.len())).collect();
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
        check_sizes(spec)?;
        let share = carve::share(spec.valid)?;
        let ask = Ask { spec, seed, folder: source::locate(spec, base)?, channels, progress };
        let loaded = source::load(ask)?;
        let common = common(spec, channels, seed, &loaded)?;
        let carve = loaded.carve.then_some((share, seed));
        let splits = make_splits(loaded.parts, carve, spec.limit, &common);
        check_lengths(&splits)?;
        let mut dataset =
            Dataset { common, classes: loaded.classes, splits, skipped: loaded.skipped, hash: String::new() };
        dataset.hash = dataset.digest(spec, seed)?;
        Ok(dataset)
    }

    /// Channels, height and width of every image, after `resize` and `patches`.
    pub fn shape(&self) -> [usize; 3] {
        let [height, width, channels] = self.common.fit.to();
        let [height, width] = self.common.patches.map_or([height, width], |patches| patches.size);
        [channels, height, width]
    }

    /// The classes' names; labels count from 0 in this order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// A split; none when the source has no such split or it is empty.
    pub fn split(&self, split: Split) -> Option<&SplitData> {
        self.splits().find(|(name, _)| *name == split).map(|(_, data)| data)
    }

    /// All splits that are there, in the order train, valid, test, unlabeled.
    pub fn splits(&self) -> impl Iterator<Item = (Split, &SplitData)> {
        self.splits.iter().map(|(split, data)| (*split, data))
    }

    /// Files that were left out, with the reason, in order of their names.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// A hash for `run.json`: 16 hexadecimal digits over the source, the seed, every setting that
    /// changes what the network sees (not `path`, not `augment`), the classes, and of every split
    /// the number of images, all labels and up to 32 evenly spaced source pictures. It tells
    /// other data apart in practice; it does not notice a change in a picture it did not sample.
    pub fn hash(&self) -> String {
        self.hash.clone()
    }

    /// What pixel 0 and pixel 255 become, for showing pictures. With `normalize`, the least and
    /// the greatest over the channels.
    pub fn pixel_range(&self) -> [f32; 2] {
        self.common.scale.pixel_range()
    }

    /// Numbers as the network sees them (H×W×C, or several such pictures in a row) back to pixels
    /// 0..255, rounded and clamped. Works for reconstructions as well; not-a-number becomes 0.
    pub fn to_pixels(&self, image: &[f32]) -> Vec<u8> {
        self.common.scale.to_pixels(image)
    }

    /// Reads one image file of any size as this dataset would: converted, scaled to the images'
    /// size, and of a dataset of patches the middle one. H×W×C floats.
    pub fn read_file(&self, path: &Path) -> Result<Vec<f32>, DataError> {
        let [height, width, channels] = self.common.fit.to();
        let decoded = picture_file::decode(path, channels).map_err(|problem| {
            DataError::malformed(path, problem, "choose a PNG, JPEG, BMP, GIF, WebP or TIFF file that opens elsewhere")
        })?;
        let fit = Fit::new([decoded.height, decoded.width, channels], Some([height, width]), Some(channels))?;
        let pixels = fit.apply(decoded.pixels);
        let [_, tall, wide] = self.shape();
        let pixels = middle(&pixels, [height, width, channels], [tall, wide]);
        let mut out = vec![0.0; pixels.len()];
        self.common.scale.apply(&pixels, &mut out);
        Ok(out)
    }

    fn digest(&self, spec: &DataSpec, seed: u64) -> Result<String, DataError> {
        let mut digest = Digest::new();
        let DataSpec { source, path: _, resize: _, patches, range, normalize, valid: _, limit: _, augment: _ } = spec;
        digest.add(source.name().as_bytes());
        digest.add_number(seed);
        // Resize, valid and limit show in the shape and in the splits themselves.
        digest.add(format!("{:?} {patches:?} {range:?} {normalize:?}", self.shape()).as_bytes());
        self.classes.iter().for_each(|class| digest.add(class.as_bytes()));
        for (_, data) in self.splits() {
            data.add_to(&mut digest)?;
        }
        Ok(digest.finish())
    }
}

fn check_sizes(spec: &DataSpec) -> Result<(), DataError> {
    for (key, size) in [("resize", spec.resize), ("patches", spec.patches)] {
        if let Some([height, width]) = size.filter(|size| size.iter().any(|side| !(1..=LONGEST_SIDE).contains(side))) {
            return Err(DataError::setting(
                key,
                format!("{height}×{width} is no size for an image"),
                format!("write {key} = [height, width] with numbers from 1 to {LONGEST_SIDE}"),
            ));
        }
    }
    match spec.limit {
        Some(0) => Err(DataError::setting("limit", "0 leaves no image", "write at least 1, or delete the line")),
        _ => Ok(()),
    }
}

fn common(spec: &DataSpec, channels: Option<usize>, seed: u64, loaded: &Loaded) -> Result<Common, DataError> {
    let from = loaded.parts.first().map_or([1, 1, 1], |part| part.pictures.shape());
    let size = spec.resize.map(|size| size.map(|side| side as usize));
    let fit = Fit::new(from, size, channels)?;
    let [height, width, channels] = fit.to();
    let patches = match spec.patches.map(|size| size.map(|side| side as usize)) {
        Some([tall, wide]) if tall > height || wide > width => {
            return Err(DataError::setting(
                "patches",
                format!("{tall}×{wide} is larger than the images, which are {height}×{width}"),
                "write a smaller size, or a larger resize",
            ));
        }
        size => size.map(|size| Patches { seed, size }),
    };
    Ok(Common {
        scale: Arc::new(Scale::new(spec, channels)?),
        fit: Arc::new(fit),
        patches,
        classes: loaded.classes.len(),
    })
}

/// Splits of `parts`; `carve` is the share and the seed with which `valid` is taken from `train`
/// if there is none. The limit comes last, so that it never moves an image to another split.
fn make_splits(
    parts: Vec<Part>,
    carve: Option<(f64, u64)>,
    limit: Option<usize>,
    common: &Common,
) -> Vec<(Split, SplitData)> {
    let has_valid = parts.iter().any(|part| part.split == Split::Valid);
    let mut splits = Vec::new();
    for part in parts {
        let all = part.pictures.len();
        match carve {
            Some((share, seed)) if part.split == Split::Train && !has_valid => {
                let (train, valid) = carve::carve(all, part.labels.as_deref(), share, seed, For::Valid);
                splits.push(choose(&part, Split::Train, train, limit, common));
                splits.push(choose(&part, Split::Valid, valid, limit, common));
            }
            _ => {
                let every = (0..u32::try_from(all).unwrap_or(u32::MAX)).collect();
                splits.push(choose(&part, part.split, every, limit, common));
            }
        }
    }
    splits.retain(|(_, data)| !data.is_empty());
    splits.sort_by_key(|(split, _)| *split);
    splits
}

fn choose(
    part: &Part,
    split: Split,
    mut chosen: Vec<u32>,
    limit: Option<usize>,
    common: &Common,
) -> (Split, SplitData) {
    chosen.truncate(limit.unwrap_or(usize::MAX));
    let labels = part.labels.as_ref().map(|labels| {
        let label = |&picture: &u32| labels.get(picture as usize).copied().unwrap_or(u32::MAX);
        chosen.iter().map(label).collect()
    });
    (split, SplitData::new(split, Arc::clone(&part.pictures), chosen, labels, common))
}

/// Images are numbered with 32 bits in a batch.
fn check_lengths(splits: &[(Split, SplitData)]) -> Result<(), DataError> {
    match splits.iter().find(|(_, data)| u32::try_from(data.len()).is_err()) {
        Some((split, data)) => Err(DataError::setting(
            "limit",
            format!("the {split} split would have {} images, more than can be numbered", data.len()),
            format!("write limit = {} or less", u32::MAX as usize / PATCHES_PER_IMAGE),
        )),
        None => Ok(()),
    }
}

fn middle(pixels: &[u8], [height, width, channels]: [usize; 3], [tall, wide]: [usize; 2]) -> Vec<u8> {
    let (top, left) = (height.saturating_sub(tall) / 2, width.saturating_sub(wide) / 2);
    let rows = pixels.chunks_exact(width * channels).skip(top).take(tall);
    rows.flat_map(|row| row.iter().skip(left * channels).take(wide * channels).copied()).collect()
}
