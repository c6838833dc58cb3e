//! The layer's formulas, one to a line, and below them what should be known besides.

use crate::theme;
use crate::widgets::said;
use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{Color32, FontId, Label, RichText, Ui};
use strata_core::format;
use strata_design::layer_math::{Formula, Lens};

const SIZE: f32 = theme::CODE;
/// A view at least this high has room for all formulas.
const TALL: f32 = 300.0;

/// Shows the formulas of the size, and all where there is room; the others are on hover.
pub(super) fn show(ui: &mut Ui, lens: &Lens) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let colors = *theme::palette(ui);
    let tall = ui.available_height() >= TALL;
    if let Some(error) = &lens.error {
        let message = said(&error.message, theme::BODY, colors.wrong);
        ui.add(Label::new(message).truncate());
        for help in error.help.iter().take(if tall { 4 } else { 1 }) {
            let help = said(&help.in_window(), theme::SMALL, colors.weak);
            ui.add(Label::new(help).truncate());
        }
        return;
    }
    let first = lens
        .formulas
        .first()
        .map(|formula| formula.of.as_str())
        .unwrap_or_default();
    // Where the size is no question, what is computed is.
    let second = usize::from(["each value", "parameters"].contains(&first));
    let is_shown = |(index, formula): &(usize, &Formula)| {
        tall || *index <= second || !["each value", "parameters"].contains(&formula.of.as_str())
    };
    let shown: Vec<&Formula> = lens
        .formulas
        .iter()
        .enumerate()
        .filter(is_shown)
        .map(|(_, formula)| formula)
        .collect();
    let elsewhere: Vec<&Formula> = lens
        .formulas
        .iter()
        .filter(|formula| !shown.contains(formula))
        .collect();
    let names = shown
        .iter()
        .map(|formula| width(ui, &formula.of, FontId::proportional(theme::SMALL)))
        .fold(0.0, f32::max);
    for formula in &shown {
        let hover: Vec<String> = elsewhere
            .iter()
            .map(|formula| format!("{}: {}", formula.of, formula.text()))
            .collect();
        let response = line(ui, formula, names);
        if !hover.is_empty() {
            response.on_hover_text(hover.join("\n"));
        }
    }
    for (remarks, color) in [(&lens.remarks, colors.second), (&lens.notes, colors.weak)] {
        if !remarks.is_empty() {
            let text = format::capital(&remarks.join("; "));
            ui.add(
                Label::new(
                    RichText::new(format!("{text}."))
                        .size(theme::SMALL)
                        .color(color),
                )
                .truncate(),
            );
        }
    }
}

fn width(ui: &Ui, text: &str, font: FontId) -> f32 {
    ui.painter()
        .layout_no_wrap(text.to_owned(), font, Color32::WHITE)
        .size()
        .x
}

/// One formula; where it is too wide its symbols are left out first.
fn line(ui: &mut Ui, formula: &Formula, names: f32) -> eframe::egui::Response {
    let room = ui.available_width() - names - theme::GAP;
    let mut skip = 0;
    while skip + 2 < formula.chain.len()
        && width(
            ui,
            &formula.chain[skip..].join(" = "),
            FontId::proportional(SIZE),
        ) > room
    {
        skip += 1;
    }
    let job = job(ui, formula, skip, names);
    // Where symbols were left out, the tooltip has them too: one is enough.
    let label = Label::new(job).truncate();
    let response = ui.add(label.show_tooltip_when_elided(skip == 0));
    if skip > 0 {
        response.on_hover_text(formula.text())
    } else {
        response
    }
}

fn job(ui: &Ui, formula: &Formula, skip: usize, names: f32) -> LayoutJob {
    let colors = theme::palette(ui);
    let small = FontId::proportional(theme::SMALL);
    let part = |color: Color32, font: FontId| TextFormat {
        font_id: font,
        color,
        ..TextFormat::default()
    };
    let mut job = LayoutJob::default();
    job.append(&formula.of, 0.0, part(colors.weak, small.clone()));
    let mut gap = names - width(ui, &formula.of, small) + theme::GAP + 4.0;
    let last = formula.chain.len().saturating_sub(1);
    for (index, text) in formula.chain.iter().enumerate().skip(skip) {
        if index > skip {
            job.append(" = ", 0.0, part(colors.weak, FontId::proportional(SIZE)));
        }
        let (color, font) = match index {
            _ if index == last && last > 0 => (colors.strong, theme::heading(SIZE)),
            0 if last > 1 => (colors.weak, FontId::proportional(SIZE)),
            _ => (colors.text, FontId::proportional(SIZE)),
        };
        job.append(text, gap, part(color, font));
        gap = 0.0;
    }
    job
}
