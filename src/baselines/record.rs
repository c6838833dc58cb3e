//! `baseline.json`: what a baseline is and what it reached, in a folder beside the runs of its project.
//!
//! ```text
//! project.toml    the project whose images it was fitted to, data.path made absolute
//! baseline.json   the model, what it was fitted to and with, figures, confusion and the answer for every image
//! ```
//!
//! Reading fails with one sentence that says what is wrong with the file.

use super::error::BaselineError;
use super::model::Model;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use strata_core::atomic_write::write_atomic;
use strata_core::files;
use strata_core::format::slug;
use strata_core::project::data::Split;
use strata_core::project::{Project, file};
use strata_engine::storage::run_folder::as_kept;

/// The file's name.
pub const FILE: &str = "baseline.json";
/// The form of the file.
const FORMAT: u32 = 1;
/// No record is larger.
const MOST_BYTES: u64 = 256 << 20;

/// The features that a baseline was fitted to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeaturesOf {
    /// The run's folder.
    pub run: String,
    /// The layer, with its text.
    pub layer: String,
}

/// What a baseline is and what it reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineRecord {
    /// The form of the file.
    pub format: u32,
    /// Strata's version.
    pub version: String,
    /// When it was started, UTC.
    pub started: String,
    /// The model.
    pub model: Model,
    /// What it was fitted with, in words.
    pub settings: String,
    /// What a row is, in words: `784 pixels from 0 to 1`.
    pub rows: String,
    /// The layer whose features they are; of pixels none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<FeaturesOf>,
    /// What decides its draws.
    pub seed: u64,
    /// Returns whether two saw the same images.
    pub data_hash: String,
    /// The classes' names.
    pub classes: Vec<String>,
    /// Images it was fitted to.
    pub fitted: usize,
    /// Of so many training images.
    pub of: usize,
    /// How long fitting took.
    pub fit_seconds: f64,
    /// What the reader of the figures should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What it reached, split by split.
    pub results: Vec<SplitResult>,
}

/// What a baseline reached on a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitResult {
    /// The split.
    pub split: Split,
    /// The share of images that are taken for what they are.
    pub accuracy: f64,
    /// Mean negative natural logarithm of the right class's probability.
    pub log_loss: f64,
    /// How long the answers took.
    pub predict_seconds: f64,
    /// Images by right class (row) and answer (column).
    pub confusion: Vec<Vec<u64>>,
    /// The right class of every image, in the order of the split.
    pub labels: Vec<u32>,
    /// The answer for every image.
    pub answers: Vec<u32>,
}

impl BaselineRecord {
    /// What it reached on a split.
    pub fn result(&self, split: Split) -> Option<&SplitResult> {
        self.results.iter().find(|result| result.split == split)
    }

    /// Whether a folder holds a baseline.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Reads it from its folder.
    pub fn read(folder: &Path) -> Result<BaselineRecord, BaselineError> {
        let file = folder.join(FILE);
        let damaged = |reason: String| BaselineError::Damaged {
            file: file.clone(),
            reason,
        };
        let bytes =
            files::read_bounded(&file, MOST_BYTES).map_err(|error| damaged(error.to_string()))?;
        let record: BaselineRecord =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        record.check().map_err(damaged)?;
        Ok(record)
    }

    /// Whether the parts of the record agree.
    fn check(&self) -> Result<(), String> {
        if self.format > FORMAT {
            return Err(format!("its form {} is of a newer Strata", self.format));
        }
        let classes = self.classes.len();
        for result in &self.results {
            let split = result.split;
            let is_class = |class: &u32| (*class as usize) < classes;
            if result.labels.len() != result.answers.len() {
                return Err(format!(
                    "the {split} images have {} classes and {} answers",
                    result.labels.len(),
                    result.answers.len()
                ));
            }
            if !result.labels.iter().chain(&result.answers).all(is_class) {
                return Err(format!(
                    "the {split} images have classes beyond its {classes}"
                ));
            }
            let mut confusion = vec![vec![0; classes]; classes];
            for (label, answer) in result.labels.iter().zip(&result.answers) {
                confusion[*label as usize][*answer as usize] += 1;
            }
            if confusion != result.confusion {
                return Err(format!(
                    "the confusion of the {split} images is not that of the answers"
                ));
            }
        }
        Ok(())
    }

    /// Makes a folder for it, the next free `NAME-N` in `runs`, and writes it there; without a name it is called
    /// `TITLE-MODEL`.
    pub fn save(
        &self,
        project: &Project,
        base: &Path,
        runs: &Path,
        name: Option<&str>,
    ) -> Result<PathBuf, BaselineError> {
        let usual = || format!("{}-{}", slug(&project.title, "run"), self.model.word());
        let name = name.map_or_else(usual, str::to_owned);
        let folder = next_free(runs, &name)?;
        let written = self.write(project, base, &folder);
        if written.is_err() {
            // What was not written whole is no baseline; a folder that somebody else uses meanwhile stays.
            std::fs::remove_file(folder.join("project.toml")).ok();
            std::fs::remove_dir(&folder).ok();
        }
        written.map(|()| folder)
    }

    fn write(&self, project: &Project, base: &Path, folder: &Path) -> Result<(), BaselineError> {
        let failed = |reason| BaselineError::Write {
            folder: folder.to_owned(),
            reason,
        };
        file::save(&as_kept(project, base), &folder.join("project.toml"))?;
        let text = serde_json::to_string(self).map_err(|error| failed(io::Error::other(error)))?;
        write_atomic(&folder.join(FILE), (text + "\n").as_bytes()).map_err(failed)
    }
}

/// Making a folder either succeeds for us or fails because it exists: no two baselines have the same number.
fn next_free(runs: &Path, name: &str) -> Result<PathBuf, BaselineError> {
    let failed = |folder: &Path, reason| BaselineError::Write {
        folder: folder.to_owned(),
        reason,
    };
    std::fs::create_dir_all(runs).map_err(|reason| failed(runs, reason))?;
    let mut number = 1u64;
    loop {
        let folder = runs.join(format!("{name}-{number}"));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(failed(&folder, error)),
        }
    }
}

/// The form of records that are written now.
pub(crate) fn format() -> u32 {
    FORMAT
}
