//! The layout of the grids: side by side, or under each other where they are single rows.

use super::super::grid::{Grid, extent};
use eframe::egui::{Pos2, Rect, Response, pos2, vec2};
use strata_design::layer_math::{Lens, Sample, Sheet, Way};

/// The largest cell.
const LARGEST: f32 = 44.0;
/// Above a grid, for its caption.
const CAPTION: f32 = 18.0;
/// Between grids that are side by side, and under each other.
const BESIDE: f32 = 40.0;
const BELOW: f32 = 10.0;

/// What is between the input and the output.
pub enum Middle {
    /// The weights.
    Kernel(Sheet),
    /// The numbers that the window covers.
    Window(Sheet),
    /// The curve of a function.
    Curve(Rect),
    /// An arrow.
    Nothing,
}

/// The grids of one step at their places.
pub struct Stage<'a> {
    /// The sample.
    pub sample: &'a Sample,
    /// The step that is shown.
    pub step: usize,
    /// What goes in.
    pub input: Grid<'a>,
    /// What comes out.
    pub output: Grid<'a>,
    /// What is between them.
    pub middle: Middle,
    /// The corner of what is between them.
    pub middle_at: Pos2,
    /// Whether they are under each other.
    pub down: bool,
}

impl<'a> Stage<'a> {
    /// Lays a step out in an area.
    pub fn new(lens: &Lens, sample: &'a Sample, step: usize, area: Rect) -> Stage<'a> {
        let single = |sheet: &Sheet| sheet.rows == 1 && sheet.planes == 1;
        let middle = middle(lens, sample, step, area);
        let flat =
            !matches!(&middle, Middle::Kernel(sheet) | Middle::Window(sheet) if sheet.rows > 1);
        if single(&sample.input) && single(&sample.output) && flat && sample.input.columns > 1 {
            return Stage::under_each_other(sample, step, middle, area);
        }
        Stage::side_by_side(sample, step, middle, area)
    }

    fn side_by_side(sample: &'a Sample, step: usize, middle: Middle, area: Rect) -> Stage<'a> {
        let sizes = [
            extent(&sample.input),
            middle_extent(&middle),
            extent(&sample.output),
        ];
        let between = if sizes[1][1] > 0.0 {
            2.0 * BESIDE
        } else {
            1.5 * BESIDE
        };
        let columns: f32 = sizes.iter().map(|size| size[1]).sum();
        let rows = sizes.iter().map(|size| size[0]).fold(1.0, f32::max);
        let cell = ((area.width() - between) / columns)
            .min((area.height() - CAPTION) / rows)
            .min(LARGEST);
        let cell = cell.floor().max(1.0);
        let center = area.center().y + CAPTION / 2.0;
        let corner =
            |left: f32, size: [f32; 2]| pos2(left, (center - size[0] * cell / 2.0).round());
        let left = (area.center().x - (columns * cell + between) / 2.0).round();
        let middle_left = left + sizes[0][1] * cell + if sizes[1][1] > 0.0 { BESIDE } else { 0.0 };
        let right = left + (sizes[0][1] + sizes[1][1]) * cell + between;
        Stage {
            sample,
            step,
            input: Grid {
                sheet: &sample.input,
                origin: corner(left, sizes[0]),
                cell,
            },
            output: Grid {
                sheet: &sample.output,
                origin: corner(right, sizes[2]),
                cell,
            },
            middle_at: corner(middle_left, sizes[1]),
            middle,
            down: false,
        }
    }

    /// The kernel is below its window.
    fn under_each_other(sample: &'a Sample, step: usize, middle: Middle, area: Rect) -> Stage<'a> {
        let curve = if let Middle::Curve(rect) = &middle {
            rect.width() + BESIDE
        } else {
            0.0
        };
        let sizes = [
            extent(&sample.input),
            middle_extent(&middle),
            extent(&sample.output),
        ];
        let rows = if sizes[1][1] > 0.0 { 3.0 } else { 2.0 };
        let columns = sizes.iter().map(|size| size[1]).fold(1.0, f32::max);
        let room = area.height() - rows * CAPTION - (rows - 1.0) * BELOW;
        let cell = ((area.width() - curve) / columns)
            .min(room / rows)
            .min(LARGEST)
            .floor()
            .max(1.0);
        // The curve is next to the rows, both together in the middle.
        let center = area.center().x - curve / 2.0;
        let middle = match middle {
            Middle::Curve(rect) => {
                let left = center + columns * cell / 2.0 + BESIDE;
                Middle::Curve(rect.translate(vec2(left - rect.left(), 0.0)))
            }
            other => other,
        };
        let pitch = cell + CAPTION + BELOW;
        let top =
            area.center().y - (rows * (cell + CAPTION) + (rows - 1.0) * BELOW) / 2.0 + CAPTION;
        let corner = |row: f32, columns: f32| {
            pos2(
                (center - columns * cell / 2.0).round(),
                (top + row * pitch).round(),
            )
        };
        let input = Grid {
            sheet: &sample.input,
            origin: corner(0.0, sizes[0][1]),
            cell,
        };
        let output = Grid {
            sheet: &sample.output,
            origin: corner(rows - 1.0, sizes[2][1]),
            cell,
        };
        let mut stage = Stage {
            sample,
            step,
            input,
            output,
            middle,
            middle_at: Pos2::ZERO,
            down: true,
        };
        let under = stage.marks()[0].center().x - sizes[1][1] * cell / 2.0;
        let most = (area.right() - sizes[1][1] * cell).max(area.left());
        stage.middle_at = pos2(under.clamp(area.left(), most).round(), corner(1.0, 0.0).y);
        stage
    }

    /// What of the input and of the output the step is about: the window and its cell, or the cell and its stamp.
    pub fn marks(&self) -> [Rect; 2] {
        let Some(step) = self.sample.steps.get(self.step) else {
            return [Rect::NOTHING; 2];
        };
        let writes = self.sample.way.writes();
        let (many, one) = if writes {
            (&self.output, &self.input)
        } else {
            (&self.input, &self.output)
        };
        let covered = step
            .touches
            .iter()
            .map(|touch| many.rect(touch.plane, touch.row, touch.column));
        let covered = covered.fold(Rect::NOTHING, |all, rect| all.union(rect));
        let cell = one.of(step.cell);
        if writes {
            [cell, covered]
        } else {
            [covered, cell]
        }
    }

    /// The middle's rectangle.
    pub(crate) fn middle_bounds(&self) -> Rect {
        let [rows, columns] = middle_extent(&self.middle);
        Rect::from_min_size(self.middle_at, vec2(columns, rows) * self.input.cell)
    }

    /// The output cell under the pointer.
    pub(crate) fn hovered_output(&self, output: &Response) -> Option<usize> {
        self.output.at(output.hover_pos()?)
    }

    /// The input cell under the pointer.
    pub(crate) fn hovered_input(&self, input: &Response) -> Option<usize> {
        self.input.at(input.hover_pos()?)
    }
}

fn middle_extent(middle: &Middle) -> [f32; 2] {
    match middle {
        Middle::Kernel(sheet) | Middle::Window(sheet) => extent(sheet),
        Middle::Curve(_) | Middle::Nothing => [0.0, 0.0],
    }
}

fn middle(lens: &Lens, sample: &Sample, step: usize, area: Rect) -> Middle {
    if let Some([rows, columns]) = sample.kernel {
        return Middle::Kernel(Sheet::new(rows, columns, sample.weights.clone()));
    }
    if lens.function.is_some() {
        let side = (area.height() - 8.0)
            .min(area.width() * 0.36)
            .clamp(0.0, 240.0);
        let corner = pos2(area.right() - side, area.center().y - side / 2.0);
        return Middle::Curve(Rect::from_min_size(corner, vec2(side, side)));
    }
    let Some(step) = sample
        .steps
        .get(step)
        .filter(|_| matches!(sample.way, Way::Max | Way::Mean | Way::Put))
    else {
        return Middle::Nothing;
    };
    if sample.steps.len() < 2 {
        return Middle::Nothing;
    }
    let first = step.touches.first().map_or(0, |touch| touch.row);
    let columns = step
        .touches
        .iter()
        .take_while(|touch| touch.row == first)
        .count()
        .max(1);
    let values = step
        .touches
        .iter()
        .enumerate()
        .map(|(index, touch)| match sample.way {
            Way::Put if step.chosen == Some(index) => sample.input.value(Some(step.cell)),
            Way::Put => 0.0,
            _ => sample.input.value(touch.cell),
        });
    let values: Vec<f64> = values.collect();
    Middle::Window(Sheet::new(values.len() / columns, columns, values))
}
