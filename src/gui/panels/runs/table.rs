//! The runs as a table: what each was trained with that others were not, and what it reached.

use super::baselines;
use super::columns::{Columns, Figure};
use super::{color, has, left_out, of, quantity};
use crate::theme;
use crate::widgets::{Field, FieldEvent, elided, ending, focus_ring, in_lines};
use eframe::egui::{
    Align2, Button, Color32, FontId, Id, Pos2, Rect, Response, Role, ScrollArea, Sense, Shape,
    Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use std::path::PathBuf;
use strata_app::action::{Action, Show};
use strata_app::curves::{Curves, Quantity};
use strata_app::runs::{Column, StoredRun, Table};
use strata_app::state::State;
use strata_core::format;
use strata_engine::storage::record::Status;

/// Height of a run whose differences take one line.
pub(super) const ROW: f32 = 44.0;
/// Height of each further line.
const LINE: f32 = 15.0;
/// Height of what stands above the runs: two fields and the names of the columns.
pub(super) const HEAD: f32 = 64.0;
const FIELDS: f32 = 36.0;
/// Width from which a field has room for all that its hint says.
const ROOMY_FIELD: f32 = 270.0;
/// Widths of what every run has: its mark and the button that opens it.
pub(super) const MARK: f32 = 28.0;
pub(super) const OPEN: f32 = 56.0;
/// Points of the small curve of a run.
const POINTS: usize = 60;

/// Shows it.
pub(super) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    fields(ui, state, actions);
    let area = ui.available_rect_before_wrap();
    let width = area.width() - theme::SCROLL_BAR - theme::STEP;
    let with_labels = state.runs.list.iter().any(|run| run.f1().is_some());
    let columns = Columns::of(area.left(), width, widest(ui, state), with_labels);
    head(ui, state, &columns, actions);
    ScrollArea::vertical()
        .id_salt("table of runs")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for index in state.runs.in_table() {
                row(ui, state, index, &columns, actions);
            }
            for baseline in &state.runs.baselines {
                baselines::row(ui, state, baseline, &columns, actions);
            }
        });
}

/// The width of the longest line of what differs.
fn widest(ui: &Ui, state: &State) -> f32 {
    let width = |index: usize| {
        let font = FontId::proportional(theme::SMALL);
        let line = told(&state.runs.list[index]);
        let line = ui
            .painter()
            .layout_no_wrap(line, font, Color32::PLACEHOLDER);
        line.size().x + theme::GAP + theme::STEP
    };
    let shown = state.runs.in_table().into_iter();
    shown.map(width).fold(0.0, f32::max)
}

/// What is searched for, and the path of further runs.
pub(super) fn fields(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let table = &state.runs.table;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), FIELDS), Sense::hover());
    let mut inner = ui.new_child(
        UiBuilder::new()
            .id_salt("fields of runs")
            .max_rect(rect)
            .layout(eframe::egui::Layout::left_to_right(
                eframe::egui::Align::Center,
            )),
    );
    let half = 0.5 * (rect.width() - theme::GAP);
    let hints = match half < ROOMY_FIELD {
        true => ["search", "path of a run"],
        false => [
            "search names, notes, differences",
            "add a run or a folder of runs: its path",
        ],
    };
    let id = Id::unique("search runs");
    let field = Field::new(id, "Search runs", &table.search).words();
    let field = field.hint(hints[0]);
    let typed = field.width(half.min(280.0)).show(&mut inner);
    if let Some(FieldEvent::Typing(search) | FieldEvent::Commit(search)) = typed {
        let table = Table {
            search,
            ..table.clone()
        };
        actions.push(Action::Show(Show::RunsTable(table)));
    }
    let id = Id::unique(("add runs", state.runs.added.len()));
    let field = Field::new(id, "Path of further runs", "");
    let field = field.words().hint(hints[1]);
    if let Some(FieldEvent::Commit(path)) = field.width(half.min(320.0)).show(&mut inner) {
        actions.push(Action::AddRuns(PathBuf::from(path.trim())));
    }
}

/// The names of the columns; a click on one sorts by it, a second one the other way round.
fn head(ui: &mut Ui, state: &State, columns: &Columns, actions: &mut Vec<Action>) {
    let height = HEAD - FIELDS - theme::STEP;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let mut name = |text: &str, at: [f32; 2], right: bool, column: Option<Column>| {
        let area = Rect::from_min_max(pos2(at[0], rect.top()), pos2(at[1], rect.bottom()));
        heading(ui, state, (text, area, right), column, actions);
    };
    name(
        "run, and what differs",
        columns.names,
        false,
        Some(Column::Started),
    );
    for (figure, at) in &columns.figures {
        let right = figure.column().is_some();
        name(figure.name(), *at, right, figure.column());
    }
    let line = Stroke::new(1.0, theme::palette(ui).line);
    ui.painter().hline(rect.x_range(), rect.bottom(), line);
}

fn heading(
    ui: &mut Ui,
    state: &State,
    (text, area, right): (&str, Rect, bool),
    column: Option<Column>,
    actions: &mut Vec<Action>,
) {
    let colors = theme::palette(ui);
    let table = &state.runs.table;
    let sorted = column.is_some_and(|column| column == table.column);
    let arrow = match (sorted, table.rising) {
        (false, _) => "",
        (true, true) => " ↑",
        (true, false) => " ↓",
    };
    let color = if sorted { colors.strong } else { colors.weak };
    let (at, align) = match right {
        true => (
            pos2(area.right() - theme::GAP, area.center().y),
            Align2::RIGHT_CENTER,
        ),
        false => (pos2(area.left(), area.center().y), Align2::LEFT_CENTER),
    };
    let font = FontId::proportional(theme::SMALL);
    ui.painter()
        .text(at, align, format!("{text}{arrow}"), font, color);
    let Some(column) = column else { return };
    let response = ui.interact(area, ui.scope_id().with(("sort", text)), Sense::click());
    let name = format!("Sort runs by {}", text.split(',').next().unwrap_or(text));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.clone()));
    if response.has_focus() {
        focus_ring(ui, area.shrink(1.0));
    }
    if response.clicked() {
        let rising = if sorted { !table.rising } else { false };
        let table = Table {
            column,
            rising,
            search: table.search.clone(),
        };
        actions.push(Action::Show(Show::RunsTable(table)));
    }
}

fn row(ui: &mut Ui, state: &State, index: usize, columns: &Columns, actions: &mut Vec<Action>) {
    let run = &state.runs.list[index];
    let left_out = left_out(state, run);
    let hidden = state.runs.hidden.contains(&run.path) || left_out.is_some();
    let width = columns.right - columns.names[0] + MARK;
    let height = ROW + (columns.lines - 1) as f32 * LINE;
    let (area, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    let response = toggle(ui, run, area, columns, hidden);
    let colors = *theme::palette(ui);
    let ink = if hidden { colors.weak } else { colors.strong };
    mark(ui, area, color(ui, index), hidden);
    let room = columns.names[1] - columns.names[0] - theme::GAP;
    let second = match &left_out {
        Some(why) => format!("not drawn: {why}"),
        None => told(run),
    };
    let name = elided(
        ui,
        &ending(ui, &run.name, name_font(), room),
        name_font(),
        ink,
        room,
    );
    let font = FontId::proportional(theme::SMALL);
    let second = in_lines(ui, &second, font, colors.weak, (room, columns.lines));
    let top = area.center().y - 0.5 * (name.size().y + second.size().y);
    let below = top + name.size().y;
    ui.painter().galley(pos2(columns.names[0], top), name, ink);
    ui.painter()
        .galley(pos2(columns.names[0], below), second, colors.weak);
    for (figure, at) in &columns.figures {
        let place = Rect::from_min_max(pos2(at[0], area.top()), pos2(at[1], area.bottom()));
        match figure {
            Figure::Note => note(ui, run, place, actions),
            Figure::Course => course(ui, of(state, run), place, color(ui, index)),
            _ => {
                let at = pos2(place.right() - theme::GAP, place.center().y);
                let text = written(run, of(state, run), *figure);
                let font = theme::digits(theme::SMALL);
                ui.painter()
                    .text(at, Align2::RIGHT_CENTER, text, font, colors.text);
            }
        }
    }
    open(ui, run, area, columns, actions);
    tell(ui, state, run, area, columns);
    if response.on_hover_ui(|ui| details(ui, state, run)).clicked() {
        match left_out {
            None => actions.push(Action::Show(Show::Run(run.path.clone(), hidden))),
            Some(_) if quantity(state) == Quantity::Loss => {
                actions.push(Action::Show(Show::RunsOf(run.meaning.clone())));
            }
            Some(_) => {}
        }
    }
}

/// What is drawn of a run, in words for who does not see it.
fn tell(ui: &Ui, state: &State, run: &StoredRun, area: Rect, columns: &Columns) {
    let place = Rect::from_min_max(pos2(columns.names[1], area.top()), area.max);
    let id = ui.scope_id().with(("figures", &run.path));
    let mut figures = vec![Figure::Valid, Figure::Test];
    figures.extend(run.f1().map(|_| Figure::F1));
    figures.extend([Figure::Time, Figure::Parameters]);
    let figures = figures.into_iter().map(|figure| {
        let value = written(run, of(state, run), figure);
        format!("{} {value}", figure.name())
    });
    let figures: Vec<String> = figures.collect();
    let words = format!("{}: {}; {}", run.name, told(run), figures.join(", "));
    ui.interact(place, id, Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, words.clone()));
}

/// The part of a row that shows and hides the run.
fn toggle(ui: &mut Ui, run: &StoredRun, area: Rect, columns: &Columns, hidden: bool) -> Response {
    let place = Rect::from_min_max(area.min, pos2(columns.names[1], area.bottom()));
    let response = ui.interact(place, ui.scope_id().with(&run.path), Sense::click());
    let word = if hidden { "Show" } else { "Hide" };
    let label = format!("{word} run {}", run.name);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label.clone()));
    if response.hovered() || response.has_focus() {
        let lifted = theme::palette(ui).lifted;
        ui.painter().rect_filled(area, theme::RADIUS, lifted);
    }
    response
}

/// The colour that the run has in the plot.
fn mark(ui: &Ui, area: Rect, color: Color32, hidden: bool) {
    let mark = Rect::from_center_size(pos2(area.left() + 12.0, area.center().y), vec2(12.0, 12.0));
    let fill = if hidden { Color32::TRANSPARENT } else { color };
    let line = Stroke::new(1.5, color);
    ui.painter().rect(mark, 2.0, fill, line, StrokeKind::Inside);
}

pub(super) fn name_font() -> FontId {
    FontId::proportional(theme::BODY)
}

/// What differs, or when it was trained where nothing does.
fn told(run: &StoredRun) -> String {
    match run.differences.is_empty() {
        true => when(run),
        false => run.differences.join(" · "),
    }
}

/// A figure as text.
fn written(run: &StoredRun, curves: &Curves, figure: Figure) -> String {
    let none = || "–".to_owned();
    match figure {
        Figure::Valid => curves.best().map_or_else(none, |best| best.text()),
        Figure::Test => {
            run.record
                .metrics
                .get("test")
                .map_or_else(none, |metrics| match metrics.accuracy {
                    Some(accuracy) => format!("{:.2} %", 100.0 * accuracy),
                    None => format::loss(metrics.loss),
                })
        }
        Figure::F1 => run
            .f1()
            .map_or_else(none, |f1| format!("{:.2} %", 100.0 * f1)),
        Figure::Time => format::duration(run.record.seconds),
        Figure::Parameters if run.parameters > 9_999_999 => format::large(run.parameters),
        Figure::Parameters => format::count(run.parameters),
        Figure::Note | Figure::Course => String::new(),
    }
}

fn note(ui: &mut Ui, run: &StoredRun, place: Rect, actions: &mut Vec<Action>) {
    let place =
        Rect::from_center_size(place.center(), vec2(place.width() - theme::GAP, theme::ROW));
    // Its own child leaves the next row where the table puts it.
    let mut inner = ui.new_child(
        UiBuilder::new()
            .id_salt(("note", &run.path))
            .max_rect(place),
    );
    let name = format!("Note of run {}", run.name);
    let id = Id::unique(("note", run.path.clone()));
    let field = Field::new(id, &name, &run.note).words().hint("note");
    if let Some(FieldEvent::Commit(text)) = field.width(place.width()).show(&mut inner) {
        actions.push(Action::NoteRun(run.path.clone(), text));
    }
}

/// The course of the loss or of the accuracy as a small line.
fn course(ui: &Ui, curves: &Curves, place: Rect, color: Color32) {
    let curve = match curves.accuracy.is_empty() {
        true => &curves.loss,
        false => &curves.accuracy,
    };
    let series = match curve.smooth.is_empty() {
        true => &curve.raw,
        false => &curve.smooth,
    };
    let values = series.sample(POINTS);
    let Some([low, high]) = format::span(values.iter().copied()) else {
        return;
    };
    let room = place.shrink2(vec2(theme::GAP, 10.0));
    let last = values.len().saturating_sub(1).max(1) as f32;
    let point = |(index, value): (usize, &f64)| -> Pos2 {
        let share = if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        };
        pos2(
            room.left() + room.width() * index as f32 / last,
            room.bottom() - room.height() * share as f32,
        )
    };
    let points: Vec<Pos2> = values.iter().enumerate().map(point).collect();
    ui.painter()
        .add(Shape::line(points, Stroke::new(1.5, color)));
}

fn open(ui: &mut Ui, run: &StoredRun, area: Rect, columns: &Columns, actions: &mut Vec<Action>) {
    let place = Rect::from_min_max(
        pos2(columns.right - OPEN + theme::STEP, area.center().y - 12.0),
        pos2(columns.right, area.center().y + 12.0),
    );
    let mut inner = ui.new_child(UiBuilder::new().id_salt(&run.path).max_rect(place));
    let button = inner.add_sized(place.size(), Button::new("Open"));
    let button = button
        .on_hover_text("Open this run: its project, its curves, its network")
        .accessible_name(format!("Open run {}", run.name));
    if button.clicked() {
        actions.push(Action::Open(run.path.clone()));
    }
}

/// Everything that is known of a run.
fn details(ui: &mut Ui, state: &State, run: &StoredRun) {
    let text = |ui: &mut Ui, text: String| ui.label(text);
    text(ui, run.path.display().to_string());
    text(ui, when(run));
    text(
        ui,
        format!(
            "{} · {}",
            run.record.device,
            format::duration(run.record.seconds)
        ),
    );
    text(ui, of(state, run).results());
    if let Some(best) = of(state, run).best() {
        text(
            ui,
            format!("best valid {} after epoch {}", best.text(), best.epoch),
        );
    }
    if has(state, run, Quantity::Loss) {
        text(ui, format!("loss: {}", run.meaning));
    }
    ui.separator();
    for line in run.settings.lines() {
        ui.weak(line);
    }
}

fn when(run: &StoredRun) -> String {
    let status = match run.record.status {
        Status::Running => "not ended",
        Status::Completed => "completed",
        Status::Stopped => "stopped",
        Status::Failed => "failed",
    };
    let started = run.record.started.replace('T', " ");
    let minute: String = started.chars().take(16).collect();
    format!(
        "{minute} · {status} · {} steps",
        format::count(run.record.steps)
    )
}
