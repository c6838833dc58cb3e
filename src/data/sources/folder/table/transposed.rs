//! Whether images of a table or of IDX files lie column by column. Fails where the project says so of files that are
//! turned anyway.

use crate::error::DataError;
use crate::source::OpenRequest;
use std::path::Path;
use strata_core::project::help::Help;

/// Whether rows and columns are exchanged: where the project says so, and in EMNIST's files, known by their names.
pub(crate) fn is_transposed(ask: &mut OpenRequest, file: &Path) -> Result<bool, DataError> {
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    if name.starts_with("emnist") {
        if ask.spec.transpose {
            return Err(DataError::setting(
                "transpose",
                "the images of EMNIST's files are turned upright without it",
                Help::without("transpose"),
            ));
        }
        ask.told
            .note("EMNIST's files hold rows and columns exchanged: its images are turned upright");
        return Ok(true);
    }
    Ok(ask.spec.transpose)
}
