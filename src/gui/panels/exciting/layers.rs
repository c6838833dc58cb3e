//! Every layer in numbers, as a table: mean, deviation, share of zeros, and the channels that have died.

use crate::theme;
use eframe::egui::{Button, Grid, Label, RichText, ScrollArea, Ui};
use strata_core::format::{self, short};
use strata_core::project::Place;
use strata_inspect::layer_statistics::{LayerFigures, LayerStatistics};

/// Numbers of dead channels that are written out.
const NAMED: usize = 12;

/// `1,000 of 4,000 test images · step 512`
pub(crate) fn about(made: &LayerStatistics) -> String {
    format!(
        "{} of {} {} images · step {}",
        format::count(made.images as u64),
        format::count(made.of as u64),
        made.split,
        format::count(made.step)
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
                    let zeros = format!("{:.1} %", 100.0 * layer.zeros);
                    for text in [short(layer.mean, 3), short(layer.deviation, 3), zeros] {
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

/// `3 of 32: 4, 7, 19`; channels count from 1.
pub(crate) fn dead(layer: &LayerFigures) -> String {
    if layer.dead.is_empty() {
        return "none".to_owned();
    }
    let count = layer.dead.len();
    let mut names: Vec<String> = layer
        .dead
        .iter()
        .take(NAMED)
        .map(|channel| (channel + 1).to_string())
        .collect();
    if count > NAMED {
        names.push("…".to_owned());
    }
    format!("{count} of {}: {}", layer.channels, names.join(", "))
}
