//! The short probes that a machine is measured with: each kind of kernel at few and many channels, on few and many
//! positions, each kind of pass, each loss and optimizer. A probe is one layer; it takes a few milliseconds at most.

use strata_core::project::layer::Activation;
use strata_core::shape::op::Op;

/// A layer with its input and a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The layer's text.
    pub layer: &'static str,
    /// Its input.
    pub input: &'static str,
    /// Images.
    pub batch: usize,
}

const fn probe(layer: &'static str, input: &'static str, batch: usize) -> Probe {
    Probe {
        layer,
        input,
        batch,
    }
}

/// Layers with a kernel.
pub const KERNELS: &[Probe] = &[
    // Windows that are computed directly.
    probe("conv 16 k3 p1", "3x32x32", 8),
    probe("conv 64 k5 s2 p2", "3x64x64", 4),
    probe("conv 3 k3 p1", "32x32x32", 8),
    probe("conv 16 k3 p1", "16x32x32", 8),
    probe("conv 16 k5 p2", "16x32x32", 4),
    probe("conv 50 k5", "20x12x12", 8),
    probe("conv 64 k3 s2 p1", "32x32x32", 8),
    probe("conv 32 k3 p4 d4", "32x32x32", 4),
    probe("conv 8 k3 p1", "32x32x32", 16),
    probe("conv 16 k3 s2 p1", "3x64x64", 16),
    probe("conv 16 k9 s2 p4", "1x4000", 8),
    probe("conv 32 k9 s2 p4", "16x1000", 8),
    probe("conv 32 k15 s4 p7", "16x4000", 16),
    probe("convt 32 k4 s2 p1", "32x16x16", 8),
    probe("convt 3 k4 s2 p1", "16x32x32", 16),
    probe("convt 3 k8 s8", "96x4x4", 16),
    // Computed at points.
    probe("conv 32 k3 p1", "32x32x32", 8),
    probe("conv 64 k3 p1", "64x16x16", 8),
    probe("conv 256 k3 p1", "256x4x4", 16),
    // The same of blocks, but for the gradient of the image.
    probe("conv 64 k11 s4 p5", "3x112x112", 2),
    // A position at a time: what is moved counts, so that a layer holds more than a core's own cache.
    probe("conv 3 k1", "16x64x64", 16),
    probe("conv 64 k1", "16x32x32", 32),
    probe("conv 64 k1", "64x16x16", 64),
    probe("conv 256 k1", "256x8x8", 16),
    // A channel at a time, as large.
    probe("dwconv k3 p1", "64x32x32", 32),
    probe("dwconv k3 s2 p1", "64x32x32", 32),
    probe("dwconv k5 p2", "32x32x32", 32),
    // Vectors.
    probe("dense 10", "256", 64),
    probe("dense 128", "784", 128),
    probe("dense 512", "512", 1),
    probe("dense 1024", "2048", 1),
    probe("dense 512", "512", 16),
    probe("dense 512", "512", 128),
    probe("dense 256", "1024", 32),
];

/// Layers whose weight is laid out before their kernel runs, with a smaller batch besides the probe's: what does not
/// grow with the batch is that.
pub const LAID: &[(Probe, usize)] = &[
    (probe("conv 64 k5 s2 p2", "64x16x16", 16), 2),
    (probe("conv 128 k3 p1", "128x8x8", 16), 2),
];

/// The input of the passes without a kernel, and how many: 4 MB, as large as those of a network, which no core's own cache
/// holds.
pub const PASS_INPUT: (&str, usize) = ("32x32x32", 32);

/// Layers without a kernel. Of poolings first a window of 2×2, then a larger one.
pub const PASSES: &[&str] = &[
    "relu",
    "leakyrelu 0.1",
    "hardswish",
    "elu",
    "gelu",
    "silu",
    "sigmoid",
    "tanh",
    "prelu",
    "softmax",
    "bn",
    "groupnorm 8",
    "layernorm",
    "dropout 0.3",
    "dropout-channels 0.3",
    "noise 0.1",
    "maxpool 2",
    "maxpool 3 s1 p1",
    "avgpool 2",
    "avgpool 3 s1 p1",
    "gap",
    "gmp",
    "upsample 2",
    "pad 1",
    "flatten",
];

/// Passes that take equally long for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PassKind {
    Relu,
    Slopes,
    HardSwish,
    Elu,
    Gelu,
    Silu,
    Sigmoid,
    Tanh,
    PRelu,
    Softmax,
    BatchNorm,
    GroupNorm,
    LayerNorm,
    Dropout,
    ChannelDropout,
    Noise,
    MaxPool,
    AvgPool,
    Mean,
    Maximum,
    Enlarges,
    Margins,
    Reorders,
}

/// The kind of an operator's passes; `None` where a kernel computes it, or nothing does.
pub(super) fn pass_kind(op: &Op) -> Option<PassKind> {
    Some(match op {
        Op::Activation(activation) => match activation {
            Activation::Relu | Activation::Step => PassKind::Relu,
            Activation::Relu6 | Activation::LeakyRelu(_) => PassKind::Slopes,
            Activation::HardSwish => PassKind::HardSwish,
            Activation::Elu(_) => PassKind::Elu,
            Activation::Gelu => PassKind::Gelu,
            Activation::Silu => PassKind::Silu,
            Activation::Sigmoid => PassKind::Sigmoid,
            Activation::Tanh => PassKind::Tanh,
        },
        Op::PRelu { .. } => PassKind::PRelu,
        Op::Softmax => PassKind::Softmax,
        Op::BatchNorm { .. } => PassKind::BatchNorm,
        Op::GroupNorm { .. } => PassKind::GroupNorm,
        Op::LayerNorm => PassKind::LayerNorm,
        Op::Dropout { channels: true, .. } => PassKind::ChannelDropout,
        Op::Dropout { .. } => PassKind::Dropout,
        Op::Noise { .. } => PassKind::Noise,
        Op::MaxPool { .. } => PassKind::MaxPool,
        Op::AvgPool { .. } => PassKind::AvgPool,
        Op::GlobalAvgPool | Op::AdaptiveAvgPool { .. } => PassKind::Mean,
        Op::GlobalMaxPool => PassKind::Maximum,
        Op::Upsample { .. } | Op::Unpool { .. } => PassKind::Enlarges,
        Op::Pad { .. } | Op::Crop { .. } => PassKind::Margins,
        Op::Flatten | Op::Reshape => PassKind::Reorders,
        Op::Conv { .. }
        | Op::ConvTranspose { .. }
        | Op::SeparableConv { .. }
        | Op::Dense { .. }
        | Op::Identity => return None,
    })
}
