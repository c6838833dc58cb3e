//! Every loss on the device beside that of the CPU's kernels: the value within 5e-6, the gradient within 2e-5 of its
//! largest number. What is right is counted exactly, ties too.

use crate::place::{Place, cpu};
use candle_core::{Device, Tensor};
use strata::nn::loss::{self, Blend, Target, on_device};
use strata::nn::ops::storage::Buffer;
use strata::project::loss::Loss;

fn random(dims: &[usize], low: f32, high: f32) -> Tensor {
    Tensor::rand(low, high, dims, &Device::Cpu).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    let tensor = tensor.to_device(&Device::Cpu).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The loss and its gradient.
type Found = (f64, Vec<f32>);

fn on_the_cpu(loss: Loss, output: &Tensor, target: Target<'_>) -> Found {
    let _held = cpu();
    let mut buffer = Buffer::default();
    let found = loss::evaluate(loss, output, target, Some(&mut buffer)).unwrap();
    (found.value, numbers(&found.gradient.unwrap()))
}

fn check(loss: Loss, output: &Tensor, target: Target<'_>) {
    let (wanted, gradient) = on_the_cpu(loss, output, target);
    for place in Place::all() {
        let (_held, _, device) = place.hold();
        let output = output.to_device(&device).unwrap();
        let found = on_device::evaluate(loss, None, &output, target).unwrap();
        let value = f64::from(numbers(&found.value)[0]);
        let off = (value - wanted).abs();
        assert!(
            off <= 5e-6 * wanted.abs().max(1.0),
            "{place:?} {loss:?}: {value} {wanted}"
        );
        let largest = gradient
            .iter()
            .fold(0f32, |most, number| most.max(number.abs()));
        for (found, wanted) in numbers(&found.gradient).iter().zip(&gradient) {
            let off = (found - wanted).abs();
            assert!(
                off <= 2e-5 * largest,
                "{place:?} {loss:?}: {found} {wanted}"
            );
        }
    }
}

#[test]
fn every_loss_is_that_of_the_cpu() {
    let (output, images) = (
        random(&[4, 17, 15, 3], 0.01, 0.99),
        random(&[4, 17, 15, 3], 0.0, 1.0),
    );
    for text in [
        "mse",
        "l1",
        "bce",
        "huber",
        "huber delta=0.1",
        "smooth-l1",
        "smooth-l1 beta=0.1",
        "ssim",
    ] {
        check(text.parse().unwrap(), &output, Target::Images(&images));
    }
    let scores = random(&[32, 10], -8.0, 8.0);
    let labels: Vec<u32> = (0..32).map(|at| at * 7 % 10).collect();
    let others: Vec<u32> = (0..32).map(|at| at * 3 % 10).collect();
    let blend = Blend {
        labels: &labels,
        others: &others,
        share: 0.8,
    };
    for text in ["cross-entropy", "cross-entropy label_smoothing=0.1"] {
        check(text.parse().unwrap(), &scores, Target::Labels(&labels));
        check(text.parse().unwrap(), &scores, Target::Blend(blend));
    }
    let rows = random(&[32, 10], 0.0, 1.0).round().unwrap();
    check(Loss::Bce, &scores, Target::LabelRows(&rows));
}

#[test]
fn right_answers_are_counted_as_on_the_cpu() {
    // Whole numbers from 0 to 3: nearly every row has a tie.
    let scores = (random(&[64, 10], 0.0, 4.0) - 0.5)
        .unwrap()
        .round()
        .unwrap();
    let labels: Vec<u32> = (0..64).map(|at| at % 10).collect();
    let wanted = {
        let _held = cpu();
        loss::count_correct(&scores, &labels).unwrap()
    };
    assert!(wanted > 0);
    for place in Place::all() {
        let (_held, _, device) = place.hold();
        let there = scores.to_device(&device).unwrap();
        let found = on_device::count_correct(&there, &labels).unwrap();
        assert_eq!(numbers(&found), [wanted as f32], "{place:?}");
    }
}
