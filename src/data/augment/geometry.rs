//! Rotation, scaling about the centre and perspective: an output pixel looks up where it came from.

use super::sample::{Sampling, resample};
use super::{Size, Work};

/// Turns by `degrees` counter-clockwise about the centre (torchvision `rotate`).
pub fn rotate(
    from: &[f32],
    to: &mut Vec<f32>,
    size: Size,
    degrees: f32,
    sampling: Sampling,
    work: &mut Work,
) {
    let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
    affine(from, to, size, [cos, -sin, sin, cos], sampling, work);
}

/// Enlarges by `factor` about the centre (torchvision `affine` with `scale`).
pub fn scale(
    from: &[f32],
    to: &mut Vec<f32>,
    size: Size,
    factor: f32,
    sampling: Sampling,
    work: &mut Work,
) {
    let inverse = 1.0 / f64::from(factor);
    affine(from, to, size, [inverse, 0.0, 0.0, inverse], sampling, work);
}

/// Looks every output pixel up at the place that the 2×2 matrix (by rows) turns its own place into.
fn affine(
    from: &[f32],
    to: &mut Vec<f32>,
    size: Size,
    matrix: [f64; 4],
    sampling: Sampling,
    work: &mut Work,
) {
    let [xx, xy, yx, yy] = matrix;
    let (right, down) = (
        size.width as f64 / 2.0 - 0.5,
        size.height as f64 / 2.0 - 0.5,
    );
    resample(from, to, size, sampling, work, |row, x, y| {
        let below = row as f64 - down;
        let (x0, y0) = (
            xy * below - xx * right + right,
            yy * below - yx * right + down,
        );
        line(x, x0 as f32, xx as f32);
        line(y, y0 as f32, yx as f32);
    });
}

/// `start + step · index`.
fn line(values: &mut [f32], start: f32, step: f32) {
    // A counter of 32 bits, which vector instructions turn into a float.
    values
        .iter_mut()
        .zip(0i32..)
        .for_each(|(value, index)| *value = start + step * index as f32);
}

/// Corners in the order top left, top right, bottom right, bottom left, each as (x, y).
pub type Corners = [[f64; 2]; 4];

/// Moves the image's corners to `corners` (torchvision `perspective`). Corners on one line leave the image as
/// it is.
pub fn perspective(
    from: &[f32],
    to: &mut Vec<f32>,
    size: Size,
    corners: &Corners,
    sampling: Sampling,
    work: &mut Work,
) {
    let (right, bottom) = (size.width as f64 - 1.0, size.height as f64 - 1.0);
    let old = [[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]];
    let Some([a, b, c, d, e, f, g, h]) = coefficients(&old, corners) else {
        to.clear();
        to.extend_from_slice(from);
        return;
    };
    resample(from, to, size, sampling, work, |row, x, y| {
        let down = row as f32 + 0.5;
        for ((x, y), column) in x.iter_mut().zip(y).zip(0i32..) {
            let right = column as f32 + 0.5;
            let depth = 1.0 / (g * right + h * down + 1.0);
            *x = (a * right + b * down + c) * depth - 0.5;
            *y = (d * right + e * down + f) * depth - 0.5;
        }
    });
}

/// The eight numbers of the projection that takes `new` to `old`.
fn coefficients(old: &Corners, new: &Corners) -> Option<[f32; 8]> {
    let mut rows = [[0.0f64; 9]; 8];
    for (pair, (&[x, y], &[u, v])) in rows
        .as_chunks_mut::<2>()
        .0
        .iter_mut()
        .zip(new.iter().zip(old))
    {
        pair[0] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
        pair[1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
    }
    solve(rows).map(|solution| solution.map(|value| value as f32))
}

/// Gaussian elimination with pivoting; `None` where there is no single solution.
fn solve(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot =
            (column..8).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        rows.swap(column, pivot);
        let head = rows[column];
        if head[column].abs() < 1e-9 {
            return None;
        }
        for (_, row) in rows
            .iter_mut()
            .enumerate()
            .filter(|(index, _)| *index != column)
        {
            let factor = row[column] / head[column];
            row.iter_mut()
                .zip(head)
                .for_each(|(value, head)| *value -= factor * head);
        }
    }
    let mut solution = [0.0; 8];
    for (index, (value, row)) in solution.iter_mut().zip(rows).enumerate() {
        *value = row[8] / row[index];
    }
    Some(solution)
}
