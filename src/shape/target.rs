//! Names of places: `encoder`, `encoder.0`, `decoder.3.1.0`, as `freeze` and `sparsity at=` use them.

use crate::project::node::Node;
use crate::project::{Network, Place, Stack};

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A whole stack.
    Stack(Stack),
    /// A layer, or a block with all that is in it.
    Node(Place),
}

impl Target {
    /// True when the node at `place` is this one, or inside it.
    pub fn contains(&self, place: &Place) -> bool {
        match self {
            Target::Stack(stack) => place.stack == *stack,
            Target::Node(node) => place.stack == node.stack && place.path.starts_with(&node.path),
        }
    }

    /// The stack it is, or is in.
    pub fn stack(&self) -> Stack {
        match self {
            Target::Stack(stack) => *stack,
            Target::Node(place) => place.stack,
        }
    }
}

/// What a name stands for in a network; `None` when there is no such place.
pub fn target(network: &Network, name: &str) -> Option<Target> {
    let mut words = name.split('.');
    let word = words.next()?;
    let stack = Stack::ALL.into_iter().find(|stack| stack.name() == word)?;
    let path: Option<Vec<usize>> = words.map(|word| word.parse().ok()).collect();
    let path = path?;
    if path.is_empty() {
        return Some(Target::Stack(stack));
    }
    node_at(network.stack(stack), &path)?;
    Some(Target::Node(Place { stack, path }))
}

/// The node at a path: index, branch, index, …
pub(super) fn node_at<'a>(stack: &'a [Node], path: &[usize]) -> Option<&'a Node> {
    match path {
        [index] => stack.get(*index),
        [index, branch, rest @ ..] => node_at(stack.get(*index)?.branches().get(*branch)?, rest),
        [] => None,
    }
}
