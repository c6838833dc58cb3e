//! Whole ascents: against PyTorch, which made tests/fixtures/visualize.safetensors, and against themselves.

use super::ascent::{Ascent, Climbed, Job, Start};
use super::*;
use crate::attribution::tests::{cases, channels_last, fixture};
use crate::test_bench::Bench;
use candle_core::Device;
use strata_core::project::Stack;

fn start<'a>(
    climbed: Climbed,
    jobs: Vec<Job>,
    shares: Shares,
    image: Option<&'a [f32]>,
) -> Start<'a> {
    Start {
        climbed,
        jobs,
        shares,
        slices: 1,
        map: Vec::new(),
        covariance: &[],
        image,
        diversity: 0.0,
        seed: 3,
    }
}

fn job(goal: Goal, how: How, copy: usize) -> Job {
    Job {
        goal,
        how,
        copy,
        variant: None,
    }
}

#[test]
fn plain_steps_give_what_pytorch_gives() {
    let (cases, tensors) = cases();
    let wanted = candle_core::safetensors::load(fixture("visualize.safetensors"), &Device::Cpu);
    let wanted = wanted.unwrap();
    let mut compared = 0;
    for (name, case) in &cases {
        let (inference, network) = case.built(name, &tensors);
        let size = case.size();
        let shares = Shares {
            ends: vec![[-3.0, 3.0]],
            size,
            whitening: None,
        };
        let images = shares.of_numbers(&channels_last(&tensors[&format!("{name}.x")]));
        let ways = [
            ("none", Penalty::None, 0.0),
            ("l2", Penalty::L2, 0.0),
            ("l4", Penalty::L4, 0.0),
            ("variation", Penalty::None, 0.3),
            ("both", Penalty::L2, 0.3),
        ];
        for (way, penalty, variation) in ways {
            let wanted = channels_last(&wanted[&format!("{name}.{way}")]);
            let parts = images
                .chunks_exact(shares.len())
                .zip(wanted.chunks_exact(shares.len()));
            for ((image, wanted), class) in parts.zip(&case.target) {
                let how = How {
                    penalty,
                    strength: 0.5,
                    variation,
                    ..How::default()
                };
                let mut mirror =
                    InspectionNetwork::new(inference.plan.as_ref().unwrap(), &Device::Cpu).unwrap();
                mirror.take(&network).unwrap();
                let jobs = vec![job(Goal::Class(*class), how, 0)];
                let climbed = Climbed::Whole(Box::new(mirror));
                let mut ascent = Ascent::new(start(climbed, jobs, shares.clone(), Some(image)));
                for _ in 0..6 {
                    ascent.step().unwrap();
                }
                for (at, (found, wanted)) in ascent.images()[0].iter().zip(wanted).enumerate() {
                    let off = (found - wanted).abs();
                    assert!(off < 2e-4, "{name} {way} at {at}: {found} {wanted}");
                }
                compared += 1;
            }
        }
    }
    assert!(compared >= 15, "{compared}");
}

/// Everything random comes from the seed and the step, so images that were left go on as if they had not been; and two
/// starts of one goal differ, the more so when likeness costs.
#[test]
fn ascents_repeat_and_starts_differ() {
    let (cases, tensors) = cases();
    let (name, case) = cases.iter().min_by_key(|(name, _)| name.as_str()).unwrap();
    let (inference, network) = case.built(name, &tensors);
    let ascent = |diversity: f32, seed: u64| {
        let how = How {
            basis: Basis::Fourier,
            jitter: 1,
            rotation: 5.0,
            scale: 0.1,
            laplacian: 3,
            blur: 4,
            variation: 0.1,
            ..How::default()
        };
        let mut mirror =
            InspectionNetwork::new(inference.plan.as_ref().unwrap(), &Device::Cpu).unwrap();
        mirror.take(&network).unwrap();
        let jobs = (0..2)
            .map(|copy| job(Goal::Class(0), how.clone(), copy))
            .collect();
        let shares = Shares {
            ends: vec![[-3.0, 3.0]],
            size: case.size(),
            whitening: None,
        };
        let mut ascent = Ascent::new(Start {
            diversity,
            seed,
            ..start(Climbed::Whole(Box::new(mirror)), jobs, shares, None)
        });
        let before = ascent.score().unwrap().scores[0];
        for _ in 0..24 {
            ascent.step().unwrap();
        }
        assert!(ascent.score().unwrap().scores[0] > before);
        ascent.images()
    };
    let one = ascent(0.0, 3);
    assert_eq!(one, ascent(0.0, 3));
    assert_ne!(one, ascent(0.0, 4));
    let likeness = |images: &[Vec<f32>]| penalty::likeness(&[&images[0], &images[1]], 0);
    let apart = ascent(2.0, 3);
    assert!(
        likeness(&apart) < likeness(&one) - 0.05,
        "{} {}",
        likeness(&apart),
        likeness(&one)
    );
}

/// Whitened images are climbed by their pixels: they begin near grey, stay between black and white, and what the network
/// gets of them is whitened.
#[test]
fn whitened_images_are_made_of_pixels() {
    let network = "input = \"3x16x16\"\nencoder = [\"conv 4 k4 s4\", \"sigmoid\"]\ndecoder = [\"convt 3 k4 s4\"]";
    let mut bench = Bench::of("whiten = \"zca eps=0.1\"", network, "reconstruct");
    let request = |steps: usize| Request {
        layer: Some(Place::new(Stack::Encoder, 1)),
        wanted: Wanted::AllChannels,
        how: How {
            steps,
            ..How::default()
        },
        ..Request::usual([16, 16, 3])
    };
    let start: Visualization = bench.ask(&request(1)).unwrap();
    let first = &start.frames[0].images;
    let mean = first.iter().map(|byte| f64::from(*byte)).sum::<f64>() / first.len() as f64;
    assert!((mean - 127.5).abs() < 10.0, "{mean}");
    assert!(first.iter().all(|byte| (40..215).contains(byte)));
    let made: Visualization = bench.ask(&request(30)).unwrap();
    let scores = made.pictures.iter().zip(&start.frames[0].scores);
    for (picture, before) in scores {
        assert!(picture.score > *before, "{} {before}", picture.score);
    }
}
