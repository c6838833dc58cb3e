//! A comparison as tables: the same values as in the terminal.

use crate::theme;
use crate::widgets::plain;
use eframe::egui::{
    Align2, Color32, CornerRadius, FontId, Grid, Label, Rect, RichText, Role, Sense, Ui,
    WidgetInfo, vec2,
};
use strata_compare::Comparison;
use strata_compare::align::Cell;
use strata_compare::comparison::{Compared, StageCourse};
use strata_compare::words;
use strata_core::format::{capital, count};

/// Classes up to which each has a line and a cell of the confusions.
const MOST_CLASSES: usize = 20;
/// The side of a cell of a confusion.
const CELL: f32 = 30.0;

/// Shows it.
pub(super) fn show(ui: &mut Ui, comparison: &Comparison) {
    metrics(ui, comparison);
    lines(ui, "How the trainings went", &courses(comparison));
    lines(ui, &until_title(comparison), &until(comparison));
    lines(ui, "More than chance?", &significance(comparison));
    classes(ui, comparison);
    confusions(ui, comparison);
    layers(ui, comparison);
    settings(ui, comparison);
    lines(ui, "Notes", &comparison.notes);
}

fn title(ui: &mut Ui, text: &str) {
    ui.add_space(theme::GAP);
    let colors = theme::palette(ui);
    ui.label(
        RichText::new(text)
            .font(theme::heading(theme::BODY))
            .color(colors.text),
    );
}

/// Lines below a title; nothing without lines.
fn lines(ui: &mut Ui, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    title(ui, heading);
    // The tables are scrolled to the side; sentences need not be.
    let width = ui.clip_rect().width() - 2.0 * theme::GAP;
    let ink = theme::palette(ui).text;
    ui.scope(|ui| {
        ui.set_max_width(width);
        for line in lines {
            let text = RichText::new(plain(line)).size(theme::SMALL).color(ink);
            ui.add(Label::new(text).wrap());
        }
    });
}

fn small(ui: &mut Ui, text: &str, is_strong: bool) {
    let colors = theme::palette(ui);
    let color = if is_strong {
        colors.accent
    } else {
        colors.text
    };
    ui.label(RichText::new(plain(text)).size(theme::SMALL).color(color));
}

/// A table with the names of what is compared above its columns.
fn table(ui: &mut Ui, id: &str, first: &str, comparison: &Comparison, rows: impl FnOnce(&mut Ui)) {
    Grid::new(("comparison", id))
        .striped(true)
        .spacing(vec2(18.0, 4.0))
        .show(ui, |ui| {
            weak(ui, first);
            for entry in &comparison.entries {
                weak(ui, &entry.name);
            }
            ui.end_row();
            rows(ui);
        });
}

fn weak(ui: &mut Ui, text: &str) {
    let colors = theme::palette(ui);
    ui.label(RichText::new(text).size(theme::SMALL).color(colors.weak));
}

fn metrics(ui: &mut Ui, comparison: &Comparison) {
    title(ui, "Figures");
    table(ui, "figures", "", comparison, |ui| {
        weak(ui, "what");
        for entry in &comparison.entries {
            small(ui, &entry.what, false);
        }
        ui.end_row();
        weak(ui, "measured on");
        for entry in &comparison.entries {
            let text = entry.split.map_or_else(
                || "–".to_owned(),
                |split| format!("{} {split} images", count(entry.images as u64)),
            );
            small(ui, &text, false);
        }
        ui.end_row();
        for row in &comparison.metrics {
            weak(ui, &row.name);
            for (text, best) in row.texts.iter().zip(&row.best) {
                // Not by colour alone.
                let text = if *best {
                    format!("{text} ★")
                } else {
                    text.clone()
                };
                small(ui, &text, *best);
            }
            ui.end_row();
        }
    });
}

fn courses(comparison: &Comparison) -> Vec<String> {
    let line = |entry: &Compared, course: &StageCourse| {
        format!("{}, {}", entry.name, words::course(course))
    };
    let all = comparison.entries.iter();
    let all = all.flat_map(|entry| entry.courses.iter().map(move |course| line(entry, course)));
    all.collect()
}

fn until_title(comparison: &Comparison) -> String {
    let said = comparison.until.map(words::until);
    capital(&said.unwrap_or_default())
}

fn until(comparison: &Comparison) -> Vec<String> {
    let line = |entry: &Compared| {
        let said = match &entry.reached {
            None if entry.kind == "baseline" => return None,
            None => "not reached".to_owned(),
            Some(reached) => words::reached(reached),
        };
        Some(format!("{}: {said}", entry.name))
    };
    match comparison.until {
        Some(_) => comparison.entries.iter().filter_map(line).collect(),
        None => Vec::new(),
    }
}

fn significance(comparison: &Comparison) -> Vec<String> {
    let name = |place: usize| comparison.name(place).to_owned();
    let pairs = comparison.pairs.iter();
    let pairs = pairs.map(|pair| words::pair(comparison, pair, &name));
    let groups = comparison.groups.iter();
    let groups = groups.map(|group| words::group(group, &name));
    let tests = comparison.group_pairs.iter();
    let tests = tests.map(|pair| words::group_pair(comparison, pair, &name));
    pairs.chain(groups).chain(tests).collect()
}

fn classes(ui: &mut Ui, comparison: &Comparison) {
    let names = &comparison.classes;
    if names.is_empty() || names.len() > MOST_CLASSES {
        return;
    }
    title(ui, "Classes: recall / precision in percent");
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}", 100.0 * share))
    };
    table(ui, "classes", "", comparison, |ui| {
        for (class, name) in names.iter().enumerate() {
            weak(ui, name);
            for entry in &comparison.entries {
                let text = entry.classes.get(class).map_or_else(
                    || "–".to_owned(),
                    |own| format!("{} / {}", percent(own.recall), percent(own.precision)),
                );
                small(ui, &text, false);
            }
            ui.end_row();
        }
    });
}

fn confusions(ui: &mut Ui, comparison: &Comparison) {
    let names = &comparison.classes;
    if names.is_empty() || names.len() > MOST_CLASSES {
        return;
    }
    title(
        ui,
        "Confusion: a row for each true class, a column for each predicted one",
    );
    ui.horizontal_top(|ui| {
        for entry in &comparison.entries {
            let Some(counts) = &entry.confusion else {
                continue;
            };
            ui.vertical(|ui| {
                weak(ui, &entry.name);
                matrix(ui, &entry.name, counts);
            });
            ui.add_space(2.0 * theme::GAP);
        }
    });
}

/// The counts; right answers on the accent, the others on the colour of what is wrong, the more the stronger.
fn matrix(ui: &mut Ui, name: &str, counts: &[Vec<u64>]) {
    let columns = counts.first().map_or(0, Vec::len);
    let size = vec2(columns as f32 * CELL, counts.len() as f32 * CELL * 0.7);
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    let right: u64 = counts
        .iter()
        .enumerate()
        .filter_map(|(class, row)| row.get(class))
        .sum();
    let all: u64 = counts.iter().flatten().sum();
    let words = format!("Confusion of {name}: {right} of {all} right");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words.clone()));
    let colors = *theme::palette(ui);
    let font = FontId::proportional(theme::SMALL);
    for (class, row) in counts.iter().enumerate() {
        let sum = row.iter().sum::<u64>().max(1) as f32;
        for (answer, number) in row.iter().enumerate() {
            let at = area.min + vec2(answer as f32 * CELL, class as f32 * CELL * 0.7);
            let cell = Rect::from_min_size(at, vec2(CELL - 1.0, CELL * 0.7 - 1.0));
            let ground = if class == answer {
                colors.accent
            } else {
                colors.wrong
            };
            let share = *number as f32 / sum;
            let painter = ui.painter();
            painter.rect_filled(cell, CornerRadius::ZERO, colors.lifted);
            painter.rect_filled(cell, CornerRadius::ZERO, ground.gamma_multiply(0.6 * share));
            let ink: Color32 = if *number == 0 {
                colors.weak
            } else {
                colors.strong
            };
            painter.text(
                cell.center(),
                Align2::CENTER_CENTER,
                number.to_string(),
                font.clone(),
                ink,
            );
        }
    }
}

fn layers(ui: &mut Ui, comparison: &Comparison) {
    if comparison.layers.is_empty() {
        return;
    }
    title(ui, "Architectures, like layers side by side");
    let has_layers = |place: &usize| {
        comparison
            .layers
            .iter()
            .any(|row| row.cells[*place].is_some())
    };
    let networks: Vec<usize> = (0..comparison.entries.len()).filter(has_layers).collect();
    let cell = |cell: &Option<Cell>| match cell {
        None => "–".to_owned(),
        Some(cell) => format!(
            "{} · {} · {} parameters · {} MACs",
            cell.text,
            cell.output,
            count(cell.parameters),
            count(cell.macs)
        ),
    };
    Grid::new("architectures")
        .striped(true)
        .spacing(vec2(18.0, 4.0))
        .show(ui, |ui| {
            weak(ui, "stack");
            for place in &networks {
                weak(ui, comparison.name(*place));
            }
            weak(ui, "changed");
            ui.end_row();
            for row in &comparison.layers {
                weak(ui, &format!("{}{}", "  ".repeat(row.depth), row.stack));
                for place in &networks {
                    small(ui, &cell(&row.cells[*place]), false);
                }
                small(ui, &row.changed.join(", "), true);
                ui.end_row();
            }
        });
}

fn settings(ui: &mut Ui, comparison: &Comparison) {
    if comparison.settings.is_empty() {
        return lines(ui, "Settings", &["the same".to_owned()]);
    }
    title(ui, "Settings that differ");
    table(ui, "settings", "", comparison, |ui| {
        for row in &comparison.settings {
            weak(ui, &row.name);
            for value in &row.values {
                small(ui, value.as_deref().unwrap_or("–"), false);
            }
            ui.end_row();
        }
    });
}
