//! What in an image bears on the network's answer: for the probe images, or for an image from disk.

mod cards;

use super::image_source;
use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::raster::Sheet;
use crate::widgets::{chevron, empty, volume_slice};
use eframe::egui::{ComboBox, RichText, Ui};
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
use strata_inspect::maps::{SIGNAL, map_rgba, overlay_rgba, signal_rgba};
use strata_inspect::picture::image_rgba;
use strata_inspect::saliency::{Question, Request, Saliency};

type Seen = Reply<Saliency>;

/// The view, with the texture of what it shows.
#[derive(Default)]
pub(crate) struct SaliencyView {
    drawn: Option<(Arc<Seen>, Sheet)>,
}

impl View for SaliencyView {
    fn title(&self) -> &'static str {
        "Saliency"
    }

    fn summary(&self) -> &'static str {
        "The pixels that an answer rests on"
    }

    fn words(&self) -> &'static str {
        "gradient attention explain grad-cam attribution why"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "How strongly each pixel bears on the answer: the gradient of the class score (its logit) by the input, |∂score/∂pixel|, the largest over the channels (Simonyan et al. 2013). For autoencoders the gradient of the reconstruction error. Bright pixels are those whose change would change the answer most. A signal is a curve over the colours of its samples."
    }

    fn status(&self, state: &State) -> String {
        let Some(saliency) = latest(state).and_then(|looked| looked.result.as_ref().ok()) else {
            return String::new();
        };
        let of = match saliency.question {
            Question::Predicted => "predicted class".to_owned(),
            Question::Class(class) => format!("class {}", saliency.class_name(class)),
            Question::Error => "reconstruction error".to_owned(),
        };
        format!(
            "gradient of the {of} · step {}",
            format::count(saliency.step)
        )
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let shown = state.run_reply::<Saliency>();
        let slice = shown.and_then(|reply| reply.result.as_ref().ok()?.slice);
        volume_slice(ui, state, slice, actions);
        let request = &state.inspections.saliency;
        let mut chosen = request.question;
        let classes = self
            .drawn
            .as_ref()
            .and_then(|(seen, _)| seen.result.as_ref().ok())
            .map(|s| s.classes.as_slice());
        let combo = ComboBox::from_id_salt("saliency of")
            .width(148.0)
            .icon(chevron)
            .selected_text(RichText::new(name(request.question, state, classes)).size(theme::SMALL))
            .show_ui(ui, |ui| choices(ui, state, classes, &mut chosen));
        combo
            .response
            .on_hover_text("The number whose gradient is shown")
            .accessible_name("Saliency of");
        if chosen != request.question {
            actions.push(Action::Show(Show::Saliency(Request {
                question: chosen,
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
                self.update(ui, seen, saliency);
                if let Some((_, sheet)) = &self.drawn {
                    cards::show(ui, saliency, sheet);
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
        Some(Subject::Stored(_)) => reading(ui, state, "Opening the run …", actions),
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
    }
}

/// Whose saliency is shown: the probe images', or that of a file. Signals come only from the run.
fn source(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.network().input.rank() == 1 && state.inspections.saliency.image.is_none() {
        return;
    }
    ui.horizontal(|ui| image_source::file(ui, state, "Image file", actions));
    ui.add_space(theme::GAP);
}

impl SaliencyView {
    /// Makes a new texture only when new maps came: image, map and overlay of each in turn, or one curve of each.
    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, saliency: &Saliency) {
        if self
            .drawn
            .as_ref()
            .is_some_and(|(drawn, _)| Arc::ptr_eq(drawn, seen))
        {
            return;
        }
        if saliency.are_signals() {
            let range = curve::fitted(&saliency.inputs, curve::BYTES);
            let rgba = |index: usize| signal_rgba(saliency, index, range);
            let sheet = Sheet::smooth(ui.ctx(), "saliency", SIGNAL, saliency.answers.len(), rgba);
            self.drawn = Some((seen.clone(), sheet));
            return;
        }
        let rgba = |place: usize| {
            let (index, channels) = (place / 3, saliency.channels);
            match place % 3 {
                0 => image_rgba(saliency.input(index), channels),
                1 => map_rgba(saliency.map(index)),
                _ => overlay_rgba(saliency.input(index), channels, saliency.map(index)),
            }
        };
        let size = [saliency.height, saliency.width];
        let sheet = Sheet::new(ui.ctx(), "saliency", size, 3 * saliency.answers.len(), rgba);
        self.drawn = Some((seen.clone(), sheet));
    }
}
