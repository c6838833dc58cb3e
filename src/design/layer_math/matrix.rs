//! A layer as one sparse matrix: rows are output cells, columns input cells, every entry a kernel weight.
//!
//! For a convolution it is doubly block Toeplitz, and its transpose is the transposed convolution. Layers that are
//! no sums of their inputs have none; a max pooling has the one that selects the winners of the present numbers.

use super::sample::{Sample, Way};

/// An entry that is not zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// Its row.
    pub row: usize,
    /// Its column.
    pub column: usize,
    /// Index of the weight in [`Sample::weights`].
    pub weight: usize,
    /// The weight.
    pub value: f64,
}

/// A sparse matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Rows: cells of the output.
    pub rows: usize,
    /// Columns: cells of the input.
    pub columns: usize,
    /// Rows and columns of a block: a line of the output's and of the input's grid.
    pub block: [usize; 2],
    /// The entries, by row and column.
    pub entries: Vec<Entry>,
}

impl Matrix {
    /// The matrix of a sample; `None` where a layer is not linear.
    pub fn of(sample: &Sample) -> Option<Matrix> {
        if sample.way == Way::Apply {
            return None;
        }
        let mut entries = Vec::new();
        for step in &sample.steps {
            for (index, touch) in step.touches.iter().enumerate() {
                let counts = step.chosen.is_none_or(|chosen| chosen == index);
                let Some(cell) = touch.cell.filter(|_| counts) else {
                    continue;
                };
                let (row, column) = if sample.way.writes() {
                    (cell, step.cell)
                } else {
                    (step.cell, cell)
                };
                let value = sample.weights.get(touch.weight).copied().unwrap_or(1.0);
                entries.push(Entry {
                    row,
                    column,
                    weight: touch.weight,
                    value,
                });
            }
        }
        entries.sort_by_key(|entry| (entry.row, entry.column));
        let block = [sample.output.columns, sample.input.columns];
        Some(Matrix {
            rows: sample.output.len(),
            columns: sample.input.len(),
            block,
            entries,
        })
    }

    /// Rows and columns exchanged.
    pub fn transposed(&self) -> Matrix {
        let turned = |entry: &Entry| Entry {
            row: entry.column,
            column: entry.row,
            ..*entry
        };
        let mut entries: Vec<Entry> = self.entries.iter().map(turned).collect();
        entries.sort_by_key(|entry| (entry.row, entry.column));
        Matrix {
            rows: self.columns,
            columns: self.rows,
            block: [self.block[1], self.block[0]],
            entries,
        }
    }

    /// The product with a vector; numbers that are missing count as 0.
    pub fn times(&self, vector: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; self.rows];
        for entry in &self.entries {
            if let Some(sum) = product.get_mut(entry.row) {
                *sum += entry.value * vector.get(entry.column).copied().unwrap_or(0.0);
            }
        }
        product
    }

    /// The entry at a place, if it is not zero.
    pub fn entry(&self, row: usize, column: usize) -> Option<&Entry> {
        let at = self
            .entries
            .binary_search_by_key(&(row, column), |entry| (entry.row, entry.column))
            .ok()?;
        self.entries.get(at)
    }
}
