//! Settings that are changed while a run trains: a slider and an exact field for each, in a popup of a button.

use crate::theme;
use crate::widgets::{Field, FieldEvent, slider as shown_slider};
use eframe::egui::{
    Button, DragValue, Grid, Id, Label, Popup, PopupCloseBehavior, Response, RichText, Slider, Ui,
};
use strata_app::action::Action;
use strata_app::run_monitor::{Phase, RunMonitor};
use strata_app::state::State;
use strata_core::format;
use strata_core::project::live_setting::LiveSetting;

/// Width of a slider, of a field beside it, and of the texts.
const SLIDER: f32 = 160.0;
const FIELD: f32 = 84.0;
const TEXT: f32 = 380.0;
/// The most steps that are taken before a pause.
const MOST_STEPS: u64 = 10_000_000;
/// Steps that are offered until others are chosen.
const USUAL_STEPS: u64 = 100;

/// Opens below a button: the settings of the stage in training that are `wanted`, and some more steps.
pub(super) fn popup(
    button: &Response,
    state: &State,
    wanted: impl Fn(LiveSetting) -> bool,
    actions: &mut Vec<Action>,
) {
    let shown = Popup::from_toggle_button_response(button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    shown.show(|ui| {
        ui.set_max_width(TEXT);
        let training = &state.training;
        let settings = training.live_settings();
        Grid::new("live settings").num_columns(3).show(ui, |ui| {
            for (setting, now) in settings.into_iter().filter(|(setting, _)| wanted(*setting)) {
                row(ui, training, setting, now, actions);
                ui.end_row();
            }
        });
        let said = RichText::new(hint(training)).size(theme::SMALL);
        ui.add(Label::new(said.color(theme::palette(ui).weak)).wrap());
        ui.separator();
        more_steps(ui, training, actions);
    });
}

/// A button for β and ρ, where the stage in training has them.
pub(super) fn of_sparsity(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let settings = state.training.live_settings();
    if settings.iter().any(|(setting, _)| setting.is_of_sparsity()) {
        let text = RichText::new("β ρ").size(theme::SMALL);
        let button = ui.add(Button::new(text).frame_when_inactive(false).small());
        let hover = "Change β and ρ of the penalty while it trains";
        let button = button
            .on_hover_text(hover)
            .accessible_name("Adjust the sparsity");
        popup(&button, state, LiveSetting::is_of_sparsity, actions);
    }
}

/// What a change does, and how the schedule takes it.
fn hint(training: &RunMonitor) -> String {
    let next = training.last.as_ref().map_or(1, |last| last.step + 1);
    let from = format!("A change holds from step {} on.", format::count(next));
    let schedule = training
        .stage_settings()
        .and_then(|stage| stage.schedule.as_ref());
    match (schedule, &training.last) {
        (Some(_), Some(last)) => format!(
            "{from} The stage's schedule keeps its shape and is scaled: the learning rate is what it starts from, the \
             last step had {}.",
            format::loss(last.lr)
        ),
        _ => from,
    }
}

fn row(
    ui: &mut Ui,
    training: &RunMonitor,
    setting: LiveSetting,
    now: f64,
    actions: &mut Vec<Action>,
) {
    ui.label(setting.name()).on_hover_text(setting.about());
    let id = Id::unique(("live setting", setting.key()));
    let moved: Option<f64> = ui.data(|data| data.get_temp(id));
    let mut value = moved.unwrap_or(now);
    let usual = setting.usual();
    // What holds has its place on the slider whatever it is.
    let range = usual.start().min(now)..=usual.end().max(now);
    let slider = Slider::new(&mut value, range)
        .logarithmic(setting.is_logarithmic())
        .smallest_positive(1e-7)
        .show_value(false);
    ui.spacing_mut().slider_width = SLIDER;
    let response = shown_slider(ui, slider)
        .on_hover_text(setting.about())
        .accessible_name(format!("Slider of the {}", setting.name()));
    if response.changed() {
        value = rounded(value);
        ui.data_mut(|data| data.insert_temp(id, value));
    }
    let written = short(value);
    let name = format!("New {}", setting.name());
    let judge = |text: &str| refusal(training, setting, text).map_or(Ok(()), Err);
    ui.vertical(|ui| {
        let field = Field::new(id.with("field"), &name, &written);
        let typed = field.width(FIELD).check(&judge).show(ui);
        if let Some(FieldEvent::Commit(text)) = typed
            && let Ok(value) = text.trim().parse()
        {
            actions.push(Action::Adjust(setting, value));
        }
    });
    // One change for one movement of the hand.
    if !response.dragged() && (response.changed() || moved.is_some()) {
        ui.data_mut(|data| data.remove::<f64>(id));
        if value != now {
            actions.push(Action::Adjust(setting, value));
        }
    }
}

fn refusal(training: &RunMonitor, setting: LiveSetting, text: &str) -> Option<String> {
    let Ok(value) = text.trim().parse() else {
        return Some(format!("the {} is a number such as 0.01", setting.name()));
    };
    setting.refusal(training.stage_settings()?, value)
}

/// What a slider is moved to: with three digits, so that a text of it is short.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// As people write it: 0.001, 1e-5.
fn short(value: f64) -> String {
    let (plain, scientific) = (value.to_string(), format!("{value:e}"));
    match scientific.len() < plain.len() {
        true => scientific,
        false => plain,
    }
}

/// Trains so many steps more, and then waits.
fn more_steps(ui: &mut Ui, training: &RunMonitor, actions: &mut Vec<Action>) {
    let id = Id::unique("steps before a pause");
    let mut steps: u64 = ui.data(|data| data.get_temp(id)).unwrap_or(USUAL_STEPS);
    ui.horizontal(|ui| {
        let go = match training.phase {
            Phase::Paused => "Go on for",
            _ => "Train",
        };
        let button = ui.button(go);
        let number = DragValue::new(&mut steps).range(1..=MOST_STEPS);
        ui.add(number).accessible_name("Steps before a pause");
        ui.label(if steps == 1 {
            "more step, then pause"
        } else {
            "more steps, then pause"
        });
        let name = format!("Train {steps} steps, then pause");
        if button.accessible_name(name).clicked() {
            actions.push(Action::Steps(steps));
            ui.close();
        }
    });
    ui.data_mut(|data| data.insert_temp(id, steps));
}
