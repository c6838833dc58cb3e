//! The input of a convolution kernel: a tensor, or the gradient before a fused activation and pooling,
//! computed while it is copied.

use super::blocking;
use super::real::Real;
use super::simd::vectorized;
use super::sliding::Margin;
use super::taps::{OUTSIDE, Taps};
use rayon::prelude::*;
use std::ops::Range;

/// Channels from which on all elements of a window are looked at by vectors, rather than its maximum alone.
const MANY_CHANNELS: usize = 8;

/// Images that are written with a margin of zeros when a kernel needs them.
#[derive(Clone, Copy)]
pub enum ConvInput<'a, T> {
    /// A tensor.
    Plain(&'a [T]),
    /// The gradient before a relu: `gradient` where `output` is positive.
    Relu {
        /// Gradient of the relu's output.
        gradient: &'a [T],
        /// The relu's output.
        output: &'a [T],
    },
    /// The gradient before a max pooling, and perhaps a relu on either side of it.
    Pooled {
        /// Gradient of the pooling's output.
        gradient: &'a [T],
        /// The output, if a relu passes only the gradient of positive ones.
        output: Option<&'a [T]>,
        /// Index of the unpooled position that each output came from.
        indices: &'a [u32],
        /// The windows.
        taps: &'a Taps,
        /// Whether no two of them overlap.
        disjoint: bool,
        /// Padded index of each position of the unpooled image, for the only margin it is written with.
        places: &'a [u32],
    },
}

impl<'a, T: Real> ConvInput<'a, T> {
    /// The tensor, if kernels can read it in place.
    pub fn plain(&self) -> Option<&'a [T]> {
        match *self {
            ConvInput::Plain(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// Writes a batch of vectors, which are images of one position.
    pub(crate) fn write_vectors(&self, channels: usize, out: &mut [T]) {
        let one = [1; 3];
        let margin = Margin {
            image: one,
            before: [0; 3],
            padded: one,
        };
        let some = blocking::vectors_per_task(channels);
        out.par_chunks_mut(some * channels)
            .enumerate()
            .for_each(|(task, out)| {
                let first = task * some;
                let images = first..first + out.len() / channels;
                self.write_padded(images, &margin, channels, out);
            });
    }

    /// Writes a range of images with their margin, one after the other.
    pub(crate) fn write_padded(
        &self,
        images: Range<usize>,
        margin: &Margin,
        channels: usize,
        out: &mut [T],
    ) {
        let rows = 0..margin.padded[0] * margin.padded[1];
        self.write_rows(images, margin, channels, rows, out);
    }

    /// The same for some of an image's padded rows, counted over its depth; what is elsewhere stays as it is.
    pub(crate) fn write_rows(
        &self,
        images: Range<usize>,
        margin: &Margin,
        channels: usize,
        rows: Range<usize>,
        out: &mut [T],
    ) {
        let image_len = margin.cells() * channels;
        let padded = margin.padded_cells() * channels;
        for (image, out) in images.zip(out.chunks_exact_mut(padded)) {
            let span = image * image_len..(image + 1) * image_len;
            match *self {
                ConvInput::Plain(numbers) => {
                    copy(&numbers[span], margin, channels, rows.clone(), out);
                }
                ConvInput::Relu { gradient, output } => {
                    copy_positive(
                        &gradient[span.clone()],
                        &output[span],
                        margin,
                        channels,
                        rows.clone(),
                        out,
                    );
                }
                ConvInput::Pooled { places, .. } => {
                    let cells = rows.start * margin.padded[2]..rows.end * margin.padded[2];
                    let out = &mut out[cells.start * channels..cells.end * channels];
                    let places = (!margin.is_empty()).then_some(places);
                    self.write_pooled(image, channels, cells, places, out);
                }
            }
        }
    }

    /// Writes some positions of an image without a margin.
    pub(crate) fn write_cells(
        &self,
        image: usize,
        image_cells: usize,
        channels: usize,
        cells: Range<usize>,
        out: &mut [T],
    ) {
        let first = image * image_cells;
        let span = (first + cells.start) * channels..(first + cells.end) * channels;
        match *self {
            ConvInput::Plain(numbers) => out.copy_from_slice(&numbers[span]),
            ConvInput::Relu { gradient, output } => {
                let_through(&gradient[span.clone()], &output[span], out);
            }
            ConvInput::Pooled { .. } => self.write_pooled(image, channels, cells, None, out),
        }
    }

    /// Writes the gradient before a pooling at some places of an image, which are `out`.
    fn write_pooled(
        &self,
        image: usize,
        channels: usize,
        cells: Range<usize>,
        places: Option<&[u32]>,
        out: &mut [T],
    ) {
        let ConvInput::Pooled {
            gradient,
            output,
            indices,
            taps,
            disjoint,
            ..
        } = *self
        else {
            return;
        };
        let len = taps.positions * channels;
        let span = image * len..(image + 1) * len;
        let output = output.map(|output| &output[span.clone()]);
        let pooled = (&gradient[span.clone()], &indices[span]);
        out.fill(T::zero());
        if disjoint {
            spread(taps, pooled, output, places, channels, cells, out);
        } else if channels >= MANY_CHANNELS {
            add_all(taps, pooled, output, places, channels, cells, out);
        } else {
            scatter(taps, pooled, output, places, channels, cells, out);
        }
    }
}

/// Calls `f(the row's range in the image, its padded elements)` for a range of rows, and writes zeros around them.
#[inline(always)]
fn each_row<T: Real>(
    margin: &Margin,
    channels: usize,
    range: Range<usize>,
    out: &mut [T],
    mut f: impl FnMut(Range<usize>, &mut [T]),
) {
    let [_, rows, cells] = margin.padded;
    if margin.is_empty() {
        let whole = range.start * cells * channels..range.end * cells * channels;
        return f(whole.clone(), &mut out[whole]);
    }
    let [depth, height, width] = margin.image;
    let row = width * channels;
    let left = margin.before[2] * channels;
    let out = &mut out[range.start * cells * channels..range.end * cells * channels];
    for (index, out) in range.zip(out.chunks_exact_mut(cells * channels)) {
        let d = (index / rows).wrapping_sub(margin.before[0]);
        let h = (index % rows).wrapping_sub(margin.before[1]);
        if d >= depth || h >= height {
            out.fill(T::zero());
            continue;
        }
        out[..left].fill(T::zero());
        out[left + row..].fill(T::zero());
        let start = (d * height + h) * row;
        f(start..start + row, &mut out[left..left + row]);
    }
}

fn copy<T: Real>(image: &[T], margin: &Margin, channels: usize, rows: Range<usize>, out: &mut [T]) {
    each_row(margin, channels, rows, out, |row, out| {
        out.copy_from_slice(&image[row])
    });
}

vectorized! {
    fn copy_positive<T: Real>(
        gradient: &[T],
        output: &[T],
        margin: &Margin,
        channels: usize,
        rows: Range<usize>,
        out: &mut [T],
    ) {
        each_row(margin, channels, rows, out, |row, out| {
            for ((out, &g), &y) in out.iter_mut().zip(&gradient[row.clone()]).zip(&output[row]) {
                *out = if y > T::zero() { g } else { T::zero() };
            }
        });
    }

    /// The gradient where the output is positive, 0 elsewhere.
    pub(crate) fn let_through<T: Real>(gradient: &[T], output: &[T], to: &mut [T]) {
        for ((to, &gradient), &output) in to.iter_mut().zip(gradient).zip(output) {
            *to = if output > T::zero() { gradient } else { T::zero() };
        }
    }
}

/// Adds the gradients of windows that overlap. `out` are the elements at `cells`.
fn scatter<T: Real>(
    taps: &Taps,
    (gradient, indices): (&[T], &[u32]),
    output: Option<&[T]>,
    places: Option<&[u32]>,
    channels: usize,
    cells: Range<usize>,
    out: &mut [T],
) {
    let place = |tap: u32| places.map_or(tap, |places| places[tap as usize]) as usize;
    for position in windows_within(taps, place, &cells) {
        for (channel, i) in (position * channels..(position + 1) * channels).enumerate() {
            let place = place(indices[i]);
            let passes = output.is_none_or(|output| output[i] > T::zero());
            if !cells.contains(&place) {
                continue;
            }
            out[(place - cells.start) * channels + channel] +=
                if passes { gradient[i] } else { T::zero() };
        }
    }
}

/// The positions of the windows that may have an element at one of some places: windows and their elements are in the
/// order of their places.
fn windows_within(
    taps: &Taps,
    place: impl Fn(u32) -> usize,
    places: &Range<usize>,
) -> Range<usize> {
    let inside = |position: usize| {
        let taps = taps.at(position).iter().copied();
        taps.filter(|&tap| tap != OUTSIDE)
    };
    // The first window that is not wholly before a place, or that begins there; `None` at one without any element.
    let search = |whole: bool, limit: usize| {
        let (mut from, mut to) = (0, taps.positions);
        while from < to {
            let middle = from.midpoint(to);
            let mut elements = inside(middle);
            let tap = if whole {
                elements.next_back()
            } else {
                elements.next()
            };
            if place(tap?) < limit {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Some(from)
    };
    match (search(true, places.start), search(false, places.end)) {
        (Some(from), Some(to)) => from..to.max(from),
        _ => 0..taps.positions,
    }
}

vectorized! {
    /// [`scatter`] for windows that do not overlap: every position of a window is written, most with 0.
    fn spread<T: Real>(
        taps: &Taps,
        pooled: (&[T], &[u32]),
        output: Option<&[T]>,
        places: Option<&[u32]>,
        channels: usize,
        cells: Range<usize>,
        out: &mut [T],
    ) {
        each_element(taps, pooled, output, places, channels, cells, out, |out, gradient| *out = gradient);
    }

    /// [`scatter`] where there are channels enough: elements that are nobody's maximum get a 0 added.
    fn add_all<T: Real>(
        taps: &Taps,
        pooled: (&[T], &[u32]),
        output: Option<&[T]>,
        places: Option<&[u32]>,
        channels: usize,
        cells: Range<usize>,
        out: &mut [T],
    ) {
        each_element(taps, pooled, output, places, channels, cells, out, |out, gradient| *out += gradient);
    }
}

/// Hands each element of each window its part of the gradient: all of it where the element is the maximum, else 0.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
fn each_element<T: Real>(
    taps: &Taps,
    (gradient, indices): (&[T], &[u32]),
    output: Option<&[T]>,
    places: Option<&[u32]>,
    channels: usize,
    cells: Range<usize>,
    out: &mut [T],
    give: impl Fn(&mut T, T),
) {
    let place = |tap: u32| places.map_or(tap, |places| places[tap as usize]) as usize;
    for position in windows_within(taps, place, &cells) {
        let row = position * channels..(position + 1) * channels;
        for &tap in taps.at(position).iter().filter(|&&tap| tap != OUTSIDE) {
            let place = place(tap);
            if !cells.contains(&place) {
                continue;
            }
            let at = (place - cells.start) * channels;
            let out = &mut out[at..at + channels];
            let each = out
                .iter_mut()
                .zip(&gradient[row.clone()])
                .zip(&indices[row.clone()]);
            match output {
                Some(output) => {
                    for (((out, &g), &index), &y) in each.zip(&output[row.clone()]) {
                        give(
                            out,
                            if (index == tap) & (y > T::zero()) {
                                g
                            } else {
                                T::zero()
                            },
                        );
                    }
                }
                None => {
                    for ((out, &g), &index) in each {
                        give(out, if index == tap { g } else { T::zero() });
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::op::Geometry;

    #[test]
    fn overlapping_windows_give_by_vectors_what_they_give_one_by_one() {
        let taps = Taps::new(&Geometry {
            input: [1, 7, 9],
            output: [1, 4, 5],
            kernel: [1, 3, 3],
            stride: [1, 2, 2],
            dilation: [1; 3],
            pad: [0, 1, 1],
        });
        let channels = 19;
        let count = taps.positions * channels;
        let number = |i: usize| (i * 7919 % 101) as f32 / 50.0 - 1.0;
        let gradient: Vec<f32> = (0..count).map(number).collect();
        let output: Vec<f32> = (0..count).map(|i| number(3 * i + 1)).collect();
        let index = |i: usize| {
            let inside = |&&tap: &&u32| tap != OUTSIDE;
            let elements: Vec<u32> = taps
                .at(i / channels)
                .iter()
                .filter(inside)
                .copied()
                .collect();
            elements[i * 31 % elements.len()]
        };
        let indices: Vec<u32> = (0..count).map(index).collect();
        for output in [None, Some(&output[..])] {
            for cells in [0..63, 9..40, 62..63] {
                let pooled = (&gradient[..], &indices[..]);
                let mut vectors = vec![0.0; cells.len() * channels];
                let mut one_by_one = vectors.clone();
                add_all(
                    &taps,
                    pooled,
                    output,
                    None,
                    channels,
                    cells.clone(),
                    &mut vectors,
                );
                scatter(
                    &taps,
                    pooled,
                    output,
                    None,
                    channels,
                    cells,
                    &mut one_by_one,
                );
                assert_eq!(vectors, one_by_one);
                assert!(vectors.iter().any(|&value| value != 0.0));
            }
        }
    }

    #[test]
    fn the_windows_of_some_rows_are_found() {
        for (size, stride, pad) in [(2, 2, 0), (3, 3, 1), (2, 3, 0)] {
            let output = (9 + 2 * pad - size) / stride + 1;
            let taps = Taps::new(&Geometry {
                input: [1, 9, 9],
                output: [1, output, output],
                kernel: [1, size, size],
                stride: [1, stride, stride],
                dilation: [1; 3],
                pad: [0, pad, pad],
            });
            for (from, to) in [(0, 81), (0, 9), (9, 27), (40, 50), (72, 81)] {
                let found = windows_within(&taps, |tap| tap as usize, &(from..to));
                let has = |position: &usize| {
                    let mut elements = taps.at(*position).iter();
                    elements.any(|&tap| tap != OUTSIDE && (from..to).contains(&(tap as usize)))
                };
                let wanted: Vec<usize> = (0..taps.positions).filter(has).collect();
                assert!(wanted.iter().all(|position| found.contains(position)));
                // No more rows of windows than have any.
                assert!(found.len() < wanted.len() + 2 * output);
            }
        }
    }
}
