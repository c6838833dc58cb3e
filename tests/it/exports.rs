//! What leaves Strata for other programs gives the same outputs there: built-in projects and random networks, where
//! Python has PyTorch or an ONNX runtime.

use crate::kit::random_stack::{fits, rng, small};
use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, out, strata};
use crate::kit::window::open;
use candle_core::{Device, Tensor};
use eframe::egui::{Key, Modifiers};
use rand::Rng;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use strata::app::action::Action;
use strata::export::bundle::{Format, write};
use strata::export::error::ExportError;
use strata::nn::{Mode, Network as Compiled, Route};
use strata::project::{Project, builtin};
use strata::shape::{Inference, infer};
use strata_testkit::folders::python_with;

/// Images in the batch that is compared.
const BATCH: usize = 3;
/// Random networks that are tried every time, and those of the long form.
pub const SAMPLE: usize = 30;
const ALL: usize = 200;
/// Built-in projects whose pictures are made smaller, so that this takes seconds.
const SMALLER: [(&str, &str); 3] = [
    ("resnet-18", "3x64x64"),
    ("mobilenet-v2", "3x64x64"),
    ("xception", "3x75x75"),
];

/// A random project without an error.
pub fn random_projects(count: usize) -> impl Iterator<Item = (String, Project)> {
    let sound = |seed: u64| {
        let network = small(&mut rng(seed));
        let inference = infer(&network);
        let whole = inference.errors().next().is_none() && inference.plan.is_some();
        (whole && fits(&network) && !network.encoder.is_empty()).then(|| {
            let project = Project {
                network,
                ..builtin::find("lenet-mnist").unwrap().project().unwrap()
            };
            (format!("random-{seed}"), project)
        })
    };
    (0..).filter_map(sound).take(count)
}

pub fn builtin_projects() -> impl Iterator<Item = (String, Project)> {
    builtin::ALL.iter().map(|builtin| {
        let mut project = builtin.project().unwrap();
        if let Some((_, input)) = SMALLER.iter().find(|(name, _)| *name == builtin.name) {
            project.network.input = input.parse().unwrap();
        }
        (builtin.name.to_owned(), project)
    })
}

/// From `N×H×W×C` to `N×C×H×W`, or back, for any number of axes.
pub fn turned(tensor: &Tensor, channels_last: bool) -> Tensor {
    let last = tensor.rank() - 1;
    let order: Vec<usize> = match channels_last {
        true => [vec![0], (2..=last).collect(), vec![1]].concat(),
        false => [vec![0, last], (1..last).collect()].concat(),
    };
    match last {
        1 => tensor.clone(),
        _ => tensor.permute(order).unwrap().contiguous().unwrap(),
    }
}

/// Weights whose statistics are not those of the start, an input and what the network gives for it.
pub fn case(
    inference: &Inference,
    seed: u64,
) -> (HashMap<String, Tensor>, HashMap<String, Tensor>) {
    let plan = inference.plan.as_ref().unwrap();
    let mut network = Compiled::new(plan, seed, &Device::Cpu).unwrap();
    let dims = [&[BATCH], plan.input.dims()].concat();
    let mut random = rng(seed);
    let values: Vec<f32> = (0..dims.iter().product())
        .map(|_| random.random_range(-1.0..1.0))
        .collect();
    let x = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
    let routes = [
        (
            "reconstruction",
            Route::Reconstruct,
            inference.output.is_some(),
        ),
        ("answer", Route::Classify, inference.answer.is_some()),
    ];
    let is_code = routes.iter().all(|(_, _, has)| !has);
    let routes = routes
        .into_iter()
        .filter(|(_, _, has)| *has)
        .map(|(name, route, _)| (name, route));
    let routes: Vec<_> = match is_code {
        true => vec![("code", Route::Classify)],
        false => routes.collect(),
    };
    let mut tensors = HashMap::from([("input".to_owned(), x.clone())]);
    for (_, route) in &routes {
        let train = Mode::Train { seed, step: 0 };
        network.forward(*route, &turned(&x, true), train).unwrap();
    }
    for (name, route) in routes {
        let y = network
            .forward(route, &turned(&x, true), Mode::Eval)
            .unwrap();
        tensors.insert(name.to_owned(), turned(&y, false).copy().unwrap());
    }
    (network.state().unwrap().into_iter().collect(), tensors)
}

/// Whether an output is made of rounding errors alone: the mean of normalised values, say.
pub fn is_rounding(tensors: &HashMap<String, Tensor>) -> bool {
    let largest = |tensor: &Tensor| {
        let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        values
            .into_iter()
            .fold(0.0, |largest: f32, value| largest.max(value.abs()))
    };
    tensors.values().any(|tensor| largest(tensor) < 1e-3)
}

/// Exports all of them, and runs them in Python; gives what it printed.
fn compared(
    projects: impl Iterator<Item = (String, Project)>,
    format: Format,
    python: &Path,
) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut refused = Vec::new();
    for (seed, (name, project)) in projects.enumerate() {
        let at = folder.path().join(&name);
        let inference = infer(&project.network);
        let (weights, tensors) = case(&inference, seed as u64);
        if is_rounding(&tensors) {
            continue;
        }
        match write(&project, &weights, format, &at) {
            Ok(()) => {}
            // Only Keras lacks layers, and then names the one.
            Err(error @ ExportError::Unknown { .. }) if format == Format::Keras => {
                refused.push(format!("{name}: {error}"));
                continue;
            }
            Err(error) => panic!("{name}: {error}"),
        }
        candle_core::safetensors::save(&tensors, at.join("case.safetensors")).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/exports.py");
    let mut command = Command::new(python);
    command.arg(script).arg(folder.path());
    if format != Format::Pytorch {
        command.arg(format.name());
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{told}\nrefused: {}\n{}", refused.len(), refused.join("\n"));
    assert!(output.status.success(), "{told}\n{errors}");
    told
}

fn pytorch(test: &str) -> Option<OsString> {
    python_with(&["torch", "safetensors", "numpy"], test)
}

pub fn onnx(test: &str) -> Option<OsString> {
    python_with(&["onnx", "onnxruntime", "safetensors", "numpy"], test)
}

fn keras(test: &str) -> Option<OsString> {
    python_with(&["torch", "h5py", "safetensors", "numpy"], test).filter(has_keras)
}

/// Importing Keras takes seconds and needs its backend named.
fn has_keras(python: &OsString) -> bool {
    let mut command = Command::new(python);
    command
        .env("KERAS_BACKEND", "torch")
        .args(["-c", "import keras"]);
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn networks_give_the_same_in_keras() {
    if let Some(python) = keras("networks_give_the_same_in_keras") {
        compared(random_projects(SAMPLE), Format::Keras, python.as_ref());
    }
}

#[test]
fn networks_give_the_same_in_pytorch() {
    if let Some(python) = pytorch("networks_give_the_same_in_pytorch") {
        compared(random_projects(SAMPLE), Format::Pytorch, python.as_ref());
    }
}

#[test]
fn networks_give_the_same_in_an_onnx_runtime() {
    if let Some(python) = onnx("networks_give_the_same_in_an_onnx_runtime") {
        compared(random_projects(SAMPLE), Format::Onnx, python.as_ref());
    }
}

#[test]
#[ignore = "takes a minute"]
fn long_every_network_gives_the_same_in_keras() {
    let all = builtin_projects().chain(random_projects(ALL));
    compared(all, Format::Keras, keras("").unwrap().as_ref());
}

#[test]
#[ignore = "takes a minute"]
fn long_every_network_gives_the_same_in_pytorch() {
    let all = builtin_projects().chain(random_projects(ALL));
    compared(all, Format::Pytorch, pytorch("").unwrap().as_ref());
}

#[test]
#[ignore = "takes a minute"]
fn long_every_network_gives_the_same_in_an_onnx_runtime() {
    let all = builtin_projects().chain(random_projects(ALL));
    compared(all, Format::Onnx, onnx("").unwrap().as_ref());
}

#[test]
fn a_run_is_exported_and_nothing_is_replaced_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    let told = json(&strata(at, &["export", "run", "--to", "pytorch", "--json"]));
    assert_eq!(told["files"][0], "run/export/model.py");
    let model = std::fs::read_to_string(at.join("run/export/model.py")).unwrap();
    assert!(model.contains("class Network(nn.Module):"), "{model}");
    let again = strata(at, &["export", "run", "--to", "weights"]);
    assert_eq!(code(&again), 1);
    assert!(
        err(&again).contains("weights.safetensors is there already"),
        "{}",
        err(&again)
    );
    let forced = strata(at, &["export", "run", "--to", "weights", "--force"]);
    assert_eq!(out(&forced).trim(), "run/export/weights.safetensors");
    let elsewhere = strata(
        at,
        &[
            "export",
            "run",
            "--to",
            "onnx",
            "-o",
            "other",
            "--checkpoint",
            "last",
        ],
    );
    assert_eq!(out(&elsewhere).trim(), "other/model.onnx");
    let unknown = strata(at, &["export", "run", "--to", "caffe"]);
    assert_eq!(code(&unknown), 2);
    assert!(
        err(&unknown).contains("pytorch, keras, onnx, weights, tensorboard"),
        "{}",
        err(&unknown)
    );
}

/// Loads weights strictly into a model of torchvision and compares what it gives.
const TORCHVISION: &str = r#"
import sys
import torch, torchvision
from safetensors.torch import load_file
model = getattr(torchvision.models, sys.argv[1])(num_classes=7).eval()
model.load_state_dict(load_file("weights.safetensors"), strict=True)
case = load_file("case.safetensors")
with torch.no_grad():
    answer = model(case["input"])
difference = ((answer - case["answer"]).abs().max() / case["answer"].abs().max()).item()
assert difference < 1e-4, difference
"#;

#[test]
fn weights_of_known_networks_load_in_torchvision_strictly() {
    let test = "weights_of_known_networks_load_in_torchvision_strictly";
    let Some(python) = python_with(&["torch", "torchvision", "safetensors"], test) else {
        return;
    };
    for (name, model) in [("resnet-18", "resnet18"), ("mobilenet-v2", "mobilenet_v2")] {
        let folder = tempfile::tempdir().unwrap();
        let mut project = builtin::find(name).unwrap().project().unwrap();
        project.network.input = "3x64x64".parse().unwrap();
        let last = project.network.head.len() - 1;
        project.network.head[last] = strata::project::node::Node::from_text("dense 7");
        let (weights, tensors) = case(&infer(&project.network), 3);
        write(&project, &weights, Format::Weights, folder.path()).unwrap();
        candle_core::safetensors::save(&tensors, folder.path().join("case.safetensors")).unwrap();
        let mut command = Command::new(&python);
        command
            .args(["-c", TORCHVISION, model])
            .current_dir(&folder);
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {told}");
    }
}

#[test]
fn the_window_has_a_menu_of_exports() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    let mut window = open(at, &tiny(&[]));
    let run = at.join("run");
    window.harness.state_mut().handle(Action::Open(run.clone()));
    window.wait("the curves", |state| !state.training.is_reading());
    window.run();
    for dark in [true, false] {
        window.set_dark(dark);
        window.click("Export");
        window.run();
        for format in Format::ALL {
            assert!(window.has(format.command()), "{}", format.command());
        }
        window.keep_picture(if dark {
            "export/menu-dark"
        } else {
            "export/menu-light"
        });
        window.press(Modifiers::NONE, Key::Escape);
    }
    window.click("Export");
    window.run();
    window.click(Format::Tensorboard.command());
    window.wait("the file", |_| {
        run.join("export/events.out.tfevents.strata").exists()
    });
}
