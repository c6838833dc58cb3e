//! Follows a graph from value to value and gathers the layers on the way.

use super::super::IncomingError;
use super::graph::Graph;
use super::{Step, layers, makes_a_vector, patterns};
use candle_core::Tensor;
use onnx_rs::ast::Node;
use strata_core::project::layer::{Kind, Layer};

/// What a value is like.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    /// The sizes of one image, channels first; of a vector one.
    pub dims: Vec<usize>,
    /// Whether the file has its channels last.
    pub is_last: bool,
    /// What a vector was made of whose numbers are in the order of channels last.
    pub flattened: Option<Vec<usize>>,
}

/// A layer or a block of branches.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Step(Step),
    Add(Vec<Vec<(Part, State)>>),
    Concat(Vec<Vec<(Part, State)>>),
}

/// Layers one after the other, each with what it gives.
pub(super) type Parts = Vec<(Part, State)>;

pub(super) struct Reader<'a> {
    pub graph: &'a Graph<'a>,
    /// What is worth knowing of how it was read.
    pub notes: Vec<String>,
}

impl<'a> Reader<'a> {
    pub fn new(graph: &'a Graph<'a>) -> Reader<'a> {
        Reader {
            graph,
            notes: Vec::new(),
        }
    }

    /// Encoder, decoder and head.
    pub fn network(&mut self, input: &str, state: State) -> Result<[Parts; 3], IncomingError> {
        let graph = self.graph;
        match graph.outputs.as_slice() {
            [output] => {
                let parts = self.sequence(input, output, state.clone())?;
                Ok(self.split(parts, &state))
            }
            [one, other] => self.forked(input, [one, other], state),
            outputs => Err(IncomingError::File(format!(
                "the network has {} outputs; a project has a reconstruction and an answer",
                outputs.len()
            ))),
        }
    }

    /// Where the one output is an image like the input, layers behind the smallest value are the decoder; where it is a
    /// vector, the layers from the first vector on are the head.
    fn split(&mut self, mut parts: Parts, input: &State) -> [Parts; 3] {
        let Some((_, last)) = parts.last() else {
            return [parts, Vec::new(), Vec::new()];
        };
        if last.dims.len() == 1 {
            let vector = parts.iter().position(|(part, _)| makes_a_vector(part));
            let head = parts.split_off(vector.unwrap_or(0));
            return [parts, Vec::new(), head];
        }
        if last.dims != input.dims {
            let text = "it gives neither a vector nor an image of the input's size: it can be looked at, not trained";
            self.notes.push(text.to_owned());
            return [parts, Vec::new(), Vec::new()];
        }
        let size = |(_, state): &(Part, State)| state.dims.iter().product::<usize>();
        let within = &parts[..parts.len() - 1];
        let smallest = within.iter().map(size).min().unwrap_or(0);
        let at = within.iter().rposition(|part| size(part) == smallest);
        let decoder = parts.split_off(at.map_or(0, |at| at + 1));
        [parts, decoder, Vec::new()]
    }

    /// A network with two outputs: what they have in common is the encoder.
    fn forked(
        &mut self,
        input: &str,
        outputs: [&str; 2],
        state: State,
    ) -> Result<[Parts; 3], IncomingError> {
        let graph = self.graph;
        let [one, other] = outputs.map(|output| graph.between(input, output));
        let common = one.iter().rfind(|node| {
            let values = &graph.nodes[**node].output;
            other.contains(node)
                && values
                    .first()
                    .is_some_and(|value| self.leads_all(value, &one, &other))
        });
        let fork = common.and_then(|&node| graph.nodes[node].output.first().copied());
        let fork = fork.unwrap_or(input);
        let encoder = self.sequence(input, fork, state.clone())?;
        let at = encoder
            .last()
            .map_or(state.clone(), |(_, state)| state.clone());
        let mut stacks = Vec::new();
        for output in outputs {
            stacks.push(self.sequence(fork, output, at.clone())?);
        }
        let gives_image =
            |parts: &Parts| parts.last().is_some_and(|(_, end)| end.dims == state.dims);
        // The decoder is the one that gives an image like the input; where neither does, the first.
        if let [first, second] = stacks.as_slice()
            && !gives_image(first)
            && gives_image(second)
        {
            stacks.reverse();
        }
        let head = stacks.pop().unwrap_or_default();
        let decoder = stacks.pop().unwrap_or_default();
        Ok([encoder, decoder, head])
    }

    /// Whether everything behind the nodes that both outputs need goes through a value.
    fn leads_all(&self, value: &str, one: &[usize], other: &[usize]) -> bool {
        let taken = |index: &usize| self.graph.takers(value).contains(index);
        one.iter().any(taken) && other.iter().any(taken)
    }

    /// The layers from a value to another.
    pub fn sequence(&mut self, from: &str, to: &str, state: State) -> Result<Parts, IncomingError> {
        let mut parts: Parts = Vec::new();
        let (mut value, mut state) = (from.to_owned(), state);
        while value != to {
            let within = self.graph.between(&value, to);
            let takers: Vec<usize> = within
                .iter()
                .copied()
                .filter(|index| self.graph.takers(&value).contains(index))
                .collect();
            let Some(&first) = takers.first() else {
                return Err(IncomingError::File(format!(
                    "nothing leads from {value} to {to}"
                )));
            };
            let node = self.graph.nodes[first];
            let is_alone = takers.len() == 1 && self.graph.values(node, first).len() == 1;
            if is_alone {
                let last = match patterns::several(self, node, &mut state, &mut parts)? {
                    Some(last) => last,
                    None => {
                        layers::read(self, node, &mut state, &mut parts)?;
                        node
                    }
                };
                value = output_of(last).to_owned();
                continue;
            }
            let join = self.join(&value, &within)?;
            let node = self.graph.nodes[join];
            if !patterns::read(self, &value, join, &mut state, &mut parts)? {
                state = self.block(&value, join, &state, &mut parts)?;
            }
            value = output_of(node).to_owned();
        }
        // Axes that are exchanged behind the last layer are no layer.
        if let Some((_, end)) = parts.last_mut() {
            *end = state;
        }
        Ok(parts)
    }

    /// The first node that everything from a value leads to.
    fn join(&self, value: &str, within: &[usize]) -> Result<usize, IncomingError> {
        let taken = |name: &str| {
            let takers = self.graph.takers(name).iter();
            takers.filter(|taker| within.contains(taker)).count()
        };
        let mut open = taken(value);
        for &index in within {
            let node = self.graph.nodes[index];
            let values = self.graph.values(node, index);
            let comes = |name: &&&str| **name == value || self.is_made(name, within);
            open = open.saturating_sub(values.iter().filter(comes).count());
            if open == 0 {
                return Ok(index);
            }
            open += node.output.iter().map(|name| taken(name)).sum::<usize>();
        }
        Err(IncomingError::File(format!(
            "the ways from {value} on never meet again"
        )))
    }

    fn is_made(&self, name: &str, within: &[usize]) -> bool {
        let makes = |index: &usize| self.graph.nodes[*index].output.contains(&name);
        within.iter().any(makes)
    }

    /// The block of the branches that meet in a node.
    fn block(
        &mut self,
        value: &str,
        join: usize,
        state: &State,
        parts: &mut Parts,
    ) -> Result<State, IncomingError> {
        let node = self.graph.nodes[join];
        let operator = node.op_type.as_str();
        if !["Add", "Sum", "Concat"].contains(&operator) {
            return Err(refused(
                node,
                "branches are added or joined along channels here, nothing else",
            ));
        }
        let mut branches = Vec::new();
        for end in self.graph.values(node, join) {
            branches.push(self.sequence(value, end, state.clone())?);
        }
        let ends: Vec<State> = branches
            .iter()
            .map(|branch| branch.last().map_or(state.clone(), |(_, end)| end.clone()))
            .collect();
        let mut end = ends.first().cloned().unwrap_or(state.clone());
        if ends
            .iter()
            .any(|other| other.is_last != end.is_last || other.dims[1..] != end.dims[1..])
        {
            return Err(refused(node, "its branches have other sizes"));
        }
        if operator == "Concat" {
            let rank = end.dims.len() as i64 + 1;
            let axis = super::graph::int(node, "axis", 1).rem_euclid(rank);
            let channels = if end.is_last { rank - 1 } else { 1 };
            if axis != channels {
                return Err(refused(node, "branches are joined along channels alone"));
            }
            end.dims[0] = ends.iter().map(|other| other.dims[0]).sum();
        }
        let part = match operator {
            "Concat" => Part::Concat(branches),
            _ => Part::Add(branches),
        };
        parts.push((part, end.clone()));
        Ok(end)
    }
}

/// The value that a node gives.
pub(super) fn output_of<'n>(node: &Node<'n>) -> &'n str {
    node.output.first().copied().unwrap_or_default()
}

pub(super) fn refused(node: &Node<'_>, reason: impl Into<String>) -> IncomingError {
    let name = if node.name.is_empty() {
        output_of(node)
    } else {
        node.name
    };
    IncomingError::Node {
        node: name.to_owned(),
        operator: node.op_type.as_str().to_owned(),
        reason: reason.into(),
    }
}

/// Adds a layer from its text.
pub(super) fn push(
    node: &Node<'_>,
    text: &str,
    weights: Vec<(&'static str, Tensor)>,
    state: &State,
    parts: &mut Parts,
) -> Result<(), IncomingError> {
    let layer: Layer = text
        .parse()
        .map_err(|_| refused(node, format!("{text} is no layer here")))?;
    parts.push((Part::Step(Step { layer, weights }), state.clone()));
    Ok(())
}

/// The last layer, where it is one.
pub(super) fn last(parts: &mut Parts) -> Option<(&mut Step, &mut State)> {
    match parts.last_mut() {
        Some((Part::Step(step), state)) => Some((step, state)),
        _ => None,
    }
}

/// Whether no value of the last layer is below 0.
pub(super) fn is_positive(parts: &Parts) -> bool {
    use strata_core::project::layer::Activation;
    match parts.last() {
        Some((Part::Step(step), _)) => matches!(
            step.layer.kind,
            Kind::Activation(Activation::Relu | Activation::Relu6 | Activation::Sigmoid)
        ),
        _ => false,
    }
}
