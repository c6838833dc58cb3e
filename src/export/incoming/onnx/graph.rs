//! The nodes of a file with what goes where. Values that only shapes are computed from are set apart.

use super::super::IncomingError;
use super::constants::{Constant, computed};
use super::reader::State;
use onnx_rs::ast::{Attribute, Dimension, Model, Node, ValueInfo};
use std::collections::{HashMap, HashSet};

/// The file's graph.
pub(super) struct Graph<'a> {
    pub nodes: Vec<&'a Node<'a>>,
    /// By name.
    constants: HashMap<&'a str, Constant>,
    /// The node that gives a value.
    makers: HashMap<&'a str, usize>,
    /// The nodes that take a value which depends on the input, in their order; a node that takes it twice comes twice.
    takers: HashMap<&'a str, Vec<usize>>,
    inputs: Vec<&'a ValueInfo<'a>>,
    pub outputs: Vec<&'a str>,
}

impl<'a> Graph<'a> {
    pub fn new(model: &'a Model<'a>) -> Result<Graph<'a>, IncomingError> {
        let file = |text: &str| IncomingError::File(text.to_owned());
        let graph = model
            .graph
            .as_ref()
            .ok_or_else(|| file("the ONNX file has no graph"))?;
        let mut constants = HashMap::new();
        for tensor in &graph.initializer {
            if !tensor.external_data().is_empty() {
                return Err(file(
                    "the weights are in another file beside it; export it again with the weights inside",
                ));
            }
            constants.extend(Constant::of(tensor).map(|constant| (tensor.name(), constant)));
        }
        let mut made = Graph {
            nodes: Vec::new(),
            constants,
            makers: HashMap::new(),
            takers: HashMap::new(),
            inputs: graph.non_init_inputs(),
            outputs: graph.output.iter().map(|value| value.name).collect(),
        };
        made.connect(&graph.node);
        Ok(made)
    }

    fn connect(&mut self, nodes: &'a [Node<'a>]) {
        // What is computed of shapes alone.
        let mut of_shapes: HashSet<&str> = HashSet::new();
        for node in nodes {
            if self.is_constant(node) {
                continue;
            }
            let depends = |name: &&&str| !name.is_empty() && !self.constants.contains_key(**name);
            let mut inputs = node.input.iter().filter(depends).peekable();
            let is_of_shapes = node.op_type.as_str() == "Shape"
                || (inputs.peek().is_some() && inputs.all(|name| of_shapes.contains(*name)));
            if is_of_shapes {
                of_shapes.extend(node.output.iter().copied());
                continue;
            }
            let index = self.nodes.len();
            self.nodes.push(node);
            for name in node.output.iter().copied().filter(|name| !name.is_empty()) {
                self.makers.insert(name, index);
            }
            for name in node.input.iter().copied().filter(|name| !name.is_empty()) {
                if !self.constants.contains_key(name) && !of_shapes.contains(name) {
                    self.takers.entry(name).or_default().push(index);
                }
            }
        }
    }

    /// Takes in a node that gives numbers whatever the input is.
    fn is_constant(&mut self, node: &'a Node<'a>) -> bool {
        let Some(&output) = node.output.first() else {
            return false;
        };
        let found = match node.op_type.as_str() {
            "Constant" => {
                let attribute = node.attribute.first();
                attribute.and_then(|attribute| match attribute.name {
                    "value" => attribute.t.as_ref().and_then(Constant::of),
                    "value_float" => Some(Constant::vector(vec![attribute.f])),
                    "value_int" => Some(Constant::vector(vec![attribute.i as f32])),
                    "value_floats" => Some(Constant::vector(attribute.floats.clone())),
                    "value_ints" => Some(Constant::vector(
                        attribute.ints.iter().map(|&value| value as f32).collect(),
                    )),
                    _ => None,
                })
            }
            _ => {
                let inputs = node.input.iter().filter(|name| !name.is_empty());
                let known: Option<Vec<&Constant>> =
                    inputs.map(|name| self.constants.get(name)).collect();
                known.and_then(|known| computed(node, &known))
            }
        };
        let is_constant = found.is_some() || node.op_type.as_str() == "Constant";
        self.constants
            .extend(found.map(|constant| (output, constant)));
        is_constant
    }

    /// The file's input, and what its images are like. Channels are last where the first thing that is done is to put
    /// them first.
    pub fn input(&self) -> Result<(String, State), IncomingError> {
        let [input] = self.inputs.as_slice() else {
            return Err(IncomingError::File(format!(
                "the network has {} inputs; a project has one",
                self.inputs.len()
            )));
        };
        let shape = input
            .tensor_shape()
            .map(|shape| &shape.dim[..])
            .unwrap_or_default();
        let dims: Option<Vec<usize>> = shape
            .iter()
            .skip(1)
            .map(|dim| match dim.value {
                Dimension::Value(size) => usize::try_from(size).ok().filter(|size| *size > 0),
                Dimension::Param(_) => None,
            })
            .collect();
        let mut dims = dims.filter(|dims| !dims.is_empty()).ok_or_else(|| {
            IncomingError::File(format!(
                "the size of the input {} is left open; export it with the size of one image",
                input.name
            ))
        })?;
        let turned = last_to_first(dims.len() + 1);
        let is_last = dims.len() > 1 && self.first_turn(input.name) == Some(turned);
        if is_last {
            dims.rotate_right(1);
        }
        let state = State {
            dims,
            is_last,
            flattened: None,
        };
        Ok((input.name.to_owned(), state))
    }

    /// How the axes of a value are exchanged before anything else is done with it.
    fn first_turn(&self, value: &str) -> Option<Vec<i64>> {
        let mut value = value;
        loop {
            let node = self.nodes[*self.takers(value).first()?];
            match node.op_type.as_str() {
                "Identity" | "Cast" => value = node.output.first().copied()?,
                "Transpose" => return ints(node, "perm"),
                _ => return None,
            }
        }
    }

    /// The constant that a node takes in a place.
    pub fn taken(&self, node: &Node<'_>, place: usize) -> Option<&Constant> {
        node.input
            .get(place)
            .and_then(|name| self.constants.get(*name))
    }

    pub fn takers(&self, name: &str) -> &[usize] {
        self.takers.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The values that a node computes with and that depend on the input.
    pub fn values(&self, node: &Node<'a>, index: usize) -> Vec<&'a str> {
        let is_taken = |name: &&&str| self.takers(name).contains(&index);
        node.input.iter().filter(is_taken).copied().collect()
    }

    /// The nodes from a value to another, in their order; empty where one is the other or nothing leads there.
    pub fn between(&self, from: &str, to: &str) -> Vec<usize> {
        let mut wanted = vec![false; self.nodes.len()];
        let mut open = vec![to];
        while let Some(value) = open.pop() {
            if value == from {
                continue;
            }
            let Some(&maker) = self.makers.get(value) else {
                continue;
            };
            if !std::mem::replace(&mut wanted[maker], true) {
                open.extend(self.values(self.nodes[maker], maker));
            }
        }
        // Of those that lead to it the ones that come from there.
        let mut reached: HashSet<&str> = HashSet::from([from]);
        let mut found = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let comes = self
                .values(node, index)
                .iter()
                .any(|value| reached.contains(value));
            if wanted[index] && comes {
                reached.extend(node.output.iter().copied());
                found.push(index);
            }
        }
        found
    }
}

/// The attribute of this name.
pub(super) fn attribute<'n>(node: &'n Node<'_>, name: &str) -> Option<&'n Attribute<'n>> {
    node.attribute
        .iter()
        .find(|attribute| attribute.name == name)
}

pub(super) fn ints(node: &Node<'_>, name: &str) -> Option<Vec<i64>> {
    attribute(node, name).map(|attribute| attribute.ints.clone())
}

pub(super) fn int(node: &Node<'_>, name: &str, usual: i64) -> i64 {
    attribute(node, name).map_or(usual, |attribute| attribute.i)
}

pub(super) fn float(node: &Node<'_>, name: &str, usual: f32) -> f32 {
    attribute(node, name).map_or(usual, |attribute| attribute.f)
}

pub(super) fn text<'n>(node: &'n Node<'_>, name: &str) -> Option<&'n str> {
    attribute(node, name).and_then(|attribute| std::str::from_utf8(attribute.s).ok())
}

/// The permutation that puts the channels of so many axes first.
pub(super) fn last_to_first(axes: usize) -> Vec<i64> {
    let last = axes as i64 - 1;
    [0, last].into_iter().chain(1..last).collect()
}

/// The one that puts them last.
pub(super) fn first_to_last(axes: usize) -> Vec<i64> {
    [0].into_iter().chain(2..axes as i64).chain([1]).collect()
}
