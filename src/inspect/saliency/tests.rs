use super::answer::answer;
use super::*;
use crate::attribution::score::numbers;
use crate::network_copy::InspectionNetwork;
use candle_core::{Device, Tensor};
use strata_core::project::file;
use strata_core::project::target::Target;
use strata_core::shape::infer;
use strata_nn::{Mode, Route};

/// A network that is looked into.
struct Eye {
    mirror: InspectionNetwork,
    inference: Inference,
}

/// What bears on the answers for these images.
fn explain(
    eye: &mut Eye,
    dataset: &Dataset,
    probe: &Probe,
    question: Question,
    step: u64,
) -> Result<Saliency, InspectError> {
    ask(eye, dataset, probe, question, step, &Request::default())
}

fn ask(
    eye: &mut Eye,
    dataset: &Dataset,
    probe: &Probe,
    question: Question,
    step: u64,
    request: &Request,
) -> Result<Saliency, InspectError> {
    let look = Look {
        dataset,
        probe,
        inference: &eye.inference,
        question,
        request,
        seed: 3,
        step,
        deadline: None,
    };
    look.into(eye.mirror.network(), &mut |_| true)
}

/// A network on grey or colour images, its mirror and a few of its images.
fn looking(network: &str, source: &str) -> (Network, Eye, Dataset, Probe) {
    let text = format!(
        "format = 1\n[data]\nsource = \"shapes\"\n{source}\nlimit = 12\n[network]\n{network}\n[[stage]]\nname = \"a\"\ntask = \"reconstruct\"\nloss = \"mse\"\noptimizer = \"adam lr=1e-3\"\nepochs = 1\nbatch = 8\n"
    );
    let project = file::parse(&text, "test").unwrap();
    let inference = infer(&project.network);
    let plan = inference.plan.as_ref().unwrap();
    let mut trained = Network::new(plan, 3, &Device::Cpu).unwrap();
    warm_up(&mut trained);
    let mut mirror = InspectionNetwork::new(plan, &Device::Cpu).unwrap();
    mirror.take(&trained).unwrap();
    let channels = Some(project.network.input.channels());
    let dataset =
        Dataset::open_as(&project.data, channels, 3, ".".as_ref(), &mut |_| true).unwrap();
    let probe = Probe::of_run(&dataset, 3, &Device::Cpu).unwrap().unwrap();
    (trained, Eye { mirror, inference }, dataset, probe)
}

/// A step in training, so that running statistics are not those of the start.
fn warm_up(network: &mut Network) {
    let images = Tensor::rand(-1f32, 1.0, network.input_dims(8), &Device::Cpu).unwrap();
    let mode = Mode::Train { seed: 1, step: 1 };
    let _ = network
        .forward(Route::Classify, &images, mode)
        .and_then(|_| network.forward(Route::Reconstruct, &images, mode));
}

/// The score of the first image with one value moved.
fn moved(probe: &Probe, place: usize, by: f32, score: &mut dyn FnMut(&Probe) -> f32) -> f32 {
    let mut values = probe.values().to_vec();
    values[place] += by;
    score(&Probe::new(values, probe.size(), &Device::Cpu).unwrap())
}

/// Compares the map of the first image with the score's derivative by each of its values.
fn meets_finite_differences(
    saliency: &Saliency,
    probe: &Probe,
    score: &mut dyn FnMut(&Probe) -> f32,
) {
    let (channels, step) = (saliency.channels, 2e-3);
    let largest = saliency.map(0).iter().copied().fold(0.0, f32::max);
    assert!(largest > 0.0);
    for pixel in (0..saliency.height * saliency.width).step_by(5) {
        let slope = (0..channels)
            .map(|c| pixel * channels + c)
            .map(|at| {
                (moved(probe, at, step, score) - moved(probe, at, -step, score)) / (2.0 * step)
            })
            .fold(0.0, |most: f32, slope| most.max(slope.abs()));
        let found = saliency.map(0)[pixel];
        assert!(
            (slope - found).abs() < 0.02 * largest,
            "pixel {pixel}: {slope} {found}, largest {largest}"
        );
    }
}

const SMOOTH: &str = "input = \"3x8x8\"\nencoder = [\"conv 4 k3 p1\", \"bn\", \"gelu\", \"avgpool 2\", \"dropout 0.5\"]\ndecoder = [\"upsample 2\", \"conv 3 k3 p1\", \"tanh\"]\nhead = [\"flatten\", \"dense 10\"]";

#[test]
fn maps_meet_finite_differences_of_the_class_score() {
    let (_, mut mirror, dataset, probe) = looking(SMOOTH, "resize = [8, 8]");
    for question in [Question::Predicted, Question::Class(7)] {
        let saliency = explain(&mut mirror, &dataset, &probe, question, 1).unwrap();
        let class = saliency.answers[0].class.unwrap();
        assert!(question == Question::Predicted || class == 7);
        let mut score = |probe: &Probe| {
            explain(&mut mirror, &dataset, probe, Question::Class(class), 1)
                .unwrap()
                .answers[0]
                .score
        };
        meets_finite_differences(&saliency, &probe, &mut score);
    }
}

#[test]
fn maps_meet_finite_differences_of_the_reconstruction_error() {
    let (_, mut mirror, dataset, probe) = looking(SMOOTH, "resize = [8, 8]");
    let saliency = explain(&mut mirror, &dataset, &probe, Question::Error, 1).unwrap();
    assert!(saliency.answers[0].top.is_empty() && saliency.answers[0].class.is_none());
    let mut score = |probe: &Probe| {
        explain(&mut mirror, &dataset, probe, Question::Error, 1)
            .unwrap()
            .answers[0]
            .score
    };
    meets_finite_differences(&saliency, &probe, &mut score);
}

/// The output depends on one pixel only.
#[test]
fn a_network_that_looks_at_one_pixel_has_its_saliency_there() {
    let network = "input = \"3x8x8\"\nencoder = [\"identity\"]\nhead = [\"crop 2+5x3+4\", \"flatten\", \"dense 10\"]";
    let (_, mut mirror, dataset, probe) = looking(network, "resize = [8, 8]");
    let saliency = explain(&mut mirror, &dataset, &probe, Question::Predicted, 1).unwrap();
    for index in 0..saliency.answers.len() {
        for (pixel, value) in saliency.map(index).iter().enumerate() {
            assert_eq!(
                *value > 0.0,
                pixel == 2 * 8 + 3,
                "image {index}, pixel {pixel}: {value}"
            );
        }
    }
}

/// kazuto1011/grad-cam 15: without a gradient there is nothing to amplify.
#[test]
fn a_score_that_depends_on_no_pixel_has_a_flat_map() {
    let network = "input = \"3x8x8\"\nencoder = [\"step\"]\nhead = [\"flatten\", \"dense 10\"]";
    let (_, mut mirror, dataset, probe) = looking(network, "resize = [8, 8]");
    let saliency = explain(&mut mirror, &dataset, &probe, Question::Predicted, 1).unwrap();
    for index in 0..saliency.answers.len() {
        assert!(saliency.map(index).iter().all(|value| *value == 0.0));
    }
}

/// A sure answer hardly moves its probability, but its logit.
#[test]
fn the_score_is_taken_before_a_last_softmax() {
    let plain = "input = \"3x8x8\"\nencoder = [\"flatten\"]\nhead = [\"dense 10\"]";
    let (_, mut logits, dataset, probe) = looking(plain, "resize = [8, 8]");
    let (_, mut behind, ..) = looking(
        &plain.replace("dense 10\"", "dense 10\", \"softmax\""),
        "resize = [8, 8]",
    );
    let explain = |eye: &mut Eye| explain(eye, &dataset, &probe, Question::Predicted, 1).unwrap();
    assert_eq!(explain(&mut logits), explain(&mut behind));
}

#[test]
fn answers_are_ranked_and_sum_to_one() {
    let said = answer(&[1.0, 3.0, 2.0, 3.0], None);
    assert_eq!((said.class, said.score), (Some(1), 3.0));
    assert_eq!(
        said.top.iter().map(|(class, _)| *class).collect::<Vec<_>>(),
        [1, 3, 2]
    );
    let all: f32 = said.top.iter().map(|(_, p)| p).sum();
    assert!(all < 1.0 && all > 0.9);
    assert_eq!(answer(&[1.0, 3.0], Some(0)).score, 1.0);
    let (_, mut mirror, dataset, probe) = looking(SMOOTH, "resize = [8, 8]");
    assert!(explain(&mut mirror, &dataset, &probe, Question::Class(10), 1).is_err());
}

/// Looking takes nothing from the network and leaves nothing in it.
#[test]
fn the_network_in_training_is_not_touched() {
    let (network, mut mirror, dataset, probe) = looking(SMOOTH, "resize = [8, 8]");
    let state = |network: &Network| {
        let numbers = |(key, tensor): (String, Tensor)| (key, numbers(&tensor).unwrap());
        network
            .state()
            .unwrap()
            .into_iter()
            .map(numbers)
            .collect::<Vec<_>>()
    };
    let before = state(&network);
    explain(&mut mirror, &dataset, &probe, Question::Predicted, 1).unwrap();
    assert_eq!(state(&network), before);
    assert_eq!(state(mirror.mirror.network()), before);
}

/// The layer of this name; none without a name.
fn place(name: &str) -> Option<Place> {
    match name.parse() {
        Ok(Target::Node(place)) => Some(place),
        _ => None,
    }
}

/// Whatever the method, the maps of a score that looks at one pixel are zero elsewhere; Grad-CAM and occlusion are
/// coarser than a pixel.
#[test]
fn every_method_finds_the_one_pixel_that_counts() {
    let network = "input = \"3x8x8\"\nencoder = [\"identity\"]\nhead = [\"crop 2+5x3+4\", \"flatten\", \"dense 10\"]";
    let (_, mut eye, dataset, probe) = looking(network, "resize = [8, 8]");
    for method in Method::ALL {
        if method == Method::GradCam {
            continue;
        }
        let request = Request {
            method,
            ..Request::default()
        };
        let seen = ask(&mut eye, &dataset, &probe, Question::Predicted, 1, &request).unwrap();
        assert_eq!((seen.method, seen.of), (method, seen.answers.len()));
        for (pixel, value) in seen.map(0).iter().enumerate() {
            let [row, column] = [pixel / 8, pixel % 8];
            let reach = usize::from(method == Method::Occlusion) * 2;
            let is_near = row.abs_diff(2) < 1 + reach && column.abs_diff(3) < 1 + reach;
            assert!(
                is_near || *value == 0.0,
                "{method:?} {row} {column}: {value}"
            );
        }
        assert!(seen.map(0)[2 * 8 + 3] > 0.0, "{method:?}");
    }
}

#[test]
fn integrated_gradients_add_up_to_what_the_score_differs_by() {
    let (_, mut eye, dataset, probe) = looking(SMOOTH, "resize = [8, 8]");
    let request = Request {
        method: Method::Integrated,
        ..Request::default()
    };
    for question in [Question::Predicted, Question::Error] {
        let seen = ask(&mut eye, &dataset, &probe, question, 1, &request).unwrap();
        assert_eq!(seen.completeness.len(), seen.answers.len());
        for complete in &seen.completeness {
            let off = (complete.sum - complete.difference).abs();
            assert!(
                off < 1e-3 * complete.difference.abs().max(0.1),
                "{complete:?}"
            );
        }
    }
}

#[test]
fn the_sanity_check_draws_layers_anew_from_the_last_and_puts_the_weights_back() {
    let (network, mut eye, dataset, probe) = looking(SMOOTH, "resize = [8, 8]");
    let request = Request {
        randomised: 9,
        ..Request::default()
    };
    let seen = ask(&mut eye, &dataset, &probe, Question::Predicted, 1, &request).unwrap();
    let layers: Vec<&str> = seen
        .checks
        .iter()
        .map(|check| check.layer.as_str())
        .collect();
    let wanted = [
        "head.1 `dense 10`",
        "encoder.1 `bn`",
        "encoder.0 `conv 4 k3 p1`",
    ];
    assert_eq!(layers, wanted);
    for check in &seen.checks {
        assert_eq!(check.correlations.len(), seen.answers.len());
        assert!(check.correlation() < 0.95, "{check:?}");
    }
    let weights = |network: &Network| {
        let values = |(_, tensor): (String, Tensor)| numbers(&tensor).unwrap();
        let state = network.state().unwrap().into_iter();
        state.map(values).collect::<Vec<_>>()
    };
    assert_eq!(weights(&network), weights(eye.mirror.network()));
}

#[test]
fn ranks_of_equal_values_are_shared() {
    assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[10.0, 20.0, 90.0]), 1.0);
    assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
    assert_eq!(rank_correlation(&[1.0, 1.0], &[3.0, 2.0]), 0.0);
    // scipy.stats.spearmanr([1, 2, 2, 4], [1, 3, 2, 2])
    let tied = rank_correlation(&[1.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 2.0, 2.0]);
    assert!((tied - 0.5).abs() < 1e-6, "{tied}");
}

#[test]
fn grad_cam_needs_a_layer_with_maps_before_the_score() {
    let (_, mut eye, dataset, probe) = looking(SMOOTH, "resize = [8, 8]");
    let mut of = |layer: &str| {
        let request = Request {
            method: Method::GradCam,
            layer: place(layer),
            ..Request::default()
        };
        ask(&mut eye, &dataset, &probe, Question::Predicted, 1, &request)
    };
    let usual = of("").unwrap();
    assert_eq!(usual.layer.as_deref(), Some("encoder.2 `gelu`"));
    assert!(usual.signed.iter().all(|value| *value >= 0.0));
    let refused = of("decoder.0").unwrap_err().to_string();
    assert!(refused.contains("does not lie before"), "{refused}");
    let refused = of("head.0").unwrap_err().to_string();
    assert!(refused.contains("gives no maps"), "{refused}");
}
