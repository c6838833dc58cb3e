//! Whether what trains in a followed folder still lives. Times of files say little: they are of the clock of another
//! machine, or of a copy. What counts is when this process last saw a file change, by its own clock.

use crate::storage::run_folder::is_in_training;
use std::path::Path;
use std::time::{Duration, Instant};

/// A run in which nothing has changed for so long is told of: it may be dead, slow, or copied here seldom.
const SILENCE: Duration = Duration::from_secs(30);
/// After so long it is followed no further.
const GIVE_UP: Duration = Duration::from_secs(15 * 60);

/// What was seen of a run.
#[derive(Debug)]
pub(super) struct Signs {
    /// When a file was last seen to change, or the folder could not be reached.
    last: Instant,
    /// Its process had the lock, on this machine.
    was_locked: bool,
    /// What was told of its silence.
    told: Option<Told>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Silent,
    Unreachable,
}

/// What is to be told now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Lives,
    /// A sentence, once.
    Warn(String),
    /// Why it is followed no further.
    Dead(String),
}

impl Signs {
    pub fn new() -> Signs {
        Signs {
            last: Instant::now(),
            was_locked: false,
            told: None,
        }
    }

    /// A file has changed.
    pub fn seen(&mut self) {
        (self.last, self.told) = (Instant::now(), None);
    }

    /// The folder is not there: a network drive that is away for a while. That is no silence of the run.
    pub fn unreachable(&mut self, run: &Path) -> Verdict {
        self.last = Instant::now();
        if self.told.replace(Told::Unreachable) == Some(Told::Unreachable) {
            return Verdict::Lives;
        }
        Verdict::Warn(format!(
            "{} cannot be reached now: what was trained meanwhile is shown when it is there again",
            run.display()
        ))
    }

    /// What to make of a run whose record says that it is in progress.
    pub fn judge(&mut self, run: &Path, is_paused: bool) -> Verdict {
        if is_in_training(run) {
            self.was_locked = true;
            return Verdict::Lives;
        }
        let folder = run.display();
        if self.was_locked {
            return Verdict::Dead(format!(
                "what trained in {folder} has ended without a word: it was killed, or the machine failed"
            ));
        }
        let silence = self.last.elapsed();
        if is_paused || silence < SILENCE {
            return Verdict::Lives;
        }
        if silence >= GIVE_UP {
            return Verdict::Dead(format!(
                "Nothing was written into {folder} for {} minutes: what trained there seems to have died",
                GIVE_UP.as_secs() / 60
            ));
        }
        if self.told.is_some() {
            return Verdict::Lives;
        }
        self.told = Some(Told::Silent);
        Verdict::Warn(format!(
            "Nothing was written into {folder} for {} seconds: what trains there is slow, seldom copied here, or dead; \
             it is followed on",
            SILENCE.as_secs()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ago(seconds: u64) -> Signs {
        Signs {
            last: Instant::now()
                .checked_sub(Duration::from_secs(seconds))
                .unwrap(),
            ..Signs::new()
        }
    }

    #[test]
    fn silence_is_told_once_and_ends_after_long() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        assert_eq!(ago(5).judge(run, false), Verdict::Lives);
        let mut silent = ago(40);
        assert!(
            matches!(silent.judge(run, false), Verdict::Warn(text) if text.contains("30 seconds"))
        );
        assert_eq!(silent.judge(run, false), Verdict::Lives);
        silent.seen();
        assert_eq!(silent.judge(run, false), Verdict::Lives);
        assert!(
            matches!(ago(2000).judge(run, false), Verdict::Dead(text) if text.contains("15 minutes"))
        );
        assert_eq!(
            ago(2000).judge(run, true),
            Verdict::Lives,
            "a pause may last"
        );
    }

    #[test]
    fn a_lock_that_became_free_is_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let lock = std::fs::File::create(folder.path().join(".lock")).unwrap();
        lock.lock().unwrap();
        let mut signs = ago(2000);
        assert_eq!(signs.judge(folder.path(), false), Verdict::Lives);
        drop(lock);
        assert!(
            matches!(signs.judge(folder.path(), false), Verdict::Dead(text) if text.contains("killed"))
        );
    }

    #[test]
    fn a_folder_that_is_away_is_told_once_and_is_no_silence() {
        let run = Path::new("/none/run");
        let mut signs = ago(2000);
        assert!(
            matches!(signs.unreachable(run), Verdict::Warn(text) if text.contains("cannot be reached"))
        );
        assert_eq!(signs.unreachable(run), Verdict::Lives);
        assert_eq!(signs.judge(run, false), Verdict::Lives);
    }
}
