//! Gradient-boosted trees (Friedman 2001) on histograms of binned values, as LightGBM (Ke et al. 2017) and scikit-learn's
//! `HistGradientBoostingClassifier` grow them.

use super::bins::Binned;
use super::grower::grow;
use super::histogram::{Bins, Slopes};
use super::tree::Tree;
use crate::linear::softmax;
use crate::model::{Classifier, GoOn, Predictions, Samples, greatest};
use rayon::prelude::*;
use strata_inspect::neighbours::Rows;

/// Rounds, each of a tree for every class (of two classes one).
const ROUNDS: usize = 100;
/// How much of what a tree finds is taken.
const RATE: f64 = 0.1;
/// Rows that are asked between two questions.
const ASKED: usize = 1024;

/// Trees of every round and class, on top of what is known without looking at a row.
pub(crate) struct Boosted {
    classes: usize,
    start: Vec<f64>,
    /// Round by round; of two classes a tree for the second alone.
    rounds: Vec<Vec<Tree<f64>>>,
}

impl Boosted {
    /// Grows the trees.
    pub fn fit(samples: &Samples, go_on: GoOn<'_>) -> Option<Boosted> {
        if !go_on(0, ROUNDS) {
            return None;
        }
        let binned = Binned::of(samples.rows());
        let bins = Bins::of(&binned);
        let mut boosted = Boosted {
            classes: samples.classes,
            start: start(samples),
            rounds: Vec::with_capacity(ROUNDS),
        };
        let outputs = boosted.start.len();
        let mut raw: Vec<f64> = boosted.start.repeat(samples.len());
        let mut slopes = vec![Slopes::default(); samples.len() * outputs];
        for round in 0..ROUNDS {
            take_slopes(samples, &raw, outputs, &mut slopes);
            let mut trees = Vec::with_capacity(outputs);
            for output in 0..outputs {
                let own = &slopes[output * samples.len()..][..samples.len()];
                let raw = &mut raw[output..];
                trees.push(grow((&binned, &bins), own, RATE, raw, outputs));
                if !go_on(round, ROUNDS) {
                    return None;
                }
            }
            boosted.rounds.push(trees);
        }
        go_on(ROUNDS, ROUNDS).then_some(boosted)
    }

    fn scores(&self, row: &[f32], scores: &mut [f64]) {
        let mut raw = self.start.clone();
        for trees in &self.rounds {
            for (raw, tree) in raw.iter_mut().zip(trees) {
                *raw += tree.values[tree.leaf(row)];
            }
        }
        match raw.as_slice() {
            [one] => scores.copy_from_slice(&[0.0, *one]),
            raw => scores.copy_from_slice(raw),
        }
        softmax(scores);
    }
}

impl Classifier for Boosted {
    fn predict(&self, rows: Rows<'_>, go_on: GoOn<'_>) -> Option<Predictions> {
        let mut probabilities = vec![0.0; rows.len() * self.classes];
        for (block, out) in probabilities.chunks_mut(ASKED * self.classes).enumerate() {
            let out = out.par_chunks_exact_mut(self.classes).enumerate();
            out.for_each(|(at, scores)| self.scores(rows.row(block * ASKED + at), scores));
            if !go_on(rows.len().min((block + 1) * ASKED), rows.len()) {
                return None;
            }
        }
        let answers = probabilities.chunks_exact(self.classes).map(greatest);
        Some(Predictions {
            answers: answers.collect(),
            probabilities,
        })
    }
}

/// The scores of the classes by how frequent they are; of two classes the second's, over the first.
fn start(samples: &Samples) -> Vec<f64> {
    let mut shares = vec![0.0; samples.classes];
    for label in &samples.labels {
        shares[*label as usize] += 1.0 / samples.len() as f64;
    }
    let logarithms = shares
        .iter()
        .map(|share: &f64| share.max(f64::EPSILON).ln());
    let logarithms: Vec<f64> = logarithms.collect();
    match logarithms.as_slice() {
        [first, second] => vec![second - first],
        all => {
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            all.iter().map(|value| value - mean).collect()
        }
    }
}

/// The slopes and bends of the cross-entropy by every score: those of the first output for all rows, then the next.
fn take_slopes(samples: &Samples, raw: &[f64], outputs: usize, slopes: &mut [Slopes]) {
    let count = samples.len();
    let mut shares = vec![0.0; outputs.max(2)];
    for (row, (raw, label)) in raw.chunks_exact(outputs).zip(&samples.labels).enumerate() {
        match raw {
            [one] => shares.copy_from_slice(&[0.0, *one]),
            raw => shares.copy_from_slice(raw),
        }
        softmax(&mut shares);
        // Of two classes the only output is the second's.
        let own = shares.iter().enumerate().skip(shares.len() - outputs);
        for (output, (class, share)) in own.enumerate() {
            let is_right = f64::from(u8::from(class == *label as usize));
            slopes[output * count + row] = Slopes {
                slope: (share - is_right) as f32,
                bend: (share * (1.0 - share)) as f32,
            };
        }
    }
}
