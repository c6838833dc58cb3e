//! The arithmetic of one output value: which pixels times which weights.

use super::padding;
use super::{Kernel, Response, Settings};

/// One product of the sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Row and column of the input, which may lie outside the picture.
    pub at: [i64; 2],
    /// The value there; outside the picture that of the padding.
    pub value: f32,
    /// Whether it is outside the picture.
    pub padded: bool,
    /// The weight it is multiplied by.
    pub weight: f32,
}

/// The products of an output value, row by row of the kernel; empty where there is no such value.
pub fn terms(
    response: &Response,
    kernel: &Kernel,
    settings: &Settings,
    [row, column]: [usize; 2],
    channel: usize,
) -> Vec<Term> {
    let Response {
        input,
        output,
        margins,
    } = response;
    if row >= output.size[0] || column >= output.size[1] || channel >= input.channels {
        return Vec::new();
    }
    let corner = [
        (row * settings.stride) as i64 - margins.rows[0] as i64,
        (column * settings.stride) as i64 - margins.columns[0] as i64,
    ];
    let term = |(index, weight): (usize, f32)| {
        let tap = [index / kernel.size[1], index % kernel.size[1]];
        let at = [0, 1].map(|axis: usize| corner[axis] + (tap[axis] * settings.dilation) as i64);
        let place =
            [0, 1].map(|axis: usize| padding::source(at[axis], input.size[axis], settings.border));
        let value = match place {
            [Some(row), Some(column)] => input.at(row, column, channel),
            _ => 0.0,
        };
        let padded = [0, 1]
            .iter()
            .any(|&axis: &usize| !(0..input.size[axis] as i64).contains(&at[axis]));
        Term {
            at,
            value,
            padded,
            weight,
        }
    };
    kernel
        .weights(settings.flip)
        .into_iter()
        .enumerate()
        .map(term)
        .collect()
}
