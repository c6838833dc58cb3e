//! The table: a row for each layer, a column with a bar for each quantity, a line for what is common to all, and
//! the sum.

use super::figures::{Figures, stage};
use super::{hover, kinds};
use crate::theme;
use eframe::egui::{
    Align2, Color32, Id, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};
use strata_app::action::Action;
use strata_app::state::{CostColumn, State};
use strata_core::project::{Place, Stack};
use strata_core::shape::Row;

/// Height of a row, and of the lines above and below the rows.
const ROW: f32 = 22.0;
const HEADING: f32 = 20.0;
/// Width of a column, at least and at most, and the room before it.
const COLUMN: f32 = 88.0;
const WIDEST: f32 = 168.0;
const BETWEEN: f32 = 12.0;
const INDENT: f32 = 10.0;
const BAR: f32 = 3.0;
/// Room for the layers' texts, at least.
const TEXT: f32 = 132.0;
/// Kept free for the scroll bar.
const SCROLL: f32 = 10.0;

/// Whether all columns have room.
pub(super) fn shows_all(width: f32, columns: usize) -> bool {
    width >= TEXT + SCROLL + columns as f32 * (COLUMN + BETWEEN)
}

/// What is shown, and how wide.
struct Table<'a> {
    state: &'a State,
    figures: &'a Figures,
    columns: &'a [CostColumn],
    /// The largest value of each column: its bar is full.
    most: Vec<f64>,
    /// Where the last column ends, whether or not there is a scroll bar.
    right: f32,
    /// Width of a column.
    width: f32,
}

/// Shows the table in a rectangle.
pub(super) fn show(
    ui: &mut Ui,
    area: Rect,
    state: &State,
    figures: &Figures,
    columns: &[CostColumn],
    actions: &mut Vec<Action>,
) {
    let rows: Vec<&Row> = state
        .shown
        .inference
        .rows
        .iter()
        .filter(|row| is_seen(state, &row.place))
        .collect();
    let values = |quantity: &CostColumn| {
        let of = rows
            .iter()
            .map(|row| figures.of(row, is_whole(state, row), *quantity));
        of.chain([figures.common(*quantity)]).fold(0.0, f64::max)
    };
    let width = 0.7 * area.width() / columns.len().max(1) as f32 - BETWEEN;
    let (right, width) = (area.right() - SCROLL, width.clamp(COLUMN, WIDEST));
    let table = Table {
        state,
        figures,
        columns,
        most: columns.iter().map(values).collect(),
        right,
        width,
    };
    let (head, rest) = area.split_top_bottom_at_y(area.top() + HEADING);
    // The sum is right below the rows, or below those that fit.
    let bottom = (rest.top() + table.height(&rows)).min(rest.bottom() - ROW - 2.0);
    let (body, foot) = rest.split_top_bottom_at_y(bottom);
    table.heading(ui, head);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("cost rows").max_rect(body));
    inner.set_clip_rect(body.intersect(ui.clip_rect()));
    ScrollArea::vertical()
        .auto_shrink(false)
        .show(&mut inner, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            table.rows(ui, &rows, actions);
        });
    table.sum(ui, foot);
}

/// Whether no block around a place is folded.
fn is_seen(state: &State, place: &Place) -> bool {
    let around = (1..place.path.len()).step_by(2);
    around.filter_map(|end| place.path.get(..end)).all(|path| {
        let block = Place {
            stack: place.stack,
            path: path.to_vec(),
        };
        !state.is_folded(&block)
    })
}

/// Whether a row sums up all that is in it.
fn is_whole(state: &State, row: &Row) -> bool {
    !row.is_block || state.is_folded(&row.place)
}

impl Table<'_> {
    /// How high all rows are.
    fn height(&self, rows: &[&Row]) -> f32 {
        let stacks = Stack::ALL
            .iter()
            .filter(|stack| rows.iter().any(|row| row.place.stack == **stack))
            .count();
        (rows.len() + usize::from(self.has_common())) as f32 * ROW + stacks as f32 * HEADING
    }

    fn has_common(&self) -> bool {
        self.columns
            .iter()
            .any(|quantity| self.figures.common(*quantity) > 0.0)
    }

    /// A column's place on a line, from the right.
    fn column(&self, line: Rect, index: usize) -> Rect {
        let after = (self.columns.len() - 1 - index) as f32;
        let right = self.right - after * (self.width + BETWEEN);
        Rect::from_min_max(
            pos2(right - self.width, line.top()),
            pos2(right, line.bottom()),
        )
    }

    fn texts(&self, line: Rect) -> Rect {
        let right = self.column(line, 0).left() - BETWEEN;
        Rect::from_min_max(line.min, pos2(right, line.bottom()))
    }

    fn heading(&self, ui: &Ui, line: Rect) {
        let colors = theme::palette(ui);
        for (index, quantity) in self.columns.iter().enumerate() {
            let cell = self.column(line, index);
            let font = eframe::egui::FontId::proportional(theme::SMALL);
            ui.painter().text(
                cell.right_center(),
                Align2::RIGHT_CENTER,
                quantity.name(),
                font,
                colors.weak,
            );
            let response = ui.interact(
                cell,
                Id::unique(("cost heading", quantity.name())),
                Sense::hover(),
            );
            response.on_hover_text(quantity.about());
        }
    }

    fn rows(&self, ui: &mut Ui, rows: &[&Row], actions: &mut Vec<Action>) {
        let mut stack = None;
        for row in rows {
            if stack != Some(row.place.stack) {
                stack = Some(row.place.stack);
                stack_name(ui, row.place.stack);
            }
            self.row(ui, row, actions);
        }
        if self.has_common() {
            let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
            let colors = theme::palette(ui);
            write(ui, self.texts(line), 0.0, "in common", colors.weak);
            for (index, quantity) in self.columns.iter().enumerate() {
                self.cell(ui, line, index, self.figures.common(*quantity), colors.weak);
            }
            let response = ui.interact(line, Id::unique("cost in common"), Sense::hover());
            response.on_hover_text("What belongs to no layer: the batch, the gradient of the loss and gradients on their way back, scratch that layers take turns in; the time of the loss and of the optimizer.");
        }
    }

    fn row(&self, ui: &mut Ui, row: &Row, actions: &mut Vec<Action>) {
        let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
        let response = ui.interact(line, Id::unique(("cost row", &row.place)), Sense::click());
        let whole = is_whole(self.state, row);
        let values: Vec<f64> = self
            .columns
            .iter()
            .map(|quantity| self.figures.of(row, whole, *quantity))
            .collect();
        let name = self.spoken(row, &values);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.clone()));
        self.background(ui, line, row, &response);
        let (colors, color) = (theme::palette(ui), theme::family(ui, row.family));
        let texts = self.texts(line);
        let left = INDENT * row.depth as f32;
        let mark = Rect::from_min_size(
            pos2(texts.left() + left + 2.0, line.top() + 4.0),
            vec2(3.0, ROW - 8.0),
        );
        ui.painter().rect_filled(
            mark,
            1.0,
            if row.error.is_some() {
                colors.wrong
            } else {
                color
            },
        );
        write(
            ui,
            texts,
            left + 10.0,
            &row.text,
            if row.error.is_some() {
                colors.wrong
            } else {
                colors.text
            },
        );
        for (index, value) in values.iter().enumerate() {
            self.cell(ui, line, index, *value, color);
        }
        let clicked = response.clicked();
        response.on_hover_ui(|ui| hover::show(ui, self.state, self.figures, row, whole));
        if clicked {
            actions.push(Action::Select(Some(row.place.clone())));
        }
    }

    /// `Cost of encoder.0: conv 32 k3, 896 parameters, 777.6 k MACs, …`
    fn spoken(&self, row: &Row, values: &[f64]) -> String {
        let written = self
            .columns
            .iter()
            .zip(values)
            .filter(|(_, value)| **value > 0.0);
        let written: String = written
            .map(|(q, value)| format!(", {} {}", q.write(*value), q.name()))
            .collect();
        format!("Cost of {}: {}{written}", row.place, row.text)
    }

    fn background(&self, ui: &Ui, line: Rect, row: &Row, response: &Response) {
        let colors = theme::palette(ui);
        let selected = self.state.selected.as_ref() == Some(&row.place);
        let card = Rect::from_min_max(line.min, pos2(self.right + 3.0, line.bottom()));
        if selected || response.hovered() || response.has_focus() {
            ui.painter().rect_filled(card, theme::RADIUS, colors.lifted);
        }
        if selected || response.has_focus() {
            ui.painter().rect_stroke(
                card,
                theme::RADIUS,
                Stroke::new(1.0, colors.accent),
                StrokeKind::Inside,
            );
        }
    }

    fn cell(&self, ui: &Ui, line: Rect, index: usize, value: f64, color: Color32) {
        let (cell, colors) = (self.column(line, index), theme::palette(ui));
        let Some((quantity, most)) = self.columns.get(index).zip(self.most.get(index)) else {
            return;
        };
        if value <= 0.0 {
            return;
        }
        let at = pos2(cell.right(), cell.center().y - 1.0);
        ui.painter().text(
            at,
            Align2::RIGHT_CENTER,
            quantity.write(value),
            theme::digits(theme::SMALL),
            colors.text,
        );
        let length =
            (cell.width() * (value / most.max(f64::MIN_POSITIVE)) as f32).clamp(1.0, cell.width());
        let bar = Rect::from_min_max(
            pos2(cell.right() - length, cell.bottom() - BAR - 1.0),
            cell.max - vec2(0.0, 1.0),
        );
        ui.painter()
            .rect_filled(bar, 1.0, theme::faded(color, 0.85));
    }

    fn sum(&self, ui: &Ui, line: Rect) {
        let line = line.with_max_y(line.top() + ROW + 1.0);
        let colors = theme::palette(ui);
        ui.painter().hline(
            line.left()..=self.right,
            line.top(),
            Stroke::new(1.0, colors.line),
        );
        let line = line.translate(vec2(0.0, 1.0));
        write(ui, self.texts(line), 0.0, "total", colors.strong);
        for (index, quantity) in self.columns.iter().enumerate() {
            let cell = self.column(line, index);
            let value = self.figures.total(self.state, *quantity);
            let text = match value > 0.0 {
                true => quantity.write(value),
                false => "–".to_owned(),
            };
            ui.painter().text(
                cell.right_center(),
                Align2::RIGHT_CENTER,
                text,
                theme::digits(theme::SMALL),
                colors.strong,
            );
            let response = ui.interact(
                cell,
                Id::unique(("cost sum", quantity.name())),
                Sense::hover(),
            );
            response.on_hover_ui(|ui| {
                ui.label(format!("{}: all layers of all stacks", quantity.name()));
                if *quantity == CostColumn::Time && value <= 0.0 {
                    ui.label("It is estimated once a few kernels were measured on this machine");
                }
                if let Some((_, stage)) =
                    stage(self.state).filter(|_| *quantity == CostColumn::Memory)
                {
                    ui.label(format!(
                        "a run of stage “{}” with batches of {} images",
                        stage.name, stage.batch
                    ));
                    kinds::lines(
                        ui,
                        self.figures
                            .memory
                            .as_ref()
                            .map(|memory| memory.total())
                            .unwrap_or_default(),
                    );
                }
            });
        }
    }
}

fn stack_name(ui: &mut Ui, stack: Stack) {
    let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEADING), Sense::hover());
    let color = theme::palette(ui).weak;
    ui.painter().text(
        line.left_center(),
        Align2::LEFT_CENTER,
        stack.name(),
        theme::heading(theme::SMALL),
        color,
    );
}

/// A text from the left, with `…` where it ends for want of room.
fn write(ui: &Ui, area: Rect, left: f32, text: &str, color: Color32) {
    let letter = ui.fonts_mut(|fonts| fonts.glyph_width(&theme::digits(theme::SMALL), '0'));
    let room = ((area.width() - left) / letter.max(1.0)) as usize;
    let shown: String = if text.chars().count() <= room {
        text.to_owned()
    } else {
        text.chars()
            .take(room.saturating_sub(1))
            .chain(['…'])
            .collect()
    };
    let at = pos2(area.left() + left, area.center().y);
    ui.painter().text(
        at,
        Align2::LEFT_CENTER,
        shown,
        theme::digits(theme::SMALL),
        color,
    );
}
