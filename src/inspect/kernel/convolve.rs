//! The sliding sum itself, channel by channel.
//!
//! Sums run over the kernel row by row in f32. Fails on a stride or dilation of 0, on a kernel that does not fit the
//! padded picture, and as the padding fails.

use super::padding::{self, Amount, Border, Margins};
use super::{Kernel, KernelError, Pixels};
use serde::{Deserialize, Serialize};

/// How a kernel is slid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Pixels from one position to the next.
    pub stride: usize,
    /// Pixels from one weight to the next.
    pub dilation: usize,
    /// The pixels outside the picture.
    pub border: Border,
    /// How much of it.
    pub amount: Amount,
    /// Grey first, or each channel by itself.
    pub grey: bool,
    /// Turns the kernel by 180°: convolution as mathematics has it.
    pub flip: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        let (border, amount) = (Border::default(), Amount::default());
        Settings {
            stride: 1,
            dilation: 1,
            border,
            amount,
            grey: false,
            flip: false,
        }
    }
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The picture that the kernel was laid on: grey where that was asked for.
    pub input: Pixels,
    /// The sums.
    pub output: Pixels,
    /// The padding.
    pub margins: Margins,
}

/// Slides a kernel over a picture, each channel by itself.
pub fn convolve(
    picture: &Pixels,
    kernel: &Kernel,
    settings: &Settings,
) -> Result<Response, KernelError> {
    let input = if settings.grey {
        picture.grey()
    } else {
        picture.clone()
    };
    let (margins, size) = sizes(input.size, kernel.size, settings)?;
    let weights = kernel.weights(settings.flip);
    let mut values = vec![0.0; size[0] * size[1] * input.channels];
    for channel in 0..input.channels {
        let plane = padded(&input, channel, &margins, settings.border);
        let sums = slide(&plane, kernel.size, &weights, size, settings);
        let out = values.iter_mut().skip(channel).step_by(input.channels);
        out.zip(sums)
            .for_each(|(out, sum)| *out = sum + kernel.offset);
    }
    let output = Pixels {
        size,
        channels: input.channels,
        values,
    };
    Ok(Response {
        input,
        output,
        margins,
    })
}

/// The padding and the size of the result.
fn sizes(
    picture: [usize; 2],
    kernel: [usize; 2],
    settings: &Settings,
) -> Result<(Margins, [usize; 2]), KernelError> {
    for (name, value) in [("stride", settings.stride), ("dilation", settings.dilation)] {
        if value == 0 {
            return Err(KernelError::Zero(name));
        }
    }
    if picture.contains(&0) {
        return Err(KernelError::Empty);
    }
    let window = kernel.map(|side| {
        (side - 1)
            .saturating_mul(settings.dilation)
            .saturating_add(1)
    });
    let whole = |margins: &Margins| {
        [
            picture[0] + margins.rows.iter().sum::<usize>(),
            picture[1] + margins.columns.iter().sum::<usize>(),
        ]
    };
    if window.iter().any(|side| *side > 1 << 20) || settings.stride > 1 << 20 {
        return Err(KernelError::TooLarge { window, picture });
    }
    let margins = padding::margins(picture, kernel, settings)?;
    let padded = whole(&margins);
    if window
        .iter()
        .zip(padded)
        .any(|(window, padded)| *window > padded)
    {
        return Err(KernelError::TooLarge {
            window,
            picture: padded,
        });
    }
    let size = std::array::from_fn(|axis| (padded[axis] - window[axis]) / settings.stride + 1);
    Ok((margins, size))
}

/// One channel with its padding around it, and how wide it is.
fn padded(
    picture: &Pixels,
    channel: usize,
    margins: &Margins,
    border: Border,
) -> (Vec<f32>, usize) {
    let places = |side: usize, [before, after]: [usize; 2]| -> Vec<Option<usize>> {
        (-(before as i64)..(side + after) as i64)
            .map(|at| padding::source(at, side, border))
            .collect()
    };
    let (rows, columns) = (
        places(picture.size[0], margins.rows),
        places(picture.size[1], margins.columns),
    );
    let value = |row: Option<usize>, column: Option<usize>| match (row, column) {
        (Some(row), Some(column)) => picture.at(row, column, channel),
        _ => 0.0,
    };
    let values = rows
        .iter()
        .flat_map(|&row| columns.iter().map(move |&column| value(row, column)));
    (values.collect(), columns.len())
}

/// The sums of one channel: for each weight a whole row at a time, which the compiler turns into vector instructions.
fn slide(
    (plane, across): &(Vec<f32>, usize),
    [_, kernel_columns]: [usize; 2],
    weights: &[f32],
    [height, width]: [usize; 2],
    settings: &Settings,
) -> Vec<f32> {
    let mut sums = vec![0.0; height * width];
    for (row, out) in sums.chunks_exact_mut(width).enumerate() {
        for (index, weight) in weights.iter().enumerate() {
            let top = row * settings.stride + index / kernel_columns * settings.dilation;
            let from = top * across + index % kernel_columns * settings.dilation;
            let line = plane.get(from..).unwrap_or_default();
            match settings.stride {
                1 => out
                    .iter_mut()
                    .zip(line)
                    .for_each(|(sum, value)| *sum += weight * value),
                stride => out
                    .iter_mut()
                    .zip(line.iter().step_by(stride))
                    .for_each(|(sum, value)| *sum += weight * value),
            }
        }
    }
    sums
}
