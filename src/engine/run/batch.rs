//! Batches: images of a split as one tensor on the device, with their labels.

use crate::error::RunError;
use candle_core::{DType, Device, Tensor};
use strata_data::loader::{Blended, LoadedBatch};
use strata_data::{DataError, SplitData, fill_batch};
use strata_nn::device::{has_own_kernels, stand_in};
use strata_nn::ops::storage::{Buffer, fill};

/// Buffers that are used again from batch to batch.
#[derive(Debug)]
pub struct Batcher {
    device: Device,
    /// On the CPU images are read to where the network finds them.
    images: Buffer,
    /// Elsewhere they are read here and copied.
    host: Vec<f32>,
    labels: Vec<u32>,
}

/// The newest batch.
pub struct Batch<'a> {
    /// N×H×W×C.
    pub images: Tensor,
    /// One for each image; `u32::MAX` where there is none.
    pub labels: &'a [u32],
    /// Where images have several labels each, a row for each image: 1 for a label that it has, else 0.
    pub label_rows: &'a [f32],
    /// The images blended in (mixup).
    pub blend: Option<&'a Blended>,
}

impl Batch<'_> {
    /// The rows of labels as images are blended: each image with the one before it.
    pub fn blended_label_rows(&self) -> Vec<f32> {
        let mut rows = self.label_rows.to_vec();
        let Some(Blended { share, .. }) = self.blend else {
            return rows;
        };
        let by = rows.len() / self.labels.len().max(1);
        rows.rotate_right(by);
        let pairs = rows.iter_mut().zip(self.label_rows);
        pairs.for_each(|(row, own)| *row = share * own + (1.0 - share) * *row);
        rows
    }
}

/// Copies images to a device.
fn upload(images: &[f32], dims: [usize; 4], device: &Device) -> Result<Tensor, RunError> {
    stand_in::upload()?;
    Ok(Tensor::from_slice(images, &dims, device)?)
}

impl Batcher {
    /// Makes batches for this device.
    pub fn new(device: &Device) -> Batcher {
        Batcher {
            device: device.clone(),
            images: Buffer::default(),
            host: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Takes over a batch that was made ahead: N×H×W×C of this shape.
    pub fn take(
        &mut self,
        [height, width, channels]: [usize; 3],
        batch: &LoadedBatch,
    ) -> Result<Tensor, RunError> {
        let dims = [batch.labels.len(), height, width, channels];
        if !has_own_kernels(&self.device) {
            return upload(&batch.images, dims, &self.device);
        }
        let images = self
            .images
            .get(&dims, &Tensor::zeros(1, DType::F32, &self.device)?)?;
        fill::<f32>(&images, |images| images.copy_from_slice(&batch.images))?;
        Ok(images)
    }

    /// Makes a batch of so many images of this shape (height, width, channels) with a function that writes their
    /// numbers. Overwrites the batch before.
    pub fn make(
        &mut self,
        count: usize,
        [height, width, channels]: [usize; 3],
        write: impl FnOnce(&mut [f32]) -> Result<(), DataError>,
    ) -> Result<Tensor, RunError> {
        let dims = [count, height, width, channels];
        if !has_own_kernels(&self.device) {
            self.host.resize(dims.iter().product(), 0.0);
            write(&mut self.host)?;
            return upload(&self.host, dims, &self.device);
        }
        let images = self
            .images
            .get(&dims, &Tensor::zeros(1, DType::F32, &self.device)?)?;
        let mut written = Ok(());
        fill::<f32>(&images, |images| written = write(images))?;
        written?;
        Ok(images)
    }

    /// Reads the images of these indices. Overwrites the batch before.
    pub fn read(&mut self, split: &SplitData, indices: &[u32]) -> Result<Batch<'_>, RunError> {
        let mut labels = std::mem::take(&mut self.labels);
        labels.resize(indices.len(), u32::MAX);
        let images = self.make(indices.len(), split.image_shape(), |images| {
            fill_batch(split, indices, images, &mut labels)
        })?;
        self.labels = labels;
        Ok(Batch {
            images,
            labels: &self.labels,
            label_rows: &[],
            blend: None,
        })
    }
}
