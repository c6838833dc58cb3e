//! Passes over rows: the scores of linear models, and the slopes by their weights.
//!
//! Zeros are skipped, of which images of digits have four in five. Every block of rows sums into numbers of its own, and
//! the blocks are added in their order: the number of threads changes nothing.

use rayon::prelude::*;
use strata_inspect::neighbours::Rows;

/// Rows of a block.
const BLOCK: usize = 256;
/// Classes are kept in groups of this many, so that the compiler can use vector registers.
const LANES: usize = 4;

/// The rows of a pass.
pub(super) struct Passes<'a> {
    rows: Rows<'a>,
    classes: usize,
    /// Classes with the places that fill the last group.
    padded: usize,
}

/// A row's loss from its scores, with the slopes by them.
pub(super) trait RowLoss: Fn(usize, &[f32], &mut [f32]) -> f64 + Sync {}
impl<F: Fn(usize, &[f32], &mut [f32]) -> f64 + Sync> RowLoss for F {}

impl<'a> Passes<'a> {
    /// Passes over these rows.
    pub fn of(rows: Rows<'a>, classes: usize) -> Passes<'a> {
        Passes {
            rows,
            classes,
            padded: classes.next_multiple_of(LANES),
        }
    }

    /// `N × classes` scores of weights for each value and the constants, `(width + 1) × classes`.
    pub fn scores(&self, weights: &[f64]) -> Vec<f32> {
        let weights = self.packed(weights);
        let mut scores = vec![0.0; self.rows.len() * self.classes];
        let blocks = scores.par_chunks_mut(BLOCK * self.classes).enumerate();
        blocks.for_each(|(block, scores)| {
            let mut own = vec![0.0; self.padded];
            for (at, scores) in scores.chunks_exact_mut(self.classes).enumerate() {
                self.score(self.rows.row(block * BLOCK + at), &weights, &mut own);
                scores.copy_from_slice(&own[..self.classes]);
            }
        });
        scores
    }

    /// The sum of the rows' losses; the slopes by the weights replace those in `slopes`.
    pub fn pass(&self, weights: &[f64], slopes: &mut [f64], loss: impl RowLoss) -> f64 {
        let weights = self.packed(weights);
        let blocks = self.rows.len().div_ceil(BLOCK);
        let parts: Vec<(f64, Vec<f32>)> = (0..blocks)
            .into_par_iter()
            .map(|block| self.block(block, &weights, &loss))
            .collect();
        slopes.fill(0.0);
        let mut losses = 0.0;
        for (part, sums) in &parts {
            losses += part;
            let rows = slopes.chunks_exact_mut(self.classes);
            for (slopes, sums) in rows.zip(sums.chunks_exact(self.padded)) {
                for (slope, sum) in slopes.iter_mut().zip(sums) {
                    *slope += f64::from(*sum);
                }
            }
        }
        losses
    }

    fn block(&self, block: usize, weights: &[f32], loss: &impl RowLoss) -> (f64, Vec<f32>) {
        let mut sums = vec![0.0; weights.len()];
        let mut scores = vec![0.0; self.padded];
        let mut grads = vec![0.0; self.padded];
        let mut losses = 0.0;
        for row in block * BLOCK..self.rows.len().min((block + 1) * BLOCK) {
            let values = self.rows.row(row);
            self.score(values, weights, &mut scores);
            let (scores, grads) = (&scores[..self.classes], &mut grads);
            losses += loss(row, scores, &mut grads[..self.classes]);
            for (value, sums) in values.iter().zip(sums.chunks_exact_mut(self.padded)) {
                add(*value, grads, sums);
            }
            let constants = &mut sums[values.len() * self.padded..];
            add(1.0, grads, constants);
        }
        (losses, sums)
    }

    /// What the classes score for a row.
    fn score(&self, values: &[f32], weights: &[f32], scores: &mut [f32]) {
        scores.copy_from_slice(&weights[values.len() * self.padded..]);
        for (value, weights) in values.iter().zip(weights.chunks_exact(self.padded)) {
            add(*value, weights, scores);
        }
    }

    fn packed(&self, weights: &[f64]) -> Vec<f32> {
        let mut packed = vec![0.0; weights.len() / self.classes * self.padded];
        let rows = packed.chunks_exact_mut(self.padded);
        for (packed, weights) in rows.zip(weights.chunks_exact(self.classes)) {
            for (packed, weight) in packed.iter_mut().zip(weights) {
                *packed = *weight as f32;
            }
        }
        packed
    }
}

/// Adds `value · from` to `to`, both of whole groups.
fn add(value: f32, from: &[f32], to: &mut [f32]) {
    if value == 0.0 {
        return;
    }
    let groups = from.as_chunks::<LANES>().0;
    for (to, from) in to.as_chunks_mut::<LANES>().0.iter_mut().zip(groups) {
        for lane in 0..LANES {
            to[lane] += value * from[lane];
        }
    }
}
