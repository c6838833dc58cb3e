//! Which layers are computed as one: what a layer can do along with its own work. Networks are built by these rules,
//! and memory and time are predicted by them.

use strata_core::project::layer::Activation;
use strata_core::project::size::Shape;
use strata_core::shape::op::{Geometry, Op, PlannedLayer};

/// A layer behind another one whose work that one does along.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Follower<'a> {
    /// Negative values become 0.
    Relu,
    /// A function of each value, behind a normalisation.
    Activation(Activation),
    /// The maximum of each window.
    MaxPool {
        /// The window.
        geometry: &'a Geometry,
        /// Where the network keeps the indices for an unpool.
        slot: usize,
        /// The shape of the maxima.
        output: &'a Shape,
    },
    /// The values are written as an image of this shape.
    Reshape(&'a Shape),
}

/// What a kind of layer means for those around it.
#[derive(Clone, Copy, PartialEq)]
enum Role<'a> {
    /// Computes, and can do a relu and a max pooling behind it.
    Convolution,
    /// The same, or any activation.
    BatchNorm,
    /// Computes, and can do an activation behind it.
    GroupNorm,
    /// Computes, and can do a relu behind it; reads an image as a vector and writes a vector as an image. Not a max
    /// pooling: a window would slide over the image, of which the convolution inside knows nothing.
    Dense,
    /// Becomes the maximum of each window.
    MaxPool { geometry: &'a Geometry, slot: usize },
    /// Becomes 0 below 0.
    Relu,
    /// Becomes another function of each value.
    Activation(Activation),
    /// Lays the same values out in another shape.
    Reorder,
    /// Is always computed by itself.
    Alone,
}

impl<'a> Role<'a> {
    fn of(op: &'a Op) -> Role<'a> {
        match op {
            Op::Conv { .. } | Op::ConvTranspose { .. } | Op::SeparableConv { .. } => {
                Role::Convolution
            }
            Op::BatchNorm { .. } => Role::BatchNorm,
            Op::GroupNorm { .. } => Role::GroupNorm,
            Op::Dense { .. } => Role::Dense,
            Op::MaxPool { geometry, slot } => Role::MaxPool {
                geometry,
                slot: *slot,
            },
            Op::Activation(Activation::Relu) => Role::Relu,
            Op::Flatten | Op::Reshape => Role::Reorder,
            Op::Activation(
                activation @ (Activation::Relu6
                | Activation::LeakyRelu(_)
                | Activation::Elu(_)
                | Activation::Gelu
                | Activation::Silu
                | Activation::Sigmoid
                | Activation::Tanh
                | Activation::HardSwish
                | Activation::Step),
            ) => Role::Activation(*activation),
            Op::AvgPool { .. }
            | Op::Unpool { .. }
            | Op::Upsample { .. }
            | Op::GlobalAvgPool
            | Op::GlobalMaxPool
            | Op::AdaptiveAvgPool { .. }
            | Op::LayerNorm
            | Op::Dropout { .. }
            | Op::PRelu { .. }
            | Op::Softmax
            | Op::Noise { .. }
            | Op::Pad { .. }
            | Op::Crop { .. }
            | Op::Identity => Role::Alone,
        }
    }
}

/// The work of the layers behind a layer that it does along with its own: at most one of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Followers<'a> {
    /// Whether negative values become 0.
    pub relu: bool,
    /// The activation behind a normalisation.
    pub activation: Option<&'a PlannedLayer>,
    /// The max pooling.
    pub pool: Option<&'a PlannedLayer>,
    /// The image that the output is written as.
    pub reshape: Option<&'a Shape>,
}

impl<'a> Followers<'a> {
    /// Adds the layer that comes next behind `head` and those added before; `None` where `head` cannot do its work.
    pub fn add(&mut self, head: &Op, next: &'a PlannedLayer) -> Option<Follower<'a>> {
        let (output, head_op) = (&next.output, head);
        let head = Role::of(head);
        let is_dense = head == Role::Dense;
        let is_norm = matches!(head, Role::BatchNorm | Role::GroupNorm);
        if self.activation.is_some() || (!is_norm && !is_dense && head != Role::Convolution) {
            return None;
        }
        let is_first = !self.relu && self.pool.is_none();
        match Role::of(&next.op) {
            Role::Relu if head == Role::GroupNorm => {
                self.activation = Some(next);
                Some(Follower::Activation(Activation::Relu))
            }
            Role::Activation(activation) if is_norm && is_first => {
                self.activation = Some(next);
                Some(Follower::Activation(activation))
            }
            Role::Relu if !self.relu => {
                self.relu = true;
                Some(Follower::Relu)
            }
            Role::MaxPool { geometry, slot }
                if !is_dense && head != Role::GroupNorm && self.pool.is_none() =>
            {
                self.pool = Some(next);
                Some(Follower::MaxPool {
                    geometry,
                    slot,
                    output,
                })
            }
            Role::Reorder if is_dense && self.reshape.is_none() && writes_as(head_op, output) => {
                self.reshape = Some(output);
                Some(Follower::Reshape(output))
            }
            Role::Relu
            | Role::Activation(_)
            | Role::MaxPool { .. }
            | Role::Reorder
            | Role::Convolution
            | Role::BatchNorm
            | Role::GroupNorm
            | Role::Dense
            | Role::Alone => None,
        }
    }
}

/// Whether a layer reads an image through the layer before it, which would lay the image out as a vector: where putting
/// its weight into the order of the image is less work than putting a batch into the order of the weight.
pub fn reads_through(op: &Op, before: &PlannedLayer) -> bool {
    let is_flatten = Role::of(&before.op) == Role::Reorder
        && !before.input.is_vector()
        && before.output.is_vector();
    let is_small = |outputs: usize| outputs <= FEW_VECTORS || !reorders(&before.input);
    is_flatten && matches!(op, Op::Dense { out_features, .. } if is_small(*out_features))
}

/// Whether a dense layer writes its vector as an image: by the same comparison.
fn writes_as(op: &Op, output: &Shape) -> bool {
    let is_small = |inputs: usize| inputs <= FEW_VECTORS || !reorders(output);
    !output.is_vector() && matches!(op, Op::Dense { in_features, .. } if is_small(*in_features))
}

/// Vectors of a weight up to which it is put into another order for each step: about as many as a batch has.
const FEW_VECTORS: usize = 100;

/// Whether the numbers of an image lie in another order in memory, channels last, than flattened.
pub fn reorders(image: &Shape) -> bool {
    let channels = image.channels();
    channels > 1 && image.spatial().iter().product::<usize>() > 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::{Place, Stack};

    fn layer(op: Op, output: &str) -> PlannedLayer {
        PlannedLayer {
            place: Place::new(Stack::Encoder, 0),
            key: String::new(),
            op,
            input: "8".parse().unwrap(),
            output: output.parse().unwrap(),
        }
    }

    #[test]
    fn a_layer_does_one_activation_behind_it_and_only_normalisations_any() {
        let relu = layer(Op::Activation(Activation::Relu), "8");
        let gelu = layer(Op::Activation(Activation::Gelu), "8");
        let norm = Op::BatchNorm { channels: 8 };
        let mut followers = Followers::default();
        assert_eq!(followers.add(&norm, &relu), Some(Follower::Relu));
        assert_eq!(followers.add(&norm, &relu), None);
        assert_eq!(followers.add(&norm, &gelu), None);
        let groups = Op::GroupNorm {
            channels: 8,
            groups: 2,
        };
        for (norm, next, activation) in [
            (&norm, &gelu, Activation::Gelu),
            (&groups, &gelu, Activation::Gelu),
            (&groups, &relu, Activation::Relu),
        ] {
            let mut followers = Followers::default();
            let added = followers.add(norm, next);
            assert_eq!(added, Some(Follower::Activation(activation)));
            assert_eq!(followers.add(norm, &relu), None);
        }
        assert_eq!(Followers::default().add(&Op::Softmax, &relu), None);
        assert_eq!(Followers::default().add(&dense(8, 8), &gelu), None);
    }

    fn dense(in_features: usize, out_features: usize) -> Op {
        Op::Dense {
            in_features,
            out_features,
            bias: true,
        }
    }

    /// Putting a weight of many vectors into another order for each step is more work than doing so with a batch.
    #[test]
    fn a_large_dense_layer_neither_reads_through_a_flatten_nor_writes_images() {
        let mut flatten = layer(Op::Flatten, "8");
        flatten.input = "2x2x2".parse().unwrap();
        assert!(reads_through(&dense(8, FEW_VECTORS), &flatten));
        assert!(!reads_through(&dense(8, FEW_VECTORS + 1), &flatten));
        let image = layer(Op::Reshape, "2x2x2");
        let written = |inputs| Followers::default().add(&dense(inputs, 8), &image);
        assert!(written(FEW_VECTORS).is_some() && written(FEW_VECTORS + 1).is_none());
        // One position is in the same order either way.
        flatten.input = "8x1x1".parse().unwrap();
        assert!(reads_through(&dense(8, FEW_VECTORS + 1), &flatten));
    }

    #[test]
    fn a_dense_layer_writes_images_and_reads_through_a_flatten() {
        let dense = Op::Dense {
            in_features: 8,
            out_features: 8,
            bias: true,
        };
        let image = layer(Op::Reshape, "2x2x2");
        let vector = layer(Op::Reshape, "8");
        assert_eq!(Followers::default().add(&dense, &vector), None);
        let mut followers = Followers::default();
        let written = followers.add(&dense, &image);
        assert_eq!(written, Some(Follower::Reshape(&image.output)));
        assert!(followers.reshape.is_some());
        assert_eq!(followers.add(&dense, &image), None);
        let mut flatten = layer(Op::Flatten, "8");
        assert!(!reads_through(&dense, &flatten), "it was a vector already");
        flatten.input = "2x2x2".parse().unwrap();
        assert!(reads_through(&dense, &flatten));
        assert!(!reads_through(&Op::Softmax, &flatten));
    }

    #[test]
    fn only_images_of_several_channels_and_positions_have_an_order_of_their_own() {
        for (image, has) in [
            ("2x2x2", true),
            ("3x1x5", true),
            ("1x28x28", false),
            ("8x1x1", false),
        ] {
            assert_eq!(reorders(&image.parse().unwrap()), has, "{image}");
        }
    }
}
