//! The trials as a table: sorted by a click on a column, searched, each opened as the run that it is.

use super::{SweepChoice, factor_name, trial};
use crate::theme;
use crate::widgets::{Field, FieldEvent, elided};
use eframe::egui::{FontId, Id, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use strata_app::action::Action;
use strata_core::format::count;
use strata_sweep::Table;
use strata_sweep::effects::{effects, time_text};
use strata_sweep::table::{TrialRow, spread_text};

/// Height of a row, of the heading, and of what is known of the chosen trial below.
const ROW: f32 = 22.0;
const DETAILS: f32 = 56.0;
/// Widths of columns of figures, and of values at least and at most.
const NARROW: f32 = 52.0;
const FIGURE: f32 = 96.0;
const VALUE: [f32; 2] = [64.0, 220.0];
const SEARCH: f32 = 220.0;
/// Letters of a factor's name that a column has room for.
const NAME: usize = 20;

/// What a trial is sorted by; what has nothing stands at the end.
type Key = dyn Fn(&TrialRow) -> Option<f64>;

/// A column of the table.
struct Column {
    name: String,
    width: f32,
    /// The text of a trial.
    text: Box<dyn Fn(&TrialRow) -> String>,
    /// What it is sorted by.
    key: Box<Key>,
}

/// Shows it.
pub(super) fn show(
    ui: &mut Ui,
    table: &Table,
    choice: &mut SweepChoice,
    actions: &mut Vec<Action>,
) {
    let columns = columns(ui, table);
    search(ui, choice);
    let rows = rows(table, &columns, choice);
    let all: f32 = columns.iter().map(|column| column.width).sum();
    let width = all.max(ui.available_width());
    let height = (ui.available_height() - DETAILS).max(2.0 * ROW);
    let scroll = ScrollArea::horizontal()
        .id_salt("columns of trials")
        .auto_shrink([false, true]);
    scroll.show(ui, |ui| {
        ui.set_min_width(width);
        ui.spacing_mut().item_spacing.y = 0.0;
        head(ui, &columns, width, choice);
        let list = ScrollArea::vertical()
            .id_salt("trials")
            .max_height(height - ROW)
            .auto_shrink([false, true]);
        list.show_rows(ui, ROW, rows.len(), |ui, visible| {
            for row in rows.get(visible).unwrap_or_default() {
                line(ui, table, row, (&columns[..], width), choice, actions);
            }
        });
    });
    ui.add_space(theme::STEP);
    trial::line(ui, table, choice.trial, actions);
}

fn search(ui: &mut Ui, choice: &mut SweepChoice) {
    let id = Id::unique("search trials");
    let field = Field::new(id, "Search trials", &choice.search).words();
    let typed = field
        .hint("search values and states")
        .width(SEARCH)
        .show(ui);
    if let Some(FieldEvent::Typing(search) | FieldEvent::Commit(search)) = typed {
        choice.search = search;
    }
}

fn columns(ui: &Ui, table: &Table) -> Vec<Column> {
    let mut columns = vec![
        Column {
            name: "rank".to_owned(),
            width: FIGURE,
            text: Box::new(|row| match row.rank {
                Some(rank) => rank.to_string(),
                None => row.standing.word().to_owned(),
            }),
            key: Box::new(|row| row.rank.map(|rank| rank as f64)),
        },
        Column {
            name: "trial".to_owned(),
            width: NARROW,
            text: Box::new(|row| row.number.to_string()),
            key: Box::new(|row| Some(row.number as f64)),
        },
    ];
    if table.is_chosen() {
        columns.push(Column {
            name: "round".to_owned(),
            width: NARROW + theme::GAP,
            text: Box::new(TrialRow::round_text),
            key: Box::new(|row| Some(row.round.unwrap_or(0) as f64)),
        });
    }
    let effects = effects(table);
    for (place, factor) in table.factors.iter().enumerate() {
        let name = factor_name(factor);
        let values = table.trials.iter().filter_map(|row| row.values.get(place));
        let short: String = name.chars().take(NAME).collect();
        let longest = values
            .chain([&short])
            .max_by_key(|text| text.chars().count());
        let longest = longest.cloned().unwrap_or_default();
        let font = FontId::proportional(theme::SMALL);
        let laid = ui
            .painter()
            .layout_no_wrap(longest, font, theme::palette(ui).text);
        // Values that are no numbers are in the order that they are written in.
        let order: Vec<String> = effects
            .get(place)
            .map(|effect| {
                effect
                    .points
                    .iter()
                    .map(|point| point.label.clone())
                    .collect()
            })
            .unwrap_or_default();
        columns.push(Column {
            name,
            width: (laid.size().x + 2.0 * theme::GAP).clamp(VALUE[0], VALUE[1]),
            text: Box::new(move |row| row.values.get(place).cloned().unwrap_or_default()),
            key: Box::new(move |row| {
                let at = order
                    .iter()
                    .position(|label| row.values.get(place) == Some(label));
                at.map(|at| at as f64)
            }),
        });
    }
    let mut figures = figures(table);
    // What ranks the trials is seen first.
    columns.insert(2, figures.remove(0));
    columns.extend(figures);
    columns
}

/// What was measured of the trials.
fn figures(table: &Table) -> Vec<Column> {
    let dash = || "–".to_owned();
    let metric = table.metric;
    let mut columns = vec![
        Column {
            name: table.metric.name(),
            width: 1.4 * FIGURE,
            text: Box::new(move |row| {
                row.value
                    .map_or_else(dash, |value| spread_text(metric, value))
            }),
            key: Box::new(|row| row.value.map(|value| value.mean)),
        },
        Column {
            name: "parameters".to_owned(),
            width: FIGURE,
            text: Box::new(move |row| row.parameters.map_or_else(dash, count)),
            key: Box::new(|row| row.parameters.map(|number| number as f64)),
        },
        Column {
            name: "time".to_owned(),
            width: FIGURE,
            text: Box::new(move |row| row.seconds.map_or_else(dash, |time| time_text(time.mean))),
            key: Box::new(|row| row.seconds.map(|time| time.mean)),
        },
    ];
    for name in table.measures() {
        let (of_text, of_key) = (name.clone(), name.clone());
        columns.push(Column {
            name,
            width: 1.2 * FIGURE,
            text: Box::new(move |row| {
                let measured = row.measured.get(&of_text);
                measured.map_or_else(dash, |spread| strata_core::format::figure(spread.mean))
            }),
            key: Box::new(move |row| row.measured.get(&of_key).map(|spread| spread.mean)),
        });
    }
    columns
}

/// The trials that are searched for, sorted as it was chosen.
fn rows<'t>(table: &'t Table, columns: &[Column], choice: &SweepChoice) -> Vec<&'t TrialRow> {
    let words: Vec<String> = choice
        .search
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let is_found = |row: &&TrialRow| {
        let mut texts: Vec<String> = row.values.clone();
        texts.extend([row.number.to_string(), row.standing.word().to_owned()]);
        texts.extend(row.reason_in_window.clone());
        let text = texts.join(" ").to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let mut rows: Vec<&TrialRow> = table.ranked().into_iter().filter(is_found).collect();
    if let Some(column) = choice.column.and_then(|column| columns.get(column)) {
        rows.sort_by(|one, other| {
            let [one, other] = [one, other].map(|row| (column.key)(row));
            // What has no value stands at the end either way.
            match (one, other) {
                (Some(one), Some(other)) if choice.is_falling => other.total_cmp(&one),
                (Some(one), Some(other)) => one.total_cmp(&other),
                (one, other) => other.is_some().cmp(&one.is_some()),
            }
        });
    }
    rows
}

/// The names of the columns; a click on one sorts by it, a second one the other way round.
fn head(ui: &mut Ui, columns: &[Column], width: f32, choice: &mut SweepChoice) {
    let colors = theme::palette(ui);
    let (area, _) = ui.allocate_exact_size(vec2(width, ROW), Sense::hover());
    let mut left = area.left();
    for (place, column) in columns.iter().enumerate() {
        let cell = Rect::from_min_size(pos2(left, area.top()), vec2(column.width, ROW));
        left += column.width;
        let is_sorted = choice.column.unwrap_or(0) == place;
        let arrow = match (is_sorted, choice.is_falling) {
            (false, _) => "",
            (true, true) => " ↓",
            (true, false) => " ↑",
        };
        let color = if is_sorted {
            colors.strong
        } else {
            colors.weak
        };
        let text = format!("{}{arrow}", column.name);
        let font = FontId::proportional(theme::SMALL);
        let laid = elided(ui, &text, font, color, column.width - theme::GAP);
        let at = pos2(
            cell.left() + theme::STEP,
            cell.center().y - 0.5 * laid.size().y,
        );
        ui.painter().galley(at, laid, color);
        let seen = cell.intersect(ui.clip_rect());
        if !seen.is_positive() {
            continue;
        }
        let id = ui.scope_id().with(("sort trials", place));
        let response = ui.interact(seen, id, Sense::click());
        let name = format!("Sort trials by {}", column.name);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.clone()));
        if response.has_focus() {
            ring(ui, cell);
        }
        if response.on_hover_text(&column.name).clicked() {
            choice.is_falling = is_sorted && !choice.is_falling;
            choice.column = Some(place);
        }
    }
    ui.painter()
        .hline(area.x_range(), area.bottom(), Stroke::new(1.0, colors.line));
}

fn ring(ui: &Ui, area: Rect) {
    let stroke = Stroke::new(1.0, theme::palette(ui).accent);
    let kind = eframe::egui::StrokeKind::Inside;
    ui.painter().rect_stroke(area, theme::RADIUS, stroke, kind);
}

fn line(
    ui: &mut Ui,
    table: &Table,
    row: &TrialRow,
    (columns, width): (&[Column], f32),
    choice: &mut SweepChoice,
    actions: &mut Vec<Action>,
) {
    let colors = *theme::palette(ui);
    let (area, _) = ui.allocate_exact_size(vec2(width, ROW), Sense::hover());
    let id = ui.scope_id().with(("trial", row.number));
    // What is scrolled out of sight is not pressed either.
    let seen = area.intersect(ui.clip_rect());
    let response = ui.interact(seen, id, Sense::click());
    let words = trial::words(table, row);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words.clone()));
    let is_chosen = choice.trial == Some(row.number);
    if is_chosen || response.hovered() {
        let fill = if is_chosen {
            colors.tint
        } else {
            colors.lifted
        };
        ui.painter().rect_filled(area, theme::RADIUS, fill);
    }
    if response.has_focus() {
        ring(ui, area);
    }
    let ink = match (is_chosen, row.rank) {
        (true, _) => colors.on_tint,
        (false, Some(_)) => colors.text,
        (false, None) => colors.weak,
    };
    let mut left = area.left();
    for column in columns {
        let text = (column.text)(row);
        let laid = elided(
            ui,
            &text,
            theme::digits(theme::SMALL),
            ink,
            column.width - theme::GAP,
        );
        let at = pos2(left + theme::STEP, area.center().y - 0.5 * laid.size().y);
        ui.painter().galley(at, laid, ink);
        left += column.width;
    }
    let folder = row.runs.iter().find_map(|run| run.folder.clone());
    if response.double_clicked()
        && let Some(folder) = folder
    {
        actions.push(Action::Open(folder));
    }
    if response.clicked() {
        choice.trial = Some(row.number);
    }
    response.on_hover_text("Click: what is known of it. Double click: open its run.");
}
