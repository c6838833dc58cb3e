//! `convt 16 k4 s2 p1`: transposed convolution.

use super::count::{Count, Factor};
use super::facts::{KernelSizes, MirroredWindow};
use super::fields::{
    BIAS, DILATION, GROUPS, KERNEL, OUT_CHANNELS, OUTPUT_PADDING, PADDING, STRIDE,
};
use super::text::{LayerWord, write_window};
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::help::{Attribute, Repair};
use crate::project::layer::{Family, Kind, Window};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Geometry;
use crate::shape::rules::{Context, Resolved, check, convolution};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "convt",
    example: "convt 16 k4 s2 p1",
    about: "Transposed convolution: spreads every value through a kernel; enlarges (Keras Conv2DTranspose).",
    elsewhere: &[
        "conv2dtranspose",
        "convtranspose2d",
        "convtranspose",
        "deconv",
    ],
    fields: &[
        OUT_CHANNELS,
        KERNEL,
        STRIDE,
        PADDING,
        OUTPUT_PADDING,
        DILATION,
        GROUPS,
        BIAS,
    ],
    read: |reader| {
        Ok(Kind::ConvTranspose {
            out_channels: reader.count("the number of filters")?,
            window: reader.window(),
            groups: reader.groups(),
            bias: !reader.flag("nobias"),
        })
    },
};

pub(super) struct ConvTranspose<'a> {
    pub out_channels: u32,
    pub window: &'a Window,
    pub groups: Option<u32>,
    pub bias: bool,
}

impl<'a> WrittenLayer<'a> for ConvTranspose<'a> {
    fn family(&self) -> Family {
        Family::Upward
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "convt {}", self.out_channels)?;
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
        Shaping::Spreads {
            channels: self.out_channels,
            window: self.window,
        }
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weighted
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        convolution::transpose(
            input,
            self.out_channels as usize,
            self.window,
            self.groups.unwrap_or(1) as usize,
            self.bias,
        )
    }
}

/// `geometry` is that of the convolution that this is the transpose of.
pub(super) struct ConvTransposeOp {
    pub in_channels: usize,
    pub out_channels: usize,
    pub groups: usize,
    pub bias: bool,
    pub geometry: Geometry,
}

impl ResolvedLayer for ConvTransposeOp {
    fn reads(&self) -> Reads {
        Reads::Spread(self.geometry)
    }

    fn count(&self) -> Count {
        let each = Factor::per_group("out", self.out_channels, self.groups);
        let weight = [
            Factor::Size("in", self.in_channels),
            each,
            Factor::Window(self.geometry.kernel),
        ];
        // It does its forward convolution's work in the other direction: the windows lie on the input.
        Count::multiplied(weight, self.geometry.output)
            .with_bias(self.bias, Factor::Size("out", self.out_channels))
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        let kernel = KernelSizes {
            geometry: self.geometry,
            large: self.out_channels,
            small: self.in_channels,
            groups: self.groups,
            transposed: true,
        };
        Effort::Kernels(kernel, None)
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Convolved(MirroredWindow {
            channels: self.in_channels,
            geometry: self.geometry,
            groups: self.groups,
            bias: self.bias,
        })
    }

    fn example(&self) -> Example {
        Example::Transposed(self.geometry)
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some("every input value times the kernel is added into the output, + bias".into())
    }
}
