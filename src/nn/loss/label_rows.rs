//! Binary cross-entropy of scores with rows of labels, the sigmoid a part of it: the mean over all scores, as
//! torch.nn.BCEWithLogitsLoss computes it, with its pos_weight. Each image may have any number of the labels.

use super::{ImageLoss, compare, images_of};
use crate::NnError;
use crate::ops::blocking::PARTS;
use crate::ops::real::Real;
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use candle_core::{Device, Tensor};
use rayon::prelude::*;

/// The score from which on an image is said to have a label: its probability is then a half.
pub(super) const THRESHOLD: f64 = 0.0;

#[derive(Clone, Copy)]
struct BceOfScores;

impl ImageLoss for BceOfScores {
    #[inline(always)]
    fn value<T: Real>(self, y: T, target: T) -> f64 {
        let (y, target) = (y.wide(), target.wide());
        y.max(0.0) - y * target + (-y.abs()).exp().ln_1p()
    }

    #[inline(always)]
    fn gradient<T: Real>(self, y: T, target: T, fraction: T) -> T {
        let (y, target) = (y.wide(), target.wide());
        T::narrow(1.0 / (1.0 + (-y).exp()) - target) * fraction
    }
}

/// The loss of scores beside the rows of labels; writes its gradient where one is wanted. Where there are weights, a label
/// that an image has counts by its own.
pub(super) fn evaluate<T: Real>(
    y: &[T],
    labels: &Tensor,
    weights: Option<&[f64]>,
    gradient: Option<&Tensor>,
) -> Result<f64, NnError> {
    let target = super::Target::Images(labels);
    let Some(weights) = weights else {
        return compare(BceOfScores, y, target, gradient);
    };
    let rows = images_of(target, y.len())?.to_device(&Device::Cpu)?;
    let columns = rows.dims().last().copied().unwrap_or(1).max(1);
    let mut all = vec![1.0; columns];
    for (weight, given) in all.iter_mut().zip(weights) {
        *weight = *given;
    }
    let rows = view::<T>(&rows)?;
    let Some(gradient) = gradient else {
        return Ok(weighted(y, &rows, &all, None));
    };
    let mut value = 0.0;
    fill::<T>(gradient, |gradient| {
        value = weighted(y, &rows, &all, Some(gradient))
    })?;
    Ok(value)
}

/// The mean where label c that is there counts `weights[c]` times. Sums run in parts of whole rows, in their order.
fn weighted<T: Real>(y: &[T], rows: &[T], weights: &[f64], gradient: Option<&mut [T]>) -> f64 {
    let columns = weights.len();
    let each = (y.len() / columns).div_ceil(PARTS).max(1) * columns;
    let fraction = 1.0 / y.len().max(1) as f64;
    let mut gradients = gradient.map(|gradient| gradient.chunks_mut(each));
    let mut parts: Vec<_> = y
        .chunks(each)
        .zip(rows.chunks(each))
        .map(|(y, rows)| (y, rows, gradients.as_mut().and_then(Iterator::next), 0.0))
        .collect();
    parts.par_iter_mut().for_each(|(y, rows, gradient, sum)| {
        let cells = y.iter().zip(rows.iter()).zip(weights.iter().cycle());
        for (at, ((y, target), weight)) in cells.enumerate() {
            let (y, target) = (y.wide(), target.wide());
            // Of the logarithm of the sigmoid, which a label that is there and one that is not share.
            let slope = 1.0 + (weight - 1.0) * target;
            *sum += (1.0 - target) * y + slope * ((-y.abs()).exp().ln_1p() + (-y).max(0.0));
            if let Some(gradient) = gradient {
                let missing = 1.0 / (1.0 + y.exp());
                gradient[at] = T::narrow(((1.0 - target) - slope * missing) * fraction);
            }
        }
    });
    parts.iter().map(|(.., sum)| sum).sum::<f64>() * fraction
}

/// How well the scores tell which labels each image has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowsRight {
    /// Pairs of an image and a label that are answered right.
    pub labels: usize,
    /// Images of which every label is.
    pub images: usize,
}

/// Counts right answers: a label is said to be there where its score is above 0. `scores` and `rows` are N×labels.
pub fn count_rows_right(scores: &Tensor, rows: &Tensor) -> Result<RowsRight, NnError> {
    let labels = rows.dims().last().copied().unwrap_or(0).max(1);
    let (scores, rows) = (
        scores.to_device(&Device::Cpu)?,
        rows.to_device(&Device::Cpu)?,
    );
    with_real!(scores, T => {
        let (y, t) = (view::<T>(&scores)?, view::<T>(&rows)?);
        let mut right = RowsRight::default();
        for (y, t) in y.chunks_exact(labels).zip(t.chunks_exact(labels)) {
            let is_right = |(y, t): (&T, &T)| (y.wide() > THRESHOLD) == (t.wide() > 0.5);
            let count = y.iter().zip(t).filter(|pair| is_right(*pair)).count();
            right.labels += count;
            right.images += usize::from(count == labels);
        }
        Ok(right)
    })
}

#[cfg(test)]
mod tests {
    use crate::loss::{Target, count_rows_right, evaluate, evaluate_weighted};
    use crate::ops::storage::Buffer;
    use candle_core::{Device, Tensor};
    use strata_core::project::loss::Loss;

    #[derive(serde::Deserialize)]
    struct Case {
        scores: Vec<Vec<f64>>,
        rows: Vec<Vec<f64>>,
        loss: f64,
        gradient: Vec<Vec<f64>>,
        pos_weight: Vec<f64>,
        weighted_loss: f64,
        weighted_gradient: Vec<Vec<f64>>,
        label_accuracy: f64,
        exact_match: f64,
    }

    /// `tests/fixtures/label_rows.py`: torch's BCEWithLogitsLoss and scikit-learn's accuracy.
    #[test]
    fn values_are_pytorchs_and_counts_scikit_learns() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/label_rows.json"
        );
        let cases: Vec<Case> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert!(cases.len() >= 4);
        for case in cases {
            let dims = (case.scores.len(), case.scores[0].len());
            let tensor =
                |rows: &[Vec<f64>]| Tensor::from_vec(rows.concat(), dims, &Device::Cpu).unwrap();
            let (y, t) = (tensor(&case.scores), tensor(&case.rows));
            let mut buffer = Buffer::default();
            let target = Target::LabelRows(&t);
            let found = evaluate(Loss::Bce, &y, target, Some(&mut buffer)).unwrap();
            let alone = evaluate(Loss::Bce, &y, target, None).unwrap();
            assert_eq!(found.value.to_bits(), alone.value.to_bits());
            assert!(
                (found.value - case.loss).abs() < 1e-12,
                "{} {}",
                found.value,
                case.loss
            );
            assert_eq!(found.weight, dims.0 as f64);
            let slopes = found
                .gradient
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1::<f64>()
                .unwrap();
            for (a, b) in slopes.iter().zip(case.gradient.concat()) {
                assert!((a - b).abs() < 1e-12, "{a} {b}");
            }
            let weights = Some(&case.pos_weight[..]);
            let weighted =
                evaluate_weighted(Loss::Bce, weights, &y, target, Some(&mut buffer)).unwrap();
            let alone = evaluate_weighted(Loss::Bce, weights, &y, target, None).unwrap();
            assert_eq!(weighted.value.to_bits(), alone.value.to_bits());
            assert!(
                (weighted.value - case.weighted_loss).abs() < 1e-12 * case.weighted_loss.max(1.0)
            );
            assert_eq!(weighted.weight, dims.0 as f64);
            let slopes = weighted.gradient.unwrap().flatten_all().unwrap();
            let slopes = slopes.to_vec1::<f64>().unwrap();
            for (a, b) in slopes.iter().zip(case.weighted_gradient.concat()) {
                assert!((a - b).abs() < 1e-12, "{a} {b}");
            }
            let right = count_rows_right(&y, &t).unwrap();
            let share = |count: usize, of: usize| count as f64 / of as f64;
            assert!((share(right.labels, dims.0 * dims.1) - case.label_accuracy).abs() < 1e-12);
            assert!((share(right.images, dims.0) - case.exact_match).abs() < 1e-12);
        }
    }

    #[test]
    fn rows_are_for_binary_cross_entropy_alone() {
        let y = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let refused = evaluate(Loss::CROSS_ENTROPY, &y, Target::LabelRows(&y), None);
        assert!(refused.unwrap_err().to_string().contains("several labels"));
        let fewer = Tensor::zeros((2, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(evaluate(Loss::Bce, &y, Target::LabelRows(&fewer), None).is_err());
    }
}
