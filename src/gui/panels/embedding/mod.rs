//! A map of many images: each a small picture, near to those that a layer finds alike.

mod scatter;
mod side;

pub(crate) use scatter::{Drawn, Part, Pictures, paint};

use super::compared::{self, Compared};
use super::loading_state::{failed, reading};
use super::neighbours::NeighbourChoice;
use crate::plate::of_embedding::{figures, way};
use crate::theme;
use crate::view::View;
use crate::widgets::{ChoiceBox, empty, plain, slices_of_input, volume_slice};
use eframe::egui::{Button, Checkbox, DragValue, RichText, Ui, UiBuilder};
use std::any::TypeId;
use std::collections::BTreeSet;
use std::sync::Arc;
use strata_app::action::{Action, OnView};
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_core::format;
use strata_engine::inspection::reply::{AnyQuery, Query, Reply};
use strata_inspect::embedding::{By, Embedding, How, Request};
use strata_inspect::features::{self, Features};
use strata_inspect::inspection::Subject;

type Seen = Reply<Embedding>;

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapChoice {
    /// By which layer, of which images.
    pub compared: Compared,
    /// How the map is made.
    pub how: How,
    /// Which draw of the images and of the start.
    pub draw: u64,
    /// Classes that are hidden.
    pub hidden: BTreeSet<Option<u32>>,
    /// Points instead of pictures.
    pub as_points: bool,
    /// The image that is open, by its place in the split.
    pub open: Option<u32>,
}

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct EmbeddingView {
    drawn: Option<(Arc<Seen>, Pictures)>,
    part: Part,
}

/// Width of the legend, and of a view that has room for it.
const SIDE: f32 = 152.0;
const ROOMY: f32 = 380.0;

impl View for EmbeddingView {
    fn title(&self) -> &'static str {
        "Map of images"
    }

    fn summary(&self) -> &'static str {
        "A split as a map by what a layer finds alike: PCA, t-SNE, UMAP"
    }

    fn words(&self) -> &'static str {
        "embedding projection tsne t-sne umap pca principal components scatter cluster latent space code projector visualize manifold dimensionality"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "Every image is a point, near to the images for which a layer gives much the same. PCA turns the features so that the first two axes hold as much of their variance as two can: distances keep their meaning, and the shares of the variance say how much is seen. t-SNE and UMAP keep neighbours together: groups mean something, the distances between groups and their sizes hardly do. Trustworthiness is 1 when all neighbours on the map are neighbours by features. The colours are the classes, which the network was not told where it is not labelled; a click on a class hides it, one on an image opens it. Drag moves the map, Ctrl and the wheel zoom, a double click shows all; arrows, plus, minus and Home do the same, and Enter opens the image in the middle. While a run trains, the map stays as it is until Map again is pressed."
    }

    fn status(&self, state: &State) -> String {
        let Some(map) = map(state).and_then(|seen| seen.result.as_deref().ok()) else {
            return String::new();
        };
        let features = &map.features;
        format!(
            "{} · {} of {} {} images · {}{} · step {}",
            plain(&features.layer),
            format::count(map.points.len() as u64),
            format::count(features.of as u64),
            features.split,
            way(&map.how),
            figures(map),
            format::count(features.step)
        )
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let former: MapChoice = state.choices.get();
        let mut choice = former.clone();
        ChoiceBox {
            id: "way of the map",
            width: 64.0,
            shown: choice.how.by.name().into(),
            hover: "How the map is made",
            name: "Way of the map",
        }
        .show(ui, |ui| {
            for by in By::ALL {
                ui.selectable_value(&mut choice.how.by, by, by.name());
            }
        });
        volume_slice(ui, state, slices_of_input(state), actions);
        choose(&former, choice, actions);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        ask(state, actions);
        if state.subject().is_some() {
            controls(ui, state, actions);
        }
        self.content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        let Some(seen) = map(state) else { return };
        let Ok(map) = &seen.result else { return };
        let choice: MapChoice = state.choices.get();
        let pictures = Pictures::of(ui, map);
        let drawn = drawn(map, &pictures, &choice);
        with_legend(ui, &drawn);
    }
}

/// The map with its legend, as a picture.
pub(crate) fn with_legend(ui: &mut Ui, drawn: &Drawn<'_>) {
    let area = ui.available_rect_before_wrap();
    let (left, right) = area.split_left_right_at_x(area.right() - SIDE);
    paint(ui, left, drawn, Part::default());
    let right = right.with_min_x(right.left() + theme::GAP);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("legend").max_rect(right));
    side::show(&mut inner, drawn.map, drawn.pictures, (None, drawn.hidden));
}

/// Whether a map that was shown is of the same images.
fn has_images_of(shown: &Seen, map: &Embedding) -> bool {
    let shown = shown.result.as_ref().ok();
    shown.is_some_and(|shown| {
        let [one, other] = [shown, map].map(|map| &map.features.sample);
        one.size == other.size && one.pixels == other.pixels
    })
}

fn drawn<'a>(map: &'a Embedding, pictures: &'a Pictures, choice: &'a MapChoice) -> Drawn<'a> {
    let indices = &map.features.sample.indices;
    let is_open = |index: &u32| Some(*index) == choice.open;
    Drawn {
        map,
        pictures,
        hidden: &choice.hidden,
        as_points: choice.as_points,
        open: indices.iter().position(is_open),
    }
}

fn choose(former: &MapChoice, choice: MapChoice, actions: &mut Vec<Action>) {
    if choice != *former {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

fn features_query(state: &State) -> Option<Query<Features>> {
    let choice: MapChoice = state.choices.get();
    state.run_query(features::Request {
        place: choice.compared.place,
        split: choice.compared.split,
        limit: choice.compared.limit,
        draw: choice.draw,
    })
}

/// The features of what is chosen now. Those of a run in training stay until others are asked for.
fn features(state: &State) -> Option<&Arc<Reply<Features>>> {
    let query = features_query(state)?;
    state.inspections.reply_to(&query)
}

fn map_query(state: &State) -> Option<Query<Embedding>> {
    let features = features(state)?.result.as_ref().ok()?.clone();
    let choice: MapChoice = state.choices.get();
    let request = Request {
        features,
        how: choice.how,
    };
    Some(Query::new(Subject::Nothing, request))
}

/// The map of these features.
fn map(state: &State) -> Option<&Arc<Seen>> {
    state.inspections.reply_to(&map_query(state)?)
}

/// Asks for the features, and then for their map: neither again by itself while a run trains.
fn ask(state: &State, actions: &mut Vec<Action>) {
    let inspections = &state.inspections;
    let Some(query) = features_query(state) else {
        return;
    };
    if inspections.reply_to(&query).is_none() && !inspections.waits_for(&query) {
        actions.push(Action::Inspect(AnyQuery::new(query)));
        return;
    }
    if let Some(query) = map_query(state)
        && inspections.reply_to(&query).is_none()
        && !inspections.waits_for(&query)
    {
        actions.push(Action::Inspect(AnyQuery::new(query)));
    }
}

/// The images, the settings of the way, and what is drawn.
fn controls(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let former: MapChoice = state.choices.get();
    let mut choice = former.clone();
    ui.horizontal_wrapped(|ui| {
        compared::boxes(ui, state, "of the map", &mut choice.compared);
        way_field(ui, &mut choice.how);
        ui.add(Checkbox::new(&mut choice.as_points, "Points"))
            .on_hover_text("Points instead of pictures");
        let small = |text: &str| Button::new(RichText::new(text).size(theme::SMALL));
        let hover = "Another draw of the images and of the start";
        if ui.add(small("Draw anew")).on_hover_text(hover).clicked() {
            choice.draw += 1;
        }
        if state.subject() == Some(Subject::Live) {
            let hover =
                "Asks the run in training again and makes the map of what it has learnt since";
            let again = ui.add(small("Map again")).on_hover_text(hover);
            let query = features_query(state).filter(|_| again.clicked());
            actions.extend(query.map(|query| Action::Inspect(AnyQuery::new(query))));
        }
    });
    ui.add_space(theme::GAP);
    choose(&former, choice, actions);
}

/// The setting that the way has.
fn way_field(ui: &mut Ui, how: &mut How) {
    match how.by {
        By::Pca => {}
        By::Tsne => {
            let field = DragValue::new(&mut how.perplexity)
                .range(2.0..=200.0)
                .update_while_editing(false)
                .fixed_decimals(0)
                .prefix("perplexity ");
            ui.add(field)
                .on_hover_text("About how many neighbours of an image count; less with few images")
                .accessible_name("Perplexity");
        }
        By::Umap => {
            let field = DragValue::new(&mut how.neighbours)
                .range(2..=200)
                .update_while_editing(false)
                .suffix(" neighbours");
            ui.add(field)
                .on_hover_text("How many neighbours of an image count, itself among them")
                .accessible_name("Neighbours of the map");
        }
    }
}

impl EmbeddingView {
    fn content(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let refused = features(state).and_then(|reply| reply.result.as_ref().err());
        if let Some(error) = refused {
            return failed(ui, "No map of this", &error.to_string(), actions);
        }
        let Some(seen) = map(state) else {
            self.drawn = None;
            return nothing(ui, state, actions);
        };
        match &seen.result {
            Err(error) => failed(ui, "No map of this", &error.to_string(), actions),
            Ok(map) => {
                let is_drawn = |(drawn, _): &(Arc<Seen>, Pictures)| Arc::ptr_eq(drawn, seen);
                if !self.drawn.as_ref().is_some_and(is_drawn) {
                    let former = self.drawn.take();
                    let former = former.filter(|(drawn, _)| has_images_of(drawn, map));
                    // While a network trains its images stay what they are, and so does the part that is looked at.
                    let pictures = former.map(|(_, pictures)| pictures).unwrap_or_else(|| {
                        self.part = Part::default();
                        Pictures::of(ui, map)
                    });
                    self.drawn = Some((seen.clone(), pictures));
                }
                self.show(ui, state, map, actions);
            }
        }
    }

    fn show(&mut self, ui: &mut Ui, state: &State, map: &Embedding, actions: &mut Vec<Action>) {
        let Some((_, pictures)) = &self.drawn else {
            return;
        };
        let former: MapChoice = state.choices.get();
        let mut choice = former.clone();
        let drawn = drawn(map, pictures, &former);
        let area = ui.available_rect_before_wrap();
        let is_roomy = area.width() >= ROOMY;
        let side = if is_roomy { SIDE } else { 0.0 };
        let (left, right) = area.split_left_right_at_x(area.right() - side);
        let mut inner = ui.new_child(UiBuilder::new().id_salt("map").max_rect(left));
        let done = scatter::show(&mut inner, &drawn, &mut self.part);
        if let Some(index) = done.opened {
            choice.open = map.features.sample.indices.get(index).copied();
        }
        if is_roomy {
            let right = right.with_min_x(right.left() + theme::GAP);
            let mut inner = ui.new_child(UiBuilder::new().id_salt("side").max_rect(right));
            let clicked = side::show(&mut inner, map, pictures, (drawn.open, &former.hidden));
            take(clicked, map, &mut choice, actions);
        }
        choose(&former, choice, actions);
    }
}

/// What a click beside the map does.
fn take(
    clicked: side::Clicked,
    map: &Embedding,
    choice: &mut MapChoice,
    actions: &mut Vec<Action>,
) {
    if let Some(class) = clicked.class
        && !choice.hidden.remove(&class)
    {
        choice.hidden.insert(class);
    }
    if clicked.all {
        choice.hidden.clear();
    }
    if clicked.close {
        choice.open = None;
    }
    if let Some(image) = clicked.neighbours {
        let neighbours = NeighbourChoice {
            compared: Compared {
                split: map.features.split.split(),
                ..choice.compared.clone()
            },
            image,
            ..NeighbourChoice::default()
        };
        actions.push(Action::Choose(Choice::new(neighbours)));
        let open = OnView::Open(ViewKind::Neighbours, Some(ViewKind::Embedding));
        actions.push(Action::View(open));
    }
}

fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    match state.subject() {
        Some(_) => reading(
            ui,
            state,
            (
                "Making the map …",
                &[TypeId::of::<Features>(), TypeId::of::<Embedding>()],
            ),
            actions,
        ),
        None => empty(
            ui,
            "No network to map by yet",
            "Press Train, or open a run folder: then its images are laid out by what the network finds alike.",
        ),
    }
}
