//! Multiply-accumulates that a step really does: only gradients that are read are computed.

use strata_core::project::Stack;
use strata_core::shape::{Cost, Plan, Planned, PlannedLayer};
use strata_nn::Route;

/// What is done with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// A forward pass.
    Inference,
    /// A forward and a backward pass, every parameter trained.
    Training,
}

/// Multiply-accumulates for one image along a route.
pub fn macs(plan: &Plan, route: Route, pass: Pass) -> u64 {
    let mut counter = Counter {
        pass,
        trains_below: false,
    };
    let stacks = [Stack::Encoder, route.second()]
        .into_iter()
        .filter_map(|stack| plan.stack(stack));
    stacks.map(|nodes| counter.sequence(nodes)).sum()
}

/// Walks from the input on.
struct Counter {
    pass: Pass,
    /// A layer with parameters was passed: those after it hand gradients down to it.
    trains_below: bool,
}

impl Counter {
    fn sequence(&mut self, nodes: &[Planned]) -> u64 {
        nodes.iter().map(|node| self.node(node)).sum()
    }

    fn node(&mut self, node: &Planned) -> u64 {
        match node {
            Planned::Layer(layer) => self.layer(layer),
            Planned::Repeat { passes, .. } => passes.iter().map(|pass| self.sequence(pass)).sum(),
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                self.branches(branches)
            }
        }
    }

    /// Every branch starts from the input of the block.
    fn branches(&mut self, branches: &[Vec<Planned>]) -> u64 {
        let (before, mut after, mut total) = (self.trains_below, self.trains_below, 0);
        for branch in branches {
            self.trains_below = before;
            total += self.sequence(branch);
            after |= self.trains_below;
        }
        self.trains_below = after;
        total
    }

    fn layer(&mut self, layer: &PlannedLayer) -> u64 {
        let Cost {
            parameters, macs, ..
        } = Cost::of(&layer.op, &layer.input, &layer.output);
        let times = match self.pass {
            Pass::Inference => 1,
            Pass::Training => 1 + u64::from(parameters > 0) + u64::from(self.trains_below),
        };
        self.trains_below |= parameters > 0;
        macs.saturating_mul(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::Network;
    use strata_core::project::node::Node;
    use strata_core::shape::infer;

    fn counted(layers: &[&str], pass: Pass) -> u64 {
        let encoder = layers.iter().map(|text| Node::from_text(text)).collect();
        let network = Network {
            input: "10".parse().unwrap(),
            encoder,
            decoder: vec![],
            head: vec![],
        };
        macs(&infer(&network).plan.unwrap(), Route::Reconstruct, pass)
    }

    #[test]
    fn the_first_layer_needs_no_gradient_for_its_input() {
        let layers = ["relu", "dense 20", "relu", "dense 5"];
        assert_eq!(counted(&layers, Pass::Inference), 200 + 100);
        assert_eq!(counted(&layers, Pass::Training), 2 * 200 + 3 * 100);
    }

    #[test]
    fn branches_on_the_input_need_none_either() {
        let block = r#"{ add = [["dense 20"], ["dense 20"]] }"#;
        assert_eq!(counted(&[block], Pass::Training), 2 * 400);
        assert_eq!(
            counted(&[block, "dense 5"], Pass::Training),
            2 * 400 + 3 * 100
        );
    }
}
