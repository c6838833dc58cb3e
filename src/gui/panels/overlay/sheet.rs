//! The keys, on one sheet.

use super::about::{self, heading};
use crate::keys::KEYS;
use crate::theme;
use crate::views;
use eframe::egui::{Grid, Link, RichText, Ui};
use strata_app::action::{Action, Overlay};

/// Shows the sheet: two columns of keys and what they do.
pub fn show(ui: &mut Ui, actions: &mut Vec<Action>) {
    heading(ui, "Keys");
    let colors = *theme::palette(ui);
    let half = KEYS.len().div_ceil(2);
    Grid::new("keys")
        .num_columns(4)
        .spacing([2.0 * theme::GAP, theme::GAP])
        .show(ui, |ui| {
            for row in 0..half {
                for (keys, does) in [KEYS.get(row), KEYS.get(half + row)].into_iter().flatten() {
                    ui.label(
                        RichText::new(*keys)
                            .font(theme::digits(theme::SMALL))
                            .color(colors.strong),
                    );
                    ui.label(RichText::new(*does).color(colors.text));
                }
                ui.end_row();
            }
        });
    ui.add_space(theme::STEP);
    ui.horizontal(|ui| {
        about::link(ui, actions);
        let color = colors.accent;
        let link = ui.add(Link::new(RichText::new("Help of the views").color(color)));
        let hover = "What each view shows and how it is read; F1 over a view shows its page";
        if link.on_hover_text(hover).clicked() {
            let first = views::all().first().map(|info| info.kind);
            actions.extend(first.map(|kind| Action::Overlay(Some(Overlay::Page(kind)))));
        }
    });
}
