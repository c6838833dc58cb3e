//! Whole networks on the device beside the CPU's kernels: outputs and gradients of random stacks, and a step of every
//! built-in project with its own loss.
//!
//! Random stacks are computed in double precision, within 1e-7 of 1 + the number. Gradients of built-in projects are in
//! single precision, within 1e-3 of the largest number of all gradients: that of a bias before a batch norm is nothing
//! but rounding.

use crate::place::{Place, cpu};
use crate::random_stack::{fits, rng, small};
use candle_core::{DType, Device, Tensor};
use rand::Rng;
use strata::bench::Workload;
use strata::bench::work::Pass;
use strata::nn::{Mode, Network, Route};
use strata::project::builtin;
use strata::shape::{Inference, infer};

/// Random networks that are tried.
const NETWORKS: u64 = 60;
/// Built-in projects that take too long on the stand-in.
const LARGE: [&str; 3] = ["resnet-18", "mobilenet-v2", "xception"];
/// Images of a step.
const IMAGES: usize = 4;

fn numbers(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_device(&Device::Cpu).unwrap();
    let tensor = tensor.to_dtype(DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

type Named = Vec<(String, Vec<f64>)>;

/// Every number is as far from its own as `tolerance` says of it.
fn assert_close(found: &Named, wanted: &Named, tolerance: impl Fn(f64) -> f64, what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for ((key, found), (_, wanted)) in found.iter().zip(wanted) {
        for (a, b) in found.iter().zip(wanted) {
            assert!(
                (a - b).abs() <= tolerance(*b),
                "{what}: {key}: {a}, should be {b}"
            );
        }
    }
}

/// Output and gradients of one pass.
fn pass(inference: &Inference, seed: u64, device: &Device) -> Named {
    let plan = inference.plan.as_ref().unwrap();
    let mut network = Network::with_dtype(plan, seed, device, DType::F64).unwrap();
    let dims = network.input_dims(2);
    let mut rng = rng(seed);
    let count = dims.iter().product();
    let x: Vec<f64> = (0..count).map(|_| rng.random_range(-1.0..1.0)).collect();
    let x = Tensor::from_vec(x, dims, &Device::Cpu)
        .unwrap()
        .to_device(device)
        .unwrap();
    let y = network
        .forward(Route::Reconstruct, &x, Mode::Eval)
        .unwrap()
        .copy()
        .unwrap();
    let gx = network.backward_to_input(&y).unwrap().copy().unwrap();
    let gradients = network.parameters().iter();
    let mut all: Named = gradients
        .map(|parameter| (parameter.key.clone(), numbers(&parameter.gradient)))
        .collect();
    all.push(("output".to_owned(), numbers(&y)));
    all.push(("gradient of the input".to_owned(), numbers(&gx)));
    all
}

#[test]
fn random_networks_give_what_the_cpu_gives() {
    let mut tried = 0;
    for seed in 0.. {
        let network = small(&mut rng(seed));
        if !fits(&network) {
            continue;
        }
        let inference = infer(&network);
        let decodes = inference
            .plan
            .as_ref()
            .is_some_and(|plan| plan.stacks[1].is_some());
        if !decodes {
            continue;
        }
        let wanted = {
            let _held = cpu();
            pass(&inference, seed, &Device::Cpu)
        };
        for place in Place::all() {
            let (_held, _, device) = place.hold();
            let found = pass(&inference, seed, &device);
            let tolerance = |number: f64| 1e-7 * (1.0 + number.abs());
            let what = format!("{place:?}, seed {seed}");
            assert_close(&found, &wanted, tolerance, &what);
        }
        tried += 1;
        if tried == NETWORKS {
            return;
        }
    }
}

/// The gradients of the first step.
fn gradients(name: &str, stage: usize, device: &Device) -> Named {
    let project = builtin::find(name).unwrap().project().unwrap();
    let stage = &project.stages[stage];
    let mut work =
        Workload::of_stage(name, &project, stage, IMAGES, Pass::Training, device).unwrap();
    work.step().unwrap();
    let parameters = work.network().parameters().iter();
    parameters
        .map(|parameter| (parameter.key.clone(), numbers(&parameter.gradient)))
        .collect()
}

#[test]
fn every_built_in_project_trains_as_on_the_cpu() {
    for known in builtin::ALL
        .iter()
        .filter(|known| !LARGE.contains(&known.name))
    {
        let stages = known.project().unwrap().stages.len();
        for stage in 0..stages {
            let wanted = {
                let _held = cpu();
                gradients(known.name, stage, &Device::Cpu)
            };
            for place in Place::all() {
                let (_held, _, device) = place.hold();
                let found = gradients(known.name, stage, &device);
                let all = wanted.iter().flat_map(|(_, numbers)| numbers);
                let largest = all.fold(0f64, |most, number| most.max(number.abs()));
                let what = format!("{place:?}, {}", known.name);
                assert_close(&found, &wanted, |_| 1e-3 * largest, &what);
            }
        }
    }
}
