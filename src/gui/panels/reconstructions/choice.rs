//! What was chosen in the view of the reconstructions: the probe images, the errors over a split, or the code.

use crate::widgets::ChoiceBox;
use eframe::egui::Ui;
use strata_app::action::Action;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::project::data::Split;
use strata_inspect::code_edit;

/// What the view shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// The probe images and what the network makes of them.
    #[default]
    Probes,
    /// The errors over a split.
    Errors,
    /// The code of an image, to be changed by hand.
    Code,
}

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReconstructionChoice {
    /// What it shows.
    pub shown: Shown,
    /// The split whose errors are shown; `None` for the test images, or the first there are.
    pub split: Option<Split>,
    /// The code's image, its edits, the other image and the noise.
    pub code: code_edit::Request,
}

pub(super) fn choose(
    former: &ReconstructionChoice,
    choice: ReconstructionChoice,
    actions: &mut Vec<Action>,
) {
    if *former != choice {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

/// The boxes, from the right.
pub(super) fn tools(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let former: ReconstructionChoice = state.choices.get();
    let mut choice = former.clone();
    if choice.shown == Shown::Errors {
        split_box(ui, &mut choice.split);
    }
    let name = |shown| match shown {
        Shown::Probes => "probe images",
        Shown::Errors => "errors",
        Shown::Code => "code",
    };
    ChoiceBox {
        id: "what of reconstructions",
        width: 104.0,
        shown: name(choice.shown).into(),
        hover: "probe images: as they are learned; errors: over a split, with \
                the best and the worst; code: change an image's code by hand \
                and see what the decoder makes of it",
        name: "What of reconstructions",
    }
    .show(ui, |ui| {
        for one in [Shown::Probes, Shown::Errors, Shown::Code] {
            ui.selectable_value(&mut choice.shown, one, name(one));
        }
    });
    choose(&former, choice, actions);
}

fn split_box(ui: &mut Ui, split: &mut Option<Split>) {
    let name = |split: Option<Split>| match split {
        None | Some(Split::Test) => "test images",
        Some(Split::Train) => "training images",
        Some(Split::Valid) => "validation images",
        Some(Split::Unlabeled) => "unlabeled images",
    };
    ChoiceBox {
        id: "split of reconstructions",
        width: 112.0,
        shown: name(*split).into(),
        hover: "Whose errors; without test images the first is those of \
                validation",
        name: "Split of reconstructions",
    }
    .show(ui, |ui| {
        for one in [None, Some(Split::Valid), Some(Split::Train)] {
            ui.selectable_value(split, one, name(one));
        }
    });
}
