//! A sweep's folder: the project, a folder for each run, the tables, and locks by which several processes share the
//! work, also on different machines with one file system.

use super::SweepError;
use super::plan::Plan;
use serde::Deserialize;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use strata_core::atomic_write::{remove_abandoned, write_atomic};
use strata_core::files::{path_in, path_text};
use strata_core::format::slug;
use strata_core::project::init::Init;
use strata_core::project::sweep::Values;
use strata_core::project::{Project, file};
use strata_engine::storage::run_folder::as_kept;
use toml::Value;

/// The project that is swept.
pub const PROJECT_FILE: &str = "sweep.toml";
/// The folders of the runs.
pub const RUNS_FOLDER: &str = "runs";
/// Empty files that are locked while a run is trained.
const LOCKS_FOLDER: &str = "locks";
/// Why runs could not begin: a file for each.
const REFUSED_FOLDER: &str = "refused";
/// The folders of the sweeps whose runs are taken over, a line each.
const MERGED_FILE: &str = "merged.txt";

/// The trials that a Bayesian search has chosen.
const CHOSEN_FILE: &str = "chosen.toml";

/// The folder of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepFolder {
    path: PathBuf,
    /// Other folders of the same sweep, whose runs are its own too.
    merged: Vec<PathBuf>,
}

/// The file of chosen trials.
#[derive(Deserialize)]
struct Chosen {
    trials: Vec<Vec<Value>>,
}

/// A run that this process trains. Other processes leave it alone while this value lives.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl SweepFolder {
    /// The folder at `path`, made where it is not there, or the next free `sweeps/TITLE-N` below `base`. Refused is one
    /// with other files, or of another sweep.
    pub fn create(
        path: Option<&Path>,
        base: &Path,
        project: &Project,
    ) -> Result<SweepFolder, SweepError> {
        let project = absolute(project, base);
        let path = match path {
            Some(path) => path.to_owned(),
            None => next_free(&base.join("sweeps"), &project.title)?,
        };
        std::fs::create_dir_all(&path).map_err(|reason| SweepError::write(&path, reason))?;
        let own = path.join(PROJECT_FILE);
        if own.is_file() {
            let former = read_project(&own)?;
            if former != project {
                return Err(SweepError::Input(format!(
                    "{} is the folder of another sweep, or the project was changed since: choose another folder (-o DIR), or go on with what is there: strata sweep {}",
                    path.display(),
                    path.display()
                )));
            }
            return SweepFolder::open(&path);
        }
        // A process that began at the same time may have made what is ours.
        let own_names = [
            PROJECT_FILE,
            RUNS_FOLDER,
            LOCKS_FOLDER,
            REFUSED_FOLDER,
            CHOSEN_FILE,
        ];
        let is_foreign = |entry: &std::fs::DirEntry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            !name.starts_with('.') && !own_names.contains(&name.as_str())
        };
        let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
        if let Some(entry) = entries.into_iter().find(is_foreign) {
            return Err(SweepError::Input(format!(
                "{} is no sweep's folder, and holds {}: choose another one (-o DIR)",
                path.display(),
                entry.file_name().display()
            )));
        }
        // Processes that begin together write the same.
        write(&own, file::to_text(&project).as_bytes())?;
        SweepFolder::open(&path)
    }

    /// The folder of a sweep that was begun.
    pub fn open(path: &Path) -> Result<SweepFolder, SweepError> {
        if !is_sweep(path) {
            return Err(SweepError::Input(format!(
                "{} is no sweep's folder, it has no {PROJECT_FILE}",
                path.display()
            )));
        }
        for folder in [RUNS_FOLDER, LOCKS_FOLDER, REFUSED_FOLDER] {
            let folder = path.join(folder);
            std::fs::create_dir_all(&folder)
                .map_err(|reason| SweepError::write(&folder, reason))?;
        }
        let merged = std::fs::read_to_string(path.join(MERGED_FILE)).unwrap_or_default();
        Ok(SweepFolder {
            path: path.to_owned(),
            merged: merged.lines().map(PathBuf::from).collect(),
        })
    }

    /// The folder with the runs of others as its own.
    pub(crate) fn merge(mut self, others: &[PathBuf]) -> Result<SweepFolder, SweepError> {
        for other in others {
            let other = std::path::absolute(other).unwrap_or_else(|_| other.clone());
            let own = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
            if other != own && !self.merged.contains(&other) {
                self.merged.push(other);
            }
        }
        let lines = self
            .merged
            .iter()
            .map(|path| format!("{}\n", path.display()));
        write(
            &self.path.join(MERGED_FILE),
            lines.collect::<String>().as_bytes(),
        )?;
        Ok(self)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The project that is swept.
    pub fn project(&self) -> Result<Project, SweepError> {
        read_project(&self.path.join(PROJECT_FILE))
    }

    /// The trials of its project.
    pub fn plan(&self) -> Result<Plan, SweepError> {
        let project = self.project()?;
        let chosen = self.chosen()?;
        let factors = project
            .sweep
            .as_ref()
            .map_or(0, |sweep| sweep.factors.len());
        if chosen.iter().any(|values| values.len() != factors) {
            return Err(SweepError::Read {
                path: self.path.join(CHOSEN_FILE),
                reason: format!("a trial has other than {factors} values"),
            });
        }
        Plan::with_chosen(&project, chosen)
    }

    /// The values of the trials that a Bayesian search has chosen so far. They are kept because what they were chosen from
    /// may change: a failed run that is tried again, a program that estimates otherwise.
    pub(crate) fn chosen(&self) -> Result<Vec<Vec<Value>>, SweepError> {
        let path = self.path.join(CHOSEN_FILE);
        let wrong = |reason: String| SweepError::Read {
            path: path.clone(),
            reason,
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let chosen: Chosen = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        Ok(chosen.trials)
    }

    /// The plan with one more round of trials: those that another process has chosen, else those of `choose`.
    pub(crate) fn with_next_round(
        &self,
        plan: &Plan,
        choose: impl FnOnce() -> Result<Vec<Vec<Value>>, SweepError>,
    ) -> Result<Plan, SweepError> {
        self.alone(|| {
            let mut chosen = self.chosen()?;
            if chosen.len() <= plan.chosen().count() {
                let more = choose()?;
                if more.is_empty() {
                    return Ok(plan.without_more());
                }
                chosen.extend(more);
                self.keep_chosen(&chosen)?;
            }
            Plan::with_chosen(&plan.project, chosen)
        })?
    }

    pub(crate) fn keep_chosen(&self, chosen: &[Vec<Value>]) -> Result<(), SweepError> {
        let lines = chosen.iter();
        let lines = lines.map(|values| format!("    {},\n", Value::Array(values.clone())));
        let lines: String = lines.collect();
        let text = format!(
            "# The trials that the Bayesian search has chosen: their values in the order of the settings.\n\
             trials = [\n{lines}]\n"
        );
        write(&self.path.join(CHOSEN_FILE), text.as_bytes())
    }

    /// Where a run is trained.
    pub fn run(&self, name: &str) -> PathBuf {
        self.path.join(RUNS_FOLDER).join(name)
    }

    /// The folders in which a run may be, its own first.
    pub fn places(&self, name: &str) -> Vec<PathBuf> {
        let merged = self.merged.iter();
        let others = merged.map(|other| other.join(RUNS_FOLDER).join(name));
        std::iter::once(self.run(name)).chain(others).collect()
    }

    /// Takes a run for this process; `None` while another one has it. File systems without locks give it to everyone.
    pub fn claim(&self, name: &str) -> Result<Option<Claim>, SweepError> {
        let path = self.path.join(LOCKS_FOLDER).join(name);
        let lock = open_lock(&path)?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(reason)) => {
                log::warn!("{} cannot be locked: {reason}", path.display());
                Ok(Some(Claim { _lock: lock }))
            }
            Ok(()) => Ok(Some(Claim { _lock: lock })),
        }
    }

    /// Does work that no other process does at the same time, such as reading all runs and writing their table.
    pub(crate) fn alone<R>(&self, work: impl FnOnce() -> R) -> Result<R, SweepError> {
        let path = self.path.join(LOCKS_FOLDER).join("table");
        let lock = open_lock(&path)?;
        if let Err(reason) = lock.lock() {
            log::warn!("{} cannot be locked: {reason}", path.display());
        }
        Ok(work())
    }

    /// Notes why a run could not begin.
    pub(crate) fn refuse(&self, name: &str, why: &str) -> Result<(), SweepError> {
        write(&self.refusal_file(name), why.as_bytes())
    }

    /// Why a run could not begin, where it was tried.
    pub(crate) fn refusal(&self, name: &str) -> Option<String> {
        let others = self.merged.iter();
        let others = others.map(|other| other.join(REFUSED_FOLDER).join(name));
        let files = std::iter::once(self.refusal_file(name)).chain(others);
        files
            .filter_map(|file| std::fs::read_to_string(file).ok())
            .next()
    }

    /// A run that could not begin may be tried again.
    pub(crate) fn forget_refusal(&self, name: &str) {
        // What is not there needs no removing.
        std::fs::remove_file(self.refusal_file(name)).ok();
    }

    fn refusal_file(&self, name: &str) -> PathBuf {
        self.path.join(REFUSED_FOLDER).join(name)
    }

    /// Replaces a file of the sweep.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), SweepError> {
        write(&self.path.join(name), text.as_bytes())
    }

    /// Takes away what a killed process was writing.
    pub(crate) fn clean(&self) {
        remove_abandoned(&self.path);
        remove_abandoned(&self.path.join(REFUSED_FOLDER));
    }
}

/// The project with paths that start at the root, those that are tried included.
fn absolute(project: &Project, base: &Path) -> Project {
    let mut project = as_kept(project, base);
    let sweep = project.sweep.iter_mut();
    for factor in sweep.flat_map(|sweep| &mut sweep.factors) {
        let key = factor.key();
        if let Values::Listed(list) = &mut factor.values
            && matches!(key.as_str(), "data.path" | "init")
        {
            list.iter_mut()
                .for_each(|value| tried_path(&key, value, base));
        }
    }
    project
}

/// Makes a path that is tried absolute.
fn tried_path(key: &str, value: &mut Value, base: &Path) {
    let Value::String(text) = value else { return };
    let absolute = |path: &str| {
        let joined = base.join(path_in(path));
        path_text(&std::path::absolute(&joined).unwrap_or(joined))
    };
    if text.starts_with('~') {
        return;
    }
    *text = match (key, text.parse::<Init>()) {
        ("init", Ok(init)) => Init {
            from: absolute(&init.from),
            ..init
        }
        .to_string(),
        _ => absolute(text),
    };
}

/// Whether a folder is that of a sweep.
pub fn is_sweep(path: &Path) -> bool {
    path.join(PROJECT_FILE).is_file()
}

/// The newest folder of this sweep below `base`, where it was begun before.
pub fn find(base: &Path, project: &Project) -> Option<PathBuf> {
    let wanted = absolute(project, base);
    let slug = slug(&project.title, "sweep");
    let entries = std::fs::read_dir(base.join("sweeps")).ok()?.flatten();
    let number = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(&slug)?
            .strip_prefix('-')?
            .parse::<u64>()
            .ok()
    };
    let numbered = entries.filter_map(|entry| Some((number(&entry.path())?, entry.path())));
    let mut all: Vec<(u64, PathBuf)> = numbered.collect();
    all.sort();
    let is_same = |path: &PathBuf| {
        read_project(&path.join(PROJECT_FILE)).is_ok_and(|project| project == wanted)
    };
    all.into_iter().rev().map(|(_, path)| path).find(is_same)
}

fn open_lock(path: &Path) -> Result<File, SweepError> {
    let mut options = File::options();
    let options = options.create(true).write(true).truncate(false);
    options
        .open(path)
        .map_err(|reason| SweepError::write(path, reason))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), SweepError> {
    write_atomic(path, bytes).map_err(|reason| SweepError::write(path, reason))
}

fn read_project(path: &Path) -> Result<Project, SweepError> {
    file::load(path).map_err(|error| SweepError::Input(error.to_string()))
}

/// Making a folder either succeeds for us or fails because it exists: no two sweeps have the same number.
fn next_free(sweeps: &Path, title: &str) -> Result<PathBuf, SweepError> {
    std::fs::create_dir_all(sweeps).map_err(|reason| SweepError::write(sweeps, reason))?;
    let slug = slug(title, "sweep");
    for number in 1u64.. {
        let path = sweeps.join(format!("{slug}-{number}"));
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(SweepError::write(&path, error)),
        }
    }
    Err(SweepError::write(
        sweeps,
        io::Error::other("no number is free"),
    ))
}
