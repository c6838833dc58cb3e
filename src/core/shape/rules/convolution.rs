//! Convolutions: plain, transposed, depthwise, separable.

use super::window::{CONV, Windows, dims};
use super::{Resolved, tensor};
use crate::project::help::{Attribute, Help, Repair};
use crate::project::layer::Window;
use crate::project::size::{Axes, Padding, Shape};
use crate::shape::error::ShapeError;
use crate::shape::op::Op;

pub fn conv(
    input: &Shape,
    out_channels: usize,
    window: &Window,
    groups: usize,
    bias: bool,
) -> Result<Resolved, ShapeError> {
    let windows = Windows::new(window, input, CONV)?;
    let in_channels = input.channels();
    check_groups(groups, in_channels, out_channels)?;
    let geometry = windows.slide(input)?;
    let output = tensor(&dims(out_channels, windows.rank, &geometry.output))?;
    Ok(Resolved {
        op: Op::Conv {
            in_channels,
            out_channels,
            groups,
            bias,
            geometry,
        },
        output,
    })
}

pub fn transpose(
    input: &Shape,
    out_channels: usize,
    window: &Window,
    groups: usize,
    bias: bool,
) -> Result<Resolved, ShapeError> {
    let windows = Windows::new(window, input, CONV)?;
    let in_channels = input.channels();
    check_groups(groups, in_channels, out_channels)?;
    check_output_padding(window, &windows)?;
    let geometry = windows.spread(input)?;
    let output = tensor(&dims(out_channels, windows.rank, &geometry.input))?;
    Ok(Resolved {
        op: Op::ConvTranspose {
            in_channels,
            out_channels,
            groups,
            bias,
            geometry,
        },
        output,
    })
}

pub fn depthwise(
    input: &Shape,
    window: &Window,
    multiplier: u32,
    bias: bool,
) -> Result<Resolved, ShapeError> {
    let windows = Windows::new(window, input, CONV)?;
    let in_channels = input.channels();
    // Both factors are at most 2^30.
    let out_channels = in_channels * multiplier as usize;
    let geometry = windows.slide(input)?;
    let output = tensor(&dims(out_channels, windows.rank, &geometry.output))?;
    Ok(Resolved {
        op: Op::Conv {
            in_channels,
            out_channels,
            groups: in_channels,
            bias,
            geometry,
        },
        output,
    })
}

pub fn separable(
    input: &Shape,
    out_channels: usize,
    window: &Window,
    bias: bool,
) -> Result<Resolved, ShapeError> {
    let windows = Windows::new(window, input, CONV)?;
    let geometry = windows.slide(input)?;
    let output = tensor(&dims(out_channels, windows.rank, &geometry.output))?;
    Ok(Resolved {
        op: Op::SeparableConv {
            in_channels: input.channels(),
            out_channels,
            bias,
            geometry,
        },
        output,
    })
}

fn check_groups(groups: usize, in_channels: usize, out_channels: usize) -> Result<(), ShapeError> {
    let unfit = |channels: usize| !channels.is_multiple_of(groups);
    let message = match (unfit(in_channels), unfit(out_channels)) {
        (false, false) => return Ok(()),
        (true, _) => {
            format!("{groups} groups don't divide the input's {in_channels} channels evenly")
        }
        (_, true) => format!("{groups} groups don't divide the {out_channels} filters evenly"),
    };
    let fitting: Vec<usize> = (1..=64usize)
        .filter(|g| in_channels.is_multiple_of(*g) && out_channels.is_multiple_of(*g))
        .take(8)
        .collect();
    Err(ShapeError::new(message).help(divisor(groups, &fitting)))
}

/// The number of groups that is nearest to the one that was meant.
fn divisor(groups: usize, fitting: &[usize]) -> Help {
    let nearest = fitting
        .iter()
        .min_by_key(|fits| fits.abs_diff(groups))
        .copied()
        .unwrap_or(1);
    let texts: Vec<String> = fitting.iter().map(|groups| format!("g{groups}")).collect();
    // At most 64.
    Help::from(Repair::Set(Attribute::Groups(nearest as u32)))
        .remark(format!(" (groups that divide both: {})", texts.join(", ")))
}

/// PyTorch's rule: on every axis below the stride or the dilation, whichever is larger.
fn check_output_padding(window: &Window, windows: &Windows) -> Result<(), ShapeError> {
    if window.padding == Some(Padding::Same)
        && windows.own().iter().any(|axis| axis.output_padding > 0)
    {
        let message = "`same` already fixes the output's size, so an output padding has no meaning";
        return Err(ShapeError::new(message).help(
            Help::from(Repair::Set(Attribute::NoOutputPadding))
                .remark(", or give the padding as a number"),
        ));
    }
    match windows
        .own()
        .iter()
        .find(|axis| axis.output_padding >= axis.stride.max(axis.dilation))
    {
        None => Ok(()),
        Some(axis) => Err(ShapeError::new(format!(
            "output padding {} must be smaller than the stride {} or the dilation {}",
            axis.output_padding, axis.stride, axis.dilation
        ))
        .help(match axis.stride.max(axis.dilation) - 1 {
            0 => Help::from(Repair::Set(Attribute::NoOutputPadding))
                .remark(": with stride 1 no row is ambiguous"),
            most => Help::from(Repair::Set(Attribute::OutputPadding(Axes::all(
                u32::try_from(most).unwrap_or(1),
            ))))
            .remark(" or less"),
        })),
    }
}
