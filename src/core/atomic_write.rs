//! Writing files so that a crash leaves the old content or the new one, and nothing of anybody else's is lost.
//!
//! A symbolic link is followed, a file that its owner made read-only is refused, a new file has the permissions that
//! the user's umask gives. A process that is killed in between leaves a temporary file, which [`remove_abandoned`]
//! takes away.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

const TEMPORARY_PREFIX: &str = ".strata-";
/// Random characters after the prefix: what `tempfile` adds by default.
const TEMPORARY_RANDOM: usize = 6;
/// Links that lead to links: the system follows no more either.
const MOST_LINKS: usize = 40;

/// Writes bytes so that the file holds either its former content or all of the new one.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// The same for content that `write` produces piece by piece.
pub fn write_with(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    replace(path, write, true)
}

/// The same without waiting for the disk: a power cut may leave the file torn. For what a program can do without.
pub fn write_unsynced(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    replace(path, write, false)
}

fn replace(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
    waits_for_disk: bool,
) -> io::Result<()> {
    let target = followed(path)?;
    let former = match std::fs::metadata(&target) {
        Ok(former) => Some(former),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(former) = &former {
        check_writable(former)?;
        if !former.is_file() && !former.is_dir() {
            // A device or a pipe takes what is written; it can't be replaced by a file.
            return write(&mut OpenOptions::new().write(true).open(&target)?);
        }
    }
    let folder = folder_of(&target);
    let mut temporary = locked_temporary(folder)?;
    write(temporary.as_file_mut())?;
    if waits_for_disk {
        temporary.as_file().sync_all()?;
    }
    if let Some(former) = former {
        temporary.as_file().set_permissions(former.permissions())?;
    }
    temporary.persist(&target).map_err(|error| error.error)?;
    if !waits_for_disk {
        return Ok(());
    }
    // The rename itself survives a power cut only once the folder is on disk.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .or(Ok(()))
}

/// The same where the disk may be full: what has no room as a second file is written over the former one, which only a
/// crash at that moment could leave torn.
pub fn write_atomic_or_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = write_atomic(path, bytes);
    match &written {
        Err(error) if has_no_room(error) => write_over(path, bytes).or(written),
        Ok(()) | Err(_) => written,
    }
}

/// Whether a disk, or what a user may have of it, is full.
pub fn has_no_room(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}

/// Replaces the content of a file that is there without room for a second one.
fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let former = std::fs::metadata(path)?;
    check_writable(&former)?;
    write_in_place(path, former.len(), bytes)
}

/// Writes a file of the user's: as [`write_atomic`], but a file that has several names (hard links) keeps them all.
pub fn save_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = followed(path)?;
    match std::fs::metadata(&target) {
        Ok(former) if former.is_file() && has_other_names(&former) => {
            check_writable(&former)?;
            write_in_place(&target, former.len(), bytes)
        }
        _ => write_atomic(path, bytes),
    }
}

/// What is longer than the former content is written first: once there is room for it, the rest can't fail for want
/// of room.
fn write_in_place(path: &Path, former: u64, bytes: &[u8]) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};
    let mut file = OpenOptions::new().write(true).open(path)?;
    let tail = usize::try_from(former)
        .ok()
        .and_then(|former| bytes.get(former..));
    if let Some(tail) = tail {
        file.seek(SeekFrom::Start(former))?;
        if let Err(error) = file.write_all(tail) {
            file.set_len(former)?;
            return Err(error);
        }
        file.sync_all()?;
    }
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// Whether two paths are names of one file that is there.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let places = (one.canonicalize(), other.canonicalize());
    matches!(places, (Ok(one), Ok(other)) if one == other)
}

/// The file that is written in the end: links lead to it, also to one that is not there yet.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let is_link = std::fs::symlink_metadata(&path).is_ok_and(|about| about.is_symlink());
        let is_special =
            std::fs::metadata(&path).is_ok_and(|about| !about.is_file() && !about.is_dir());
        if !is_link || is_special {
            return Ok(path);
        }
        path = folder_of(&path).join(std::fs::read_link(&path)?);
    }
    Err(Error::other("its links lead in a circle"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A file could be replaced by another one even if it is read-only: the permissions of its folder decide.
fn check_writable(former: &Metadata) -> io::Result<()> {
    if former.is_file() && former.permissions().readonly() {
        let problem = "the file is read-only; give it write permission if it may be replaced";
        return Err(Error::new(ErrorKind::PermissionDenied, problem));
    }
    Ok(())
}

#[cfg(unix)]
fn has_other_names(about: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(about) > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &Metadata) -> bool {
    false
}

/// A temporary file that is locked while it is written: the lock ends with the process, so a file without one was left
/// behind. Where another process took it for such a file before it was locked, it is made again.
fn locked_temporary(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let temporary = temporary_in(folder)?;
        // Some network drives have no locks; nothing is taken away there.
        let is_locked = temporary.as_file().lock().is_ok();
        if !is_locked || temporary.path().exists() {
            return Ok(temporary);
        }
    }
}

/// The system takes from the usual permissions what the user's umask says.
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(TEMPORARY_PREFIX)
        .rand_bytes(TEMPORARY_RANDOM);
    // Made here, so that an error is the system's own: that of `tempfile` names the temporary file, of which nobody knows.
    builder.make_in(folder, |path| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o666);
        options.open(path)
    })
}

/// Removes from a folder the temporary files of processes that were killed while they wrote: those that [`write_atomic`]
/// names and that no process holds a lock on. Whatever else is there stays.
pub fn remove_abandoned(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && entry.file_name().to_str().is_some_and(is_temporary) {
            // A file that cannot be removed harms nothing; the next start tries again.
            remove_unlocked(&entry.path()).ok();
        }
    }
}

/// Whether a file's name is one that [`write_atomic`] gives while it writes.
pub fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY_PREFIX).is_some_and(|random| {
        random.len() == TEMPORARY_RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The lock is held until the file is gone, so that the writer of a file made just now sees that it is.
fn remove_unlocked(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.try_lock()?;
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_files_that_no_process_writes_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let live = locked_temporary(folder.path()).unwrap();
        let foreign = [
            ".strata-notes",
            ".strata-abc.de",
            "strata-AbC123",
            ".tmpAbC123",
            "p.toml",
        ];
        let abandoned = [".strata-AbC123", ".strata-000000"];
        for name in foreign.iter().chain(&abandoned) {
            std::fs::write(path(name), "x").unwrap();
        }
        std::fs::create_dir(path(".strata-folder")).unwrap();
        remove_abandoned(folder.path());
        assert!(foreign.iter().all(|name| path(name).exists()));
        assert!(abandoned.iter().all(|name| !path(name).exists()));
        assert!(path(".strata-folder").exists() && live.path().exists());
        remove_abandoned(&path("not there"));
    }

    #[test]
    fn an_error_is_the_systems_and_names_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomic(&folder.path().join("not there/file"), b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!error.to_string().contains(TEMPORARY_PREFIX), "{error}");
    }

    #[test]
    fn what_is_written_while_others_clean_up_arrives() {
        let folder = tempfile::tempdir().unwrap();
        let is_done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                    remove_abandoned(folder.path());
                }
            });
            for number in 0..300 {
                let path = folder.path().join(format!("{number}.toml"));
                let written = write_atomic(&path, b"x");
                assert!(written.is_ok() && path.exists(), "{number}: {written:?}");
            }
            is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    #[cfg(unix)]
    mod unix {
        use super::*;
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

        fn mode(path: &Path) -> u32 {
            std::fs::metadata(path).unwrap().mode() & 0o777
        }

        #[test]
        fn links_are_followed_and_stay_links() {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            std::fs::write(path("real"), "old").unwrap();
            symlink("real", path("link")).unwrap();
            symlink("link", path("again")).unwrap();
            symlink("not there yet", path("ahead")).unwrap();
            symlink("circle", path("circle")).unwrap();
            for write in [write_atomic, save_over] {
                write(&path("again"), b"new").unwrap();
                write(&path("ahead"), b"new").unwrap();
                assert!(write(&path("circle"), b"new").is_err());
            }
            assert_eq!(std::fs::read(path("real")).unwrap(), b"new");
            assert_eq!(std::fs::read(path("not there yet")).unwrap(), b"new");
            assert!(path("again").is_symlink() && path("link").is_symlink());
        }

        #[test]
        fn other_names_of_a_users_file_stay_names_of_it() {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            std::fs::write(path("one"), "something long").unwrap();
            std::fs::hard_link(path("one"), path("two")).unwrap();
            for text in ["short", "something much longer than it was", ""] {
                save_over(&path("one"), text.as_bytes()).unwrap();
                assert_eq!(std::fs::read_to_string(path("two")).unwrap(), text);
            }
            write_atomic(&path("one"), b"a checkpoint").unwrap();
            assert_eq!(
                std::fs::read(path("two")).unwrap(),
                b"",
                "a backup of hard links stays as it was"
            );
        }

        #[test]
        fn what_is_read_only_is_refused_and_modes_are_kept() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("p");
            std::fs::write(&path, "old").unwrap();
            for (bits, fits) in [(0o640, true), (0o444, false)] {
                std::fs::set_permissions(&path, PermissionsExt::from_mode(bits)).unwrap();
                let saved = save_over(&path, b"new");
                assert_eq!(saved.is_ok(), fits, "{saved:?}");
                assert_eq!(mode(&path), bits);
            }
            let error = write_atomic(&path, b"newer").unwrap_err().to_string();
            assert!(error.contains("read-only"), "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), b"new");
        }

        #[test]
        fn a_new_file_has_the_mode_that_the_system_gives() {
            let folder = tempfile::tempdir().unwrap();
            let [usual, own] = ["usual", "own"].map(|name| folder.path().join(name));
            std::fs::write(&usual, "").unwrap();
            write_atomic(&own, b"").unwrap();
            assert_eq!(mode(&own), mode(&usual));
        }

        #[test]
        fn devices_are_written_to_and_stay_devices() {
            write_atomic(Path::new("/dev/null"), b"x").unwrap();
            assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
            assert!(write_atomic(Path::new("/dev/full"), b"x").is_err());
        }
    }
}
