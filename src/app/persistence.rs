//! Saves what should outlive the window: how it looks, the arrangement of the views, what was opened
//! lately, and edits that no file holds.

use super::arrangements::Arrangements;
use super::messages::Weight;
use super::placement::Placement;
use super::recent::Recents;
use super::recovery::{self, Recovery};
use super::remembered::Remembered;
use super::state::{Closing, State};
use super::store::{self, Damaged, Store};
use std::path::Path;
use std::time::{Duration, Instant};

const VIEWS: &str = "views.json";
const RECENT: &str = "recent.json";
const WINDOW: &str = "window.json";
/// Settings of the window rest so long before they are written: a window on its way to fill the screen
/// has sizes that the user did not choose.
pub const REST: Duration = Duration::from_secs(1);

/// Writes what has changed since it was last written.
pub struct Persistence {
    store: Store,
    arrangements: Arrangements,
    recents: Recents,
    recovery: Recovery,
    /// The numbers of the files that are still offered.
    offered: Vec<u32>,
    placement: Placement,
    /// The text of the window's settings as it was last read or written.
    settings: String,
    /// The text that they have now, and since when.
    changed: Option<(String, Instant)>,
}

impl Persistence {
    /// Takes what was kept into the state.
    pub fn new(mut store: Store, state: &mut State) -> Persistence {
        let placement = restore(&mut store, state);
        let (recovery, left) = Recovery::new(&store);
        if !left.is_empty() {
            log::warn!("{} earlier windows left unsaved edits behind", left.len());
        }
        let offered = left.iter().map(|unsaved| unsaved.number).collect();
        state.unsaved = left;
        Persistence {
            store,
            arrangements: state.arrangements.clone(),
            recents: state.recents.clone(),
            recovery,
            offered,
            placement,
            settings: Remembered::of(state, placement).to_text(),
            changed: None,
        }
    }

    /// Where the window was when its settings were last written.
    pub fn placement(&self) -> Placement {
        self.placement
    }

    /// Writes what is new; while something is dragged the looks of the window wait. The time until
    /// there is more to do.
    pub fn keep(
        &mut self,
        state: &State,
        placement: Placement,
        dragging: bool,
    ) -> Option<Duration> {
        if !dragging && self.arrangements != state.arrangements {
            self.arrangements = state.arrangements.clone();
            self.store.write(VIEWS, self.arrangements.to_text());
        }
        if self.recents != state.recents {
            self.recents = state.recents.clone();
            self.store.write(RECENT, self.recents.to_text());
        }
        self.answered(state);
        if state.is_ended && state.is_unsaved() {
            self.recovery.keep_now(&self.store, state.edited());
        }
        if state.closing == Closing::Now {
            self.close(state, placement);
            if !(state.is_ended && state.is_unsaved()) {
                self.recovery.clear(&self.store);
            }
            return None;
        }
        let rest = self.keep_settings(state, placement, dragging);
        if !state.is_unsaved() {
            self.recovery.clear(&self.store);
            return rest;
        }
        let edits = self.recovery.keep(&self.store, state.edited());
        [rest, edits].into_iter().flatten().min()
    }

    /// Writes the window's settings once they have rested.
    fn keep_settings(
        &mut self,
        state: &State,
        placement: Placement,
        dragging: bool,
    ) -> Option<Duration> {
        if !self.store.keeps() {
            return None;
        }
        let text = Remembered::of(state, placement).to_text();
        if text == self.settings {
            self.changed = None;
            return None;
        }
        let since = match &self.changed {
            Some((seen, since)) if *seen == text && !dragging => *since,
            _ => Instant::now(),
        };
        let rested = since.elapsed();
        self.changed = Some((text, since));
        if rested < REST {
            return Some(REST - rested);
        }
        self.placement = placement;
        self.write_settings();
        None
    }

    fn write_settings(&mut self) {
        if let Some((text, _)) = self.changed.take() {
            self.store.write(WINDOW, text.clone());
            self.settings = text;
        }
    }

    /// Of two windows the last one closed is the one that comes back, whatever the other has written.
    fn close(&mut self, state: &State, placement: Placement) {
        self.changed = None;
        self.settings = Remembered::of(state, placement).to_text();
        self.store.write(WINDOW, self.settings.clone());
        self.arrangements = state.arrangements.clone();
        self.store.write(VIEWS, self.arrangements.to_text());
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
            self.recovery.write(&self.store, state.edited());
        }
        gone.into_iter()
            .for_each(|number| recovery::remove(&self.store, number));
    }

    /// What could not be kept, in words.
    pub fn failure(&self) -> Option<String> {
        self.store.failure()
    }
}

/// A program that ends without being asked keeps what has not rested yet.
impl Drop for Persistence {
    fn drop(&mut self) {
        self.write_settings();
    }
}

/// Where the window was when it was last open, for the time before it is; the [`Persistence`] then reads the
/// file again and reports what is wrong with it.
pub fn last_placement(folder: Option<&Path>) -> Placement {
    let text = folder.and_then(|folder| store::read_text(&folder.join(WINDOW)).ok()?);
    let remembered = text.and_then(|text| Remembered::from_text(&text).ok());
    remembered.unwrap_or_default().window
}

/// Takes the files into the state; where the window was.
fn restore(store: &mut Store, state: &mut State) -> Placement {
    let mut damaged = Vec::new();
    if let Some(arrangements) = taken(store.load(VIEWS, Arrangements::from_text), &mut damaged) {
        state.arrangements = arrangements;
    }
    let recents = taken(store.load(RECENT, Recents::from_text), &mut damaged);
    state.recents = recents.unwrap_or_default();
    state.recents.check();
    let remembered = taken(store.load(WINDOW, Remembered::from_text), &mut damaged);
    if let Some(text) = message(&damaged) {
        state.messages.add(Weight::Warning, text);
    }
    let Some(remembered) = remembered else {
        return Placement::default();
    };
    let placement = remembered.window;
    remembered.restore(state);
    placement
}

fn taken<T>(loaded: Result<Option<T>, Damaged>, damaged: &mut Vec<Damaged>) -> Option<T> {
    loaded.unwrap_or_else(|file| {
        damaged.push(file);
        None
    })
}

/// One message for all files that could not be used.
fn message(damaged: &[Damaged]) -> Option<String> {
    let of = |damaged: &Damaged| {
        let (file, reason) = (damaged.file.display(), &damaged.reason);
        match &damaged.set_aside {
            Ok(now) => format!(
                "{file} cannot be read ({reason}): it was set aside, unchanged, as {}, and the defaults are used",
                now.display()
            ),
            Err(error) => format!(
                "{file} cannot be read ({reason}) nor set aside ({error}): the defaults are used, and nothing is written to it until you move it away",
            ),
        }
    };
    let lines: Vec<String> = damaged.iter().map(of).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
