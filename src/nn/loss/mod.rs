//! Losses with their gradients, one file a loss: each the mean that PyTorch's class computes.
//!
//! Sums run in f64 and in a fixed order, on the CPU; what is on a device is copied for it, as measuring does. A step of
//! training there computes its loss there ([`on_device`]).

#![deny(clippy::wildcard_enum_match_arm)]

mod bce;
mod cross_entropy;
mod huber;
mod l1;
mod label_rows;
mod mse;
pub mod on_device;
mod smooth_l1;
mod ssim;

pub use self::label_rows::{RowsRight, count_rows_right};

use self::cross_entropy::Criterion;
use super::NnError;
use super::ops::blocking::PARTS;
use super::ops::real::Real;
use super::ops::reduce::{LANES, in_parts, part_of, sum_pairs};
use super::ops::simd::vectorized;
use super::ops::storage::{Buffer, fill, view};
use super::ops::with_real;
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use strata_core::project::loss::Loss;

/// What the output is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Tensors of the output's shape.
    Images(&'a Tensor),
    /// One class index for each row.
    Labels(&'a [u32]),
    /// Two class indices for each row, of blended images (mixup).
    Blend(Blend<'a>),
    /// A row of the output's shape for each image: 1 for a label that it has, else 0, or between for blended images.
    LabelRows(&'a Tensor),
}

/// The labels of images that are blends of two, with the same weight for every row. The loss is that of the first labels
/// times that weight plus that of the second times the rest: cross-entropy with the blended one-hot labels.
#[derive(Clone, Copy, Debug)]
pub struct Blend<'a> {
    /// The classes that are weighted with `share`.
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
    /// What it is the mean over: how many images, or the sum of their classes' weights.
    pub weight: f64,
    /// Of the output's shape and type, on its device.
    pub gradient: Option<Tensor>,
}

/// Logarithms of probabilities below this count as its logarithm, so that one hopeless value does not
/// make the loss infinite (PyTorch clamps the logarithm at −100).
const LOG_FLOOR: f64 = -100.0;

/// ln, kept from −∞ but not from NaN.
fn floored_ln(p: f64) -> f64 {
    let ln = p.ln();
    if ln < LOG_FLOOR { LOG_FLOOR } else { ln }
}

/// Computes a loss; cross-entropy reads logits ([`Network::logits`](super::Network::logits)). The gradient is
/// computed when there is a buffer for it.
pub fn evaluate(
    loss: Loss,
    output: &Tensor,
    target: Target<'_>,
    gradient: Option<&mut Buffer>,
) -> Result<Evaluated, NnError> {
    evaluate_weighted(loss, None, output, target, gradient)
}

/// The same where the images of each class count by a weight: cross-entropy is the weighted mean then; of several labels
/// an image those that are there count by it. Classes beyond the weights have the weight 1.
pub fn evaluate_weighted(
    loss: Loss,
    weights: Option<&[f64]>,
    output: &Tensor,
    target: Target<'_>,
    gradient: Option<&mut Buffer>,
) -> Result<Evaluated, NnError> {
    let host = output.to_device(&Device::Cpu)?;
    let gradient = gradient
        .map(|buffer| buffer.get(output.dims(), &host))
        .transpose()?;
    let into = gradient.as_ref();
    let value = with_real!(host, T => {
        let y = view::<T>(&host)?;
        match loss {
            Loss::Mse => compare(mse::Mse, &y, target, into),
            Loss::L1 => compare(l1::L1, &y, target, into),
            Loss::Bce => match target {
                Target::Images(_) => compare(bce::Bce, &y, target, into),
                Target::LabelRows(rows) => label_rows::evaluate(&y, rows, weights, into),
                // Of the two scores that a head of one stands for (`Network::logits`).
                Target::Labels(_) | Target::Blend(_) => {
                    let smoothing = 0.0;
                    cross_entropy::evaluate(Criterion { smoothing, weights }, &y, target, into)
                }
            },
            Loss::Huber { delta } => compare(huber::Huber { delta }, &y, target, into),
            Loss::SmoothL1 { beta } => compare(smooth_l1::SmoothL1 { beta }, &y, target, into),
            Loss::Ssim { range } => ssim::evaluate(range, &y, host.dims(), target, into),
            Loss::CrossEntropy { smoothing } => {
                cross_entropy::evaluate(Criterion { smoothing, weights }, &y, target, into)
            }
        }
    })?;
    let weight = weight(weights, output, target);
    let gradient = gradient.map(|g| g.to_device(output.device())).transpose()?;
    Ok(Evaluated {
        value,
        weight,
        gradient,
    })
}

/// What a loss is the mean over: how many images, or the sum of their classes' weights.
fn weight(weights: Option<&[f64]>, output: &Tensor, target: Target<'_>) -> f64 {
    let images = output.dims().first().copied().unwrap_or(0) as f64;
    match (target, weights) {
        (Target::Labels(labels) | Target::Blend(Blend { labels, .. }), Some(_)) => {
            let smoothing = 0.0;
            Criterion { smoothing, weights }.total(labels)
        }
        (Target::Images(_) | Target::Labels(_) | Target::Blend(_) | Target::LabelRows(_), _) => {
            images
        }
    }
}

/// A loss of images: the mean of what each of their values adds. Both functions are always inlined: they are called
/// for every value inside loops that are compiled for wider vectors than the rest of the program.
trait ImageLoss: Copy + Sync {
    /// What one value of the output adds to the sum.
    fn value<T: Real>(self, y: T, target: T) -> f64;

    /// The gradient for one value of the output; `fraction` is 1 over the number of values.
    fn gradient<T: Real>(self, y: T, target: T, fraction: T) -> T;
}

/// The images that so many numbers of an output are compared with.
fn images_of(target: Target<'_>, numbers: usize) -> Result<&Tensor, NnError> {
    let Target::Images(images) = target else {
        return Err(NnError::Unsupported(
            "a loss of images with labels as the target".into(),
        ));
    };
    if images.elem_count() != numbers {
        return Err(NnError::Unsupported(format!(
            "a loss between {numbers} numbers of the output and {} of the images; `strata check` says how to make them equal",
            images.elem_count()
        )));
    }
    Ok(images)
}

/// The value of a loss of images; writes its gradient where one is wanted.
fn compare<T: Real>(
    loss: impl ImageLoss,
    y: &[T],
    target: Target<'_>,
    gradient: Option<&Tensor>,
) -> Result<f64, NnError> {
    let images = images_of(target, y.len())?;
    let images = images.to_device(&Device::Cpu)?;
    let images = view::<T>(&images)?;
    let Some(gradient) = gradient else {
        return Ok(mean(y, &images, |y, t| loss.value(y, t)));
    };
    let mut value = 0.0;
    fill::<T>(gradient, |gradient| {
        value = mean_and_gradient(loss, y, &images, gradient)
    })?;
    Ok(value)
}

/// The mean, and the gradient in the same pass over outputs and targets; the sum is that of [`mean`].
fn mean_and_gradient<T: Real>(
    loss: impl ImageLoss,
    y: &[T],
    target: &[T],
    gradient: &mut [T],
) -> f64 {
    let fraction = T::narrow(1.0 / y.len().max(1) as f64);
    let parts = PARTS.min(y.len().max(1));
    let size = y.len().div_ceil(parts).max(1);
    let mut sums = [0.0; PARTS];
    sums.par_iter_mut()
        .zip(gradient.par_chunks_mut(size))
        .enumerate()
        .for_each(|(part, (sum, gradient))| {
            let part = part_of(y.len(), parts, part);
            let pairs = (&y[part.clone()], &target[part]);
            write_and_add_up(loss, pairs, fraction, gradient, sum);
        });
    sums.iter().sum::<f64>() / y.len().max(1) as f64
}

vectorized! {
    /// Writes the gradient of some values and leaves what they add to the loss, in the order of [`sum_pairs`].
    fn write_and_add_up<T: Real>(
        loss: impl ImageLoss,
        pairs: (&[T], &[T]),
        fraction: T,
        gradient: &mut [T],
        total: &mut f64,
    ) {
        let (y, target) = pairs;
        let mut sums = [0.0; LANES];
        let whole = y.len() - y.len() % LANES;
        let (some, rest) = gradient.split_at_mut(whole);
        let pairs = y.chunks_exact(LANES).zip(target.chunks_exact(LANES));
        for ((y, target), gradient) in pairs.zip(some.chunks_exact_mut(LANES)) {
            for lane in 0..LANES {
                gradient[lane] = loss.gradient(y[lane], target[lane], fraction);
            }
            for lane in 0..LANES {
                sums[lane] += loss.value(y[lane], target[lane]);
            }
        }
        let (y, target) = (&y[whole..], &target[whole..]);
        for ((gradient, &y), &target) in rest.iter_mut().zip(y).zip(target) {
            *gradient = loss.gradient(y, target, fraction);
        }
        let rest: f64 = y.iter().zip(target).map(|(&y, &t)| loss.value(y, t)).sum();
        *total = sums.iter().sum::<f64>() + rest;
    }
}

/// The mean of a function of outputs and their targets.
fn mean<T: Real>(y: &[T], target: &[T], value: impl Fn(T, T) -> f64 + Sync) -> f64 {
    let mut total = [0.0];
    in_parts(y.len(), &mut total, |part, total| {
        add_up(&y[part.clone()], &target[part], &value, total);
    });
    total[0] / y.len().max(1) as f64
}

vectorized! {
    fn add_up<T: Real>(y: &[T], target: &[T], value: &impl Fn(T, T) -> f64, total: &mut [f64]) {
        total[0] = sum_pairs(y, target, value);
    }
}

/// How many rows have their largest output at the label; the first of equal outputs counts.
pub fn count_correct(output: &Tensor, labels: &[u32]) -> Result<usize, NnError> {
    let host = output.to_device(&Device::Cpu)?;
    with_real!(host, T => {
        let y = view::<T>(&host)?;
        let classes = cross_entropy::classes(y.len(), labels)?;
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
    use strata_core::project::stage::Task;

    fn tensor(rows: &[[f64; 3]]) -> Tensor {
        Tensor::from_vec(rows.concat(), (rows.len(), 3), &Device::Cpu).unwrap()
    }

    /// Values by torch 2.15: F.cross_entropy(y, t), F.mse_loss, F.l1_loss, F.binary_cross_entropy.
    #[test]
    fn values_are_pytorchs() {
        let y = tensor(&[[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]]);
        let t = tensor(&[[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]);
        let value = |loss| evaluate(loss, &y, Target::Images(&t), None).unwrap().value;
        assert!((value(Loss::Mse) - 0.034_166_666_666).abs() < 1e-9);
        assert!((value(Loss::L1) - 0.166_666_666_666).abs() < 1e-9);
        assert!(
            (value(Loss::Bce) - 0.441_032_365_8).abs() < 1e-8,
            "{}",
            value(Loss::Bce)
        );
        for (text, wanted) in [
            ("huber", 0.017_083_333_333),
            ("huber delta=0.15", 0.014_791_666_667),
            ("smooth-l1", 0.017_083_333_333),
            ("smooth-l1 beta=0.15", 0.098_611_111_111),
        ] {
            let found = value(text.parse().unwrap());
            assert!((found - wanted).abs() < 1e-9, "{text}: {found}");
        }
        let labels = Target::Labels(&[1, 2]);
        let logits = evaluate(Loss::CROSS_ENTROPY, &y, labels, None)
            .unwrap()
            .value;
        assert!((logits - 0.900_509_15).abs() < 1e-6, "{logits}");
        // F.cross_entropy(y, 0.7 * one_hot([1, 2]) + 0.3 * one_hot([0, 1]))
        let blend = Target::Blend(Blend {
            labels: &[1, 2],
            others: &[0, 1],
            share: 0.7,
        });
        let blended = evaluate(Loss::CROSS_ENTROPY, &y, blend, None)
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
        let with_options =
            // No distance is at the kink: differences there are those of two branches.
            ["huber delta=0.12", "smooth-l1 beta=0.12", "cross-entropy label_smoothing=0.3"]
                .map(|text| text.parse().unwrap());
        let cases = Loss::ALL
            .into_iter()
            .filter(|loss| loss.spec().least_side.is_none())
            .chain(with_options)
            .map(|loss| match loss.spec().task {
                Task::Classify => (loss, Target::Labels(&labels)),
                Task::Reconstruct => (loss, Target::Images(&t)),
            });
        for (loss, target) in cases.chain([(Loss::CROSS_ENTROPY, blend)]) {
            let mut buffer = Buffer::default();
            let run =
                |rows: &[[f64; 3]], want| evaluate(loss, &tensor(rows), target, want).unwrap();
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

    #[derive(serde::Deserialize)]
    struct CrossEntropies {
        scores: Vec<f64>,
        labels: Vec<u32>,
        /// Label smoothing, class weights, loss, gradient.
        cases: Vec<(f64, Vec<f64>, f64, Vec<f64>)>,
    }

    #[test]
    fn smoothing_and_class_weights_are_pytorchs() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/cross_entropy.json"
        );
        let CrossEntropies {
            scores,
            labels,
            cases,
        } = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(cases.len(), 8);
        let y = Tensor::from_slice(&scores, (labels.len(), 4), &Device::Cpu).unwrap();
        for (smoothing, weights, wanted, gradient) in cases {
            let loss = Loss::CrossEntropy { smoothing };
            let given = (!weights.is_empty()).then_some(weights.as_slice());
            let mut buffer = Buffer::default();
            let target = Target::Labels(&labels);
            let found = evaluate_weighted(loss, given, &y, target, Some(&mut buffer)).unwrap();
            let alone = evaluate_weighted(loss, given, &y, target, None).unwrap();
            assert_eq!(found.value.to_bits(), alone.value.to_bits());
            assert!(
                (found.value - wanted).abs() < 1e-12,
                "{loss} {weights:?}: {}",
                found.value
            );
            let weight = |label: &u32| weights.get(*label as usize).unwrap_or(&1.0);
            assert_eq!(found.weight, labels.iter().map(weight).sum::<f64>());
            let slopes = found.gradient.unwrap().flatten_all().unwrap();
            for (a, b) in slopes.to_vec1::<f64>().unwrap().iter().zip(&gradient) {
                assert!((a - b).abs() < 1e-12, "{loss} {weights:?}: {a} {b}");
            }
        }
    }

    /// The sum is of the same terms in the same order, whether or not the gradient is written along.
    #[test]
    fn the_value_has_the_same_bits_with_and_without_a_gradient() {
        for count in [1, 3, 15, 16, 17, 129, 1000, 70_003] {
            let numbers = |seed: usize| {
                let of = |i: usize| ((i * 7919 + seed) % 2003) as f32 / 2003.0;
                Tensor::from_vec((0..count).map(of).collect::<Vec<_>>(), count, &Device::Cpu)
                    .unwrap()
            };
            let (y, t) = (numbers(1), numbers(500));
            for loss in Loss::ALL
                .into_iter()
                .filter(|loss| loss.spec().task == Task::Reconstruct)
                .filter(|loss| loss.spec().least_side.is_none())
            {
                let alone = evaluate(loss, &y, Target::Images(&t), None).unwrap();
                let mut buffer = Buffer::default();
                let both = evaluate(loss, &y, Target::Images(&t), Some(&mut buffer)).unwrap();
                assert_eq!(
                    alone.value.to_bits(),
                    both.value.to_bits(),
                    "{loss} {count}"
                );
            }
        }
    }

    #[test]
    fn a_loss_refuses_the_target_of_another_task() {
        let y = tensor(&[[0.1, 0.7, 0.2]]);
        for loss in Loss::ALL {
            let target = match loss.spec().task {
                Task::Reconstruct => Target::Labels(&[1]),
                Task::Classify => Target::Images(&y),
            };
            let is_taken = evaluate(loss, &y, target, None).is_ok();
            assert_eq!(is_taken, loss.spec().tells_two_apart, "{loss}");
        }
    }

    #[test]
    fn outputs_of_another_size_than_the_images_are_refused() {
        let (y, t) = (tensor(&[[0.1, 0.7, 0.2]; 2]), tensor(&[[0.1, 0.7, 0.2]]));
        for loss in Loss::ALL
            .into_iter()
            .filter(|loss| loss.spec().task == Task::Reconstruct)
        {
            for (output, target) in [(&y, &t), (&t, &y)] {
                let mut buffer = Buffer::default();
                let refused = evaluate(loss, output, Target::Images(target), Some(&mut buffer));
                let message = refused.unwrap_err().to_string();
                assert!(
                    message.contains("3 ") && message.contains("6 "),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn labels_without_an_output_are_refused() {
        let y = tensor(&[[0.1, 0.7, 0.2]]);
        assert!(
            evaluate(
                Loss::CROSS_ENTROPY,
                &y,
                Target::Labels(&[u32::MAX]),
                Some(&mut Buffer::default())
            )
            .is_err()
        );
    }
}
