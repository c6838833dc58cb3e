//! `conv 32 k3` and `dwconv k3 m2`: convolutions; a depthwise one is one of as many groups as channels.

use super::count::{Count, Factor};
use super::facts::{Channels, Joins, KernelSizes, MirroredWindow, Slider};
use super::fields::{BIAS, DILATION, GROUPS, KERNEL, MULTIPLIER, OUT_CHANNELS, PADDING, STRIDE};
use super::text::{LayerWord, write_window};
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::help::{Attribute, Repair};
use crate::project::layer::{Family, Kind, Window};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Geometry;
use crate::shape::rules::{Context, Resolved, check, convolution};
use std::fmt;

pub(super) const CONV: LayerWord = LayerWord {
    word: "conv",
    example: "conv 16 k3 p1",
    about: "Convolution: slides out_channels learned kernels over the input (Keras Conv2D).",
    elsewhere: &["conv1d", "conv2d", "conv3d", "convolution"],
    fields: &[
        OUT_CHANNELS,
        KERNEL,
        STRIDE,
        PADDING,
        DILATION,
        GROUPS,
        BIAS,
    ],
    read: |reader| {
        Ok(Kind::Conv {
            out_channels: reader.count("the number of filters")?,
            window: reader.window(),
            groups: reader.groups(),
            bias: !reader.flag("nobias"),
        })
    },
};

pub(super) const DWCONV: LayerWord = LayerWord {
    word: "dwconv",
    example: "dwconv k3 p1",
    about: "Depthwise convolution: each channel has its own kernel (Keras DepthwiseConv2D).",
    elsewhere: &["depthwiseconv2d"],
    fields: &[KERNEL, STRIDE, PADDING, DILATION, MULTIPLIER, BIAS],
    read: |reader| {
        Ok(Kind::DepthwiseConv {
            window: reader.window(),
            multiplier: reader.multiplier(),
            bias: !reader.flag("nobias"),
        })
    },
};

pub(super) struct Conv<'a> {
    pub out_channels: u32,
    pub window: &'a Window,
    pub groups: Option<u32>,
    pub bias: bool,
}

impl<'a> WrittenLayer<'a> for Conv<'a> {
    fn family(&self) -> Family {
        Family::Convolution
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conv {}", self.out_channels)?;
        write_window(f, self.window, ("g", self.groups), self.bias)
    }

    fn check(&self) -> Result<(), ShapeError> {
        check::window(self.window)?;
        check::one(
            self.groups.unwrap_or(1),
            "groups",
            Repair::Set(Attribute::Groups(1)),
        )
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Slides {
            channels: Channels::Fixed(self.out_channels),
            window: self.window,
            by: Slider::Convolution,
        }
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weighted
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        convolution::conv(
            input,
            self.out_channels as usize,
            self.window,
            self.groups.unwrap_or(1) as usize,
            self.bias,
        )
    }
}

pub(super) struct DepthwiseConv<'a> {
    pub window: &'a Window,
    pub multiplier: Option<u32>,
    pub bias: bool,
}

impl<'a> WrittenLayer<'a> for DepthwiseConv<'a> {
    fn family(&self) -> Family {
        Family::Convolution
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dwconv")?;
        write_window(f, self.window, ("m", self.multiplier), self.bias)
    }

    fn check(&self) -> Result<(), ShapeError> {
        check::window(self.window)?;
        check::one(
            self.multiplier.unwrap_or(1),
            "the channel multiplier m",
            Repair::Set(Attribute::Multiplier(1)),
        )
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Slides {
            channels: Channels::Times(self.multiplier.unwrap_or(1)),
            window: self.window,
            by: Slider::Convolution,
        }
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weighted
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        let multiplier = self.multiplier.unwrap_or(1);
        convolution::depthwise(input, self.window, multiplier, self.bias)
    }
}

pub(super) struct ConvOp {
    pub in_channels: usize,
    pub out_channels: usize,
    pub groups: usize,
    pub bias: bool,
    pub geometry: Geometry,
}

impl ResolvedLayer for ConvOp {
    fn reads(&self) -> Reads {
        Reads::Window(self.geometry, Joins::Sum)
    }

    fn count(&self) -> Count {
        let out = Factor::Size("out", self.out_channels);
        let each = Factor::per_group("in", self.in_channels, self.groups);
        let weight = [out, each, Factor::Window(self.geometry.kernel)];
        Count::multiplied(weight, self.geometry.output).with_bias(self.bias, out)
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        let kernel = KernelSizes {
            geometry: self.geometry,
            large: self.in_channels,
            small: self.out_channels,
            groups: self.groups,
            transposed: false,
        };
        Effort::Kernels(kernel, None)
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Transposed(MirroredWindow {
            channels: self.in_channels,
            geometry: self.geometry,
            groups: self.groups,
            bias: self.bias,
        })
    }

    fn example(&self) -> Example {
        Example::Convolution(self.geometry)
    }

    fn computed(&self, input: &Shape) -> Option<String> {
        let channels = input.channels();
        Some(if self.groups > 1 && self.groups == channels {
            "Σ weight·input over the window, in its own channel alone".to_owned()
        } else if self.groups > 1 {
            format!(
                "Σ weight·input over the window and {} channels of its group, + bias",
                channels / self.groups
            )
        } else if channels == 1 {
            "Σ weight·input over the window and 1 channel, + bias".to_owned()
        } else {
            format!("Σ weight·input over the window and all {channels} channels, + bias")
        })
    }
}
