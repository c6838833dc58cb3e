//! One split, ready to be read: image by image as floats, or a batch at a time on all threads.
//!
//! Costly pictures (scaled, drawn or read from disk) are kept at their final size once they have been
//! made, where that fits. Reading fails when a file does, and on a wrong buffer.

use super::shuffle::{balanced_order, below, epoch_order};
use crate::error::DataError;
use crate::hash::fingerprint;
use crate::images::image_fitting::{ImageFitter, Scaling};
use crate::images::input_transform::InputTransform;
use crate::images::pixel_scale::Scale;
use crate::label_sets::LabelSets;
use crate::source::{BYTES, ImageStore, RawImage};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use strata_core::project::data::{Split, Weights};
use strata_core::rng::{Purpose, stream};

/// Random patches taken from each image where the project does not say.
pub(crate) const PATCHES_PER_IMAGE: u32 = 10;
/// Images a thread takes at a time: copying a small one costs less than handing it over.
const IMAGES_PER_TASK: usize = 8;

/// The images of one split, in a fixed order.
pub struct SplitData {
    split: Split,
    pictures: Arc<dyn ImageStore>,
    /// Which pictures, by position in the split; before patches.
    chosen: Vec<u32>,
    /// Of each picture its class, or the number of its set of labels.
    labels: Option<Vec<u32>>,
    sets: Option<Arc<LabelSets>>,
    classes: usize,
    fit: Arc<ImageFitter>,
    patches: Option<Patches>,
    view: [usize; 3],
    scale: Arc<Scale>,
    shares: Arc<Scale>,
    transform: Option<Arc<InputTransform>>,
    span: [f32; 2],
    weights: Option<Weights>,
    kept: Option<Vec<OnceLock<RawImage>>>,
    kept_bytes: u64,
}

/// Patches of one size at places drawn from the seed.
#[derive(Clone, Copy)]
pub(crate) struct Patches {
    pub seed: u64,
    pub size: [usize; 2],
    /// From each image.
    pub each: usize,
}

/// What all splits of a dataset have in common.
pub(crate) struct Common {
    pub scale: Arc<Scale>,
    /// What makes fractions of pixels.
    pub shares: Arc<Scale>,
    pub fit: Arc<ImageFitter>,
    /// What `fit` was made with.
    pub scaling: Scaling,
    pub patches: Option<Patches>,
    /// `[height, width, channels]` of what the network sees.
    pub view: [usize; 3],
    pub span: [f32; 2],
    pub classes: usize,
    /// Where images have several labels each.
    pub sets: Option<Arc<LabelSets>>,
    pub weights: Option<Weights>,
}

/// Bytes that so many finished pictures of a shape take, with as many bytes for each value.
pub(crate) fn finished_bytes(count: u64, shape: [usize; 3], value_size: usize) -> u64 {
    let values = shape.into_iter().map(|side| side as u64);
    let image = values.fold(value_size as u64, u64::saturating_mul);
    count.saturating_mul(image.saturating_add(size_of::<OnceLock<RawImage>>() as u64))
}

impl SplitData {
    /// `chosen` and `labels` are of one length. Finished pictures are kept where there is `room` for them, which they
    /// use up.
    pub(crate) fn new(
        split: Split,
        pictures: Arc<dyn ImageStore>,
        chosen: Vec<u32>,
        labels: Option<Vec<u32>>,
        common: &Common,
        room: &mut u64,
    ) -> SplitData {
        let is_costly = pictures.is_costly() || common.fit.is_costly();
        let bytes = finished_bytes(chosen.len() as u64, common.fit.to(), pictures.value_size());
        let keeps = is_costly && bytes <= *room;
        let kept_bytes = if keeps { bytes } else { 0 };
        *room -= kept_bytes;
        SplitData {
            split,
            pictures,
            kept: keeps.then(|| chosen.iter().map(|_| OnceLock::new()).collect()),
            kept_bytes,
            chosen,
            labels,
            sets: common.sets.clone(),
            classes: common.classes,
            fit: Arc::clone(&common.fit),
            patches: common.patches,
            view: common.view,
            scale: Arc::clone(&common.scale),
            shares: Arc::clone(&common.shares),
            transform: None,
            span: common.span,
            weights: common.weights.filter(|_| split == Split::Train),
        }
    }

    /// Changes what pixels become, once that has been measured.
    pub(crate) fn rescale(&mut self, scale: &Arc<Scale>) {
        self.scale = Arc::clone(scale);
    }

    /// Changes what is done to whole images, once that has been fitted.
    pub(crate) fn set_transform(&mut self, transform: Option<&Arc<InputTransform>>) {
        self.transform = transform.map(Arc::clone);
    }

    /// Bytes of the finished pictures that stay in memory once all of them have been read.
    pub fn kept_bytes(&self) -> u64 {
        self.kept_bytes
    }

    /// Lets go of finished pictures: from now on each is made at every reading.
    pub(crate) fn keep_nothing(&mut self) {
        self.kept = None;
        self.kept_bytes = 0;
    }

    /// Whether no image has to be decoded, drawn or scaled any more before it is read: it is stored as it is used, or
    /// was kept once it had been made.
    pub fn is_prepared(&self) -> bool {
        match &self.kept {
            Some(kept) => kept.iter().all(|picture| picture.get().is_some()),
            None => !self.pictures.is_costly() && !self.fit.is_costly(),
        }
    }

    /// Number of images (of patches, where the project asks for patches).
    pub fn len(&self) -> usize {
        match self.patches {
            Some(patches) => self.chosen.len() * patches.each,
            None => self.chosen.len(),
        }
    }

    /// Number of images, whether patches are made of them or not.
    pub(crate) fn images(&self) -> usize {
        self.chosen.len()
    }

    /// Whether there is no image at all. A dataset has no such split.
    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// Whether every image has one class.
    pub fn labelled(&self) -> bool {
        self.labels.is_some() && self.sets.is_none()
    }

    /// Whether it is known of every image which of several labels it has.
    pub fn has_label_sets(&self) -> bool {
        self.labels.is_some() && self.sets.is_some()
    }

    /// The class of image `index`; none where there are no classes or no such image.
    pub fn label(&self, index: usize) -> Option<u32> {
        self.number(index).filter(|_| self.sets.is_none())
    }

    /// The labels of image `index`, by their numbers in rising order, where images have several each.
    pub fn label_set(&self, index: usize) -> Option<&[u32]> {
        let sets = self.sets.as_deref()?;
        Some(sets.of_number(self.number(index)?))
    }

    /// Appends a row for each image, where images have several labels each: 1 for a label that it has, else 0.
    pub fn push_label_rows(&self, indices: &[u32], rows: &mut Vec<f32>) {
        if !self.has_label_sets() {
            return;
        }
        for &index in indices {
            let start = rows.len();
            rows.resize(start + self.classes, 0.0);
            for &label in self.label_set(index as usize).unwrap_or_default() {
                if let Some(cell) = rows.get_mut(start + label as usize) {
                    *cell = 1.0;
                }
            }
        }
    }

    /// The class of an image, or the number of its set of labels.
    fn number(&self, index: usize) -> Option<u32> {
        if index >= self.len() {
            return None;
        }
        self.labels.as_ref()?.get(self.image_of(index)).copied()
    }

    /// The order of an epoch's images: each once, or with `weights = "balanced"` as many of each class.
    pub fn epoch_order(&self, seed: u64, epoch: u64) -> Vec<u32> {
        match (self.weights, &self.labels) {
            (Some(Weights::Balanced), Some(_)) => {
                let labels = (0..self.len()).filter_map(|index| self.label(index));
                balanced_order(&labels.collect::<Vec<u32>>(), seed, epoch)
            }
            _ => epoch_order(self.len(), seed, epoch),
        }
    }

    /// Number of images of each class, or that have each label; all zero where there are no labels.
    pub fn per_class(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        let each = self.patches.map_or(1, |patches| patches.each);
        let mut add = |label: &u32| {
            if let Some(count) = counts.get_mut(*label as usize) {
                *count += each;
            }
        };
        for number in self.labels.iter().flatten() {
            match &self.sets {
                Some(sets) => sets.of_number(*number).iter().for_each(&mut add),
                None => add(number),
            }
        }
        counts
    }

    /// `[height, width, channels]` of what [`SplitData::read`] writes.
    pub fn image_shape(&self) -> [usize; 3] {
        self.view
    }

    /// The same before the training's random crop, of which [`SplitData::read`] gives the middle.
    pub fn whole_shape(&self) -> [usize; 3] {
        let [height, width, channels] = self.fit.to();
        match self.patches {
            Some(Patches { size, .. }) => [size[0], size[1], channels],
            None => [height, width, channels],
        }
    }

    /// Writes image `index` as H×W×C floats (channels last) as the network sees it: after resize, patch, range, center
    /// and whiten.
    pub fn read(&self, index: usize, out: &mut [f32]) -> Result<(), DataError> {
        self.read_scaled(index, &self.scale, self.view, out)?;
        self.transform(out);
        Ok(())
    }

    fn transform(&self, image: &mut [f32]) {
        if let Some(transform) = &self.transform {
            transform.apply(image);
        }
    }

    /// Writes image `index` as fractions, whole (before any crop), H×W×C: 0 for pixel 0 and 1 for pixel 255, whatever they become later.
    pub fn read_shares(&self, index: usize, out: &mut [f32]) -> Result<(), DataError> {
        self.read_scaled(index, &self.shares, self.whole_shape(), out)
    }

    /// The fraction that the source's value 0 is: black, or silence.
    pub fn zero_share(&self) -> f32 {
        zero_share(self.span)
    }

    /// From fractions to the network's input, both of one length.
    pub(crate) fn scale_shares(&self, shares: &[f32], out: &mut [f32]) -> Result<(), DataError> {
        check_buffer(shares.len(), out.len())?;
        self.scale.apply_to_shares(shares.iter().copied(), out);
        self.transform(out);
        Ok(())
    }

    fn read_scaled(
        &self,
        index: usize,
        scale: &Scale,
        view: [usize; 3],
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let expected: usize = view.iter().product();
        check_buffer(expected, out.len())?;
        if index >= self.len() {
            return Err(DataError::OutOfRange {
                index,
                len: self.len(),
                split: self.split.name(),
            });
        }
        let picture = self.picture(self.image_of(index))?;
        let place = self.place(index, view);
        match &*picture {
            RawImage::Bytes(pixels) if self.span == BYTES => {
                self.write(pixels, place, view, out, |row, out| scale.apply(row, out));
            }
            RawImage::Bytes(pixels) => self.write(pixels, place, view, out, |row, out| {
                numbers(row, self.span, scale, out);
            }),
            RawImage::Words(values) => self.write(values, place, view, out, |row, out| {
                numbers(row, self.span, scale, out);
            }),
            RawImage::Floats(values) => self.write(values, place, view, out, |row, out| {
                numbers(row, self.span, scale, out);
            }),
        }
        Ok(())
    }

    /// All of a picture, or the part at a place.
    fn write<T>(
        &self,
        values: &[T],
        place: Option<[usize; 2]>,
        view: [usize; 3],
        out: &mut [f32],
        write: impl Fn(&[T], &mut [f32]),
    ) {
        match place {
            None => write(values, out),
            Some(place) => self.cut(values, place, view, out, write),
        }
    }

    /// A hash of an image's own values where scaling changes them; none of what is not scaled, and of a patch.
    pub fn fingerprint(&self, index: usize) -> Result<Option<u128>, DataError> {
        if self.patches.is_some() {
            return Ok(None);
        }
        let image = self.image_of(index);
        let picture = self.chosen.get(image).copied().unwrap_or_default();
        match self.pictures.fingerprint(picture as usize) {
            Some(print) => Ok(Some(print)),
            None if self.fit.is_costly() => {
                Ok(Some(fingerprint(self.pictures.shape(), &self.raw(image)?)))
            }
            None => Ok(None),
        }
    }

    /// Patch number `index` belongs to this image: every image gives one before any gives two.
    fn image_of(&self, index: usize) -> usize {
        index % self.chosen.len().max(1)
    }

    /// The finished picture, made now or kept from before.
    fn picture(&self, image: usize) -> Result<Cow<'_, RawImage>, DataError> {
        let cell = self.kept.as_ref().and_then(|kept| kept.get(image));
        if let Some(pixels) = cell.and_then(OnceLock::get) {
            return Ok(Cow::Borrowed(pixels));
        }
        let picture = self.chosen.get(image).copied().unwrap_or_default();
        match self.pictures.held(picture as usize) {
            Some(pixels) if self.fit.changes_nothing() => return Ok(Cow::Borrowed(pixels)),
            _ => {}
        }
        let pixels = self.fit.apply(self.raw(image)?);
        Ok(match cell {
            // Two threads may both make it; both make the same.
            Some(cell) => Cow::Borrowed(cell.get_or_init(|| pixels)),
            None => Cow::Owned(pixels),
        })
    }

    fn raw(&self, image: usize) -> Result<RawImage, DataError> {
        match self.chosen.get(image) {
            Some(&picture) if self.fit.is_costly() => self.pictures.raw_once(picture as usize),
            Some(&picture) => self.pictures.raw(picture as usize),
            None => Err(DataError::OutOfRange {
                index: image,
                len: self.chosen.len(),
                split: self.split.name(),
            }),
        }
    }

    /// Top and left of what is seen of image `index`; none for all of it.
    fn place(&self, index: usize, view: [usize; 3]) -> Option<[usize; 2]> {
        let [height, width, _] = self.whole_shape();
        let corner = self
            .patches
            .map_or([0, 0], |patches| self.corner(patches, index));
        let is_all = self.patches.is_none() && view[..2] == [height, width];
        (!is_all).then(|| {
            [
                corner[0] + (height - view[0]) / 2,
                corner[1] + (width - view[1]) / 2,
            ]
        })
    }

    /// Top and left of patch `index`.
    fn corner(&self, patches: Patches, index: usize) -> [usize; 2] {
        let [height, width, _] = self.fit.to();
        let [tall, wide] = patches.size;
        // The split in the upper bits: train and test never use one stream.
        let counter = (self.split as u64) << 56 | index as u64;
        let mut rng = stream(patches.seed, Purpose::Patches, counter);
        let top = below(&mut rng, (height - tall + 1) as u32) as usize;
        [top, below(&mut rng, (width - wide + 1) as u32) as usize]
    }

    /// Row by row the values at a place.
    fn cut<T>(
        &self,
        values: &[T],
        [top, left]: [usize; 2],
        view: [usize; 3],
        out: &mut [f32],
        write: impl Fn(&[T], &mut [f32]),
    ) {
        let ([_, width, channels], row) = (self.fit.to(), view[1] * view[2]);
        for (y, out) in out.chunks_exact_mut(row).enumerate() {
            let start = ((top + y) * width + left) * channels;
            write(&values[start..start + row], out);
        }
    }

    /// Puts into `digest` what identifies this split: number, labels, a sample of the pictures.
    pub(crate) fn add_to(&self, digest: &mut crate::hash::Digest) -> Result<(), DataError> {
        const SAMPLES: usize = 32;
        digest.add(self.split.name().as_bytes());
        digest.add_number(self.chosen.len() as u64);
        for &label in self.labels.iter().flatten() {
            digest.add_number(u64::from(label));
        }
        let step = self.chosen.len().div_ceil(SAMPLES).max(1);
        // On all threads: each sample may have to be fetched from another part of a file.
        let samples: Result<Vec<RawImage>, DataError> = (0..self.chosen.len())
            .into_par_iter()
            .step_by(step)
            .map(|image| self.raw(image))
            .collect();
        for sample in samples? {
            digest.add(&sample.to_le_bytes());
        }
        Ok(())
    }
}

/// Fills a batch: `images` is N×H×W×C, `labels` has N places (`u32::MAX` where there is none).
/// Images are spread over the threads of the current rayon pool; the result is the same for any
/// number of them.
pub fn fill_batch(
    split: &SplitData,
    indices: &[u32],
    images: &mut [f32],
    labels: &mut [u32],
) -> Result<(), DataError> {
    let size: usize = split.image_shape().iter().product();
    check_buffer(indices.len().saturating_mul(size), images.len())?;
    check_buffer(indices.len(), labels.len())?;
    for (label, &index) in labels.iter_mut().zip(indices) {
        *label = split.label(index as usize).unwrap_or(u32::MAX);
    }
    images
        .par_chunks_exact_mut(size)
        .zip(indices)
        .with_min_len(IMAGES_PER_TASK)
        .try_for_each(|(image, &index)| split.read(index as usize, image))
}

/// Numbers of a source's own span to those of the network.
pub(crate) fn numbers<T: Copy + Into<f32>>(
    values: &[T],
    [low, high]: [f32; 2],
    scale: &Scale,
    out: &mut [f32],
) {
    let share = |&value: &T| (value.into() - low) / (high - low);
    scale.apply_to_shares(values.iter().map(share), out);
}

/// The fraction that the value 0 is in a source's span.
pub(crate) fn zero_share([low, high]: [f32; 2]) -> f32 {
    (-low / (high - low)).clamp(0.0, 1.0)
}

pub(crate) fn check_buffer(expected: usize, found: usize) -> Result<(), DataError> {
    if expected == found {
        Ok(())
    } else {
        Err(DataError::Buffer { expected, found })
    }
}
