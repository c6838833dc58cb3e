//! Advice, goals and locks as a student and a teacher meet them: in the window by mouse and by keyboard, and in the
//! terminal.

use crate::kit::runs::tiny;
use crate::kit::terminal::{json, strata};
use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable;
use serde_json::{Value, json};
use std::path::PathBuf;
use strata::app::action::{Action, OnView, Show};
use strata::app::arrangement::Workspace;
use strata::app::view_kind::ViewKind;
use strata::engine::event::{Event, Metrics, Outcome, Summary};
use strata::project::data::Split;
use strata::project::edit::Edit;
use strata::project::node::Node;
use strata::project::{Place, Project, Stack, file};

/// LeNet with a softmax too many.
fn softmax() -> Project {
    let mut project = builtin("lenet-mnist");
    project.network.head.push(Node::from_text("softmax"));
    project
}

fn show_advice(window: &mut Window) {
    window.show_alone(ViewKind::Advice);
    window.run();
}

#[test]
fn a_hint_is_found_read_and_fixed_by_mouse() {
    let mut window = Window::without_engine(softmax(), SIZE);
    assert!(window.has("1 hint") || window.has("Open advice"));
    window.click("Open advice");
    assert_eq!(window.state().view.workspace, Workspace::Design);
    show_advice(&mut window);
    assert!(window.has("softmax before cross-entropy") && window.has("PyTorch, CrossEntropyLoss"));
    window.click("hint head layer 5: softmax before cross-entropy: the loss applies it already");
    assert_eq!(window.state().selected, Some(Place::new(Stack::Head, 4)));
    window.click("Fix: remove softmax at head layer 5");
    assert_eq!(
        window.texts(Stack::Head),
        ["flatten", "dense 500", "relu", "dense 10"]
    );
    assert!(
        window.has("Nothing to say: this project follows what is usual")
            && !window.has("Open advice")
    );
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.texts(Stack::Head).len(), 5, "one step back");
}

#[test]
fn a_hint_is_fixed_by_keyboard() {
    let mut window = Window::without_engine(softmax(), SIZE);
    window.tab_to("Open advice");
    window.press(Modifiers::NONE, Key::Enter);
    show_advice(&mut window);
    window.tab_to("hint head layer 5: softmax before cross-entropy: the loss applies it already");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().selected, Some(Place::new(Stack::Head, 4)));
    window.tab_to("Fix: remove softmax at head layer 5");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.texts(Stack::Head).len(), 4);
}

#[test]
fn errors_come_first_and_are_mended() {
    let mut project = softmax();
    project.network.encoder[0] = Node::from_text("conv 20 k0");
    let mut window = Window::without_engine(project, SIZE);
    show_advice(&mut window);
    assert!(window.has("error encoder layer 1: the kernel size is 0") && window.has("1 error · "));
    window.click("Fix: write conv 20 k3 at encoder layer 1");
    assert_eq!(window.texts(Stack::Encoder)[0], "conv 20 k3");
}

#[test]
fn a_hint_about_a_stage_opens_it() {
    let mut project = builtin("pretrain-classify");
    project.stages[1].optimizer = "adam lr=0.5".parse().unwrap();
    let mut window = Window::without_engine(project, SIZE);
    show_advice(&mut window);
    window.click("hint stage head only: lr=0.5 is high for adam: usual is 1e-5 to 0.01");
    assert_eq!(window.state().view.stage, Some(1));
    window.click("Fix: set the learning rate to 1e-3 in stage 2");
    assert_eq!(window.state().project().stages[1].optimizer.lr(), 1e-3);
}

#[test]
fn a_hint_inside_a_folded_block_unfolds_it() {
    let mut project = builtin("resnet-18");
    let block = Node::from_text("{ add = [[\"conv 64 k3 p1\", \"relu\", \"relu\"], []] }");
    project.network.encoder[4] = block;
    let mut window = Window::without_engine(project, SIZE);
    show_advice(&mut window);
    let block = Place::new(Stack::Encoder, 4);
    assert!(window.state().is_folded(&block));
    window.click("hint encoder layer 5.1.3: two activations in a row: relu, relu");
    assert!(!window.state().is_folded(&block));
    assert_eq!(
        window.state().selected.as_ref().map(ToString::to_string),
        Some("encoder.4.0.2".into())
    );
}

#[test]
fn goals_are_written_changed_and_taken_away() {
    let mut window = Window::without_engine(builtin("keras-cifar"), SIZE);
    show_advice(&mut window);
    window.enter("New goal", "parameters ≤ 50k");
    assert!(window.has("122,570 parameters, 72,570 too many") && window.has("0 of 1 goals met"));
    window.type_over("Goal parameters", "parameters <= many");
    assert!(window.has("write a whole number"));
    window.press(Modifiers::NONE, Key::Escape);
    window.enter("Goal parameters", "parameters <= 200000");
    assert!(window.has("1 of 1 goals met"));
    window.click("Choose a goal");
    window.click("receptive_field >= 32");
    assert!(window.has("18 of the input seen, 14 short"));
    window.click("Remove goal parameters");
    let goals: Vec<String> = window
        .state()
        .project()
        .goals
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(goals, ["receptive_field >= 32"]);
    for _ in 0..4 {
        window.press(Modifiers::COMMAND, Key::Z);
    }
    assert!(
        window.state().project().goals.is_empty(),
        "every step is taken back"
    );
}

#[test]
fn a_goal_is_written_by_keyboard() {
    let mut window = Window::without_engine(builtin("keras-cifar"), SIZE);
    show_advice(&mut window);
    window.tab_to("New goal");
    window.get("New goal").type_text("code <= 64");
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.has("1,024 numbers in the code, 960 too many"));
    window.tab_to("Remove goal code");
    window.press(Modifiers::NONE, Key::Space);
    assert!(window.state().project().goals.is_empty());
}

#[test]
fn goals_are_measured_by_the_run_of_this_project() {
    let mut project = builtin("conv-autoencoder");
    project.goals = ["psnr >= 22".parse().unwrap()].into_iter().collect();
    let (engine, start) = fake_engine();
    let mut window = Window::new(project, SIZE, start);
    window.click("Train");
    show_advice(&mut window);
    assert!(window.has("known after training"));
    let metrics = vec![(
        Split::Test,
        Metrics {
            psnr: Some(21.5),
            ..Metrics::default()
        },
    )];
    let summary = Summary {
        run: PathBuf::from("runs/one-1"),
        metrics,
        ..Summary::default()
    };
    engine.tell(Event::Finished(Outcome::Completed(summary)));
    window.run();
    assert!(window.has("21.50 dB, 0.50 dB short"));
    let edit = |window: &mut Window, edit: Edit| {
        window.harness.state_mut().handle(Action::Edit(edit));
        window.run();
    };
    edit(&mut window, Edit::Title("another name".into()));
    assert!(window.has("21.50 dB"), "it is the same network");
    edit(&mut window, Edit::Seed(7));
    assert!(
        window.has("known after training") && !window.has("21.50 dB"),
        "that was another project"
    );
}

#[test]
fn a_locked_layer_stays_as_it_is_until_it_is_unlocked() {
    let mut window = Window::without_engine(builtin("lenet-mnist"), SIZE);
    window
        .harness
        .state_mut()
        .handle(Action::Select(Some(Place::new(Stack::Encoder, 0))));
    window.run();
    window.find("lock layer");
    assert_eq!(window.state().project().locked, ["encoder.0"]);
    assert!(
        window.has(", locked") && window.harness.query_by_label("encoder.0").is_none(),
        "no field to type into"
    );
    window.press(Modifiers::NONE, Key::Delete);
    assert!(window.has("encoder layer 1 is locked: unlock it first (right click)"));
    assert_eq!(window.texts(Stack::Encoder).len(), 6);
    // A layer before it: the lock goes along.
    let edit = Edit::Insert(Place::new(Stack::Encoder, 0), Node::from_text("noise 0.1"));
    window.harness.state_mut().handle(Action::Edit(edit));
    window.run();
    assert_eq!(window.state().project().locked, ["encoder.1"]);
    let label = "encoder.1: conv 20 k5 gives 20×24×24, 520 parameters, locked";
    window.get(label).click_secondary();
    window.run();
    window.click("Unlock layer");
    assert!(window.state().project().locked.is_empty());
    window.enter("encoder.1", "conv 24 k5");
    assert_eq!(window.texts(Stack::Encoder)[1], "conv 24 k5");
}

#[test]
fn a_locked_stack_takes_no_layers() {
    let mut window = Window::without_engine(builtin("deep-autoencoder"), SIZE);
    window.get("decoder").click_secondary();
    window.run();
    window.click("Lock decoder");
    assert!(!window.has("Add layer to decoder") && window.has("Add layer to encoder"));
    let clipboard = Action::Paste("relu".into());
    window
        .harness
        .state_mut()
        .handle(Action::Select(Some(Place::new(Stack::Decoder, 0))));
    window.harness.state_mut().handle(clipboard);
    window.run();
    assert!(window.has("decoder is locked"));
    let (from, to) = (Place::new(Stack::Encoder, 0), Place::new(Stack::Decoder, 0));
    window.harness.state_mut().handle(Action::Move(from, to));
    assert_eq!(window.texts(Stack::Encoder).len(), 6);
    window.find("unlock decoder");
    assert!(window.has("Add layer to decoder"));
}

/// A folder with this project as `p.toml`.
fn saved(project: &Project) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    file::save(project, &folder.path().join("p.toml")).unwrap();
    folder
}

#[test]
fn check_gives_advice_goals_and_locks() {
    let mut project = softmax();
    project.goals = ["parameters <= 50000", "code >= 800", "accuracy >= 0.9"]
        .map(|g| g.parse().unwrap())
        .into_iter()
        .collect();
    project.locked = vec!["encoder.0".into(), "nowhere".into()];
    let folder = saved(&project);
    let checked = strata(folder.path(), &["check", "p.toml", "--json"]);
    assert_eq!(
        checked.status.code(),
        Some(0),
        "a missed goal does not stop the training"
    );
    let shown = json(&checked);
    let goals: Vec<_> = shown["goals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| (&g["goal"], &g["met"], &g["now"]))
        .collect();
    assert_eq!(
        goals,
        [
            (
                &json!("parameters <= 50000"),
                &json!(false),
                &json!(431_080)
            ),
            (&json!("code >= 800"), &json!(true), &json!(800)),
            (&json!("accuracy >= 0.9"), &Value::Null, &Value::Null),
        ]
    );
    assert_eq!(shown["goals_met"], false);
    let advice = &shown["advice"][0];
    assert_eq!(
        (&advice["stack"], &advice["index"], &advice["stage"]),
        (&json!("head"), &json!(4), &Value::Null)
    );
    assert_eq!(
        advice["fix"]["edits"],
        json!([{ "stack": "head", "index": 4, "from": "softmax", "to": null }])
    );
    assert!(advice["why"].as_str().is_some_and(|why| !why.is_empty()));
    let locked: Vec<_> = shown["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| &layer["locked"])
        .collect();
    assert!(*locked[0] == true && locked[1..].iter().all(|locked| **locked == false));
    assert!(
        shown["warnings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("locked names `nowhere`")
    );
    let text = String::from_utf8(strata(folder.path(), &["check", "p.toml"]).stdout).unwrap();
    for part in [
        "✗ parameters <= 50000: 431,080 parameters, 381,080 too many",
        "✓ code >= 800",
        "· accuracy >= 0.9: known after training",
        "hint: head.4: softmax before cross-entropy",
        "  fix: remove softmax at head.4",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let row = text
        .lines()
        .find(|line| line.contains("conv 20 k5"))
        .unwrap();
    assert!(row.ends_with("  locked"), "{row}");
}

#[test]
fn a_teacher_grades_by_the_exit_code() {
    let mut project = builtin("lenet-mnist");
    let code = |project: &Project, flag: &str| {
        strata(saved(project).path(), &["check", "p.toml", flag])
            .status
            .code()
            .unwrap()
    };
    project.goals = ["parameters <= 500000", "accuracy >= 0.99"]
        .map(|g| g.parse().unwrap())
        .into_iter()
        .collect();
    assert_eq!(code(&project, "--goals"), 0);
    project.goals = project.goals.with("parameters <= 50000".parse().unwrap());
    assert_eq!(
        (code(&project, "--goals"), code(&project, "--json")),
        (1, 0)
    );
    project.network.encoder[0] = Node::from_text("conv");
    assert_eq!(code(&project, "--goals"), 2);
    let damaged = saved(&builtin("lenet-mnist"));
    let path = damaged.path().join("p.toml");
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("[[stage]]", "[goals]\nspeed = \"<= 3\"\n[[stage]]");
    std::fs::write(&path, text).unwrap();
    let refused = strata(damaged.path(), &["check", "p.toml"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        told.contains("line ")
            && told
                .contains("there is no setting `speed` in [goals]: there are output, parameters"),
        "{told}"
    );
}

#[test]
fn training_and_evaluating_judge_the_goals() {
    let mut project = tiny(&[]);
    project.goals = ["parameters <= 10", "psnr >= 1", "accuracy >= 0"]
        .map(|g| g.parse().unwrap())
        .into_iter()
        .collect();
    let folder = saved(&project);
    let trained = json(&strata(
        folder.path(),
        &["train", "p.toml", "-o", "run", "--device", "cpu", "--json"],
    ));
    let met = |value: &Value| {
        value["goals"]
            .as_array()
            .unwrap()
            .iter()
            .map(|goal| goal["met"].clone())
            .collect::<Vec<_>>()
    };
    // The last stage classifies: the run's last figures have no PSNR.
    assert_eq!(met(&trained), [json!(false), Value::Null, json!(true)]);
    assert_eq!(trained["goals"][2]["now"], trained["test"]["accuracy"]);
    let evaluated = json(&strata(
        folder.path(),
        &["eval", "run", "--device", "cpu", "--json"],
    ));
    assert_eq!(met(&evaluated), [json!(false), json!(true), json!(true)]);
    assert_eq!(evaluated["goals"][1]["now"], evaluated["test"]["psnr"]);
    let text = String::from_utf8(strata(folder.path(), &["eval", "run", "--device", "cpu"]).stdout)
        .unwrap();
    assert!(
        text.contains("✗ parameters <= 10: ") && text.contains("✓ psnr >= 1: "),
        "{text}"
    );
}

#[test]
#[ignore = "writes pictures"]
fn pictures() {
    let mut several = builtin("lenet-mnist");
    several.network.head = [
        "flatten",
        "dense 500",
        "dense 10",
        "relu",
        "dropout 0.5",
        "softmax",
    ]
    .map(Node::from_text)
    .to_vec();
    several.network.encoder.insert(1, Node::from_text("bn"));
    several.stages[0].optimizer = "adam lr=0.5".parse().unwrap();
    several.goals = [
        "parameters <= 50000",
        "code <= 800",
        "receptive_field >= 14",
        "accuracy >= 0.99",
    ]
    .map(|g| g.parse().unwrap())
    .into_iter()
    .collect();
    several.locked = vec!["encoder.0".into(), "encoder.4".into()];
    let mut broken = builtin("deep-autoencoder");
    broken.network.decoder[4] = Node::from_text("convt 3 k4 p2");
    broken.network.encoder[0] = Node::from_text("cnov 16 k5 p2");
    broken.goals = ["output = input".parse().unwrap()].into_iter().collect();
    let mut wrong = builtin("conv-autoencoder");
    wrong.network.decoder[0] = Node::from_text("convt 3 k7 s4 p2");
    wrong.data.range = Some([0.0, 1.0]);
    wrong.locked = vec!["encoder".into()];
    wrong.goals = ["output = input", "parameters <= 100000", "psnr >= 22"]
        .map(|g| g.parse().unwrap())
        .into_iter()
        .collect();
    for (name, project) in [
        ("several", several),
        ("broken", broken),
        ("wrong", wrong),
        ("calm", builtin("unet")),
    ] {
        for size in [SIZE, vec2(1920.0, 1080.0)] {
            for dark in [true, false] {
                let mut window = Window::new(project.clone(), size, fake_engine().1);
                window.set_dark(dark);
                for alone in [false, true] {
                    if alone {
                        show_advice(&mut window);
                    } else {
                        window
                            .harness
                            .state_mut()
                            .handle(Action::Show(Show::Workspace(Workspace::Design)));
                        window
                            .harness
                            .state_mut()
                            .handle(Action::View(OnView::Open(ViewKind::Advice, None)));
                        window.run();
                    }
                    let theme = if dark { "dark" } else { "light" };
                    let layout = if alone { "alone" } else { "tile" };
                    window.write_picture(&format!("advice/{name}-{}-{theme}-{layout}", size.y));
                }
            }
        }
    }
}
