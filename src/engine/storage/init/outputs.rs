//! How far the outputs of a network with inherited weights are from those of the network that it inherited from.

use candle_core::{Device, Tensor};
use rand::Rng;
use std::collections::HashMap;
use strata_core::project::Network as NetworkSpec;
use strata_core::rng::{Purpose, stream};
use strata_core::shape;
use strata_nn::{Mode, Network, NnError, Route};

/// Images of random numbers that both are asked about.
const IMAGES: usize = 8;

/// The largest difference between the outputs for random images, as a fraction of the largest output. `None` where
/// outputs of both cannot be compared.
pub(super) fn change(
    before: &NetworkSpec,
    weights: &HashMap<String, Tensor>,
    now: &mut Network,
    (route, seed): (Route, u64),
) -> Result<Option<f64>, NnError> {
    let Some(plan) = shape::infer(before).plan else {
        return Ok(None);
    };
    let mut old = Network::new(&plan, seed, &Device::Cpu)?;
    old.load_state(weights)?;
    let mut random = stream(seed, Purpose::Widening, 0);
    let [channels, space @ ..] = plan.input.dims() else {
        return Ok(None);
    };
    let dims: Vec<usize> = [&[IMAGES], space, &[*channels]].concat();
    let count = dims.iter().product();
    let numbers: Vec<f32> = (0..count).map(|_| random.random_range(0.0..1.0)).collect();
    let images = Tensor::from_vec(numbers, dims, &Device::Cpu)?;
    let outputs = |network: &mut Network, images: &Tensor| -> Result<Vec<f32>, NnError> {
        let outputs = network.forward(route, images, Mode::Eval)?;
        Ok(outputs.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?)
    };
    let was = outputs(&mut old, &images)?;
    let is = outputs(now, &images.to_device(now.device())?)?;
    if was.len() != is.len() {
        return Ok(None);
    }
    let largest = was.iter().fold(0.0f32, |largest, y| largest.max(y.abs()));
    let differences = was.iter().zip(&is).map(|(was, is)| (was - is).abs());
    let change = differences.fold(0.0f32, f32::max);
    Ok((largest > 0.0).then(|| f64::from(change / largest)))
}
