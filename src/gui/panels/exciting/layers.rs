//! Every layer in numbers, as a table: mean, deviation, share of zeros, and the channels that have died.

use crate::theme;
use eframe::egui::{Button, Grid, Label, RichText, ScrollArea, Ui};
use strata_core::format::{self, short};
use strata_core::project::Place;
use strata_inspect::activity_change::signed;
use strata_inspect::layer_statistics::{LayerFigures, LayerStatistics};
use strata_inspect::since_words;

/// Numbers of dead channels that are written out.
const NAMED: usize = 12;

/// `1,000 of 4,000 test images · step 512`
pub(crate) fn about(made: &LayerStatistics) -> String {
    format!(
        "{} of {} {} images · step {}{}",
        format::count(made.images as u64),
        format::count(made.of as u64),
        made.split,
        format::count(made.step),
        since_words(made.since)
    )
}

/// The table; a layer that was clicked.
pub(crate) fn table(ui: &mut Ui, made: &LayerStatistics) -> Option<Place> {
    let mut chosen = None;
    let weak = theme::palette(ui).weak;
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        Grid::new("figures of layers")
            .striped(true)
            .num_columns(5)
            .show(ui, |ui| {
                for head in ["layer", "mean", "deviation", "zero", "dead channels"] {
                    ui.label(RichText::new(head).size(theme::TINY).color(weak));
                }
                ui.end_row();
                for layer in &made.layers {
                    let name = format!("{}  {}", layer.place.in_words(), layer.text);
                    let button = Button::new(RichText::new(&name).size(theme::SMALL)).frame(false);
                    let hover = "The images that excite the channels of this layer";
                    if ui.add(button).on_hover_text(hover).clicked() {
                        chosen = Some(layer.place.clone());
                    }
                    for text in figures(layer) {
                        ui.label(RichText::new(text).font(theme::digits(theme::SMALL)));
                    }
                    let dead = RichText::new(dead(layer)).size(theme::SMALL);
                    let dead = match layer.dead.is_empty() {
                        true => dead.color(weak),
                        false => dead,
                    };
                    ui.add(Label::new(dead).extend());
                    ui.end_row();
                }
            });
    });
    chosen
}

/// Mean, deviation and share of zeros, each with its change since an earlier step where that is shown.
fn figures(layer: &LayerFigures) -> [String; 3] {
    let now = [
        short(layer.mean, 3),
        short(layer.deviation, 3),
        format!("{:.1} %", 100.0 * layer.zeros),
    ];
    let Some(change) = layer.change.as_ref().map(|change| change.figures) else {
        return now;
    };
    let grown = [
        signed(change.mean, 3),
        signed(change.deviation, 3),
        format!("{} %", signed(100.0 * change.zeros, 1)),
    ];
    std::array::from_fn(|at| format!("{} ({})", now[at], grown[at]))
}

/// `3 of 32: 4, 7, 19`; channels count from 1. Then which have died since an earlier step, and which no longer are dead.
pub(crate) fn dead(layer: &LayerFigures) -> String {
    let now = match layer.dead.len() {
        0 => "none".to_owned(),
        count => format!("{count} of {}: {}", layer.channels, names(&layer.dead)),
    };
    let Some(change) = &layer.change else {
        return now;
    };
    let since = [("died since", &change.died), ("no longer", &change.revived)];
    let since = since
        .into_iter()
        .filter(|(_, channels)| !channels.is_empty());
    since.fold(now, |text, (what, channels)| {
        format!("{text}; {what}: {}", names(channels))
    })
}

/// Channels by their numbers from 1, the first few.
fn names(channels: &[u32]) -> String {
    let first = channels.iter().take(NAMED);
    let mut names: Vec<String> = first.map(|channel| (channel + 1).to_string()).collect();
    if channels.len() > NAMED {
        names.push("…".to_owned());
    }
    names.join(", ")
}
