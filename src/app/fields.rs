//! Which settings have fields, and what keeps a training from being started: a problem of the project, or a field
//! whose text is refused.

use crate::messages::Weight;
use crate::run_monitor::Phase;
use crate::state::State;
use std::mem::Discriminant;
use strata_core::project::data::{Normalize, Source};
use strata_core::project::help::Repair;
use strata_core::spoken::spoken;
use strata_design::advice::{Fix, fixes_for_images};
use strata_engine::event::Outcome;

/// Which fields of the project there are: those of a former project, of a stage or setting that is gone, are not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fields {
    generation: u64,
    source: Source,
    normalize: Option<Discriminant<Normalize>>,
    /// Whether there is a fold, a patch, a spectrogram and whitening.
    with: [bool; 4],
    /// Stages, augmentations, goals.
    counts: [usize; 3],
}

impl State {
    /// Which fields the project has.
    pub fn fields(&self) -> Fields {
        let (project, data) = (self.project(), &self.project().data);
        Fields {
            generation: self.generation,
            source: data.source,
            normalize: data.normalize.as_ref().map(std::mem::discriminant),
            with: [
                data.fold.is_some(),
                data.patches.is_some(),
                data.spectrogram.is_some(),
                data.whiten.is_some(),
            ],
            counts: [
                project.stages.len(),
                data.augment.len(),
                project.goals.iter().count(),
            ],
        }
    }

    /// What keeps a training from being started, in words.
    pub fn hindrance(&self) -> Option<String> {
        let refused = self.refused.first().map(|refused| refused.sentence());
        refused.or_else(|| self.blocker().map(|problem| problem.message.clone()))
    }

    /// The edit that mends the problem which keeps a training from being started, where one edit does.
    pub fn hindrance_fix(&self) -> Option<&Fix> {
        let is_of_project = self.refused.is_empty() && self.proposal().is_none();
        let blocker = self.blocker().filter(|_| is_of_project)?;
        let problems = &self.shown.problems;
        let index = problems
            .iter()
            .position(|problem| std::ptr::eq(problem, blocker))?;
        self.shown.fixes.get(index)?.first()
    }

    /// The edits that mend what the last run failed of with this message.
    pub fn failure_fixes(&self, message: &str) -> Vec<Fix> {
        match &self.training.phase {
            Phase::Ended(Outcome::Failed(failure)) if spoken(&failure.in_window) == message => {
                fixes_for_images(self.project(), failure.stage, &failure.repairs)
            }
            _ => Vec::new(),
        }
    }

    /// Whether the last run failed with this message because of its GPU, and the next one would not be computed on the
    /// CPU yet.
    pub fn failed_on_gpu(&self, message: &str) -> bool {
        match &self.training.phase {
            Phase::Ended(Outcome::Failed(failure)) => {
                let is_it = spoken(&failure.in_window) == message;
                is_it && failure.of_gpu && self.device.as_deref() != Some("cpu")
            }
            _ => false,
        }
    }

    /// Where the last run failed with this message because its files are not where they were looked for: the whole
    /// message, with their names and the folders.
    pub fn missing_files(&self, message: &str) -> Option<&str> {
        let Phase::Ended(Outcome::Failed(failure)) = &self.training.phase else {
            return None;
        };
        let is_note = |repair: &Repair| matches!(repair, Repair::Note { .. });
        let is_it = spoken(&failure.in_window) == message && failure.repairs.iter().any(is_note);
        is_it.then_some(failure.message.as_str())
    }

    /// Says why nothing is trained, until it is mended.
    pub(crate) fn tell_hindrance(&mut self, hindrance: String) {
        self.messages.add(Weight::Error, hindrance.clone());
        self.told_hindrance = Some(hindrance);
    }

    /// Takes away what was said about something that is mended by now.
    pub(crate) fn forget_mended(&mut self) {
        if let Some(told) = self.told_hindrance.take() {
            if self.hindrance().as_ref() == Some(&told) {
                self.told_hindrance = Some(told);
            } else {
                self.messages.withdraw(&told);
            }
        }
        let Phase::Ended(Outcome::Failed(failure)) = &self.training.phase else {
            return;
        };
        if self.run_differs() {
            // What failed for another reason than the project was written is still worth reading.
            if failure.wrong_input {
                self.messages.withdraw(&failure.in_window);
            }
            self.training.phase = Phase::Idle;
        }
    }
}
