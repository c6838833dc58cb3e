//! From a plan to a network: layers with their parameters under PyTorch's keys, and first values from the seed.

use super::{Network, Parameter, Result, Route};
use crate::init;
use crate::layers::Sequence;
use crate::ops::storage::Memory;
use candle_core::{DType, Device, Tensor};
use strata_core::project::{Place, Stack};
use strata_core::shape::op::{Plan, Planned};

/// Collects parameters while layers are built.
pub(crate) struct Builder<'a> {
    parameters: Vec<Parameter>,
    statistics: Vec<(String, Tensor)>,
    random_layers: u64,
    place: Place,
    seed: u64,
    device: &'a Device,
    dtype: DType,
}

impl Builder<'_> {
    /// The type of the network's numbers.
    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    /// Parameters made from here on belong to this layer.
    pub(crate) fn enter(&mut self, place: &Place) {
        self.place = place.clone();
    }

    fn parameter(&mut self, key: &str, dims: &[usize], values: Vec<f64>) -> Result<usize> {
        let value = Tensor::from_vec(values, dims, &Device::Cpu)?
            .to_dtype(self.dtype)?
            .to_device(self.device)?;
        let gradient = Tensor::zeros(dims, self.dtype, self.device)?;
        self.parameters.push(Parameter {
            key: key.to_owned(),
            value,
            gradient,
            place: self.place.clone(),
            frozen: false,
        });
        Ok(self.parameters.len() - 1)
    }

    /// A parameter with PyTorch's default initial values.
    pub(crate) fn uniform(&mut self, key: &str, dims: &[usize], fan_in: usize) -> Result<usize> {
        let count = dims.iter().product();
        self.parameter(key, dims, init::uniform(self.seed, key, fan_in, count))
    }

    /// A parameter of equal values.
    pub(crate) fn constant(&mut self, key: &str, dims: &[usize], value: f64) -> Result<usize> {
        self.parameter(key, dims, vec![value; dims.iter().product()])
    }

    /// A running statistic: saved with the weights, never trained.
    pub(crate) fn statistic(&mut self, key: &str, count: usize, value: f64) -> Result<usize> {
        let values = Tensor::full(value, count, self.device)?.to_dtype(self.dtype)?;
        self.statistics.push((key.to_owned(), values));
        Ok(self.statistics.len() - 1)
    }

    /// The number of each layer that draws random numbers.
    pub(crate) fn next_random(&mut self) -> u64 {
        self.random_layers += 1;
        self.random_layers
    }
}

impl Network {
    /// Builds the network of a plan with initial weights from the seed, in f32.
    pub fn new(plan: &Plan, seed: u64, device: &Device) -> Result<Network> {
        Network::with_dtype(plan, seed, device, DType::F32)
    }

    /// The same with numbers of another type (f64 for finite differences).
    pub fn with_dtype(plan: &Plan, seed: u64, device: &Device, dtype: DType) -> Result<Network> {
        let (parameters, statistics) = (Vec::new(), Vec::new());
        let place = Place::new(Stack::Encoder, 0);
        let mut builder = Builder {
            parameters,
            statistics,
            random_layers: 0,
            place,
            seed,
            device,
            dtype,
        };
        let mut stacks = [None, None, None];
        for stack in Stack::ALL {
            if let Some(planned) = plan.stack(stack) {
                stacks[stack as usize] = Some(Sequence::new(planned, &mut builder)?);
            }
        }
        let Builder {
            parameters,
            statistics,
            ..
        } = builder;
        let slots = vec![None; plan.slots];
        let (input, device) = (plan.input.clone(), device.clone());
        let (candle_only, observed, version) = (false, false, 0);
        let (route, penalty) = (Route::Reconstruct, 0.0);
        let has_one_score = plan.stack(Stack::Head).is_some_and(gives_one_score);
        Ok(Network {
            stacks,
            parameters,
            statistics,
            slots,
            input,
            device,
            has_one_score,
            candle_only,
            observed,
            guided: false,
            scratch: Memory::default(),
            forgot: false,
            version,
            route,
            penalty,
            device_penalty: None,
            times: None,
        })
    }
}

/// Whether a single number comes out.
fn gives_one_score(nodes: &[Planned]) -> bool {
    match nodes.last() {
        Some(Planned::Layer(layer)) => layer.output.elements() == 1,
        Some(Planned::Repeat { passes, .. }) => {
            passes.last().is_some_and(|pass| gives_one_score(pass))
        }
        Some(Planned::Add { .. } | Planned::Concat { .. }) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::network::tests::network;

    #[test]
    fn parameters_come_in_the_order_of_the_layers_and_repeat() {
        let of = || network("1x4x4", &["conv 2 k3 p1", "bn", "flatten"], &["dense 3"]);
        let network = of();
        let keys: Vec<&str> = network
            .parameters()
            .iter()
            .map(|parameter| parameter.key.as_str())
            .collect();
        let expected = [
            "encoder.0.weight",
            "encoder.0.bias",
            "encoder.1.weight",
            "encoder.1.bias",
            "head.0.weight",
            "head.0.bias",
        ];
        assert_eq!(keys, expected);
        for (one, other) in network.state().unwrap().iter().zip(of().state().unwrap()) {
            let values = |tensor: &candle_core::Tensor| {
                tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()
            };
            assert_eq!((&one.0, values(&one.1)), (&other.0, values(&other.1)));
        }
    }
}
