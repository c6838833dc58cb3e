//! What is known of one trial, and its runs to open.

use super::factor_name;
use crate::theme;
use crate::widgets::plain;
use eframe::egui::{Button, RichText, Ui};
use strata_app::action::Action;
use strata_core::format::count;
use strata_sweep::Table;
use strata_sweep::effects::time_text;
use strata_sweep::table::TrialRow;

/// The trial of a number.
pub(super) fn find(table: &Table, number: usize) -> Option<&TrialRow> {
    table.trials.iter().find(|row| row.number == number)
}

/// A line about the trial that was chosen, with a button for each of its runs.
pub(super) fn line(ui: &mut Ui, table: &Table, number: Option<usize>, actions: &mut Vec<Action>) {
    let Some(row) = number.and_then(|number| find(table, number)) else {
        let text = "Choose a trial to see what is known of it, and to open its runs.";
        ui.label(
            RichText::new(text)
                .size(theme::SMALL)
                .color(theme::palette(ui).weak),
        );
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(words(table, row)).size(theme::SMALL));
        for run in &row.runs {
            let Some(folder) = &run.folder else { continue };
            let text = match row.runs.len() {
                1 => "Open run".to_owned(),
                _ => format!("Open seed {}", run.seed),
            };
            let button = ui.add(Button::new(RichText::new(text).size(theme::SMALL)));
            let name = format!("Open trial {}, seed {}", row.number, run.seed);
            let button =
                button.on_hover_text("Open this run: its project, its curves, its network");
            if button.accessible_name(name).clicked() {
                actions.push(Action::Open(folder.clone()));
            }
        }
    });
}

/// All of it in one sentence.
pub(super) fn words(table: &Table, row: &TrialRow) -> String {
    let mut parts = vec![match row.rank {
        Some(rank) => format!("Trial {}, rank {rank}", row.number),
        None => format!("Trial {}, {}", row.number, row.standing.word()),
    }];
    if let Some(value) = row.value {
        parts.push(format!(
            "{} {}",
            table.metric.name(),
            table.spread_text(value)
        ));
    }
    parts.extend(
        row.parameters
            .map(|number| format!("{} parameters", count(number))),
    );
    parts.extend(row.seconds.map(|time| time_text(time.mean)));
    if table.is_chosen() {
        parts.push(match row.round {
            Some(round) => format!("chosen in round {round}"),
            None => "drawn at random".to_owned(),
        });
    }
    let settings = table.factors.iter().zip(&row.values);
    parts.extend(settings.map(|(factor, value)| format!("{} {value}", factor_name(factor))));
    parts.extend(row.reason_in_window.as_ref().map(|why| plain(why)));
    parts.join(" · ")
}
