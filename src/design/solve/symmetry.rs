//! How far a decoder is from its encoder's mirror.

use super::attribute::{Attribute, Value};
use super::draft::value_of;
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::{Network, Stack};
use strata_core::shape::layers::Shaping;
use strata_core::shape::layers::facts::Slider;

/// The layers of a stack, those in blocks once each.
fn each_layer(nodes: &[Node], visit: &mut dyn FnMut(&Kind)) {
    for node in nodes {
        if let Node::Layer(layer) = node {
            visit(&layer.kind);
        }
        for nodes in node.branches() {
            each_layer(nodes, visit);
        }
    }
}

/// How the size-changing layers of the decoder differ from the encoder's, last to first: in their strides,
/// and half as much in kernels.
pub(crate) fn asymmetry(network: &Network) -> u32 {
    let (mut down, mut up) = (Vec::new(), Vec::new());
    each_layer(network.stack(Stack::Encoder), &mut |kind| {
        down.extend(scales(kind))
    });
    each_layer(network.stack(Stack::Decoder), &mut |kind| {
        up.extend(scales(kind))
    });
    down.reverse();
    let unpaired = down.len().abs_diff(up.len()) as u32;
    let differ = |(a, b): (&Scale, &Scale)| match (a, b) {
        (Scale::Window(s, k), Scale::Window(t, l)) => 2 * u32::from(s != t) + u32::from(k != l),
        (Scale::Window(s, _), Scale::Factor(t)) | (Scale::Factor(t), Scale::Window(s, _)) => {
            2 * u32::from(s != t)
        }
        (Scale::Factor(s), Scale::Factor(t)) => 2 * u32::from(s != t),
        (Scale::Paired, _) | (_, Scale::Paired) => 0,
    };
    2 * unpaired + down.iter().zip(&up).map(differ).sum::<u32>()
}

/// By how much a layer scales.
enum Scale {
    /// A window's stride and kernel.
    Window(Vec<Option<Value>>, Vec<Option<Value>>),
    /// A factor.
    Factor(Vec<Option<Value>>),
    /// By what its pooling did.
    Paired,
}

fn scales(kind: &Kind) -> Option<Scale> {
    let all = |attribute| -> Vec<Option<Value>> {
        (0..3).map(|axis| value_of(kind, axis, attribute)).collect()
    };
    let one = |values: &[Option<Value>]| {
        values
            .iter()
            .all(|value| matches!(value, Some(Value::Size(1)) | None))
    };
    match kind.shaping() {
        Shaping::Unpools => Some(Scale::Paired),
        Shaping::Scales(_) => Some(Scale::Factor(all(Attribute::Factor))),
        Shaping::Slides {
            by: Slider::MaxPool | Slider::AvgPool,
            ..
        } => Some(Scale::Factor(all(Attribute::Stride))),
        Shaping::Slides {
            by: Slider::Convolution,
            ..
        }
        | Shaping::Spreads { .. } => {
            let stride = all(Attribute::Stride);
            (!one(&stride)).then(|| Scale::Window(stride, all(Attribute::Kernel)))
        }
        Shaping::Keeps
        | Shaping::AdaptsTo(_)
        | Shaping::Grows(_)
        | Shaping::Shrinks(_)
        | Shaping::Pools
        | Shaping::Flattens
        | Shaping::Features(_)
        | Shaping::Reshapes(_) => None,
    }
}
