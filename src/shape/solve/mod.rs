//! Stand-in with the signatures of the real module, which replaces this file: a handful of edits, tried.

use super::error::ShapeError;
use super::infer::infer;
use super::target::Target;
use crate::project::node::Node;
use crate::project::{Network, Place, Stack};

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aim {
    /// The decoder gives the input's shape.
    OutputEqualsInput,
    /// The code holds at most so many numbers.
    CodeAtMost(u64),
    /// One number of the code sees the whole input.
    ReceptiveFieldCovers,
    /// The network has at most so many parameters.
    ParametersAtMost(u64),
}

/// One node changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where it is.
    pub place: Place,
    /// The node before; `None`: it is inserted.
    pub from: Option<Node>,
    /// The node after; `None`: it is removed.
    pub to: Option<Node>,
}

/// Edits after which the aim is met.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// What is changed.
    pub changes: Vec<Change>,
    /// The network after it.
    pub network: Network,
    /// Attributes changed.
    pub edits: u32,
    /// What else is to be known.
    pub note: String,
}

/// What came of a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Solved {
    /// The best first.
    pub solutions: Vec<Solution>,
    /// One sentence for people.
    pub message: String,
}

/// Tries a few edits of the last layers.
pub fn solve(network: &Network, _: &[Target], aim: Aim) -> Solved {
    let mut solutions = Vec::new();
    for index in (0..network.decoder.len()).rev().filter(|_| aim == Aim::OutputEqualsInput) {
        for more in [" op1", " p1", " op2"] {
            let from = network.decoder[index].clone();
            let to = Node::from_text(&(from.text() + more));
            let mut changed = network.clone();
            changed.decoder[index] = to.clone();
            if infer(&changed).output_equals_input == Some(true) {
                let change = Change { place: Place::new(Stack::Decoder, index), from: Some(from), to: Some(to) };
                solutions.push(Solution { changes: vec![change], network: changed, edits: 1, note: "exact".into() });
            }
        }
    }
    let message = format!("{} solutions", solutions.len());
    Solved { solutions, message }
}

/// The decoder that mirrors an encoder of convolutions with stride 2.
pub fn mirror(network: &Network) -> Result<Solution, ShapeError> {
    let mut changed = network.clone();
    changed.decoder = network.encoder.iter().rev().map(|_| Node::from_text("convt 3 k4 s2 p1")).collect();
    if infer(&changed).output_equals_input == Some(true) {
        return Ok(Solution { changes: Vec::new(), network: changed, edits: 1, note: "exact".into() });
    }
    Err(ShapeError::new("the stand-in cannot mirror this"))
}
