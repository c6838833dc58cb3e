//! A sequence of the layers of a plan: which of them are computed as one.

use super::{Node, Sequence};
use crate::fusion_rules::{self, Follower, Followers};
use crate::layers::join::{Join, JoinKind};
use crate::layers::{Result, build};
use crate::network::Builder;
use strata_core::project::layer::Activation;
use strata_core::shape::op::{Op, Planned, PlannedLayer};

/// The layer that may do more than its own work, while a sequence is built.
struct Head<'a> {
    at: usize,
    op: &'a Op,
    followers: Followers<'a>,
}

impl<'a> Head<'a> {
    fn new(at: usize, op: &'a Op) -> Head<'a> {
        let followers = Followers::default();
        Head { at, op, followers }
    }

    /// The node that takes over the layer that comes next, where it can.
    fn add(&mut self, next: &'a PlannedLayer) -> Option<(usize, Follower<'a>)> {
        Some((self.at, self.followers.add(self.op, next)?))
    }
}

impl Sequence {
    pub(crate) fn new(planned: &[Planned], builder: &mut Builder<'_>) -> Result<Sequence> {
        let mut nodes: Vec<Node> = Vec::with_capacity(planned.len());
        let mut head: Option<Head<'_>> = None;
        let mut before = None;
        let mut softmax = None;
        for node in planned {
            if !changes_nothing(node) {
                softmax = None;
            }
            match node {
                Planned::Layer(layer) => {
                    builder.enter(&layer.place);
                    nodes.push(Node::new(
                        layer.key.clone(),
                        &layer.place,
                        build(layer, builder)?,
                    ));
                    // What comes into probabilities is kept: the loss is computed from it.
                    let ends = gives_probabilities(layer);
                    let follower = head.as_mut().filter(|_| !ends);
                    let follower = follower.and_then(|head| head.add(layer));
                    match follower {
                        Some((at, follower)) => {
                            nodes[at].layer.absorb(follower);
                            nodes[at].absorbs += 1;
                        }
                        None => head = Some(Head::new(nodes.len() - 1, &layer.op)),
                    }
                    if let ([.., earlier, last], Some(before)) = (nodes.as_mut_slice(), before)
                        && fusion_rules::reads_through(&layer.op, before)
                    {
                        last.layer.read_through(before);
                        earlier.given_up = true;
                    }
                    before = Some(layer);
                    if ends {
                        softmax = Some(nodes.len() - 1);
                    }
                }
                Planned::Add { place, branches } => {
                    (head, before) = (None, None);
                    let join = Join::new(branches, JoinKind::Add, builder)?;
                    nodes.push(Node::new(place.to_string(), place, Box::new(join)));
                }
                Planned::Concat { place, branches } => {
                    (head, before) = (None, None);
                    let join = Join::new(branches, JoinKind::Concat, builder)?;
                    nodes.push(Node::new(place.to_string(), place, Box::new(join)));
                }
                // The passes of a repeat are simply more layers.
                Planned::Repeat { passes, .. } => {
                    (head, before) = (None, None);
                    for pass in passes {
                        let inner = Sequence::new(pass, builder)?;
                        softmax = inner.softmax.map(|node| nodes.len() + node).or(softmax);
                        nodes.extend(inner.nodes);
                    }
                }
            }
        }
        Ok(Sequence {
            nodes,
            outputs: Default::default(),
            gradients: Default::default(),
            softmax,
            logits: None,
        })
    }
}

/// Whether the numbers that come out are those that go in, in their order or another shape.
fn changes_nothing(node: &Planned) -> bool {
    match node {
        Planned::Layer(layer) => matches!(layer.op, Op::Identity | Op::Flatten | Op::Reshape),
        Planned::Repeat { passes, .. } => passes.iter().flatten().all(changes_nothing),
        Planned::Add { .. } | Planned::Concat { .. } => false,
    }
}

/// Whether a layer makes the probabilities of one choice of its whole input: a softmax of all of it, or a sigmoid where
/// it is one score alone.
fn gives_probabilities(layer: &PlannedLayer) -> bool {
    match layer.op {
        Op::Softmax => layer.input.elements() == layer.input.channels() as u64,
        Op::Activation(Activation::Sigmoid) => layer.input.elements() == 1,
        _ => false,
    }
}
