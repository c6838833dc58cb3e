//! Which labels the images of a batch have, where each may have several: as tensors beside the network's output.

use super::batch::Batch;
use crate::error::RunError;
use candle_core::{Device, Tensor};
use strata_data::SplitData;

/// The labels of a batch that is trained on.
pub(super) struct LabelRows {
    pub own: Tensor,
    /// As the images are blended.
    pub blended: Tensor,
    /// Labels of a row.
    pub answers: usize,
}

impl LabelRows {
    /// Those of a batch; `None` where each image has one class.
    pub fn of(batch: &Batch<'_>, output: &Tensor) -> Result<Option<LabelRows>, RunError> {
        let images = batch.labels.len();
        let own = tensor(batch.label_rows.to_vec(), images, output)?;
        let blended = tensor(batch.blended_label_rows(), images, output)?;
        Ok(own.zip(blended).map(|(own, blended)| LabelRows {
            own,
            blended,
            answers: batch.label_rows.len() / images.max(1),
        }))
    }
}

/// The rows of images of a split, of the type of an output.
pub(super) fn of_images(
    split: &SplitData,
    indices: &[u32],
    output: &Tensor,
) -> Result<Option<Tensor>, RunError> {
    let mut rows = Vec::new();
    split.push_label_rows(indices, &mut rows);
    tensor(rows, indices.len(), output)
}

fn tensor(rows: Vec<f32>, images: usize, output: &Tensor) -> Result<Option<Tensor>, RunError> {
    let labels = rows.len() / images.max(1);
    if labels == 0 {
        return Ok(None);
    }
    let rows = Tensor::from_vec(rows, (images, labels), &Device::Cpu)?;
    Ok(Some(rows.to_dtype(output.dtype())?))
}
