//! ImageNet shrunk to 8, 16, 32 or 64 pixels: pickles called `train_data_batch_1` to `…_10` and `val_data`, with rows of
//! bytes in `data` and numbers from 1 in `labels`. Fails on a pickle that holds anything else.

use super::matlab::Content;
use crate::error::DataError;
use crate::formats::bytes::{DOWNLOAD_AGAIN, Input};
use crate::formats::pickle::Pickle;
use crate::formats::rows::Rows;
use crate::source::{OpenRequest, RawImage};
use std::path::{Path, PathBuf};
use strata_core::system_memory;

const MOST_BYTES: u64 = 4 << 30;

/// The pickles that a path names: itself, or those in the folder.
pub(super) fn files(path: &Path) -> Vec<PathBuf> {
    let is_one = |path: &PathBuf| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let rest = name.strip_prefix("train_data_batch_");
        let is_batch = rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        (is_batch || name == "val_data") && path.is_file()
    };
    let mut files: Vec<PathBuf> = match path.is_dir() {
        true => {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect()
        }
        false => vec![path.to_path_buf()],
    };
    files.retain(is_one);
    files.sort();
    files
}

/// The images of one pickle.
pub(super) fn read(ask: &mut OpenRequest, file: &Path) -> Result<Content, DataError> {
    let bytes = Input::open(file)?.read_up_to(ask, MOST_BYTES)?;
    content(ask, &bytes).map_err(|problem| DataError::malformed(file, problem, DOWNLOAD_AGAIN))
}

fn content(ask: &OpenRequest, bytes: &[u8]) -> Result<Content, String> {
    let pickle =
        Pickle::read(bytes).map_err(|problem| format!("the pickle cannot be read: {problem}"))?;
    let data = pickle.get("data").and_then(|id| pickle.array(id));
    let (array, values) = data.ok_or("the pickle has no usable 'data'")?;
    let [images, length] = array.shape[..] else {
        return Err(format!("'data' is {:?} and no rows of pixels", array.shape));
    };
    if !array.element.is_byte() || array.by_column || values.len() != images.saturating_mul(length)
    {
        return Err("'data' holds no rows of bytes".to_owned());
    }
    let labels = pickle.get("labels").and_then(|id| pickle.numbers(id));
    let labels = labels.ok_or("the pickle has no usable 'labels'")?;
    if labels.len() != images {
        return Err(format!("{} labels for {images} images", labels.len()));
    }
    system_memory::check_large(values.len() as u64)?;
    let rows = Rows::new(
        RawImage::Bytes(values.to_vec()),
        length,
        ask.spec.shape.as_ref(),
        ask.spec.transpose,
    )?;
    Ok(Content {
        rows,
        labels: Some(labels.iter().map(ToString::to_string).collect()),
    })
}
