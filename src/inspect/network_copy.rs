//! A second network with the weights of the first, to look into.
//!
//! Looking backwards through the network in training would leave the gradients of an inspection in it, and
//! take a sparsity penalty for a part of what is looked at. The mirror computes layer by layer, so that every
//! output can be seen. Fails as the device does.

use candle_core::Device;
use strata_core::shape::op::Plan;
use strata_nn::{Network, NnError};

/// A network to look into.
pub struct InspectionNetwork {
    network: Network,
}

impl InspectionNetwork {
    /// A mirror for the networks of a plan; until [`InspectionNetwork::take`] its weights are those of no training.
    pub fn new(plan: &Plan, device: &Device) -> Result<InspectionNetwork, NnError> {
        let mut network = Network::new(plan, 0, device)?;
        network.set_observed(true);
        Ok(InspectionNetwork { network })
    }

    /// Takes over the weights and statistics of a network of the same plan.
    pub fn take(&mut self, network: &Network) -> Result<(), NnError> {
        self.network
            .load_state(&network.shared_state().into_iter().collect())
    }

    /// The network to look into.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }
}
