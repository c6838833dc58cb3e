//! The losses of candle's operators, where the outputs are: a step reads one number of them when it is done.
//!
//! The sums are in single precision, over parts of parts. What the CPU computes in double precision differs in the last
//! digits.

mod ssim;

use super::cross_entropy::{Criterion, classes};
use super::{Blend, Target, images_of};
use crate::NnError;
use crate::ops::device::{above, at_least, constant, relu, sigmoid, sum_rows};
use candle_core::{D, DType, Device, Tensor};
use strata_core::project::loss::Loss;

type Result<T> = std::result::Result<T, NnError>;

/// Keeps the gradient of bce from a division by 0, as PyTorch does.
const SMALLEST_VARIANCE: f64 = 1e-12;

/// A loss that is still on the device.
#[derive(Clone, Debug)]
pub struct OnDevice {
    /// The loss, of no axis.
    pub value: Tensor,
    /// What it is the mean over: how many images, or the sum of their classes' weights.
    pub weight: f64,
    /// Of the output's shape and type.
    pub gradient: Tensor,
}

/// A loss and its gradient for the output, as [`super::evaluate_weighted`] without waiting for the device.
pub fn evaluate(
    loss: Loss,
    weights: Option<&[f64]>,
    output: &Tensor,
    target: Target<'_>,
) -> Result<OnDevice> {
    let weight = super::weight(weights, output, target);
    let (value, gradient) = match (loss, target) {
        (Loss::CrossEntropy { smoothing }, _) => {
            cross_entropy(Criterion { smoothing, weights }, output, target)?
        }
        // Of the two scores that a head of one stands for (`Network::logits`).
        (Loss::Bce, Target::Labels(_) | Target::Blend(_)) => {
            let smoothing = 0.0;
            cross_entropy(Criterion { smoothing, weights }, output, target)?
        }
        (Loss::Bce, Target::LabelRows(rows)) => {
            mean_and_gradient(bce_of_scores, output, Target::Images(rows))?
        }
        (Loss::Bce, Target::Images(_)) => mean_and_gradient(bce, output, target)?,
        (Loss::Mse, _) => mean_and_gradient(mse, output, target)?,
        (Loss::L1, _) => mean_and_gradient(l1, output, target)?,
        (Loss::Huber { delta }, _) => {
            let huber = |y: &Tensor, t: &Tensor| parabola(&(y - t)?, delta, delta);
            mean_and_gradient(huber, output, target)?
        }
        (Loss::SmoothL1 { beta }, _) => {
            let smooth_l1 = |y: &Tensor, t: &Tensor| parabola(&(y - t)?, beta, 1.0);
            mean_and_gradient(smooth_l1, output, target)?
        }
        (Loss::Ssim { range }, _) => {
            let images = beside(output, target)?;
            ssim::evaluate(range, output, &images)?
        }
    };
    Ok(OnDevice {
        value,
        weight,
        gradient,
    })
}

/// The target where the output is, in its shape and type.
fn beside(output: &Tensor, target: Target<'_>) -> Result<Tensor> {
    let images = images_of(target, output.elem_count())?;
    let images = images
        .to_device(output.device())?
        .to_dtype(output.dtype())?;
    Ok(images.reshape(output.dims())?)
}

/// The mean of what each value adds, and the gradient: `of_values` gives both for each value, of their sum.
fn mean_and_gradient(
    of_values: impl FnOnce(&Tensor, &Tensor) -> Result<(Tensor, Tensor)>,
    output: &Tensor,
    target: Target<'_>,
) -> Result<(Tensor, Tensor)> {
    let (values, slopes) = of_values(output, &beside(output, target)?)?;
    let fraction = 1.0 / output.elem_count().max(1) as f64;
    Ok(((sum(&values)? * fraction)?, (slopes * fraction)?))
}

/// The sum of all values, of parts of parts.
fn sum(values: &Tensor) -> Result<Tensor> {
    let lines = values.reshape(((), values.dim(D::Minus1)?))?;
    Ok(sum_rows(&lines)?.sum_all()?)
}

fn mse(y: &Tensor, t: &Tensor) -> Result<(Tensor, Tensor)> {
    let distance = (y - t)?;
    Ok((distance.sqr()?, (distance * 2.0)?))
}

fn l1(y: &Tensor, t: &Tensor) -> Result<(Tensor, Tensor)> {
    let distance = (y - t)?;
    Ok((distance.abs()?, distance.sign()?))
}

/// Half the square of a distance over `bend`, up to `bend`; a line of that slope beyond; both times `height`.
fn parabola(distance: &Tensor, bend: f64, height: f64) -> Result<(Tensor, Tensor)> {
    let far = distance.abs()?;
    let line = ((&far - 0.5 * bend)? * height)?;
    if bend <= 0.0 {
        return Ok((line, (distance.sign()? * height)?));
    }
    let is_near = far.lt(&constant(bend, &far)?)?;
    let values = is_near.where_cond(&(far.sqr()? * (0.5 * height / bend))?, &line)?;
    let near_slope = (distance * (height / bend))?;
    let slopes = is_near.where_cond(&near_slope, &(distance.sign()? * height)?)?;
    Ok((values, slopes))
}

fn bce(y: &Tensor, t: &Tensor) -> Result<(Tensor, Tensor)> {
    let rest = (1.0 - y)?;
    let ln = |p: &Tensor| at_least(&p.log()?, super::LOG_FLOOR);
    let values = ((t * ln(y)?)? + ((1.0 - t)? * ln(&rest)?)?)?.neg()?;
    let variance = at_least(&(y * &rest)?, SMALLEST_VARIANCE)?;
    Ok((values, ((y - t)? / variance)?))
}

fn bce_of_scores(y: &Tensor, t: &Tensor) -> Result<(Tensor, Tensor)> {
    let rest = (y.abs()?.neg()?.exp()? + 1.0)?.log()?;
    let values = ((relu(y)? - (y * t)?)? + rest)?;
    Ok((values, (sigmoid(y)? - t)?))
}

/// Cross-entropy with the share of every class in the target of every row, which the CPU works out.
fn cross_entropy(
    criterion: Criterion<'_>,
    y: &Tensor,
    target: Target<'_>,
) -> Result<(Tensor, Tensor)> {
    let (dims, count) = (y.dims(), y.elem_count());
    let masses = masses(criterion, count, target)?;
    let classes = count / dims[0].max(1);
    let y = y.reshape((dims[0], classes))?;
    let masses = Tensor::from_vec(masses, (dims[0], classes), &Device::Cpu)?;
    let masses = masses.to_dtype(y.dtype())?.to_device(y.device())?;
    let highest = y.max_keepdim(1)?;
    let exponentials = y.broadcast_sub(&highest)?.exp()?;
    let total = exponentials.sum_keepdim(1)?;
    let level = (highest + total.log()?)?;
    let terms = (&masses * level.broadcast_sub(&y)?)?;
    // What has no share adds nothing, however unlikely it is.
    let none = constant(0.0, &masses)?;
    let terms = masses.eq(&none)?.where_cond(&none, &terms)?;
    let all = masses.sum_keepdim(1)?;
    let probabilities = exponentials.broadcast_div(&total)?;
    let gradient = (probabilities.broadcast_mul(&all)? - masses)?;
    Ok((sum(&terms)?, gradient.reshape(dims)?))
}

/// How much every class of every row is in the target, so that all rows together are the mean.
fn masses(criterion: Criterion<'_>, numbers: usize, target: Target<'_>) -> Result<Vec<f32>> {
    let of = |labels: &[u32], share: f64| -> Result<Vec<f32>> {
        let classes = classes(numbers, labels)?;
        let fraction = share / criterion.total(labels);
        let row = |&label: &u32| {
            (0..classes).map(move |class| {
                (criterion.mass(class, label as usize, classes) * fraction) as f32
            })
        };
        Ok(labels.iter().flat_map(row).collect())
    };
    match target {
        Target::Labels(labels) => of(labels, 1.0),
        Target::Blend(Blend {
            labels,
            others,
            share,
        }) => {
            let share = f64::from(share);
            let (own, other) = (of(labels, share)?, of(others, 1.0 - share)?);
            Ok(own
                .iter()
                .zip(other)
                .map(|(own, other)| own + other)
                .collect())
        }
        Target::Images(_) | Target::LabelRows(_) => Err(NnError::Unsupported(
            "cross-entropy with images or several labels an image as the target".into(),
        )),
    }
}

/// How many rows have their largest output at the label, the first of equal outputs, as a number on the device.
pub fn count_correct(output: &Tensor, labels: &[u32]) -> Result<Tensor> {
    let classes = classes(output.elem_count(), labels)?;
    let (rows, device) = ((labels.len(), classes), output.device());
    let y = output.reshape(rows)?;
    let is_largest = y.broadcast_eq(&y.max_keepdim(1)?)?;
    let order = Tensor::arange(0, classes as u32, device)?.broadcast_as(rows)?;
    let last = Tensor::full(classes.saturating_sub(1) as u32, rows, device)?;
    let answers = is_largest.where_cond(&order, &last)?.min(1)?;
    let labels = Tensor::from_slice(labels, labels.len(), device)?;
    Ok(answers.eq(&labels)?.to_dtype(DType::F32)?.sum_all()?)
}

/// How many pairs of an image and a label are answered right, as a number on the device.
pub fn count_labels_right(scores: &Tensor, rows: &Tensor) -> Result<Tensor> {
    let rows = beside(scores, Target::Images(rows))?;
    let is_right = above(scores, super::label_rows::THRESHOLD)?.eq(&above(&rows, 0.5)?)?;
    Ok(is_right.to_dtype(DType::F32)?.sum_all()?)
}

#[cfg(test)]
mod tests;
