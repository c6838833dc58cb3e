//! What is compared in the window, and what came of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_compare::Comparison;
use strata_compare::task::CompareTask;
use strata_data::Progress;

/// Runs and baselines that are compared at once, at most: more have no room side by side.
pub const MOST: usize = 8;

/// What is compared, and what came of it.
#[derive(Debug, Default)]
pub struct Comparing {
    /// The folders that are chosen for the next comparison.
    pub chosen: BTreeSet<PathBuf>,
    /// The comparison that is shown.
    pub shown: Option<Arc<Comparison>>,
    /// Why the last one failed.
    pub failed: Option<String>,
    pub(super) task: Option<CompareTask>,
}

impl Comparing {
    /// How far it is; nothing while none is made.
    pub fn progress(&self) -> Option<Option<Arc<Progress>>> {
        self.task.as_ref().map(CompareTask::progress)
    }

    /// Forgets what is chosen, shown and being compared: it is of another project.
    pub(super) fn forget(&mut self) {
        *self = Comparing::default();
    }

    /// Chooses a folder, or takes it out.
    pub(super) fn choose(&mut self, folder: &Path, is_chosen: bool) {
        if is_chosen {
            self.chosen.insert(folder.to_owned());
        } else {
            self.chosen.remove(folder);
        }
    }

    /// Whether what is shown is of what is chosen.
    pub fn is_of_chosen(&self) -> bool {
        let shown = self.shown.iter().flat_map(|shown| &shown.entries);
        let shown: BTreeSet<&PathBuf> = shown.map(|entry| &entry.path).collect();
        shown == self.chosen.iter().collect()
    }
}
