//! Grids of cells with numbers: what goes in, the kernel, what comes out.

use crate::theme;
use eframe::egui::{
    Align2, Color32, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Ui, pos2, vec2,
};
use strata_design::layer_math::{Sheet, number};

/// Between the planes of a sheet, as a fraction of a cell.
const BETWEEN: f32 = 0.5;
/// Cells smaller than this hold no numbers.
pub(crate) const LEAST: f32 = 11.0;

/// A sheet at its place.
#[derive(Clone, Copy)]
pub struct Grid<'a> {
    /// What is drawn.
    pub sheet: &'a Sheet,
    /// The corner of its margin.
    pub origin: Pos2,
    /// The side of a cell.
    pub cell: f32,
}

/// Rows and columns with margins and planes, in cells.
pub fn extent(sheet: &Sheet) -> [f32; 2] {
    let [above, right, below, left] = sheet.margin;
    let rows = (sheet.rows + above + below) as f32;
    let planes = sheet.planes.max(1) as f32;
    [
        rows * planes + BETWEEN * (planes - 1.0),
        (sheet.columns + left + right) as f32,
    ]
}

impl Grid<'_> {
    /// The rectangle of a cell; rows and columns outside of the sheet are in its margin.
    pub fn rect(&self, plane: usize, row: i64, column: i64) -> Rect {
        let [above, _, below, left] = self.sheet.margin;
        let tall = (self.sheet.rows + above + below) as f32 + BETWEEN;
        let y = plane as f32 * tall + (row + above as i64) as f32;
        let corner = self.origin + vec2((column + left as i64) as f32, y) * self.cell;
        Rect::from_min_size(corner, vec2(self.cell, self.cell))
    }

    /// The rectangle of a numbered cell.
    pub fn of(&self, cell: usize) -> Rect {
        let [plane, row, column] = self.sheet.place(cell);
        self.rect(plane, row as i64, column as i64)
    }

    /// All of it, margins too.
    pub fn bounds(&self) -> Rect {
        let [rows, columns] = extent(self.sheet);
        Rect::from_min_size(self.origin, vec2(columns, rows) * self.cell)
    }

    /// The cell at a point.
    pub fn at(&self, point: Pos2) -> Option<usize> {
        (0..self.sheet.len()).find(|&cell| self.of(cell).contains(point))
    }

    /// The cells of the margin: plane, row, column.
    pub fn margin(&self) -> Vec<(usize, i64, i64)> {
        let Sheet {
            planes,
            rows,
            columns,
            margin: [above, right, below, left],
            ..
        } = *self.sheet;
        let (all_rows, all_columns) = (
            -(above as i64)..(rows + below) as i64,
            -(left as i64)..(columns + right) as i64,
        );
        let inside = |row: i64, column: i64| {
            (0..rows as i64).contains(&row) && (0..columns as i64).contains(&column)
        };
        let cells = (0..planes).flat_map(|plane| all_rows.clone().map(move |row| (plane, row)));
        let cells = cells
            .flat_map(|(plane, row)| all_columns.clone().map(move |column| (plane, row, column)));
        cells
            .filter(|&(_, row, column)| !inside(row, column))
            .collect()
    }
}

/// Two colours mixed.
pub fn mix(from: Color32, to: Color32, share: f32) -> Color32 {
    from.lerp_to_gamma(to, share.clamp(0.0, 1.0))
}

/// A cell with a number.
pub fn cell(painter: &Painter, rect: Rect, fill: Color32, line: Color32) {
    painter.rect(
        rect.shrink(0.5),
        1.0,
        fill,
        Stroke::new(1.0, line),
        StrokeKind::Inside,
    );
}

/// A cell of the margin: dashed, without a fill.
pub(crate) fn dashed(painter: &Painter, rect: Rect, color: Color32) {
    let rect = rect.shrink(1.0);
    let corners = [
        rect.left_top(),
        rect.right_top(),
        rect.right_bottom(),
        rect.left_bottom(),
        rect.left_top(),
    ];
    let dash = (rect.width() / 7.0).clamp(1.5, 4.0);
    painter.extend(Shape::dashed_line(
        &corners,
        Stroke::new(1.0, color),
        dash,
        dash,
    ));
}

/// Lines across a cell that nothing reads.
pub(crate) fn hatched(painter: &Painter, rect: Rect, color: Color32) {
    let rect = rect.shrink(1.5);
    let stroke = Stroke::new(1.0, color);
    for share in [0.5, 1.0, 1.5] {
        let reach = rect.width() * share;
        let from = pos2(
            rect.left() + (reach - rect.width()).max(0.0),
            rect.top() + reach.min(rect.height()),
        );
        let to = pos2(
            rect.left() + reach.min(rect.width()),
            rect.top() + (reach - rect.height()).max(0.0),
        );
        painter.line_segment([from, to], stroke);
    }
}

/// A number in the middle of a cell, as large as fits.
pub fn write(painter: &Painter, rect: Rect, value: f64, color: Color32) {
    write_text(painter, rect, &number(value), color);
}

/// A short text in the middle of a cell; left out where the cell is too small for any.
pub fn write_text(painter: &Painter, rect: Rect, text: &str, color: Color32) {
    if rect.height() < LEAST {
        return;
    }
    let letters = text.chars().count().max(2) as f32;
    let size = (rect.height() * 0.46)
        .clamp(8.0, 15.0)
        .min(rect.width() * 1.38 / letters)
        .max(6.0);
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        text,
        theme::digits(size),
        color,
    );
}

/// A small number in the lower right corner: the weight that a cell is multiplied with.
pub(crate) fn subscript(painter: &Painter, rect: Rect, value: f64, color: Color32) {
    // Below the number in the middle, and not over it.
    if rect.height() >= 30.0 {
        let at = rect.right_bottom() - vec2(3.0, 2.0);
        painter.text(
            at,
            Align2::RIGHT_BOTTOM,
            format!("·{}", number(value)),
            theme::digits(theme::TINY),
            color,
        );
    }
}

/// What is above a grid.
pub(crate) fn caption(ui: &Ui, bounds: Rect, text: &str) {
    let color = theme::palette(ui).weak;
    let at = pos2(bounds.center().x, bounds.top() - 3.0);
    ui.painter().text(
        at,
        Align2::CENTER_BOTTOM,
        text,
        eframe::egui::FontId::proportional(theme::SMALL),
        color,
    );
}

/// How wide a caption is.
pub(crate) fn caption_width(ui: &Ui, text: &str) -> f32 {
    let font = eframe::egui::FontId::proportional(theme::SMALL);
    ui.painter()
        .layout_no_wrap(text.to_owned(), font, Color32::WHITE)
        .size()
        .x
}

/// A beam of light from one rectangle to another, to the right or downwards.
pub(crate) fn beam(painter: &Painter, from: Rect, to: Rect, down: bool, color: Color32) {
    let corners = match down {
        false => [
            from.right_top(),
            to.left_top(),
            to.left_bottom(),
            from.right_bottom(),
        ],
        true => [
            from.left_bottom(),
            to.left_top(),
            to.right_top(),
            from.right_bottom(),
        ],
    };
    painter.add(Shape::convex_polygon(
        corners.to_vec(),
        theme::faded(color, 0.10),
        Stroke::NONE,
    ));
    let stroke = Stroke::new(1.0, theme::faded(color, 0.45));
    for (a, b) in [(0, 1), (3, 2)] {
        painter.line_segment([corners[a], corners[b]], stroke);
    }
}

/// A frame around cells.
pub fn frame(painter: &Painter, rect: Rect, color: Color32) {
    painter.rect_stroke(
        rect.expand(0.5),
        2.0,
        Stroke::new(2.0, color),
        StrokeKind::Outside,
    );
}
