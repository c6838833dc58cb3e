//! `run.json`: what a run is, where it was computed and how it ended.
//!
//! Rewritten in one step whenever the status changes, so that a run which died (power cut, kill)
//! still says `running` and the rest of the folder is whole. Reading fails with one sentence.

use crate::event::Metrics;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use strata_core::atomic_write::write_atomic_or_over;
use strata_core::files;
use strata_core::format::utc;
use strata_core::project::data::Split;

/// No record is larger.
const MOST_BYTES: u64 = 16 << 20;

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In progress, or its process died.
    #[default]
    Running,
    /// Every stage was trained.
    Completed,
    /// Stopped by its user.
    Stopped,
    /// It could not continue.
    Failed,
}

/// The content of `run.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunRecord {
    /// How far it is.
    pub status: Status,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Strata's version.
    pub version: String,
    /// Where it computed.
    pub device: String,
    /// When it was started, UTC.
    pub started: String,
    /// Training time in seconds, pauses left out, resumed parts included.
    pub seconds: f64,
    /// Images trained on a second.
    pub images_per_second: f64,
    /// Steps taken.
    pub steps: u64,
    /// The project's seed.
    pub seed: u64,
    /// Returns whether two runs saw the same images.
    pub data_hash: String,
    /// The last metrics of each split.
    pub metrics: BTreeMap<String, Metrics>,
    /// The file of weights of another program that it was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// The run that it began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// How it was trained: from its start, and from where it was resumed. Empty in runs of earlier versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// The run that another began with, at one of its checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parent {
    /// Its folder, as it was then.
    #[serde(with = "super::path_as_text")]
    pub run: PathBuf,
    /// The checkpoint's name.
    pub checkpoint: String,
    /// Steps that were done.
    pub step: u64,
}

/// A stretch of a run that was trained at one go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// Steps that were done before it.
    pub step: u64,
    /// Epochs that were done before it.
    pub epochs_done: u64,
    /// The only stage that was trained, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The epochs that were asked for beyond those of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_epochs: Option<u32>,
    /// The file of its project in the run's folder, where the next part has another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Whether it began within a stage with weights alone, without the optimizer's memory.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_without_memory: bool,
    /// Whether it made the network of weights of another program, and trained nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_import: bool,
    /// Where it was computed.
    pub device: String,
    /// Strata's version.
    pub version: String,
}

impl RunRecord {
    /// A record of a run that starts now.
    pub fn start(device: String, seed: u64, data_hash: String) -> RunRecord {
        let (version, started) = (env!("CARGO_PKG_VERSION").to_owned(), utc(SystemTime::now()));
        RunRecord {
            version,
            device,
            started,
            seed,
            data_hash,
            ..RunRecord::default()
        }
    }

    /// Takes over what a run has measured.
    pub fn measure(&mut self, metrics: &[(Split, Metrics)]) {
        for (split, metrics) in metrics {
            self.metrics
                .insert(split.name().to_owned(), metrics.clone());
        }
    }

    /// Replaces `run.json` in a run's folder.
    pub fn write(&self, run: &Path) -> io::Result<()> {
        self.write_with(run, write_atomic_or_over)
    }

    /// Where the disk has no room for why a run failed, that it did is still told: `failed` is shorter than `running`.
    fn write_with(
        &self,
        run: &Path,
        write: impl Fn(&Path, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let put = |record: &RunRecord| {
            let text = serde_json::to_string_pretty(record).map_err(io::Error::other)?;
            write(&run.join("run.json"), (text + "\n").as_bytes())
        };
        let written = put(self);
        if written.is_ok() || self.status != Status::Failed {
            return written;
        }
        let Ok(former) = RunRecord::read(run) else {
            return written;
        };
        put(&RunRecord {
            status: Status::Failed,
            ..former
        })
    }

    /// Reads `run.json` of a run's folder.
    pub fn read(run: &Path) -> io::Result<RunRecord> {
        serde_json::from_slice(&files::read_bounded(&run.join("run.json"), MOST_BYTES)?)
            .map_err(io::Error::other)
    }

    /// Marks the run in this folder as failed, whatever else is known of it.
    pub fn fail(run: &Path, message: &str) -> io::Result<()> {
        let unknown = |error| {
            log::warn!("run.json of {} cannot be read: {error}", run.display());
            RunRecord::default()
        };
        let mut record = RunRecord::read(run).unwrap_or_else(unknown);
        (record.status, record.message) = (Status::Failed, Some(message.to_owned()));
        record.write(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_keeps_no_run_running() {
        let run = tempfile::tempdir().unwrap();
        let mut record = RunRecord::start("CPU".into(), 7, "abc".into());
        record.write(run.path()).unwrap();
        let room = std::fs::metadata(run.path().join("run.json"))
            .unwrap()
            .len();
        (record.status, record.message, record.steps) =
            (Status::Failed, Some("no space left".into()), 9);
        let full = |path: &Path, bytes: &[u8]| match bytes.len() as u64 > room {
            true => Err(io::Error::from(io::ErrorKind::StorageFull)),
            false => std::fs::write(path, bytes),
        };
        record.write_with(run.path(), full).unwrap();
        let told = RunRecord::read(run.path()).unwrap();
        assert_eq!(
            (told.status, told.message, told.steps),
            (Status::Failed, None, 0)
        );
        record.status = Status::Completed;
        assert!(record.write_with(run.path(), full).is_err());
    }

    #[test]
    fn records_round_trip_and_fail() {
        let run = tempfile::tempdir().unwrap();
        let mut record = RunRecord::start("CPU".into(), 7, "abc".into());
        record.measure(&[(
            Split::Test,
            Metrics {
                loss: 0.5,
                accuracy: Some(0.75),
                ..Metrics::default()
            },
        )]);
        record.write(run.path()).unwrap();
        assert_eq!(RunRecord::read(run.path()).unwrap(), record);
        RunRecord::fail(run.path(), "why").unwrap();
        let failed = RunRecord::read(run.path()).unwrap();
        assert_eq!(
            (failed.status, failed.message.as_deref(), failed.seed),
            (Status::Failed, Some("why"), 7)
        );
    }
}
