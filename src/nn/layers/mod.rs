//! One file a layer: forward, backward, tests. All of them meet the trait [`Layer`].

mod activation;
mod batch_norm;
mod blocks;
mod conv;
mod dense;
mod dropout;
mod epilogue;
mod group_norm;
mod join;
mod layout_views;
mod max_pool;
mod prelu;
mod reshape;
mod separable;
mod softmax;
mod spatial;

pub(crate) use blocks::{Sequence, shaped};
pub(crate) use max_pool::PoolIndices;

use super::NnError;
use super::fusion_rules::Follower;
use super::network::{Builder, Context};
use super::ops::storage::Buffer;
use candle_core::Tensor;
use strata_core::project::size::Shape;
use strata_core::shape::op::{Geometry, Op, PlannedLayer};

pub(crate) type Result<T> = std::result::Result<T, NnError>;

/// A layer that computes. What `backward` needs of the latest `forward` the layer keeps itself; both
/// return tensors that the next call overwrites.
pub(crate) trait Layer: Send {
    /// The output for a batch.
    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor>;

    /// Writes the gradients of the parameters that are not frozen, and returns the gradient for the
    /// input when asked for.
    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>>;

    /// Indices of the layer's parameters in the network's list.
    fn parameters(&self) -> Vec<usize> {
        Vec::new()
    }

    /// The layer's output and the gradient for its input, where it writes them.
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        None
    }

    /// Takes over the work of the layer that follows, which [`crate::fusion_rules`] give to this one: see
    /// [`Layer::set_fused`].
    fn absorb(&mut self, _next: Follower<'_>) {}

    /// Also reads what the layer before it reads, which [`crate::fusion_rules`] say of this one.
    fn read_through(&mut self, _before: &PlannedLayer) {}

    /// Whether the next passes also do the work of all layers that were absorbed, whose output is then this
    /// layer's.
    fn set_fused(&mut self, _fused: bool) {}

    /// The sequences inside a block, with their nodes.
    fn sequences(&self) -> &[Sequence] {
        &[]
    }

    /// The same, to change.
    fn sequences_mut(&mut self) -> &mut [Sequence] {
        &mut []
    }
}

/// The layer for a resolved operator; its parameters are added to the network's list.
#[deny(clippy::wildcard_enum_match_arm)]
pub(crate) fn build(planned: &PlannedLayer, builder: &mut Builder<'_>) -> Result<Box<dyn Layer>> {
    let (input, output) = (&planned.input, &planned.output);
    Ok(match &planned.op {
        Op::Conv { .. } | Op::ConvTranspose { .. } => Box::new(conv::Conv::new(planned, builder)?),
        Op::SeparableConv { .. } => Box::new(separable::Separable::new(planned, builder)?),
        Op::MaxPool { geometry, slot } => {
            Box::new(max_pool::MaxPool::new(geometry, output, Some(*slot)))
        }
        Op::GlobalMaxPool => Box::new(max_pool::MaxPool::new(&whole_window(input), output, None)),
        Op::Unpool { geometry, slot } => Box::new(max_pool::Unpool::new(geometry, output, *slot)),
        Op::AvgPool { .. }
        | Op::GlobalAvgPool
        | Op::AdaptiveAvgPool { .. }
        | Op::Upsample { .. }
        | Op::Pad { .. }
        | Op::Crop { .. } => Box::new(spatial::Spatial::new(planned)?),
        Op::Flatten | Op::Reshape => Box::new(reshape::Reshape::new(input, output)),
        Op::Dense {
            in_features,
            out_features,
            bias,
        } => Box::new(dense::Dense::new(
            planned,
            *in_features,
            *out_features,
            *bias,
            builder,
        )?),
        Op::BatchNorm { channels } => Box::new(batch_norm::BatchNorm::new(
            &planned.key,
            *channels,
            builder,
        )?),
        Op::GroupNorm { channels, groups } => Box::new(group_norm::GroupNorm::grouped(
            &planned.key,
            *channels,
            *groups,
            builder,
        )?),
        Op::LayerNorm => Box::new(group_norm::GroupNorm::layer(&planned.key, input, builder)?),
        Op::Dropout { p, channels } => Box::new(dropout::Dropout::new(
            dropout::Kind::Zeroes {
                p: *p,
                channels: *channels,
            },
            builder.next_random(),
        )),
        Op::Noise { std } => Box::new(dropout::Dropout::new(
            dropout::Kind::Noise { std: *std },
            builder.next_random(),
        )),
        Op::Activation(activation) => Box::new(activation::Elementwise::new(*activation)),
        Op::PRelu { channels } => Box::new(prelu::PRelu::new(&planned.key, *channels, builder)?),
        Op::Softmax => Box::new(softmax::Softmax::default()),
        Op::Identity => Box::new(Identity),
    })
}

/// `identity`: hands its input on.
struct Identity;

impl Layer for Identity {
    fn forward(&mut self, x: &Tensor, _: &mut Context<'_>) -> Result<Tensor> {
        Ok(x.clone())
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        _: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        Ok(need_input.then(|| gradient.clone()))
    }
}

/// The dimensions of a batch: a small vector that needs no heap.
#[derive(Clone, Copy, Default)]
pub struct Dims {
    sizes: [usize; 5],
    len: usize,
}

impl Dims {
    fn of(tensor: &Tensor) -> Dims {
        tensor.dims().iter().copied().collect()
    }
}

impl FromIterator<usize> for Dims {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Dims {
        let mut dims = Dims::default();
        for (place, size) in dims.sizes.iter_mut().zip(sizes) {
            *place = size;
            dims.len += 1;
        }
        dims
    }
}

impl std::ops::Deref for Dims {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.sizes[..self.len]
    }
}

/// The dimensions of a batch of this shape, channels last.
pub fn channels_last(batch: usize, shape: &Shape) -> Dims {
    let spatial = shape.spatial().iter().copied();
    std::iter::once(batch)
        .chain(spatial)
        .chain(std::iter::once(shape.channels()))
        .collect()
}

/// A window over the whole image.
fn whole_window(input: &Shape) -> Geometry {
    let (input, one) = (input.volume(), [1; 3]);
    Geometry {
        input,
        output: one,
        kernel: input,
        stride: one,
        dilation: one,
        pad: [0; 3],
    }
}

/// What the latest forward pass kept.
fn kept<T>(kept: &Option<T>) -> Result<&T> {
    kept.as_ref().ok_or_else(|| {
        NnError::Unsupported("a backward pass without a forward pass before it".into())
    })
}

/// `N × S × C` for the operators of [`super::ops::device`].
fn as_rows(x: &Tensor) -> Result<Tensor> {
    let dims = x.dims();
    let (batch, channels) = (dims[0], dims[dims.len() - 1]);
    let rows = dims[1..dims.len() - 1].iter().product::<usize>();
    Ok(x.reshape((batch, rows, channels))?)
}
