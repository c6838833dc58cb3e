//! Losses with their gradients: mse, l1, bce, cross-entropy, each the mean PyTorch's class gives.
//!
//! Sums run in f64 and in a fixed order. The loss is computed on the CPU whatever the device: a batch of
//! outputs is small beside the activations that made it.

use super::NnError;
use super::ops::elementwise::zip;
use super::ops::real::Real;
use super::ops::reduce::{in_parts, sum_pairs};
use super::ops::simd::vectorized;
use super::ops::storage::{Buffer, fill, view};
use super::ops::with_real;
use crate::project::stage::Loss;
use candle_core::{Device, Tensor};
use rayon::prelude::*;

/// What the output is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Tensors of the output's shape.
    Images(&'a Tensor),
    /// One class index for each row.
    Labels(&'a [u32]),
    /// Two class indices for each row, of blended images (mixup).
    Blend(Blend<'a>),
}

/// The labels of images that are blends of two, in the same shares for every row. The loss is that of the one labels
/// times their share and that of the others times the rest: cross-entropy with the blended one-hot labels.
#[derive(Clone, Copy, Debug)]
pub struct Blend<'a> {
    /// The classes of the images that count for `share`.
    pub labels: &'a [u32],
    /// The classes of the images blended in.
    pub others: &'a [u32],
    /// From 0 to 1.
    pub share: f32,
}

/// A loss and, when asked for, its gradient for the output.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The loss, a mean.
    pub value: f64,
    /// Of the output's shape and type, on its device.
    pub gradient: Option<Tensor>,
}

/// Logarithms of probabilities below this count as its logarithm, so that one hopeless value does not
/// make the loss infinite (PyTorch clamps the logarithm at −100).
const LOG_FLOOR: f64 = -100.0;

/// Probabilities below this have the gradient of this one: its inverse still fits into f32.
const SMALLEST_P: f64 = 1e-30;

/// Rows of a classification that are worth a task.
const ROWS_PER_TASK: usize = 64;

/// Computes a loss. `after_softmax`: cross-entropy reads probabilities instead of logits. The gradient is
/// computed when there is a buffer for it.
pub fn evaluate(
    loss: Loss,
    output: &Tensor,
    target: Target<'_>,
    after_softmax: bool,
    gradient: Option<&mut Buffer>,
) -> Result<Evaluated, NnError> {
    let host = output.to_device(&Device::Cpu)?;
    let gradient = gradient
        .map(|buffer| buffer.get(output.dims(), &host))
        .transpose()?;
    let value = with_real!(host, T => {
        let y = view::<T>(&host)?;
        match target {
            Target::Images(images) => {
                let images = images.to_device(&Device::Cpu)?;
                let images = view::<T>(&images)?;
                if let Some(gradient) = &gradient {
                    fill::<T>(gradient, |gradient| slopes(loss, &y, &images, gradient))?;
                }
                Ok(mean(loss, &y, &images))
            }
            Target::Labels(labels) => {
                classes(y.len(), labels)?;
                if let Some(gradient) = &gradient {
                    fill::<T>(gradient, |gradient| class_slopes(&y, labels, after_softmax, gradient))?;
                }
                Ok(cross_entropy(&y, labels, after_softmax))
            }
            Target::Blend(blend) => {
                classes(y.len(), blend.labels)?;
                classes(y.len(), blend.others)?;
                if let Some(gradient) = &gradient {
                    fill::<T>(gradient, |gradient| blended_slopes(&y, blend, after_softmax, gradient))?;
                }
                let loss = |labels| cross_entropy(&y, labels, after_softmax);
                let share = f64::from(blend.share);
                Ok(share * loss(blend.labels) + (1.0 - share) * loss(blend.others))
            }
        }
    })?;
    let gradient = gradient.map(|g| g.to_device(output.device())).transpose()?;
    Ok(Evaluated { value, gradient })
}

/// The mean loss of outputs beside their targets.
fn mean<T: Real>(loss: Loss, y: &[T], target: &[T]) -> f64 {
    let mut total = [0.0];
    in_parts(y.len(), &mut total, |part, total| {
        let (y, target) = (&y[part.clone()], &target[part]);
        match loss {
            Loss::L1 => distances(y, target, total),
            Loss::Bce => total[0] = sum_pairs(y, target, |y, t| surprise(y.to_f64(), t.to_f64())),
            _ => squares(y, target, total),
        }
    });
    total[0] / y.len().max(1) as f64
}

fn surprise(y: f64, t: f64) -> f64 {
    -(t * log(y) + (1.0 - t) * log(1.0 - y))
}

vectorized! {
    fn distances<T: Real>(y: &[T], target: &[T], total: &mut [f64]) {
        total[0] = sum_pairs(y, target, |y, t| (y - t).to_f64().abs());
    }

    fn squares<T: Real>(y: &[T], target: &[T], total: &mut [f64]) {
        total[0] = sum_pairs(y, target, |y, t| {
            let d = y.to_f64() - t.to_f64();
            d * d
        });
    }
}

/// The gradient of [`mean`] for the outputs.
fn slopes<T: Real>(loss: Loss, y: &[T], target: &[T], gradient: &mut [T]) {
    let (share, zero) = (T::from_f64(1.0 / y.len().max(1) as f64), T::zero());
    match loss {
        Loss::L1 => zip(y, target, gradient, |y, t| {
            if y == t {
                zero
            } else {
                (y - t).signum() * share
            }
        }),
        // PyTorch's: the denominator is kept from 0.
        Loss::Bce => zip(y, target, gradient, |y, t| {
            let (y, t) = (y.to_f64(), t.to_f64());
            T::from_f64((y - t) / (y * (1.0 - y)).max(1e-12)) * share
        }),
        _ => {
            let twice = share + share;
            zip(y, target, gradient, |y, t| (y - t) * twice);
        }
    }
}

/// ln, kept from −∞ but not from NaN.
fn log(p: f64) -> f64 {
    let log = p.ln();
    if log < LOG_FLOOR { LOG_FLOOR } else { log }
}

/// ln Σ eˣ of a row.
fn log_sum<T: Real>(row: &[T]) -> f64 {
    let highest = row
        .iter()
        .map(|&v| v.to_f64())
        .fold(f64::NEG_INFINITY, f64::max);
    highest
        + row
            .iter()
            .map(|&v| (v.to_f64() - highest).exp())
            .sum::<f64>()
            .ln()
}

/// The mean over rows of −ln of the right class's probability.
fn cross_entropy<T: Real>(y: &[T], labels: &[u32], after_softmax: bool) -> f64 {
    let classes = y.len() / labels.len().max(1);
    let mut total = [0.0];
    in_parts(labels.len(), &mut total, |rows, total| {
        let each = y[rows.start * classes..rows.end * classes]
            .chunks_exact(classes)
            .zip(&labels[rows]);
        total[0] = each
            .map(|(row, &label)| {
                let right = row[label as usize].to_f64();
                if after_softmax {
                    -log(right)
                } else {
                    log_sum(row) - right
                }
            })
            .sum();
    });
    total[0] / labels.len() as f64
}

/// The gradient of [`cross_entropy`] for the outputs.
fn class_slopes<T: Real>(y: &[T], labels: &[u32], after_softmax: bool, gradient: &mut [T]) {
    let (classes, count) = (y.len() / labels.len().max(1), labels.len() as f64);
    let rows = gradient
        .par_chunks_mut(classes)
        .zip(y.par_chunks(classes))
        .with_min_len(ROWS_PER_TASK);
    rows.zip(labels).for_each(|((gradient, row), &label)| {
        let log_sum = if after_softmax { 0.0 } else { log_sum(row) };
        for (class, (gradient, &y)) in gradient.iter_mut().zip(row).enumerate() {
            let hit = if class == label as usize { 1.0 } else { 0.0 };
            let slope = if after_softmax {
                -hit / y.to_f64().max(SMALLEST_P)
            } else {
                (y.to_f64() - log_sum).exp() - hit
            };
            *gradient = T::from_f64(slope / count);
        }
    });
}

/// The gradient for [`Target::Blend`]; needs memory of its own, as only mixup does.
fn blended_slopes<T: Real>(y: &[T], blend: Blend<'_>, after_softmax: bool, gradient: &mut [T]) {
    class_slopes(y, blend.labels, after_softmax, gradient);
    let mut others = vec![T::zero(); gradient.len()];
    class_slopes(y, blend.others, after_softmax, &mut others);
    let (share, rest) = (
        T::from_f64(f64::from(blend.share)),
        T::from_f64(1.0 - f64::from(blend.share)),
    );
    gradient
        .iter_mut()
        .zip(others)
        .for_each(|(slope, other)| *slope = share * *slope + rest * other);
}

/// Outputs for each row; refuses labels that no output stands for.
fn classes(numbers: usize, labels: &[u32]) -> Result<usize, NnError> {
    let classes = numbers / labels.len().max(1);
    match labels.iter().find(|&&label| label as usize >= classes) {
        Some(label) => Err(NnError::Unsupported(format!(
            "label {label} with {classes} outputs"
        ))),
        None => Ok(classes),
    }
}

/// How many rows have their largest output at the label; the first of equal outputs counts.
pub fn count_correct(output: &Tensor, labels: &[u32]) -> Result<usize, NnError> {
    let host = output.to_device(&Device::Cpu)?;
    with_real!(host, T => {
        let y = view::<T>(&host)?;
        let classes = classes(y.len(), labels)?;
        Ok(y.chunks_exact(classes).zip(labels).filter(|(row, label)| largest(row) == **label as usize).count())
    })
}

fn largest<T: Real>(row: &[T]) -> usize {
    let better = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
    (1..row.len()).fold(0, better)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(rows: &[[f64; 3]]) -> Tensor {
        Tensor::from_vec(rows.concat(), (rows.len(), 3), &Device::Cpu).unwrap()
    }

    /// Values by torch 2.15: F.cross_entropy(y, t), F.mse_loss, F.l1_loss, F.binary_cross_entropy.
    #[test]
    fn values_are_pytorchs() {
        let y = tensor(&[[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]]);
        let t = tensor(&[[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]);
        let value = |loss| {
            evaluate(loss, &y, Target::Images(&t), false, None)
                .unwrap()
                .value
        };
        assert!((value(Loss::Mse) - 0.034_166_666_666).abs() < 1e-9);
        assert!((value(Loss::L1) - 0.166_666_666_666).abs() < 1e-9);
        assert!(
            (value(Loss::Bce) - 0.441_032_365_8).abs() < 1e-8,
            "{}",
            value(Loss::Bce)
        );
        let labels = Target::Labels(&[1, 2]);
        let logits = evaluate(Loss::CrossEntropy, &y, labels, false, None)
            .unwrap()
            .value;
        assert!((logits - 0.900_509_15).abs() < 1e-6, "{logits}");
        let probabilities = evaluate(Loss::CrossEntropy, &y, labels, true, None)
            .unwrap()
            .value;
        assert!((probabilities + (0.7f64.ln() + 0.4f64.ln()) / 2.0).abs() < 1e-12);
        // F.cross_entropy(y, 0.7 * one_hot([1, 2]) + 0.3 * one_hot([0, 1]))
        let blend = Target::Blend(Blend {
            labels: &[1, 2],
            others: &[0, 1],
            share: 0.7,
        });
        let blended = evaluate(Loss::CrossEntropy, &y, blend, false, None)
            .unwrap()
            .value;
        assert!((blended - 1.005_509_154).abs() < 1e-7, "{blended}");
        assert_eq!(count_correct(&y, &[1, 2]).unwrap(), 2);
        assert_eq!(count_correct(&y, &[1, 0]).unwrap(), 1);
    }

    #[test]
    fn gradients_meet_finite_differences() {
        let rows = [[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]];
        let t = tensor(&[[0.2, 0.9, 0.1], [0.5, 0.25, 0.25]]);
        let labels = [1, 2];
        let blend = Target::Blend(Blend {
            labels: &labels,
            others: &[2, 0],
            share: 0.7,
        });
        let cases = Loss::ALL.map(|loss| match loss {
            Loss::CrossEntropy => (loss, Target::Labels(&labels)),
            _ => (loss, Target::Images(&t)),
        });
        for (loss, target) in cases.into_iter().chain([(Loss::CrossEntropy, blend)]) {
            for after_softmax in [false, true] {
                let mut buffer = Buffer::default();
                let run = |rows: &[[f64; 3]], want| {
                    evaluate(loss, &tensor(rows), target, after_softmax, want).unwrap()
                };
                let gradient = run(&rows, Some(&mut buffer))
                    .gradient
                    .unwrap()
                    .flatten_all()
                    .unwrap()
                    .to_vec1::<f64>()
                    .unwrap();
                for (i, g) in gradient.iter().enumerate() {
                    let shifted = |by: f64| {
                        let mut rows = rows;
                        rows[i / 3][i % 3] += by;
                        run(&rows, None).value
                    };
                    let slope = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
                    assert!((slope - g).abs() < 1e-7, "{loss} {i}: {slope} {g}");
                }
            }
        }
    }

    #[test]
    fn a_hopeless_probability_has_a_finite_gradient() {
        let y = Tensor::new(&[[0.0f32, 1.0]], &Device::Cpu).unwrap();
        let evaluated = evaluate(
            Loss::CrossEntropy,
            &y,
            Target::Labels(&[0]),
            true,
            Some(&mut Buffer::default()),
        )
        .unwrap();
        assert_eq!(evaluated.value, 100.0);
        let gradient = evaluated
            .gradient
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        assert!(gradient.iter().all(|g| g.is_finite()));
    }

    #[test]
    fn labels_without_an_output_are_refused() {
        let y = tensor(&[[0.1, 0.7, 0.2]]);
        assert!(
            evaluate(
                Loss::CrossEntropy,
                &y,
                Target::Labels(&[u32::MAX]),
                false,
                Some(&mut Buffer::default())
            )
            .is_err()
        );
    }
}
