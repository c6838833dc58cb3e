//! CIFAR's files for Python: a pickled dictionary of `data` (one row of 3,072 bytes an image) and
//! labels. Fails on a pickle that holds anything else, and on rows or labels that do not agree.

use super::{Batch, Format, MOST_RECORDS, PIXELS, add};
use crate::error::DataError;
use crate::formats::bytes::{DOWNLOAD_AGAIN, Input};
use crate::formats::pickle::{Array, Pickle};
use crate::source::OpenRequest;
use std::path::Path;
use strata_core::format;

/// CIFAR-100's training file has 155 million bytes; one written anew in an old protocol has more.
const MOST_BYTES: u64 = 1 << 30;

pub(crate) fn read(
    ask: &mut OpenRequest,
    path: &Path,
    format: Format,
    batch: &mut Batch,
) -> Result<(), DataError> {
    let fail = |problem: String| {
        let help =
            format!("check that this is the dataset's version for Python, or {DOWNLOAD_AGAIN}");
        DataError::malformed(path, problem, help)
    };
    let bytes = Input::open(path)?.read_up_to(ask, MOST_BYTES + 1)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(fail(format!(
            "the file has more than {} bytes",
            format::count(MOST_BYTES)
        )));
    }
    let pickle = Pickle::read(&bytes)
        .map_err(|problem| fail(format!("the pickle cannot be read: {problem}")))?;
    let (pixels, labels) = contents(&pickle, format).map_err(fail)?;
    for (position, (pixels, label)) in pixels.chunks_exact(PIXELS).zip(labels).enumerate() {
        add(path, format, batch, position, label, pixels)?;
    }
    Ok(())
}

fn contents<'a>(pickle: &'a Pickle, format: Format) -> Result<(&'a [u8], Vec<i64>), String> {
    let Some(keys) = pickle.keys() else {
        return Err("the pickle holds no dictionary".to_string());
    };
    let missing = |key: &str| {
        format!(
            "the pickle has no usable '{key}' (it has {})",
            keys.join(", ")
        )
    };
    let (array, pixels) = pickle
        .get("data")
        .and_then(|id| pickle.array(id))
        .ok_or_else(|| missing("data"))?;
    check_data(array)?;
    let labels = pickle
        .get(format.key)
        .and_then(|id| pickle.numbers(id))
        .ok_or_else(|| missing(format.key))?;
    let images = pixels.len() / PIXELS;
    if labels.len() != images {
        return Err(format!(
            "{} labels for {} images",
            format::count(labels.len() as u64),
            format::count(images as u64)
        ));
    }
    Ok((pixels, labels))
}

fn check_data(array: &Array) -> Result<(), String> {
    let rows = matches!(
        array.shape[..],
        [1..=MOST_RECORDS, PIXELS] | [1..=MOST_RECORDS, 3, super::SIDE, super::SIDE]
    );
    if rows && array.element.is_byte() && !array.by_column {
        return Ok(());
    }
    Err(format!(
        "'data' is an array of the shape {:?}, not rows of {} bytes",
        array.shape,
        format::count(PIXELS as u64)
    ))
}
