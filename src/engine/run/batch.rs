//! Batches: images of a split as one tensor on the device, with their labels.

use crate::error::RunError;
use candle_core::{DType, Device, Tensor};
use strata_data::loader::LoadedBatch;
use strata_data::{SplitData, fill_batch};
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
        if !self.device.is_cpu() {
            return Ok(Tensor::from_slice(&batch.images, &dims, &self.device)?);
        }
        let images = self
            .images
            .get(&dims, &Tensor::zeros(1, DType::F32, &self.device)?)?;
        fill::<f32>(&images, |images| images.copy_from_slice(&batch.images))?;
        Ok(images)
    }

    /// Reads the images of these indices. Overwrites the batch before.
    pub fn read(&mut self, split: &SplitData, indices: &[u32]) -> Result<Batch<'_>, RunError> {
        let [height, width, channels] = split.image_shape();
        let dims = [indices.len(), height, width, channels];
        self.labels.resize(indices.len(), u32::MAX);
        if self.device.is_cpu() {
            let images = self
                .images
                .get(&dims, &Tensor::zeros(1, DType::F32, &self.device)?)?;
            let mut filled = Ok(());
            fill::<f32>(&images, |images| {
                filled = fill_batch(split, indices, images, &mut self.labels)
            })?;
            filled?;
            return Ok(Batch {
                images,
                labels: &self.labels,
            });
        }
        self.host.resize(dims.iter().product(), 0.0);
        fill_batch(split, indices, &mut self.host, &mut self.labels)?;
        let images = Tensor::from_slice(&self.host, &dims, &self.device)?;
        Ok(Batch {
            images,
            labels: &self.labels,
        })
    }
}
