//! The confusion matrix: how often images of each class are taken for each, with the share of the row.

use super::loading_state::{failed, reading};
use super::predictions::PredictionChoice;
use crate::theme;
use crate::view::View;
use crate::widgets::keep_arrows;
use crate::widgets::{elided, empty, first_fitting};
use eframe::egui::epaint::TextShape;
use eframe::egui::{
    Align2, FontId, Galley, Grid, Key, Pos2, Rect, Response, RichText, Role, ScrollArea, Sense,
    Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use std::any::TypeId;
use std::f32::consts::FRAC_PI_2;
use std::sync::Arc;
use strata_app::action::{Action, OnView};
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_core::format;
use strata_core::project::stage::Task;
use strata_engine::inspection::reply::Reply;
use strata_inspect::activity_change::signed;
use strata_inspect::confusion::Confusion;
use strata_inspect::image_set::FromSplit;
use strata_inspect::inspection::Subject;
use strata_inspect::label_figures;
use strata_inspect::predictions::List;

/// The view.
pub(crate) struct ConfusionView;

/// Room for the names of the right classes, at most.
const NAMES: f32 = 112.0;
/// Room for the share of each class that is right, behind its row.
const RIGHT: f32 = 56.0;
/// The smallest and the largest side of a cell.
const CELL: [f32; 2] = [16.0, 56.0];
/// From these on, a cell has room for a count, and for its share below.
const WITH_COUNT: f32 = 26.0;
const WITH_SHARE: f32 = 40.0;
/// Between a name and the cells.
const NEAR: f32 = 6.0;
/// Between two cells.
const GAP: f32 = 1.0;

impl View for ConfusionView {
    fn title(&self) -> &'static str {
        "Confusion"
    }

    fn summary(&self) -> &'static str {
        "Which class is taken for which, and how often"
    }

    fn words(&self) -> &'static str {
        "confusion matrix confusionchart errors wrong per class test accuracy precision recall evaluation evaluate score classification report"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "The confusion matrix: a row for each true class, a column for each predicted class, with the number of images and its share of the row. Right answers lie on the diagonal. Where an image may have several labels, precision, recall and F1 of each label instead. Counted on the test images, or on the validation images where there are none; while a run trains, on a sample of them."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |confusion| {
            let count = |number: usize| format::count(number as u64);
            let right = match confusion.labels.is_empty() {
                true => "right of",
                false => "of the labels right of",
            };
            let accuracy = confusion.accuracy().map_or_else(String::new, |share| {
                format!("{:.2} % {right} ", 100.0 * share)
            });
            let images = match confusion.images == confusion.of {
                true => count(confusion.of),
                false => format!("{} of {}", count(confusion.images), count(confusion.of)),
            };
            let since = confusion.since.as_ref().map(|(step, _)| *step);
            let since = strata_inspect::since_words(since);
            format!("{accuracy}{images} {} images{since}", confusion.split)
        })
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if !state.has_task(Task::Classify) {
            return empty(
                ui,
                "Nothing is classified",
                "A stage with the task classify has a confusion matrix.",
            );
        }
        actions.extend(state.request(state.run_query::<Confusion>(FromSplit::default())));
        match state.run_reply::<Confusion>().map(|seen| &seen.result) {
            Some(Ok(confusion)) => {
                if let Some(cell) = matrix(ui, confusion) {
                    show_images(confusion, cell, actions);
                }
            }
            Some(Err(error)) => failed(ui, "Nothing to count", &error.to_string(), actions),
            None => match state.subject() {
                Some(Subject::Stored(_)) => reading(
                    ui,
                    state,
                    ("Opening the run …", &[TypeId::of::<Confusion>()]),
                    actions,
                ),
                Some(Subject::Live) => empty(
                    ui,
                    "Counting …",
                    "The first figures come with the next pictures.",
                ),
                _ => empty(
                    ui,
                    "No answers yet",
                    "Press Train, or open a run folder: then right and wrong answers are counted.",
                ),
            },
        }
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        if let Some(confusion) = latest(state) {
            matrix(ui, confusion);
        }
    }
}

fn latest(state: &State) -> Option<&Confusion> {
    let seen: &Arc<Reply<Confusion>> = state.run_reply()?;
    seen.result.as_deref().ok()
}

/// Where rows and columns lie.
struct Layout {
    /// The upper left corner of the cells.
    origin: Pos2,
    cell: f32,
    rows: usize,
    columns: usize,
}

impl Layout {
    fn cell(&self, class: usize, answer: usize) -> Rect {
        let at = vec2(answer as f32, class as f32) * self.cell;
        Rect::from_min_size(self.origin + at, vec2(self.cell, self.cell)).shrink(GAP / 2.0)
    }

    fn at(&self, pointer: Pos2) -> Option<(usize, usize)> {
        let inside = (pointer - self.origin) / self.cell;
        let (row, column) = (inside.y.floor(), inside.x.floor());
        (row >= 0.0 && column >= 0.0)
            .then_some((row as usize, column as usize))
            .filter(|(row, column)| *row < self.rows && *column < self.columns)
    }
}

/// Lists the images of a cell.
fn show_images(confusion: &Confusion, [class, answer]: [usize; 2], actions: &mut Vec<Action>) {
    let choice = PredictionChoice {
        list: List::Taken(class as u32, answer as u32),
        split: confusion.split.split(),
        ..PredictionChoice::default()
    };
    actions.push(Action::Choose(Choice::new(choice)));
    let open = OnView::Open(ViewKind::Predictions, Some(ViewKind::Confusion));
    actions.push(Action::View(open));
}

/// Only the matrix, for an image file too; returns the right class and the answer of a cell that was clicked.
pub(crate) fn matrix(ui: &mut Ui, confusion: &Confusion) -> Option<[usize; 2]> {
    if !confusion.labels.is_empty() {
        of_labels(ui, confusion);
        return None;
    }
    let rows = confusion.counts.len();
    let columns = confusion.counts.first().map_or(0, Vec::len);
    if rows == 0 {
        empty(ui, "Nothing was counted", "The split has no images.");
        return None;
    }
    caption(ui);
    let font = FontId::proportional(theme::SMALL);
    let ink = theme::palette(ui).text;
    let name = |ui: &Ui, column: usize, room: f32| {
        elided(ui, &confusion.answer(column), font.clone(), ink, room)
    };
    let names: Vec<Arc<Galley>> = (0..columns).map(|column| name(ui, column, NAMES)).collect();
    let widest = names.iter().map(|name| name.size().x).fold(0.0, f32::max);
    let room = ui.available_size();
    let side = (room.x - widest - NEAR - RIGHT) / columns as f32;
    let upright = widest + NEAR > side.min(CELL[1]);
    let head = if upright { widest + NEAR } else { 18.0 };
    let high = (room.y - head) / rows as f32;
    let cell = side.min(high).clamp(CELL[0], CELL[1]).floor();
    // Lower cells may be narrower than the names that would have had room.
    let upright = upright || widest + NEAR > cell;
    let head = if upright { widest + NEAR } else { head };
    let size = vec2(
        widest + NEAR + cell * columns as f32 + RIGHT,
        head + cell * rows as f32,
    );
    let scrolled = ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        let (area, response) = ui.allocate_exact_size(size, Sense::click());
        let layout = Layout {
            origin: area.min + vec2(widest + NEAR, head),
            cell,
            rows,
            columns,
        };
        heads(ui, &layout, &names, upright);
        for (class, name) in names.iter().enumerate().take(rows) {
            row(ui, confusion, &layout, class, name);
        }
        let pointer = response.interact_pointer_pos().or(response.hover_pos());
        let reached = reached(ui, &response, &layout);
        let said = reached.map(|(class, answer)| sentence(confusion, class, answer));
        response.widget_info(|| WidgetInfo {
            current_text_value: said.clone(),
            ..WidgetInfo::labeled(Role::Image, true, "Matrix of answers")
        });
        let clicked = response.clicked();
        let pointed = pointer.and_then(|pointer| layout.at(pointer));
        let pointed = pointed.or(reached.filter(|_| clicked));
        if let Some((class, answer)) = pointed {
            let text = sentence(confusion, class, answer);
            response.on_hover_text(format!("{text}\nA click lists them"));
        }
        pointed
            .filter(|_| clicked)
            .map(|(class, answer)| [class, answer])
    });
    scrolled.inner
}

/// What stands in rows, in columns and at their ends.
fn caption(ui: &mut Ui) {
    let texts = [
        "rows: true class · columns: predicted class · at the end of a row: the share that is right",
        "rows: true · columns: predicted · at the end: right",
        "true class ↓ · predicted →",
    ];
    let font = FontId::proportional(theme::SMALL);
    let weak = theme::palette(ui).weak;
    let text = first_fitting(ui, &texts, font, weak, ui.available_width());
    ui.label(text);
}

/// Where an image may have several labels: a row of figures for each, of answers from a probability of 50 % on.
fn of_labels(ui: &mut Ui, confusion: &Confusion) {
    let colors = *theme::palette(ui);
    let text = |text: &str| RichText::new(text).size(theme::SMALL);
    let exact = confusion.exact.unwrap_or(0) as u64;
    let about = format!(
        "{} of {} images have every label answered right",
        format::count(exact),
        format::count(confusion.images as u64)
    );
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        ui.label(text(&about).color(colors.weak));
        ui.add_space(NEAR);
        let grid = Grid::new("figures of labels").spacing(vec2(2.0 * theme::GAP, NEAR));
        grid.show(ui, |ui| {
            for column in label_figures::COLUMNS {
                ui.label(text(column).color(colors.weak));
            }
            ui.end_row();
            for (name, label) in confusion.classes.iter().zip(&confusion.labels) {
                for cell in label_figures::cells(name, label) {
                    ui.label(text(&cell).color(colors.text));
                }
                ui.end_row();
            }
        });
    });
}

/// The cell that the arrow keys have reached, while the matrix has the focus; Enter lists its images as a click does.
fn reached(ui: &Ui, response: &Response, layout: &Layout) -> Option<(usize, usize)> {
    if !response.has_focus() {
        return None;
    }
    keep_arrows(response);
    let key = response.id.with("cell that was reached");
    let before: (usize, usize) = ui.data(|data| data.get_temp(key)).unwrap_or_default();
    let (class, answer) = before;
    let pressed = |key: Key| ui.input(|input| input.key_pressed(key) && input.modifiers.is_none());
    let moves = [
        (Key::ArrowLeft, (class, answer.saturating_sub(1))),
        (Key::ArrowRight, (class, answer + 1)),
        (Key::ArrowUp, (class.saturating_sub(1), answer)),
        (Key::ArrowDown, (class + 1, answer)),
    ];
    let moved = moves.into_iter().find(|(key, _)| pressed(*key));
    let (class, answer) = moved.map_or(before, |(_, to)| to);
    let now = (class.min(layout.rows - 1), answer.min(layout.columns - 1));
    ui.data_mut(|data| data.insert_temp(key, now));
    let stroke = Stroke::new(2.0, theme::palette(ui).accent);
    let place = layout.cell(now.0, now.1);
    ui.painter()
        .rect_stroke(place, 1.0, stroke, StrokeKind::Outside);
    Some(now)
}

/// The names over the columns; where they are wider than these, from below to above.
fn heads(ui: &Ui, layout: &Layout, names: &[Arc<Galley>], upright: bool) {
    let ink = theme::palette(ui).text;
    for (answer, name) in names.iter().enumerate() {
        let cell = layout.cell(0, answer);
        let [width, height] = [name.size().x, name.size().y];
        if upright {
            let at = pos2(cell.center().x - height / 2.0, layout.origin.y - NEAR);
            let text = TextShape::new(at, name.clone(), ink).with_angle(-FRAC_PI_2);
            ui.painter().add(text);
        } else {
            let at = pos2(
                cell.center().x - width / 2.0,
                layout.origin.y - height - 3.0,
            );
            ui.painter().galley(at, name.clone(), ink);
        }
    }
}

/// A right class: its name, how often it is taken for what, and the share that is right.
fn row(ui: &Ui, confusion: &Confusion, layout: &Layout, class: usize, name: &Arc<Galley>) {
    let colors = *theme::palette(ui);
    let first = layout.cell(class, 0);
    let at = pos2(
        layout.origin.x - NEAR - name.size().x,
        first.center().y - name.size().y / 2.0,
    );
    ui.painter().galley(at, name.clone(), colors.text);
    for answer in 0..layout.columns {
        cell(ui, confusion, layout.cell(class, answer), [class, answer]);
    }
    let right = confusion
        .share(class, class)
        .map_or("–".to_owned(), |share| format!("{:.1} %", 100.0 * share));
    let end = layout.cell(class, layout.columns - 1);
    ui.painter().text(
        pos2(end.right() + NEAR, end.center().y),
        Align2::LEFT_CENTER,
        &right,
        theme::digits(theme::SMALL),
        colors.weak,
    );
    let area = Rect::from_min_max(
        pos2(at.x, first.top()),
        pos2(end.right() + RIGHT, end.bottom()),
    );
    let id = ui.scope_id().with(("class", class));
    let response = ui.interact(area, id, Sense::hover());
    let said = format!(
        "{}: {right} of {} right",
        confusion.answer(class),
        format::count(confusion.total(class))
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said.as_str()));
}

/// The more often, the stronger the ground: right answers in the accent's color, wrong ones in that of errors.
fn cell(ui: &Ui, confusion: &Confusion, area: Rect, [class, answer]: [usize; 2]) {
    let colors = theme::palette(ui);
    let count = confusion.counts[class][answer];
    let share = match confusion.change(class, answer) {
        Some(change) => change.unsigned_abs() as f32 / confusion.total(class).max(1) as f32,
        None => confusion.share(class, answer).unwrap_or(0.0) as f32,
    };
    let hue = if class == answer {
        colors.accent
    } else {
        colors.wrong
    };
    ui.painter().rect_filled(area, 1.0, colors.raised);
    if count > 0 {
        let ground = theme::faded(hue, 0.08 + 0.37 * share);
        ui.painter().rect_filled(area, 1.0, ground);
    }
    if area.width() < WITH_COUNT {
        return;
    }
    let count = confusion
        .change(class, answer)
        .map_or(count, |change| change.unsigned_abs());
    let has_share = area.width() >= WITH_SHARE && count > 0 && confusion.since.is_none();
    let up = if has_share { 7.0 } else { 0.0 };
    let write = |y: f32, text: String, size: f32, color| {
        let at = pos2(area.center().x, area.center().y + y);
        let font = theme::digits(size);
        ui.painter()
            .text(at, Align2::CENTER_CENTER, text, font, color);
    };
    let ink = if count > 0 {
        colors.strong
    } else {
        colors.weak
    };
    let text = match confusion.change(class, answer) {
        Some(0) => "0".to_owned(),
        Some(change) if change < 0 => format!("−{}", format::large(change.unsigned_abs())),
        Some(change) => format!("+{}", format::large(change.unsigned_abs())),
        None => format::large(count),
    };
    write(-up, text, 11.0, ink);
    if has_share {
        write(up, format!("{:.1} %", 100.0 * share), 9.5, colors.text);
    }
}

fn sentence(confusion: &Confusion, class: usize, answer: usize) -> String {
    let (is, taken) = (confusion.answer(class), confusion.answer(answer));
    let count = format::count(confusion.counts[class][answer]);
    let total = format::count(confusion.total(class));
    let share = confusion
        .share(class, answer)
        .map_or_else(String::new, |share| format!(" ({:.1} %)", 100.0 * share));
    let change = confusion
        .change(class, answer)
        .zip(confusion.since.as_ref());
    let change = change.map_or_else(String::new, |(change, (step, _))| {
        let change = signed(change as f64, 0);
        format!("; {change} since step {}", format::count(*step))
    });
    format!("{is} taken for {taken}: {count} of {total} images{share}{change}")
}
