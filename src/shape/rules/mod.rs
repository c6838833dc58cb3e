//! The rule of every layer: from its text's values and the input's shape to a resolved operator and
//! the output's shape.
//!
//! [`resolve`] is pure and total. Attributes are at most [`MAX_SIZE`] (checked first), so the window
//! arithmetic stays below 2^62; everything larger is a checked or saturating product. What PyTorch
//! refuses is a [`ShapeError`] with the numbers of the case. [`outline`] says what can be known of
//! the output when the input is not fully known; it never fails.

mod convolution;
mod pooling;
mod resize;
mod vector;
mod window;

pub(super) use pooling::unpaired;
pub(super) use window::Axis;

use super::cost;
use super::error::ShapeError;
use super::op::Op;
use super::outline::Outline;
use super::pools::Pool;
use crate::project::layer::{Kind, Window};
use crate::project::size::{Axes, MAX_SIZE, Padding, Shape};

/// The most numbers a tensor may hold, and the most parameters a layer may have: 2^40.
pub const MAX_ELEMENTS: u64 = 1 << 40;

/// A layer with its operator and its output's shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// What it does, with every default filled in.
    pub op: Op,
    /// What it gives.
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
    let resolved = dispatch(kind, input, context)?;
    let parameters = cost::parameters(&resolved.op, input);
    if parameters > MAX_ELEMENTS {
        let message =
            format!("the layer would have {parameters} parameters; at most 2^40 are possible");
        return Err(ShapeError::new(message)
            .help("make the input smaller first: pooling, a stride, or gap"));
    }
    Ok(resolved)
}

fn dispatch(kind: &Kind, input: &Shape, context: &Context<'_>) -> Result<Resolved, ShapeError> {
    match kind {
        Kind::Conv {
            out_channels,
            window,
            groups,
            bias,
        } => convolution::conv(
            input,
            *out_channels as usize,
            window,
            groups.unwrap_or(1) as usize,
            *bias,
        ),
        Kind::ConvTranspose {
            out_channels,
            window,
            groups,
            bias,
        } => convolution::transpose(
            input,
            *out_channels as usize,
            window,
            groups.unwrap_or(1) as usize,
            *bias,
        ),
        Kind::DepthwiseConv {
            window,
            multiplier,
            bias,
        } => convolution::depthwise(input, window, multiplier.unwrap_or(1), *bias),
        Kind::SeparableConv {
            out_channels,
            window,
            bias,
        } => convolution::separable(input, *out_channels as usize, window, *bias),
        Kind::MaxPool { window } => pooling::max(input, window, context.slot),
        Kind::AvgPool { window } => pooling::avg(input, window),
        Kind::Unpool => pooling::unpool(input, context),
        Kind::GlobalAvgPool => pooling::global(input, Op::GlobalAvgPool),
        Kind::GlobalMaxPool => pooling::global(input, Op::GlobalMaxPool),
        Kind::AdaptiveAvgPool { output } => pooling::adaptive(input, output),
        Kind::Upsample { factor, bilinear } => resize::upsample(input, factor, *bilinear),
        Kind::Pad { margins } => resize::pad(input, margins),
        Kind::Crop { margins } => resize::crop(input, margins),
        Kind::Flatten => vector::flatten(input),
        Kind::Reshape { shape } => vector::reshape(input, shape),
        Kind::Dense { out_features, bias } => vector::dense(input, *out_features as usize, *bias),
        Kind::GroupNorm { groups } => vector::group_norm(input, *groups as usize),
        _ => Ok(Resolved {
            op: same_shape(kind, input),
            output: input.clone(),
        }),
    }
}

/// The layers that leave the shape as it is.
fn same_shape(kind: &Kind, input: &Shape) -> Op {
    match kind {
        Kind::BatchNorm => Op::BatchNorm {
            channels: input.channels(),
        },
        Kind::LayerNorm => Op::LayerNorm,
        Kind::Dropout { p } => Op::Dropout {
            p: *p,
            channels: false,
        },
        Kind::DropoutChannels { p } => Op::Dropout {
            p: *p,
            channels: true,
        },
        Kind::Activation(activation) => Op::Activation(*activation),
        Kind::Softmax => Op::Softmax,
        Kind::Noise { std } => Op::Noise { std: *std },
        _ => Op::Identity,
    }
}

/// The window of a layer along one of `rank` axes, defaults filled in; `None` where it has none, or an error.
pub(super) fn axis_of(kind: &Kind, rank: usize, axis: usize) -> Option<Axis> {
    attributes(kind).ok()?;
    let (window, defaults) = match kind {
        Kind::Conv { window, .. }
        | Kind::ConvTranspose { window, .. }
        | Kind::DepthwiseConv { window, .. }
        | Kind::SeparableConv { window, .. } => (window, window::CONV),
        Kind::MaxPool { window } | Kind::AvgPool { window } => (window, window::POOL),
        _ => return None,
    };
    window::axes(window, rank, defaults)?.get(axis).copied()
}

/// What is wrong with a layer on any input: zeros where there must be none, numbers out of range.
pub fn attributes(kind: &Kind) -> Result<(), ShapeError> {
    match kind {
        Kind::Conv { window, groups, .. } | Kind::ConvTranspose { window, groups, .. } => {
            window_attributes(window)?;
            one(groups.unwrap_or(1), "groups", "g1")
        }
        Kind::DepthwiseConv {
            window, multiplier, ..
        } => {
            window_attributes(window)?;
            one(multiplier.unwrap_or(1), "the channel multiplier m", "m1")
        }
        Kind::SeparableConv { window, .. }
        | Kind::MaxPool { window }
        | Kind::AvgPool { window } => window_attributes(window),
        Kind::Upsample { factor, .. } => positive(factor, "the factor", "upsample 2"),
        Kind::AdaptiveAvgPool { output } => {
            positive(output, "the output size", "adaptive-avgpool 1")
        }
        Kind::GroupNorm { groups } => one(*groups, "groups", "groupnorm 1"),
        Kind::Dropout { p } | Kind::DropoutChannels { p } if !(0.0..1.0).contains(p) => Err(
            ShapeError::new(format!("a dropout of {p} is not a probability below 1"))
                .help("use dropout 0.5"),
        ),
        Kind::Noise { std } if !(*std >= 0.0 && std.is_finite()) => {
            Err(ShapeError::new(format!("{std} is not a standard deviation")).help("use noise 0.1"))
        }
        _ => Ok(()),
    }
}

fn window_attributes(window: &Window) -> Result<(), ShapeError> {
    let check = |axes: &Option<Axes>, what: &str, help: &str| match axes {
        Some(axes) => positive(axes, what, help),
        None => Ok(()),
    };
    check(&window.kernel_size, "the kernel size", "k3")?;
    check(&window.stride, "the stride", "s1")?;
    check(&window.dilation, "the dilation", "d1")?;
    match &window.padding {
        Some(Padding::Zeros(axes)) => small(axes, "the padding")?,
        Some(Padding::Same | Padding::Valid) | None => {}
    }
    window
        .output_padding
        .as_ref()
        .map_or(Ok(()), |axes| small(axes, "the output padding"))
}

fn one(number: u32, what: &str, help: &str) -> Result<(), ShapeError> {
    positive(&Axes::all(number), what, help)
}

fn positive(axes: &Axes, what: &str, help: &str) -> Result<(), ShapeError> {
    if axes.sizes().contains(&0) {
        return Err(
            ShapeError::new(format!("{what} is 0; it must be 1 or more"))
                .help(format!("use {help}")),
        );
    }
    small(axes, what)
}

fn small(axes: &Axes, what: &str) -> Result<(), ShapeError> {
    match axes.sizes().iter().find(|&&size| size > MAX_SIZE) {
        Some(size) => {
            let message = format!("{what} is {size}; at most {MAX_SIZE} is possible");
            Err(ShapeError::new(message).help("use a smaller number"))
        }
        None => Ok(()),
    }
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

/// What can be known of a layer's output when its input is not fully known, or when it has an error.
pub fn outline(kind: &Kind, input: &Outline, paired: Option<&Pool>) -> Outline {
    let channels = |n: u32| Some(n as usize);
    match kind {
        Kind::Conv {
            out_channels,
            window,
            ..
        }
        | Kind::SeparableConv {
            out_channels,
            window,
            ..
        } => window::slid_outline(input, channels(*out_channels), window, window::CONV),
        Kind::ConvTranspose {
            out_channels,
            window,
            ..
        } => window::spread_outline(input, channels(*out_channels), window),
        Kind::DepthwiseConv {
            window, multiplier, ..
        } => {
            let m = multiplier.unwrap_or(1) as usize;
            let channels = input
                .channels()
                .and_then(|c| c.checked_mul(m))
                .filter(|&c| c <= MAX_SIZE as usize);
            window::slid_outline(input, channels, window, window::CONV)
        }
        Kind::MaxPool { window } | Kind::AvgPool { window } => {
            window::slid_outline(input, input.channels(), window, window::POOL)
        }
        Kind::Unpool => paired.map_or(Outline::UNKNOWN, |pool| pool.input),
        Kind::GlobalAvgPool | Kind::GlobalMaxPool => Outline::vector(input.channels()),
        Kind::AdaptiveAvgPool { output } => resize::adaptive_outline(input, output),
        Kind::Upsample { factor, .. } => resize::upsample_outline(input, factor),
        Kind::Pad { margins } => resize::margins_outline(input, margins, 1),
        Kind::Crop { margins } => resize::margins_outline(input, margins, -1),
        Kind::Flatten => Outline::vector(None),
        Kind::Reshape { shape } => Outline::of(shape),
        Kind::Dense { out_features, .. } => Outline::vector(channels(*out_features)),
        _ => *input,
    }
}

#[cfg(test)]
mod tests;
