//! What a layer costs: parameters, multiply-accumulates, memory.
//!
//! Counts are PyTorch's ([`super::layers::count`]): bias additions, activations and pooling are no
//! multiply-accumulates. Sums saturate, never overflow.

#![deny(clippy::wildcard_enum_match_arm)]

use super::op::Op;
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
            parameters: op.count().parameters(input),
            macs: op.count().macs(input),
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
