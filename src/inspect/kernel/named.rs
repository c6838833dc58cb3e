//! The kernels that have names, for pictures and for signals, with where they come from.
//!
//! Signs are such that a kernel laid on the picture as written (cross-correlation) answers positively where it gets
//! brighter to the right or downwards.

use super::{Kernel, KernelError, MOST_SIDE};
use serde::{Deserialize, Serialize};

/// A kernel with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// Leaves everything as it is.
    Identity,
    /// Thin horizontal lines (line detection mask; Gonzalez and Woods, Digital Image Processing, §10.2).
    EdgeHorizontal,
    /// Thin vertical lines (the same).
    EdgeVertical,
    /// Thin rising lines, at +45° (the same).
    EdgeDiagonal,
    /// Change to the right, smoothed downwards (Sobel and Feldman 1968).
    SobelX,
    /// Change downwards, smoothed to the right (the same).
    SobelY,
    /// Change to the right (Prewitt 1970).
    PrewittX,
    /// Change downwards (the same).
    PrewittY,
    /// Second derivative with four neighbours (Gonzalez and Woods, §3.6).
    Laplacian4,
    /// Second derivative with eight neighbours (the same).
    Laplacian8,
    /// The picture minus its four-neighbour Laplacian (the same).
    Sharpen,
    /// The mean of a square.
    BoxBlur,
    /// Weights fall off as a bell curve, sampled and normalised (as OpenCV's `getGaussianKernel`).
    Gaussian,
    /// Twice the picture minus its 5×5 binomial blur (1 4 6 4 1)²/256: sharpens without the noise of `Sharpen`.
    Unsharp,
    /// A relief lit from the upper left (the usual 3×3, as GIMP's documentation has it).
    Emboss,
    /// The mean of neighbours in a signal.
    MovingAverage,
    /// A bell curve over neighbours in a signal.
    GaussianLine,
    /// Half the difference of the neighbours: the slope of a signal (central difference).
    Difference,
    /// The second difference: how a signal bends.
    SecondDifference,
}

const CROSS: [f32; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];

impl Named {
    /// All of them, in the order of the menu: those for pictures, then those for signals.
    pub const ALL: [Named; 19] = [
        Named::Identity,
        Named::EdgeHorizontal,
        Named::EdgeVertical,
        Named::EdgeDiagonal,
        Named::SobelX,
        Named::SobelY,
        Named::PrewittX,
        Named::PrewittY,
        Named::Laplacian4,
        Named::Laplacian8,
        Named::Sharpen,
        Named::BoxBlur,
        Named::Gaussian,
        Named::Unsharp,
        Named::Emboss,
        Named::MovingAverage,
        Named::GaussianLine,
        Named::Difference,
        Named::SecondDifference,
    ];

    /// Its word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Named::Identity => "identity",
            Named::EdgeHorizontal => "edge-horizontal",
            Named::EdgeVertical => "edge-vertical",
            Named::EdgeDiagonal => "edge-diagonal",
            Named::SobelX => "sobel-x",
            Named::SobelY => "sobel-y",
            Named::PrewittX => "prewitt-x",
            Named::PrewittY => "prewitt-y",
            Named::Laplacian4 => "laplacian-4",
            Named::Laplacian8 => "laplacian-8",
            Named::Sharpen => "sharpen",
            Named::BoxBlur => "box",
            Named::Gaussian => "gaussian",
            Named::Unsharp => "unsharp",
            Named::Emboss => "emboss",
            Named::MovingAverage => "moving-average",
            Named::GaussianLine => "gaussian-1d",
            Named::Difference => "difference",
            Named::SecondDifference => "second-difference",
        }
    }

    /// One line of what it does.
    pub fn line(self) -> &'static str {
        match self {
            Named::Identity => "leaves everything as it is",
            Named::EdgeHorizontal => "answers thin horizontal lines",
            Named::EdgeVertical => "answers thin vertical lines",
            Named::EdgeDiagonal => "answers thin rising lines",
            Named::SobelX => "how much brighter it gets to the right, smoothed downwards",
            Named::SobelY => "how much brighter it gets downwards, smoothed to the right",
            Named::PrewittX => "how much brighter it gets to the right",
            Named::PrewittY => "how much brighter it gets downwards",
            Named::Laplacian4 => "second derivative, with four neighbours",
            Named::Laplacian8 => "second derivative, with eight neighbours",
            Named::Sharpen => "the picture minus its Laplacian",
            Named::BoxBlur => "the mean of a square",
            Named::Gaussian => "a blur whose weights fall off as a bell curve",
            Named::Unsharp => "unsharp mask: twice the picture minus its 5×5 blur",
            Named::Emboss => "a relief lit from the upper left",
            Named::MovingAverage => "for signals: the mean of neighbours",
            Named::GaussianLine => "for signals: a bell curve over neighbours",
            Named::Difference => "for signals: the slope",
            Named::SecondDifference => "for signals: how it bends",
        }
    }

    /// The one of this name.
    pub fn find(name: &str) -> Option<Named> {
        Named::ALL.into_iter().find(|named| named.name() == name)
    }

    /// Whether it has one row, for signals.
    pub fn is_line(self) -> bool {
        matches!(
            self,
            Named::MovingAverage
                | Named::GaussianLine
                | Named::Difference
                | Named::SecondDifference
        )
    }

    /// Whether it comes in any size.
    pub fn has_size(self) -> bool {
        self.usual_size().is_some()
    }

    /// Whether it has a standard deviation.
    pub fn has_sigma(self) -> bool {
        matches!(self, Named::Gaussian | Named::GaussianLine)
    }

    /// The default side, of those that come in any.
    fn usual_size(self) -> Option<usize> {
        match self {
            Named::Identity | Named::BoxBlur => Some(3),
            Named::Gaussian => Some(5),
            Named::MovingAverage | Named::GaussianLine => Some(9),
            _ => None,
        }
    }

    /// The kernel, of a side and a standard deviation where it comes in several; fails on those it does not come in.
    pub fn kernel(self, size: Option<usize>, sigma: Option<f32>) -> Result<Kernel, KernelError> {
        if let Some(sigma) = sigma.filter(|sigma| !(sigma.is_finite() && *sigma > 0.0)) {
            return Err(KernelError::Sigma(sigma));
        }
        match self.usual_size() {
            None => self.fixed(size),
            Some(usual) => self.sized(size.unwrap_or(usual), sigma),
        }
    }

    fn sized(self, size: usize, sigma: Option<f32>) -> Result<Kernel, KernelError> {
        if !(1..=MOST_SIDE).contains(&size) {
            let help = format!("write 1 to {MOST_SIDE}");
            return Err(KernelError::NotInSize {
                name: self.name(),
                size,
                help,
            });
        }
        let bell = || bell(size, sigma.unwrap_or_else(|| usual_sigma(size)));
        let (rows, values) = match self {
            Named::BoxBlur => (size, vec![1.0; size * size]),
            Named::MovingAverage => (1, vec![1.0; size]),
            Named::GaussianLine => (1, bell()),
            Named::Gaussian => (size, squared(&bell())),
            _ => {
                let middle = (size - 1) / 2 * (size + 1);
                (
                    size,
                    (0..size * size)
                        .map(|cell| f32::from(u8::from(cell == middle)))
                        .collect(),
                )
            }
        };
        let divisor = if matches!(self, Named::BoxBlur | Named::MovingAverage) {
            values.len() as f32
        } else {
            1.0
        };
        Kernel::new(self.name(), [rows, size], values, divisor)
    }

    fn fixed(self, size: Option<usize>) -> Result<Kernel, KernelError> {
        let ([rows, columns], values, divisor) = self.table();
        if let Some(size) = size.filter(|size| *size != columns) {
            let help = format!("it has {rows}×{columns}; leave the size out");
            return Err(KernelError::NotInSize {
                name: self.name(),
                size,
                help,
            });
        }
        Kernel::new(self.name(), [rows, columns], values, divisor)
    }

    /// Size, values and divisor of those that come in one size.
    fn table(self) -> ([usize; 2], Vec<f32>, f32) {
        let square = |values: [f32; 9]| ([3, 3], values.to_vec(), 1.0);
        match self {
            Named::EdgeHorizontal => square([-1., -1., -1., 2., 2., 2., -1., -1., -1.]),
            Named::EdgeVertical => square([-1., 2., -1., -1., 2., -1., -1., 2., -1.]),
            Named::EdgeDiagonal => square([-1., -1., 2., -1., 2., -1., 2., -1., -1.]),
            Named::SobelX => square([-1., 0., 1., -2., 0., 2., -1., 0., 1.]),
            Named::SobelY => square([-1., -2., -1., 0., 0., 0., 1., 2., 1.]),
            Named::PrewittX => square([-1., 0., 1., -1., 0., 1., -1., 0., 1.]),
            Named::PrewittY => square([-1., -1., -1., 0., 0., 0., 1., 1., 1.]),
            Named::Laplacian4 => square([0., 1., 0., 1., -4., 1., 0., 1., 0.]),
            Named::Laplacian8 => square([1., 1., 1., 1., -8., 1., 1., 1., 1.]),
            Named::Sharpen => square([0., -1., 0., -1., 5., -1., 0., -1., 0.]),
            Named::Emboss => square([-2., -1., 0., -1., 1., 1., 0., 1., 2.]),
            Named::Difference => ([1, 3], vec![-1., 0., 1.], 2.0),
            Named::SecondDifference => ([1, 3], vec![1., -2., 1.], 1.0),
            Named::Unsharp => {
                let blur = squared(&CROSS);
                let twice = |cell: usize| if cell == 12 { 512.0 } else { 0.0 };
                (
                    [5, 5],
                    blur.iter()
                        .enumerate()
                        .map(|(cell, weight)| twice(cell) - weight)
                        .collect(),
                    256.0,
                )
            }
            _ => square([0., 0., 0., 0., 1., 0., 0., 0., 0.]),
        }
    }
}

/// The default standard deviation for a side (OpenCV's).
pub fn usual_sigma(size: usize) -> f32 {
    (0.3 * ((size as f32 - 1.0) * 0.5 - 1.0) + 0.8).max(0.3)
}

/// A bell curve at the middles of `size` pixels, of sum 1.
fn bell(size: usize, sigma: f32) -> Vec<f32> {
    let middle = (size as f64 - 1.0) / 2.0;
    let height = |at: usize| (-0.5 * ((at as f64 - middle) / f64::from(sigma)).powi(2)).exp();
    let sum: f64 = (0..size).map(height).sum();
    // A curve far narrower than a pixel vanishes between the two middles of an even size.
    if sum < f64::MIN_POSITIVE {
        let nearest = |at: usize| f32::from(u8::from((at as f64 - middle).abs() < 0.75));
        let count: f32 = (0..size).map(nearest).sum();
        return (0..size).map(|at| nearest(at) / count).collect();
    }
    (0..size).map(|at| (height(at) / sum) as f32).collect()
}

/// The products of a line with itself turned upright.
fn squared(line: &[f32]) -> Vec<f32> {
    line.iter()
        .flat_map(|down| line.iter().map(move |right| down * right))
        .collect()
}
