//! Batches: images of a split as one tensor on the device, with their labels.

use super::error::RunError;
use crate::data::{SplitData, fill_batch};
use candle_core::{Device, Tensor};

/// Buffers that are used again from batch to batch.
#[derive(Debug)]
pub(super) struct Batcher {
    device: Device,
    images: Vec<f32>,
    labels: Vec<u32>,
}

/// The newest batch.
pub(super) struct Batch<'a> {
    /// N×H×W×C.
    pub images: Tensor,
    /// One for each image; `u32::MAX` where there is none.
    pub labels: &'a [u32],
}

impl Batcher {
    pub fn new(device: &Device) -> Batcher {
        Batcher { device: device.clone(), images: Vec::new(), labels: Vec::new() }
    }

    /// Reads the images of these indices.
    pub fn read(&mut self, split: &SplitData, indices: &[u32]) -> Result<Batch<'_>, RunError> {
        let [height, width, channels] = split.image_shape();
        self.images.resize(indices.len() * height * width * channels, 0.0);
        self.labels.resize(indices.len(), u32::MAX);
        fill_batch(split, indices, &mut self.images, &mut self.labels)?;
        let images = Tensor::from_slice(&self.images, (indices.len(), height, width, channels), &self.device)?;
        Ok(Batch { images, labels: &self.labels })
    }
}
