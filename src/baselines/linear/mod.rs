//! Linear models, fitted by L-BFGS: a weight for each value and class, and a constant for each class.

mod lbfgs;
mod passes;
mod platt;
mod svm;

pub(crate) use svm::SupportVectors;

use super::model::{Classifier, GoOn, Predictions, Samples, greatest};
use lbfgs::{Ended, Limits, minimise};
use passes::Passes;
use strata_inspect::neighbours::Rows;

/// Iterations at most.
const MOST_ITERATIONS: usize = 1000;
/// The optimum is reached where no slope of the mean loss is above this.
const TOLERANCE: f64 = 1e-4;

/// Weights of all classes, for each value and then the constants: `(width + 1) × classes`.
#[derive(Clone, Debug, PartialEq)]
struct Weights {
    width: usize,
    classes: usize,
    values: Vec<f64>,
}

impl Weights {
    fn zero(width: usize, classes: usize) -> Weights {
        Weights {
            width,
            classes,
            values: vec![0.0; (width + 1) * classes],
        }
    }

    /// What the classes score for each row: `N × classes`.
    fn scores(&self, rows: Rows<'_>) -> Vec<f64> {
        let passes = Passes::of(rows, self.classes);
        let scores = passes.scores(&self.values);
        scores.into_iter().map(f64::from).collect()
    }
}

/// Multinomial logistic regression: the softmax of linear scores, with half of the squared weights as a penalty
/// (C = 1; constants are free).
pub(crate) struct Logistic(Weights);

impl Logistic {
    /// Fits it; what is to be said of the fit goes to `notes`.
    pub fn fit(samples: &Samples, notes: &mut Vec<String>, go_on: GoOn<'_>) -> Option<Logistic> {
        let (width, classes) = (samples.width, samples.classes);
        let passes = Passes::of(samples.rows(), classes);
        let count = samples.len() as f64;
        // Of two classes scikit-learn has one vector of weights, the difference of ours, and its penalty.
        let penalty = if classes == 2 { 2.0 } else { 1.0 } / count;
        let mut weights = Weights::zero(width, classes);
        let mut loss = |values: &[f64], slopes: &mut [f64]| {
            let losses = passes.pass(values, slopes, |row, scores, grads| {
                cross_entropy(scores, samples.labels[row] as usize, grads)
            });
            let penalised = width * classes;
            for slope in slopes.iter_mut() {
                *slope /= count;
            }
            losses / count + penalise(values, slopes, penalised, penalty)
        };
        let limits = Limits {
            iterations: MOST_ITERATIONS,
            slope: TOLERANCE,
        };
        let done = &|iteration| go_on(iteration, MOST_ITERATIONS);
        match minimise(&mut weights.values, &mut loss, limits, done) {
            Ended::Cancelled => return None,
            Ended::Optimum => {}
            Ended::Limit => notes.push(format!(
                "the logistic regression was still improving after {MOST_ITERATIONS} iterations: values of very different sizes slow it down"
            )),
        }
        Some(Logistic(weights))
    }
}

impl Classifier for Logistic {
    fn predict(&self, rows: Rows<'_>, _: GoOn<'_>) -> Option<Predictions> {
        let mut probabilities = self.0.scores(rows);
        let mut answers = Vec::with_capacity(rows.len());
        for scores in probabilities.chunks_exact_mut(self.0.classes) {
            answers.push(greatest(scores));
            softmax(scores);
        }
        Some(Predictions {
            answers,
            probabilities,
        })
    }
}

/// Scores to probabilities.
pub(crate) fn softmax(scores: &mut [f64]) {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
}

/// The cross-entropy of a row, and its slopes by the scores.
fn cross_entropy(scores: &[f32], label: usize, grads: &mut [f32]) -> f64 {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0f32;
    for (grad, score) in grads.iter_mut().zip(scores) {
        *grad = (score - most).exp();
        sum += *grad;
    }
    for grad in grads.iter_mut() {
        *grad /= sum;
    }
    grads[label] -= 1.0;
    f64::from(sum.ln() + most - scores[label])
}

/// Half of the squares of the first weights, times `penalty`; its slopes are added.
fn penalise(values: &[f64], slopes: &mut [f64], penalised: usize, penalty: f64) -> f64 {
    let mut squares = 0.0;
    for (slope, value) in slopes.iter_mut().zip(values).take(penalised) {
        *slope += penalty * value;
        squares += value * value;
    }
    0.5 * penalty * squares
}
