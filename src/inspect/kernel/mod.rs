//! A fixed kernel slid over a picture or a signal: what a convolutional layer computes, with weights that a person
//! chose.
//!
//! The arithmetic is that of PyTorch's `conv2d`, which is cross-correlation: the kernel is laid on the picture as it
//! is written, not turned. [`Settings::flip`] turns it by 180°, which makes it the convolution of mathematics.
//! A signal is a picture of one row. Plain arrays in, plain arrays out; fails with [`KernelError`], never on values.

mod convolve;
mod error;
mod named;
mod padding;
mod pattern;
mod shown;
mod signal;
mod text;
mod window;

pub use convolve::{Response, Settings, convolve};
pub use error::KernelError;
pub use named::{Named, usual_sigma};
pub use padding::{Amount, Border, Margins};
pub use pattern::{Found, Match, Pattern, find, most_sides};
use serde::{Deserialize, Serialize};
pub use shown::{
    Colours, colours, kernel_color, kernel_rgba, outside, picture_rgba, response_rgba,
};
pub use signal::{Curve, noisy_curve};
use strata_data::luma;
pub use text::parse;
pub use window::{Term, terms};

/// Rows or columns of a kernel, at most.
pub(crate) const MOST_SIDE: usize = 63;

/// A picture as numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pixels {
    /// Height and width.
    pub size: [usize; 2],
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// `H × W × C`; 0 is black and 1 is white.
    pub values: Vec<f32>,
}

impl Pixels {
    /// A picture of bytes, 255 as 1; `None` when their number is not height × width × channels.
    pub(crate) fn of_bytes(size: [usize; 2], channels: usize, bytes: &[u8]) -> Option<Pixels> {
        let values = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        Pixels::new(size, channels, values)
    }

    /// A picture of values; `None` when their number is not height × width × channels.
    pub fn new(size: [usize; 2], channels: usize, values: Vec<f32>) -> Option<Pixels> {
        let wanted = size[0].checked_mul(size[1])?.checked_mul(channels)?;
        (values.len() == wanted && channels > 0).then_some(Pixels {
            size,
            channels,
            values,
        })
    }

    /// A signal: one row.
    pub fn signal(values: Vec<f32>) -> Pixels {
        Pixels {
            size: [1, values.len()],
            channels: 1,
            values,
        }
    }

    /// The value of a channel at a place; 0 outside.
    pub fn at(&self, row: usize, column: usize, channel: usize) -> f32 {
        if row >= self.size[0] || column >= self.size[1] || channel >= self.channels {
            return 0.0;
        }
        let index = (row * self.size[1] + column) * self.channels + channel;
        self.values.get(index).copied().unwrap_or(0.0)
    }

    /// One channel: colour weighed as the eye does, as the grey pictures of a source are, other numbers of
    /// channels by their mean.
    pub fn grey(&self) -> Pixels {
        let grey = |pixel: &[f32]| match *pixel {
            [red, green, blue] => luma([red, green, blue]),
            [value] => value,
            _ => pixel.iter().sum::<f32>() / pixel.len().max(1) as f32,
        };
        let values = self
            .values
            .chunks_exact(self.channels.max(1))
            .map(grey)
            .collect();
        Pixels {
            size: self.size,
            channels: 1,
            values,
        }
    }
}

/// Weights with what they are divided by, and what is added to the sum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    /// What it is called.
    pub name: String,
    /// Height and width.
    pub size: [usize; 2],
    /// Row by row, before the division.
    pub values: Vec<f32>,
    /// What every value is divided by.
    pub divisor: f32,
    /// What is added to every sum.
    pub offset: f32,
}

impl Kernel {
    /// A kernel of these rows; fails on a size that is none, and on a divisor of 0.
    pub fn new(
        name: &str,
        size: [usize; 2],
        values: Vec<f32>,
        divisor: f32,
    ) -> Result<Kernel, KernelError> {
        let fits = size.iter().all(|side| (1..=MOST_SIDE).contains(side))
            && size[0] * size[1] == values.len();
        if !fits {
            return Err(KernelError::Size {
                size,
                values: values.len(),
            });
        }
        if divisor == 0.0 || !divisor.is_finite() {
            return Err(KernelError::Divisor(divisor));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(KernelError::Value(value.to_string()));
        }
        Ok(Kernel {
            name: name.to_owned(),
            size,
            values,
            divisor,
            offset: 0.0,
        })
    }

    /// The weights that count: divided, and turned by 180° where that is asked for.
    pub fn weights(&self, flip: bool) -> Vec<f32> {
        let divided = self.values.iter().map(|value| value / self.divisor);
        if flip {
            divided.rev().collect()
        } else {
            divided.collect()
        }
    }

    /// The sum of the weights: 1 keeps brightness, 0 responds only to differences.
    pub fn sum(&self) -> f32 {
        self.values.iter().sum::<f32>() / self.divisor
    }

    /// Whether the kernel answers differences: its weights cancel, so its result has both signs.
    pub fn is_difference(&self) -> bool {
        let strength: f32 = self.values.iter().map(|value| value.abs()).sum();
        self.sum().abs() * self.divisor.abs() < 1e-4 * strength
    }

    /// The same values in the middle of another size: what is cut off is lost, what is new is 0.
    pub fn resized(&self, size: [usize; 2]) -> Kernel {
        let size = size.map(|side| side.clamp(1, MOST_SIDE));
        // Centre on centre; of even sizes the later of the two middles, as `same` puts the odd pixel at the end.
        let from = |to: usize, axis: usize| {
            (to + self.size[axis].saturating_sub(1) / 2).checked_sub((size[axis] - 1) / 2)
        };
        let value = |row: usize, column: usize| {
            let (row, column) = (from(row, 0)?, from(column, 1)?);
            (row < self.size[0] && column < self.size[1])
                .then(|| self.values.get(row * self.size[1] + column).copied())?
        };
        let cells =
            (0..size[0] * size[1]).map(|cell| value(cell / size[1], cell % size[1]).unwrap_or(0.0));
        Kernel {
            size,
            values: cells.collect(),
            ..self.clone()
        }
    }
}
