//! Rows of normalisation: sums by channel over many pixels, in vectors, whatever the number of channels.
//!
//! Few channels do not fill vectors, so several pixels side by side make up a row, and numbers by channel (lines) are
//! repeated as often: see [`row_width`]. Sums run in the elements' own type over [`ROWS`] rows, in registers, and in
//! f64 from there.

#![allow(unsafe_code)]

use super::real::Real;
use super::simd::{Kernel, Lanes, Level};

/// Rows that are summed before f64 takes over.
const ROWS: usize = 64;
/// Elements of a row at most, unless a pixel has more.
const WIDEST: usize = 1024;
/// Vectors whose sums are kept in registers.
const BLOCK: usize = 4;

/// Elements of a row: whole pixels that fill four vectors of the widest kind, or at least one.
pub fn row_width(channels: usize) -> usize {
    let channels = channels.max(1);
    let shared = channels.trailing_zeros();
    let width = |log: u32| channels << (log - shared.min(log));
    [width(6), width(4)]
        .into_iter()
        .find(|&width| width <= WIDEST)
        .unwrap_or(channels)
}

/// Repeats numbers by channel over a row.
pub(crate) fn repeat<T: Copy>(by_channel: &[T], row: &mut [T]) {
    for pixel in row.chunks_mut(by_channel.len().max(1)) {
        pixel.copy_from_slice(&by_channel[..pixel.len()]);
    }
}

/// Some elements of a row.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The first one's index.
    element: usize,
    /// The first one's place in its row.
    column: usize,
    /// How many, at most a vector.
    count: usize,
}

/// What is summed: Σ value and Σ value·factor.
pub(crate) trait Terms<T: Real>: Copy {
    /// Whether so many elements are there, and lines for rows as wide.
    fn fits(&self, elements: usize, width: usize) -> bool;

    /// Value and factor.
    ///
    /// # Safety
    /// `fits` with the ends of the place.
    unsafe fn at<L: Lanes<T>>(&self, lanes: L, place: Place) -> (L::Vector, L::Vector);
}

/// # Safety
/// `count` ≤ `WIDTH` elements can be read at `at`.
#[inline(always)]
unsafe fn read<T: Real, L: Lanes<T>>(lanes: L, from: &[T], at: usize, count: usize) -> L::Vector {
    debug_assert!(at + count <= from.len());
    // SAFETY: the caller's contract.
    unsafe {
        let from = from.as_ptr().add(at);
        if count == L::WIDTH {
            lanes.load(from)
        } else {
            lanes.load_some(from, count)
        }
    }
}

/// `x − centre`.
#[inline(always)]
fn deviation<T: Real, L: Lanes<T>>(lanes: L, x: L::Vector, centre: L::Vector) -> L::Vector {
    lanes.multiply_add(centre, lanes.splat(-T::one()), x)
}

/// Σ (x − centre) and Σ (x − centre)².
#[derive(Clone, Copy)]
pub(crate) struct Moments<'a, T> {
    pub x: &'a [T],
    /// As wide as a row.
    pub centre: &'a [T],
}

impl<T: Real> Terms<T> for Moments<'_, T> {
    fn fits(&self, elements: usize, width: usize) -> bool {
        elements <= self.x.len() && width <= self.centre.len()
    }

    #[inline(always)]
    unsafe fn at<L: Lanes<T>>(&self, lanes: L, place: Place) -> (L::Vector, L::Vector) {
        // SAFETY: what `fits`.
        let (x, centre) = unsafe {
            (
                read(lanes, self.x, place.element, place.count),
                read(lanes, self.centre, place.column, place.count),
            )
        };
        let deviation = deviation(lanes, x, centre);
        (deviation, deviation)
    }
}

/// Σ g and Σ g·(x − centre).
#[derive(Clone, Copy)]
pub(crate) struct Products<'a, T> {
    pub x: &'a [T],
    pub gradient: &'a [T],
    /// As wide as a row.
    pub centre: &'a [T],
}

impl<T: Real> Terms<T> for Products<'_, T> {
    fn fits(&self, elements: usize, width: usize) -> bool {
        elements <= self.x.len().min(self.gradient.len()) && width <= self.centre.len()
    }

    #[inline(always)]
    unsafe fn at<L: Lanes<T>>(&self, lanes: L, place: Place) -> (L::Vector, L::Vector) {
        // SAFETY: what `fits`.
        let (x, gradient, centre) = unsafe {
            (
                read(lanes, self.x, place.element, place.count),
                read(lanes, self.gradient, place.element, place.count),
                read(lanes, self.centre, place.column, place.count),
            )
        };
        (gradient, deviation(lanes, x, centre))
    }
}

/// The same where `x·scale + shift` is positive; elsewhere g is 0.
#[derive(Clone, Copy)]
pub(crate) struct GatedProducts<'a, T> {
    pub products: Products<'a, T>,
    /// As wide as a row.
    pub scale: &'a [T],
    /// As wide as a row.
    pub shift: &'a [T],
}

impl<T: Real> Terms<T> for GatedProducts<'_, T> {
    fn fits(&self, elements: usize, width: usize) -> bool {
        self.products.fits(elements, width) && width <= self.scale.len().min(self.shift.len())
    }

    #[inline(always)]
    unsafe fn at<L: Lanes<T>>(&self, lanes: L, place: Place) -> (L::Vector, L::Vector) {
        let Products {
            x,
            gradient,
            centre,
        } = self.products;
        // SAFETY: what `fits`.
        let (x, gradient, centre, scale, shift) = unsafe {
            (
                read(lanes, x, place.element, place.count),
                read(lanes, gradient, place.element, place.count),
                read(lanes, centre, place.column, place.count),
                read(lanes, self.scale, place.column, place.count),
                read(lanes, self.shift, place.column, place.count),
            )
        };
        // Rounded twice, as the output was: both agree on which values the relu let through.
        let scaled = lanes.multiply_add(x, scale, lanes.splat(T::zero()));
        let output = lanes.multiply_add(scaled, lanes.splat(T::one()), shift);
        let gradient = lanes.where_positive(output, gradient);
        (gradient, deviation(lanes, x, centre))
    }
}

/// Σ g·w and Σ g·w·(x − centre), with a weight for each element.
#[derive(Clone, Copy)]
pub(super) struct WeightedProducts<'a, T> {
    pub x: &'a [T],
    pub gradient: &'a [T],
    pub weight: &'a [T],
    pub centre: T,
}

impl<T: Real> Terms<T> for WeightedProducts<'_, T> {
    fn fits(&self, elements: usize, _: usize) -> bool {
        let WeightedProducts {
            x,
            gradient,
            weight,
            ..
        } = self;
        elements <= x.len().min(gradient.len()).min(weight.len())
    }

    #[inline(always)]
    unsafe fn at<L: Lanes<T>>(&self, lanes: L, place: Place) -> (L::Vector, L::Vector) {
        // SAFETY: what `fits`.
        let (x, gradient, weight) = unsafe {
            (
                read(lanes, self.x, place.element, place.count),
                read(lanes, self.gradient, place.element, place.count),
                read(lanes, self.weight, place.element, place.count),
            )
        };
        let value = lanes.multiply_add(gradient, weight, lanes.splat(T::zero()));
        (value, deviation(lanes, x, lanes.splat(self.centre)))
    }
}

/// Numbers that [`add_sums`] needs to work in.
pub(crate) fn sums_scratch(channels: usize) -> usize {
    2 * row_width(channels)
}

/// Adds both sums of the first `len` elements to `sums`: by channel, one after the other.
pub(crate) fn add_sums<T: Real>(
    level: Level,
    terms: impl Terms<T>,
    len: usize,
    some: &mut [T],
    sums: &mut [f64],
) {
    let channels = sums.len() / 2;
    let full = row_width(channels);
    let mut first = 0;
    while first < len {
        // Pixels that do not fill a row are a narrower one.
        let width = full.min(len - first);
        let rows = ((len - first) / width).min(ROWS);
        let out = &mut some[..2 * width];
        T::run_kernel(
            level,
            Rows {
                terms,
                first,
                width,
                rows,
                out,
            },
        );
        for (sums, some) in sums
            .chunks_exact_mut(channels)
            .zip(some.chunks_exact(width))
        {
            widen(some, sums);
        }
        first += rows * width;
    }
}

/// Adds the sums of a row's pixels.
fn widen<T: Real>(row: &[T], sums: &mut [f64]) {
    for pixel in row.chunks_exact(sums.len()) {
        for (sum, &some) in sums.iter_mut().zip(pixel) {
            *sum += some.wide();
        }
    }
}

/// Both sums over some rows, for each place in a row.
struct Rows<'a, T, F> {
    terms: F,
    /// The first row's first element.
    first: usize,
    width: usize,
    rows: usize,
    out: &'a mut [T],
}

impl<T: Real, F: Terms<T>> Kernel<T> for Rows<'_, T, F> {
    #[inline(always)]
    fn run<L: Lanes<T>>(mut self, lanes: L) {
        let end = self.first + self.rows * self.width;
        assert!(self.terms.fits(end, self.width) && self.out.len() == 2 * self.width);
        let mut column = 0;
        while column + BLOCK * L::WIDTH <= self.width {
            self.columns::<L, BLOCK>(lanes, column, L::WIDTH);
            column += BLOCK * L::WIDTH;
        }
        while column + L::WIDTH <= self.width {
            self.columns::<L, 1>(lanes, column, L::WIDTH);
            column += L::WIDTH;
        }
        if column < self.width {
            self.columns::<L, 1>(lanes, column, self.width - column);
        }
    }
}

impl<T: Real, F: Terms<T>> Rows<'_, T, F> {
    /// `N` vectors of `count` columns each, which lie within the row.
    #[inline(always)]
    fn columns<L: Lanes<T>, const N: usize>(&mut self, lanes: L, first: usize, count: usize) {
        let one = lanes.splat(T::one());
        let mut sums = [lanes.splat(T::zero()); N];
        let mut products = sums;
        for row in 0..self.rows {
            let start = self.first + row * self.width;
            for vector in 0..N {
                let column = first + vector * count;
                let element = start + column;
                let place = Place {
                    element,
                    column,
                    count,
                };
                // SAFETY: `run` has asserted that all rows fit, and these columns lie within them.
                let (value, factor) = unsafe { self.terms.at(lanes, place) };
                sums[vector] = lanes.multiply_add(value, one, sums[vector]);
                products[vector] = lanes.multiply_add(value, factor, products[vector]);
            }
        }
        for vector in 0..N {
            let column = first + vector * count;
            for (at, value) in [
                (column, sums[vector]),
                (self.width + column, products[vector]),
            ] {
                // SAFETY: `out` has two rows, and these columns lie within each.
                unsafe {
                    let to = self.out.as_mut_ptr().add(at);
                    lanes.store_some(to, value, count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wobble(count: usize, salt: usize) -> Vec<f32> {
        let at = |i: usize| ((i * 7919 + salt * 104_729) % 2003) as f32 / 1001.0 - 1.0;
        (0..count).map(at).collect()
    }

    fn wide(line: &[f32], width: usize) -> Vec<f32> {
        let mut row = vec![0.0; width];
        repeat(line, &mut row);
        row
    }

    /// The largest deviation of sums from those written out, over what is added.
    fn off(
        level: Level,
        terms: impl Terms<f32>,
        [len, channels]: [usize; 2],
        of: impl Fn(usize) -> (f64, f64),
    ) -> f64 {
        let mut some = vec![0.0; sums_scratch(channels)];
        let mut sums = vec![0.0; 2 * channels];
        add_sums(level, terms, len, &mut some, &mut sums);
        let (mut wanted, mut size) = (vec![0.0; 2 * channels], 1e-9f64);
        for i in 0..len {
            let (value, factor) = of(i);
            wanted[i % channels] += value;
            wanted[channels + i % channels] += value * factor;
            size += value.abs() * factor.abs().max(1.0);
        }
        let each = sums.iter().zip(&wanted);
        each.map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max)
    }

    #[test]
    fn rows_fill_vectors() {
        let widths = [1, 3, 16, 32, 48, 64, 100, 129, 2048].map(row_width);
        assert_eq!(widths, [64, 192, 64, 64, 192, 64, 400, 129, 2048]);
    }

    /// Any number of channels and pixels, on every instruction set.
    #[test]
    fn sums_are_those_written_out() {
        for level in Level::available() {
            for sizes in [
                [1, 1],
                [1, 300],
                [3, 70],
                [5, 2000],
                [16, 33],
                [32, 129],
                [33, 70],
                [129, 67],
            ] {
                let worst = worst_deviations(level, sizes);
                let most = worst.into_iter().fold(0.0, f64::max);
                assert!(most < 1e-6, "{level:?}, {sizes:?}: {worst:?}");
            }
        }
    }

    /// Of each kind of terms.
    fn worst_deviations(level: Level, [channels, cells]: [usize; 2]) -> [f64; 4] {
        let len = channels * cells;
        let (x, gradient, weight) = (wobble(len, 1), wobble(len, 2), wobble(len, 3));
        let line = |salt| wide(&wobble(channels, salt), row_width(channels));
        let [centre, scale, shift] = [4, 5, 6].map(line);
        let (x, gradient, weight) = (&x[..], &gradient[..], &weight[..]);
        let products = Products {
            x,
            gradient,
            centre: &centre,
        };
        let gated = GatedProducts {
            products,
            scale: &scale,
            shift: &shift,
        };
        let by_value = WeightedProducts {
            x,
            gradient,
            weight,
            centre: 0.25,
        };
        let moments = Moments { x, centre: &centre };
        let real = |line: &[f32], i: usize| f64::from(line[i]);
        let deviation = |i: usize| real(x, i) - real(&centre, i % channels);
        let open = |i: usize| x[i] * scale[i % channels] + shift[i % channels] > 0.0;
        let let_through = |i: usize| if open(i) { real(gradient, i) } else { 0.0 };
        let weighted = |i: usize| real(gradient, i) * real(weight, i);
        let sizes = [len, channels];
        [
            off(level, moments, sizes, |i| (deviation(i), deviation(i))),
            off(level, products, sizes, |i| {
                (real(gradient, i), deviation(i))
            }),
            off(level, gated, sizes, |i| (let_through(i), deviation(i))),
            off(level, by_value, sizes, |i| (weighted(i), real(x, i) - 0.25)),
        ]
    }

    #[test]
    fn nan_is_not_lost() {
        for level in Level::available() {
            let (x, zeros) = ([f32::NAN], [0.0; 64]);
            let mut sums = [0.0; 2];
            let terms = Moments {
                x: &x,
                centre: &zeros,
            };
            add_sums(level, terms, 1, &mut [0.0; 128], &mut sums);
            assert!(sums[0].is_nan() && sums[1].is_nan());
        }
    }
}
