//! The pictures that a run leaves with each epoch, as the window shows them while it trains.

use crate::storage::tensor_file;
use candle_core::Tensor;
use std::path::Path;
use strata_core::project::Project;
use strata_inspect::reconstructions::Reconstructions;

/// The pictures of a file; `None` where it is not there whole.
pub(super) fn pictures(
    file: &Path,
    project: Option<&Project>,
    step: u64,
) -> Option<Reconstructions> {
    let (tensors, _) = tensor_file::read(file).ok()?;
    let (inputs, outputs) = (tensors.get("inputs")?, tensors.get("outputs")?);
    let (_, height, width, channels) = inputs.dims4().ok()?;
    let mse: Vec<f32> = tensors.get("mse")?.to_vec1().ok()?;
    let bytes = |tensor: &Tensor| tensor.flatten_all().ok()?.to_vec1::<u8>().ok();
    let mean_mse = mse.iter().sum::<f32>() / mse.len().max(1) as f32;
    let range = project.and_then(|project| project.data.range);
    let peak = range.map_or(1.0, |[black, white]| white - black);
    Some(Reconstructions {
        step,
        height,
        width,
        channels,
        inputs: bytes(inputs)?,
        slice: None,
        outputs: bytes(outputs)?,
        mse,
        mean_mse,
        psnr: 10.0 * (peak * peak / mean_mse).log10(),
        outside: 0.0,
        since: None,
    })
}
