//! What was chosen in the view of the filters: whose, in which order, what is drawn of them, and which are off.

use crate::plate::of_filters::Shown;
use crate::theme;
use crate::widgets::ChoiceBox;
use eframe::egui::{DragValue, RichText, Ui};
use strata_app::action::{Action, Show};
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::project::{Place, Stack};
use strata_inspect::filters::study::{self, Order};
use strata_inspect::filters::{Filters, Request};

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilterChoice {
    /// A layer by its place, instead of the first one or the decoder's last.
    pub layer: Option<Place>,
    /// In which order they are shown.
    pub order: Order,
    /// What is drawn of each.
    pub shown: Shown,
    /// Which input channel is drawn, where they are drawn one by one.
    pub channel: usize,
    /// Whether they are measured, which asks the network about images of a split.
    pub is_measured: bool,
    /// Whether weights on whitened images are shown as they are, instead of on the images' own pixels.
    pub whitened: bool,
    /// Those that are switched off, from 0.
    pub off: Vec<u32>,
}

impl FilterChoice {
    /// Whether more than the weights of the first or the last layer is asked for.
    pub fn is_close(&self) -> bool {
        let needs_more = self.order != Order::Layer || self.shown == Shown::Frequencies;
        self.layer.is_some() || needs_more || self.is_measured || !self.off.is_empty()
    }

    /// What the network is asked for.
    pub fn request(&self, state: &State) -> study::Request {
        study::Request {
            layer: match (&self.layer, state.view.decoder_filters) {
                (Some(place), _) => Request::Layer(place.clone()),
                (None, true) => Request::Decoder,
                (None, false) => Request::First,
            },
            off: self.off.clone(),
            whitened: self.whitened,
            ..study::Request::default()
        }
    }

    /// Switches a filter off, or on again.
    pub fn turn(&mut self, filter: u32) {
        match self.off.iter().position(|off| *off == filter) {
            Some(at) => {
                self.off.remove(at);
            }
            None => {
                self.off.push(filter);
                self.off.sort_unstable();
            }
        }
    }
}

/// Passes a choice on, if it is another one.
pub(super) fn choose(former: &FilterChoice, choice: FilterChoice, actions: &mut Vec<Action>) {
    if *former != choice {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

/// Room that the boxes take side by side.
pub(super) fn room(state: &State) -> f32 {
    let choice: FilterChoice = state.choices.get();
    let extra = [
        (is_whitened(state), 84.0),
        (choice.shown == Shown::Channels, 96.0),
    ];
    let extra = extra.iter().filter(|(is, _)| *is);
    ROOM + extra.map(|(_, width)| width).sum::<f32>()
}

/// Room of those that are always there.
const ROOM: f32 = 470.0;

/// The project of the run that is shown: its images may be whitened.
fn is_whitened(state: &State) -> bool {
    let project = state.training.project.as_ref().unwrap_or(state.project());
    project.data.whiten.is_some() || project.data.center.is_some()
}

/// Whether filters on whitened images are shown on the images' own pixels.
pub(super) fn is_on_pixels(state: &State, choice: &FilterChoice) -> bool {
    !choice.whitened && is_whitened(state)
}

/// ` · on pixels` or ` · on whitened images`, where these are not the same.
pub(super) fn space_words(state: &State, filters: &Filters) -> &'static str {
    match (is_whitened(state), filters.on_pixels) {
        (_, true) => " · on the images' pixels",
        (true, false) => " · as the network sees whitened images",
        (false, false) => "",
    }
}

/// The boxes and switches, from the right.
pub(super) fn boxes(
    ui: &mut Ui,
    state: &State,
    filters: Option<&Filters>,
    actions: &mut Vec<Action>,
) {
    let former: FilterChoice = state.choices.get();
    let mut choice = former.clone();
    let text = RichText::new("Measure").size(theme::SMALL);
    ui.toggle_value(&mut choice.is_measured, text).on_hover_text(
        "Marks dead, duplicate and noisy filters, and asks the network about the images of a split",
    );
    if is_whitened(state) {
        let text = RichText::new("Whitened").size(theme::SMALL);
        ui.toggle_value(&mut choice.whitened, text).on_hover_text(
            "The weights as the network has them, on whitened images; else those of the input's size are shown on the images' own pixels",
        );
    }
    layer_box(ui, state, &mut choice, actions);
    shown_box(ui, filters, &mut choice);
    order_box(ui, &mut choice.order);
    if choice.layer != former.layer {
        choice.off.clear();
        choice.channel = 0;
    }
    choose(&former, choice, actions);
}

fn order_box(ui: &mut Ui, order: &mut Order) {
    let name = |order| match order {
        Order::Layer => "in order",
        Order::Norm => "by norm",
        Order::Likeness => "by similarity",
        Order::Activity => "by activation",
    };
    ChoiceBox {
        id: "order of filters",
        width: 92.0,
        shown: name(*order).into(),
        hover: "by norm: the strongest first; by similarity: each behind the \
                one it is most like; by activation: the most active first, \
                over images of a split",
        name: "Order of filters",
    }
    .show(ui, |ui| {
        for one in Order::ALL {
            ui.selectable_value(order, one, name(one));
        }
    });
}

fn shown_box(ui: &mut Ui, filters: Option<&Filters>, choice: &mut FilterChoice) {
    let channels = filters.map_or(1, |filters| filters.channels);
    let name = |shown| match shown {
        Shown::Weights => "weights",
        Shown::Channels => "one input channel",
        Shown::Frequencies => "frequencies",
    };
    if choice.shown == Shown::Channels && channels > 1 {
        let mut channel = choice.channel.min(channels - 1) + 1;
        let field = DragValue::new(&mut channel)
            .range(1..=channels)
            .prefix("channel ");
        let field = ui
            .add(field)
            .on_hover_text(format!("Which of the {channels} input channels"));
        if field.accessible_name("Input channel of filters").changed() {
            choice.channel = channel - 1;
        }
    }
    ChoiceBox {
        id: "what of filters",
        width: 92.0,
        shown: name(choice.shown).into(),
        hover: "weights: in colour, or the mean over the input channels; one \
                input channel: by itself; frequencies: how strongly each \
                passes, frequency 0 in the middle and half a cycle a pixel at \
                the edges",
        name: "What of filters",
    }
    .show(ui, |ui| {
        for one in Shown::ALL {
            ui.selectable_value(&mut choice.shown, one, name(one));
        }
    });
}

/// The layers that have filters, beside the first one and the decoder's last.
fn layer_box(ui: &mut Ui, state: &State, choice: &mut FilterChoice, actions: &mut Vec<Action>) {
    let decoder = state.view.decoder_filters;
    let usual = |decoder| if decoder { "decoder" } else { "first layer" };
    let shown = choice
        .layer
        .as_ref()
        .map_or_else(|| usual(decoder).to_owned(), Place::in_words);
    let has_decoder = decoder || !state.project().network.decoder.is_empty();
    let rows = state.shown.inference.rows.iter();
    let has_weights = |row: &&strata_core::shape::Row| {
        ["conv", "sepconv", "dwconv", "dense"]
            .iter()
            .any(|word| row.text.starts_with(word))
    };
    ChoiceBox {
        id: "layer of filters",
        width: 92.0,
        shown: shown.into(),
        hover: "Whose filters: what each unit of a layer looks for, or in the \
                decoder what each of its inputs paints, the better picture of \
                what a sparse autoencoder has learned",
        name: "Layer with filters",
    }
    .show(ui, |ui| {
        for one in [false, true] {
            let is_chosen = choice.layer.is_none() && decoder == one;
            let is_there = has_decoder || !one;
            if is_there && ui.selectable_label(is_chosen, usual(one)).clicked() {
                choice.layer = None;
                let is_other = decoder != one;
                actions.extend(is_other.then_some(Action::Show(Show::DecoderFilters(one))));
            }
        }
        for row in rows.filter(has_weights) {
            let paints = row.place.stack == Stack::Decoder;
            let what = if paints { "  paints" } else { "" };
            let name = format!("{}  {}{what}", row.place.in_words(), row.text);
            ui.selectable_value(&mut choice.layer, Some(row.place.clone()), name);
        }
    });
}
