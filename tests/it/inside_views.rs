//! What inspections show of a network is what the network computes: for random networks, with a softmax anywhere,
//! every number about a layer is that of a forward pass.

use crate::kit::random_stack::rng;
use crate::kit::sample;
use candle_core::{Device, Tensor};
use rand::Rng;
use std::path::Path;
use strata::data::{Dataset, fill_batch};
use strata::inspect::activations::{self, Activations};
use strata::inspect::inspection::{InspectedRun, Inspection, InspectionContext};
use strata::inspect::inspector::Inspector;
use strata::inspect::pixel::{self, Pixel};
use strata::inspect::reconstructions::{Probe, Reconstructions};
use strata::inspect::saliency::{self, Question, Saliency};
use strata::inspect::sparse::SparseCode;
use strata::nn::{Mode, Network, Route};
use strata::project::data::{DataSpec, Split};
use strata::project::stage::{Stage, Task};
use strata::project::{Place, Stack};
use strata::shape::{Inference, Row, infer};

const ALL: u64 = 2_000;
const SAMPLE: u64 = 25;
const CLASSES: usize = 10;

/// Layers that keep images of 8×8.
const LAYERS: [&str; 12] = [
    "conv 4 k3 p1",
    "conv 3 k1",
    "softmax",
    "softmax",
    "relu",
    "sigmoid",
    "bn",
    "groupnorm 1",
    "identity",
    "{ add = [[], [\"softmax\"]] }",
    "{ concat = [[\"conv 2 k1\", \"softmax\"], [\"softmax\"]] }",
    "{ repeat = 2, layers = [\"conv 3 k1\", \"softmax\"] }",
];

/// A network whose stacks may all end in a softmax.
fn random_network(seed: u64) -> strata::project::Network {
    let mut rng = rng(seed);
    let mut some = |most: usize| -> Vec<&str> {
        let count = rng.random_range(0..=most);
        (0..count)
            .map(|_| LAYERS[rng.random_range(0..LAYERS.len())])
            .collect()
    };
    let mut encoder = vec!["conv 4 k3 p1"];
    encoder.extend(some(4));
    let mut decoder = some(3);
    decoder.push("conv 3 k3 p1");
    decoder.extend(some(1).into_iter().filter(|text| *text == "softmax"));
    let mut head = vec!["flatten", "dense 10"];
    head.extend(
        some(2)
            .into_iter()
            .filter(|text| ["softmax", "identity"].contains(text)),
    );
    strata_testkit::networks::network("3x8x8", &encoder, &decoder, &head)
}

/// A network with weights as after some training, and the images it is looked at with.
struct Subject {
    seed: u64,
    what: String,
    inference: Inference,
    network: Network,
    dataset: Dataset,
    probe: Probe,
    stages: Vec<Stage>,
    inspector: Inspector,
}

impl Subject {
    fn new(seed: u64) -> Subject {
        let stacks = random_network(seed);
        let inference = infer(&stacks);
        let plan = inference.plan.as_ref().unwrap();
        let mut network = Network::new(plan, seed, &Device::Cpu).unwrap();
        for parameter in network.parameters_mut() {
            parameter.value = (&parameter.value * 2.5).unwrap();
        }
        let spec = DataSpec {
            resize: Some([8, 8]),
            limit: Some(60),
            ..DataSpec::default()
        };
        let dataset = Dataset::open(&spec, seed, Path::new("."), &mut |_| true).unwrap();
        let probe = Probe::of_run(&dataset, seed, &Device::Cpu)
            .unwrap()
            .unwrap();
        Subject {
            seed,
            what: format!("network {seed}: {stacks:?}"),
            inference,
            network,
            dataset,
            probe,
            stages: vec![Stage::default()],
            inspector: Inspector::default(),
        }
    }

    fn inspect<I: Inspection>(&mut self, request: &I::Request) -> I {
        let run = InspectedRun {
            network: &mut self.network,
            inference: &self.inference,
            stages: &self.stages,
            seed: self.seed,
            step: 1,
            device: &Device::Cpu,
        };
        let mut cx = InspectionContext {
            run: Some(run),
            images: Some(&self.dataset),
            slice: None,
            inspector: &mut self.inspector,
            deadline: None,
            monitor: &mut |_| true,
        };
        match I::compute(&mut cx, request) {
            Ok(output) => output,
            Err(error) => panic!("{}: {error}", self.what),
        }
    }

    /// What a layer gives in the network itself, for every pass of a repeat, channels first for each image.
    fn truth(&mut self, place: &Place, images: &Tensor) -> Vec<Vec<Vec<f32>>> {
        let route = match place.stack {
            Stack::Head => Route::Classify,
            _ => Route::Reconstruct,
        };
        self.network.set_taps(std::slice::from_ref(place)).unwrap();
        self.network.forward(route, images, Mode::Eval).unwrap();
        let passes = self
            .network
            .taps()
            .iter()
            .map(|tap| channels_first(tap.output.unwrap()))
            .collect();
        self.network.set_taps(&[]).unwrap();
        passes
    }

    fn output(&mut self, route: Route) -> Vec<f32> {
        let images = self.probe.images().clone();
        let output = self.network.forward(route, &images, Mode::Eval).unwrap();
        output.flatten_all().unwrap().to_vec1().unwrap()
    }
}

fn channels_first(output: &Tensor) -> Vec<Vec<f32>> {
    let count = output.dim(0).unwrap();
    let channels = *output.dims().last().unwrap();
    let planes = output.reshape((count, (), channels)).unwrap();
    let planes = planes.transpose(1, 2).unwrap().flatten_from(1).unwrap();
    planes.to_vec2().unwrap()
}

fn assert_same(found: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        let off = (found - wanted).abs();
        assert!(
            off <= 1e-5 * wanted.abs().max(1.0),
            "{what}: {found} {wanted}"
        );
    }
}

#[test]
fn every_inspection_shows_what_the_network_computes() {
    for seed in sample(ALL, SAMPLE) {
        check(&mut Subject::new(seed));
    }
}

fn check(subject: &mut Subject) {
    let is_layer = |row: &&Row| !row.is_block;
    let rows: Vec<Place> = subject
        .inference
        .rows
        .iter()
        .filter(is_layer)
        .map(|row| row.place.clone())
        .collect();
    for place in rows {
        check_layer(subject, &place);
    }
    check_reconstructions(subject);
    check_saliency(subject);
}

fn check_layer(subject: &mut Subject, place: &Place) {
    let what = format!("{place} of {}", subject.what);
    let images = subject.probe.images().clone();
    let passes = subject.truth(place, &images);
    let (first, last) = (&passes[0], &passes[passes.len() - 1]);
    let request = activations::Request {
        place: place.clone(),
        image: 1,
        file: None,
    };
    let maps = subject.inspect::<Activations>(&request);
    assert_same(&maps.values, &last[1], &format!("activations, {what}"));
    let pixel = subject.inspect::<Pixel>(&pixel::Request::of(place.clone()));
    assert_same(&pixel.maps[1], &first[0], &format!("pixel, {what}"));
    let is_near = |value: &f32| (value - pixel.network).abs() <= 1e-5 * value.abs().max(1.0);
    let is_there = first[0].iter().any(is_near);
    assert!(is_there, "pixel, {what}");
    check_means(subject, place, &what);
}

/// The mean activations of a layer over the training images.
fn check_means(subject: &mut Subject, place: &Place, what: &str) {
    if place.stack == Stack::Head {
        return;
    }
    subject.stages[0].sparsity = Some(format!("rho=0.1 beta=1 at={place}").parse().unwrap());
    let code = subject.inspect::<SparseCode>(&Default::default());
    let data = subject.dataset.split(Split::Train).unwrap();
    let indices: Vec<u32> = (0..data.len() as u32).collect();
    let mut values = vec![0.0; data.len() * 192];
    fill_batch(data, &indices, &mut values, &mut vec![0; data.len()]).unwrap();
    let images = Tensor::from_vec(values, (data.len(), 8, 8, 3), &Device::Cpu).unwrap();
    let passes = subject.truth(place, &images);
    let images = &passes[passes.len() - 1];
    let units = code.means.len();
    let cells = images[0].len() / units;
    let mean = |unit: usize| {
        let of = |image: &Vec<f32>| image[unit * cells..(unit + 1) * cells].iter().sum::<f32>();
        images.iter().map(of).sum::<f32>() / (images.len() * cells) as f32
    };
    let means: Vec<f32> = (0..units).map(mean).collect();
    assert_same(&code.means, &means, &format!("sparse code, {what}"));
}

fn check_reconstructions(subject: &mut Subject) {
    let output = subject.output(Route::Reconstruct);
    let pictures = subject.inspect::<Reconstructions>(&None);
    assert_eq!(
        pictures.outputs,
        subject.dataset.to_pixels(&output),
        "{}",
        subject.what
    );
    let errors: Vec<f32> = output
        .chunks(192)
        .zip(subject.probe.values().chunks(192))
        .map(|(y, x)| y.iter().zip(x).map(|(y, x)| (y - x) * (y - x)).sum::<f32>() / 192.0)
        .collect();
    assert_same(&pictures.mse, &errors, &subject.what);
    let request = saliency::Request {
        question: Some(Question::Error),
        image: None,
        ..Default::default()
    };
    let scores: Vec<f32> = subject
        .inspect::<Saliency>(&request)
        .answers
        .iter()
        .map(|answer| answer.score)
        .collect();
    assert_same(
        &scores,
        &errors,
        &format!("saliency of the error, {}", subject.what),
    );
}

/// The classes that the network takes an image for, and with what probabilities where it ends in a softmax.
fn check_saliency(subject: &mut Subject) {
    subject.stages[0].task = Task::Classify;
    let output = subject.output(Route::Classify);
    let saliency = subject.inspect::<Saliency>(&saliency::Request::default());
    let last = subject
        .inference
        .rows
        .iter()
        .rfind(|row| row.text == "softmax");
    let ends = last.is_some_and(|row| row.place.stack == Stack::Head);
    for (answer, row) in saliency.answers.iter().zip(output.chunks(CLASSES)) {
        let highest = row.iter().copied().fold(f32::MIN, f32::max);
        let class = answer.class.unwrap() as usize;
        assert_eq!(row[class], highest, "{}", subject.what);
        match ends {
            true => assert_same(&[answer.top[0].1], &[highest], &subject.what),
            false => assert_same(&[answer.score], &[highest], &subject.what),
        }
    }
}
