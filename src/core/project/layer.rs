//! One layer as a value: what it is and the attributes that were written, nothing more.
//!
//! Attributes that were left out stay `None`, so that writing a layer gives back the text it was
//! read from; [`crate::shape`] fills in the defaults (PyTorch's, with a kernel of 3).
//! What a kind is (its word and text, its rule, its parameters) is in [`crate::shape::layers`], one file a kind.

use super::size::{Axes, Margins, Padding, Shape};
use std::fmt;

/// A layer: its kind with attributes, and an optional name (`@stem`).
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// What the layer does.
    pub kind: Kind,
    /// The name after `@`, for `unpool` to refer to and for people.
    pub name: Option<String>,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        match &self.name {
            Some(name) => write!(f, " @{name}"),
            None => Ok(()),
        }
    }
}

/// A sliding window as written; shared by convolutions and pooling.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// `k`, Keras `kernel_size` or `pool_size`.
    pub kernel_size: Option<Axes>,
    /// `s`, Keras `strides`.
    pub stride: Option<Axes>,
    /// `p`, `same` or `valid`.
    pub padding: Option<Padding>,
    /// `op`, only of transposed convolutions.
    pub output_padding: Option<Axes>,
    /// `d`, Keras `dilation_rate`.
    pub dilation: Option<Axes>,
}

/// What a layer does.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `conv 32 k3`: convolution (Keras `Conv2D`, `filters`).
    Conv {
        /// Number of filters.
        out_channels: u32,
        /// The sliding window.
        window: Window,
        /// `g`: input and output channels are split into this many groups.
        groups: Option<u32>,
        /// False after `nobias`.
        bias: bool,
    },
    /// `convt 16 k4 s2 p1`: transposed convolution (Keras `Conv2DTranspose`).
    ConvTranspose {
        /// Number of filters.
        out_channels: u32,
        /// The sliding window.
        window: Window,
        /// `g`.
        groups: Option<u32>,
        /// False after `nobias`.
        bias: bool,
    },
    /// `dwconv k3 m2`: one filter (or `m`) for each channel (Keras `DepthwiseConv2D`).
    DepthwiseConv {
        /// The sliding window.
        window: Window,
        /// `m`: output channels for each input channel.
        multiplier: Option<u32>,
        /// False after `nobias`.
        bias: bool,
    },
    /// `sepconv 64 k3`: depthwise without bias, then 1×1 with bias (Keras `SeparableConv2D`).
    SeparableConv {
        /// Number of filters of the pointwise part.
        out_channels: u32,
        /// The sliding window of the depthwise part.
        window: Window,
        /// False after `nobias`.
        bias: bool,
    },
    /// `maxpool 2`; its indices can be undone by `unpool`.
    MaxPool {
        /// The sliding window; the stride is the kernel's size unless given.
        window: Window,
    },
    /// `avgpool 2`; zeros of the padding count, as in PyTorch.
    AvgPool {
        /// The sliding window; the stride is the kernel's size unless given.
        window: Window,
    },
    /// `unpool`: puts values back where the mirrored `maxpool` took them from.
    Unpool,
    /// `upsample 2`, `upsample 2 bilinear`.
    Upsample {
        /// Factor by axis.
        factor: Axes,
        /// Linear interpolation (align_corners = false) instead of nearest.
        bilinear: bool,
    },
    /// `gap`: mean over space, a vector of C.
    GlobalAvgPool,
    /// `gmp`: maximum over space, a vector of C.
    GlobalMaxPool,
    /// `adaptive-avgpool 7`: mean over windows chosen to give this size.
    AdaptiveAvgPool {
        /// The output size by axis.
        output: Axes,
    },
    /// `flatten`: a vector in C, H, W order.
    Flatten,
    /// `reshape 32x8x8`: the inverse.
    Reshape {
        /// The new shape, channels first.
        shape: Shape,
    },
    /// `dense 100`: fully connected (PyTorch `Linear`).
    Dense {
        /// Outputs (Keras `units`).
        out_features: u32,
        /// False after `nobias`.
        bias: bool,
    },
    /// `bn`: batch normalisation.
    BatchNorm,
    /// `groupnorm 8`.
    GroupNorm {
        /// Number of groups of channels.
        groups: u32,
    },
    /// `layernorm`, over all of one image's values.
    LayerNorm,
    /// `dropout 0.5`: zeroes single values while training.
    Dropout {
        /// Probability of a zero.
        p: f32,
    },
    /// `dropout-channels 0.2`: zeroes whole channels while training (PyTorch `Dropout2d`).
    DropoutChannels {
        /// Probability of a zero.
        p: f32,
    },
    /// `relu` and its kin.
    Activation(Activation),
    /// `prelu`, `prelu channels`.
    PRelu {
        /// A slope for each channel instead of one for all.
        by_channel: bool,
    },
    /// `softmax` over channels or features.
    Softmax,
    /// `noise 0.1`: Gaussian noise while training.
    Noise {
        /// Standard deviation.
        std: f32,
    },
    /// `pad 1`: zeros around.
    Pad {
        /// How many on each side.
        margins: Margins,
    },
    /// `crop 1`: cuts from the sides.
    Crop {
        /// How many on each side.
        margins: Margins,
    },
    /// `identity`: passes its input on.
    Identity,
}

/// An elementwise function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// max(0, x)
    Relu,
    /// min(max(0, x), 6)
    Relu6,
    /// x for x > 0, else slope·x; slope 0.01 unless given
    LeakyRelu(Option<f32>),
    /// x for x > 0, else α(eˣ − 1); α 1 unless given
    Elu(Option<f32>),
    /// x·Φ(x), exact (erf)
    Gelu,
    /// x·σ(x)
    Silu,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
    /// tanh x
    Tanh,
    /// x·relu6(x + 3)/6
    HardSwish,
    /// 1 for x > 0, else 0; has no gradient
    Step,
}

/// The family of a layer: what it is coloured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Convolutions.
    Convolution,
    /// Transposed convolutions, unpooling and upsampling.
    Upward,
    /// Pooling.
    Pooling,
    /// Fully connected.
    Dense,
    /// Elementwise functions and softmax.
    Activation,
    /// Batch, group and layer norm.
    Normalisation,
    /// Dropout and noise.
    Regularisation,
    /// Flatten, reshape, pad, crop, identity.
    Shape,
    /// Add, concat, repeat.
    Block,
}

/// The window of a [`Kind`], borrowed as the kind is.
macro_rules! window {
    ($kind:expr) => {
        match $kind {
            Kind::Conv { window, .. }
            | Kind::ConvTranspose { window, .. }
            | Kind::DepthwiseConv { window, .. }
            | Kind::SeparableConv { window, .. }
            | Kind::MaxPool { window }
            | Kind::AvgPool { window } => Some(window),
            Kind::Unpool
            | Kind::Upsample { .. }
            | Kind::GlobalAvgPool
            | Kind::GlobalMaxPool
            | Kind::AdaptiveAvgPool { .. }
            | Kind::Flatten
            | Kind::Reshape { .. }
            | Kind::Dense { .. }
            | Kind::BatchNorm
            | Kind::GroupNorm { .. }
            | Kind::LayerNorm
            | Kind::Dropout { .. }
            | Kind::DropoutChannels { .. }
            | Kind::Activation(_)
            | Kind::PRelu { .. }
            | Kind::Softmax
            | Kind::Noise { .. }
            | Kind::Pad { .. }
            | Kind::Crop { .. }
            | Kind::Identity => None,
        }
    };
}

impl Kind {
    /// The sliding window as written, of a kind that has one.
    pub fn window(&self) -> Option<&Window> {
        window!(self)
    }

    /// Whether there is a bias, to change, of a kind that can have one.
    pub fn bias_mut(&mut self) -> Option<&mut bool> {
        match self {
            Kind::Conv { bias, .. }
            | Kind::ConvTranspose { bias, .. }
            | Kind::DepthwiseConv { bias, .. }
            | Kind::SeparableConv { bias, .. }
            | Kind::Dense { bias, .. } => Some(bias),
            Kind::MaxPool { .. }
            | Kind::AvgPool { .. }
            | Kind::Unpool
            | Kind::Upsample { .. }
            | Kind::GlobalAvgPool
            | Kind::GlobalMaxPool
            | Kind::AdaptiveAvgPool { .. }
            | Kind::Flatten
            | Kind::Reshape { .. }
            | Kind::BatchNorm
            | Kind::GroupNorm { .. }
            | Kind::LayerNorm
            | Kind::Dropout { .. }
            | Kind::DropoutChannels { .. }
            | Kind::Activation(_)
            | Kind::PRelu { .. }
            | Kind::Softmax
            | Kind::Noise { .. }
            | Kind::Pad { .. }
            | Kind::Crop { .. }
            | Kind::Identity => None,
        }
    }

    /// How many channels or features come out, to change, of a kind that can choose.
    pub fn outputs_mut(&mut self) -> Option<&mut u32> {
        match self {
            Kind::Conv { out_channels, .. }
            | Kind::ConvTranspose { out_channels, .. }
            | Kind::SeparableConv { out_channels, .. } => Some(out_channels),
            Kind::Dense { out_features, .. } => Some(out_features),
            Kind::DepthwiseConv { .. }
            | Kind::MaxPool { .. }
            | Kind::AvgPool { .. }
            | Kind::Unpool
            | Kind::Upsample { .. }
            | Kind::GlobalAvgPool
            | Kind::GlobalMaxPool
            | Kind::AdaptiveAvgPool { .. }
            | Kind::Flatten
            | Kind::Reshape { .. }
            | Kind::BatchNorm
            | Kind::GroupNorm { .. }
            | Kind::LayerNorm
            | Kind::Dropout { .. }
            | Kind::DropoutChannels { .. }
            | Kind::Activation(_)
            | Kind::PRelu { .. }
            | Kind::Softmax
            | Kind::Noise { .. }
            | Kind::Pad { .. }
            | Kind::Crop { .. }
            | Kind::Identity => None,
        }
    }

    /// The sliding window, to change.
    pub fn window_mut(&mut self) -> Option<&mut Window> {
        window!(self)
    }
}
