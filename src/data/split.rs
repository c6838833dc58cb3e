//! One split, ready to be read: image by image as floats, or a batch at a time on all threads.
//!
//! Costly pictures (scaled, drawn or read from disk) are kept as bytes at their final size once
//! they have been made, where that fits. Reading fails when a file does, and on a wrong buffer.

use super::error::DataError;
use super::fit::Fit;
use super::order::below;
use super::scale::Scale;
use super::source::Pictures;
use crate::project::data::Split;
use crate::rng::{Purpose, stream};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// Random patches taken from each image, on average and in fact.
pub(super) const PATCHES_PER_IMAGE: usize = 10;
/// A split whose finished pictures are larger than this together is made anew at every reading.
const MOST_KEPT_BYTES: usize = 1 << 30;
/// Images a thread takes at a time: copying a small one costs less than handing it over.
const IMAGES_PER_TASK: usize = 8;

/// The images of one split, in a fixed order.
pub struct SplitData {
    split: Split,
    pictures: Arc<dyn Pictures>,
    /// Which pictures, by position in the split; before patches.
    chosen: Vec<u32>,
    labels: Option<Vec<u32>>,
    classes: usize,
    fit: Arc<Fit>,
    patches: Option<Patches>,
    scale: Arc<Scale>,
    kept: Option<Vec<OnceLock<Box<[u8]>>>>,
}

/// Patches of one size at places drawn from the seed.
#[derive(Clone, Copy)]
pub(super) struct Patches {
    pub seed: u64,
    pub size: [usize; 2],
}

/// What all splits of a dataset share.
pub(super) struct Common {
    pub scale: Arc<Scale>,
    pub fit: Arc<Fit>,
    pub patches: Option<Patches>,
    pub classes: usize,
}

impl SplitData {
    /// `chosen` and `labels` are of one length.
    pub(super) fn new(
        split: Split,
        pictures: Arc<dyn Pictures>,
        chosen: Vec<u32>,
        labels: Option<Vec<u32>>,
        common: &Common,
    ) -> SplitData {
        let image: usize = common.fit.to().iter().product();
        let keep = (pictures.is_costly() || common.fit.is_costly())
            && chosen.len().checked_mul(image).is_some_and(|bytes| bytes <= MOST_KEPT_BYTES);
        SplitData {
            split,
            pictures,
            kept: keep.then(|| chosen.iter().map(|_| OnceLock::new()).collect()),
            chosen,
            labels,
            classes: common.classes,
            fit: Arc::clone(&common.fit),
            patches: common.patches,
            scale: Arc::clone(&common.scale),
        }
    }

    /// Number of images (of patches, where the project asks for patches).
    pub fn len(&self) -> usize {
        match self.patches {
            Some(_) => self.chosen.len() * PATCHES_PER_IMAGE,
            None => self.chosen.len(),
        }
    }

    /// Whether there is no image at all. A dataset has no such split.
    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// Whether every image has a label.
    pub fn labelled(&self) -> bool {
        self.labels.is_some()
    }

    /// The class of image `index`; none where there are no labels or no such image.
    pub fn label(&self, index: usize) -> Option<u32> {
        if index >= self.len() {
            return None;
        }
        self.labels.as_ref()?.get(self.image_of(index)).copied()
    }

    /// Number of images of each class; all zero where there are no labels.
    pub fn per_class(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        let each = if self.patches.is_some() { PATCHES_PER_IMAGE } else { 1 };
        for &label in self.labels.iter().flatten() {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += each;
            }
        }
        counts
    }

    /// `[height, width, channels]` of what [`SplitData::read`] writes.
    pub fn image_shape(&self) -> [usize; 3] {
        let [height, width, channels] = self.fit.to();
        match self.patches {
            Some(Patches { size, .. }) => [size[0], size[1], channels],
            None => [height, width, channels],
        }
    }

    /// Writes image `index` as H×W×C floats (channels last) after resize, patch and range.
    pub fn read(&self, index: usize, out: &mut [f32]) -> Result<(), DataError> {
        let expected: usize = self.image_shape().iter().product();
        check_buffer(expected, out.len())?;
        if index >= self.len() {
            return Err(DataError::OutOfRange { index, len: self.len(), split: self.split.name() });
        }
        let pixels = self.pixels(self.image_of(index))?;
        match self.patches {
            Some(patches) => self.cut(&pixels, patches, index, out),
            None => self.scale.apply(&pixels, out),
        }
        Ok(())
    }

    /// Patch number `index` belongs to this image: every image gives one before any gives two.
    fn image_of(&self, index: usize) -> usize {
        index % self.chosen.len().max(1)
    }

    /// The finished picture as bytes, made now or kept from before.
    fn pixels(&self, image: usize) -> Result<Cow<'_, [u8]>, DataError> {
        let cell = self.kept.as_ref().and_then(|kept| kept.get(image));
        if let Some(pixels) = cell.and_then(OnceLock::get) {
            return Ok(Cow::Borrowed(pixels));
        }
        let pixels = self.fit.apply(self.raw(image)?);
        Ok(match cell {
            // Two threads may both make it; both make the same.
            Some(cell) => Cow::Borrowed(cell.get_or_init(|| pixels.into_boxed_slice())),
            None => Cow::Owned(pixels),
        })
    }

    fn raw(&self, image: usize) -> Result<Vec<u8>, DataError> {
        match self.chosen.get(image) {
            Some(&picture) => self.pictures.raw(picture as usize),
            None => Err(DataError::OutOfRange { index: image, len: self.chosen.len(), split: self.split.name() }),
        }
    }

    fn cut(&self, pixels: &[u8], patches: Patches, index: usize, out: &mut [f32]) {
        let [height, width, channels] = self.fit.to();
        let [tall, wide] = patches.size;
        // The split in the upper bits: train and test never share a stream.
        let counter = (self.split as u64) << 56 | index as u64;
        let mut rng = stream(patches.seed, Purpose::Patches, counter);
        let top = below(&mut rng, (height - tall + 1) as u32) as usize;
        let left = below(&mut rng, (width - wide + 1) as u32) as usize;
        let row = wide * channels;
        for (y, out) in out.chunks_exact_mut(row).enumerate() {
            let start = ((top + y) * width + left) * channels;
            self.scale.apply(&pixels[start..start + row], out);
        }
    }

    /// Puts into `digest` what identifies this split: number, labels, a sample of the pictures.
    pub(super) fn add_to(&self, digest: &mut super::hash::Digest) -> Result<(), DataError> {
        const SAMPLES: usize = 32;
        digest.add(self.split.name().as_bytes());
        digest.add_number(self.chosen.len() as u64);
        for &label in self.labels.iter().flatten() {
            digest.add_number(u64::from(label));
        }
        let step = self.chosen.len().div_ceil(SAMPLES).max(1);
        for image in (0..self.chosen.len()).step_by(step) {
            digest.add(&self.raw(image)?);
        }
        Ok(())
    }
}

/// Fills a batch: `images` is N×H×W×C, `labels` has N places (`u32::MAX` where there is none).
/// Images are spread over the threads of the current rayon pool; the result is the same for any
/// number of them.
pub fn fill_batch(split: &SplitData, indices: &[u32], images: &mut [f32], labels: &mut [u32]) -> Result<(), DataError> {
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

fn check_buffer(expected: usize, found: usize) -> Result<(), DataError> {
    if expected == found { Ok(()) } else { Err(DataError::Buffer { expected, found }) }
}
