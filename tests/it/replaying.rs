//! A run trained again is identical, with its changes and its resumed parts; where it is not, the first difference is
//! told.

use crate::kit::runs::{completed, options, stop_at, stopped, tiny, train, train_until};
use crate::kit::terminal::{code, err, json, out, strata};
use crate::kit::window::{classifier, open};
use std::path::Path;
use strata::app::action::Action;
use strata::engine::command::Command;
use strata::engine::event::Event;
use strata::engine::storage::record::{RunRecord, Status};
use strata::engine::thread::RunOptions;
use strata::project::live_setting::LiveSetting;

fn replay(folder: &Path, args: &[&str]) -> std::process::Output {
    strata(folder, &[&["replay", "run"], args].concat())
}

#[test]
fn a_run_of_every_kind_is_trained_again_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let project = tiny(&[("limit = 40", "limit = 40\nvalid = 0.2"), (" nesterov", "")]);
    let options = options(&run);
    let resume = RunOptions {
        resume: true,
        ..options.clone()
    };
    let lr: LiveSetting = "lr".parse().unwrap();
    let momentum: LiveSetting = "momentum".parse().unwrap();
    // Stopped within an epoch; gone on with another weight of the penalty and a change; stopped at the end of a stage.
    stopped(train_until(&project, &options, stop_at(2)).0);
    let told = replay(folder.path(), &[]);
    assert_eq!(code(&told), 0, "{}", err(&told));
    assert!(
        out(&told).starts_with("identical: 2 steps"),
        "{}",
        out(&told)
    );
    let edited = tiny(&[
        ("limit = 40", "limit = 40\nvalid = 0.2"),
        (" nesterov", ""),
        ("beta=1e-3", "beta=2e-3"),
    ]);
    let outcome = train_until(&edited, &resume, |event| match event {
        Event::Step(report) if report.step == 3 => Some(Command::Set(lr, 0.01)),
        Event::Step(report) if report.step == 6 => Some(Command::Stop),
        _ => None,
    });
    stopped(outcome.0);
    let outcome = train_until(&edited, &resume, |event| match event {
        Event::Step(report) if report.step == 8 => Some(Command::Set(momentum, 0.0)),
        Event::Step(report) if report.step == 10 => Some(Command::Set(momentum, 0.5)),
        _ => None,
    });
    completed(outcome.0);
    let longer = RunOptions {
        more_epochs: Some(2),
        ..resume.clone()
    };
    completed(train(&edited, &longer).0);
    let record = RunRecord::read(&run).unwrap();
    assert_eq!(record.parts.len(), 4, "{:?}", record.parts);
    assert!(run.join("project-of-part-1.toml").exists());
    let told = replay(folder.path(), &["-o", "again", "--json"]);
    assert_eq!(code(&told), 0, "{} {}", out(&told), err(&told));
    let value = json(&told);
    assert_eq!(value["identical"], true);
    assert_eq!(value["others"].as_array().unwrap().len(), 0, "{value}");
    assert_eq!(value["checkpoints"].as_array().unwrap().len(), 3);
    let text = |name: &str, file: &str| std::fs::read(folder.path().join(name).join(file)).unwrap();
    for file in ["steps.csv", "changes.csv", "checkpoints/last.safetensors"] {
        assert!(text("run", file) == text("again", file), "{file}");
    }
    let taken = replay(folder.path(), &["-o", "again"]);
    assert!(code(&taken) == 2 && err(&taken).contains("holds a run already"));
}

#[test]
fn a_run_of_one_stage_after_another_is_trained_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let of_stage = |stage: &str, resume| RunOptions {
        stage: Some(stage.to_owned()),
        resume,
        ..options(&run)
    };
    completed(train(&tiny(&[]), &of_stage("labels", false)).0);
    completed(train(&tiny(&[]), &of_stage("images", true)).0);
    // A run that died: its tables go on after the last checkpoint.
    let mut record = RunRecord::read(&run).unwrap();
    record.status = Status::Running;
    record.write(&run).unwrap();
    let told = replay(folder.path(), &[]);
    assert_eq!(code(&told), 0, "{} {}", out(&told), err(&told));
    assert!(out(&told).contains("identical: 12 steps"), "{}", out(&told));
}

#[test]
fn the_first_difference_is_told_and_the_code_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    completed(train(&tiny(&[]), &options(&run)).0);
    let steps = std::fs::read_to_string(run.join("steps.csv")).unwrap();
    let row = steps.lines().nth(8).unwrap();
    let loss = row.split(',').nth(3).unwrap();
    std::fs::write(run.join("steps.csv"), steps.replacen(loss, "0.125", 1)).unwrap();
    let mut record = RunRecord::read(&run).unwrap();
    record.parts[0].device = "CUDA 0".into();
    record.parts[0].version = "0.0.1".into();
    record.write(&run).unwrap();
    let told = replay(folder.path(), &["--device", "cpu"]);
    assert_eq!(code(&told), 1);
    let text = out(&told);
    let wanted = format!("differs first at step 8 (steps.csv): loss was 0.125 and is {loss}\n");
    assert!(text.starts_with(&wanted), "{text}");
    let again = text
        .lines()
        .last()
        .unwrap()
        .strip_prefix("trained again in ")
        .unwrap();
    assert!(Path::new(again).join("steps.csv").exists());
    std::fs::remove_dir_all(again).unwrap();
    for part in [
        "was computed on CUDA 0, and now on CPU",
        "by Strata 0.0.1, and now by",
    ] {
        assert!(err(&told).contains(part), "{}", err(&told));
    }
    // Equal tables and another weight.
    std::fs::write(run.join("steps.csv"), steps).unwrap();
    let last = run.join("checkpoints/stage-1.safetensors");
    let mut bytes = std::fs::read(&last).unwrap();
    let end = bytes.len() - 1;
    bytes[end] ^= 1;
    std::fs::write(&last, bytes).unwrap();
    let told = json(&replay(folder.path(), &["--json", "--device", "cpu"]));
    assert!(told["what"].is_null() && told["identical"] == false);
    assert!(
        told["difference"]["was"] != told["difference"]["is"],
        "{told}"
    );
    std::fs::remove_dir_all(told["folder"].as_str().unwrap()).unwrap();
}

#[test]
fn what_was_never_trained_is_not_trained_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let told = replay(folder.path(), &[]);
    assert!(
        code(&told) == 2 && err(&told).contains("there is no folder run"),
        "{}",
        err(&told)
    );
    stopped(
        train_until(&tiny(&[]), &options(&run), |event| {
            matches!(event, Event::Started { .. }).then_some(Command::Stop)
        })
        .0,
    );
    let told = replay(folder.path(), &[]);
    assert!(code(&told) == 2 && err(&told).contains("no checkpoint after a step"));
}

#[test]
fn the_window_replays_the_opened_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.train();
    window.find("replay the run");
    window.wait("the verdict", |state| state.replays.step().is_none());
    assert!(window.has("identical: 4 steps"), "it is told");
    let run = window.state().training.run.clone().unwrap();
    let steps = std::fs::read_to_string(run.join("steps.csv")).unwrap();
    let lr = steps.replacen("0.001", "0.002", 1);
    std::fs::write(run.join("steps.csv"), lr).unwrap();
    window.harness.state_mut().handle(Action::Replay(true));
    window.wait("the verdict", |state| state.replays.step().is_none());
    assert!(window.has("differs first at step 1: lr was 0.002 and is 0.001"));
}
