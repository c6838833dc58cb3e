//! A run or a baseline as it is read from its folder, with its answer for every held-out image.

use super::settings::Settings;
use std::path::{Path, PathBuf};
use strata_baselines::record::BaselineRecord;
use strata_baselines::{BaselineError, Model};
use strata_core::project::data::Split;
use strata_core::project::help::Surface;
use strata_core::project::stage::Task;
use strata_core::project::{Project, ProjectError, file};
use strata_core::shape::{Inference, infer};
use strata_data::{DataError, Progress};
use strata_engine::error::RunError;
use strata_engine::storage::metrics_read::{Measurement, measurements};
use strata_engine::storage::record::RunRecord;
use strata_engine::storage::saved_run::SavedRun;
use strata_inspect::answers::Answers;

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// What is asked for cannot be.
    #[error("{0}")]
    Input(String),
    /// It is not wanted any more.
    #[error("the comparison was cancelled")]
    Cancelled,
    /// A run cannot be opened.
    #[error("{folder}: {reason}")]
    Run {
        /// Its folder.
        folder: PathBuf,
        /// Why.
        reason: Box<RunError>,
    },
    /// A baseline cannot be read.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// A project cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
}

impl CompareError {
    /// True when the input was wrong, false when something broke.
    pub fn is_wrong_input(&self) -> bool {
        match self {
            CompareError::Input(_) | CompareError::Project(_) => true,
            CompareError::Run { reason, .. } => reason.is_wrong_input(),
            CompareError::Baseline(error) => error.is_wrong_input(),
            CompareError::Cancelled => false,
        }
    }

    /// One message for the terminal, which is its own text, or for the window.
    pub fn text(&self, surface: Surface) -> String {
        match (self, surface) {
            (CompareError::Run { folder, reason }, _) => {
                format!("{}: {}", folder.display(), reason.text(surface))
            }
            (CompareError::Baseline(error), _) => error.text(surface),
            (CompareError::Project(error), Surface::Window) => error.in_window(),
            _ => self.to_string(),
        }
    }
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A trained network.
    Run(Box<RunRecord>),
    /// A model that is no network.
    Baseline(Box<BaselineRecord>),
}

/// The answer for every image of a split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answered {
    /// The split.
    pub split: Split,
    /// The classes' names.
    pub classes: Vec<String>,
    /// The right class of every image.
    pub labels: Vec<u32>,
    /// The class it is taken for; beyond the classes where the answer is none.
    pub answers: Vec<u32>,
    /// Mean negative natural logarithm of the right class's probability.
    pub log_loss: f64,
}

impl Answered {
    /// The share of images that are taken for what they are.
    pub fn accuracy(&self) -> f64 {
        let right = self.right().filter(|right| *right).count();
        right as f64 / self.labels.len().max(1) as f64
    }

    /// Whether each image is.
    pub fn right(&self) -> impl Iterator<Item = bool> {
        self.labels
            .iter()
            .zip(&self.answers)
            .map(|(label, answer)| label == answer)
    }

    /// Images by right class (row) and answer (column); one more column where there are answers that are no class.
    pub fn confusion(&self) -> Vec<Vec<u64>> {
        let classes = self.classes.len();
        let has_others = self
            .answers
            .iter()
            .any(|answer| *answer as usize >= classes);
        let columns = classes + usize::from(has_others);
        let mut counts = vec![vec![0; columns]; classes];
        for (label, answer) in self.labels.iter().zip(&self.answers) {
            let column = (*answer as usize).min(columns.saturating_sub(1));
            if let Some(row) = counts.get_mut(*label as usize) {
                row[column] += 1;
            }
        }
        counts
    }
}

/// A run or a baseline.
pub struct Entry {
    /// Its folder.
    pub path: PathBuf,
    /// The folder's name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its project.
    pub project: Project,
    /// What it was made with.
    pub settings: Settings,
    /// The shapes of its network; of a baseline none.
    pub inference: Option<Inference>,
    /// What its epochs measured.
    pub measured: Vec<Measurement>,
    /// Its answers on held-out images; `None` of what does not classify.
    pub answered: Option<Answered>,
    /// What the reader of its figures should know.
    pub notes: Vec<String>,
}

/// Takes how far reading has come; false when no more is wanted.
pub type Monitor<'a> = &'a mut dyn FnMut(Progress) -> bool;

impl Entry {
    /// Reads a folder. A run that classifies is asked about its test images (of data without such, the validation
    /// images), with its last weights.
    pub fn read(folder: &Path, monitor: Monitor<'_>) -> Result<Entry, CompareError> {
        let name = folder.file_name().unwrap_or(folder.as_os_str());
        let name = name.to_string_lossy().into_owned();
        if BaselineRecord::is_in(folder) {
            return Entry::of_baseline(folder, name);
        }
        if !folder.join("run.json").is_file() {
            return Err(CompareError::Input(format!(
                "{} is neither a run nor a baseline: give the folders of runs and baselines, such as runs/NAME-1",
                folder.display()
            )));
        }
        Entry::of_run(folder, name, monitor)
    }

    fn of_baseline(folder: &Path, name: String) -> Result<Entry, CompareError> {
        let record = BaselineRecord::read(folder)?;
        let project = file::load(&folder.join("project.toml"))?;
        // Of the project it has the images alone.
        let mut of_data = project.clone();
        of_data.stages.clear();
        of_data.network.encoder.clear();
        of_data.network.decoder.clear();
        of_data.network.head.clear();
        let settings = Settings::of(&of_data)
            .with("seed", record.seed)
            .with(MODEL, record.model.name())
            .with(
                "fitted to",
                format!("{} of {} images", record.fitted, record.of),
            )
            .with("rows", &record.rows);
        let result = record.result(Split::Test).or(record.result(Split::Valid));
        let answered = result.map(|result| Answered {
            split: result.split,
            classes: record.classes.clone(),
            labels: result.labels.clone(),
            answers: result.answers.clone(),
            log_loss: result.log_loss,
        });
        Ok(Entry {
            path: folder.to_owned(),
            name,
            notes: record.notes.clone(),
            kind: Kind::Baseline(Box::new(record)),
            project,
            settings,
            inference: None,
            measured: Vec::new(),
            answered,
        })
    }

    fn of_run(folder: &Path, name: String, monitor: Monitor<'_>) -> Result<Entry, CompareError> {
        let failed = |reason: RunError| match reason {
            RunError::Data(DataError::Cancelled) => CompareError::Cancelled,
            reason => CompareError::Run {
                folder: folder.to_owned(),
                reason: Box::new(reason),
            },
        };
        let record = RunRecord::read(folder).map_err(|error| {
            CompareError::Input(format!(
                "run.json of {} cannot be read: {error}",
                folder.display()
            ))
        })?;
        let project = file::load(&folder.join("project.toml"))?;
        let mut notes = Vec::new();
        let mut answered = None;
        if project
            .stages
            .iter()
            .any(|stage| stage.task == Task::Classify)
        {
            let mut run = SavedRun::open(folder, "last", None, monitor).map_err(failed)?;
            notes.extend(run.warnings.clone());
            if run.dataset.has_label_sets() {
                notes.push(
                    "an image may have several labels: runs are compared by what was measured, without confusions and tests"
                        .to_owned(),
                );
            } else if run.has_trained(Task::Classify) {
                answered = Some(answers(&mut run, monitor).map_err(failed)?);
            } else {
                notes.push("no stage that classifies was trained yet".to_owned());
            }
        }
        Ok(Entry {
            path: folder.to_owned(),
            name,
            kind: Kind::Run(Box::new(record)),
            settings: Settings::of(&project).with(MODEL, "network"),
            inference: Some(infer(&project.network)),
            project,
            measured: measurements(folder),
            answered,
            notes,
        })
    }

    /// The model of a baseline.
    pub fn model(&self) -> Option<Model> {
        match &self.kind {
            Kind::Baseline(record) => Some(record.model),
            Kind::Run(_) => None,
        }
    }
}

/// The name of the setting that tells networks and models apart.
const MODEL: &str = "model";

fn answers(run: &mut SavedRun, monitor: Monitor<'_>) -> Result<Answered, RunError> {
    let mut go_on = |progress: Option<Progress>| progress.is_none_or(&mut *monitor);
    let found: Answers = run.inspect_watched(&None, &mut go_on)?;
    Ok(Answered {
        split: found.split,
        classes: found.classes,
        labels: found.labels,
        answers: found.answers,
        log_loss: found.log_loss,
    })
}
