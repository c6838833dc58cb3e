//! Solving makes the output equal the input with no more edits than were spoiled, and every solution is
//! confirmed by running the compiled network on real numbers.

use crate::kit::random_stack::{rng, small};
use crate::kit::round_trip::{pair, spoiled};
use crate::kit::sample;
use candle_core::{Device, Tensor};
use strata::design::solve::{Aim, Solution, mirror, solve};
use strata::nn::{Mode, Network as Compiled, Route};
use strata::project::Network;
use strata::shape::{Inference, infer};

/// Random networks of the long forms, and how many of them are tried every time.
const ALL: u64 = 10_000;
const SAMPLE: u64 = 300;

/// The shape that the compiled network really gives for two images.
fn assert_runs(network: &Network, inference: &Inference, what: &str) {
    let mut compiled = Compiled::new(inference.plan.as_ref().unwrap(), 1, &Device::Cpu).unwrap();
    let dims = compiled.input_dims(2);
    let values: Vec<f32> = (0..dims.iter().product())
        .map(|i| (i % 7) as f32 - 3.0)
        .collect();
    let x = Tensor::from_vec(values, dims.clone(), &Device::Cpu).unwrap();
    let y = compiled
        .forward(Route::Reconstruct, &x, Mode::Eval)
        .unwrap();
    assert_eq!(y.dims(), dims, "{what}: {network:?}");
}

#[test]
fn what_was_spoiled_is_mended_with_no_more_edits() {
    mend(sample(ALL, SAMPLE));
}

#[test]
#[ignore = "takes minutes"]
fn long_what_was_spoiled_is_mended_with_no_more_edits() {
    mend(0..ALL);
}

fn mend(seeds: impl Iterator<Item = u64>) {
    let (mut edits, mut millis) = ([0u32; 4], Vec::new());
    for seed in seeds {
        let mut random = rng(seed);
        let exact = pair(&mut random);
        let (network, spoils) = spoiled(&mut random, &exact);
        let start = std::time::Instant::now();
        let solved = solve(&network, &[], Aim::OutputEqualsInput);
        millis.push(start.elapsed().as_secs_f64() * 1e3);
        let what = format!("pair {seed}, {spoils} spoiled");
        let best = solved
            .solutions
            .iter()
            .find(|solution| solution.edits <= spoils);
        assert!(
            best.is_some(),
            "{what}: {}\nexact   {exact:?}\nspoiled {network:?}\n{:?}",
            solved.message,
            solved.solutions.first().map(Solution::sentence)
        );
        edits[solved.solutions[0].edits.min(3) as usize] += 1;
        for solution in &solved.solutions {
            let inference = infer(&solution.network);
            assert_eq!(
                inference.output_equals_input,
                Some(true),
                "{what}: {}",
                solution.sentence()
            );
        }
        let first = &solved.solutions[0];
        assert_runs(&first.network, &infer(&first.network), &what);
    }
    millis.sort_by(f64::total_cmp);
    let at = |share: f64| millis[((millis.len() - 1) as f64 * share) as usize];
    println!(
        "{edits:?} solved by edits; median {:.2} ms, 99 % {:.2} ms, longest {:.2} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

#[test]
fn mirrors_are_exact() {
    mirror_encoders(sample(ALL, SAMPLE));
}

#[test]
#[ignore = "takes minutes"]
fn long_mirrors_are_exact() {
    mirror_encoders(0..ALL);
}

fn mirror_encoders(seeds: impl Iterator<Item = u64>) {
    let mut tried = 0;
    let mut mirrored = 0;
    for seed in seeds {
        tried += 1;
        let network = Network {
            decoder: Vec::new(),
            head: Vec::new(),
            ..small(&mut rng(seed))
        };
        let inference = infer(&network);
        if network.encoder.is_empty() || inference.errors().next().is_some() {
            continue;
        }
        let what = format!("encoder {seed}: {:?} {}", network.encoder, network.input);
        let solution = mirror(&network, &[]).unwrap_or_else(|error| panic!("{what}: {error}"));
        let inference = infer(&solution.network);
        assert_eq!(inference.output_equals_input, Some(true), "{what}");
        if mirrored % 10 == 0 {
            assert_runs(&solution.network, &inference, &what);
        }
        mirrored += 1;
    }
    println!("{mirrored} encoders mirrored");
    assert!(mirrored * 2 > tried);
}

/// Values of every cell of the network's output for one input.
fn output(compiled: &mut Compiled, seed: u64) -> (Vec<usize>, Vec<f32>) {
    let dims = compiled.input_dims(1);
    let mut random = rng(seed);
    let count = dims.iter().product::<usize>();
    let values: Vec<f32> = (0..count)
        .map(|_| rand::Rng::random_range(&mut random, -3.0f32..3.0))
        .collect();
    let x = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
    let y = compiled
        .forward(Route::Reconstruct, &x, Mode::Eval)
        .unwrap();
    let dims = y.dims().to_vec();
    (dims, y.flatten_all().unwrap().to_vec1::<f32>().unwrap())
}

/// Which rows of an axis of the output, N×H×W×C, are the same for several random images.
fn constant_rows(network: &Network, axis: usize) -> Vec<bool> {
    let inference = infer(network);
    let mut compiled = Compiled::new(inference.plan.as_ref().unwrap(), 1, &Device::Cpu).unwrap();
    let (dims, first) = output(&mut compiled, 0);
    let mut constant = vec![true; dims[axis + 1]];
    let inner: usize = dims[axis + 2..].iter().product();
    for seed in 1..6 {
        let (_, other) = output(&mut compiled, seed);
        for (at, (a, b)) in first.iter().zip(&other).enumerate() {
            constant[at / inner % dims[axis + 1]] &= a == b;
        }
    }
    constant
}

/// Rows that are said to be reached by no input really are the same for every image; and where none are said to
/// be, the outermost ones change with it. Layers whose values may all be 0 by chance are left out.
#[test]
fn constant_borders_are_those_of_the_compiled_network() {
    let (mut marked, mut clean) = (0, 0);
    for seed in sample(ALL, SAMPLE) {
        let mut random = rng(seed);
        let exact = pair(&mut random);
        let (network, _) = spoiled(&mut random, &exact);
        let has_zeros = |network: &Network| {
            let mut nodes = network.encoder.iter().chain(&network.decoder);
            nodes.any(|node| node.text() == "relu" || node.text().starts_with("unpool"))
        };
        if has_zeros(&network) {
            continue;
        }
        for solution in solve(&network, &[], Aim::OutputEqualsInput).solutions {
            let what = format!("pair {seed}: {} in {network:?}", solution.sentence());
            for axis in 0..network.input.rank() {
                let constant = constant_rows(&solution.network, axis);
                let of_axis = solution.unreached.get(axis).copied().unwrap_or_default();
                let before = constant.iter().take_while(|row| **row).count();
                let after = match before == constant.len() {
                    true => 0,
                    false => constant.iter().rev().take_while(|row| **row).count(),
                };
                assert_eq!((before, after), (of_axis.before, of_axis.after), "{what}");
            }
            match solution.unreached.is_empty() {
                true => clean += 1,
                false => marked += 1,
            }
        }
    }
    println!("{clean} solutions without a constant border, {marked} with one, each as computed");
    assert!(clean > 100 && marked > 10, "{clean} {marked}");
}
