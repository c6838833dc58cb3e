//! Parallel coordinates: an axis for each factor and one for quality, a line for each completed trial through its values.

use super::axis::{Axis, distance, mark, nearest};
use super::{SweepChoice, factor_name, trial};
use crate::theme;
use crate::widgets::elided;
use eframe::egui::{
    Align2, FontId, Key, Modifiers, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2,
    vec2,
};
use strata_app::action::Action;
use strata_sweep::effects::effects;
use strata_sweep::table::TrialRow;
use strata_sweep::{Standing, Table};

/// Room above the axes for their names, below for the chosen trial, and beside for the values of the first and last.
const NAMES: f32 = 36.0;
const LINE: f32 = 14.0;
const DETAILS: f32 = 56.0;
const SIDES: [f32; 2] = [28.0, 84.0];
/// Values of an axis that get a mark.
const MOST_MARKS: usize = 14;

/// Shows them.
pub(super) fn show(
    ui: &mut Ui,
    table: &Table,
    choice: &mut SweepChoice,
    actions: &mut Vec<Action>,
) {
    let height = (ui.available_height() - DETAILS).max(120.0);
    let (area, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    let inner = Rect::from_min_max(
        area.min + vec2(SIDES[0], NAMES),
        area.max - vec2(SIDES[1], theme::GAP),
    );
    let Some(plot) = Coordinates::new(table, inner) else {
        return;
    };
    let name = "Parallel coordinates of the trials: arrow keys go from trial to trial by rank";
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    plot.axes(ui);
    let pointed = response.hover_pos().and_then(|pointer| plot.at(pointer));
    plot.lines(ui, choice.trial, pointed);
    if response.has_focus() {
        let stroke = Stroke::new(1.0, theme::palette(ui).accent);
        let kind = eframe::egui::StrokeKind::Inside;
        ui.painter().rect_stroke(area, theme::RADIUS, stroke, kind);
        walk(ui, table, choice, response.id);
    }
    if response.clicked() {
        response.request_focus();
        if let Some(number) = pointed {
            choice.trial = Some(number);
        }
    }
    if let Some(row) = pointed.and_then(|number| trial::find(table, number)) {
        response.on_hover_text(trial::words(table, row));
    }
    trial::line(ui, table, choice.trial, actions);
}

/// The arrow keys go to the next better or worse trial.
fn walk(ui: &Ui, table: &Table, choice: &mut SweepChoice, id: eframe::egui::Id) {
    let filter = eframe::egui::EventFilter {
        vertical_arrows: true,
        ..Default::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let [up, down] = [pressed(Key::ArrowUp), pressed(Key::ArrowDown)];
    if !up && !down {
        return;
    }
    let ranked: Vec<usize> = table
        .ranked()
        .iter()
        .filter(|row| row.rank.is_some())
        .map(|row| row.number)
        .collect();
    let now = choice
        .trial
        .and_then(|number| ranked.iter().position(|known| *known == number));
    let next = match (now, up) {
        (None, _) => 0,
        (Some(now), true) => now.saturating_sub(1),
        (Some(now), false) => now + 1,
    };
    choice.trial = ranked.get(next).copied().or(choice.trial);
}

/// The axes and where each trial's line goes.
struct Coordinates<'t> {
    table: &'t Table,
    area: Rect,
    quality: Axis,
    /// The values of each factor, from the bottom up.
    labels: Vec<Vec<String>>,
    trials: Vec<(&'t TrialRow, f64)>,
}

impl<'t> Coordinates<'t> {
    fn new(table: &'t Table, area: Rect) -> Option<Coordinates<'t>> {
        let completed = table.trials.iter();
        let completed = completed.filter(|row| row.standing == Standing::Completed);
        let trials: Vec<(&TrialRow, f64)> = completed
            .filter_map(|row| Some((row, row.value?.mean)))
            .collect();
        let values = trials.iter().map(|(_, value)| *value);
        let labels = effects(table).into_iter().map(|effect| {
            let points = effect.points.into_iter();
            points.map(|point| point.label).collect()
        });
        Some(Coordinates {
            table,
            area,
            quality: Axis::new(values, area.bottom(), area.top())?,
            labels: labels.collect(),
            trials,
        })
    }

    /// Where an axis stands; the last is that of quality.
    fn x(&self, axis: usize) -> f32 {
        self.area.left() + axis as f32 / self.labels.len().max(1) as f32 * self.area.width()
    }

    fn y(&self, axis: usize, label: &str) -> f32 {
        let known = self.labels.get(axis).map_or(&[][..], Vec::as_slice);
        let place = known.iter().position(|other| other == label).unwrap_or(0);
        let share = (place as f32 + 0.5) / known.len().max(1) as f32;
        self.area.bottom() - share * self.area.height()
    }

    fn points(&self, row: &TrialRow, value: f64) -> Vec<Pos2> {
        let factors = row.values.iter().enumerate();
        let factors = factors.map(|(axis, label)| pos2(self.x(axis), self.y(axis, label)));
        let last = pos2(self.x(self.labels.len()), self.quality.at(value));
        factors.chain([last]).collect()
    }

    /// The trial whose line is at a place.
    fn at(&self, pointer: Pos2) -> Option<usize> {
        let far = |(row, value): &(&TrialRow, f64)| {
            let points = self.points(row, *value);
            let pieces = points
                .windows(2)
                .map(|pair| distance(pointer, [pair[0], pair[1]]));
            (row.number, pieces.fold(f32::INFINITY, f32::min))
        };
        nearest(self.trials.iter().map(far))
    }

    fn axes(&self, ui: &Ui) {
        let colors = theme::palette(ui);
        let count = self.labels.len() + 1;
        let room = 1.4 * self.area.width() / self.labels.len().max(1) as f32 - theme::GAP;
        for axis in 0..count {
            let x = self.x(axis);
            ui.painter()
                .vline(x, self.area.y_range(), Stroke::new(1.0, colors.line));
            let name = match self.table.factors.get(axis) {
                Some(factor) => factor_name(factor),
                None => self.table.metric.name(),
            };
            let font = FontId::proportional(theme::TINY);
            let laid = elided(ui, &name, font, colors.text, room.max(SIDES[1]));
            // Names stand on two lines in turn: each has the room beside its neighbours' too.
            let line = if axis % 2 == 0 { 0.0 } else { LINE };
            // The first stands to the right of its axis, the last to the left.
            let left = match axis {
                0 => x - SIDES[0] + theme::STEP,
                axis if axis + 1 == count => x + SIDES[1] - laid.size().x - theme::STEP,
                _ => x - 0.5 * laid.size().x,
            };
            ui.painter().galley(
                pos2(left, self.area.top() - NAMES + line),
                laid,
                colors.text,
            );
        }
    }

    /// The lines, the better the stronger, and over them the values.
    fn lines(&self, ui: &Ui, chosen: Option<usize>, pointed: Option<usize>) {
        let colors = theme::palette(ui);
        let is_more_better = self.table.metric.measure.is_more_better();
        for (row, value) in &self.trials {
            let share = self.quality.share(*value);
            let share = if is_more_better { share } else { 1.0 - share };
            let color = theme::faded(colors.accent, 0.08 + 0.72 * share as f32);
            let stroke = Stroke::new(1.5, color);
            ui.painter()
                .add(Shape::line(self.points(row, *value), stroke));
        }
        for (number, width) in [(pointed, 2.0), (chosen, 3.0)] {
            let found = self
                .trials
                .iter()
                .find(|(row, _)| Some(row.number) == number);
            if let Some((row, value)) = found {
                let stroke = Stroke::new(width, colors.second);
                ui.painter()
                    .add(Shape::line(self.points(row, *value), stroke));
            }
        }
        for (axis, known) in self.labels.iter().enumerate() {
            for label in known
                .iter()
                .step_by(known.len().div_ceil(MOST_MARKS).max(1))
            {
                let at = pos2(self.x(axis), self.y(axis, label));
                let short: String = label.chars().take(24).collect();
                label_at(ui, at, &short);
            }
        }
        for value in self.quality.marks() {
            let at = pos2(
                self.x(self.labels.len()) + theme::STEP,
                self.quality.at(value),
            );
            mark(
                ui,
                at,
                Align2::LEFT_CENTER,
                &self.table.value_text(value),
                colors.weak,
            );
        }
    }
}

/// A value on a ground that keeps it legible over the lines.
fn label_at(ui: &Ui, at: Pos2, text: &str) {
    let colors = theme::palette(ui);
    let font = FontId::proportional(theme::TINY);
    let laid = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, colors.text);
    let place = Rect::from_min_size(at + vec2(theme::STEP, -0.5 * laid.size().y), laid.size());
    ui.painter()
        .rect_filled(place.expand(1.0), 2.0, theme::faded(colors.panel, 0.8));
    ui.painter().galley(place.min, laid, colors.text);
}
