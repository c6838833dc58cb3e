//! Folders of images or recordings: one folder a class, with `train` and `test` above them or without;
//! EuroSAT and Oxford's 17 flowers are such folders with their own habits, and a CSV file is a
//! list of images that may lie anywhere.
//!
//! All files are decoded when the dataset is opened, so a broken one is known, left out and
//! reported before training starts. Fails when more than half are broken, and when the images differ in
//! size and the project does not say which size to scale them to.
//!
//! The order is the first image of every class by name, then the second of every class, and so
//! on: any first part, as `limit` takes it, has all classes.

mod decode;
mod listing;
mod sounds;
mod table;
mod walk;

use super::carve::{self, For};
use super::error::DataError;
use super::source::{Ask, BYTES, Loaded};
use crate::project::data::{Source, Split};
use listing::{Entry, Listing};
use std::collections::BTreeMap;

/// The share held back for `test` where a folder has no such split.
const TEST_SHARE: f64 = 0.1;

pub(super) fn load(ask: &mut Ask) -> Result<Loaded, DataError> {
    let Listing { classes, mut splits, mut skipped, has_splits } = match ask.spec.source {
        Source::Csv => table::list(ask)?,
        _ => listing::list(ask)?,
    };
    if !has_splits {
        carve_from_train(&mut splits, Split::Test, TEST_SHARE, ask.seed, For::Test);
    }
    let share = carve::share(ask.spec.valid)?;
    carve_from_train(&mut splits, Split::Valid, share, ask.seed, For::Valid);
    for (_, entries) in &mut splits {
        take_turns(entries);
        entries.truncate(ask.spec.limit.unwrap_or(usize::MAX));
    }
    let (parts, span) = match ask.spec.source {
        Source::Wav => sounds::decode(ask, splits, &mut skipped)?,
        _ => (decode::decode(ask, splits, &mut skipped)?, BYTES),
    };
    skipped.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(Loaded { classes, parts, skipped, carve: false, span })
}

/// The first of every class, then the second of every class, and so on.
fn take_turns(entries: &mut [Entry]) {
    let mut seen: BTreeMap<Option<u32>, usize> = BTreeMap::new();
    let mut turns = BTreeMap::new();
    for entry in entries.iter() {
        let turn = seen.entry(entry.class).or_default();
        turns.insert(entry.path.clone(), *turn);
        *turn += 1;
    }
    entries.sort_by_key(|entry| (turns.get(&entry.path).copied(), entry.class));
}

fn carve_from_train(splits: &mut Vec<(Split, Vec<Entry>)>, to: Split, share: f64, seed: u64, what: For) {
    if splits.iter().any(|(split, _)| *split == to) {
        return;
    }
    let Some((_, train)) = splits.iter_mut().find(|(split, _)| *split == Split::Train) else {
        return;
    };
    let labels: Option<Vec<u32>> = train.iter().map(|entry| entry.class).collect();
    let (kept, held) = carve::carve(train.len(), labels.as_deref(), share, seed, what);
    let pick = |positions: &[u32], from: &[Entry]| -> Vec<Entry> {
        positions.iter().filter_map(|&position| from.get(position as usize).cloned()).collect()
    };
    let held = pick(&held, train);
    *train = pick(&kept, train);
    splits.push((to, held));
}
