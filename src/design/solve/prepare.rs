//! What is put right before sizes are searched: a vector where an image is needed, a `dense` that does not
//! fill the `reshape` after it.

use super::draft::Draft;
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::target::Target;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::infer::{Inference, infer};
use strata_core::shape::layers::Shaping;

/// The network as it is, and prepared in every way that applies.
pub(crate) fn bases(plain: &Draft, locked: &[Target]) -> Vec<Draft> {
    let network = &plain.network;
    let inference = infer(network);
    let free = |place: &Place| !locked.iter().any(|lock| lock.contains(place));
    let mut bases = vec![plain.clone()];
    bases.extend(
        filled(network, &inference)
            .into_iter()
            .filter(|(place, _)| free(place))
            .filter_map(|(place, node)| plain.clone().replace(&place, node, 4)),
    );
    if free(&Place::new(Stack::Decoder, usize::MAX)) {
        bases.extend(unflattened(plain, &inference));
        bases.extend(reshaped(plain, &inference));
    }
    bases
}

/// A `dense` before a `reshape` that holds another number of numbers: one of the two is to change.
fn filled(network: &Network, inference: &Inference) -> Vec<(Place, Node)> {
    let mut found = Vec::new();
    for (index, node) in network.decoder.iter().enumerate() {
        let Some(shape) = reshape(node) else { continue };
        let place = Place::new(Stack::Decoder, index);
        let fits = inference.row(&place).is_some_and(|row| row.error.is_none());
        if fits {
            continue;
        }
        let dense = (0..index)
            .rev()
            .find(|&at| network.decoder.get(at).is_some_and(is_dense));
        let features = u32::try_from(shape.elements()).ok();
        found.extend(dense.zip(features).map(|(at, features)| {
            (
                Place::new(Stack::Decoder, at),
                Node::from_text(&format!("dense {features}")),
            )
        }));
        found.extend(before_flatten(inference).map(|shape| (place, reshape_to(&shape))));
    }
    found
}

/// The decoder's output is a vector: back to the input's shape.
fn reshaped(plain: &Draft, inference: &Inference) -> Option<Draft> {
    let network = &plain.network;
    let output = inference
        .output
        .as_ref()
        .filter(|output| output.is_vector() && !network.input.is_vector())?;
    let mut draft = plain.clone();
    if output.elements() != network.input.elements() {
        draft = draft.append(
            Stack::Decoder,
            &format!("dense {}", network.input.elements()),
        );
    }
    Some(draft.append(
        Stack::Decoder,
        &format!("reshape {}", network.input.to_file_text()),
    ))
}

/// The code is a vector and the decoder starts with a layer for images: back to the shape before it was flattened.
fn unflattened(plain: &Draft, inference: &Inference) -> Option<Draft> {
    let code = inference
        .code
        .as_ref()
        .filter(|code| code.is_vector() && !plain.network.input.is_vector())?;
    inference
        .row(&Place::new(Stack::Decoder, 0))
        .filter(|row| row.error.is_some())?;
    let shape = before_flatten(inference)?;
    let mut draft = plain
        .clone()
        .prepend(Stack::Decoder, &format!("reshape {}", shape.to_file_text()));
    if code.elements() != shape.elements() {
        draft = draft.prepend(Stack::Decoder, &format!("dense {}", shape.elements()));
    }
    Some(draft)
}

/// The last image of the encoder before it becomes a vector.
fn before_flatten(inference: &Inference) -> Option<Shape> {
    let images = inference
        .stack(Stack::Encoder)
        .filter_map(|row| row.input.as_ref());
    images.filter(|shape| !shape.is_vector()).last().cloned()
}

fn reshape(node: &Node) -> Option<&Shape> {
    let Node::Layer(layer) = node else {
        return None;
    };
    let Shaping::Reshapes(shape) = layer.kind.shaping() else {
        return None;
    };
    Some(shape)
}

fn reshape_to(shape: &Shape) -> Node {
    Node::from_text(&format!("reshape {}", shape.to_file_text()))
}

fn is_dense(node: &Node) -> bool {
    matches!(node, Node::Layer(layer) if matches!(layer.kind, Kind::Dense { .. }))
}
