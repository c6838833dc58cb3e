//! A run on the terminal: a bar that moves and a line for every epoch, all on standard error.

use super::output;
use super::text::metrics;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;
use strata_core::format::{count, duration, loss, printable};
use strata_engine::event::{EpochReport, Event, Sink, StepReport};
use strata_engine::storage::changes::Change;

/// Shows events as they come.
pub struct Progress {
    bar: ProgressBar,
    stages: usize,
    stage: Option<Stage>,
    /// The changes of settings that were told.
    changes: Vec<Change>,
}

struct Stage {
    title: String,
    epochs: u32,
    steps_per_epoch: u64,
}

impl Progress {
    /// For a run of so many stages.
    pub fn new(stages: usize) -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style("{spinner} {msg}"));
        // Its thread could end the program where there is none to be had.
        if std::thread::Builder::new().spawn(|| {}).is_ok() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Progress {
            bar,
            stages,
            stage: None,
            changes: Vec::new(),
        }
    }

    /// Ends the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, line: &str) {
        self.bar.suspend(|| output::say(line));
    }

    fn preparing(&self, what: &str, done: u64, total: u64) {
        let share = if total > 0 {
            format!(", {} of {}", count(done), count(total))
        } else {
            String::new()
        };
        self.bar.set_message(format!("{what}{share}"));
    }

    fn stage(&mut self, index: usize, name: &str, epochs: u32, steps_per_epoch: u64) {
        let title = if self.stages > 1 {
            format!("stage {}/{} {}, ", index + 1, self.stages, printable(name))
        } else {
            String::new()
        };
        self.bar.set_style(style("{msg} [{bar:24}] {prefix}"));
        self.bar.set_length(u64::from(epochs) * steps_per_epoch);
        self.stage = Some(Stage {
            title,
            epochs,
            steps_per_epoch,
        });
    }

    fn step(&self, step: &StepReport) {
        let Some(stage) = &self.stage else { return };
        self.bar
            .set_position(u64::from(step.epoch - 1) * stage.steps_per_epoch + step.step_in_epoch);
        self.bar.set_message(format!(
            "{}epoch {}/{}",
            stage.title, step.epoch, stage.epochs
        ));
        let speed = count(step.images_per_second as u64);
        self.bar.set_prefix(format!(
            "loss {}  {speed} images/s  {} left",
            loss(step.loss),
            duration(step.seconds_left)
        ));
    }

    fn epoch(&self, report: &EpochReport) {
        let Some(stage) = &self.stage else { return };
        let splits = report
            .metrics
            .iter()
            .map(|(split, figures)| format!("{split} {}", metrics(figures)));
        let splits: Vec<String> = splits.collect();
        self.say(&format!(
            "{}epoch {}/{}: {}",
            stage.title,
            report.epoch,
            stage.epochs,
            splits.join(" · ")
        ));
    }

    /// Tells the changes that were not told before.
    fn changes(&mut self, all: &[Change]) {
        for change in all.iter().filter(|change| !self.changes.contains(change)) {
            let (step, stage) = (count(change.step), printable(&change.stage));
            let (setting, value) = (change.setting, change.value);
            self.say(&format!(
                "{setting}={value} from step {step} on, stage {stage}"
            ));
        }
        self.changes = all.to_vec();
    }

    fn started(&self, event: &Event) {
        let Event::Started {
            run,
            device,
            splits,
            skipped,
            ..
        } = event
        else {
            return;
        };
        let splits: Vec<String> = splits
            .iter()
            .map(|(split, images)| format!("{split} {}", count(*images as u64)))
            .collect();
        self.say(&format!(
            "{device} · images: {} · run: {}",
            splits.join(", "),
            run.display()
        ));
        for (file, reason) in skipped {
            self.say(&format!("left out: {}: {reason}", file.display()));
        }
    }
}

impl Sink for Progress {
    fn event(&mut self, event: Event) {
        match &event {
            Event::Preparing { what, done, total } => self.preparing(what, *done, *total),
            Event::Started { .. } => self.started(&event),
            Event::Stage {
                index,
                name,
                epochs,
                steps_per_epoch,
                ..
            } => {
                self.stage(*index, name, *epochs, *steps_per_epoch);
            }
            Event::Step(step) => self.step(step),
            Event::Epoch(report) => self.epoch(report),
            Event::Warning { message, .. } => self.say(&format!("warning: {message}")),
            Event::Changes(all) => self.changes(all),
            Event::FirstWeights(told) => {
                told.table.lines().iter().for_each(|line| self.say(line));
                self.say(&told.text());
            }
            Event::Paused => self.say("paused; strata control RUN --resume goes on"),
            Event::Resumed => self.say("goes on"),
            Event::InspectionsUpdated
            | Event::Checkpoint { .. }
            | Event::Snapshots(_)
            | Event::Finished(_) => {}
        }
    }
}

/// A bar on standard error.
pub(in crate::cli) fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style(template));
    bar
}

/// A template with a mistake in it would show as the plain default.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
