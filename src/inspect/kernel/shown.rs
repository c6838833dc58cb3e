//! Pictures, kernels and results as colours.

use super::{Kernel, Pixels};
use crate::maps::viridis;
use crate::picture::{NOT_FINITE, diverging, opaque, pixel_bytes};

/// How the values of a result become colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Colours {
    /// Grey or colours from black at the first value to white at the second; values beyond have the colour of the nearer end.
    Range([f32; 2]),
    /// One channel of both signs: blue below 0, white at 0, red above; the ends are ± this value.
    Signed(f32),
    /// Three channels of both signs around mid grey; the ends are ± this value.
    SignedColour(f32),
}

/// From black to white, as the pixels of a picture are.
const PICTURE: [f32; 2] = [0.0, 1.0];
/// Sums of pixels may pass the ends of a picture by this much: it is rounding.
const ROUNDING: f32 = 1e-5;

impl Colours {
    /// The colours of a picture: black at 0, white at 1.
    pub const PICTURE: Colours = Colours::Range(PICTURE);

    /// The values at the ends of the colours.
    pub fn ends(self) -> [f32; 2] {
        match self {
            Colours::Range(ends) => ends,
            Colours::Signed(limit) | Colours::SignedColour(limit) => [-limit, limit],
        }
    }
}

/// The colours that suit a result: those of a picture as long as all its values are those of one, else from its least
/// to its greatest value; about 0 where the kernel answers differences.
pub fn colours(output: &Pixels, is_difference: bool) -> Colours {
    let finite = || {
        output
            .values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
    };
    let low = finite().fold(f32::INFINITY, f32::min);
    let high = finite().fold(f32::NEG_INFINITY, f32::max);
    if !is_difference {
        let is_picture = low >= PICTURE[0] - ROUNDING && high <= PICTURE[1] + ROUNDING;
        return Colours::Range(if is_picture || low > high {
            PICTURE
        } else {
            stretched(low, high)
        });
    }
    let largest = if low <= high {
        low.abs().max(high.abs())
    } else {
        0.0
    };
    // A picture of one colour answers nothing but rounding.
    let limit = if largest > 1e-6 { largest } else { 1.0 };
    if output.channels == 3 {
        Colours::SignedColour(limit)
    } else {
        Colours::Signed(limit)
    }
}

/// A range of more than one value that contains both; equal values are in its middle.
fn stretched(low: f32, high: f32) -> [f32; 2] {
    if high > low {
        return [low, high];
    }
    let room = 0.5 * low.abs().max(1.0);
    [low - room, high + room]
}

/// How many values lie beyond the ends of their colours, rounding left out.
pub fn outside(output: &Pixels, colours: Colours) -> usize {
    let [low, high] = colours.ends();
    let room = ROUNDING * (high - low).abs().max(1.0);
    let is_outside = |value: &&f32| !(low - room..=high + room).contains(*value);
    output.values.iter().filter(is_outside).count()
}

/// A picture as `H × W × 4` bytes.
pub fn picture_rgba(picture: &Pixels) -> Vec<u8> {
    response_rgba(picture, Colours::PICTURE)
}

/// A result as `H × W × 4` bytes.
pub fn response_rgba(output: &Pixels, colours: Colours) -> Vec<u8> {
    let byte = |share: f32| (255.0 * share.clamp(0.0, 1.0)).round() as u8;
    let [low, high] = colours.ends();
    let grey = |value: f32| byte((value - low) / (high - low));
    let pixel = |values: &[f32]| match (colours, values) {
        (_, values) if values.iter().any(|value| !value.is_finite()) => opaque(NOT_FINITE),
        (Colours::Signed(limit), [value, ..]) => opaque(diverging(value / limit)),
        (_, &[r, g, b]) => opaque([r, g, b].map(grey)),
        (_, [value, ..]) => opaque([grey(*value); 3]),
        (_, []) => opaque([0; 3]),
    };
    let values = output.values.chunks_exact(output.channels.max(1));
    pixel_bytes(values.map(pixel))
}

/// A kernel as `H × W × 4` bytes: signed about 0, or the shades of its weights when none is below 0.
pub fn kernel_rgba(kernel: &Kernel) -> Vec<u8> {
    let color = kernel_color(kernel);
    pixel_bytes(kernel.values.iter().map(|value| opaque(color(*value))))
}

/// The colour of a weight relative to the other weights of its kernel.
pub fn kernel_color(kernel: &Kernel) -> impl Fn(f32) -> [u8; 3] + use<> {
    let largest = kernel
        .values
        .iter()
        .map(|value| value.abs())
        .fold(0.0, f32::max)
        .max(f32::MIN_POSITIVE);
    let signed = kernel.values.iter().any(|value| *value < 0.0);
    move |value| match signed {
        true => diverging(value / largest),
        false => viridis(value / largest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(values: &[f32]) -> Pixels {
        Pixels {
            size: [1, values.len()],
            channels: 1,
            values: values.to_vec(),
        }
    }

    #[test]
    fn a_result_is_drawn_from_its_least_to_its_greatest_value() {
        // The cross of the lecture: 5 in the middle, 1 around it.
        let result = pixels(&[-1.0, 1.0, 5.0, 2.0]);
        let drawn = colours(&result, false);
        assert_eq!(drawn, Colours::Range([-1.0, 5.0]));
        let greys: Vec<u8> = response_rgba(&result, drawn)
            .chunks(4)
            .map(|pixel| pixel[0])
            .collect();
        assert_eq!(greys, [0, 85, 255, 128]);
        assert_eq!(outside(&result, drawn), 0);
        assert_eq!(outside(&result, Colours::Range([0.0, 1.0])), 3);
    }

    #[test]
    fn a_result_that_is_a_picture_is_drawn_as_one() {
        for values in [&[0.25, 0.5][..], &[0.0, 1.000_001], &[0.3], &[]] {
            assert_eq!(
                colours(&pixels(values), false),
                Colours::Range([0.0, 1.0]),
                "{values:?}"
            );
        }
        assert_eq!(colours(&pixels(&[7.0]), false), Colours::Range([3.5, 10.5]));
        assert_eq!(colours(&pixels(&[-3.0, 2.0]), true), Colours::Signed(3.0));
        assert_eq!(colours(&pixels(&[f32::NAN]), true), Colours::Signed(1.0));
    }

    #[test]
    fn what_is_not_finite_has_a_colour_of_its_own() {
        let result = pixels(&[f32::NAN, 0.5, f32::INFINITY]);
        let rgba = response_rgba(&result, colours(&result, false));
        assert_eq!(
            (&rgba[..3], &rgba[4..7], &rgba[8..11]),
            (&NOT_FINITE[..], &[128; 3][..], &NOT_FINITE[..])
        );
        assert_eq!(outside(&result, Colours::Range([0.0, 1.0])), 2);
    }
}
