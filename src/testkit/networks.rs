//! Networks written as the texts of their layers.

use strata_core::project::Network;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;

/// The layers of these texts.
pub fn nodes(texts: &[&str]) -> Vec<Node> {
    texts.iter().map(|text| Node::from_text(text)).collect()
}

/// A network of these texts.
pub fn network(input: &str, encoder: &[&str], decoder: &[&str], head: &[&str]) -> Network {
    Network {
        input: input.parse().unwrap(),
        encoder: nodes(encoder),
        decoder: nodes(decoder),
        head: nodes(head),
    }
}

/// The layers of a list like `conv 8 k3;relu`.
pub fn split(list: &str) -> Vec<&str> {
    list.split(';').filter(|text| !text.is_empty()).collect()
}

/// A network without layers.
pub fn empty(input: Shape) -> Network {
    Network {
        input,
        encoder: Vec::new(),
        decoder: Vec::new(),
        head: Vec::new(),
    }
}
