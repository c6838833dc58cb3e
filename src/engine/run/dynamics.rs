//! Looks at gradients, weights and outputs of every layer, at the few steps that are kept.
//!
//! It only reads: the numbers of the training are the same with it and without it. Outputs are those that the step
//! computed anyway, so a convolution that was computed in one with the relu behind it shows what the relu gives.

use crate::storage::dynamics_csv::LayerDynamics;
use candle_core::{DType, Device, Storage, Tensor};
use rayon::prelude::*;
use std::collections::HashMap;
use strata_core::project::layer::Activation;
use strata_core::shape::op::Op;
use strata_core::shape::{Inference, Planned};
use strata_nn::Network;

/// Numbers that are summed up at a time; sums of these sums are the same on any number of threads.
const CHUNK: usize = 1 << 15;
/// Numbers of a tensor whose change is measured, at most.
const SAMPLE: usize = 4096;
/// This near to its ends, as a share of the way between them, an output counts as saturated.
const NEAR: f32 = 0.01;

/// What a step's forward pass showed of the outputs, by layer.
pub(crate) type Outputs = HashMap<String, LayerDynamics>;

/// What is remembered of the weights before they change.
pub(crate) struct Before {
    /// By layer: gradient and weight.
    layers: Vec<(String, [f64; 2])>,
    samples: Vec<(String, Vec<f32>)>,
}

/// The layers that have weights, or that could be seen by their outputs: as many rows as a step can have.
pub(crate) fn layers(inference: &Inference) -> usize {
    let stacks = inference
        .plan
        .iter()
        .flat_map(|plan| plan.stacks.iter().flatten());
    stacks.map(|stack| count(stack)).sum()
}

fn count(nodes: &[Planned]) -> usize {
    let of = |node: &Planned| match node {
        Planned::Layer(_) => 1,
        Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
            1 + branches.iter().map(|branch| count(branch)).sum::<usize>()
        }
        Planned::Repeat { passes, .. } => passes.iter().map(|pass| count(pass)).sum(),
    };
    nodes.iter().map(of).sum()
}

/// The outputs of the latest forward pass.
pub(crate) fn outputs(network: &Network, inference: &Inference) -> candle_core::Result<Outputs> {
    let kinds = activations(inference);
    let mut found = HashMap::new();
    for (key, output) in network.outputs() {
        let ends = kinds.get(key).copied();
        let Some(moments) = with_values(output, |values| Moments::of(values, ends))? else {
            continue;
        };
        let count = moments.count.max(1) as f64;
        let mean = moments.sum / count;
        let row = LayerDynamics {
            mean: Some(mean),
            std: Some((moments.squares / count - mean * mean).max(0.0).sqrt()),
            zeros: Some(moments.zeros as f64 / count),
            saturated: ends.map(|_| moments.saturated as f64 / count),
            ..LayerDynamics::default()
        };
        found.insert(key.to_owned(), row);
    }
    Ok(found)
}

/// The ends of the activations that have some, by the keys of their layers.
fn activations(inference: &Inference) -> HashMap<&str, [f32; 2]> {
    fn collect<'a>(nodes: &'a [Planned], found: &mut HashMap<&'a str, [f32; 2]>) {
        for node in nodes {
            match node {
                Planned::Layer(layer) => {
                    let ends = match layer.op {
                        Op::Activation(Activation::Sigmoid) => Some([0.0, 1.0]),
                        Op::Activation(Activation::Tanh) => Some([-1.0, 1.0]),
                        _ => None,
                    };
                    found.extend(ends.map(|ends| (layer.key.as_str(), ends)));
                }
                Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                    branches.iter().for_each(|branch| collect(branch, found));
                }
                Planned::Repeat { passes, .. } => {
                    passes.iter().for_each(|pass| collect(pass, found));
                }
            }
        }
    }
    let mut found = HashMap::new();
    let stacks = inference
        .plan
        .iter()
        .flat_map(|plan| plan.stacks.iter().flatten());
    stacks.for_each(|stack| collect(stack, &mut found));
    found
}

#[derive(Default)]
struct Moments {
    count: usize,
    sum: f64,
    squares: f64,
    zeros: usize,
    saturated: usize,
}

impl Moments {
    fn of(values: &[f32], ends: Option<[f32; 2]>) -> Moments {
        let part = |values: &[f32]| {
            let mut moments = Moments::default();
            for value in values {
                let wide = f64::from(*value);
                moments.sum += wide;
                moments.squares += wide * wide;
                moments.zeros += usize::from(*value == 0.0);
                let is_near = |[low, high]: [f32; 2]| {
                    let margin = NEAR * (high - low);
                    *value <= low + margin || *value >= high - margin
                };
                moments.saturated += usize::from(ends.is_some_and(is_near));
            }
            moments.count = values.len();
            moments
        };
        let parts: Vec<Moments> = values.par_chunks(CHUNK).map(part).collect();
        parts
            .into_iter()
            .fold(Moments::default(), |sum, part| Moments {
                count: sum.count + part.count,
                sum: sum.sum + part.sum,
                squares: sum.squares + part.squares,
                zeros: sum.zeros + part.zeros,
                saturated: sum.saturated + part.saturated,
            })
    }
}

/// Reads a tensor's numbers, on the CPU without a copy; `None` of other numbers than f32.
fn with_values<T>(
    tensor: &Tensor,
    read: impl FnOnce(&[f32]) -> T,
) -> candle_core::Result<Option<T>> {
    if tensor.dtype() != DType::F32 {
        return Ok(None);
    }
    {
        let (storage, layout) = tensor.storage_and_layout();
        if let (Storage::Cpu(storage), Some((start, end))) =
            (&*storage, layout.contiguous_offsets())
        {
            let values = storage.as_slice::<f32>()?;
            return Ok(values.get(start..end).map(read));
        }
    }
    let values = tensor
        .flatten_all()?
        .to_device(&Device::Cpu)?
        .to_vec1::<f32>()?;
    Ok(Some(read(&values)))
}

fn squares(values: &[f32]) -> f64 {
    let part = |values: &[f32]| values.iter().map(|value| f64::from(*value).powi(2)).sum();
    let parts: Vec<f64> = values.par_chunks(CHUNK).map(part).collect();
    parts.iter().sum()
}

fn sample(values: &[f32]) -> Vec<f32> {
    let step = values.len().div_ceil(SAMPLE).max(1);
    values.iter().step_by(step).copied().collect()
}

/// The layer that a parameter belongs to: `encoder.0` of `encoder.0.weight`. Inside a separable convolution both parts
/// belong to one layer.
fn layer_of(key: &str) -> String {
    let mut layer = key.rsplit_once('.').map_or(key, |(layer, _)| layer);
    while let Some((shorter, last)) = layer.rsplit_once('.') {
        if last.parse::<usize>().is_ok() {
            break;
        }
        layer = shorter;
    }
    layer.to_owned()
}

impl Before {
    /// Gradients and weights, before the step changes these.
    pub(crate) fn of(network: &Network) -> candle_core::Result<Before> {
        let mut before = Before {
            layers: Vec::new(),
            samples: Vec::new(),
        };
        for parameter in network
            .parameters()
            .iter()
            .filter(|parameter| !parameter.frozen)
        {
            let layer = layer_of(&parameter.key);
            let gradient = with_values(&parameter.gradient, squares)?.unwrap_or(0.0);
            let found = with_values(&parameter.value, |values| (squares(values), sample(values)))?;
            let Some((weight, sampled)) = found else {
                continue;
            };
            match before.layers.iter_mut().find(|(known, _)| *known == layer) {
                Some((_, sums)) => *sums = [sums[0] + gradient, sums[1] + weight],
                None => before.layers.push((layer, [gradient, weight])),
            }
            before.samples.push((parameter.key.clone(), sampled));
        }
        Ok(before)
    }

    /// The rows of the step, after it.
    pub(crate) fn rows(
        self,
        network: &Network,
        mut outputs: Outputs,
        step: u64,
    ) -> candle_core::Result<Vec<LayerDynamics>> {
        let mut changes: HashMap<String, [f64; 2]> = HashMap::new();
        for (key, before) in &self.samples {
            let parameter = network
                .parameters()
                .iter()
                .find(|parameter| parameter.key == *key);
            let Some(parameter) = parameter else { continue };
            let after = with_values(&parameter.value, sample)?.unwrap_or_default();
            let pairs = before.iter().zip(&after);
            let change: f64 = pairs
                .map(|(a, b)| (f64::from(*b) - f64::from(*a)).powi(2))
                .sum();
            let sums = changes.entry(layer_of(key)).or_default();
            *sums = [sums[0] + change, sums[1] + squares(before)];
        }
        let mut rows: Vec<LayerDynamics> = Vec::new();
        for (layer, [gradient, weight]) in self.layers {
            let update = changes.get(&layer).filter(|[_, size]| *size > 0.0);
            let seen = outputs.remove(&layer).unwrap_or_default();
            rows.push(LayerDynamics {
                gradient: Some(gradient.sqrt()),
                weight: Some(weight.sqrt()),
                update: update.map(|[change, size]| (change / size).sqrt()),
                layer,
                ..seen
            });
        }
        rows.extend(
            outputs
                .into_iter()
                .map(|(layer, seen)| LayerDynamics { layer, ..seen }),
        );
        let place = |row: &LayerDynamics| order(&row.layer);
        rows.sort_by_key(place);
        rows.iter_mut().for_each(|row| row.step = step);
        Ok(rows)
    }
}

/// Layers in their order: stacks, then the numbers in the key.
fn order(layer: &str) -> (usize, Vec<usize>) {
    let mut parts = layer.split('.');
    let stack = match parts.next() {
        Some("encoder") => 0,
        Some("decoder") => 1,
        _ => 2,
    };
    (stack, parts.filter_map(|part| part.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::infer;
    use strata_nn::{Mode, Route};

    /// Figures are those of the tensors: one step of gradient descent by hand.
    #[test]
    fn figures_are_those_of_the_tensors() {
        let text = "format = 1\n[data]\nsource = \"shapes\"\n[network]\ninput = \"1x6x6\"\nencoder = [\"conv 3 k3\", \"sigmoid\", \"flatten\"]\nhead = [\"dense 4\"]\n";
        let project = strata_core::project::file::parse(text, "test").unwrap();
        let inference = infer(&project.network);
        let plan = inference.plan.as_ref().unwrap();
        let mut network = Network::new(plan, 3, &Device::Cpu).unwrap();
        assert_eq!(layers(&inference), 4);
        let images = Tensor::rand(-1f32, 1.0, (5, 6, 6, 1), &Device::Cpu).unwrap();
        let mode = Mode::Train { seed: 1, step: 1 };
        let output = network.forward(Route::Classify, &images, mode).unwrap();
        let seen = outputs(&network, &inference).unwrap();
        let values: Vec<f32> = output.flatten_all().unwrap().to_vec1().unwrap();
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64;
        assert!((seen["head.0"].mean.unwrap() - mean).abs() < 1e-6);
        assert_eq!(seen["head.0"].saturated, None);
        assert_eq!(
            seen["encoder.1"].saturated,
            Some(0.0),
            "new weights are small"
        );
        network.backward(&output.ones_like().unwrap()).unwrap();
        let before = Before::of(&network).unwrap();
        let mut wanted: HashMap<String, [f64; 2]> = HashMap::new();
        for parameter in network.parameters_mut() {
            let norm = |tensor: &Tensor| {
                let squares = tensor.sqr().unwrap().sum_all().unwrap();
                f64::from(squares.to_scalar::<f32>().unwrap())
            };
            let layer = parameter.key.rsplit_once('.').unwrap().0.to_owned();
            let sums = wanted.entry(layer).or_default();
            *sums = [
                sums[0] + norm(&parameter.gradient),
                sums[1] + norm(&parameter.value),
            ];
            parameter.value = (&parameter.value - (&parameter.gradient * 0.01).unwrap()).unwrap();
        }
        let rows = before.rows(&network, seen, 9).unwrap();
        let keys: Vec<&str> = rows.iter().map(|row| row.layer.as_str()).collect();
        assert!(
            keys.contains(&"encoder.0") && keys.last() == Some(&"head.0"),
            "{keys:?}"
        );
        for row in rows.iter().filter(|row| row.weight.is_some()) {
            let [gradient, weight] = wanted[&row.layer].map(f64::sqrt);
            let update = 0.01 * gradient / weight;
            let pairs = [
                (row.gradient, gradient),
                (row.weight, weight),
                (row.update, update),
            ];
            for (found, wanted) in pairs {
                let found = found.unwrap();
                assert!(
                    (found - wanted).abs() < 1e-4 * wanted,
                    "{}: {found} {wanted}",
                    row.layer
                );
            }
            assert_eq!(row.step, 9);
        }
    }
}
