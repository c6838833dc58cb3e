//! The values of a comparison.

use crate::align::AlignedRow;
use crate::significance::{McNemar, PairedT};
use serde::Serialize;
use std::path::PathBuf;
use strata_core::project::data::Split;
use strata_engine::storage::path_as_text;

/// Runs and baselines side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// What is compared.
    pub entries: Vec<Compared>,
    /// A row for each figure.
    pub metrics: Vec<MetricRow>,
    /// The classes' names, where all have the same.
    pub classes: Vec<String>,
    /// The architectures layer by layer; empty without networks.
    pub layers: Vec<AlignedRow>,
    /// The settings that differ.
    pub settings: Vec<SettingRow>,
    /// Every two that answered the same images.
    pub pairs: Vec<Pair>,
    /// Those that differ by nothing but the seed.
    pub groups: Vec<Group>,
    /// Every two groups with two seeds or more in common.
    pub group_pairs: Vec<GroupPair>,
    /// The accuracy whose time is told.
    pub until: Option<Until>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// A run or a baseline in a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Compared {
    /// Its name: that of its folder, its path where two have one name.
    pub name: String,
    /// Its folder.
    #[serde(serialize_with = "path_as_text::serialize")]
    pub path: PathBuf,
    /// `run` or `baseline`.
    pub kind: &'static str,
    /// What it is, in words.
    pub what: String,
    /// The split of its answers, and how many images.
    pub split: Option<Split>,
    /// See `split`.
    pub images: usize,
    /// Images by right class (row) and answer (column); one more column of answers that are no class.
    pub confusion: Option<Vec<Vec<u64>>>,
    /// Figures of each class.
    pub classes: Vec<ClassFigures>,
    /// How the training went, stage by stage.
    pub courses: Vec<StageCourse>,
    /// When it reached [`Comparison::until`].
    pub reached: Option<Reached>,
}

/// Figures of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Images of the class.
    pub images: u64,
    /// The share of them that are taken for it; `None` without images.
    pub recall: Option<f64>,
    /// The share of what is taken for it that is of it; `None` where nothing is.
    pub precision: Option<f64>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
}

/// How the training of a stage went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StageCourse {
    /// The stage's name.
    pub stage: String,
    /// The last epoch.
    pub last_epoch: u32,
    /// The epoch with the least validation loss, and that loss.
    pub best_epoch: u32,
    /// See `best_epoch`.
    pub best_loss: f64,
    /// The validation loss at the end.
    pub last_loss: f64,
    /// Whether the validation loss turned after `best_epoch`.
    pub has_turned: bool,
    /// So much more of the training images are right than of the validation images.
    pub gap: Option<f64>,
    /// Whether that is overfitting.
    pub overfits: bool,
}

/// A figure of each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricRow {
    /// What it is.
    pub name: String,
    /// The figures; `None` where there is none.
    pub values: Vec<Option<f64>>,
    /// The same as texts.
    pub texts: Vec<String>,
    /// Which are the best; none where no figure is better than another by itself.
    pub best: Vec<bool>,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingRow {
    /// Its name.
    pub name: String,
    /// The value of each; `None` where it is not set.
    pub values: Vec<Option<String>>,
}

/// Two that answered the same images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Their places among the entries.
    pub first: usize,
    /// See `first`.
    pub second: usize,
    /// McNemar's test.
    pub test: McNemar,
    /// Its p-value, corrected by Holm for the number of pairs.
    pub corrected: f64,
}

/// What differs by nothing but the seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// The places of its members among the entries.
    pub members: Vec<usize>,
    /// Their seeds.
    pub seeds: Vec<String>,
    /// What is averaged: `accuracy`, or `mse` of what does not classify.
    pub figure: &'static str,
    /// The mean over the seeds.
    pub mean: f64,
    /// The standard deviation (of a sample).
    pub deviation: Option<f64>,
}

/// Two groups with seeds in common.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GroupPair {
    /// Their places among the groups.
    pub first: usize,
    /// See `first`.
    pub second: usize,
    /// The paired t-test over the seeds that both have.
    pub test: PairedT,
}

/// The accuracy whose time is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Until {
    /// The share that is right.
    pub accuracy: f64,
    /// Whether it was asked for; else it is the best that all runs reached.
    pub is_asked: bool,
}

/// When a run reached an accuracy first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// The split that was measured.
    pub split: String,
    /// The stage's name.
    pub stage: String,
    /// The epoch of that stage.
    pub epoch: u32,
    /// Steps of the whole run.
    pub step: u64,
    /// Seconds of training.
    pub seconds: Option<f64>,
}
