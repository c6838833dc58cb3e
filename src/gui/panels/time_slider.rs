//! The slider below the views that looks back: the weights that a run kept at earlier steps are inspected in place of the
//! newest ones, by all views at once.

use crate::theme;
use crate::widgets::{Icon, icon_button, slider as shown_slider};
use eframe::egui::{
    Align, Button, Checkbox, Id, Label, Layout, Popup, PopupCloseBehavior, Rect, RichText, Slider,
    Ui, UiBuilder, vec2,
};
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::curves::Curves;
use strata_app::run_monitor::RunMonitor;
use strata_app::state::State;
use strata_app::view_settings::Switch;
use strata_core::format;
use strata_engine::storage::snapshots;

/// Its height, where it is shown.
const HEIGHT: f32 = 36.0;
/// Between its edge and what is in it.
const PAD: f32 = 12.0;
/// Width of what is said of the step.
const WORDS: f32 = 290.0;
/// Width of the switch between the weights of then and the change since.
const CHANGE: f32 = 130.0;
/// Width of the button that tells of the disk.
const DISK: f32 = 104.0;
/// Width of the button that goes on from there.
const GO_ON: f32 = 112.0;
/// While it plays, seconds from one step to the next, at least: also the slowest view has shown it by then.
const PACE: f64 = 0.5;

/// Its height: nothing while there is nothing to look back at, nor will be.
pub fn height(state: &State) -> f32 {
    let training = &state.training;
    // It has its place from the start: nothing moves when the first weights are kept.
    let will_keep = training.is_running() && state.view.keeps_snapshots;
    let has_some = will_keep || !earlier(training).is_empty();
    match has_some && state.view.workspace == Workspace::Training {
        true => HEIGHT,
        false => 0.0,
    }
}

/// The steps that can be looked back at, before the newest.
fn earlier(training: &RunMonitor) -> Vec<u64> {
    let steps = training.snapshots.steps.iter().copied();
    let newest = training.curves.steps();
    // The curves of a run that was opened are read while the slider is there already.
    steps
        .filter(|step| training.is_reading() || *step < newest)
        .collect()
}

/// Shows it.
pub fn show(ui: &mut Ui, place: Rect, state: &State, actions: &mut Vec<Action>) {
    let steps = earlier(&state.training);
    if steps.is_empty() {
        let inner = UiBuilder::new().max_rect(place.shrink2(vec2(PAD, 0.0)));
        ui.scope_builder(inner, |ui| {
            ui.horizontal_centered(|ui| {
                let text =
                    "The weights that are kept at steps of the run can be looked back at here";
                let text = RichText::new(text).size(theme::SMALL);
                ui.add(Label::new(text.color(theme::palette(ui).weak)).truncate());
            });
        });
        return;
    }
    let chosen = state.training.at;
    let at = chosen
        .and_then(|at| steps.iter().position(|step| *step == at))
        .unwrap_or(steps.len());
    let mut index = at;
    let inner = UiBuilder::new().max_rect(place.shrink2(vec2(PAD, 0.0)));
    ui.scope_builder(inner, |ui| {
        ui.horizontal_centered(|ui| {
            play(ui, state, steps.len(), &mut index);
            let shown = if chosen.is_some() { CHANGE + GO_ON } else { 0.0 };
            let spare = WORDS + DISK + shown + 5.0 * ui.spacing().item_spacing.x;
            ui.spacing_mut().slider_width = (ui.available_width() - spare).max(120.0);
            let slider = Slider::new(&mut index, 0..=steps.len()).show_value(false);
            let slider = shown_slider(ui, slider).accessible_name("Look back");
            slider.on_hover_text(
                "All views show the network as it was then: drag, or press the arrow keys. On the right are the \
                 newest weights",
            );
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                disk(ui, state, actions);
                from_here(ui, state, actions);
                if chosen.is_some() {
                    switch(ui, state, actions);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let words = match chosen.filter(|_| state.training.is_change) {
                        Some(step) => format!("Newest weights minus those of step {}", format::count(step)),
                        None => told(&state.training.curves, steps.get(at).copied()),
                    };
                    let color = match chosen {
                        Some(_) => theme::palette(ui).accent,
                        None => theme::palette(ui).weak,
                    };
                    let words = RichText::new(words).size(theme::SMALL).color(color);
                    ui.add(Label::new(words).truncate());
                });
            });
        });
    });
    if index != at {
        actions.push(Action::Show(Show::At(steps.get(index).copied())));
    }
}

/// Whether the views show the weights of then, or what has changed since.
fn switch(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let mut is_change = state.training.is_change;
    let text = RichText::new("Change since").size(theme::SMALL);
    let hover = "The newest weights minus those of this step: of filters the change of each weight, of pictures what the \
                 network makes of them now and what it made of them then. A view that has no such change says so";
    let response = ui
        .add(Checkbox::new(&mut is_change, text))
        .on_hover_text(hover);
    if response.accessible_name("Change since this step").changed() {
        actions.push(Action::Show(Show::Change(is_change)));
    }
}

/// The button that goes from step to step; it waits for the views that are not done yet.
fn play(ui: &mut Ui, state: &State, newest: usize, index: &mut usize) {
    let id = Id::unique("looking back plays since");
    let since: Option<f64> = ui.data(|data| data.get_temp(id));
    let now = ui.input(|input| input.time);
    let (icon, name) = match since {
        Some(_) => (Icon::Pause, "Stop playing"),
        None => (Icon::Play, "Play the training"),
    };
    let hover = "Goes through the kept steps, from the first to the newest";
    let clicked = icon_button(ui, icon, name, hover, true).clicked();
    let next = match (since, clicked) {
        (None, true) => {
            if *index == newest {
                *index = 0;
            }
            Some(now)
        }
        (None, false) | (Some(_), true) => None,
        (Some(last), false) if now - last < PACE || state.inspections.are_asked() => Some(last),
        (Some(_), false) if *index >= newest => None,
        (Some(_), false) => {
            *index += 1;
            Some(now)
        }
    };
    ui.data_mut(|data| match next {
        Some(last) => {
            data.insert_temp(id, last);
        }
        None => {
            data.remove::<f64>(id);
        }
    });
    if next.is_some() {
        ui.request_repaint_after(std::time::Duration::from_millis(100));
    }
}

/// What is said of a step; of the newest weights where there is none.
fn told(curves: &Curves, step: Option<u64>) -> String {
    let Some(step) = step else {
        return "The newest weights".to_owned();
    };
    let of = |step: u64| {
        let values = curves.loss.at(step as f64, &curves.stages);
        values.batch.map(|[_, loss]| format::loss(loss))
    };
    let epoch = curves.epoch_at(step as f64);
    let place = format!("Step {} · epoch {epoch:.2}", format::count(step));
    match (of(step).filter(|_| step > 0), of(curves.steps())) {
        (Some(then), Some(now)) => format!("{place} · loss {then} (now {now})"),
        (None, _) if step == 0 => "Before the first step".to_owned(),
        _ => place,
    }
}

/// Goes on from the step that is looked back at.
fn from_here(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(step) = state.training.at else {
        return;
    };
    let text = RichText::new("Go on from here").size(theme::SMALL);
    let can_go_on = !state.training.is_running() && state.hindrance().is_none();
    let button = ui.add_enabled(can_go_on, Button::new(text).small());
    let hover = "Train on from these weights in a new run, with the settings as they are now; this run stays as it is. \
                 The optimizer begins without a memory of the earlier steps";
    let button = button.on_hover_text(hover);
    if button
        .on_disabled_hover_text("Once the training has ended")
        .clicked()
    {
        actions.push(Action::GoOnFrom(snapshots::name(step)));
    }
}

/// What the steps take of the disk, and whether the next runs keep theirs.
fn disk(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let kept = &state.training.snapshots;
    let text = RichText::new(format::bytes(kept.bytes)).size(theme::SMALL);
    let button = Button::new(text).frame_when_inactive(false).small();
    let button = ui.add(button).accessible_name("Kept weights");
    let count = kept.steps.len();
    let button = button.on_hover_text(format!(
        "The weights at {count} steps are in the run's folder. Press to choose whether the next runs keep theirs"
    ));
    let shown = Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    shown.show(|ui| {
        let mut keeps = state.view.keeps_snapshots;
        let text = "Keep the weights of earlier steps in the next runs";
        if ui.add(Checkbox::new(&mut keeps, text)).changed() {
            actions.push(Action::Show(Show::Switch(Switch::KeepsSnapshots(keeps))));
        }
    });
}
