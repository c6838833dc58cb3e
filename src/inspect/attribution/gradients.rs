//! Methods made of gradients.

use super::legendre::nodes;
use super::score::Scored;
use super::{Watch, go_on};
use crate::inspection::InspectError;

/// Value by value.
pub(super) fn times(mut gradient: Vec<f32>, images: &[f32]) -> Vec<f32> {
    gradient
        .iter_mut()
        .zip(images)
        .for_each(|(slope, value)| *slope *= value);
    gradient
}

/// SmoothGrad: the mean gradient over copies of the images with each of these noises added.
pub fn smooth(
    scored: &mut Scored<'_>,
    images: &[f32],
    noises: &[Vec<f32>],
    watch: &mut Watch<'_>,
) -> Result<Vec<f32>, InspectError> {
    let mut sum = vec![0.0f64; images.len()];
    for (copy, noise) in noises.iter().enumerate() {
        go_on(watch, copy, noises.len())?;
        let noisy: Vec<f32> = images.iter().zip(noise).map(|(x, n)| x + n).collect();
        add(&mut sum, &scored.gradients(&noisy)?.1, 1.0);
    }
    let mean = |sum: &f64| (sum / noises.len().max(1) as f64) as f32;
    Ok(sum.iter().map(mean).collect())
}

/// Integrated gradients from an image of zeros, at so many points on the way.
pub fn integrated(
    scored: &mut Scored<'_>,
    images: &[f32],
    points: usize,
    watch: &mut Watch<'_>,
) -> Result<Vec<f32>, InspectError> {
    let mut sum = vec![0.0f64; images.len()];
    for (point, (share, weight)) in nodes(points).into_iter().enumerate() {
        go_on(watch, point, points)?;
        let part: Vec<f32> = images.iter().map(|value| share as f32 * value).collect();
        add(&mut sum, &scored.gradients(&part)?.1, weight);
    }
    let gradient = sum.iter().map(|value| *value as f32).collect();
    Ok(times(gradient, images))
}

/// Guided backpropagation.
pub fn guided(scored: &mut Scored<'_>, images: &[f32]) -> Result<Vec<f32>, InspectError> {
    scored.network.set_guided(true);
    let gradient = scored.gradients(images);
    scored.network.set_guided(false);
    Ok(gradient?.1)
}

fn add(sum: &mut [f64], values: &[f32], weight: f64) {
    sum.iter_mut()
        .zip(values)
        .for_each(|(sum, value)| *sum += weight * f64::from(*value));
}
