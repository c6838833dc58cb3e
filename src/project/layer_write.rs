//! Writing a layer's text: every attribute that was given, in one fixed order. [`super::layer_text`] reads it
//! back to the same value; its tests hold both to that.

use super::layer::{Activation, Kind, Layer, Window};
use super::size::Axes;
use std::fmt;

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        match &self.name {
            Some(name) => write!(f, " @{name}"),
            None => Ok(()),
        }
    }
}

// Written piece by piece, without strings in between: inference writes the text of every layer.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Conv {
                out_channels,
                window,
                groups,
                bias,
            } => {
                write!(f, "conv {out_channels}")?;
                convolution_words(f, window, "g", *groups, *bias)
            }
            Kind::ConvTranspose {
                out_channels,
                window,
                groups,
                bias,
            } => {
                write!(f, "convt {out_channels}")?;
                convolution_words(f, window, "g", *groups, *bias)
            }
            Kind::DepthwiseConv {
                window,
                multiplier,
                bias,
            } => {
                f.write_str("dwconv")?;
                convolution_words(f, window, "m", *multiplier, *bias)
            }
            Kind::SeparableConv {
                out_channels,
                window,
                bias,
            } => {
                write!(f, "sepconv {out_channels}")?;
                convolution_words(f, window, "", None, *bias)
            }
            Kind::MaxPool { window } => pool_words(f, "maxpool", window),
            Kind::AvgPool { window } => pool_words(f, "avgpool", window),
            Kind::Upsample { factor, bilinear } => {
                write!(f, "upsample {factor}")?;
                f.write_str(if *bilinear { " bilinear" } else { "" })
            }
            Kind::Dense { out_features, bias } => {
                write!(f, "dense {out_features}")?;
                f.write_str(if *bias { "" } else { " nobias" })
            }
            Kind::Activation(activation) => activation_words(f, *activation),
            other => simple_text(f, other),
        }
    }
}

fn activation_words(f: &mut fmt::Formatter<'_>, activation: Activation) -> fmt::Result {
    f.write_str(activation.name())?;
    match activation {
        Activation::LeakyRelu(Some(value)) | Activation::Elu(Some(value)) => write!(f, " {value}"),
        _ => Ok(()),
    }
}

fn simple_text(f: &mut fmt::Formatter<'_>, kind: &Kind) -> fmt::Result {
    match kind {
        Kind::AdaptiveAvgPool { output } => write!(f, "adaptive-avgpool {output}"),
        Kind::Reshape { shape } => write!(f, "reshape {}", shape.to_file_text()),
        Kind::GroupNorm { groups } => write!(f, "groupnorm {groups}"),
        Kind::Dropout { p } => write!(f, "dropout {p}"),
        Kind::DropoutChannels { p } => write!(f, "dropout-channels {p}"),
        Kind::Noise { std } => write!(f, "noise {std}"),
        Kind::Pad { margins } => write!(f, "pad {margins}"),
        Kind::Crop { margins } => write!(f, "crop {margins}"),
        Kind::Unpool => f.write_str("unpool"),
        Kind::GlobalAvgPool => f.write_str("gap"),
        Kind::GlobalMaxPool => f.write_str("gmp"),
        Kind::Flatten => f.write_str("flatten"),
        Kind::BatchNorm => f.write_str("bn"),
        Kind::LayerNorm => f.write_str("layernorm"),
        Kind::Softmax => f.write_str("softmax"),
        _ => f.write_str("identity"),
    }
}

/// Everything after the channels of a convolution; `count` is its groups or multiplier.
fn convolution_words(
    f: &mut fmt::Formatter<'_>,
    window: &Window,
    letter: &str,
    count: Option<u32>,
    bias: bool,
) -> fmt::Result {
    axes_word(f, "k", &window.kernel_size)?;
    window_words(f, window)?;
    if let Some(count) = count {
        write!(f, " {letter}{count}")?;
    }
    f.write_str(if bias { "" } else { " nobias" })
}

fn pool_words(f: &mut fmt::Formatter<'_>, word: &str, window: &Window) -> fmt::Result {
    f.write_str(word)?;
    axes_word(f, "", &window.kernel_size)?;
    window_words(f, window)
}

/// What follows the kernel's size.
fn window_words(f: &mut fmt::Formatter<'_>, window: &Window) -> fmt::Result {
    axes_word(f, "s", &window.stride)?;
    if let Some(padding) = &window.padding {
        write!(f, " {padding}")?;
    }
    axes_word(f, "op", &window.output_padding)?;
    axes_word(f, "d", &window.dilation)
}

fn axes_word(f: &mut fmt::Formatter<'_>, letter: &str, axes: &Option<Axes>) -> fmt::Result {
    match axes {
        Some(axes) => write!(f, " {letter}{axes}"),
        None => Ok(()),
    }
}
