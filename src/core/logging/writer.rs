//! The thread that writes lines to the file, so that neither a frame nor a training step waits for a disk.
//!
//! Lines wait in a queue. When it is full, because the disk does not answer, new lines are counted instead, and
//! the count is written once there is room again.

use super::file::LogFile;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Lines that may wait.
const QUEUE: usize = 4096;
/// Bytes written at once, but for a last line that is longer.
const BATCH: usize = 1 << 16;
/// How long the end of the program waits for its last lines.
const PATIENCE: Duration = Duration::from_secs(1);

enum Job {
    Line(String),
    /// To be answered when all lines before it are written.
    Flush(Sender<()>),
}

/// The thread's front.
#[derive(Debug)]
pub struct Writer {
    jobs: Sender<Job>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    lost: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl Shared {
    fn set_failure(&self, failure: Option<String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

impl Writer {
    /// Starts the thread.
    pub fn start(file: LogFile) -> std::io::Result<Writer> {
        let (jobs, work) = bounded(QUEUE);
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("strata-log".to_owned())
            .spawn(move || serve(&work, &file, &of_thread))?;
        Ok(Writer { jobs, shared })
    }

    /// Writes a line, soon; never waits.
    pub fn write(&self, line: String) {
        if self.jobs.try_send(Job::Line(line)).is_err() {
            self.shared.lost.fetch_add(1, Relaxed);
        }
    }

    /// Waits until everything so far is written, though not for long.
    pub fn flush(&self) {
        let (done, written) = bounded(1);
        if self.jobs.send_timeout(Job::Flush(done), PATIENCE).is_ok() {
            // A disk that takes longer, or a thread that is gone, must not keep the program from ending.
            written.recv_timeout(PATIENCE).ok();
        }
    }

    /// Why the last batch could not be written.
    pub fn failure(&self) -> Option<String> {
        let failure = self.shared.failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(work: &Receiver<Job>, file: &LogFile, shared: &Shared) {
    while let Ok(first) = work.recv() {
        let mut lines = String::new();
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Line(line) => lines.extend([line.as_str(), "\n"]),
                Job::Flush(done) => waiting.push(done),
            }
            next = (lines.len() < BATCH)
                .then(|| work.try_recv().ok())
                .flatten();
        }
        let lost = shared.lost.swap(0, Relaxed);
        if lost > 0 {
            lines.extend([format!("({lost} lines were lost: the disk was too slow)\n")]);
        }
        if !lines.is_empty() {
            let written = file.append(&lines);
            shared.set_failure(written.err().map(|error| error.to_string()));
        }
        for done in waiting {
            // Who asked may have stopped waiting.
            done.send(()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_on_the_disk_after_a_flush() {
        let folder = tempfile::tempdir().unwrap();
        let file = LogFile::new(folder.path());
        let writer = Writer::start(file.clone()).unwrap();
        for number in 0..1000 {
            writer.write(number.to_string());
        }
        writer.flush();
        let lines = file.last_lines(usize::MAX).unwrap();
        assert_eq!((lines.len(), lines[999].as_str()), (1000, "999"));
        assert_eq!(writer.failure(), None);
    }

    #[test]
    fn lost_lines_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let file = LogFile::new(folder.path());
        let writer = Writer::start(file.clone()).unwrap();
        writer.shared.lost.store(7, Relaxed);
        writer.write("next".to_owned());
        writer.flush();
        let lines = file.last_lines(9).unwrap();
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("(7 lines were lost"))
        );
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_reported_until_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("strata");
        std::fs::write(&in_the_way, "").unwrap();
        let writer = Writer::start(LogFile::new(&in_the_way)).unwrap();
        writer.write("one".to_owned());
        writer.flush();
        assert!(writer.failure().is_some());
        std::fs::remove_file(&in_the_way).unwrap();
        writer.write("two".to_owned());
        writer.flush();
        assert_eq!(writer.failure(), None);
        assert!(in_the_way.join("strata.log").is_file());
    }
}
