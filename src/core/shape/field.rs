//! Receptive fields: how many of the network's inputs one output value can see, axis by axis.
//!
//! Counted backwards: `n` neighbours at a layer's output need so many at its input. Layers that
//! shrink merge into one affine step, so a field costs as many steps as there are changes of
//! direction, not as there are layers. Padding is not cut off: a field may be larger than the input.
//! Where the windows begin is in [`Grid`]; what one cell sees, exactly, in [`seen()`].

mod grid;
mod hint;
mod ratio;
mod reached;
mod seen;
mod set;

pub use grid::Grid;
pub use hint::sees_less;
pub use ratio::Ratio;
pub use reached::{Reached, Unreached};
pub use seen::{Seen, path, seen};
pub use set::Set;

use super::layers::Reads;
use super::op::{Geometry, Op};
use crate::project::size::Shape;

/// The receptive field of one position, as the way back to the input.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    /// A window on each axis.
    Axes(Vec<Chain>),
    /// Everything: after `flatten`, `dense`, global pooling, or a norm that takes statistics of the whole image.
    Whole,
}

/// The way back along one axis, first step nearest the input, and where the windows begin.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chain {
    steps: Vec<Step>,
    grid: Option<Grid>,
}

/// From neighbours at an output to neighbours at an input.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// `n` outputs see (n − 1)·stride + span inputs.
    Down { span: u64, stride: u64 },
    /// `n` outputs see (n − 1 + reach)/stride + 1 inputs; a single one sees `single`.
    Up {
        reach: u64,
        stride: u64,
        single: u64,
    },
}

impl Step {
    fn back(self, n: u64) -> u64 {
        match self {
            Step::Down { span, stride } => (n - 1).saturating_mul(stride).saturating_add(span),
            Step::Up { single, .. } if n == 1 => single,
            Step::Up { reach, stride, .. } => {
                ((n - 1).saturating_add(reach) / stride).saturating_add(1)
            }
        }
    }
}

impl Chain {
    fn start() -> Chain {
        Chain {
            steps: Vec::new(),
            grid: Some(Grid::start()),
        }
    }

    fn push(&mut self, step: Step) {
        match (self.steps.last_mut(), step) {
            (
                _,
                Step::Down { span: 1, stride: 1 }
                | Step::Up {
                    reach: 0,
                    stride: 1,
                    ..
                },
            ) => {}
            (
                Some(Step::Down { span, stride }),
                Step::Down {
                    span: next_span,
                    stride: next_stride,
                },
            ) => {
                *span = (next_span - 1)
                    .saturating_mul(*stride)
                    .saturating_add(*span);
                *stride = stride.saturating_mul(next_stride);
            }
            _ => self.steps.push(step),
        }
    }

    fn size(&self) -> u64 {
        self.steps.iter().rev().fold(1, |n, step| step.back(n))
    }
}

impl Field {
    /// The field of the input itself.
    pub fn start(input: &Shape) -> Field {
        Field::Axes(vec![Chain::start(); input.rank()])
    }

    /// The sizes by axis of the network's input.
    pub fn sizes(&self, input: &Shape) -> Vec<u64> {
        match self {
            Field::Axes(chains) => chains.iter().map(Chain::size).collect(),
            Field::Whole => input.spatial().iter().map(|&size| size as u64).collect(),
        }
    }

    /// Where windows begin, by axis of the network's input; `None` where every value sees everything.
    pub fn grid(&self) -> Option<Vec<Grid>> {
        match self {
            Field::Axes(chains) => chains.iter().map(|chain| chain.grid).collect(),
            Field::Whole => None,
        }
    }

    /// The field after one more layer.
    pub fn after(self, op: &Op) -> Field {
        let Field::Axes(mut chains) = self else {
            return Field::Whole;
        };
        let reads = op.reads();
        if matches!(reads, Reads::All | Reads::OwnAndStatistics) {
            return Field::Whole;
        }
        // Operators always have three axes; a signal or an image has the last ones.
        let first = 3usize.saturating_sub(chains.len());
        for (axis, chain) in (first..3).zip(&mut chains) {
            chain.grid = chain.grid.and_then(|grid| grid.after(reads, axis));
            if let Some(step) = step(reads, axis) {
                chain.push(step);
            }
        }
        Field::Axes(chains)
    }

    /// The larger field on each axis, for branches that meet.
    pub(crate) fn widest(self, other: Field) -> Field {
        let (Field::Axes(a), Field::Axes(b)) = (self, other) else {
            return Field::Whole;
        };
        let wider = |(a, b): (Chain, Chain)| {
            let grid = a.grid.zip(b.grid).and_then(|(a, b)| a.meet(b));
            Chain {
                grid,
                ..if b.size() > a.size() { b } else { a }
            }
        };
        Field::Axes(a.into_iter().zip(b).map(wider).collect())
    }
}

fn step(reads: Reads, axis: usize) -> Option<Step> {
    match reads {
        Reads::Window(geometry, _) => Some(down(&geometry, axis)),
        Reads::Spread(geometry) | Reads::Unpooled(geometry) => Some(up(&geometry, axis)),
        Reads::Enlarged { factor, bilinear } => Some(upsample(factor[axis] as u64, bilinear)),
        Reads::Adaptive { input, output } => {
            Some(adaptive(input[axis] as u64, output[axis] as u64))
        }
        Reads::Own
        | Reads::OwnAndStatistics
        | Reads::Padded { .. }
        | Reads::Cropped { .. }
        | Reads::All => None,
    }
}

fn down(geometry: &Geometry, axis: usize) -> Step {
    let span = (geometry.kernel[axis] as u64 - 1)
        .saturating_mul(geometry.dilation[axis] as u64)
        .saturating_add(1);
    Step::Down {
        span,
        stride: geometry.stride[axis] as u64,
    }
}

/// Every output collects the inputs whose spread kernel covers it. With dilation only every q-th
/// tap can meet one output.
fn up(geometry: &Geometry, axis: usize) -> Step {
    let (taps, stride, dilation) = (
        geometry.kernel[axis] as u64 - 1,
        geometry.stride[axis] as u64,
        geometry.dilation[axis] as u64,
    );
    let q = stride / gcd(stride, dilation);
    let single = (taps / q)
        .saturating_mul(q.saturating_mul(dilation) / stride)
        .saturating_add(1);
    Step::Up {
        reach: taps.saturating_mul(dilation),
        stride,
        single,
    }
}

/// Repeating is a transposed convolution with kernel = stride; interpolation reaches one input further.
fn upsample(factor: u64, bilinear: bool) -> Step {
    let reach = match (bilinear, factor) {
        (true, 2..) => 2 * factor - 2 + u64::from(factor.is_multiple_of(2)),
        _ => factor - 1,
    };
    Step::Up {
        reach,
        stride: factor,
        single: reach / factor + 1,
    }
}

/// The largest of the windows ⌊i·in/out⌋ .. ⌈(i+1)·in/out⌉.
fn adaptive(input: u64, output: u64) -> Step {
    let rest = input % output;
    let extra = match rest {
        0 => 0,
        _ if rest > gcd(rest, output) => 2,
        _ => 1,
    };
    Step::Down {
        span: input / output + extra,
        stride: input.div_ceil(output),
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests;
