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

mod by_name;
mod common;
pub(crate) mod decode;
mod files;
pub(crate) mod flowers;
mod layout;
pub(crate) mod listing;
pub(crate) mod names;
mod quality;
pub(crate) mod sounds;
pub(crate) mod table;
pub(crate) mod walk;

use super::SourceReader;
use crate::Skipped;
use crate::download::Sum;
use crate::download::published::{Archive, Holds, Packed, Published};
use crate::error::DataError;
use crate::label_sets;
use crate::source::{OpenRequest, OpenedSource};
use crate::splits::split_assignment::{GivenSplit, SplitRules};
use files::{Decoded, Splits};
use foldhash::fast::FixedState;
use listing::{Entry, FolderKind, IMAGES, Listing};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use strata_core::project::data::Split;
pub(crate) use table::transposed;

/// The share held back for `test` where a folder has no such split.
const TEST_SHARE: f64 = 0.1;

/// Any folder of images.
pub(crate) static FOLDER: SourceReader = SourceReader {
    load: |ask| load(ask, |ask| listing::list(ask, &IMAGES), decode::decode),
    published: None,
};

/// EuroSAT.
pub(crate) static EUROSAT: SourceReader = SourceReader {
    load: |ask| {
        let kind = FolderKind {
            inner: &["EuroSAT_RGB", "2750"],
            ..IMAGES
        };
        load(ask, |ask| listing::list(ask, &kind), decode::decode)
    },
    published: Some(&EUROSAT_FILES),
};

static EUROSAT_FILES: Published = Published::Packed(Packed {
    at: &[
        "https://madm.dfki.de/files/sentinel/EuroSAT.zip",
        "https://huggingface.co/datasets/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
    ],
    bytes: 94_280_567,
    sum: Sum::md5("c8fa014336c82ac7804f0398fcb19387"),
    archive: Archive::Zip,
    most_bytes: 200_000_000,
    folder: "2750",
    holds: &[("", Holds::Images(27_000))],
});

/// Opens a source with a file for each image: `list` finds them, `decode` reads them.
pub(crate) fn load(
    ask: &mut OpenRequest,
    list: impl FnOnce(&mut OpenRequest) -> Result<Listing, DataError>,
    decode: impl FnOnce(&mut OpenRequest, Splits, &mut Vec<Skipped>) -> Result<Decoded, DataError>,
) -> Result<OpenedSource, DataError> {
    let Listing {
        classes,
        mut splits,
        mut skipped,
        has_splits,
    } = list(ask)?;
    let rules = SplitRules::new(ask.spec, ask.seed, (!has_splits).then_some(TEST_SHARE))?;
    let has_sets = classes.iter().any(|class| label_sets::is_set(class));
    splits = share_out(&rules, &splits, has_sets);
    for (_, entries) in &mut splits {
        take_turns(entries);
        entries.truncate(ask.spec.limit.unwrap_or(usize::MAX));
    }
    let Decoded { parts, span } = decode(ask, splits, &mut skipped)?;
    skipped.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(OpenedSource {
        classes,
        parts,
        skipped,
        span,
        holds_out: false,
    })
}

/// The first of every class, then the second of every class, and so on.
fn take_turns(entries: &mut [Entry]) {
    let mut seen: BTreeMap<Option<u32>, usize> = BTreeMap::new();
    let mut turns: HashMap<OsString, usize, FixedState> = HashMap::default();
    for entry in entries.iter() {
        let turn = seen.entry(entry.class).or_default();
        turns.insert(entry.path.as_os_str().to_owned(), *turn);
        *turn += 1;
    }
    // Looked up once for an entry.
    entries.sort_by_cached_key(|entry| (turns.get(entry.path.as_os_str()).copied(), entry.class));
}

/// The files of every split, given those of the folder's own.
fn share_out(
    rules: &SplitRules,
    splits: &[(Split, Vec<Entry>)],
    has_sets: bool,
) -> Vec<(Split, Vec<Entry>)> {
    // Of images with several labels shares are drawn at random: most of their sets are rare.
    let class = |entry: &Entry| entry.class.map(|class| if has_sets { 0 } else { class });
    let labels: Vec<Option<Vec<u32>>> = splits
        .iter()
        .map(|(_, entries)| entries.iter().map(class).collect())
        .collect();
    let given = splits
        .iter()
        .zip(&labels)
        .map(|((split, entries), labels)| GivenSplit {
            split: *split,
            len: entries.len(),
            labels: labels.as_deref(),
        });
    let shares = rules.share_out(&given.collect::<Vec<GivenSplit>>());
    let entry = |part: u32, place: u32, labelled: bool| -> Option<Entry> {
        let entry = splits.get(part as usize)?.1.get(place as usize)?;
        Some(Entry {
            class: entry.class.filter(|_| labelled),
            ..entry.clone()
        })
    };
    let files = |items: Vec<(u32, u32)>, labelled| {
        items
            .into_iter()
            .filter_map(|(part, place)| entry(part, place, labelled))
            .collect()
    };
    shares
        .into_iter()
        .map(|share| (share.split, files(share.items, share.labelled)))
        .collect()
}
