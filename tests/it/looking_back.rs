//! The weights that a run keeps at earlier steps: which, that they repeat, and that all views can go back to them.

use crate::kit::runs::{completed, options, stop_at, stopped, tiny, train, train_until};
use crate::kit::window::{Window, open};
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use std::collections::BTreeMap;
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::state::State;
use strata::app::view_kind::ViewKind;
use strata::engine::storage::saved_run::SavedRun;
use strata::engine::storage::snapshots::Snapshots;
use strata::engine::thread::RunOptions;
use strata::inspect::filters::{Filters, Request};
use strata::inspect::inspection::{SavedWeights, Subject};
use strata::project::{Project, file};

/// Every snapshot of a run with its bytes.
fn files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(run.join("snapshots")).unwrap();
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    };
    entries.map(read).collect()
}

#[test]
fn a_run_that_is_repeated_or_resumed_keeps_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| folder.path().join(name);
    let project = tiny(&[]);
    completed(train(&project, &options(&run("a"))).0);
    completed(train(&project, &options(&run("b"))).0);
    let kept = files(&run("a"));
    let steps = Snapshots::read(&run("a")).steps;
    assert!(steps.starts_with(&[0, 1, 2, 3]), "{steps:?}");
    let mut last = SavedRun::open(&run("a"), "last", Some("cpu"), &mut |_| true).unwrap();
    assert_eq!(steps.last(), Some(&last.position.step));
    assert!(kept == files(&run("b")));
    for step in [2, 5] {
        let name = run(&format!("stopped at {step}"));
        stopped(train_until(&project, &options(&name), stop_at(step)).0);
        let resume = RunOptions {
            resume: true,
            ..options(&name)
        };
        completed(train(&project, &resume).0);
        assert!(kept == files(&name), "stopped at {step}");
    }
    let now = last.inspect::<Filters>(&Request::First).unwrap();
    last.load(&run("a"), "step-0").unwrap();
    let before = last.inspect::<Filters>(&Request::First).unwrap();
    assert_eq!((before.step, before.count), (0, now.count));
    assert!(before.values != now.values);
    let mut opened = SavedRun::open(&run("a"), "step-0", Some("cpu"), &mut |_| true).unwrap();
    assert_eq!(
        opened.inspect::<Filters>(&Request::First).unwrap().values,
        before.values
    );
    let none = SavedRun::open(&run("a"), "step-999", Some("cpu"), &mut |_| true);
    let message = none.err().unwrap().to_string();
    assert!(
        message.contains("earlier weights: step-0, step-1"),
        "{message}"
    );
}

#[test]
fn nothing_is_kept_where_that_is_not_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let without = RunOptions {
        no_snapshots: true,
        ..options(&run)
    };
    completed(train(&tiny(&[]), &without).0);
    assert!(!run.join("snapshots").exists());
}

#[test]
fn a_snapshot_that_cannot_be_written_ends_no_training() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    std::fs::create_dir(&run).unwrap();
    std::fs::write(run.join("snapshots"), "a file in the folder's place").unwrap();
    let (outcome, events) = train(&tiny(&[]), &options(&run));
    completed(outcome);
    let warnings = events.iter().filter(|event| {
        let text = format!("{event:?}");
        text.contains("Warning") && text.contains("could not be kept to look back at")
    });
    assert_eq!(warnings.count(), 1);
}

fn project() -> Project {
    let text = r#"
format = 1
title = "looking back"
[data]
source = "shapes"
resize = [16, 16]
limit = 64
[network]
input = "3x16x16"
encoder = ["conv 4 k3 p1", "relu", "maxpool 2"]
head = ["flatten", "dense 10"]
[[stage]]
name = "labels"
task = "classify"
loss = "cross-entropy"
epochs = 2
batch = 8
"#;
    file::parse(text, "looking-back.toml").unwrap()
}

fn shown(state: &State) -> Option<&Filters> {
    state.filters()?.ok().map(|filters| &**filters)
}

fn at(window: &mut Window, step: Option<u64>) {
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::At(step)));
    window.run();
}

#[test]
fn one_slider_takes_every_view_to_an_earlier_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &project());
    assert!(!window.has("Look back"));
    window.click("Train");
    window.wait("the end", |state| !state.training.is_running());
    let run = window.state().training.run.clone().unwrap();
    window.show_alone(ViewKind::Filters);
    window.wait("the newest", |state| shown(state).is_some());
    assert!(window.has("The newest weights"));
    let newest = shown(window.state()).unwrap().values.clone();
    at(&mut window, Some(2));
    window.wait("step 2", |state| {
        shown(state).is_some_and(|filters| filters.step == 2)
    });
    let expected = SavedRun::open(&run, "step-2", Some("cpu"), &mut |_| true)
        .unwrap()
        .inspect::<Filters>(&Request::First)
        .unwrap();
    assert_eq!(shown(window.state()).unwrap().values, expected.values);
    let meant = Subject::Stored(SavedWeights {
        since: None,
        run: run.clone(),
        step: Some(2),
    });
    assert_eq!(window.state().subject(), Some(meant));
    assert!(
        window
            .harness
            .query_by_label_contains("Step 2 · epoch 0.25 · loss")
            .is_some()
    );
    window.tab_to("Look back");
    window.press(Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(window.state().training.at, Some(1));
    window.press(Modifiers::NONE, Key::ArrowRight);
    window.press(Modifiers::NONE, Key::ArrowRight);
    assert_eq!(window.state().training.at, Some(3));
    at(&mut window, None);
    window.wait("the newest", |state| {
        shown(state).is_some_and(|filters| filters.values == newest)
    });
    // What is not kept is not looked at.
    at(&mut window, Some(5));
    assert_eq!(window.state().training.at, None);
}

#[test]
fn the_steps_are_played_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &project());
    window.click("Train");
    window.wait("the end", |state| !state.training.is_running());
    window.show_alone(ViewKind::Filters);
    // What is read of the ended run may move the button while it is pressed.
    while window.has("Play the training") {
        window.click("Play the training");
    }
    window.wait("the first", |state| state.training.at.is_some());
    window.wait("the second", |state| state.training.at >= Some(1));
    while window.has("Stop playing") {
        window.click("Stop playing");
    }
    assert!(window.has("Play the training"));
}
