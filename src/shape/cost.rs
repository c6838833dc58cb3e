//! What a layer costs: parameters, multiply-accumulates, memory.
//!
//! Counts are PyTorch's: a bias is a parameter, running statistics of batch norm are not, and bias
//! additions, activations and pooling are no multiply-accumulates. Sums saturate, never overflow.

use super::op::{Geometry, Op};
use crate::project::size::Shape;

/// Bytes of one number: everything is computed in single precision.
const FLOAT_BYTES: u64 = 4;

/// Costs that add up over layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Trained numbers.
    pub parameters: u64,
    /// Multiply-accumulates for one image, biases not counted (1 MAC = 2 FLOPs).
    pub macs: u64,
    /// Bytes of the outputs for one image.
    pub memory_bytes: u64,
}

impl Cost {
    /// The cost of one resolved layer.
    pub fn of(op: &Op, input: &Shape, output: &Shape) -> Cost {
        Cost {
            parameters: parameters(op, input),
            macs: macs(op),
            memory_bytes: memory_bytes(output),
        }
    }

    /// Both together.
    pub fn plus(self, other: Cost) -> Cost {
        Cost {
            parameters: self.parameters.saturating_add(other.parameters),
            macs: self.macs.saturating_add(other.macs),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
        }
    }

    /// What came on top of an earlier sum.
    pub(super) fn since(self, earlier: Cost) -> Cost {
        Cost {
            parameters: self.parameters.saturating_sub(earlier.parameters),
            macs: self.macs.saturating_sub(earlier.macs),
            memory_bytes: self.memory_bytes.saturating_sub(earlier.memory_bytes),
        }
    }
}

/// Bytes of one tensor.
pub(super) fn memory_bytes(shape: &Shape) -> u64 {
    shape.elements().saturating_mul(FLOAT_BYTES)
}

/// Trained numbers of one resolved layer.
pub fn parameters(op: &Op, input: &Shape) -> u64 {
    match op {
        Op::Conv {
            in_channels,
            out_channels,
            groups,
            bias,
            geometry,
        } => {
            let weight = product(&[*out_channels, in_channels / groups.max(&1)])
                .saturating_mul(taps(geometry));
            with_bias(weight, *bias, *out_channels)
        }
        Op::ConvTranspose {
            in_channels,
            out_channels,
            groups,
            bias,
            geometry,
        } => {
            let weight = product(&[*in_channels, out_channels / groups.max(&1)])
                .saturating_mul(taps(geometry));
            with_bias(weight, *bias, *out_channels)
        }
        Op::SeparableConv {
            in_channels,
            out_channels,
            bias,
            geometry,
        } => {
            let depthwise = (*in_channels as u64).saturating_mul(taps(geometry));
            with_bias(
                depthwise.saturating_add(product(&[*in_channels, *out_channels])),
                *bias,
                *out_channels,
            )
        }
        Op::Dense {
            in_features,
            out_features,
            bias,
        } => with_bias(
            product(&[*in_features, *out_features]),
            *bias,
            *out_features,
        ),
        Op::BatchNorm { channels } | Op::GroupNorm { channels, .. } => product(&[2, *channels]),
        Op::LayerNorm => input.elements().saturating_mul(2),
        _ => 0,
    }
}

/// Multiply-accumulates of one resolved layer for one image.
pub fn macs(op: &Op) -> u64 {
    match op {
        // The transposed convolution does its forward convolution's work in the other direction:
        // in both, `geometry.output` counts the windows.
        Op::Conv {
            in_channels,
            out_channels,
            groups,
            geometry,
            ..
        }
        | Op::ConvTranspose {
            in_channels,
            out_channels,
            groups,
            geometry,
            ..
        } => {
            let each = product(&[*in_channels, out_channels / groups.max(&1)])
                .saturating_mul(taps(geometry));
            each.saturating_mul(product(&geometry.output))
        }
        Op::SeparableConv {
            in_channels,
            out_channels,
            geometry,
            ..
        } => {
            let depthwise = (*in_channels as u64).saturating_mul(taps(geometry));
            let each = depthwise.saturating_add(product(&[*in_channels, *out_channels]));
            each.saturating_mul(product(&geometry.output))
        }
        Op::Dense {
            in_features,
            out_features,
            ..
        } => product(&[*in_features, *out_features]),
        _ => 0,
    }
}

fn with_bias(weight: u64, bias: bool, outputs: usize) -> u64 {
    weight.saturating_add(if bias { outputs as u64 } else { 0 })
}

fn taps(geometry: &Geometry) -> u64 {
    product(&geometry.kernel)
}

fn product(sizes: &[usize]) -> u64 {
    sizes
        .iter()
        .fold(1u64, |product, &size| product.saturating_mul(size as u64))
}
