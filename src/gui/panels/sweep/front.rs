//! Quality against what a trial costs, with the trials that no other is better than: the Pareto front.

use super::axis::{Axis, grid_line, mark, nearest};
use super::{SweepChoice, trial};
use crate::theme;
use eframe::egui::{
    Align2, Pos2, Rect, RichText, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::action::Action;
use strata_core::format::large;
use strata_sweep::effects::{CostKind, pareto, time_text};
use strata_sweep::{Standing, Table};

const LEFT: f32 = 60.0;
const BOTTOM: f32 = 22.0;
const DETAILS: f32 = 56.0;

/// Shows it.
pub(super) fn show(
    ui: &mut Ui,
    table: &Table,
    choice: &mut SweepChoice,
    actions: &mut Vec<Action>,
) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("against").size(theme::SMALL));
        for cost in CostKind::ALL {
            let text = RichText::new(cost.name()).size(theme::SMALL);
            let label = ui.selectable_label(choice.cost == cost, text);
            let name = format!("Quality against {}", cost.name());
            if label.accessible_name(name).clicked() {
                choice.cost = cost;
            }
        }
    });
    let front = pareto(table, choice.cost);
    let height = (ui.available_height() - DETAILS).max(120.0);
    let (area, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    let inner = Rect::from_min_max(
        area.min + vec2(LEFT, theme::GAP),
        area.max - vec2(theme::GAP, BOTTOM),
    );
    let said = format!(
        "{} against {}; no trial is better and costs less than {}",
        table.metric.name(),
        choice.cost.name(),
        front
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, said.clone()));
    let places = draw(ui, table, choice, &front, inner);
    let pointed = response.hover_pos().and_then(|pointer| {
        let far = places
            .iter()
            .map(|(number, at)| (*number, (*at - pointer).length()));
        nearest(far)
    });
    if let Some(number) = pointed.filter(|_| response.clicked()) {
        choice.trial = Some(number);
    }
    match pointed.and_then(|number| trial::find(table, number)) {
        Some(row) => response.on_hover_text(trial::words(table, row)),
        None => response,
    };
    trial::line(ui, table, choice.trial, actions);
}

/// Draws it; where each trial is.
fn draw(
    ui: &Ui,
    table: &Table,
    choice: &SweepChoice,
    front: &[usize],
    area: Rect,
) -> Vec<(usize, Pos2)> {
    let colors = theme::palette(ui);
    let cost = choice.cost;
    let completed = table
        .trials
        .iter()
        .filter(|row| row.standing == Standing::Completed);
    let known = completed.filter_map(|row| Some((row.number, cost.of(row)?, row.value?.mean)));
    let all: Vec<(usize, f64, f64)> = known.collect();
    let x = Axis::new(
        all.iter().map(|(_, cost, _)| *cost),
        area.left(),
        area.right(),
    );
    let y = Axis::new(
        all.iter().map(|(_, _, value)| *value),
        area.bottom(),
        area.top(),
    );
    let (Some(x), Some(y)) = (x, y) else {
        return Vec::new();
    };
    for value in y.marks() {
        grid_line(ui, area, y.at(value), &table.value_text(value));
    }
    for value in x.marks() {
        let text = match cost {
            CostKind::Seconds => time_text(value.max(0.0)),
            CostKind::Parameters | CostKind::Macs => large(value.max(0.0) as u64),
        };
        let at = pos2(x.at(value), area.bottom() + theme::STEP);
        mark(ui, at, Align2::CENTER_TOP, &text, colors.weak);
    }
    let place =
        |(number, cost, value): &(usize, f64, f64)| (*number, pos2(x.at(*cost), y.at(*value)));
    let places: Vec<(usize, Pos2)> = all.iter().map(place).collect();
    let of = |number: &usize| {
        places
            .iter()
            .find(|(known, _)| known == number)
            .map(|(_, at)| *at)
    };
    let line: Vec<Pos2> = front.iter().filter_map(of).collect();
    ui.painter()
        .add(Shape::line(line, Stroke::new(1.5, colors.accent)));
    for (number, at) in &places {
        let is_chosen = choice.trial == Some(*number);
        let (radius, color) = match (is_chosen, front.contains(number)) {
            (true, _) => (6.0, colors.second),
            (false, true) => (5.0, colors.accent),
            (false, false) => (3.5, theme::faded(colors.text, 0.45)),
        };
        ui.painter().circle_filled(*at, radius, color);
    }
    places
}
