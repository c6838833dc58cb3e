//! Why the network decides so, and how it is fooled: saliency by every method, predictions, adversarial examples; the same
//! in the terminal and in the window.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, strata};
use crate::kit::window::*;
use eframe::egui::vec2;
use egui_kittest::kittest::Queryable;
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::choices::Choice;
use strata::app::view_kind::ViewKind;
use strata::engine::storage::saved_run::SavedRun;
use strata::gui::panels::adversarial::AttackChoice;
use strata::inspect::adversarial::{self, Adversarial, Attack, Norm, Robustness, robustness};
use strata::inspect::attribution::Method;
use strata::inspect::image_set::Chosen;
use strata::inspect::predictions::{List, Predictions};
use strata::inspect::saliency::{Question, Request, Saliency};
use strata::project::data::Split;
use strata_testkit::folders::real_data;

/// A run of the small classifier in `run`.
fn trained(folder: &Path) {
    completed(train(&classifier(), &options(&folder.join("run"))).0);
}

#[test]
fn every_method_of_saliency_is_in_the_terminal_with_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    for method in Method::ALL {
        let word = method.word();
        let args = [
            "inspect", "run", "saliency", "--class", "disc", "--method", word, "--limit", "3",
        ];
        let more = [
            "--numbers",
            "maps.npy",
            "--signed",
            "--one-scale",
            "--json",
            "-o",
            "maps.png",
        ];
        let seen = json(&strata(at, &[&args[..], &more[..]].concat()));
        assert_eq!(seen["method"], word);
        assert_eq!(seen["images"].as_array().map(Vec::len), Some(3), "{word}");
        let npy = std::fs::read(at.join("maps.npy")).unwrap();
        assert!(
            String::from_utf8_lossy(&npy[..128]).contains("(3, 16, 16, 3,)"),
            "{word}"
        );
        assert!(image::open(at.join("maps.png")).is_ok());
        if method == Method::Integrated {
            let [sum, difference] =
                ["sum", "difference"].map(|key| seen["images"][0][key].as_f64().unwrap());
            assert!(
                (sum - difference).abs() < 0.01 * difference.abs().max(0.1),
                "{sum} {difference}"
            );
        }
    }
    let args = [
        "inspect",
        "run",
        "saliency",
        "--randomise",
        "9",
        "--json",
        "-o",
        "check.svg",
    ];
    let seen = json(&strata(at, &args));
    let layers: Vec<&str> = seen["randomised"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["layer"].as_str().unwrap())
        .collect();
    assert_eq!(layers[0], "head.2 `dense 10`");
    assert_eq!(layers.last(), Some(&"encoder.0 `conv 6 k3 s2 p1`"));
    let args = [
        "inspect",
        "run",
        "saliency",
        "--layer",
        "encoder.2",
        "--unit",
        "5",
        "--numbers",
        "unit.csv",
    ];
    let unit = strata(at, &args);
    assert_eq!(code(&unit), 0, "{}", err(&unit));
    assert!(err(&unit).contains("unit 5"), "{}", err(&unit));
    let table = std::fs::read_to_string(at.join("unit.csv")).unwrap();
    assert!(table.starts_with("image,row,column,channel0,channel1,channel2\n0,0,0,"));
    for (args, part) in [
        (&["--method", "gradcam"][..], "the methods are gradient, "),
        (
            &["--layer", "encoder.2", "--unit", "6"],
            "it has 6, counted from 0",
        ),
        (&["--numbers", "maps.txt"], "such as maps.npy"),
    ] {
        let refused = strata(at, &[&["inspect", "run", "saliency"][..], args].concat());
        assert_eq!(code(&refused), 2);
        assert!(err(&refused).contains(part), "{}", err(&refused));
    }
}

fn saliency(window: &Window) -> Option<&Saliency> {
    let reply = window.state().inspections.latest::<Saliency>()?;
    reply.result.as_deref().ok()
}

#[test]
fn the_window_shows_saliency_by_every_method_and_its_sanity_check() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.train();
    window.show_alone(ViewKind::Saliency);
    window.run();
    for method in Method::ALL {
        let request = Request {
            method,
            ..Request::default()
        };
        show(&mut window, request);
        window.wait("the maps", |state| {
            let reply = state.inspections.latest::<Saliency>();
            reply.is_some_and(|reply| reply.query.request.method == method && reply.result.is_ok())
        });
        assert!(
            window.has(&format!("{} of the predicted class", method.name())),
            "{method:?}"
        );
        if method == Method::GradCam {
            assert!(window.has("encoder layer 2 relu"));
        }
        pictures(&mut window, &format!("saliency/{}", method.word()));
    }
    let check = Request {
        randomised: 2,
        ..Request::default()
    };
    show(&mut window, check);
    window.wait("the check", |state| {
        let reply = state.inspections.latest::<Saliency>();
        reply.is_some_and(|reply| {
            reply
                .result
                .as_ref()
                .is_ok_and(|seen| seen.checks.len() == 2)
        })
    });
    assert!(window.has("sanity check, rank correlations head layer 2 dense 10: "));
    pictures(&mut window, "saliency/sanity");
    let unit = Request {
        question: Some(Question::Unit(1)),
        layer: Some(strata::project::Place::new(
            strata::project::Stack::Encoder,
            0,
        )),
        ..Request::default()
    };
    show(&mut window, unit);
    window.wait("the unit", |state| {
        let reply = state.inspections.latest::<Saliency>();
        let question = Question::Unit(1);
        reply.is_some_and(|reply| {
            reply
                .result
                .as_ref()
                .is_ok_and(|seen| seen.question == question)
        })
    });
    assert!(window.has("gradient of the unit 2 · encoder layer 1 conv 4 k3 s2 p1"));
    window.click("Options of saliency");
    assert!(window.has("Unit of saliency") && window.has("Layer of saliency"));
    window.click("With signs");
    assert!(saliency(&window).is_some());
    pictures(&mut window, "saliency/options");
}

fn show(window: &mut Window, request: Request) {
    let action = Action::Show(Show::Saliency(request));
    window.harness.state_mut().handle(action);
    window.run();
}

/// Pictures of the window in both themes.
fn pictures(window: &mut Window, name: &str) {
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        window.set_dark(dark);
        window.keep_picture(&format!("{name}-{theme}"));
    }
}

#[test]
fn predictions_are_those_of_eval() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let measured = json(&strata(at, &["eval", "run", "--json"]));
    let args = [
        "inspect",
        "run",
        "predictions",
        "--json",
        "--numbers",
        "all.csv",
        "--list",
        "most-wrong",
    ];
    let seen = json(&strata(at, &args));
    assert_eq!(seen["accuracy"], measured["test"]["accuracy"]);
    let confusion = measured["test"]["confusion"].as_array().unwrap();
    for (class, row) in confusion.iter().enumerate() {
        let row: Vec<u64> = row
            .as_array()
            .unwrap()
            .iter()
            .map(|count| count.as_u64().unwrap())
            .collect();
        let images: u64 = row.iter().sum();
        assert_eq!(seen["classes"][class]["images"], images);
        let recall = seen["classes"][class]["recall"].as_f64().unwrap();
        assert!((recall - row[class] as f64 / images as f64).abs() < 1e-12);
    }
    let bins = seen["calibration"].as_array().unwrap();
    let counted: u64 = bins.iter().map(|bin| bin["images"].as_u64().unwrap()).sum();
    assert_eq!((counted, &seen["of"]), (64, &64.into()));
    let shown = seen["shown"].as_array().unwrap();
    let sure = |image: &serde_json::Value| image["top"][0]["probability"].as_f64().unwrap();
    assert!(
        shown
            .windows(2)
            .all(|pair| sure(&pair[0]) >= sure(&pair[1]))
    );
    assert!(
        shown
            .iter()
            .all(|image| image["label"] != image["top"][0]["class"])
    );
    assert_eq!(
        std::fs::read_to_string(at.join("all.csv"))
            .unwrap()
            .lines()
            .count(),
        65
    );
    let own = [
        "--image",
        "run/predictions.png",
        "--image",
        "run/predictions.png",
        "--top",
        "5",
    ];
    let own = json(&strata(
        at,
        &[&["inspect", "run", "predictions", "--json"][..], &own].concat(),
    ));
    assert_eq!(own["shown"].as_array().map(Vec::len), Some(2));
    assert_eq!(own["shown"][0]["top"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        (&own["accuracy"], &own["shown"][0]["label"]),
        (&().into(), &().into())
    );
}

/// With an augmentation that always mirrors, the mean over any number of draws is the answer for the mirrored image.
#[test]
fn answers_are_the_mean_over_the_augmentations() {
    use strata::nn::{Mode, Route};
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut project = classifier();
    project.data.augment = vec!["hflip p1".parse().unwrap()];
    completed(train(&project, &options(&at.join("run"))).0);
    let mut run = SavedRun::open(&at.join("run"), "last", Some("cpu"), &mut |_| true).unwrap();
    let request = strata::inspect::predictions::Request {
        chosen: Chosen {
            split: Some(Split::Test),
            limit: Some(5),
            ..Chosen::default()
        },
        augmentations: 3,
        ..Default::default()
    };
    let mean = run.inspect::<Predictions>(&request).unwrap();
    let data = run.dataset.split(Split::Test).unwrap();
    let [height, width, channels] = data.image_shape();
    for index in 0..5 {
        let mut image = vec![0.0; height * width * channels];
        data.read(index, &mut image).unwrap();
        let rows = image.chunks_exact(width * channels);
        let mirrored: Vec<f32> = rows
            .flat_map(|row| row.chunks_exact(channels).rev().flatten().copied())
            .collect();
        let shape = (1, height, width, channels);
        let mirrored = candle_core::Tensor::from_vec(mirrored, shape, &candle_core::Device::Cpu);
        let output = run
            .network
            .forward(Route::Classify, &mirrored.unwrap(), Mode::Eval)
            .unwrap();
        let scores: Vec<f32> = output.flatten_all().unwrap().to_vec1().unwrap();
        let sum: f32 = scores.iter().map(|score| score.exp()).sum();
        for (found, score) in mean.answers.of(index).iter().zip(&scores) {
            let wanted = score.exp() / sum;
            assert!(
                (found - wanted).abs() < 1e-5,
                "image {index}: {found} {wanted}"
            );
        }
    }
    let args = [
        "inspect",
        "run",
        "predictions",
        "--augmentations",
        "2",
        "--json",
    ];
    assert_eq!(json(&strata(at, &args))["augmentations"], 2);
    completed(train(&classifier(), &options(&at.join("plain"))).0);
    let plain = strata(
        at,
        &["inspect", "plain", "predictions", "--augmentations", "2"],
    );
    assert!(
        err(&plain).contains("no augmentations whose mean could be taken"),
        "{}",
        err(&plain)
    );
}

fn predicted(window: &mut Window, list: List) -> Predictions {
    window.wait("the predictions", |state| {
        let reply = state.inspections.latest::<Predictions>();
        reply.is_some_and(|reply| reply.query.request.list == list && reply.result.is_ok())
    });
    let reply = window.state().inspections.latest::<Predictions>().unwrap();
    reply.result.as_deref().unwrap().clone()
}

#[test]
fn the_confusion_matrix_opens_the_images_of_a_cell() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_alone(ViewKind::Predictions);
    window.run();
    assert!(window.has("No answers yet"));
    window.train();
    let seen = predicted(&mut window, List::MostWrong);
    assert!(window.has("wrong answers, the surest first"));
    assert!(window.has("calibration, expected error") && window.has("disc: precision"));
    assert_eq!(seen.of, 64);
    pictures(&mut window, "predictions/wrong");
    window.show_alone(ViewKind::Confusion);
    window.run();
    window.wait("the matrix", |state| {
        state
            .inspections
            .latest::<strata::inspect::confusion::Confusion>()
            .is_some()
    });
    // A row's label lies over its ten cells and, at the right, the share of the class that is right.
    let row = window
        .harness
        .get_all_by_label_contains("disc: ")
        .next()
        .unwrap()
        .rect();
    let cell = row.height() + 1.0;
    let first = row.right_center() - vec2(56.0 + 9.5 * cell, 0.0);
    window.harness.hover_at(first);
    window.run();
    window.harness.drag_at(first);
    window.harness.drop_at(first);
    window.run();
    let seen = predicted(&mut window, List::Taken(0, 0));
    assert!(
        seen.shown
            .iter()
            .all(|image| image.label == Some(0) && image.top[0].0 == 0)
    );
    assert!(window.has(" images of disc taken for disc, the surest first"));
    pictures(&mut window, "predictions/cell");
}

#[test]
fn adversarial_examples_fool_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let args = [
        "inspect",
        "run",
        "adversarial",
        "--attack",
        "pgd",
        "--epsilon",
        "0.3",
        "--json",
        "--limit",
        "30",
    ];
    let made = json(&strata(
        at,
        &[&args[..], &["--numbers", "changes.npy"]].concat(),
    ));
    let points = made["accuracy"]["points"].as_array().unwrap();
    assert_eq!(points.len(), robustness_points());
    assert_eq!(points[0]["epsilon"], 0.0);
    let share = |point: &serde_json::Value| point["accuracy"].as_f64().unwrap();
    assert!(share(&points[points.len() - 1]) <= share(&points[0]));
    for image in made["images"].as_array().unwrap() {
        assert!(image["linf"].as_f64().unwrap() <= 0.3001);
    }
    let args = [
        "inspect",
        "run",
        "adversarial",
        "--target",
        "disc",
        "--transformations",
        "2",
        "--norm",
        "l2",
    ];
    let made = json(&strata(
        at,
        &[&args[..], &["--epsilon", "2", "--json", "--limit", "8"]].concat(),
    ));
    assert_eq!(
        (&made["norm"], &made["target"]),
        (&"l2".into(), &"disc".into())
    );
    for image in made["images"].as_array().unwrap() {
        assert!(image["l2"].as_f64().unwrap() <= 2.001);
        assert!(image["views_fooled"].is_number());
    }
    let mut other = classifier();
    other.seed += 1;
    completed(train(&other, &options(&at.join("other"))).0);
    let args = [
        "inspect",
        "run",
        "adversarial",
        "--epsilon",
        "0.3",
        "--json",
    ];
    let more = ["--limit", "8", "--transfer"];
    let transferred = |to: &str| json(&strata(at, &[&args[..], &more, &[to]].concat()));
    // To itself every example transfers that fools it and that it had right.
    let itself = transferred("run");
    let fooled = |made: &serde_json::Value| -> usize {
        let images = made["images"].as_array().unwrap();
        let fooled = |image: &&serde_json::Value| {
            image["fooled"] == true && image["before"][0]["class"] == image["label"]
        };
        images.iter().filter(fooled).count()
    };
    assert_eq!(itself["transfer"]["fooled"], fooled(&itself));
    let made = transferred("other");
    let of = |key: &str| made["transfer"][key].as_u64().unwrap();
    assert!(of("fooled") <= of("right_before") && of("right_before") <= 16);
    let refused = strata(
        at,
        &["inspect", "run", "adversarial", "--attack", "carlini"],
    );
    assert!(
        err(&refused).contains("the attacks are fgsm, iterated, pgd"),
        "{}",
        err(&refused)
    );
}

fn robustness_points() -> usize {
    adversarial::robustness::RADII
}

#[test]
fn the_window_shows_adversarial_examples_and_the_accuracy_under_attack() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_alone(ViewKind::Adversarial);
    window.run();
    assert!(window.has("No network to fool yet"));
    pictures(&mut window, "adversarial/empty");
    window.train();
    let choice = AttackChoice {
        attack: Attack::Iterated,
        epsilon: 0.2,
        ..AttackChoice::default()
    };
    window
        .harness
        .state_mut()
        .handle(Action::Choose(Choice::new(choice)));
    window.run();
    window.wait("the examples", |state| {
        let reply = state.inspections.latest::<Adversarial>();
        reply.is_some_and(|reply| reply.query.request.epsilon == 0.2 && reply.result.is_ok())
    });
    window.wait("the curve", |state| {
        let reply = state.inspections.latest::<Robustness>();
        reply.is_some_and(|reply| reply.query.request.epsilon == 0.2 && reply.result.is_ok())
    });
    assert!(window.has("16 adversarial examples, ") && window.has("accuracy under attack: "));
    assert!(window.has("iterated · L∞ · ε 0.2"));
    pictures(&mut window, "adversarial/iterated");
    // The run itself as the other one: every example that fools it does so there, too.
    let run = window.state().training.run.clone().unwrap();
    let choice = AttackChoice {
        attack: Attack::Iterated,
        epsilon: 0.2,
        transfer: run.display().to_string(),
        ..AttackChoice::default()
    };
    window
        .harness
        .state_mut()
        .handle(Action::Choose(Choice::new(choice)));
    window.run();
    window.wait("the other run", |state| {
        let reply = state.inspections.latest::<adversarial::Transfer>();
        reply.is_some_and(|reply| reply.result.is_ok())
    });
    window.run();
    assert!(window.has(" that it has right fool it, too"));
    for label in [
        "Epsilon",
        "Another run",
        "Transformations",
        "Attack",
        "Norm of the attack",
        "Target of the attack",
    ] {
        assert!(window.has(label), "{label}");
    }
}

/// In a small tile every view still has its parts, and a project that classifies nothing is told what to do.
#[test]
fn views_fit_a_small_tile_and_say_what_to_do_without_classes() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.train();
    window.show_column(&[ViewKind::Predictions, ViewKind::Adversarial]);
    window.wait("both", |state| {
        let made = state.inspections.latest::<Adversarial>().is_some();
        made && state.inspections.latest::<Predictions>().is_some()
    });
    pictures(&mut window, "small/predictions-adversarial");
    let mut window = Window::idle("conv-autoencoder");
    for kind in [ViewKind::Predictions, ViewKind::Adversarial] {
        window.show_alone(kind);
        window.run();
        assert!(
            window.has("Nothing is classified") && window.has("A stage with the task classify")
        );
        for control in ["Split of predictions", "Attack"] {
            assert!(!window.has(control), "{control} has nothing to change");
        }
    }
}

/// The built-in LeNet, trained as its project says.
fn lenet(root: &Path, folder: &Path) -> SavedRun {
    let mut project = builtin("lenet-mnist");
    project.data.path = Some(root.join("mnist").display().to_string());
    let run = folder.join("run");
    completed(train(&project, &options(&run)).0);
    SavedRun::open(&run, "last", Some("cpu"), &mut |_| true).unwrap()
}

/// The mean probability of the right class, of images as the network gets them.
fn right_class(run: &mut SavedRun, images: &[f32], labels: &[u32]) -> f64 {
    use candle_core::Tensor;
    use strata::nn::{Mode, Route};
    let count = labels.len();
    let images = Tensor::from_slice(images, (count, 28, 28, 1), run.device()).unwrap();
    let output = run
        .network
        .forward(Route::Classify, &images, Mode::Eval)
        .unwrap();
    let scores: Vec<Vec<f32>> = output.to_vec2().unwrap();
    let probability = |(row, label): (&Vec<f32>, &u32)| {
        let highest = row.iter().copied().fold(f32::MIN, f32::max);
        let sum: f32 = row.iter().map(|score| (score - highest).exp()).sum();
        f64::from((row[*label as usize] - highest).exp() / sum)
    };
    scores.iter().zip(labels).map(probability).sum::<f64>() / count as f64
}

/// Without the tenth of the pixels that integrated gradients call most salient, the right class loses at least three
/// times what it loses without a random tenth; and PGD with ε = 0.2 leaves less than a tenth of the answers right.
#[test]
#[ignore = "trains for a minute"]
fn long_salient_pixels_of_lenet_matter_and_pgd_breaks_it() {
    let name = "long_salient_pixels_of_lenet_matter_and_pgd_breaks_it";
    let Some(root) = real_data(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut run = lenet(&root, folder.path());
    const IMAGES: usize = 500;
    let request = Request {
        method: Method::Integrated,
        chosen: Chosen {
            split: Some(Split::Test),
            limit: Some(IMAGES),
            ..Chosen::default()
        },
        ..Request::default()
    };
    let saliency = run.inspect::<Saliency>(&request).unwrap();
    let labels: Vec<u32> = saliency
        .answers
        .iter()
        .map(|answer| answer.label.unwrap())
        .collect();
    let images: Vec<f32> = saliency
        .inputs
        .iter()
        .map(|byte| f32::from(*byte) / 255.0)
        .collect();
    let (mut salient, mut random) = (images.clone(), images.clone());
    const COVERED: usize = 784 / 10;
    for index in 0..IMAGES {
        let map = saliency.signed_map(index);
        let mut order: Vec<usize> = (0..784).collect();
        order.sort_by(|a, b| map[*b].total_cmp(&map[*a]));
        let from = index * 784;
        order[..COVERED]
            .iter()
            .for_each(|pixel| salient[from + pixel] = 0.0);
        // Every pixel has the same chance: steps of a number without a common factor.
        (0..COVERED).for_each(|step| random[from + (index * 131 + step * 367) % 784] = 0.0);
    }
    let before = right_class(&mut run, &images, &labels);
    let [without, by_chance] =
        [&salient, &random].map(|images| before - right_class(&mut run, images, &labels));
    println!(
        "probability of the right class {before:.4}: less {without:.4} without salient pixels, {by_chance:.4} without random ones"
    );
    assert!(without >= 3.0 * by_chance.max(0.0), "{without} {by_chance}");
    let attack = robustness::Request {
        attack: Attack::Pgd,
        norm: Norm::Linf,
        epsilon: 0.2,
        split: Some(Split::Test),
        limit: Some(100),
    };
    let accuracies = run.inspect::<Robustness>(&attack).unwrap().accuracies();
    let at = |epsilon: f32| {
        accuracies
            .iter()
            .find(|(at, _)| (at - epsilon).abs() < 1e-6)
            .unwrap()
            .1
    };
    println!("PGD: {accuracies:?}");
    assert!(at(0.0) > 0.95 && at(0.2) < 0.1, "{accuracies:?}");
}
