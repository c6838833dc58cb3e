//! The runs of a project, read from their folders on their own thread.
//!
//! What is no run, or not of this project, is left out; what is torn shows as far as it goes.

mod table;

use super::curves::Curves;
use super::wake::Wake;
use crossbeam_channel::{Receiver, bounded};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_baselines::record::BaselineRecord;
use strata_compare::settings;
pub use strata_compare::settings::Settings;
use strata_core::format::short;
use strata_core::project::data::{MeanStd, Normalize};
use strata_core::project::help::Surface;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Project, file};
use strata_core::shape::infer;
use strata_engine::storage::record::RunRecord;
pub use table::{Column, Table};

/// Runs whose curves are read; older ones are left out.
const MOST: usize = 64;

/// One run of the list.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// Its folder.
    pub path: PathBuf,
    /// The folder's name.
    pub name: String,
    /// What its `run.json` says.
    pub record: RunRecord,
    /// Its curves.
    pub curves: Arc<Curves>,
    /// What its losses are: runs in which this differs cannot be compared by them.
    pub meaning: String,
    /// What it was trained with.
    pub settings: Settings,
    /// The settings in which it differs from another run of the list.
    pub differences: Vec<String>,
    /// Numbers that were trained.
    pub parameters: u64,
    /// What somebody noted of it.
    pub note: String,
}

/// Which runs a list holds: those with this title in this folder, after this run started or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The folder of runs.
    pub folder: PathBuf,
    /// The project's title.
    pub title: String,
    /// The run of the window and whether it is in training.
    pub run: (Option<PathBuf>, bool),
    /// Runs and folders of runs that were added, whatever their titles.
    pub added: Vec<PathBuf>,
}

/// A baseline of the list.
#[derive(Clone, Debug)]
pub struct StoredBaseline {
    /// Its folder.
    pub path: PathBuf,
    /// The folder's name.
    pub name: String,
    /// What it is and what it reached, or why that cannot be read.
    pub record: Result<BaselineRecord, String>,
}

/// What was found.
#[derive(Default)]
struct FoundRuns {
    list: Vec<StoredRun>,
    baselines: Vec<StoredBaseline>,
    older: usize,
}

/// The list as the window knows it.
#[derive(Debug, Default)]
pub struct Runs {
    /// By the time they were started: a new run never changes the colour of another.
    pub list: Vec<StoredRun>,
    /// The baselines, by the time they were started.
    pub baselines: Vec<StoredBaseline>,
    /// Runs taken out of the plot.
    pub hidden: BTreeSet<PathBuf>,
    /// The meaning of the losses to draw, where somebody chose one.
    pub chosen: Option<String>,
    /// How the table of them is shown.
    pub table: Table,
    /// Runs and folders of runs that were added.
    pub added: Vec<PathBuf>,
    /// Runs that are too old to be listed.
    pub older: usize,
    listed: Option<Listed>,
    reading: Option<Receiver<FoundRuns>>,
}

impl Runs {
    /// Whether the list is of these runs, or being made.
    pub fn is_of(&self, listed: &Listed) -> bool {
        self.listed.as_ref() == Some(listed)
    }

    /// What the losses mean that are drawn: as chosen, else as those of the newest run.
    pub fn meaning(&self) -> Option<&str> {
        let chosen = self.chosen.as_deref();
        let is_there = |meaning: &&str| self.list.iter().any(|run| run.meaning == *meaning);
        let newest = || self.list.last().map(|run| run.meaning.as_str());
        chosen.filter(is_there).or_else(newest)
    }

    /// Whether a list is being made.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Starts reading.
    pub(super) fn read(&mut self, listed: Listed, wake: &Wake) {
        let (sender, receiver) = bounded(1);
        let (wake, of) = (wake.clone(), listed.clone());
        let thread = std::thread::Builder::new()
            .name("strata-runs".to_owned())
            .spawn(move || {
                // Receiver dropped: the window has closed.
                sender.send(runs(&of)).ok();
                wake();
            });
        if self
            .listed
            .as_ref()
            .is_some_and(|of| of.folder != listed.folder || of.title != listed.title)
        {
            self.list.clear();
            self.baselines.clear();
        }
        if let Err(error) = &thread {
            log::warn!("no thread could be started to list the runs: {error}");
        }
        self.reading = thread.ok().map(|_| receiver);
        self.listed = Some(listed);
    }

    /// Takes a list that is ready.
    pub(super) fn drain(&mut self) {
        if let Some(list) = self
            .reading
            .as_ref()
            .and_then(|reading| reading.try_recv().ok())
        {
            (self.list, self.older, self.reading) = (list.list, list.older, None);
            self.baselines = list.baselines;
        }
    }

    /// Adds a run or a folder of runs; false where it is there already.
    pub(super) fn add(&mut self, path: PathBuf) -> bool {
        let is_new = !self.added.contains(&path);
        if is_new {
            self.added.push(path);
        }
        is_new
    }

    /// Notes something of a run, in its folder.
    pub(super) fn note(&mut self, path: &Path, note: &str) -> std::io::Result<()> {
        table::write_note(path, note)?;
        for run in self.list.iter_mut().filter(|run| run.path == path) {
            run.note = note.trim().to_owned();
        }
        Ok(())
    }

    /// Smooths the curves of all runs over at most so many steps.
    pub(super) fn smooth_over(&mut self, steps: u32) {
        for run in &mut self.list {
            if !run.curves.is_smoothed_over(steps) {
                Arc::make_mut(&mut run.curves).smooth_over(steps);
            }
        }
    }

    /// Shows or hides a run in the plot.
    pub(super) fn show(&mut self, run: PathBuf, shown: bool) {
        if shown {
            self.hidden.remove(&run);
        } else {
            self.hidden.insert(run);
        }
    }
}

fn runs(listed: &Listed) -> FoundRuns {
    let mut found = folders_in(&listed.folder, |path| record(path, Some(&listed.title)));
    found.sort_by(|a, b| (&a.record.started, &a.path).cmp(&(&b.record.started, &b.path)));
    // What was added comes after the project's own, so that these keep their colours.
    for path in &listed.added {
        let more = match path.join("run.json").exists() {
            true => record(path.clone(), None).into_iter().collect(),
            false => folders_in(path, |path| record(path, None)),
        };
        let is_new = |run: &Found| found.iter().all(|known| !is_same(&known.path, &run.path));
        let mut more: Vec<Found> = more.into_iter().filter(is_new).collect();
        more.sort_by(|a, b| (&a.record.started, &a.path).cmp(&(&b.record.started, &b.path)));
        found.extend(more);
    }
    let older = found.len().saturating_sub(MOST);
    let mut list: Vec<StoredRun> = found.into_iter().skip(older).map(stored).collect();
    let of_runs: Vec<&Settings> = list.iter().map(|run| &run.settings).collect();
    let differences = settings::differences(&of_runs);
    for (run, differences) in list.iter_mut().zip(differences) {
        run.differences = differences;
    }
    FoundRuns {
        list,
        baselines: baselines(listed),
        older,
    }
}

/// The baselines of the project and those in the folders that were added.
fn baselines(listed: &Listed) -> Vec<StoredBaseline> {
    let mut found: Vec<StoredBaseline> = Vec::new();
    let own = [(&listed.folder, Some(listed.title.as_str()))].into_iter();
    for (folder, title) in own.chain(listed.added.iter().map(|folder| (folder, None))) {
        let mut more = match BaselineRecord::is_in(folder) {
            true => baseline(folder.clone(), None).into_iter().collect(),
            false => baselines_in(folder, title),
        };
        more.retain(|new| found.iter().all(|known| !is_same(&known.path, &new.path)));
        more.sort_by(|a, b| (started(a), &a.path).cmp(&(started(b), &b.path)));
        found.extend(more);
    }
    found
}

fn started(baseline: &StoredBaseline) -> Option<&str> {
    let record = baseline.record.as_ref().ok()?;
    Some(&record.started)
}

fn baselines_in(folder: &Path, title: Option<&str>) -> Vec<StoredBaseline> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| baseline(entry.path(), title));
    found.collect()
}

/// The baseline in a folder, if its project has this title; one that is damaged is listed with why.
fn baseline(path: PathBuf, title: Option<&str>) -> Option<StoredBaseline> {
    if !BaselineRecord::is_in(&path) {
        return None;
    }
    let project = file::load(&path.join("project.toml")).ok();
    let is_other = project.is_some_and(|project| title.is_some_and(|title| project.title != title));
    if is_other {
        return None;
    }
    let record = BaselineRecord::read(&path).map_err(|error| error.text(Surface::Window));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Some(StoredBaseline {
        name: name.into_owned(),
        record,
        path,
    })
}

/// The runs among the folders in a folder.
fn folders_in(folder: &Path, record: impl Fn(PathBuf) -> Option<Found>) -> Vec<Found> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| record(entry.path())).collect()
}

fn is_same(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    whole(a) == whole(b)
}

fn stored(found: Found) -> StoredRun {
    let Found {
        path,
        record,
        project,
    } = found;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let curves = Arc::new(Curves::read(&path));
    StoredRun {
        name: name.into_owned(),
        record,
        meaning: meaning(&project, &curves),
        settings: Settings::of(&project).with_changes(&curves.changes),
        curves,
        differences: Vec::new(),
        parameters: infer(&project.network).totals.parameters,
        note: table::read_note(&path),
        path,
    }
}

/// A run whose curves are not read yet.
struct Found {
    path: PathBuf,
    record: RunRecord,
    project: Project,
}

/// The losses of the stages that a run has trained: `mse of pixels from −1 to 1`, `cross-entropy`. An error of
/// reconstructed pixels is in their units, so their range belongs to it.
fn meaning(project: &Project, curves: &Curves) -> String {
    let pixels = match (&project.data.normalize, project.data.range) {
        (Some(Normalize::Measured(_)), _) => "normalised pixels".to_owned(),
        (Some(Normalize::By(MeanStd { mean, std })), _) => {
            format!("pixels minus {mean:?} divided by {std:?}")
        }
        (None, range) => {
            let [low, high] = range.unwrap_or([0.0, 1.0]).map(|end| short(end.into(), 4));
            format!("pixels from {low} to {high}")
        }
    };
    let centred = project
        .data
        .center
        .map_or("", |_| ", each image less its mean");
    let whitened = project
        .data
        .whiten
        .map_or_else(String::new, |whiten| format!(", whitened by {whiten}"));
    let pixels = format!("{pixels}{centred}{whitened}");
    let stage = |stage: &Stage| match stage.task {
        Task::Reconstruct => format!("{} of {pixels}", stage.loss),
        Task::Classify => stage.loss.to_string(),
    };
    let is_trained = |stage: &&Stage| {
        let trained = &curves.stages;
        trained.is_empty() || trained.iter().any(|mark| mark.name == stage.name)
    };
    let stages = project.stages.iter().filter(is_trained);
    let mut stages: Vec<String> = stages.map(stage).collect();
    stages.dedup();
    stages.join(", then ")
}

/// The run in a folder, if its project has this title.
fn record(run: PathBuf, title: Option<&str>) -> Option<Found> {
    if !run.join("run.json").exists() {
        // A folder of something else.
        return None;
    }
    let unread = |error: &dyn std::error::Error| {
        log::warn!("the run {} is not listed: {error}", run.display());
    };
    let record = RunRecord::read(&run);
    let record = record.inspect_err(|error| unread(error)).ok()?;
    let project = file::load(&run.join("project.toml"));
    let project = project.inspect_err(|error| unread(error)).ok()?;
    title
        .is_none_or(|title| project.title == title)
        .then_some(Found {
            path: run,
            record,
            project,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;
    use strata_core::project::builtin;

    #[test]
    fn runs_of_the_title_come_in_the_order_they_were_started() {
        let folder = tempfile::tempdir().unwrap();
        for (name, started, project) in [
            ("b", "2026-01-01", "lenet-mnist"),
            ("a", "2026-02-01", "lenet-mnist"),
            ("c", "2026-01-15", "unet"),
        ] {
            let run = folder.path().join(name);
            std::fs::create_dir(&run).unwrap();
            file::save(
                &builtin::find(project).unwrap().project().unwrap(),
                &run.join("project.toml"),
            )
            .unwrap();
            RunRecord {
                started: started.into(),
                ..RunRecord::default()
            }
            .write(&run)
            .unwrap();
        }
        std::fs::create_dir(folder.path().join("no run")).unwrap();
        let of = |folder: &Path, title: &str, added: &[&Path]| {
            runs(&Listed {
                folder: folder.to_path_buf(),
                title: title.to_owned(),
                run: (None, false),
                added: added.iter().map(|path| path.to_path_buf()).collect(),
            })
            .list
        };
        let list = of(folder.path(), "LeNet for MNIST", &[]);
        assert_eq!(
            list.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(),
            ["b", "a"]
        );
        assert!(of(&folder.path().join("none"), "x", &[]).is_empty());
        let added = [folder.path(), &folder.path().join("c")];
        let list = of(folder.path(), "LeNet for MNIST", &added);
        assert_eq!(
            list.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(),
            ["b", "a", "c"],
            "what was added comes last, and once"
        );
    }

    /// A run that was opened by its name alone lies in the present folder.
    #[test]
    fn runs_are_listed_where_the_open_one_lies() {
        let project = builtin::find("lenet-mnist").unwrap().project().unwrap();
        let mut state = State::new(project, None);
        assert_eq!(state.runs_to_list().folder, Path::new("./runs"));
        for (run, folder) in [("run", "."), ("mine/run", "mine"), ("/tmp/run", "/tmp")] {
            state.training.run = Some(PathBuf::from(run));
            assert_eq!(state.runs_to_list().folder, Path::new(folder));
        }
    }

    #[test]
    fn losses_of_another_kind_or_of_other_pixels_have_another_meaning() {
        let mut project = builtin::find("conv-autoencoder")
            .unwrap()
            .project()
            .unwrap();
        project.data.normalize = None;
        let of = |change: fn(&mut Project), project: &Project| {
            let mut changed = project.clone();
            change(&mut changed);
            meaning(&changed, &Curves::default())
        };
        let wide = of(|p| p.data.range = Some([-1.0, 1.0]), &project);
        let narrow = of(|p| p.data.range = Some([0.0, 1.0]), &project);
        assert!(wide.contains("mse of pixels from −1 to 1"), "{wide}");
        assert_eq!(narrow, of(|p| p.data.range = None, &project));
        assert_ne!(wide, narrow);
        let normalised = of(|p| p.data.normalize = Some(Normalize::MEASURED), &project);
        assert!(normalised.contains("normalised pixels"), "{normalised}");
        let l1 = of(|p| p.stages[0].loss = "l1".parse().unwrap(), &project);
        assert!(l1.contains("l1 of "), "{l1}");
        let run = |meaning: &str| StoredRun {
            path: PathBuf::from(meaning),
            name: meaning.to_owned(),
            record: RunRecord::default(),
            curves: Arc::default(),
            meaning: meaning.to_owned(),
            settings: Settings::default(),
            differences: Vec::new(),
            parameters: 0,
            note: String::new(),
        };
        let mut runs = Runs {
            list: vec![run("a"), run("b")],
            ..Runs::default()
        };
        assert_eq!(runs.meaning(), Some("b"));
        runs.chosen = Some("a".to_owned());
        assert_eq!(runs.meaning(), Some("a"));
        runs.chosen = Some("gone".to_owned());
        assert_eq!(runs.meaning(), Some("b"));
    }
}
