//! What a classifier says of the images of a split: the images worth a look, precision and recall of each class, and
//! whether its probabilities can be trusted.

mod figures;
mod images;

use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::raster::Sheet;
use crate::widgets::{ChoiceBox, empty, slices_of_input, volume_slice};
use eframe::egui::{DragValue, ScrollArea, Ui, UiBuilder};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format;
use strata_core::project::data::Split;
use strata_core::project::stage::Task;
use strata_engine::inspection::reply::Reply;
use strata_inspect::confusion::Confusion;
use strata_inspect::image_set::Chosen;
use strata_inspect::inspection::Subject;
use strata_inspect::predictions::{List, Predictions, Request};

type Seen = Reply<Predictions>;

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PredictionChoice {
    /// The images that are shown.
    pub list: List,
    /// The split; `None` for the test images, or the first there are.
    pub split: Option<Split>,
    /// Draws of the augmentations that each answer is the mean over, 0 for the image as it is.
    pub augmentations: usize,
}

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct PredictionsView {
    drawn: Option<(Arc<Seen>, Sheet)>,
}

/// Width of the figures, and of a view that has room for them beside the images.
const FIGURES: f32 = 272.0;
const MOST_FIGURES: f32 = 380.0;
const ROOMY: f32 = 560.0;
/// Draws of the augmentations at most: each asks the network of all images.
const MOST_DRAWS: usize = 32;
/// Frequent mistakes that are offered as lists.
const MISTAKES: usize = 8;

impl View for PredictionsView {
    fn title(&self) -> &'static str {
        "Predictions"
    }

    fn summary(&self) -> &'static str {
        "The most wrong and least sure answers, precision and recall, calibration"
    }

    fn words(&self) -> &'static str {
        "predict errors mistakes misclassified top-k precision recall f1 calibration ece confidence reliability uncertain"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "What the network says of each image: its most probable classes. Most wrong are the wrong answers it is surest of; least sure are those whose next class is almost as probable. Precision: of the images taken for a class, the share that is of it; recall: of its images, the share that is taken for it; F1: their harmonic mean. Calibration: of the answers with a probability of 80 %, 80 % should be right; the bars are the share that is, the line is what it should be, and the expected calibration error (ECE) is how far they are apart on average. While a run trains, a sample of the images is asked."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |seen| {
            let count = |number: usize| format::count(number as u64);
            let images = match seen.images == seen.of {
                true => count(seen.of),
                false => format!("{} of {}", count(seen.images), count(seen.of)),
            };
            let split = seen.split.map_or("", Split::name);
            let right = match seen.has_label_sets {
                true => "of the labels right of",
                false => "right of",
            };
            let accuracy = seen.accuracy.map_or_else(String::new, |share| {
                format!("{:.2} % {right} ", 100.0 * share)
            });
            let error = seen.calibration_error.map_or_else(String::new, |error| {
                format!(" · ECE {:.2} %", 100.0 * error)
            });
            let draws = match seen.augmentations {
                0 => String::new(),
                draws => format!(" · the mean over {draws} draws"),
            };
            format!(
                "{accuracy}{images} {split} images{error}{draws} · step {}",
                format::count(seen.step)
            )
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if !state.has_task(Task::Classify) {
            return;
        }
        let former: PredictionChoice = state.choices.get();
        let mut choice = former.clone();
        list_box(ui, state, &mut choice.list);
        split_box(ui, &mut choice.split);
        if !state.project().data.augment.is_empty() {
            let draws = DragValue::new(&mut choice.augmentations).range(0..=MOST_DRAWS);
            let hover = "Each answer is the mean over so many draws of the project's augmentations; 0 asks of the image as it is";
            ui.add(draws.prefix("over ").suffix(" draws"))
                .on_hover_text(hover)
                .accessible_name("Draws of the augmentations");
        }
        volume_slice(ui, state, slices_of_input(state), actions);
        if choice != former {
            actions.push(Action::Choose(Choice::new(choice)));
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if !state.has_task(Task::Classify) {
            return empty(
                ui,
                "Nothing is classified",
                "A stage with the task classify has answers to look at.",
            );
        }
        let choice: PredictionChoice = state.choices.get();
        let request = Request {
            chosen: Chosen {
                split: choice.split,
                ..Chosen::default()
            },
            list: choice.list,
            top: 0,
            augmentations: choice.augmentations,
        };
        actions.extend(state.request(state.run_query::<Predictions>(request)));
        self.content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.content(ui, state, &mut Vec::new());
    }
}

fn latest(state: &State) -> Option<&Predictions> {
    let seen: &Arc<Seen> = state.run_reply()?;
    seen.result.as_deref().ok()
}

impl PredictionsView {
    fn content(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(seen) = state.run_reply::<Predictions>() else {
            self.drawn = None;
            return nothing(ui, state, actions);
        };
        match &seen.result {
            Err(error) => failed(ui, "No predictions of this", &error.to_string(), actions),
            Ok(predictions) => {
                self.update(ui, seen, predictions);
                if let Some((_, sheet)) = &self.drawn {
                    show(ui, predictions, sheet);
                }
            }
        }
    }

    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, predictions: &Predictions) {
        let is_drawn = |(drawn, _): &(Arc<Seen>, Sheet)| Arc::ptr_eq(drawn, seen);
        if !self.drawn.as_ref().is_some_and(is_drawn) {
            let images: Vec<&[u8]> = (0..predictions.shown.len())
                .map(|index| predictions.input(index))
                .collect();
            let sheet = Sheet::of_images(ui.ctx(), "predictions", predictions.size, &images);
            self.drawn = Some((seen.clone(), sheet));
        }
    }
}

/// The images, and beside or below them the figures.
fn show(ui: &mut Ui, predictions: &Predictions, sheet: &Sheet) {
    let area = ui.available_rect_before_wrap();
    if area.width() < ROOMY {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            images::show(ui, predictions, sheet);
            ui.add_space(theme::GAP);
            figures::show(ui, predictions);
        });
        return;
    }
    let figures = (0.3 * area.width()).clamp(FIGURES, MOST_FIGURES);
    let (left, right) = area.split_left_right_at_x(area.right() - figures - theme::GAP);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("images").max_rect(left));
    ScrollArea::vertical()
        .id_salt("predicted images")
        .auto_shrink(false)
        .show(&mut inner, |ui| images::show(ui, predictions, sheet));
    let right = right.with_min_x(right.left() + theme::GAP);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("figures").max_rect(right));
    ScrollArea::vertical()
        .id_salt("figures of predictions")
        .auto_shrink(false)
        .show(&mut inner, |ui| figures::show(ui, predictions));
}

fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    match state.subject() {
        Some(Subject::Stored(_)) => reading(
            ui,
            state,
            ("Asking the network …", &[TypeId::of::<Predictions>()]),
            actions,
        ),
        Some(Subject::Live) => empty(
            ui,
            "Asking the network …",
            "The first answers come with the next pictures.",
        ),
        _ => empty(
            ui,
            "No answers yet",
            "Press Train, or open a run folder: then the answers for the test images are listed.",
        ),
    }
}

fn list_box(ui: &mut Ui, state: &State, list: &mut List) {
    let shown = name(*list, state);
    ChoiceBox {
        id: "list of predictions",
        width: 120.0,
        shown: shown.as_str().into(),
        hover: "Which images are shown; a click on the confusion matrix shows \
                those of a cell",
        name: "List of predictions",
    }
    .show(ui, |ui| {
        for one in [List::MostWrong, List::LeastSure, List::First] {
            ui.selectable_value(list, one, name(one, state));
        }
        let mut cells = mistakes(state);
        cells.extend(Some(*list).filter(|list| matches!(list, List::Taken(..))));
        cells.dedup();
        for cell in cells {
            ui.selectable_value(list, cell, name(cell, state));
        }
    });
}

/// The cells of the confusion matrix with the most mistakes, where it was counted.
fn mistakes(state: &State) -> Vec<List> {
    let reply = state.run_reply::<Confusion>();
    let Some(confusion) = reply.and_then(|reply| reply.result.as_deref().ok()) else {
        return Vec::new();
    };
    let mut cells: Vec<(u64, List)> = Vec::new();
    for (label, row) in confusion.counts.iter().enumerate() {
        let wrong = row
            .iter()
            .enumerate()
            .filter(|(answer, _)| *answer != label);
        let cell = |answer: usize| List::Taken(label as u32, answer as u32);
        cells.extend(wrong.map(|(answer, count)| (*count, cell(answer))));
    }
    cells.retain(|(count, _)| *count > 0);
    cells.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    cells.truncate(MISTAKES);
    cells.into_iter().map(|(_, list)| list).collect()
}

fn name(list: List, state: &State) -> String {
    match list {
        List::MostWrong => "most wrong".to_owned(),
        List::LeastSure => "least sure".to_owned(),
        List::First => "all".to_owned(),
        List::Taken(label, answer) => {
            let class = |class: u32| match latest(state) {
                Some(predictions) => predictions.class_name(class),
                None => (class + 1).to_string(),
            };
            format!("{} taken for {}", class(label), class(answer))
        }
    }
}

fn split_box(ui: &mut Ui, split: &mut Option<Split>) {
    let name = |split: Option<Split>| {
        split.map_or("test images", |split| match split {
            Split::Train => "training images",
            Split::Valid => "validation images",
            Split::Test => "test images",
            Split::Unlabeled => "unlabeled images",
        })
    };
    ChoiceBox {
        id: "split of predictions",
        width: 112.0,
        shown: name(*split).into(),
        hover: "Which images are asked; without test images the first is those \
                of validation",
        name: "Split of predictions",
    }
    .show(ui, |ui| {
        ui.selectable_value(split, None, name(None));
        for one in [Split::Valid, Split::Train] {
            ui.selectable_value(split, Some(one), name(Some(one)));
        }
    });
}
