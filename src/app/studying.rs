//! The runs of a project that has several: where each stands, and which of them are being trained one after the other.

use super::wake::Wake;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use strata_core::project::Project;
use strata_study::Plan;

/// One thing done with the runs of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRuns {
    /// Shows the settings of this run, counted from 0, or (`None`) what all runs share.
    Show(Option<usize>),
    /// Trains all that are not done, then compares them.
    TrainAll,
    /// Goes on to the next one, now that one has ended.
    Next,
    /// Ends the training of the one on its way, and of those behind it.
    Stop,
    /// Compares those that are done.
    Compare,
}

/// Where the runs stand.
#[derive(Debug, Default)]
pub struct Studying {
    /// All runs in the order in which they are trained; empty of an ordinary project.
    pub plan: Plan,
    /// Why there is no plan.
    pub failed: Option<String>,
    /// What the plan is of.
    pub(super) of: Option<Project>,
    /// The training of several runs one after the other.
    pub(super) queue: Option<Queue>,
    /// Whether the one on its way has ended.
    pub(super) is_next_due: bool,
    /// Whether the comparison that is made is to be written.
    pub(super) page: Option<PageWanted>,
    /// The author's own words for the report, and of which project file; none before they were looked for.
    pub(super) words: Option<(PathBuf, String)>,
}

/// Where a comparison of the runs is to be written, and what wakes the window once it is.
pub(super) struct PageWanted {
    pub file: PathBuf,
    pub wake: Wake,
}

impl std::fmt::Debug for PageWanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PageWanted").field(&self.file).finish()
    }
}

/// Runs that are trained one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Queue {
    /// The run of the file that is wanted; all where there is none.
    pub only: Option<Vec<usize>>,
    /// The names of those that were begun.
    pub tried: BTreeSet<String>,
    /// The one on its way.
    pub now: Option<String>,
    /// Whether its baseline was made.
    pub is_made: bool,
}

impl Studying {
    /// The author's own words for the report of a project file.
    pub fn words(&self, file: &Path) -> Option<&str> {
        let (of, words) = self.words.as_ref()?;
        (of == file).then_some(words.as_str())
    }

    /// Whether runs are trained one after the other.
    pub fn is_training(&self) -> bool {
        self.queue.is_some()
    }

    /// The one that is being trained.
    pub fn now(&self) -> Option<&str> {
        self.queue.as_ref()?.now.as_deref()
    }
}
