//! `run.json`: what a run is, where it was computed and how it ended.
//!
//! Rewritten in one step whenever the status changes, so that a run which died (power cut, kill)
//! still says `running` and the rest of the folder is whole. Reading fails with one sentence.

use super::event::Metrics;
use crate::project::data::Split;
use crate::project::file::write_atomic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

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
    /// It could not go on.
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
    /// Tells whether two runs saw the same images.
    pub data_hash: String,
    /// The last metrics of each split.
    pub metrics: BTreeMap<String, Metrics>,
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
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        write_atomic(&run.join("run.json"), (text + "\n").as_bytes())
    }

    /// Reads `run.json` of a run's folder.
    pub fn read(run: &Path) -> io::Result<RunRecord> {
        serde_json::from_slice(&std::fs::read(run.join("run.json"))?).map_err(io::Error::other)
    }

    /// Marks the run in this folder as failed, whatever else is known of it.
    pub fn fail(run: &Path, message: &str) -> io::Result<()> {
        let mut record = RunRecord::read(run).unwrap_or_default();
        (record.status, record.message) = (Status::Failed, Some(message.to_owned()));
        record.write(run)
    }
}

/// `2026-11-21T18:03:00Z`
pub fn utc(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(day as i64);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month and day of a day since 1970: years start in March, so that the leap day comes last
/// and months of 31, 30, 31, 30, 31 days follow each other (153 days in five months).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // since 0000-03-01
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
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
