//! Every setting of a stage with both tasks, of `[network]`, `[goals]` and before all tables.

use crate::kit::runs::{completed, options, train};
use crate::kit::window::builtin;
use std::path::Path;
use strata::design::goals::{Measured, Standing, judge};
use strata::engine::event::Outcome;
use strata::project::data::Split;
use strata::project::edit::Edit;
use strata::project::goals::Goal;
use strata::project::node::Node;
use strata::project::reference::{self, Setting};
use strata::project::stage::Task;
use strata::project::{Place, Project, Stack, file};
use strata::shape::infer;

/// A project with one stage of this task; the setting of this heading is the value.
fn text(task: Task, heading: &str, key: &str, value: &str) -> String {
    let (reconstruct, loss) = match task {
        Task::Reconstruct => (true, "\"mse\""),
        Task::Classify => (false, "\"cross-entropy\""),
    };
    let split = if reconstruct {
        "\"unlabeled\""
    } else {
        "\"train\""
    };
    let task = format!("\"{task}\"");
    let tables: [(&str, &[(&str, &str)]); 5] = [
        ("", &[("format", "1"), ("title", "\"one\""), ("seed", "5")]),
        (
            "[data]",
            &[
                ("source", "\"shapes\""),
                ("resize", "[8, 8]"),
                ("limit", "40"),
            ],
        ),
        (
            "[network]",
            &[
                ("input", "\"3x8x8\""),
                ("encoder", "[\"conv 6 k3 s2 p1\", \"sigmoid\"]"),
                ("decoder", "[\"convt 3 k4 s2 p1\"]"),
                ("head", "[\"flatten\", \"dense 10\"]"),
            ],
        ),
        ("[goals]", &[]),
        (
            "[[stage]]",
            &[
                ("name", "\"a\""),
                ("task", &task),
                ("split", split),
                ("loss", loss),
                ("epochs", "2"),
                ("batch", "16"),
            ],
        ),
    ];
    let of = |(name, settings): (&str, &[(&str, &str)])| {
        let own = (name == heading).then(|| format!("{key} = {value}\n"));
        let others = settings
            .iter()
            .filter(|(other, _)| name != heading || *other != key)
            .map(|(key, value)| format!("{key} = {value}\n"));
        format!(
            "{name}\n{}",
            own.into_iter().chain(others).collect::<String>()
        )
    };
    tables.map(of).concat()
}

/// What a training leaves, but for times.
#[derive(Debug, PartialEq)]
struct Left {
    project: String,
    steps: String,
    metrics: Vec<String>,
    weights: Vec<u8>,
    checkpoints: Vec<String>,
}

fn left(run: &Path) -> Left {
    let read = |name: &str| std::fs::read_to_string(run.join(name)).unwrap();
    let metrics = read("metrics.csv");
    let without_seconds = |line: &str| line.rsplit_once(',').unwrap().0.to_owned();
    let mut checkpoints: Vec<String> = std::fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    checkpoints.sort();
    Left {
        project: file::load(&run.join("project.toml")).unwrap().title,
        steps: read("steps.csv"),
        metrics: metrics.lines().map(without_seconds).collect(),
        weights: std::fs::read(run.join("checkpoints/last.safetensors")).unwrap(),
        checkpoints,
    }
}

/// What training gives, or why it is refused.
fn trained(text: &str) -> Result<Left, String> {
    let project = file::parse(text, "p.toml").map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    match train(&project, &options(&run)).0 {
        Outcome::Completed(_) => Ok(left(&run)),
        Outcome::Failed(failure) => {
            assert!(failure.wrong_input, "{}", failure.message);
            assert!(!run.exists(), "what is refused leaves no run");
            Err(failure.message)
        }
        Outcome::Stopped(_) => panic!("nobody stopped it"),
    }
}

/// Another value than the project's, and what a refusal has to say, where it is one.
fn other(key: &str, task: Task) -> (&'static str, Option<&'static str>) {
    match (key, task) {
        ("name", _) => ("\"b\"", None),
        ("task", Task::Reconstruct) => ("\"classify\"", Some("classifying needs")),
        ("task", Task::Classify) => ("\"reconstruct\"", Some("reconstructing needs")),
        ("split", _) => ("\"valid\"", None),
        ("loss", Task::Reconstruct) => ("\"l1\"", None),
        ("loss", Task::Classify) => ("\"l1\"", Some("classifying needs cross-entropy")),
        ("class_weights", Task::Reconstruct) => ("\"balanced\"", Some("reads no labels")),
        ("class_weights", Task::Classify) => ("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", None),
        ("optimizer", _) => ("\"sgd lr=0.05\"", None),
        ("rate_factors", _) => ("\"encoder=0.5\"", None),
        ("decay", _) => ("\"weights\"", Some("has no weight decay")),
        ("clip", _) => ("\"norm=0.01\"", None),
        ("schedule", _) => ("\"exponential gamma=0.5\"", None),
        ("epochs", _) => ("3", None),
        ("batch", _) => ("8", None),
        ("accumulate", _) => ("2", None),
        ("freeze", _) => ("[\"encoder.0\"]", None),
        ("unfreeze", _) => ("\"encoder layers=1 every=1\"", None),
        ("early_stop", _) => ("\"train loss patience=1\"", None),
        ("sparsity", _) => ("\"rho=0.2 beta=0.1\"", None),
        ("checkpoints", _) => ("\"best, every 2\"", None),
        ("format", _) => ("2", Some("has format 2")),
        ("title", _) => ("\"other\"", None),
        ("seed", _) => ("6", None),
        ("init", _) => ("\"nowhere encoder\"", Some("cannot read the first weights")),
        ("input", _) => ("\"3x9x9\"", Some("3×9×9")),
        ("encoder", _) => ("[\"conv 5 k3 s2 p1\", \"sigmoid\"]", None),
        ("decoder", _) => ("[\"convt 3 k4 s2 p1\", \"tanh\"]", None),
        ("head", _) => ("[\"flatten\", \"dense 12\"]", None),
        (new, _) => panic!("`{new}` needs its case here"),
    }
}

fn settings() -> Vec<(&'static str, Setting)> {
    let section = |section: reference::Section| {
        let heading = section.heading;
        section
            .settings
            .into_iter()
            .map(move |setting| (heading, setting))
    };
    reference::sections()
        .into_iter()
        .flat_map(section)
        .collect()
}

#[test]
fn every_setting_of_a_training_acts_or_is_refused_with_both_tasks() {
    for task in Task::ALL {
        let before = trained(&text(task, "", "seed", "5")).unwrap();
        for (heading, setting) in settings() {
            let key = setting.key;
            // Those of [data] are walked over all sources in the data room, goals and locks below, those of a sweep
            // in `sweeps`, those of several runs in `studies`.
            if matches!(heading, "[data]" | "[goals]" | "[sweep]" | "[[run]]") || key == "locked" {
                continue;
            }
            let (value, refusal) = other(key, task);
            match (trained(&text(task, heading, key, value)), refusal) {
                // Layers that the task does not run are shown and counted, and change no weights of the others.
                (Ok(_), None) if is_idle_stack(key, task) => {}
                (Ok(after), None) => assert_ne!(before, after, "{task}: {key} changes nothing"),
                (Err(message), Some(part)) => assert!(message.contains(part), "{message}"),
                (result, expected) => panic!("{task} {key}: {result:?}, {expected:?}"),
            }
        }
    }
}

/// What a word of a setting's text does, or the words of a setting that the walk above refuses.
#[test]
fn every_word_of_the_updates_acts() {
    let classify = Task::Classify;
    let adamw = |decay: &str| {
        let text = text(classify, "[[stage]]", "decay", decay);
        trained(&(text + "optimizer = \"adamw lr=1e-2 weight_decay=0.5\"\n")).unwrap()
    };
    assert_ne!(adamw("\"all\""), adamw("\"weights\""));
    for (task, key, values) in [
        (
            classify,
            "loss",
            &["\"cross-entropy\"", "\"cross-entropy label_smoothing=0.2\""][..],
        ),
        (
            Task::Reconstruct,
            "sparsity",
            &[
                "\"rho=0.2 beta=0.1\"",
                "\"l1=0.01\"",
                "\"rho=0.2 beta=0.1 l1=0.01\"",
            ],
        ),
        (
            classify,
            "clip",
            &["\"norm=0.1\"", "\"norm=0.2\"", "\"value=0.001\""],
        ),
        (
            classify,
            "optimizer",
            &[
                "\"sgd lr=0.1 momentum=0.9\"",
                "\"sgd lr=0.1 momentum=0.9 dampening=0.5\"",
            ],
        ),
        (
            classify,
            "schedule",
            &[
                "\"cosine\"",
                "\"constant warmup=1\"",
                "\"cosine min=1e-4\"",
                "\"step every=1 gamma=0.3\"",
                "\"multistep at=1 gamma=0.2\"",
                "\"exponential gamma=0.5\"",
                "\"polynomial power=2\"",
                "\"onecycle\"",
                "\"onecycle fixed_momentum\"",
                "\"onecycle linear\"",
                "\"onecycle pct_start=0.5\"",
            ],
        ),
    ] {
        let left: Vec<Left> = values
            .iter()
            .map(|value| trained(&text(task, "[[stage]]", key, value)).unwrap())
            .collect();
        for (index, one) in left.iter().enumerate() {
            let others = &left[..index];
            assert!(
                !others.contains(one),
                "{key} = {} is as another",
                values[index]
            );
        }
    }
    // A plateau needs epochs to see it.
    let with = |schedule: &str| {
        let text = text(classify, "[[stage]]", "epochs", "5")
            .replace("limit = 40", "limit = 40\nvalid = 0.2");
        trained(&format!(
            "{text}schedule = \"{schedule}\"\noptimizer = \"sgd lr=1e-5\"\n"
        ))
        .unwrap()
    };
    let falls = with("plateau train patience=0 threshold=1 factor=0.1");
    assert_ne!(falls, with("plateau train patience=9 factor=0.1"));
    let rates: Vec<&str> = falls
        .steps
        .lines()
        .map(|line| line.split(',').nth(4).unwrap())
        .collect();
    assert_ne!(rates[1], rates[rates.len() - 1]);
}

#[test]
fn what_is_weighed_in_vain_is_refused() {
    for (key, value, part) in [
        (
            "class_weights",
            "[1, 2]",
            "weighs 2 classes, but the images have 10",
        ),
        (
            "class_weights",
            "[0, 1]",
            "a class cannot have the weight 0",
        ),
        (
            "rate_factors",
            "\"decoder=2\"",
            "trains encoder and head alone",
        ),
        (
            "rate_factors",
            "\"encoder.1=2\"",
            "has no weights that this stage trains",
        ),
        (
            "rate_factors",
            "\"encoder.7=2\"",
            "is no layer of this project",
        ),
        (
            "rate_factors",
            "\"pretrained=0.1\"",
            "no stage before has trained",
        ),
        ("accumulate", "0", "0 steps make no update"),
        ("clip", "\"norm=-1\"", "must be a number from"),
        ("loss", "\"ssim\"", "classifying needs cross-entropy"),
    ] {
        let text = text(Task::Classify, "[[stage]]", key, value);
        let message = trained(&text).unwrap_err();
        assert!(message.contains(part), "{key} = {value}: {message}");
    }
    let small = text(Task::Reconstruct, "[[stage]]", "loss", "\"ssim\"");
    let message = trained(&small).unwrap_err();
    assert!(
        message.contains("surroundings of 11×11 pixels"),
        "{message}"
    );
}

fn is_idle_stack(key: &str, task: Task) -> bool {
    matches!(
        (key, task),
        ("decoder", Task::Classify) | ("head", Task::Reconstruct)
    )
}

/// A stack that no stage runs still counts, in the layers and in what they cost.
#[test]
fn stacks_that_no_stage_runs_are_counted() {
    for (task, key) in [(Task::Classify, "decoder"), (Task::Reconstruct, "head")] {
        let [with, without] = [other(key, task).0, "[]"].map(|value| {
            let text = text(task, "[network]", key, value);
            infer(&file::parse(&text, "p").unwrap().network)
                .totals
                .parameters
        });
        assert_ne!(with, without, "{key}");
    }
}

#[test]
fn what_is_frozen_in_vain_is_refused() {
    for (task, name, part) in [
        (
            Task::Reconstruct,
            "head",
            "trains encoder and decoder alone",
        ),
        (Task::Classify, "decoder.0", "trains encoder and head alone"),
        (Task::Classify, "encoder.1", "has no weights"),
        (Task::Classify, "encoder.9", "is no layer of this project"),
    ] {
        let message =
            trained(&text(task, "[[stage]]", "freeze", &format!("\"{name}\""))).unwrap_err();
        assert!(
            message.contains(part) && message.contains(name),
            "{message}"
        );
    }
}

#[test]
fn a_lock_keeps_edits_away() {
    let text = text(Task::Classify, "[network]", "locked", "[\"encoder.0\"]");
    let project = file::parse(&text, "p").unwrap();
    let edit = Edit::Replace(Place::new(Stack::Encoder, 0), Node::from_text("conv 5"));
    assert!(
        edit.apply(&project)
            .unwrap_err()
            .to_string()
            .contains("locked")
    );
}

fn with_goals(task: Task) -> Project {
    file::parse(&text(task, "", "seed", "5"), "p").unwrap()
}

/// Every goal is judged, before training or after it, or says why nothing will.
#[test]
fn every_goal_is_judged_or_says_why_not() {
    for task in Task::ALL {
        for setting in reference::goals::all() {
            let mut project = with_goals(task);
            let wanted = setting.example.trim_matches('"');
            let goal = Goal::parse(setting.key.parse().unwrap(), wanted).unwrap();
            project.goals = project.goals.with(goal);
            let judged = judge(&project, &infer(&project.network), &Measured::default());
            assert_eq!(judged.len(), 1, "{}", setting.key);
            let of_task = match setting.key {
                "accuracy" => Some(Task::Classify),
                "psnr" | "mse" => Some(Task::Reconstruct),
                _ => None,
            };
            match of_task {
                None => assert_ne!(judged[0].standing, Standing::AfterTraining),
                Some(measuring) if measuring == task => {
                    assert_eq!(judged[0].standing, Standing::AfterTraining);
                }
                Some(_) => {
                    assert_eq!(judged[0].standing, Standing::Missed);
                    assert!(judged[0].text.contains("nothing measures it"));
                }
            }
        }
    }
}

/// The test accuracy of a training of the built-in project with this seed: all of it, or the last stage from scratch
/// with as many epochs on the labels.
fn accuracy_with(seed: u64, is_pretrained: bool) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut project = builtin("pretrain-classify");
    project.seed = seed;
    let mut how = options(&folder.path().join("run"));
    if !is_pretrained {
        let labelled = project.stages[1].epochs + project.stages[2].epochs;
        project.stages[2].epochs = labelled;
        project.stages[2].optimizer = project.stages[2].optimizer.with_lr(2e-3);
        how.stage = Some(project.stages[2].name.clone());
    }
    let summary = completed(train(&project, &how).0);
    let test = summary
        .metrics
        .iter()
        .find(|(split, _)| *split == Split::Test);
    test.unwrap().1.accuracy.unwrap()
}

#[test]
#[ignore = "six trainings take minutes: cargo test long_ -- --ignored"]
fn long_images_without_labels_help_the_built_in_classifier() {
    for seed in [1, 2, 3] {
        let [with, without] = [true, false].map(|is| accuracy_with(seed, is));
        println!("seed {seed}: {with} with images without labels, {without} from scratch");
        assert!(with > without + 0.02, "seed {seed}: {with} {without}");
    }
}
