//! Cross-entropy of logits with labels: the softmax is part of it.

use super::{Blend, Target};
use crate::NnError;
use crate::ops::real::Real;
use crate::ops::reduce::in_parts;
use crate::ops::storage::fill;
use candle_core::Tensor;
use rayon::prelude::*;

/// Rows of a classification that are worth a task.
const ROWS_PER_TASK: usize = 64;

/// The loss; writes its gradient where one is wanted.
pub(super) fn evaluate<T: Real>(
    y: &[T],
    target: Target<'_>,
    gradient: Option<&Tensor>,
) -> Result<f64, NnError> {
    match target {
        Target::Images(_) => Err(NnError::Unsupported(
            "cross-entropy with images as the target".into(),
        )),
        Target::Labels(labels) => {
            classes(y.len(), labels)?;
            if let Some(gradient) = gradient {
                fill::<T>(gradient, |gradient| write_gradient(y, labels, gradient))?;
            }
            Ok(mean(y, labels))
        }
        Target::Blend(blend) => {
            classes(y.len(), blend.labels)?;
            classes(y.len(), blend.others)?;
            if let Some(gradient) = gradient {
                fill::<T>(gradient, |gradient| {
                    write_blended_gradient(y, blend, gradient)
                })?;
            }
            let loss = |labels| mean(y, labels);
            let share = f64::from(blend.share);
            Ok(share * loss(blend.labels) + (1.0 - share) * loss(blend.others))
        }
    }
}

/// ln Σ eˣ of a row.
fn log_sum<T: Real>(row: &[T]) -> f64 {
    let highest = row
        .iter()
        .map(|&v| v.wide())
        .fold(f64::NEG_INFINITY, f64::max);
    highest
        + row
            .iter()
            .map(|&v| (v.wide() - highest).exp())
            .sum::<f64>()
            .ln()
}

/// The mean over rows of −ln of the right class's probability.
fn mean<T: Real>(y: &[T], labels: &[u32]) -> f64 {
    let classes = y.len() / labels.len().max(1);
    let mut total = [0.0];
    in_parts(labels.len(), &mut total, |rows, total| {
        let each = y[rows.start * classes..rows.end * classes]
            .chunks_exact(classes)
            .zip(&labels[rows]);
        total[0] = each
            .map(|(row, &label)| log_sum(row) - row[label as usize].wide())
            .sum();
    });
    total[0] / labels.len() as f64
}

/// The gradient of [`mean`] for the outputs.
fn write_gradient<T: Real>(y: &[T], labels: &[u32], gradient: &mut [T]) {
    let classes = y.len() / labels.len().max(1);
    let count = labels.len() as f64;
    let rows = gradient
        .par_chunks_mut(classes)
        .zip(y.par_chunks(classes))
        .with_min_len(ROWS_PER_TASK);
    rows.zip(labels).for_each(|((gradient, row), &label)| {
        let log_sum = log_sum(row);
        for (class, (gradient, &y)) in gradient.iter_mut().zip(row).enumerate() {
            let hit = if class == label as usize { 1.0 } else { 0.0 };
            let slope = (y.wide() - log_sum).exp() - hit;
            *gradient = T::narrow(slope / count);
        }
    });
}

/// The gradient for [`Target::Blend`]; needs its own memory, as only mixup does.
fn write_blended_gradient<T: Real>(y: &[T], blend: Blend<'_>, gradient: &mut [T]) {
    write_gradient(y, blend.labels, gradient);
    let mut others = vec![T::zero(); gradient.len()];
    write_gradient(y, blend.others, &mut others);
    let share = T::narrow(f64::from(blend.share));
    let rest = T::narrow(1.0 - f64::from(blend.share));
    gradient
        .iter_mut()
        .zip(others)
        .for_each(|(slope, other)| *slope = share * *slope + rest * other);
}

/// Outputs for each row; refuses labels for which there is no output.
pub(super) fn classes(numbers: usize, labels: &[u32]) -> Result<usize, NnError> {
    let classes = numbers / labels.len().max(1);
    match labels.iter().find(|&&label| label as usize >= classes) {
        Some(label) => Err(NnError::Unsupported(format!(
            "label {label} with {classes} outputs"
        ))),
        None => Ok(classes),
    }
}
