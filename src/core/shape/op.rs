//! Layers with every default filled in and every size known: what shape inference hands to `nn`.
//!
//! Spatial sizes are always three axes (depth, height, width); a signal or an image has 1 in front.
//! So one kernel serves all ranks, and nothing after this module decides what is legal.

use crate::project::layer::Activation;
use crate::project::size::Shape;
use crate::project::{Place, Stack};

/// A window that slides over three axes. All products of these sizes were checked not to overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Sizes the window slides over.
    pub input: [usize; 3],
    /// Positions of the window.
    pub output: [usize; 3],
    /// The window's size.
    pub kernel: [usize; 3],
    /// Step between positions.
    pub stride: [usize; 3],
    /// Distance between the window's positions.
    pub dilation: [usize; 3],
    /// Zeros before the first position of each axis (those after the last follow from the other sizes).
    pub pad: [usize; 3],
}

impl Geometry {
    /// A window of one position on one position, as a dense layer has.
    pub const ONE_CELL: Geometry = Geometry {
        input: [1; 3],
        output: [1; 3],
        kernel: [1; 3],
        stride: [1; 3],
        dilation: [1; 3],
        pad: [0; 3],
    };

    /// A window of one position at each of these positions.
    pub fn pointwise(cells: [usize; 3]) -> Geometry {
        Geometry {
            input: cells,
            output: cells,
            ..Geometry::ONE_CELL
        }
    }

    /// Positions that the window spans along an axis.
    pub fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    /// The input's sizes with the zeros around it that some position reads.
    pub fn padded(&self) -> [usize; 3] {
        [0, 1, 2].map(|axis| {
            let read = (self.output[axis] - 1) * self.stride[axis] + self.reach(axis);
            read.max(self.pad[axis] + self.input[axis])
        })
    }
}

/// A resolved layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Weight `[out_channels, in_channels/groups, kernel…]`, as in PyTorch.
    Conv {
        /// Channels in.
        in_channels: usize,
        /// Channels out.
        out_channels: usize,
        /// Groups of channels that don't see each other (depthwise: in_channels).
        groups: usize,
        /// Whether there is a bias.
        bias: bool,
        /// The window over this layer's input.
        geometry: Geometry,
    },
    /// Weight `[in_channels, out_channels/groups, kernel…]`, as in PyTorch.
    ConvTranspose {
        /// Channels in.
        in_channels: usize,
        /// Channels out.
        out_channels: usize,
        /// Groups.
        groups: usize,
        /// Whether there is a bias.
        bias: bool,
        /// The convolution this is the transpose of: its `input` is this layer's output, its
        /// `output` this layer's input.
        geometry: Geometry,
    },
    /// Depthwise convolution without bias, then 1×1.
    SeparableConv {
        /// Channels in.
        in_channels: usize,
        /// Channels out.
        out_channels: usize,
        /// Whether the pointwise part has a bias.
        bias: bool,
        /// The depthwise window.
        geometry: Geometry,
    },
    /// Maximum of each window, with its index kept in `slot`.
    MaxPool {
        /// The window.
        geometry: Geometry,
        /// Where the network keeps the indices for an unpool.
        slot: usize,
    },
    /// Mean of each window; zeros of numeric padding count, those of `same` don't.
    AvgPool {
        /// The window.
        geometry: Geometry,
        /// Whether the divisor is the size of the window (true) or the number of positions inside the input.
        count_padding: bool,
    },
    /// Puts values back where the max pooling of `slot` took them from.
    Unpool {
        /// The paired pooling's window: its `input` is this layer's output.
        geometry: Geometry,
        /// Where the paired pooling keeps its indices.
        slot: usize,
    },
    /// Repeats or interpolates.
    Upsample {
        /// Sizes in.
        input: [usize; 3],
        /// Factor by axis.
        factor: [usize; 3],
        /// Linear interpolation, align_corners = false.
        bilinear: bool,
    },
    /// Mean over space.
    GlobalAvgPool,
    /// Maximum over space; the first of equal values gets the gradient.
    GlobalMaxPool,
    /// Mean over ⌊i·in/out⌋ .. ⌈(i+1)·in/out⌉.
    AdaptiveAvgPool {
        /// Sizes in.
        input: [usize; 3],
        /// Sizes out.
        output: [usize; 3],
    },
    /// To a vector in C, H, W order.
    Flatten,
    /// From a vector (or tensor) in C, H, W order.
    Reshape,
    /// Weight `[out_features, in_features]`.
    Dense {
        /// Features in.
        in_features: usize,
        /// Features out.
        out_features: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// Per channel over batch and space; eps 1e-5, momentum 0.1 as in PyTorch.
    BatchNorm {
        /// Channels.
        channels: usize,
    },
    /// Per image and group of channels; eps 1e-5.
    GroupNorm {
        /// Channels.
        channels: usize,
        /// Groups.
        groups: usize,
    },
    /// Per image over all values, with a weight and a bias for each; eps 1e-5.
    LayerNorm,
    /// Zeroes values while training and scales the rest by 1/(1 − p).
    Dropout {
        /// Probability of a zero.
        p: f32,
        /// Whole channels instead of values.
        channels: bool,
    },
    /// Elementwise.
    Activation(Activation),
    /// Elementwise, with learned slopes below zero that start at 0.25.
    PRelu {
        /// As many slopes; `None` for one.
        channels: Option<usize>,
    },
    /// Over channels.
    Softmax,
    /// Adds Gaussian noise while training.
    Noise {
        /// Standard deviation.
        std: f32,
    },
    /// Zeros around.
    Pad {
        /// Before each axis.
        before: [usize; 3],
        /// After each axis.
        after: [usize; 3],
    },
    /// Cuts from the sides.
    Crop {
        /// Before each axis.
        before: [usize; 3],
        /// After each axis.
        after: [usize; 3],
    },
    /// Nothing.
    Identity,
}

impl Op {
    /// The window that slides over the layer's input, of a layer that has one.
    pub fn slides(&self) -> Option<&Geometry> {
        match self {
            Op::Conv { geometry, .. }
            | Op::SeparableConv { geometry, .. }
            | Op::MaxPool { geometry, .. }
            | Op::AvgPool { geometry, .. } => Some(geometry),
            Op::ConvTranspose { .. }
            | Op::Unpool { .. }
            | Op::Upsample { .. }
            | Op::GlobalAvgPool
            | Op::GlobalMaxPool
            | Op::AdaptiveAvgPool { .. }
            | Op::Flatten
            | Op::Reshape
            | Op::Dense { .. }
            | Op::BatchNorm { .. }
            | Op::GroupNorm { .. }
            | Op::LayerNorm
            | Op::Dropout { .. }
            | Op::Activation(_)
            | Op::PRelu { .. }
            | Op::Softmax
            | Op::Noise { .. }
            | Op::Pad { .. }
            | Op::Crop { .. }
            | Op::Identity => None,
        }
    }
}

/// A node with shapes: a resolved layer, or a block of resolved branches.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all nodes are layers; a box each would only cost"
)]
pub enum Planned {
    /// A layer.
    Layer(PlannedLayer),
    /// Branches on one input, summed.
    Add {
        /// The block's place in the project.
        place: Place,
        /// The branches; an empty one is the identity.
        branches: Vec<Vec<Planned>>,
    },
    /// Branches on one input, joined along channels.
    Concat {
        /// The block's place in the project.
        place: Place,
        /// The branches; an empty one is the identity.
        branches: Vec<Vec<Planned>>,
    },
    /// The repeated layers, unrolled: one entry a pass, each with its own parameters.
    Repeat {
        /// The block's place in the project.
        place: Place,
        /// The passes in order.
        passes: Vec<Vec<Planned>>,
    },
}

/// A resolved layer with its shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedLayer {
    /// Its place in the project (the same for every pass of a repeat).
    pub place: Place,
    /// PyTorch-style key of its parameters without the last part: `encoder.0`, or `encoder.3.1.0`
    /// inside a block (branch or pass, then index).
    pub key: String,
    /// What it does.
    pub op: Op,
    /// Shape in.
    pub input: Shape,
    /// Shape out.
    pub output: Shape,
}

/// A network of which every layer is legal.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The input's shape.
    pub input: Shape,
    /// The code's shape: what decoder and head start from.
    pub code: Shape,
    /// The stacks, in the order of [`Stack::ALL`]. `None` for a stack with an error in it.
    pub stacks: [Option<Vec<Planned>>; 3],
    /// How many index slots max pooling and unpooling share.
    pub slots: usize,
}

impl Plan {
    /// The layers of one stack, unless it has an error.
    pub fn stack(&self, stack: Stack) -> Option<&[Planned]> {
        self.stacks[stack as usize].as_deref()
    }
}
