//! Taps: the input, output and gradient of any layer, at rest and in training.

use crate::kit::random_stack::{fits, rng, small};
use candle_core::{DType, Device, Tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use strata::nn::{Mode, Network, NnError, Route};
use strata::project::node::Node;
use strata::project::{Network as Stacks, Place, Stack};
use strata::shape::{Inference, Plan, Planned, infer};

const TRAIN: Mode = Mode::Train { seed: 1, step: 1 };
const SEEDS: u64 = 300;

fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn random(dims: &[usize], rng: &mut ChaCha8Rng) -> Tensor {
    let count = dims.iter().product();
    let values: Vec<f64> = (0..count).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn dot(a: &Tensor, b: &Tensor) -> f64 {
    numbers(a).iter().zip(numbers(b)).map(|(a, b)| a * b).sum()
}

fn assert_close(a: &Tensor, b: &Tensor, what: &str) {
    assert_eq!(a.dims(), b.dims(), "{what}");
    for (a, b) in numbers(a).iter().zip(numbers(b)) {
        assert!((a - b).abs() < 1e-7 * (1.0 + a.abs()), "{what}: {a} {b}");
    }
}

fn build(plan: &Plan, seed: u64) -> Network {
    Network::with_dtype(plan, seed, &Device::Cpu, DType::F64).unwrap()
}

/// A random network that can be run, with a route through it.
fn cases() -> impl Iterator<Item = (u64, Stacks, Inference, Plan, Route)> {
    (0..SEEDS).filter_map(|seed| {
        let stacks = small(&mut rng(seed));
        let inference = infer(&stacks);
        let plan = inference.plan.clone().filter(|_| fits(&stacks))?;
        let routes = [Route::Classify, Route::Reconstruct].into_iter();
        let mut routes = routes.filter(|route| plan.stack(route.second()).is_some());
        let route = routes.next()?;
        Some((seed, stacks, inference, plan, route))
    })
}

fn is_on(route: Route, place: &Place) -> bool {
    place.stack == Stack::Encoder || place.stack == route.second()
}

/// One layer is tapped at a time, so that all others are fused as they would be without.
#[test]
fn a_tapped_layer_has_the_values_of_the_network_computed_layer_by_layer() {
    let mut tapped = 0;
    for (seed, stacks, inference, plan, route) in cases() {
        let mut network = build(&plan, seed);
        let mut observed = build(&plan, seed);
        observed.set_observed(true);
        observed.set_candle_only(true);
        let x = random(&network.input_dims(2), &mut rng(seed));
        let y = observed.forward(route, &x, Mode::Eval).unwrap();
        // Where values tie but for rounding, candle's max pooling may choose another winner to unpool.
        if inference.rows.iter().any(|row| row.text.contains("unpool")) {
            continue;
        }
        let outputs: Vec<(&str, &Tensor)> = observed.outputs();
        for row in inference.rows.iter().filter(|row| is_on(route, &row.place)) {
            network.set_taps(std::slice::from_ref(&row.place)).unwrap();
            let out = network.forward(route, &x, Mode::Eval).unwrap();
            let what = format!("network {seed}, {}: {stacks:?}", row.place);
            assert_close(&out, &y, &what);
            let taps = network.taps();
            assert!(!taps.is_empty(), "{what}");
            for (index, tap) in taps.iter().enumerate() {
                // Blocks have one key in all passes of a repeat, so they are counted from the last.
                let is_same = |key: &str| key == tap.key;
                let later = taps[index + 1..]
                    .iter()
                    .filter(|tap| is_same(tap.key))
                    .count();
                let mut same = (0..outputs.len())
                    .rev()
                    .filter(|at| is_same(outputs[*at].0));
                let at = same.nth(later).unwrap();
                assert_close(tap.output.unwrap(), outputs[at].1, &what);
                assert!(tap.gradient.is_none(), "{what}: no backward pass yet");
                // Inside blocks a layer may begin a branch; a block's own output follows its last branch.
                let is_plain = row.place.path.len() == 1 && !row.is_block;
                if is_plain && at > 0 {
                    assert_close(tap.input.unwrap(), outputs[at - 1].1, &what);
                }
                tapped += 1;
            }
        }
    }
    println!("{tapped} taps");
    assert!(tapped > 500);
}

/// What follows the node at this index of the encoder, as a network of its own.
fn rest(plan: &Plan, inference: &Inference, index: usize) -> Option<(Place, Plan)> {
    let encoder = plan.stack(Stack::Encoder)?;
    let place = match &encoder[index] {
        Planned::Layer(layer) => layer.place.clone(),
        Planned::Add { place, .. } | Planned::Concat { place, .. } => place.clone(),
        Planned::Repeat { .. } => return None,
    };
    let mut stacks = plan.stacks.clone();
    stacks[Stack::Encoder as usize] = Some(encoder[index + 1..].to_vec());
    let input = inference.row(&place)?.output.clone()?;
    Some((
        place,
        Plan {
            input,
            stacks,
            code: plan.code.clone(),
            slots: plan.slots,
        },
    ))
}

/// The gradient that a tap has, against the change of the loss when the layer's output changes.
#[test]
fn gradients_are_those_of_finite_differences_at_rest_and_in_training() {
    let mut checked = [0, 0];
    for (seed, stacks, inference, plan, route) in cases() {
        let has = |word: &str| inference.rows.iter().any(|row| row.text.contains(word));
        // Unpooling needs the indices of a pooling before the cut; `step` has no gradient, `hard…` kinks.
        if has("unpool") || has("step") {
            continue;
        }
        let modes = if has("dropout") || has("noise") {
            &[Mode::Eval][..]
        } else {
            &[Mode::Eval, TRAIN]
        };
        for (&mode, index) in modes.iter().flat_map(|mode| {
            (0..plan.stack(Stack::Encoder).map_or(0, <[_]>::len)).map(move |i| (mode, i))
        }) {
            let Some((place, rest)) = rest(&plan, &inference, index) else {
                continue;
            };
            let mut random_numbers = rng(seed);
            let mut network = build(&plan, seed);
            network.set_taps(std::slice::from_ref(&place)).unwrap();
            let x = random(&network.input_dims(3), &mut random_numbers);
            let y = network.forward(route, &x, mode).unwrap().copy().unwrap();
            let weights = random(y.dims(), &mut random_numbers);
            network.backward(&weights).unwrap();
            let taps = network.taps();
            let [tap] = taps[..] else {
                panic!("{seed} {place}")
            };
            let output = tap.output.unwrap();
            let gradient = tap.gradient.unwrap();
            let mut after = build(&rest, seed);
            let state: HashMap<String, Tensor> = network.state().unwrap().into_iter().collect();
            after.load_state(&state).unwrap();
            let direction = random(output.dims(), &mut random_numbers);
            let mut loss = |step: f64| {
                let moved = (output + (&direction * step).unwrap()).unwrap();
                dot(&after.forward(route, &moved, mode).unwrap(), &weights)
            };
            let step = 1e-6;
            let here = loss(0.0);
            let up = (loss(step) - here) / step;
            let down = (here - loss(-step)) / step;
            // At a kink of relu or a tie of max pooling the two differ: there is no gradient to compare with.
            if (up - down).abs() > 1e-4 * (1.0 + up.abs()) {
                continue;
            }
            let slope = (up + down) / 2.0;
            let expected = dot(gradient, &direction);
            assert!(
                (expected - slope).abs() < 1e-4 * (1.0 + slope.abs()),
                "network {seed}, {place}, {mode:?}: {expected} {slope} {stacks:?}"
            );
            checked[usize::from(mode == TRAIN)] += 1;
        }
    }
    println!("{checked:?} gradients");
    assert!(checked.iter().all(|count| *count > 100), "{checked:?}");
}

/// A bias is added to every position, so its gradient is the sum of the output's; in blocks and repeats too.
#[test]
fn the_gradient_of_a_bias_is_the_sum_of_the_outputs() {
    let mut checked = 0;
    let nested = [
        r#"{ add = [["conv 3 k3 p1", "relu"], []] }"#,
        r#"{ concat = [["conv 2 k1", "relu"], ["conv 4 k3 p1", "bn", "relu"]] }"#,
        r#"{ repeat = 2, layers = ["conv 6 k3 p1", "relu"] }"#,
    ];
    let blocks = Stacks {
        input: "3x6x6".parse().unwrap(),
        encoder: nested.iter().map(|text| Node::from_text(text)).collect(),
        decoder: vec![],
        head: ["flatten", "dense 5", "relu", "dense 2"]
            .map(Node::from_text)
            .to_vec(),
    };
    let blocks = {
        let inference = infer(&blocks);
        let plan = inference.plan.clone().unwrap();
        (SEEDS, blocks, inference, plan, Route::Classify)
    };
    for (seed, stacks, inference, plan, route) in cases().chain([blocks]) {
        let mut network = build(&plan, seed);
        let x = random(&network.input_dims(2), &mut rng(seed));
        for row in inference
            .rows
            .iter()
            .filter(|row| is_on(route, &row.place) && !row.is_block)
        {
            network.set_taps(std::slice::from_ref(&row.place)).unwrap();
            let y = network.forward(route, &x, TRAIN).unwrap().copy().unwrap();
            network.backward(&random(y.dims(), &mut rng(seed))).unwrap();
            for tap in network.taps() {
                let is_bias = |key: &str| {
                    let rest = key.strip_prefix(tap.key).unwrap_or_default();
                    rest == ".bias" || rest == ".pointwise.bias"
                };
                let parameters = network.parameters().iter();
                let Some(bias) = parameters.clone().find(|p| is_bias(&p.key)) else {
                    continue;
                };
                let gradient = tap.gradient.unwrap();
                let channels = gradient.dims()[gradient.rank() - 1];
                if bias.value.dims() != [channels] {
                    continue; // A layernorm has a bias of its own at every position.
                }
                let mut sums = vec![0.0; channels];
                for (index, value) in numbers(gradient).into_iter().enumerate() {
                    sums[index % channels] += value;
                }
                let sums = Tensor::new(sums, &Device::Cpu).unwrap();
                assert_close(
                    &bias.gradient,
                    &sums,
                    &format!("{seed}, {}: {stacks:?}", tap.key),
                );
                checked += 1;
            }
        }
    }
    println!("{checked} biases");
    assert!(checked > 200);
}

fn classifier() -> (Network, Tensor) {
    let texts = ["conv 4 k3 p1", "relu", "maxpool 2", "flatten"];
    let stacks = Stacks {
        input: "1x4x4".parse().unwrap(),
        encoder: texts.map(Node::from_text).to_vec(),
        decoder: vec![],
        head: ["dense 6", "relu", "dense 3"].map(Node::from_text).to_vec(),
    };
    let network = build(&infer(&stacks).plan.unwrap(), 1);
    let x = random(&network.input_dims(5), &mut rng(1));
    (network, x)
}

#[test]
fn a_fused_relu_does_not_falsify_a_tapped_convolution() {
    let (mut network, x) = classifier();
    let place = Place::new(Stack::Encoder, 0);
    let untapped = network
        .forward(Route::Classify, &x, Mode::Eval)
        .unwrap()
        .copy()
        .unwrap();
    network.set_taps(&[place]).unwrap();
    let y = network.forward(Route::Classify, &x, Mode::Eval).unwrap();
    assert_close(&y, &untapped, "what comes out is the same");
    let output = numbers(network.taps()[0].output.unwrap());
    assert_eq!(output.len(), 5 * 4 * 4 * 4);
    assert!(output.iter().any(|value| *value < 0.0), "before the relu");
}

/// A class is differentiated at rest; a step of training leaves the tap what it back-propagated itself, also in
/// front of layers that are frozen.
#[test]
fn frozen_layers_have_gradients_and_taps_change_no_other() {
    let (mut network, x) = classifier();
    let places = [Place::new(Stack::Encoder, 0), Place::new(Stack::Head, 0)];
    let one_class = Tensor::from_vec([0.0, 1.0, 0.0].repeat(5), (5, 3), &Device::Cpu).unwrap();
    let pass = |network: &mut Network, mode| {
        network.forward(Route::Classify, &x, mode).unwrap();
        network.backward(&one_class).unwrap();
        let taps = network.taps().into_iter();
        taps.map(|tap| tap.gradient.unwrap().clone())
            .collect::<Vec<_>>()
    };
    assert!(
        pass(&mut network, Mode::Eval).is_empty(),
        "nothing is tapped"
    );
    let gradients: Vec<Tensor> = network
        .parameters()
        .iter()
        .map(|p| p.gradient.copy().unwrap())
        .collect();
    network.set_taps(&places).unwrap();
    let free = pass(&mut network, Mode::Eval);
    for (parameter, gradient) in network.parameters().iter().zip(&gradients) {
        assert_close(&parameter.gradient, gradient, &parameter.key);
    }
    network.set_frozen(&["encoder".to_owned(), "head".to_owned()]);
    for mode in [Mode::Eval, TRAIN] {
        let frozen = pass(&mut network, mode);
        assert_eq!(frozen.len(), 2);
        for (frozen, free) in frozen.iter().zip(&free) {
            assert_close(frozen, free, "frozen");
        }
    }
    assert!(
        free.iter()
            .all(|gradient| numbers(gradient).iter().any(|value| *value != 0.0))
    );
}

#[test]
fn a_place_without_a_layer_is_refused_and_nothing_is_tapped() {
    let (mut network, x) = classifier();
    let none = [Place::new(Stack::Encoder, 0), Place::new(Stack::Head, 9)];
    let error = network.set_taps(&none).unwrap_err();
    assert!(matches!(error, NnError::NoSuchLayer(_)));
    assert_eq!(error.to_string(), "this network has no layer head.9");
    network.forward(Route::Classify, &x, Mode::Eval).unwrap();
    assert!(network.taps().is_empty());
}
