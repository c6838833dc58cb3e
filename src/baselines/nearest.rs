//! The k nearest neighbours: the class that most of them have.

use super::model::{Classifier, GoOn, Predictions, Samples};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use strata_inspect::neighbours::{Metric, Rows, VOTES, all_nearest, vote};

/// The rows that are searched.
pub(crate) struct Neighbours {
    samples: Samples,
    labels: Vec<Option<u32>>,
}

impl Neighbours {
    /// Keeps the rows.
    pub fn of(samples: &Samples) -> Neighbours {
        Neighbours {
            labels: samples.labels.iter().copied().map(Some).collect(),
            samples: samples.clone(),
        }
    }
}

impl Classifier for Neighbours {
    fn predict(&self, rows: Rows<'_>, go_on: GoOn<'_>) -> Option<Predictions> {
        let total = rows.len();
        let told = AtomicUsize::new(0);
        let mut report = |done| {
            told.store(done, Relaxed);
            go_on(done, total)
        };
        let bank = self.samples.rows();
        let near = all_nearest(bank, rows, Metric::Euclidean, VOTES, &mut report)?;
        let mut predictions = Predictions::default();
        for near in &near {
            let mut shares = vec![0.0; self.samples.classes];
            for (row, _) in near {
                let class = self.samples.labels[*row] as usize;
                shares[class] += 1.0 / near.len() as f64;
            }
            predictions
                .answers
                .push(vote(near, &self.labels).unwrap_or(0));
            predictions.probabilities.extend(shares);
        }
        Some(predictions)
    }
}
