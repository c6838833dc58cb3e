//! Feature maps of any layer: the values, the view, the live run.

use crate::kit::random_stack::{fits, rng, small};
use crate::kit::runs::{assert_same, completed, options, tiny};
use crate::kit::window::*;
use candle_core::{Device, Tensor};
use eframe::egui::{Key, Modifiers, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use rand::Rng;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use strata::app::action::{Action, OnView, Show};
use strata::app::choices::Choice;
use strata::app::state::State;
use strata::app::view_kind::ViewKind;
use strata::engine::command::Command;
use strata::engine::event::{Event, Outcome, StepReport};
use strata::engine::inspection::reply::{AnyQuery, AnyReply, Query, Reply};
use strata::engine::storage::saved_run::SavedRun;
use strata::engine::thread::{self, Running};
use strata::gui::panels::activations::MapChoice;
use strata::inspect::activations::{Activations, MapScale, Request, output_of};
use strata::inspect::inspection::Subject;
use strata::inspect::network_copy::InspectionNetwork;
use strata::nn::{Mode, Network, Route};
use strata::project::stage::Task;
use strata::project::{Place, Stack};
use strata::shape::{Inference, infer};

const SIZE: Vec2 = vec2(1280.0, 720.0);

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Whether a place is inside a repeat.
fn is_repeated(inference: &Inference, place: &Place) -> bool {
    (1..place.path.len()).any(|depth| {
        let around = Place {
            stack: place.stack,
            path: place.path[..depth].to_vec(),
        };
        let row = inference.row(&around);
        row.is_some_and(|row| row.text.contains("repeat"))
    })
}

/// Every layer of random networks: what the view would show is what the network computes layer by layer.
#[test]
fn the_maps_are_the_values_of_the_forward_pass() {
    let mut compared = 0;
    for seed in 0..200 {
        let stacks = small(&mut rng(seed));
        let inference = infer(&stacks);
        let Some(plan) = inference.plan.as_ref().filter(|_| fits(&stacks)) else {
            continue;
        };
        let mut network = Network::new(plan, seed, &Device::Cpu).unwrap();
        let mut copy = InspectionNetwork::new(plan, &Device::Cpu).unwrap();
        copy.take(&network).unwrap();
        let dims = network.input_dims(1);
        let mut random = rng(seed);
        let values: Vec<f32> = (0..dims.iter().product())
            .map(|_| random.random_range(-1.0..1.0))
            .collect();
        let images = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
        network.set_observed(true);
        for route in [Route::Reconstruct, Route::Classify] {
            if plan.stack(route.second()).is_none() {
                continue;
            }
            network.forward(route, &images, Mode::Eval).unwrap();
            for row in inference.rows.iter().filter(|row| {
                row.place.stack == route.second() || (row.place.stack == Stack::Encoder)
            }) {
                let output = output_of(&mut copy, &inference, &row.place, &images).unwrap();
                let key = row.place.to_string();
                // Inside a repeat, keys are those of the passes and name no place.
                if is_repeated(&inference, &row.place) {
                    continue;
                }
                let mut outputs = network.outputs().into_iter();
                let found = outputs.find(|(found, _)| *found == key);
                let Some((_, expected)) = found else { continue };
                assert_eq!(
                    numbers(&output),
                    numbers(expected),
                    "{seed} {key}: {stacks:?}"
                );
                compared += 1;
            }
        }
    }
    println!("{compared} layers compared");
    assert!(compared > 300);
}

fn maps(state: &State) -> Option<&Arc<Activations>> {
    state.inspections.output::<Activations>()
}

fn is_stored(state: &State) -> bool {
    let reply = state.inspections.latest::<Activations>();
    reply.is_some_and(|reply| {
        matches!(reply.query.subject, Subject::Stored(_)) && reply.result.is_ok()
    })
}

fn train(window: &mut Window) {
    window.click("Train");
    window.wait("the end", |state| !state.training.is_running());
}

fn select(window: &mut Window, place: Place) {
    let action = Action::Select(Some(place));
    window.harness.state_mut().handle(action);
    window.run();
}

#[test]
fn a_trained_run_shows_the_maps_of_the_selected_layer() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_alone(ViewKind::Activations);
    window.run();
    assert!(window.has("Press Train, or open a run folder"));
    train(&mut window);
    window.show_alone(ViewKind::Activations);
    window.wait("maps of the checkpoint", is_stored);
    assert!(window.has("4 maps of 8×8 of encoder.0") && window.has("image 1 / 16"));
    select(&mut window, Place::new(Stack::Encoder, 1));
    window.wait("the relu", |state| {
        maps(state).is_some_and(|maps| maps.text == "relu")
    });
    assert!(
        maps(window.state())
            .unwrap()
            .values
            .iter()
            .all(|value| *value >= 0.0)
    );
    select(&mut window, Place::new(Stack::Head, 1));
    window.wait("the logits", |state| {
        maps(state).is_some_and(|maps| maps.shape.rank() == 0)
    });
    assert!(window.has("10 units of head.1"));
    let run = window.state().training.run.clone().unwrap();
    let mut saved = SavedRun::open(&run, "last", Some("cpu"), &mut |_| true).unwrap();
    let request = Request {
        place: Place::new(Stack::Head, 1),
        image: 0,
        file: None,
    };
    let logits = saved.inspect::<Activations>(&request).unwrap();
    assert_eq!(logits, **maps(window.state()).unwrap());
    let none = Request {
        place: Place::new(Stack::Encoder, 9),
        ..request
    };
    let error = saved.inspect::<Activations>(&none).unwrap_err();
    assert_eq!(error.to_string(), "this network has no layer encoder.9");
}

#[test]
fn a_value_of_the_map_opens_in_the_arithmetic_of_its_layer() {
    use strata::inspect::pixel::Pixel;
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    train(&mut window);
    window.show_alone(ViewKind::Activations);
    window.wait("maps of the checkpoint", is_stored);
    window.run();
    let label = "Values of the large map: a click opens one in the layer's arithmetic";
    let map = window.get(label).rect();
    // The second row of the third column of 8×8 values.
    let at = map.min + map.size() * vec2(2.5 / 8.0, 1.5 / 8.0);
    window.harness.hover_at(at);
    window.run();
    window.harness.drag_at(at);
    window.harness.drop_at(at);
    window.run();
    assert_eq!(window.state().view.lens.at, Some([0, 0, 1, 2]));
    let cell = window.state().inspections.cell.as_ref().unwrap();
    assert_eq!(cell.cell, [1, 2]);
    let value = maps(window.state()).unwrap().values[8 + 2];
    window.wait("the arithmetic", |state| {
        state
            .inspections
            .output::<Pixel>()
            .is_some_and(|pixel| pixel.at == [0, 0, 1, 2])
    });
    let pixel = window.state().inspections.output::<Pixel>().unwrap();
    assert!(
        (pixel.network - value).abs() < 1e-6,
        "{} {value}",
        pixel.network
    );
}

#[test]
fn the_image_and_the_map_are_chosen_by_keyboard() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    train(&mut window);
    window.show_alone(ViewKind::Activations);
    window.wait("maps", |state| maps(state).is_some());
    window.tab_to("Next probe image");
    window.press(Modifiers::NONE, Key::Enter);
    window.wait("the next image", |state| {
        maps(state).is_some_and(|maps| maps.image[0] == 1)
    });
    assert!(window.has("image 2 / 16"));
    window
        .harness
        .get_by_label_contains("number 1 chosen")
        .focus();
    window.run();
    window.press(Modifiers::NONE, Key::ArrowRight);
    assert!(window.has("number 2 chosen"));
}

#[test]
fn an_own_image_is_shown_and_a_dropped_one_stays_in_this_view() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    train(&mut window);
    window.show_alone(ViewKind::Activations);
    window.wait("maps", |state| maps(state).is_some());
    let image = folder.path().join("own.png");
    let red = image::Rgb([200, 30, 30]);
    image::RgbImage::from_pixel(40, 40, red)
        .save(&image)
        .unwrap();
    window.enter("Image of feature maps", image.to_str().unwrap());
    window.wait("the image", |state| {
        maps(state).is_some_and(|maps| maps.image == [0, 1] && maps.size == [16, 16, 3])
    });
    assert!(!window.has("Next probe image"));
    window.enter("Image of feature maps", "none.png");
    window.wait("the refusal", |state| maps(state).is_none());
    assert!(window.has("No feature maps of this") && window.has("none.png"));
    let drop = Action::Image(image.clone());
    window.harness.state_mut().handle(drop);
    window.wait("the dropped image", |state| maps(state).is_some());
    assert_eq!(
        window.state().arrangement().fronts(),
        [ViewKind::Activations]
    );
    window.click("Probe images");
    window.wait("the probe images", |state| {
        maps(state).is_some_and(|maps| maps.image == [0, 16])
    });
}

fn next(running: &Running) -> Event {
    running
        .events
        .recv_timeout(Duration::from_secs(60))
        .unwrap()
}

/// The maps come from a copy of the network: what is learned does not depend on who looks.
#[test]
fn a_run_whose_maps_were_seen_ends_as_one_that_nobody_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let runs = ["seen", "alone"].map(|name| folder.path().join(name));
    let running = thread::start(tiny(&[]), options(&runs[0]), || {}).unwrap();
    running.commands.send(Command::Pause).unwrap();
    while next(&running) != Event::Paused {}
    for (stack, index) in [
        (Stack::Encoder, 0),
        (Stack::Encoder, 2),
        (Stack::Decoder, 0),
    ] {
        let place = Place::new(stack, index);
        let request = Request {
            place: place.clone(),
            image: 3,
            file: None,
        };
        let query = Query::<Activations>::new(Subject::Live, request);
        running.live.ask(AnyQuery::new(query));
        running.commands.send(Command::RefreshInspections).unwrap();
        while next(&running) != Event::InspectionsUpdated {}
        let replies = running.live.take_replies();
        let reply = replies
            .iter()
            .find_map(AnyReply::get::<Activations>)
            .unwrap();
        let maps = reply.result.as_ref().unwrap();
        assert_eq!((&maps.place, maps.image), (&place, [3, 16]));
    }
    running.commands.send(Command::Resume).unwrap();
    while !matches!(next(&running), Event::Finished(Outcome::Completed(_))) {}
    completed(crate::kit::runs::train(&tiny(&[]), &options(&runs[1])).0);
    assert_same(&runs[0], &runs[1]);
}

#[test]
fn the_terminal_writes_the_maps_of_a_layer() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    completed(crate::kit::runs::train(&tiny(&[]), &options(&run)).0);
    let strata = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_strata"));
        command.env("STRATA_LOG", "off");
        let output = command
            .current_dir(folder.path())
            .args(args)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let args = [
        "inspect",
        "run",
        "activations",
        "--layer",
        "encoder.2",
        "-o",
        "maps.png",
    ];
    let (code, file, line) = strata(&args);
    assert_eq!((code, file.as_str()), (0, "maps.png\n"), "{line}");
    assert!(
        line.contains("encoder.2 `relu`: 6 maps of 8×8, values 0 … "),
        "{line}"
    );
    let sheet = image::open(folder.path().join("maps.png")).unwrap();
    assert!(sheet.width() >= 3 * 64 && sheet.height() >= 2 * 64);
    let own = folder.path().join("own.png");
    let image =
        image::RgbImage::from_fn(20, 20, |x, y| image::Rgb([12 * x as u8, 12 * y as u8, 9]));
    image.save(own).unwrap();
    let args = [
        "inspect",
        "run",
        "activations",
        "--layer",
        "head.2",
        "--image",
        "own.png",
        "--json",
    ];
    let (code, json, line) = strata(&args);
    assert_eq!(code, 0, "{line}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["shape"], serde_json::json!([10]));
    assert_eq!(value["values"].as_array().unwrap().len(), 10);
    let (code, _, line) = strata(&["inspect", "run", "activations", "--layer", "encoder.9"]);
    assert_eq!(code, 2);
    assert!(line.contains("there is no layer `encoder.9`"), "{line}");
}

fn step(step: u64) -> Event {
    Event::Step(StepReport {
        epoch: 1,
        step,
        step_in_epoch: step,
        loss: 1.0,
        ..StepReport::default()
    })
}

fn of_step(step: u64) -> Activations {
    Activations {
        step,
        place: Place::new(Stack::Encoder, 0),
        text: "conv 600 k3".to_owned(),
        shape: "600x4x4".parse().unwrap(),
        image: [0, 16],
        class: None,
        size: [4, 4, 1],
        input: vec![9; 16],
        slice: None,
        values: (0..9600).map(|value| (value % 7) as f32).collect(),
        since: None,
    }
}

/// What is hidden is never asked for; what is seen, once a step.
#[test]
fn a_run_in_training_is_asked_only_while_the_maps_are_seen() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(classifier(), SIZE, start);
    window.click("Train");
    engine.tell(Event::Started {
        run: "run".into(),
        device: "CPU".into(),
        splits: Vec::new(),
        classes: Vec::new(),
        skipped: Vec::new(),
    });
    engine.tell(Event::Stage {
        index: 0,
        name: "classify".into(),
        task: Task::Classify,
        epochs: 1,
        steps_per_epoch: 9,
    });
    engine.tell(step(1));
    window.run();
    assert!(!engine.with(|run| run.live.is_asked::<Activations>()));
    window.show_alone(ViewKind::Activations);
    window.run();
    assert!(window.has("Computing"));
    let query = engine
        .with(|run| run.live.take_query::<Activations>())
        .unwrap();
    let query: Query<Activations> = query.get().cloned().unwrap();
    assert_eq!(query.subject, Subject::Live);
    assert_eq!(query.request.place, Place::new(Stack::Encoder, 0));
    assert!(engine.commanded().contains(&Command::RefreshInspections));
    let reply = |step: u64| Reply {
        query: query.clone(),
        result: Ok(of_step(step).into()),
    };
    engine.with(|run| run.live.put(reply(1)));
    window.run();
    assert!(window.has("600 maps of 4×4 of encoder.0, 14.3 % zero, number 1 chosen"));
    assert!(!engine.with(|run| run.live.is_asked::<Activations>()));
    // The last of six hundred maps is reached by a key, and the first again.
    window
        .get("600 maps of 4×4 of encoder.0, 14.3 % zero, number 1 chosen")
        .focus();
    window.run();
    window.press(Modifiers::NONE, Key::End);
    assert!(window.has("number 600 chosen"));
    window.press(Modifiers::NONE, Key::ArrowLeft);
    assert!(window.has("number 599 chosen"));
    engine.tell(step(2));
    window.run();
    assert!(engine.with(|run| run.live.take_query::<Activations>().is_some()));
    let close = Action::View(OnView::Close(ViewKind::Activations));
    window.harness.state_mut().handle(close);
    engine.with(|run| run.live.put(reply(2)));
    engine.tell(step(3));
    window.run();
    assert!(
        !engine.with(|run| run.live.is_asked::<Activations>()),
        "hidden again"
    );
}

#[test]
fn the_scale_and_the_layer_are_chosen_in_menus() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    train(&mut window);
    window.show_alone(ViewKind::Activations);
    window.wait("maps", |state| maps(state).is_some());
    window.click("Scale of feature maps");
    window.click("common");
    let choice: MapChoice = window.state().choices.get();
    assert_eq!(choice.scale, MapScale::Common);
    window.click("Layer of feature maps");
    let layer = window
        .harness
        .query_all_by_label_contains("head layer 2  dense 10");
    layer.last().unwrap().click();
    window.run();
    window.wait("the layer", |state| {
        maps(state).is_some_and(|maps| maps.place == Place::new(Stack::Head, 1))
    });
    select(&mut window, Place::new(Stack::Encoder, 1));
    assert_eq!(
        maps(window.state()).unwrap().place,
        Place::new(Stack::Head, 1),
        "it stays"
    );
}

/// Pictures for the eye: `STRATA_PICTURES=folder cargo test --test feature_maps -- --ignored`.
#[test]
#[ignore = "writes pictures to look at"]
fn pictures() {
    let folder = std::env::var_os("STRATA_PICTURES").unwrap();
    for (name, size) in [("small", SIZE), ("large", vec2(1920.0, 1080.0))] {
        let mut window = Window::real(classifier(), size);
        train(&mut window);
        for dark in [true, false] {
            let theme = if dark { "dark" } else { "light" };
            window
                .harness
                .state_mut()
                .handle(Action::Show(Show::Dark(dark)));
            for (what, place, alone, scale) in [
                (
                    "conv",
                    Place::new(Stack::Encoder, 0),
                    true,
                    MapScale::PerMap,
                ),
                (
                    "relu",
                    Place::new(Stack::Encoder, 1),
                    false,
                    MapScale::Common,
                ),
                ("dense", Place::new(Stack::Head, 1), false, MapScale::PerMap),
            ] {
                let choice = MapChoice {
                    layer: Some(place.clone()),
                    scale,
                    ..MapChoice::default()
                };
                let state = window.harness.state_mut();
                state.handle(Action::Choose(Choice::new(choice)));
                if alone {
                    window.show_alone(ViewKind::Activations);
                } else {
                    let state = window.harness.state_mut();
                    state.handle(Action::View(OnView::Reset));
                    state.handle(Action::View(OnView::Open(ViewKind::Activations, None)));
                }
                window.wait("maps", |state| {
                    maps(state).is_some_and(|maps| maps.place == place)
                });
                let file = format!("feature-maps-{what}-{name}-{theme}.png");
                window.save_picture(&Path::new(&folder).join(file), 1.0);
            }
        }
    }
}
