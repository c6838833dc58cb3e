//! The bar below the views: train, pause, step, stop, and how far the run is.

use crate::theme;
use crate::widgets::{Icon, primary_button, quiet_button};
use eframe::egui::{
    Align, Color32, Label, Layout, ProgressBar, Rect, RichText, Sense, Ui, UiBuilder, vec2,
};
use strata_app::action::Action;
use strata_app::run_monitor::{Phase, RunMonitor};
use strata_app::state::State;
use strata_core::format;
use strata_engine::event::Outcome;

/// Height of the bar.
pub const HEIGHT: f32 = 48.0;
/// Height of a line of text in it, where there are two.
const ROW: f32 = 18.0;

/// Shows the bar.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal_centered(|ui| {
        main_button(ui, state, actions);
        let training = &state.training;
        let stepping = matches!(training.phase, Phase::Training | Phase::Paused);
        let step = quiet_button(ui, Icon::Step, "Step", stepping, 72.0);
        if step
            .on_hover_text("Train on one batch, then wait")
            .clicked()
        {
            actions.push(Action::Step);
        }
        let stop = quiet_button(
            ui,
            Icon::Stop,
            "Stop",
            training.is_running() && training.phase != Phase::Stopping,
            72.0,
        );
        if stop
            .on_hover_text("Save a checkpoint and end the run")
            .clicked()
        {
            actions.push(Action::Stop);
        }
        let report = quiet_button(ui, Icon::Save, "Report", training.run.is_some(), 84.0);
        let hover = "Write the run as one page into its folder: curves, metrics, pictures, layers; also while it trains";
        if report
            .on_hover_text(hover)
            .on_disabled_hover_text("There is no run to report yet")
            .clicked()
        {
            actions.push(Action::Report);
        }
        ui.add_space(theme::STEP);
        progress(ui, state);
    });
}

fn main_button(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (icon, text, action, hover) = match state.training.phase {
        Phase::Training | Phase::Preparing { .. } => (
            Icon::Pause,
            "Pause",
            Action::Pause,
            "Wait after the current step (Space)".to_owned(),
        ),
        Phase::Paused => (
            Icon::Play,
            "Resume",
            Action::Resume,
            "Go on training (Space)".to_owned(),
        ),
        Phase::Stopping => (
            Icon::Play,
            "Train",
            Action::Train,
            "The run is saving its checkpoint".to_owned(),
        ),
        Phase::Idle | Phase::Ended(_) => (Icon::Play, "Train", Action::Train, train_hint(state)),
    };
    let enabled = match state.training.phase {
        Phase::Idle | Phase::Ended(_) => state.hindrance().is_none(),
        Phase::Stopping => false,
        _ => true,
    };
    let button = primary_button(ui, icon, text, enabled, 96.0);
    if button
        .on_hover_text(&hover)
        .on_disabled_hover_text(&hover)
        .clicked()
    {
        actions.push(action);
    }
}

fn train_hint(state: &State) -> String {
    match state.hindrance() {
        Some(hindrance) => format!("Cannot train yet: {hindrance}"),
        None => {
            "Train a copy of this project; edits you make meanwhile don't change the run".into()
        }
    }
}

fn progress(ui: &mut Ui, state: &State) {
    let training = &state.training;
    let colors = theme::palette(ui);
    match &training.phase {
        Phase::Idle | Phase::Ended(_) => ended(ui, state),
        Phase::Preparing { what, share } => {
            two_lines(ui, share.unwrap_or(0.0), |ui| line(ui, what, colors.weak));
        }
        Phase::Stopping => line(ui, "Stopping: saving a checkpoint …", colors.weak),
        Phase::Training | Phase::Paused => running(ui, training),
    }
}

/// What the run reached over how it ended: each has a line of its own.
fn ended(ui: &mut Ui, state: &State) {
    let results = state.training.curves.results();
    let status = status(ui, state);
    if results.is_empty() {
        if let Some((text, color)) = status {
            line(ui, &text, color);
        }
        return;
    }
    let color = theme::palette(ui).strong;
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let rows = if status.is_some() { 2.0 } else { 1.0 };
        ui.add_space(0.5 * (ui.available_height() - rows * ROW).max(0.0));
        let text = RichText::new(&results).font(theme::digits(11.5)).color(color);
        let label = Label::new(text).truncate().sense(Sense::hover());
        ui.add(label).on_hover_text(format!(
            "{results}\nWhat the run reached: means over the images of each split, as in metrics.csv"
        ));
        if let Some((text, color)) = status {
            line(ui, &text, color);
        }
    });
}

/// How the run ended, or what keeps the next one from beginning; `None` where the results of a run say enough.
fn status(ui: &Ui, state: &State) -> Option<(String, Color32)> {
    let colors = theme::palette(ui);
    if let Some(hindrance) = state.hindrance() {
        return Some((format!("Cannot train yet: {hindrance}"), colors.wrong));
    }
    match &state.training.phase {
        Phase::Ended(Outcome::Completed(summary)) => {
            let speed = format::count(summary.images_per_second.max(0.0).round() as u64);
            let time = format::duration(summary.seconds);
            let text = format!("Finished in {time} · {speed} images/s");
            Some((text, colors.text))
        }
        Phase::Ended(Outcome::Stopped(summary)) => {
            let time = format::duration(summary.seconds);
            let text = format!("Stopped after {time}; the checkpoint is kept");
            Some((text, colors.weak))
        }
        Phase::Ended(Outcome::Failed(failure)) => {
            let text = format!("The run failed: {}", failure.in_window);
            Some((text, colors.wrong))
        }
        _ if !state.training.curves.is_empty() => None,
        _ => Some(("Ready to train".to_owned(), colors.weak)),
    }
}

fn line(ui: &mut Ui, text: &str, color: Color32) {
    ui.add(
        Label::new(RichText::new(text).color(color))
            .truncate()
            .sense(Sense::hover()),
    )
    .on_hover_text(text);
}

fn running(ui: &mut Ui, training: &RunMonitor) {
    let colors = theme::palette(ui);
    let Some(stage) = &training.stage else { return };
    let stages = training
        .project
        .as_ref()
        .map_or(1, |project| project.stages.len());
    let (epoch, in_epoch) = training
        .last
        .as_ref()
        .map_or((1, 0), |last| (last.epoch, last.step_in_epoch));
    let epochs_done =
        f64::from(epoch.saturating_sub(1)) + in_epoch as f64 / stage.steps_per_epoch.max(1) as f64;
    let share = (epochs_done / f64::from(stage.epochs.max(1))) as f32;
    two_lines(ui, share, |ui| {
        digits(
            ui,
            &time_left(training),
            colors.weak,
            "At the present speed, all stages counted",
        );
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP;
            digits(
                ui,
                &format!("stage {}/{stages}", stage.index + 1),
                colors.weak,
                "Phases of training",
            );
            digits(
                ui,
                &format!("epoch {epoch}/{}", stage.epochs),
                colors.text,
                "Passes over the training images",
            );
            let name = RichText::new(&stage.name)
                .font(theme::heading(12.0))
                .color(colors.strong);
            ui.add(Label::new(name).truncate());
        });
    });
}

fn time_left(training: &RunMonitor) -> String {
    match (&training.phase, &training.last) {
        (Phase::Paused, _) => "paused".to_owned(),
        (_, Some(last)) => format!("{} left", format::duration(last.seconds_left)),
        (_, None) => String::new(),
    }
}

fn digits(ui: &mut Ui, text: &str, color: Color32, hover: &str) {
    ui.label(RichText::new(text).font(theme::digits(11.5)).color(color))
        .on_hover_text(hover);
}

/// A line of text, laid out from the right, over a bar of all the width there is.
fn two_lines(ui: &mut Ui, share: f32, text: impl FnOnce(&mut Ui)) {
    let area = ui.available_rect_before_wrap();
    let (above, below) = area.split_top_bottom_at_y(area.center().y + 6.0);
    let above = UiBuilder::new()
        .id_salt("text")
        .max_rect(above)
        .layout(Layout::right_to_left(Align::Center));
    text(&mut ui.new_child(above));
    let colors = theme::palette(ui);
    let below = Rect::from_min_size(below.min, vec2(area.width(), 6.0));
    let bar = ProgressBar::new(share)
        .desired_width(below.width())
        .desired_height(6.0)
        .corner_radius(3)
        .fill(colors.accent);
    ui.new_child(UiBuilder::new().id_salt("bar").max_rect(below))
        .add(bar)
        .accessible_name("Progress of the stage");
}
