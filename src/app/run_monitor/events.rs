//! What each event of a run changes, and what is told of it.

use super::{CurrentStage, Phase, RunMonitor, read_curves};
use crate::messages::Weight;
use std::path::{Path, PathBuf};
use strata_core::format;
use strata_core::project::data::Split;
use strata_engine::event::{Event, Failure, Metrics, Outcome, Summary};
use strata_engine::storage::record::RunRecord;

impl RunMonitor {
    /// Takes an event; a message for the user where there is one.
    pub(super) fn take(&mut self, event: Event) -> Option<(Weight, String)> {
        match event {
            Event::Preparing { what, done, total } => {
                let share = (total > 0).then(|| done as f32 / total as f32);
                self.phase = Phase::Preparing { what, share };
            }
            Event::Started {
                run,
                device,
                splits,
                skipped,
                ..
            } => return self.started(run, device, splits, skipped),
            Event::Stage {
                index,
                name,
                task,
                epochs,
                steps_per_epoch,
            } => {
                let is_known = self.continued.is_some() || self.is_followed;
                let goes_on = is_known && self.curves.goes_on(&name);
                match goes_on {
                    true => self.curves.set_steps_per_epoch(steps_per_epoch),
                    false => self.curves.stage(&name, steps_per_epoch),
                }
                let project = self.project.as_ref();
                self.asked.clear();
                if let Some(stage) = project.and_then(|project| project.stages.get(index)) {
                    self.curves.stage_loss(stage.loss.to_string());
                }
                self.stage = Some(CurrentStage {
                    index,
                    name,
                    task,
                    epochs,
                    steps_per_epoch,
                });
            }
            Event::Step(report) => {
                // What a run that goes on wrote while its curves were read is in them.
                if self.continued.is_none() || report.step > self.curves.steps() {
                    self.curves.step(&report);
                }
                self.last = Some(report);
            }
            Event::Epoch(report) => {
                if self.continued.is_none() || !self.curves.has_epoch(report.epoch) {
                    self.curves.epoch(&report);
                }
            }
            Event::Snapshots(kept) => {
                self.snapshots = kept;
                // The one that was looked at may be gone: the nearest before it is shown.
                let kept = &self.snapshots.steps;
                self.at = self
                    .at
                    .and_then(|at| kept.iter().rev().find(|step| **step <= at).copied());
            }
            Event::Changes(all) => {
                self.curves.changes = all;
                self.asked.clear();
            }
            Event::FirstWeights(told) => {
                let weight = match told.table.missing.is_empty() {
                    true => Weight::Note,
                    false => Weight::Warning,
                };
                return Some((weight, format!("The network {}", told.text())));
            }
            Event::InspectionsUpdated => self.has_new_weights = self.is_followed,
            Event::Paused => self.phase = Phase::Paused,
            Event::Resumed => self.phase = Phase::Training,
            Event::Checkpoint { path } => {
                return Some((
                    Weight::Note,
                    format!("Checkpoint saved: {}", name_of(&path)),
                ));
            }
            Event::Warning { in_window, .. } => return Some((Weight::Warning, in_window)),
            Event::Finished(outcome) => return self.finished(outcome),
        }
        None
    }

    fn started(
        &mut self,
        run: PathBuf,
        device: String,
        splits: Vec<(Split, usize)>,
        skipped: Vec<(PathBuf, String)>,
    ) -> Option<(Weight, String)> {
        self.phase = Phase::Training;
        let warning = skipped.first().map(|(file, reason)| {
            let more = if skipped.len() > 1 {
                format!(" (and {} more)", skipped.len() - 1)
            } else {
                String::new()
            };
            (
                Weight::Warning,
                format!("{} was left out: {reason}{more}", file.display()),
            )
        });
        // The tables end where the checkpoint was taken, by now.
        self.reading = self
            .continued
            .as_ref()
            .and_then(|wake| read_curves(&run, wake));
        (self.run, self.device, self.splits, self.skipped) =
            (Some(run), Some(device), splits, skipped);
        warning
    }

    fn finished(&mut self, outcome: Outcome) -> Option<(Weight, String)> {
        self.take_pictures();
        self.running = None;
        self.has_new_weights = self.is_followed;
        let told = match &outcome {
            Outcome::Completed(summary) => (
                Weight::Note,
                format!(
                    "Training finished: {} in {}",
                    self.reached(summary),
                    format::duration(summary.seconds)
                ),
            ),
            Outcome::Stopped(summary) => (
                Weight::Note,
                format!("Stopped; a checkpoint is in {}", short_name(&summary.run)),
            ),
            Outcome::Failed(failure) => (Weight::Error, failure.in_window.clone()),
        };
        let run = self.run.as_deref();
        self.record = run.and_then(|run| RunRecord::read(run).ok());
        self.phase = Phase::Ended(outcome);
        Some(told)
    }

    /// What was reached, in the words of the line above the bar.
    fn reached(&self, summary: &Summary) -> String {
        let results = self.curves.results();
        if !results.is_empty() {
            return results;
        }
        let part = |(split, metrics): &(Split, Metrics)| {
            let accuracy = metrics.accuracy.map_or_else(String::new, |accuracy| {
                format!(", {:.2} %", 100.0 * accuracy)
            });
            format!("{split} loss {}{accuracy}", format::loss(metrics.loss))
        };
        let parts: Vec<_> = summary.metrics.iter().map(part).collect();
        parts.join(" · ")
    }
}

/// How a run ends whose thread is gone without a last word.
pub(super) fn lost(run: Option<PathBuf>) -> Outcome {
    let message = "the training thread ended without a word; what was reached is in the run folder, Train starts anew";
    Outcome::Failed(Failure {
        message: message.into(),
        in_window: message.into(),
        wrong_input: false,
        stage: None,
        repairs: Vec::new(),
        of_gpu: false,
        run,
    })
}

/// A run's folder as one tells it from others of the project: its name, and that of the folder which it is in.
pub fn short_name(run: &Path) -> String {
    let parts = run.components().map(|part| part.as_os_str());
    let named: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
    named[named.len().saturating_sub(2)..].join("/")
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
