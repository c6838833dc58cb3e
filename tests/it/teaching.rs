//! Advice that teaches: lines of other libraries become layers, runs say that they overfit, traps of the data are
//! told before training, and a NaN is blamed on what made it.

use crate::kit::runs::{TINY, options, tiny, train};
use crate::kit::terminal::{code, err, json, out, strata};
use crate::kit::window::*;
use eframe::egui::{Key, Modifiers};
use std::path::Path;
use strata::app::view_kind::ViewKind;
use strata::engine::event::{Event, Outcome};
use strata::project::node::Node;
use strata::project::size::Shape;
use strata::project::{Project, Stack, file};
use strata::shape::foreign::translate;
use strata::shape::infer;

/// A run's folder with these figures of its stage `labels`: train and valid accuracy by epoch.
fn write_run(folder: &Path, project: &Project, epochs: &[(f64, f64)]) {
    file::save(project, &folder.join("project.toml")).unwrap();
    let mut rows = "stage,epoch,step,split,loss,accuracy,log_loss,lr,seconds\n".to_owned();
    for (epoch, (train, valid)) in (1..).zip(epochs) {
        for (split, right) in [("train", train), ("valid", valid)] {
            let loss = 2.0 * (1.0 - right);
            rows += &format!(
                "labels,{epoch},{},{split},{loss},{right},,1e-3,1\n",
                10 * epoch
            );
        }
    }
    std::fs::write(folder.join("metrics.csv"), rows).unwrap();
    std::fs::write(
        folder.join("steps.csv"),
        "step,stage,epoch,loss,lr\n1,labels,1,2,1e-3\n",
    )
    .unwrap();
    std::fs::write(folder.join("run.json"), "{}").unwrap();
}

/// Right on training images ever more, on others least wrong after the second epoch.
const OVERFITTING: [(f64, f64); 4] = [(0.3, 0.3), (0.5, 0.4), (0.6, 0.35), (0.71, 0.276)];

fn warnings(project: &Project) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, events) = train(project, &options(&folder.path().join("run")));
    assert!(matches!(outcome, Outcome::Completed(_)), "{outcome:?}");
    let text = |event: Event| match event {
        Event::Warning { message, .. } => Some(message),
        _ => None,
    };
    events.into_iter().filter_map(text).collect()
}

#[test]
fn lines_of_other_libraries_typed_into_a_field_become_layers() {
    let mut window = Window::idle("conv-autoencoder");
    window.enter("encoder.0", "nn.Conv2d(3, 32, 8, stride=4, padding=2),");
    assert_eq!(window.texts(Stack::Encoder), ["conv 32 k8 s4 p2", "relu"]);
    window.enter(
        "encoder.0",
        "Conv2D(16, (3, 3), strides=2, activation=\"relu\")",
    );
    assert_eq!(
        window.texts(Stack::Encoder),
        ["conv 16 k3 s2", "relu", "relu"]
    );
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(
        window.texts(Stack::Encoder),
        ["conv 32 k8 s4 p2", "relu"],
        "one step back"
    );
    window.enter("encoder.1", "nn.MaxPool2d(2, ceil_mode=True)");
    assert!(window.has("ceil_mode of nn.MaxPool2d can't be expressed here"));
    assert_eq!(
        window.texts(Stack::Encoder)[1],
        "nn.MaxPool2d(2, ceil_mode=True)",
        "nothing is lost"
    );
}

#[test]
fn a_pasted_line_in_a_project_says_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let text = TINY.replacen(
        "conv 6 k3 s2 p1",
        "Conv2D(6, 3, strides=2, activation='tanh')",
        1,
    );
    std::fs::write(folder.path().join("pasted.toml"), text).unwrap();
    let output = strata(folder.path(), &["check", "pasted.toml"]);
    assert_eq!(code(&output), 2);
    assert!(
        out(&output).contains("help: write `conv 6 k3 s2` and `tanh`"),
        "{}",
        out(&output)
    );
}

#[test]
fn the_terminal_makes_layers_of_pasted_lines() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "model = nn.Sequential(\n    nn.Conv2d(3, 32, 3, padding=1),\n    nn.ReLU(),  # first\n    nn.MaxPool2d(2),\n)\n";
    std::fs::write(folder.path().join("net.py"), lines).unwrap();
    let output = strata(folder.path(), &["check", "--paste", "net.py"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let toml = out(&output);
    let table: toml::Table = toml.parse().unwrap();
    let layers = ["conv 32 k3 p1", "relu", "maxpool 2"];
    let expected: Vec<toml::Value> = layers.iter().map(|text| (*text).into()).collect();
    assert_eq!(table["encoder"], toml::Value::Array(expected));
    let keras = "Conv2D(8, (3, 3), strides=2, activation='relu', input_shape=(28, 28, 1))";
    std::fs::write(folder.path().join("keras.py"), keras).unwrap();
    let value = json(&strata(
        folder.path(),
        &["check", "--paste", "keras.py", "--json"],
    ));
    assert_eq!(value["layers"], serde_json::json!(["conv 8 k3 s2", "relu"]));
    assert!(!value["notes"].as_array().unwrap().is_empty(), "{value}");
    for (text, part) in [
        (
            "nn.ReLU()\nnn.MaxPool2d(2, ceil_mode=True)\n",
            "bad.py, line 2: `ceil_mode`",
        ),
        ("conv 8 k3\n", "no line of PyTorch or Keras"),
        ("nn.ReLU(", "bad.py, line 1"),
    ] {
        std::fs::write(folder.path().join("bad.py"), text).unwrap();
        let output = strata(folder.path(), &["check", "--paste", "bad.py"]);
        assert_eq!(code(&output), 2, "{text}");
        assert!(err(&output).contains(part), "{part}: {}", err(&output));
    }
    for args in [&["check"][..], &["check", "unet", "--paste", "net.py"]] {
        assert_eq!(code(&strata(folder.path(), args)), 2, "{args:?}");
    }
}

#[test]
fn a_run_that_overfits_says_since_when_and_what_to_try() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    std::fs::create_dir(&run).unwrap();
    write_run(&run, &tiny(&[]), &OVERFITTING);
    let text = out(&strata(folder.path(), &["check", "run"]));
    for part in [
        "71.0 % of the training images are right, 27.6 % of valid",
        "the valid loss was least after epoch 2",
        "augment the training images",
        "fix: stop stage 2 early by the valid loss",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let report = json(&strata(folder.path(), &["check", "run", "--json"]));
    let first = &report["advice"][0];
    assert!(
        first["message"]
            .as_str()
            .unwrap()
            .starts_with("the training overfits"),
        "{first}"
    );
    write_run(&run, &tiny(&[]), &[(0.3, 0.3), (0.5, 0.48), (0.6, 0.57)]);
    assert!(!out(&strata(folder.path(), &["check", "run"])).contains("overfits"));
}

#[test]
fn the_window_says_of_a_run_that_it_overfits_and_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), &tiny(&[]), &OVERFITTING);
    let mut window = Window::idle("conv-autoencoder");
    window.click("Open…");
    window.enter("Path", folder.path().to_str().unwrap());
    window.wait("the curves", |state| !state.training.is_reading());
    window.show_alone(ViewKind::Advice);
    window.run();
    assert!(window.has("the valid loss was least after epoch 2"));
    window.click("Fix: stop stage 2 early by the valid loss");
    let stage = &window.state().project().stages[1];
    assert_eq!(stage.early_stop.as_ref().unwrap().patience, 3);
}

#[test]
fn traps_of_the_images_are_told_when_a_training_starts() {
    // 33 images in batches of 32, with batch norm, for two epochs.
    let told = warnings(&tiny(&[
        ("limit = 40", "limit = 33"),
        ("batch = 16", "batch = 32"),
    ]));
    let has = |part: &str| {
        assert!(
            told.iter().any(|text| text.contains(part)),
            "{part}: {told:?}"
        )
    };
    has("leave a last batch of 1 for the batch norm at encoder.1");
    has("4 steps are few for the batch norm at encoder.1");
    let told = warnings(&tiny(&[("batch = 16", "batch = 20000")]));
    assert!(
        told.iter()
            .any(|text| text.contains("a batch of 20,000 is larger than the 40 images")),
        "{told:?}"
    );
    let told = warnings(&tiny(&[(
        "task = \"classify\"",
        "task = \"classify\"\nsplit = \"test\"",
    )]));
    assert!(
        told.iter()
            .any(|text| text.contains("it trains on the test images")),
        "{told:?}"
    );
}

#[test]
fn a_nan_of_bce_without_a_sigmoid_names_the_sigmoid() {
    let folder = tempfile::tempdir().unwrap();
    let project = tiny(&[
        ("range = [-1, 1]", "range = [0, 1]"),
        ("\"tanh\"", "\"identity\""),
        ("loss = \"mse\"", "loss = \"bce\""),
        ("\"adam lr=3e-3\"", "\"sgd lr=1e3\""),
        ("sparsity = \"rho=0.1 beta=1e-3\"\n", ""),
        ("epochs = 2", "epochs = 50"),
    ]);
    let (outcome, _) = train(&project, &options(&folder.path().join("run")));
    let Outcome::Failed(failure) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        failure.message.contains("end the decoder with `sigmoid`"),
        "{}",
        failure.message
    );
    assert!(
        !failure.message.contains("smaller learning rate"),
        "{}",
        failure.message
    );
}

/// 300 lines with random arguments: the shape and the parameters are those of the module that PyTorch makes of them.
#[test]
fn pasted_lines_have_the_shapes_and_parameters_of_pytorch() {
    let text = include_str!("../fixtures/pasted.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 300);
    for case in &cases {
        let line = case["line"].as_str().unwrap();
        let sizes =
            |name: &str| -> Vec<usize> { serde_json::from_value(case[name].clone()).unwrap() };
        let translation = translate(line).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        let mut network = tiny(&[]).network;
        network.input = Shape::new(&sizes("input")).unwrap();
        network.encoder = translation.layers.into_iter().map(Node::Layer).collect();
        (network.decoder, network.head) = (Vec::new(), Vec::new());
        let inference = infer(&network);
        let output = inference.code.as_ref().map(|shape| shape.dims().to_vec());
        assert_eq!(output, Some(sizes("output")), "{line}");
        assert_eq!(
            Some(inference.totals.parameters),
            case["parameters"].as_u64(),
            "{line}"
        );
    }
}
