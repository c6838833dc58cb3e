//! The linear support vector machine: for each class a plane against all others, with the squared hinge loss (Fan et
//! al. 2008, LIBLINEAR), and Platt's sigmoids for probabilities.

use super::lbfgs::{Ended, Limits, minimise};
use super::passes::Passes;
use super::platt::Sigmoid;
use super::{MOST_ITERATIONS, Weights, penalise};
use crate::model::{Classifier, GoOn, Predictions, Samples, greatest};
use strata_inspect::neighbours::Rows;

/// Parts of the rows, each of which is scored by planes that were fitted to the others.
const FOLDS: usize = 5;
/// The optimum is reached where no slope of the mean loss is above this.
const TOLERANCE: f64 = 1e-4;

/// The planes, with a sigmoid for each.
pub(crate) struct SupportVectors {
    weights: Weights,
    sigmoids: Vec<Sigmoid>,
}

impl SupportVectors {
    /// Fits it; what is to be said of the fit goes to `notes`.
    pub fn fit(
        samples: &Samples,
        notes: &mut Vec<String>,
        go_on: GoOn<'_>,
    ) -> Option<SupportVectors> {
        let total = (FOLDS + 1) * MOST_ITERATIONS;
        let start = Weights::zero(samples.width, samples.classes);
        let (weights, ended) = planes(samples, start, &|iteration| go_on(iteration, total))?;
        if ended == Ended::Limit {
            notes.push(format!(
                "the planes were still improving after {MOST_ITERATIONS} iterations: values of very different sizes slow them down"
            ));
        }
        let folds = folds(&samples.labels, samples.classes);
        let mut scores = vec![0.0; samples.len() * samples.classes];
        for fold in 0..FOLDS {
            let fitted = part(samples, |row| folds[row] != fold);
            let held_out = part(samples, |row| folds[row] == fold);
            if fitted.is_empty() || held_out.is_empty() {
                continue;
            }
            let done = |iteration| go_on((fold + 1) * MOST_ITERATIONS + iteration, total);
            // The planes of all rows are near those of most of them.
            let (planes, _) = planes(&fitted, weights.clone(), &done)?;
            let own = planes.scores(held_out.rows());
            let rows = (0..samples.len()).filter(|row| folds[*row] == fold);
            for (row, own) in rows.zip(own.chunks_exact(samples.classes)) {
                scores[row * samples.classes..][..samples.classes].copy_from_slice(own);
            }
        }
        let sigmoid = |class: usize| {
            let own = scores.iter().skip(class).step_by(samples.classes);
            let is_right = samples.labels.iter().map(|label| *label as usize == class);
            Sigmoid::fit(
                &own.copied().collect::<Vec<_>>(),
                &is_right.collect::<Vec<_>>(),
            )
        };
        Some(SupportVectors {
            sigmoids: (0..samples.classes).map(sigmoid).collect(),
            weights,
        })
    }
}

impl Classifier for SupportVectors {
    fn predict(&self, rows: Rows<'_>, _: GoOn<'_>) -> Option<Predictions> {
        let mut probabilities = self.weights.scores(rows);
        let classes = self.weights.classes;
        let mut answers = Vec::with_capacity(rows.len());
        for scores in probabilities.chunks_exact_mut(classes) {
            // The plane that a row lies farthest before decides, not the sigmoids, which may rank classes otherwise.
            answers.push(greatest(scores));
            for (score, sigmoid) in scores.iter_mut().zip(&self.sigmoids) {
                *score = sigmoid.probability(*score);
            }
            let sum: f64 = scores.iter().sum();
            let even = 1.0 / classes as f64;
            for score in scores.iter_mut() {
                *score = if sum > 0.0 { *score / sum } else { even };
            }
        }
        Some(Predictions {
            answers,
            probabilities,
        })
    }
}

/// The planes of these rows, from where to start; constants are penalised as weights are. `None` when they are not
/// wanted any more.
fn planes(
    samples: &Samples,
    mut weights: Weights,
    go_on: &dyn Fn(usize) -> bool,
) -> Option<(Weights, Ended)> {
    let passes = Passes::of(samples.rows(), samples.classes);
    let count = samples.len() as f64;
    let penalised = weights.values.len();
    let mut loss = |values: &[f64], slopes: &mut [f64]| {
        let losses = passes.pass(values, slopes, |row, scores, grads| {
            squared_hinge(scores, samples.labels[row] as usize, grads)
        });
        for slope in slopes.iter_mut() {
            *slope /= count;
        }
        losses / count + penalise(values, slopes, penalised, 1.0 / count)
    };
    let limits = Limits {
        iterations: MOST_ITERATIONS,
        slope: TOLERANCE,
    };
    match minimise(&mut weights.values, &mut loss, limits, go_on) {
        Ended::Cancelled => None,
        ended => Some((weights, ended)),
    }
}

/// The losses of all planes for a row, and their slopes by the scores.
fn squared_hinge(scores: &[f32], label: usize, grads: &mut [f32]) -> f64 {
    let mut loss = 0.0;
    for (class, (score, grad)) in scores.iter().zip(grads).enumerate() {
        let side = if class == label { 1.0 } else { -1.0 };
        let short = (1.0 - side * score).max(0.0);
        *grad = -2.0 * side * short;
        loss += f64::from(short * short);
    }
    loss
}

/// The fold of each row: of every class as many in each, in their order (scikit-learn's `StratifiedKFold`).
fn folds(labels: &[u32], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for label in labels {
        counts[*label as usize] += 1;
    }
    let mut start = 0;
    let mut of_class = Vec::with_capacity(classes);
    for count in counts {
        let in_fold = |fold: usize| (start..start + count).filter(move |at| at % FOLDS == fold);
        let folds = (0..FOLDS).flat_map(|fold| in_fold(fold).map(move |_| fold));
        of_class.push(folds.collect::<Vec<usize>>().into_iter());
        start += count;
    }
    let fold = |label: &u32| of_class[*label as usize].next().unwrap_or(0);
    labels.iter().map(fold).collect()
}

/// The rows that are wanted.
fn part(samples: &Samples, wanted: impl Fn(usize) -> bool) -> Samples {
    let mut part = Samples {
        width: samples.width,
        classes: samples.classes,
        ..Samples::default()
    };
    for row in (0..samples.len()).filter(|row| wanted(*row)) {
        part.values.extend(samples.rows().row(row));
        part.labels.push(samples.labels[row]);
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `StratifiedKFold(5)` deals them.
    #[test]
    fn folds_have_of_every_class_as_many() {
        let labels = [0, 1, 0, 1, 0, 1, 0, 2, 1, 0, 2, 1];
        assert_eq!(folds(&labels, 3), FOLDS_OF_SCIKIT_LEARN);
    }

    const FOLDS_OF_SCIKIT_LEARN: [usize; 12] = [0, 0, 1, 1, 2, 2, 3, 0, 3, 4, 1, 4];
}
