//! A network that computes: three sequences of layers, their parameters, one forward and one backward.
//!
//! | file | what it does |
//! |---|---|
//! | `build` | from a plan to layers and first weights |
//! | `route`, `pass` | through which stacks a batch goes, forward and backward |
//! | `context` | what layers share while it does |
//! | `parameters` | weights and running statistics: frozen, read, replaced |
//! | `penalty` | the sparsity penalty |
//! | `outputs` | what every layer gave |
//! | `pass_times` | how long every layer took |
//! | `taps` | copies of the input, output and gradient of chosen layers |

mod build;
mod context;
mod outputs;
mod parameters;
mod pass;
mod pass_times;
mod penalty;
mod route;
mod taps;

pub(crate) use build::Builder;
pub(crate) use context::Context;
pub use parameters::Parameter;
pub use pass_times::PassTimes;
pub(crate) use pass_times::Timed;
pub(crate) use penalty::{Penalised, Penalty};
pub use route::{Mode, Route};
pub use taps::Tapped;

use super::NnError;
use super::layers::{PoolIndices, Sequence, channels_last};
use super::ops::storage::Memory;
use candle_core::{Device, Tensor};
use strata_core::project::size::Shape;

type Result<T> = std::result::Result<T, NnError>;

/// A compiled network.
pub struct Network {
    stacks: [Option<Sequence>; 3],
    parameters: Vec<Parameter>,
    statistics: Vec<(String, Tensor)>,
    slots: Vec<Option<PoolIndices>>,
    input: Shape,
    device: Device,
    /// Whether the head gives a single score.
    has_one_score: bool,
    candle_only: bool,
    observed: bool,
    guided: bool,
    scratch: Memory,
    /// Whether the latest forward pass kept only what the parameters that learn need.
    forgot: bool,
    version: u64,
    route: Route,
    penalty: f64,
    /// The same where it was observed on a device.
    device_penalty: Option<Tensor>,
    times: Option<PassTimes>,
}

impl Network {
    /// Computes with candle's operators even on the CPU. Slower; for checking one against the other.
    pub fn set_candle_only(&mut self, on: bool) {
        self.candle_only = on;
    }

    /// Computes layer by layer, so that [`Network::outputs`] has the output of every one. Otherwise a
    /// convolution does the work of the relu and max pooling behind it, and has no output itself.
    pub fn set_observed(&mut self, on: bool) {
        self.observed = on;
    }

    /// Lets relu pass back only gradients that are positive: guided backpropagation (Springenberg et al. 2015). For
    /// an observed network, which is looked into and not trained; a relu that a convolution does is not guided.
    pub fn set_guided(&mut self, on: bool) {
        self.guided = on;
    }

    /// Where the network computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The dimensions of a batch of inputs: `N×H×W×C`.
    pub fn input_dims(&self, batch: usize) -> Vec<usize> {
        channels_last(batch, &self.input).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::Network as Stacks;
    use strata_core::project::node::Node;

    /// An encoder and a head, with weights of seed 1.
    pub fn network(input: &str, encoder: &[&str], head: &[&str]) -> Network {
        let nodes = |texts: &[&str]| texts.iter().map(|text| Node::from_text(text)).collect();
        let stacks = Stacks {
            input: input.parse().unwrap(),
            encoder: nodes(encoder),
            decoder: vec![],
            head: nodes(head),
        };
        Network::new(
            &strata_core::shape::infer(&stacks).plan.unwrap(),
            1,
            &Device::Cpu,
        )
        .unwrap()
    }
}
