//! A run that was stopped or that has ended goes on, in the window and in the terminal.

use super::kit::runs::{completed, options, train};
use super::kit::terminal::{code, err, strata};
use super::kit::window::*;
use std::path::Path;
use strata::app::action::Action;
use strata::app::curves::Curves;
use strata::app::run_monitor::Continuation;
use strata::engine::storage::record::{RunRecord, Status};
use strata::project::node::Node;
use strata::project::{Project, file};

fn of_epochs(epochs: u32) -> Project {
    let mut project = classifier();
    project.stages[0].epochs = epochs;
    project
}

/// The steps of a run's table.
fn steps(run: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(run.join("steps.csv")).unwrap();
    let step = |line: &str| line.split(',').next().unwrap().parse().unwrap();
    text.lines().skip(1).map(step).collect()
}

#[test]
fn a_finished_run_goes_on_for_more_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &of_epochs(2));
    assert!(!window.has("Go on"));
    window.train();
    let run = window.state().training.run.clone().unwrap();
    let before = steps(&run);
    assert_eq!(
        window.state().training.continuation(),
        Some(Continuation::MoreEpochs)
    );
    window.keep_picture("going-on/finished");
    window.click("Go on");
    window.keep_picture("going-on/more-epochs");
    window.click("Train 2 more");
    window.wait("the end", |state| !state.training.is_running());
    let state = window.state();
    assert_eq!(
        state.training.run.as_ref(),
        Some(&run),
        "it is the same run"
    );
    assert_eq!(
        state.project().stages[0].epochs,
        4,
        "the project says what was trained"
    );
    assert_eq!(state.training.curves.epochs_of("classify"), 4);
    let after = steps(&run);
    assert!(after.starts_with(&before) && after.len() == 2 * before.len());
    let whole: Vec<u64> = (1..=after.len() as u64).collect();
    assert_eq!(after, whole, "no step is there twice or missing");
    let live = &state.training.curves;
    let stored = Curves::read(&run);
    assert_eq!(
        live.loss.raw.points().collect::<Vec<_>>(),
        stored.loss.raw.points().collect::<Vec<_>>()
    );
    assert_eq!(live.results(), stored.results());
    assert_eq!(live.stages.len(), 1, "no new stage began");
    // Undo takes the epochs back, and a run that is opened again goes on as well.
    window.click("Undo");
    assert_eq!(window.state().project().stages[0].epochs, 2);
    window.harness.state_mut().handle(Action::Open(run.clone()));
    window.wait("the curves", |state| !state.training.is_reading());
    assert!(window.has("Trained for") && window.has("test loss"));
    window.find("go on for");
    window.wait("the end", |state| !state.training.is_running());
    assert_eq!(window.state().training.curves.epochs_of("classify"), 8);
}

#[test]
fn a_stopped_run_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &of_epochs(300));
    window.click("Train");
    window.wait("some steps", |state| state.training.curves.steps() > 10);
    window.click("Stop");
    window.wait("the stop", |state| !state.training.is_running());
    let run = window.state().training.run.clone().unwrap();
    let stopped = steps(&run).len() as u64;
    assert!(window.has("Stopped after") && window.has("Go on continues it"));
    window.click("Go on");
    window.wait("more steps", |state| {
        state.training.curves.steps() > stopped + 5
    });
    window.click("Stop");
    window.wait("the stop", |state| !state.training.is_running());
    let after = steps(&run);
    assert_eq!(after, (1..=after.len() as u64).collect::<Vec<_>>());
    let drawn: Vec<u64> = (window.state().training.curves.loss.raw.points())
        .map(|[step, _]| step as u64)
        .collect();
    assert_eq!(drawn, after, "the curve is whole");
}

#[test]
fn a_run_of_other_layers_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &of_epochs(1));
    window.train();
    let run = window.state().training.run.clone().unwrap();
    let before = steps(&run);
    window.enter("encoder.1", "tanh");
    window.click("Go on");
    window.click("Train 1 more");
    assert!(window.has("The layers are not those that were trained in"));
    assert_eq!(steps(&run), before);
    window.click("Undo");
    window.click("Go on");
    window.click("Train 1 more");
    window.wait("the end", |state| !state.training.is_running());
    assert_eq!(steps(&run).len(), 2 * before.len());
}

#[test]
fn the_terminal_goes_on_with_what_is_trained_or_was_ended_early() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut project = of_epochs(9);
    // A loss cannot get better than by so much: training is ended after its second epoch.
    project.stages[0].optimizer = "sgd lr=0".parse().unwrap();
    project.stages[0].early_stop = Some("train accuracy patience=1".parse().unwrap());
    project.network.encoder[1] = Node::from_text("relu");
    completed(train(&project, &options(&run)).0);
    let epochs = |run: &Path| Curves::read(run).epochs_of("classify");
    let ended = epochs(&run);
    assert!(ended < 9, "{ended}");
    let on = |more: &[&str]| {
        let output = strata(
            folder.path(),
            &[&["train", "run", "--resume"], more].concat(),
        );
        assert_eq!(code(&output), 0, "{}", err(&output));
        err(&output)
    };
    on(&[]);
    assert_eq!(epochs(&run), ended, "early stopping holds");
    on(&["--more-epochs", "1"]);
    assert_eq!(epochs(&run), ended + 1);
    let saved = file::load(&run.join("project.toml")).unwrap();
    assert_eq!(saved.stages[0].epochs, ended + 1);
    assert!(on(&[]).contains("--more-epochs N goes on"));
    assert_eq!(RunRecord::read(&run).unwrap().status, Status::Completed);
    let refused = strata(folder.path(), &["train", "run", "--more-epochs", "1"]);
    assert_ne!(code(&refused), 0, "only a run that is resumed goes on");
}
