//! What is shown for the row under the pointer: the formulas with this layer's numbers.

use super::figures::Figures;
use super::kinds;
use crate::theme;
use crate::widgets::plain;
use eframe::egui::{RichText, Ui};
use strata_app::state::{CostColumn, State};
use strata_core::format;
use strata_core::shape::Row;
use strata_design::{layer_at, macs_formula, parameters_formula};

/// The lines of a row.
pub(super) fn show(ui: &mut Ui, state: &State, figures: &Figures, row: &Row, whole: bool) {
    ui.label(RichText::new(&row.text).font(theme::digits(theme::CODE)));
    if let Some(error) = &row.error {
        ui.label(plain(&error.message));
        return;
    }
    let input = row
        .input
        .as_ref()
        .map_or_else(|| "?".into(), ToString::to_string);
    ui.label(format!("{input} → {}", row.shape_text()));
    let planned = state
        .shown
        .inference
        .plan
        .as_ref()
        .and_then(|plan| layer_at(plan, &row.place));
    let formula = |ui: &mut Ui, name: &str, formula: Option<String>, sum: u64| match formula {
        Some(formula) => drop(ui.label(format!("{name}: {formula}"))),
        None if sum > 0 => drop(ui.label(format!("{name}: {}", format::count(sum)))),
        None => {}
    };
    formula(
        ui,
        "parameters",
        planned.and_then(parameters_formula),
        row.parameters,
    );
    formula(
        ui,
        "MACs of an image",
        planned.and_then(macs_formula),
        row.macs,
    );
    if row.macs > 0 {
        ui.label(format!(
            "FLOPs of an image: 2·MACs = {}",
            format::count(row.macs.saturating_mul(2))
        ));
    }
    let passes = planned.map_or(0, |planned| {
        strata_core::shape::Cost::of(&planned.op, &planned.input, &planned.output).parameters
    });
    if passes > 0 && row.parameters > passes {
        ui.label(format!(
            "all {} passes of the repeat together: {} parameters",
            row.parameters / passes,
            format::count(row.parameters)
        ));
    }
    let bytes = figures.memory_of(&row.place, whole);
    if figures.memory.is_some() && bytes.total() == 0 {
        ui.label("Holds nothing of its own: it is computed along with its neighbour, or hands on what it gets.");
    }
    if bytes.total() > 0 {
        ui.label(format!(
            "memory in a step: {}",
            format::bytes(bytes.total())
        ));
        kinds::lines(ui, bytes);
    }
    let seconds = figures.of(row, whole, CostColumn::Time);
    if seconds > 0.0 {
        ui.label(format!(
            "about {} of a step, forward and backward",
            format::milliseconds(1e3 * seconds)
        ));
    }
    measured(ui, figures, row, whole);
}

/// What was measured of the row, beside what the machine can do.
fn measured(ui: &mut Ui, figures: &Figures, row: &Row, whole: bool) {
    let (time, Some(all)) = (figures.time_of(row, whole), &figures.measured) else {
        return;
    };
    if time.work.is_part_of_another {
        ui.label("measured: computed along with the layer before it");
    }
    if time.total_ms() <= 0.0 {
        return;
    }
    let share = |part: f64, of: f64| 100.0 * part / of.max(f64::MIN_POSITIVE);
    ui.label(format!(
        "measured: forward {}, backward {}, update {}, {:.1} % of a step",
        format::milliseconds(time.forward_ms),
        format::milliseconds(time.backward_ms),
        format::milliseconds(time.update_ms),
        share(time.total_ms(), all.step_ms)
    ));
    if time.work.macs() > 0 {
        ui.label(format!(
            "{} GFLOP/s, {:.0} % of a matrix product's",
            format::rate(time.gflops()),
            share(time.gflops(), all.roofs.gflops)
        ));
    }
    ui.label(format!(
        "{} moved, {} GB/s, {:.0} % of the memory's",
        format::bytes(time.work.bytes()),
        format::rate(time.gigabytes()),
        share(time.gigabytes(), all.roofs.gigabytes)
    ));
}
