//! What a project costs, in the window by mouse and by keyboard alone, and in the terminal.

use crate::kit::terminal::{err, out, strata};
use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, Vec2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::arrangement::Workspace;
use strata::app::view_kind::ViewKind;
use strata::cost::run_memory;
use strata::engine::benchmark::LayerTimes;
use strata::engine::event::{Event, StepReport};
use strata::engine::run::memory_check::{kept_images, machine};
use strata::project::edit::Edit;
use strata::project::stage::{Stage, Task};
use strata::project::{Place, Project, Stack, file};
use strata::shape::infer;
use strata::system_memory::available_bytes;
use strata_testkit::networks::nodes;

const LARGE: Vec2 = vec2(1920.0, 1080.0);

/// A window with the costs alone in its middle, or with the lens above.
fn open(project: Project, size: Vec2, shared: bool) -> Window {
    let mut window = Window::without_engine(project, size);
    arrange(&mut window, shared);
    window
}

fn arrange(window: &mut Window, shared: bool) {
    window.show_workspace(Workspace::Design);
    let kinds = [ViewKind::Lens, ViewKind::Cost];
    window.show_column(&kinds[usize::from(!shared)..]);
}

fn estimated(window: &mut Window) {
    window.wait("speeds", |_| {
        strata::engine::machine_benchmark::latest().is_some()
    });
    window.run();
}

#[test]
fn every_layer_has_its_costs_and_a_click_selects_it() {
    let mut window = open(builtin("keras-cifar"), SIZE, false);
    assert!(
        window.has("Cost of encoder.0: conv 32 k3, 896 parameters, 778 k MACs"),
        "the lectures' layer"
    );
    estimated(&mut window);
    assert!(window.has(" a run · about "), "the time of a step");
    let row = "Cost of encoder.0: conv 32 k3";
    window
        .harness
        .get_all_by_label_contains(row)
        .next()
        .unwrap()
        .click();
    window.run();
    assert_eq!(window.state().selected, Some(Place::new(Stack::Encoder, 0)));
    // 3·32·32 numbers to 32·30·30: 88,502,400 parameters instead of 896.
    assert!(window.has("as dense: 88.5 M parameters (×98.8 k), 88.5 M MACs (×114)"));
}

/// Every layer is named once with its times, which add up to about a step; a training is not disturbed.
#[test]
fn a_button_measures_every_layer() {
    let mut project = builtin("lenet-mnist");
    project.stages[0].batch = 16;
    let mut window = open(project, LARGE, false);
    assert!(!window.has("forward "));
    window.get("Measure every layer").click();
    window.run();
    window.wait("layers", |state| {
        state.inspections.output::<LayerTimes>().is_some()
    });
    window.run();
    let times = window
        .state()
        .inspections
        .output::<LayerTimes>()
        .unwrap()
        .clone();
    for row in &window.state().shown.inference.rows {
        assert!(times.at(&row.place).is_some(), "{}", row.place);
    }
    let sum: f64 = times.layers.iter().map(|(_, time)| time.total_ms()).sum();
    assert!(
        sum > 0.5 * times.step_ms && sum < 1.5 * times.step_ms,
        "{times:?}"
    );
    assert!(window.has(" forward, ") && window.has(" GFLOP/s"));
    assert!(window.has("a step; products reach "));
    // What follows from the shapes is a click away; another network has not been measured.
    window.get("Show what was measured").click();
    window.run();
    assert!(!window.has(" forward, ") && window.has(" MACs"));
    window.get("Show what was measured").click();
    window.run();
    let batch = Stage {
        batch: 8,
        ..window.state().project().stages[0].clone()
    };
    let state = window.harness.state_mut();
    state.handle(Action::Edit(Edit::Stage(0, batch)));
    window.run();
    assert!(!window.has(" forward, "));
}

#[test]
fn a_large_window_has_room_for_the_parts() {
    let mut window = open(builtin("keras-cifar"), LARGE, false);
    estimated(&mut window);
    assert!(
        window.has("Memory of a run: ") && window.has("activations ") && window.has(" images/s")
    );
    assert!(!window.has("Convolution against dense"));
    window
        .harness
        .state_mut()
        .handle(Action::Select(Some(Place::new(Stack::Encoder, 0))));
    window.run();
    assert!(window.has("Convolution against dense"));
    assert!(window.has("parameters 896 88.5 M 98.8 k") && window.has("MACs 778 k 88.5 M 114"));
}

#[test]
fn memory_is_that_of_the_open_stage() {
    let mut window = open(builtin("pretrain-classify"), SIZE, false);
    let plan = window.state().shown.inference.plan.clone().unwrap();
    for index in 0..window.state().project().stages.len() {
        window
            .harness
            .state_mut()
            .handle(Action::Show(Show::Stage(Some(index))));
        window.run();
        let stage = &window.state().project().stages[index];
        let project = window.state().project();
        let kept = kept_images(project, stage, available_bytes());
        let run = run_memory(&plan, stage, stage.batch, machine()).unwrap();
        let total = run.with_kept_images(kept).total().total();
        assert!(kept > 0, "shapes are kept once they are drawn");
        let status = format!(
            "stage “{}”, batch {} · {} a run",
            stage.name,
            stage.batch,
            strata::format::bytes(total)
        );
        assert!(window.has(&status), "{status}");
    }
}

#[test]
fn the_largest_batch_is_taken_by_keyboard_alone_and_taken_back() {
    let mut window = open(builtin("resnet-18"), SIZE, true);
    let before = window.state().project().stages[0].batch;
    window.get("Use the largest batch").focus();
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    let stage = window.state().project().stages[0].clone();
    assert_ne!(stage.batch, before);
    // As much as fits: one image more would not.
    let plan = window.state().shown.inference.plan.clone().unwrap();
    let bytes = |batch| {
        run_memory(&plan, &stage, batch, machine())
            .unwrap()
            .total()
            .total()
    };
    let image = bytes(stage.batch + 1) - bytes(stage.batch);
    assert!(bytes(stage.batch).abs_diff(available_bytes().unwrap()) < image + (512 << 20));
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.state().project().stages[0].batch, before);
}

#[test]
fn rows_are_reached_by_keyboard_and_folded_blocks_stand_for_their_layers() {
    let mut window = open(builtin("resnet-18"), SIZE, true);
    let block = window
        .state()
        .shown
        .inference
        .rows
        .iter()
        .find(|row| row.is_block)
        .unwrap()
        .clone();
    let name = format!("Cost of {}: {}", block.place, block.text);
    let parameters = format!("{} parameters", strata::format::count(block.parameters));
    assert!(
        window.has(&format!("{name}, {parameters}")),
        "folded: {name}, {parameters}"
    );
    let row = window
        .harness
        .get_all_by_label_contains(&name)
        .next()
        .unwrap();
    row.focus();
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().selected.as_ref(), Some(&block.place));
    window
        .harness
        .state_mut()
        .handle(Action::Fold(Some(block.place.clone()), false));
    window.run();
    assert!(
        !window.has(&format!("{name}, {parameters}")),
        "its layers are shown now"
    );
    assert!(window.has(&format!("Cost of {}.0.0", block.place)));
}

/// What was measured of this very network is told beside the estimate; of another one it is not.
#[test]
fn the_speed_of_the_run_is_told() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("lenet-mnist"), SIZE, start);
    window.click("Train");
    engine.tell(started(Path::new("runs/one-1")));
    engine.tell(Event::Stage {
        index: 0,
        name: "a".into(),
        task: Task::Classify,
        epochs: 1,
        steps_per_epoch: 9,
    });
    let (stage, epoch, step, step_in_epoch, accuracy) = (0, 1, 1, 1, None);
    let (loss, lr, images_per_second, seconds_left) = (1.0, 1e-3, 4321.0, 1.0);
    let report = StepReport {
        stage,
        epoch,
        step,
        step_in_epoch,
        loss,
        penalty: None,
        accuracy,
        lr,
        images_per_second,
        seconds_left,
    };
    engine.tell(Event::Step(report));
    arrange(&mut window, true);
    assert!(window.has("measured 4,321 images/s"));
    // Measuring the layers would disturb it.
    let measure = window.get("Measure every layer").accesskit_node();
    assert!(measure.is_disabled());
    let other = strata::project::node::Node::from_text("conv 21 k5");
    let edit = strata::project::edit::Edit::Replace(Place::new(Stack::Encoder, 0), other);
    window.harness.state_mut().handle(Action::Edit(edit));
    window.run();
    assert!(!window.has("measured 4,321 images/s"));
}

/// One column where there is no room for all; what is broken says so; nothing says what to do.
#[test]
fn narrow_broken_and_empty() {
    let mut project = builtin("conv-autoencoder");
    let mut window = open(project.clone(), vec2(800.0, 600.0), true);
    if window.has("Show MACs") {
        window.click("Show MACs");
        assert!(!window.has("parameters, "), "one column");
        window.click("Show memory");
    }
    project.network.encoder[0] = strata::project::node::Node::from_text("conv 8 k99");
    let window = open(project.clone(), SIZE, true);
    assert!(window.has("Cost of encoder.0: conv 8 k99"));
    for stack in [
        &mut project.network.encoder,
        &mut project.network.decoder,
        &mut project.network.head,
    ] {
        stack.clear();
    }
    assert!(open(project, SIZE, true).has("What do you want to build?"));
}

/// What `check` prints.
fn check(project: &Path, more: &[&str]) -> String {
    let project = project.to_str().unwrap();
    let output = strata(Path::new("."), &[&["check", project][..], more].concat());
    assert!(output.status.success(), "{}", err(&output));
    out(&output)
}

#[test]
fn the_terminal_tells_the_time_of_every_layer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("project.toml");
    file::save(&builtin("keras-cifar"), &path).unwrap();
    let text = check(&path, &["--time"]);
    let line = |part: &str| text.lines().find(|line| line.contains(part)).unwrap();
    assert!(line("receptive field").ends_with(" time"), "{text}");
    assert!(line("conv 64 k3").ends_with(" ms"), "{text}");
    assert!(!check(&path, &[]).contains(" ms"));
    let json: serde_json::Value =
        serde_json::from_str(&check(&path, &["--json", "--time"])).unwrap();
    let layers = json["layers"].as_array().unwrap();
    let of_layers: f64 = layers
        .iter()
        .filter_map(|layer| layer["step_ms"].as_f64())
        .sum();
    let all = json["step_ms"].as_f64().unwrap();
    assert!(of_layers > 0.5 * all && of_layers < all, "{json}");
}

#[test]
fn the_terminal_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("project.toml");
    let project = builtin("keras-cifar");
    file::save(&project, &path).unwrap();
    let text = check(&path, &["--memory", "1GB", "--time"]);
    for part in [
        "images holds ",
        "weights ",
        "optimizer ",
        "activations ",
        "scratch ",
        "largest batch that fits into 1.0 GB: ",
        "images/s (estimated)",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&check(&path, &["--json", "--memory", "1GB"])).unwrap();
    let stage = &project.stages[0];
    let plan = infer(&project.network).plan.unwrap();
    assert!(text.contains("not counted: what of the files of `cifar10`"));
    let kept = kept_images(&project, stage, Some(1_000_000_000));
    let bytes = |batch| {
        let run = run_memory(&plan, stage, batch, machine()).unwrap();
        run.with_kept_images(kept).total()
    };
    let memory = &json["memory"];
    assert_eq!(memory["total"], bytes(stage.batch).total());
    let sum: u64 = bytes(stage.batch)
        .parts()
        .iter()
        .map(|(name, _)| memory[name].as_u64().unwrap())
        .sum();
    assert_eq!(memory["total"], sum);
    let largest = json["largest_batch"].as_u64().unwrap() as u32;
    assert!(bytes(largest).total() <= 1_000_000_000 && bytes(largest + 1).total() > 1_000_000_000);
    assert_eq!(
        (&json["layers"][0]["flops"], &json["totals"]["flops"]),
        (
            &1_555_200.into(),
            &(2 * json["totals"]["macs"].as_u64().unwrap()).into()
        )
    );
    assert!(
        json["layers"][0]["activation_bytes"].as_u64().unwrap() > 0 && json["step_ms"].is_null()
    );
}

#[test]
#[ignore = "writes pictures"]
fn pictures() {
    for (name, size, shared, dark) in [
        ("lenet-mnist", SIZE, true, true),
        ("keras-cifar", SIZE, false, false),
        ("deep-autoencoder", SIZE, true, false),
        ("unet", LARGE, false, true),
        ("resnet-18", LARGE, true, false),
        ("xception", SIZE, false, true),
    ] {
        let mut window = open(builtin(name), size, shared);
        window.set_dark(dark);
        window
            .harness
            .state_mut()
            .handle(Action::Select(Some(Place::new(Stack::Encoder, 0))));
        estimated(&mut window);
        window.write_picture(&format!("cost/{name}"));
    }
    for (name, input, layers) in [
        (
            "signal",
            "1x16000",
            vec!["conv 16 k9 s4", "relu", "maxpool 4"],
        ),
        (
            "volume",
            "1x16x64x64",
            vec!["conv 8 k3 p1", "relu", "conv 8 k3 s2 p1 g2"],
        ),
        (
            "broken",
            "3x32x32",
            vec!["conv 16 k3", "conv 8 k99", "relu"],
        ),
        ("empty", "3x32x32", vec![]),
    ] {
        let mut project = builtin("conv-autoencoder");
        project.network.input = input.parse().unwrap();
        project.network.encoder = nodes(&layers);
        project.network.decoder.clear();
        let mut window = open(project, SIZE, true);
        window.write_picture(&format!("cost/{name}"));
    }
    let mut narrow = open(builtin("keras-cifar"), vec2(900.0, 600.0), true);
    narrow.write_picture("cost/narrow");
}
