//! The sparse code: the mean activation of every hidden unit, or its share of the penalty, and as a histogram; below, one
//! unit with what excites it.

mod charts;
mod unit;

use super::live_settings;
use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::{ChoiceBox, empty, figure};
use charts::{Ranked, charts, ranked};
use eframe::egui::{Rect, Ui, UiBuilder, pos2};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format;
use strata_engine::inspection::reply::Reply;
use strata_inspect::activity_change::signed;
use strata_inspect::image_set::FromSplit;
use strata_inspect::inspection::Subject;
use strata_inspect::since_words;
use strata_inspect::sparse::SparseCode;
use strata_inspect::sparse::unit::{Request, SparseUnit};

/// What the first chart shows of the units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// Mean activations, falling.
    #[default]
    Falling,
    /// Mean activations, in the layer's order.
    ByPlace,
    /// Shares of the penalty, falling.
    Penalty,
}

impl Order {
    const ALL: [Order; 3] = [Order::Falling, Order::ByPlace, Order::Penalty];

    /// The same, or the usual one where this code has no penalty to show.
    fn of(self, code: &SparseCode) -> Order {
        match self {
            Order::Penalty if code.target.is_none() => Order::Falling,
            order => order,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Order::Falling => "means, falling",
            Order::ByPlace => "means by place",
            Order::Penalty => "share of penalty",
        }
    }
}

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseChoice {
    /// What the first chart shows.
    order: Order,
    /// The unit that is shown below, from 0; `None` for the one with the largest mean.
    unit: Option<usize>,
}

/// The view, with the order of the units it shows and the pictures of one of them.
#[derive(Default)]
pub(crate) struct SparseView {
    drawn: Option<(Arc<Seen>, Order, Ranked)>,
    unit: unit::UnitPictures,
}

/// Height of the part for one unit, and of a view that has room for it.
const UNIT: f32 = 168.0;
const ROOMY: f32 = 330.0;

type Seen = Reply<SparseCode>;

impl View for SparseView {
    fn title(&self) -> &'static str {
        "Sparse code"
    }

    fn summary(&self) -> &'static str {
        "How active each hidden unit is on average"
    }

    fn words(&self) -> &'static str {
        "sparsity code units activity"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "How active each hidden unit is on average over images of the stage's split: sorted, and as a histogram. With a sparsity in the stage, such as rho 0.035 and beta 0.1, the penalty β·Σ KL(ρ‖ρ̂) draws the means ρ̂ to the target ρ: each unit then answers to few images. β stands against a loss that is a mean over pixels: textbooks that add the pixels up have larger ones, such as 3, which here leave the reconstructions grey. A unit is dead where no image makes it more active than 0.1, and always on where nine of ten do. Click on a unit to see below how its activations are spread, which images excite it most, what it looks for in an image and what it paints into the reconstruction, with whitening undone."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |code| {
            let (images, of) = (
                format::count(code.images as u64),
                format::count(code.of as u64),
            );
            format!(
                "{images} of {of} {} images · step {}{}",
                code.split,
                format::count(code.step),
                since_words(code.since.as_ref().map(|since| since.step))
            )
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        live_settings::of_sparsity(ui, state, actions);
        let Some(code) = latest(state) else { return };
        order_box(ui, state, code, actions);
        if code.since.is_some() {
            return changes(ui, code);
        }
        let colors = theme::palette(ui);
        // Figures beside each other are told apart: "0.1" and "1 dead".
        ui.spacing_mut().item_spacing.x = 2.0 * theme::GAP;
        let mut write = |text: String, color, hover: &str| figure(ui, &text, color, hover);
        if let Some(penalty) = code.penalty {
            let penalty = format!("penalty {}", format::loss(penalty));
            write(
                penalty,
                colors.text,
                "β·Σ KL(ρ‖ρ̂): what these means add to the loss",
            );
        }
        write(
            format!("mean {}", format::loss(mean(code))),
            colors.accent,
            "The mean over all units",
        );
        let kinds = [
            (
                code.dead(),
                "dead",
                "Units that no image makes more active than 0.1, by their numbers",
            ),
            (
                code.always_on(),
                "always on",
                "Units that nine of ten images make more active than 0.1, by their numbers",
            ),
        ];
        for (units, kind, about) in kinds {
            if !units.is_empty() {
                let names = unit::numbers(&units);
                write(
                    format!("{} {kind}", units.len()),
                    colors.second,
                    &format!("{about}: {names}"),
                );
            }
        }
        if let Some((rho, _)) = code.target {
            write(
                format!("target ρ {rho}"),
                colors.second,
                "The mean activation that the stage's sparsity asks for",
            );
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.request(state.run_query::<SparseCode>(FromSplit::default())));
        match seen(state).map(|seen| (seen, &seen.result)) {
            Some((seen, Ok(code))) => self.cockpit(ui, state, seen, code, actions),
            Some((_, Err(error))) => failed(ui, "No code to measure", &error.to_string(), actions),
            None => match state.subject() {
                Some(Subject::Stored(_)) => reading(
                    ui,
                    state,
                    ("Opening the run …", &[TypeId::of::<SparseCode>()]),
                    actions,
                ),
                Some(Subject::Live) => empty(
                    ui,
                    "Measuring …",
                    "The first figures come with the next pictures.",
                ),
                _ => empty(
                    ui,
                    "No hidden units to measure yet",
                    "Press Train, or open a run folder. Where a stage has a sparsity, its target is drawn too.",
                ),
            },
        }
    }
}

/// The figures of a change, and which units have died since.
fn changes(ui: &mut Ui, code: &SparseCode) {
    let colors = theme::palette(ui);
    let mut write = |text: String, color, hover: &str| figure(ui, &text, color, hover);
    if let Some(penalty) = code.penalty {
        let text = format!("penalty {}", signed(penalty, 4));
        write(text, colors.text, "How much β·Σ KL(ρ‖ρ̂) has grown");
    }
    let text = format!("mean {}", signed(mean(code), 4));
    write(
        text,
        colors.accent,
        "How much the mean over all units has grown",
    );
    let Some(since) = &code.since else { return };
    for (units, kind) in [(&since.died, "died"), (&since.revived, "no longer dead")] {
        if !units.is_empty() {
            let hover = format!("Units by their numbers: {}", unit::numbers(units));
            write(format!("{} {kind}", units.len()), colors.second, &hover);
        }
    }
}

/// The mean over all units.
fn mean(code: &SparseCode) -> f64 {
    let means = code.means.iter().map(|mean| f64::from(*mean));
    means.sum::<f64>() / code.means.len().max(1) as f64
}

/// What the first chart shows.
fn order_box(ui: &mut Ui, state: &State, code: &SparseCode, actions: &mut Vec<Action>) {
    let former: SparseChoice = state.choices.get();
    let mut choice = former.clone();
    ChoiceBox {
        id: "order of units",
        width: 112.0,
        shown: choice.order.of(code).name().into(),
        hover: "means, falling: all units by how active they are; by place: in \
                the layer's order; share of penalty: which units the penalty \
                is made of",
        name: "Order of the units",
    }
    .show(ui, |ui| {
        for order in Order::ALL {
            if order != Order::Penalty || code.target.is_some() {
                ui.selectable_value(&mut choice.order, order, order.name());
            }
        }
    });
    choose(&former, choice, actions);
}

fn choose(former: &SparseChoice, choice: SparseChoice, actions: &mut Vec<Action>) {
    if choice != *former {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

impl SparseView {
    /// The charts, and one unit where there is room for it.
    fn cockpit(
        &mut self,
        ui: &mut Ui,
        state: &State,
        seen: &Arc<Seen>,
        code: &SparseCode,
        actions: &mut Vec<Action>,
    ) {
        let former: SparseChoice = state.choices.get();
        let area = ui.available_rect_before_wrap();
        // A unit is looked at at each step by itself.
        let has_room = area.height() >= ROOMY && code.since.is_none();
        let bottom = if has_room {
            area.bottom() - UNIT
        } else {
            area.bottom()
        };
        let upper = Rect::from_min_max(area.min, pos2(area.right(), bottom));
        let order = former.order.of(code);
        let clicked = ui
            .scope_builder(UiBuilder::new().id_salt("charts").max_rect(upper), |ui| {
                charts(ui, code, self.ranked(seen, code, order), order)
            })
            .inner;
        let mut choice = former.clone();
        choice.unit = clicked.or(choice.unit);
        if has_room {
            actions.extend(state.request(state.run_query::<SparseUnit>(Request::of(choice.unit))));
            let lower = Rect::from_min_max(pos2(area.left(), bottom + theme::GAP), area.max);
            ui.scope_builder(UiBuilder::new().id_salt("unit").max_rect(lower), |ui| {
                choice.unit = self.unit.show(ui, state, code, choice.unit);
            });
        }
        choose(&former, choice, actions);
    }

    fn ranked(&mut self, seen: &Arc<Seen>, code: &SparseCode, order: Order) -> &[(usize, f32)] {
        let drawn = self
            .drawn
            .take()
            .filter(|(drawn, of, _)| Arc::ptr_eq(drawn, seen) && *of == order);
        let drawn = drawn.unwrap_or_else(|| (seen.clone(), order, ranked(code, order)));
        &self.drawn.insert(drawn).2
    }
}

fn seen(state: &State) -> Option<&Arc<Seen>> {
    state.run_reply()
}

fn latest(state: &State) -> Option<&SparseCode> {
    seen(state)?.result.as_deref().ok()
}

/// Only the charts, for an image file.
pub(crate) fn picture(ui: &mut Ui, code: &SparseCode) {
    charts(ui, code, &ranked(code, Order::Falling), Order::Falling);
}
