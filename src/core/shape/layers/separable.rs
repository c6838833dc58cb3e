//! `sepconv 64 k3`: depthwise without bias, then 1×1 with bias.

use super::count::{Count, Factor};
use super::facts::{Channels, Joins, KernelSizes, MirroredWindow, Slider};
use super::fields::{BIAS, DILATION, KERNEL, OUT_CHANNELS, PADDING, STRIDE};
use super::text::{LayerWord, write_window};
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind, Window};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Geometry;
use crate::shape::rules::{Context, Resolved, check, convolution};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "sepconv",
    example: "sepconv 32 k3 p1",
    about: "Separable convolution: depthwise, then 1×1 (Keras SeparableConv2D).",
    elsewhere: &["separableconv2d"],
    fields: &[OUT_CHANNELS, KERNEL, STRIDE, PADDING, DILATION, BIAS],
    read: |reader| {
        Ok(Kind::SeparableConv {
            out_channels: reader.count("the number of filters")?,
            window: reader.window(),
            bias: !reader.flag("nobias"),
        })
    },
};

pub(super) struct Separable<'a> {
    pub out_channels: u32,
    pub window: &'a Window,
    pub bias: bool,
}

impl<'a> WrittenLayer<'a> for Separable<'a> {
    fn family(&self) -> Family {
        Family::Convolution
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sepconv {}", self.out_channels)?;
        write_window(f, self.window, ("", None), self.bias)
    }

    fn check(&self) -> Result<(), ShapeError> {
        check::window(self.window)
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
        convolution::separable(input, self.out_channels as usize, self.window, self.bias)
    }
}

/// `geometry` is the depthwise window.
pub(super) struct SeparableOp {
    pub in_channels: usize,
    pub out_channels: usize,
    pub bias: bool,
    pub geometry: Geometry,
}

impl ResolvedLayer for SeparableOp {
    fn reads(&self) -> Reads {
        Reads::Window(self.geometry, Joins::Sum)
    }

    fn count(&self) -> Count {
        let input = Factor::Size("in", self.in_channels);
        let out = Factor::Size("out", self.out_channels);
        let depthwise = [input, Factor::Window(self.geometry.kernel), Factor::One];
        Count::multiplied(depthwise, self.geometry.output)
            .and([input, out, Factor::One])
            .with_bias(self.bias, out)
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        let depthwise = KernelSizes {
            geometry: self.geometry,
            large: self.in_channels,
            small: self.in_channels,
            groups: self.in_channels,
            transposed: false,
        };
        let pointwise = KernelSizes {
            geometry: Geometry::pointwise(self.geometry.output),
            large: self.in_channels,
            small: self.out_channels,
            groups: 1,
            transposed: false,
        };
        Effort::Kernels(depthwise, Some(pointwise))
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Transposed(MirroredWindow {
            channels: self.in_channels,
            geometry: self.geometry,
            groups: 1,
            bias: self.bias,
        })
    }

    fn example(&self) -> Example {
        Example::Convolution(self.geometry)
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some("first each channel with its own kernel, then a 1×1 convolution mixes them".into())
    }
}
