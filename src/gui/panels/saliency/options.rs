//! What is asked for and how it is drawn: method, layer, unit, sanity check; signs, scale, clipping, opacity.

use crate::panels::layer_entries::layer_entries;
use crate::theme;
use crate::widgets::{ChoiceBox, options_button, slider};
use eframe::egui::{Align, DragValue, Layout, RichText, Slider, Ui, vec2};
use strata_app::action::{Action, Show};
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::project::Place;
use strata_inspect::attribution::Method;
use strata_inspect::map_look::MapLook;
use strata_inspect::saliency::{Question, Request};

/// How the maps of this view are drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaliencyLook(pub MapLook);

/// Shares of the values that may lie beyond the scale.
const CLIPS: [f32; 5] = [0.0, 0.005, 0.01, 0.02, 0.05];
/// Layers of the sanity check at most.
const MOST_LAYERS: usize = 24;
const WIDTH: f32 = 250.0;
const BOX: f32 = 128.0;
/// Room that the button of the options takes beside other things.
pub(super) const BUTTON: f32 = 80.0;
const NAME: f32 = 96.0;

/// The methods.
pub(super) fn method_box(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let request = &state.inspections.saliency;
    let mut method = request.method;
    ChoiceBox {
        id: "method of saliency",
        width: 132.0,
        shown: method.name().into(),
        hover: method.about(),
        name: "Method of saliency",
    }
    .show(ui, |ui| {
        for one in Method::ALL {
            ui.selectable_value(&mut method, one, one.name())
                .on_hover_text(one.about());
        }
    });
    if method != request.method {
        ask(state, actions, |request| request.method = method);
    }
}

fn ask(state: &State, actions: &mut Vec<Action>, change: impl FnOnce(&mut Request)) {
    let mut request = state.inspections.saliency.clone();
    change(&mut request);
    actions.push(Action::Show(Show::Saliency(request)));
}

/// The button that opens everything else.
pub(super) fn button(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let hover = "Signs, scale, opacity, layer, unit and the sanity check";
    options_button(ui, "Options of saliency", hover, |ui| {
        ui.set_width(WIDTH);
        drawn(ui, state, actions);
        ui.separator();
        asked(ui, state, actions);
    });
}

/// A control behind its name.
fn line(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        let weak = theme::palette(ui).weak;
        let name = RichText::new(name).size(theme::SMALL).color(weak);
        let left = Layout::left_to_right(Align::Center);
        let size = vec2(NAME, theme::ROW);
        ui.allocate_ui_with_layout(size, left, |ui| {
            ui.set_min_width(NAME);
            ui.label(name);
        });
        add(ui);
    });
}

/// How the maps are drawn.
fn drawn(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let SaliencyLook(former) = state.choices.get();
    let mut look = former;
    ui.checkbox(&mut look.signed, "With signs")
        .on_hover_text("What speaks for the score is red, what speaks against it is blue");
    ui.checkbox(&mut look.common, "One scale for all images")
        .on_hover_text("Else each map is drawn by its own largest value");
    line(ui, "beyond the scale", |ui| {
        let name = |clip: f32| match clip > 0.0 {
            true => format!("{} %", 100.0 * clip),
            false => "nothing".to_owned(),
        };
        ChoiceBox {
            id: "clip of saliency",
            width: BOX,
            shown: name(look.clip).into(),
            hover: "The largest values may lie beyond the scale, so that a few of \
                them do not hide the rest",
            name: "Clipped values of saliency",
        }
        .show(ui, |ui| {
            for clip in CLIPS {
                ui.selectable_value(&mut look.clip, clip, name(clip));
            }
        });
    });
    line(ui, "over the image", |ui| {
        let bar = Slider::new(&mut look.opacity, 0.0..=1.0).show_value(false);
        slider(ui, bar)
            .on_hover_text("How strongly the map lies over the image")
            .accessible_name("Opacity of saliency");
    });
    if look != former {
        actions.push(Action::Choose(Choice::new(SaliencyLook(look))));
    }
}

/// Layer, unit and the sanity check.
fn asked(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let request = &state.inspections.saliency;
    if takes_layer(request) {
        line(ui, "layer", |ui| layer_box(ui, state, actions));
    }
    if let Some(Question::Unit(unit)) = request.question {
        line(ui, "unit", |ui| {
            let units = units(state, request);
            let mut number = unit as usize + 1;
            let field = ui.add(DragValue::new(&mut number).range(1..=units.max(1)));
            let field = field.on_hover_text(format!("Which of the {units} units or channels"));
            if field.accessible_name("Unit of saliency").changed() {
                let unit = Question::Unit(number.saturating_sub(1) as u32);
                ask(state, actions, |request| request.question = Some(unit));
            }
        });
    }
    line(ui, "sanity check", |ui| {
        let mut layers = request.randomised;
        let suffix = if layers == 1 { " layer" } else { " layers" };
        let field = DragValue::new(&mut layers).range(0..=MOST_LAYERS);
        let field = ui.add(field.suffix(suffix));
        let hover = "Draws the weights of so many layers anew, one after another from the last on, and shows the same map each time: a map that stays as it was does not show what was learnt";
        if field
            .on_hover_text(hover)
            .accessible_name("Layers drawn anew")
            .changed()
        {
            ask(state, actions, |request| request.randomised = layers);
        }
    });
}

fn takes_layer(request: &Request) -> bool {
    request.method == Method::GradCam || matches!(request.question, Some(Question::Unit(_)))
}

fn units(state: &State, request: &Request) -> usize {
    let place = request.layer.as_ref();
    let row = place.and_then(|place| state.shown.inference.row(place));
    row.and_then(|row| row.output.as_ref())
        .map_or(0, |shape| shape.channels())
}

fn layer_box(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let request = &state.inspections.saliency;
    let mut layer = request.layer.clone();
    let last = "the last with maps";
    let shown = layer
        .as_ref()
        .map_or_else(|| last.to_owned(), Place::in_words);
    ChoiceBox {
        id: "layer of saliency",
        width: BOX,
        shown: shown.into(),
        hover: "The layer whose maps are weighed, or whose unit is explained",
        name: "Layer of saliency",
    }
    .show(ui, |ui| {
        if request.method == Method::GradCam {
            ui.selectable_value(&mut layer, None, last);
        }
        layer_entries(ui, state, &mut layer);
    });
    if layer != request.layer {
        ask(state, actions, |request| request.layer = layer);
    }
}
