//! A project as the rules of advice see it: lists of nodes that follow each other, and what each is.

use crate::checks::project_check::{Problem, found};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use strata_core::project::layer::{Kind, Layer};
use strata_core::project::node::Node;
use strata_core::project::stage::Stage;
use strata_core::project::{Place, Project, Stack};
use strata_core::shape::budget::MAX_DEPTH;
use strata_core::shape::infer::{Inference, Row};
use strata_core::shape::layers::Linearity;
use strata_core::shape::op::{Plan, Planned, PlannedLayer};

/// What the rules look at.
pub struct Case<'a> {
    pub project: &'a Project,
    pub inference: &'a Inference,
    rows: BTreeMap<&'a Place, &'a Row>,
    /// Every list of nodes: the stacks, the branches of blocks, what is repeated.
    pub lists: Vec<List<'a>>,
    problems: OnceCell<Vec<Problem>>,
}

/// Networks with more rows are not inferred again for every fix that could be.
const MANY_ROWS: usize = 400;

/// Nodes that follow each other.
pub struct List<'a> {
    stack: Stack,
    way: Vec<usize>,
    pub nodes: &'a [Node],
    /// The last node is followed by the first.
    pub repeats: bool,
}

impl<'a> List<'a> {
    pub fn place(&self, index: usize) -> Place {
        let path = self.way.iter().copied().chain([index]).collect();
        Place {
            stack: self.stack,
            path,
        }
    }

    /// The layer at an index; `None` for blocks and what cannot be read.
    pub fn layer(&self, index: usize) -> Option<&'a Layer> {
        layer(self.nodes.get(index)?)
    }

    pub fn kind(&self, index: usize) -> Option<&'a Kind> {
        self.layer(index).map(|layer| &layer.kind)
    }
}

fn layer(node: &Node) -> Option<&Layer> {
    match node {
        Node::Layer(layer) => Some(layer),
        _ => None,
    }
}

impl<'a> Case<'a> {
    pub fn new(project: &'a Project, inference: &'a Inference) -> Case<'a> {
        let mut lists = Vec::new();
        for stack in Stack::ALL {
            collect(
                stack,
                Vec::new(),
                project.network.stack(stack),
                false,
                &mut lists,
            );
        }
        let rows = inference.rows.iter().map(|row| (&row.place, row)).collect();
        Case {
            project,
            inference,
            rows,
            lists,
            problems: OnceCell::new(),
        }
    }

    /// The project's problems, without the ways that solving finds.
    pub fn problems(&self) -> &[Problem] {
        self.problems
            .get_or_init(|| found(self.project, self.inference))
    }

    /// Whether trying an edit takes long.
    pub(crate) fn is_large(&self) -> bool {
        self.inference.rows.len() > MANY_ROWS
    }

    /// The row of a layer.
    pub fn row(&self, place: &Place) -> Option<&'a Row> {
        self.rows.get(place).copied()
    }

    /// The list of a whole stack.
    pub fn stack(&self, stack: Stack) -> Option<&List<'a>> {
        self.lists
            .iter()
            .find(|list| list.stack == stack && list.way.is_empty())
    }

    /// The first stage for which this holds.
    pub fn stage(&self, holds: impl Fn(&Stage) -> bool) -> Option<usize> {
        self.project.stages.iter().position(holds)
    }

    /// What pixel 0 and pixel 255 become; `None` when normalised by channel.
    pub fn pixels(&self) -> Option<[f32; 2]> {
        match &self.project.data.normalize {
            Some(_) => None,
            None => Some(self.project.data.range.unwrap_or([0.0, 1.0])),
        }
    }

    /// The resolved layers in the order they run, each place once.
    pub fn planned(&self) -> Vec<&'a PlannedLayer> {
        let mut layers = Vec::new();
        let stacks = self
            .inference
            .plan
            .iter()
            .flat_map(|plan: &Plan| plan.stacks.iter().flatten());
        stacks.for_each(|nodes| flatten(nodes, &mut layers));
        let mut seen = BTreeSet::new();
        layers.retain(|layer| seen.insert(&layer.place));
        layers
    }
}

fn collect<'a>(
    stack: Stack,
    way: Vec<usize>,
    nodes: &'a [Node],
    repeats: bool,
    lists: &mut Vec<List<'a>>,
) {
    if way.len() > 2 * MAX_DEPTH {
        return;
    }
    for (index, node) in nodes.iter().enumerate() {
        let repeats = matches!(node, Node::Repeat { times: 2.., .. });
        for (branch, inside) in node.branches().iter().enumerate() {
            let way = way.iter().copied().chain([index, branch]).collect();
            collect(stack, way, inside, repeats, lists);
        }
    }
    lists.push(List {
        stack,
        way,
        nodes,
        repeats,
    });
}

fn flatten<'a>(nodes: &'a [Planned], found: &mut Vec<&'a PlannedLayer>) {
    for node in nodes {
        match node {
            Planned::Layer(layer) => found.push(layer),
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                branches.iter().for_each(|branch| flatten(branch, found));
            }
            // Later passes have the same layers.
            Planned::Repeat { passes, .. } => passes
                .first()
                .into_iter()
                .for_each(|pass| flatten(pass, found)),
        }
    }
}

/// Whether the layer multiplies with weights and adds up.
pub(crate) fn is_linear(kind: &Kind) -> bool {
    kind.linearity() == Linearity::Weighted
}

/// Whether the layer normalises by the statistics of a batch.
pub(crate) fn is_batch_norm(kind: &Kind) -> bool {
    matches!(kind, Kind::BatchNorm)
}

/// Whether the layer only drops values at random.
pub(crate) fn is_dropout(kind: &Kind) -> bool {
    matches!(kind, Kind::Dropout { p } | Kind::DropoutChannels { p } if *p > 0.0)
}
