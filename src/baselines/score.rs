//! Accuracy, log loss and confusion of what a model says of a split.

use super::model::Predictions;

/// The least probability that the log loss takes: that of a class to which a model gives none. As in scikit-learn, so
/// that one image whose class is held impossible costs 36.
const LEAST: f64 = f64::EPSILON;

/// What a model says of a split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// The share of images that are taken for what they are.
    pub accuracy: f64,
    /// Mean negative natural logarithm of the right class's probability.
    pub log_loss: f64,
    /// Images by right class (row) and answer (column).
    pub confusion: Vec<Vec<u64>>,
}

impl Score {
    /// Scores predictions; all zero where there are no labels.
    pub fn of(predictions: &Predictions, labels: &[u32], classes: usize) -> Score {
        let mut confusion = vec![vec![0; classes]; classes];
        let mut right = 0usize;
        let mut sum = 0.0;
        let rows = predictions.probabilities.chunks_exact(classes.max(1));
        for ((label, answer), row) in labels.iter().zip(&predictions.answers).zip(rows) {
            confusion[*label as usize][*answer as usize] += 1;
            right += usize::from(label == answer);
            sum -= row[*label as usize].clamp(LEAST, 1.0).ln();
        }
        let count = labels.len().max(1) as f64;
        Score {
            accuracy: right as f64 / count,
            log_loss: sum / count,
            confusion,
        }
    }
}
