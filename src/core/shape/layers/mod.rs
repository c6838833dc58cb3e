//! The layers, one file each: word, text, rule, parameters, formula, example and mirror of a kind. How a layer
//! computes is in `nn::layers`.
//!
//! A new layer is a file here and one there, a variant of [`Kind`] and of [`Op`], its line in [`WORDS`] and its
//! arms below. Nothing else decides about kinds one by one where the terms of [`facts`] will do, and no match
//! about layers has an arm for all others: what is forgotten does not compile.

#![deny(clippy::wildcard_enum_match_arm)]

mod activation;
mod adaptive_pool;
mod avg_pool;
mod batch_norm;
mod conv;
mod conv_transpose;
pub mod count;
mod crop;
mod dense;
mod dropout;
pub mod facts;
mod field_values;
pub mod fields;
mod flatten;
mod global_pool;
mod group_norm;
mod identity;
mod layer_norm;
mod max_pool;
mod missing;
mod noise;
mod pad;
mod prelu;
mod reshape;
mod separable;
mod softmax;
mod text;
mod unpool;
mod upsample;
mod words;

pub use activation::{ELU_ALPHA, LEAKY_SLOPE};
pub use batch_norm::NORM_EPS;
pub use facts::{Effort, Example, Linearity, Mirrored, Reads, Shaping};
pub use fields::{FieldForm, FieldKey, LayerField};
pub(crate) use missing::instead;
pub use prelu::PRELU_SLOPE;
pub use text::LayerWord;
pub use words::WORDS;

use super::error::ShapeError;
use super::op::Op;
use super::rules::{Context, Resolved};
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use count::Count;
use std::fmt;

/// A layer as written.
pub trait WrittenLayer<'a> {
    /// What it is coloured by.
    fn family(&self) -> Family;

    /// Writes the text that [`LayerWord`] reads.
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// What is wrong with it on any input.
    fn check(&self) -> Result<(), ShapeError>;

    /// What it does to the shape.
    fn shaping(&self) -> Shaping<'a>;

    /// What it is in a chain of layers with weights.
    fn linearity(&self) -> Linearity;

    /// The operator and the output's shape on this input, or why there is none.
    fn resolve(&self, input: &Shape, context: &Context<'_>) -> Result<Resolved, ShapeError>;
}

/// A layer with every default filled in and every size known.
pub trait ResolvedLayer {
    /// Which positions an output reads.
    fn reads(&self) -> Reads;

    /// What it learns, and what that is multiplied with.
    fn count(&self) -> Count;

    /// What its computation costs.
    fn effort(&self, input: &Shape, output: &Shape) -> Effort;

    /// What it becomes in a mirrored decoder.
    fn mirrored(&self) -> Mirrored;

    /// How it is shown on a small grid.
    fn example(&self) -> Example;

    /// Whether its numbers make it pass on what it gets, in training too: `dropout 0`, `crop 0`.
    fn changes_nothing(&self) -> bool {
        self.reads().is_own_value()
    }

    /// What it does to its values, in words or as a formula, where its size says nothing about that.
    fn computed(&self, input: &Shape) -> Option<String>;

    /// How the output's shape follows, where [`Reads`] doesn't say: what it gives, and what is written between
    /// equals signs.
    fn output_formula(
        &self,
        _input: &Shape,
        _output: &Shape,
    ) -> Option<(&'static str, Vec<String>)> {
        None
    }
}

/// Positions of three axes.
fn volume(sizes: [usize; 3]) -> u64 {
    sizes
        .iter()
        .fold(1u64, |product, &size| product.saturating_mul(size as u64))
}

/// The layer of a rule that leaves the shape as it is.
fn kept(op: Op, input: &Shape) -> Result<Resolved, ShapeError> {
    Ok(Resolved {
        op,
        output: input.clone(),
    })
}

impl Kind {
    /// Asks the layer's file.
    pub(crate) fn ask<'a, R>(&'a self, question: impl FnOnce(&dyn WrittenLayer<'a>) -> R) -> R {
        match self {
            Kind::Conv {
                out_channels,
                window,
                groups,
                bias,
            } => question(&conv::Conv {
                out_channels: *out_channels,
                window,
                groups: *groups,
                bias: *bias,
            }),
            Kind::ConvTranspose {
                out_channels,
                window,
                groups,
                bias,
            } => question(&conv_transpose::ConvTranspose {
                out_channels: *out_channels,
                window,
                groups: *groups,
                bias: *bias,
            }),
            Kind::DepthwiseConv {
                window,
                multiplier,
                bias,
            } => question(&conv::DepthwiseConv {
                window,
                multiplier: *multiplier,
                bias: *bias,
            }),
            Kind::SeparableConv {
                out_channels,
                window,
                bias,
            } => question(&separable::Separable {
                out_channels: *out_channels,
                window,
                bias: *bias,
            }),
            Kind::MaxPool { window } => question(&max_pool::MaxPool { window }),
            Kind::AvgPool { window } => question(&avg_pool::AvgPool { window }),
            Kind::Unpool => question(&unpool::Unpool),
            Kind::Upsample { factor, bilinear } => question(&upsample::Upsample {
                factor,
                bilinear: *bilinear,
            }),
            Kind::GlobalAvgPool => question(&global_pool::GlobalAvgPool),
            Kind::GlobalMaxPool => question(&global_pool::GlobalMaxPool),
            Kind::AdaptiveAvgPool { output } => {
                question(&adaptive_pool::AdaptiveAvgPool { output })
            }
            Kind::Flatten => question(&flatten::Flatten),
            Kind::Reshape { shape } => question(&reshape::Reshape { shape }),
            Kind::Dense { out_features, bias } => question(&dense::Dense {
                out_features: *out_features,
                bias: *bias,
            }),
            Kind::BatchNorm => question(&batch_norm::BatchNorm),
            Kind::GroupNorm { groups } => question(&group_norm::GroupNorm { groups: *groups }),
            Kind::LayerNorm => question(&layer_norm::LayerNorm),
            Kind::Dropout { p } => question(&dropout::Dropout {
                p: *p,
                channels: false,
            }),
            Kind::DropoutChannels { p } => question(&dropout::Dropout {
                p: *p,
                channels: true,
            }),
            Kind::Activation(function) => question(&activation::Elementwise(*function)),
            Kind::PRelu { by_channel } => question(&prelu::PRelu {
                by_channel: *by_channel,
            }),
            Kind::Softmax => question(&softmax::Softmax),
            Kind::Noise { std } => question(&noise::Noise { std: *std }),
            Kind::Pad { margins } => question(&pad::Pad { margins }),
            Kind::Crop { margins } => question(&crop::Crop { margins }),
            Kind::Identity => question(&identity::Identity),
        }
    }

    /// The family this kind belongs to.
    pub fn family(&self) -> Family {
        self.ask(|layer| layer.family())
    }

    /// Whether it changes neither shape nor position, only values, by a function: `relu` and its kin, softmax.
    pub fn is_activation(&self) -> bool {
        self.family() == Family::Activation
    }

    /// Whether it is a function of each value: an activation but softmax, which compares values.
    pub fn is_function(&self) -> bool {
        self.is_activation() && *self != Kind::Softmax
    }

    /// Whether all that comes out came in, perhaps elsewhere.
    pub fn passes_values(&self) -> bool {
        self.family() == Family::Shape && !matches!(self.shaping(), Shaping::Grows(_))
    }

    /// What it does to the shape.
    pub fn shaping(&self) -> Shaping<'_> {
        self.ask(|layer| layer.shaping())
    }

    /// What it is in a chain of layers with weights.
    pub fn linearity(&self) -> Linearity {
        self.ask(|layer| layer.linearity())
    }
}

// Written piece by piece, without strings in between: inference writes the text of every layer.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ask(|layer| layer.write(f))
    }
}

impl Op {
    /// Asks the layer's file.
    pub fn ask<R>(&self, question: impl FnOnce(&dyn ResolvedLayer) -> R) -> R {
        match *self {
            Op::Conv {
                in_channels,
                out_channels,
                groups,
                bias,
                geometry,
            } => question(&conv::ConvOp {
                in_channels,
                out_channels,
                groups,
                bias,
                geometry,
            }),
            Op::ConvTranspose {
                in_channels,
                out_channels,
                groups,
                bias,
                geometry,
            } => question(&conv_transpose::ConvTransposeOp {
                in_channels,
                out_channels,
                groups,
                bias,
                geometry,
            }),
            Op::SeparableConv {
                in_channels,
                out_channels,
                bias,
                geometry,
            } => question(&separable::SeparableOp {
                in_channels,
                out_channels,
                bias,
                geometry,
            }),
            Op::MaxPool { geometry, .. } => question(&max_pool::MaxPoolOp { geometry }),
            Op::AvgPool {
                geometry,
                count_padding,
            } => question(&avg_pool::AvgPoolOp {
                geometry,
                count_padding,
            }),
            Op::Unpool { geometry, .. } => question(&unpool::UnpoolOp { geometry }),
            Op::Upsample {
                input,
                factor,
                bilinear,
            } => question(&upsample::UpsampleOp {
                input,
                factor,
                bilinear,
            }),
            Op::GlobalAvgPool => question(&global_pool::GlobalAvgPool),
            Op::GlobalMaxPool => question(&global_pool::GlobalMaxPool),
            Op::AdaptiveAvgPool { input, output } => {
                question(&adaptive_pool::AdaptiveAvgPoolOp { input, output })
            }
            Op::Flatten => question(&flatten::Flatten),
            Op::Reshape => question(&reshape::ReshapeOp),
            Op::Dense {
                in_features,
                out_features,
                bias,
            } => question(&dense::DenseOp {
                in_features,
                out_features,
                bias,
            }),
            Op::BatchNorm { channels } => question(&batch_norm::BatchNormOp { channels }),
            Op::GroupNorm { channels, groups } => {
                question(&group_norm::GroupNormOp { channels, groups })
            }
            Op::LayerNorm => question(&layer_norm::LayerNorm),
            Op::Dropout { p, channels } => question(&dropout::Dropout { p, channels }),
            Op::Activation(function) => question(&activation::Elementwise(function)),
            Op::PRelu { channels } => question(&prelu::PReluOp { channels }),
            Op::Softmax => question(&softmax::Softmax),
            Op::Noise { std } => question(&noise::Noise { std }),
            Op::Pad { before, after } => question(&pad::PadOp { before, after }),
            Op::Crop { before, after } => question(&crop::CropOp { before, after }),
            Op::Identity => question(&identity::Identity),
        }
    }

    /// Which positions an output reads.
    pub fn reads(&self) -> Reads {
        self.ask(|layer| layer.reads())
    }

    /// What it learns, and what that is multiplied with.
    pub fn count(&self) -> Count {
        self.ask(|layer| layer.count())
    }

    /// What its computation costs.
    pub fn effort(&self, input: &Shape, output: &Shape) -> Effort {
        self.ask(|layer| layer.effort(input, output))
    }

    /// What it becomes in a mirrored decoder.
    pub fn mirrored(&self) -> Mirrored {
        self.ask(|layer| layer.mirrored())
    }

    /// How it is shown on a small grid.
    pub fn example(&self) -> Example {
        self.ask(|layer| layer.example())
    }
}
