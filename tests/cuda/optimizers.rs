//! Every optimizer, with the bounds on gradients, beside the CPU's own: weights after five steps with the same gradients,
//! within 2e-6 of 1 + the number.

use crate::place::{Place, cpu};
use candle_core::{Device, Tensor};
use strata::nn::Network;
use strata::nn::optim::{Updater, clip};
use strata::shape::infer;
use strata_testkit::networks::network;

const STEPS: u64 = 5;

fn trained(optimizer: &str, bound: Option<&str>, device: &Device) -> Vec<f32> {
    let plan = infer(&network("2x6x6", &["conv 3 k3"], &["convt 2 k3"], &[]))
        .plan
        .unwrap();
    let mut network = Network::new(&plan, 1, device).unwrap();
    let mut updater = Updater::new(&optimizer.parse().unwrap(), &network).unwrap();
    for step in 0..STEPS {
        for parameter in network.parameters_mut() {
            let (dims, count) = (
                parameter.value.dims().to_vec(),
                parameter.value.elem_count(),
            );
            let of = |at: usize| ((at as u64 * 7919 + step * 104_729) % 2003) as f32 / 1000.0 - 1.0;
            let numbers: Vec<f32> = (0..count).map(of).collect();
            parameter.gradient = Tensor::from_vec(numbers, dims, device).unwrap();
        }
        if let Some(bound) = bound {
            clip(&mut network, bound.parse().unwrap()).unwrap();
        }
        updater.step(&mut network, 0.01).unwrap();
    }
    let state = network.state().unwrap();
    let numbers = state
        .iter()
        .map(|(_, tensor)| tensor.flatten_all().unwrap().to_vec1().unwrap());
    numbers.collect::<Vec<Vec<f32>>>().concat()
}

#[test]
fn every_optimizer_moves_weights_as_on_the_cpu() {
    for optimizer in [
        "sgd lr=0.01",
        "sgd lr=0.01 momentum=0.9 weight_decay=0.01",
        "sgd lr=0.01 momentum=0.9 nesterov",
        "adam lr=0.01",
        "adam lr=0.01 weight_decay=0.01",
        "adamw lr=0.01",
        "rmsprop lr=0.01",
        "adagrad lr=0.01",
    ] {
        for bound in [None, Some("norm=0.5"), Some("norm=500"), Some("value=0.3")] {
            let wanted = {
                let _held = cpu();
                trained(optimizer, bound, &Device::Cpu)
            };
            for place in Place::all() {
                let (_held, _, device) = place.hold();
                for (a, b) in trained(optimizer, bound, &device).iter().zip(&wanted) {
                    let off = (a - b).abs();
                    assert!(
                        off <= 2e-6 * (1.0 + b.abs()),
                        "{place:?} {optimizer} {bound:?}: {a} {b}"
                    );
                }
            }
        }
    }
}
