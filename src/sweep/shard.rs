//! A part of a sweep's runs, for machines without a common file system, and merging what the parts have trained.

use super::SweepError;
use super::folder::{SweepFolder, is_sweep};
use super::table::Table;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use strata_core::project::sweep::Method;
use toml::Value;

/// The part `i` of `n` of a sweep: `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 1.
    pub index: usize,
    /// How many parts there are.
    pub of: usize,
}

impl Shard {
    /// Whether a run is of this part: they are dealt out in turn.
    pub fn holds(&self, trial: usize, seed: usize, seeds: usize) -> bool {
        (trial * seeds + seed) % self.of == self.index - 1
    }

    /// Refuses a part of a sweep whose trials depend on each other.
    pub(crate) fn check(&self, method: Method) -> Result<(), SweepError> {
        let why = match method {
            Method::Grid | Method::Random => return Ok(()),
            Method::Halving { .. } => "halving compares all trials before it goes on with some",
            Method::Bayesian { .. } => {
                "a Bayesian search chooses trials from what all others have reached"
            }
        };
        Err(SweepError::Input(format!(
            "--shard {self}: {why}, so a part alone cannot; start strata sweep several times with the same -o DIR \
             instead, they share the runs"
        )))
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index, of }),
            _ => Err("write i/n with i from 1 to n, such as 2/4".to_owned()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// Makes one sweep of the folders of its parts: its tables are of all their runs, which stay where they are. `into` may be
/// one of them, or a new folder.
pub fn merge(parts: &[PathBuf], into: Option<&Path>) -> Result<(SweepFolder, Table), SweepError> {
    let mut projects = Vec::new();
    for part in parts {
        if !is_sweep(part) {
            return Err(SweepError::Input(format!(
                "--merge {}: this is no sweep's folder",
                part.display()
            )));
        }
        projects.push((part, SweepFolder::open(part)?.project()?));
    }
    let Some((first, project)) = projects.first() else {
        return Err(SweepError::Input(
            "--merge needs the folders of a sweep's parts".to_owned(),
        ));
    };
    // Parts that were trained on other machines may have their images elsewhere.
    let alike = |one: &strata_core::project::Project| {
        let mut one = one.clone();
        (one.data.path, one.init) = (None, None);
        one
    };
    if let Some((other, _)) = projects
        .iter()
        .find(|(_, other)| alike(other) != alike(project))
    {
        return Err(SweepError::Input(format!(
            "{} and {} are not of one sweep: their projects differ",
            first.display(),
            other.display()
        )));
    }
    let folder = match into {
        Some(into) => SweepFolder::create(Some(into), Path::new(""), project)?,
        None => SweepFolder::create(None, Path::new(""), project)?,
    };
    let folder = folder.merge(parts)?;
    let own = folder.path().to_owned();
    let all: Vec<PathBuf> = parts.iter().cloned().chain([own]).collect();
    if let Some(chosen) = chosen_of(&all)? {
        folder.keep_chosen(&chosen)?;
    }
    let table = Table::make(&folder.plan()?, &folder)?;
    Ok((folder, table))
}

/// The trials that a Bayesian search has chosen in all of these folders: those of the one that is furthest. Refused are
/// folders that have chosen otherwise: their trials of one number are not the same.
fn chosen_of(parts: &[PathBuf]) -> Result<Option<Vec<Vec<Value>>>, SweepError> {
    let mut furthest: Option<(&PathBuf, Vec<Vec<Value>>)> = None;
    for part in parts {
        let chosen = SweepFolder::open(part)?.chosen()?;
        let Some((other, known)) = &furthest else {
            furthest = Some((part, chosen));
            continue;
        };
        if known.iter().zip(&chosen).any(|(one, other)| one != other) {
            return Err(SweepError::Input(format!(
                "{} and {} have chosen different trials, because their runs have not reached the same: only one of them \
                 can be merged",
                other.display(),
                part.display()
            )));
        }
        if chosen.len() > known.len() {
            furthest = Some((part, chosen));
        }
    }
    let chosen = furthest.map(|(_, chosen)| chosen);
    Ok(chosen.filter(|chosen| !chosen.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_every_run_once() {
        let shards: Vec<Shard> = (1..=4).map(|index| Shard { index, of: 4 }).collect();
        for trial in 0..7 {
            for seed in 0..3 {
                let holders = shards.iter().filter(|shard| shard.holds(trial, seed, 3));
                assert_eq!(holders.count(), 1, "{trial} {seed}");
            }
        }
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4 }));
        for text in ["0/4", "5/4", "1", "a/b", "1/0"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
