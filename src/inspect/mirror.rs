//! A second network with the weights of the first, to look into.
//!
//! Looking backwards through the network in training would leave the gradients of an inspection in it, and
//! take a sparsity penalty for a part of what is looked at. The mirror computes layer by layer, so that every
//! output can be seen, and ends before a last softmax: its answers are logits. Fails as the device does.

use candle_core::Device;
use strata_core::shape::op::{Op, Plan, Planned};
use strata_nn::{Network, NnError};

/// A network to look into.
pub struct Mirror {
    network: Network,
}

impl Mirror {
    /// A mirror for the networks of a plan; until [`Mirror::take`] its weights are those of no training.
    pub fn new(plan: &Plan, device: &Device) -> Result<Mirror, NnError> {
        let mut plan = plan.clone();
        plan.stacks.iter_mut().flatten().for_each(|stack| {
            drop_softmax(stack);
        });
        Mirror::whole(&plan, device)
    }

    /// The same with a last softmax kept: its answers are what the network answers.
    pub fn whole(plan: &Plan, device: &Device) -> Result<Mirror, NnError> {
        let mut network = Network::new(plan, 0, device)?;
        network.set_observed(true);
        Ok(Mirror { network })
    }

    /// Takes over the weights and statistics of a network of the same plan.
    pub fn take(&mut self, network: &Network) -> Result<(), NnError> {
        self.network
            .load_state(&network.state()?.into_iter().collect())
    }

    /// The network to look into.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }
}

/// Puts the identity in the place of a softmax that ends a stack; true when the search is over.
fn drop_softmax(stack: &mut [Planned]) -> bool {
    for node in stack.iter_mut().rev() {
        match node {
            Planned::Layer(layer) if matches!(layer.op, Op::Identity | Op::Flatten) => {}
            Planned::Layer(layer) => {
                if layer.op == Op::Softmax {
                    layer.op = Op::Identity;
                }
                return true;
            }
            Planned::Repeat { passes, .. } => {
                return passes.last_mut().is_some_and(|pass| drop_softmax(pass));
            }
            Planned::Add { .. } | Planned::Concat { .. } => return true,
        }
    }
    false
}
