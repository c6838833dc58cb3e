//! What was chosen in the view of the filters: whose, in which order, what is drawn of them, and which are off.

use crate::plate::of_filters::Shown;
use crate::theme;
use crate::widgets::chevron;
use eframe::egui::{ComboBox, DragValue, RichText, Ui};
use strata_app::action::Action;
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

/// Less room than this has no box: what is chosen in it waits for a wider view.
const BOX: f32 = 108.0;

/// The boxes and switches, from the right, as many as there is room for.
pub(super) fn tools(
    ui: &mut Ui,
    state: &State,
    filters: Option<&Filters>,
    actions: &mut Vec<Action>,
) {
    let former: FilterChoice = state.choices.get();
    let mut choice = former.clone();
    let text = RichText::new("Measure").size(theme::SMALL);
    if ui.available_width() < BOX {
        return;
    }
    ui.toggle_value(&mut choice.is_measured, text).on_hover_text(
        "Marks dead, duplicate and noisy filters, and asks the network about the images of a split",
    );
    if ui.available_width() > BOX {
        layer_box(ui, state, &mut choice);
    }
    if ui.available_width() > 2.0 * BOX {
        shown_box(ui, filters, &mut choice);
    }
    if ui.available_width() > BOX {
        order_box(ui, &mut choice.order);
    }
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
    let combo = ComboBox::from_id_salt("order of filters")
        .width(92.0)
        .icon(chevron)
        .selected_text(RichText::new(name(*order)).size(theme::SMALL))
        .show_ui(ui, |ui| {
            for one in Order::ALL {
                ui.selectable_value(order, one, name(one));
            }
        });
    combo
        .response
        .on_hover_text("by norm: the strongest first; by similarity: each behind the one it is most like; by activation: the most active first, over images of a split")
        .accessible_name("Order of filters");
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
    let combo = ComboBox::from_id_salt("what of filters")
        .width(92.0)
        .icon(chevron)
        .selected_text(RichText::new(name(choice.shown)).size(theme::SMALL))
        .show_ui(ui, |ui| {
            for one in Shown::ALL {
                ui.selectable_value(&mut choice.shown, one, name(one));
            }
        });
    combo
        .response
        .on_hover_text("weights: in colour, or the mean over the input channels; one input channel: by itself; frequencies: how strongly each passes, frequency 0 in the middle and half a cycle a pixel at the edges")
        .accessible_name("What of filters");
}

/// The layers that have filters, beside the first one and the decoder's last.
fn layer_box(ui: &mut Ui, state: &State, choice: &mut FilterChoice) {
    let decoder = state.view.decoder_filters;
    let usual = if decoder { "decoder" } else { "first layer" };
    let shown = choice
        .layer
        .as_ref()
        .map_or_else(|| usual.to_owned(), Place::in_words);
    let rows = state.shown.inference.rows.iter();
    let has_weights = |row: &&strata_core::shape::Row| {
        ["conv", "sepconv", "dwconv", "dense"]
            .iter()
            .any(|word| row.text.starts_with(word))
    };
    let combo = ComboBox::from_id_salt("layer of filters")
        .width(92.0)
        .icon(chevron)
        .selected_text(RichText::new(shown).size(theme::SMALL))
        .show_ui(ui, |ui| {
            ui.selectable_value(&mut choice.layer, None, usual);
            for row in rows.filter(has_weights) {
                let paints = row.place.stack == Stack::Decoder;
                let what = if paints { "  paints" } else { "" };
                let name = format!("{}  {}{what}", row.place.in_words(), row.text);
                ui.selectable_value(&mut choice.layer, Some(row.place.clone()), name);
            }
        });
    combo
        .response
        .on_hover_text("Whose filters: what each unit of a layer looks for, or in the decoder what each of its inputs paints")
        .accessible_name("Layer with filters");
}
