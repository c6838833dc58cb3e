//! Volumes are read as images of their slices one below the other: settings that move pixels within an image would mix
//! slices, and are refused.

use crate::error::DataError;
use strata_core::project::data::DataSpec;

/// Fails on a setting that is for images alone.
pub(crate) fn check(spec: &DataSpec, depth: usize) -> Result<(), DataError> {
    let given = [
        ("resize", spec.resize.is_some()),
        ("patch", spec.patches.is_some()),
        ("center", spec.center.is_some()),
        ("whiten", spec.whiten.is_some()),
        ("augment", spec.use_augment && !spec.augment.is_empty()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((key, _)) => Err(DataError::setting(
            key,
            format!("it is for images, and these are volumes of {depth} slices"),
            "delete the line, or change the volumes before they are saved",
        )),
        None => Ok(()),
    }
}
