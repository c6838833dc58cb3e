use super::*;
use candle_core::{DType, Device};
use serde::Deserialize;
use strata_core::project::node::Node;
use strata_core::project::{Network as Stacks, size::Shape};

#[derive(Deserialize)]
struct Fixture {
    start: [[f64; 3]; 2],
    images: Vec<usize>,
    gradients: Vec<[[f64; 3]; 2]>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    optimizer: String,
    clip: Option<String>,
    accumulate: u32,
    bias_factor: f64,
    bias_decays: bool,
    updates: Vec<[[f64; 3]; 2]>,
}

fn fixture() -> Fixture {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/groups.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A dense layer with weight and bias, in f64.
fn network([weight, bias]: [[f64; 3]; 2]) -> Network {
    let stacks = Stacks {
        input: Shape::new(&[1]).unwrap(),
        encoder: vec![Node::from_text("dense 3")],
        decoder: vec![],
        head: vec![],
    };
    let plan = strata_core::shape::infer(&stacks).plan.unwrap();
    let mut network = Network::with_dtype(&plan, 1, &Device::Cpu, DType::F64).unwrap();
    let weight = Tensor::from_slice(&weight, (3, 1), &Device::Cpu).unwrap();
    let bias = Tensor::from_slice(&bias, 3, &Device::Cpu).unwrap();
    let state = [("encoder.0.weight", weight), ("encoder.0.bias", bias)];
    let state = state.map(|(key, tensor)| (key.to_owned(), tensor));
    network.load_state(&HashMap::from(state)).unwrap();
    network
}

fn set_gradients(network: &mut Network, gradients: &[[f64; 3]; 2]) {
    for (parameter, gradient) in network.parameters_mut().iter_mut().zip(gradients) {
        let dims = parameter.value.dims().to_vec();
        parameter.gradient = Tensor::from_slice(gradient, dims, &Device::Cpu).unwrap();
    }
}

fn values(network: &Network) -> Vec<Vec<f64>> {
    let of = |parameter: &Parameter| parameter.value.flatten_all().unwrap().to_vec1().unwrap();
    network.parameters().iter().map(of).collect()
}

fn learner(case: &Case, network: &Network, state: Option<HashMap<String, Tensor>>) -> Learner {
    let stage = Stage {
        optimizer: case.optimizer.parse().unwrap(),
        clip: case.clip.as_ref().map(|text| text.parse().unwrap()),
        accumulate: case.accumulate,
        ..Stage::default()
    };
    let group = |parameter: &Parameter| {
        if parameter.key.ends_with("bias") {
            Group {
                begins_after: 0,
                lr_factor: case.bias_factor,
                decays: case.bias_decays,
            }
        } else {
            Group::default()
        }
    };
    Learner::new(&stage, network, &group, state).unwrap()
}

fn rates(case: &Case) -> Rates {
    let optimizer: strata_core::project::optimizer::Optimizer = case.optimizer.parse().unwrap();
    Rates {
        lr: optimizer.lr(),
        momentum: None,
    }
}

/// Takes a batch; whether the weights were moved.
fn learn(
    fixture: &Fixture,
    case: &Case,
    (network, learner): (&mut Network, &mut Learner),
    batch: usize,
) -> bool {
    set_gradients(network, &fixture.gradients[batch]);
    let is_last =
        (batch + 1).is_multiple_of(case.accumulate as usize) || batch + 1 == fixture.images.len();
    learner
        .gather(network, fixture.images[batch], is_last)
        .unwrap();
    if is_last {
        learner.update(network, rates(case)).unwrap();
    }
    is_last
}

#[test]
fn bounds_sums_and_groups_are_pytorchs() {
    let fixture = fixture();
    assert_eq!(fixture.cases.len(), 14);
    for case in &fixture.cases {
        let mut network = network(fixture.start);
        let mut learner = learner(case, &network, None);
        let mut updates = case.updates.iter();
        for batch in 0..fixture.images.len() {
            if !learn(&fixture, case, (&mut network, &mut learner), batch) {
                continue;
            }
            let (found, wanted) = (values(&network).concat(), updates.next().unwrap().concat());
            let close = found
                .iter()
                .zip(&wanted)
                .all(|(a, b)| (a - b).abs() < 1e-12);
            assert!(
                close,
                "{} {:?}, batch {batch}: {found:?} {wanted:?}",
                case.optimizer, case.clip
            );
        }
        assert!(updates.next().is_none());
    }
}

/// Also between the batches of one update.
#[test]
fn what_was_added_up_goes_on_exactly() {
    let fixture = fixture();
    for case in fixture.cases.iter().filter(|case| case.accumulate > 1) {
        for stop in 1..fixture.images.len() {
            let (mut first, mut second) = (network(fixture.start), network(fixture.start));
            let mut whole = learner(case, &first, None);
            for batch in 0..stop {
                learn(&fixture, case, (&mut first, &mut whole), batch);
            }
            second
                .load_state(&first.state().unwrap().into_iter().collect())
                .unwrap();
            let state = whole.state().unwrap();
            let copied = state
                .into_iter()
                .map(|(key, tensor)| (key, tensor.copy().unwrap()));
            let mut resumed = learner(case, &second, Some(copied.collect()));
            for batch in stop..fixture.images.len() {
                learn(&fixture, case, (&mut first, &mut whole), batch);
                learn(&fixture, case, (&mut second, &mut resumed), batch);
            }
            assert_eq!(values(&first), values(&second), "{} {stop}", case.optimizer);
        }
    }
}

#[test]
fn what_is_frozen_counts_for_no_bound_and_stays() {
    let fixture = fixture();
    let case = fixture
        .cases
        .iter()
        .find(|case| case.clip.as_deref() == Some("norm=1"))
        .unwrap();
    let mut network = network(fixture.start);
    network.set_frozen(&["encoder.0".to_owned()]);
    let mut learner = learner(case, &network, None);
    learn(&fixture, case, (&mut network, &mut learner), 0);
    assert_eq!(values(&network).concat(), fixture.start.concat());
}
