//! Fast shape propagation: only the output shape, without rows, costs or a plan.
//!
//! Quick enough to be asked for hundreds of inputs, and where a path is recorded, the ground that explanations
//! build on. It uses inference's own rules, pairing and limits; where inference has an error there is no shape.

use super::axis_rule::{AxisRule, rules};
use super::blocks as join;
use super::budget::{MAX_DEPTH, MAX_LAYERS, unrolled};
use super::op::Op;
use super::partial_shape::PartialShape;
use super::pool_pairing::{Pool, Pools};
use super::rules::{Context, Resolved, resolve};
use crate::project::layer::{Kind, Layer};
use crate::project::node::Node;
use crate::project::size::Shape;
use crate::project::{Network, Place, Stack};

/// A layer that was passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Where it is.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// What it does; `None` for the end of a block.
    pub kind: Option<Kind>,
    /// The shape it got.
    pub before: Shape,
    /// The shape it gave.
    pub after: Shape,
    /// Axis by axis; empty where space ends or begins.
    pub rules: Vec<AxisRule>,
}

/// What was passed: a layer, or branches.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A layer.
    Layer(Link),
    /// Branches on one input.
    Branches {
        /// The block's place.
        place: Place,
        /// `add of 2 branches`
        label: String,
        /// The branches' input.
        input: Shape,
        /// What was passed in each.
        branches: Vec<Vec<Item>>,
        /// The shape they gave each; `None` for one with an error.
        outputs: Vec<Option<Shape>>,
        /// The shape of the whole, unless there is an error.
        output: Option<Shape>,
    },
}

/// The walk.
pub struct ShapePropagator {
    pools: Pools,
    slots: usize,
    stack: Stack,
    path: Vec<usize>,
    /// Layers that may still be unrolled.
    budget: u64,
}

impl Default for ShapePropagator {
    fn default() -> ShapePropagator {
        let (pools, path) = (Pools::default(), Vec::new());
        ShapePropagator {
            pools,
            slots: 0,
            stack: Stack::Encoder,
            path,
            budget: MAX_LAYERS,
        }
    }
}

/// Where what was passed is recorded, if it is.
type Record<'a> = Option<&'a mut Vec<Item>>;

impl ShapePropagator {
    /// Passes a shape through one of a network's stacks.
    pub fn stack(
        &mut self,
        network: &Network,
        stack: Stack,
        shape: Shape,
        record: Record<'_>,
    ) -> Option<Shape> {
        self.stack = stack;
        self.nodes(network.stack(stack), shape, record)
    }

    fn nodes(&mut self, nodes: &[Node], mut shape: Shape, mut record: Record<'_>) -> Option<Shape> {
        for (index, node) in nodes.iter().enumerate() {
            self.path.push(index);
            let next = self.node(node, &shape, record.as_deref_mut());
            self.path.pop();
            shape = next?;
        }
        Some(shape)
    }

    fn node(&mut self, node: &Node, shape: &Shape, record: Record<'_>) -> Option<Shape> {
        if !self.is_allowed(node) {
            return None;
        }
        match node {
            Node::Layer(layer) => self.layer(layer, shape, record),
            Node::Broken { .. } => None,
            Node::Add(branches) => self.branches(node, branches, shape, join::add, record),
            Node::Concat(branches) => self.branches(node, branches, shape, join::concat, record),
            Node::Repeat { times: 0, .. } => None,
            Node::Repeat { times, layers } => self.repeat(*times, layers, shape, record),
        }
    }

    /// Inference's limits.
    fn is_allowed(&mut self, node: &Node) -> bool {
        let depth = self.path.len() / 2;
        if !node.branches().is_empty() && depth >= MAX_DEPTH {
            return false;
        }
        if depth > 0 {
            return true;
        }
        let needed = unrolled(node);
        let fits = needed <= self.budget;
        self.budget = self.budget.saturating_sub(needed);
        fits
    }

    fn layer(&mut self, layer: &Layer, shape: &Shape, record: Record<'_>) -> Option<Shape> {
        let paired = match layer.kind {
            Kind::Unpool => self.pools.pair(layer.name.as_deref()),
            _ => None,
        };
        let context = Context {
            slot: self.slots,
            paired: paired.as_ref(),
            name: layer.name.as_deref(),
        };
        let Resolved { op, output } = resolve(&layer.kind, shape, &context).ok()?;
        if let Op::MaxPool { geometry, .. } = &op {
            self.pools.push(Pool {
                slot: self.slots,
                name: layer.name.clone(),
                place: self.place(),
                text: String::new(),
                input: PartialShape::of(shape),
                output: PartialShape::of(&output),
                geometry: Some(*geometry),
            });
            self.slots += 1;
        }
        if let Some(record) = record {
            record.push(Item::Layer(Link {
                place: self.place(),
                text: layer.to_string(),
                kind: Some(layer.kind.clone()),
                before: shape.clone(),
                after: output.clone(),
                rules: rules(&layer.kind, &op, shape.rank()),
            }));
        }
        Some(output)
    }

    fn place(&self) -> Place {
        Place {
            stack: self.stack,
            path: self.path.clone(),
        }
    }

    fn branches(
        &mut self,
        node: &Node,
        branches: &[Vec<Node>],
        shape: &Shape,
        join: fn(&[PartialShape]) -> Result<PartialShape, super::error::ShapeError>,
        record: Record<'_>,
    ) -> Option<Shape> {
        let mut passed: Vec<Vec<Item>> = Vec::new();
        let mut outputs = Vec::new();
        for (branch, nodes) in branches.iter().enumerate() {
            let mut items = Vec::new();
            self.path.push(branch);
            outputs.push(self.nodes(nodes, shape.clone(), record.is_some().then_some(&mut items)));
            self.path.pop();
            passed.push(items);
        }
        let outlines: Option<Vec<PartialShape>> = outputs
            .iter()
            .map(|output| output.as_ref().map(PartialShape::of))
            .collect();
        let output = outlines
            .and_then(|outlines| join(&outlines).ok())
            .and_then(|outline| outline.full());
        if let Some(record) = record {
            let (place, label, input) = (self.place(), node.label(), shape.clone());
            record.push(Item::Branches {
                place,
                label,
                input,
                branches: passed,
                outputs,
                output: output.clone(),
            });
        }
        output
    }

    fn repeat(
        &mut self,
        times: u32,
        layers: &[Node],
        shape: &Shape,
        mut record: Record<'_>,
    ) -> Option<Shape> {
        let mut shape = shape.clone();
        for _ in 0..times {
            let slots = self.slots;
            self.path.push(0);
            let next = self.nodes(layers, shape.clone(), record.as_deref_mut());
            self.path.pop();
            let next = next?;
            // A pass that changes nothing is followed by others that don't.
            let settled =
                next == shape && slots == self.slots && record.is_none() && !has_unpool(layers);
            shape = next;
            if settled {
                break;
            }
        }
        Some(shape)
    }
}

fn has_unpool(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Layer(layer) => layer.kind == Kind::Unpool,
        Node::Repeat { .. } | Node::Add(_) | Node::Concat(_) | Node::Broken { .. } => {
            node.branches().iter().any(|branch| has_unpool(branch))
        }
    })
}

/// Whether a network works on this input: with a decoder, whether its output equals the input; else whether
/// encoder and head are without error. The same verdict as inference's.
pub fn works(network: &Network, input: &Shape) -> bool {
    let mut through = ShapePropagator::default();
    let Some(code) = through.stack(network, Stack::Encoder, input.clone(), None) else {
        return false;
    };
    let stack = if network.decoder.is_empty() {
        Stack::Head
    } else {
        Stack::Decoder
    };
    let output = through.stack(network, stack, code, None);
    output.is_some_and(|output| network.decoder.is_empty() || output == *input)
}
