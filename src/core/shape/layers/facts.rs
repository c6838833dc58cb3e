//! What a layer's description says in terms that are common to all layers. Whoever asks about layers reads these:
//! a new layer needs no line there unless it does something that no layer did before.

use crate::project::layer::{Activation, Window};
use crate::project::size::{Axes, Margins, Shape};
use crate::shape::op::Geometry;

/// What a layer as written does to a shape.
#[derive(Clone, Copy, Debug)]
pub enum Shaping<'a> {
    /// The shape stays.
    Keeps,
    /// A window slides over the input.
    Slides {
        /// The channels that come out.
        channels: Channels,
        /// The window as written.
        window: &'a Window,
        /// What becomes of the values in the window.
        by: Slider,
    },
    /// Every value is spread through a window.
    Spreads {
        /// The channels that come out.
        channels: u32,
        /// The window as written.
        window: &'a Window,
    },
    /// The size before the paired pooling.
    Unpools,
    /// Sizes times a factor.
    Scales(&'a Axes),
    /// The sizes as written.
    AdaptsTo(&'a Axes),
    /// Positions are added.
    Grows(&'a Margins),
    /// Positions are cut away.
    Shrinks(&'a Margins),
    /// A vector of one value a channel.
    Pools,
    /// A vector of all values.
    Flattens,
    /// A vector of so many features from a vector.
    Features(u32),
    /// The shape as written.
    Reshapes(&'a Shape),
}

/// What becomes of the values in a window that slides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slider {
    /// They are multiplied by weights and summed.
    Convolution,
    /// The largest is kept, with its index.
    MaxPool,
    /// Their mean.
    AvgPool,
}

/// The channels that come out of a window.
#[derive(Clone, Copy, Debug)]
pub enum Channels {
    /// As many as go in.
    Kept,
    /// So many times as many.
    Times(u32),
    /// So many.
    Fixed(u32),
}

/// What a layer is in a chain of layers with weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linearity {
    /// Linear, with weights that mix its input.
    Weighted,
    /// Linear, without weights that matter between two others.
    Weightless,
    /// Not linear, or not known to be.
    Nonlinear,
}

/// Which positions of its input a position of a resolved layer's output reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reads {
    /// Only its own position.
    Own,
    /// Its own position, with a mean and variance of the whole image.
    OwnAndStatistics,
    /// Those under a window.
    Window(Geometry, Joins),
    /// Those whose window covers it; `geometry.input` is the output.
    Spread(Geometry),
    /// The one that the paired pooling took it from; `geometry.input` is the output.
    Unpooled(Geometry),
    /// The nearest ones of a smaller image.
    Enlarged {
        /// Factor by axis.
        factor: [usize; 3],
        /// Interpolates instead of repeating.
        bilinear: bool,
    },
    /// A window that is chosen by the sizes.
    Adaptive {
        /// Sizes in.
        input: [usize; 3],
        /// Sizes out.
        output: [usize; 3],
    },
    /// One that is so far before it, with zeros around.
    Padded {
        /// Zeros before.
        before: [usize; 3],
        /// Zeros after.
        after: [usize; 3],
    },
    /// One that is so far behind it.
    Cropped {
        /// Cells cut off before.
        before: [usize; 3],
        /// Cells cut off after.
        after: [usize; 3],
    },
    /// All of them.
    All,
}

impl Reads {
    /// Whether every output is the value at its own position and nothing else, because of the numbers: a window of 1,
    /// margins of 0, a factor of 1.
    pub(super) fn is_own_value(self) -> bool {
        match self {
            Reads::Window(geometry, Joins::Max | Joins::Mean { .. }) => {
                let Geometry {
                    input,
                    output,
                    kernel,
                    ..
                } = geometry;
                kernel == [1; 3] && input == output && geometry.pad == [0; 3]
            }
            Reads::Enlarged { factor, .. } => factor == [1; 3],
            Reads::Adaptive { input, output } => input == output,
            Reads::Padded { before, after } | Reads::Cropped { before, after } => {
                before == [0; 3] && after == [0; 3]
            }
            Reads::Own
            | Reads::OwnAndStatistics
            | Reads::Window(_, Joins::Sum)
            | Reads::Spread(_)
            | Reads::Unpooled(_)
            | Reads::All => false,
        }
    }
}

/// What becomes of what a window reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Joins {
    /// A weighted sum.
    Sum,
    /// The largest.
    Max,
    /// The mean.
    Mean {
        /// Whether zeros of the padding count.
        count_padding: bool,
    },
}

/// What a resolved layer's computation costs besides reading its input and writing its output once.
// Asked once a layer and matched at once: boxing the kernels would cost more than copying them.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effort {
    /// Nothing is written at all.
    Nothing,
    /// Values are copied into another order, unless both sides are vectors.
    Reorders,
    /// Every value on its own.
    Elementwise,
    /// Convolution kernels: one, or two in turn.
    Kernels(KernelSizes, Option<KernelSizes>),
    /// Windows are searched, by a table of their cells.
    Windows {
        /// The window.
        geometry: Geometry,
        /// Whether the index of each maximum is kept.
        keeps_indices: bool,
    },
    /// The largest of all positions, whose index is kept.
    GlobalMaximum,
    /// A sparse linear map over space with so many entries.
    Map {
        /// Pairs of an input and an output position.
        entries: u64,
    },
    /// Means over the batch, by channel, with running statistics.
    BatchStatistics {
        /// Channels.
        channels: usize,
    },
    /// Means over each image, number by number.
    ImageStatistics {
        /// Whether each value has its own weight instead of each channel.
        by_value: bool,
    },
    /// Random numbers are drawn.
    Draws {
        /// One for each channel instead of each value.
        by_channel: bool,
    },
}

/// The sizes of a convolution's kernel: "large" is the side that the window slides over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelSizes {
    /// The window.
    pub geometry: Geometry,
    /// Channels of the large side.
    pub large: usize,
    /// Channels of the small side.
    pub small: usize,
    /// Groups of channels.
    pub groups: usize,
    /// Whether the input is the small side.
    pub transposed: bool,
}

/// What a layer of the encoder becomes in a mirrored decoder.
#[derive(Clone, Debug, PartialEq)]
pub enum Mirrored {
    /// The layer leaves the shape as it is: this text follows the layer with weights that it followed, if any.
    Follows(Option<String>),
    /// A transposed convolution back to these channels and the geometry's input.
    Transposed(MirroredWindow),
    /// A convolution back from what a transposed one gave.
    Convolved(MirroredWindow),
    /// The paired pooling's indices, or resizing where they cannot be used.
    Unpooled,
    /// Resizing between the two shapes.
    Resized,
    /// One value a channel, spread over all positions.
    Spread,
    /// A reshape to the input's shape, or `flatten` to a vector.
    Reshaped,
    /// Fully connected, back to so many features.
    Dense {
        /// Features.
        features: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// `crop` of what `pad` added.
    Cropped {
        /// Before each axis.
        before: [usize; 3],
        /// After each axis.
        after: [usize; 3],
    },
    /// `pad` of what `crop` cut.
    Padded {
        /// Before each axis.
        before: [usize; 3],
        /// After each axis.
        after: [usize; 3],
    },
}

/// A convolution for [`Mirrored`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MirroredWindow {
    /// Output channels of the mirrored layer.
    pub channels: usize,
    /// The encoder layer's window.
    pub geometry: Geometry,
    /// Groups of channels.
    pub groups: usize,
    /// Whether there is a bias.
    pub bias: bool,
}

impl Mirrored {
    /// Whether activations and norms behind the layer are mirrored behind its mirror.
    pub fn has_weights(&self) -> bool {
        match self {
            Mirrored::Transposed(_) | Mirrored::Convolved(_) | Mirrored::Dense { .. } => true,
            Mirrored::Follows(_)
            | Mirrored::Unpooled
            | Mirrored::Resized
            | Mirrored::Spread
            | Mirrored::Reshaped
            | Mirrored::Cropped { .. }
            | Mirrored::Padded { .. } => false,
        }
    }
}

/// How a layer is shown on a small grid.
#[derive(Clone, Debug, PartialEq)]
pub enum Example {
    /// A window with weights slides.
    Convolution(Geometry),
    /// A window with weights is spread.
    Transposed(Geometry),
    /// The largest of each window.
    MaxPool(Geometry),
    /// The mean of each window.
    AvgPool {
        /// The window.
        geometry: Geometry,
        /// Whether zeros of the padding count.
        count_padding: bool,
    },
    /// Values go back to where a pooling took them from.
    Unpool(Geometry),
    /// Values are repeated or interpolated.
    Upsample {
        /// Sizes in.
        input: [usize; 3],
        /// Factor by axis.
        factor: [usize; 3],
        /// Interpolates.
        bilinear: bool,
    },
    /// Zeros around.
    Pad {
        /// Before each axis.
        before: [usize; 3],
        /// After each axis.
        after: [usize; 3],
    },
    /// Sides cut off.
    Crop {
        /// Before each axis.
        before: [usize; 3],
        /// After each axis.
        after: [usize; 3],
    },
    /// Means over windows that the sizes choose.
    Adaptive {
        /// Sizes in.
        input: [usize; 3],
        /// Sizes out.
        output: [usize; 3],
    },
    /// The mean of all.
    GlobalMean,
    /// The largest of all.
    GlobalMax,
    /// Every output reads every input.
    Dense {
        /// Features in.
        inputs: usize,
        /// Features out.
        outputs: usize,
    },
    /// A function of each value.
    Elementwise {
        /// The layer's word.
        word: &'static str,
        /// The function.
        function: Activation,
    },
    /// Values that sum to one.
    Softmax,
    /// Values of mean 0 and variance 1.
    Normalised,
    /// Values that become 0 with this probability.
    Dropout {
        /// The probability.
        p: f32,
        /// Whole channels at once.
        channels: bool,
    },
    /// Normally distributed numbers of this standard deviation added.
    Noise(f32),
    /// A vector of an image.
    Flattened,
    /// An image of a vector.
    Reshaped,
    /// Nothing changes.
    Copied,
}
