//! Files are replaced in one step: a temporary file beside the target, a sync, a rename. A crash leaves the former file
//! or the new one; a process that is killed in between leaves a temporary file, which [`remove_abandoned`] takes away.

use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;

const TEMPORARY_PREFIX: &str = ".strata-";
/// Random characters after the prefix: what `tempfile` adds unless told otherwise.
const TEMPORARY_RANDOM: usize = 6;

/// Writes bytes so that the file holds either its former content or all of the new one.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut temporary = locked_temporary(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    share(temporary.as_file(), path)?;
    temporary.persist(path).map_err(|error| error.error)?;
    // The rename itself survives a power cut only once the folder is on disk.
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .or(Ok(()))
}

/// A temporary file that is locked while it is written: the lock ends with the process, so a file without one was left
/// behind. Where another process took it for such a file before it was locked, it is made again.
fn locked_temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    loop {
        let temporary = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .rand_bytes(TEMPORARY_RANDOM)
            .tempfile_in(folder)?;
        // Some network drives have no locks; nothing is taken away there.
        let is_locked = temporary.as_file().lock().is_ok();
        if !is_locked || temporary.path().exists() {
            return Ok(temporary);
        }
    }
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

fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY_PREFIX).is_some_and(|random| {
        random.len() == TEMPORARY_RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The lock is held until the file is gone, so that the writer of a file made just now sees that it is.
fn remove_unlocked(path: &Path) -> std::io::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).open(path)?;
    file.try_lock()?;
    std::fs::remove_file(path)
}

/// A temporary file is private to its owner; the finished one keeps the former file's mode or gets the usual one.
#[cfg(unix)]
fn share(file: &std::fs::File, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_or(0o644, |meta| meta.permissions().mode() & 0o777);
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn share(_: &std::fs::File, _: &Path) -> std::io::Result<()> {
    Ok(())
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
}
