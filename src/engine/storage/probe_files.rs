//! The files of a stage's probe images: one an epoch at first, fewer as a training grows long, so that they never fill
//! a disk. Which are kept depends only on the epoch, so that a resumed run has the same.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A stage has at most so many, and the newest.
const MOST: u32 = 100;

/// The files of one stage.
pub(crate) struct ProbeFiles<'a> {
    /// The run's folder.
    pub run: &'a Path,
    /// The stage's index.
    pub stage: usize,
}

impl ProbeFiles<'_> {
    /// The file of an epoch, counted from 1.
    pub fn of(&self, epoch: u32) -> PathBuf {
        let name = format!("stage-{}-epoch-{epoch:04}.safetensors", self.stage + 1);
        self.run.join("probe").join(name)
    }

    /// Removes what is too much now that there is the file of this epoch.
    pub fn thin(&self, epoch: u32) {
        let (now, before) = (stride(epoch), stride(epoch.saturating_sub(1)));
        let first = if now > before {
            1
        } else {
            epoch.saturating_sub(1)
        };
        for old in (first.max(1)..epoch).filter(|old| (old - 1) % now != 0) {
            let file = self.of(old);
            // One that stays harms nothing but the space it takes.
            if let Err(error) = std::fs::remove_file(&file)
                && error.kind() != ErrorKind::NotFound
            {
                log::warn!("{} could not be removed: {error}", file.display());
            }
        }
    }
}

/// Epochs from one file that stays to the next: a power of two.
fn stride(epochs: u32) -> u32 {
    epochs
        .div_ceil(MOST)
        .max(1)
        .checked_next_power_of_two()
        .unwrap_or(1 << 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_never_many_and_a_resumed_run_has_the_same() {
        let run = tempfile::tempdir().unwrap();
        std::fs::create_dir(run.path().join("probe")).unwrap();
        let files = ProbeFiles {
            run: run.path(),
            stage: 0,
        };
        let names = || -> BTreeSet<PathBuf> {
            let entries = std::fs::read_dir(run.path().join("probe")).unwrap();
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        let epochs = |from: u32, to: u32| {
            for epoch in from..=to {
                std::fs::write(files.of(epoch), "").unwrap();
                files.thin(epoch);
            }
        };
        epochs(1, 100);
        assert_eq!(names().len(), 100);
        epochs(101, 1000);
        let whole = names();
        assert!((60..=101).contains(&whole.len()), "{}", whole.len());
        assert!(whole.contains(&files.of(1)) && whole.contains(&files.of(1000)));
        // As after a death in an epoch whose file was written: it comes once more.
        epochs(1000, 1000);
        assert_eq!(names(), whole);
    }
}
