//! What in an image bears on the network's answer: for the probe images, or for an image from disk.

mod cards;
mod options;
mod sanity;

use super::image_source;
use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::raster::Sheet;
use crate::widgets::{ChoiceBox, empty, plain, volume_slice};
use eframe::egui::Ui;
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_core::format;
use strata_core::project::stage::Task;
use strata_engine::inspection::reply::Reply;
use strata_inspect::class_name;
use strata_inspect::curve;
use strata_inspect::inspection::Subject;
use strata_inspect::map_look::MapLook;
use strata_inspect::maps::{SIGNAL, signal_rgba};
use strata_inspect::picture::image_rgba;
use strata_inspect::saliency::{Question, Request, Saliency};

pub use options::SaliencyLook;

type Seen = Reply<Saliency>;

/// The view, with the texture of what it shows.
#[derive(Default)]
pub(crate) struct SaliencyView {
    drawn: Option<Drawn>,
}

/// A reply, how it was drawn, and the pictures.
struct Drawn {
    seen: Arc<Seen>,
    look: MapLook,
    /// The end of each map's scale.
    limits: Vec<f32>,
    sheet: Sheet,
}

impl View for SaliencyView {
    fn title(&self) -> &'static str {
        "Saliency"
    }

    fn summary(&self) -> &'static str {
        "The pixels that an answer rests on"
    }

    fn words(&self) -> &'static str {
        "gradient attention explain grad-cam attribution why integrated gradients smoothgrad guided occlusion sanity check heatmap"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "How much each pixel counts for the answer: for the score of a class (its logit), for a unit of any layer, or for the reconstruction error. The gradient |∂score/∂pixel|, the largest over the channels (Simonyan et al. 2013), says whose change would change the score most; gradient × input, SmoothGrad, integrated gradients, guided backpropagation, Grad-CAM and occlusion answer the same in other ways. The sanity check draws the weights anew, layer by layer from the last: a map that stays as it was does not show what was learnt. A signal is a curve over the colours of its samples."
    }

    fn status(&self, state: &State) -> String {
        let Some(saliency) = latest(state).and_then(|looked| looked.result.as_ref().ok()) else {
            return String::new();
        };
        let of = match saliency.question {
            Question::Predicted => "predicted class".to_owned(),
            Question::Class(class) => format!("class {}", saliency.class_name(class)),
            Question::Error => "reconstruction error".to_owned(),
            Question::Unit(unit) => format!("unit {}", unit + 1),
        };
        let layer = saliency.layer.as_ref();
        let layer = layer.map_or_else(String::new, |layer| format!(" · {}", plain(layer)));
        let part = match saliency.answers.len() < saliency.of {
            true => format!(" · {} of {} images", saliency.answers.len(), saliency.of),
            false => String::new(),
        };
        format!(
            "{} of the {of}{layer} · step {}{}{part}",
            saliency.method.name(),
            format::count(saliency.step),
            strata_inspect::since_words(saliency.since_step())
        )
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let shown = state.run_reply::<Saliency>();
        let slice = shown.and_then(|reply| reply.result.as_ref().ok()?.slice);
        volume_slice(ui, state, slice, actions);
        options::method_box(ui, state, actions);
        let request = &state.inspections.saliency;
        let mut chosen = request.question;
        let classes = self
            .drawn
            .as_ref()
            .and_then(|drawn| drawn.seen.result.as_ref().ok())
            .map(|s| s.classes.as_slice());
        ChoiceBox {
            id: "saliency of",
            width: 148.0,
            shown: name(request.question, state, classes).into(),
            hover: "The number that is explained",
            name: "Saliency of",
        }
        .show(ui, |ui| choices(ui, state, classes, &mut chosen));
        if chosen != request.question {
            let is_unit = matches!(chosen, Some(Question::Unit(_)));
            let of_unit = || request.layer.clone().or_else(|| state.lens_place());
            actions.push(Action::Show(Show::Saliency(Request {
                question: chosen,
                layer: if is_unit {
                    of_unit()
                } else {
                    request.layer.clone()
                },
                ..request.clone()
            })));
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions
            .extend(state.request(state.run_query::<Saliency>(state.inspections.saliency.clone())));
        source(ui, state, actions);
        self.cards(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.cards(ui, state, &mut Vec::new());
    }
}

impl SaliencyView {
    fn cards(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(seen) = latest(state) else {
            self.drawn = None;
            return nothing(ui, state, actions);
        };
        match &seen.result {
            Err(error) => failed(ui, "No saliency of this", &error.to_string(), actions),
            Ok(saliency) => {
                let SaliencyLook(look) = state.choices.get();
                let look = saliency.look(&look);
                self.update(ui, seen, saliency, look);
                match &self.drawn {
                    Some(drawn) if !saliency.checks.is_empty() => {
                        sanity::show(ui, saliency, &drawn.sheet);
                    }
                    Some(drawn) => cards::show(ui, saliency, drawn),
                    None => {}
                }
            }
        }
    }
}

fn latest(state: &State) -> Option<&Arc<Seen>> {
    state.run_reply()
}

fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    match state.subject() {
        Some(Subject::Stored(_)) => reading(
            ui,
            state,
            ("Opening the run …", &[TypeId::of::<Saliency>()]),
            actions,
        ),
        Some(Subject::Live) => empty(
            ui,
            "Looking …",
            "The first maps come with the next pictures.",
        ),
        _ => empty(
            ui,
            "No network to look into yet",
            "Press Train, or open a run folder: then every probe image shows where the network looks.",
        ),
    }
}

/// The questions that the project's tasks allow.
fn choices(ui: &mut Ui, state: &State, classes: Option<&[String]>, chosen: &mut Option<Question>) {
    let mut offer = |question| {
        ui.selectable_value(chosen, question, name(question, state, classes));
    };
    offer(None);
    if state.has_saliency_choice() {
        offer(Some(Question::Predicted));
        offer(Some(Question::Error));
    }
    let count = if state.has_task(Task::Classify) {
        classes.map_or(0, <[String]>::len)
    } else {
        0
    };
    (0..count as u32).for_each(|class| offer(Some(Question::Class(class))));
    let unit = match chosen {
        Some(Question::Unit(unit)) => *unit,
        _ => 0,
    };
    ui.selectable_value(chosen, Some(Question::Unit(unit)), "a unit of a layer");
}

fn name(question: Option<Question>, state: &State, classes: Option<&[String]>) -> String {
    match question {
        None if !state.has_task(Task::Classify) => "reconstruction error".to_owned(),
        None if !state.has_task(Task::Reconstruct) => "predicted class".to_owned(),
        None => "as the stage trains".to_owned(),
        Some(Question::Predicted) => "predicted class".to_owned(),
        Some(Question::Error) => "reconstruction error".to_owned(),
        Some(Question::Class(class)) => {
            format!("class {}", class_name(classes.unwrap_or_default(), class))
        }
        Some(Question::Unit(unit)) => {
            let layer = state.inspections.saliency.layer.as_ref();
            let layer = layer.map_or_else(String::new, |layer| format!(" of {}", layer.in_words()));
            format!("unit {}{layer}", unit + 1)
        }
    }
}

/// Whose saliency is shown: the probe images', or that of a file. Signals come only from the run.
fn source(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let takes_files =
        state.network().input.rank() != 1 || state.inspections.saliency.image.is_some();
    let fits = ui.available_width() > image_source::LEAST + options::BUTTON;
    ui.horizontal(|ui| {
        options::button(ui, state, actions);
        if takes_files && fits {
            image_source::file(ui, state, "Image file", actions);
        }
    });
    if takes_files && !fits {
        ui.horizontal(|ui| image_source::file(ui, state, "Image file", actions));
    }
    ui.add_space(theme::GAP);
}

impl SaliencyView {
    /// Makes a new texture only when new maps came, or when they are drawn another way.
    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, saliency: &Saliency, look: MapLook) {
        let is_drawn = |drawn: &Drawn| Arc::ptr_eq(&drawn.seen, seen) && drawn.look == look;
        if !self.drawn.as_ref().is_some_and(is_drawn) {
            let limits = saliency.limits(&look);
            self.drawn = Some(Drawn {
                seen: seen.clone(),
                look,
                sheet: sheet(ui, saliency, &look, &limits),
                limits,
            });
        }
    }
}

/// Image, map and overlay of each image in turn, or one curve of each signal, or the maps of the sanity check.
fn sheet(ui: &Ui, saliency: &Saliency, look: &MapLook, limits: &[f32]) -> Sheet {
    if !saliency.checks.is_empty() {
        return sanity::sheet(ui, saliency);
    }
    let limit = |index: usize| limits.get(index).copied().unwrap_or(1.0);
    let count = saliency.answers.len();
    if saliency.are_signals() {
        let range = curve::fitted(&saliency.inputs, curve::BYTES);
        let rgba = |index: usize| {
            let signal = (saliency.input(index), saliency.channels);
            let map = saliency.shown(index, look);
            signal_rgba(signal, map, range, (look, limit(index)))
        };
        return Sheet::smooth(ui.ctx(), "saliency", SIGNAL, count, rgba);
    }
    let rgba = |place: usize| {
        let (index, channels) = (place / 3, saliency.channels);
        let map = saliency.shown(index, look);
        match place % 3 {
            0 => image_rgba(saliency.input(index), channels),
            1 => look.map_rgba(map, limit(index)),
            _ => look.overlay_rgba(saliency.input(index), channels, map, limit(index)),
        }
    };
    let size = [saliency.height, saliency.width];
    Sheet::new(ui.ctx(), "saliency", size, 3 * count, rgba)
}
