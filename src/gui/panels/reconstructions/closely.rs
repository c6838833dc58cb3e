//! The errors over a split, or the code, in the place of the probe images.

use super::choice::{ReconstructionChoice, Shown};
use super::{ReconstructionsView, code, errors};
use crate::panels::loading_state::{failed, reading};
use crate::widgets::empty;
use eframe::egui::{ScrollArea, Ui};
use std::any::TypeId;
use strata_app::action::Action;
use strata_app::state::State;
use strata_inspect::code_edit::CodeEdit;
use strata_inspect::inspection::{Inspection, Subject};
use strata_inspect::reconstruction_errors::ReconstructionErrors;

/// The latest output of a kind.
pub(super) fn seen<I: Inspection>(state: &State) -> Option<&I> {
    state.run_reply::<I>()?.result.as_deref().ok()
}

impl ReconstructionsView {
    /// The errors over a split, or the code.
    pub(super) fn closely(
        &mut self,
        ui: &mut Ui,
        state: &State,
        choice: &ReconstructionChoice,
        actions: &mut Vec<Action>,
    ) {
        let failure = match choice.shown {
            Shown::Code => state
                .run_reply::<CodeEdit>()
                .map(|seen| seen.result.as_ref().err().cloned()),
            _ => state
                .run_reply::<ReconstructionErrors>()
                .map(|seen| seen.result.as_ref().err().cloned()),
        };
        match failure {
            Some(None) => {}
            Some(Some(error)) => {
                return failed(
                    ui,
                    "Nothing to show of this run",
                    &error.to_string(),
                    actions,
                );
            }
            None if matches!(state.subject(), Some(Subject::Stored(_))) => {
                return reading(
                    ui,
                    state,
                    (
                        "Asking the network …",
                        &[
                            TypeId::of::<CodeEdit>(),
                            TypeId::of::<ReconstructionErrors>(),
                        ],
                    ),
                    actions,
                );
            }
            None if state.subject().is_some() => {
                return empty(
                    ui,
                    "Asking the network …",
                    "It comes with the next pictures.",
                );
            }
            None => {
                return empty(ui, "No pictures yet", "Press Train, or open a run folder.");
            }
        }
        let area = ScrollArea::vertical()
            .id_salt("reconstructions closely")
            .auto_shrink(false);
        match choice.shown {
            Shown::Code => {
                let Some(of) = state.run_reply::<CodeEdit>() else {
                    return;
                };
                let Some(edit) = of.result.as_deref().ok() else {
                    return;
                };
                code::Drawn::update(&mut self.code, ui.ctx(), of, edit);
                let Some(drawn) = &self.code else { return };
                let unit = &mut self.unit;
                area.show(ui, |ui| code::show(ui, edit, drawn, choice, unit, actions));
            }
            _ => {
                let Some(of) = state.run_reply::<ReconstructionErrors>() else {
                    return;
                };
                let Some(errors) = of.result.as_deref().ok() else {
                    return;
                };
                errors::Drawn::update(&mut self.errors, ui.ctx(), of, errors);
                let Some(drawn) = &self.errors else { return };
                area.show(ui, |ui| errors::show(ui, errors, drawn));
            }
        }
    }
}
