//! The promise: for any network inference returns, never panics and never contradicts itself.
//!
//! A failure names the seed of its network.

use crate::kit::random_stack::{hostile, layer_text, rng, small};
use crate::kit::sample;
use std::time::{Duration, Instant};
use strata::cost::{Machine, Speeds, largest_batch, run_memory, step_time};
use strata::design::{banner, check};
use strata::project::data::DataSpec;
use strata::project::goals::Goals;
use strata::project::layer::Layer;
use strata::project::node::Node;
use strata::project::size::Shape;
use strata::project::stage::{Stage, Task};
use strata::project::{Network, Project, Stack};
use strata::shape::{Inference, Planned, infer};
use strata_testkit::networks::network;

/// Random networks of the long forms, and how many of them are tried every time.
const ALL: u64 = 10_000;
const SAMPLE: u64 = 1_000;

#[test]
fn hostile_networks_never_panic() {
    infer_hostile(sample(ALL, SAMPLE));
}

#[test]
#[ignore = "takes minutes"]
fn long_hostile_networks_never_panic() {
    infer_hostile(0..ALL);
}

fn infer_hostile(seeds: impl Iterator<Item = u64>) {
    let mut slowest = Duration::ZERO;
    for seed in seeds {
        let network = hostile(&mut rng(seed));
        let start = Instant::now();
        let inference = infer(&network);
        slowest = slowest.max(start.elapsed());
        consistent(&network, &inference, seed);
        everything_else(network, &inference);
    }
    println!("slowest inference of a hostile network: {slowest:?}");
    assert!(
        slowest < Duration::from_secs(2),
        "a hostile network took {slowest:?}"
    );
}

#[test]
fn small_networks_are_mostly_sound() {
    infer_small(sample(ALL, SAMPLE));
}

#[test]
#[ignore = "takes minutes"]
fn long_small_networks_are_mostly_sound() {
    infer_small(0..ALL);
}

fn infer_small(seeds: impl Iterator<Item = u64>) {
    let mut stacks = 0u64;
    let mut sound = 0u64;
    let mut layers = 0u64;
    for seed in seeds {
        stacks += 1;
        let network = small(&mut rng(seed));
        let inference = infer(&network);
        consistent(&network, &inference, seed);
        sound += u64::from(inference.errors().next().is_none());
        layers += inference.totals.layers;
    }
    println!(
        "{sound} of {stacks} sound, {} layers each",
        layers as f64 / stacks.max(1) as f64
    );
    assert!(sound * 10 >= stacks * 8, "{sound} of {stacks} sound");
}

#[test]
fn layer_text_round_trips() {
    for seed in 0..ALL {
        let text = layer_text(&mut rng(seed), false);
        let layer: Layer = text
            .parse()
            .unwrap_or_else(|error| panic!("seed {seed}: `{text}`: {error}"));
        assert_eq!(
            layer.to_string().parse::<Layer>().as_ref(),
            Ok(&layer),
            "seed {seed}: `{text}`"
        );
        assert_eq!(
            Node::from_text(&layer.to_string()).text(),
            layer.to_string(),
            "seed {seed}"
        );
    }
}

/// What must hold of every inference.
fn consistent(network: &Network, inference: &Inference, seed: u64) {
    let broken = |stack: Stack| inference.stack(stack).any(|row| row.error.is_some());
    let plan = inference.plan.as_ref();
    assert_eq!(
        plan.is_some(),
        !broken(Stack::Encoder),
        "seed {seed}: a plan, or an error in the encoder"
    );
    assert_eq!(
        plan.map(|plan| &plan.code),
        inference.code.as_ref().filter(|_| plan.is_some()),
        "seed {seed}"
    );
    let Some(plan) = plan else { return };
    for stack in Stack::ALL {
        let planned = plan.stack(stack);
        assert_eq!(
            planned.is_some(),
            !broken(stack),
            "seed {seed}: {stack} has a plan or an error"
        );
        let start = if stack == Stack::Encoder {
            &network.input
        } else {
            &plan.code
        };
        if let Some(planned) = planned {
            chained(planned, start, plan.slots, seed);
        }
    }
    let slots = inference
        .stack(Stack::Encoder)
        .filter(|row| row.text.starts_with("maxpool"))
        .count();
    assert!(plan.slots >= slots, "seed {seed}: a slot for each pooling");
}

/// Every layer takes what the one before gives; returns what the last one gives.
fn chained(planned: &[Planned], start: &Shape, slots: usize, seed: u64) -> Shape {
    use strata::shape::Op;
    let mut shape = start.clone();
    for node in planned {
        shape = match node {
            Planned::Layer(layer) => {
                assert_eq!(
                    layer.input, shape,
                    "seed {seed}: {} takes what comes",
                    layer.key
                );
                if let Op::MaxPool { slot, .. } | Op::Unpool { slot, .. } = layer.op {
                    assert!(slot < slots, "seed {seed}: {}", layer.key);
                }
                layer.output.clone()
            }
            Planned::Repeat { passes, .. } => passes
                .iter()
                .fold(shape, |shape, pass| chained(pass, &shape, slots, seed)),
            Planned::Add { branches, .. } => {
                let outputs: Vec<Shape> = branches
                    .iter()
                    .map(|b| chained(b, &shape, slots, seed))
                    .collect();
                assert!(
                    outputs.iter().all(|output| *output == outputs[0]),
                    "seed {seed}: {outputs:?}"
                );
                outputs[0].clone()
            }
            Planned::Concat { branches, .. } => {
                let outputs: Vec<Shape> = branches
                    .iter()
                    .map(|b| chained(b, &shape, slots, seed))
                    .collect();
                let mut dims = outputs[0].dims().to_vec();
                dims[0] = outputs.iter().map(Shape::channels).sum();
                Shape::new(&dims).unwrap()
            }
        };
    }
    shape
}

/// The rest of the module on the same network: it only has to return.
fn everything_else(network: Network, inference: &Inference) {
    let _ = banner(inference);
    for row in &inference.rows {
        let _ = row.shape_text();
        assert!(
            row.error
                .as_ref()
                .is_none_or(|error| !error.message.is_empty() && !error.help.is_empty())
        );
    }
    let classify = Stage {
        task: Task::Classify,
        freeze: vec!["encoder.0.0.0".into()],
        ..Stage::default()
    };
    let stages = vec![Stage::default(), classify];
    let (goals, locked) = (Goals::default(), vec!["encoder.0.0.0".into()]);
    let data = DataSpec::default();
    let machine = Machine {
        threads: 3,
        lanes: 16,
        loaders: 2,
    };
    let speeds = Speeds::even(1e9, 1e10);
    for (plan, stage) in stages
        .iter()
        .filter_map(|stage| Some((inference.plan.as_ref()?, stage)))
    {
        let bytes =
            |batch| run_memory(plan, stage, batch, machine).map(|step| step.total().total());
        assert!(
            bytes(1) <= bytes(7) && bytes(7) <= bytes(u32::MAX),
            "{plan:?}"
        );
        let _ = largest_batch(plan, stage, machine, 1 << 30);
        assert!(
            step_time(plan, stage, u32::MAX, machine, &speeds)
                .is_none_or(|step| step.total() >= 0.0)
        );
    }
    let _ = check(&Project {
        title: String::new(),
        seed: 0,
        data,
        network,
        stages,
        init: None,
        goals,
        sweep: None,
        locked,
        study: None,
    });
}

/// A 50-layer stack in under 100 µs, as the window infers at every key stroke. Run it with
/// `cargo test fifty_layers -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn fifty_layers_take_under_100_us() {
    let layers = [
        "conv 16 k3 p1",
        "bn",
        "relu",
        "conv 32 k3 s1 same",
        "leakyrelu 0.1",
    ];
    let encoder: Vec<&str> = layers.iter().copied().cycle().take(50).collect();
    let network = network("3x64x64", &encoder, &[], &[]);
    let time = |_| {
        let start = Instant::now();
        let inference = infer(&network);
        assert_eq!(std::hint::black_box(inference).rows.len(), 50);
        start.elapsed()
    };
    let mut times: Vec<Duration> = (0..2000).map(time).collect();
    times.sort();
    println!(
        "50 layers: median {:?}, fastest {:?}",
        times[1000], times[0]
    );
    assert!(
        times[1000] < Duration::from_micros(100),
        "median {:?}",
        times[1000]
    );
}
