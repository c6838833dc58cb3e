//! A run that another process trains, watched in the window as its folder grows: curves and pictures move, and it is
//! paused, changed and stopped from here.

use crate::kit::runs::tiny;
use crate::kit::window::{classifier, open};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};
use strata::app::action::Action;
use strata::app::run_monitor::Phase;
use strata::app::view_kind::ViewKind;
use strata::engine::event::Outcome;
use strata::engine::storage::changes::Changes;
use strata::engine::storage::record::{RunRecord, Status};
use strata::project::file;

/// A run in another process that takes longer than the test.
fn elsewhere(folder: &Path) -> Child {
    let long = [(
        "epochs = 2\nbatch = 16\n[[stage]]",
        "epochs = 200000\nbatch = 16\n[[stage]]",
    )];
    file::save(&tiny(&long), &folder.join("long.toml")).unwrap();
    let child = Process::new(env!("CARGO_BIN_EXE_strata"))
        .env("STRATA_LOG", "off")
        .current_dir(folder)
        .args(["train", "long.toml", "-o", "run", "--no-snapshots"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let is_measured = || {
        let text = std::fs::read_to_string(folder.join("run/metrics.csv")).unwrap_or_default();
        text.lines().count() > 1
    };
    while !is_measured() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it has not begun"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}

#[test]
fn curves_and_pictures_move_and_commands_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut child = elsewhere(folder.path());
    let mut window = open(folder.path(), &classifier());
    window.harness.state_mut().handle(Action::Open(run.clone()));
    window.wait("steps of elsewhere", |state| {
        state.training.is_followed() && state.training.curves.steps() > 3
    });
    assert!(
        !window.state().training.is_running(),
        "it is not trained here"
    );
    window.wait("pictures of its epochs", |state| {
        state.training.reconstructions.is_some()
    });
    let before = window.state().training.curves.steps();
    window.wait("more steps", |state| {
        state.training.curves.steps() > before + 6
    });
    window.wait("a measured epoch", |state| {
        !state.training.curves.figures.is_empty()
    });
    // What is inspected is its last checkpoint.
    window.show_alone(ViewKind::Filters);
    window.wait("filters", |state| {
        state
            .run_reply::<strata::inspect::filters::Filters>()
            .is_some()
    });
    window.show_alone(ViewKind::Loss);
    window.run();
    window.keep_picture("following/training");
    window.click("Pause");
    window.wait("the pause", |state| state.training.phase == Phase::Paused);
    let paused = window.state().training.curves.steps();
    std::thread::sleep(Duration::from_millis(900));
    window.run();
    assert_eq!(window.state().training.curves.steps(), paused);
    window.click("Adjust");
    window.enter("New learning rate", "0.0005");
    window.click("Resume");
    window.wait("steps after the pause", |state| {
        state.training.phase == Phase::Training && state.training.curves.steps() > paused
    });
    window.wait("the mark of the change", |state| {
        !state.training.curves.changes.is_empty()
    });
    window.click("Stop");
    window.wait("its end", |state| {
        matches!(state.training.phase, Phase::Ended(Outcome::Stopped(_)))
    });
    child.wait().unwrap();
    assert_eq!(RunRecord::read(&run).unwrap().status, Status::Stopped);
    let changes = Changes::read(&run).unwrap();
    assert_eq!(changes.all()[0].value, 0.0005);
    assert!(window.has("Go on"), "it can be gone on with from here");
}

#[test]
fn a_run_whose_process_died_long_ago_is_only_opened() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut child = elsewhere(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(600);
    for name in ["steps.csv", "metrics.csv", "run.json"] {
        let file = std::fs::File::options()
            .append(true)
            .open(run.join(name))
            .unwrap();
        file.set_modified(old).unwrap();
    }
    let mut window = open(folder.path(), &classifier());
    window.harness.state_mut().handle(Action::Open(run));
    window.wait("its curves", |state| state.training.curves.steps() > 0);
    assert!(!window.state().training.is_followed());
    assert!(window.has("Go on"));
}
