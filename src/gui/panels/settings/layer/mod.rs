//! The form of the selected layer: its attributes by widget, what follows from them, what is unusual about it, and
//! what it has learned.
//!
//! The attributes are those that the layer lists of itself; every change is one edit of the project, as if the text
//! had been typed.

mod facts;
mod field_of_view;
mod fields;
mod pictures;
mod steps;

use crate::panels::design::advice_of;
use crate::theme;
use crate::widgets::said;
use eframe::egui::{Label, RichText, Ui};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::Place;
use strata_core::project::node::Node;

/// Shows the form.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let network = &state.shown.network;
    let selected = state.selected.as_ref();
    let Some((place, node)) = selected.and_then(|place| Some((place, network.node(place)?))) else {
        return nothing(ui);
    };
    title(ui, place, node);
    ui.add_space(theme::STEP);
    let lock = state.lock_on(place);
    ui.add_enabled_ui(lock.is_none(), |ui| {
        fields::show(ui, state, place, actions);
    });
    if lock.is_some() {
        weak(ui, "It is locked: its menu unlocks it.");
    }
    facts::show(ui, state, place);
    advice_of(ui, state, place, actions);
    pictures::show(ui, state, place, actions);
    ui.add_space(theme::GAP);
}

fn nothing(ui: &mut Ui) {
    ui.add_space(theme::GAP);
    let colors = theme::palette(ui);
    let heading = RichText::new("No layer is selected").font(theme::heading(theme::BODY));
    ui.label(heading.color(colors.text));
    weak(
        ui,
        "Click a layer in the architecture: its attributes, shape and cost are shown here, and once it is trained its \
         filters and feature maps.",
    );
}

fn title(ui: &mut Ui, place: &Place, node: &Node) {
    let colors = theme::palette(ui);
    let text = RichText::new(node.label())
        .font(theme::digits(13.0))
        .color(colors.strong);
    ui.add(Label::new(text).wrap());
    let about = match node {
        Node::Layer(layer) => layer.kind.word().about,
        Node::Broken { .. } => "This text is no layer yet.",
        Node::Add(_) => "Branches on one input, summed; an empty branch is the identity.",
        Node::Concat(_) => "Branches on one input, joined along channels.",
        Node::Repeat { .. } => {
            "The same layers several times, each time with weights of their own."
        }
    };
    weak(ui, &format!("{} · {about}", place.in_words()));
}

/// A heading of the form.
fn heading(ui: &mut Ui, text: &str) {
    ui.add_space(theme::GAP);
    let color = theme::palette(ui).strong;
    let text = RichText::new(text).font(theme::heading(theme::BODY));
    ui.label(text.color(color));
}

/// A small grey text on as many lines as it needs.
fn weak(ui: &mut Ui, text: &str) {
    let color = theme::palette(ui).weak;
    ui.add(Label::new(said(text, theme::SMALL, color)).wrap());
}

/// Every layer has a word that the form can explain.
#[cfg(test)]
mod tests {
    use strata_core::project::layer::Layer;
    use strata_core::shape::layers::WORDS;

    #[test]
    fn every_layer_says_what_it_is() {
        for word in WORDS {
            let layer: Layer = word.example.parse().unwrap();
            assert_eq!(layer.kind.word().about, word.about);
        }
    }
}
