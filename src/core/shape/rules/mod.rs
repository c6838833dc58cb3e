//! The rule of every layer: from its text's values and the input's shape to a resolved operator and
//! the output's shape.
//!
//! [`resolve`] is pure and total. Attributes are at most [`MAX_SIZE`] (checked first), so the window
//! arithmetic stays below 2^62; everything larger is a checked or saturating product. What PyTorch
//! refuses is a [`ShapeError`] with the numbers of the case. [`outline`] says what can be known of
//! the output when the input is not fully known; it never fails.

#![deny(clippy::wildcard_enum_match_arm)]

pub(in crate::shape) mod check;
pub(in crate::shape) mod convolution;
pub(in crate::shape) mod pooling;
pub(in crate::shape) mod resize;
pub(in crate::shape) mod vector;
mod window;

pub(crate) use pooling::unpaired;
pub use window::Axis;

use super::error::ShapeError;
use super::layers::Shaping;
use super::layers::facts::{Channels, Slider};
use super::op::Op;
use super::partial_shape::PartialShape;
use super::pool_pairing::Pool;
use crate::project::layer::Kind;
use crate::project::size::{MAX_SIZE, Shape};

/// The most numbers a tensor may hold, and the most parameters a layer may have: 2^40.
pub(crate) const MAX_ELEMENTS: u64 = 1 << 40;

/// A layer with its operator and its output's shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// What it does, with every default filled in.
    pub op: Op,
    /// The shape of its output.
    pub output: Shape,
}

/// What a layer needs to know of those before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// Where a max pooling is to keep its indices.
    pub slot: usize,
    /// The pooling that an `unpool` undoes.
    pub paired: Option<&'a Pool>,
    /// The name after `unpool @`, for messages.
    pub name: Option<&'a str>,
}

/// The operator and the output's shape of a layer on this input, or why there is none.
pub fn resolve(kind: &Kind, input: &Shape, context: &Context<'_>) -> Result<Resolved, ShapeError> {
    attributes(kind)?;
    check_elements(input.dims().iter().map(|&d| d as u64), "the input")?;
    let resolved = kind.ask(|layer| layer.resolve(input, context))?;
    let parameters = resolved.op.count().parameters(input);
    if parameters > MAX_ELEMENTS {
        let message =
            format!("the layer would have {parameters} parameters; at most 2^40 are possible");
        return Err(ShapeError::new(message)
            .help("make the input smaller first: pooling, a stride, or gap"));
    }
    Ok(resolved)
}

/// The window of a layer along one of `rank` axes, defaults filled in; `None` where it has none, or an error.
pub fn axis_of(kind: &Kind, rank: usize, axis: usize) -> Option<Axis> {
    attributes(kind).ok()?;
    let (window, defaults) = match kind.shaping() {
        Shaping::Slides { window, by, .. } => (window, defaults(by)),
        Shaping::Spreads { window, .. } => (window, window::CONV),
        Shaping::Keeps
        | Shaping::Unpools
        | Shaping::Scales(_)
        | Shaping::AdaptsTo(_)
        | Shaping::Grows(_)
        | Shaping::Shrinks(_)
        | Shaping::Pools
        | Shaping::Flattens
        | Shaping::Features(_)
        | Shaping::Reshapes(_) => return None,
    };
    window::axes(window, rank, defaults)?.get(axis).copied()
}

/// What is wrong with a layer on any input: zeros where there must be none, numbers out of range.
pub fn attributes(kind: &Kind) -> Result<(), ShapeError> {
    kind.ask(|layer| layer.check())
}

/// A shape from sizes that may be too large, as the output of a layer.
pub(in crate::shape) fn tensor(dims: &[u64]) -> Result<Shape, ShapeError> {
    check_elements(dims.iter().copied(), "the output")?;
    let sizes: Vec<usize> = dims
        .iter()
        .map(|&d| usize::try_from(d).unwrap_or(usize::MAX))
        .collect();
    Shape::new(&sizes).ok_or_else(|| {
        let text = super::error::times(dims);
        ShapeError::new(format!(
            "the output would be {text}; every size must be from 1 to {MAX_SIZE}"
        ))
        .help("use smaller sizes")
    })
}

fn check_elements(dims: impl Iterator<Item = u64> + Clone, what: &str) -> Result<(), ShapeError> {
    let elements = dims.clone().fold(1u64, u64::saturating_mul);
    if elements <= MAX_ELEMENTS {
        return Ok(());
    }
    let text = super::error::times(&dims.collect::<Vec<_>>());
    let number = if elements == u64::MAX {
        "more than 10^19".into()
    } else {
        elements.to_string()
    };
    let message = format!("{what} {text} holds {number} numbers; at most 2^40 are possible");
    Err(ShapeError::new(message).help("use smaller sizes"))
}

/// The window's defaults.
fn defaults(by: Slider) -> window::Defaults {
    match by {
        Slider::Convolution => window::CONV,
        Slider::MaxPool | Slider::AvgPool => window::POOL,
    }
}

/// What can be known of a layer's output when its input is not fully known, or when it has an error.
pub fn outline(kind: &Kind, input: &PartialShape, paired: Option<&Pool>) -> PartialShape {
    match kind.shaping() {
        Shaping::Keeps => *input,
        Shaping::Slides {
            channels,
            window,
            by,
        } => window::slid_outline(input, channels_after(channels, input), window, defaults(by)),
        Shaping::Spreads { channels, window } => {
            window::spread_outline(input, Some(channels as usize), window)
        }
        Shaping::Unpools => paired.map_or(PartialShape::UNKNOWN, |pool| pool.input),
        Shaping::Scales(factor) => resize::upsample_outline(input, factor),
        Shaping::AdaptsTo(output) => resize::adaptive_outline(input, output),
        Shaping::Grows(margins) => resize::margins_outline(input, margins, 1),
        Shaping::Shrinks(margins) => resize::margins_outline(input, margins, -1),
        Shaping::Pools => PartialShape::vector(input.channels()),
        Shaping::Flattens => PartialShape::vector(None),
        Shaping::Features(features) => PartialShape::vector(Some(features as usize)),
        Shaping::Reshapes(shape) => PartialShape::of(shape),
    }
}

fn channels_after(channels: Channels, input: &PartialShape) -> Option<usize> {
    match channels {
        Channels::Kept => input.channels(),
        Channels::Fixed(channels) => Some(channels as usize),
        Channels::Times(factor) => input
            .channels()
            .and_then(|channels| channels.checked_mul(factor as usize))
            .filter(|&channels| channels <= MAX_SIZE as usize),
    }
}

#[cfg(test)]
mod tests;
