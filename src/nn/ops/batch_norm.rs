//! Batch normalisation on the CPU: sums by channel, and a linear function of each element.
//!
//! Sums run over fixed parts of the batch in order, so that they do not depend on the number of threads. Lines are as
//! wide as the rows of [`super::norm_rows`].

use super::activated::Activated;
use super::blocking::{norm_block, norm_elements, norm_images};
use super::conv_input::ConvInput;
use super::norm_rows::{
    GatedProducts, Moments, Products, add_sums, repeat, row_width, sums_scratch,
};
use super::pooling::max_of_piece;
use super::real::Real;
use super::reduce::in_parts;
use super::simd::{Level, vectorized};
use super::taps::{Bands, Taps};
use rayon::prelude::*;
use std::ops::Range;

/// Scale and shift of the forward pass: a relu behind it let through what they make positive. Computing that
/// again is quicker than reading the output.
pub type Gate<'a, T> = (&'a [T], &'a [T]);

/// Coefficients of a plane through gradient and input: by channel, repeated over a row.
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

    /// Elements whose gradient is laid out at a time.
    fn block(&self) -> usize {
        norm_block(self.image(), self.channels)
    }

    /// Σ (x − centre) and Σ (x − centre)² by channel, one after the other in `sums`.
    pub(crate) fn moments(&self, centre: &[T], sums: &mut [f64]) {
        let width = row_width(self.channels);
        self.in_pixels(sums, |elements, sums| {
            let x = &self.numbers[elements];
            T::with_scratch(width + sums_scratch(self.channels), |scratch| {
                let (row, some) = scratch.split_at_mut(width);
                repeat(centre, row);
                let terms = Moments { x, centre: row };
                add_sums(Level::chosen(), terms, x.len(), some, sums);
            });
        });
    }

    /// Adds up what `add` adds for a part of all elements.
    fn in_pixels(&self, sums: &mut [f64], add: impl Fn(Range<usize>, &mut [f64]) + Sync) {
        let channels = self.channels;
        in_parts(self.numbers.len() / channels, sums, |pixels, sums| {
            add(pixels.start * channels..pixels.end * channels, sums)
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
        let need = sums_scratch(self.channels);
        let add = |elements: Range<usize>, gradient: &[T], some: &mut [T], sums: &mut [f64]| {
            let x = &self.numbers[elements];
            let products = Products {
                x,
                gradient,
                centre,
            };
            let level = Level::chosen();
            match gate {
                Some((scale, shift)) => {
                    let gated = GatedProducts {
                        products,
                        scale,
                        shift,
                    };
                    add_sums(level, gated, x.len(), some, sums);
                }
                None => add_sums(level, products, x.len(), some, sums),
            }
        };
        if let Some(plain) = gradient.plain() {
            return self.in_pixels(sums, |elements, sums| {
                T::with_scratch(need, |some| {
                    add(elements.clone(), &plain[elements], some, sums)
                });
            });
        }
        in_parts(self.images(), sums, |images, sums| {
            T::with_scratch(self.block() + need, |scratch| {
                let (some, scratch) = scratch.split_at_mut(need);
                self.each_block(images, gradient, scratch, |elements, gradient| {
                    add(elements, gradient, some, sums)
                });
            });
        });
    }

    /// Calls `f(range of the elements, their gradient)` for all elements of some images, a block after the other, whose
    /// gradient it lays out. Blocks are as large as stay in the cache.
    fn each_block(
        &self,
        images: Range<usize>,
        gradient: ConvInput<'_, T>,
        scratch: &mut [T],
        mut f: impl FnMut(Range<usize>, &[T]),
    ) {
        let size = self.block();
        let (image, channels) = (self.image(), self.channels);
        let end = images.end * image;
        let mut first = images.start * image;
        while first < end {
            // Several whole images, or a part of one.
            let next = (first / image + 1) * image;
            let last = (first + size).min(if size < image { next } else { end });
            let laid = &mut scratch[..last - first];
            for index in first / image..last.div_ceil(image) {
                let (from, to) = (first.max(index * image), last.min((index + 1) * image));
                let own = &mut laid[from - first..to - first];
                let cells = (from - index * image) / channels..(to - index * image) / channels;
                gradient.write_cells(index, self.cells, channels, cells, own);
            }
            f(first..last, laid);
            first = last;
        }
    }

    /// `y = x·scale + shift`, and 0 where that is negative if `relu`; lines as wide as a row.
    pub fn line(&self, scale: &[T], shift: &[T], relu: bool, y: &mut [T]) {
        let size = norm_elements(self.channels);
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

    /// `y = activation(x·scale + shift)`.
    pub(crate) fn activated(&self, activated: Activated<'_, T>, y: &mut [T]) {
        let size = norm_elements(self.channels);
        y.par_chunks_mut(size)
            .zip(self.numbers.par_chunks(size))
            .for_each(|(y, x)| activated.forward(x, y));
    }

    /// Σ g and Σ g·(x − centre) by channel, with g before an activation. `of`: its output and that one's gradient.
    pub(crate) fn activated_sums(
        &self,
        activated: Activated<'_, T>,
        [y, gradient]: [&[T]; 2],
        centre: &[T],
        sums: &mut [f64],
    ) {
        let need = sums_scratch(self.channels);
        self.in_pixels(sums, |elements, sums| {
            T::with_scratch(need + activated.scratch(), |scratch| {
                let (some, scratch) = scratch.split_at_mut(need);
                let x = &self.numbers[elements.clone()];
                let of = [x, &y[elements.clone()], &gradient[elements]];
                activated.each_gradient(of, scratch, |first, gradient| {
                    let x = &x[first..first + gradient.len()];
                    let products = Products {
                        x,
                        gradient,
                        centre,
                    };
                    add_sums(Level::chosen(), products, x.len(), some, sums);
                });
            });
        });
    }

    /// `dx = g·factor + x·scale + shift`, with g before an activation.
    pub(crate) fn activated_gradient(
        &self,
        activated: Activated<'_, T>,
        [y, gradient]: [&[T]; 2],
        plane: Plane<'_, T>,
        dx: &mut [T],
    ) {
        let size = norm_elements(self.channels);
        let sources = y.par_chunks(size).zip(gradient.par_chunks(size));
        let sources = self.numbers.par_chunks(size).zip(sources);
        dx.par_chunks_mut(size)
            .zip(sources)
            .for_each(|(dx, (x, (y, gradient)))| {
                T::with_scratch(activated.scratch(), |scratch| {
                    activated.each_gradient([x, y, gradient], scratch, |first, gradient| {
                        let some = first..first + gradient.len();
                        ungated(&x[some.clone()], gradient, plane, &mut dx[some]);
                    });
                });
            });
    }

    /// The line of [`Batch::line`], then the maximum of each window with its index; the relu before or after.
    pub(crate) fn line_pooled(
        &self,
        (scale, shift): (&[T], &[T]),
        (taps, bands): (&Taps, Bands),
        (relu_before, relu_after): (bool, bool),
        y: &mut [T],
        indices: &mut [u32],
    ) {
        let image = self.image();
        let pooled = taps.positions * self.channels;
        let out = y.par_chunks_mut(pooled).zip(indices.par_chunks_mut(pooled));
        out.zip(self.numbers.par_chunks(image))
            .for_each(|((y, indices), x)| {
                T::with_scratch(bands.elements, |scratch| {
                    let band = bands.positions * self.channels;
                    let each = y.chunks_mut(band).zip(indices.chunks_mut(band));
                    for (index, (y, indices)) in each.enumerate() {
                        let first = index * bands.positions;
                        let read = taps.reach(first..first + y.len() / self.channels);
                        let from = read.start;
                        let x = &x[from * self.channels..read.end * self.channels];
                        let full = &mut scratch[..x.len()];
                        if relu_before {
                            line_above(x, scale, shift, full)
                        } else {
                            line(x, scale, shift, full)
                        }
                        max_of_piece(
                            taps,
                            first,
                            self.channels,
                            (full, from),
                            y,
                            indices,
                            relu_after,
                        );
                    }
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
        let plane_of = |x: &[T], g: &[T], dx: &mut [T]| match gate {
            Some((scale, shift)) => gated(x, g, scale, shift, plane, dx),
            None => ungated(x, g, plane, dx),
        };
        if let Some(plain) = gradient.plain() {
            let size = norm_elements(self.channels);
            let sources = self.numbers.par_chunks(size).zip(plain.par_chunks(size));
            return dx
                .par_chunks_mut(size)
                .zip(sources)
                .for_each(|(dx, (x, g))| plane_of(x, g, dx));
        }
        let image = self.image();
        let images = norm_images(image);
        dx.par_chunks_mut(images * image)
            .enumerate()
            .for_each(|(task, dx)| {
                let first = task * images * image;
                let images = task * images..task * images + dx.len() / image;
                T::with_scratch(self.block(), |scratch| {
                    self.each_block(images, gradient, scratch, |range, g| {
                        let dx = &mut dx[range.start - first..range.end - first];
                        plane_of(&self.numbers[range], g, dx);
                    });
                });
            });
    }
}

vectorized! {
    /// `y = x·scale + shift`, with lines as wide as a row.
    pub(super) fn line<T: Real>(x: &[T], scale: &[T], shift: &[T], y: &mut [T]) {
        for (y, x) in y.chunks_mut(scale.len()).zip(x.chunks(scale.len())) {
            for (((y, &x), &scale), &shift) in y.iter_mut().zip(x).zip(scale).zip(shift) {
                *y = x * scale + shift;
            }
        }
    }

    fn line_above<T: Real>(x: &[T], scale: &[T], shift: &[T], y: &mut [T]) {
        for (y, x) in y.chunks_mut(scale.len()).zip(x.chunks(scale.len())) {
            for (((y, &x), &scale), &shift) in y.iter_mut().zip(x).zip(scale).zip(shift) {
                let value = x * scale + shift;
                *y = if value < T::zero() { T::zero() } else { value };
            }
        }
    }

    /// The plane through gradient and input, with lines as wide as a row.
    pub(super) fn ungated<T: Real>(x: &[T], g: &[T], plane: Plane<'_, T>, out: &mut [T]) {
        let width = plane.scale.len();
        let rows = out.chunks_mut(width).zip(x.chunks(width)).zip(g.chunks(width));
        for ((out, x), g) in rows {
            let each = out.iter_mut().zip(x).zip(g).zip(plane.factor).zip(plane.scale).zip(plane.shift);
            for (((((out, &x), &g), &factor), &scale), &shift) in each {
                *out = g * factor + (x * scale + shift);
            }
        }
    }

    fn gated<T: Real>(x: &[T], g: &[T], open: &[T], from: &[T], plane: Plane<'_, T>, out: &mut [T]) {
        let width = plane.scale.len();
        let rows = out.chunks_mut(width).zip(x.chunks(width)).zip(g.chunks(width));
        for ((out, x), g) in rows {
            let lines = plane.factor.iter().zip(plane.scale).zip(plane.shift).zip(open).zip(from);
            let each = out.iter_mut().zip(x).zip(g).zip(lines);
            for (((out, &x), &g), ((((&factor, &scale), &shift), &open), &from)) in each {
                let g = if x * open + from > T::zero() { g } else { T::zero() };
                *out = g * factor + (x * scale + shift);
            }
        }
    }
}
