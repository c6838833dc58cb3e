//! What the passes of layers cost that no convolution kernel computes: one table.
//!
//! The unit is the time in which a simple layer moves a number to or from the processor's caches
//! ([`Speeds::bandwidth`]). Where more is computed than moved, that is what a pass takes; otherwise it takes as long
//! as its numbers need to and from memory. Measured on two cores with AVX-512 and 32×64×64 numbers an image; the test
//! `time::passes_by_kind` prints the same for any machine. Whoever makes one of these layers faster measures it again
//! and changes its line.
//!
//! [`Speeds::bandwidth`]: super::time::Speeds::bandwidth

use strata_core::project::layer::Activation;
use strata_core::shape::op::Op;

/// Numbers that could be moved in the time of a pass, for each number of the larger of input and output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PassCost {
    pub forward: f64,
    /// To the input and to the layer's own weights.
    pub backward: f64,
}

const fn cost(forward: f64, backward: f64) -> PassCost {
    PassCost { forward, backward }
}

/// A number read and one written; then the gradient, input or output, and what is written.
pub(crate) const MOVED: PassCost = cost(2.0, 3.0);

/// What an operator's passes cost. Convolutions of any kind and dense layers have their own kernels.
pub(crate) fn of(op: &Op) -> PassCost {
    match op {
        Op::Activation(activation) => of_activation(*activation),
        Op::PRelu { .. } => cost(3.0, 8.0),
        Op::Softmax => cost(24.0, 12.0),
        Op::BatchNorm { .. } => cost(6.0, 9.0),
        Op::GroupNorm { .. } => cost(5.0, 7.0),
        // Every value's weight has its own gradient.
        Op::LayerNorm => cost(5.5, 12.0),
        // A factor for each channel of an image.
        Op::Dropout { channels: true, .. } => cost(3.0, 3.0),
        // A random word for each number.
        Op::Dropout { .. } => cost(20.0, 4.0),
        Op::Noise { .. } => cost(26.0, 1.0),
        Op::MaxPool { .. } | Op::GlobalMaxPool => cost(4.0, 3.0),
        Op::Unpool { .. }
        | Op::AvgPool { .. }
        | Op::GlobalAvgPool
        | Op::AdaptiveAvgPool { .. }
        | Op::Upsample { .. }
        | Op::Pad { .. }
        | Op::Crop { .. } => cost(3.0, 3.0),
        Op::Flatten | Op::Reshape => cost(4.0, 4.0),
        Op::Conv { .. }
        | Op::ConvTranspose { .. }
        | Op::SeparableConv { .. }
        | Op::Dense { .. }
        | Op::Identity => MOVED,
    }
}

fn of_activation(activation: Activation) -> PassCost {
    match activation {
        Activation::Relu
        | Activation::Relu6
        | Activation::LeakyRelu(_)
        | Activation::HardSwish
        | Activation::Step => cost(2.5, 4.5),
        Activation::Elu(_) => cost(6.0, 7.0),
        Activation::Gelu => cost(12.0, 13.0),
        Activation::Silu => cost(9.0, 12.0),
        Activation::Sigmoid | Activation::Tanh => cost(12.0, 4.0),
    }
}
