//! Unpacking an archive that a person has, to a folder beside it. It grows under a name of its own, which says of which
//! archive, and gets the folder's name when all of it is there: what was begun is never taken for whole, and the next
//! try goes on from there.

use super::contents::{Contents, reason};
use super::error::ArchiveError;
use super::extract::{self, Job, is_whole};
use super::stem;
use crate::disk_space;
use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use strata_core::files::open_regular;

/// Room on the disk that is left for others.
const SPARED: u64 = 64 << 20;
/// A file takes up to so much more than its bytes.
const BLOCK: u64 = 4096;
/// An archive that unpacks to more than this, and to more than [`MOST_TIMES`] its own size, floods the disk.
const FLOOD: u64 = 4 << 30;
/// Pictures, tables and arrays become smaller by less.
const MOST_TIMES: u64 = 200;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The folder.
    pub folder: PathBuf,
    /// What was in the way and incomplete, under its new name.
    pub set_aside: Option<PathBuf>,
}

/// The folder that an archive is unpacked to: beside it, with its name.
pub fn folder_beside(archive: &Path) -> PathBuf {
    archive.with_file_name(stem(archive))
}

/// Whether all of an archive lies in the folder beside it.
pub fn is_unpacked(contents: &Contents) -> bool {
    let folder = folder_beside(&contents.archive);
    let mut members = contents.members.iter();
    folder.is_dir() && members.all(|member| is_whole(&folder.join(&member.path), member.bytes))
}

/// Unpacks an archive beside itself, unless all of it is there already. `go_on` is told of the bytes unpacked and of
/// those in all, and ends the work with false.
pub fn unpack(
    contents: &Contents,
    go_on: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Unpacked, ArchiveError> {
    let archive = contents.archive.as_path();
    let folder = folder_beside(archive);
    if is_unpacked(contents) {
        return Ok(Unpacked {
            folder,
            set_aside: None,
        });
    }
    let _lock = lock(archive)?;
    check_flood(contents)?;
    let growing = growing(archive)?;
    forget_others(archive, &growing);
    check_room(contents, &growing)?;
    fs::create_dir_all(&growing).map_err(|cause| ArchiveError::write(&growing, cause))?;
    let total = contents.bytes();
    let job = Job {
        archive,
        kind: contents.kind,
        most_files: usize::MAX,
        most_bytes: total,
        leaves_out: &|entry| reason(entry).is_some(),
        resumes: true,
    };
    extract::extract(&job, &growing, &mut |bytes, _| go_on(bytes, total))?;
    let failed = |cause| ArchiveError::write(&folder, cause);
    let set_aside = set_aside(&folder).map_err(failed)?;
    fs::rename(&growing, &folder).map_err(failed)?;
    Ok(Unpacked { folder, set_aside })
}

/// Held while the archive is unpacked. Where the disk knows no locks, nobody is kept out.
fn lock(archive: &Path) -> Result<File, ArchiveError> {
    let file = open_regular(archive).map_err(|cause| ArchiveError::read(archive, cause))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(ArchiveError::Busy {
            archive: archive.to_path_buf(),
        }),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn check_flood(contents: &Contents) -> Result<(), ArchiveError> {
    let packed = fs::metadata(&contents.archive).map_or(u64::MAX, |about| about.len());
    let bytes = contents.bytes();
    if bytes <= FLOOD.max(packed.saturating_mul(MOST_TIMES)) {
        return Ok(());
    }
    Err(ArchiveError::refused(
        &contents.archive,
        format!("it unpacks to {bytes} bytes, more than {MOST_TIMES} times its own size"),
        "unpack it with another program if you trust it, and point path at the folder",
    ))
}

/// Checks the disk before the first byte is written.
fn check_room(contents: &Contents, growing: &Path) -> Result<(), ArchiveError> {
    let above = growing
        .parent()
        .filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or(Path::new("."));
    let missing = contents
        .members
        .iter()
        .filter(|member| !is_whole(&growing.join(&member.path), member.bytes));
    let needed = missing.fold(0u64, |sum, member| {
        sum.saturating_add(member.bytes).saturating_add(BLOCK)
    });
    match disk_space::free(above) {
        Some(free) if free < needed.saturating_add(SPARED) => Err(ArchiveError::DiskFull {
            folder: above.to_path_buf(),
            needed,
            free,
        }),
        _ => Ok(()),
    }
}

fn prefix(archive: &Path) -> String {
    format!(".{}.unpacking-", stem(archive))
}

/// The folder while it grows: another one for another archive of the same name.
fn growing(archive: &Path) -> Result<PathBuf, ArchiveError> {
    let about = fs::metadata(archive).map_err(|cause| ArchiveError::read(archive, cause))?;
    let changed = about.modified().ok();
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let mut hasher = foldhash::fast::FixedState::with_seed(0).build_hasher();
    hasher.write_u64(about.len());
    hasher.write_u128(changed.map_or(0, |time| time.as_nanos()));
    let mark = format!("{}{:016x}", prefix(archive), hasher.finish());
    Ok(archive.with_file_name(mark))
}

/// Removes what was begun of a former archive of this name. What cannot be removed stays, and harms nothing.
fn forget_others(archive: &Path, growing: &Path) {
    let above = growing
        .parent()
        .filter(|above| !above.as_os_str().is_empty());
    let prefix = prefix(archive);
    let entries = fs::read_dir(above.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_begun = name.to_str().is_some_and(|name| {
            name.strip_prefix(&prefix).is_some_and(|mark| {
                mark.len() == 16 && mark.bytes().all(|at| at.is_ascii_hexdigit())
            })
        });
        if is_begun && Some(name.as_os_str()) != growing.file_name() {
            let removed = fs::remove_dir_all(entry.path());
            removed.unwrap_or_else(|error| {
                log::warn!("{} cannot be removed: {error}", entry.path().display());
            });
        }
    }
}

/// Gives what is at this place another name, if there is anything; which one.
pub(crate) fn set_aside(place: &Path) -> std::io::Result<Option<PathBuf>> {
    if place.symlink_metadata().is_err() {
        return Ok(None);
    }
    let aside = free_name(place);
    fs::rename(place, &aside)?;
    Ok(Some(aside))
}

fn free_name(place: &Path) -> PathBuf {
    let name = |number: u32| place.with_added_extension(format!("old{number}"));
    (1..)
        .map(name)
        .find(|path| path.symlink_metadata().is_err())
        .unwrap_or_else(|| name(0))
}
