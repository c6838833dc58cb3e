//! Every layer computes what PyTorch computes, and its gradients are what finite differences say.

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;
use strata::nn::{Mode, Network, Route};
use strata::shape::infer;
use strata_testkit::networks;

const TRAIN: Mode = Mode::Train { seed: 1, step: 1 };

/// A network whose encoder is one layer or block, in f64.
fn network(input: &str, layers: &[&str]) -> Network {
    let inference = infer(&networks::network(input, layers, &[], &[]));
    let plan = inference
        .plan
        .unwrap_or_else(|| panic!("{layers:?} on {input} is legal"));
    Network::with_dtype(&plan, 3, &Device::Cpu, DType::F64).unwrap()
}

/// PyTorch's layout `N×C×…` to ours, channels last.
fn channels_last(tensor: &Tensor) -> Tensor {
    let rank = tensor.rank();
    let order: Vec<usize> = std::iter::once(0)
        .chain(2..rank)
        .chain((rank > 1).then_some(1))
        .collect();
    tensor
        .permute(order)
        .unwrap()
        .contiguous()
        .unwrap()
        .to_dtype(DType::F64)
        .unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor
        .to_dtype(DType::F64)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap()
}

fn assert_close(ours: &Tensor, theirs: &Tensor, what: &str, tolerance: f64) {
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    for (i, (a, b)) in numbers(ours).iter().zip(numbers(theirs)).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * (1.0 + b.abs()),
            "{what}: number {i} is {a}, should be {b}"
        );
    }
}

#[derive(Deserialize)]
struct Case {
    name: String,
    text: String,
    input: String,
    train: bool,
}

struct Fixtures {
    cases: Vec<Case>,
    tensors: HashMap<String, Tensor>,
}

fn fixtures() -> Fixtures {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let cases = serde_json::from_str(&std::fs::read_to_string(folder.join("layers.json")).unwrap())
        .unwrap();
    let tensors =
        candle_core::safetensors::load(folder.join("layers.safetensors"), &Device::Cpu).unwrap();
    Fixtures { cases, tensors }
}

fn check_case(case: &Case, tensors: &HashMap<String, Tensor>, candle_only: bool) {
    let Case {
        name,
        text,
        input,
        train,
    } = case;
    let what = |part: &str| format!("`{text}` on {input} (candle only: {candle_only}): {part}");
    let get = |part: &str| &tensors[&format!("{name}.{part}")];
    let mut network = network(input, &[text]);
    network.set_candle_only(candle_only);
    let parameters = tensors
        .iter()
        .filter_map(|(key, t)| Some((key.strip_prefix(&format!("{name}.p."))?.into(), t.clone())));
    network.load_state(&parameters.collect()).unwrap();
    let mode = if *train { TRAIN } else { Mode::Eval };
    let y = network
        .forward(Route::Reconstruct, &channels_last(get("x")), mode)
        .unwrap();
    assert_close(&y, &channels_last(get("y")), &what("output"), 2e-5);
    let gx = network
        .backward_to_input(&channels_last(get("gy")))
        .unwrap();
    assert_close(
        &gx,
        &channels_last(get("gx")),
        &what("gradient of the input"),
        5e-5,
    );
    for parameter in network.parameters() {
        let theirs = get(&format!("g.{}", parameter.key));
        assert_close(
            &parameter.gradient,
            theirs,
            &what(&format!("gradient of {}", parameter.key)),
            5e-5,
        );
    }
    for (key, value) in network.state().unwrap() {
        if let Some(after) = tensors.get(&format!("{name}.after.{key}")) {
            assert_close(&value, after, &what(&key), 2e-5);
        }
    }
}

#[test]
fn every_layer_is_pytorchs() {
    let Fixtures { cases, tensors } = fixtures();
    assert!(cases.len() > 80);
    for case in &cases {
        check_case(case, &tensors, false);
    }
}

/// The path that CUDA takes, run on candle's CPU backend.
#[test]
fn candles_operators_give_the_same() {
    let Fixtures { cases, tensors } = fixtures();
    for case in &cases {
        check_case(case, &tensors, true);
    }
}

/// Pseudo-random numbers in −1..1 that never tie.
fn wobble(count: usize, salt: u64) -> Vec<f64> {
    let mut state = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn tensor(values: Vec<f64>, dims: &[usize]) -> Tensor {
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

/// Σ weights·output: a scalar whose gradient for the output is `weights`.
fn scalar(network: &mut Network, x: &Tensor, weights: &Tensor) -> f64 {
    let y = network.forward(Route::Reconstruct, x, TRAIN).unwrap();
    (y * weights)
        .unwrap()
        .sum_all()
        .unwrap()
        .to_scalar::<f64>()
        .unwrap()
}

fn check_finite_differences(input: &str, layers: &[&str]) {
    let mut network = network(input, layers);
    let dims = network.input_dims(2);
    let x = tensor(wobble(dims.iter().product(), 1), &dims);
    let out_dims = network
        .forward(Route::Reconstruct, &x, TRAIN)
        .unwrap()
        .dims()
        .to_vec();
    let weights = tensor(wobble(out_dims.iter().product(), 2), &out_dims);
    scalar(&mut network, &x, &weights);
    let gx = numbers(&network.backward_to_input(&weights).unwrap());
    let gradients: Vec<(String, Tensor)> = network
        .parameters()
        .iter()
        .map(|p| (p.key.clone(), p.gradient.copy().unwrap()))
        .collect();
    let values = numbers(&x);
    for i in spread(values.len()) {
        let mut shifted = |by: f64| {
            let mut values = values.clone();
            values[i] += by;
            scalar(&mut network, &tensor(values, &dims), &weights)
        };
        let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
        assert!(
            (slope - gx[i]).abs() < 1e-6 * (1.0 + slope.abs()),
            "{layers:?} input {i}: {slope} {}",
            gx[i]
        );
    }
    let state: HashMap<String, Tensor> = network.state().unwrap().into_iter().collect();
    for (key, gradient) in gradients {
        let (gradient, values) = (numbers(&gradient), numbers(&state[&key]));
        for i in spread(values.len()) {
            let mut shifted = |by: f64| {
                let (mut values, mut state) = (values.clone(), state.clone());
                values[i] += by;
                state.insert(key.clone(), tensor(values, state[&key].dims()));
                network.load_state(&state).unwrap();
                scalar(&mut network, &x, &weights)
            };
            let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!(
                (slope - gradient[i]).abs() < 1e-6 * (1.0 + slope.abs()),
                "{layers:?} {key} {i}: {slope} {}",
                gradient[i]
            );
        }
    }
}

/// At most two dozen indices, spread over all.
fn spread(count: usize) -> impl Iterator<Item = usize> {
    let step = count.div_ceil(24).max(1);
    (0..count).step_by(step)
}

#[test]
fn gradients_meet_finite_differences() {
    for (input, layers) in [
        ("2x7x6", &["conv 4 k3x2 s2x1 p1x0 d1x2"][..]),
        ("4x5x5", &["conv 6 k3 s2 same g2"]),
        ("3x6x5", &["dwconv k3 s2 p1 m2"]),
        ("3x6x5", &["sepconv 4 k3 p1"]),
        ("4x4x3", &["convt 6 k3x4 s2 p1 op1x0 g2"]),
        ("2x3x3", &["convt 3 k2 s3 same"]),
        ("2x9", &["conv 3 k3 s2 p1", "convt 2 k3 s2 p1"]),
        (
            "1x4x4x4",
            &["conv 2 k3 p1", "maxpool 2", "unpool", "convt 1 k3 p1"],
        ),
        ("2x7x6", &["maxpool 3 s2 p1", "conv 2 k1", "unpool"]),
        ("2x7x6", &["avgpool 3 s2 same"]),
        ("2x5x6", &["upsample 2x3 bilinear", "crop 1", "pad 0+2x1"]),
        (
            "3x4x4",
            &["flatten", "dense 5", "tanh", "dense 12", "reshape 3x2x2"],
        ),
        ("4x3x3", &["bn", "groupnorm 2", "layernorm"]),
        (
            "4x3x3",
            &["gelu", "silu", "hardswish", "elu", "softmax", "sigmoid"],
        ),
        (
            "3x4x4",
            &["conv 3 k3 p1", "prelu channels", "conv 2 k1", "prelu"],
        ),
        (
            "4x4x4",
            &[
                "dropout 0.3",
                "dropout-channels 0.3",
                "noise 0.1",
                "leakyrelu 0.1",
            ],
        ),
        (
            "3x6x6",
            &[
                "{ add = [[\"conv 3 k3 p1\", \"bn\"], [], [\"sepconv 3 k3 p1\"]] }",
                "gap",
            ],
        ),
        (
            "3x6x6",
            &[
                "{ concat = [[\"conv 2 k3 p1\"], [], [\"maxpool 3 s1 p1\"]] }",
                "adaptive-avgpool 2",
            ],
        ),
        (
            "2x4x4",
            &["{ repeat = 2, layers = [{ add = [[\"conv 2 k3 p1\"], []] }, \"tanh\"] }"],
        ),
    ] {
        check_finite_differences(input, layers);
    }
}

#[test]
fn frozen_parameters_and_prefixes_get_no_gradient() {
    let mut network = network("2x5x5", &["conv 3 k3", "relu", "conv 2 k3"]);
    network.set_frozen(&["encoder.0".into()]);
    let dims = network.input_dims(2);
    let x = tensor(wobble(dims.iter().product(), 1), &dims);
    let y = network.forward(Route::Reconstruct, &x, TRAIN).unwrap();
    network.backward(&y.copy().unwrap()).unwrap();
    for parameter in network.parameters() {
        let moved = numbers(&parameter.gradient).iter().any(|&g| g != 0.0);
        assert_eq!(
            moved,
            parameter.key.starts_with("encoder.2"),
            "{}",
            parameter.key
        );
    }
}

#[test]
fn the_sparsity_penalty_meets_finite_differences() {
    for (activation, penalty) in [
        ("sigmoid", "rho=0.1 beta=2"),
        ("tanh", "l1=0.3"),
        ("leakyrelu", "l1=0.3"),
        ("sigmoid", "rho=0.1 beta=2 l1=0.3"),
    ] {
        penalty_meets_finite_differences(activation, penalty);
    }
    let mut network = network("4x3x3", &["conv 3 k2", "sigmoid"]);
    assert!(
        network
            .set_sparsity(Some(&"rho=0.1 beta=2 at=encoder.9".parse().unwrap()))
            .is_err()
    );
}

fn penalty_meets_finite_differences(activation: &str, penalty: &str) {
    let mut network = network("4x3x3", &["conv 3 k2", activation]);
    network
        .set_sparsity(Some(&penalty.parse().unwrap()))
        .unwrap();
    let dims = network.input_dims(3);
    let x = tensor(wobble(dims.iter().product(), 5), &dims);
    let y = network.forward(Route::Reconstruct, &x, TRAIN).unwrap();
    assert!(network.penalty() > 0.0);
    if penalty == "l1=0.3" {
        // λ·code.abs().sum()/len(code)
        let wanted = 0.3 * numbers(&y).iter().map(|value| value.abs()).sum::<f64>() / 3.0;
        assert!((network.penalty() - wanted).abs() < 1e-12, "{activation}");
    }
    let gx = numbers(&network.backward_to_input(&y.zeros_like().unwrap()).unwrap());
    let values = numbers(&x);
    for i in spread(values.len()) {
        let mut shifted = |by: f64| {
            let mut values = values.clone();
            values[i] += by;
            network
                .forward(Route::Reconstruct, &tensor(values, &dims), TRAIN)
                .unwrap();
            network.penalty()
        };
        let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
        assert!(
            (slope - gx[i]).abs() < 1e-6,
            "{activation} {penalty} {i}: {slope} {}",
            gx[i]
        );
    }
}

/// Inside a repeat, and for a whole stack, the last pass's output is meant.
#[test]
fn places_name_stacks_and_every_pass_of_a_repeat() {
    let mut network = network(
        "2x5x5",
        &["{ repeat = 2, layers = [\"conv 2 k1\", \"sigmoid\"] }"],
    );
    for at in ["encoder", "encoder.0", "encoder.0.0.1"] {
        network
            .set_sparsity(Some(&format!("rho=0.1 beta=2 at={at}").parse().unwrap()))
            .unwrap();
        let dims = network.input_dims(2);
        let x = tensor(wobble(dims.iter().product(), 1), &dims);
        let y = numbers(&network.forward(Route::Reconstruct, &x, TRAIN).unwrap());
        let mean = |c: usize| y.iter().skip(c).step_by(2).sum::<f64>() * 2.0 / y.len() as f64;
        let kl = |m: f64| 0.1 * (0.1 / m).ln() + 0.9 * (0.9 / (1.0 - m)).ln();
        let wanted = 2.0 * (kl(mean(0)) + kl(mean(1)));
        assert!(
            (network.penalty() - wanted).abs() < 1e-9,
            "{at}: {} {wanted}",
            network.penalty()
        );
    }
    network.set_frozen(&["encoder.0.0.0".into()]);
    assert!(
        network
            .parameters()
            .iter()
            .all(|parameter| parameter.frozen),
        "both passes are frozen"
    );
    network.set_frozen(&["encoder.00".into()]);
    assert!(
        network
            .parameters()
            .iter()
            .all(|parameter| !parameter.frozen)
    );
}

#[test]
fn a_single_value_leaves_the_statistics_of_batch_norm_alone() {
    let mut network = network("3", &["bn"]);
    let x = tensor(vec![1.0, -2.0, 3.0], &[1, 3]);
    let y = network.forward(Route::Reconstruct, &x, TRAIN).unwrap();
    assert_close(&y, &x, "normalised by the running statistics", 1e-5);
    let state: HashMap<String, Tensor> = network.state().unwrap().into_iter().collect();
    assert_eq!(numbers(&state["encoder.0.running_var"]), [1.0; 3]);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut network = network(
                "3x9x9",
                &[
                    "conv 8 k3 p1",
                    "bn",
                    "relu",
                    "maxpool 2",
                    "flatten",
                    "dense 7",
                ],
            );
            let dims = network.input_dims(13);
            let x = tensor(wobble(dims.iter().product(), 1), &dims);
            let y = network.forward(Route::Reconstruct, &x, TRAIN).unwrap();
            let gx = numbers(&network.backward_to_input(&y.copy().unwrap()).unwrap());
            (
                gx,
                network
                    .parameters()
                    .iter()
                    .flat_map(|p| numbers(&p.gradient))
                    .collect::<Vec<_>>(),
            )
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(5));
}

#[test]
fn weights_that_do_not_fit_are_refused_and_change_nothing() {
    let mut small = network("1x5x5", &["conv 2 k3"]);
    let before: Vec<Vec<f64>> = small
        .state()
        .unwrap()
        .iter()
        .map(|(_, t)| numbers(t))
        .collect();
    let other: HashMap<String, Tensor> = network("1x5x5", &["conv 3 k3"])
        .state()
        .unwrap()
        .into_iter()
        .collect();
    let error = small.load_state(&other).unwrap_err().to_string();
    assert!(
        error.contains("encoder.0.weight") && error.contains("[3, 1, 3, 3]"),
        "{error}"
    );
    assert!(
        small
            .load_state(&HashMap::new())
            .unwrap_err()
            .to_string()
            .contains("missing")
    );
    let after: Vec<Vec<f64>> = small
        .state()
        .unwrap()
        .iter()
        .map(|(_, t)| numbers(t))
        .collect();
    assert_eq!(before, after);
}

/// A frozen encoder in front of a decoder that learns keeps nothing for a gradient that never comes.
#[test]
fn frozen_prefixes_keep_no_activations() {
    let layers = [
        "conv 3 k3 p1",
        "relu",
        "bn",
        "conv 3 k3 p1",
        "identity",
        "maxpool 2",
        "tanh",
        "conv 2 k1",
    ];
    let mut network = network("2x6x6", &layers);
    let dims = network.input_dims(2);
    let x = tensor(wobble(dims.iter().product(), 1), &dims);
    network.forward(Route::Reconstruct, &x, Mode::Eval).unwrap();
    let (all, y) = (
        network.outputs().len(),
        network
            .forward(Route::Reconstruct, &x, Mode::Eval)
            .unwrap()
            .copy()
            .unwrap(),
    );
    network.set_frozen(&(0..7).map(|i| format!("encoder.{i}")).collect::<Vec<_>>());
    let frozen = network
        .forward(Route::Reconstruct, &x, TRAIN)
        .unwrap()
        .copy()
        .unwrap();
    assert_eq!(
        numbers(&frozen),
        numbers(&y),
        "frozen batch norm evaluates, so both passes are the same"
    );
    assert!(
        all > 3 && network.outputs().len() == 1,
        "only the layer that learns has its output"
    );
    network.backward(&y).unwrap();
    assert!(
        numbers(&network.parameters().last().unwrap().gradient)
            .iter()
            .any(|&g| g != 0.0)
    );
    assert!(network.backward_to_input(&y).is_err());
    network.set_observed(true);
    network.forward(Route::Reconstruct, &x, TRAIN).unwrap();
    assert_eq!(network.outputs().len(), layers.len());
    network.backward_to_input(&y).unwrap();
}

/// Relu, pooling, flatten and reshape done along the way give what they give one by one, gradients too.
#[test]
fn layers_computed_together_are_those_computed_one_by_one() {
    let stacks: [(&str, &[&str]); 12] = [
        ("3x9x8", &["conv 20 k3 p1", "relu", "maxpool 2"]),
        (
            "3x9x8",
            &["conv 5 k3 s2", "maxpool 3 s2 p1", "relu", "conv 4 k1"],
        ),
        (
            "2x7x7",
            &[
                "conv 4 k3 p1",
                "maxpool 2",
                "conv 4 k3 p1",
                "relu",
                "unpool",
                "conv 1 k1",
            ],
        ),
        (
            "4x5x5",
            &["convt 6 k4 s2 p1", "relu", "maxpool 2", "conv 2 k2"],
        ),
        (
            "3x6x6",
            &[
                "bn",
                "relu",
                "maxpool 2",
                "conv 2 k1",
                "bn",
                "maxpool 3 s1 p1",
                "relu",
            ],
        ),
        ("3x6x6", &["conv 4 k3 p1", "bn", "relu", "conv 2 k3"]),
        ("4x6x6", &["sepconv 6 k3 p1", "relu", "maxpool 2"]),
        ("2x21", &["conv 6 k5 s2 p2", "relu", "maxpool 3", "gap"]),
        (
            "2x4x6x6",
            &["conv 3 k3 p1", "relu", "maxpool 2", "conv 2 k1"],
        ),
        (
            "3x4x5",
            &[
                "conv 4 k3 p1",
                "relu",
                "flatten",
                "dense 30",
                "relu",
                "reshape 2x3x5",
                "conv 2 k2",
            ],
        ),
        (
            "3x4x5",
            &[
                "flatten",
                "dense 24",
                "reshape 4x2x3",
                "relu",
                "flatten",
                "dense 5",
                "relu",
            ],
        ),
        (
            "2x4x4",
            &[
                "noise 0.1",
                "flatten",
                "dropout 0.5",
                "dense 12",
                "reshape 3x2x2",
                "maxpool 2",
            ],
        ),
    ];
    for (input, layers) in stacks {
        let passes = [false, true].map(|observed| {
            let mut network = network(input, layers);
            network.set_observed(observed);
            let dims = network.input_dims(3);
            let x = tensor(wobble(dims.iter().product(), 7), &dims);
            let y = network
                .forward(Route::Reconstruct, &x, TRAIN)
                .unwrap()
                .copy()
                .unwrap();
            let g = tensor(wobble(y.elem_count(), 8), y.dims());
            let gx = network.backward_to_input(&g).unwrap().copy().unwrap();
            let gradients: Vec<Tensor> = network
                .parameters()
                .iter()
                .map(|p| p.gradient.copy().unwrap())
                .collect();
            assert_eq!(
                network.outputs().len() == layers.len(),
                observed,
                "{layers:?}"
            );
            (y, gx, gradients)
        });
        let [(y, gx, gradients), (y1, gx1, gradients1)] = &passes;
        assert_close(y, y1, &format!("{layers:?}: output"), 1e-12);
        assert_close(
            gx,
            gx1,
            &format!("{layers:?}: gradient of the input"),
            1e-12,
        );
        for (gradient, gradient1) in gradients.iter().zip(gradients1) {
            assert_close(
                gradient,
                gradient1,
                &format!("{layers:?}: gradient of a parameter"),
                1e-12,
            );
        }
    }
}
