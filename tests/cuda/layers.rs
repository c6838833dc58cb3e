//! Every layer beside PyTorch, forward and backward, in single precision on the device.
//!
//! Tolerances, relative to 1 + the number: 5e-5 for outputs and 2e-4 for gradients. The CPU's test in double precision
//! allows 2e-5 and 5e-5; a sum of a thousand products in single precision is a few 1e-5 off.

use crate::place::Place;
use candle_core::{DType, Device, Tensor};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;
use strata::nn::{Mode, Network, Route};
use strata::shape::infer;
use strata_testkit::networks;

const OUTPUT: f64 = 5e-5;
const GRADIENT: f64 = 2e-4;

#[derive(Deserialize)]
struct Case {
    name: String,
    text: String,
    input: String,
    train: bool,
}

/// PyTorch's layout `N×C×…` to ours, channels last, on the device.
fn channels_last(tensor: &Tensor, device: &Device) -> Tensor {
    let rank = tensor.rank();
    let order: Vec<usize> = std::iter::once(0)
        .chain(2..rank)
        .chain((rank > 1).then_some(1))
        .collect();
    let turned = tensor.permute(order).unwrap().contiguous().unwrap();
    let single = turned.to_dtype(DType::F32).unwrap();
    single.to_device(device).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_device(&Device::Cpu).unwrap();
    let tensor = tensor.to_dtype(DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_close(ours: &Tensor, theirs: &Tensor, what: &str, tolerance: f64) {
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    for (a, b) in numbers(ours).iter().zip(numbers(theirs)) {
        let off = (a - b).abs();
        assert!(
            off <= tolerance * (1.0 + b.abs()),
            "{what}: {a}, should be {b}"
        );
    }
}

fn check(case: &Case, tensors: &HashMap<String, Tensor>, device: &Device, place: Place) {
    let Case {
        name,
        text,
        input,
        train,
    } = case;
    let what = |part: &str| format!("`{text}` on {input} ({place:?}): {part}");
    let get = |part: &str| &tensors[&format!("{name}.{part}")];
    let inference = infer(&networks::network(input, &[text], &[], &[]));
    let plan = inference.plan.unwrap();
    let mut network = Network::new(&plan, 3, device).unwrap();
    let prefix = format!("{name}.p.");
    let parameters = tensors
        .iter()
        .filter_map(|(key, tensor)| Some((key.strip_prefix(&prefix)?.into(), tensor.clone())));
    network.load_state(&parameters.collect()).unwrap();
    let mode = match train {
        true => Mode::Train { seed: 1, step: 1 },
        false => Mode::Eval,
    };
    let x = channels_last(get("x"), device);
    let y = network.forward(Route::Reconstruct, &x, mode).unwrap();
    let wanted = channels_last(get("y"), &Device::Cpu);
    assert_close(&y, &wanted, &what("output"), OUTPUT);
    let gradient = channels_last(get("gy"), device);
    let gx = network.backward_to_input(&gradient).unwrap();
    let wanted = channels_last(get("gx"), &Device::Cpu);
    assert_close(&gx, &wanted, &what("gradient of the input"), GRADIENT);
    for parameter in network.parameters() {
        let wanted = get(&format!("g.{}", parameter.key));
        let part = what(&format!("gradient of {}", parameter.key));
        assert_close(&parameter.gradient, wanted, &part, GRADIENT);
    }
    for (key, value) in network.state().unwrap() {
        if let Some(after) = tensors.get(&format!("{name}.after.{key}")) {
            assert_close(&value, after, &what(&key), OUTPUT);
        }
    }
}

#[test]
fn every_layer_is_pytorchs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let text = std::fs::read_to_string(folder.join("layers.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    let file = folder.join("layers.safetensors");
    let tensors = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
    assert!(cases.len() > 80);
    for place in Place::all() {
        let (_held, _, device) = place.hold();
        for case in &cases {
            check(case, &tensors, &device, place);
        }
    }
}
