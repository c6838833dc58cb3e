//! Free space on a disk. Where the system does not tell, nothing is refused beforehand.

use std::path::Path;

/// Bytes that may still be written into a folder; `None` where that is not known.
#[cfg(unix)]
pub(crate) fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes that may still be written into a folder; `None` where that is not known.
#[cfg(not(unix))]
pub(crate) fn free(_: &Path) -> Option<u64> {
    None
}
