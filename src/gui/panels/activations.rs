//! Feature maps: the output of one layer for one image, live.

mod details;
mod grid;
mod toolbar;

use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::{empty, volume_slice};
use details::{Side, cell_of, color_bar};
use eframe::egui::{Ui, UiBuilder};
use grid::Maps;
use std::any::TypeId;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use strata_app::action::{Action, OnView, Show};
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::lens::{LensMode, LensSettings};
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_core::format;
use strata_core::project::Place;
use strata_design::layer_math::number;
use strata_engine::inspection::reply::{Query, Reply};
use strata_inspect::activations::{Activations, MapScale, Request, Summary};
use strata_inspect::effective_field;
use strata_inspect::inspection::Subject;
use toolbar::{image_line, layer_box, scale_box};

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapChoice {
    /// The layer; `None` follows the selected one.
    pub layer: Option<Place>,
    /// Which of the probe images.
    pub image: usize,
    /// What colours are measured against.
    pub scale: MapScale,
    /// The map that is shown large.
    pub map: usize,
}

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct ActivationsView {
    maps: Option<Maps>,
    side: Option<Side>,
    numbers: RefCell<Option<Rc<Numbers>>>,
}

/// The values of a reply in numbers: counted once, not in every frame.
struct Numbers {
    reply: Arc<Reply<Activations>>,
    whole: Summary,
    /// Of each channel.
    channels: Vec<Summary>,
}

/// Room for the fraction of zeros below a map.
const CAPTION: f32 = 14.0;
/// Width of the colour bar.
const BAR: f32 = 60.0;
/// Width of the column with the image, and of a view that has room for it.
const SIDE: f32 = 136.0;
const ROOMY: f32 = 420.0;

impl View for ActivationsView {
    fn title(&self) -> &'static str {
        "Feature maps"
    }

    fn summary(&self) -> &'static str {
        "What each channel of a layer gives for an image"
    }

    fn words(&self) -> &'static str {
        "activation maps channels hidden layer output"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "What a layer gives for one image, a map for each channel: the values of the network's forward pass with running statistics, without dropout and noise. From dark (0) to yellow where all values are positive, else from blue (negative) over white to red (positive). Below a map the fraction of values that are 0; a map that is 0 for every image has died. A click on a value of the large map at the left opens it in the layer's arithmetic; what it sees is framed on the image."
    }

    fn status(&self, state: &State) -> String {
        let Some(reply) = state.run_reply::<Activations>() else {
            return String::new();
        };
        let Some(maps) = output(reply) else {
            return String::new();
        };
        let whole = self.numbers(reply, maps).whole;
        format!(
            "{} {} · {} zero · {} … {} · {} · step {}{}",
            maps.place.in_words(),
            maps.text,
            percent(whole.zeros),
            number(whole.min.into()),
            number(whole.max.into()),
            maps.described(),
            format::count(maps.step),
            strata_inspect::since_words(maps.since)
        )
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let former: MapChoice = state.choices.get();
        let mut choice = former.clone();
        scale_box(ui, &mut choice);
        layer_box(ui, state, &mut choice);
        let shown = state.run_reply::<Activations>().and_then(output);
        volume_slice(ui, state, shown.and_then(|maps| maps.slice), actions);
        choose(&former, choice, actions);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(query) = query(state) else {
            return nothing(ui, state, actions);
        };
        actions.extend(state.request(Some(query)));
        image_line(ui, state, actions);
        self.content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.content(ui, state, &mut Vec::new());
    }

    fn has_picture(&self, state: &State) -> bool {
        state.run_reply::<Activations>().and_then(output).is_some()
    }
}

/// The maps of this layer and image; `None` without a layer or a network.
fn query(state: &State) -> Option<Query<Activations>> {
    let choice: MapChoice = state.choices.get();
    state.run_query(Request {
        place: layer(state, &choice)?,
        image: choice.image,
        file: state.inspections.saliency.image.clone(),
    })
}

/// The chosen layer, if it is still there; else the selected one, or the first.
fn layer(state: &State, choice: &MapChoice) -> Option<Place> {
    let inference = &state.shown.inference;
    let chosen = choice.layer.clone();
    chosen
        .filter(|place| inference.row(place).is_some())
        .or_else(|| state.lens_place())
}

fn output(reply: &Arc<Reply<Activations>>) -> Option<&Activations> {
    reply.result.as_deref().ok()
}

fn choose(former: &MapChoice, choice: MapChoice, actions: &mut Vec<Action>) {
    if choice != *former {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

/// `41.3 %`
fn percent(fraction: f64) -> String {
    let percent = 100.0 * fraction;
    let text = format!("{percent:.1}");
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// Opens a value of a map in the arithmetic of its layer, and lights what it sees.
fn open_arithmetic(
    state: &State,
    maps: &Activations,
    choice: &MapChoice,
    at: [usize; 4],
    actions: &mut Vec<Action>,
) {
    let lens = LensSettings {
        mode: LensMode::Numbers,
        at: Some(at),
        image: choice.image,
        part: 0,
        ..state.view.lens
    };
    let cell = cell_of(maps, at);
    actions.push(Action::Select(Some(maps.place.clone())));
    actions.push(Action::Show(Show::Lens(lens)));
    actions.push(Action::Show(Show::Cell(Some(effective_field::Request {
        place: maps.place.clone(),
        cell,
    }))));
    let beside = Some(ViewKind::Activations);
    actions.push(Action::View(OnView::Open(ViewKind::Lens, beside)));
}

/// What is said while there is nothing to show.
fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.lens_place().is_none() {
        let hint =
            "Add a layer to the encoder: its feature maps are shown here once it is trained.";
        return empty(ui, "No layers yet", hint);
    }
    match state.subject() {
        Some(Subject::Stored(_)) => reading(
            ui,
            state,
            ("Opening the run …", &[TypeId::of::<Activations>()]),
            actions,
        ),
        Some(Subject::Live) => empty(
            ui,
            "Computing …",
            "The first maps come with the next previews.",
        ),
        _ => empty(
            ui,
            "No network to look into yet",
            "Press Train, or open a run folder: then every layer shows what it gives for an image.",
        ),
    }
}

impl ActivationsView {
    fn numbers(&self, reply: &Arc<Reply<Activations>>, maps: &Activations) -> Rc<Numbers> {
        let mut known = self.numbers.borrow_mut();
        let is_of_it = |numbers: &Rc<Numbers>| Arc::ptr_eq(&numbers.reply, reply);
        let numbers = known.take().filter(is_of_it).unwrap_or_else(|| {
            Rc::new(Numbers {
                reply: reply.clone(),
                whole: maps.summary(),
                channels: (0..maps.count()).map(|at| maps.summary_of(at)).collect(),
            })
        });
        known.insert(numbers).clone()
    }

    fn content(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(reply) = state.run_reply::<Activations>() else {
            self.maps = None;
            self.side = None;
            return nothing(ui, state, actions);
        };
        let maps = match &reply.result {
            Ok(maps) => maps,
            Err(error) => {
                return failed(ui, "No feature maps of this", &error.to_string(), actions);
            }
        };
        let choice: MapChoice = state.choices.get();
        let numbers = self.numbers(reply, maps);
        let whole = numbers.whole;
        let area = ui.available_rect_before_wrap();
        let side = if area.width() >= ROOMY {
            SIDE + theme::GAP
        } else {
            0.0
        };
        let (side, rest) = area.split_left_right_at_x(area.left() + side);
        let (grid, bar) = rest.split_left_right_at_x(rest.right() - BAR);
        if side.width() > 0.0 {
            let opened = self.side(ui, side, reply, maps, &choice, (&whole, state));
            if let Some(at) = opened {
                open_arithmetic(state, maps, &choice, at, actions);
            }
        }
        color_bar(ui, bar, maps, &choice, &whole);
        let mut inner = ui.new_child(UiBuilder::new().id_salt("maps").max_rect(grid));
        let mut next = choice.clone();
        self.grid(&mut inner, reply, maps, &mut next, &numbers);
        choose(&choice, next, actions);
    }
}
