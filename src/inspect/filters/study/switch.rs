//! Which numbers of a network belong to a filter, and how they are switched off and on.

use crate::attribution::score::numbers;
use candle_core::Tensor;
use strata_core::project::layer::Activation;
use strata_core::project::{Place, Stack};
use strata_core::shape::op::Op;
use strata_core::shape::{Plan, Planned, PlannedLayer};
use strata_nn::{Network, NnError, Parameter};

/// Where a sigmoid gives 0.
const FAR_BELOW: f32 = -1e4;

/// Where a layer's channels leave it: norms right behind it, and what they pass before something mixes them.
#[derive(Debug, Default)]
pub(super) struct Behind {
    norms: Vec<String>,
    /// The last of the layers that keep the channels apart.
    pub(super) last: Option<Place>,
    activation: Option<Activation>,
}

impl Behind {
    pub(super) fn of(plan: &Plan, key: &str) -> Behind {
        let all = plan.stacks.iter().flatten();
        all.into_iter()
            .find_map(|stack| Behind::search(stack, key))
            .unwrap_or_default()
    }

    fn search(nodes: &[Planned], key: &str) -> Option<Behind> {
        let is_it = |node: &Planned| matches!(node, Planned::Layer(layer) if layer.key == key);
        if let Some(at) = nodes.iter().position(is_it) {
            return Some(Behind::following(&nodes[at + 1..]));
        }
        nodes.iter().find_map(|node| match node {
            Planned::Layer(_) => None,
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => branches
                .iter()
                .find_map(|branch| Behind::search(branch, key)),
            Planned::Repeat { passes, .. } => {
                passes.iter().find_map(|pass| Behind::search(pass, key))
            }
        })
    }

    fn following(nodes: &[Planned]) -> Behind {
        let mut behind = Behind::default();
        for node in nodes {
            let Planned::Layer(layer) = node else { break };
            match &layer.op {
                Op::BatchNorm { .. } | Op::GroupNorm { .. } => behind.norms.push(layer.key.clone()),
                Op::Activation(activation) => {
                    behind.activation = Some(*activation);
                    behind.last = Some(layer.place.clone());
                    break;
                }
                Op::PRelu { .. } => {
                    behind.last = Some(layer.place.clone());
                    break;
                }
                _ => break,
            }
            behind.last = Some(layer.place.clone());
        }
        behind
    }
}

/// Which of a layer's numbers belong to a filter.
pub(super) struct Switch {
    /// Key and present value of every parameter that changes when filters are switched off, and its value then.
    changes: Vec<(String, [Tensor; 2])>,
}

impl Switch {
    pub(super) fn new(
        network: &Network,
        parameter: &Parameter,
        layer: Option<&PlannedLayer>,
        behind: &Behind,
        off: &[u32],
        templates: bool,
    ) -> Result<Switch, NnError> {
        let op = layer.map(|layer| &layer.op);
        let is_second = parameter.place.stack == Stack::Decoder
            && match op {
                Some(Op::Conv { groups, .. }) => *groups == 1,
                _ => parameter.value.dims().len() == 2,
            };
        let axis = usize::from(is_second);
        let mut switch = Switch {
            changes: Vec::new(),
        };
        switch.fill(parameter, axis, off, 0.0)?;
        if templates {
            return Ok(switch);
        }
        let low = match (behind.norms.is_empty(), behind.activation) {
            (_, Some(Activation::Sigmoid)) => FAR_BELOW,
            _ => 0.0,
        };
        let prefix = parameter.key.trim_end_matches("weight");
        let count = parameter.value.dims().first().copied().unwrap_or(0);
        let norm = behind.norms.last();
        for found in network.parameters() {
            let is_bias = found.key == format!("{prefix}bias");
            let own = match norm {
                // A norm behind it has the last word: what comes before it is constant then anyhow.
                Some(norm) if found.key == format!("{norm}.bias") => Some(low),
                Some(norm) if found.key == format!("{norm}.weight") => Some(0.0),
                None if is_bias => Some(low),
                Some(_) if is_bias => Some(0.0),
                _ => None,
            };
            if let Some(value) = own.filter(|_| found.value.dims().first() == Some(&count)) {
                switch.fill(found, 0, off, value)?;
            }
        }
        Ok(switch)
    }

    /// Sets the numbers at these places of an axis.
    fn fill(
        &mut self,
        parameter: &Parameter,
        axis: usize,
        off: &[u32],
        value: f32,
    ) -> Result<(), NnError> {
        let dims = parameter.value.dims();
        let inner: usize = dims[(axis + 1).min(dims.len())..].iter().product();
        let length = dims.get(axis).copied().unwrap_or(1).max(1);
        let mut values = numbers(&parameter.value)?;
        for (at, number) in values.iter_mut().enumerate() {
            if off.contains(&((at / inner.max(1) % length) as u32)) {
                *number = value;
            }
        }
        let changed = Tensor::from_vec(values, dims, parameter.value.device())?;
        let key = parameter.key.clone();
        self.changes.push((key, [parameter.value.clone(), changed]));
        Ok(())
    }

    /// Switches the filters off, or on again.
    pub(super) fn turn(&self, network: &mut Network, is_off: bool) {
        for parameter in network.parameters_mut() {
            let change = self.changes.iter().find(|(key, _)| *key == parameter.key);
            if let Some((_, values)) = change {
                parameter.value = values[usize::from(is_off)].clone();
            }
        }
    }
}
