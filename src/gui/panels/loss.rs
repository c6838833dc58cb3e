//! The course of training: the loss (or the accuracy) of every step with its smoothed course, and what was measured
//! after each epoch on every split.

mod changes;
mod drawn;
mod legend;
mod marks;

use super::axes::{Axes, is_too_low};
use crate::theme;
use crate::view::View;
use crate::widgets::{empty, slider as shown_slider};
use drawn::Drawn;
pub(super) use drawn::MOST_DOTS;
use eframe::egui::{
    Button, Popup, PopupCloseBehavior, Rect, RichText, Slider, Ui, UiBuilder, vec2,
};
pub(super) use marks::{Marked, odd_marks};
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
pub use strata_app::curves::Quantity;
use strata_app::curves::{ALL_STEPS, Curve, Curves, Steps};
use strata_app::state::State;
use strata_app::view_settings::{SMOOTHINGS, Switch};
use strata_core::format;
use strata_core::project::stage::{Stage, Task};

/// A plot of one quantity.
pub(crate) struct LossView(pub Quantity);

impl LossView {
    fn curve<'a>(&self, curves: &'a Curves) -> &'a Curve {
        curves.of(self.0)
    }

    fn axes(&self, state: &State) -> Axes {
        Axes {
            quantity: self.0,
            log: self.0 == Quantity::Loss && state.view.log_loss,
            by_epoch: state.view.by_epoch,
        }
    }
}

impl View for LossView {
    fn title(&self) -> &'static str {
        self.0.name()
    }

    fn summary(&self) -> &'static str {
        match self.0 {
            Quantity::Loss => "What training makes small, step by step",
            _ => self.0.about(),
        }
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        match self.0 {
            Quantity::Loss => {
                "What training makes small, without the penalty of sparsity, which is a line of its own. Faint: every batch, and over it their running mean; dots: the training images over an epoch, the validation and the test images after it. When validation rises while training falls, the network learns its images by heart."
            }
            _ => {
                "The share of images whose class is named right: on each batch, over the training images of an epoch, and after it on the validation and test images."
            }
        }
    }

    fn status(&self, state: &State) -> String {
        let curves = &state.training.curves;
        if curves.loss.is_empty() {
            return String::new();
        }
        format!(
            "step {} · epoch {:.1}",
            format::count(curves.steps()),
            curves.epoch_at(curves.steps() as f64)
        )
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if self.0 == Quantity::Loss {
            let mut log = state.view.log_loss;
            let switch = ui.toggle_value(&mut log, RichText::new("log").size(theme::SMALL));
            let switch = switch.on_hover_text("Logarithmic axis: equal distances are equal ratios");
            if switch.accessible_name("Logarithmic axis").clicked() {
                actions.push(Action::Show(Show::LogLoss(log)));
            }
        }
        by_epoch(ui, state, self.0.name(), actions);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        self.show(ui, state, Some(actions));
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.show(ui, state, None);
    }
}

impl LossView {
    /// The plot with its legend; without actions as a picture.
    fn show(&self, ui: &mut Ui, state: &State, actions: Option<&mut Vec<Action>>) {
        let curves = &state.training.curves;
        let curve = self.curve(curves);
        if curve.is_empty() {
            match self.0 {
                _ if state.training.is_reading() => {
                    empty(ui, "Reading the run …", "Its curves appear in a moment.")
                }
                Quantity::Loss => empty(
                    ui,
                    "No steps yet",
                    "Press Train, or open a run folder: the first steps appear within a second.",
                ),
                _ => {
                    let heading = match state.has_task(Task::Classify) {
                        true => "Nothing classified yet",
                        false => "Nothing is classified",
                    };
                    empty(ui, heading, &next_classifier(state));
                }
            }
            return;
        }
        let axes = self.axes(state);
        let colors = *theme::palette(ui);
        let kinds = match self.0 {
            Quantity::Loss => curves.kinds_of_loss(),
            _ => Vec::new(),
        };
        let of = |steps: Steps| {
            let extent = match self.0 {
                Quantity::Loss => {
                    let penalty = curves.penalty.shown(axes.log, steps);
                    curve.shown(axes.log, steps).joined(penalty)
                }
                _ => curve.shown(axes.log, steps),
            };
            Drawn {
                curves,
                curve,
                axes,
                span: axes.span(extent),
                shown: steps,
                at: state.training.at,
            }
        };
        let whole = of(ALL_STEPS);
        legend::show(ui, state, &whole, actions);
        if is_too_low(ui) {
            return;
        }
        if kinds.len() < 2 {
            return whole.show(ui, &colors);
        }
        // A loss of another kind has an axis of its own.
        let area = ui.available_rect_before_wrap();
        let width = area.width() / kinds.len() as f32;
        for (index, steps) in kinds.into_iter().enumerate() {
            let corner = area.left_top() + vec2(index as f32 * width, 0.0);
            let place = Rect::from_min_size(corner, vec2(width - theme::GAP, area.height()));
            let place = UiBuilder::new()
                .id_salt(("kind of loss", index))
                .max_rect(place);
            of(steps).show(&mut ui.new_child(place), &colors);
        }
    }
}

/// What fills the plot of the accuracy.
fn next_classifier(state: &State) -> String {
    let training = &state.training;
    let project = training
        .project
        .as_ref()
        .filter(|_| training.is_live())
        .unwrap_or(state.project());
    let classifies = |stage: &Stage| stage.task == Task::Classify;
    let first = project.stages.iter().position(classifies);
    match first {
        None => "No stage of this project classifies.".to_owned(),
        Some(index) if training.is_live() => {
            let name = &project.stages[index].name;
            format!(
                "Stage {}, “{name}”, classifies: it fills this plot.",
                index + 1
            )
        }
        Some(_) => "Press Train: the stage that classifies fills this plot.".to_owned(),
    }
}

/// The switch between steps and epochs.
pub(super) fn by_epoch(ui: &mut Ui, state: &State, plot: &str, actions: &mut Vec<Action>) {
    let mut epochs = state.view.by_epoch;
    let switch = ui.toggle_value(&mut epochs, RichText::new("epochs").size(theme::SMALL));
    let switch = switch
        .on_hover_text("Plot against epochs (passes over the images) instead of steps (batches)");
    if switch
        .accessible_name(format!("{plot} against epochs"))
        .clicked()
    {
        actions.push(Action::Show(Show::ByEpoch(epochs)));
    }
}

/// How strongly the curves of the batches are smoothed; the batches themselves are always drawn.
pub(super) fn smoothing(
    ui: &mut Ui,
    state: &State,
    text: RichText,
    plot: &str,
    actions: &mut Vec<Action>,
) {
    let button = Button::new(text).frame_when_inactive(false).small();
    let button = ui.add(button);
    let button = button
        .on_hover_text("The running mean of the batches: to see their course, not to read a value from. Press to choose over how many steps it goes; 1 shows the batches alone. What is measured once an epoch is never smoothed")
        .accessible_name(format!("Smoothing of {plot}"));
    let before = state.view.smoothing;
    let mut steps = before;
    let shown = Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    shown.show(|ui| {
        ui.horizontal(|ui| {
            ui.label("over at most");
            let slider = Slider::new(&mut steps, SMOOTHINGS).logarithmic(true);
            shown_slider(ui, slider.suffix(" steps")).accessible_name("Steps to smooth over");
        });
    });
    if steps != before {
        actions.push(Action::Show(Show::Switch(Switch::Smoothing(steps))));
    }
}
