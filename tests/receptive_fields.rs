//! The receptive field of every cell of random networks is what the compiled network's gradient says: positions
//! of the input outside have none, and where all layers are linear, those inside have one.
//!
//! Networks are made linear by taking activations and norms away, and averages for maxima; their weights are
//! random, so that no gradient inside is zero by accident.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use candle_core::{DType, Device, Tensor};
use common::random_stack::{rng, small};
use rand::Rng;
use strata::nn::{Mode, Network, Route};
use strata::project::size::Shape;
use strata::shape::field::{Seen, path, seen};
use strata::shape::{Inference, Op, Plan, Planned, PlannedLayer, infer};

/// The same layer without what is not linear.
fn linear(layer: &mut PlannedLayer) {
    layer.op = match layer.op.clone() {
        Op::MaxPool { geometry, .. } => Op::AvgPool { geometry, count_padding: true },
        Op::GlobalMaxPool => Op::GlobalAvgPool,
        Op::Unpool { geometry, .. } => {
            let channels = layer.input.channels();
            let (in_channels, out_channels, groups, bias) = (channels, channels, channels, false);
            Op::ConvTranspose { in_channels, out_channels, groups, bias, geometry }
        }
        Op::Activation(_) | Op::Softmax | Op::BatchNorm { .. } | Op::GroupNorm { .. } | Op::LayerNorm => Op::Identity,
        other => other,
    };
}

fn all_linear(nodes: &mut [Planned]) {
    for node in nodes {
        match node {
            Planned::Layer(layer) => linear(layer),
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                branches.iter_mut().for_each(|branch| all_linear(branch));
            }
            Planned::Repeat { passes, .. } => passes.iter_mut().for_each(|pass| all_linear(pass)),
        }
    }
}

/// |gradient| of the sum over channels of one cell, for every position of the input.
fn gradient(network: &mut Network, output: &Shape, found: &Seen) -> Vec<f64> {
    let dims = network.input_dims(1);
    let channels = *dims.last().unwrap();
    let x = Tensor::ones(dims, DType::F64, &Device::Cpu).unwrap();
    let y = network.forward(Route::Reconstruct, &x, Mode::Eval).unwrap();
    let cell = found.cell.iter().zip(&found.map).fold(0, |index, (at, size)| index * size + at);
    let cells: usize = found.map.iter().product();
    let hit = (0..cells).flat_map(|index| (0..output.channels()).map(move |_| f64::from(u8::from(index == cell))));
    let hit = Tensor::from_vec(hit.collect::<Vec<_>>(), y.dims(), &Device::Cpu).unwrap();
    let gradient = network.backward_to_input(&hit).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
    gradient.chunks_exact(channels).map(|values| values.iter().map(|v| v.abs()).sum()).collect()
}

/// Every position of an input with these sizes, in order.
fn positions(sizes: &[usize]) -> Vec<Vec<usize>> {
    sizes.iter().fold(vec![vec![]], |all, &size| {
        all.iter().flat_map(|before| (0..size).map(move |at| [before.as_slice(), &[at]].concat())).collect()
    })
}

/// Compares a few cells of every layer; gives how many were compared exactly.
fn compare(inference: &Inference, seed: u64, what: &str) -> usize {
    let Some(plan) = &inference.plan else { return 0 };
    let mut random = rng(seed);
    let mut exactly = 0;
    for row in inference.rows.iter().filter(|row| row.output.is_some()) {
        let Some(mut layers) = path(plan, &row.place) else { continue };
        let output = row.output.clone().unwrap();
        all_linear(&mut layers);
        let stacks = [Some(layers), Some(vec![]), None];
        let cut = Plan { input: plan.input.clone(), code: output.clone(), stacks, slots: plan.slots };
        let mut network = Network::with_dtype(&cut, seed, &Device::Cpu, DType::F64).unwrap();
        for _ in 0..4 {
            let cell: Vec<usize> = output.spatial().iter().map(|&size| random.random_range(0..size)).collect();
            // A repeat's layers have the shapes of its first pass.
            let found = seen(inference, &row.place, &cell).unwrap();
            let gradient = gradient(&mut network, &output, &found);
            let strict = found.exact && !found.whole;
            exactly += usize::from(strict);
            for (position, value) in positions(inference.input.spatial()).iter().zip(&gradient) {
                let place = format!("{what}: {} `{}` cell {cell:?}, input {position:?}: {value}", row.place, row.text);
                assert!(found.contains(position) || *value == 0.0, "{place}, outside {found:?}");
                assert!(!strict || !found.contains(position) || *value != 0.0, "{place}, inside {found:?}");
            }
        }
    }
    exactly
}

#[test]
fn boxes_of_random_networks_are_exact() {
    let count = std::env::var("STRATA_RANDOM_NETWORKS").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let mut exactly = 0;
    for seed in 0..count {
        let network = small(&mut rng(seed));
        exactly += compare(&infer(&network), seed, &format!("seed {seed}: {network:?}"));
    }
    assert!(exactly as u64 > 4 * count, "{exactly} cells of {count} networks");
}
