//! Gaussian blur: along rows, then along columns; beyond the edge the image is mirrored.

use super::sample::fold;
use super::{Size, Work};
use strata_core::project::augment::Border;

/// Blurs with a kernel of `kernel` (odd) values of a Gaussian of standard deviation `sigma`
/// (torchvision `gaussian_blur`). A signal is blurred in time alone.
pub(crate) fn gaussian_blur(
    from: &[f32],
    to: &mut Vec<f32>,
    size: Size,
    kernel: usize,
    sigma: f32,
    work: &mut Work,
) {
    to.resize(size.len(), 0.0);
    let Work {
        kernel: weights,
        row,
        image,
        ..
    } = work;
    gaussian(weights, kernel, sigma);
    image.resize(size.len(), 0.0);
    for (from, to) in from
        .chunks_exact(size.row().max(1))
        .zip(image.chunks_exact_mut(size.row().max(1)))
    {
        mirrored(row, from, size, kernel / 2);
        along_row(row, to, weights, size.channels);
    }
    if size.is_signal() {
        to.copy_from_slice(image);
    } else {
        along_columns(image, to, weights, size);
    }
}

/// `kernel` values of a Gaussian about their middle; their sum is 1.
fn gaussian(weights: &mut Vec<f32>, kernel: usize, sigma: f32) {
    let middle = (kernel as f32 - 1.0) * 0.5;
    weights.clear();
    weights
        .extend((0..kernel).map(|index| (-0.5 * ((index as f32 - middle) / sigma).powi(2)).exp()));
    let sum: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
}

/// `from` with `margin` mirrored pixels on both sides.
fn mirrored(row: &mut Vec<f32>, from: &[f32], size: Size, margin: usize) {
    let (margin, width) = (margin as i32, size.width as i32);
    row.clear();
    let outside = |row: &mut Vec<f32>, columns: std::ops::Range<i32>| {
        for column in columns.filter_map(|column| fold(column, size.width, Border::Reflect)) {
            row.extend_from_slice(
                from.get(column * size.channels..(column + 1) * size.channels)
                    .unwrap_or_default(),
            );
        }
    };
    outside(row, -margin..0);
    row.extend_from_slice(from);
    outside(row, width..width + margin);
}

fn along_row(row: &[f32], to: &mut [f32], weights: &[f32], channels: usize) {
    to.fill(0.0);
    for (index, &weight) in weights.iter().enumerate() {
        add(to, row.get(index * channels..).unwrap_or_default(), weight);
    }
}

fn along_columns(from: &[f32], to: &mut [f32], weights: &[f32], size: Size) {
    let margin = (weights.len() / 2) as i32;
    for (row, to) in to.chunks_exact_mut(size.row().max(1)).enumerate() {
        to.fill(0.0);
        for (&weight, source) in weights.iter().zip(row as i32 - margin..) {
            let start = fold(source, size.height, Border::Reflect).unwrap_or(0) * size.row();
            add(to, from.get(start..).unwrap_or_default(), weight);
        }
    }
}

fn add(to: &mut [f32], values: &[f32], weight: f32) {
    to.iter_mut()
        .zip(values)
        .for_each(|(to, value)| *to += weight * value);
}
