//! Layers of a run that are wider in the edited network: they inherit what they have learned, and the network computes
//! the same as before (Net2WiderNet: Chen, Goodfellow, Shlens 2016).
//!
//! A new channel repeats a channel that was there. The layer that reads them divides the weight of the repeated channel
//! between all that repeat it, in unequal shares, so that their gradients differ and they learn different things.

use candle_core::Tensor;
use rand::Rng;
use std::collections::HashMap;
use strata_core::project::{Network, Place, Stack};
use strata_core::rng::{Purpose, stream};
use strata_core::shape;
use strata_core::shape::op::{Op, Planned, PlannedLayer};

/// A layer that has more channels than the one it takes its weights from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widened {
    /// Where it is.
    pub place: Place,
    /// Channels before.
    pub from: usize,
    /// Channels now.
    pub to: usize,
}

impl Widened {
    /// Whether a tensor is of this layer, by its key.
    pub(crate) fn has(&self, key: &str) -> bool {
        let rest = key.strip_prefix(&self.place.to_string());
        rest.is_some_and(|rest| rest.starts_with('.'))
    }
}

/// A channel of the new network: the old one that it repeats, and its share of that one's weight.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Repeat {
    of: u32,
    share: f32,
}

/// What the channels between two layers are.
#[derive(Clone, Debug)]
enum Between {
    /// Those of the old network.
    Same,
    /// Some of them repeated.
    Repeated(Vec<Repeat>),
    /// Not those of the old network: what follows does not compute the same.
    Other,
}

/// The tensors, by the keys of the new network; those of wider layers, and of the layers that read them, are changed.
struct Walk<'a> {
    tensors: &'a mut HashMap<String, Tensor>,
    seed: u64,
    widened: Vec<Widened>,
}

/// Widens the tensors of an old network, which have the keys of the new one. Layers whose outputs leave the network
/// begin anew if they are wider: a new class is no other class.
pub(super) fn widen(
    now: &Network,
    seed: u64,
    tensors: &mut HashMap<String, Tensor>,
) -> candle_core::Result<Vec<Widened>> {
    let Some(plan) = shape::infer(now).plan else {
        return Ok(Vec::new());
    };
    let mut walk = Walk {
        tensors,
        seed,
        widened: Vec::new(),
    };
    let layers = |stack: Stack| plan.stack(stack).unwrap_or_default();
    let encoder = layers(Stack::Encoder);
    let is_all = layers(Stack::Decoder).is_empty() && layers(Stack::Head).is_empty();
    let last = encoder.iter().rposition(learns).filter(|_| is_all);
    let code = walk.stack(encoder, Between::Same, last)?;
    for stack in [Stack::Decoder, Stack::Head] {
        let layers = layers(stack);
        walk.stack(layers, code.clone(), layers.iter().rposition(learns))?;
    }
    Ok(walk.widened)
}

/// Whether a layer has outputs of its own number.
fn learns(node: &Planned) -> bool {
    match node {
        Planned::Layer(layer) => matches!(
            layer.op,
            Op::Conv { .. }
                | Op::ConvTranspose { .. }
                | Op::SeparableConv { .. }
                | Op::Dense { .. }
        ),
        _ => true,
    }
}

impl Walk<'_> {
    /// The layers of a stack; `last`: the index of the one whose outputs stay as many as they are.
    fn stack(
        &mut self,
        layers: &[Planned],
        mut between: Between,
        last: Option<usize>,
    ) -> candle_core::Result<Between> {
        for (index, node) in layers.iter().enumerate() {
            between = match node {
                Planned::Layer(layer) => self.layer(layer, between, last == Some(index))?,
                // Branches are not widened, and read only what is as it was.
                _ => match between {
                    Between::Same => Between::Same,
                    Between::Repeated(_) | Between::Other => Between::Other,
                },
            };
        }
        Ok(between)
    }

    fn layer(
        &mut self,
        layer: &PlannedLayer,
        between: Between,
        is_last: bool,
    ) -> candle_core::Result<Between> {
        let may_widen = !is_last;
        match &layer.op {
            Op::Dense { out_features, .. } => {
                self.product(layer, &layer.key, [1, 0], *out_features, between, may_widen)
            }
            Op::Conv {
                groups: 1,
                out_channels,
                ..
            } => self.product(layer, &layer.key, [1, 0], *out_channels, between, may_widen),
            Op::ConvTranspose {
                groups: 1,
                out_channels,
                ..
            } => self.product(layer, &layer.key, [0, 1], *out_channels, between, may_widen),
            Op::SeparableConv { out_channels, .. } => {
                self.by_channel(&format!("{}.depthwise", layer.key), &between)?;
                let key = format!("{}.pointwise", layer.key);
                self.product(layer, &key, [1, 0], *out_channels, between, may_widen)
            }
            Op::Conv {
                groups,
                in_channels,
                out_channels,
                ..
            } if groups == in_channels && groups == out_channels => {
                self.by_channel(&layer.key, &between)?;
                Ok(between)
            }
            Op::BatchNorm { .. } | Op::PRelu { .. } => {
                self.by_channel(&layer.key, &between)?;
                Ok(between)
            }
            Op::Flatten => Ok(flattened(between, layer)),
            Op::MaxPool { .. }
            | Op::AvgPool { .. }
            | Op::Upsample { .. }
            | Op::GlobalAvgPool
            | Op::GlobalMaxPool
            | Op::AdaptiveAvgPool { .. }
            | Op::Dropout { .. }
            | Op::Activation(_)
            | Op::Noise { .. }
            | Op::Pad { .. }
            | Op::Crop { .. }
            | Op::Identity => Ok(between),
            // They look at several channels together, or put them elsewhere.
            Op::Conv { .. }
            | Op::ConvTranspose { .. }
            | Op::GroupNorm { .. }
            | Op::LayerNorm
            | Op::Softmax
            | Op::Reshape
            | Op::Unpool { .. } => Ok(match between {
                Between::Same => Between::Same,
                Between::Repeated(_) | Between::Other => Between::Other,
            }),
        }
    }

    /// A layer whose weight has inputs and outputs on these axes.
    fn product(
        &mut self,
        layer: &PlannedLayer,
        key: &str,
        [inputs, outputs]: [usize; 2],
        wanted: usize,
        between: Between,
        may_widen: bool,
    ) -> candle_core::Result<Between> {
        let name = format!("{key}.weight");
        let Some(weight) = self.tensors.get(&name).cloned() else {
            return Ok(Between::Other);
        };
        if weight.rank() < 2 {
            return Ok(Between::Other);
        }
        let weight = match &between {
            Between::Repeated(repeats) => divided(&weight, inputs, repeats)?,
            Between::Same | Between::Other => weight,
        };
        let had = weight.dims()[outputs];
        if wanted <= had || !may_widen || had == 0 {
            self.tensors.insert(name, weight);
            let is_as_before = wanted == had && !matches!(between, Between::Other);
            return Ok(match is_as_before {
                true => Between::Same,
                false => Between::Other,
            });
        }
        let repeats = self.repeats(had, wanted);
        self.tensors
            .insert(name, repeated(&weight, outputs, &repeats)?);
        let name = format!("{key}.bias");
        if let Some(bias) = self.tensors.get(&name).cloned() {
            self.tensors.insert(name, repeated(&bias, 0, &repeats)?);
        }
        self.widened.push(Widened {
            place: layer.place.clone(),
            from: had,
            to: wanted,
        });
        Ok(match between {
            Between::Other => Between::Other,
            Between::Same | Between::Repeated(_) => Between::Repeated(repeats),
        })
    }

    /// The tensors of a layer that has numbers for each channel.
    fn by_channel(&mut self, key: &str, between: &Between) -> candle_core::Result<()> {
        let Between::Repeated(repeats) = between else {
            return Ok(());
        };
        let old = repeats.iter().map(|repeat| repeat.of as usize + 1).max();
        for part in ["weight", "bias", "running_mean", "running_var"] {
            let name = format!("{key}.{part}");
            // A slope for all channels stays one.
            let tensor = self.tensors.get(&name).cloned();
            let tensor = tensor.filter(|tensor| tensor.dims().first().copied() == old);
            if let Some(tensor) = tensor {
                self.tensors.insert(name, repeated(&tensor, 0, repeats)?);
            }
        }
        Ok(())
    }

    /// What repeats what, where `had` channels become `wanted`: one after the other, as often as it takes.
    fn repeats(&self, had: usize, wanted: usize) -> Vec<Repeat> {
        // Different for each layer, and not 0, which the images are drawn with.
        let mut random = stream(self.seed, Purpose::Widening, 1 + self.widened.len() as u64);
        let mut all: Vec<Repeat> = (0..wanted)
            .map(|channel| Repeat {
                of: (channel % had) as u32,
                share: random.random_range(0.5..1.5),
            })
            .collect();
        for old in 0..had {
            let own = (old..wanted).step_by(had);
            let sum: f32 = own.clone().map(|channel| all[channel].share).sum();
            own.for_each(|channel| all[channel].share /= sum);
        }
        all
    }
}

/// The same for each number of an image that is laid out as a vector, in the order channels, height, width.
fn flattened(between: Between, layer: &PlannedLayer) -> Between {
    let Between::Repeated(repeats) = between else {
        return between;
    };
    let cells: u32 = layer.input.spatial().iter().product::<usize>() as u32;
    let of_channel = |repeat: Repeat| {
        (0..cells).map(move |cell| Repeat {
            of: repeat.of * cells + cell,
            share: repeat.share,
        })
    };
    Between::Repeated(repeats.into_iter().flat_map(of_channel).collect())
}

/// A tensor whose entries on an axis are repeated.
fn repeated(tensor: &Tensor, axis: usize, repeats: &[Repeat]) -> candle_core::Result<Tensor> {
    let of: Vec<u32> = repeats.iter().map(|repeat| repeat.of).collect();
    let of = Tensor::new(of, tensor.device())?;
    tensor.contiguous()?.index_select(&of, axis)
}

/// The same, and divided by the shares.
fn divided(tensor: &Tensor, axis: usize, repeats: &[Repeat]) -> candle_core::Result<Tensor> {
    let largest = repeats.iter().map(|repeat| repeat.of as usize + 1).max();
    if largest != Some(tensor.dims()[axis]) {
        return Ok(tensor.clone());
    }
    let shares: Vec<f32> = repeats.iter().map(|repeat| repeat.share).collect();
    let mut dims = vec![1; tensor.rank()];
    dims[axis] = shares.len();
    let shares = Tensor::new(shares, tensor.device())?.reshape(dims)?;
    repeated(tensor, axis, repeats)?.broadcast_mul(&shares.to_dtype(tensor.dtype())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::init::{moved, outputs};
    use candle_core::Device;
    use strata_core::project::node::Node;
    use strata_nn::{Network as Net, Route};

    fn network(input: &str, [encoder, decoder, head]: [&str; 3]) -> Network {
        let nodes = |text: &str| -> Vec<Node> {
            let texts = text.split(", ").filter(|text| !text.is_empty());
            texts.map(Node::from_text).collect()
        };
        Network {
            input: input.parse().unwrap(),
            encoder: nodes(encoder),
            decoder: nodes(decoder),
            head: nodes(head),
        }
    }

    /// Which layers become wider, and by how much the outputs change.
    fn change(input: &str, before: [&str; 3], now: [&str; 3]) -> (Vec<String>, Option<f64>) {
        let [before, now] = [before, now].map(|stacks| network(input, stacks));
        let made = |network: &Network, seed: u64| {
            let plan = shape::infer(network).plan.unwrap();
            Net::new(&plan, seed, &Device::Cpu).unwrap()
        };
        let mut weights: HashMap<String, Tensor> =
            made(&before, 1).state().unwrap().into_iter().collect();
        for (key, tensor) in &mut weights {
            // As if it had been trained: other statistics than 0 and 1.
            if key.ends_with("running_mean") || key.ends_with("running_var") {
                let numbers = (1..=tensor.elem_count()).map(|i| i as f32 / 10.0).collect();
                *tensor = Tensor::from_vec(numbers, tensor.dims(), &Device::Cpu).unwrap();
            }
        }
        let mut tensors = weights.clone();
        moved::renamed(&before, &now, &mut tensors);
        let widened = widen(&now, 3, &mut tensors).unwrap();
        let mut network = made(&now, 2);
        let mut state: HashMap<String, Tensor> = network.state().unwrap().into_iter().collect();
        for (key, value) in &mut state {
            if let Some(inherited) = tensors.get(key).filter(|t| t.dims() == value.dims()) {
                *value = inherited.clone();
            }
        }
        network.load_state(&state).unwrap();
        let route = match now.head.is_empty() {
            true => Route::Reconstruct,
            false => Route::Classify,
        };
        let change = outputs::change(&before, &weights, &mut network, (route, 4)).unwrap();
        let places = widened.iter().map(|layer| layer.place.to_string());
        (places.collect(), change)
    }

    #[test]
    fn a_network_with_wider_layers_computes_the_same() {
        let cases = [
            (
                "3x12x12",
                [
                    "conv 6 k3 p1, bn, relu, maxpool 2, conv 8 k3 p1, relu",
                    "convt 4 k2 s2, tanh, conv 3 k3 p1",
                    "",
                ],
                [
                    "conv 9 k3 p1, bn, relu, maxpool 2, conv 21 k3 p1, relu",
                    "convt 7 k2 s2, tanh, conv 3 k3 p1",
                    "",
                ],
                &["encoder.0", "encoder.4", "decoder.0"][..],
            ),
            (
                "2x8x8",
                [
                    "conv 4 k3 p1, prelu, dwconv k3 p1, bn, gelu, flatten, dense 10, sigmoid",
                    "dense 128, reshape 2x8x8",
                    "",
                ],
                [
                    "conv 11 k3 p1, prelu, dwconv k3 p1, bn, gelu, flatten, dense 15, sigmoid",
                    "dense 128, reshape 2x8x8",
                    "",
                ],
                &["encoder.0", "encoder.6"],
            ),
            (
                "3x8x8",
                [
                    "sepconv 5 k3 p1, bn, relu, sepconv 6 k3 p1, avgpool 2",
                    "upsample 2, conv 3 k1",
                    "",
                ],
                [
                    "sepconv 8 k3 p1, bn, relu, sepconv 7 k3 p1, avgpool 2",
                    "upsample 2, conv 3 k1",
                    "",
                ],
                &["encoder.0", "encoder.3"],
            ),
            (
                "1x40",
                ["conv 4 k5 p2, relu, conv 4 k5 p2, gap, dense 40", "", ""],
                ["conv 7 k5 p2, relu, conv 6 k5 p2, gap, dense 40", "", ""],
                &["encoder.0", "encoder.2"],
            ),
        ];
        for (input, before, now, wider) in cases {
            let (places, change) = change(input, before, now);
            assert_eq!(places, wider);
            let change = change.unwrap();
            assert!(change < 1e-5, "{now:?}: {change}");
        }
    }

    #[test]
    fn what_cannot_inherit_is_not_said_to() {
        // More classes are other classes: the last layer is not widened.
        let (places, change) = change(
            "3x8x8",
            ["conv 4 k3, relu", "", "gap, dense 5"],
            ["conv 6 k3, relu", "", "gap, dense 7"],
        );
        assert_eq!((places, change), (vec!["encoder.0".to_owned()], None));
        // A normalisation over all channels sees them repeated: the change is told as it is.
        let (places, change) = self::change(
            "3x8x8",
            ["conv 4 k3 p1, groupnorm 2, relu", "conv 3 k3 p1", ""],
            ["conv 6 k3 p1, groupnorm 2, relu", "conv 3 k3 p1", ""],
        );
        assert_eq!(places, ["encoder.0"]);
        assert!(change.unwrap() > 1e-3, "{change:?}");
    }
}
