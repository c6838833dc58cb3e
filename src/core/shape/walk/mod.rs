//! The walk over nodes: carries what is known of the tensor through layers and blocks, fills the
//! rows and builds the plan.
//!
//! Every node is entered (a row is made, or found again in a later pass of a repeat), stepped
//! through and left (costs and errors go into the row). The amount of work is bounded before it
//! starts, by [`super::budget`].

mod blocks;
mod layers;
mod rows;

use crate::project::help::{Help, Repair};
use crate::project::node::Node;
use crate::project::size::Shape;
use crate::project::{Place, Stack};
use crate::shape::blocks as join;
use crate::shape::budget::MAX_LAYERS;
use crate::shape::cost::Cost;
use crate::shape::error::ShapeError;
use crate::shape::field::Field;
use crate::shape::infer::Row;
use crate::shape::op::Planned;
use crate::shape::partial_shape::PartialShape;
use crate::shape::pool_pairing::Pools;
use std::fmt::Write;

/// The tensor on its way: its shape as far as known, and what of the input it sees.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub outline: PartialShape,
    pub field: Option<Field>,
}

impl Flow {
    /// At the network's input.
    pub fn start(input: &Shape) -> Flow {
        Flow {
            outline: PartialShape::of(input),
            field: Some(Field::start(input)),
        }
    }

    fn after_error(outline: PartialShape) -> Flow {
        Flow {
            outline,
            field: None,
        }
    }
}

/// The output of a run of nodes; `planned` is `None` when one has an error or an unknown shape.
pub(super) struct Outcome {
    pub flow: Flow,
    pub planned: Option<Vec<Planned>>,
}

impl Outcome {
    /// The shape, if it is known; an error may come before it.
    pub fn shape(&self) -> Option<Shape> {
        self.flow.outline.full()
    }
}

/// The output of one node.
struct Step {
    flow: Flow,
    planned: Option<Planned>,
    error: Option<ShapeError>,
}

impl Step {
    fn failed(outline: PartialShape, error: Option<ShapeError>) -> Step {
        Step {
            flow: Flow::after_error(outline),
            planned: None,
            error,
        }
    }
}

/// Where the walk is.
#[derive(Default)]
struct At {
    stack: Option<Stack>,
    /// Indices of the place: index, branch, index, …
    path: Vec<usize>,
    /// The same with the pass of a repeat instead of its branch.
    key: Vec<usize>,
}

impl At {
    fn place(&self) -> Place {
        Place {
            stack: self.stack.unwrap_or(Stack::Encoder),
            path: self.path.clone(),
        }
    }

    fn key(&self) -> String {
        let mut key = self.stack.unwrap_or(Stack::Encoder).name().to_owned();
        for part in &self.key {
            // Writing to a string can't fail.
            let _ = write!(key, ".{part}");
        }
        key
    }

    fn depth(&self) -> usize {
        self.path.len() / 2
    }

    fn push(&mut self, path: usize, key: usize) {
        self.path.push(path);
        self.key.push(key);
    }

    fn pop(&mut self) {
        self.path.pop();
        self.key.pop();
    }
}

/// The state of the walk.
pub(super) struct Walker {
    pub rows: Vec<Row>,
    /// Sums so far, every layer of every pass once.
    pub cost: Cost,
    /// Layers so far, repeats unrolled.
    pub layers: u64,
    pub pools: Pools,
    pub slots: usize,
    input: Option<Shape>,
    /// The row that the next node gets; behind the end of `rows` except in later passes.
    cursor: usize,
    at: At,
    /// Errors so far, to see whether a pass had one.
    errors: usize,
    /// Passes of the repeats the walk is in, as (pass, times).
    passes: Vec<(usize, u32)>,
    /// Layers that may still be unrolled.
    budget: u64,
    overspent: bool,
    /// Only rows are made, nothing is inferred.
    listing: bool,
}

impl Default for Walker {
    fn default() -> Walker {
        Walker {
            rows: Vec::new(),
            cost: Cost::default(),
            layers: 0,
            pools: Pools::default(),
            slots: 0,
            input: None,
            cursor: 0,
            at: At::default(),
            errors: 0,
            passes: Vec::new(),
            budget: MAX_LAYERS,
            overspent: false,
            listing: false,
        }
    }
}

impl Walker {
    /// Walks one of the three stacks.
    pub fn stack(&mut self, stack: Stack, nodes: &[Node], flow: Flow, input: &Shape) -> Outcome {
        self.at = At {
            stack: Some(stack),
            ..At::default()
        };
        self.input = Some(input.clone());
        self.nodes(nodes, flow)
    }

    fn nodes(&mut self, nodes: &[Node], flow: Flow) -> Outcome {
        let mut outcome = Outcome {
            flow,
            planned: Some(Vec::with_capacity(nodes.len())),
        };
        for (index, node) in nodes.iter().enumerate() {
            self.at.push(index, index);
            let step = self.node(node, outcome.flow);
            self.at.pop();
            outcome.flow = step.flow;
            outcome.planned = outcome
                .planned
                .zip(step.planned)
                .map(|(mut planned, next)| {
                    planned.push(next);
                    planned
                });
        }
        outcome
    }

    fn node(&mut self, node: &Node, flow: Flow) -> Step {
        let fresh = self.cursor == self.rows.len();
        let row = self.enter(node, &flow);
        let before = self.cost;
        let mut step = match self.refusal(node) {
            None => self.step(node, flow),
            Some(error) => self.list(node.branches(), error),
        };
        self.leave(row, fresh, before, &mut step);
        step
    }

    fn step(&mut self, node: &Node, flow: Flow) -> Step {
        match node {
            Node::Layer(layer) => self.layer(layer, flow),
            Node::Broken { error, .. } => {
                self.pools.uncertain = true;
                Step::failed(PartialShape::UNKNOWN, Some(ShapeError::from(error)))
            }
            Node::Add(branches) => self.branches(branches, flow, join::add, |place, branches| {
                Planned::Add { place, branches }
            }),
            Node::Concat(branches) => {
                self.branches(branches, flow, join::concat, |place, branches| {
                    Planned::Concat { place, branches }
                })
            }
            Node::Repeat { times: 0, .. } => {
                let error = ShapeError::new("a block repeated 0 times is nothing");
                self.list(
                    node.branches(),
                    Some(
                        error
                            .help(Help::from(Repair::Remove).remark(", or repeat it once or more")),
                    ),
                )
            }
            Node::Repeat { times, layers } => self.repeat(*times, layers, flow),
        }
    }
}
