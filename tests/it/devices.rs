//! Where a run is computed: what the terminal lists, what the window lets choose, and what it offers when a GPU fails.

use crate::kit::terminal::{code, err, json, out, strata};
use crate::kit::window::{Window, builtin, fake_engine, no_engine};
use eframe::egui::{Vec2, vec2};
use std::path::Path;
use strata::app::state::State;
use strata::engine::event::{Event, Failure, Outcome};
use strata::nn::device::{BUILT_WITH_CUDA, DeviceInfo, DeviceMemory, NoGpu};
use strata::project::help::{Repair, StageSetting};

const SIZE: Vec2 = vec2(1280.0, 800.0);

fn info(name: &str, title: &str, memory: Option<DeviceMemory>) -> DeviceInfo {
    DeviceInfo {
        name: name.into(),
        title: title.into(),
        memory,
        busy_percent: None,
    }
}

#[test]
fn the_terminal_lists_the_cpu_and_says_why_there_is_no_gpu() {
    let here = Path::new(".");
    let listed = out(&strata(here, &["devices"]));
    assert!(
        listed.lines().any(|line| line.starts_with("cpu  ")),
        "{listed}"
    );
    let value = json(&strata(here, &["devices", "--json"]));
    assert_eq!(value["devices"][0]["name"], "cpu");
    if BUILT_WITH_CUDA {
        return;
    }
    assert!(
        listed.contains("no GPU: this Strata was built without CUDA"),
        "{listed}"
    );
    assert_eq!(value["devices"].as_array().unwrap().len(), 1);
    assert!(
        value["no_gpu"]
            .as_str()
            .unwrap()
            .contains("--features cuda")
    );
}

#[test]
fn a_gpu_that_is_not_there_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let train = |device: &str| {
        let args = ["train", "conv-autoencoder", "-o", "run", "--device", device];
        strata(folder.path(), &args)
    };
    for (device, part) in [
        ("cuda:99", "cuda:99 is not available: "),
        ("gpu", "there is no device `gpu`: write cpu or cuda:0"),
    ] {
        let refused = train(device);
        assert_eq!(code(&refused), 2, "{}", err(&refused));
        assert!(err(&refused).contains(part), "{}", err(&refused));
    }
    assert!(!folder.path().join("run").exists());
}

#[test]
fn the_window_lets_a_gpu_be_chosen_with_what_is_known_of_it() {
    let memory = DeviceMemory {
        total_bytes: 80_000_000_000,
        free_bytes: 60_000_000_000,
    };
    let mut state = State::new(builtin("conv-autoencoder"), None);
    let gpus = vec![
        info("cpu", "CPU, 2 threads", None),
        info("cuda:0", "NVIDIA A100", Some(memory)),
        info("cuda:1", "NVIDIA A100", None),
    ];
    state.devices.set(gpus, None);
    let mut window = Window::of(state, SIZE, no_engine(), None);
    window.click("Device");
    assert!(window.has("CUDA 0 · NVIDIA A100, 60.0 GB of 80.0 GB free"));
    window.click("CUDA 1 · NVIDIA A100");
    assert_eq!(window.state().device.as_deref(), Some("cuda:1"));
    window.click("Device");
    window.click("CPU");
    assert_eq!(window.state().device.as_deref(), Some("cpu"));
}

#[test]
fn the_window_says_why_there_is_no_gpu() {
    let mut state = State::new(builtin("conv-autoencoder"), None);
    state.devices.set(Vec::new(), Some(NoGpu::NoDriver));
    let mut window = Window::of(state, SIZE, no_engine(), None);
    window.click("Device");
    assert!(window.has("No GPU: no NVIDIA driver was found"));
}

#[test]
fn a_full_gpu_offers_a_smaller_batch_and_the_cpu() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("conv-autoencoder"), SIZE, start);
    window.click("Train");
    let message = "the GPU's memory is full: set batch to 8, or compute on the CPU".to_owned();
    let failure = Failure {
        in_window: message.clone(),
        message,
        wrong_input: false,
        stage: Some(0),
        repairs: vec![Repair::Stage(StageSetting::Batch(8))],
        of_gpu: true,
        run: None,
    };
    engine.tell(Event::Finished(Outcome::Failed(failure)));
    window.run();
    assert!(window.has("the GPU's memory is full"));
    assert!(window.has("Set batch to 8"));
    window.click("Compute on the CPU");
    assert_eq!(window.state().device.as_deref(), Some("cpu"));
    assert!(!window.has("Compute on the CPU"));
    let smaller = window.full_label("Set batch to 8");
    window.click(&smaller);
    assert_eq!(window.state().project().stages[0].batch, 8);
}
