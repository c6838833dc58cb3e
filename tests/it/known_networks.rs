//! The known networks among the built-in projects are the published ones: their numbers of parameters, the
//! shapes that their papers state, their outputs and gradients as PyTorch computes them with the same weights.

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;
use strata::design::check;
use strata::nn::loss::{self, Target};
use strata::nn::ops::storage::Buffer;
use strata::nn::optim::Updater;
use strata::nn::{Mode, Network, Route};
use strata::project::layer::Kind;
use strata::project::node::Node;
use strata::project::stage::{Loss, Task};
use strata::project::{Project, Stack, builtin};
use strata::shape::infer;

const NAMES: [&str; 5] = ["inception", "unet", "resnet-18", "mobilenet-v2", "xception"];
const TRAIN: Mode = Mode::Train { seed: 1, step: 1 };

fn project(name: &str) -> Project {
    builtin::find(name).unwrap().project().unwrap()
}

fn compiled(project: &Project, dtype: DType) -> Network {
    Network::with_dtype(
        &infer(&project.network).plan.unwrap(),
        3,
        &Device::Cpu,
        dtype,
    )
    .unwrap()
}

fn route(project: &Project) -> Route {
    project.stages[0].task.into()
}

/// Trained numbers, and those with the running statistics, which Keras counts as well.
fn counts(name: &str) -> (u64, u64) {
    let (project, network) = (project(name), compiled(&project(name), DType::F32));
    let all: usize = network
        .state()
        .unwrap()
        .iter()
        .map(|(_, tensor)| tensor.elem_count())
        .sum();
    let trained: usize = network
        .parameters()
        .iter()
        .map(|parameter| parameter.value.elem_count())
        .sum();
    assert_eq!(
        trained as u64,
        infer(&project.network).totals.parameters,
        "{name}: inferred and compiled"
    );
    (trained as u64, all as u64)
}

/// Keras' summary of Xception, torchvision's tables of weights, and for the other two what PyTorch counts in
/// the definitions of `fixtures/known_networks.py`.
#[test]
fn parameters_are_those_published() {
    assert_eq!(counts("xception"), (22_855_952, 22_910_480));
    assert_eq!(counts("mobilenet-v2").0, 3_504_872);
    assert_eq!(counts("resnet-18").0, 11_689_512);
    for case in fixtures() {
        assert_eq!(
            counts(&case.name),
            (case.trainable, case.trainable + case.statistics),
            "{}",
            case.name
        );
    }
}

/// Every number of channels in the encoder and decoder times `factor`, but for the last layer's.
fn widen(nodes: &mut [Node], factor: u32) {
    for node in nodes {
        if let Node::Layer(layer) = node
            && let Kind::Conv { out_channels, .. } | Kind::ConvTranspose { out_channels, .. } =
                &mut layer.kind
        {
            *out_channels *= factor;
        }
        for branch in 0..node.branches().len() {
            widen(node.branch_mut(branch).unwrap(), factor);
        }
    }
}

#[test]
fn the_unet_has_a_quarter_of_the_papers_channels() {
    let mut network = project("unet").network;
    widen(&mut network.encoder, 4);
    let last = network.decoder.len() - 1;
    widen(&mut network.decoder[..last], 4);
    assert_eq!(infer(&network).totals.parameters, 31_037_763);
}

/// What stands where: the papers' tables and figures.
#[test]
fn shapes_are_those_of_the_papers() {
    let tables: [(&str, &[(&str, &str)]); 5] = [
        (
            "xception",
            &[
                ("encoder.0", "32×149×149"),
                ("encoder.3", "64×147×147"),
                ("encoder.6", "128×74×74"),
                ("encoder.7", "256×37×37"),
                ("encoder.8", "728×19×19"),
                ("encoder.9", "728×19×19"),
                ("encoder.9.0.0", "728×19×19"),
                ("encoder.10", "1024×10×10"),
                ("encoder.11", "1536×10×10"),
                ("encoder.16", "2048×10×10"),
                ("head.0", "2048"),
                ("head.2", "1000"),
            ],
        ),
        (
            "mobilenet-v2",
            &[
                ("encoder.2", "32×112×112"),
                ("encoder.7", "16×112×112"),
                ("encoder.16", "24×56×56"),
                ("encoder.25", "32×28×28"),
                ("encoder.34", "64×14×14"),
                ("encoder.43", "96×14×14"),
                ("encoder.52", "160×7×7"),
                ("encoder.60", "320×7×7"),
                ("encoder.63", "1280×7×7"),
                ("head.2", "1000"),
            ],
        ),
        (
            "resnet-18",
            &[
                ("encoder.0", "64×112×112"),
                ("encoder.4", "64×56×56"),
                ("encoder.8", "128×28×28"),
                ("encoder.12", "256×14×14"),
                ("encoder.16", "512×7×7"),
                ("head.0", "512"),
                ("head.1", "1000"),
            ],
        ),
        (
            "unet",
            &[
                ("encoder.6", "16×64×64"),
                ("encoder.7.1.6", "32×32×32"),
                ("encoder.7.1.7.1.6", "64×16×16"),
                ("encoder.7.1.7.1.7.1.6", "128×8×8"),
                ("encoder.7.1.7.1.7.1.7.1.6", "256×4×4"),
                ("encoder.7.1.7.1.7.1.7", "256×8×8"),
                ("encoder.7.1.7.1.7", "128×16×16"),
                ("encoder.7.1.7", "64×32×32"),
                ("encoder.7", "32×64×64"),
                ("decoder.6", "3×64×64"),
            ],
        ),
        (
            "inception",
            &[
                ("encoder.3", "64×16×16"),
                ("encoder.4", "128×16×16"),
                ("encoder.5", "240×16×16"),
                ("encoder.6", "240×8×8"),
                ("encoder.7", "256×8×8"),
                ("head.2", "10"),
            ],
        ),
    ];
    for (name, places) in tables {
        let inference = infer(&project(name).network);
        for (place, shape) in places {
            let row = inference
                .rows
                .iter()
                .find(|row| row.place.to_string() == *place);
            let row = row.unwrap_or_else(|| panic!("{name} has no {place}"));
            assert_eq!(row.shape_text(), *shape, "{name} {place}: {}", row.text);
        }
    }
}

#[test]
fn each_can_be_trained_as_it_is() {
    for name in NAMES {
        let problems = check(&project(name));
        assert!(problems.is_empty(), "{name}: {problems:?}");
    }
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input: String,
    trainable: u64,
    statistics: u64,
    output: Vec<f64>,
    output_norm: f64,
    loss: f64,
    /// Norm, and product with a tensor of the formula, by parameter.
    gradients: Vec<(f64, f64)>,
}

fn fixtures() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/known_networks.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

const STATISTICS: u64 = 10_000;
const INPUT: u64 = 20_000;
const OUTPUT: u64 = 30_000;
const GRADIENT: u64 = 40_000;

/// The fixtures' numbers in −1..1: element i of tensor t from splitmix64(t·2³² + i).
fn formula(tensor: u64, count: usize) -> impl Iterator<Item = f64> {
    (0..count as u64).map(move |i| {
        let mut z = ((tensor << 32) + i).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 23) - 1.0
    })
}

/// The fixtures' weight of a layer, by the form of its key and shape.
fn weight(key: &str, index: u64, dims: &[usize]) -> Vec<f64> {
    let bound = (6.0 / dims[1..].iter().product::<usize>() as f64).sqrt();
    let value = |u: f64| match dims.len() {
        1 if key.ends_with(".weight") => 1.0 + u / 4.0,
        1 => u / 10.0,
        _ => u * bound,
    };
    formula(index, dims.iter().product()).map(value).collect()
}

/// Puts the fixtures' weights and statistics into a network.
fn fill(network: &mut Network) {
    let trained = network.parameters().len();
    let value = |(at, (key, old)): (usize, (String, Tensor))| {
        let (index, count) = (at.checked_sub(trained), old.elem_count());
        let values = match index.map(|index| (index % 2, formula(STATISTICS + index as u64, count)))
        {
            None => weight(&key, at as u64, old.dims()),
            Some((0, mean)) => mean.map(|u| u / 10.0).collect(),
            Some((_, variance)) => variance.map(|u| 1.0 + u / 2.0).collect(),
        };
        (
            key,
            Tensor::from_vec(values, old.dims(), &Device::Cpu).unwrap(),
        )
    };
    let state: HashMap<String, Tensor> = network
        .state()
        .unwrap()
        .into_iter()
        .enumerate()
        .map(value)
        .collect();
    network.load_state(&state).unwrap();
}

/// Replaces what draws random numbers, for a training step that another program can repeat.
fn without_chance(nodes: &mut [Node]) {
    for node in nodes {
        if let Node::Layer(layer) = node
            && matches!(layer.kind, Kind::Dropout { .. } | Kind::Noise { .. })
        {
            layer.kind = Kind::Identity;
        }
        for branch in 0..node.branches().len() {
            without_chance(node.branch_mut(branch).unwrap());
        }
    }
}

/// `N×C×H×W` to channels last and back.
fn reordered(tensor: &Tensor, order: &[usize]) -> Tensor {
    if tensor.rank() < 4 {
        tensor.clone()
    } else {
        tensor.permute(order).unwrap().contiguous().unwrap()
    }
}

fn channels_last(tensor: &Tensor) -> Tensor {
    reordered(tensor, &[0, 2, 3, 1])
}

fn channels_first(tensor: &Tensor) -> Tensor {
    reordered(tensor, &[0, 3, 1, 2])
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

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn product(values: &[f64], index: u64) -> f64 {
    values
        .iter()
        .zip(formula(index, values.len()))
        .map(|(v, u)| v * u)
        .sum()
}

fn assert_close(ours: f64, theirs: f64, scale: f64, what: &str) {
    assert!(
        (ours - theirs).abs() <= 1e-8 * (1e-3 + scale),
        "{what} is {ours}, should be {theirs}"
    );
}

fn check_case(case: &Case) {
    let mut project = project(&case.name);
    project.network.input = case.input.parse().unwrap();
    for stack in Stack::ALL {
        without_chance(project.network.stack_mut(stack));
    }
    let (mut network, route) = (compiled(&project, DType::F64), route(&project));
    fill(&mut network);
    let dims = [&[2], project.network.input.dims()].concat();
    let x = Tensor::from_vec(
        formula(INPUT, dims.iter().product()).collect(),
        dims,
        &Device::Cpu,
    )
    .unwrap();
    let x = channels_last(&x);
    check_output(
        case,
        &channels_first(&network.forward(route, &x, Mode::Eval).unwrap()),
    );
    check_gradients(case, &mut network, route, &x);
}

fn check_output(case: &Case, y: &Tensor) {
    let y = numbers(y);
    assert_close(
        norm(&y),
        case.output_norm,
        case.output_norm,
        &format!("{}: the output's norm", case.name),
    );
    let some = y.iter().step_by((y.len() / 40).max(1));
    assert_eq!(some.len(), case.output.len());
    for (i, (ours, theirs)) in some.zip(&case.output).enumerate() {
        assert_close(
            *ours,
            *theirs,
            case.output_norm,
            &format!("{}: output {i}", case.name),
        );
    }
}

fn check_gradients(case: &Case, network: &mut Network, route: Route, x: &Tensor) {
    let name = &case.name;
    let y = channels_first(&network.forward(route, x, TRAIN).unwrap());
    let loss = product(&numbers(&y), OUTPUT);
    assert_close(
        loss,
        case.loss,
        norm(&numbers(&y)),
        &format!("{name}: the loss in training"),
    );
    let gradient = Tensor::from_vec(
        formula(OUTPUT, y.elem_count()).collect(),
        y.dims(),
        &Device::Cpu,
    )
    .unwrap();
    network.backward(&channels_last(&gradient)).unwrap();
    assert_eq!(network.parameters().len(), case.gradients.len(), "{name}");
    for (i, (parameter, theirs)) in network.parameters().iter().zip(&case.gradients).enumerate() {
        let (ours, what) = (
            numbers(&parameter.gradient),
            format!("{name}: gradient of {}", parameter.key),
        );
        assert_close(norm(&ours), theirs.0, theirs.0, &what);
        assert_close(
            product(&ours, GRADIENT + i as u64),
            theirs.1,
            theirs.0,
            &what,
        );
    }
}

/// The networks at full width, on smaller pictures than their own so that this takes seconds.
fn agrees_with_pytorch(name: &str) {
    let case = fixtures()
        .into_iter()
        .find(|case| case.name == name)
        .unwrap();
    check_case(&case);
}

#[test]
fn inception_computes_what_pytorch_computes() {
    agrees_with_pytorch("inception");
}

#[test]
fn the_unet_computes_what_pytorch_computes() {
    agrees_with_pytorch("unet");
}

#[test]
fn resnet_18_computes_what_pytorch_computes() {
    agrees_with_pytorch("resnet-18");
}

#[test]
fn mobilenet_v2_computes_what_pytorch_computes() {
    agrees_with_pytorch("mobilenet-v2");
}

#[test]
#[ignore = "takes a minute"]
fn long_xception_computes_what_pytorch_computes() {
    agrees_with_pytorch("xception");
}

/// The losses of some steps on one small batch of `size`, with the project's own loss and optimizer.
fn losses(name: &str, size: &str, batch: usize, steps: u64) -> Vec<f64> {
    let mut project = project(name);
    project.network.input = size.parse().unwrap();
    let (mut network, route, stage) = (
        compiled(&project, DType::F32),
        route(&project),
        &project.stages[0],
    );
    let dims = network.input_dims(batch);
    let values: Vec<f32> = formula(INPUT, dims.iter().product())
        .map(|u| u as f32)
        .collect();
    let x = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
    let labels: Vec<u32> = (0..batch as u32).collect();
    let mut updater = Updater::new(&stage.optimizer, &network).unwrap();
    let step = |step: u64| {
        let y = network
            .forward(route, &x, Mode::Train { seed: 1, step })
            .unwrap();
        let (y, target) = match stage.task {
            Task::Classify => (network.logits(&y).unwrap(), Target::Labels(&labels)),
            Task::Reconstruct => (y, Target::Images(&x)),
        };
        let mut buffer = Buffer::default();
        let evaluated = loss::evaluate(stage.loss, &y, target, Some(&mut buffer)).unwrap();
        let gradient = evaluated.gradient.unwrap();
        match stage.task {
            Task::Classify => network.backward_from_logits(&gradient).unwrap(),
            Task::Reconstruct => network.backward(&gradient).unwrap(),
        }
        assert!(evaluated.value.is_finite(), "{name}");
        assert_gradients(&network, name);
        updater.step(&mut network, stage.optimizer.lr()).unwrap();
        evaluated.value
    };
    (0..steps).map(step).collect()
}

/// Finite everywhere, and nowhere nothing.
fn assert_gradients(network: &Network, name: &str) {
    for parameter in network.parameters() {
        let norm = norm(&numbers(&parameter.gradient));
        assert!(
            norm.is_finite() && norm > 0.0,
            "{name}: the gradient of {} is {norm}",
            parameter.key
        );
    }
}

fn assert_falls(losses: &[f64]) {
    assert!(losses[losses.len() - 1] < 0.7 * losses[0], "{losses:?}");
}

#[test]
fn the_small_ones_learn_a_batch() {
    assert_falls(&losses("inception", "3x32x32", 6, 5));
    assert_falls(&losses("unet", "3x32x32", 2, 8));
    assert_eq!(project("unet").stages[0].loss, Loss::Mse);
}

/// On smaller pictures than their own, so that this takes seconds.
#[test]
fn a_large_one_learns_a_batch() {
    assert_falls(&losses("resnet-18", "3x64x64", 2, 3));
}

#[test]
#[ignore = "takes a minute"]
fn long_the_largest_ones_learn_a_batch() {
    assert_falls(&losses("mobilenet-v2", "3x64x64", 2, 4));
    assert_falls(&losses("xception", "3x75x75", 2, 3));
}

/// Writes each network with its weights, an input and its output, in f32, for
/// `python3 tests/fixtures/known_networks.py FOLDER` to load into PyTorch.
#[test]
#[ignore = "writes files for the script beside the fixtures: into STRATA_EXPORT"]
fn weights_travel_to_pytorch() {
    let folder = std::env::var_os("STRATA_EXPORT").unwrap();
    for case in fixtures() {
        let mut project = project(&case.name);
        project.network.input = case.input.parse().unwrap();
        let mut network = compiled(&project, DType::F32);
        let dims = [&[2], project.network.input.dims()].concat();
        let values: Vec<f32> = formula(INPUT, dims.iter().product())
            .map(|u| u as f32)
            .collect();
        let x = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
        // One training pass, so that the statistics are no longer those of the start.
        network
            .forward(route(&project), &channels_last(&x), TRAIN)
            .unwrap();
        let y = channels_first(
            &network
                .forward(route(&project), &channels_last(&x), Mode::Eval)
                .unwrap(),
        );
        let mut tensors: HashMap<String, Tensor> = network.state().unwrap().into_iter().collect();
        tensors.extend([("input".to_owned(), x), ("output".to_owned(), y)]);
        let path = Path::new(&folder).join(format!("{}.safetensors", case.name));
        candle_core::safetensors::save(&tensors, path).unwrap();
    }
}
