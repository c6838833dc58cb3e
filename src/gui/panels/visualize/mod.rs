//! Feature visualization: images that a class, a channel, one value or a layer answers to, while they are made.

mod cards;
mod options;

use super::image_source;
use super::loading_state::{failed, reading};
use crate::plate::of_visualization::said;
use crate::theme;
use crate::view::View;
use crate::widgets::raster::Sheet;
use crate::widgets::{Icon, empty, icon_button, plain, volume_slice};
use eframe::egui::Ui;
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format;
use strata_core::project::Stack;
use strata_core::project::stage::Task;
use strata_core::shape::Row;
use strata_engine::inspection::reply::Reply;
use strata_inspect::inspection::Subject;
use strata_inspect::picture::image_rgba;
use strata_inspect::visualize::{Request, Visualization, Wanted};

type Seen = Reply<Visualization>;

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VisualizeChoice {
    /// What is made; `None` for what suits the project.
    pub request: Option<Request>,
    /// Whether it starts from the image file that the views of single images have in common.
    pub from_image: bool,
    /// Whether it is left as it is.
    pub stopped: bool,
    /// The image whose way is shown.
    pub picture: usize,
}

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct VisualizeView {
    drawn: Option<Drawn>,
}

/// The last images, and those of the way.
struct Drawn {
    seen: Arc<Seen>,
    images: Sheet,
    frames: Sheet,
}

impl View for VisualizeView {
    fn title(&self) -> &'static str {
        "Feature visualization"
    }

    fn summary(&self) -> &'static str {
        "Images made so that a class, a channel or a layer answers strongly"
    }

    fn words(&self) -> &'static str {
        "activation maximization deep dream deepdream lucid maximise neuron unit channel class visualize visualisation laplacian pyramid fourier jitter total variation"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "An image climbs the gradient of a score, step by step, from noise or from an image file: of a class (before softmax), of a channel (the mean over its positions), of one value in the middle of a channel, or of a whole layer (the mean of the squares, as DeepDream does). Without more it becomes noise that only this network answers to. What makes it plausible: a penalty on large values (L2, L4, L∞), total variation, blur, jitter, rotation and scale in every step, the Laplacian pyramid that gives coarse and fine parts of the gradient the same strength, and waves instead of pixels with decorrelated colours (Olah, Mordvintsev, Schubert 2017). Side by side shows each of them alone. A click on an image shows the way there."
    }

    fn status(&self, state: &State) -> String {
        let Some(made) = latest(state) else {
            return String::new();
        };
        let of = made
            .layer
            .as_ref()
            .map_or("classes".to_owned(), |layer| plain(layer));
        let far = match made.is_done() {
            true => format!("{} steps", format::count(made.done as u64)),
            false => format!("step {} of {}", made.done, made.request.how.steps),
        };
        let part = match made.of > made.pictures.len() {
            true => format!(" · {} of {} channels", made.pictures.len(), made.of),
            false => String::new(),
        };
        let recognised = made.recognised().map_or_else(String::new, |count| {
            format!(
                " · {count} of {} taken for their class",
                made.pictures.len()
            )
        });
        format!(
            "{of} · {far}{part}{recognised} · step {} of training",
            format::count(made.step)
        )
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let former: VisualizeChoice = state.choices.get();
        let mut choice = former.clone();
        let mut request = base(state, &choice);
        options::what_box(ui, state, &mut request, latest(state));
        options::layer_box(ui, state, &mut request);
        if request != base(state, &choice) {
            choice.request = Some(request);
            choice.picture = 0;
        }
        volume_slice(
            ui,
            state,
            latest(state).and_then(|made| made.slice),
            actions,
        );
        choose(&former, choice, actions);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let choice: VisualizeChoice = state.choices.get();
        actions.extend(state.request(state.run_query::<Visualization>(asked(state, &choice))));
        controls(ui, state, actions);
        self.content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.content(ui, state, &mut Vec::new());
    }
}

/// What is made, as it was chosen or as it suits the project.
fn base(state: &State, choice: &VisualizeChoice) -> Request {
    let network = state.network();
    let [_, height, width] = network.input.volume();
    let request = choice.request.clone().unwrap_or_else(|| {
        let usual = Request::usual([height, width, network.input.channels()]);
        match state.has_task(Task::Classify) {
            true => usual,
            false => Request {
                wanted: Wanted::AllChannels,
                ..usual
            },
        }
    });
    let image = state.inspections.saliency.image.clone();
    Request {
        image: image.filter(|_| choice.from_image),
        layer: match request.wanted.are_classes() {
            true => None,
            false => request.layer.clone().or_else(|| usual_layer(state)),
        },
        ..request
    }
}

/// The encoder's last layer that has maps; its last where none has.
fn usual_layer(state: &State) -> Option<strata_core::project::Place> {
    let rows = &state.shown.inference.rows;
    let of_encoder = || {
        let rows = rows.iter();
        rows.filter(|row| row.place.stack == Stack::Encoder && !row.is_block)
    };
    let has_maps = |row: &&Row| {
        let output = row.output.as_ref();
        output.is_some_and(|shape| !shape.is_vector())
    };
    let row = of_encoder().rfind(has_maps);
    let row = row.or_else(|| of_encoder().next_back()).or(rows.first());
    row.map(|row| row.place.clone())
}

/// What is asked now: what was begun is gone on with, until it is done or stopped.
fn asked(state: &State, choice: &VisualizeChoice) -> Request {
    let request = base(state, choice);
    let reply: Option<&Arc<Seen>> = state.run_reply();
    let begun = reply.filter(|reply| reply.query.request.is_same(&request));
    let seen = begun.map_or(0, |reply| {
        let seen = reply.query.request.seen.unwrap_or(0);
        let is_over = reply.result.as_ref().map_or(true, |made| made.is_done());
        if is_over || choice.stopped {
            seen
        } else {
            seen + 1
        }
    });
    Request {
        seen: Some(seen),
        ..request
    }
}

fn latest(state: &State) -> Option<&Visualization> {
    let seen: &Arc<Seen> = state.run_reply()?;
    seen.result.as_deref().ok()
}

fn choose(former: &VisualizeChoice, choice: VisualizeChoice, actions: &mut Vec<Action>) {
    if choice != *former {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

/// Stop, a new start, the regularisers, and the image to start from.
fn controls(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let former: VisualizeChoice = state.choices.get();
    let mut choice = former.clone();
    ui.horizontal_wrapped(|ui| {
        let is_done = latest(state).is_none_or(Visualization::is_done);
        let (icon, name, hover) = match choice.stopped {
            true => (Icon::Play, "Go on", "Goes on with the steps"),
            false => (Icon::Stop, "Stop", "Leaves the images as they are"),
        };
        if icon_button(ui, icon, name, hover, choice.stopped || !is_done).clicked() {
            choice.stopped = !choice.stopped;
        }
        let hover = "Begins anew from other noise";
        if icon_button(ui, Icon::Redo, "New start", hover, !choice.from_image).clicked() {
            let request = base(state, &choice);
            let seed = request.seed.unwrap_or(state.project().seed).wrapping_add(1);
            choice.stopped = false;
            choice.request = Some(Request {
                seed: Some(seed),
                ..request
            });
        }
        options::button(ui, state, &mut choice);
        if choice.from_image {
            image_source::file(ui, state, "Image to start from", actions);
        }
    });
    ui.add_space(theme::GAP);
    choose(&former, choice, actions);
}

impl VisualizeView {
    fn content(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(seen) = state.run_reply::<Visualization>() else {
            self.drawn = None;
            return nothing(ui, state, actions);
        };
        let made = match &seen.result {
            Ok(made) => made,
            Err(error) => return failed(ui, "No image of this", &error.to_string(), actions),
        };
        self.update(ui, seen, made);
        let Some(drawn) = &self.drawn else {
            return;
        };
        let former: VisualizeChoice = state.choices.get();
        let mut choice = former.clone();
        choice.picture = choice.picture.min(made.pictures.len().saturating_sub(1));
        let words = match made.request.side_by_side {
            true => "each regulariser alone, and what was set".to_owned(),
            false => said(&made.request.how),
        };
        cards::show(
            ui,
            made,
            [&drawn.images, &drawn.frames],
            &words,
            &mut choice.picture,
        );
        choose(&former, choice, actions);
    }

    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, made: &Visualization) {
        if self
            .drawn
            .as_ref()
            .is_some_and(|drawn| Arc::ptr_eq(&drawn.seen, seen))
        {
            return;
        }
        let count = made.pictures.len();
        let images: Vec<&[u8]> = (0..count).map(|index| made.image(index)).collect();
        let frames: Vec<&[u8]> = made
            .frames
            .iter()
            .flat_map(|frame| (0..count).map(|index| made.image_at(frame, index)))
            .collect();
        let sheet = |name: &str, images: &[&[u8]]| {
            let [height, width, channels] = made.size;
            if strata_inspect::curve::is_signal(made.size) {
                return Sheet::of_images(ui.ctx(), name, made.size, images);
            }
            let rgba = |place: usize| image_rgba(images[place], channels);
            Sheet::new(ui.ctx(), name, [height, width], images.len(), rgba)
        };
        self.drawn = Some(Drawn {
            images: sheet("visualization", &images),
            frames: sheet("way of the visualization", &frames),
            seen: seen.clone(),
        });
    }
}

fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    match state.subject() {
        Some(Subject::Stored(_)) => reading(
            ui,
            state,
            ("Opening the run …", &[TypeId::of::<Visualization>()]),
            actions,
        ),
        Some(Subject::Live) => empty(
            ui,
            "Beginning …",
            "The first steps come with the next pictures.",
        ),
        _ => empty(
            ui,
            "No network to ask yet",
            "Press Train, or open a run folder: then images are made that the network answers to.",
        ),
    }
}
