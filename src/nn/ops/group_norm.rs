//! Group normalisation on the CPU: statistics of each image's groups, and a linear function of each element.
//!
//! Images are worked on side by side, each of them while it is in the cache. Few large ones come one after the other,
//! each divided between the threads.

use super::activated::Activated;
use super::batch_norm::{Plane, line, ungated};
use super::blocking::{MIN_TASKS, PARTS, norm_elements};
use super::norm_rows::{Moments, Products, add_sums, repeat, row_width, sums_scratch};
use super::real::Real;
use super::reduce::{add_parts, in_parts};
use super::simd::Level;
use rayon::prelude::*;
use std::ops::Range;
use strata_core::project::layer::Activation;
use strata_core::shape::layers::NORM_EPS;

/// Elements from which on an image is divided, where there are few.
const LARGE: usize = 1 << 15;
/// Pixels whose mean the deviations are taken from.
const SAMPLES: usize = 16;

/// Mean and 1/σ of a group of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Statistics {
    pub mean: f64,
    pub inverse_std: f64,
}

/// Images that are normalised each by itself.
#[derive(Clone, Copy)]
pub(crate) struct Images<'a, T> {
    /// All elements, channels last.
    pub numbers: &'a [T],
    /// Elements of an image.
    pub image: usize,
    pub channels: usize,
    pub groups: usize,
}

/// An activation behind the normalisation, on the way back.
#[derive(Clone, Copy)]
pub(crate) struct Behind<'a, T> {
    pub activation: Activation,
    /// Its output.
    pub y: &'a [T],
    /// Of the normalisation, by channel.
    pub bias: &'a [T],
}

/// Gradients on the way back through an image.
struct Back<'a, T> {
    x: &'a [T],
    y: &'a [T],
    gradient: &'a [T],
    statistics: &'a [Statistics],
    dx: Option<&'a mut [T]>,
}

impl<T: Real> Images<'_, T> {
    fn count(&self) -> usize {
        self.numbers.len() / self.image.max(1)
    }

    /// Whether each image is divided between the threads.
    fn divides(&self) -> bool {
        self.count() < MIN_TASKS && self.image >= LARGE
    }

    /// Lets `add` sum over the elements of an image; `some` is room for [`add_sums`].
    pub(super) fn sum_over(
        &self,
        some: &mut [T],
        sums: &mut [f64],
        add: impl Fn(Range<usize>, &mut [T], &mut [f64]) + Sync,
    ) {
        let channels = self.channels;
        if self.divides() {
            in_parts(self.image / channels, sums, |pixels, sums| {
                let range = pixels.start * channels..pixels.end * channels;
                T::with_scratch(sums_scratch(channels), |some| add(range, some, sums));
            });
        } else {
            sums.fill(0.0);
            add(0..self.image, some, sums);
        }
    }

    /// Calls `work` with the range of every image, its statistics and its output.
    pub(super) fn each(
        &self,
        statistics: &mut [Statistics],
        out: &mut [T],
        work: impl Fn(Range<usize>, &mut [Statistics], &mut [T]) + Sync,
    ) {
        let range = |index: usize| index * self.image..(index + 1) * self.image;
        if self.divides() {
            let images = out.chunks_mut(self.image);
            let images = images.zip(statistics.chunks_mut(self.groups)).enumerate();
            images.for_each(|(index, (out, statistics))| work(range(index), statistics, out));
        } else {
            let images = out.par_chunks_mut(self.image);
            let images = images
                .zip(statistics.par_chunks_mut(self.groups))
                .enumerate();
            images.for_each(|(index, (out, statistics))| work(range(index), statistics, out));
        }
    }

    /// Normalises every image, perhaps with an activation behind, and keeps its statistics, one for each of its groups.
    pub(crate) fn normalise(
        &self,
        [weight, bias]: [&[T]; 2],
        activation: Option<Activation>,
        statistics: &mut [Statistics],
        y: &mut [T],
    ) {
        let width = row_width(self.channels);
        self.each(statistics, y, |range, statistics, y| {
            let x = &self.numbers[range];
            self.measure(x, statistics);
            T::with_scratch(2 * width, |lines| {
                let (scale, shift) = lines.split_at_mut(width);
                self.lines([weight, bias], statistics, scale, shift);
                let (scale, shift) = (&*scale, &*shift);
                self.in_pieces(y, |from, y| {
                    let x = &x[from..from + y.len()];
                    match activation {
                        Some(activation) => {
                            self.activated(activation, [scale, shift]).forward(x, y)
                        }
                        None => line(x, scale, shift, y),
                    }
                });
            });
        });
    }

    /// An image is normalised as `x·scale + shift`: both as wide as a row.
    fn lines(
        &self,
        [weight, bias]: [&[T]; 2],
        statistics: &[Statistics],
        scale: &mut [T],
        shift: &mut [T],
    ) {
        let size = self.channels / self.groups;
        for c in 0..self.channels {
            let Statistics { mean, inverse_std } = statistics[c / size];
            let factor = weight[c].wide() * inverse_std;
            scale[c] = T::narrow(factor);
            shift[c] = T::narrow(bias[c].wide() - mean * factor);
        }
        repeat_first(scale, self.channels);
        repeat_first(shift, self.channels);
    }

    fn activated<'a>(
        &self,
        activation: Activation,
        [scale, shift]: [&'a [T]; 2],
    ) -> Activated<'a, T> {
        Activated {
            activation,
            channels: self.channels,
            scale,
            shift,
        }
    }

    /// Calls `work` with the pieces of an image's output: one, unless images are divided.
    pub(super) fn in_pieces(&self, out: &mut [T], work: impl Fn(usize, &mut [T]) + Sync) {
        if self.divides() {
            let piece = norm_elements(self.channels);
            let pieces = out.par_chunks_mut(piece).enumerate();
            pieces.for_each(|(index, out)| work(index * piece, out));
        } else {
            work(0, out);
        }
    }

    /// The statistics of an image's groups.
    pub(super) fn measure(&self, x: &[T], statistics: &mut [Statistics]) {
        let channels = self.channels;
        let width = row_width(channels);
        T::with_scratch(width + sums_scratch(channels), |scratch| {
            let (centre, some) = scratch.split_at_mut(width);
            sample(x, &mut centre[..channels]);
            repeat_first(centre, channels);
            let centre = &*centre;
            f64::with_scratch(2 * channels, |sums| {
                self.sum_over(some, sums, |range, some, sums| {
                    let x = &x[range];
                    add_sums(Level::chosen(), Moments { x, centre }, x.len(), some, sums);
                });
                let pixels = (self.image / channels) as f64;
                let size = channels / self.groups;
                for (group, statistics) in statistics.iter_mut().enumerate() {
                    let group = group * size..(group + 1) * size;
                    *statistics = of_group(group, &centre[..channels], sums, pixels);
                }
            });
        });
    }

    /// Σ g·x̂ and Σ g by channel over all images, one after the other in `sums`, and the gradient of the input where it
    /// is asked for.
    pub(crate) fn go_back(
        &self,
        gradient: &[T],
        weight: &[T],
        behind: Option<Behind<'_, T>>,
        statistics: &[Statistics],
        sums: &mut [f64],
        dx: Option<&mut [T]>,
    ) {
        let images = self.count().max(1);
        let parts = if self.divides() { 1 } else { PARTS.min(images) };
        let size = images.div_ceil(parts);
        let y = behind.map_or(gradient, |behind| behind.y);
        let mut backs = self.backs([y, gradient], statistics, dx);
        let each = 4 * self.channels;
        f64::with_scratch(parts * each, |scratch| {
            let work = |(backs, sums): (&mut [Back<'_, T>], &mut [f64])| {
                let (sums, own) = sums.split_at_mut(2 * self.channels);
                sums.fill(0.0);
                for back in backs {
                    self.go_back_through(back, weight, behind, own);
                    sums.iter_mut()
                        .zip(&*own)
                        .for_each(|(sum, own)| *sum += own);
                }
            };
            if self.divides() {
                work((&mut backs, scratch));
            } else {
                let backs = backs.par_chunks_mut(size);
                backs.zip(scratch.par_chunks_mut(each)).for_each(work);
            }
            let parts = images.div_ceil(size);
            add_parts(&mut scratch[..parts * each], each);
            sums.copy_from_slice(&scratch[..2 * self.channels]);
        });
    }

    fn backs<'a>(
        &'a self,
        [y, gradient]: [&'a [T]; 2],
        statistics: &'a [Statistics],
        dx: Option<&'a mut [T]>,
    ) -> Vec<Back<'a, T>> {
        let x = self.numbers.chunks(self.image);
        let images = x
            .zip(y.chunks(self.image).zip(gradient.chunks(self.image)))
            .zip(statistics.chunks(self.groups));
        let mut dx = dx.map(|dx| dx.chunks_mut(self.image));
        images
            .map(|((x, (y, gradient)), statistics)| Back {
                x,
                y,
                gradient,
                statistics,
                dx: dx.as_mut().and_then(Iterator::next),
            })
            .collect()
    }

    /// As [`Images::go_back_image`], after an activation behind.
    fn go_back_through(
        &self,
        back: &mut Back<'_, T>,
        weight: &[T],
        behind: Option<Behind<'_, T>>,
        sums: &mut [f64],
    ) {
        let Some(Behind {
            activation, bias, ..
        }) = behind
        else {
            return self.go_back_image(back, weight, sums);
        };
        let width = row_width(self.channels);
        T::with_scratch(2 * width + self.image, |scratch| {
            let (lines, own) = scratch.split_at_mut(2 * width);
            let (scale, shift) = lines.split_at_mut(width);
            self.lines([weight, bias], back.statistics, scale, shift);
            let activated = self.activated(activation, [scale, shift]);
            self.in_pieces(own, |from, own| {
                let some = from..from + own.len();
                let of = [back.x, back.y, back.gradient].map(|numbers| &numbers[some.clone()]);
                T::with_scratch(activated.scratch(), |scratch| {
                    activated.each_gradient(of, scratch, |first, gradient| {
                        own[first..first + gradient.len()].copy_from_slice(gradient);
                    });
                });
            });
            let mut back = Back {
                gradient: own,
                dx: back.dx.as_deref_mut(),
                ..*back
            };
            self.go_back_image(&mut back, weight, sums);
        });
    }

    /// Σ g·x̂ and Σ g by channel of an image, and the gradient of its input.
    fn go_back_image(&self, back: &mut Back<'_, T>, weight: &[T], sums: &mut [f64]) {
        let channels = self.channels;
        let (width, size) = (row_width(channels), channels / self.groups);
        let Back {
            x,
            gradient,
            statistics,
            dx,
            ..
        } = back;
        T::with_scratch(3 * width + sums_scratch(channels), |scratch| {
            let (lines, some) = scratch.split_at_mut(3 * width);
            let centre = &mut lines[..width];
            for (c, centre) in centre[..channels].iter_mut().enumerate() {
                *centre = T::narrow(statistics[c / size].mean);
            }
            repeat_first(centre, channels);
            self.sum_gradients([x, gradient, centre], some, sums);
            let (plain, products) = sums.split_at_mut(channels);
            for c in 0..channels {
                let Statistics { mean, inverse_std } = statistics[c / size];
                // Corrects for `centre` having been rounded to T.
                let off = mean - centre[c].wide();
                products[c] = (products[c] - off * plain[c]) * inverse_std;
            }
            if let Some(dx) = dx {
                self.planes(weight, statistics, plain, products, lines);
                lines
                    .chunks_exact_mut(width)
                    .for_each(|line| repeat_first(line, channels));
                let (factor, rest) = lines.split_at(width);
                let (scale, shift) = rest.split_at(width);
                let plane = Plane {
                    factor,
                    scale,
                    shift,
                };
                self.in_pieces(dx, |from, dx| {
                    let range = from..from + dx.len();
                    ungated(&x[range.clone()], &gradient[range], plane, dx);
                });
            }
            plain.swap_with_slice(products);
        });
    }

    /// Σ g and Σ g·(x − centre) by channel of an image.
    fn sum_gradients(&self, of: [&[T]; 3], some: &mut [T], sums: &mut [f64]) {
        let [x, gradient, centre] = of;
        self.sum_over(some, sums, |range, some, sums| {
            let (x, gradient) = (&x[range.clone()], &gradient[range]);
            let terms = Products {
                x,
                gradient,
                centre,
            };
            add_sums(Level::chosen(), terms, x.len(), some, sums);
        });
    }

    /// dx = 1/σ·(g·w − mean(g·w) − x̂·mean(g·w·x̂)) as gradient·factor + x·scale + shift.
    fn planes(
        &self,
        weight: &[T],
        statistics: &[Statistics],
        plain: &[f64],
        products: &[f64],
        lines: &mut [T],
    ) {
        let (width, size) = (row_width(self.channels), self.channels / self.groups);
        let count = (self.image / self.groups) as f64;
        for (group, &Statistics { mean, inverse_std }) in statistics.iter().enumerate() {
            let channels = group * size..(group + 1) * size;
            let weighted = |sums: &[f64]| {
                let each = channels.clone().map(|c| weight[c].wide() * sums[c]);
                each.sum::<f64>() / count
            };
            let scale = -inverse_std * inverse_std * weighted(products);
            let shift = -inverse_std * weighted(plain) - scale * mean;
            for c in channels.clone() {
                lines[c] = T::narrow(weight[c].wide() * inverse_std);
                lines[width + c] = T::narrow(scale);
                lines[2 * width + c] = T::narrow(shift);
            }
        }
    }
}

/// Repeats the first elements of a row over all of it.
fn repeat_first<T: Copy>(row: &mut [T], channels: usize) {
    let (first, rest) = row.split_at_mut(channels);
    repeat(first, rest);
}

/// The mean of a few pixels: deviations from it are small, which keeps their squares exact.
fn sample<T: Real>(x: &[T], centre: &mut [T]) {
    let channels = centre.len();
    let pixels = x.len() / channels;
    let step = pixels.div_ceil(SAMPLES).max(1);
    let share = T::one() / T::narrow(pixels.div_ceil(step).max(1) as f64);
    centre.fill(T::zero());
    for pixel in x.chunks_exact(channels).step_by(step) {
        for (centre, &x) in centre.iter_mut().zip(pixel) {
            *centre += x * share;
        }
    }
}

/// Mean and 1/σ from the sums of each channel's deviations from its centre and of their squares.
fn of_group<T: Real>(
    channels: Range<usize>,
    centre: &[T],
    sums: &[f64],
    pixels: f64,
) -> Statistics {
    let (plain, squares) = sums.split_at(centre.len());
    let count = channels.len() as f64 * pixels;
    let of_channel = |c: usize| centre[c].wide() * pixels + plain[c];
    let mean = channels.clone().map(of_channel).sum::<f64>() / count;
    let around_mean = |c: usize| {
        let off = centre[c].wide() - mean;
        squares[c] + off * (2.0 * plain[c] + off * pixels)
    };
    let variance = channels.map(around_mean).sum::<f64>() / count;
    // NaN stays.
    let variance = if variance < 0.0 { 0.0 } else { variance };
    Statistics {
        mean,
        inverse_std: 1.0 / (variance + NORM_EPS).sqrt(),
    }
}

#[cfg(test)]
mod tests;
