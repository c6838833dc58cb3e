//! The parts of a drawing in columns, as a text is set.

use super::part::Part;
use super::{ARROW, Graph};

/// More columns than this do not help the eye.
pub(super) const MOST_COLUMNS: usize = 8;
/// Between two columns.
const BETWEEN: f32 = 34.0;
/// Room above and below a column for the way from one to the next.
const TURN: f32 = 24.0;

/// The parts in so many columns of about one height.
pub(super) fn columns(parts: &[Part], count: usize) -> Graph {
    let columns = split(parts, count);
    let is_wrapped = columns.len() > 1;
    let top = if is_wrapped { TURN } else { 0.0 };
    let mut whole = Part::default();
    let mut left = 0.0;
    let mut before: Option<([f32; 2], String)> = None;
    let mut height = 0.0f32;
    for column in columns {
        let column = Part::stacked(column, "");
        let at = [left + column.axis, top];
        if let Some(([x, y], shape)) = before.take() {
            let between = left - BETWEEN / 2.0;
            let points = vec![
                [x, y],
                [x, y + TURN - 4.0],
                [between, y + TURN - 4.0],
                [between, 2.0],
                [at[0], 2.0],
                at,
            ];
            whole.arrow(points, &shape);
        }
        whole.draw(&column, [left, top]);
        let bottom = top + column.height();
        height = height.max(bottom + if is_wrapped { TURN } else { 0.0 });
        before = Some(([at[0], bottom], column.shape.clone()));
        left += column.width() + BETWEEN;
    }
    Graph {
        size: [left - BETWEEN, height],
        ..whole.graph
    }
}

/// The parts in order, in columns that are not much higher than the mean.
fn split(parts: &[Part], count: usize) -> Vec<Vec<Part>> {
    let heights: Vec<f32> = parts.iter().map(|part| part.height() + ARROW).collect();
    let whole: f32 = heights.iter().sum();
    let tallest = heights.iter().copied().fold(0.0, f32::max);
    let mean = (whole / count as f32).max(tallest);
    let mut columns: Vec<Vec<Part>> = vec![Vec::new()];
    let mut filled = 0.0;
    for (part, height) in parts.iter().zip(heights) {
        let is_full = filled > 0.0 && filled + height > 1.02 * mean;
        if is_full && columns.len() < count {
            columns.push(Vec::new());
            filled = 0.0;
        }
        filled += height;
        if let Some(column) = columns.last_mut() {
            column.push(part.clone());
        }
    }
    columns
}
