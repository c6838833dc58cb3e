//! Layer normalisation on the CPU: an image is one group, and every value has a weight of its own.
//!
//! Weights are in the order of the images, channels last: see [`transpose`].

use super::blocking::PARTS;
use super::group_norm::{Images, Statistics};
use super::norm_rows::{WeightedProducts, add_sums, sums_scratch};
use super::real::Real;
use super::reduce::in_parts;
use super::simd::{Level, vectorized};
use rayon::prelude::*;
use std::ops::Range;

/// Values whose gradients are summed over all images at a time.
const BLOCK: usize = 1024;
/// Images whose gradients are summed in the elements' own type before f64 takes over.
const SUMMED: usize = 64;

/// x̂ of an element: `(x − centre)·factor + shift`.
#[derive(Clone, Copy)]
struct Line<T> {
    centre: T,
    factor: T,
    shift: T,
}

impl<T: Real> Line<T> {
    fn new(statistics: Statistics) -> Line<T> {
        let Statistics { mean, inverse_std } = statistics;
        let centre = T::narrow(mean);
        Line {
            centre,
            factor: T::narrow(inverse_std),
            // Corrects for `centre` having been rounded to T.
            shift: T::narrow((centre.wide() - mean) * inverse_std),
        }
    }
}

/// Normalises every image and keeps its statistics.
pub(crate) fn normalise<T: Real>(
    images: &Images<'_, T>,
    weight: &[T],
    bias: &[T],
    statistics: &mut [Statistics],
    y: &mut [T],
) {
    images.each(statistics, y, |range, statistics, y| {
        let x = &images.numbers[range];
        images.measure(x, statistics);
        let line = Line::new(statistics[0]);
        images.in_pieces(y, |from, y| {
            let piece = from..from + y.len();
            let (weight, bias) = (&weight[piece.clone()], &bias[piece.clone()]);
            line_by_value(&x[piece], line, weight, bias, y);
        });
    });
}

/// The gradient of the input: 1/σ·(g·w − mean(g·w) − x̂·mean(g·w·x̂)).
pub(crate) fn input_gradient<T: Real>(
    images: &Images<'_, T>,
    gradient: &[T],
    weight: &[T],
    statistics: &mut [Statistics],
    dx: &mut [T],
) {
    images.each(statistics, dx, |range, statistics, dx| {
        let (x, gradient) = (&images.numbers[range.clone()], &gradient[range]);
        let line = plane(images, [x, gradient, weight], statistics[0]);
        let factor = T::narrow(statistics[0].inverse_std);
        images.in_pieces(dx, |from, dx| {
            let piece = from..from + dx.len();
            let (x, weight) = (&x[piece.clone()], &weight[piece.clone()]);
            plane_by_value(x, &gradient[piece], weight, factor, line, dx);
        });
    });
}

/// What an image's x adds to its gradient: −1/σ·(mean(g·w) + x̂·mean(g·w·x̂)).
fn plane<T: Real>(
    images: &Images<'_, T>,
    [x, gradient, weight]: [&[T]; 3],
    statistics: Statistics,
) -> Line<T> {
    let Statistics { mean, inverse_std } = statistics;
    let centre = T::narrow(mean);
    let off = mean - centre.wide();
    let mut sums = [0.0; 2];
    T::with_scratch(sums_scratch(1), |some| {
        images.sum_over(some, &mut sums, |range, some, sums| {
            let terms = WeightedProducts {
                x: &x[range.clone()],
                gradient: &gradient[range.clone()],
                weight: &weight[range.clone()],
                centre,
            };
            add_sums(Level::chosen(), terms, range.len(), some, sums);
        });
    });
    let count = images.image as f64;
    let [plain, product] = sums;
    let factor = -inverse_std * inverse_std * (product - off * plain) * inverse_std / count;
    Line {
        centre,
        factor: T::narrow(factor),
        shift: T::narrow(-inverse_std * plain / count - factor * off),
    }
}

/// Σ g·x̂ and Σ g of every value over all images, one after the other in `sums`.
pub(crate) fn parameter_gradients<T: Real>(
    images: &Images<'_, T>,
    gradient: &[T],
    statistics: &[Statistics],
    sums: &mut [f64],
) {
    let image = images.image;
    let count = statistics.len();
    if image < PARTS * BLOCK {
        return in_parts(count, sums, |some, sums| {
            let (products, plain) = sums.split_at_mut(image);
            add_block(images, gradient, statistics, (some, 0), products, plain);
        });
    }
    sums.fill(0.0);
    let (products, plain) = sums.split_at_mut(image);
    let blocks = products
        .par_chunks_mut(BLOCK)
        .zip(plain.par_chunks_mut(BLOCK));
    blocks.enumerate().for_each(|(block, (products, plain))| {
        let place = (0..count, block * BLOCK);
        add_block(images, gradient, statistics, place, products, plain);
    });
}

/// Adds the sums over some images for as many values as `plain` has, from the value `first` on.
fn add_block<T: Real>(
    images: &Images<'_, T>,
    gradient: &[T],
    statistics: &[Statistics],
    (some, first): (Range<usize>, usize),
    products: &mut [f64],
    plain: &mut [f64],
) {
    let width = plain.len();
    T::with_scratch(2 * width, |sums| {
        for start in some.clone().step_by(SUMMED) {
            sums.fill(T::zero());
            let (product, sum) = sums.split_at_mut(width);
            let end = (start + SUMMED).min(some.end);
            for (image, &statistics) in statistics.iter().enumerate().take(end).skip(start) {
                let from = image * images.image + first;
                let (x, g) = (&images.numbers[from..][..width], &gradient[from..][..width]);
                add_products(x, g, Line::new(statistics), product, sum);
            }
            for (wide, sum) in [(&mut *products, &*product), (&mut *plain, &*sum)] {
                let each = wide.iter_mut().zip(sum);
                each.for_each(|(wide, &sum)| *wide += sum.wide());
            }
        }
    });
}

vectorized! {
    /// `y = x̂·weight + bias`.
    fn line_by_value<T: Real>(x: &[T], line: Line<T>, weight: &[T], bias: &[T], y: &mut [T]) {
        let each = y.iter_mut().zip(x).zip(weight).zip(bias);
        for (((y, &x), &weight), &bias) in each {
            *y = ((x - line.centre) * line.factor + line.shift) * weight + bias;
        }
    }

    /// `dx = g·w·factor + line(x)`.
    fn plane_by_value<T: Real>(x: &[T], g: &[T], weight: &[T], factor: T, line: Line<T>, dx: &mut [T]) {
        let each = dx.iter_mut().zip(x).zip(g).zip(weight);
        for (((dx, &x), &g), &weight) in each {
            *dx = g * weight * factor + ((x - line.centre) * line.factor + line.shift);
        }
    }

    /// Adds `g·x̂` and `g`.
    fn add_products<T: Real>(x: &[T], g: &[T], line: Line<T>, product: &mut [T], sum: &mut [T]) {
        let each = product.iter_mut().zip(sum).zip(x).zip(g);
        for (((product, sum), &x), &g) in each {
            *product += g * ((x - line.centre) * line.factor + line.shift);
            *sum += g;
        }
    }
}

/// `to[column·rows + row] = from[row·columns + column]`.
pub(crate) fn transpose<A: Copy + Sync, B: Send>(
    from: &[A],
    rows: usize,
    to: &mut [B],
    convert: impl Fn(A) -> B + Sync,
) {
    // So many columns at a time that whole cache lines are read.
    const COLUMNS: usize = 16;
    let rows = rows.max(1);
    let columns = from.len() / rows;
    to.par_chunks_mut(COLUMNS * rows)
        .enumerate()
        .for_each(|(block, to)| {
            let first = block * COLUMNS;
            for row in 0..rows {
                let from = &from[row * columns + first..];
                for (&from, to) in from.iter().zip(to[row..].iter_mut().step_by(rows)) {
                    *to = convert(from);
                }
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_transposed() {
        let mut to = [0.0; 6];
        transpose(&[1, 2, 3, 4, 5, 6], 2, &mut to, f64::from);
        assert_eq!(to, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let (rows, columns) = (5, 37);
        let from: Vec<usize> = (0..rows * columns).collect();
        let mut to = vec![0; from.len()];
        transpose(&from, rows, &mut to, |value| value);
        for (i, value) in to.into_iter().enumerate() {
            assert_eq!(value, i % rows * columns + i / rows);
        }
    }
}
