//! What to say of an HDF5 file that the library does not read, or cannot.

use crate::error::DataError;
use crate::formats::bytes::DOWNLOAD_AGAIN;
use hdf5_pure::{Error, FormatError};
use std::path::Path;

/// The error of `what` in a file, with what helps.
pub(super) fn refused(path: &Path, what: &str, error: &Error) -> DataError {
    let problem = format!("{what} cannot be read ({error})");
    if is_of_another_kind(error) {
        let help = format!(
            "store it otherwise with these lines of Python:\n{}",
            python(path)
        );
        return DataError::malformed(path, problem, help);
    }
    DataError::malformed(path, problem, DOWNLOAD_AGAIN)
}

/// Whether a file may be whole and is only stored in a way that is not read: a version of one of its parts that the
/// library does not know, or a part that it has no reader for.
fn is_of_another_kind(error: &Error) -> bool {
    use FormatError::*;
    let Error::Format(error) = error else {
        return false;
    };
    matches!(
        error,
        UnsupportedVersion(_)
            | InvalidObjectHeaderVersion(_)
            | UnsupportedMessage(_)
            | InvalidDatatypeVersion { .. }
            | UnsupportedFileSpaceInfoVersion(_)
            | InvalidDataspaceVersion(_)
            | InvalidLayoutVersion(_)
            | InvalidLocalHeapVersion(_)
            | InvalidSymbolTableNodeVersion(_)
            | InvalidLinkVersion(_)
            | InvalidLinkInfoVersion(_)
            | InvalidBTreeV2Version(_)
            | InvalidFractalHeapVersion(_)
            | UnsupportedFilteredHeapObject
            | UnsupportedVirtualLayout
            | UnsupportedExternalStorage
            | InvalidAttributeVersion(_)
            | InvalidAttributeInfoVersion(_)
            | InvalidSharedMessageVersion(_)
            | UnsupportedSohmReference
            | InvalidSohmTableVersion(_)
            | InvalidGlobalHeapVersion(_)
            | InvalidFilterPipelineVersion(_)
            | UnsupportedFilter(_)
            | UnsupportedZfp(_)
            | UnsupportedFillValueVersion(_)
    )
}

/// Lines that write the same arrays as HDF5's first versions have them.
fn python(path: &Path) -> String {
    let text = |path: &Path| path.display().to_string().replace('\\', "/");
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!("{stem}_plain.h5"));
    format!(
        "import h5py  # pip install h5py\n\
         with h5py.File(\"{}\") as f, h5py.File(\"{}\", \"w\") as g:\n    \
         f.visititems(lambda n, d: g.create_dataset(n, data=d[()]) and None if isinstance(d, h5py.Dataset) else None)",
        text(path),
        text(&new)
    )
}
