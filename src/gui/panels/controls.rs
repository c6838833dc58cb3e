//! The bar below the views: train, pause, step, stop, and how far the run is.

mod results;

use super::live_settings;
use crate::theme;
use crate::widgets::{
    Icon, clauses, close_by_key, icon_button, plain, primary_button, quiet_button,
};
use eframe::egui::{
    Align, Button, Color32, DragValue, Id, Label, Layout, Popup, PopupCloseBehavior, ProgressBar,
    Rect, Response, RichText, Ui, UiBuilder, vec2,
};
use strata_app::action::{Action, Show};
use strata_app::run_monitor::{Continuation, Phase, RunMonitor};
use strata_app::setting_field::SettingField;
use strata_app::state::State;
use strata_core::format;
use strata_engine::event::Outcome;
use strata_export::bundle::Format;

/// Height of the bar without results above its buttons.
const HEIGHT: f32 = 48.0;
/// Height of a line of text beside the buttons, where there are two.
const ROW: f32 = 18.0;
/// Between the bar's edge and what is in it.
const PAD: f32 = 12.0;
/// Widths of the buttons: train, step or go on, stop, report.
const WIDTHS: [f32; 4] = [88.0, 72.0, 64.0, 72.0];
/// Width of the button that opens the menu of other programs.
const EXPORT: f32 = 24.0;
/// A bar with less room beside its buttons has these without words.
const BESIDE: f32 = 128.0;
/// Width of all of them with what lies between.
const BUTTONS: f32 =
    WIDTHS[0] + WIDTHS[1] + WIDTHS[2] + WIDTHS[3] + EXPORT + 5.0 * theme::GAP + theme::STEP;
/// The most epochs that a run goes on for at once.
const MOST_EPOCHS: u32 = 10_000;

/// Height of the bar at this width: results that have no room beside the buttons stand above them.
pub fn height(ui: &Ui, state: &State, width: f32) -> f32 {
    let above = results::place_above(ui, state, width - 2.0 * PAD);
    above.map_or(HEIGHT, |place| HEIGHT + place + 2.0 * theme::STEP)
}

/// Shows the bar.
pub fn show(ui: &mut Ui, bar: Rect, state: &State, actions: &mut Vec<Action>) {
    let mut inner = bar.shrink2(vec2(PAD, 0.0));
    let place = results::place_above(ui, state, inner.width());
    if let Some(height) = place {
        let corner = inner.min + vec2(0.0, 2.0 * theme::STEP);
        let top = Rect::from_min_size(corner, vec2(inner.width(), height));
        inner.min.y = bar.bottom() - HEIGHT;
        let above = UiBuilder::new().id_salt("results").max_rect(top);
        results::show_above(&mut ui.new_child(above), state, actions);
    }
    ui.scope_builder(UiBuilder::new().max_rect(inner), |ui| {
        buttons(ui, state, place.is_none(), actions);
    });
}

/// The buttons, and how far the run is; what it reached where that has its place `beside` them.
fn buttons(ui: &mut Ui, state: &State, beside: bool, actions: &mut Vec<Action>) {
    let bare = ui.available_width() < BUTTONS + BESIDE;
    ui.horizontal_centered(|ui| {
        main_button(ui, state, actions);
        let training = &state.training;
        match training.continuation() {
            Some(how) => go_on(ui, state, how, bare, actions),
            None => step(ui, training, bare, actions),
        }
        let can_stop = training.is_live() && training.phase != Phase::Stopping;
        let hover = "Save a checkpoint and end the run";
        let stop = Secondary(Icon::Stop, "Stop", WIDTHS[2]);
        if stop.show(ui, bare, can_stop, hover).clicked() {
            actions.push(Action::Stop);
        }
        let (has_run, hover) = match training.run.is_some() {
            true => (
                true,
                "Write the run as one page into its folder: curves, metrics, pictures, layers; also while it trains",
            ),
            false => (false, "There is no run to report yet"),
        };
        let report = Secondary(Icon::Save, "Report", WIDTHS[3]);
        if report.show(ui, bare, has_run, hover).clicked() {
            actions.push(Action::Report);
        }
        if !training.is_live() {
            export(ui, training, actions);
        }
        if !training.live_settings().is_empty() {
            let hover = "Change settings of this stage while it trains, or train some steps before a pause";
            let button = icon_button(ui, Icon::Sliders, "Adjust", hover, true);
            live_settings::popup(&button, state, |_| true, actions);
        }
        ui.add_space(theme::STEP);
        progress(ui, state, beside, actions);
    });
}

/// A button beside the main one: its icon, its word, and how wide it is with both.
struct Secondary(Icon, &'static str, f32);

impl Secondary {
    /// Shows it, `bare` without its word.
    fn show(&self, ui: &mut Ui, bare: bool, enabled: bool, hover: &str) -> Response {
        let &Secondary(icon, text, width) = self;
        if bare {
            return icon_button(ui, icon, text, &format!("{text}: {hover}"), enabled);
        }
        let button = quiet_button(ui, icon, text, enabled, width);
        button.on_hover_text(hover).on_disabled_hover_text(hover)
    }
}

/// The menu of what leaves for other programs; a run in training has its progress there.
fn export(ui: &mut Ui, training: &RunMonitor, actions: &mut Vec<Action>) {
    let hover = "Write the network or the curves of the run for another program, into its folder";
    let export = icon_button(ui, Icon::Out, "Export", hover, training.run.is_some());
    Popup::menu(&export).width(220.0).show(|ui| {
        close_by_key(ui);
        for format in Format::ALL {
            let item = ui.button(format.command());
            if item.on_hover_text(format.about()).clicked() {
                actions.push(Action::Export(format));
            }
        }
    });
}

fn step(ui: &mut Ui, training: &RunMonitor, bare: bool, actions: &mut Vec<Action>) {
    let enabled = matches!(training.phase, Phase::Training | Phase::Paused);
    let step = Secondary(Icon::Step, "Step", WIDTHS[1]);
    let hover = "Train on one batch, then wait";
    if step.show(ui, bare, enabled, hover).clicked() {
        actions.push(Action::Steps(1));
    }
}

/// In the place of the button for a step: goes on with the run that has ended.
fn go_on(ui: &mut Ui, state: &State, how: Continuation, bare: bool, actions: &mut Vec<Action>) {
    let hindrance = state.hindrance();
    let hover = match (&hindrance, how) {
        (Some(hindrance), _) => format!("Cannot go on: {hindrance}"),
        (None, Continuation::Rest) => {
            "Go on with this run from its last checkpoint, with the settings as they are now".into()
        }
        (None, Continuation::MoreEpochs) => {
            "Go on with this run for more epochs, from its last checkpoint".into()
        }
    };
    let button = Secondary(Icon::Step, "Go on", WIDTHS[1]);
    let button = button.show(ui, bare, hindrance.is_none(), &plain(&hover));
    match how {
        Continuation::Rest if button.clicked() => actions.push(Action::GoOn(None)),
        Continuation::Rest => {}
        Continuation::MoreEpochs => more_epochs(ui, state, &button, actions),
    }
}

/// How many epochs a finished run goes on for; as many as its last stage has until another number is chosen.
fn more_epochs(ui: &mut Ui, state: &State, button: &Response, actions: &mut Vec<Action>) {
    let id = Id::unique("more epochs");
    let usual = state.epochs_again();
    let mut epochs: u32 = ui.data(|data| data.get_temp(id)).unwrap_or(usual);
    let shown = Popup::from_toggle_button_response(button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    shown.show(|ui| {
        ui.horizontal(|ui| {
            let number = DragValue::new(&mut epochs)
                .range(1..=MOST_EPOCHS)
                .speed(0.1);
            ui.add(number).accessible_name("More epochs");
            ui.label(if epochs == 1 {
                "more epoch"
            } else {
                "more epochs"
            });
            let name = format!("Train {epochs} more");
            if ui.button("Train on").accessible_name(name).clicked() {
                actions.push(Action::GoOn(Some(epochs)));
                ui.close();
            }
        });
    });
    ui.data_mut(|data| {
        if epochs == usual {
            data.remove::<u32>(id);
        } else {
            data.insert_temp(id, epochs);
        }
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
    let hover = plain(&hover);
    let button = primary_button(ui, icon, text, enabled, WIDTHS[0]);
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

fn progress(ui: &mut Ui, state: &State, beside: bool, actions: &mut Vec<Action>) {
    let training = &state.training;
    let colors = theme::palette(ui);
    let is_idle = matches!(training.phase, Phase::Idle | Phase::Ended(_));
    if is_idle && state.wants_files() && !state.has_looked_for_files() {
        actions.push(Action::LookForFiles);
    }
    match &training.phase {
        Phase::Idle | Phase::Ended(_) => ended(ui, state, beside, actions),
        Phase::Preparing { what, share } => {
            two_lines(ui, share.unwrap_or(0.0), |ui| {
                line(ui, what, colors.weak, 1)
            });
        }
        Phase::Stopping => line(ui, "Stopping: saving a checkpoint …", colors.weak, 1),
        Phase::Training | Phase::Paused => running(ui, training),
    }
}

/// How the run ended, below what it reached where that has its place here.
fn ended(ui: &mut Ui, state: &State, beside: bool, actions: &mut Vec<Action>) {
    let status = status(ui, state);
    let Some(results) = results::reached(state).filter(|_| beside) else {
        if let Some((text, color)) = status.filter(|_| beside || !has_trouble_above(state)) {
            fix(ui, state, actions);
            line(ui, &text, color, 2);
        }
        return;
    };
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let rows = if status.is_some() { 2.0 } else { 1.0 };
        ui.add_space(0.5 * (ui.available_height() - rows * ROW).max(0.0));
        let shown = results::written(ui, &results);
        results::show(ui, state, shown);
        if let Some((text, color)) = status {
            ui.horizontal(|ui| {
                ui.spacing_mut().interact_size.y = ROW;
                fix(ui, state, actions);
                line(ui, &text, color, 1);
            });
        }
    });
}

/// Whether what keeps a run from beginning, or ended it, is told in the place for results: there are none.
fn has_trouble_above(state: &State) -> bool {
    let has_failed = matches!(state.training.phase, Phase::Ended(Outcome::Failed(_)));
    let is_in_the_way = state.hindrance().is_some() || missing(state).is_some();
    let asks = state.proposal().is_some() || state.begins();
    (has_failed || is_in_the_way) && !asks && results::reached(state).is_none()
}

/// The buttons that mend what keeps the project from being trained, where one edit does, or files are missing.
fn fix(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(fix) = state.hindrance_fix() else {
        if state.hindrance().is_none() && missing(state).is_some() {
            files(ui, state, actions);
        }
        return;
    };
    let hover = format!("{} (Ctrl+Z takes it back)", plain(&fix.label));
    let button = ui.add(Button::new("Fix").small()).on_hover_text(hover);
    let name = format!("Fix to train: {}", fix.label);
    if button.accessible_name(name).clicked() {
        actions.push(Action::Edit(fix.edit.clone()));
    }
}

/// What is told of data that are missing, unless a run of this project is shown: that was trained with them.
fn missing(state: &State) -> Option<String> {
    let is_of_run = !state.training.curves.is_empty() && !state.run_differs();
    state.missing_data().filter(|_| !is_of_run)
}

/// What can be done about data that are not where they are looked for.
fn files(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let free = !state.downloads.is_busy(state.project().data.source);
    let running = state.downloads.running(state.project().data.source);
    if let Some((entry, _)) = state.download().filter(|_| running.is_none()) {
        let text = format!("Download ({})", format::bytes(entry.bytes()));
        let button = ui.add_enabled(free, Button::new(text).small());
        if button.accessible_name("Download to train").clicked() {
            actions.push(Action::Fetch(true));
            let path = SettingField::of_data("path");
            actions.extend(path.map(|path| Action::Show(Show::Field(path))));
        }
    }
    let browse = ui.add(Button::new("Browse…").small());
    let browse = browse.on_hover_text("Choose their folder");
    if browse.accessible_name("Browse to train").clicked() {
        actions.push(Action::BrowseDataFolder);
    }
}

/// How the run ended, or what keeps the next one from beginning; `None` where the results of a run say enough.
fn status(ui: &Ui, state: &State) -> Option<(String, Color32)> {
    let colors = theme::palette(ui);
    if state.proposal().is_some() {
        let text = "A proposal is shown; its Apply button takes it".to_owned();
        return Some((text, colors.accent));
    }
    if state.begins() {
        return Some(("Choose what to build".to_owned(), colors.weak));
    }
    if let Some(hindrance) = state.hindrance() {
        return Some((format!("Cannot train yet: {hindrance}"), colors.wrong));
    }
    if let Some(missing) = missing(state) {
        return Some((missing, colors.wrong));
    }
    match &state.training.phase {
        Phase::Ended(Outcome::Completed(summary)) => {
            let speed = format::count(summary.images_per_second.max(0.0).round() as u64);
            let time = format::duration(summary.seconds);
            let best = best(state);
            let text = format!("Finished in {time}{best} · {speed} images/s");
            Some((text, colors.text))
        }
        Phase::Ended(Outcome::Stopped(summary)) => {
            let time = format::duration(summary.seconds);
            let text = format!("Stopped after {time}{}; Go on continues it", best(state));
            Some((text, colors.weak))
        }
        Phase::Ended(Outcome::Failed(failure)) => {
            let text = format!("The run failed: {}", failure.in_window);
            Some((text, colors.wrong))
        }
        _ if !state.training.curves.is_empty() => {
            let time = format::duration(state.training.seconds()?);
            let text = format!("Trained for {time}{}", best(state));
            Some((text, colors.weak))
        }
        _ => Some(("Ready to train".to_owned(), colors.weak)),
    }
}

/// Which epoch was best on the validation images.
fn best(state: &State) -> String {
    let best = state.training.curves.best();
    best.map_or_else(String::new, |best| {
        format!(" · best valid {} after epoch {}", best.text(), best.epoch)
    })
}

/// A text on so many lines at most, in smaller type where that has room for all of it.
fn line(ui: &mut Ui, text: &str, color: Color32, rows: usize) {
    clauses(
        ui,
        text,
        color,
        &[(theme::BODY, rows), (theme::SMALL, rows)],
    );
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
    let of_stages = format!("stage {}/{stages}", stage.index + 1);
    let of_epochs = format!("epoch {epoch}/{}", stage.epochs);
    two_lines(ui, share, |ui| {
        let left = time_left(training);
        digits(
            ui,
            &left,
            colors.weak,
            "At the present speed, all stages counted",
        );
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP;
            let room = ui.available_width();
            let epochs = results::written(ui, &of_epochs).size().x;
            let both = epochs + theme::GAP + results::written(ui, &of_stages).size().x;
            // Where there is no room for all, what changes most often stays.
            if stages > 1 && both <= room {
                digits(ui, &of_stages, colors.weak, "Phases of training");
            }
            if epochs <= room {
                digits(
                    ui,
                    &of_epochs,
                    colors.text,
                    "Passes over the training images",
                );
            }
            if both + LEAST_NAME <= room {
                let name = RichText::new(&stage.name)
                    .font(theme::heading(theme::CODE))
                    .color(colors.strong);
                ui.add(Label::new(name).truncate());
            }
        });
    });
}

/// Room from which the name of the stage is shown.
const LEAST_NAME: f32 = 48.0;

fn time_left(training: &RunMonitor) -> String {
    match (&training.phase, &training.last) {
        (Phase::Paused, _) => "paused".to_owned(),
        (_, Some(last)) => format!("{} left", format::duration(last.seconds_left)),
        (_, None) => String::new(),
    }
}

fn digits(ui: &mut Ui, text: &str, color: Color32, hover: &str) {
    ui.label(
        RichText::new(text)
            .font(theme::digits(theme::SMALL))
            .color(color),
    )
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
