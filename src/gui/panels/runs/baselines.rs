//! Baselines in the table of runs: what each is and what it reached. They have no course, so no curve.

use super::columns::{Columns, Figure};
use super::table::{MARK, OPEN, ROW, name_font};
use crate::theme;
use crate::widgets::{elided, in_lines, plain};
use eframe::egui::{
    Align2, Button, FontId, Rect, Response, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use strata_app::action::{Action, OnView, Show};
use strata_app::runs::StoredBaseline;
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_baselines::record::BaselineRecord;
use strata_core::format;
use strata_core::project::data::Split;

/// A row; its button chooses the baseline for the comparison and shows that.
pub(super) fn row(
    ui: &mut Ui,
    state: &State,
    baseline: &StoredBaseline,
    columns: &Columns,
    actions: &mut Vec<Action>,
) {
    let words = state.runs.table.search.to_lowercase();
    let text = told(baseline);
    let searched = format!("{} {text}", baseline.name).to_lowercase();
    if !words.split_whitespace().all(|word| searched.contains(word)) {
        return;
    }
    let width = columns.right - columns.names[0] + MARK;
    let (area, response) = ui.allocate_exact_size(vec2(width, ROW), Sense::hover());
    let colors = *theme::palette(ui);
    let room = columns.names[1] - columns.names[0] - theme::GAP;
    let name = elided(ui, &baseline.name, name_font(), colors.strong, room);
    let small = FontId::proportional(theme::SMALL);
    let second = in_lines(ui, &text, small, colors.weak, (room, 1));
    let top = area.center().y - 0.5 * (name.size().y + second.size().y);
    let below = top + name.size().y;
    ui.painter()
        .galley(pos2(columns.names[0], top), name, colors.strong);
    ui.painter()
        .galley(pos2(columns.names[0], below), second, colors.weak);
    let mut said = vec![format!("{}: {text}", baseline.name)];
    for (figure, at) in &columns.figures {
        let value = baseline
            .record
            .as_ref()
            .ok()
            .and_then(|record| written(record, *figure));
        let Some(value) = value else { continue };
        said.push(format!("{} {value}", figure.name()));
        let at = pos2(at[1] - theme::GAP, area.center().y);
        let font = theme::digits(theme::SMALL);
        ui.painter()
            .text(at, Align2::RIGHT_CENTER, value, font, colors.text);
    }
    let said = said.join(", ");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said.clone()));
    details(&response, baseline);
    compare(ui, baseline, area, columns, actions);
}

/// What it is, or why it cannot be read.
fn told(baseline: &StoredBaseline) -> String {
    match &baseline.record {
        Ok(record) => plain(&format!("{} on {}", record.model.name(), record.rows)),
        Err(why) => why.clone(),
    }
}

/// A figure as text; `None` of what a baseline does not have.
fn written(record: &BaselineRecord, figure: Figure) -> Option<String> {
    let accuracy = |split: Split| {
        let result = record.result(split)?;
        Some(format!("{:.2} %", 100.0 * result.accuracy))
    };
    match figure {
        Figure::Valid => accuracy(Split::Valid),
        Figure::Test => accuracy(Split::Test),
        Figure::Time => Some(format::duration(record.fit_seconds)),
        // A baseline is for one class an image: there is no F1 of labels.
        Figure::F1 | Figure::Parameters | Figure::Note | Figure::Course => None,
    }
}

/// All that is known of it.
fn details(response: &Response, baseline: &StoredBaseline) {
    let Ok(record) = &baseline.record else { return };
    response.clone().on_hover_ui(|ui| {
        ui.label(baseline.path.display().to_string());
        ui.label(record.settings.clone());
        ui.label(format!(
            "fitted to {} of {} training images, seed {}",
            format::count(record.fitted as u64),
            format::count(record.of as u64),
            record.seed
        ));
        for result in &record.results {
            ui.label(format!(
                "{} images: accuracy {:.2} %, log loss {}, answered in {}",
                result.split,
                100.0 * result.accuracy,
                format::figure(result.log_loss),
                format::duration(result.predict_seconds)
            ));
        }
        for note in &record.notes {
            ui.label(note.clone());
        }
    });
}

fn compare(
    ui: &mut Ui,
    baseline: &StoredBaseline,
    area: Rect,
    columns: &Columns,
    actions: &mut Vec<Action>,
) {
    if baseline.record.is_err() {
        return;
    }
    let place = Rect::from_min_max(
        pos2(columns.right - OPEN + theme::STEP, area.center().y - 12.0),
        pos2(columns.right, area.center().y + 12.0),
    );
    let mut inner = ui.new_child(UiBuilder::new().id_salt(&baseline.path).max_rect(place));
    let button = inner.add_sized(place.size(), Button::new("Add"));
    let button = button
        .on_hover_text("Add it to what is compared, and show that")
        .accessible_name(format!("Compare baseline {}", baseline.name));
    if button.clicked() {
        actions.push(Action::Show(Show::Compared(baseline.path.clone(), true)));
        actions.push(Action::View(OnView::Open(
            ViewKind::Compare,
            Some(ViewKind::Runs),
        )));
    }
}
