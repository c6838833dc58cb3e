//! The registry: one line a layer. The grammar that all of them read with is in [`super::text`].

use super::text::{self, LayerWord};
use super::{
    activation, adaptive_pool, avg_pool, batch_norm, conv, conv_transpose, crop, dense, dropout,
    flatten, global_pool, group_norm, identity, layer_norm, max_pool, noise, pad, prelu, reshape,
    separable, softmax, unpool, upsample,
};
use crate::project::layer::Layer;
use crate::project::layer_text::LayerTextError;
use std::str::FromStr;

/// Every layer, in palette order.
pub const WORDS: &[LayerWord] = &[
    conv::CONV,
    conv_transpose::WORD,
    conv::DWCONV,
    separable::WORD,
    max_pool::WORD,
    avg_pool::WORD,
    unpool::WORD,
    upsample::WORD,
    global_pool::GAP,
    global_pool::GMP,
    adaptive_pool::WORD,
    flatten::WORD,
    reshape::WORD,
    dense::WORD,
    batch_norm::WORD,
    group_norm::WORD,
    layer_norm::WORD,
    dropout::VALUES,
    dropout::CHANNELS,
    activation::RELU,
    activation::RELU6,
    activation::LEAKY_RELU,
    prelu::WORD,
    activation::ELU,
    activation::GELU,
    activation::SILU,
    activation::SIGMOID,
    activation::TANH,
    activation::HARD_SWISH,
    softmax::WORD,
    activation::STEP,
    noise::WORD,
    pad::WORD,
    crop::WORD,
    identity::WORD,
];

impl FromStr for Layer {
    type Err = LayerTextError;

    fn from_str(layer: &str) -> Result<Layer, LayerTextError> {
        text::read(layer, WORDS)
    }
}
