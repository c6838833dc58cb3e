//! What follows from a layer's attributes: its shape with the formulas, what it costs, what it sees.

use super::{field_of_view, heading};
use crate::theme;
use crate::widgets::{parameters, said};
use eframe::egui::{Color32, Label, RichText, Ui};
use strata_app::state::State;
use strata_core::format;
use strata_core::project::Place;
use strata_core::shape::Row;
use strata_design::layer_math::{Formula, Lens};

/// Bytes of a trained number.
const WEIGHT: u64 = 4;

/// Shows what follows.
pub fn show(ui: &mut Ui, state: &State, place: &Place) {
    let inference = &state.shown.inference;
    let Some(row) = inference.row(place) else {
        return;
    };
    if row.error.is_some() {
        // It is told with the advice, where it can be mended.
        return;
    }
    let facts = Lens::facts(&state.shown.network, inference, place);
    if let Some(lens) = facts {
        shape(ui, row, &lens);
    }
    cost(ui, row);
    field_of_view::show(ui, row, inference.input.spatial());
}

fn shape(ui: &mut Ui, row: &Row, lens: &Lens) {
    let colors = *theme::palette(ui);
    heading(ui, "Shape");
    let input = row.input.as_ref();
    let input = input.map_or_else(|| "?".to_owned(), ToString::to_string);
    let change = format!("{input} → {}", row.shape_text());
    digits(ui, &change, colors.text);
    for formula in &lens.formulas {
        show_formula(ui, formula);
    }
    for remark in &lens.remarks {
        line(ui, &format::capital(remark), colors.second);
    }
    for note in &lens.notes {
        line(ui, &format::capital(note), colors.weak);
    }
}

/// The quantity, and under it what is equal: symbols, numbers, result.
fn show_formula(ui: &mut Ui, formula: &Formula) {
    let colors = *theme::palette(ui);
    line(ui, &formula.of, colors.weak);
    // A step that changes nothing, as with a number alone, is not written again.
    let mut chain = formula.chain.clone();
    chain.dedup();
    let last = chain.len().saturating_sub(1);
    ui.indent(("formula", &formula.of), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for (index, part) in chain.iter().enumerate() {
            let text = if index == 0 {
                part.clone()
            } else {
                format!("= {part}")
            };
            let ink = if index == last {
                colors.strong
            } else {
                colors.text
            };
            let text = RichText::new(text).size(theme::SMALL).color(ink);
            ui.add(Label::new(text).wrap());
        }
    });
}

fn cost(ui: &mut Ui, row: &Row) {
    let colors = *theme::palette(ui);
    heading(ui, "Cost");
    let parameters = match row.parameters {
        0 => "no parameters".to_owned(),
        n => format!("{} · {}", parameters(n), format::bytes(WEIGHT * n)),
    };
    digits(ui, &parameters, colors.text);
    let macs = format!("{} MACs an image", format::count(row.macs));
    digits(ui, &macs, colors.text);
    let output = format!("{} of output an image", format::bytes(row.memory_bytes));
    digits(ui, &output, colors.text);
}

fn digits(ui: &mut Ui, text: &str, ink: Color32) {
    let text = RichText::new(text).font(theme::digits(12.0)).color(ink);
    ui.add(Label::new(text).wrap());
}

fn line(ui: &mut Ui, text: &str, ink: Color32) {
    ui.add(Label::new(said(text, theme::SMALL, ink)).wrap());
}
