//! Which Parquet files a path names, and the split of each, by names alone. Fails where there is none, and on several
//! configurations of a data set.

use crate::Skipped;
use crate::error::DataError;
use crate::source::OpenRequest;
use crate::sources::folder::names;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use strata_core::project::data::Split;

/// Folders of files are looked for so deep: `data`, a configuration, a split.
const DEEPEST: usize = 3;
const MOST_FILES: usize = 20_000;

/// A file, and the split that its rows belong to.
pub(super) struct Shard {
    pub path: PathBuf,
    pub split: Split,
}

pub(super) struct Found {
    pub shards: Vec<Shard>,
    pub skipped: Vec<Skipped>,
}

/// Whether a name is that of a Parquet file.
pub(crate) fn is_named_like_one(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ending.eq_ignore_ascii_case("parquet") && !names::is_hidden(path)
}

/// A file with what its name and its folders say.
struct Named {
    path: PathBuf,
    split: Option<Split>,
    /// The folders above it that name no split.
    configuration: String,
}

/// The files that a path names.
pub(super) fn find(ask: &mut OpenRequest) -> Result<Found, DataError> {
    let root = ask.folder.clone();
    if !root.is_dir() {
        let split = split_of(&root).unwrap_or(Split::Train);
        let shards = vec![Shard {
            path: root.clone(),
            split,
        }];
        tell_of_others(ask, &root);
        return Ok(Found {
            shards,
            skipped: Vec::new(),
        });
    }
    let mut named = Vec::new();
    walk(ask, &root, &mut Vec::new(), &mut named)?;
    let configurations: BTreeSet<&str> =
        named.iter().map(|one| one.configuration.as_str()).collect();
    if configurations.len() > 1 {
        return Err(several(&root, &configurations));
    }
    if named.is_empty() {
        return Err(nothing(&root));
    }
    let has_splits = named.iter().any(|one| one.split.is_some());
    let mut found = Found {
        shards: Vec::new(),
        skipped: Vec::new(),
    };
    for one in named {
        match one.split {
            None if has_splits => found.skipped.push(Skipped {
                file: one.path,
                reason: "its name says no split, as those of the others do".to_owned(),
            }),
            split => found.shards.push(Shard {
                path: one.path,
                split: split.unwrap_or(Split::Train),
            }),
        }
    }
    Ok(found)
}

pub(super) fn nothing(root: &Path) -> DataError {
    DataError::malformed(
        root,
        "there is no .parquet file in it or in the folders below it",
        "point path at the folder of the files, such as train-00000-of-00001.parquet",
    )
}

fn several(root: &Path, configurations: &BTreeSet<&str>) -> DataError {
    let names: Vec<String> = configurations
        .iter()
        .map(|name| {
            if name.is_empty() {
                ".".to_owned()
            } else {
                (*name).to_owned()
            }
        })
        .collect();
    let problem = format!(
        "it holds several configurations ({})",
        names::some_of(&names, 6)
    );
    let last = names.last().map_or("", String::as_str);
    let help = format!(
        "point path at one of them, {} for example",
        root.join(last).display()
    );
    DataError::malformed(root, problem, help)
}

fn walk(
    ask: &mut OpenRequest,
    folder: &Path,
    above: &mut Vec<String>,
    named: &mut Vec<Named>,
) -> Result<(), DataError> {
    ask.still()?;
    let entries =
        std::fs::read_dir(folder).map_err(|cause| DataError::unreadable(folder, cause))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if named.len() == MOST_FILES || names::is_hidden(&path) {
            continue;
        }
        let is_folder = path.is_dir();
        if is_folder && above.len() < DEEPEST {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            above.push(name.into_owned());
            walk(ask, &path, above, named)?;
            above.pop();
        } else if !is_folder && is_named_like_one(&path) {
            let is_split = |name: &&String| names::split_in_name(name).is_some();
            let of_folder = above.iter().rev().find(is_split);
            let of_folder = of_folder.and_then(|name| names::split_in_name(name));
            let folders = above.iter().filter(|name| !is_split(name));
            let folders = folders.filter(|name| *name != "data").cloned();
            named.push(Named {
                split: split_of(&path).or(of_folder),
                configuration: folders.collect::<Vec<String>>().join("/"),
                path,
            });
        }
    }
    Ok(())
}

/// `train-00000-of-00004.parquet`.
fn split_of(path: &Path) -> Option<Split> {
    names::split_in_name(&path.file_stem()?.to_string_lossy())
}

/// Says that a file is one of several.
fn tell_of_others(ask: &mut OpenRequest, file: &Path) {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let of = name
        .rsplit_once("-of-")
        .and_then(|(_, rest)| rest.split_once('.'));
    let files = of.and_then(|(number, _)| number.parse::<usize>().ok());
    if let Some(files) = files.filter(|&files| files > 1) {
        ask.told.note(format!(
            "{name} is one of {files} files: point path at its folder to read all of them"
        ));
    }
}
