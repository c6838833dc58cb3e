//! The images nearest to one: by their pixels, and by what a layer gives for them.

mod rows;

pub(crate) use rows::accuracy_lines;
use rows::show;

use super::compared::{self, Compared};
use super::image_source;
use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::{ChoiceBox, empty, plain, slices_of_input, volume_slice};
use eframe::egui::{DragValue, Ui};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format;
use strata_engine::inspection::reply::Reply;
use strata_inspect::image_set::Chosen;
use strata_inspect::inspection::Subject;
use strata_inspect::neighbours::{Metric, Neighbours, Request, VOTES};

type Seen = Reply<Neighbours>;

/// What was chosen in the view.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourChoice {
    /// By which layer, among which images.
    pub compared: Compared,
    /// The image, by its place in the split.
    pub image: u32,
    /// How distance is measured.
    pub metric: Metric,
    /// How many neighbours vote.
    pub votes: usize,
}

impl Default for NeighbourChoice {
    fn default() -> NeighbourChoice {
        NeighbourChoice {
            compared: Compared::default(),
            image: 0,
            metric: Metric::default(),
            votes: VOTES,
        }
    }
}

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct NeighboursView {
    drawn: Option<(Arc<Seen>, rows::Pictures)>,
}

/// Neighbours that may vote.
const MOST_VOTES: usize = 100;

impl View for NeighboursView {
    fn title(&self) -> &'static str {
        "Neighbours"
    }

    fn summary(&self) -> &'static str {
        "The images nearest to one by pixels and by a layer's features, and k-NN accuracy"
    }

    fn words(&self) -> &'static str {
        "nearest neighbours neighbors knn k-nn features similar images retrieval distance cosine KNeighborsClassifier"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "The images of a split that are nearest to one: above by their pixels, below by what a layer gives for them (its features). A layer that has learnt something finds images of the same class near, however different their pixels are. Euclidean is the length of the difference; cosine is one less the cosine of the angle, so that strength does not count. The k-NN accuracy is measured on the held-out images: each is taken for the class of most of its k nearest training images; of equally many the first class counts. It is measured when the run is not in training. A click on a neighbour shows its neighbours."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |found| {
            format!(
                "{} · {} of {} {} images · {} · step {}",
                plain(&found.layer),
                format::count(found.images as u64),
                format::count(found.of as u64),
                found.split,
                found.metric.word(),
                format::count(found.step)
            )
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let former: NeighbourChoice = state.choices.get();
        let mut choice = former.clone();
        ChoiceBox {
            id: "metric of neighbours",
            width: 80.0,
            shown: choice.metric.word().into(),
            hover: "How the distance of two images is measured",
            name: "Metric of neighbours",
        }
        .show(ui, |ui| {
            for metric in Metric::ALL {
                ui.selectable_value(&mut choice.metric, metric, metric.word());
            }
        });
        volume_slice(ui, state, slices_of_input(state), actions);
        choose(&former, choice, actions);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let choice: NeighbourChoice = state.choices.get();
        actions.extend(state.request(state.run_query::<Neighbours>(request(state, &choice))));
        controls(ui, state, actions);
        self.content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.content(ui, state, &mut Vec::new());
    }
}

fn request(state: &State, choice: &NeighbourChoice) -> Request {
    Request {
        place: choice.compared.place.clone(),
        chosen: Chosen {
            files: state.inspections.saliency.image.iter().cloned().collect(),
            split: choice.compared.split,
            limit: choice.compared.limit,
        },
        image: choice.image,
        metric: choice.metric,
        votes: choice.votes,
    }
}

fn latest(state: &State) -> Option<&Neighbours> {
    let seen: &Arc<Seen> = state.run_reply()?;
    seen.result.as_deref().ok()
}

fn choose(former: &NeighbourChoice, choice: NeighbourChoice, actions: &mut Vec<Action>) {
    if choice != *former {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

/// The layer, the images, and the one whose neighbours are shown.
fn controls(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let former: NeighbourChoice = state.choices.get();
    let mut choice = former.clone();
    ui.horizontal_wrapped(|ui| {
        compared::boxes(ui, state, "of neighbours", &mut choice.compared);
        let votes = DragValue::new(&mut choice.votes)
            .range(1..=MOST_VOTES)
            .prefix("k = ");
        ui.add(votes)
            .on_hover_text("How many training images vote for the class of an image")
            .accessible_name("Votes of neighbours");
        if state.inspections.saliency.image.is_none() {
            image_field(ui, state, &mut choice.image);
        }
        if state.network().input.rank() != 1 || state.inspections.saliency.image.is_some() {
            image_source::file(ui, state, "Image of neighbours", actions);
        }
    });
    ui.add_space(theme::GAP);
    choose(&former, choice, actions);
}

fn image_field(ui: &mut Ui, state: &State, image: &mut u32) {
    let of = latest(state).map_or(u32::MAX as usize, |found| found.of);
    let last = u32::try_from(of).unwrap_or(u32::MAX).max(1);
    let mut place = image.saturating_add(1);
    let field = DragValue::new(&mut place).range(1..=last).prefix("image ");
    ui.add(field)
        .on_hover_text("Which image of the split; a click on a neighbour takes that")
        .accessible_name("Image of the split");
    *image = place.saturating_sub(1);
}

impl NeighboursView {
    fn content(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(seen) = state.run_reply::<Neighbours>() else {
            self.drawn = None;
            return nothing(ui, state, actions);
        };
        match &seen.result {
            Err(error) => failed(ui, "No neighbours of this", &error.to_string(), actions),
            Ok(found) => {
                let is_drawn = |(drawn, _): &(Arc<Seen>, rows::Pictures)| Arc::ptr_eq(drawn, seen);
                if !self.drawn.as_ref().is_some_and(is_drawn) {
                    self.drawn = Some((seen.clone(), rows::Pictures::of(ui, found)));
                }
                if let Some((_, pictures)) = &self.drawn
                    && let Some(image) = show(ui, found, pictures)
                {
                    let former: NeighbourChoice = state.choices.get();
                    actions.extend(state.inspections.saliency.image.as_ref().map(|_| {
                        let saliency = strata_inspect::saliency::Request {
                            image: None,
                            ..state.inspections.saliency.clone()
                        };
                        Action::Show(strata_app::action::Show::Saliency(saliency))
                    }));
                    actions.push(Action::Choose(Choice::new(NeighbourChoice {
                        image,
                        ..former
                    })));
                }
            }
        }
    }
}

fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    match state.subject() {
        Some(Subject::Stored(_)) => reading(
            ui,
            state,
            ("Comparing images …", &[TypeId::of::<Neighbours>()]),
            actions,
        ),
        Some(Subject::Live) => empty(
            ui,
            "Comparing images …",
            "The first neighbours come with the next pictures.",
        ),
        _ => empty(
            ui,
            "No network to compare by yet",
            "Press Train, or open a run folder: then the images nearest to one are shown, by pixels and by what the network makes of them.",
        ),
    }
}
