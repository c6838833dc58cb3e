//! The log file: `strata.log` of at most [`LIMIT`] bytes, and the one before it as `strata.log.1`.
//!
//! Every Strata of a user writes to the same file. It is opened for appending for each batch of lines and closed
//! again, so that lines of several processes never overwrite each other and none of them holds a file that
//! another has moved away. Moving it away needs the lock on `strata.log.lock`, and the size is looked at again
//! under that lock: of two processes that both see a full file, one moves it. A process that does not get the
//! lock at once writes on and leaves the moving to the other.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes after which a new file is begun.
const LIMIT: u64 = 1_000_000;
/// Bytes at a file's end that are looked through for its last lines.
const TAIL: u64 = 1 << 17;

/// The files in one folder. Nothing is made before the first line is written.
#[derive(Clone, Debug)]
pub struct LogFile {
    path: PathBuf,
    limit: u64,
}

impl LogFile {
    /// In this folder.
    pub fn new(folder: &Path) -> LogFile {
        LogFile {
            path: folder.join("strata.log"),
            limit: LIMIT,
        }
    }

    /// Where the newest lines are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the lines before them are.
    pub fn former(&self) -> PathBuf {
        self.path.with_added_extension("1")
    }

    /// Adds whole lines with their ends.
    pub fn append(&self, lines: &str) -> io::Result<()> {
        if self.is_full(lines.len()) {
            self.rotate(lines.len())?;
        }
        self.open()?.write_all(lines.as_bytes())
    }

    /// At most so many of the last lines of both files, oldest first.
    pub(crate) fn last_lines(&self, most: usize) -> io::Result<Vec<String>> {
        let mut lines = tail(&self.path)?;
        if lines.len() < most {
            // There may be no former file, and its lines are only an addition.
            let mut all = tail(&self.former()).unwrap_or_default();
            all.append(&mut lines);
            lines = all;
        }
        lines.drain(..lines.len().saturating_sub(most));
        Ok(lines)
    }

    fn is_full(&self, more: usize) -> bool {
        std::fs::metadata(&self.path)
            .is_ok_and(|file| file.len() > 0 && file.len() + more as u64 > self.limit)
    }

    fn rotate(&self, more: usize) -> io::Result<()> {
        let lock = File::create(self.path.with_added_extension("lock"))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(()),
            // Some network drives have no locks; the file must stay bounded there too.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        if self.is_full(more) {
            std::fs::rename(&self.path, self.former())?;
        }
        Ok(())
    }

    fn open(&self) -> io::Result<File> {
        let open = || {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.path)
        };
        match (open(), self.path.parent()) {
            (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(folder)?;
                open()
            }
            (result, _) => result,
        }
    }
}

/// The last lines of a file, without one that is cut at the front.
fn tail(path: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let cut = usize::from(start > 0);
    Ok(text.lines().skip(cut).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(folder: &Path, limit: u64) -> LogFile {
        LogFile {
            limit,
            ..LogFile::new(folder)
        }
    }

    fn size(path: &Path) -> u64 {
        std::fs::metadata(path).map_or(0, |file| file.len())
    }

    #[test]
    fn a_full_file_becomes_the_former_one_and_both_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let log = small(&folder.path().join("state/strata"), 100);
        for number in 0..100 {
            log.append(&format!("line {number:03}\n")).unwrap();
            assert!(size(log.path()) <= 100 && size(&log.former()) <= 100);
        }
        assert_eq!(
            log.last_lines(3).unwrap(),
            ["line 097", "line 098", "line 099"]
        );
        let all = log.last_lines(1000).unwrap();
        assert!(all.len() > 11, "of both files: {all:?}");
        assert!(all.is_sorted() && all.last().unwrap() == "line 099");
    }

    #[test]
    fn a_batch_above_the_limit_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let log = small(folder.path(), 10);
        log.append("a line of more than ten bytes\n").unwrap();
        log.append("another one of that length\n").unwrap();
        assert_eq!(log.last_lines(9).unwrap().len(), 2);
    }

    #[test]
    fn several_writers_lose_nothing_and_mix_no_lines() {
        let folder = tempfile::tempdir().unwrap();
        let (writers, each) = (6, 300);
        // The limit is such that the files are moved once at most: what is moved twice is gone on purpose.
        let log = small(folder.path(), 30_000);
        std::thread::scope(|scope| {
            for writer in 0..writers {
                let log = log.clone();
                scope.spawn(move || {
                    for number in 0..each {
                        log.append(&format!("writer {writer} line {number:04}\n"))
                            .unwrap();
                    }
                });
            }
        });
        assert!(log.former().exists(), "it was moved on the way");
        let mut lines = log.last_lines(usize::MAX).unwrap();
        lines.sort();
        let expected = (0..writers)
            .flat_map(|writer| (0..each).map(move |n| format!("writer {writer} line {n:04}")));
        assert_eq!(lines, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_process_that_moves_the_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let log = small(folder.path(), 10);
        log.append("one\n").unwrap();
        let lock = File::create(folder.path().join("strata.log.lock")).unwrap();
        lock.lock().unwrap();
        log.append("two and three\n").unwrap();
        assert!(!log.former().exists());
        drop(lock);
        log.append("four\n").unwrap();
        assert_eq!(log.last_lines(9).unwrap(), ["one", "two and three", "four"]);
        assert_eq!(size(log.path()), 5);
    }

    #[test]
    fn only_the_end_of_a_large_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogFile::new(folder.path());
        let long = "x".repeat(TAIL as usize);
        log.append(&format!("first\n{long}\nlast\n")).unwrap();
        assert_eq!(log.last_lines(9).unwrap(), ["last"]);
    }

    #[test]
    fn a_folder_that_cannot_be_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let log = LogFile::new(&folder.path().join("file/strata"));
        assert!(log.append("a\n").is_err() && log.last_lines(1).is_err());
    }
}
