//! A compiled network's real output has the shape that inference said, for every accepted stack; and our
//! kernels agree with candle's operators on it, forward and backward.

use crate::kit::random_stack::{fits, rng, small};
use crate::kit::sample;
use candle_core::{DType, Device, Tensor};
use rand::Rng;
use strata::nn::{Mode, Network, Route};
use strata::project::size::Shape;
use strata::shape::{Inference, infer};

/// Random networks of the long form, and how many of them are tried every time.
const ALL: u64 = 10_000;
const SAMPLE: u64 = 150;

/// Our shape of `N×H×W×C`.
fn shape_of(y: &Tensor) -> Shape {
    let dims = y.dims();
    let channels = dims[dims.len() - 1];
    Shape::new(&[&[channels], &dims[1..dims.len() - 1]].concat()).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_equal(ours: &Tensor, candles: &Tensor, what: &str) {
    let (ours, candles) = (numbers(ours), numbers(candles));
    assert_eq!(ours.len(), candles.len(), "{what}");
    for (a, b) in ours.iter().zip(&candles) {
        assert!((a - b).abs() < 1e-7 * (1.0 + a.abs()), "{what}: {a} {b}");
    }
}

/// Output and gradients of one pass.
fn pass(
    network: &mut Network,
    route: Route,
    x: &Tensor,
    candle_only: bool,
) -> Vec<(String, Tensor)> {
    network.set_candle_only(candle_only);
    let y = network
        .forward(route, x, Mode::Eval)
        .unwrap()
        .copy()
        .unwrap();
    let gx = network.backward_to_input(&y).unwrap().copy().unwrap();
    let parameters = network
        .parameters()
        .iter()
        .map(|p| (p.key.clone(), p.gradient.copy().unwrap()));
    let mut all: Vec<(String, Tensor)> = parameters.collect();
    all.extend([("output".to_owned(), y), ("input gradient".to_owned(), gx)]);
    all
}

fn try_network(inference: &Inference, seed: u64, what: &str) {
    let Some(plan) = &inference.plan else { return };
    let mut network = Network::with_dtype(plan, seed, &Device::Cpu, DType::F64).unwrap();
    let parameters: usize = network
        .parameters()
        .iter()
        .map(|p| p.value.elem_count())
        .sum();
    if plan.stacks.iter().all(Option::is_some) {
        assert_eq!(parameters as u64, inference.totals.parameters, "{what}");
    }
    let dims = network.input_dims(2);
    let mut random = rng(seed);
    let values: Vec<f64> = (0..dims.iter().product())
        .map(|_| random.random_range(-1.0..1.0))
        .collect();
    let x = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
    for (route, shape) in [
        (Route::Reconstruct, &inference.output),
        (Route::Classify, &inference.answer),
    ] {
        if plan.stack(route.second()).is_none() {
            continue;
        }
        let ours = pass(&mut network, route, &x, false);
        let (_, y) = &ours[ours.len() - 2];
        let inferred = shape.as_ref().or(inference.code.as_ref()).unwrap();
        assert_eq!(&shape_of(y), inferred, "{what}, {route:?}");
        // Values that tie but for rounding (after upsampling, say) let either way of max pooling choose
        // another winner, and the gradient (or an unpooled value) goes there.
        let has = |kind: &str| inference.rows.iter().any(|row| row.text.contains(kind));
        for ((key, ours), (_, candles)) in ours.iter().zip(pass(&mut network, route, &x, true)) {
            let by_winner = has("unpool") || (key != "output" && (has("maxpool") || has("gmp")));
            if by_winner {
                continue;
            }
            assert_equal(ours, &candles, &format!("{what}, {route:?}, {key}"));
        }
    }
}

#[test]
fn compiled_networks_have_the_inferred_shapes() {
    compile(sample(ALL, SAMPLE));
}

#[test]
#[ignore = "takes minutes"]
fn long_compiled_networks_have_the_inferred_shapes() {
    compile(0..ALL);
}

fn compile(seeds: impl Iterator<Item = u64>) {
    let mut made = 0;
    let mut tried = 0;
    for seed in seeds {
        made += 1;
        let stacks = small(&mut rng(seed));
        let inference = infer(&stacks);
        if inference.plan.is_some() && fits(&stacks) {
            tried += 1;
            try_network(&inference, seed, &format!("network {seed}: {stacks:?}"));
        }
    }
    println!("{tried} networks compiled and run");
    assert!(tried * 2 > made);
}
