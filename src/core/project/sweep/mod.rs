//! `[sweep]`: which settings of a project are tried with which values, by which method, and what ranks them.
//!
//! Beside its own settings the table holds **factors**: the way of a setting through the file
//! ([`super::setting_path`]) and its values, such as `encoder.0.out_channels = [5, 10, 20, 40]`. A key in quotes may name
//! several settings that take the same value together. Whether the settings exist is said where the trials are made: a
//! project stays readable when a layer that a sweep names is taken out.

mod factor;
mod read;
pub mod settings;
mod words;

pub use factor::{Factor, Range, Values, label};
pub use read::SweepError;
pub use words::{Measure, Method, Metric, StopRule};

use super::node::quote;
use serde::{Deserialize, Serialize};
use toml::Table;

/// Trials of one project with other settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct Sweep {
    /// Which combinations of the values are trained, and for how long.
    pub method: Method,
    /// What ranks the trials; by default the accuracy, or the loss, on the validation images.
    pub metric: Option<Metric>,
    /// Runs of each trial, with seeds from the project's on.
    pub seeds: Option<u32>,
    /// The number of trials: at most so many of a grid, so many draws at random.
    pub trials: Option<u32>,
    /// When a trial is hopeless.
    pub stop: Option<StopRule>,
    /// The settings that are tried, by the natural order of their paths.
    pub factors: Vec<Factor>,
}

impl Sweep {
    /// Runs of each trial.
    pub fn runs_per_trial(&self) -> u32 {
        self.seeds.unwrap_or(1)
    }

    /// The lines of the table but for its heading.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.method != Method::default() {
            lines.push(format!("method = {}", quote(&self.method.to_string())));
        }
        let metric = self.metric.iter();
        lines.extend(metric.map(|metric| format!("metric = {}", quote(&metric.to_string()))));
        lines.extend(self.seeds.map(|seeds| format!("seeds = {seeds}")));
        lines.extend(self.trials.map(|trials| format!("trials = {trials}")));
        let stop = self.stop.iter();
        lines.extend(stop.map(|stop| format!("stop = {}", quote(&stop.to_string()))));
        lines.extend(self.factors.iter().map(Factor::to_line));
        lines
    }

    /// The table as it stands in a project file.
    pub(super) fn to_toml(&self) -> String {
        let lines = self.lines().into_iter();
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        format!("\n[sweep]\n{lines}")
    }

    /// Puts a factor in the place of the one with the same settings, or adds it.
    pub fn with(&self, factor: Factor) -> Sweep {
        let mut next = self.clone();
        next.factors.retain(|known| known.paths != factor.paths);
        next.factors.push(factor);
        factor::sort(&mut next.factors);
        next
    }

    /// Takes the factor at this place out.
    pub fn without(&self, place: usize) -> Sweep {
        let mut next = self.clone();
        if place < next.factors.len() {
            next.factors.remove(place);
        }
        next
    }
}

impl From<Sweep> for Table {
    fn from(sweep: Sweep) -> Table {
        // What is written is read again: a test walks over it.
        toml::from_str(&sweep.lines().join("\n")).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
