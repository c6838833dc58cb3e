//! What a run was trained with of `center` and `whiten`, as a file of the run: its network keeps seeing the same numbers
//! when other images are opened with it.

use super::tensor_file::{self, Blob};
use safetensors::tensor::Dtype;
use std::path::Path;
use strata_data::{Dataset, InputTransform, InputTransformParts};

/// The file's name in the run's folder.
pub(crate) const FILE: &str = "whitening.safetensors";
/// Its tensors: the mean image, the whitening and its inverse, both by column; the mean brightness.
const MATRICES: [&str; 3] = ["mean", "whitening", "inverse"];
const LEVEL: &str = "level";
const SIZE: &str = "numbers";

/// Writes it, where the dataset has one.
pub(crate) fn write(run: &Path, dataset: &Dataset) -> Result<(), String> {
    let Some(transform) = dataset.transform() else {
        return Ok(());
    };
    let InputTransformParts {
        size,
        level,
        whitening,
    } = transform.to_parts();
    let blob = |key: &str, values: Vec<f32>| {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        Blob::new(key, Dtype::F32, vec![values.len()], bytes.collect())
    };
    let mut blobs = vec![blob(SIZE, vec![size as f32])];
    blobs.extend(level.map(|level| blob(LEVEL, vec![level])));
    let matrices = MATRICES.iter().zip(whitening.into_iter().flatten());
    blobs.extend(matrices.map(|(key, values)| blob(key, values)));
    tensor_file::write(&run.join(FILE), blobs, None)
}

/// Gives it to the dataset of a run. A run without the file, of an earlier version for example, has what was fitted to
/// the images when they were opened.
pub(crate) fn read(run: &Path, dataset: &mut Dataset) -> Result<(), String> {
    let path = run.join(FILE);
    if dataset.transform().is_none() || !path.exists() {
        return Ok(());
    }
    let wrong = |reason: &str| {
        format!(
            "{}: {reason}; delete the file to fit the whitening anew",
            path.display()
        )
    };
    let (tensors, _) = tensor_file::read(&path).map_err(|reason| wrong(&reason))?;
    let numbers = |key: &str| tensors.get(key)?.flatten_all().ok()?.to_vec1::<f32>().ok();
    let first = |key: &str| numbers(key)?.first().copied();
    let [mean, forward, backward] = MATRICES.map(numbers);
    let whitening = match (mean, forward, backward) {
        (Some(mean), Some(forward), Some(backward)) => Some([mean, forward, backward]),
        _ => None,
    };
    let transform = InputTransform::from_parts(InputTransformParts {
        size: first(SIZE).unwrap_or(0.0) as usize,
        level: first(LEVEL),
        whitening,
    });
    match transform.map(|transform| dataset.use_transform(transform)) {
        Some(true) => Ok(()),
        Some(false) => Err(wrong("it is for images of another size")),
        None => Err(wrong("its numbers do not fit together")),
    }
}
