//! Losses with their gradients: mse, l1, bce, cross-entropy, each the mean PyTorch's class gives.
//!
//! Sums run in f64 and in a fixed order. The loss is computed on the CPU whatever the device: a batch of
//! outputs is small beside the activations that made it.

use super::NnError;
use super::ops::real::Real;
use super::ops::reduce::sum_f64;
use super::ops::storage::view;
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

/// Computes a loss. `after_softmax`: cross-entropy reads probabilities instead of logits.
pub fn evaluate(
    loss: Loss,
    output: &Tensor,
    target: Target<'_>,
    after_softmax: bool,
    want_gradient: bool,
) -> Result<Evaluated, NnError> {
    let host = output.to_device(&Device::Cpu)?;
    let (value, gradient) = with_real!(host, T => {
        let y = view::<T>(&host)?;
        let (value, gradient) = match target {
            Target::Images(images) => {
                let images = images.to_device(&Device::Cpu)?;
                elementwise::<T>(loss, &y, &view::<T>(&images)?, want_gradient)
            }
            Target::Labels(labels) => cross_entropy::<T>(&y, labels, after_softmax, want_gradient)?,
        };
        let tensor = gradient.map(|g| Tensor::from_vec(g, output.dims(), &Device::Cpu)).transpose()?;
        Ok::<_, NnError>((value, tensor))
    })?;
    let gradient = gradient.map(|g| g.to_device(output.device())).transpose()?;
    Ok(Evaluated { value, gradient })
}

fn elementwise<T: Real>(loss: Loss, y: &[T], target: &[T], want_gradient: bool) -> (f64, Option<Vec<T>>) {
    let count = y.len().max(1) as f64;
    let at = |i: usize| (y[i].wide(), target[i].wide());
    let value = |(y, t): (f64, f64)| match loss {
        Loss::L1 => (y - t).abs(),
        Loss::Bce => -(t * log(y) + (1.0 - t) * log(1.0 - y)),
        _ => (y - t) * (y - t),
    };
    let slope = |(y, t): (f64, f64)| match loss {
        Loss::L1 if y == t => 0.0,
        Loss::L1 => (y - t).signum(),
        // PyTorch's: the denominator is kept from 0.
        Loss::Bce => (y - t) / (y * (1.0 - y)).max(1e-12),
        _ => 2.0 * (y - t),
    };
    let total = sum_f64(y.len(), |i| value(at(i))) / count;
    let gradient = || (0..y.len()).into_par_iter().map(|i| T::of(slope(at(i)) / count)).collect();
    (total, want_gradient.then(gradient))
}

/// ln, kept from −∞ but not from NaN.
fn log(p: f64) -> f64 {
    let log = p.ln();
    if log < LOG_FLOOR { LOG_FLOOR } else { log }
}

type Rows<T> = (f64, Option<Vec<T>>);

fn cross_entropy<T: Real>(y: &[T], labels: &[u32], after_softmax: bool, want: bool) -> Result<Rows<T>, NnError> {
    let classes = classes(y.len(), labels)?;
    let row = |i: usize| y[i * classes..(i + 1) * classes].iter().map(|v| v.wide());
    let count = labels.len() as f64;
    let log_sum = |i: usize| {
        let highest = row(i).fold(f64::NEG_INFINITY, f64::max);
        highest + row(i).map(|v| (v - highest).exp()).sum::<f64>().ln()
    };
    let right = |i: usize| y[i * classes + labels[i] as usize].wide();
    let log_sums: Vec<f64> =
        if after_softmax { Vec::new() } else { (0..labels.len()).into_par_iter().map(log_sum).collect() };
    let negative_log = |i: usize| if after_softmax { -log(right(i)) } else { log_sums[i] - right(i) };
    let value = sum_f64(labels.len(), negative_log) / count;
    let slope = |i: usize, class: usize| {
        let hit = if class == labels[i] as usize { 1.0 } else { 0.0 };
        let p = y[i * classes + class].wide();
        if after_softmax { -hit / p.max(SMALLEST_P) } else { (p - log_sums[i]).exp() - hit }
    };
    let gradient = || (0..y.len()).into_par_iter().map(|j| T::of(slope(j / classes, j % classes) / count)).collect();
    Ok((value, want.then(gradient)))
}

/// Outputs for each row; refuses labels that no output stands for.
fn classes(numbers: usize, labels: &[u32]) -> Result<usize, NnError> {
    let classes = numbers / labels.len().max(1);
    match labels.iter().find(|&&label| label as usize >= classes) {
        Some(label) => Err(NnError::Unsupported(format!("label {label} with {classes} outputs"))),
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
        let value = |loss| evaluate(loss, &y, Target::Images(&t), false, false).unwrap().value;
        assert!((value(Loss::Mse) - 0.034_166_666_666).abs() < 1e-9);
        assert!((value(Loss::L1) - 0.166_666_666_666).abs() < 1e-9);
        assert!((value(Loss::Bce) - 0.441_032_365_8).abs() < 1e-8, "{}", value(Loss::Bce));
        let labels = Target::Labels(&[1, 2]);
        let logits = evaluate(Loss::CrossEntropy, &y, labels, false, false).unwrap().value;
        assert!((logits - 0.900_509_15).abs() < 1e-6, "{logits}");
        let probabilities = evaluate(Loss::CrossEntropy, &y, labels, true, false).unwrap().value;
        assert!((probabilities + (0.7f64.ln() + 0.4f64.ln()) / 2.0).abs() < 1e-12);
        assert_eq!(count_correct(&y, &[1, 2]).unwrap(), 2);
        assert_eq!(count_correct(&y, &[1, 0]).unwrap(), 1);
    }

    #[test]
    fn gradients_meet_finite_differences() {
        let rows = [[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]];
        let t = tensor(&[[0.2, 0.9, 0.1], [0.5, 0.25, 0.25]]);
        let labels = [1, 2];
        for loss in Loss::ALL {
            for after_softmax in [false, true] {
                let target = if loss == Loss::CrossEntropy { Target::Labels(&labels) } else { Target::Images(&t) };
                let run = |rows: &[[f64; 3]], want| evaluate(loss, &tensor(rows), target, after_softmax, want).unwrap();
                let gradient = run(&rows, true).gradient.unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
                for (i, g) in gradient.iter().enumerate() {
                    let shifted = |by: f64| {
                        let mut rows = rows;
                        rows[i / 3][i % 3] += by;
                        run(&rows, false).value
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
        let evaluated = evaluate(Loss::CrossEntropy, &y, Target::Labels(&[0]), true, true).unwrap();
        assert_eq!(evaluated.value, 100.0);
        let gradient = evaluated.gradient.unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(gradient.iter().all(|g| g.is_finite()));
    }

    #[test]
    fn labels_without_an_output_are_refused() {
        let y = tensor(&[[0.1, 0.7, 0.2]]);
        assert!(evaluate(Loss::CrossEntropy, &y, Target::Labels(&[u32::MAX]), false, true).is_err());
    }
}
