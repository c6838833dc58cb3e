//! Where a layer's input and output are among the outputs of a network.

use strata_core::project::Stack;
use strata_core::shape::op::Plan;
use strata_core::shape::{Planned, PlannedLayer};

/// A tensor of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The images.
    Image,
    /// The output of a node, counted as [`strata_nn::Network::outputs`] lists them.
    Node(usize),
}

/// Counts nodes as they are visited: those inside a block before the block.
struct Walk<'a> {
    wanted: &'a str,
    count: usize,
    found: Option<[Source; 2]>,
}

/// The layer's input and its output.
pub fn find(plan: &Plan, layer: &PlannedLayer) -> Option<[Source; 2]> {
    let mut walk = Walk {
        wanted: &layer.key,
        count: 0,
        found: None,
    };
    let code = walk.nodes(plan.stack(Stack::Encoder)?, Source::Image);
    if layer.place.stack != Stack::Encoder {
        walk.nodes(plan.stack(layer.place.stack)?, code);
    }
    walk.found
}

impl Walk<'_> {
    /// Goes through nodes in sequence; returns the last one's output.
    fn nodes(&mut self, nodes: &[Planned], mut source: Source) -> Source {
        for node in nodes {
            match node {
                Planned::Layer(layer) => {
                    let output = self.next();
                    if layer.key == self.wanted {
                        self.found = Some([source, output]);
                    }
                    source = output;
                }
                Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                    branches.iter().for_each(|branch| {
                        self.nodes(branch, source);
                    });
                    source = self.next();
                }
                Planned::Repeat { passes, .. } => {
                    source = passes
                        .iter()
                        .fold(source, |source, pass| self.nodes(pass, source))
                }
            }
        }
        source
    }

    fn next(&mut self) -> Source {
        self.count += 1;
        Source::Node(self.count - 1)
    }
}
