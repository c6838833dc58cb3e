//! Runs made of weights that another program has trained, in the terminal and in the window.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, out, strata};
use crate::kit::window::*;
use std::path::{Path, PathBuf};
use strata::app::action::Action;
use strata::project::file;
use strata_testkit::folders::real_data;

/// A run of the tiny project, and its checkpoint under the names that another program might use.
fn renamed(at: &Path) -> PathBuf {
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    file::save(&tiny(&[]), &at.join("tiny.toml")).unwrap();
    let device = candle_core::Device::Cpu;
    let last = at.join("run/checkpoints/last.safetensors");
    let tensors = candle_core::safetensors::load(last, &device).unwrap();
    let names = [
        ("encoder.0.", "features.conv."),
        ("encoder.1.", "features.norm."),
        ("decoder.0.", "up.conv."),
        ("head.2.", "classifier."),
    ];
    let rename = |(key, tensor): (String, candle_core::Tensor)| {
        let (from, to) = names.iter().find(|(from, _)| key.starts_with(from))?;
        Some((key.replacen(from, to, 1), tensor))
    };
    let renamed: std::collections::HashMap<_, _> = tensors.into_iter().filter_map(rename).collect();
    let weights = at.join("other.safetensors");
    candle_core::safetensors::save(&renamed, &weights).unwrap();
    weights
}

#[test]
fn weights_under_other_names_give_the_run_they_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    renamed(at);
    let args = [
        "import",
        "tiny.toml",
        "other.safetensors",
        "-o",
        "taken",
        "--json",
    ];
    let told = json(&strata(at, &args));
    let taken = told["taken"].as_array().unwrap();
    assert_eq!(taken[0]["key"], "encoder.0.weight");
    assert_eq!(taken[0]["from"], "features.conv.weight");
    assert_eq!(taken[0]["found"], "by shape");
    // The run that the weights are from reconstructs, too: that is not asked of the one made of them.
    let measured = |run: &str| {
        let told = json(&strata(at, &["eval", run, "--json"]));
        ["accuracy", "confusion", "log_loss"].map(|figure| told["test"][figure].clone())
    };
    assert_eq!(
        measured("taken"),
        measured("run"),
        "equal weights, equal figures"
    );
    for what in [
        "filters",
        "activations",
        "saliency",
        "visualize",
        "confusion",
    ] {
        let made = strata(at, &["inspect", "taken", what]);
        assert_eq!(code(&made), 0, "{what}: {}", err(&made));
    }
    // It is a run like others: it can be gone on with.
    let more = strata(at, &["train", "taken", "--resume", "--more-epochs", "1"]);
    assert_eq!(code(&more), 0, "{}", err(&more));
    let again = strata(at, &args);
    assert_eq!(code(&again), 2);
    assert!(
        err(&again).contains("holds a run already"),
        "{}",
        err(&again)
    );
    let set = "network.encoder.0=conv 7 k3 s2 p1";
    let wrong = strata(
        at,
        &[
            "import",
            "tiny.toml",
            "other.safetensors",
            "-o",
            "no",
            "--set",
            set,
        ],
    );
    assert_ne!(code(&wrong), 0);
    assert!(
        err(&wrong).contains("encoder.0.weight: the file has no layer with"),
        "{}",
        err(&wrong)
    );
    assert!(!at.join("no").exists());
    let missing = strata(at, &["import", "tiny.toml", "tiny.toml"]);
    assert!(
        err(&missing).contains("is it a safetensors file?"),
        "{}",
        err(&missing)
    );
}

#[test]
fn the_window_opens_weights_as_a_run_of_its_network() {
    let folder = tempfile::tempdir().unwrap();
    let weights = renamed(folder.path());
    let mut window = Window::real(tiny(&[]), eframe::egui::vec2(1280.0, 800.0));
    let project = folder.path().join("tiny.toml");
    window.harness.state_mut().handle(Action::Open(project));
    window.run();
    window
        .harness
        .state_mut()
        .handle(Action::Open(weights.clone()));
    window.wait("the run", |state| state.training.run.is_some());
    window.run();
    assert!(window.has("Took "), "what was taken is told");
    let run = window.state().training.run.clone().unwrap();
    assert!(run.join("run.json").is_file() && run.starts_with(folder.path()));
    // A network that does not fit says so, and nothing is opened.
    let text = "conv 6 k3 s2 p1";
    let other = tiny(&[(text, "conv 8 k3 s2 p1")]);
    file::save(&other, &folder.path().join("other.toml")).unwrap();
    let other = folder.path().join("other.toml");
    window.harness.state_mut().handle(Action::Open(other));
    window.run();
    window.harness.state_mut().handle(Action::Open(weights));
    window.wait("the refusal", |state| {
        let told = |text: &str| text.contains("does not fit the network");
        state.messages.lasting().any(|message| told(&message.text))
    });
}

/// The LeNet that Caffe's example has trained, whose layers have other names.
#[test]
fn the_lenet_of_caffe_scores_9914() {
    let Some(root) = real_data("the_lenet_of_caffe_scores_9914") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let weights = root.join("weights/lenet_caffe_mnist.safetensors");
    let path = format!("data.path={}", root.join("mnist").display());
    let weights = weights.display().to_string();
    let args = [
        "import",
        "lenet-caffe",
        &weights,
        "-o",
        "run",
        "--set",
        &path,
    ];
    let made = strata(at, &args);
    assert_eq!(code(&made), 0, "{}", err(&made));
    assert_eq!(out(&made).trim(), "run");
    assert!(err(&made).contains("head.1.weight  500x800  from ip1.weight, by shape"));
    let measured = json(&strata(at, &["eval", "run", "--split", "test", "--json"]));
    let accuracy = measured["test"]["accuracy"].as_f64().unwrap();
    assert_eq!((accuracy * 10_000.0).round(), 9_914.0);
    for what in [
        "filters",
        "confusion",
        "predictions",
        "activations",
        "saliency",
        "adversarial",
        "visualize",
        "receptive-field",
        "pixel",
    ] {
        let limit = match what {
            "saliency" | "adversarial" | "predictions" => vec!["--limit", "20"],
            "visualize" => vec!["--steps", "8"],
            "pixel" => vec!["--layer", "encoder.0"],
            _ => vec![],
        };
        let made = strata(at, &[&["inspect", "run", what][..], &limit].concat());
        assert_eq!(code(&made), 0, "{what}: {}", err(&made));
    }
}
