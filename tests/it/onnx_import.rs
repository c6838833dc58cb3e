//! ONNX files become projects that give the same outputs: those that Strata wrote itself, and those that PyTorch and
//! Keras wrote, where Python has them. What no layer stands for is named.

use crate::exports::{SAMPLE, builtin_projects, case, is_rounding, random_projects, turned};
use crate::kit::terminal::{code, err, json, strata};
use crate::kit::window::{classifier, open};
use candle_core::{Device, Tensor};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use strata::app::action::Action;
use strata::export::incoming::{Incoming, onnx};
use strata::nn::{Mode, Network, Route};
use strata::project::{Project, Stack, file};
use strata::shape::infer;
use strata_testkit::folders::python_with;

/// What a network gives for an input, N×C×H×W both.
fn output(
    project: &Project,
    weights: &HashMap<String, Tensor>,
    route: Route,
    x: &Tensor,
) -> Tensor {
    let inference = infer(&project.network);
    let plan = inference.plan.as_ref().unwrap();
    let mut network = Network::new(plan, 0, &Device::Cpu).unwrap();
    network.load_state(weights).unwrap();
    let y = network
        .forward(route, &turned(x, true), Mode::Eval)
        .unwrap();
    turned(&y, false)
}

/// The largest difference, against the largest value.
fn difference(one: &Tensor, other: &Tensor) -> f32 {
    let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (one, other) = (values(one), values(other));
    if one.len() != other.len() {
        return f32::INFINITY;
    }
    let largest = other
        .iter()
        .fold(1e-6, |most: f32, value| most.max(value.abs()));
    let apart = one
        .iter()
        .zip(&other)
        .map(|(one, other)| (one - other).abs());
    apart.fold(0.0, f32::max) / largest
}

fn weights_of(incoming: &Incoming) -> HashMap<String, Tensor> {
    incoming.weights.iter().cloned().collect()
}

/// Exports networks and reads them back; gives the operators that were refused.
fn round_trips(projects: impl Iterator<Item = (String, Project)>) -> Vec<String> {
    let mut refused = Vec::new();
    for (seed, (name, project)) in projects.enumerate() {
        let (weights, tensors) = case(&infer(&project.network), seed as u64);
        if is_rounding(&tensors) {
            continue;
        }
        let bytes = strata::export::onnx::model(&project, &weights).unwrap();
        let incoming = match onnx::read(&bytes, &name, "weights.safetensors") {
            Ok(incoming) => incoming,
            Err(error) => {
                refused.push(format!("{name}: {error}"));
                continue;
            }
        };
        let weights = weights_of(&incoming);
        // Which of two outputs is the decoder's is known by their shapes alone, here as there.
        let given = [Route::Reconstruct, Route::Classify]
            .map(|route| output(&incoming.project, &weights, route, &tensors["input"]));
        for (output_name, wanted) in tensors.iter().filter(|(name, _)| *name != "input") {
            let apart = given.iter().map(|given| difference(given, wanted));
            let nearest = apart.fold(f32::INFINITY, f32::min);
            assert!(nearest < 1e-4, "{name}, {output_name}: {nearest}");
        }
    }
    refused
}

#[test]
fn what_strata_writes_it_reads() {
    let refused = round_trips(random_projects(SAMPLE));
    println!("{}", refused.join("\n"));
    // Unpooling is several nodes that no layer stands for.
    assert!(refused.len() <= SAMPLE / 8, "{}", refused.join("\n"));
    assert!(
        refused.iter().all(|text| text.contains("the node")),
        "{refused:?}"
    );
}

#[test]
#[ignore = "takes a minute"]
fn long_what_strata_writes_of_built_in_projects_it_reads() {
    let refused = round_trips(builtin_projects());
    assert!(
        refused
            .iter()
            .all(|text| text.starts_with("deep-autoencoder")),
        "{}",
        refused.join("\n")
    );
}

/// The files that the script makes, in a folder.
fn made(python: &Path, folder: &Path) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx_models.py");
    let made = Command::new(python)
        .arg(script)
        .arg(folder)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let names = String::from_utf8_lossy(&made.stdout).into_owned();
    names.lines().map(str::to_owned).collect()
}

#[test]
fn what_others_write_gives_the_same_here_or_is_named() {
    let test = "what_others_write_gives_the_same_here_or_is_named";
    let modules = ["torch", "torchvision", "onnx", "keras", "safetensors"];
    let Some(python) = python_with(&modules, test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let names = made(python.as_ref(), at);
    assert_eq!(names.len(), 11, "{names:?}");
    for name in &names {
        let model = format!("{name}.onnx");
        let told = strata(at, &["import", &model, "--json"]);
        if name == "squeeze-and-excite" {
            assert_eq!(code(&told), 1);
            assert!(
                err(&told).contains("(Mul) cannot be a layer here"),
                "{}",
                err(&told)
            );
            assert!(!at.join(format!("{name}.toml")).exists());
            continue;
        }
        assert_eq!(code(&told), 0, "{name}: {}", err(&told));
        let notes = json(&told)["notes"].to_string();
        assert_eq!(
            notes.contains("channels last"),
            name.starts_with("keras"),
            "{name}: {notes}"
        );
        let project = file::load(&at.join(format!("{name}.toml"))).unwrap();
        let weights = at.join(format!("{name}.safetensors"));
        let weights = candle_core::safetensors::load(weights, &Device::Cpu).unwrap();
        let case =
            candle_core::safetensors::load(at.join(format!("{name}.case")), &Device::Cpu).unwrap();
        let route = match infer(&project.network).output {
            Some(_) => Route::Reconstruct,
            None => Route::Classify,
        };
        let given = output(&project, &weights, route, &case["input"]);
        let apart = difference(&given, &case["output"]);
        assert!(apart < 1e-4, "{name}: {apart}");
    }
    let again = strata(at, &["import", "vgg-11.onnx"]);
    assert!(
        err(&again).contains("vgg-11.toml is there already"),
        "{}",
        err(&again)
    );
    // It is a project like others: its weights are what it begins with.
    let trained = strata(
        at,
        &[
            "train",
            "keras.toml",
            "-o",
            "run",
            "--epochs",
            "1",
            "--set",
            "data.limit=20",
        ],
    );
    assert_eq!(code(&trained), 0, "{}", err(&trained));
}

#[test]
fn a_file_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("broken.onnx"), b"this is no network").unwrap();
    let told = strata(at, &["import", "broken.onnx"]);
    assert_eq!(code(&told), 1);
    assert!(
        err(&told).contains("no ONNX file") || err(&told).contains("no graph"),
        "{}",
        err(&told)
    );
    let other = strata(at, &["import", "lenet-mnist"]);
    assert_eq!(code(&other), 2, "{}", err(&other));
}

#[test]
fn the_window_opens_a_file_as_a_project() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (name, project) = builtin_projects()
        .find(|(name, _)| name == "lenet-mnist")
        .unwrap();
    let (weights, _) = case(&infer(&project.network), 1);
    let bytes = strata::export::onnx::model(&project, &weights).unwrap();
    let model = at.join(format!("{name}.onnx"));
    std::fs::write(&model, bytes).unwrap();
    // Nothing that is there is replaced.
    std::fs::write(at.join(format!("{name}.toml")), "mine").unwrap();
    let mut window = open(at, &classifier());
    window.harness.state_mut().handle(Action::Open(model));
    window.wait("the project", |state| state.project().title == name);
    assert_eq!(
        window.texts(Stack::Head),
        ["flatten", "dense 500", "relu", "dense 10"]
    );
    assert!(at.join(format!("{name}-2.toml")).exists());
    let init = window.state().project().init.clone().unwrap();
    assert_eq!(init.from, format!("{name}-2.safetensors"));
    window.keep_picture("incoming/onnx");
    let broken = at.join("broken.onnx");
    std::fs::write(&broken, b"this is no network").unwrap();
    window.harness.state_mut().handle(Action::Open(broken));
    window.wait_for(Duration::from_secs(20), "the message", |window| {
        window.has("The network could not be read")
    });
}

/// A printed `nn.Sequential` with a line that no layer stands for.
const PRINTED: &str = "Sequential(
  (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=same)
  (1): ReLU()
  (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
  (3): Mystery(8)
  (4): Flatten(start_dim=1, end_dim=-1)
  (5): Linear(in_features=2048, out_features=10, bias=True)
)
";
/// A summary of Keras.
const KERAS: &str = "
 Layer (type)                Output Shape              Param #
=================================================================
 conv2d (Conv2D)             (None, 26, 26, 32)        320
 max_pooling2d (MaxPooling2D)  (None, 13, 13, 32)      0
 conv2d_1 (Conv2D)           (None, 11, 11, 64)        18496
 batch_normalization (BatchNormalization)  (None, 11, 11, 64)  256
 flatten (Flatten)           (None, 7744)              0
 dense (Dense)               (None, 10)                77450
=================================================================
Total params: 96,522
";
/// One of torchinfo.
const TORCHINFO: &str = "
==========================================================================================
Layer (type:depth-idx)                   Output Shape              Param #
==========================================================================================
Net                                      [1, 10]                   --
├─Sequential: 1-1                        [1, 16, 16, 16]           --
│    └─Conv2d: 2-1                       [1, 16, 32, 32]           448
│    └─ReLU: 2-2                         [1, 16, 32, 32]           --
│    └─MaxPool2d: 2-3                    [1, 16, 16, 16]           --
├─Conv2d: 1-2                            [1, 32, 8, 8]             4,640
├─Flatten: 1-3                           [1, 2048]                 --
├─Linear: 1-4                            [1, 10]                   20,490
==========================================================================================
Total params: 25,578
";

#[test]
fn printed_networks_become_stacks_and_the_rest_is_told_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let read = |name: &str, text: &str| {
        std::fs::write(at.join(format!("{name}.txt")), text).unwrap();
        let told = json(&strata(at, &["import", &format!("{name}.txt"), "--json"]));
        let network = file::load(&at.join(format!("{name}.toml")))
            .unwrap()
            .network;
        assert_eq!(infer(&network).errors().count(), 0, "{name}");
        let texts = |nodes: &[strata::project::node::Node]| {
            nodes
                .iter()
                .map(|node| node.to_toml())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let notes = told["notes"].to_string();
        (
            network.input.to_string(),
            texts(&network.encoder),
            texts(&network.head),
            notes,
        )
    };
    let (_, encoder, head, notes) = read("printed", PRINTED);
    assert_eq!(encoder, r#""conv 8 k3 same" "relu" "maxpool 2""#);
    assert_eq!(head, r#""flatten" "dense 10""#);
    assert!(
        notes.contains("line 5 was left out") && notes.contains("3x32x32"),
        "{notes}"
    );
    let (input, encoder, head, notes) = read("keras", KERAS);
    assert_eq!(input, "1×28×28");
    assert_eq!(encoder, r#""conv 32 k3" "maxpool 2" "conv 64 k3" "bn""#);
    assert_eq!(head, r#""flatten" "dense 10""#);
    assert!(
        notes.contains("channels last") && notes.contains("activations"),
        "{notes}"
    );
    let (input, encoder, head, _) = read("torchinfo", TORCHINFO);
    assert_eq!(input, "3×32×32");
    assert_eq!(
        encoder,
        r#""conv 16 k3 p1" "relu" "maxpool 2" "conv 32 k3 s2 p1""#
    );
    assert_eq!(head, r#""flatten" "dense 10""#);
}

#[test]
fn a_print_is_pasted_into_a_stack() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window
        .harness
        .state_mut()
        .handle(Action::Paste(PRINTED.to_owned()));
    window.run();
    let texts = window.texts(Stack::Encoder);
    assert!(
        texts.ends_with(
            &["conv 8 k3 same", "relu", "maxpool 2", "flatten", "dense 10"].map(str::to_owned)
        ),
        "{texts:?}"
    );
    assert!(window.has("line 5, (3): Mystery(8), was left out"));
    // The lines are shown, the one that was left out is marked, and is led to.
    assert!(window.has("5 layers were understood, 1 line was left out"));
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        window.set_dark(dark);
        window.keep_picture(&format!("incoming/pasted-{theme}"));
    }
    let line = window.full_label("Go to line 5");
    window.click(&line);
    window.run();
    assert!(window.has("(3): Mystery(8)"));
    window.click("Close box");
    window.run();
    assert!(!window.has("layers were understood"));
    // Of a print without any layer the marks say why.
    let lightning = include_str!("../fixtures/prints/lightning.txt");
    window
        .harness
        .state_mut()
        .handle(Action::Paste(lightning.to_owned()));
    window.run();
    assert!(window.has("0 layers were understood") && window.has("example_input_array"));
}

#[test]
fn the_terminal_points_at_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("net.txt"), PRINTED).unwrap();
    let told = strata(folder.path(), &["check", "--paste", "net.txt"]);
    let lines = err(&told);
    let at = lines
        .lines()
        .position(|line| line.trim() == "(3): Mystery(8)")
        .unwrap();
    let pointing = lines.lines().nth(at + 1).unwrap();
    let line = lines.lines().nth(at).unwrap();
    assert_eq!(line.find("Mystery"), pointing.find('^'), "{lines}");
    assert_eq!(pointing.trim(), "^^^^^^^", "{lines}");
    assert!(lines.contains("line 5 was left out"), "{lines}");
    let value = json(&strata(
        folder.path(),
        &["check", "--paste", "net.txt", "--json"],
    ));
    assert_eq!(value["unread"][0]["line"], 5);
    assert_eq!(value["unread"][0]["marked"], "Mystery");
}
