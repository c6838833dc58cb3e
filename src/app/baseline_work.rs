//! Baselines on their way: where their news come, and what wakes the window then.

use super::wake::Wake;
use std::sync::Arc;
use strata_baselines::task::{BaselineTask, News};
use strata_data::Progress;

/// The baselines on their way, and what wakes the window then.
#[derive(Default)]
pub struct BaselineWork(pub(super) Option<(BaselineTask, Wake)>);

impl BaselineWork {
    /// How far they are; nothing while none is made.
    pub fn progress(&self) -> Option<Option<Arc<Progress>>> {
        self.0.as_ref().map(|(task, _)| task.progress())
    }

    pub(super) fn news(&self) -> Option<(News, Wake)> {
        let (task, wake) = self.0.as_ref()?;
        Some((task.news()?, wake.clone()))
    }

    /// Whether they were cancelled and the thread has yet to notice.
    pub fn is_ending(&self) -> bool {
        self.0.as_ref().is_some_and(|(task, _)| task.is_ending())
    }
}
