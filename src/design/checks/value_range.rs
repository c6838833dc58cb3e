//! From where to where the values behind a layer go, as far as its kind and those before it say.

use strata_core::project::layer::{Activation, Kind};
use strata_core::project::node::Node;
use strata_core::project::{Network, Place, Stack};

/// The least and the greatest value; `None` where they may be any.
pub(crate) type Range = Option<[f32; 2]>;

/// The values that a stack ends with.
pub(crate) fn at_end(network: &Network, stack: Stack) -> Range {
    behind_all(network.stack(stack), entering(network, stack))
}

/// The values behind the layer or block at a place.
pub(crate) fn at(network: &Network, place: &Place) -> Range {
    behind(
        network.stack(place.stack),
        &place.path,
        entering(network, place.stack),
    )
}

/// Whether values of a range are between 0 and 1.
pub(crate) fn is_fraction(range: Range) -> bool {
    range.is_some_and(|[low, high]| low >= 0.0 && high <= 1.0)
}

/// What a stack starts from: pixels may be any, the code is what the encoder gives.
fn entering(network: &Network, stack: Stack) -> Range {
    match stack {
        Stack::Encoder => None,
        Stack::Decoder | Stack::Head => behind_all(&network.encoder, None),
    }
}

fn behind(nodes: &[Node], path: &[usize], before: Range) -> Range {
    let (&index, inner) = path.split_first()?;
    let before = behind_all(nodes.get(..index)?, before);
    let node = nodes.get(index)?;
    let Some((&branch, inner)) = inner.split_first() else {
        return behind_node(node, before);
    };
    // A further pass of a repeat starts from what the one before gave.
    let before = before.filter(|_| !matches!(node, Node::Repeat { .. }));
    behind(node.branches().get(branch)?, inner, before)
}

fn behind_all(nodes: &[Node], before: Range) -> Range {
    let all = nodes.iter();
    all.fold(before, |before, node| behind_node(node, before))
}

fn behind_node(node: &Node, before: Range) -> Range {
    let branches = |unite: fn([f32; 2], [f32; 2]) -> [f32; 2]| {
        let ranges = node.branches().iter();
        ranges
            .map(|branch| behind_all(branch, before))
            .reduce(|one, other| Some(unite(one?, other?)))
            .flatten()
    };
    match node {
        Node::Layer(layer) => behind_layer(&layer.kind, before),
        Node::Add(_) => branches(|one, other| [one[0] + other[0], one[1] + other[1]]),
        Node::Concat(_) => branches(|one, other| [one[0].min(other[0]), one[1].max(other[1])]),
        Node::Repeat {
            times: 0 | 1,
            layers,
        } => behind_all(layers, before),
        Node::Repeat { layers, .. } => behind_all(layers, None),
        Node::Broken { .. } => None,
    }
}

fn behind_layer(kind: &Kind, before: Range) -> Range {
    let with_zero = || before.map(|[low, high]| [low.min(0.0), high.max(0.0)]);
    match kind {
        Kind::Activation(activation) => behind_activation(*activation, before),
        Kind::Softmax => Some([0.0, 1.0]),
        Kind::MaxPool { .. }
        | Kind::Upsample { .. }
        | Kind::GlobalAvgPool
        | Kind::GlobalMaxPool
        | Kind::AdaptiveAvgPool { .. }
        | Kind::Flatten
        | Kind::Reshape { .. }
        | Kind::Dropout { .. }
        | Kind::DropoutChannels { .. }
        | Kind::Crop { .. }
        | Kind::Identity => before,
        Kind::AvgPool { .. } | Kind::Unpool | Kind::Pad { .. } => with_zero(),
        Kind::Conv { .. }
        | Kind::ConvTranspose { .. }
        | Kind::DepthwiseConv { .. }
        | Kind::SeparableConv { .. }
        | Kind::Dense { .. }
        | Kind::BatchNorm
        | Kind::GroupNorm { .. }
        | Kind::LayerNorm
        | Kind::PRelu { .. }
        | Kind::Noise { .. } => None,
    }
}

fn behind_activation(activation: Activation, before: Range) -> Range {
    match (activation, before) {
        (Activation::Relu, Some([low, high])) => Some([low.max(0.0), high.max(0.0)]),
        (Activation::Relu6, Some([low, high])) => Some([low.clamp(0.0, 6.0), high.clamp(0.0, 6.0)]),
        // Above 0 these pass on what comes.
        (Activation::LeakyRelu(_) | Activation::Elu(_), Some([low, _])) if low >= 0.0 => before,
        (activation, _) => activation.range(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_testkit::networks::network;

    fn of(encoder: &[&str]) -> Range {
        at_end(&network("3x8x8", encoder, &[], &[]), Stack::Encoder)
    }

    #[test]
    fn ranges_follow_what_layers_do_with_values() {
        let unit = Some([0.0, 1.0]);
        for (encoder, range) in [
            (&["conv 4 k3", "sigmoid"][..], unit),
            (&["sigmoid", "maxpool 2", "flatten", "reshape 4x3x3"], unit),
            (&["sigmoid", "dropout 0.5", "crop 1", "upsample 2"], unit),
            (&["tanh", "relu"], unit),
            (&["sigmoid", "leakyrelu"], unit),
            (&["step"], unit),
            (&["softmax"], unit),
            (&["tanh", "avgpool 2"], Some([-1.0, 1.0])),
            (&["relu", "pad 1"], Some([0.0, f32::INFINITY])),
            (&["relu6"], Some([0.0, 6.0])),
            (&["sigmoid", "conv 4 k3"], None),
            (&["sigmoid", "bn"], None),
            (&["gelu"], None),
            (&["{ concat = [[\"sigmoid\"], [\"step\"]] }"], unit),
            (&["{ concat = [[\"sigmoid\"], []] }"], None),
            (
                &["sigmoid", "{ concat = [[\"tanh\"], []] }"],
                Some([-1.0, 1.0]),
            ),
            (
                &["{ add = [[\"sigmoid\"], [\"sigmoid\"]] }"],
                Some([0.0, 2.0]),
            ),
            (
                &["{ repeat = 2, layers = [\"conv 3 k1\", \"sigmoid\"] }"],
                unit,
            ),
            (
                &["sigmoid", "{ repeat = 2, layers = [\"maxpool 1\"] }"],
                None,
            ),
        ] {
            assert_eq!(of(encoder), range, "{encoder:?}");
        }
        let inside = ["sigmoid", "{ add = [[\"tanh\", \"identity\"], []] }"];
        let stacks = network("3x8x8", &inside, &["upsample 2"], &[]);
        let within = Place {
            stack: Stack::Encoder,
            path: vec![1, 0, 1],
        };
        assert_eq!(at(&stacks, &within), Some([-1.0, 1.0]));
        assert_eq!(at_end(&stacks, Stack::Decoder), Some([-1.0, 2.0]));
        let gone = Place::new(Stack::Encoder, 9);
        assert_eq!(at(&stacks, &gone), None);
    }
}
