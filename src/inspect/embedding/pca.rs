//! Principal components: the directions in which rows of numbers vary most.
//!
//! The first components are found by orthogonal iteration with a Rayleigh-Ritz step on the covariance (or, where there
//! are fewer rows than columns, on the rows' products with each other), which needs neither all eigenvectors nor a
//! library of matrices: linear algebra crates of this size cost more time to build than all of this room. Sums are made
//! in a fixed order: results do not depend on the number of threads. Nothing here fails.

use crate::neighbours::Rows;
use rayon::prelude::*;
use strata_core::symmetric_eigen::Eigen;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Components {
    /// Of each component the share of the whole variance, falling.
    pub explained: Vec<f64>,
    /// `rows × components` coordinates of the rows, the mean at 0. The coordinate farthest from 0 is positive.
    pub projected: Vec<f64>,
}

/// Vectors iterated beside those that are wanted: the more, the faster the wanted ones settle.
const SPARE: usize = 10;
/// Rounds at most, and the relative change of the wanted eigenvalues at which they are settled.
const ROUNDS: usize = 500;
const SETTLED: f64 = 1e-13;

/// The first `count` components, or as many as there can be; `None` when `go_on` wants no more.
pub fn components(
    rows: Rows<'_>,
    count: usize,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Components> {
    let (points, width) = (rows.len(), rows.width());
    let centred = centred(rows);
    let total: f64 = centred.iter().map(|value| value * value).sum();
    let by_rows = points < width;
    let side = points.min(width);
    let count = count.min(side);
    if count == 0 || total <= 0.0 {
        return Some(Components {
            explained: vec![0.0; count],
            projected: vec![0.0; points * count],
        });
    }
    let product = if by_rows {
        products(&centred, width, go_on)?
    } else {
        products(&transposed(&centred, width), points, go_on)?
    };
    let (values, vectors) = leading(&product, side, count, go_on)?;
    let projected = if by_rows {
        // An eigenvector of the rows' products, times the root of its eigenvalue, is the coordinate itself.
        let scaled = |(at, value): (usize, &f64)| value * values[at % count].max(0.0).sqrt();
        vectors.iter().enumerate().map(scaled).collect()
    } else {
        times(&centred, width, &vectors, count)
    };
    Some(Components {
        explained: values.iter().map(|value| value.max(0.0) / total).collect(),
        projected: turned(projected, count),
    })
}

/// The rows less their mean.
fn centred(rows: Rows<'_>) -> Vec<f64> {
    let points = rows.len();
    let mut means = vec![0.0f64; rows.width()];
    for index in 0..points {
        let row = rows.row(index).iter();
        means
            .iter_mut()
            .zip(row)
            .for_each(|(mean, value)| *mean += f64::from(*value));
    }
    means
        .iter_mut()
        .for_each(|mean| *mean /= points.max(1) as f64);
    let row = |index: usize| rows.row(index).iter().zip(&means);
    (0..points)
        .flat_map(|index| row(index).map(|(value, mean)| f64::from(*value) - mean))
        .collect()
}

fn transposed(matrix: &[f64], width: usize) -> Vec<f64> {
    let rows = matrix.len() / width.max(1);
    (0..width)
        .flat_map(|column| (0..rows).map(move |row| matrix[row * width + column]))
        .collect()
}

/// All products of the rows of a matrix with each other.
fn products(
    matrix: &[f64],
    width: usize,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Vec<f64>> {
    const BLOCK: usize = 64;
    let rows: Vec<&[f64]> = matrix.chunks_exact(width.max(1)).collect();
    let of_row = |a: &&[f64]| rows.iter().map(|b| dot(a, b)).collect::<Vec<f64>>();
    let mut all = Vec::with_capacity(rows.len() * rows.len());
    for block in rows.chunks(BLOCK) {
        let products: Vec<Vec<f64>> = block.par_iter().map(of_row).collect();
        all.extend(products.concat());
        if !go_on(0) {
            return None;
        }
    }
    Some(all)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_blocks.remainder().iter().zip(b_blocks.remainder());
    let rest: f64 = rest.map(|(a, b)| a * b).sum();
    let mut sums = [0.0f64; LANES];
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// A matrix of rows of this width times one of `columns` columns.
fn times(matrix: &[f64], width: usize, right: &[f64], columns: usize) -> Vec<f64> {
    let of_row = |row: &[f64]| {
        let mut sums = vec![0.0; columns];
        for (value, right) in row.iter().zip(right.chunks_exact(columns)) {
            sums.iter_mut()
                .zip(right)
                .for_each(|(sum, right)| *sum += value * right);
        }
        sums
    };
    let rows: Vec<Vec<f64>> = matrix.par_chunks_exact(width).map(of_row).collect();
    rows.concat()
}

/// The largest eigenvalues of a symmetric matrix without negative ones, falling, and their vectors as `side × count`.
fn leading(
    matrix: &[f64],
    side: usize,
    count: usize,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let columns = (count + SPARE).min(side);
    let mut basis = orthonormal(start(side, columns), columns);
    let mut former = vec![f64::NAN; count];
    for round in 0..ROUNDS {
        let image = times(matrix, side, &basis, columns);
        let small = times(&transposed(&basis, columns), side, &image, columns);
        let (values, turn) = eigen(small, columns);
        let is_settled = values
            .iter()
            .zip(&former)
            .all(|(value, former)| (value - former).abs() <= SETTLED * values[0].abs());
        former = values[..count].to_vec();
        if is_settled || round + 1 == ROUNDS {
            let vectors = times(&basis, columns, &turn, columns);
            let kept = vectors
                .chunks_exact(columns)
                .flat_map(|row| row[..count].to_vec());
            return Some((former, kept.collect()));
        }
        basis = orthonormal(times(&image, columns, &turn, columns), columns);
        if !go_on(round) {
            return None;
        }
    }
    None
}

/// Directions to start from that no matrix of images is at right angles to: the cosines of growing frequency, with a
/// part of every axis.
fn start(side: usize, columns: usize) -> Vec<f64> {
    let value = |row: usize, column: usize| {
        let angle = (row as f64 + 0.5) * (column as f64 + 0.37) * 2.399_963;
        angle.cos()
    };
    (0..side)
        .flat_map(|row| (0..columns).map(move |column| value(row, column)))
        .collect()
}

/// The columns made orthonormal (modified Gram-Schmidt, twice); what is not independent becomes zero.
fn orthonormal(matrix: Vec<f64>, columns: usize) -> Vec<f64> {
    let side = matrix.len() / columns.max(1);
    let flipped = transposed(&matrix, columns);
    let mut done: Vec<Vec<f64>> = Vec::with_capacity(columns);
    for column in flipped.chunks_exact(side.max(1)) {
        let mut column = column.to_vec();
        let before = dot(&column, &column).sqrt();
        for _ in 0..2 {
            for other in &done {
                let share = dot(&column, other);
                column
                    .iter_mut()
                    .zip(other)
                    .for_each(|(value, other)| *value -= share * other);
            }
        }
        let length = dot(&column, &column).sqrt();
        let scale = if length > 1e-12 * before && length > 0.0 {
            1.0 / length
        } else {
            0.0
        };
        column.iter_mut().for_each(|value| *value *= scale);
        done.push(column);
    }
    transposed(&done.concat(), side)
}

/// All eigenvalues of a small symmetric matrix, falling, and their vectors as columns; of one with numbers that are not
/// finite, no directions at all.
fn eigen(matrix: Vec<f64>, side: usize) -> (Vec<f64>, Vec<f64>) {
    match Eigen::of_symmetric(matrix, side) {
        Some(found) => (found.values, transposed(&found.vectors, side)),
        None => (vec![0.0; side], vec![0.0; side * side]),
    }
}

/// The sign of a component is no property of it: the coordinate farthest from 0 becomes positive.
fn turned(mut projected: Vec<f64>, columns: usize) -> Vec<f64> {
    for column in 0..columns {
        let values = || projected.iter().skip(column).step_by(columns);
        let farthest = values().fold(0.0f64, |most, value| {
            if value.abs() > most.abs() {
                *value
            } else {
                most
            }
        });
        if farthest < 0.0 {
            let own = projected.iter_mut().skip(column).step_by(columns);
            own.for_each(|value| *value = -*value);
        }
    }
    projected
}
