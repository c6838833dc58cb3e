//! Names of places: `encoder`, `encoder.0`, `decoder.3.1.0`, as `freeze`, `locked` and `sparsity at=` use them.

pub use super::layer_path::node_at;
use super::{Network, Place, Stack};
use std::fmt;
use std::str::FromStr;

/// What a name refers to.
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

/// What a name refers to in a network; `None` when there is no such place.
pub fn target(network: &Network, name: &str) -> Option<Target> {
    let target = name.parse::<Target>().ok()?;
    match &target {
        Target::Node(place) => node_at(network.stack(place.stack), &place.path).map(|_| target),
        Target::Stack(_) => Some(target),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Stack(stack) => stack.fmt(f),
            Target::Node(place) => place.fmt(f),
        }
    }
}

/// A text that is not the name of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a place is written encoder, encoder.0 or decoder.3.1.0")]
pub struct NotAPlace;

impl FromStr for Target {
    type Err = NotAPlace;

    /// Reads a name, whether or not there is such a place in any network.
    fn from_str(name: &str) -> Result<Target, NotAPlace> {
        let mut words = name.split('.');
        let word = words.next().unwrap_or_default();
        let stack = Stack::ALL
            .into_iter()
            .find(|stack| stack.name() == word)
            .ok_or(NotAPlace)?;
        let path = words
            .map(index)
            .collect::<Option<Vec<usize>>>()
            .ok_or(NotAPlace)?;
        Ok(if path.is_empty() {
            Target::Stack(stack)
        } else {
            Target::Node(Place { stack, path })
        })
    }
}

/// An index as Strata writes it: digits without a sign or leading zeros, so that a place has one name.
fn index(word: &str) -> Option<usize> {
    word.parse()
        .ok()
        .filter(|index: &usize| index.to_string() == word)
}
