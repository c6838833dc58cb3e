//! Matrices with their axes exchanged, square by square in registers.

#![allow(unsafe_code)]

use super::real::Real;
use super::shared_output::SharedOutput;
use super::simd::{Kernel, Lanes, Level};

/// Rows and columns of a square.
pub(in crate::ops) const SQUARE: usize = 8;

/// Writes `rows × columns` of a matrix as `columns × rows`. Both are slices with the steps from row to row.
pub(crate) fn turn<T: Real>(
    level: Level,
    [rows, columns]: [usize; 2],
    (from, from_row): (&[T], usize),
    (to, to_row): (&mut [T], usize),
) {
    let turn = Turn {
        rows,
        columns,
        from,
        from_row,
        to: SharedOutput::new(to),
        to_row,
    };
    T::run_kernel(level, turn);
}

struct Turn<'a, T> {
    rows: usize,
    columns: usize,
    from: &'a [T],
    from_row: usize,
    to: SharedOutput<'a, T>,
    to_row: usize,
}

impl<T: Real> Turn<'_, T> {
    /// Whether everything that is read and written is inside the slices.
    fn fits(&self) -> bool {
        let end = |rows: usize, columns: usize, row: usize| {
            let before = rows.saturating_sub(1).saturating_mul(row);
            before.saturating_add(columns)
        };
        let is_empty = self.rows == 0 || self.columns == 0;
        is_empty
            || (end(self.rows, self.columns, self.from_row) <= self.from.len()
                && end(self.columns, self.rows, self.to_row) <= self.to.len())
    }

    /// A square, or what there is of it at the edges.
    #[inline(always)]
    fn square<L: Lanes<T>>(&self, lanes: L, row: usize, column: usize) {
        let from = self
            .from
            .as_ptr()
            .wrapping_add(row * self.from_row + column);
        let to = self
            .to
            .as_mut_ptr()
            .wrapping_add(column * self.to_row + row);
        if row + SQUARE <= self.rows && column + SQUARE <= self.columns {
            // SAFETY: `run` asserted `fits`, and the square is inside the rows and columns.
            return unsafe { lanes.turn_square(from, self.from_row, to, self.to_row) };
        }
        for r in 0..SQUARE.min(self.rows - row) {
            for c in 0..SQUARE.min(self.columns - column) {
                // SAFETY: as above.
                unsafe { *to.add(c * self.to_row + r) = *from.add(r * self.from_row + c) };
            }
        }
    }
}

impl<T: Real> Kernel<T> for Turn<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(self, lanes: L) {
        assert!(self.fits(), "a matrix outside its arrays");
        for row in (0..self.rows).step_by(SQUARE) {
            for column in (0..self.columns).step_by(SQUARE) {
                self.square(lanes, row, column);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        for level in Level::available() {
            for (rows, columns) in [(1, 1), (3, 40), (40, 3), (17, 33), (16, 16), (8, 9)] {
                let (from_row, to_row) = (columns + 2, rows + 3);
                let from: Vec<f32> = (0..rows * from_row).map(|i| i as f32).collect();
                let mut to = vec![-1.0; columns * to_row];
                let sizes = [rows, columns];
                turn(level, sizes, (&from, from_row), (&mut to, to_row));
                for (i, &number) in to.iter().enumerate() {
                    let (column, row) = (i / to_row, i % to_row);
                    let wanted = if row < rows {
                        from[row * from_row + column]
                    } else {
                        -1.0
                    };
                    assert_eq!(number, wanted, "{level:?}: {row}, {column}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "a matrix outside its arrays")]
    fn a_matrix_outside_its_arrays_is_refused() {
        let mut to = [0.0f32; 5];
        turn(Level::Plain, [2, 3], (&[0.0; 6], 3), (&mut to, 2));
    }
}
