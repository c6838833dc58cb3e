//! Painting of a step.

use super::super::{grid, plot};
use super::layout::{Middle, Stage};
use crate::theme::{self, Palette};
use eframe::egui::{Align2, Color32, Painter, Rect, Stroke, StrokeKind, Ui, pos2, vec2};
use strata_core::project::size::Shape;
use strata_design::layer_math::{Lens, Sample, Sheet, Step, Way};

/// The ends of the diverging map: blue for negative, red for positive numbers.
const NEGATIVE: Color32 = Color32::from_rgb(48, 122, 196);
const POSITIVE: Color32 = Color32::from_rgb(206, 60, 66);

/// How cells are coloured.
#[derive(Clone, Copy)]
struct Inks {
    colors: &'static Palette,
    /// The colour of the layer's family.
    family: Color32,
}

/// Paints the grids, what is between them, and the beams.
pub fn stage(ui: &Ui, lens: &Lens, stage: &Stage<'_>, focused: bool) {
    let inks = Inks {
        colors: theme::palette(ui),
        family: theme::family(ui, lens.family),
    };
    let painter = ui.painter();
    let sample = stage.sample;
    let Some(step) = sample.steps.get(stage.step) else {
        return;
    };
    beams(painter, stage, inks);
    input(painter, stage, step, inks);
    middle(ui, lens, stage, step, inks);
    output(painter, stage, step, inks);
    captions(ui, lens, stage);
    let main = if sample.way.writes() {
        stage.input.bounds()
    } else {
        stage.output.bounds()
    };
    if focused {
        painter.rect_stroke(
            main.expand(4.0),
            theme::RADIUS,
            Stroke::new(1.0, inks.colors.accent),
            StrokeKind::Outside,
        );
    }
}

fn beams(painter: &Painter, stage: &Stage<'_>, inks: Inks) {
    let [from, to] = stage.marks();
    match &stage.middle {
        Middle::Kernel(_) | Middle::Window(_) => {
            let kernel = stage.middle_bounds();
            grid::beam(painter, from, kernel, stage.down, inks.family);
            grid::beam(painter, kernel, to, stage.down, inks.family);
        }
        Middle::Curve(_) | Middle::Nothing => {
            grid::beam(painter, from, to, stage.down, inks.family)
        }
    }
}

/// A cell's colour: grey by size where all numbers are positive, else blue and red around zero.
fn tint(inks: Inks, sheet: &Sheet, value: f64) -> Color32 {
    let most = sheet
        .values
        .iter()
        .fold(0.0f64, |most, value| most.max(value.abs()))
        .max(1e-9);
    let share = (value.abs() / most) as f32;
    if sheet.values.iter().all(|value| *value >= 0.0) {
        return grid::mix(inks.colors.raised, inks.colors.weak, 0.38 * share);
    }
    grid::mix(
        inks.colors.raised,
        if value < 0.0 { NEGATIVE } else { POSITIVE },
        0.5 * share,
    )
}

fn input(painter: &Painter, stage: &Stage<'_>, step: &Step, inks: Inks) {
    let (grid, sample) = (&stage.input, stage.sample);
    let writes = sample.way.writes();
    let touched = |cell: usize| {
        step.touches
            .iter()
            .position(|touch| touch.cell == Some(cell))
            .filter(|_| !writes)
    };
    let read = read(sample);
    for (plane, row, column) in grid.margin() {
        let rect = grid.rect(plane, row, column);
        let covered = step
            .touches
            .iter()
            .find(|touch| [touch.row, touch.column] == [row, column] && touch.plane == plane);
        if let Some(touch) = covered {
            painter.rect_filled(rect.shrink(1.0), 1.0, theme::faded(inks.family, 0.20));
            weight(painter, rect, sample, touch.weight, inks);
        }
        grid::dashed(
            painter,
            rect,
            if covered.is_some() {
                inks.family
            } else {
                inks.colors.line
            },
        );
        grid::write(
            painter,
            rect,
            0.0,
            if covered.is_some() {
                inks.colors.text
            } else {
                inks.colors.weak
            },
        );
    }
    for (cell, is_read) in read.into_iter().enumerate() {
        let (rect, value) = (grid.of(cell), grid.sheet.value(Some(cell)));
        let here = touched(cell);
        let counts = here.is_some_and(|index| step.chosen.is_none_or(|chosen| chosen == index));
        let strength = match (here, writes && step.cell == cell) {
            // The numbers on it are read.
            (Some(_), _) if counts => 0.36,
            (Some(_), _) => 0.22,
            (None, true) => 0.45,
            (None, false) => 0.0,
        };
        grid::cell(
            painter,
            rect,
            grid::mix(tint(inks, grid.sheet, value), inks.family, strength),
            inks.colors.line,
        );
        if !writes && !is_read {
            grid::hatched(painter, rect, theme::faded(inks.colors.second, 0.7));
        }
        grid::write(
            painter,
            rect,
            value,
            if strength > 0.0 {
                inks.colors.strong
            } else {
                inks.colors.text
            },
        );
        if let Some(touch) = here.and_then(|index| step.touches.get(index)) {
            weight(painter, rect, sample, touch.weight, inks);
        }
    }
    grid::frame(painter, stage.marks()[0], inks.family);
}

/// The weight in the corner of a cell that is multiplied with it.
fn weight(painter: &Painter, rect: Rect, sample: &Sample, weight: usize, inks: Inks) {
    let is_window = sample.way == Way::Sum && sample.kernel.is_some() && sample.input.columns > 1;
    if let Some(value) = sample.weights.get(weight).filter(|_| is_window) {
        grid::subscript(painter, rect, *value, inks.colors.strong);
    }
}

/// Which input cells some step reads.
fn read(sample: &Sample) -> Vec<bool> {
    let mut read = vec![false; sample.input.len()];
    for touch in sample.steps.iter().flat_map(|step| &step.touches) {
        if let Some(read) = touch.cell.and_then(|cell| read.get_mut(cell)) {
            *read = true;
        }
    }
    read
}

fn middle(ui: &Ui, lens: &Lens, stage: &Stage<'_>, step: &Step, inks: Inks) {
    let painter = ui.painter();
    match &stage.middle {
        Middle::Curve(rect) => {
            let x = stage.sample.input.value(Some(step.cell));
            if let Some(function) = lens.function {
                plot::curve(ui, *rect, function, x, inks.family);
            }
        }
        Middle::Nothing => {}
        Middle::Kernel(sheet) | Middle::Window(sheet) => {
            let grid = grid::Grid {
                sheet,
                origin: stage.middle_at,
                cell: stage.input.cell,
            };
            painter.rect_filled(grid.bounds(), 1.0, inks.colors.panel);
            for cell in 0..sheet.len() {
                let (rect, value) = (grid.of(cell), sheet.value(Some(cell)));
                let chosen = matches!(stage.middle, Middle::Window(_)) && step.chosen == Some(cell);
                let fill = tint(inks, sheet, value);
                let fill = if chosen {
                    grid::mix(fill, inks.family, 0.55)
                } else {
                    fill
                };
                let padding = matches!(stage.middle, Middle::Window(_))
                    && step
                        .touches
                        .get(cell)
                        .is_some_and(|touch| touch.cell.is_none());
                if padding {
                    grid::dashed(painter, rect, inks.colors.weak);
                } else {
                    grid::cell(painter, rect, fill, inks.colors.line);
                }
                let left_out = padding && stage.sample.way == Way::Max;
                grid::write_text(
                    painter,
                    rect,
                    &if left_out {
                        String::new()
                    } else {
                        strata_design::layer_math::number(value)
                    },
                    inks.colors.strong,
                );
            }
            let marked = if is_matrix(stage.sample) {
                row(&grid, step.cell)
            } else {
                grid.bounds()
            };
            grid::frame(painter, marked, inks.family);
        }
    }
}

/// A dense layer: the kernel is a whole matrix, of which a step takes one row.
fn is_matrix(sample: &Sample) -> bool {
    sample.way == Way::Sum
        && sample.input.columns == 1
        && sample
            .kernel
            .is_some_and(|[rows, _]| rows == sample.output.rows)
}

fn row(grid: &grid::Grid<'_>, row: usize) -> Rect {
    let last = grid.sheet.columns.saturating_sub(1) as i64;
    grid.rect(0, row as i64, 0)
        .union(grid.rect(0, row as i64, last))
}

fn output(painter: &Painter, stage: &Stage<'_>, step: &Step, inks: Inks) {
    let (grid, sample) = (&stage.output, stage.sample);
    let (known, counts) = (sample.after(stage.step), written(sample, stage.step));
    let writes = sample.way.writes();
    let now = |plane: usize, row: i64, column: i64| {
        let place = |touch: &&strata_design::layer_math::Touch| {
            (touch.plane, touch.row, touch.column) == (plane, row, column)
        };
        step.touches.iter().find(place).filter(|_| writes)
    };
    for (plane, row, column) in grid.margin() {
        let rect = grid.rect(plane, row, column);
        let covered = now(plane, row, column);
        if covered.is_some() {
            painter.rect_filled(rect.shrink(1.0), 1.0, theme::faded(inks.family, 0.15));
        }
        grid::dashed(
            painter,
            rect,
            if covered.is_some() {
                inks.family
            } else {
                inks.colors.line
            },
        );
    }
    for (cell, count) in counts.into_iter().enumerate() {
        let rect = grid.of(cell);
        let [plane, row, column] = sample.output.place(cell);
        let here = now(plane, row as i64, column as i64).is_some();
        let Some(value) = known.get(cell).copied().flatten() else {
            grid::cell(painter, rect, inks.colors.panel, inks.colors.line);
            continue;
        };
        let fill = match writes {
            true if sample.way == Way::Scatter => {
                grid::mix(inks.colors.raised, inks.family, 0.13 * count.min(4) as f32)
            }
            true => grid::mix(
                inks.colors.raised,
                inks.family,
                if value == 0.0 { 0.0 } else { 0.3 },
            ),
            false => tint(inks, grid.sheet, value),
        };
        let fill = if here || (!writes && cell == step.cell) {
            grid::mix(fill, inks.family, 0.4)
        } else {
            fill
        };
        grid::cell(painter, rect, fill, inks.colors.line);
        grid::write(
            painter,
            rect,
            value,
            if here || cell == step.cell {
                inks.colors.strong
            } else {
                inks.colors.text
            },
        );
    }
    grid::frame(painter, stage.marks()[1], inks.family);
}

/// How often each output cell was written up to a step.
fn written(sample: &Sample, step: usize) -> Vec<usize> {
    let mut counts = vec![0; sample.output.len()];
    for touch in sample
        .steps
        .iter()
        .take(step + 1)
        .flat_map(|step| &step.touches)
    {
        if let Some(count) = touch.cell.and_then(|cell| counts.get_mut(cell)) {
            *count += 1;
        }
    }
    counts
}

/// What is above the grids, as much of it as keeps clear of the neighbours.
fn captions(ui: &Ui, lens: &Lens, stage: &Stage<'_>) {
    let sample = stage.sample;
    let write = |bounds: Rect, name: &str, sheet: &Sheet, shape: Option<&Shape>| {
        let sized = format!("{name} {}", size(sheet));
        let own = shape
            .map(spatial)
            .filter(|own| !sample.own_size && sheet.planes == 1 && *own != size(sheet));
        let full = own.map(|own| format!("{sized} (of {own})"));
        let room = if stage.down {
            f32::INFINITY
        } else {
            bounds.width() + 44.0
        };
        let fits = |text: &String| grid::caption_width(ui, text) <= room;
        let text = full
            .into_iter()
            .chain([sized])
            .find(fits)
            .unwrap_or_else(|| name.to_owned());
        grid::caption(ui, bounds, &text);
    };
    write(
        stage.input.bounds(),
        "input",
        &sample.input,
        lens.input.as_ref(),
    );
    write(
        stage.output.bounds(),
        "output",
        &sample.output,
        lens.output.as_ref(),
    );
    match &stage.middle {
        Middle::Kernel(sheet) if is_matrix(sample) => {
            write(stage.middle_bounds(), "weights", sheet, None)
        }
        Middle::Kernel(sheet) => write(stage.middle_bounds(), "kernel", sheet, None),
        Middle::Window(_) => grid::caption(ui, stage.middle_bounds(), window_name(sample.way)),
        Middle::Curve(_) | Middle::Nothing => {}
    }
    signs(ui, stage);
}

fn window_name(way: Way) -> &'static str {
    match way {
        Way::Mean => "mean",
        Way::Max => "maximum",
        _ => "window",
    }
}

/// `6×6`, `2×3×3` for several planes, `12` for a single row.
fn size(sheet: &Sheet) -> String {
    match sheet {
        Sheet {
            planes: 1,
            rows: 1,
            columns,
            ..
        } => columns.to_string(),
        Sheet {
            planes: 1,
            rows,
            columns: 1,
            ..
        } => rows.to_string(),
        Sheet {
            planes: 1,
            rows,
            columns,
            ..
        } => format!("{rows}×{columns}"),
        Sheet {
            planes,
            rows,
            columns,
            ..
        } => format!("{planes}×{rows}×{columns}"),
    }
}

/// The sizes of the axes that are drawn; a vector's length.
fn spatial(shape: &Shape) -> String {
    let drawn = shape.rank().saturating_sub(2)..;
    match shape.spatial().get(drawn) {
        Some(sizes) if !sizes.is_empty() => sizes
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join("×"),
        _ => shape.to_string(),
    }
}

/// `∗` and `=` between grids that are side by side.
fn signs(ui: &Ui, stage: &Stage<'_>) {
    if stage.down {
        return;
    }
    let (color, font) = (
        theme::palette(ui).weak,
        eframe::egui::FontId::proportional(theme::TITLE),
    );
    let write = |from: Rect, to: Rect, sign: &str| {
        let at = pos2(
            (from.right() + to.left()) / 2.0,
            (stage.input.bounds().center().y + stage.output.bounds().center().y) / 2.0,
        );
        let back = Rect::from_center_size(at, vec2(14.0, 18.0));
        ui.painter().rect_filled(
            back,
            theme::RADIUS,
            theme::faded(theme::palette(ui).panel, 0.75),
        );
        ui.painter()
            .text(at, Align2::CENTER_CENTER, sign, font.clone(), color);
    };
    let [input, output] = [stage.input.bounds(), stage.output.bounds()];
    match (&stage.middle, stage.sample.way) {
        (Middle::Kernel(_), Way::Sum) if !is_matrix(stage.sample) => {
            write(input, stage.middle_bounds(), "∗");
            write(stage.middle_bounds(), output, "=");
        }
        (Middle::Kernel(_) | Middle::Window(_), _) => {
            write(input, stage.middle_bounds(), "→");
            write(stage.middle_bounds(), output, "→");
        }
        _ => write(input, output, "→"),
    }
}
