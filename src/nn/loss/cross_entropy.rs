//! Cross-entropy of logits with labels, the softmax a part of it: torch.nn.CrossEntropyLoss with its label smoothing and
//! class weights.

use super::{Blend, Target};
use crate::NnError;
use crate::ops::blocking::PARTS;
use crate::ops::real::Real;
use crate::ops::reduce::part_of;
use crate::ops::storage::fill;
use candle_core::Tensor;
use rayon::prelude::*;

/// Outputs that are worth a task.
const OUTPUTS_PER_TASK: usize = 1 << 11;

/// What is asked of the probabilities.
#[derive(Clone, Copy)]
pub(super) struct Criterion<'a> {
    /// The share of the target that is spread over all classes.
    pub smoothing: f64,
    /// How much the rows of each class count; classes beyond them count once.
    pub weights: Option<&'a [f64]>,
}

impl Criterion<'_> {
    fn is_plain(self) -> bool {
        self.smoothing == 0.0 && self.weights.is_none()
    }

    fn weight(self, class: usize) -> f64 {
        let known = self.weights.and_then(|weights| weights.get(class));
        known.copied().unwrap_or(1.0)
    }

    /// What the mean over rows with these labels is divided by.
    pub fn total(self, labels: &[u32]) -> f64 {
        match self.weights {
            None => labels.len() as f64,
            Some(_) => labels
                .iter()
                .map(|&label| self.weight(label as usize))
                .sum(),
        }
    }

    /// How much of a row's target is a class's, times the weights.
    pub fn mass(self, class: usize, label: usize, classes: usize) -> f64 {
        let spread = self.smoothing / classes as f64 * self.weight(class);
        if class == label {
            spread + (1.0 - self.smoothing) * self.weight(label)
        } else {
            spread
        }
    }
}

/// The loss; writes its gradient where one is wanted.
pub(super) fn evaluate<T: Real>(
    criterion: Criterion<'_>,
    y: &[T],
    target: Target<'_>,
    gradient: Option<&Tensor>,
) -> Result<f64, NnError> {
    match target {
        Target::Images(_) => Err(NnError::Unsupported(
            "cross-entropy with images as the target".into(),
        )),
        Target::LabelRows(_) => Err(NnError::Unsupported(
            "cross-entropy with several labels an image: that is for bce".into(),
        )),
        Target::Labels(labels) => {
            classes(y.len(), labels)?;
            let Some(gradient) = gradient else {
                return Ok(mean(criterion, y, labels, None));
            };
            let mut loss = 0.0;
            fill::<T>(gradient, |gradient| {
                loss = mean(criterion, y, labels, Some(gradient))
            })?;
            Ok(loss)
        }
        Target::Blend(blend) => {
            classes(y.len(), blend.labels)?;
            classes(y.len(), blend.others)?;
            if let Some(gradient) = gradient {
                fill::<T>(gradient, |gradient| {
                    write_blended_gradient(criterion, y, blend, gradient)
                })?;
            }
            let loss = |labels| mean(criterion, y, labels, None);
            let share = f64::from(blend.share);
            Ok(share * loss(blend.labels) + (1.0 - share) * loss(blend.others))
        }
    }
}

/// The mean over rows of −ln of the right class's probability; writes its gradient for the outputs where there is room
/// for it.
fn mean<T: Real>(
    criterion: Criterion<'_>,
    y: &[T],
    labels: &[u32],
    gradient: Option<&mut [T]>,
) -> f64 {
    let classes = y.len() / labels.len().max(1);
    let rows = labels.len().div_ceil(PARTS).max(1);
    let some = rows * classes;
    let mut gradient = gradient.map(|gradient| gradient.chunks_mut(some.max(1)));
    let mut parts: [Part<'_, T>; PARTS] = std::array::from_fn(|part| {
        let labels = &labels[part_of(labels.len(), PARTS, part)];
        Part {
            y: &y[(part * some).min(y.len())..][..labels.len() * classes],
            labels,
            gradient: gradient.as_mut().and_then(Iterator::next),
            loss: 0.0,
        }
    });
    let total = criterion.total(labels);
    let fraction = 1.0 / total;
    parts
        .par_iter_mut()
        .with_min_len(OUTPUTS_PER_TASK.div_ceil(some.max(1)))
        .for_each(|part| {
            if criterion.is_plain() {
                part.evaluate(classes, fraction);
            } else {
                part.evaluate_spread(criterion, classes, fraction);
            }
        });
    parts.iter().map(|part| part.loss).sum::<f64>() / total
}

/// Some rows.
struct Part<'a, T> {
    y: &'a [T],
    labels: &'a [u32],
    gradient: Option<&'a mut [T]>,
    loss: f64,
}

impl<T: Real> Part<'_, T> {
    fn evaluate(&mut self, classes: usize, fraction: f64) {
        let rows = self.y.chunks_exact(classes.max(1)).zip(self.labels);
        for (index, (row, &label)) in rows.enumerate() {
            let label = label as usize;
            let highest = row
                .iter()
                .map(|y| y.wide())
                .fold(f64::NEG_INFINITY, f64::max);
            let exponential = |y: T| (y.wide() - highest).exp();
            let Some(gradient) = &mut self.gradient else {
                let sum: f64 = row.iter().map(|&y| exponential(y)).sum();
                self.loss += highest + sum.ln() - row[label].wide();
                continue;
            };
            let gradient = &mut gradient[index * classes..(index + 1) * classes];
            f64::with_scratch(classes, |exponentials| {
                for (to, &y) in exponentials.iter_mut().zip(row) {
                    *to = exponential(y);
                }
                let sum: f64 = exponentials.iter().sum();
                self.loss += highest + sum.ln() - row[label].wide();
                exponentials.iter_mut().for_each(|number| *number /= sum);
                exponentials[label] -= 1.0;
                for (to, number) in gradient.iter_mut().zip(exponentials) {
                    *to = T::narrow(*number * fraction);
                }
            });
        }
    }
}

impl<T: Real> Part<'_, T> {
    /// The same with a target that is not one class, or rows that do not count alike.
    fn evaluate_spread(&mut self, criterion: Criterion<'_>, classes: usize, fraction: f64) {
        let rows = self.y.chunks_exact(classes.max(1)).zip(self.labels);
        for (index, (row, &label)) in rows.enumerate() {
            let label = label as usize;
            let highest = row
                .iter()
                .map(|y| y.wide())
                .fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = row.iter().map(|y| (y.wide() - highest).exp()).sum();
            let (mut all, level) = (0.0, highest + sum.ln());
            for (class, y) in row.iter().enumerate() {
                let mass = criterion.mass(class, label, classes);
                all += mass;
                if mass > 0.0 {
                    self.loss += mass * (level - y.wide());
                }
            }
            let Some(gradient) = &mut self.gradient else {
                continue;
            };
            let gradient = &mut gradient[index * classes..(index + 1) * classes];
            for (class, (to, y)) in gradient.iter_mut().zip(row).enumerate() {
                let probability = (y.wide() - highest).exp() / sum;
                let mass = criterion.mass(class, label, classes);
                *to = T::narrow((all * probability - mass) * fraction);
            }
        }
    }
}

/// The gradient for [`Target::Blend`]; needs its own memory, as only mixup does.
fn write_blended_gradient<T: Real>(
    criterion: Criterion<'_>,
    y: &[T],
    blend: Blend<'_>,
    gradient: &mut [T],
) {
    mean(criterion, y, blend.labels, Some(gradient));
    let mut others = vec![T::zero(); gradient.len()];
    mean(criterion, y, blend.others, Some(&mut others));
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
