//! Batch normalisation on the CPU: sums by channel, and a linear function of each element.
//!
//! Sums run in the elements' own type over a few rows and in f64 from there, over fixed parts of the batch in
//! order, so that they do not depend on the number of threads.

use super::blocking::norm_images;
use super::conv_input::ConvInput;
use super::pooling::max_of_image;
use super::real::Real;
use super::reduce::in_parts;
use super::simd::vectorized;
use super::sliding::Margin;
use super::taps::Taps;
use rayon::prelude::*;
use std::ops::Range;

/// Rows that are summed before f64 takes over.
const ROWS: usize = 64;

/// Scale and shift of the forward pass: a relu behind it let through what they make positive. Computing that
/// again is quicker than reading the output.
pub type Gate<'a, T> = (&'a [T], &'a [T]);

/// Coefficients by channel of a plane through gradient and input.
#[derive(Clone, Copy)]
pub struct Plane<'a, T> {
    /// On the gradient.
    pub factor: &'a [T],
    /// On the input.
    pub scale: &'a [T],
    /// Added.
    pub shift: &'a [T],
}

/// A batch: its elements, channels, and the spatial positions of an image.
#[derive(Clone, Copy)]
pub struct Batch<'a, T> {
    /// `images × cells × channels` elements.
    pub numbers: &'a [T],
    /// Channels.
    pub channels: usize,
    /// Positions of an image.
    pub cells: usize,
}

impl<T: Real> Batch<'_, T> {
    fn image(&self) -> usize {
        self.cells * self.channels
    }

    fn images(&self) -> usize {
        self.numbers.len() / self.image().max(1)
    }

    /// Images that a task takes at a time.
    fn block(&self) -> usize {
        norm_images(self.image())
    }

    /// Σ (x − centre) and Σ (x − centre)² by channel, one after the other in `sums`.
    pub(crate) fn moments(&self, centre: &[T], sums: &mut [f64]) {
        let channels = self.channels;
        in_parts(self.numbers.len() / channels, sums, |rows, sums| {
            let numbers = &self.numbers[rows.start * channels..rows.end * channels];
            T::with_scratch(2 * channels, |some| {
                for rows in numbers.chunks(ROWS * channels) {
                    add_moments(rows, centre, some);
                    widen(some, sums);
                }
            });
        });
    }

    /// Σ g and Σ g·(x − centre) by channel, one after the other in `sums`.
    pub(crate) fn gradient_sums(
        &self,
        gradient: ConvInput<'_, T>,
        gate: Option<Gate<'_, T>>,
        centre: &[T],
        sums: &mut [f64],
    ) {
        let channels = self.channels;
        in_parts(self.images(), sums, |images, sums| {
            T::with_scratch(self.block() * self.image() + 2 * channels, |scratch| {
                let (some, scratch) = scratch.split_at_mut(2 * channels);
                self.each_block(images, gradient, scratch, |block, g| {
                    let x = self.numbers[block].chunks(ROWS * channels);
                    for (x, g) in x.zip(g.chunks(ROWS * channels)) {
                        match gate {
                            Some((scale, shift)) => {
                                add_gated_products(x, g, centre, scale, shift, some)
                            }
                            None => add_products(x, g, centre, some),
                        }
                        widen(some, sums);
                    }
                });
            });
        });
    }

    /// Calls `f(range of the elements, their gradient)` for a few images at a time.
    fn each_block(
        &self,
        images: Range<usize>,
        gradient: ConvInput<'_, T>,
        scratch: &mut [T],
        mut f: impl FnMut(Range<usize>, &[T]),
    ) {
        let image = self.image();
        let size = self.block();
        let tight = Margin {
            image: [1, 1, self.cells],
            before: [0; 3],
            padded: [1, 1, self.cells],
        };
        for first in images.clone().step_by(size) {
            let block = first..(first + size).min(images.end);
            let range = block.start * image..block.end * image;
            match gradient.plain() {
                Some(gradient) => f(range.clone(), &gradient[range]),
                None => {
                    gradient.write_padded(block, &tight, self.channels, scratch);
                    f(range.clone(), &scratch[..range.len()]);
                }
            }
        }
    }

    /// `y = x·scale + shift`, and 0 where that is negative if `relu`.
    pub fn line(&self, scale: &[T], shift: &[T], relu: bool, y: &mut [T]) {
        let size = self.block() * self.image();
        y.par_chunks_mut(size)
            .zip(self.numbers.par_chunks(size))
            .for_each(|(y, x)| {
                if relu {
                    line_above(x, scale, shift, y)
                } else {
                    line(x, scale, shift, y)
                }
            });
    }

    /// The same, then the maximum of each window with its index; the relu before or after.
    pub(crate) fn line_pooled(
        &self,
        (scale, shift): (&[T], &[T]),
        taps: &Taps,
        (relu_before, relu_after): (bool, bool),
        y: &mut [T],
        indices: &mut [u32],
    ) {
        let image = self.image();
        let pooled = taps.positions * self.channels;
        let out = y.par_chunks_mut(pooled).zip(indices.par_chunks_mut(pooled));
        out.zip(self.numbers.par_chunks(image))
            .for_each(|((y, indices), x)| {
                T::with_scratch(image, |full| {
                    if relu_before {
                        line_above(x, scale, shift, full)
                    } else {
                        line(x, scale, shift, full)
                    }
                    max_of_image(taps, self.channels, full, y, indices, relu_after);
                });
            });
    }

    /// `dx = gradient·factor + x·scale + shift`.
    pub fn input_gradient(
        &self,
        gradient: ConvInput<'_, T>,
        gate: Option<Gate<'_, T>>,
        plane: Plane<'_, T>,
        dx: &mut [T],
    ) {
        let image = self.image();
        let size = self.block();
        dx.par_chunks_mut(size * image)
            .enumerate()
            .for_each(|(block, dx)| {
                let images = block * size..block * size + dx.len() / image;
                T::with_scratch(size * image, |scratch| {
                    self.each_block(images, gradient, scratch, |range, g| {
                        let x = &self.numbers[range];
                        match gate {
                            Some((scale, shift)) => gated(x, g, scale, shift, plane, dx),
                            None => ungated(x, g, plane, dx),
                        }
                    });
                });
            });
    }
}

/// Adds to sums in f64 and resets them.
fn widen<T: Real>(some: &mut [T], sums: &mut [f64]) {
    for (sum, some) in sums.iter_mut().zip(some) {
        *sum += some.to_f64();
        *some = T::zero();
    }
}

vectorized! {
    fn add_moments<T: Real>(rows: &[T], centre: &[T], sums: &mut [T]) {
        let channels = centre.len();
        sums.fill(T::zero());
        let (sum, square) = sums.split_at_mut(channels);
        for row in rows.chunks_exact(channels) {
            for (((sum, square), &x), &centre) in sum.iter_mut().zip(square.iter_mut()).zip(row).zip(centre) {
                let d = x - centre;
                *sum += d;
                *square += d * d;
            }
        }
    }

    fn add_products<T: Real>(rows: &[T], gradient: &[T], centre: &[T], sums: &mut [T]) {
        let channels = centre.len();
        sums.fill(T::zero());
        let (sum, product) = sums.split_at_mut(channels);
        for (x, g) in rows.chunks_exact(channels).zip(gradient.chunks_exact(channels)) {
            let each = sum.iter_mut().zip(product.iter_mut()).zip(x).zip(g).zip(centre);
            for ((((sum, product), &x), &g), &centre) in each {
                *sum += g;
                *product += g * (x - centre);
            }
        }
    }

    fn line<T: Real>(x: &[T], scale: &[T], shift: &[T], y: &mut [T]) {
        let channels = scale.len();
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for (((y, &x), &scale), &shift) in y.iter_mut().zip(x).zip(scale).zip(shift) {
                *y = x * scale + shift;
            }
        }
    }

    fn line_above<T: Real>(x: &[T], scale: &[T], shift: &[T], y: &mut [T]) {
        let channels = scale.len();
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for (((y, &x), &scale), &shift) in y.iter_mut().zip(x).zip(scale).zip(shift) {
                let value = x * scale + shift;
                *y = if value < T::zero() { T::zero() } else { value };
            }
        }
    }

    fn ungated<T: Real>(x: &[T], g: &[T], plane: Plane<'_, T>, out: &mut [T]) {
        let channels = plane.scale.len();
        let rows = out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)).zip(g.chunks_exact(channels));
        for ((out, x), g) in rows {
            let each = out.iter_mut().zip(x).zip(g).zip(plane.factor).zip(plane.scale).zip(plane.shift);
            for (((((out, &x), &g), &factor), &scale), &shift) in each {
                *out = g * factor + (x * scale + shift);
            }
        }
    }

    fn gated<T: Real>(x: &[T], g: &[T], open: &[T], from: &[T], plane: Plane<'_, T>, out: &mut [T]) {
        let channels = plane.scale.len();
        let rows = out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)).zip(g.chunks_exact(channels));
        for ((out, x), g) in rows {
            let lines = plane.factor.iter().zip(plane.scale).zip(plane.shift).zip(open).zip(from);
            let each = out.iter_mut().zip(x).zip(g).zip(lines);
            for (((out, &x), &g), ((((&factor, &scale), &shift), &open), &from)) in each {
                let g = if x * open + from > T::zero() { g } else { T::zero() };
                *out = g * factor + (x * scale + shift);
            }
        }
    }

    fn add_gated_products<T: Real>(
        rows: &[T],
        gradient: &[T],
        centre: &[T],
        open: &[T],
        from: &[T],
        sums: &mut [T],
    ) {
        let channels = centre.len();
        sums.fill(T::zero());
        let (sum, product) = sums.split_at_mut(channels);
        for (x, g) in rows.chunks_exact(channels).zip(gradient.chunks_exact(channels)) {
            let lines = centre.iter().zip(open).zip(from);
            let each = sum.iter_mut().zip(product.iter_mut()).zip(x).zip(g).zip(lines);
            for ((((sum, product), &x), &g), ((&centre, &open), &from)) in each {
                let g = if x * open + from > T::zero() { g } else { T::zero() };
                *sum += g;
                *product += g * (x - centre);
            }
        }
    }
}
