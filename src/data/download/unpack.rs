//! A downloaded archive, unpacked into a folder of its own beside its place, checked there and then moved; what fails
//! leaves nothing behind.

use super::error::DownloadError;
use super::published::{Archive, Held};
use super::survey::lacking;
use crate::archive::extract::{self, extract};
use crate::archive::set_aside;
use std::fs;
use std::path::{Path, PathBuf};

/// More files than any of the datasets has.
const MOST_FILES: usize = 60_000;

/// An archive to unpack.
pub(super) struct Job<'a> {
    pub archive: &'a Path,
    pub kind: Archive,
    pub most_bytes: u64,
    pub holds: &'a [Held],
}

/// Unpacks into `folder`; gives the folders that were in the way, under their new names. `go_on` is told of the bytes
/// of the archive that were gone through, and of those in all.
pub(super) fn unpack(
    job: &Job,
    folder: &Path,
    go_on: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Vec<PathBuf>, DownloadError> {
    let temporary = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(folder);
    let temporary = temporary.map_err(|cause| DownloadError::write(folder, cause))?;
    let total = fs::metadata(job.archive).map_or(0, |about| about.len());
    let whole = extract::Job {
        archive: job.archive,
        kind: job.kind,
        most_files: MOST_FILES,
        most_bytes: job.most_bytes,
        leaves_out: &|_| false,
        resumes: false,
    };
    extract(&whole, temporary.path(), &mut |_, done| {
        go_on(done.min(total), total)
    })?;
    if let Some(lacks) = lacking(job.holds, temporary.path()) {
        return Err(DownloadError::archive(
            job.archive,
            format!("it is not the archive that was expected: {lacks}"),
        ));
    }
    move_into(temporary.path(), folder)
}

/// Moves what is in one folder into another. What has the same name there is somebody's, and incomplete:
/// it gets another name instead of being written over.
fn move_into(from: &Path, to: &Path) -> Result<Vec<PathBuf>, DownloadError> {
    let failed = |cause| DownloadError::write(to, cause);
    let mut aside = Vec::new();
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let place = to.join(entry.file_name());
        aside.extend(set_aside(&place).map_err(failed)?);
        fs::rename(entry.path(), &place).map_err(failed)?;
    }
    aside.sort();
    Ok(aside)
}
