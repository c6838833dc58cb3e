//! Feature visualization in the terminal and in the window, what another network takes its images for; and filters,
//! measured and switched off.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, strata};
use crate::kit::window::*;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use strata::app::action::Action;
use strata::app::choices::Choice;
use strata::app::view_kind::ViewKind;
use strata::engine::storage::saved_run::SavedRun;
use strata::gui::panels::visualize::VisualizeChoice;
use strata::inspect::visualize::{How, Penalty, Request, Visualization, Wanted};
use strata_testkit::folders::real_data;

#[test]
fn every_goal_is_made_in_the_terminal_and_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    let made = |more: &[&str]| {
        let args = ["inspect", "run", "visualize", "--steps", "16", "--json"];
        json(&strata(at, &[&args[..], more].concat()))
    };
    let classes = made(&["--numbers", "one.npy", "-o", "one.png"]);
    assert_eq!(classes["images"].as_array().unwrap().len(), 10);
    assert_eq!(classes["frames"][7], 16);
    let score = |value: &serde_json::Value| value["images"][0]["score"].as_f64().unwrap();
    for image in classes["images"].as_array().unwrap() {
        let scores = image["scores"].as_array().unwrap();
        assert!(image["score"].as_f64().unwrap() > scores[0].as_f64().unwrap());
        assert_eq!(image["top"].as_array().unwrap().len(), 3);
    }
    made(&["--numbers", "two.npy", "-o", "two.svg"]);
    let bytes = |name: &str| std::fs::read(at.join(name)).unwrap();
    assert_eq!(bytes("one.npy"), bytes("two.npy"), "equal to the last bit");
    assert!(bytes("two.svg").starts_with(b"<svg"));
    let other = made(&["--seed", "8", "--class", "disc,0"]);
    assert_ne!(score(&other), score(&classes));
    assert_eq!(other["images"].as_array().unwrap().len(), 2);
    let layer = ["--layer", "encoder.0"];
    for (more, count) in [
        (vec!["--channel", "all"], 6),
        (vec!["--channel", "0..2,5"], 3),
        (vec!["--unit", "1,0,7"], 1),
        (vec!["--unit", "1", "--starts", "3", "--diversity", "1"], 3),
        (vec![], 1),
        (vec!["--channel", "2", "--side-by-side"], 10),
        (vec!["--image", "one.png"], 1),
        (
            vec![
                "--basis",
                "pixel",
                "--colours",
                "plain",
                "--penalty",
                "linf",
                "--strength",
                "0.2",
                "--tv",
                "0.2",
                "--blur",
                "4",
                "--jitter",
                "2",
                "--rotation",
                "5",
                "--scale",
                "0.1",
                "--laplacian",
                "3",
                "--rate",
                "0.1",
            ],
            1,
        ),
    ] {
        let made = made(&[&layer[..], &more].concat());
        let images = made["images"].as_array().unwrap();
        assert_eq!(images.len(), count, "{more:?}");
        assert_eq!(made["layer"], "encoder.0 `conv 6 k3 s2 p1`");
        assert!(
            images.iter().all(|image| image["moved"] == true),
            "{more:?}"
        );
    }
}

#[test]
fn what_cannot_be_made_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    let refused = |more: &[&str]| {
        let made = strata(at, &[&["inspect", "run", "visualize"][..], more].concat());
        assert_ne!(code(&made), 0, "{more:?}");
        err(&made)
    };
    let layer = |more: &[&'static str]| [&["--layer", "encoder.0"][..], more].concat();
    assert!(refused(&["--class", "cat"]).contains("there is no class `cat`"));
    assert!(refused(&layer(&["--channel", "6"])).contains("the layer has 6, counted from 0"));
    assert!(refused(&layer(&["--unit", "0,8,0"])).contains("8×0 is not in the layer's map of 8×8"));
    assert!(refused(&["--penalty", "l3"]).contains("the penalties are none, l2, l4, linf"));
    assert!(refused(&["--channel", "1"]).contains("--layer"));
    let other = strata(at, &["inspect", "run", "saliency", "--jitter", "2"]);
    assert!(
        err(&other).contains("--jitter is for visualize"),
        "{}",
        err(&other)
    );
}

/// Pictures of the window in both themes.
fn pictures(window: &mut Window, name: &str) {
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        window.set_dark(dark);
        window.keep_picture(&format!("{name}-{theme}"));
    }
}

fn wait_for(window: &mut Window, what: &str, is_there: impl Fn(&Visualization) -> bool) {
    window.wait(what, |state| {
        let reply = state.inspections.latest::<Visualization>();
        reply.is_some_and(|reply| reply.result.as_deref().is_ok_and(&is_there))
    });
}

fn choose(window: &mut Window, choice: VisualizeChoice) {
    let action = Action::Choose(Choice::new(choice));
    window.harness.state_mut().handle(action);
    window.run();
}

#[test]
fn the_window_makes_images_while_one_watches() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_alone(ViewKind::Visualize);
    window.run();
    assert!(window.has("No network to ask yet"));
    pictures(&mut window, "visualize/empty");
    window.train();
    let usual = Request::usual([16, 16, 3]);
    let request = Request {
        how: How {
            steps: 400,
            ..usual.how.clone()
        },
        ..usual.clone()
    };
    let choice = VisualizeChoice {
        request: Some(request.clone()),
        ..VisualizeChoice::default()
    };
    choose(&mut window, choice.clone());
    wait_for(&mut window, "the first steps", |made| {
        made.request.how.steps == 400 && made.done > 0
    });
    wait_for(&mut window, "the end", |made| {
        made.request.how.steps == 400 && made.is_done()
    });
    assert!(window.has("400 steps") && window.has("the way of disc: after 0, "));
    pictures(&mut window, "visualize/classes");
    // The images are buttons: the second is chosen by keyboard, and its way is shown.
    let labels = window.harness.get_all_by_role(Role::Button);
    let labels = labels.filter_map(|node| node.accesskit_node().label());
    let is_image = |label: &String| label.contains(": score ") && !label.starts_with("disc");
    let label = labels.into_iter().find(is_image).unwrap();
    let name = label.split(": score").next().unwrap().to_owned();
    window.get(&label).focus();
    window.run();
    window.press(eframe::egui::Modifiers::NONE, eframe::egui::Key::Enter);
    window.run();
    assert!(
        window.has(&format!("the way of {name}: after 0, ")),
        "{name}"
    );
    let channels = Request {
        wanted: Wanted::AllChannels,
        layer: "encoder.0".parse().ok().and_then(|target| match target {
            strata::project::target::Target::Node(place) => Some(place),
            strata::project::target::Target::Stack(_) => None,
        }),
        how: How {
            steps: 30,
            penalty: Penalty::L4,
            ..usual.how
        },
        ..request
    };
    choose(
        &mut window,
        VisualizeChoice {
            request: Some(channels),
            ..choice
        },
    );
    wait_for(&mut window, "the channels", |made| {
        made.layer.is_some() && made.is_done()
    });
    assert!(window.has("L4 × ") && window.has("channel 1: score "));
    for label in [
        "New start",
        "Options of the visualization",
        "Visualization of",
    ] {
        assert!(window.has(label), "{label}");
    }
    pictures(&mut window, "visualize/channels");
}

#[test]
fn the_images_that_excite_a_channel_are_those_with_its_largest_values() {
    use strata::inspect::activations::output_of;
    use strata::inspect::exciting::{Exciting, Request};
    use strata::project::data::Split;
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    let args = [
        "inspect",
        "run",
        "exciting",
        "--layer",
        "encoder.2",
        "--split",
        "test",
        "--json",
    ];
    let told = json(&strata(at, &[&args[..], &["--channel", "1,4"]].concat()));
    let mut run = SavedRun::open(&at.join("run"), "last", Some("cpu"), &mut |_| true).unwrap();
    let place = strata::project::Place::new(strata::project::Stack::Encoder, 2);
    let request = Request {
        place: place.clone(),
        channels: Some(vec![1, 4]),
        split: Some(Split::Test),
        limit: None,
    };
    let made = run.inspect::<Exciting>(&request).unwrap();
    assert_eq!(
        told["channels"][1]["excited"][0]["index"],
        made.channels[1].excited[0].index
    );
    // Every image by itself through the network up to the layer.
    let plan = run.inference.plan.as_ref().unwrap();
    let device = candle_core::Device::Cpu;
    let mut copy = strata::inspect::network_copy::InspectionNetwork::new(plan, &device).unwrap();
    copy.take(&run.network).unwrap();
    let data = run.dataset.split(Split::Test).unwrap();
    assert_eq!(made.images, data.len());
    let mut largest: Vec<(f32, u32)> = (0..data.len() as u32)
        .map(|index| {
            let mut image = vec![0.0; 16 * 16 * 3];
            data.read(index as usize, &mut image).unwrap();
            let image = candle_core::Tensor::from_vec(image, (1, 16, 16, 3), &device).unwrap();
            let output = output_of(&mut copy, &run.inference, &place, &image).unwrap();
            let values: Vec<f32> = output.flatten_all().unwrap().to_vec1().unwrap();
            let own = values.iter().skip(4).step_by(6);
            (own.copied().fold(f32::MIN, f32::max), index)
        })
        .collect();
    largest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (excited, (value, _)) in made.channels[1].excited.iter().zip(&largest) {
        assert!(
            (excited.value - value).abs() < 1e-5,
            "{} {value}",
            excited.value
        );
        let field = excited.field.unwrap();
        // A convolution of three pixels every two, with one pixel of padding.
        let [row, column] = [excited.cell[0], excited.cell[1]].map(|cell| cell as i64);
        assert_eq!(field.rows, [2 * row - 1, 2 * row + 1]);
        assert_eq!(field.columns, [2 * column - 1, 2 * column + 1]);
    }
}

/// Where nothing is classified the code is excited, and not what the decoder gives.
#[test]
fn an_autoencoder_is_asked_for_its_code_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = tiny(&[]);
    project.network.head.clear();
    project.stages.truncate(1);
    let mut window = open(folder.path(), &project);
    window.show_alone(ViewKind::Visualize);
    window.train();
    wait_for(&mut window, "images of the code", |made| made.done > 0);
    let seen = window
        .state()
        .inspections
        .latest::<Visualization>()
        .unwrap();
    let layer = seen.query.request.layer.as_ref().unwrap();
    assert_eq!(layer.to_string(), "encoder.2");
}

#[test]
fn the_window_shows_what_excites_each_channel() {
    use strata::inspect::exciting::Exciting;
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_alone(ViewKind::Exciting);
    window.run();
    assert!(window.has("the images that excite each channel are shown"));
    window.train();
    window.wait("the images", |state| {
        let reply = state.inspections.latest::<Exciting>();
        reply.is_some_and(|reply| reply.result.is_ok())
    });
    window.run();
    assert!(window.has("channel 1: mean ") && window.has("4 of 4 channels"));
    assert!(window.has("Layer of exciting images"));
    pictures(&mut window, "exciting/first");
}

/// Images of the ten digits that one LeNet answers to are taken for them by another that began from other weights.
#[test]
#[ignore = "trains two networks"]
fn long_images_of_digits_are_recognised_by_a_second_network() {
    let name = "long_images_of_digits_are_recognised_by_a_second_network";
    let Some(root) = real_data(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    let trained = |seed: u64| {
        let mut project = builtin("lenet-mnist");
        project.data.path = Some(root.join("mnist").display().to_string());
        project.data.limit = Some(12_000);
        project.stages[0].epochs = 1;
        project.seed = seed;
        let run = folder.path().join(format!("run-{seed}"));
        completed(train(&project, &options(&run)).0);
        SavedRun::open(&run, "last", Some("cpu"), &mut |_| true).unwrap()
    };
    let (mut first, mut second) = (trained(42), trained(7));
    let made = first
        .inspect::<Visualization>(&Request::usual([28, 28, 1]))
        .unwrap();
    assert_eq!(made.recognised(), Some(10), "by the network itself");
    use candle_core::Tensor;
    use strata::nn::{Mode, Route};
    let images = Tensor::from_slice(&made.values, (10, 28, 28, 1), second.device()).unwrap();
    let output = second
        .network
        .forward(Route::Classify, &images, Mode::Eval)
        .unwrap();
    let scores: Vec<Vec<f32>> = output.to_vec2().unwrap();
    let answer = |row: &Vec<f32>| (0..10).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
    let answers: Vec<usize> = scores.iter().map(answer).collect();
    let right = (0..10).filter(|class| answers[*class] == *class).count();
    println!("{right} of 10 taken for their class by the second network: {answers:?}");
    assert!(right >= 8, "{answers:?}");
}

/// The figures of a layer are those of all its values, computed once more from what the layer gives.
#[test]
fn layers_are_told_in_numbers() {
    use strata::inspect::exciting::{self, Exciting};
    use strata::inspect::layer_statistics::{LayerStatistics, Request};
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    let mut run = SavedRun::open(&at.join("run"), "last", Some("cpu"), &mut |_| true).unwrap();
    let made = run.inspect::<LayerStatistics>(&Request::default()).unwrap();
    let keys: Vec<&str> = made
        .layers
        .iter()
        .map(|layer| layer.layer.as_str())
        .collect();
    let expected = [
        "encoder.0",
        "encoder.1",
        "encoder.2",
        "decoder.0",
        "decoder.1",
        "head.0",
        "head.1",
        "head.2",
    ];
    for key in expected {
        assert!(keys.contains(&key), "{keys:?}");
    }
    assert_eq!(keys.len(), expected.len());
    for layer in &made.layers {
        let request = exciting::Request {
            place: layer.place.clone(),
            channels: None,
            split: None,
            limit: Some(made.images),
        };
        let channels = run.inspect::<Exciting>(&request).unwrap();
        if channels.channels.len() < layer.channels {
            continue;
        }
        let count = channels.channels.len() as f64;
        let mean = channels
            .channels
            .iter()
            .map(|channel| channel.mean)
            .sum::<f64>()
            / count;
        let zeros = channels
            .channels
            .iter()
            .map(|channel| channel.zeros)
            .sum::<f64>()
            / count;
        let squares = channels.channels.iter();
        let squares = squares.map(|channel| channel.deviation.powi(2) + channel.mean.powi(2));
        let deviation = (squares.sum::<f64>() / count - mean * mean).sqrt();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6 * (1.0 + b.abs());
        assert!(near(layer.mean, mean), "{} {mean}", layer.mean);
        assert!(
            near(layer.deviation, deviation),
            "{} {deviation}",
            layer.deviation
        );
        assert!(near(layer.zeros, zeros), "{} {zeros}", layer.zeros);
        let dead = channels.channels.iter().filter(|channel| channel.is_dead());
        let dead: Vec<u32> = dead.map(|channel| channel.channel).collect();
        assert_eq!(layer.dead, dead);
    }
    let args = [
        "inspect",
        "run",
        "layers",
        "--json",
        "--numbers",
        "layers.csv",
    ];
    let told = json(&strata(at, &args));
    assert_eq!(told["layers"].as_array().unwrap().len(), expected.len());
    let table = std::fs::read_to_string(at.join("layers.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + expected.len());
    let args = [
        "inspect",
        "run",
        "exciting",
        "--layer",
        "encoder.2",
        "--numbers",
        "e.csv",
    ];
    assert_eq!(crate::kit::terminal::code(&strata(at, &args)), 0);
    assert_eq!(
        std::fs::read_to_string(at.join("e.csv"))
            .unwrap()
            .lines()
            .count(),
        7
    );
}

#[test]
fn the_window_shows_all_layers_as_a_table() {
    use strata::app::action::Action;
    use strata::app::choices::Choice;
    use strata::gui::panels::exciting::ExcitingChoice;
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_alone(ViewKind::Exciting);
    window.train();
    let choice = ExcitingChoice {
        layer: None,
        table: true,
    };
    window
        .harness
        .state_mut()
        .handle(Action::Choose(Choice::new(choice)));
    window.wait_for(std::time::Duration::from_secs(60), "the table", |window| {
        window.has("dead channels") && window.has("encoder layer 1")
    });
    pictures(&mut window, "exciting/layers");
}
