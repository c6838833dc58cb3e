//! Keeps what should outlive the window: the arrangement of the views, what was opened lately, and
//! edits that no file holds.

use super::arrangement::Arrangements;
use super::recent::Recents;
use super::recovery::{self, Recovery};
use super::state::{Closing, State};
use super::store::Store;
use std::time::Duration;

const VIEWS: &str = "views.json";
const RECENT: &str = "recent.json";

/// Writes what has changed since it was last written.
pub struct Keeper {
    store: Store,
    arrangements: Arrangements,
    recents: Recents,
    recovery: Recovery,
    /// The numbers of the files that are still offered.
    offered: Vec<u32>,
}

impl Keeper {
    /// Takes what was kept into the state.
    pub fn new(store: Store, state: &mut State) -> Keeper {
        if let Some(text) = store.read(VIEWS) {
            state.arrangements = Arrangements::from_text(&text).unwrap_or_else(|| {
                log::warn!("{VIEWS} cannot be understood; the views are arranged as usual");
                Arrangements::default()
            });
        }
        state.recents = store
            .read(RECENT)
            .map(|text| Recents::from_text(&text))
            .unwrap_or_default();
        state.recents.check();
        let (recovery, left) = Recovery::new(&store);
        if !left.is_empty() {
            log::warn!("{} earlier windows left unsaved edits behind", left.len());
        }
        let offered = left.iter().map(|unsaved| unsaved.number).collect();
        state.unsaved = left;
        let (arrangements, recents) = (state.arrangements.clone(), state.recents.clone());
        Keeper {
            store,
            arrangements,
            recents,
            recovery,
            offered,
        }
    }

    /// Writes what is new; while something is dragged the arrangement waits. The time until there is
    /// more to do.
    pub fn keep(&mut self, state: &State, dragging: bool) -> Option<Duration> {
        if !dragging && self.arrangements != state.arrangements {
            self.arrangements = state.arrangements.clone();
            self.store.write(VIEWS, self.arrangements.to_text());
        }
        if self.recents != state.recents {
            self.recents = state.recents.clone();
            self.store.write(RECENT, self.recents.to_text());
        }
        self.answered(state);
        if !state.is_unsaved() || state.closing == Closing::Now {
            self.recovery.clear(&self.store);
            return None;
        }
        self.recovery
            .keep(&self.store, state.project(), state.file.as_deref())
    }

    /// What was recovered is kept under the own number before the former file goes.
    fn answered(&mut self, state: &State) {
        let still = |number: &u32| {
            state
                .unsaved
                .iter()
                .any(|unsaved| unsaved.number == *number)
        };
        let (offered, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut self.offered)
            .into_iter()
            .partition(still);
        self.offered = offered;
        if !gone.is_empty() && state.is_unsaved() {
            self.recovery
                .write(&self.store, state.project(), state.file.as_deref());
        }
        gone.into_iter()
            .for_each(|number| recovery::remove(&self.store, number));
    }

    /// What could not be kept, in words.
    pub fn failure(&self) -> Option<String> {
        self.store.failure()
    }
}
